//! Searches that know no problem: each is written once over the traits [`Problem`] and [`Neighbourhood`], which
//! independent tasks and task graphs implement.
//!
//! A decision gives each task one of several places. What that costs, which places a task may have and which of two
//! decisions is better is for the problem to say.

mod annealing;
mod brute_force;
mod genetic;

pub use annealing::anneal;
pub use brute_force::cheapest_of_all;
pub use genetic::{GeneticSettings, evolve};

use crate::random::Stream;

/// Tasks that each get one of several places, and what that costs.
pub trait Problem {
    /// What a decision takes and costs.
    type Outcome;

    /// The number of tasks.
    fn tasks(&self) -> usize;

    /// The number of places; a task need not be allowed at each of them.
    fn places(&self) -> usize;

    /// Whether a task may have a place.
    fn is_allowed(&self, task: usize, place: u8) -> bool;

    /// Draws one of the places that a task may have, all equally likely.
    fn draw_place(&self, task: usize, random: &mut Stream) -> u8;

    /// What a decision costs. Of decisions that break limits of the problem, those that are nearer to them cost less, and
    /// each costs more than any decision within them.
    ///
    /// # Shapes
    /// `places` is `[tasks]`.
    fn cost(&mut self, places: &[u8]) -> f64;

    /// What a decision takes and costs.
    ///
    /// # Shapes
    /// `places` is `[tasks]`.
    fn outcome(&mut self, places: &[u8]) -> Self::Outcome;

    /// Whether a decision is better than another: it costs less, or no more and is better in what does not count.
    fn is_better(&self, new: &Self::Outcome, old: &Self::Outcome) -> bool;
}

/// A decision that changes task by task, and the costs of decisions near it.
pub trait Neighbourhood {
    /// The number of places.
    fn place_count(&self) -> usize;

    /// The decision, `[tasks]`.
    fn places(&self) -> &[u8];

    /// What it costs.
    fn cost(&self) -> f64;

    /// What it costs with one task at another place. If that is above `limit`, any number above it may be the answer;
    /// infinite if the task may not have the place.
    fn cost_of_move(&mut self, task: usize, place: u8, limit: f64) -> f64;

    /// What it costs with two tasks at each other's place; `None` may be the answer if that is above `limit`.
    fn cost_of_swap(&mut self, task: usize, other: usize, limit: f64) -> Option<f64>;

    /// Moves one task to another place.
    fn make_move(&mut self, task: usize, place: u8);

    /// Puts two tasks at each other's place.
    fn make_swap(&mut self, task: usize, other: usize);
}
