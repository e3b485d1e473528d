//! Runs that train DNNs for one scenario: Algorithm 1, then Algorithm 2, then a comparison with every classic scheme.

use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use data::{Deadlines, DecidedSet, Evaluation, StandardSet};
use drl::{Agent, StepReport, TrainingData, TrainingLoop};
use meta::{MetaReport, Metadata, Reptile};
use model::{
    Backend, Codec, DecisionOptions, DnnNetworks, Ensemble, EnvironmentInputs, NetworkShape, Networks, Record, Scaling,
    Selection, StateError,
};
use serde::Serialize;
use sim::config::{Mistake, Mistakes};
use sim::scheme::GoesOn;

use super::divergence::{LearnedWorkload, LearnedWorkloadId};
use super::trainee::{Trainee, other_phase};
use super::{Job, Quality, Results, TrainingTotals, check_size};
use crate::chart;
use crate::checkpoints::PhaseState;
use crate::comparison;
use crate::error::Error;
use crate::metrics::{Phase, Row};
use crate::observer::{Activity, RunObserver};
use crate::plan::{Phases, RunPlan, Target};
use crate::problem::Problem;
use crate::run_dir::RunDir;
use crate::training::{Training, TrainingError};

/// The results of a run for one scenario, as `results.json` holds them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioResults {
    /// The scenario's name.
    pub scenario: String,
    /// The name of the training.
    pub training: String,
    /// The seed.
    pub seed: u64,
    /// The name of the device that computed.
    pub device: String,
    /// The number of threads.
    pub threads: usize,
    /// Seconds that Algorithm 1 took, labelling included.
    pub meta_seconds: f64,
    /// Seconds that Algorithm 2 took.
    pub drl_seconds: f64,
    /// Q2 of the first parameters, before Algorithm 2.
    pub q2_start: Option<f64>,
    /// The evaluations of the networks and of every classic scheme on the standard set.
    pub evaluations: Vec<Evaluation>,
}

/// The training of DNNs for one scenario.
pub(super) struct ScenarioJob {
    /// If training starts from a record, the settings hold the number and widths of its networks.
    plan: RunPlan,
    training: Training,
    problem: Problem,
    backend: Backend,
    set: StandardSet,
    scaling: Scaling,
    codec: Codec,
    /// The networks that Algorithm 1 starts from, or Algorithm 2 if there is no metadata.
    start: Ensemble,
    /// Whether Algorithm 1 is a part of the run.
    has_meta: bool,
    /// The metadata of Algorithm 1, unless the run is resumed after it.
    metadata: Option<Metadata>,
    labelling: Duration,
}

impl ScenarioJob {
    /// Reads and checks the files that the plan names.
    pub(super) fn new(mut plan: RunPlan, backend: &Backend) -> Result<Self, Error> {
        let Target::Scenario { scenario, training, phases } = &mut plan.target else {
            unreachable!("the target decides which job is made");
        };
        let problem = Problem::new((**scenario).clone())?;
        let mut scaling = Scaling::from(problem.sampler()?.moments());
        let mut started = None;
        if let Some(path) = &plan.start {
            let record = Record::load(path, &backend.device)?;
            record.check_scenario(&problem.scenario, true, path)?;
            let networks: &DnnNetworks = record.networks_of(DnnNetworks::KIND.description, path)?;
            training.network.dnns = networks.ensemble.networks();
            training.network.hidden = networks.ensemble.shape().hidden;
            training.network.code = Some(networks.code);
            training.network.reads_environment = Some(!networks.reads.is_empty());
            scaling = networks.scaling;
            started = Some((networks.reads, networks.ensemble.clone()));
        }
        let starts_from_record = started.is_some();
        let (reads, start) = match started {
            Some((reads, ensemble)) => (reads, Some(ensemble)),
            None => (reads(training, &problem)?, None),
        };
        let code = training.network.code.unwrap_or_else(|| Codec::default_code(&problem.model));
        let codec = Codec::new(code, &problem.model, scaling)?.with_environment(reads);
        let (dnns, hidden) = (training.network.dnns, training.network.hidden.clone());
        let shape = NetworkShape { inputs: codec.inputs(), hidden, outputs: codec.outputs() };
        check_sizes(&shape, training)?;
        let start = start.unwrap_or_else(|| Ensemble::random(&shape, dnns, plan.seed, &backend.device));
        let set = StandardSet::unsolved(&problem.scenario, &problem.model)?;
        let prepares = !starts_from_record || *phases == Phases::MetaOnly;
        let has_meta = training.meta.outer_steps > 0 && prepares;
        let (training, backend) = ((**training).clone(), backend.clone());
        let (metadata, labelling) = (None, Duration::ZERO);
        Ok(Self { plan, training, problem, backend, set, scaling, codec, start, has_meta, metadata, labelling })
    }

