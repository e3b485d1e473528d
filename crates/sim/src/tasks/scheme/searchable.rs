//! Independent tasks as searches see them.

use super::random::draw_place;
use crate::random::Stream;
use crate::search::{Neighbourhood, Problem};
use crate::tasks::cost::{CostModel, IncrementalCost, Outcome};

/// One workload in a cost model.
pub(super) struct OneWorkload<'a> {
    pub(super) model: &'a CostModel,
    /// `[N * M]`.
    pub(super) sizes_bytes: &'a [f64],
}

impl Problem for OneWorkload<'_> {
    type Outcome = Outcome;

    fn tasks(&self) -> usize {
        self.sizes_bytes.len()
    }

    fn places(&self) -> usize {
        self.model.places()
    }

    fn is_allowed(&self, task: usize, place: u8) -> bool {
        self.model.is_reachable(task / self.model.tasks(), place)
    }

    fn draw_place(&self, task: usize, random: &mut Stream) -> u8 {
        draw_place(self.model, task, random)
    }

    fn cost(&mut self, places: &[u8]) -> f64 {
        self.model.cost(self.sizes_bytes, places)
    }

    fn outcome(&mut self, places: &[u8]) -> Outcome {
        self.model.outcome(self.sizes_bytes, places)
    }

    fn is_better(&self, new: &Outcome, old: &Outcome) -> bool {
        self.model.is_better(new, old)
    }
}

impl Neighbourhood for IncrementalCost<'_> {
    fn place_count(&self) -> usize {
        self.loads_bytes().len()
    }

    fn places(&self) -> &[u8] {
        Self::places(self)
    }

    fn cost(&self) -> f64 {
        Self::cost(self)
    }

    fn cost_of_move(&mut self, task: usize, place: u8, _limit: f64) -> f64 {
        self.move_cost(task, place)
    }

    fn cost_of_swap(&mut self, task: usize, other: usize, limit: f64) -> Option<f64> {
        self.swap_cost(task, other, limit)
    }

    fn make_move(&mut self, task: usize, place: u8) {
        self.place(task, place);
    }

    fn make_swap(&mut self, task: usize, other: usize) {
        self.swap(task, other);
    }
}
