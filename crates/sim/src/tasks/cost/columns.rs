//! Costs of many workloads side by side.

use pulp::{Simd, WithSimd};

use super::contention::{Contention, SharedRate};
use super::evaluate::outcome_of;
use super::rates::Rate;
use crate::limits::MAX_PLACES;

/// Many workloads and decisions, of one device or of all, `[tasks, count]`.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) sizes_bytes: &'a [f64],
    pub(super) places: &'a [u8],
}

impl Columns<'_> {
    /// Adds one device's costs, in the processor's vectors. There are at most `PLACES` rates.
    pub(super) fn add_costs<const PLACES: usize>(self, rates: &[Rate], alpha: f64, costs: &mut [f64]) {
        let mut padded = [Rate { energy_j_per_byte: 0.0, time_s_per_byte: 0.0 }; PLACES];
        padded[..rates.len()].copy_from_slice(rates);
        let whole = pulp::Arch::new().dispatch(AddCosts { columns: self, rates: padded, alpha, costs });
        self.add_costs_one_by_one(rates, alpha, whole, costs);
    }

    /// Adds one device's costs for the columns from `first` on.
    pub(super) fn add_costs_one_by_one(self, rates: &[Rate], alpha: f64, first: usize, costs: &mut [f64]) {
        let count = costs.len();
        if first == count {
            return;
        }
        let mut times_s = [0.0; MAX_PLACES];
        for (column, cost) in costs.iter_mut().enumerate().skip(first) {
            let tasks = self.sizes_bytes[column..].iter().zip(&self.places[column..]).step_by(count);
            let tasks = tasks.map(|(&bytes, &place)| (bytes, place));
            let (energy_j, time_s) = outcome_of(rates, tasks, &mut times_s[..rates.len()]);
            *cost += alpha * energy_j + (1.0 - alpha) * time_s;
        }
    }

    /// Costs of whole decisions where devices share something; `rates` are `[device][place]`, of `tasks` tasks each.
    pub(super) fn coupled_costs(
        self,
        tasks: usize,
        rates: &[Rate],
        contention: &Contention,
        alpha: f64,
        costs: &mut [f64],
    ) {
        let count = costs.len();
        let places = contention.shared.len();
        let whole = match places {
            ..=2 => self.coupled_vectors::<2>(tasks, rates, contention, alpha, costs),
            3 => self.coupled_vectors::<3>(tasks, rates, contention, alpha, costs),
            4 => self.coupled_vectors::<4>(tasks, rates, contention, alpha, costs),
            5..=8 => self.coupled_vectors::<8>(tasks, rates, contention, alpha, costs),
            _ => 0,
        };
        for (column, cost) in costs.iter_mut().enumerate().skip(whole) {
            let of_column = |row: usize| (self.sizes_bytes[row * count + column], self.places[row * count + column]);
            let rows = self.sizes_bytes.len() / count;
            let mut loads = [0.0; MAX_PLACES];
            (0..rows).map(of_column).for_each(|(bytes, place)| loads[usize::from(place)] += bytes);
            let (mut energy_j, mut time_s) = (0.0, 0.0);
            for device in 0..rows / tasks {
                let mut own_bytes = [0.0; MAX_PLACES];
                for (bytes, place) in (device * tasks..(device + 1) * tasks).map(of_column) {
                    own_bytes[usize::from(place)] += bytes;
                }
                let rates = &rates[device * places..][..places];
                let (energy, time) = contention.outcome(device, rates, &loads, &mut own_bytes[..places]);
                energy_j += energy;
                time_s += time;
            }
            *cost = alpha * energy_j + (1.0 - alpha) * time_s;
        }
    }

    /// Evaluates the columns that make whole vectors and returns their number. There are at most `PLACES` places.
    fn coupled_vectors<const PLACES: usize>(
        self,
        tasks: usize,
        rates: &[Rate],
        contention: &Contention,
        alpha: f64,
        costs: &mut [f64],
    ) -> usize {
        let kernel = CoupledCosts::<PLACES> { columns: self, tasks, rates, contention, alpha, costs };
        pulp::Arch::new().dispatch(kernel)
    }
}

/// The most `f64` in a vector of any processor, AVX-512 included.
const WIDEST: usize = 8;

/// The places of one vector of a row, as numbers of the width of sizes.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn widened<S: Simd>(places: &[u8], index: usize) -> S::u64s {
    let lanes = S::F64_LANES;
    let mut widened = [0_u64; WIDEST];
    for (wide, &place) in widened.iter_mut().zip(&places[index * lanes..(index + 1) * lanes]) {
        *wide = u64::from(place);
    }
    S::as_simd_u64s(&widened).0[0]
}

/// The bytes at each place, for one vector of columns.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn bytes_by_place<S: Simd, const PLACES: usize>(
    simd: S,
    sizes_bytes: &[f64],
    places: &[u8],
    count: usize,
    index: usize,
) -> [S::f64s; PLACES] {
    let zero = simd.splat_f64s(0.0);
    let mut sums = [zero; PLACES];
    for (sizes, places) in sizes_bytes.chunks_exact(count).zip(places.chunks_exact(count)) {
        let bytes = S::as_simd_f64s(sizes).0[index];
        let chosen = widened::<S>(places, index);
        for (place, sum) in sums.iter_mut().enumerate() {
            let is_here = simd.equal_u64s(chosen, simd.splat_u64s(place as u64));
            *sum = simd.add_f64s(*sum, simd.select_f64s(is_here, bytes, zero));
        }
    }
    sums
}

