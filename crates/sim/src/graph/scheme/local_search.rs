//! Local search: moves of one task and of two at once, until none makes the decision better.

use super::best::Best;
use super::walks::greedy;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality, affordable};
use crate::graph::incremental::{IncrementalSchedule, Move};
use crate::graph::model::GraphModel;
use crate::graph::schedule::Schedule;
use crate::search::{Improvable, improve_by_pairs};

/// The most evaluations without a budget.
const MAX_EVALUATIONS: u64 = 2_000_000;

/// Local search from the greedy decision: of all moves of one task the first that makes the decision better, and where
/// there is none, of all moves of two tasks. It ends when neither helps, or after 2,000,000 evaluations, fewer for thousands of
/// tasks.
#[derive(Debug, Clone)]
pub struct GraphLocalSearch {
    name: String,
    /// The most evaluations; `None`: until no move helps, or large applications have taken seconds.
    budget: Option<u64>,
}

impl Default for GraphLocalSearch {
    fn default() -> Self {
        Self { name: "local-search".to_owned(), budget: None }
    }
}

impl GraphLocalSearch {
    /// A search with a budget of evaluations, which includes the greedy decision.
    pub fn within(evaluations: u64) -> Self {
        Self { name: format!("local-search@{evaluations}"), budget: Some(evaluations) }
    }
}

impl GraphScheme for GraphLocalSearch {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut schedule = Schedule::new(model);
        greedy(model, &mut schedule);
        let mut best = Best::new(model);
        best.offer(schedule.cost(model), &schedule.places());
        let budget = self.budget.unwrap_or_else(|| MAX_EVALUATIONS.min(affordable(model)));
        let evaluations = 1 + improve(model, &mut best, budget.saturating_sub(1));
        Ok(GraphSolution { places: best.places, evaluations, optimality: Optimality::Unknown, order: None })
    }
}

/// Improves a decision by moves of one and of two tasks until none makes it better or the budget is spent. Returns the number
/// of evaluations.
pub(super) fn improve<'m>(model: &'m GraphModel, best: &mut Best<'m>, budget: u64) -> u64 {
    let mut search = Search { incremental: IncrementalSchedule::new(model, &best.places), best };
    let mut moves = Vec::new();
    for &task in model.order() {
        moves.extend(model.allowed_places(task as usize).map(|place| (task, place)));
    }
    improve_by_pairs(&mut search, &moves, budget)
}

struct Search<'a, 'm> {
    incremental: IncrementalSchedule<'m>,
    best: &'a mut Best<'m>,
}

impl Improvable for Search<'_, '_> {
    #[inline]
    fn places(&self) -> &[u8] {
        self.incremental.places()
    }

    #[inline]
    fn improve_by(&mut self, moves: &[Move]) -> bool {
        let limit = if self.best.has_limits() { f64::INFINITY } else { self.best.cost };
        let cost = self.incremental.cost_of_moves(moves, limit);
        let is_promising = cost < limit - 1e-12 * limit.abs() || self.best.has_limits();
        if !is_promising {
            return false;
        }
        let mut places = self.incremental.places().to_vec();
        for &(task, place) in moves {
            places[task as usize] = place;
        }
        let is_better = self.best.offer(cost, &places);
        if is_better {
            self.incremental.apply(moves);
        }
        is_better
    }
}
