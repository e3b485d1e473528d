//! Algorithm 2 over fleets: networks that decide for any of them, trained on many.
//!
//! Each step draws fleets of one size, lets every network propose for them, remembers the cheapest proposal of each after
//! flips and one sweep of single moves, and takes one step of each network on what is remembered. No optimum is used. What
//! is imitated lies close to what was proposed from the same start: an answer that is better but far away, of which there
//! are many, teaches networks that decide all tasks at once to mix them.

mod labels;
mod settings;

use std::collections::VecDeque;

use data::{Part, SizeSampler, Workloads};
use model::StateError;
use model::fleet::{FREE_PASSES, FleetCase, FleetEnsemble, FleetForward, FleetLearner, FleetScratch, Instance, PASSES};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::config::{Mistakes, Table};
use sim::random::{self, Stream};
use sim::{CostModel, Fleets};

use self::labels::{Proposed, propose};
pub use self::settings::FleetSettings;

/// A fleet that is remembered.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Memory {
    instance: Instance,
    /// What the networks read first; `None`: nothing was decided yet.
    start: Option<Vec<u8>>,
    label: Vec<u8>,
}

/// How training stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetReport {
    /// Steps done so far.
    pub step: usize,
    /// Mean cross-entropy of the last round with the labels, of each network's batches since the last report.
    pub losses: Vec<f32>,
    /// By how much labels were cheaper than proposals, as a mean ratio of costs since the last report.
    pub gain: f64,
}

/// Networks in training with what they share.
pub struct FleetAgent {
    settings: FleetSettings,
    fleets: Fleets,
    learners: Vec<FleetLearner>,
    forwards: Vec<FleetForward>,
    buffer: VecDeque<Vec<Memory>>,
    draws: Stream,
    batches: Vec<Stream>,
    step: usize,
    is_parallel: bool,
}

/// All that a [`FleetAgent`] knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FleetAgentState {
    learners: Vec<[Vec<u8>; 2]>,
    buffer: VecDeque<Vec<Memory>>,
    draws: u128,
    batches: Vec<u128>,
    step: usize,
}

impl FleetAgentState {
    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }
}

/// One fleet with its sizes, and where passes begin.
struct Drawn {
    model: CostModel,
    sizes_bytes: Vec<f64>,
    is_undecided: bool,
    /// Passes before the one that is labelled.
    passes: usize,
}

impl FleetAgent {
    /// An agent that starts from these networks and trains on the device that they are on; `seed` gives the streams that
    /// fleets and batches are drawn from.
    ///
    /// # Errors
    /// All mistakes of the settings and of the limits of fleets.
    ///
    /// # Panics
    /// If there are no networks.
    pub fn new(ensemble: &FleetEnsemble, fleets: Fleets, settings: FleetSettings, seed: u64) -> Result<Self, Mistakes> {
        settings.check("the settings of training for any fleet")?;
        fleets.check("the limits of fleets")?;
        let device = ensemble.device();
        let nets = ensemble.nets.len();
        Ok(Self {
            learners: ensemble.nets.iter().map(|net| FleetLearner::new(net, &device)).collect(),
            forwards: ensemble.nets.iter().map(FleetForward::new).collect(),
            buffer: VecDeque::new(),
            draws: random::stream(seed, "fleets"),
            batches: (0..nets).map(|net| random::stream(seed, &format!("fleet batches/{net}"))).collect(),
            step: 0,
            is_parallel: model::is_cpu(&device),
            settings,
            fleets,
        })
    }

