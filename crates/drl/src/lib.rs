//! Deep reinforcement learning of MR-DRO, Algorithm 2 of the paper.
//!
//! No optimum is used in training: the networks imitate the best of their own candidates. What makes them better than
//! that is that K of them differ, and that candidates can be explored beyond what they say
//! ([`Exploration`](model::Exploration)).
//!
//! # The words
//! - An [`Agent`] holds the K DNNs, their shared [`ReplayBuffer`] and the streams of workloads and batches.
//! - A [`Sample`] is one remembered workload with the cheapest decision found for it.
//! - A [`StepReport`] goes to an [`Observer`] every so many steps.
//! - [`fleet`] trains networks for any fleet in the same way.
//!
//! # What it does not do
//! It does not know where its first networks come from (`meta` prepares some), and it writes nothing.

mod agent;
pub mod fleet;
mod observer;
mod replay;
mod settings;

pub use agent::{Agent, AgentState};
pub use observer::{Observer, StepReport};
pub use replay::{ReplayBuffer, Sample};
pub use settings::Settings;
