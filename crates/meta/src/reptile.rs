//! Algorithm 1: Reptile, one run for each DNN, all K at once.

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Adam, Ensemble, Head, Learner, LearnerState, Samples, StateError};
use serde::{Deserialize, Serialize};
use sim::random::{self, Stream};

use crate::parameters::interpolate;
use crate::settings::{Settings, Tasks};

/// How Reptile stands after an outer step.
#[derive(Debug, Clone)]
pub struct MetaReport {
    /// Outer steps done so far.
    pub step: usize,
    /// Mean cross-entropy over the K batches of the last inner step, before it.
    pub loss: f64,
    /// The same of each DNN.
    pub losses: Vec<f32>,
}

/// Prepares first parameters: β* ← β* + Mlr (β − β*) after each inner training, or the mean of a few (21). The K runs are
/// independent; each has its own start, its own share of the metadata and its own batches.
pub struct Reptile<'m> {
    metadata: &'m Samples,
    settings: Settings,
    learner: Box<dyn Learner>,
    /// β* of all K.
    meta: Ensemble,
    draws: Vec<Draws>,
    /// Outer steps done.
    outer: usize,
    batches: Vec<Vec<u32>>,
    losses: Vec<f32>,
}

/// All that a [`Reptile`] knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReptileState {
    outer: usize,
    learner: LearnerState,
    /// β* of all K, as records have parameters.
    meta: Vec<u8>,
    /// How far the stream of each DNN was read.
    draws: Vec<u128>,
}

impl ReptileState {
    /// Outer steps done.
    pub fn step(&self) -> usize {
        self.outer
    }
}

impl<'m> Reptile<'m> {
    /// Reptile from these networks, wherever they came from.
    pub fn new(
        start: &Ensemble,
        metadata: &'m Samples,
        head: Head,
        settings: Settings,
        seed: u64,
        device: &Device,
    ) -> Self {
        let adam = Adam {
            beta1: settings.inner_momentum as f32,
            epsilon: settings.inner_epsilon as f32,
            ..Adam::with_learning_rate(settings.inner_learning_rate as f32)
        };
        let learner = model::learner(start, head, adam, device);
        Self {
            meta: learner.ensemble(),
            learner,
            draws: (0..start.dnns()).map(|dnn| Draws::new(metadata.len(), &settings, seed, dnn)).collect(),
            outer: 0,
            batches: vec![Vec::new(); settings.inner_steps],
            losses: Vec::new(),
            metadata,
            settings,
        }
    }

    /// Makes outer steps up to the next report; `None`: all were made.
    pub fn advance(&mut self) -> Option<MetaReport> {
        while self.outer < self.settings.outer_steps {
            if let Some(report) = self.step() {
                return Some(report);
            }
        }
        None
    }

    fn step(&mut self) -> Option<MetaReport> {
        let Self { metadata, settings, learner, meta, draws, outer, batches, losses } = self;
        let reports = (*outer + 1).is_multiple_of(settings.report_every) || *outer + 1 == settings.outer_steps;
        let mut end: Option<Ensemble> = None;
        for inner in 0..settings.meta_batch {
            if settings.inner_restart && *outer + inner > 0 {
                learner.restart(meta);
            }
            draws.iter_mut().for_each(Draws::begin);
            for indices in &mut *batches {
                indices.clear();
                for draws in &mut *draws {
                    draws.batch(settings.batch, indices);
                }
            }
            learner.steps(metadata, batches, reports.then_some(&mut *losses));
            let result = learner.ensemble();
            if reports && result.first_not_finite().is_some() {
                // Nothing can come of it; what it learned from stays to be looked at.
                end = Some(result);
                break;
            }
            end = Some(end.map_or(result.clone(), |mean| interpolate(&mean, &result, 1.0 / (inner + 1) as f64)));
        }
        let progress = *outer as f64 / (settings.outer_steps - 1).max(1) as f64;
        let step_size = settings.step_size + (settings.final_step_size - settings.step_size) * progress;
        if let Some(end) = end {
            *meta = interpolate(meta, &end, step_size);
        }
        *outer += 1;
        let loss = || losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64;
        reports.then(|| MetaReport { step: *outer, loss: loss(), losses: losses.clone() })
    }

