//! Simulated annealing: random moves and swaps. Changes that raise the cost are accepted less and less often.

use super::greedy::place_all_greedily;
use super::{Order, Scheme, SchemeError, Solution, affordable, settle_ties};
use crate::random::{self, Stream};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// The first temperature, as a share of the cost of one task. A step that raises the cost by the temperature is accepted
/// with a probability of 1/e.
const FIRST_TEMPERATURE: f64 = 0.2;
/// The last temperature, as a share of the cost of one task.
const LAST_TEMPERATURE: f64 = 2e-4;

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
        let (tasks, count) = (places.len(), incremental.loads_bytes().len());
        let mut random = random::stream_of(self.seed, "annealing scheme", sizes_bytes);
        incremental.set(sizes_bytes, places);
        let mut cost = incremental.cost();
        let mut best = cost;
        let (first, last) = (FIRST_TEMPERATURE * cost / tasks as f64, LAST_TEMPERATURE * cost / tasks as f64);
        let cooling = (last / first).powf(1.0 / evaluations.max(1) as f64);
        let mut temperature = first;
        for _ in 0..evaluations {
            temperature *= cooling;
            let step = Step::draw(&mut random, incremental.places(), tasks, count);
            // Drawn beforehand, so that a swap which is surely too expensive need not be evaluated exactly.
            let limit = cost - temperature * (1.0 - random::unit(&mut random)).ln();
            let stepped = match step {
                Step::Move { task, place } => Some(incremental.move_cost(task, place)),
                Step::Swap { task, other } => incremental.swap_cost(task, other, limit),
            };
            // Not even a limit that is no number, where all costs are 0, lets a task go where its device cannot.
            if stepped.is_none_or(|cost| cost > limit || !cost.is_finite()) {
                continue;
            }
            match step {
                Step::Move { task, place } => incremental.place(task, place),
                Step::Swap { task, other } => incremental.swap(task, other),
            }
            cost = incremental.cost();
            if cost < best {
                best = cost;
                places.copy_from_slice(incremental.places());
            }
        }
    }
}

/// One change of a decision.
#[derive(Debug, Clone, Copy)]
enum Step {
    Move { task: usize, place: u8 },
    Swap { task: usize, other: usize },
}

impl Step {
    /// Draws a move or a swap with equal probability. A swap of tasks at one place becomes a move.
    fn draw(random: &mut Stream, places: &[u8], tasks: usize, count: usize) -> Self {
        let task = random::below(random, tasks);
        let other = random::below(random, tasks);
        if random::unit(random) < 0.5 && places[task] != places[other] {
            return Self::Swap { task, other };
        }
        let place = random::below(random, count - 1) as u8;
        Self::Move { task, place: place + u8::from(place >= places[task]) }
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
