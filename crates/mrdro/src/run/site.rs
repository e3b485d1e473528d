//! Runs that train networks for any site, which dispatch tasks as they arrive.

use std::sync::Arc;

use drl::stream::SiteAgent;
use drl::{StepReport, TrainingLoop};
use model::stream::{Ensemble, Parameters, StreamNetworks};
use model::{Backend, Networks, Record, StateError};
use serde::Serialize;
use sim::scheme::GoesOn;

use super::divergence::LearnedWorkload;
use super::trainee::{Trainee, other_phase};
use super::{Job, Quality, Results, TrainingTotals};
use crate::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use crate::checkpoints::PhaseState;
use crate::error::Error;
use crate::metrics::{Phase, Row};
use crate::observer::{Activity, RunObserver};
use crate::plan::{RunPlan, Target};
use crate::run_dir::RunDir;
use crate::streams::{SettingFindings, evaluate_on_settings, sites_of_settings};
use crate::training::{SiteTraining, TrainingError};

/// The results of a run for any site, as `results.json` holds them.
#[derive(Debug, Clone, Serialize)]
pub struct SiteResults {
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
    /// The comparison of the networks with rules in 16 settings.
    #[serde(flatten)]
    pub findings: SettingFindings,
}

/// The training of networks for any site.
pub(super) struct SiteJob {
    plan: RunPlan,
    training: SiteTraining,
    backend: Backend,
}

impl SiteJob {
    pub(super) fn new(plan: RunPlan, backend: &Backend) -> Self {
        let Target::AnySite { training } = &plan.target else {
            unreachable!("the target decides which job is made");
        };
        let training = (**training).clone();
        Self { plan, training, backend: backend.clone() }
    }

    fn networks(&self, networks: &[Parameters]) -> Arc<dyn Networks> {
        Arc::new(StreamNetworks {
            ensemble: Ensemble::with(networks, &self.backend.device),
            knows_rates: self.training.network.knows_rates,
            sites: self.training.sites.clone(),
        })
    }

    /// The loss in each round. Rounds are not to be compared: with a better base, other places cost more or less.
    fn curve(&self, rows: &[Row]) -> Panel {
        let SiteTraining { name, drl, .. } = &self.training;
        let first_of = |round: usize| if round == 0 { 0 } else { drl.steps + (round - 1) * drl.improvement_steps };
        let series = (0..=drl.improvement_rounds).map(|round| {
            let steps = first_of(round) + 1..=first_of(round + 1);
            let of_round = rows.iter().filter(|row| steps.contains(&row.step));
            let points = of_round.filter_map(|row| Some(Point::exact(row.step as f64, row.loss?)));
            Series { label: format!("round {}", round + 1), style: Style::Markers, points: points.collect() }
        });
        let label = if drl.cross_entropy { "cross-entropy" } else { "expected regret over greedy's mean cost" };
        Panel {
            title: format!("{name}, seed {}", self.plan.seed),
            x: Axis::Linear { label: "steps" },
            y: Axis::Linear { label },
            series: series.collect(),
        }
    }

    fn random(&self) -> Vec<Parameters> {
        self.training.network.random(self.plan.seed)
    }
}

impl Job for SiteJob {
    fn plan(&self) -> &RunPlan {
        &self.plan
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Site]
    }

    fn prepare(&mut self, _: Phase, _: &mut dyn RunObserver, _: &GoesOn<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn trainee<'j>(
        &'j self,
        _: Phase,
        _: &Arc<dyn Networks>,
        every_step: bool,
    ) -> Result<Option<Box<dyn Trainee + 'j>>, Error> {
        let SiteTraining { network, drl, sites, .. } = &self.training;
        let mut settings = drl.clone();
        if every_step {
            settings.report_every = 1;
        }
        let (seed, device) = (self.plan.seed, &self.backend.device);
        let agent = SiteAgent::new(&self.random(), sites.clone(), settings, network.knows_rates, seed, device);
        Ok(Some(Box::new(SiteTrainee { job: self, agent: agent.map_err(TrainingError::from)? })))
    }

    fn first_networks(&self) -> Arc<dyn Networks> {
        self.networks(&self.random())
    }

    /// There is no optimum to compare with at sites of any size.
    fn quality(&self, _: &dyn Networks) -> Result<Quality, Error> {
        Ok(Quality { q2: None, share_of_missed_deadlines: None })
    }

    fn evaluate(
        &self,
        record: &mut Record,
        totals: TrainingTotals,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Results, Error> {
        observer.activity_begins(Activity::EvaluatingSites { sites: sites_of_settings() });
        let findings = evaluate_on_settings("the record", &*record.networks, goes_on, &|_| {})?;
        record.measures = findings.measures();
        Ok(Results::Site(SiteResults {
            training: self.training.name.clone(),
            seed: self.plan.seed,
            device: self.backend.name.clone(),
            threads: rayon::current_num_threads(),
            seconds: totals.seconds.drl,
            findings,
        }))
    }

    fn draw(&self, directory: &RunDir, rows: &[Row], results: &Results) -> Result<(), Error> {
        chart::write_picture(&[self.curve(rows)], Palette::Distinct, &directory.path().join("curves.svg"))?;
        match results {
            Results::Site(results) => results.findings.draw(&directory.path().join("sites.svg")),
            Results::Scenario(_) | Results::Fleet(_) => Ok(()),
        }
    }
}

/// Networks for any site in Algorithm 2.
struct SiteTrainee<'j> {
    job: &'j SiteJob,
    agent: SiteAgent,
}

impl Trainee for SiteTrainee<'_> {
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
        self.job.networks(&self.agent.networks())
    }

    fn state(&self) -> Result<PhaseState, StateError> {
        Ok(PhaseState::Site(self.agent.state()?))
    }

    fn restore(&mut self, state: PhaseState) -> Result<(), StateError> {
        let PhaseState::Site(state) = state else { return Err(other_phase()) };
        self.agent.restore(state)
    }

    fn learned_from(&self, _: Option<usize>) -> Vec<LearnedWorkload> {
        Vec::new()
    }
}
