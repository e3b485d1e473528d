//! The time that all devices together would wait longer with more or less at a place.

use super::sums::sized;
use super::{Features, Longest, PRESENT, PlaceTerms};
use crate::fleet::instance::Instance;
use crate::kernels::kernel::Simd;
use crate::kernels::panel::Lanes;
use crate::kernels::wide::Wide;

/// Changes of a load, in mean tasks, at which the wait is computed; between them it is taken as linear.
pub(super) const STEPS: [f32; 9] = [-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0];
const NOW: usize = 4;

/// A function that is 0 at 0 and linear between [`KNOTS`]: the slope after 0, and the change of the slope at each other knot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slopes([f32; 4]);

const KNOTS: [f32; 4] = [0.0, 0.5, 1.0, 2.0];

impl Slopes {
    /// The function with these values at [`KNOTS`] and at twice the last of them.
    fn new(values: [f32; 5]) -> Self {
        let widths = [0.5, 0.5, 1.0, 2.0];
        let slopes: [f32; 4] = std::array::from_fn(|knot| (values[knot + 1] - values[knot]) / widths[knot]);
        Self(std::array::from_fn(|knot| if knot == 0 { slopes[0] } else { slopes[knot] - slopes[knot - 1] }))
    }

    /// The value at an amount of at least 0.
    #[inline(always)]
    pub(super) fn at<S: Simd>(&self, simd: S, amount: Wide<S>) -> Wide<S> {
        let zero = Wide::splat(simd, 0.0);
        let mut value = amount * Wide::splat(simd, self.0[0]);
        for (&slope, &knot) in self.0[1..].iter().zip(&KNOTS[1..]) {
            value = (amount - Wide::splat(simd, knot)).max(zero).mul_add(Wide::splat(simd, slope), value);
        }
        value
    }
}

/// A function of the change of a load: [`Slopes`] for growth and for decrease.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Curve {
    pub(super) more: Slopes,
    pub(super) less: Slopes,
}

impl Curve {
    fn new(values: &[f32; STEPS.len()]) -> Self {
        let now = values[NOW];
        Self {
            more: Slopes::new(std::array::from_fn(|knot| values[NOW + knot] - now)),
            less: Slopes::new(std::array::from_fn(|knot| values[NOW - knot] - now)),
        }
    }

    /// The value at a change.
    #[inline(always)]
    pub(super) fn at<S: Simd>(&self, simd: S, change: Wide<S>) -> Wide<S> {
        let zero = Wide::splat(simd, 0.0);
        self.more.at(simd, change.max(zero)) + self.less.at(simd, (zero - change).max(zero))
    }
}

/// Waits of all devices.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    /// `[places]`: share of devices that are done last at the place.
    pub(super) critical: Vec<f32>,
    /// `[places]`: wait of all devices by the change of the load.
    pub(super) curves: Vec<Curve>,
    /// `[places]`: wait of all devices for one mean task more.
    one_more: Vec<f32>,
    /// Wait of all devices by the change of the bytes sent to all servers, where the uplinks are shared.
    pub(super) uplink: Curve,
    /// `[places][device_panels]`: time when each device is done at the place.
    times: Vec<Lanes>,
    /// `[device_panels]`: the two longest times of each device.
    longest: Vec<[Lanes; 2]>,
}

impl Waits {
    /// Softsign of the wait of all devices for one mean task more at a place.
    pub(super) fn one_more(&self, place: usize) -> f32 {
        self.one_more[place] / (1.0 + self.one_more[place].abs())
    }
}

/// A load changed by each of [`STEPS`], at least 0.
#[inline(always)]
fn changed<S: Simd>(simd: S, load: f32) -> [Wide<S>; STEPS.len()] {
    let mut loads = [Wide::splat(simd, 0.0); STEPS.len()];
    for (changed, step) in loads.iter_mut().zip(STEPS) {
        *changed = Wide::splat(simd, (load + step).max(0.0));
    }
    loads
}

/// The sum of each vector.
#[inline(always)]
fn summed<S: Simd>(sums: [Wide<S>; STEPS.len()]) -> [f32; STEPS.len()] {
    let mut values = [0.0; STEPS.len()];
    for (value, sum) in values.iter_mut().zip(sums) {
        *value = sum.sum();
    }
    values
}

