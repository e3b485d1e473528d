//! The trait of networks that learn in one phase of a run.

use std::sync::Arc;

use drl::StepReport;
use model::{Networks, StateError};
use sim::scheme::GoesOn;

use super::divergence::LearnedWorkload;
use crate::checkpoints::PhaseState;

/// Networks that learn in one phase.
pub(super) trait Trainee {
    /// The number of steps of the whole phase.
    fn steps(&self) -> usize;

    /// The number of steps that are done.
    fn done(&self) -> usize;

    /// Trains until the next report, as long as `goes_on`; `None` if it said no, or no step is left.
    fn advance(&mut self, goes_on: &GoesOn<'_>) -> Option<StepReport>;

    /// The networks at the present step.
    fn networks(&self) -> Arc<dyn Networks>;

    /// The whole state, from which training can be resumed.
    fn state(&self) -> Result<PhaseState, StateError>;

    /// Replaces the state by one of a run with the same plan.
    fn restore(&mut self, state: PhaseState) -> Result<(), StateError>;

    /// The workloads that network `network` learned from in the last step. With `None`, a workload in the replay buffer whose
    /// cost is not a finite number.
    fn learned_from(&self, network: Option<usize>) -> Vec<LearnedWorkload>;
}

/// The error of a state that belongs to another phase.
pub(super) fn other_phase() -> StateError {
    StateError::new("it belongs to another phase of training")
}
