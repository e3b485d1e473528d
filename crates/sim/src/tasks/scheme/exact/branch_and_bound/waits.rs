//! How long devices wait for each other, given the loads of shared places.

use super::problem::{Assignment, CoupledProblem};

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
        let contention = problem.contention;
        let sent = loads.iter().zip(&problem.shared).filter(|(_, place)| **place > 0).map(|(load, _)| load).sum();
        for (load, &place) in loads.iter().zip(&problem.shared) {
            if contention.has_shared_link(place) {
                self.links_s[place] = contention.links_s(place, *load, sent);
            }
            self.shared_s[place] = contention.shared[place].compute_s_per_byte * load;
        }
        sent
    }

    /// The cost of one device's assignment with these waits, and the place at which the device is done last.
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
        let contention = problem.contention;
        let rate = contention.shared[last];
        let waits_for_links = assignment.compute_s[last] + self.links_s[last] > assignment.alone_s[last];
        let load = problem.shared.iter().position(|place| *place == last).map_or(0.0, |side| loads[side]);
        let waits_for_uplink = contention.uplink_s_per_byte * sent > rate.link_s_per_byte * load;
        for (slope, &place) in slopes.iter_mut().zip(&problem.shared) {
            *slope = if place == last { rate.compute_s_per_byte } else { 0.0 };
            if last > 0 && waits_for_links {
                *slope += if waits_for_uplink {
                    contention.uplink_s_per_byte
                } else if place == last {
                    rate.link_s_per_byte
                } else {
                    0.0
                };
            }
        }
    }
}
