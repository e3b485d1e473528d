//! The state of a learner, from which another one continues.

use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use crate::parameters;

/// Parameters, what the optimiser remembers, and its count of steps. A learner of the same networks on the same kind of
/// device continues from it to the same bytes as the learner that it was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnerState {
    /// Parameters as records have them.
    pub(crate) parameters: Vec<u8>,
    /// Both moments of Adam in the same form, or one record of Burn's optimiser.
    pub(crate) optimizer: Vec<Vec<u8>>,
    /// Steps of Adam, where the learner counts them itself; else 0.
    pub(crate) steps: u64,
}

impl LearnerState {
    /// The state of a module that one of Burn's optimisers trains.
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn of_module<M: Module>(module: &M, optimizer: &ModuleOptimizer) -> Result<Self, StateError> {
        let parameters = parameters::to_bytes(module)?;
        let optimizer = optimizer.to_record().into_bytes().map_err(|error| StateError::new(error.to_string()))?;
        Ok(Self { parameters, optimizer: vec![optimizer.to_vec()], steps: 0 })
    }

    /// The module and the optimiser in the state that [`LearnerState::of_module`] took; `module` and `optimizer` give their
    /// kind, shape and device.
    ///
    /// # Errors
    /// If the state is damaged, or of other networks.
    pub fn restored<M: Module>(
        &self,
        module: &M,
        optimizer: ModuleOptimizer,
    ) -> Result<(M, ModuleOptimizer), StateError> {
        let [record] = &self.optimizer[..] else {
            return Err(StateError::new("it is of another kind of device"));
        };
        let module = parameters::from_bytes(module.clone(), self.parameters.clone())?;
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(record.clone()))
            .map_err(|error| StateError::new(error.to_string()))?;
        Ok((module, optimizer.load_record(record)))
    }
}

/// Why the state of a learner or an agent cannot be taken or given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the saved state of training cannot be used: {reason}")]
pub struct StateError {
    /// What is wrong with it, as a sentence about the state.
    pub reason: String,
}

impl StateError {
    /// An error for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
