//! Runs that train networks for any fleet, which decide for every number of devices, tasks and servers.

use std::sync::Arc;

use drl::fleet::FleetAgent;
use drl::{StepReport, TrainingLoop};
use model::fleet::{self, FleetNetworks, Inference};
use model::{Backend, DecisionOptions, Networks, Record, StateError};
use serde::Serialize;
use sim::scheme::GoesOn;

use super::divergence::LearnedWorkload;
use super::trainee::{Trainee, other_phase};
use super::{Job, Quality, Results, TrainingTotals};
use crate::chart;
use crate::checkpoints::PhaseState;
use crate::error::Error;
use crate::fleets::{self, Findings, HeldOutFleet};
use crate::metrics::{Phase, Row};
use crate::observer::{Activity, RunObserver};
use crate::plan::{RunPlan, Target};
use crate::run_dir::RunDir;
use crate::training::{FleetTraining, TrainingError};

/// The fleets on which training is measured at each report, as pairs of the number of devices and the number of fleets.
const WATCHED: [(usize, usize); 2] = [(3, 24), (15, 24)];

/// The results of a run for any fleet, as `results.json` holds them.
#[derive(Debug, Clone, Serialize)]
pub struct FleetResults {
    /// The name of the training.
    pub training: String,
    /// The seed.
    pub seed: u64,
    /// The name of the device that computed.
    pub device: String,
    /// The number of threads.
    pub threads: usize,
    /// Seconds of training.
    pub seconds: f64,
    /// The evaluation of the networks and of classic schemes on fleets of all sizes.
    #[serde(flatten)]
    pub findings: Findings,
}

/// The training of networks for any fleet.
pub(super) struct FleetJob {
    plan: RunPlan,
    training: FleetTraining,
    evaluated_fleets: usize,
    backend: Backend,
    watched: Vec<HeldOutFleet>,
}

impl FleetJob {
    pub(super) fn new(plan: RunPlan, backend: &Backend) -> Self {
        let Target::AnyFleet { training, evaluated_fleets } = &plan.target else {
            unreachable!("the target decides which job is made");
        };
        let (training, evaluated_fleets) = ((**training).clone(), *evaluated_fleets);
        Self { plan, training, evaluated_fleets, backend: backend.clone(), watched: Vec::new() }
    }

    /// The random networks that training starts from.
    fn ensemble(&self) -> fleet::Ensemble {
        let network = &self.training.network;
        fleet::Ensemble::random(network.shape(), network.nets, self.plan.seed, &self.backend.device)
    }

    fn networks(&self, ensemble: fleet::Ensemble) -> Arc<dyn Networks> {
        Arc::new(FleetNetworks { ensemble, fleets: self.training.fleets.clone() })
    }
}

impl Job for FleetJob {
    fn plan(&self) -> &RunPlan {
        &self.plan
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Fleet]
    }

    fn prepare(&mut self, _: Phase, _: &mut dyn RunObserver, goes_on: &GoesOn<'_>) -> Result<(), Error> {
        for (devices, count) in WATCHED {
            self.watched.extend(fleets::draw("watched fleets", devices, count, goes_on)?);
        }
        Ok(())
    }

    fn trainee<'j>(
        &'j self,
        _: Phase,
        _: &Arc<dyn Networks>,
        every_step: bool,
    ) -> Result<Option<Box<dyn Trainee + 'j>>, Error> {
        let mut settings = self.training.drl.clone();
        if every_step {
            settings.report_every = 1;
        }
        let fleets = self.training.fleets.clone();
        let agent = FleetAgent::new(&self.ensemble(), fleets, settings, self.plan.seed).map_err(TrainingError::from)?;
        Ok(Some(Box::new(FleetTrainee { job: self, agent })))
    }

    fn first_networks(&self) -> Arc<dyn Networks> {
        self.networks(self.ensemble())
    }

    /// Q2 against the lowest cost known, of decisions without a search.
    fn quality(&self, networks: &dyn Networks) -> Result<Quality, Error> {
        let options = DecisionOptions { selection: None, inference: Some(Inference::SearchFree) };
        let mut sum = 0.0;
        let Some(first) = self.watched.first() else {
            return Ok(Quality { q2: None, share_of_missed_deadlines: None });
        };
        let mut scheme = networks.scheme("watched", &first.instance.model, &options, &self.backend.device);
        for HeldOutFleet { instance, best } in &self.watched {
            let solution = scheme.decide(&instance.model, &instance.workload)?;
            sum += (best / instance.cost(solution.decision.places())).min(1.0);
        }
        Ok(Quality { q2: Some(sum / self.watched.len() as f64), share_of_missed_deadlines: None })
    }

    fn evaluate(
        &self,
        record: &mut Record,
        totals: TrainingTotals,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Results, Error> {
        observer.activity_begins(Activity::EvaluatingFleets { sizes: fleets::DEVICES.len() });
        let mut done = |sizes| {
            let _ = observer.activity_progress(sizes);
        };
        let (fleets, device) = (self.evaluated_fleets, &self.backend.device);
        let findings = fleets::evaluate_while(record, fleets, device, &mut done, goes_on)?;
        record.measures = findings.measures();
        Ok(Results::Fleet(FleetResults {
            training: self.training.name.clone(),
            seed: self.plan.seed,
            device: self.backend.name.clone(),
            threads: rayon::current_num_threads(),
            seconds: totals.seconds.drl,
            findings,
        }))
    }

    fn draw(&self, directory: &RunDir, rows: &[Row], results: &Results) -> Result<(), Error> {
        let title = format!("{}, seed {}", self.training.name, self.plan.seed);
        chart::learning_curve(&title, rows, &directory.path().join("curves.svg"))?;
        match results {
            Results::Fleet(results) => results.findings.draw(&directory.path().join("fleets.svg")),
            Results::Scenario(_) | Results::Site(_) => Ok(()),
        }
    }
}

/// Networks for any fleet in Algorithm 2.
struct FleetTrainee<'j> {
    job: &'j FleetJob,
    agent: FleetAgent,
}

impl Trainee for FleetTrainee<'_> {
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
        self.job.networks(self.agent.ensemble())
    }

    fn state(&self) -> Result<PhaseState, StateError> {
        Ok(PhaseState::Fleet(self.agent.state()?))
    }

    fn restore(&mut self, state: PhaseState) -> Result<(), StateError> {
        let PhaseState::Fleet(state) = state else { return Err(other_phase()) };
        self.agent.restore(state)
    }

    fn learned_from(&self, _: Option<usize>) -> Vec<LearnedWorkload> {
        Vec::new()
    }
}
