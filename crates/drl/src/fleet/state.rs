//! The part of an agent's state that only networks for any fleet have.

use std::collections::VecDeque;

use model::fleet::Instance;
use serde::{Deserialize, Serialize};

/// A fleet that is remembered, with its workload and its label.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(super) instance: Instance,
    /// The decision that the networks read first; `None` if nothing was decided yet.
    pub(super) start: Option<Vec<u8>>,
    /// The decision to imitate.
    pub(super) label: Vec<u8>,
}

/// The part of an [`AgentState`] that only a [`FleetAgent`] has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FleetState {
    pub(super) learners: Vec<[Vec<u8>; 2]>,
    pub(super) memory: VecDeque<Vec<Remembered>>,
    /// Position of the random stream that fleets are drawn from.
    pub(super) draws: u128,
}

/// What the next report of a [`FleetAgent`](super::FleetAgent) says of the steps since the last one, which are not all done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unreported {
    /// The number of steps that the report is about, done or not.
    pub(super) steps: usize,
    /// The loss of each network, summed over the steps that are done, divided by the number of all.
    pub(super) losses: Vec<f32>,
    /// The same of the gain of the labels.
    pub(super) label_gain: f64,
}
