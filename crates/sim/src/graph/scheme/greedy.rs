//! Greedy rules: each task in the order of the model where it costs least, with or without noise.

use super::best::Best;
use super::walks::{greedy, noisy_walks};
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::model::GraphModel;
use crate::graph::schedule::Schedule;

/// Places each task, in the order of the model, where it costs least at once. With scheduled timing that is what its energy and money
/// cost there plus what the time of its result costs, as if the application ended with it; with serial timing what its
/// place adds to the cost.
#[derive(Debug, Clone, Default)]
pub struct GraphGreedy;

impl GraphScheme for GraphGreedy {
    fn name(&self) -> &'static str {
        "greedy"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut schedule = Schedule::new(model);
        greedy(model, &mut schedule);
        Ok(GraphSolution { places: schedule.places(), evaluations: 1, optimality: Optimality::Unknown, order: None })
    }
}

/// The best of several greedy decisions; all but the first choose with noise. Between two places the difference of the
/// costs has logistic noise, between more each cost has Gumbel noise, so that places are drawn as a softmax draws them. Its
/// scale is 0.3 of what a task costs on average at its cheapest place, alone.
#[derive(Debug, Clone)]
pub struct RandomisedGreedy {
    name: String,
    seed: u64,
    runs: u64,
}

/// The number of decisions without a budget.
const RUNS: u64 = 512;

impl RandomisedGreedy {
    /// 512 decisions. Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64) -> Self {
        Self { name: "randomised-greedy".to_owned(), seed, runs: RUNS }
    }

    /// The best of `runs` decisions; at least one is made.
    pub fn within(seed: u64, runs: u64) -> Self {
        Self { name: format!("randomised-greedy@{runs}"), seed, runs: runs.max(1) }
    }
}

impl GraphScheme for RandomisedGreedy {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut best = Best::new(model);
        let mut random = model.stream(self.seed, "randomised greedy scheme");
        noisy_walks(model, self.runs, &mut random, &mut best);
        Ok(GraphSolution { places: best.places, evaluations: self.runs, optimality: Optimality::Unknown, order: None })
    }
}
