//! Algorithm 2: K DNNs propose, the cheapest proposal is remembered, every DNN learns from its own batch of memories.

use std::ops::ControlFlow;

use burn::tensor::Device;
use data::Workloads;
use model::{
    Adam, CandidateSelector, Codec, Ensemble, Learner, LearnerState, Policy, Round, Rounds, Samples, Selection, StateError,
};
use serde::{Deserialize, Serialize};
use sim::random::{self, Stream};
use sim::scheme::LocalSearch;
use sim::{CostModel, Environment, EnvironmentError, metrics};

use crate::observer::{Observer, StepReport};
use crate::replay::{Contents, ReplayBuffer, Sample};
use crate::settings::Settings;

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
        let adam = Adam { epsilon: settings.epsilon as f32, ..Adam::with_learning_rate(settings.learning_rate as f32) };
        Self {
            learner: model::learner(ensemble, codec.head(), adam, device),
            experience: Experience::new(model, codec, ensemble.dnns(), workloads, settings, seed),
            device: device.clone(),
        }
    }

    /// Trains to the end, or until the observer breaks.
    pub fn run(&mut self, observer: &mut dyn Observer) {
        while !self.experience.is_done() {
            let every = self.experience.settings.report_every;
            let report = self.advance(every - self.experience.step % every);
            if let ControlFlow::Break(()) = observer.observe(&report, self) {
                return;
            }
        }
    }

    /// Trains for so many more steps, but not beyond the last, and reports how the last of them went.
    ///
    /// # Panics
    /// If there is no step left, or none is asked for.
    pub fn advance(&mut self, steps: usize) -> StepReport {
        assert!(steps > 0 && !self.experience.is_done(), "there is nothing to train");
        self.experience.stop_at = (self.experience.step + steps).min(self.experience.settings.steps);
        // The step that is reported learns by itself, since it is asked for more than the others.
        self.learner.rounds(&mut self.experience);
        let (mut losses, mut q1) = (Vec::new(), None);
        if let Some(learning_rate) = self.experience.learns {
            q1 = Some(self.q1());
            self.learner.set_learning_rate(learning_rate);
            self.learner.step(self.experience.samples(), self.experience.indices(), Some(&mut losses));
        }
        let mean = || losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64;
        let Experience { step, ref buffer, learns, .. } = self.experience;
        StepReport { step, loss: learns.map(|_| mean()), losses, q1, buffer_mean_cost: buffer.mean_cost() }
    }

    /// What this DNN learned from in the last step; nothing while the buffer fills.
    ///
    /// # Panics
    /// If there is no such DNN.
    pub fn batch(&self, dnn: usize) -> impl Iterator<Item = Sample<'_>> {
        let Experience { buffer, settings, indices, dnns, .. } = &self.experience;
        assert!(dnn < *dnns, "DNN {dnn} of {dnns}");
        let own = indices.get(dnn * settings.batch..).unwrap_or_default().iter().take(settings.batch);
        own.map(|&row| buffer.sample(row as usize))
    }

    /// All samples that are remembered.
    pub fn buffer(&self) -> &ReplayBuffer {
        &self.experience.buffer
    }

    /// Prices asked of the cost model so far to choose among candidates.
    pub fn evaluations(&self) -> u64 {
        self.experience.evaluations
    }

    /// Q1 (24) over the first DNN's batch: recorded costs against what all DNNs together would answer now.
    fn q1(&mut self) -> f64 {
        let Experience { buffer, codec, own_model, model, settings, indices, dnns, .. } = &mut self.experience;
        let batch = &indices[..settings.batch];
        let (inputs, _) = buffer.encoded().gather(batch);
        let mut logits = Vec::new();
        self.learner.logits(&inputs, &mut logits);
        let (outputs, rows) = (codec.outputs(), batch.len());
        let mut chooser = CandidateSelector::new(Selection::PAPER);
        let mut places = vec![0; codec.task_count()];
        let (mut recorded, mut obtained) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, &index) in batch.iter().enumerate() {
            let sample = buffer.sample(index as usize);
            put_at(own_model, sample.environment, model);
            let proposals = (0..*dnns).map(|dnn| &logits[(dnn * rows + row) * outputs..][..outputs]);
            let chosen = chooser.choose(codec, model, sample.sizes_bytes, proposals, &mut places);
            recorded.push(sample.cost);
            obtained.push(chosen.cost);
        }
        metrics::q1(&recorded, &obtained)
    }

    /// All that it knows, between two calls of [`Agent::advance`].
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn state(&self) -> Result<AgentState, StateError> {
        let Experience { buffer, workloads, batches, step, sizes_bytes, environments, evaluations, .. } =
            &self.experience;
        Ok(AgentState {
            learner: self.learner.state()?,
            step: *step,
            evaluations: *evaluations,
            workloads: workloads.position(),
            batches: batches.iter().map(Stream::get_word_pos).collect(),
            sizes_bytes: sizes_bytes.clone(),
            environments: environments.clone(),
            buffer: buffer.contents(),
        })
    }

    /// A new agent goes on where another one of the same arguments was, and comes to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of an agent with other arguments. Then the agent is of no use.
    pub fn restore(&mut self, state: &AgentState) -> Result<(), StateError> {
        let other = || StateError::new("it is of another training");
        let experience = &mut self.experience;
        let is_new = experience.step == 0 && experience.buffer.is_empty();
        let same = state.batches.len() == experience.batches.len()
            && state.sizes_bytes.len() == experience.sizes_bytes.len()
            && state.environments.len() == experience.environments.len()
            && state.sizes_bytes.iter().copied().all(sim::is_size)
            && state.step <= experience.settings.steps
            && state.evaluations <= u64::MAX >> 1;
        if !is_new || !same {
            return Err(other());
        }
        let Experience { buffer, own_model, model, codec, .. } = experience;
        let refilled = buffer.refill(&state.buffer, |sizes_bytes, environment, inputs| {
            environment.map_or(Ok(()), |environment| own_model.at_into(environment, model)).ok()?;
            codec.encode(model, sizes_bytes, inputs);
            Some(())
        });
        refilled.ok_or_else(other)?;
        self.learner.restore(&state.learner)?;
        experience.workloads.seek(state.workloads);
        for (stream, &position) in experience.batches.iter_mut().zip(&state.batches) {
            stream.set_word_pos(position);
        }
        (experience.step, experience.evaluations) = (state.step, state.evaluations);
        experience.sizes_bytes.clone_from(&state.sizes_bytes);
        experience.environments.clone_from(&state.environments);
        experience.encode_workloads().map_err(|_| other())
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

/// All that an [`Agent`] knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentState {
    learner: LearnerState,
    step: usize,
    evaluations: u64,
    /// How far the streams of sizes and environments were read.
    workloads: (u128, Option<u128>),
    /// The same of each DNN's batches.
    batches: Vec<u128>,
    /// The workloads in work.
    sizes_bytes: Vec<f64>,
    environments: Vec<Environment>,
    buffer: Contents,
}

