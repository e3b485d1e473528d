//! Neighbours of a decision, each evaluated as a whole.

use super::local_search::{Improvable, Move, gains};
use super::{Neighbourhood, Problem};

/// A decision about any problem that changes task by task. Each cost is that of a whole decision: a problem that computes
/// costs of moves faster implements [`Neighbourhood`] itself, and tests compare it with this one.
#[derive(Debug)]
pub struct WholeDecision<'p, P> {
    problem: &'p mut P,
    places: Vec<u8>,
    cost: f64,
}

impl<'p, P: Problem> WholeDecision<'p, P> {
    /// Starts with a decision.
    ///
    /// # Shapes
    /// `places` is `[tasks]`.
    pub fn new(problem: &'p mut P, places: Vec<u8>) -> Self {
        let cost = problem.cost(&places);
        Self { problem, places, cost }
    }

    /// The cost after moves, which are not made; infinite if a task may not have its place.
    fn cost_of(&mut self, moves: &[Move]) -> f64 {
        if moves.iter().any(|&(task, place)| !self.problem.is_allowed(task as usize, place)) {
            return f64::INFINITY;
        }
        let old: Vec<Move> = moves.iter().map(|&(task, _)| (task, self.places[task as usize])).collect();
        self.set(moves);
        let cost = self.problem.cost(&self.places);
        self.set(&old);
        cost
    }

    fn set(&mut self, moves: &[Move]) {
        for &(task, place) in moves {
            self.places[task as usize] = place;
        }
    }

    fn make(&mut self, moves: &[Move]) {
        self.set(moves);
        self.cost = self.problem.cost(&self.places);
    }

    fn swap(&self, task: usize, other: usize) -> [Move; 2] {
        [(task as u32, self.places[other]), (other as u32, self.places[task])]
    }
}

impl<P: Problem> Neighbourhood for WholeDecision<'_, P> {
    fn place_count(&self) -> usize {
        self.problem.places()
    }

    fn places(&self) -> &[u8] {
        &self.places
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    fn cost_of_move(&mut self, task: usize, place: u8, _limit: f64) -> f64 {
        self.cost_of(&[(task as u32, place)])
    }

    fn cost_of_swap(&mut self, task: usize, other: usize, _limit: f64) -> Option<f64> {
        let swap = self.swap(task, other);
        Some(self.cost_of(&swap))
    }

    fn make_move(&mut self, task: usize, place: u8) {
        self.make(&[(task as u32, place)]);
    }

    fn make_swap(&mut self, task: usize, other: usize) {
        let swap = self.swap(task, other);
        self.make(&swap);
    }
}

impl<P: Problem> Improvable for WholeDecision<'_, P> {
    fn places(&self) -> &[u8] {
        &self.places
    }

    fn improve_by(&mut self, moves: &[Move]) -> bool {
        let is_better = gains(self.cost_of(moves), self.cost);
        if is_better {
            self.make(moves);
        }
        is_better
    }
}
