//! The cost of moves of one task.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::IncrementalCost;
use super::parts::{Parts, later, sent};
use super::sums::{LongestTimes, RaisedTimes};
use crate::limits::MAX_PLACES;

impl IncrementalCost<'_> {
    /// Evaluates the decision with one task at each place and the others where they are.
    ///
    /// # Shapes
    /// `costs` is `[places]`.
    ///
    /// # Panics
    /// If there is no such task, or the shapes differ.
    pub fn move_costs(&mut self, task: usize, costs: &mut [f64]) {
        assert_eq!(costs.len(), self.model.places(), "one cost for each place");
        if self.is_special {
            return self.find_special_move_costs(task, costs);
        }
        of_width!(self.find_move_costs(task, costs));
    }

    /// The cost of the decision with one task at another place, or at its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn move_cost(&mut self, task: usize, place: u8) -> f64 {
        assert!(usize::from(place) < self.model.places(), "place {place} of {}", self.model.places());
        let mut costs = [0.0; MAX_PLACES];
        self.move_costs(task, &mut costs[..self.model.places()]);
        costs[usize::from(place)]
    }

    fn find_move_costs<const WIDTH: usize, const LINKS: bool>(&mut self, task: usize, costs: &mut [f64]) {
        self.arch.dispatch(MoveCosts::<'_, '_, WIDTH, LINKS> { incremental: self, task, costs });
    }

    /// The costs in a detailed model, or where moves are ruled out; apart from all others, whose way stays short.
    #[cold]
    fn find_special_move_costs(&mut self, task: usize, costs: &mut [f64]) {
        match &mut self.detailed {
            Some(detailed) => detailed.move_costs(task, costs),
            None => of_width!(self.find_move_costs(task, costs)),
        }
        if self.rules_out {
            self.rule_out_moves(task, costs);
        }
    }

    fn rule_out_moves(&self, task: usize, costs: &mut [f64]) {
        let device = self.devices[task] as usize;
        for (place, cost) in (0_u8..).zip(costs) {
            if place != self.places[task] && !self.model.is_reachable(device, place) {
                *cost = f64::INFINITY;
            }
        }
    }
}

/// [`IncrementalCost::move_costs`], compiled as a whole for the processor's vectors: calls between functions that are
/// compiled differently would take as long as the sums themselves.
struct MoveCosts<'a, 'm, const WIDTH: usize, const LINKS: bool> {
    incremental: &'a mut IncrementalCost<'m>,
    task: usize,
    costs: &'a mut [f64],
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for MoveCosts<'_, '_, WIDTH, LINKS> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { incremental, task, costs } = self;
        let (device, bytes, from) =
            (incremental.devices[task] as usize, incremental.sizes_bytes[task], usize::from(incremental.places[task]));
        let (places, is_separable, cost) =
            (incremental.model.places(), incremental.model.is_separable(), incremental.plain_cost());
        let Parts { alone_s, compute_s, .. } = &incremental.parts;
        let parts = incremental.parts.of_device::<WIDTH>(device);
        // Without the task ...
        let without = |place: usize, bytes_there: f64, tasks: u32| {
            let left = if tasks == 1 && bytes > 0.0 { 0.0 } else { bytes_there - bytes };
            if place == from { left } else { bytes_there }
        };
        let all = incremental.copied_loads::<WIDTH>();
        let loads: [f64; WIDTH] = from_fn(|place| without(place, all[place], incremental.load_counts[place]));
        let own: [f64; WIDTH] = from_fn(|place| without(place, parts[place].bytes, parts[place].tasks));
        let energy_j = incremental.energy_j - if from < WIDTH { bytes * parts[from].energy_j_per_byte } else { 0.0 };
        let lowered_s = &mut incremental.lowered_s;
        let sent = sent(&loads);
        let mut waits = incremental.shared.waits::<WIDTH, LINKS>(&loads, sent);
        let is_as_before = from >= WIDTH || !incremental.shared.keeps_waiting[from];
        let mut sum_s = if is_as_before {
            incremental.time_s
        } else {
            LongestTimes::<WIDTH, LINKS> { alone_s, compute_s, waits: &waits, longest_s: lowered_s }.with_simd(simd)
        };
        let mut longest_s = if is_as_before { &incremental.longest_s } else { &*lowered_s };
        // Vectors know the device only as it is.
        let mut counted_s = if is_separable { waits.longest_as_is_s(parts, LINKS) } else { longest_s[device] };
        let mut without_s = waits.longest_s(parts, &own, LINKS);
        // ... with it on the device ...
        let local_s = sum_s + (later(waits.at(0).done_s(&parts[0], own[0] + bytes, LINKS), without_s) - counted_s);
        // ... and at each server.
        if incremental.shared.uplink_s_per_byte > 0.0 {
            // Whichever it is, all links are busy longer.
            waits = incremental.shared.waits::<WIDTH, LINKS>(&loads, sent + bytes);
            sum_s = LongestTimes::<WIDTH, LINKS> { alone_s, compute_s, waits: &waits, longest_s: lowered_s }
                .with_simd(simd);
            longest_s = lowered_s;
            counted_s = longest_s[device];
            without_s = waits.longest_s(parts, &own, LINKS);
        }
        let waits = &incremental.shared.waits::<WIDTH, LINKS>(&loads.map(|load| load + bytes), sent + bytes);
        let mut sums_s = [sum_s; WIDTH];
        if !is_separable {
            let (places, sums_s) = (&incremental.shared.places, &mut sums_s);
            RaisedTimes::<WIDTH, LINKS> { alone_s, compute_s, waits, longest_s, places, sums_s }.with_simd(simd);
        }
        let found: [f64; WIDTH] = from_fn(|place| {
            let part = &parts[place];
            let with_s = later(waits.at(place).done_s(part, own[place] + bytes, LINKS), without_s);
            let counted_s = later(waits.at(place).done_s(part, part.bytes, LINKS), counted_s);
            let time_s = if place == 0 { local_s } else { sums_s[place] + (with_s - counted_s) };
            let moved = incremental.model.weigh(energy_j + bytes * part.energy_j_per_byte, time_s);
            if place == from { cost } else { moved }
        });
        costs.copy_from_slice(&found[..places]);
    }
}
