//! The cost of swaps of two tasks' places.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::IncrementalCost;
use super::parts::{NEVER, Part, Parts, Wait, Waits, later, sent};
use super::sums::LongestTimes;
use crate::limits::MAX_PLACES;
use crate::search::FirstSwap;
use crate::tasks::cost::contention::SharedRate;

/// The margin by which a lower bound must exceed a limit to rule a swap out, so that rounding hides no gain.
const ROUNDING: f64 = 1.0 + 1e-9;

/// The critical place of each device: where it is done last.
#[derive(Debug, Clone)]
pub(super) struct Critical {
    pub(super) is_known: bool,
    /// The time at which each device is done at each place, `[N][width]`.
    done_s: Vec<f64>,
    /// The critical place of each device.
    places: Vec<u8>,
    /// The number of devices for which each place is critical.
    counts: Vec<f64>,
}

impl Critical {
    pub(super) fn new(devices: usize, width: usize) -> Self {
        Self {
            is_known: false,
            done_s: vec![NEVER; devices * width],
            places: vec![0; devices],
            counts: vec![0.0; width],
        }
    }

    #[inline]
    fn done_s_of<const WIDTH: usize>(&self, device: usize) -> &[f64; WIDTH] {
        self.done_s[device * WIDTH..][..WIDTH].try_into().expect("as long as it says")
    }

    fn find<const WIDTH: usize, const LINKS: bool>(&mut self, parts: &Parts, waits: &Waits<WIDTH>) {
        self.counts.fill(0.0);
        let rows = self.done_s.chunks_exact_mut(WIDTH).zip(&mut self.places);
        for (device, (done_s, longest)) in rows.enumerate() {
            let parts = parts.of_device::<WIDTH>(device);
            *longest = 0;
            for (place, part) in parts.iter().enumerate() {
                done_s[place] = waits.at(place).done_s(part, part.bytes, LINKS);
                if done_s[place] > done_s[usize::from(*longest)] {
                    *longest = place as u8;
                }
            }
            self.counts[usize::from(*longest)] += 1.0;
        }
        self.is_known = true;
    }
}

/// The values that all swaps of one task have in common. They make a lower bound that rules most swaps out in a few steps.
#[derive(Debug)]
struct SwapsOf<const WIDTH: usize, const LINKS: bool> {
    device: usize,
    place: usize,
    bytes: f64,
    here: Place,
    /// The part of the task's device here without the task.
    left: Part,
    /// By the place of the other task.
    there: [There; WIDTH],
    /// Σ T_n of all other devices.
    others_s: f64,
    /// The number of other devices whose critical place is a server.
    waiting: f64,
    sent_bytes: f64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    rate: SharedRate,
    load_bytes: f64,
    /// The wait there now.
    wait: Wait,
    /// The number of other devices for which the place is critical.
    waiting: f64,
}

#[derive(Debug, Clone, Copy)]
struct There {
    place: Place,
    /// The energy with the task there and the other task nowhere.
    energy_j: f64,
    /// The part of the task's device there with the task.
    part: Part,
    /// The time at which the task's device is done at all places but both.
    elsewhere_s: f64,
}

impl<const WIDTH: usize, const LINKS: bool> SwapsOf<WIDTH, LINKS> {
    fn new(incremental: &IncrementalCost<'_>, task: usize) -> Self {
        let (device, here) = (incremental.devices[task] as usize, usize::from(incremental.places[task]));
        let bytes = incremental.sizes_bytes[task];
        let parts = incremental.parts.of_device::<WIDTH>(device);
        let Critical { places, counts, .. } = &incremental.critical;
        let done_s = incremental.critical.done_s_of::<WIDTH>(device);
        let own = usize::from(places[device]);
        let loads = incremental.copied_loads::<WIDTH>();
        let sent_bytes = sent(&loads);
        let waits = incremental.shared.waits::<WIDTH, LINKS>(&loads, sent_bytes);
        let places: [Place; WIDTH] = from_fn(|place| Place {
            rate: incremental.shared.rates[place],
            load_bytes: loads[place],
            wait: waits.at(place),
            waiting: counts[place] - if place == own { 1.0 } else { 0.0 },
        });
        let there = from_fn(|there| {
            let part = &parts[there];
            There {
                place: places[there],
                energy_j: incremental.energy_j + bytes * (part.energy_j_per_byte - parts[here].energy_j_per_byte),
                part: Part { bytes: part.bytes + bytes, ..*part },
                elsewhere_s: longest_but(done_s, here, there),
            }
        });
        Self {
            device,
            place: here,
            bytes,
            here: places[here],
            left: Part { bytes: parts[here].bytes_without(bytes), ..parts[here] },
            there,
            others_s: incremental.time_s - incremental.longest_s[device],
            waiting: places[1..].iter().map(|place| place.waiting).sum(),
            sent_bytes,
        }
    }

