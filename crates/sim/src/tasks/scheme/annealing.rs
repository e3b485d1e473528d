//! Simulated annealing, see [`anneal`].

use super::greedy::place_all_greedily;
use super::{Order, Scheme, SchemeError, Solution, affordable, settle_ties};
use crate::random;
use crate::search::anneal;
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// Simulated annealing. It starts from the greedy decision (largest first), cools geometrically and answers the best
/// decision seen.
#[derive(Debug, Clone)]
pub struct Annealing {
    name: String,
    seed: u64,
    per_task: u64,
    /// Whether the budget includes the evaluations of the greedy start.
    includes_greedy: bool,
}

impl Annealing {
    /// Annealing with `per_task` cost evaluations per task; the evaluations of the greedy start do not count. Every
    /// workload has its own random stream, derived from `seed`.
    pub fn new(seed: u64, per_task: u64) -> Self {
        Self { name: "annealing".to_owned(), seed, per_task, includes_greedy: false }
    }

    /// Annealing with a budget of `per_task` cost evaluations per task, which includes the evaluations of the greedy
    /// start. The greedy start alone may take more.
    pub fn within(seed: u64, per_task: u64) -> Self {
        Self { name: format!("annealing@{per_task}"), seed, per_task, includes_greedy: true }
    }

    /// Anneals a decision with a number of cost evaluations. The decision never becomes worse than it was.
    pub(super) fn improve(
        &self,
        incremental: &mut IncrementalCost<'_>,
        sizes_bytes: &[f64],
        places: &mut [u8],
        evaluations: u64,
    ) {
        let mut random = random::stream_of(self.seed, "annealing scheme", sizes_bytes);
        incremental.set(sizes_bytes, places);
        anneal(incremental, places, evaluations, &mut random);
    }
}

impl Scheme for Annealing {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let sizes_bytes = workload.sizes_bytes();
        let model = &*model.search_model();
        let mut incremental = IncrementalCost::for_search(model);
        place_all_greedily(&mut incremental, sizes_bytes, Order::LargestFirst);
        let mut places = incremental.places().to_vec();
        let tasks = present_tasks(sizes_bytes);
        let greedy = tasks * model.places() as u64;
        let budget = self.per_task.saturating_mul(tasks);
        let steps = if self.includes_greedy { budget.saturating_sub(greedy) } else { budget };
        self.improve(&mut incremental, sizes_bytes, &mut places, steps);
        let rest = if self.includes_greedy { 0 } else { affordable(model) };
        let evaluations = greedy + steps + settle_ties(model, sizes_bytes, &mut places, rest);
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}