/// Adds the costs of the columns that make whole vectors and returns their number. Each column gets the sums of
/// [`outcome_of`] in the same order; adding 0 at all places but a task's own lets all columns do the same.
struct AddCosts<'a, const PLACES: usize> {
    columns: Columns<'a>,
    rates: [Rate; PLACES],
    alpha: f64,
    costs: &'a mut [f64],
}

impl<const PLACES: usize> WithSimd for AddCosts<'_, PLACES> {
    type Output = usize;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Columns { sizes_bytes, places } = self.columns;
        let (count, lanes, zero) = (self.costs.len(), S::F64_LANES, simd.splat_f64s(0.0));
        let energy_rates = self.rates.map(|rate| simd.splat_f64s(rate.energy_j_per_byte));
        let time_rates = self.rates.map(|rate| simd.splat_f64s(rate.time_s_per_byte));
        let numbers: [S::u64s; PLACES] = std::array::from_fn(|place| simd.splat_u64s(place as u64));
        let (energy_weight, time_weight) = (simd.splat_f64s(self.alpha), simd.splat_f64s(1.0 - self.alpha));
        let (vectors, _) = S::as_mut_simd_f64s(self.costs);
        for (index, cost) in vectors.iter_mut().enumerate() {
            let mut energy_j = zero;
            let mut times_s = [zero; PLACES];
            for (sizes, places) in sizes_bytes.chunks_exact(count).zip(places.chunks_exact(count)) {
                let bytes = S::as_simd_f64s(sizes).0[index];
                let chosen = widened::<S>(places, index);
                for place in 0..PLACES {
                    let here = simd.select_f64s(simd.equal_u64s(chosen, numbers[place]), bytes, zero);
                    energy_j = simd.add_f64s(energy_j, simd.mul_f64s(here, energy_rates[place]));
                    times_s[place] = simd.add_f64s(times_s[place], simd.mul_f64s(here, time_rates[place]));
                }
            }
            let time_s = times_s.into_iter().fold(zero, |longest, time| simd.max_f64s(longest, time));
            let weighed = simd.add_f64s(simd.mul_f64s(energy_weight, energy_j), simd.mul_f64s(time_weight, time_s));
            *cost = simd.add_f64s(*cost, weighed);
        }
        vectors.len() * lanes
    }
}

/// Costs of whole decisions where devices share something: loads first, then the waits of device after device.
struct CoupledCosts<'a, const PLACES: usize> {
    columns: Columns<'a>,
    tasks: usize,
    rates: &'a [Rate],
    contention: &'a Contention,
    alpha: f64,
    costs: &'a mut [f64],
}

impl<const PLACES: usize> WithSimd for CoupledCosts<'_, PLACES> {
    type Output = usize;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Columns { sizes_bytes, places } = self.columns;
        let Contention { own, shared, uplink_s_per_byte } = self.contention;
        let (count, there) = (self.costs.len(), shared.len());
        let zero = simd.splat_f64s(0.0);
        let (energy_weight, time_weight) = (simd.splat_f64s(self.alpha), simd.splat_f64s(1.0 - self.alpha));
        let uplink = simd.splat_f64s(*uplink_s_per_byte);
        let row = self.tasks * count;
        let (vectors, _) = S::as_mut_simd_f64s(self.costs);
        for (index, cost) in vectors.iter_mut().enumerate() {
            let loads = bytes_by_place::<S, PLACES>(simd, sizes_bytes, places, count, index);
            let sent = loads[1..].iter().fold(zero, |sent, load| simd.add_f64s(sent, *load));
            let uplink_s = simd.mul_f64s(uplink, sent);
            let (mut links_s, mut shared_s) = ([zero; PLACES], [zero; PLACES]);
            for (place, SharedRate { compute_s_per_byte, link_s_per_byte }) in shared.iter().enumerate() {
                let link_s = simd.mul_f64s(simd.splat_f64s(*link_s_per_byte), loads[place]);
                links_s[place] = if place > 0 { simd.max_f64s(uplink_s, link_s) } else { link_s };
                shared_s[place] = simd.mul_f64s(simd.splat_f64s(*compute_s_per_byte), loads[place]);
            }
            let (mut energy_j, mut time_s) = (zero, zero);
            let rows = sizes_bytes.chunks_exact(row).zip(places.chunks_exact(row));
            let rates = self.rates.chunks_exact(there).zip(own.chunks_exact(there));
            for ((sizes, places), (rates, own)) in rows.zip(rates) {
                let own_bytes = bytes_by_place::<S, PLACES>(simd, sizes, places, count, index);
                let (mut own_j, mut longest_s) = (zero, zero);
                for (place, (rate, own)) in rates.iter().zip(own).enumerate() {
                    let bytes = own_bytes[place];
                    let joules = simd.mul_f64s(bytes, simd.splat_f64s(rate.energy_j_per_byte));
                    own_j = simd.add_f64s(own_j, joules);
                    let sent_s = simd.mul_f64s(bytes, simd.splat_f64s(own.send_s_per_byte));
                    let computed_s = simd.mul_f64s(bytes, simd.splat_f64s(own.compute_s_per_byte));
                    let done_s = simd.add_f64s(simd.max_f64s(sent_s, links_s[place]), computed_s);
                    let done_s = simd.add_f64s(done_s, shared_s[place]);
                    let done_s = simd.select_f64s(simd.greater_than_f64s(bytes, zero), done_s, zero);
                    longest_s = simd.max_f64s(longest_s, done_s);
                }
                energy_j = simd.add_f64s(energy_j, own_j);
                time_s = simd.add_f64s(time_s, longest_s);
            }
            *cost = simd.add_f64s(simd.mul_f64s(energy_weight, energy_j), simd.mul_f64s(time_weight, time_s));
        }
        vectors.len() * S::F64_LANES
    }
}