    /// A lower bound for the cost of the decision after a swap with another task. Both devices are evaluated exactly; any
    /// other device takes at least as long as at its critical place before the swap.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn least_cost(&self, incremental: &IncrementalCost<'_>, other: &Other) -> f64 {
        let Other { device, place, bytes } = *other;
        // Tasks without bytes change no wait.
        if device == self.device || bytes <= 0.0 || self.bytes <= 0.0 {
            return NEVER;
        }
        let (here, there) = (&self.here, &self.there[place]);
        let parts = incremental.parts.of_device::<WIDTH>(device);
        let (part_here, part_there) = (&parts[self.place], &parts[place]);
        let energy_j = there.energy_j + bytes * (part_here.energy_j_per_byte - part_there.energy_j_per_byte);
        // Waits at both places after the swap, and by how much links elsewhere may be free sooner.
        let more_bytes = self.bytes - bytes;
        let more_sent_bytes = match (self.place, place) {
            (0, _) => more_bytes,
            (_, 0) => -more_bytes,
            _ => 0.0,
        };
        let shared = &incremental.shared;
        let eased_s = if LINKS { shared.uplink_s_per_byte * later(-more_sent_bytes, 0.0) } else { 0.0 };
        let sent_bytes = self.sent_bytes + more_sent_bytes;
        let wait = |place: &Place, index: usize, more_bytes: f64| {
            Wait::new::<LINKS>(place.rate, place.load_bytes + more_bytes, shared.uplink_s(index, sent_bytes))
        };
        let (wait_here, wait_there) = (wait(here, self.place, -more_bytes), wait(&there.place, place, more_bytes));
        let left_s = wait_here.done_s(&self.left, self.left.bytes, LINKS);
        let came_s = wait_there.done_s(&there.part, there.part.bytes, LINKS);
        let own_s = later(there.elsewhere_s - eased_s, later(left_s, came_s));
        let left_s = wait_there.done_s(part_there, part_there.bytes_without(bytes), LINKS);
        let came_s = wait_here.done_s(part_here, part_here.bytes + bytes, LINKS);
        let elsewhere_s = longest_but(incremental.critical.done_s_of::<WIDTH>(device), self.place, place) - eased_s;
        let others_s = later(elsewhere_s, later(left_s, came_s));
        let critical = usize::from(incremental.critical.places[device]);
        let waiting_here = here.waiting - if critical == self.place { 1.0 } else { 0.0 };
        let waiting_there = there.place.waiting - if critical == place { 1.0 } else { 0.0 };
        let mut raised_s = waiting_there * raised::<LINKS>(there.place.wait, wait_there)
            + waiting_here * raised::<LINKS>(here.wait, wait_here);
        if LINKS && eased_s > 0.0 {
            // One of the two places is the device.
            let at_both = if self.place == 0 { waiting_there } else { waiting_here };
            let waiting = self.waiting - if critical > 0 { 1.0 } else { 0.0 };
            raised_s -= eased_s * (waiting - at_both);
        }
        let time_s = self.others_s - incremental.longest_s[device] + own_s + others_s + raised_s;
        incremental.model.weigh(energy_j, time_s)
    }
}

