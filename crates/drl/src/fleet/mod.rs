//! Algorithm 2 over fleets: networks that decide for any of them, trained on many.
//!
//! Each step draws fleets of one size, lets every network propose for them, remembers the cheapest proposal of each after
//! flips and one sweep of single moves, and takes one training step of each network on remembered fleets. No optimum is
//! used. The labels lie close to the proposals from the same start. Better decisions that are far away are not
//! imitated: there are many of them, and networks that decide all tasks at once would learn to mix them.

mod draw;
mod labels;
mod settings;
pub(crate) mod state;

use std::collections::VecDeque;

use model::StateError;
use model::fleet::{Case, Ensemble, Forward, Instance, Learner, Scratch};
use rayon::prelude::*;
use sim::Fleets;
use sim::config::{Mistakes, Table};
use sim::random::{self, Stream};
use sim::scheme::GoesOn;

use self::draw::DrawnFleet;
use self::labels::{Labelled, label};
pub use self::settings::FleetSettings;
use self::state::{FleetState, Remembered, Unreported};
use crate::observer::StepReport;
use crate::schedule::Schedule;
use crate::state::{AgentState, KindState};
use crate::training_loop::TrainingLoop;

/// Networks for any fleet in training, with everything that they share.
pub struct FleetAgent {
    settings: FleetSettings,
    fleets: Fleets,
    learners: Vec<Learner>,
    /// The same networks for deciding, as they were after the last step.
    forwards: Vec<Forward>,
    /// The fleets of the last steps, grouped by step.
    memory: VecDeque<Vec<Remembered>>,
    schedule: Schedule,
    /// The random stream that fleets are drawn from.
    draws: Stream,
    /// The random streams that each network's batches are drawn from.
    batches: Vec<Stream>,
    /// Steps done.
    step: usize,
    /// What the next report says of the steps since the last one, if training was interrupted between the two.
    unreported: Option<Unreported>,
    /// Whether networks train side by side on the threads of the rayon pool.
    is_parallel: bool,
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
    pub fn new(ensemble: &Ensemble, fleets: Fleets, settings: FleetSettings, seed: u64) -> Result<Self, Mistakes> {
        settings.check("the settings of training for any fleet")?;
        fleets.check("the limits of fleets")?;
        let (device, networks) = (ensemble.device(), &ensemble.nets);
        let batches = |network| random::stream(seed, &format!("fleet batches/{network}"));
        Ok(Self {
            learners: networks.iter().map(|network| Learner::new(network, &device)).collect(),
            forwards: networks.iter().map(Forward::new).collect(),
            memory: VecDeque::new(),
            schedule: settings.schedule(),
            draws: random::stream(seed, "fleets"),
            batches: (0..networks.len()).map(batches).collect(),
            step: 0,
            unreported: None,
            is_parallel: model::is_cpu(&device),
            settings,
            fleets,
        })
    }
}

impl TrainingLoop for FleetAgent {
    fn step(&self) -> usize {
        self.step
    }

    fn steps(&self) -> usize {
        self.settings.steps
    }

    fn report_every(&self) -> usize {
        self.settings.report_every
    }

    // Numbers in the comments are the lines of Algorithm 2.
    fn advance_while(&mut self, steps: usize, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        assert!(steps > 0 && !self.is_done(), "there is nothing to train");
        let end = (self.step + steps).min(self.settings.steps);
        let (begin, networks) = (self.step, self.learners.len());
        let none = || Unreported { steps: end - begin, losses: vec![0.0; networks], label_gain: 0.0 };
        let Unreported { steps, mut losses, mut label_gain } = self.unreported.take().unwrap_or_else(none);
        let count = steps as f32;
        // 2: for j = 1, 2, 3, …, N do
        while self.step < end {
            if !goes_on() {
                self.unreported = Some(Unreported { steps, losses, label_gain });
                return None;
            }
            // 3: fleets of one size, each with the sizes of its tasks.
            let drawn = draw::fleets(&self.fleets, &self.settings, &mut self.draws);
            // 4 to 9: all networks propose for every fleet; the cheapest proposal, a little improved, is the label.
            let (labelled, gain) = self.label(drawn);
            label_gain += gain / f64::from(count);
            // 10 to 13: if the memory is full, the fleets replace the fleets of the oldest step.
            self.memory.push_back(labelled);
            if self.memory.len() > self.settings.buffer {
                self.memory.pop_front();
            }
            // 14 and 15: each network learns from the fleets of a step that it draws from the memory.
            for (sum, loss) in losses.iter_mut().zip(self.learn()) {
                *sum += loss / count;
            }
            self.step += 1;
        }
        Some(StepReport { label_gain: Some(label_gain), ..StepReport::new(self.step, losses) })
    }
}

impl FleetAgent {
    /// The networks as they are now.
    pub fn ensemble(&self) -> Ensemble {
        Ensemble { nets: self.learners.iter().map(Learner::network).collect() }
    }

