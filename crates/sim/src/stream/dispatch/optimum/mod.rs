//! The optimum of small sites, by dynamic programming.
//!
//! A site whose links never change, with Poisson arrivals and a few sizes, is a Markov chain: its state is the unfinished work of
//! every queue, in multiples of a unit of time that divides all service times. [`DispatchOptimum::solve`] finds the policy of least
//! mean cost by relative value iteration; [`backward_induction`] finds the least cost of the next tasks.
//!
//! # The chain
//! One step is one arriving task. The task has class c (its device and its size) with probability p_c, and a place j adds x_j units
//! to the queue of that place. Then the site works until the next task arrives. With the values V before a decision and H after it,
//!
//! V(w) = Σ_c p_c min_j [cost_cj(w) + H(w + x_cj e_j)] − g,  H(u) = E V((u − T)⁺),
//!
//! where T is the time between two arrivals, in units. In a Poisson process it is exponential with mean m. The chain takes
//! P(T = 0) = 1 / (2m + 1) and P(T = k) = 4m / (2m + 1)² ((2m − 1) / (2m + 1))^(k − 1), which has **the same mean and the same
//! variance**; its third moment is smaller by the share 1 / (12 m²). H then obeys the trapezoidal rule
//! H(u) = (V(u) + V((u − 1)⁺)) / (2m + 1) + (2m − 1) / (2m + 1) · H((u − 1)⁺), and one pass over all states is enough. Values
//! that are quadratic, as those of a single queue, are exact with every unit; of others, halving the unit shows the error.
//!
//! # What the chain leaves out
//! - Queues are limited. A place that would exceed its limit is not taken while another has room; where none has room, work beyond
//!   the limit vanishes at the price that it would have in an M/G/1 queue of the site's load.
//!   [`DispatchOptimum::near_limit_share`] says how often queues come near their limits. The bounds are those of the chain with
//!   its limits: without them the optimum is dearer by what the tasks near the limits would still wait.
//! - Of a link and the machine behind it, one must be at least ten times as fast as the other. The fast one delays tasks, but nobody
//!   waits for it.
//! - With a unit that is chosen, service times are rounded to its multiples: [`DispatchOptimum::rounding_error`].

mod backward;
mod chain;
mod comparison;
mod limits;
mod operator;
mod solution;
#[cfg(test)]
mod tests;

pub use backward::backward_induction;
pub use comparison::{PolicyCost, compare_with_single_places};
pub use solution::DispatchOptimum;

/// The most states of a chain: each takes 16 bytes.
pub const MAX_STATES: usize = 16_000_000;

/// How a site is made into a chain, and when value iteration stops.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimumSettings {
    /// The unit of work in seconds; `None`: the greatest common divisor of all service times.
    pub unit_s: Option<f64>,
    /// The limit of the work of each queue in seconds, in the order of the queues of the chain; `None`: what greedy needs, and half
    /// of that in addition.
    pub limits_s: Option<Vec<f64>>,
    /// The places that may be used; `None`: all.
    pub places: Option<Vec<usize>>,
    /// Value iteration stops when the bounds of the gain differ by this share of it.
    pub tolerance: f64,
    /// The most iterations. Where they are used up, the bounds are as far apart as they are then.
    pub iterations: usize,
}

impl Default for OptimumSettings {
    fn default() -> Self {
        Self { unit_s: None, limits_s: None, places: None, tolerance: 1e-3, iterations: 20_000 }
    }
}

/// Why a site has no chain that could be solved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptimumError {
    /// Arrivals come in bursts.
    #[error("the optimum is known for Poisson arrivals alone, this site has bursts")]
    Bursts,
    /// Sizes are not a few.
    #[error("the optimum is known for a few sizes that are listed; this site draws sizes from a range")]
    Sizes,
    /// The rate of a link changes.
    #[error("the optimum is known where links keep their rates; that of the queue `{queue}` changes")]
    ChangingLink {
        /// The link.
        queue: String,
    },
    /// A radio stays on after sending.
    #[error("the optimum is known where radios go off after sending; that of the queue `{queue}` stays on")]
    Tail {
        /// The link.
        queue: String,
    },
    /// Tasks may wait twice.
    #[error(
        "at the place `{place}` tasks of device {device} may wait for the link and for the machine; the optimum is known where one of both is at least ten times as fast as the other and slows no other place"
    )]
    TwoQueues {
        /// The device.
        device: usize,
        /// The place.
        place: String,
    },
    /// A place is unknown.
    #[error("there is no place {place}, the site has {places}")]
    Place {
        /// The number of the place.
        place: usize,
        /// The number of places.
        places: usize,
    },
    /// No place may be used.
    #[error("device {device} can use none of the chosen places")]
    NoPlace {
        /// The device.
        device: usize,
    },
    /// There is no common divisor of the service times.
    #[error(
        "the service times between {shortest_s} s and {longest_s} s have no common divisor of at least a hundredth of the shortest; choose a unit, and they are rounded to its multiples"
    )]
    NoUnit {
        /// The shortest.
        shortest_s: f64,
        /// The longest.
        longest_s: f64,
    },
    /// The unit makes no sense.
    #[error(
        "the unit must be a time between 0 s and {most_s} s, twice the mean time between two arrivals; it is {unit_s} s"
    )]
    Unit {
        /// What it is.
        unit_s: f64,
        /// What it may be at most.
        most_s: f64,
    },
    /// The limits do not fit the chain.
    #[error("there must be {queues} limits, for the queues {}; there are {limits}", names.join(", "))]
    Limits {
        /// The number of queues.
        queues: usize,
        /// Their names.
        names: Vec<String>,
        /// The number of limits.
        limits: usize,
    },
    /// A limit is too small.
    #[error(
        "the limit of the queue `{queue}` must be a number of at least {least_s} s, its longest task; it is {limit_s} s"
    )]
    Limit {
        /// The queue.
        queue: String,
        /// The least limit.
        least_s: f64,
        /// What it is.
        limit_s: f64,
    },
    /// There are too many states.
    #[error(
        "the chain would have {states} states, at most {MAX_STATES} are allowed; fewer queues, shorter limits or a longer unit make it smaller"
    )]
    States {
        /// The number of states; the greatest number where it is even more.
        states: usize,
    },
}