/// A lower bound for the additional wait of devices for which a place is critical. Links that are busy longer may not
/// matter to them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn raised<const LINKS: bool>(before: Wait, after: Wait) -> f64 {
    let eased_s = if LINKS && after.links_s < before.links_s { after.links_s - before.links_s } else { 0.0 };
    after.shared_s - before.shared_s + eased_s
}

/// A task to swap with.
#[derive(Debug, Clone, Copy)]
struct Other {
    device: usize,
    place: usize,
    bytes: f64,
}

/// Finds the first swap that [`SwapsOf`] does not rule out. Returns the number of swaps looked at and its position.
struct Scan<'a, 'm, const WIDTH: usize, const LINKS: bool> {
    incremental: &'a IncrementalCost<'m>,
    swaps: Option<&'a SwapsOf<WIDTH, LINKS>>,
    place: u8,
    others: &'a [usize],
    below: f64,
    most: u64,
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for Scan<'_, '_, WIDTH, LINKS> {
    type Output = (u64, Option<usize>);

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, _: S) -> (u64, Option<usize>) {
        let Self { incremental, swaps, place, others, below, most } = self;
        let mut evaluations = 0;
        for (index, &other) in others.iter().enumerate() {
            if incremental.places[other] == place {
                continue;
            }
            if evaluations == most {
                break;
            }
            evaluations += 1;
            if swaps.is_none_or(|swaps| swaps.least_cost(incremental, &incremental.other(other)) < below * ROUNDING) {
                return (evaluations, Some(index));
            }
        }
        (evaluations, None)
    }
}

/// The time at which a device is done at all places but two.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn longest_but<const WIDTH: usize>(done_s: &[f64; WIDTH], here: usize, there: usize) -> f64 {
    let mut longest_s = 0.0_f64;
    for (place, &done_s) in done_s.iter().enumerate() {
        longest_s = later(longest_s, if place == here || place == there { NEVER } else { done_s });
    }
    longest_s
}

