//! Who watches training: the loop reports, observers print, draw and write.

use std::ops::ControlFlow;

use crate::agent::Agent;

/// How training stands after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Steps done so far.
    pub step: usize,
    /// Mean cross-entropy (23) over the K batches of this step, before it; `None` while the buffer fills.
    pub loss: Option<f64>,
    /// The same of each DNN; empty while the buffer fills.
    pub losses: Vec<f32>,
    /// Q1 (24) over one batch; `None` while the buffer fills.
    pub q1: Option<f64>,
    /// Mean cost of the samples in the buffer.
    pub buffer_mean_cost: f64,
}

/// Watches training.
pub trait Observer {
    /// Called at every reporting step. [`ControlFlow::Break`] ends training.
    fn observe(&mut self, report: &StepReport, agent: &Agent) -> ControlFlow<()>;
}

/// Closures observe.
impl<F: FnMut(&StepReport, &Agent) -> ControlFlow<()>> Observer for F {
    fn observe(&mut self, report: &StepReport, agent: &Agent) -> ControlFlow<()> {
        self(report, agent)
    }
}
