//! How long devices wait for each other, given the loads of shared places.

use super::problem::{Assignment, CoupledProblem, Side};
use crate::tasks::cost::is_late;

/// How long devices wait at each place, given the loads of shared places.
pub(super) struct Waits {
    /// By place: until when the shared links to it are busy; −∞ where none is shared.
    pub(super) links_s: Vec<f64>,
    /// By place: how long it computes for all devices; 0 where it is not shared.
    pub(super) shared_s: Vec<f64>,
}

impl Waits {
    pub(super) fn new(places: usize) -> Self {
        Self { links_s: vec![f64::NEG_INFINITY; places], shared_s: vec![0.0; places] }
    }

    /// Computes the waits for these loads of the shared places. Returns the bytes at all servers.
    pub(super) fn update(&mut self, problem: &CoupledProblem<'_>, loads: &[f64]) -> f64 {
        let is_sent = |side: &Side| side.is_bytes && side.place > 0;
        let sent = loads.iter().zip(&problem.sides).filter(|(_, side)| is_sent(side)).map(|(load, _)| load).sum();
        for side in &problem.sides {
            self.shared_s[side.place] = 0.0;
        }
        for (load, side) in loads.iter().zip(&problem.sides) {
            if problem.has_shared_link(side) {
                self.links_s[side.place] = problem.links_s(side, *load, sent);
            }
            self.shared_s[side.place] += side.compute_s_per_byte * load;
        }
        sent
    }

    /// The cost of one device's assignment with these waits, missed deadlines apart, and the place at which the device is done last.
    pub(super) fn cost(&self, assignment: &Assignment, time_weight: f64) -> (f64, usize) {
        let (mut longest_s, mut last) = (0.0_f64, 0);
        let alone = assignment.alone_s.iter().zip(&assignment.compute_s);
        let waits = self.links_s.iter().zip(&self.shared_s);
        for (place, ((alone_s, compute_s), (links_s, shared_s))) in alone.zip(waits).enumerate() {
            let done_s = alone_s.max(compute_s + links_s) + shared_s;
            if done_s > longest_s {
                (longest_s, last) = (done_s, place);
            }
        }
        (assignment.energy_cost + time_weight * longest_s, last)
    }

    fn done_s(&self, Assignment { alone_s, compute_s, .. }: &Assignment, place: usize) -> f64 {
        alone_s[place].max(compute_s[place] + self.links_s[place]) + self.shared_s[place]
    }

    /// What the deadlines cost that an assignment misses with these waits.
    pub(super) fn missed_cost(&self, assignment: &Assignment, price: f64) -> f64 {
        let is_missed =
            |(place, deadline_s): &&(u8, f64)| is_late(self.done_s(assignment, usize::from(*place)), *deadline_s);
        price * assignment.deadlines.iter().filter(is_missed).count() as f64
    }

    /// The slope of one assignment's time in each load, for tangents: the seconds by which a byte of each load delays the
    /// place at which the device is done last.
    pub(super) fn slopes(
        &self,
        problem: &CoupledProblem<'_>,
        assignment: &Assignment,
        last: usize,
        (loads, sent): (&[f64], f64),
        slopes: &mut [f64],
    ) {
        let waits_for_links = assignment.compute_s[last] + self.links_s[last] > assignment.alone_s[last];
        let of_bytes = problem.sides.iter().position(|side| side.is_bytes && side.place == last);
        let link_s = of_bytes.map_or(0.0, |side| problem.sides[side].link_s_per_byte * loads[side]);
        let waits_for_uplink = problem.uplink_s_per_byte * sent > link_s;
        for (slope, side) in slopes.iter_mut().zip(&problem.sides) {
            *slope = if side.place == last { side.compute_s_per_byte } else { 0.0 };
            if last > 0 && waits_for_links && side.is_bytes {
                *slope += if waits_for_uplink {
                    problem.uplink_s_per_byte
                } else if side.place == last {
                    side.link_s_per_byte
                } else {
                    0.0
                };
            }
        }
    }
}