    fn networks(&self, ensemble: Ensemble) -> DnnNetworks {
        DnnNetworks {
            ensemble,
            scenario: self.problem.scenario.clone(),
            code: self.codec.code(),
            scaling: self.scaling,
            reads: self.codec.reads(),
            selection: self.training.decision,
        }
    }

    fn device(&self) -> &Device {
        &self.backend.device
    }
}

impl Job for ScenarioJob {
    fn plan(&self) -> &RunPlan {
        &self.plan
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Meta, Phase::Drl]
    }

    /// Computes the optima of the standard set, and labels the metadata.
    fn prepare(&mut self, from: Phase, observer: &mut dyn RunObserver, goes_on: &GoesOn<'_>) -> Result<(), Error> {
        self.set.solve(goes_on)?;
        if self.has_meta && from <= Phase::Meta {
            let begin = Instant::now();
            observer.activity_begins(Activity::Labelling);
            let mut workloads = self.problem.workloads(self.plan.seed, "metadata")?;
            self.metadata = Some(meta::label_while(&self.training.meta, &mut workloads, &self.codec, goes_on)?);
            self.labelling = begin.elapsed();
        }
        Ok(())
    }

    fn trainee<'j>(
        &'j self,
        phase: Phase,
        first: &Arc<dyn Networks>,
        every_step: bool,
    ) -> Result<Option<Box<dyn Trainee + 'j>>, Error> {
        let seed = self.plan.seed;
        if phase == Phase::Meta {
            let Some(metadata) = &self.metadata else { return Ok(None) };
            let mut settings = self.training.meta;
            if every_step {
                settings.report_every = 1;
            }
            let reptile = Reptile::new(&self.start, metadata, settings, seed).map_err(TrainingError::from)?;
            return Ok(Some(Box::new(MetaTrainee { job: self, reptile })));
        }
        let mut settings = self.training.drl;
        if settings.steps == 0 {
            return Ok(None);
        }
        if every_step {
            settings.report_every = 1;
        }
        let first: &DnnNetworks = first.downcast_ref().expect("a run trains networks of one kind");
        let data = TrainingData { workloads: self.problem.workloads(seed, "workloads")?, codec: self.codec };
        let agent = Agent::new(data, &first.ensemble, settings, seed).map_err(TrainingError::from)?;
        Ok(Some(Box::new(DrlTrainee { job: self, agent })))
    }

    fn first_networks(&self) -> Arc<dyn Networks> {
        Arc::new(self.networks(self.start.clone()))
    }

    fn quality(&self, networks: &dyn Networks) -> Result<Quality, Error> {
        let options = DecisionOptions { selection: Some(Selection::PAPER), inference: None };
        let mut scheme = networks.scheme("mr-dro", &self.problem.model, &options, self.device());
        let DecidedSet { costs, deadlines } = self.set.decide(&mut *scheme)?;
        Ok(Quality { q2: self.set.q2(&costs), share_of_missed_deadlines: deadlines.map(Deadlines::share) })
    }

    fn preparing(&self) -> Duration {
        self.labelling
    }

    fn evaluate(
        &self,
        record: &mut Record,
        totals: TrainingTotals,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Results, Error> {
        observer.activity_begins(Activity::Evaluating);
        let model = &self.problem.model;
        let records = [(String::new(), record.clone())];
        let schemes = comparison::with_classic(&records, model, self.plan.seed, self.device());
        let comparison::Comparison { evaluations, left_out } =
            comparison::evaluate_all_while(schemes, &self.set, goes_on)?;
        for (scheme, reason) in &left_out {
            observer.note(&format!("{scheme} is left out: {reason}"));
        }
        let measures = evaluations.iter().flat_map(|row| {
            let name = row.scheme.replace(['-', '+'], "_");
            let missed =
                row.share_of_missed_deadlines.map(|share| (format!("share_of_missed_deadlines_{name}"), share));
            row.q2.map(|q2| (format!("q2_{name}"), q2)).into_iter().chain(missed)
        });
        record.measures = measures.chain(totals.q2_start.map(|q2| ("q2_mr_dro_before_drl".to_owned(), q2))).collect();
        Ok(Results::Scenario(ScenarioResults {
            scenario: self.problem.scenario.name.clone(),
            training: self.training.name.clone(),
            seed: self.plan.seed,
            device: self.backend.name.clone(),
            threads: rayon::current_num_threads(),
            meta_seconds: totals.seconds.meta,
            drl_seconds: totals.seconds.drl,
            q2_start: totals.q2_start,
            evaluations,
        }))
    }

    fn draw(&self, directory: &RunDir, rows: &[Row], _: &Results) -> Result<(), Error> {
        let (scenario, training) = (&self.problem.scenario.name, &self.training.name);
        let title = format!("{scenario}, training {training}, seed {}", self.plan.seed);
        chart::learning_curve(&title, rows, &directory.path().join("curves.svg"))
    }
}