    /// Whether there is no step left.
    pub fn is_done(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// The networks as they are now.
    pub fn ensemble(&self) -> FleetEnsemble {
        FleetEnsemble { nets: self.learners.iter().map(FleetLearner::net).collect() }
    }

    /// Trains until the next report, or the end.
    ///
    /// # Panics
    /// If there is no step left.
    pub fn advance(&mut self) -> FleetReport {
        assert!(!self.is_done(), "there is nothing to train");
        let every = self.settings.report_every.max(1);
        let end = (self.step + every - self.step % every).min(self.settings.steps);
        let steps = (end - self.step) as f32;
        let (mut losses, mut gain) = (vec![0.0; self.learners.len()], 0.0);
        while self.step < end {
            gain += self.remember() / f64::from(steps);
            for (sum, loss) in losses.iter_mut().zip(self.learn()) {
                *sum += loss / steps;
            }
            self.step += 1;
        }
        FleetReport { step: self.step, losses, gain }
    }

    /// Fleets of one size with labels go into the buffer; returns by how much labels are cheaper than proposals.
    fn remember(&mut self) -> f64 {
        let drawn = self.draw();
        let (forwards, flips) = (&self.forwards, self.settings.flips);
        let label = |scratch: &mut FleetScratch, drawn: Drawn| {
            let Drawn { model, sizes_bytes, is_undecided, passes } = drawn;
            let instance = Instance::new(&model, &sizes_bytes);
            let proposed = propose(&model, &sizes_bytes, &instance, (is_undecided, passes), forwards, flips, scratch);
            let Proposed { start, label, gain } = proposed;
            (Memory { instance, start, label }, gain)
        };
        let labelled: Vec<(Memory, f64)> = drawn.into_par_iter().map_init(FleetScratch::default, label).collect();
        let gain = labelled.iter().map(|(_, gain)| gain).sum::<f64>() / labelled.len() as f64;
        self.buffer.push_back(labelled.into_iter().map(|(memory, _)| memory).collect());
        if self.buffer.len() > self.settings.buffer {
            self.buffer.pop_front();
        }
        gain
    }

    fn draw(&mut self) -> Vec<Drawn> {
        let FleetSettings { fleets_per_step, rows_per_step, undecided, .. } = self.settings;
        let (random, fleets) = (&mut self.draws, &self.fleets);
        let first = fleets.draw(random);
        let (devices, tasks, edges) = (first.devices.count, first.tasks.per_device, first.servers.len() - 1);
        let rows = devices * tasks * (edges + 2);
        let count = (rows_per_step / rows).clamp(4.min(fleets_per_step), fleets_per_step);
        let mut draw = || {
            let scenario = fleets.draw_shaped(devices, tasks, edges, random);
            let model = scenario.check().expect("drawn fleets are valid");
            let sampler = SizeSampler::new(&scenario).expect("their sizes are drawn, not read");
            let mut sizes_bytes = vec![0.0; model.task_count()];
            let sizes = random::stream_of(0, "sizes of a fleet", &[random::unit(random)]);
            Workloads::new(&model, sampler, Part::Training, sizes).fill(&mut sizes_bytes);
            let is_undecided = random::unit(random) < undecided;
            let passes = random::below(random, if is_undecided { FREE_PASSES } else { PASSES });
            Drawn { model, sizes_bytes, is_undecided, passes }
        };
        (0..count).map(|_| draw()).collect()
    }

    /// One step of each network, each on fleets of its own; returns the losses.
    fn learn(&mut self) -> Vec<f32> {
        let FleetSettings { steps, learning_rate, final_learning_rate, .. } = self.settings;
        let progress = self.step as f64 / steps as f64;
        let learning_rate = learning_rate + (final_learning_rate - learning_rate) * progress;
        let buffer = &self.buffer;
        let learn = |((learner, forward), random): ((&mut FleetLearner, &mut FleetForward), &mut Stream)| {
            let remembered = &buffer[random::below(random, buffer.len())];
            let cases: Vec<FleetCase<'_>> = remembered
                .iter()
                .map(|Memory { instance, start, label }| FleetCase { instance, start: start.as_deref(), label })
                .collect();
            let loss = learner.step(&cases, learning_rate);
            *forward = FleetForward::new(&learner.net());
            loss
        };
        if self.is_parallel {
            let nets = self.learners.par_iter_mut().zip(&mut self.forwards).zip(&mut self.batches);
            nets.map(learn).collect()
        } else {
            self.learners.iter_mut().zip(&mut self.forwards).zip(&mut self.batches).map(learn).collect()
        }
    }

    /// All that it knows, between two calls of [`FleetAgent::advance`].
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn state(&self) -> Result<FleetAgentState, StateError> {
        Ok(FleetAgentState {
            learners: self.learners.iter().map(FleetLearner::state).collect::<Result<_, _>>()?,
            buffer: self.buffer.clone(),
            draws: self.draws.get_word_pos(),
            batches: self.batches.iter().map(Stream::get_word_pos).collect(),
            step: self.step,
        })
    }

    /// A new agent goes on where another one of the same arguments was, and comes to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of an agent with other arguments. Then the agent is of no use.
    pub fn restore(&mut self, state: FleetAgentState) -> Result<(), StateError> {
        let FleetAgentState { learners, mut buffer, draws, batches, step } = state;
        let fits = |memory: &mut Memory| {
            let Memory { instance, start, label } = memory;
            let is_decision = |places: &[u8]| -> bool {
                places.len() == instance.task_count()
                    && places.iter().all(|&place| usize::from(place) < instance.places())
            };
            is_decision(label) && start.as_deref().is_none_or(is_decision) && instance.complete()
        };
        let same_shape = |block: &Vec<Memory>| {
            block.first().is_some_and(|first| block.iter().all(|memory| memory.instance.is_like(&first.instance)))
        };
        let same = self.step == 0
            && learners.len() == self.learners.len()
            && batches.len() == self.batches.len()
            && (1..=self.settings.steps).contains(&step)
            && buffer.len() == step.min(self.settings.buffer)
            && buffer.iter_mut().all(|block| same_shape(block) && block.iter_mut().all(fits));
        if !same {
            return Err(StateError::new("it is of another training"));
        }
        for ((learner, forward), state) in self.learners.iter_mut().zip(&mut self.forwards).zip(&learners) {
            learner.restore(state)?;
            *forward = FleetForward::new(&learner.net());
        }
        self.draws.set_word_pos(draws);
        for (stream, position) in self.batches.iter_mut().zip(batches) {
            stream.set_word_pos(position);
        }
        (self.buffer, self.step) = (buffer, step);
        Ok(())
    }
}
