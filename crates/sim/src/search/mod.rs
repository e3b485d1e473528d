//! Searches that know no problem: each is written once over traits, which independent tasks and task graphs implement.
//!
//! A decision gives each task one of several places. What that costs, which places a task may have and which of two
//! decisions is better is for the problem to say:
//!
//! | trait | searches |
//! |---|---|
//! | [`Construction`] | [`place_greedily`], [`randomised_greedy`] |
//! | [`Neighbourhood`] | [`improve`] (local search by moves and swaps), [`anneal`] |
//! | [`Improvable`] | [`improve_by_pairs`] (local search by one and by two moves) |
//! | [`Problem`] | [`evolve`] (genetic), [`cheapest_of_all`] (brute force) |
//!
//! A [`WholeDecision`] makes any [`Problem`] a [`Neighbourhood`] and [`Improvable`]. It evaluates every
//! neighbour as a whole decision, which is simple and slow. So a new kind of problem
//! has all searches once it implements [`Problem`] and [`Construction`]. Here jobs go to machines, and the last machine to be
//! done decides what that costs:
//!
//! ```
//! use sim::random::{self, Stream};
//! use sim::search::{
//!     Construction, GeneticSettings, Neighbourhood, Problem, WholeDecision, anneal, cheapest_of_all, evolve, improve, improve_by_pairs,
//!     place_greedily, randomised_greedy,
//! };
//!
//! struct Jobs {
//!     hours: Vec<f64>,
//!     machines: usize,
//!     placed: Vec<u8>,
//! }
//!
//! impl Jobs {
//!     fn loads(&self, places: &[u8]) -> Vec<f64> {
//!         let mut loads = vec![0.0; self.machines];
//!         self.hours.iter().zip(places).for_each(|(hours, place)| loads[*place as usize] += hours);
//!         loads
//!     }
//! }
//!
//! impl Problem for Jobs {
//!     type Outcome = f64;
//!     fn tasks(&self) -> usize { self.hours.len() }
//!     fn places(&self) -> usize { self.machines }
//!     fn is_allowed(&self, _: usize, _: u8) -> bool { true }
//!     fn draw_place(&self, _: usize, random: &mut Stream) -> u8 { random::below(random, self.machines) as u8 }
//!     fn cost(&mut self, places: &[u8]) -> f64 { self.loads(places).into_iter().fold(0.0, f64::max) }
//!     fn outcome(&mut self, places: &[u8]) -> f64 { self.cost(places) }
//!     fn is_better(&self, new: &f64, old: &f64) -> bool { new < old }
//! }
//!
//! impl Construction for Jobs {
//!     fn place_count(&self) -> usize { self.machines }
//!     fn clear(&mut self) { self.placed.clear(); }
//!     fn next_task(&self) -> Option<usize> { (self.placed.len() < self.hours.len()).then_some(self.placed.len()) }
//!     fn scores(&mut self, _: usize, scores: &mut [f64]) { scores.copy_from_slice(&self.loads(&self.placed)); }
//!     fn place_next(&mut self, place: u8) { self.placed.push(place); }
//! }
//!
//! let mut jobs = Jobs { hours: vec![3.0, 3.0, 2.0, 2.0, 2.0], machines: 2, placed: Vec::new() };
//! let mut random = random::stream(1, "jobs");
//!
//! place_greedily(&mut jobs);
//! let greedy = jobs.placed.clone();
//! assert_eq!(jobs.cost(&greedy), 7.0);
//!
//! let mut best = f64::INFINITY;
//! randomised_greedy(&mut jobs, (50, 1.0), &mut random, |jobs| {
//!     let placed = jobs.placed.clone();
//!     best = best.min(jobs.cost(&placed));
//! });
//! assert_eq!(best, 6.0);
//!
//! let mut decision = WholeDecision::new(&mut jobs, greedy.clone());
//! improve(&mut decision, &[0, 1, 2, 3, 4], 1_000); // swaps a job of three hours and one of two
//! assert_eq!(decision.cost(), 6.0);
//!
//! let mut decision = WholeDecision::new(&mut jobs, greedy.clone());
//! let moves: Vec<(u32, u8)> = (0..5).flat_map(|job| [(job, 0), (job, 1)]).collect();
//! improve_by_pairs(&mut decision, &moves, 1_000);
//! assert_eq!(decision.cost(), 6.0);
//!
//! let mut annealed = greedy.clone();
//! let mut decision = WholeDecision::new(&mut jobs, greedy.clone());
//! anneal(&mut decision, &mut annealed, 1_000, &mut random);
//! assert_eq!(jobs.cost(&annealed), 6.0);
//!
//! let (evolved, _) = evolve(&mut jobs, &GeneticSettings::default(), Some(greedy), &mut random);
//! let (cheapest, decisions) = cheapest_of_all(&mut jobs, 1_000).expect("fewer decisions than 1,000");
//! assert_eq!((jobs.cost(&evolved), jobs.cost(&cheapest), decisions), (6.0, 6.0, 32));
//! ```

mod annealing;
mod brute_force;
mod genetic;
mod greedy;
mod local_search;
mod noise;
mod whole_decision;

pub use annealing::anneal;
pub use brute_force::cheapest_of_all;
pub use genetic::{GeneticSettings, evolve};
pub use greedy::{Construction, place_greedily, place_with_noise, randomised_greedy};
pub use local_search::{FirstSwap, Improvable, Move, gains, improve, improve_by_pairs};
pub use whole_decision::WholeDecision;

pub(crate) use local_search::GAINING;
pub(crate) use noise::{GUMBEL, LEVELS, LOGISTIC};

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

    /// What it costs with one task at each place and the others where they are; infinite at places that the task may not have.
    ///
    /// # Shapes
    /// `costs` is `[places]`.
    fn costs_of_moves(&mut self, task: usize, costs: &mut [f64]) {
        let here = usize::from(self.places()[task]);
        for (place, cost) in costs.iter_mut().enumerate() {
            *cost = if place == here { self.cost() } else { self.cost_of_move(task, place as u8, f64::INFINITY) };
        }
    }

    /// Finds the first of some other tasks with which a swap makes the decision cost less than `below`. Evaluates at most
    /// `most` swaps, in the order of `others`; tasks at the task's own place are skipped.
    fn first_swap(&mut self, task: usize, others: &[usize], below: f64, most: u64) -> FirstSwap {
        let mut evaluations = 0;
        for (index, &other) in others.iter().enumerate() {
            if self.places()[other] == self.places()[task] {
                continue;
            }
            if evaluations == most {
                break;
            }
            evaluations += 1;
            if let Some(cost) = self.cost_of_swap(task, other, below).filter(|cost| *cost < below) {
                return FirstSwap { evaluations, found: Some((index, cost)) };
            }
        }
        FirstSwap { evaluations, found: None }
    }

    /// Moves one task to another place.
    fn make_move(&mut self, task: usize, place: u8);

    /// Puts two tasks at each other's place.
    fn make_swap(&mut self, task: usize, other: usize);
}

/// The first of the cheapest places.
#[inline]
pub(crate) fn cheapest(costs: &[f64]) -> usize {
    let mut best = (0, costs[0]);
    for (place, &cost) in costs.iter().enumerate().skip(1) {
        if cost < best.1 {
            best = (place, cost);
        }
    }
    best.0
}
