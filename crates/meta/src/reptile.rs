//! Algorithm 1: Reptile, one run for each DNN, all K at once.

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Adam, Ensemble, Head, Samples};
use serde::Serialize;
use sim::random::{self, Stream};

use crate::metadata::Labels;
use crate::parameters::interpolate;

/// Settings of Algorithm 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Which scheme labels the metadata.
    pub labels: Labels,
    /// Labelled workloads.
    pub metadata: usize,
    /// Share of them that each DNN sees, drawn for it alone: below 1 it keeps the DNNs different.
    pub metadata_share: f64,
    /// Workloads in a batch.
    pub batch: usize,
    /// Outer steps: updates (21) of the meta parameters β*.
    pub outer_steps: usize,
    /// Training steps between two outer steps.
    pub inner_steps: usize,
    /// Step size of Adam in the inner steps.
    pub inner_learning_rate: f64,
    /// Mlr of (21).
    pub step_size: f64,
    /// Mlr of the last outer step, approached linearly.
    pub final_step_size: f64,
    /// Whether every inner training starts from β* (Reptile) or runs on from where the last one ended, so that β* is a
    /// moving average of a single run. The paper does not say which.
    pub inner_restart: bool,
    /// Outer steps between reports.
    pub report_every: usize,
}

/// How Reptile stands after an outer step.
#[derive(Debug, Clone)]
pub struct MetaReport<'a> {
    /// Outer steps done so far.
    pub step: usize,
    /// Mean cross-entropy over the K batches of the last inner step, before it.
    pub loss: f64,
    /// The meta parameters β* of all K.
    pub ensemble: &'a Ensemble,
}

/// Prepares first parameters: β* ← β* + Mlr (β − β*) after each inner training (21). The K runs are independent; each
/// has its own start, its own share of the metadata and its own batches.
///
/// The observer is called every so many outer steps and can end the run.
pub fn reptile(
    start: &Ensemble,
    metadata: &Samples,
    head: Head,
    settings: &Settings,
    seed: u64,
    device: &Device,
    observer: &mut dyn FnMut(&MetaReport<'_>) -> ControlFlow<()>,
) -> Ensemble {
    let mut learner =
        model::learner(start, head, Adam::with_learning_rate(settings.inner_learning_rate as f32), device);
    let mut meta = learner.ensemble();
    let mut draws: Vec<Draws> = (0..start.dnns()).map(|dnn| Draws::new(metadata.len(), settings, seed, dnn)).collect();
    let (mut batches, mut losses) = (vec![Vec::new(); settings.inner_steps], Vec::new());
    for outer in 0..settings.outer_steps {
        if settings.inner_restart && outer > 0 {
            learner.restart(&meta);
        }
        let reports = (outer + 1).is_multiple_of(settings.report_every) || outer + 1 == settings.outer_steps;
        for indices in &mut batches {
            indices.clear();
            for draws in &mut draws {
                draws.batch(settings.batch, indices);
            }
        }
        learner.steps(metadata, &batches, reports.then_some(&mut losses));
        let progress = outer as f64 / (settings.outer_steps - 1).max(1) as f64;
        let step_size = settings.step_size + (settings.final_step_size - settings.step_size) * progress;
        meta = interpolate(&meta, &learner.ensemble(), step_size);
        if reports {
            let loss = losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64;
            if observer(&MetaReport { step: outer + 1, loss, ensemble: &meta }).is_break() {
                break;
            }
        }
    }
    meta
}

/// The metadata that one DNN sees, and its stream of batches.
struct Draws {
    rows: Vec<u32>,
    stream: Stream,
}

impl Draws {
    fn new(metadata: usize, settings: &Settings, seed: u64, dnn: usize) -> Self {
        let mut stream = random::stream(seed, &format!("meta batches/{dnn}"));
        let mut rows: Vec<u32> = (0..metadata as u32).collect();
        if settings.metadata_share < 1.0 {
            random::shuffle(&mut stream, &mut rows);
            let seen = (metadata as f64 * settings.metadata_share).ceil() as usize;
            rows.truncate(seen.clamp(1, metadata));
        }
        Self { rows, stream }
    }

    fn batch(&mut self, size: usize, indices: &mut Vec<u32>) {
        indices.extend((0..size).map(|_| self.rows[random::below(&mut self.stream, self.rows.len())]));
    }
}
