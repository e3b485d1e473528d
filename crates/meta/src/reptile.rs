//! Algorithm 1: Reptile, one run for each network, all K at once.

use std::ops::ControlFlow;

use model::{Adam, Ensemble, EnsembleLearner, LearnerState, Samples, StateError};
use serde::{Deserialize, Serialize};
use sim::config::{Mistakes, Table};
use sim::random::{self, Stream};
use sim::scheme::GoesOn;

use crate::metadata::Metadata;
use crate::parameters::interpolate;
use crate::settings::{Settings, Tasks};

/// How Reptile stands after an outer step.
#[derive(Debug, Clone)]
pub struct MetaReport {
    /// Outer steps done so far.
    pub step: usize,
    /// Mean cross-entropy over the K batches of the last inner step, before the networks learned from them.
    pub loss: f64,
    /// The cross-entropy of each network on its batch of the last inner step.
    pub losses: Vec<f32>,
}

/// Reptile for K networks: β* ← β* + Mlr (β − β*) after each inner training, or after the mean of several (21).
///
/// The K runs are independent; each has its own start, its own share of the metadata and its own batches.
pub struct Reptile<'m> {
    metadata: &'m Samples,
    settings: Settings,
    learner: Box<dyn EnsembleLearner>,
    /// β* of all K.
    meta: Ensemble,
    draws: Vec<Draws>,
    /// Outer steps done.
    outer: usize,
    /// Rows of the metadata for each inner step of the last inner training, `[K, batch]` each.
    batches: Vec<Vec<u32>>,
    losses: Vec<f32>,
}

/// The whole state of a [`Reptile`] between two outer steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReptileState {
    outer: usize,
    learner: LearnerState,
    /// β* of all K, in the format of records.
    meta: Vec<u8>,
    /// The position of each network's random stream.
    draws: Vec<u128>,
}

impl ReptileState {
    /// Outer steps done.
    pub fn step(&self) -> usize {
        self.outer
    }
}

impl<'m> Reptile<'m> {
    /// Reptile from these networks, on the device that they are on. `seed` gives the random streams that shares of the
    /// metadata and batches are drawn from.
    ///
    /// # Errors
    /// All mistakes of the settings.
    pub fn new(start: &Ensemble, metadata: &'m Metadata, settings: Settings, seed: u64) -> Result<Self, Mistakes> {
        settings.check("the settings of Algorithm 1")?;
        let Metadata { samples, head, .. } = metadata;
        let adam = Adam {
            beta1: settings.inner_momentum as f32,
            epsilon: settings.inner_epsilon as f32,
            ..Adam::with_learning_rate(settings.inner_learning_rate as f32)
        };
        let learner = model::learner(start, *head, adam, &start.device());
        let draws = |network| Draws::new(samples.len(), &settings, seed, network);
        Ok(Self {
            meta: learner.ensemble(),
            learner,
            draws: (0..start.networks()).map(draws).collect(),
            outer: 0,
            batches: vec![Vec::new(); settings.inner_steps],
            losses: Vec::new(),
            metadata: samples,
            settings,
        })
    }

    /// Takes outer steps up to the last, or until the observer stops it or fails. The observer is called at every report.
    ///
    /// # Errors
    /// The error of the observer.
    pub fn run<E>(
        &mut self,
        mut observer: impl FnMut(&MetaReport, &Self) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        while let Some(report) = self.advance() {
            if observer(&report, self)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Takes outer steps up to the next report; `None` if no step is left.
    pub fn advance(&mut self) -> Option<MetaReport> {
        self.advance_while(&|| true)
    }

    /// [`advance`](Self::advance) as long as `goes_on`, which is asked before each outer step. `None` if it said no, or no
    /// step is left; a later call takes the steps up to the same report, to the same bytes.
    pub fn advance_while(&mut self, goes_on: &GoesOn<'_>) -> Option<MetaReport> {
        while self.outer < self.settings.outer_steps && goes_on() {
            if let Some(report) = self.take_step() {
                return Some(report);
            }
        }
        None
    }

    fn take_step(&mut self) -> Option<MetaReport> {
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
                // Further steps would only spread the error; the batches are kept so that the cause can be found.
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

    /// Rows of the metadata that a network learned from in the last inner training.
    ///
    /// # Panics
    /// If there is no such network.
    pub fn batches(&self, network: usize) -> impl Iterator<Item = usize> {
        assert!(network < self.draws.len(), "network {network} of {}", self.draws.len());
        let size = self.settings.batch;
        let own =
            move |indices: &'_ Vec<u32>| indices.iter().skip(network * size).take(size).copied().collect::<Vec<_>>();
        self.batches.iter().flat_map(own).map(|row| row as usize)
    }

    /// Outer steps done.
    pub fn step(&self) -> usize {
        self.outer
    }

    /// The meta parameters β* of all K.
    pub fn ensemble(&self) -> &Ensemble {
        &self.meta
    }

    /// The whole state between two outer steps.
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

    /// Continues, as a new run, from the state of another one with the same arguments, to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of a run with other arguments. Then this run cannot be used any more.
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

/// The metadata that one network sees, and the random stream of its batches.
struct Draws {
    /// The first row of each group that the network sees. A group is a single row, or the rows of one environment.
    groups: Vec<u32>,
    /// Rows in a group.
    group_size: usize,
    tasks: Tasks,
    /// The group that the current inner training sees, if it sees only one.
    current: Option<u32>,
    stream: Stream,
}

impl Draws {
    fn new(metadata: usize, settings: &Settings, seed: u64, network: usize) -> Self {
        let mut stream = random::stream(seed, &format!("meta batches/{network}"));
        let group_size = match settings.tasks {
            Tasks::Workloads => 1,
            // The last workloads may not fill an environment; they are left out.
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

    /// Draws the environment of the next inner training, if each sees only one.
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
