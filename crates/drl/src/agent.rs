//! Algorithm 2: K DNNs propose, the cheapest proposal is remembered, every DNN learns from its own batch of memories.

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Adam, Chooser, Codec, Ensemble, Learner, Policy, Round, Rounds, Samples, Selection};
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
    learner: Box<dyn Learner>,
    experience: Experience,
    device: Device,
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
        let adam = Adam::with_learning_rate(settings.learning_rate as f32);
        Self {
            learner: model::learner(ensemble, codec.head(), adam, device),
            experience: Experience::new(model, codec, ensemble.dnns(), workloads, settings, seed),
            device: device.clone(),
        }
    }

    /// Trains to the end, or until the observer breaks.
    pub fn run(&mut self, observer: &mut dyn Observer) {
        while !self.experience.is_done() {
            let report = self.run_to_report();
            if let ControlFlow::Break(()) = observer.observe(&report, self) {
                return;
            }
        }
    }

    /// Trains until the next report is due.
    fn run_to_report(&mut self) -> StepReport {
        // The step that is reported learns by itself, since it is asked for more than the others.
        self.learner.rounds(&mut self.experience);
        let (mut loss, mut q1) = (None, None);
        if let Some(learning_rate) = self.experience.learns {
            q1 = Some(self.q1());
            self.learner.set_learning_rate(learning_rate);
            let mut losses = Vec::new();
            self.learner.step(self.experience.samples(), self.experience.indices(), Some(&mut losses));
            loss = Some(losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64);
        }
        StepReport { step: self.experience.step, loss, q1, buffer_mean_cost: self.experience.buffer.mean_cost() }
    }

    /// Q1 (24) over the first DNN's batch: recorded costs against what all DNNs together would answer now.
    fn q1(&mut self) -> f64 {
        let Experience { buffer, codec, model, settings, indices, dnns, .. } = &self.experience;
        let batch = &indices[..settings.batch];
        let (inputs, _) = buffer.encoded().gather(batch);
        let mut logits = Vec::new();
        self.learner.logits(&inputs, &mut logits);
        let (outputs, rows) = (codec.outputs(), batch.len());
        let mut chooser = Chooser::new(Selection::PAPER);
        let mut places = vec![0; codec.inputs()];
        let (mut recorded, mut obtained) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, &index) in batch.iter().enumerate() {
            let sample = buffer.sample(index as usize);
            let proposals = (0..*dnns).map(|dnn| &logits[(dnn * rows + row) * outputs..][..outputs]);
            let chosen = chooser.choose(codec, model, sample.sizes_bytes, proposals, &mut places);
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
        Policy::new(name, &self.ensemble(), self.experience.codec, selection, &self.device)
    }
}

/// What the DNNs share: the workloads, the choice among their proposals, the replay buffer, and where the loop stands.
struct Experience {
    model: CostModel,
    codec: Codec,
    settings: Settings,
    dnns: usize,
    buffer: ReplayBuffer,
    chooser: Chooser,
    workloads: Workloads,
    batches: Vec<Stream>,
    /// Steps begun.
    step: usize,
    /// The step size with which the current step learns, if it does.
    learns: Option<f32>,
    /// The workload in work, as sizes and as inputs.
    sizes_bytes: Vec<f64>,
    inputs: Vec<f32>,
    /// The decision for it.
    places: Vec<u8>,
    /// `[K, batch]`.
    indices: Vec<u32>,
}

impl Experience {
    fn new(model: CostModel, codec: Codec, dnns: usize, workloads: Workloads, settings: Settings, seed: u64) -> Self {
        let mut experience = Self {
            model,
            codec,
            settings,
            dnns,
            buffer: ReplayBuffer::new(settings.buffer, codec),
            chooser: Chooser::new(settings.selection),
            workloads,
            batches: (0..dnns).map(|dnn| random::stream(seed, &format!("drl batches/{dnn}"))).collect(),
            step: 0,
            learns: None,
            sizes_bytes: vec![0.0; codec.inputs()],
            inputs: vec![0.0; codec.inputs()],
            places: vec![0; codec.inputs()],
            indices: Vec::new(),
        };
        experience.draw_workload();
        experience
    }

    fn is_done(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// Line 3: the workload of the next step.
    fn draw_workload(&mut self) {
        self.workloads.fill(&mut self.sizes_bytes);
        self.codec.encode(&self.sizes_bytes, &mut self.inputs);
    }

    /// Lines 5 to 11: remembers the cheapest of the candidates that all DNNs propose.
    fn remember(&mut self, logits: &[f32]) {
        let Self { chooser, codec, model, sizes_bytes, places, .. } = self;
        let proposals = logits.chunks_exact(codec.outputs());
        let cost = chooser.choose(codec, model, sizes_bytes, proposals, places).cost;
        self.buffer.push(Sample { sizes_bytes, places, cost });
    }

    /// Line 14: a batch for each DNN, from its own stream.
    fn draw_batches(&mut self) {
        self.indices.clear();
        let rows = self.buffer.len();
        for stream in &mut self.batches {
            let batch = (0..self.settings.batch).map(|_| random::below(stream, rows) as u32);
            self.indices.extend(batch);
        }
    }

    /// Falls linearly from the first training step, the one after the buffer is full, to the last.
    fn learning_rate(&self) -> f64 {
        let Settings { steps, buffer, learning_rate, final_learning_rate, .. } = self.settings;
        let (done, last) = (self.step - buffer - 1, steps.saturating_sub(buffer + 1).max(1));
        learning_rate + (final_learning_rate - learning_rate) * done as f64 / last as f64
    }
}

impl Rounds for Experience {
    fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// One round of the loop of Algorithm 2, up to what the DNNs learn; stops where a report is due.
    fn next(&mut self, logits: &[f32]) -> Round {
        // Algorithm 2 trains from the step after the one that filled the buffer.
        let trains = self.buffer.is_full();
        self.remember(logits);
        self.step += 1;
        self.learns = trains.then(|| self.learning_rate() as f32);
        if trains {
            self.draw_batches();
        }
        self.draw_workload();
        if self.step.is_multiple_of(self.settings.report_every) || self.is_done() {
            return Round::Stop;
        }
        self.learns.map_or(Round::DecideOnly, |learning_rate| Round::Learn { learning_rate })
    }

    fn samples(&self) -> &Samples {
        self.buffer.encoded()
    }

    fn indices(&self) -> &[u32] {
        &self.indices
    }
}
