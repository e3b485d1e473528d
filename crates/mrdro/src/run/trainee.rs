//! What learns in one phase of a run, as the run sees it.

use std::sync::Arc;

use drl::StepReport;
use model::{Networks, StateError};

use super::divergence::LearnedWorkload;
use crate::checkpoints::PhaseState;

/// Networks in training.
pub(super) trait Trainee {
    /// Steps of the phase in all.
    fn steps(&self) -> usize;

    /// Steps of the phase that are done.
    fn done(&self) -> usize;

    /// Trains until the next report; `None` if no step is left.
    fn advance(&mut self) -> Option<StepReport>;

    /// The networks as they are now.
    fn networks(&self) -> Arc<dyn Networks>;

    /// The whole state.
    fn state(&self) -> Result<PhaseState, StateError>;

    /// Goes on from the state of another training with the same plan.
    fn restore(&mut self, state: PhaseState) -> Result<(), StateError>;

    /// The workloads that a network learned from in the last step, or if none is named, those in the replay buffer whose
    /// cost is not a finite number.
    fn learned_from(&self, network: Option<usize>) -> Vec<LearnedWorkload>;
}

/// The error of a state that belongs to another phase.
pub(super) fn other_phase() -> StateError {
    StateError::new("it is of another phase of training")
}
