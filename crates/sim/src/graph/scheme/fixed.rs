//! Decisions that look at nothing: everything at one place, places at random, and all decisions one by one.

use super::best::Best;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality, stream_of};
use crate::graph::model::{GraphModel, Timing};
use crate::graph::schedule::Schedule;
use crate::random;

/// Every task at one place, except those that may not run there: these are at the place that they are pinned to, or on the
/// device.
#[derive(Debug, Clone)]
pub struct GraphFixed {
    name: String,
    place: u8,
}

impl GraphFixed {
    /// Everything at a place of the model, 0 for the device: `local-only`, or the name of a server with `-only`.
    ///
    /// # Panics
    /// If the model has no such place.
    pub fn new(model: &GraphModel, place: u8) -> Self {
        Self { name: format!("{}-only", model.system().place_name(place as usize)), place }
    }
}

impl GraphScheme for GraphFixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let place_of = |task| {
            let mut allowed = model.allowed_places(task);
            let first = allowed.next().unwrap_or(0);
            if first == self.place || allowed.any(|place| place == self.place) { self.place } else { first }
        };
        let places = (0..model.tasks()).map(place_of).collect();
        Ok(GraphSolution { places, evaluations: 0, optimality: Optimality::Unknown })
    }
}

/// Every task at a random place, all that are allowed equally likely.
#[derive(Debug, Clone)]
pub struct GraphRandom {
    seed: u64,
}

impl GraphRandom {
    /// Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl GraphScheme for GraphRandom {
    fn name(&self) -> &'static str {
        "random"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut random = stream_of(model, self.seed, "random scheme");
        let allowed = allowed_places(model);
        let places = allowed.iter().map(|places| places[random::below(&mut random, places.len())]).collect();
        Ok(GraphSolution { places, evaluations: 0, optimality: Optimality::Unknown })
    }
}

/// The most decisions that brute force evaluates.
const MAX_DECISIONS: u64 = 50_000_000;

/// Evaluates every decision. It needs no knowledge of the cost, and is what the faster searches for the optimum are tested
/// against. The best decision is the cheapest within the limits, or the cheapest of all if none is within them.
#[derive(Debug, Clone, Default)]
pub struct GraphBruteForce;

impl GraphScheme for GraphBruteForce {
    fn name(&self) -> &'static str {
        "brute-force"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let allowed = allowed_places(model);
        let decisions = allowed.iter().try_fold(1_u64, |product, places| product.checked_mul(places.len() as u64));
        let Some(evaluations) = decisions.filter(|decisions| *decisions <= MAX_DECISIONS) else {
            let (tasks, places) = (model.tasks(), model.places());
            return Err(GraphSchemeError::TooManyDecisions { tasks, places, most: MAX_DECISIONS });
        };
        let mut best = Best::new(model);
        let mut schedule = Schedule::new(model);
        let mut digits = vec![0; allowed.len()];
        let mut places: Vec<u8> = allowed.iter().map(|allowed| allowed[0]).collect();
        for _ in 0..evaluations {
            best.offer(schedule.cost_of(model, &places), &places);
            // The next decision: a number whose digits are the places.
            for ((digit, place), allowed) in digits.iter_mut().zip(&mut places).zip(&allowed) {
                *digit = (*digit + 1) % allowed.len();
                *place = allowed[*digit];
                if *digit > 0 {
                    break;
                }
            }
        }
        let is_serial = model.rules().timing == Timing::Serial;
        let optimality = if is_serial { Optimality::Proved } else { Optimality::InThisOrder };
        Ok(GraphSolution { places: best.places, evaluations, optimality })
    }
}

/// The places where each task may run.
pub(super) fn allowed_places(model: &GraphModel) -> Vec<Vec<u8>> {
    (0..model.tasks()).map(|task| model.allowed_places(task).collect()).collect()
}