impl Features {
    /// Estimates the waits at all places.
    #[inline(always)]
    pub(super) fn estimate_waits<S: Simd>(&mut self, simd: S, instance: &Instance) {
        let (places, panels) = (instance.places, instance.lanes.device_panels);
        sized(&mut self.waits.critical, places, 0.0);
        sized(&mut self.waits.curves, places, Curve::default());
        sized(&mut self.waits.one_more, places, 0.0);
        sized(&mut self.waits.times, places * panels, Lanes::ZERO);
        sized(&mut self.waits.longest, panels, [Lanes::ZERO; 2]);
        self.time_devices(simd, instance);
        let sent = Wide::splat(simd, self.loads[1..].iter().sum());
        let (zero, present) = (Wide::splat(simd, 0.0), Wide::splat(simd, PRESENT));
        for place in 0..places {
            let mut sums = [zero; STEPS.len()];
            if place > 0 && instance.shared[place].is_any() {
                let loads = changed(simd, self.loads[place]);
                for (at, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
                    let index = place * panels + at;
                    let bytes = Wide::load(simd, &self.device_bytes[index].0[half]);
                    let longest = self.waits.longest(simd, at, half);
                    let elsewhere = longest.without(Wide::load(simd, &self.waits.times[index].0[half]));
                    let own = &instance.lanes.devices[index];
                    let terms = PlaceTerms::new(simd, instance, place, &own.send.0[half], &own.compute.0[half]);
                    for (sum, load) in sums.iter_mut().zip(loads) {
                        let wait = terms.time(bytes, load, sent).max(elsewhere) - longest.0;
                        *sum = *sum + present.where_less(bytes, wait, zero);
                    }
                }
            }
            let sums = summed(sums);
            self.waits.curves[place] = Curve::new(&sums);
            self.waits.one_more[place] = sums[NOW + 2];
        }
        self.waits.uplink = Curve::default();
        if instance.uplink > 0.0 {
            self.estimate_uplink(simd, instance);
        }
    }

    /// The time when each device is done at each place, and the share of devices that are done last there.
    #[inline(always)]
    fn time_devices<S: Simd>(&mut self, simd: S, instance: &Instance) {
        let (places, panels) = (instance.places, instance.lanes.device_panels);
        let sent = Wide::splat(simd, self.loads[1..].iter().sum());
        let (zero, one, present) = (Wide::splat(simd, 0.0), Wide::splat(simd, 1.0), Wide::splat(simd, PRESENT));
        self.waits.critical.fill(0.0);
        for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
            let mut longest = Longest::none(simd);
            for place in 0..places {
                let index = place * panels + panel;
                let bytes = Wide::load(simd, &self.device_bytes[index].0[half]);
                let own = &instance.lanes.devices[index];
                let terms = PlaceTerms::new(simd, instance, place, &own.send.0[half], &own.compute.0[half]);
                let time = terms.time(bytes, Wide::splat(simd, self.loads[place]), sent);
                let time = present.where_less(bytes, time, zero);
                time.store(&mut self.waits.times[index].0[half]);
                longest = longest.and(time);
            }
            longest.0.store(&mut self.waits.longest[panel][0].0[half]);
            longest.1.store(&mut self.waits.longest[panel][1].0[half]);
            let mut first = zero.where_less(longest.0, one, zero);
            for place in 0..places {
                let time = Wide::load(simd, &self.waits.times[place * panels + panel].0[half]);
                let is_last = time.where_less(longest.0, zero, first);
                first = first - is_last;
                self.waits.critical[place] += is_last.sum();
            }
        }
        self.waits.critical.iter_mut().for_each(|critical| *critical /= instance.devices as f32);
    }

    /// Estimates the wait for shared uplinks.
    #[inline(always)]
    fn estimate_uplink<S: Simd>(&mut self, simd: S, instance: &Instance) {
        let (places, panels) = (instance.places, instance.lanes.device_panels);
        let all: f32 = self.loads[1..].iter().sum();
        let sent = changed(simd, all);
        let present = Wide::splat(simd, PRESENT);
        let mut sums = [Wide::splat(simd, 0.0); STEPS.len()];
        for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
            let mut longest = [Wide::load(simd, &self.waits.times[panel].0[half]); STEPS.len()];
            for place in 1..places {
                let index = place * panels + panel;
                let bytes = Wide::load(simd, &self.device_bytes[index].0[half]);
                let own = &instance.lanes.devices[index];
                let terms = PlaceTerms::new(simd, instance, place, &own.send.0[half], &own.compute.0[half]);
                let load = Wide::splat(simd, self.loads[place]);
                for (longest, sent) in longest.iter_mut().zip(sent) {
                    let time = longest.max(terms.time(bytes, load, sent));
                    *longest = present.where_less(bytes, time, *longest);
                }
            }
            let now = self.waits.longest(simd, panel, half).0;
            for (sum, longest) in sums.iter_mut().zip(longest) {
                *sum = *sum + (longest - now);
            }
        }
        self.waits.uplink = Curve::new(&summed(sums));
    }
}

impl Waits {
    #[inline(always)]
    fn longest<S: Simd>(&self, simd: S, panel: usize, half: usize) -> Longest<S> {
        let [first, second] = &self.longest[panel];
        Longest(Wide::load(simd, &first.0[half]), Wide::load(simd, &second.0[half]))
    }
}
