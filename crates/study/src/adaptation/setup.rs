//! Everything that all seeds of a study share, with the pre-training and the adaptation of networks.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::Device;
use data::{EnvironmentSampler, Part, SizeSampler, Workloads};
use drl::{Agent, TrainingData, TrainingLoop};
use meta::{Reptile, Tasks};
use model::{Codec, DeviceChoice, Ensemble, EnvironmentInputs, NetworkShape};
use mrdro::{Adaptation, Point, Problem, Task, Training, TrainingError};
use serde::{Deserialize, Serialize};
use sim::random;

use super::method::{ChosenSettings, Method, Source};
use super::recordings::Recordings;
use super::windows::EvaluationWindow;
use crate::error::Error;

/// Workloads that each window is measured on.
const MEASURED: usize = 128;
/// Workloads that each window is measured on with `--quick`.
const QUICK_MEASURED: usize = 64;

/// Everything that all seeds share.
pub(super) struct Setup {
    /// The scenario.
    pub(super) problem: Problem,
    /// The distribution of its task sizes.
    pub(super) sampler: SizeSampler,
    /// The codec of networks that read task sizes alone.
    plain: Codec,
    /// The distributions of environments that pre-training can draw from.
    pub(super) environments: BTreeMap<Source, EnvironmentSampler>,
    /// Settings of networks that adapt.
    pub(super) adaptable: Training,
    /// Settings of networks that read the environment.
    pub(super) environment_training: Training,
    /// Workloads that each window is measured on.
    pub(super) measured: usize,
    /// The device to compute on.
    pub(super) device: Device,
}

/// The cost of a method's pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct PretrainingCost {
    pub(super) seconds: f64,
    pub(super) gradient_steps: usize,
    pub(super) samples_per_step: usize,
    /// Cost evaluations.
    pub(super) evaluations: u64,
}

/// One adaptation in one window.
pub(super) struct Trial<'t> {
    /// The window.
    pub(super) window: &'t EvaluationWindow,
    /// The name of the random stream of the workloads to adapt on.
    pub(super) stream: &'t str,
    /// Numbers of steps after which the networks are measured.
    pub(super) steps: &'t [usize],
    pub(super) seed: u64,
}

impl Setup {
    /// Loads the settings and prepares the distributions.
    pub(super) fn new(problem: Problem, recordings: &Recordings, quick: bool) -> Result<Self, Error> {
        let mut adaptable = Training::load("adaptable", &[])?;
        let mut environment_training = Training::load("environments", &[])?;
        if quick {
            adaptable.meta.outer_steps /= 10;
            adaptable.meta.metadata /= 8;
            environment_training.drl.steps /= 10;
        }
        let sampler = problem.sampler()?;
        let code = adaptable.network.code.unwrap_or_else(|| Codec::default_code(&problem.model));
        let plain = Codec::new(code, &problem.model, sampler.moments().into())?;
        let environments = environments(&problem, recordings)?;
        let device = DeviceChoice::Flex.open()?.device;
        let measured = if quick { QUICK_MEASURED } else { MEASURED };
        Ok(Self { problem, sampler, plain, environments, adaptable, environment_training, measured, device })
    }

    /// The codec of a method's networks.
    pub(super) fn codec(&self, method: Method, source: Source) -> Codec {
        match method {
            Method::EnvironmentInputs => self.plain.with_environment(EnvironmentInputs {
                log_uplink: self.environments[&source].moments().log_uplink.map(Into::into),
                ..EnvironmentInputs::default()
            }),
            _ => self.plain,
        }
    }

    /// Random networks that read task sizes alone.
    pub(super) fn random_start(&self, seed: u64) -> Ensemble {
        self.random_networks(&self.plain, seed)
    }

    fn random_networks(&self, codec: &Codec, seed: u64) -> Ensemble {
        let network = &self.adaptable.network;
        let shape = NetworkShape { inputs: codec.inputs(), hidden: network.hidden.clone(), outputs: codec.outputs() };
        Ensemble::random(&shape, network.dnns, seed, &self.device)
    }

    fn training_workloads(&self, source: Source, seed: u64, stream: &str) -> Workloads {
        let sizes = random::stream(seed, stream);
        let environments = random::stream(seed, &format!("{stream}/environments"));
        Workloads::new(&self.problem.model, self.sampler.clone(), Part::Training, sizes)
            .with_environments(Some(self.environments[&source].clone()), environments)
    }

    /// The networks that a method starts from, pre-trained if the method has a pre-training.
    pub(super) fn start(&self, method: Method, settings: &ChosenSettings, seed: u64) -> Result<Ensemble, Error> {
        if Method::PRETRAINED.contains(&method) {
            Ok(self.pretrain(method, settings, seed)?.0)
        } else {
            Ok(self.random_start(seed))
        }
    }