impl AgentState {
    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }
}

/// What the DNNs share: the workloads, the choice among their proposals, the replay buffer, and where the loop stands.
struct Experience {
    /// The cost model in the scenario's own environment.
    own_model: CostModel,
    /// The cost model in the environment of the workload that was looked at last.
    model: CostModel,
    codec: Codec,
    settings: Settings,
    dnns: usize,
    buffer: ReplayBuffer,
    chooser: CandidateSelector,
    workloads: Workloads,
    batches: Vec<Stream>,
    /// Steps begun.
    step: usize,
    /// The step to stop after.
    stop_at: usize,
    /// The step size with which the current step learns, if it does.
    learns: Option<f32>,
    /// The workloads in work, as sizes and as inputs: `[workloads_per_step, N * M]` and `[workloads_per_step, inputs]`.
    sizes_bytes: Vec<f64>,
    inputs: Vec<f32>,
    /// Their environments, if these change.
    environments: Vec<Environment>,
    /// The decision for one of them.
    places: Vec<u8>,
    /// `[K, batch]`.
    indices: Vec<u32>,
    evaluations: u64,
}

impl Experience {
    fn new(model: CostModel, codec: Codec, dnns: usize, workloads: Workloads, settings: Settings, seed: u64) -> Self {
        let rows = settings.workloads_per_step;
        let environments = if workloads.changes_environment() { rows } else { 0 };
        let mut experience = Self {
            environments: vec![model.environment().clone(); environments],
            own_model: model.clone(),
            model,
            codec,
            settings,
            dnns,
            buffer: ReplayBuffer::new(settings.buffer, codec),
            chooser: CandidateSelector::new(settings.selection),
            workloads,
            batches: (0..dnns).map(|dnn| random::stream(seed, &format!("drl batches/{dnn}"))).collect(),
            step: 0,
            stop_at: 0,
            learns: None,
            sizes_bytes: vec![0.0; rows * codec.task_count()],
            inputs: vec![0.0; rows * codec.inputs()],
            places: vec![0; codec.task_count()],
            indices: Vec::new(),
            evaluations: 0,
        };
        experience.draw_workloads();
        experience
    }