/// DNNs in Algorithm 1.
struct MetaTrainee<'j> {
    job: &'j ScenarioJob,
    reptile: Reptile<'j>,
}

impl Trainee for MetaTrainee<'_> {
    fn steps(&self) -> usize {
        self.job.training.meta.outer_steps
    }

    fn done(&self) -> usize {
        self.reptile.step()
    }

    fn advance(&mut self, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        let MetaReport { step, losses, .. } = self.reptile.advance_while(goes_on)?;
        Some(StepReport::new(step, losses))
    }

    fn networks(&self) -> Arc<dyn Networks> {
        Arc::new(self.job.networks(self.reptile.ensemble().clone()))
    }

    fn state(&self) -> Result<PhaseState, StateError> {
        Ok(PhaseState::Meta(self.reptile.state()?))
    }

    fn restore(&mut self, state: PhaseState) -> Result<(), StateError> {
        let PhaseState::Meta(state) = state else { return Err(other_phase()) };
        self.reptile.restore(&state)
    }

    fn learned_from(&self, network: Option<usize>) -> Vec<LearnedWorkload> {
        let (job, settings) = (self.job, self.job.training.meta);
        let (Some(network), Ok(mut workloads)) = (network, job.problem.workloads(job.plan.seed, "metadata")) else {
            return Vec::new();
        };
        let changes = workloads.changes_environment();
        let per_environment = settings.workloads_per_environment;
        let drawn = meta::draw(settings.metadata, per_environment, &mut workloads);
        let line = |row: usize| {
            let instance = &drawn[row];
            let id = LearnedWorkloadId { workload: row, places: Vec::new(), cost: None };
            LearnedWorkload::new(
                id,
                instance.workload.tasks(),
                instance.workload.sizes_bytes(),
                changes.then_some(instance.model.environment()),
            )
        };
        self.reptile.batches(network).map(line).collect()
    }
}

/// DNNs in Algorithm 2.
struct DrlTrainee<'j> {
    job: &'j ScenarioJob,
    agent: Agent,
}

impl Trainee for DrlTrainee<'_> {
    fn steps(&self) -> usize {
        self.agent.steps()
    }

    fn done(&self) -> usize {
        self.agent.step()
    }

    fn advance(&mut self, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        self.agent.next_report_while(goes_on)
    }

    fn networks(&self) -> Arc<dyn Networks> {
        Arc::new(self.job.networks(self.agent.ensemble()))
    }

    fn state(&self) -> Result<PhaseState, StateError> {
        Ok(PhaseState::Drl(self.agent.state()?))
    }

    fn restore(&mut self, state: PhaseState) -> Result<(), StateError> {
        let PhaseState::Drl(state) = state else { return Err(other_phase()) };
        self.agent.restore(state)
    }

    fn learned_from(&self, network: Option<usize>) -> Vec<LearnedWorkload> {
        let (tasks, buffer) = (self.job.problem.model.tasks(), self.agent.buffer());
        let line = |(workload, sample): (usize, drl::Sample<'_>)| {
            let id = LearnedWorkloadId { workload, places: sample.places.to_vec(), cost: Some(sample.cost) };
            LearnedWorkload::new(id, tasks, sample.sizes_bytes, sample.environment)
        };
        if let Some(network) = network {
            self.agent.batch(network).enumerate().map(line).collect()
        } else {
            let samples = (0..buffer.len()).map(|row| (row, buffer.sample(row)));
            samples.filter(|(_, sample)| !sample.cost.is_finite()).take(1).map(line).collect()
        }
    }
}

/// The inputs that networks read in addition to task sizes: the parts of the environment that change, unless the
/// settings turn them off.
fn reads(training: &Training, problem: &Problem) -> Result<EnvironmentInputs, Error> {
    match problem.environments()? {
        Some(environments) if training.network.reads_environment != Some(false) => Ok(environments.moments().into()),
        None if training.network.reads_environment == Some(true) => {
            let message = format!(
                "needs a scenario with an [environment] that changes, and `{}` has none",
                problem.scenario.name
            );
            let list = vec![Mistake::new("network.reads_environment", message)];
            let mistakes = Mistakes { origin: format!("training `{}`", training.name), list };
            Err(TrainingError::Invalid(mistakes).into())
        }
        _ => Ok(EnvironmentInputs::default()),
    }
}

fn check_sizes(shape: &NetworkShape, training: &Training) -> Result<(), Error> {
    check_size("the parameters of network", shape.parameters().saturating_mul(training.network.dnns))?;
    check_samples("the samples of drl.buffer", shape, training.drl.buffer)?;
    check_samples("the samples of meta.metadata", shape, training.meta.metadata)
}

/// Refuses a number of samples that would not fit into memory.
pub(crate) fn check_samples(what: &'static str, shape: &NetworkShape, samples: usize) -> Result<(), Error> {
    let row = shape.inputs.saturating_mul(3).saturating_add(shape.outputs);
    check_size(what, samples.saturating_mul(row))
}
