//! Runs of training, from a plan to a record: [`train`] begins one, [`resume`] goes on with one that did not end.
//!
//! A run writes a directory:
//!
//! ```text
//! RUN_DIR/
//! ├── config.toml     the plan, with every setting
//! ├── metrics.csv     how training went
//! ├── checkpoints/    while the run lasts: what it needs to be resumed
//! ├── record/         the trained networks
//! ├── results.json    how good they are
//! ├── results.csv
//! └── curves.svg      metrics.csv as a picture (for any fleet also fleets.svg)
//! ```
//!
//! Whatever learns, a run does the same for it: it asks for steps up to the next report, writes down how training stands,
//! keeps checkpoints, and stops where a number is not finite.

mod divergence;
mod fleet;
mod resume;
mod scenario;
mod trainee;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drl::StepReport;
use model::{Backend, Networks, Record};

pub use self::fleet::FleetResults;
pub use self::resume::{Unfinished, resume};
pub use self::scenario::ScenarioResults;
pub(crate) use self::scenario::check_samples;
use self::trainee::Trainee;
use crate::checkpoints::{Checkpoints, PhaseState, RunState, Seconds};
use crate::device_failure;
use crate::error::Error;
use crate::files::{csv, json};
use crate::metrics::{MetricsFile, Phase, Row};
use crate::observer::{Progress, RunObserver};
use crate::plan::{PROGRAM, RunPlan, Target};
use crate::run_dir::RunDir;

/// Name of the file that holds the plan of a run.
pub(crate) const CONFIGURATION: &str = "config.toml";
/// Name of the file that holds what a run found.
pub(crate) const RESULTS: &str = "results.json";

/// Where and how often a run writes.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The run directory, which must be new or empty; `None`: a new one under `runs/`.
    pub out: Option<PathBuf>,
    /// When checkpoints are written.
    pub checkpoints: CheckpointInterval,
}

/// How often a run keeps its whole state, so that it can be resumed from there: after some time or some steps of a phase,
/// whichever comes first. Both are rounded up to the next report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointInterval {
    /// The longest time between two checkpoints.
    pub time: Duration,
    /// The most steps between two checkpoints.
    pub steps: Option<usize>,
}

impl CheckpointInterval {
    /// Seconds between two checkpoints where nothing else is said. Writing one takes a few thousandths of this.
    pub const SECONDS: u64 = 10;
}

impl Default for CheckpointInterval {
    fn default() -> Self {
        Self { time: Duration::from_secs(Self::SECONDS), steps: None }
    }
}

/// A finished run.
#[derive(Debug)]
pub struct Trained {
    /// Its directory.
    pub directory: PathBuf,
    /// The trained networks.
    pub record: Record,
    /// How good they are.
    pub results: Results,
}

/// What a run found.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Results {
    /// DNNs for one scenario, beside every classic scheme.
    Scenario(ScenarioResults),
    /// Networks for any fleet, on fleets of all sizes.
    Fleet(FleetResults),
}

/// Trains as a plan says and evaluates the record. Everything is read and checked before the run directory is made.
///
/// # Errors
/// If the plan cannot be followed, training diverges, the observer stops the run or fails, the device is lost, or something
/// cannot be written.
pub fn train(
    plan: RunPlan,
    options: &RunOptions,
    backend: &Backend,
    observer: &mut dyn RunObserver,
) -> Result<Trained, Error> {
    let prepare = || -> Result<Run, Error> {
        let job = job(&plan, backend, Phase::Meta, observer)?;
        let directory = RunDir::create(options.out.as_deref(), &plan.name())?;
        directory.write(CONFIGURATION, job.plan().configuration(&backend.name).as_bytes())?;
        let metrics = MetricsFile::create(&directory)?;
        let checkpoints = Checkpoints::create(directory.path(), &plan.request(), observer)?;
        Ok(Run::new(job, backend, RunFiles { directory, metrics, checkpoints }, None))
    };
    device_failure::catch(backend, prepare)?.finish(options, observer)
}

/// What is trained, and what it is measured on.
trait Job {
    /// The plan, as the networks that training starts from make it.
    fn plan(&self) -> &RunPlan;

    /// The phases, in order.
    fn phases(&self) -> &'static [Phase];