    fn is_done(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// Line 3: the workloads of the next step, each in its environment.
    fn draw_workloads(&mut self) {
        let rows = self.sizes_bytes.chunks_exact_mut(self.codec.task_count());
        for (row, (sizes, inputs)) in rows.zip(self.inputs.chunks_exact_mut(self.codec.inputs())).enumerate() {
            if let Some(environment) = self.environments.get_mut(row) {
                self.workloads.next_environment(environment);
                put_at(&self.own_model, Some(environment), &mut self.model);
            }
            self.workloads.fill(sizes);
            self.codec.encode(&self.model, sizes, inputs);
        }
    }

    /// What networks read of the workloads in work.
    fn encode_workloads(&mut self) -> Result<(), EnvironmentError> {
        let rows = self.sizes_bytes.chunks_exact(self.codec.task_count());
        for (row, (sizes, inputs)) in rows.zip(self.inputs.chunks_exact_mut(self.codec.inputs())).enumerate() {
            if let Some(environment) = self.environments.get(row) {
                self.own_model.at_into(environment, &mut self.model)?;
            }
            self.codec.encode(&self.model, sizes, inputs);
        }
        Ok(())
    }

    /// Lines 5 to 11: remembers the cheapest of the candidates that all DNNs propose.
    fn remember(&mut self, logits: &[f32]) {
        let Self { chooser, codec, own_model, model, places, dnns, .. } = self;
        let outputs = codec.outputs();
        let rows = self.sizes_bytes.chunks_exact(codec.task_count()).zip(self.inputs.chunks_exact(codec.inputs()));
        let count = rows.len();
        for (row, (sizes_bytes, inputs)) in rows.enumerate() {
            let environment = self.environments.get(row);
            put_at(own_model, environment, model);
            let proposals = (0..*dnns).map(|dnn| &logits[(dnn * count + row) * outputs..][..outputs]);
            let mut chosen = chooser.choose(codec, model, sizes_bytes, proposals, places);
            if self.settings.refine {
                chosen.evaluations += LocalSearch::new().improve(model, sizes_bytes, places) + 1;
                chosen.cost = model.cost(sizes_bytes, places);
            }
            self.evaluations += chosen.evaluations;
            self.buffer.push(Sample { sizes_bytes, places, cost: chosen.cost, environment }, inputs);
        }
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
        let Settings { steps, learning_rate, final_learning_rate, .. } = self.settings;
        let first = self.settings.warm_up_steps() + 1;
        let (done, last) = (self.step - first, steps.saturating_sub(first).max(1));
        learning_rate + (final_learning_rate - learning_rate) * done as f64 / last as f64
    }
}

/// Writes the model in an environment into another model, if there is an environment to change to.
fn put_at(own_model: &CostModel, environment: Option<&Environment>, model: &mut CostModel) {
    if let Some(environment) = environment {
        own_model.at_into(environment, model).expect("drawn by the scenario's own distribution");
    }
}

impl Rounds for Experience {
    fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// One round of the loop of Algorithm 2, up to what the DNNs learn.
    fn next(&mut self, logits: &[f32]) -> Round {
        // Algorithm 2 trains from the step after the one that filled the buffer.
        let trains = self.step >= self.settings.warm_up_steps();
        self.remember(logits);
        self.step += 1;
        self.learns = trains.then(|| self.learning_rate() as f32);
        if trains {
            self.draw_batches();
        }
        self.draw_workloads();
        if self.step >= self.stop_at {
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
