//! Local search: moves of one task and of two at once, until none makes the decision better.

use super::best::Best;
use super::walks::greedy;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::incremental::{IncrementalSchedule, Move};
use crate::graph::model::GraphModel;
use crate::graph::schedule::Schedule;

/// The number of evaluations without a budget.
const MAX_EVALUATIONS: u64 = 2_000_000;

/// Local search from the greedy decision: of all moves of one task the first that makes the decision better, and where
/// there is none, of all moves of two tasks; until there is none of these, either.
#[derive(Debug, Clone)]
pub struct GraphLocalSearch {
    name: String,
    budget: u64,
}

impl Default for GraphLocalSearch {
    fn default() -> Self {
        Self { name: "local-search".to_owned(), budget: MAX_EVALUATIONS }
    }
}

impl GraphLocalSearch {
    /// A search with a budget of evaluations, which includes the greedy decision.
    pub fn within(evaluations: u64) -> Self {
        Self { name: format!("local-search@{evaluations}"), budget: evaluations }
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
        let evaluations = 1 + improve(model, &mut best, self.budget.saturating_sub(1));
        Ok(GraphSolution { places: best.places, evaluations, optimality: Optimality::Unknown, order: None })
    }
}

/// Improves a decision by moves of one and of two tasks until none makes it better or the budget is spent. Returns the number
/// of evaluations.
pub(super) fn improve<'m>(model: &'m GraphModel, best: &mut Best<'m>, budget: u64) -> u64 {
    let mut search = Search { incremental: IncrementalSchedule::new(model, &best.places), best, left: budget };
    let mut moves = Vec::new();
    for &task in model.order() {
        moves.extend(model.allowed_places(task as usize).map(|place| (task, place)));
    }
    loop {
        search.improve_singly(&moves);
        if !search.improve_in_pairs(&moves) {
            break;
        }
    }
    budget - search.left
}

struct Search<'a, 'm> {
    incremental: IncrementalSchedule<'m>,
    best: &'a mut Best<'m>,
    left: u64,
}

impl Search<'_, '_> {
    /// Makes moves of one task until none helps or the budget is spent.
    fn improve_singly(&mut self, moves: &[Move]) {
        let mut failures = 0;
        for &one in moves.iter().cycle() {
            if failures == moves.len() || self.left == 0 {
                break;
            }
            failures = if self.attempt(&[one]) { 0 } else { failures + 1 };
        }
    }

    /// Makes the first move of two tasks that helps. Returns whether there was one.
    fn improve_in_pairs(&mut self, moves: &[Move]) -> bool {
        for (index, &one) in moves.iter().enumerate() {
            for &other in &moves[index + 1..] {
                if self.left == 0 {
                    return false;
                }
                if one.0 != other.0 && self.attempt(&[one, other]) {
                    return true;
                }
            }
        }
        false
    }

    /// Makes moves if they make the decision better.
    fn attempt(&mut self, moves: &[Move]) -> bool {
        let stays = |&(task, place): &Move| self.incremental.places()[task as usize] == place;
        if moves.iter().any(stays) {
            return false;
        }
        self.left -= 1;
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
