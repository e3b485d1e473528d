//! Reports on training, and who receives them.

use std::ops::ControlFlow;

/// How training stands after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Steps done so far.
    pub step: usize,
    /// Mean cross-entropy (23) over the networks, before they learned from the batches that it is measured on; `None` while
    /// the buffer fills.
    pub loss: Option<f64>,
    /// Mean cross-entropy of each network; empty while the buffer fills. For networks for any fleet it is the mean over
    /// the steps since the last report.
    pub losses: Vec<f32>,
    /// Q1 (24) over one batch; `None` while the buffer fills, and for networks for any fleet.
    pub q1: Option<f64>,
    /// Mean cost of the samples in the buffer; `None` for networks for any fleet.
    pub buffer_mean_cost: Option<f64>,
    /// Cost of the cheapest proposal divided by the cost of the label made from it, the mean over the steps since the
    /// last report; `None` for DNNs, whose labels are the proposals.
    pub label_gain: Option<f64>,
}

impl StepReport {
    /// A report with these losses and their mean, and nothing else.
    pub fn new(step: usize, losses: Vec<f32>) -> Self {
        let mean = || losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64;
        let loss = (!losses.is_empty()).then(mean);
        Self { step, loss, losses, q1: None, buffer_mean_cost: None, label_gain: None }
    }
}

/// Watches an agent `A` in training; its own failures are of type `E`.
pub trait Observer<A, E> {
    /// Receives the report of every reporting step. [`ControlFlow::Break`] ends training.
    ///
    /// # Errors
    /// If the observer cannot do its work; this ends training, too.
    fn observe(&mut self, report: &StepReport, agent: &A) -> Result<ControlFlow<()>, E>;
}

/// Closures observe.
impl<A, E, F: FnMut(&StepReport, &A) -> Result<ControlFlow<()>, E>> Observer<A, E> for F {
    fn observe(&mut self, report: &StepReport, agent: &A) -> Result<ControlFlow<()>, E> {
        self(report, agent)
    }
}