impl IncrementalCost<'_> {
    /// The cost of the decision with the places of two tasks swapped; `None` if a lower bound shows that it is not less
    /// than `below`, or the swap is ruled out ([`IncrementalCost::for_search`]).
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap_cost(&mut self, task: usize, other: usize, below: f64) -> Option<f64> {
        if self.places[task] == self.places[other] {
            return Some(self.cost());
        }
        if !self.can_swap(task, other) {
            return None;
        }
        if let Some(detailed) = &mut self.detailed {
            return Some(detailed.swap_cost(task, other));
        }
        of_width!(self.find_swap_cost(task, other, below))
    }

    /// Whether a swap is not ruled out.
    fn can_swap(&self, task: usize, other: usize) -> bool {
        let can = |task: usize, place: u8| self.model.is_reachable(self.devices[task] as usize, place);
        !self.rules_out || (can(task, self.places[other]) && can(other, self.places[task]))
    }

    /// Finds the first of some other tasks with which a swap makes the decision cost less than `below`. Evaluates at most
    /// `most` swaps, in the order of `others`; tasks at the task's own place are skipped.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn first_swap(&mut self, task: usize, others: &[usize], below: f64, most: u64) -> FirstSwap {
        if let Some(mut detailed) = self.detailed.take() {
            let found = detailed.first_swap(task, others, below, most, |other| self.can_swap(task, other));
            self.detailed = Some(detailed);
            return found;
        }
        of_width!(self.find_first_swap(task, others, below, most))
    }

    fn find_swap_cost<const WIDTH: usize, const LINKS: bool>(
        &mut self,
        task: usize,
        other: usize,
        below: f64,
    ) -> Option<f64> {
        if let Some(swaps) = self.swaps_of::<WIDTH, LINKS>(task) {
            let least_cost = swaps.least_cost(self, &self.other(other));
            if least_cost >= below * ROUNDING {
                return None;
            }
        }
        Some(self.full_swap_cost::<WIDTH, LINKS>(task, other))
    }

    fn find_first_swap<const WIDTH: usize, const LINKS: bool>(
        &mut self,
        task: usize,
        others: &[usize],
        below: f64,
        most: u64,
    ) -> FirstSwap {
        let (swaps, place) = (self.swaps_of::<WIDTH, LINKS>(task), self.places[task]);
        let (mut next, mut evaluations) = (0, 0);
        loop {
            let (swaps, left, most) = (swaps.as_ref(), &others[next..], most - evaluations);
            let (more, found) = self.arch.dispatch(Scan { incremental: self, swaps, place, others: left, below, most });
            evaluations += more;
            let Some(index) = found else { return FirstSwap { evaluations, found: None } };
            let index = next + index;
            let cost = self.full_swap_cost::<WIDTH, LINKS>(task, others[index]);
            if cost < below && self.can_swap(task, others[index]) {
                return FirstSwap { evaluations, found: Some((index, cost)) };
            }
            next = index + 1;
        }
    }

    #[inline]
    fn other(&self, task: usize) -> Other {
        let place = usize::from(self.places[task]);
        Other { device: self.devices[task] as usize, place, bytes: self.sizes_bytes[task] }
    }

    /// `None` where nothing is shared: there a cost is computed as quickly as a bound.
    fn swaps_of<const WIDTH: usize, const LINKS: bool>(&mut self, task: usize) -> Option<SwapsOf<WIDTH, LINKS>> {
        if self.model.is_separable() {
            return None;
        }
        if !self.critical.is_known {
            let loads = self.copied_loads::<WIDTH>();
            self.critical.find::<WIDTH, LINKS>(&self.parts, &self.shared.waits::<WIDTH, LINKS>(&loads, sent(&loads)));
        }
        Some(SwapsOf::new(self, task))
    }

    fn full_swap_cost<const WIDTH: usize, const LINKS: bool>(&mut self, task: usize, other: usize) -> f64 {
        let (device, others) = (self.devices[task] as usize, self.devices[other] as usize);
        let (bytes, others_bytes) = (self.sizes_bytes[task], self.sizes_bytes[other]);
        let (place, others_place) = (usize::from(self.places[task]), usize::from(self.places[other]));
        let Parts { alone_s, compute_s, .. } = &self.parts;
        let (parts, others_parts) = (self.parts.of_device::<WIDTH>(device), self.parts.of_device::<WIDTH>(others));
        let energy_j = self.energy_j
            + bytes * (parts[others_place].energy_j_per_byte - parts[place].energy_j_per_byte)
            + others_bytes * (others_parts[place].energy_j_per_byte - others_parts[others_place].energy_j_per_byte);
        let mut loads = self.copied_loads::<WIDTH>();
        loads[place] += others_bytes - bytes;
        loads[others_place] += bytes - others_bytes;
        let waits = &self.shared.waits::<WIDTH, LINKS>(&loads, sent(&loads));
        // The bytes of both devices after the swap.
        let mut own = parts.map(|part| part.bytes);
        let new_s = if device == others {
            own[place] = parts[place].bytes_without(bytes) + others_bytes;
            own[others_place] = parts[others_place].bytes_without(others_bytes) + bytes;
            waits.longest_s(parts, &own, LINKS)
        } else {
            let mut theirs = others_parts.map(|part| part.bytes);
            own[place] = parts[place].bytes_without(bytes);
            own[others_place] += bytes;
            theirs[others_place] = others_parts[others_place].bytes_without(others_bytes);
            theirs[place] += others_bytes;
            waits.longest_s(parts, &own, LINKS) + waits.longest_s(others_parts, &theirs, LINKS)
        };
        let both = [device, others];
        let both = &both[usize::from(device == others)..];
        if self.model.is_separable() {
            let old_s = |device: &usize| waits.longest_as_is_s(self.parts.of_device::<WIDTH>(*device), LINKS);
            return self.model.weigh(energy_j, self.time_s + (new_s - both.iter().map(old_s).sum::<f64>()));
        }
        let longest_s = &mut self.lowered_s;
        let sum_s = self.arch.dispatch(LongestTimes::<WIDTH, LINKS> { alone_s, compute_s, waits, longest_s });
        let counted_s = both.iter().map(|device| self.lowered_s[*device]).sum::<f64>();
        self.model.weigh(energy_j, sum_s + (new_s - counted_s))
    }
}
