//! Algorithm 2: K DNNs propose, the cheapest proposal is remembered, every DNN learns from its own batch of memories.

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Adam, Chooser, Codec, Ensemble, Learner, Policy, Selection};
use serde::Serialize;
use sim::random::{self, Stream};
use sim::{CostModel, Workloads, metrics};

use crate::observer::{Observer, StepReport};
use crate::replay::{ReplayBuffer, Sample};

/// Settings of Algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Steps: one workload each, and once the buffer is full one training step.
    pub steps: usize,
    /// Samples in the replay buffer.
    pub buffer: usize,
    /// Samples in the batch of each DNN.
    pub batch: usize,
    /// Step size of Adam.
    pub learning_rate: f64,
    /// Step size of the last step, approached linearly.
    pub final_learning_rate: f64,
    /// How candidates are made and chosen while training.
    #[serde(flatten)]
    pub selection: Selection,
    /// Steps between reports.
    pub report_every: usize,
}

/// K DNNs in training with what they share.
pub struct Agent {
    model: CostModel,
    codec: Codec,
    device: Device,
    settings: Settings,
    learner: Box<dyn Learner>,
    dnns: usize,
    buffer: ReplayBuffer,
    chooser: Chooser,
    workloads: Workloads,
    batches: Vec<Stream>,
    step: usize,
    scratch: Scratch,
}

/// Memory that steps use again and again.
#[derive(Debug, Default)]
struct Scratch {
    sizes_bytes: Vec<f64>,
    inputs: Vec<f32>,
    logits: Vec<f32>,
    places: Vec<u8>,
    indices: Vec<u32>,
    losses: Vec<f32>,
}

impl Agent {
    /// An agent that starts from these networks, wherever they came from; `seed` gives the streams that batches are
    /// drawn from, `workloads` brings its own.
    pub fn new(
        model: CostModel,
        codec: Codec,
        ensemble: &Ensemble,
        workloads: Workloads,
        settings: Settings,
        seed: u64,
        device: &Device,
    ) -> Self {
        let dnns = ensemble.dnns();
        Self {
            learner: model::learner(
                ensemble,
                codec.head(),
                Adam::with_learning_rate(settings.learning_rate as f32),
                device,
            ),
            buffer: ReplayBuffer::new(settings.buffer, codec),
            chooser: Chooser::new(settings.selection),
            batches: (0..dnns).map(|dnn| random::stream(seed, &format!("drl batches/{dnn}"))).collect(),
            scratch: Scratch {
                sizes_bytes: vec![0.0; codec.inputs()],
                inputs: vec![0.0; codec.inputs()],
                places: vec![0; codec.inputs()],
                ..Scratch::default()
            },
            model,
            codec,
            device: device.clone(),
            settings,
            dnns,
            workloads,
            step: 0,
        }
    }

    /// Trains to the end, or until the observer breaks.
    pub fn run(&mut self, observer: &mut dyn Observer) {
        while self.step < self.settings.steps {
            if let Some(report) = self.step()
                && let ControlFlow::Break(()) = observer.observe(&report, self)
            {
                return;
            }
        }
    }

    /// One round of the loop of Algorithm 2; a report if one is due.
    fn step(&mut self) -> Option<StepReport> {
        // Algorithm 2 trains from the step after the one that filled the buffer.
        let trains = self.buffer.is_full();
        self.remember_a_workload();
        self.step += 1;
        let reports = self.step.is_multiple_of(self.settings.report_every) || self.step == self.settings.steps;
        let (mut loss, mut q1) = (None, None);
        if trains {
            self.draw_batches();
            q1 = reports.then(|| self.q1());
            self.learner.set_learning_rate(self.learning_rate() as f32);
            let losses = reports.then_some(&mut self.scratch.losses);
            self.learner.step(self.buffer.encoded(), &self.scratch.indices, losses);
            loss = reports
                .then(|| self.scratch.losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / self.dnns as f64);
        }
        reports.then(|| StepReport { step: self.step, loss, q1, buffer_mean_cost: self.buffer.mean_cost() })
    }

    /// Falls linearly from the first training step, the one after the buffer is full, to the last.
    fn learning_rate(&self) -> f64 {
        let Settings { steps, buffer, learning_rate, final_learning_rate, .. } = self.settings;
        let (done, last) = (self.step - buffer - 1, steps.saturating_sub(buffer + 1).max(1));
        learning_rate + (final_learning_rate - learning_rate) * done as f64 / last as f64
    }

    /// Lines 3 to 11: draws a workload, lets all DNNs propose and remembers the cheapest candidate.
    fn remember_a_workload(&mut self) {
        let Scratch { sizes_bytes, inputs, logits, places, .. } = &mut self.scratch;
        self.workloads.fill(sizes_bytes);
        self.codec.encode(sizes_bytes, inputs);
        self.learner.logits(inputs, logits);
        let proposals = logits.chunks_exact(self.codec.outputs());
        let cost = self.chooser.choose(&self.codec, &self.model, sizes_bytes, proposals, places).cost;
        self.buffer.push(Sample { sizes_bytes, places, cost });
    }

    /// Line 14: a batch for each DNN, from its own stream.
    fn draw_batches(&mut self) {
        self.scratch.indices.clear();
        let rows = self.buffer.len();
        for stream in &mut self.batches {
            let batch = (0..self.settings.batch).map(|_| random::below(stream, rows) as u32);
            self.scratch.indices.extend(batch);
        }
    }

    /// Q1 (24) over the first DNN's batch: recorded costs against what all DNNs together would answer now.
    fn q1(&mut self) -> f64 {
        let batch = &self.scratch.indices[..self.settings.batch];
        let (inputs, _) = self.buffer.encoded().gather(batch);
        let mut logits = Vec::new();
        self.learner.logits(&inputs, &mut logits);
        let (outputs, rows) = (self.codec.outputs(), batch.len());
        let mut chooser = Chooser::new(Selection::PAPER);
        let mut places = vec![0; self.codec.inputs()];
        let (mut recorded, mut obtained) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, &index) in batch.iter().enumerate() {
            let sample = self.buffer.sample(index as usize);
            let proposals = (0..self.dnns).map(|dnn| &logits[(dnn * rows + row) * outputs..][..outputs]);
            let chosen = chooser.choose(&self.codec, &self.model, sample.sizes_bytes, proposals, &mut places);
            recorded.push(sample.cost);
            obtained.push(chosen.cost);
        }
        metrics::q1(&recorded, &obtained)
    }

    /// The networks as they are now.
    pub fn ensemble(&self) -> Ensemble {
        self.learner.ensemble()
    }

    /// The networks as they are now, as a scheme.
    pub fn policy(&self, name: &str, selection: Selection) -> Policy {
        Policy::new(name, &self.ensemble(), self.codec, selection, &self.device)
    }
}
