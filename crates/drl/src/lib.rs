//! Deep reinforcement learning of MR-DRO, Algorithm 2 of the paper.
//!
//! No optimum is used in training: the networks imitate the best of their own candidates. They still improve, because
//! the K networks differ, and because exploration adds candidates that no network proposed
//! ([`Exploration`](model::Exploration)).
//!
//! # The words
//! - An [`Agent`] trains K DNNs for one scenario; its `advance` is the loop of Algorithm 2. [`TrainingLoop`] runs it to the
//!   end, or from one report to the next.
//! - [`TrainingData`] are the workloads that it learns from; [`Settings`] say how.
//! - The [`ReplayBuffer`] is the paper's database; a [`Sample`] is one remembered workload with the cheapest decision found
//!   for it.
//! - A [`StepReport`] goes to an [`Observer`] at regular intervals; the observer may stop training, or fail.
//! - An [`AgentState`] is the whole state of an agent, from which another one continues to the same bytes.
//! - A [`fleet::FleetAgent`] trains networks for any fleet in the same way, with the same reports, observers and states; a
//!   [`stream::SiteAgent`] trains networks that dispatch tasks at any site.
//!
//! # What it does not do
//! It does not know where its first networks come from (`meta` prepares some), and it writes nothing.

mod agent;
pub mod fleet;
mod memory;
mod observer;
mod proposals;
mod schedule;
mod settings;
mod state;
mod step_workloads;
pub mod stream;
mod training_loop;

pub use agent::{Agent, TrainingData};
pub use memory::{ReplayBuffer, Sample};
pub use observer::{Observer, StepReport};
pub use settings::Settings;
pub use state::AgentState;
pub use training_loop::TrainingLoop;
