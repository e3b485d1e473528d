//! Algorithm 2 over sites: networks that dispatch tasks as they arrive at any of them, trained on many.
//!
//! Each step draws sites, which the networks walk. For some tasks on the way every place is priced by common futures, in which a
//! base places the tasks that follow; what a place costs more than the cheapest is its regret. All places are priced, since
//! there are few: proposals of the networks would add none. Each network learns from samples that it draws from a shared memory,
//! by the expected regret, which is linear in what chance adds to it. MR-DRO's own loss, the cross-entropy of the cheapest
//! place, is biased there: the cheapest of some noisy numbers is mostly one whose noise is low.
//!
//! In the first round the base is a rule in closed form, in each further round the networks as they were when it began. A round
//! whose networks are not better on sites that no other round draws is taken back. The last steps are evolution strategies
//! ([`Evolution`]), which see the cost of whole runs: what samples miss since futures end.

mod evolution;
mod samples;
mod settings;
pub(crate) mod state;

use std::sync::Arc;

use burn::tensor::Device;
use model::StateError;
use model::stream::{DeviceLearner, Dispatcher, Learner, Loss, Parameters, Sample};
use rayon::prelude::*;
use sim::config::{Mistakes, Table};
use sim::random;
use sim::scheme::GoesOn;
use sim::stream::dispatch::scheme::OneStep;
use sim::stream::dispatch::tuning::TuningSet;
use sim::stream::dispatch::{Path, Site, Sites};

pub use self::evolution::{Evolution, EvolutionSettings};
use self::samples::{Base, samples};
pub use self::settings::SiteSettings;
use self::state::SiteState;
use crate::observer::StepReport;
use crate::state::{AgentState, KindState};
use crate::training_loop::TrainingLoop;

/// The part of the first step size that is left at the end of a round.
const LAST_RATE: f64 = 0.05;
/// Sites on which rounds are compared, and the tasks of each.
const HELD_OUT_SITES: usize = 64;
const HELD_OUT_TASKS: usize = 6_000;

/// Networks for any site in training, with everything that they share.
pub struct SiteAgent {
    settings: SiteSettings,
    sites: Sites,
    knows_rates: bool,
    seed: u64,
    device: Device,
    learners: Vec<AnyLearner>,
    /// The networks that place the tasks of futures; `None` in the first round.
    base: Option<Vec<Parameters>>,
    /// The last samples; the oldest is replaced next where it is full.
    memory: Vec<Sample>,
    oldest: usize,
    /// Steps done.
    step: usize,
    /// What trains the networks once the rounds are over.
    evolution: Option<Evolution>,
    held_out: Option<Arc<TuningSet>>,
}

/// Training on the CPU, or in Burn operations on another device.
enum AnyLearner {
    Cpu(Box<Learner>),
    Device(Box<DeviceLearner>),
}

impl AnyLearner {
    fn new(parameters: &Parameters, device: &Device) -> Self {
        if model::is_cpu(device) {
            Self::Cpu(Box::new(Learner::new(parameters)))
        } else {
            Self::Device(Box::new(DeviceLearner::new(parameters, device)))
        }
    }

    fn parameters(&self) -> Parameters {
        match self {
            Self::Cpu(learner) => learner.parameters(),
            Self::Device(learner) => learner.parameters(),
        }
    }

    fn step(&mut self, batch: &[&Sample], loss: Loss, learning_rate: f64) -> f32 {
        match self {
            Self::Cpu(learner) => learner.step(batch, loss, learning_rate),
            Self::Device(learner) => learner.step(batch, loss, learning_rate),
        }
    }
}

/// Sites with a path each that training never draws, with greedy's costs on them.
///
/// # Panics
/// If there is to be no site.
pub fn held_out_sites(sites: &Sites, count: usize, tasks: usize) -> TuningSet {
    let mut random = random::stream(0, "held-out sites");
    let drawn: Vec<(Site, u64)> = (0..count).map(|index| (sites.draw(&mut random), index as u64)).collect();
    let with_path = |(site, index): (Site, u64)| {
        let path = Path::draw(&site, tasks, random::derived_seed(index, "held-out paths", 0));
        (site, path)
    };
    TuningSet::new(drawn.into_par_iter().map(with_path).collect()).expect("sites with long paths")
}

