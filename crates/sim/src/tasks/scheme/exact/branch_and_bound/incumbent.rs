//! The incumbent: the best decision known.

use super::problem::CoupledProblem;

/// Bounds this close to the incumbent's cost, relatively, are equal to it but for rounding.
pub(super) const ROUNDING: f64 = 1e-12;

/// The best decision known.
pub(super) struct Incumbent {
    pub(super) cost: f64,
    pub(super) places: Vec<u8>,
}

impl Incumbent {
    pub(super) fn new(problem: &CoupledProblem<'_>, places: Vec<u8>) -> Self {
        Self { cost: problem.model.cost(problem.sizes_bytes, &places), places }
    }

    /// Whether decisions with this lower bound cannot cost less, but for rounding.
    pub(super) fn beats(&self, bound: f64) -> bool {
        bound >= self.cost * (1.0 - ROUNDING)
    }

    /// Takes another decision if it costs less.
    pub(super) fn offer(&mut self, problem: &CoupledProblem<'_>, places: &[u8]) {
        let cost = problem.model.cost(problem.sizes_bytes, places);
        if cost < self.cost {
            self.cost = cost;
            self.places.copy_from_slice(places);
        }
    }
}