    /// What learns in a phase, before its first step. `first` are the networks that the phase before left.
    ///
    /// `every_step`: whether each step is reported.
    fn trainee<'j>(
        &'j self,
        phase: Phase,
        first: &Arc<dyn Networks>,
        every_step: bool,
    ) -> Result<Option<Box<dyn Trainee + 'j>>, Error>;

    /// The networks before the first phase.
    fn first_networks(&self) -> Arc<dyn Networks>;

    /// Q2 on workloads that training never draws; `None` if the optimum is not known.
    fn q2(&self, networks: &dyn Networks) -> Result<Option<f64>, Error>;

    /// Seconds totals before the first step.
    fn preparing(&self) -> Duration {
        Duration::ZERO
    }

    /// Evaluates the record, and notes its measures in it.
    fn evaluate(
        &self,
        record: &mut Record,
        totals: TrainingTotals,
        observer: &mut dyn RunObserver,
    ) -> Result<Results, Error>;

    /// The rows of `results.csv`.
    fn results_csv(&self, results: &Results) -> String {
        match results {
            Results::Scenario(results) => csv(&results.evaluations),
            Results::Fleet(results) => csv(&results.findings.rows),
        }
    }

    /// Draws the pictures of the run directory.
    fn draw(&self, directory: &RunDir, rows: &[Row], results: &Results) -> Result<(), Error>;
}

/// What training took and where it began.
#[derive(Debug, Clone, Copy)]
struct TrainingTotals {
    seconds: Seconds,
    /// Q2 of the first parameters.
    q2_start: Option<f64>,
}

/// The job of a plan; phases before `from` are not prepared.
fn job(plan: &RunPlan, backend: &Backend, from: Phase, observer: &mut dyn RunObserver) -> Result<Box<dyn Job>, Error> {
    match &plan.target {
        Target::Scenario { .. } => Ok(Box::new(scenario::ScenarioJob::prepare(plan.clone(), backend, from, observer)?)),
        Target::AnyFleet { .. } => Ok(Box::new(fleet::FleetJob::prepare(plan.clone(), backend)?)),
    }
}

/// What a run writes to while it lasts.
struct RunFiles {
    directory: RunDir,
    metrics: MetricsFile,
    checkpoints: Checkpoints,
}

/// A run with everything it needs.
struct Run {
    job: Box<dyn Job>,
    backend: Backend,
    files: RunFiles,
    /// Where the run is resumed, if it is.
    state: Option<PhaseState>,
    q2_start: Option<f64>,
    /// TrainingTotals before the present phase.
    seconds: Seconds,
    phase_began: Instant,
}

impl Run {
    fn new(job: Box<dyn Job>, backend: &Backend, files: RunFiles, saved: Option<RunState>) -> Self {
        let (state, q2_start, seconds) = match saved {
            Some(RunState { state, q2_start, seconds, .. }) => (Some(state), q2_start, seconds),
            None => (None, None, Seconds::default()),
        };
        let phase_began = Instant::now();
        Self { job, backend: backend.clone(), files, state, q2_start, seconds, phase_began }
    }

    /// Does the work. Checkpoints outlive a device that is lost.
    fn finish(mut self, options: &RunOptions, observer: &mut dyn RunObserver) -> Result<Trained, Error> {
        let CheckpointInterval { time, steps } = options.checkpoints;
        self.files.checkpoints.every(time, steps);
        let backend = self.backend.clone();
        let result = device_failure::catch(&backend, || self.work(observer));
        result.map_err(|error| match error {
            Error::DeviceFailed { device, reason, .. } => {
                let kept = self.files.checkpoints.latest_record().map(PathBuf::into_boxed_path);
                std::mem::forget(self); // giving memory back to a device that is lost may fail once more
                Error::DeviceFailed { device, reason, kept }
            }
            error => error,
        })
    }

    fn work(&mut self, observer: &mut dyn RunObserver) -> Result<Trained, Error> {
        let mut networks = self.job.first_networks();
        self.seconds.meta += self.job.preparing().as_secs_f64();
        let mut state = self.state.take();
        let resumed = state.as_ref().map(PhaseState::phase);
        for &phase in self.job.phases() {
            // The state of a later phase holds the networks that the earlier ones left.
            if resumed.is_some_and(|resumed| phase < resumed) {
                continue;
            }
            self.phase_began = Instant::now();
            let state = state.take_if(|state| state.phase() == phase);
            networks = self.train_phase(phase, networks, state, observer)?;
            *self.seconds.of(phase) += self.phase_began.elapsed().as_secs_f64();
            if phase == Phase::Meta {
                self.q2_start = self.job.q2(&*networks)?;
            }
        }
        self.files.metrics.close()?;
        let mut record = self.record(networks);
        let totals = TrainingTotals { seconds: self.seconds, q2_start: self.q2_start };
        let results = self.job.evaluate(&mut record, totals, observer)?;
        self.write(&record, &results)?;
        let directory = self.files.directory.path().to_owned();
        Ok(Trained { directory, record, results })
    }

