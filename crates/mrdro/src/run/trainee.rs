//! What learns in one phase of a run, as the run sees it.

use std::sync::Arc;

use model::{Networks, StateError};

use super::divergence::LearnedWorkload;
use crate::checkpoints::PhaseState;
use crate::metrics::Phase;

/// How training stands after a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    /// Steps of the phase that are done.
    pub(super) step: usize,
    /// Mean cross-entropy of the K batches; `None` while the replay buffer fills.
    pub(super) loss: Option<f64>,
    /// The same of each network.
    pub(super) losses: Vec<f32>,
    /// Q1, eq. (24).
    pub(super) q1: Option<f64>,
    /// Mean cost of the samples in the replay buffer.
    pub(super) buffer_mean_cost: Option<f64>,
}

/// Networks in training.
pub(super) trait Trainee {
    /// The phase.
    fn phase(&self) -> Phase;

    /// Steps of the phase in all.
    fn steps(&self) -> usize;

    /// Steps of the phase that are done.
    fn done(&self) -> usize;

    /// Trains until the next report; `None` if no step is left.
    fn advance(&mut self) -> Option<Report>;

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
