//! The state of an agent, from which another one continues to the same bytes.

use model::LearnerState;
use serde::{Deserialize, Serialize};

use crate::fleet::state::{FleetState, Unreported};
use crate::memory::Contents;
use crate::stream::state::SiteState;

/// The whole state of an [`Agent`](crate::Agent) or a [`FleetAgent`](crate::fleet::FleetAgent) between two calls of
/// `advance`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentState {
    /// Steps done.
    pub(crate) step: usize,
    /// Positions of the random streams that each network's batches are drawn from.
    pub(crate) batches: Vec<u128>,
    /// The part of the state that differs between the two kinds of agents.
    pub(crate) kind: KindState,
}

impl AgentState {
    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum KindState {
    Dnns(DnnState),
    Fleet(FleetState),
    /// Between two reports.
    FleetUnreported(FleetState, Unreported),
    Site(SiteState),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DnnState {
    pub(crate) learner: LearnerState,
    pub(crate) evaluations: u64,
    pub(crate) workloads_per_step: usize,
    /// Positions of the random streams of sizes and environments.
    pub(crate) workloads: (u128, Option<u128>),
    pub(crate) buffer: Contents,
}