    /// Trains one phase, from its beginning or from where it stood.
    fn train_phase(
        &mut self,
        phase: Phase,
        first: Arc<dyn Networks>,
        state: Option<PhaseState>,
        observer: &mut dyn RunObserver,
    ) -> Result<Arc<dyn Networks>, Error> {
        // The job outlives the borrow of what the run writes.
        let Self { job, files, .. } = self;
        let Some(mut trainee) = job.trainee(phase, &first, false)? else { return Ok(first) };
        if let Some(state) = state {
            trainee.restore(state)?;
        }
        let steps = trainee.steps();
        observer.phase_begins(phase, trainee.done(), steps);
        let (q2_start, mut seconds, began) = (self.q2_start, self.seconds, self.phase_began);
        while let Some(report) = trainee.advance() {
            let networks = trainee.networks();
            let StepReport { step, loss, q1, buffer_mean_cost, .. } = report;
            if let Some(divergence) = divergence::of(&report, &*networks) {
                drop(trainee);
                let found = self.find_divergence(phase, &first, observer).unwrap_or(None);
                return Err(self.diverged(phase, step, divergence, found));
            }
            let q2 = job.q2(&*networks)?;
            let progress = Progress { phase, step, steps, loss, q1, q2 };
            let flow = observer.progress(&progress).map_err(Error::Observer)?;
            files.metrics.add(Row { phase, step, loss, q1, q2, buffer_mean_cost })?;
            if flow.is_continue() && !files.checkpoints.due(step) {
                continue;
            }
            let before = *seconds.of(phase);
            *seconds.of(phase) += began.elapsed().as_secs_f64();
            let rows = files.metrics.rows().to_vec();
            let saved = RunState { rows, q2_start, seconds, state: trainee.state()? };
            *seconds.of(phase) = before;
            let mut record = record_of(&**job, networks, &self.backend);
            record.provenance.insert("checkpoint".to_owned(), format!("{phase} step {step}"));
            files.checkpoints.save(phase, step, |path| record.save(path), &saved)?;
            if flow == ControlFlow::Break(()) {
                let run = files.directory.path().to_owned();
                return Err(Error::Stopped { run, phase: phase.name(), step });
            }
        }
        Ok(trainee.networks())
    }

    fn record(&self, networks: Arc<dyn Networks>) -> Record {
        record_of(&*self.job, networks, &self.backend)
    }

    /// Writes what the run found: data before pictures.
    fn write(&self, record: &Record, results: &Results) -> Result<(), Error> {
        let directory = &self.files.directory;
        let path = directory.path().join("record");
        // A run that is resumed just before its end finds a record already.
        let _ = fs::remove_dir_all(&path);
        record.save(&path)?;
        directory.write(RESULTS, &json(results))?;
        directory.write("results.csv", self.job.results_csv(results).as_bytes())?;
        self.job.draw(directory, self.files.metrics.rows(), results)?;
        self.files.checkpoints.clear();
        Ok(())
    }
}

/// A record of these networks that says how the run made them.
fn record_of(job: &dyn Job, networks: Arc<dyn Networks>, backend: &Backend) -> Record {
    let plan = job.plan();
    let training = match &plan.target {
        Target::Scenario { training, .. } => &training.name,
        Target::AnyFleet { training, .. } => &training.name,
    };
    let mut record = Record::of(networks);
    let notes = [
        ("command", plan.command()),
        ("device", backend.name.clone()),
        ("program", PROGRAM.to_owned()),
        ("seed", plan.seed.to_string()),
        ("source_revision", env!("SOURCE_REVISION").to_owned()),
        ("training", training.clone()),
    ];
    record.provenance.extend(notes.map(|(key, value)| (key.to_owned(), value)));
    record
}

/// Refuses what is too much for memory before anything is allocated or written.
fn check_size(what: &'static str, count: usize) -> Result<(), Error> {
    let limit = model::MAX_PARAMETERS;
    if count > limit { Err(Error::TooLarge { what, count, limit }) } else { Ok(()) }
}
