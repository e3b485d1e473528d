//! All that a learner knows, so that another one can go on where it ended.

use serde::{Deserialize, Serialize};

/// Parameters, what the optimiser remembers, and its count of steps. A learner of the same networks on the same kind of
/// device goes on from it to the same bytes as the one that it was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnerState {
    /// As records have them.
    pub(crate) parameters: Vec<u8>,
    /// Both moments of Adam in the same form, or one record of Burn's optimiser.
    pub(crate) optimizer: Vec<Vec<u8>>,
    /// Steps of Adam, where the learner counts them itself.
    pub(crate) steps: u64,
}

/// Why the state of a learner cannot be taken or given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state of training is of no use: {reason}")]
pub struct StateError {
    /// What is wrong.
    pub reason: String,
}

impl StateError {
    /// An error for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
