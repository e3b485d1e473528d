//! All that a learner knows, so that another one can go on where it ended.

use serde::{Deserialize, Serialize};

use crate::ensemble::Ensemble;

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

impl LearnerState {
    /// Parameters alone, of no learner.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    pub fn of_parameters(ensemble: &Ensemble) -> Result<Self, StateError> {
        let parameters = ensemble.to_bytes().map_err(StateError::new)?;
        Ok(Self { parameters, optimizer: Vec::new(), steps: 0 })
    }

    /// The parameters, if they are those of such networks, on the same device.
    ///
    /// # Errors
    /// If they are not.
    pub fn parameters_like(&self, ensemble: &Ensemble) -> Result<Ensemble, StateError> {
        let device = ensemble.layers[0].weight.device();
        Ensemble::from_bytes(self.parameters.clone(), &ensemble.shape(), ensemble.dnns(), &device)
            .map_err(StateError::new)
    }
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