    /// Rows of the metadata that this DNN learned from in the last inner training.
    ///
    /// # Panics
    /// If there is no such DNN.
    pub fn batches(&self, dnn: usize) -> impl Iterator<Item = usize> {
        assert!(dnn < self.draws.len(), "DNN {dnn} of {}", self.draws.len());
        let size = self.settings.batch;
        let own = move |indices: &'_ Vec<u32>| indices.iter().skip(dnn * size).take(size).copied().collect::<Vec<_>>();
        self.batches.iter().flat_map(own).map(|row| row as usize)
    }

    /// The meta parameters β* of all K.
    pub fn ensemble(&self) -> &Ensemble {
        &self.meta
    }

    /// All that it knows.
    ///
    /// # Errors
    /// If parameters cannot be read back from the device.
    pub fn state(&self) -> Result<ReptileState, StateError> {
        Ok(ReptileState {
            outer: self.outer,
            learner: self.learner.state()?,
            meta: self.meta.to_bytes()?,
            draws: self.draws.iter().map(|draws| draws.stream.get_word_pos()).collect(),
        })
    }

    /// A new one goes on where another one of the same arguments was, and comes to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of other arguments. Then this is of no use.
    pub fn restore(&mut self, state: &ReptileState) -> Result<(), StateError> {
        if self.outer > 0 || state.draws.len() != self.draws.len() || state.outer > self.settings.outer_steps {
            return Err(StateError::new("it is of another training"));
        }
        self.meta = self.meta.with_bytes(&state.meta)?;
        self.learner.restore(&state.learner)?;
        for (draws, &position) in self.draws.iter_mut().zip(&state.draws) {
            draws.stream.set_word_pos(position);
        }
        self.outer = state.outer;
        Ok(())
    }
}

/// [`Reptile`] from beginning to end. The observer is called every so many outer steps and can end the run.
pub fn reptile(
    start: &Ensemble,
    metadata: &Samples,
    head: Head,
    settings: &Settings,
    seed: u64,
    device: &Device,
    observer: &mut dyn FnMut(&MetaReport) -> ControlFlow<()>,
) -> Ensemble {
    let mut reptile = Reptile::new(start, metadata, head, *settings, seed, device);
    while let Some(report) = reptile.advance() {
        if observer(&report).is_break() {
            break;
        }
    }
    reptile.meta
}

/// The metadata that one DNN sees, and its stream of batches.
struct Draws {
    /// First rows of groups that are seen together: single rows, or those of an environment.
    groups: Vec<u32>,
    /// Rows of a group.
    group_size: usize,
    tasks: Tasks,
    /// The group of this inner training, if it sees one alone.
    current: Option<u32>,
    stream: Stream,
}

impl Draws {
    fn new(metadata: usize, settings: &Settings, seed: u64, dnn: usize) -> Self {
        let mut stream = random::stream(seed, &format!("meta batches/{dnn}"));
        let group_size = match settings.tasks {
            Tasks::Workloads => 1,
            // What is left over at the end is no whole environment.
            Tasks::Environments => settings.workloads_per_environment.min(metadata),
        };
        let count = metadata / group_size;
        let mut groups: Vec<u32> = (0..count).map(|group| (group * group_size) as u32).collect();
        if settings.metadata_share < 1.0 {
            random::shuffle(&mut stream, &mut groups);
            let seen = (count as f64 * settings.metadata_share).ceil() as usize;
            groups.truncate(seen.clamp(1, count));
        }
        Self { groups, group_size, tasks: settings.tasks, current: None, stream }
    }

    /// Draws the environment of the next inner training, if each sees one alone.
    fn begin(&mut self) {
        if self.tasks == Tasks::Environments {
            self.current = Some(self.groups[random::below(&mut self.stream, self.groups.len())]);
        }
    }

    fn batch(&mut self, size: usize, indices: &mut Vec<u32>) {
        let Self { groups, group_size, current, stream, .. } = self;
        indices.extend((0..size).map(|_| match current {
            Some(first) => *first + random::below(stream, *group_size) as u32,
            None => groups[random::below(stream, groups.len())],
        }));
    }
}