impl SiteAgent {
    /// An agent that starts from these networks and trains on a device; `seed` gives the streams that sites, samples and batches
    /// are drawn from. With `knows_rates` the networks read the mean rates of arrivals, else what was seen of them.
    ///
    /// # Errors
    /// All mistakes of the settings and of the distribution of sites.
    ///
    /// # Panics
    /// If there are no networks.
    pub fn new(
        networks: &[Parameters],
        sites: Sites,
        settings: SiteSettings,
        knows_rates: bool,
        seed: u64,
        device: &Device,
    ) -> Result<Self, Mistakes> {
        settings.check("the settings of training for any site")?;
        sites.check("the distribution of sites")?;
        assert!(!networks.is_empty(), "there are networks to train");
        Ok(Self {
            learners: networks.iter().map(|network| AnyLearner::new(network, device)).collect(),
            settings,
            sites,
            knows_rates,
            seed,
            device: device.clone(),
            base: None,
            memory: Vec::new(),
            oldest: 0,
            step: 0,
            evolution: None,
            held_out: None,
        })
    }

    /// The networks as they are now.
    pub fn networks(&self) -> Vec<Parameters> {
        match &self.evolution {
            None => self.learners.iter().map(AnyLearner::parameters).collect(),
            Some(evolution) => evolution.networks(),
        }
    }

    /// Begins evolution strategies from the networks of the rounds.
    fn begin_evolution(&mut self) {
        let evolution = self.new_evolution();
        (self.memory, self.oldest, self.base) = (Vec::new(), 0, None);
        self.evolution = Some(evolution);
    }

    fn new_evolution(&self) -> Evolution {
        let settings = self.settings.evolution();
        Evolution::new(&self.networks(), self.sites.clone(), self.knows_rates, settings, self.seed)
    }

    /// The mean cost of networks over that of greedy, on sites that training never draws.
    pub fn held_out_ratio(&mut self, networks: &[Parameters]) -> f64 {
        let draw = || Arc::new(held_out_sites(&self.sites, HELD_OUT_SITES, HELD_OUT_TASKS));
        let set = self.held_out.get_or_insert_with(draw).clone();
        let dispatcher = Dispatcher::new("networks", networks, self.knows_rates);
        set.ratio_of(|_| Box::new(dispatcher.clone()))
    }

    /// Begins a further round: the networks as they are now become the base.
    fn begin_round(&mut self) {
        let networks = self.networks();
        self.begin_from(&networks);
        self.base = Some(networks);
        (self.memory, self.oldest) = (Vec::new(), 0);
    }

    fn begin_from(&mut self, networks: &[Parameters]) {
        self.learners = networks.iter().map(|network| AnyLearner::new(network, &self.device)).collect();
    }

    /// Ends a further round: networks that are not better than their base are replaced by it.
    fn end_round(&mut self) {
        let Some(base) = self.base.take() else { return };
        let networks = self.networks();
        if self.held_out_ratio(&networks) >= self.held_out_ratio(&base) {
            self.begin_from(&base);
        }
        self.base = Some(base);
    }

    /// Samples of some sites.
    fn draw(&self) -> Vec<Sample> {
        let networks = Dispatcher::new("networks", &self.networks(), self.knows_rates);
        let base = match &self.base {
            None => Base::Rule(OneStep::fitted_for_all()),
            Some(base) => Base::Networks(Box::new(Dispatcher::new("base", base, self.knows_rates))),
        };
        let of_site = |index: usize| {
            let mut random = random::stream_of(self.seed, "sites", &[self.step as f64, index as f64]);
            let site = self.sites.draw(&mut random);
            samples(&site, &networks, &base, &self.settings, &mut random).0
        };
        let drawn: Vec<Vec<Sample>> = (0..self.settings.sites_per_step).into_par_iter().map(of_site).collect();
        drawn.into_iter().flatten().collect()
    }

    fn remember(&mut self, sample: Sample) {
        if self.memory.len() < self.settings.buffer {
            self.memory.push(sample);
        } else {
            self.memory[self.oldest] = sample;
            self.oldest = (self.oldest + 1) % self.memory.len();
        }
    }

    /// Some training steps of each network, each on samples that it draws from the memory; the mean losses, and none while there
    /// is no sample.
    fn learn(&mut self, learning_rate: f64) -> Vec<f32> {
        if self.memory.is_empty() {
            return Vec::new();
        }
        let SiteSettings { learning_steps, batch, cross_entropy, .. } = self.settings;
        let loss = if cross_entropy { Loss::CrossEntropy } else { Loss::ExpectedRegret };
        let (memory, seed, step) = (&self.memory, self.seed, self.step);
        let learn = |(network, learner): (usize, &mut AnyLearner)| {
            let mut random = random::stream_of(seed, "site batches", &[step as f64, network as f64]);
            let mut sum = 0.0;
            let mut samples: Vec<&Sample> = Vec::with_capacity(batch);
            for _ in 0..learning_steps {
                samples.clear();
                samples.extend((0..batch).map(|_| &memory[random::below(&mut random, memory.len())]));
                sum += learner.step(&samples, loss, learning_rate) / learning_steps as f32;
            }
            sum
        };
        if model::is_cpu(&self.device) {
            self.learners.par_iter_mut().enumerate().map(learn).collect()
        } else {
            self.learners.iter_mut().enumerate().map(learn).collect()
        }
    }

