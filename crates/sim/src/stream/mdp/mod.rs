//! A device that sends each task to itself, an edge server or the cloud, as a Markov decision process.
//!
//! In the manner of Alasmari, Green and Alam (IEEE EDGE, 2018), who decide between device, edge and cloud by value iteration.
//! Tasks arrive as a Poisson process. Every place has a queue, first come, first served, with an exponential service time whose
//! rate depends on the state of the channel; the channel is a Markov chain in continuous time. The device draws the power of a
//! place as long as a task is there. The cost of a task is weighted energy plus weighted response time.
//!
//! - [`OffloadingProblem::optimum`]: value iteration over (tasks at each place, state of the channel), with bounds on the cost.
//! - [`OffloadingProblem::greedy`]: the place with the least expected cost of the task itself.
//! - [`OffloadingProblem::split`]: fixed probabilities, of which one place alone and the random choice are special cases; exact,
//!   without a limit on queues.
//! - [`compare`] draws problems and runs all of them.
//!
//! Queues of the first two are truncated: a place with [`OffloadingProblem::longest`] tasks takes no more, and a task that
//! finds all places full is dropped at a high cost. The share of dropped tasks is reported.
//!
//! Deviations, numbered, since the body of that article was not at hand: (1) time is continuous; (2) transfer and execution at a
//! server are one service; (3) energy is that of the device; (4) the mean cost over a long time is minimised, without discount.

mod chain;
mod problem;
mod split;
mod study;
#[cfg(test)]
mod tests;

pub use chain::{OffloadingOptimum, OffloadingPolicy};
pub use problem::{OffloadingCost, OffloadingError, OffloadingPlace, OffloadingProblem, OffloadingWeights};
pub use study::{OffloadingFigures, OffloadingGenerator, compare};
