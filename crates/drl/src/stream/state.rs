//! The part of an agent's state that only networks for any site have.

use model::stream::{Learner, Sample};
use serde::{Deserialize, Serialize};

use super::evolution::EvolutionState;

/// The part of an [`AgentState`](crate::AgentState) that only a [`SiteAgent`](super::SiteAgent) has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SiteState {
    pub(super) learners: Vec<LearnerState>,
    pub(super) base: Option<Vec<Vec<f32>>>,
    pub(super) memory: Vec<Sample>,
    pub(super) oldest: usize,
    /// Once the rounds are over.
    pub(super) evolution: Option<EvolutionState>,
}

/// The state of a learner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum LearnerState {
    Cpu(Learner),
    /// Parameters and moments of Adam, as Burn writes them.
    Device([Vec<u8>; 2]),
}