    /// The whole state between two calls of [`TrainingLoop::advance_while`].
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn state(&self) -> Result<AgentState, StateError> {
        let learner = |learner: &AnyLearner| match learner {
            AnyLearner::Cpu(learner) => Ok(state::LearnerState::Cpu((**learner).clone())),
            AnyLearner::Device(learner) => Ok(state::LearnerState::Device(learner.state()?)),
        };
        let state = SiteState {
            learners: self.learners.iter().map(learner).collect::<Result<_, StateError>>()?,
            base: self.base.as_ref().map(|base| base.iter().map(|network| network.values.clone()).collect()),
            memory: self.memory.clone(),
            oldest: self.oldest,
            evolution: self.evolution.as_ref().map(|evolution| evolution.state().clone()),
        };
        Ok(AgentState { step: self.step, batches: Vec::new(), kind: KindState::Site(state) })
    }

    /// Continues, as a new agent, from the state of another agent with the same arguments, to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of an agent with other arguments. Then this agent cannot be used any more.
    pub fn restore(&mut self, state: AgentState) -> Result<(), StateError> {
        let other = || StateError::new("it is of another training");
        let AgentState { step, kind: KindState::Site(state), .. } = state else { return Err(other()) };
        let SiteState { learners, base, memory, oldest, evolution } = state;
        let width = self.networks()[0].width;
        let count = model::stream::parameters(width);
        let is_like = self.step == 0
            && (1..=self.steps()).contains(&step)
            && learners.len() == self.learners.len()
            && memory.len() <= self.settings.buffer
            && (oldest < memory.len() || oldest == 0)
            && memory.iter().all(Sample::is_complete)
            && base
                .as_ref()
                .is_none_or(|base| base.len() == learners.len() && base.iter().all(|one| one.len() == count));
        if !is_like {
            return Err(other());
        }
        for (learner, state) in self.learners.iter_mut().zip(learners) {
            match (learner, state) {
                (AnyLearner::Cpu(learner), state::LearnerState::Cpu(state)) if state.is_of(width) => **learner = state,
                (AnyLearner::Device(learner), state::LearnerState::Device(state)) => learner.restore(&state)?,
                _ => return Err(other()),
            }
        }
        if let Some(state) = evolution {
            let mut evolution = self.new_evolution();
            if !evolution.restore(state) {
                return Err(other());
            }
            self.evolution = Some(evolution);
        }
        self.base = base.map(|base| base.into_iter().map(|values| Parameters { width, values }).collect());
        (self.memory, self.oldest, self.step) = (memory, oldest, step);
        Ok(())
    }
}

impl TrainingLoop for SiteAgent {
    fn step(&self) -> usize {
        self.step
    }

    fn steps(&self) -> usize {
        self.settings.all_steps()
    }

    fn report_every(&self) -> usize {
        self.settings.report_every
    }

    fn advance_while(&mut self, steps: usize, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        assert!(steps > 0 && !self.is_done(), "there is nothing to train");
        let end = (self.step + steps).min(self.steps());
        let mut losses = Vec::new();
        while self.step < end {
            if !goes_on() {
                return None;
            }
            if self.step >= self.settings.steps_of_rounds() {
                if self.evolution.is_none() {
                    self.begin_evolution();
                }
                if let Some(evolution) = &mut self.evolution {
                    evolution.advance();
                }
                losses.clear();
                self.step += 1;
                continue;
            }
            let (round, in_round, of_round) = self.settings.round_of(self.step);
            if round > 0 && in_round == 0 {
                self.begin_round();
            }
            for sample in self.draw() {
                self.remember(sample);
            }
            let first = if round == 0 { self.settings.learning_rate } else { self.settings.improvement_learning_rate };
            let share_done = in_round as f64 / of_round as f64;
            losses = self.learn(first * (1.0 - (1.0 - LAST_RATE) * share_done));
            if round > 0 && in_round + 1 == of_round {
                self.end_round();
            }
            self.step += 1;
        }
        Some(StepReport::new(self.step, losses))
    }
}