    /// Labels fleets. The number is the mean, over the fleets, of the cost of the cheapest proposal divided by the cost
    /// of the label.
    fn label(&self, drawn: Vec<DrawnFleet>) -> (Vec<Remembered>, f64) {
        let label = |scratch: &mut Scratch, drawn: DrawnFleet| {
            let instance = Instance::new(&drawn.model, &drawn.sizes_bytes);
            let Labelled { start, label, gain } =
                label(&drawn, &instance, &self.forwards, self.settings.flips, scratch);
            (Remembered { instance, start, label }, gain)
        };
        let labelled: Vec<(Remembered, f64)> = drawn.into_par_iter().map_init(Scratch::default, label).collect();
        let gain = labelled.iter().map(|(_, gain)| gain).sum::<f64>() / labelled.len() as f64;
        (labelled.into_iter().map(|(remembered, _)| remembered).collect(), gain)
    }

    /// One step of each network, each on fleets that it draws from the memory; returns the losses.
    fn learn(&mut self) -> Vec<f32> {
        let learning_rate = self.schedule.at(self.step).expect("every step trains");
        let memory = &self.memory;
        let learn = |((learner, forward), random): ((&mut Learner, &mut Forward), &mut Stream)| {
            let remembered = &memory[random::below(random, memory.len())];
            let cases: Vec<Case<'_>> = remembered
                .iter()
                .map(|Remembered { instance, start, label }| Case { instance, start: start.as_deref(), label })
                .collect();
            let loss = learner.step(&cases, learning_rate);
            *forward = Forward::new(&learner.network());
            loss
        };
        if self.is_parallel {
            let networks = self.learners.par_iter_mut().zip(&mut self.forwards).zip(&mut self.batches);
            networks.map(learn).collect()
        } else {
            self.learners.iter_mut().zip(&mut self.forwards).zip(&mut self.batches).map(learn).collect()
        }
    }

    /// The whole state between two calls of [`TrainingLoop::advance_while`].
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn state(&self) -> Result<AgentState, StateError> {
        let state = FleetState {
            learners: self.learners.iter().map(Learner::state).collect::<Result<_, _>>()?,
            memory: self.memory.clone(),
            draws: self.draws.get_word_pos(),
        };
        let batches = self.batches.iter().map(Stream::get_word_pos).collect();
        let kind = match &self.unreported {
            None => KindState::Fleet(state),
            Some(unreported) => KindState::FleetUnreported(state, unreported.clone()),
        };
        Ok(AgentState { step: self.step, batches, kind })
    }

    /// Continues, as a new agent, from the state of another agent with the same arguments, to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of an agent with other arguments. Then this agent cannot be used any more.
    pub fn restore(&mut self, state: AgentState) -> Result<(), StateError> {
        let other = || StateError::new("it is of another training");
        let AgentState { step, batches, kind } = state;
        let (state, unreported) = match kind {
            KindState::Fleet(state) => (state, None),
            KindState::FleetUnreported(state, unreported) => (state, Some(unreported)),
            KindState::Dnns(_) | KindState::Site(_) => return Err(other()),
        };
        let FleetState { learners, mut memory, draws } = state;
        let same = self.step == 0
            && learners.len() == self.learners.len()
            && batches.len() == self.batches.len()
            && (1..=self.settings.steps).contains(&step)
            && memory.len() == step.min(self.settings.buffer)
            && unreported.as_ref().is_none_or(|unreported| unreported.losses.len() == learners.len())
            && memory.iter_mut().all(|fleets| are_alike(fleets) && fleets.iter_mut().all(Remembered::is_complete));
        if !same {
            return Err(other());
        }
        for ((learner, forward), state) in self.learners.iter_mut().zip(&mut self.forwards).zip(&learners) {
            learner.restore(state)?;
            *forward = Forward::new(&learner.network());
        }
        self.draws.set_word_pos(draws);
        for (stream, position) in self.batches.iter_mut().zip(batches) {
            stream.set_word_pos(position);
        }
        (self.memory, self.step, self.unreported) = (memory, step, unreported);
        Ok(())
    }
}

impl Remembered {
    /// Completes an instance that was read from a state; whether it and the decisions fit each other.
    fn is_complete(&mut self) -> bool {
        let Self { instance, start, label } = self;
        let is_decision = |places: &[u8]| -> bool {
            places.len() == instance.task_count() && places.iter().all(|&place| usize::from(place) < instance.places())
        };
        is_decision(label) && start.as_deref().is_none_or(is_decision) && instance.complete()
    }
}

/// Whether there are fleets, all of one size.
fn are_alike(fleets: &[Remembered]) -> bool {
    fleets.first().is_some_and(|first| fleets.iter().all(|fleet| fleet.instance.is_like(&first.instance)))
}