    /// Trains the first parameters of a method.
    pub(super) fn pretrain(
        &self,
        method: Method,
        settings: &ChosenSettings,
        seed: u64,
    ) -> Result<(Ensemble, PretrainingCost), Error> {
        let begin = Instant::now();
        let codec = self.codec(method, settings.source);
        let reptile = self.adaptable.meta;
        let (ensemble, cost) = match method {
            Method::EnvironmentInputs => self.learn_environments(codec, settings.source, seed)?,
            Method::Joint => {
                self.learn_metadata((codec, settings.source), &joint(&reptile, settings.joint_rate), seed)?
            }
            _ => self.learn_metadata((codec, settings.source), &reptile, seed)?,
        };
        Ok((ensemble, PretrainingCost { seconds: begin.elapsed().as_secs_f64(), ..cost }))
    }

    /// Trains networks that read the environment, by Algorithm 2 on workloads in changing environments.
    fn learn_environments(
        &self,
        codec: Codec,
        source: Source,
        seed: u64,
    ) -> Result<(Ensemble, PretrainingCost), Error> {
        let settings = self.environment_training.drl;
        let workloads = self.training_workloads(source, seed, "workloads");
        let start = self.random_networks(&codec, seed);
        let data = TrainingData { workloads, codec };
        let mut agent = Agent::new(data, &start, settings, seed).map_err(TrainingError::from)?;
        agent.advance(settings.steps);
        let cost = PretrainingCost {
            seconds: 0.0,
            gradient_steps: settings.steps - settings.warm_up_steps(),
            samples_per_step: settings.batch,
            evaluations: agent.evaluations(),
        };
        Ok((agent.ensemble(), cost))
    }

    /// Trains networks by Algorithm 1, or jointly on all environments, which [`joint`] writes as settings of Algorithm 1.
    fn learn_metadata(
        &self,
        (codec, source): (Codec, Source),
        settings: &meta::Settings,
        seed: u64,
    ) -> Result<(Ensemble, PretrainingCost), Error> {
        let mut workloads = self.training_workloads(source, seed, "metadata");
        let start = self.random_networks(&codec, seed);
        let metadata = meta::label(settings, &mut workloads, &codec)?;
        let mut reptile = Reptile::new(&start, &metadata, *settings, seed).map_err(TrainingError::from)?;
        while reptile.advance().is_some() {}
        let cost = PretrainingCost {
            seconds: 0.0,
            gradient_steps: settings.outer_steps * settings.meta_batch * settings.inner_steps,
            samples_per_step: settings.batch,
            evaluations: metadata.evaluations,
        };
        Ok((reptile.ensemble().clone(), cost))
    }

    /// Adapts networks of a method in one window.
    pub(super) fn adapt(
        &self,
        (method, chosen): (Method, &ChosenSettings),
        start: &Ensemble,
        trial: &Trial<'_>,
    ) -> Result<(Ensemble, Vec<Point>), Error> {
        let &Trial { window, stream, steps, seed } = trial;
        let last = steps.last().copied().unwrap_or(0);
        let settings = drl::Settings {
            steps: last,
            learning_rate: chosen.learning_rate,
            final_learning_rate: chosen.learning_rate,
            epsilon: chosen.epsilon,
            report_every: last.max(1),
            ..self.adaptable.adaptation
        };
        let stream = random::stream(seed, stream);
        let workloads = Workloads::new(&window.model, self.sampler.clone(), Part::Training, stream);
        let task = Task { workloads, set: &window.set };
        let codec = self.codec(method, chosen.source);
        let adaptation = Adaptation { codec, settings, checkpoints: steps, seed, device: &self.device };
        Ok(mrdro::adapt(start, task, &adaptation)?)
    }
}

/// The distributions of environments: recorded windows, and the scenario's own if its uplinks change.
fn environments(problem: &Problem, recordings: &Recordings) -> Result<BTreeMap<Source, EnvironmentSampler>, Error> {
    let windows = EnvironmentSampler::of_uplinks(&problem.scenario, recordings.training_uplinks());
    let mut environments = BTreeMap::from([(Source::Windows, windows)]);
    let changes_uplinks = problem.scenario.environment.as_ref().is_some_and(|changes| changes.uplink_mbps.is_some());
    if let Some(sampler) = problem.environments()?.filter(|_| changes_uplinks) {
        environments.insert(Source::Scenario, sampler);
    }
    Ok(environments)
}

/// Joint pre-training with Reptile's number of steps: one run of Adam over all environments mixed, each workload
/// in an environment of its own. The parameters are averaged more and more as Reptile's step size falls.
fn joint(reptile: &meta::Settings, learning_rate: f64) -> meta::Settings {
    meta::Settings {
        tasks: Tasks::Workloads,
        outer_steps: reptile.outer_steps * reptile.meta_batch,
        meta_batch: 1,
        workloads_per_environment: 1,
        inner_learning_rate: learning_rate,
        inner_momentum: 0.9,
        inner_epsilon: 1e-8,
        inner_restart: false,
        ..*reptile
    }
}
