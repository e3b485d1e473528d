//! Simulated annealing: moves and swaps at random, of which those that cost more are taken less and less often.

use super::greedy::place_all_greedily;
use super::{Order, Scheme, SchemeError, Solution};
use crate::random::{self, Stream};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// First and last temperature, as shares of the cost of one task: what a step may cost more and still be taken with a
/// chance of 1/e.
const FIRST_TEMPERATURE: f64 = 0.2;
const LAST_TEMPERATURE: f64 = 2e-4;

/// Starts from the greedy decision (largest first) and cools geometrically; the best decision seen is the answer.
#[derive(Debug, Clone)]
pub struct Annealing {
    name: String,
    seed: u64,
    per_task: u64,
    /// Whether the prices of greedy are of these.
    is_whole: bool,
}

impl Annealing {
    /// Draws from a stream of its own under `seed`, one for each workload, and asks for `per_task` prices a task beside
    /// those of greedy.
    pub fn new(seed: u64, per_task: u64) -> Self {
        Self { name: "annealing".to_owned(), seed, per_task, is_whole: false }
    }

    /// The same with a budget: `per_task` prices a task in all, unless greedy alone takes more.
    pub fn within(seed: u64, per_task: u64) -> Self {
        Self { name: format!("annealing@{per_task}"), seed, per_task, is_whole: true }
    }

    /// Anneals a decision with so many prices. The decision is never worse than it was.
    pub(super) fn improve(
        &self,
        priced: &mut IncrementalCost<'_>,
        sizes_bytes: &[f64],
        places: &mut [u8],
        evaluations: u64,
    ) {
        let (tasks, count) = (places.len(), priced.loads_bytes().len());
        let mut random = random::stream_of(self.seed, "annealing scheme", sizes_bytes);
        priced.set(sizes_bytes, places);
        let mut cost = priced.cost();
        let mut best = cost;
        let (first, last) = (FIRST_TEMPERATURE * cost / tasks as f64, LAST_TEMPERATURE * cost / tasks as f64);
        let cooling = (last / first).powf(1.0 / evaluations.max(1) as f64);
        let mut temperature = first;
        for _ in 0..evaluations {
            temperature *= cooling;
            let step = Step::draw(&mut random, priced.places(), tasks, count);
            // What is drawn beforehand says which price is too high to be looked for exactly.
            let limit = cost - temperature * (1.0 - random::unit(&mut random)).ln();
            let asked = match step {
                Step::Move { task, place } => Some(priced.move_cost(task, place)),
                Step::Swap { task, other } => priced.swap_cost(task, other, limit),
            };
            if asked.is_none_or(|asked| asked > limit) {
                continue;
            }
            match step {
                Step::Move { task, place } => priced.place(task, place),
                Step::Swap { task, other } => priced.swap(task, other),
            }
            cost = priced.cost();
            if cost < best {
                best = cost;
                places.copy_from_slice(priced.places());
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
    /// As often the one as the other; a swap of tasks at one place is a move instead.
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
        let mut priced = IncrementalCost::new(model);
        place_all_greedily(&mut priced, sizes_bytes, Order::LargestFirst);
        let mut places = priced.places().to_vec();
        let greedy = (model.task_count() * model.places()) as u64;
        let budget = self.per_task.saturating_mul(model.task_count() as u64);
        let steps = if self.is_whole { budget.saturating_sub(greedy) } else { budget };
        self.improve(&mut priced, sizes_bytes, &mut places, steps);
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: greedy + steps })
    }
}
