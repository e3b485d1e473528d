//! Simulated annealing: random moves. Moves that raise the cost are accepted less and less often.

use super::best::Best;
use super::fixed::allowed_places;
use super::walks::greedy;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality, stream_of};
use crate::graph::incremental::{IncrementalSchedule, Move};
use crate::graph::model::GraphModel;
use crate::graph::schedule::Schedule;
use crate::random::{self, Stream};

/// The first temperature, as a share of the cost of one task. A move that raises the cost by the temperature is accepted
/// with a probability of 1/e.
const FIRST_TEMPERATURE: f64 = 0.3;
/// The last temperature, as a share of the cost of one task.
const LAST_TEMPERATURE: f64 = 3e-3;
/// The share of steps that move two tasks.
const PAIRS: f64 = 0.4;
/// Evaluations for each task, without a budget.
const EVALUATIONS_PER_TASK: u64 = 200;

/// Simulated annealing from the greedy decision. It moves one task or two, cools geometrically and answers the best
/// decision seen. Limits count only for which decision is the best.
#[derive(Debug, Clone)]
pub struct GraphAnnealing {
    name: String,
    seed: u64,
    /// Evaluations, including the greedy start; `None`: 200 for each task.
    budget: Option<u64>,
}

impl GraphAnnealing {
    /// 200 evaluations for each task. Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64) -> Self {
        Self { name: "annealing".to_owned(), seed, budget: None }
    }

    /// A budget of evaluations, which includes the greedy start.
    pub fn within(seed: u64, evaluations: u64) -> Self {
        Self { name: format!("annealing@{evaluations}"), seed, budget: Some(evaluations) }
    }
}

impl GraphScheme for GraphAnnealing {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut start = Schedule::new(model);
        greedy(model, &mut start);
        let mut best = Best::new(model);
        best.offer(start.cost(model), &start.places());
        let budget = self.budget.unwrap_or(1 + EVALUATIONS_PER_TASK * model.tasks() as u64).max(1);
        let allowed = allowed_places(model);
        let movable: Vec<u32> = (0..model.tasks() as u32).filter(|task| allowed[*task as usize].len() > 1).collect();
        let mut evaluations = 1;
        if !movable.is_empty() {
            let mut random = stream_of(model, self.seed, "annealing scheme");
            anneal(model, &allowed, &movable, budget - 1, &mut random, &mut best);
            evaluations = budget;
        }
        Ok(GraphSolution { places: best.places, evaluations, optimality: Optimality::Unknown })
    }
}

fn anneal(
    model: &GraphModel,
    allowed: &[Vec<u8>],
    movable: &[u32],
    steps: u64,
    random: &mut Stream,
    best: &mut Best<'_>,
) {
    let mut incremental = IncrementalSchedule::new(model, &best.places);
    let per_task = incremental.cost() / model.tasks() as f64;
    let mut temperature = FIRST_TEMPERATURE * per_task;
    let cooling = (LAST_TEMPERATURE / FIRST_TEMPERATURE).powf(1.0 / steps.max(1) as f64);
    for _ in 0..steps {
        temperature *= cooling;
        let mut draw = || -> Move {
            let task = movable[random::below(random, movable.len())];
            let others = allowed[task as usize].iter().filter(|place| **place != incremental.places()[task as usize]);
            let others: Vec<u8> = others.copied().collect();
            (task, others[random::below(random, others.len())])
        };
        let moves = [draw(), draw()];
        let is_pair = moves[0].0 != moves[1].0 && random::unit(random) < PAIRS;
        let moves = if is_pair { &moves[..] } else { &moves[..1] };
        // Drawn beforehand, so that a move which is surely too dear need not be evaluated to its end.
        let limit = incremental.cost() - temperature * (1.0 - random::unit(random)).ln();
        let cost = incremental.cost_of_moves(moves, limit);
        if cost < limit {
            incremental.apply(moves);
            best.offer(incremental.cost(), incremental.places());
        }
    }
}
