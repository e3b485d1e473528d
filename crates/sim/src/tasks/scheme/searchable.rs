//! Independent tasks as searches see them.

use super::random::draw_place;
use crate::random::Stream;
use crate::search::{FirstSwap, Neighbourhood, Problem};
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

    fn costs_of_moves(&mut self, task: usize, costs: &mut [f64]) {
        self.move_costs(task, costs);
    }

    fn first_swap(&mut self, task: usize, others: &[usize], below: f64, most: u64) -> FirstSwap {
        Self::first_swap(self, task, others, below, most)
    }

    fn make_move(&mut self, task: usize, place: u8) {
        self.place(task, place);
    }

    fn make_swap(&mut self, task: usize, other: usize) {
        self.swap(task, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use crate::scenario::Scenario;
    use crate::search::{WholeDecision, improve};

    #[test]
    fn the_fast_costs_of_moves_and_swaps_lead_a_search_where_costs_of_whole_decisions_do() {
        for preset in ["paper-wan", "shared-edge", "shared-edges", "deadlines"] {
            let model = Scenario::load(preset).expect("a preset").check().expect("valid");
            let mut random = random::stream(1, preset);
            for _ in 0..20 {
                let sizes_bytes: Vec<f64> = (0..model.task_count()).map(|_| 3e7 * random::unit(&mut random)).collect();
                let mut whole = OneWorkload { model: &model, sizes_bytes: &sizes_bytes };
                let places: Vec<u8> = (0..model.task_count()).map(|task| whole.draw_place(task, &mut random)).collect();
                let order: Vec<usize> = (0..model.task_count()).collect();
                let mut fast = IncrementalCost::for_search(&model);
                fast.set(&sizes_bytes, &places);
                let mut slow = WholeDecision::new(&mut whole, places);
                for budget in [7, 60, 100_000] {
                    let evaluations = [improve(&mut fast, &order, budget), improve(&mut slow, &order, budget)];
                    assert_eq!(evaluations[0], evaluations[1], "{preset}");
                    assert_eq!(fast.places(), Neighbourhood::places(&slow), "{preset}");
                }
            }
        }
    }
}
