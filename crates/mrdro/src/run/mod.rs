//! Training runs, from a plan to a record: [`train`] begins a run, [`resume`] continues one that did not finish.
//!
//! A run writes a directory:
//!
//! ```text
//! RUN_DIR/
//! ├── config.toml     the plan, with every setting
//! ├── metrics.csv     the progress of training
//! ├── checkpoints/    the state of training, until the run is finished
//! ├── record/         the trained networks
//! ├── results.json    the evaluation of the networks
//! ├── results.csv     the rows of the evaluation
//! └── curves.svg      metrics.csv as a picture (for any fleet also fleets.svg, for any site sites.svg)
//! ```
//!
//! and with [`RunOptions::tensorboard`] event files as well.
//!
//! A run is the same for all networks: it trains a [`Trainee`] until the next report, writes a row of metrics, writes
//! checkpoints when they are due, and stops if a number is not finite. A [`Job`] says which networks are trained, in which
//! phases, and how they are evaluated.

mod divergence;
mod fleet;
mod resume;
mod scenario;
mod site;
mod trainee;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drl::StepReport;
use model::{Backend, Networks, Record};
use sim::scheme::GoesOn;

pub use self::fleet::FleetResults;
pub use self::resume::{Unfinished, resume};
pub use self::scenario::ScenarioResults;
pub(crate) use self::scenario::check_samples;
pub use self::site::SiteResults;
use self::trainee::Trainee;
use crate::checkpoints::{Checkpoints, PhaseState, RunState, Seconds, start_of};
use crate::device_failure;
use crate::error::Error;
use crate::files::{csv, json};
use crate::metrics::{MetricsFile, Phase, Row};
use crate::observer::{Progress, RunObserver};
use crate::plan::{PROGRAM, RunPlan, Target};
use crate::run_dir::RunDir;
use crate::tensorboard::EventFile;

/// Name of the file that holds the plan of a run.
pub(crate) const CONFIGURATION: &str = "config.toml";
/// Name of the file that holds what a run found.
pub(crate) const RESULTS: &str = "results.json";

/// Where a run writes, how often it writes checkpoints, and for which programs it writes its progress.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The run directory, which must be new or empty; `None` makes one under `runs/`.
    pub out: Option<PathBuf>,
    /// The interval between checkpoints; `None`: the default for a new run, and for a resumed run the interval that it had.
    pub checkpoints: Option<CheckpointInterval>,
    /// Whether the run also writes its progress as event files for TensorBoard, as [`tensorboard`](crate::tensorboard)
    /// describes. A run that was started with it writes them when it is resumed, too.
    pub tensorboard: bool,
    /// A record in memory whose networks training for one scenario starts from. It counts in place of [`RunPlan::start`], which
    /// says what errors and the record's command call it. The run keeps a copy until it is finished.
    pub start: Option<Record>,
}

/// The interval between checkpoints: some time or some steps of a phase, whichever is over first. A checkpoint is written at
/// the next report after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointInterval {
    /// The longest time between two checkpoints.
    pub time: Duration,
    /// The most steps between two checkpoints; `None` sets no limit.
    pub steps: Option<usize>,
}

impl CheckpointInterval {
    /// The default time between two checkpoints, in seconds. Writing one takes a few thousandths of it.
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
    /// The run directory.
    pub directory: PathBuf,
    /// The trained networks.
    pub record: Record,
    /// The evaluation of the networks.
    pub results: Results,
}

/// The evaluation of the networks that a run trained.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Results {
    /// Results of DNNs for one scenario and of every classic scheme.
    Scenario(ScenarioResults),
    /// Results of networks for any fleet, on fleets of all sizes.
    Fleet(FleetResults),
    /// Results of networks for any site, in 16 settings.
    Site(SiteResults),
}

/// Trains networks as a plan says, evaluates them, and writes a run directory. All inputs are read and checked before the
/// directory is made.
///
/// # Errors
/// If a file that the plan names cannot be read or used, the networks are too large, training diverges, the observer stops
/// the run ([`Error::Stopped`]) or fails, the device is lost, or the directory cannot be written.
pub fn train(
    plan: RunPlan,
    options: &RunOptions,
    backend: &Backend,
    observer: &mut dyn RunObserver,
) -> Result<Trained, Error> {
    train_while(plan, options, backend, observer, &|| true)
}

/// [`train`] as long as `goes_on`. When it says no, the run stops within a step of training or a decision of labelling or
/// evaluating, wherever it is, and writes a checkpoint. [`resume`] continues from there to the same bytes.
///
/// # Errors
/// As [`train`], and [`Error::Stopped`] if `goes_on` says no.
pub fn train_while(
    plan: RunPlan,
    options: &RunOptions,
    backend: &Backend,
    observer: &mut dyn RunObserver,
    goes_on: &GoesOn<'_>,
) -> Result<Trained, Error> {
    let prepare = || -> Result<Run, Error> {
        let (name, interval) = (plan.name(), options.checkpoints.unwrap_or_default());
        let mut request = plan.request(interval);
        request.tensorboard = options.tensorboard;
        request.keeps_start = options.start.is_some();
        RunDir::check(options.out.as_deref(), &name)?;
        let mut job = job(plan, options.start.clone(), backend)?;
        let prepared = job.prepare(Phase::Meta, observer, goes_on);
        let is_stopped = prepared.as_ref().is_err_and(Error::is_interrupted);
        if !is_stopped {
            prepared?;
        }
        // A run that is stopped here has a directory, too, so that it can be resumed.
        let directory = RunDir::create(options.out.as_deref(), &name)?;
        directory.write(CONFIGURATION, job.plan().configuration(&backend.name).as_bytes())?;
        let metrics = MetricsFile::create(&directory)?;
        let events = options.tensorboard.then(|| EventFile::create(directory.path())).transpose()?;
        let checkpoints = Checkpoints::create(directory.path(), &request, interval, observer)?;
        if let Some(start) = &options.start {
            start.save(&start_of(directory.path()))?;
        }
        if is_stopped {
            return Err(Error::Stopped { run: directory.path().to_owned(), phase: job.phases()[0].name(), step: 0 });
        }
        Ok(Run::new(job, backend, RunFiles { directory, metrics, events, checkpoints }, None))
    };
    device_failure::catch(backend, prepare)?.finish(observer, goes_on)
}

/// The networks that a run trains, and their evaluation.
trait Job {
    /// The plan. If training starts from a record, its settings hold the number and widths of the record's networks.
    fn plan(&self) -> &RunPlan;

    /// The phases, in order.
    fn phases(&self) -> &'static [Phase];

    /// Does what takes long before training, as long as `goes_on`. Phases before `from` are not prepared.
    fn prepare(&mut self, from: Phase, observer: &mut dyn RunObserver, goes_on: &GoesOn<'_>) -> Result<(), Error>;

    /// The trainee of a phase, before its first step; `None` if the phase is left out. `first` are the networks that the
    /// phase before has trained. With `every_step` each step is reported.
    fn trainee<'j>(
        &'j self,
        phase: Phase,
        first: &Arc<dyn Networks>,
        every_step: bool,
    ) -> Result<Option<Box<dyn Trainee + 'j>>, Error>;

    /// The networks before the first phase.
    fn first_networks(&self) -> Arc<dyn Networks>;

    /// The quality of networks on workloads that training never draws.
    fn quality(&self, networks: &dyn Networks) -> Result<Quality, Error>;

    /// The time spent before the first step.
    fn preparing(&self) -> Duration {
        Duration::ZERO
    }

    /// Evaluates the networks of a record as long as `goes_on`, and adds its measures to the record.
    fn evaluate(
        &self,
        record: &mut Record,
        totals: TrainingTotals,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Results, Error>;

    /// The rows of `results.csv`.
    fn results_csv(&self, results: &Results) -> String {
        match results {
            Results::Scenario(results) => csv(&results.evaluations),
            Results::Fleet(results) => csv(&results.findings.rows),
            Results::Site(results) => csv(&results.findings.rows),
        }
    }

    /// Draws the pictures of the run directory.
    fn draw(&self, directory: &RunDir, rows: &[Row], results: &Results) -> Result<(), Error>;
}

/// The quality of networks in training.
#[derive(Debug, Clone, Copy)]
struct Quality {
    /// `None` if the optimum is not known.
    q2: Option<f64>,
    /// The share of the tasks with a deadline that miss it; `None` if no task has a deadline.
    share_of_missed_deadlines: Option<f64>,
}

/// The times of training, and the quality from which Algorithm 2 started.
#[derive(Debug, Clone, Copy)]
struct TrainingTotals {
    seconds: Seconds,
    /// Q2 of the first parameters.
    q2_start: Option<f64>,
}

/// The job of a plan, which is to be prepared. Training starts from `start`, or without one from the record that the plan names.
fn job(plan: RunPlan, start: Option<Record>, backend: &Backend) -> Result<Box<dyn Job>, Error> {
    match &plan.target {
        Target::Scenario { .. } => Ok(Box::new(scenario::ScenarioJob::new(plan, start, backend)?)),
        Target::AnyFleet { .. } => Ok(Box::new(fleet::FleetJob::new(plan, backend))),
        Target::AnySite { .. } => Ok(Box::new(site::SiteJob::new(plan, backend))),
    }
}

/// The files that a run writes while it trains.
struct RunFiles {
    directory: RunDir,
    metrics: MetricsFile,
    /// The event file, if the run writes one.
    events: Option<EventFile>,
    checkpoints: Checkpoints,
}

impl RunFiles {
    /// Writes a row of metrics.
    fn add(&mut self, row: Row) -> Result<(), Error> {
        if let Some(events) = &mut self.events {
            events.add_row(&row)?;
        }
        self.metrics.add(row)
    }

    /// Makes sure that all metrics are on the disk.
    fn sync(&mut self) -> Result<(), Error> {
        self.events.as_ref().map_or(Ok(()), EventFile::sync)?;
        self.metrics.close()
    }
}

/// The networks and the state of a run after a step.
struct Checkpoint {
    phase: Phase,
    step: usize,
    networks: Arc<dyn Networks>,
    saved: RunState,
}

/// A run that is ready to train.
struct Run {
    job: Box<dyn Job>,
    backend: Backend,
    files: RunFiles,
    /// The state to resume from, if the run is resumed.
    state: Option<PhaseState>,
    /// The end of the last phase that was trained.
    ended: Option<Checkpoint>,
    q2_start: Option<f64>,
    /// Seconds before the present phase, or before the state to resume from.
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
        Self { job, backend: backend.clone(), files, state, ended: None, q2_start, seconds, phase_began }
    }

    /// Trains and evaluates. If the device is lost, the error names the last checkpoint.
    fn finish(mut self, observer: &mut dyn RunObserver, goes_on: &GoesOn<'_>) -> Result<Trained, Error> {
        let backend = self.backend.clone();
        let result = device_failure::catch(&backend, || match self.work(observer, goes_on) {
            Err(error) if error.is_interrupted() => Err(self.stop_after_phase()?),
            result => result,
        });
        result.map_err(|error| match error {
            Error::DeviceFailed { device, reason, .. } => {
                let kept = self.files.checkpoints.latest_record().map(PathBuf::into_boxed_path);
                std::mem::forget(self); // freeing memory on a lost device may panic again
                Error::DeviceFailed { device, reason, kept }
            }
            error => error,
        })
    }

    fn work(&mut self, observer: &mut dyn RunObserver, goes_on: &GoesOn<'_>) -> Result<Trained, Error> {
        let mut networks = self.job.first_networks();
        self.seconds.meta += self.job.preparing().as_secs_f64();
        let mut state = self.state.take();
        let resumed = state.as_ref().map(PhaseState::phase);
        for &phase in self.job.phases() {
            // The state to resume from holds the networks of the phases before.
            if resumed.is_some_and(|resumed| phase < resumed) {
                continue;
            }
            self.phase_began = Instant::now();
            let state = state.take_if(|state| state.phase() == phase);
            networks = self.train_phase(phase, networks, state, observer, goes_on)?;
            *self.seconds.of(phase) += self.phase_began.elapsed().as_secs_f64();
            if phase == Phase::Meta {
                self.q2_start = self.job.quality(&*networks)?.q2;
            }
        }
        self.files.sync()?;
        let mut record = self.record(networks);
        let totals = TrainingTotals { seconds: self.seconds, q2_start: self.q2_start };
        let results = self.job.evaluate(&mut record, totals, observer, goes_on)?;
        self.write(&record, &results)?;
        let directory = self.files.directory.path().to_owned();
        Ok(Trained { directory, record, results })
    }

    /// Writes a checkpoint of the end of the last phase, for a run that is stopped while it trains no other, and makes the error
    /// of the run.
    fn stop_after_phase(&mut self) -> Result<Error, Error> {
        let run = self.files.directory.path().to_owned();
        let Some(ended) = self.ended.take() else {
            return Ok(Error::Stopped { run, phase: self.job.phases()[0].name(), step: 0 });
        };
        let (phase, step) = (ended.phase.name(), ended.step);
        save(&mut self.files, &*self.job, &self.backend, ended)?;
        Ok(Error::Stopped { run, phase, step })
    }

    /// Trains one phase, from its beginning or from a state.
    fn train_phase(
        &mut self,
        phase: Phase,
        first: Arc<dyn Networks>,
        state: Option<PhaseState>,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Arc<dyn Networks>, Error> {
        // Borrows of different fields: the trainee borrows the job while the files are written.
        let Self { job, files, backend, .. } = self;
        let Some(mut trainee) = job.trainee(phase, &first, false)? else { return Ok(first) };
        if let Some(state) = state {
            trainee.restore(state)?;
        }
        let steps = trainee.steps();
        observer.phase_begins(phase, trainee.done(), steps);
        files.checkpoints.phase_begins(trainee.done());
        let (q2_start, seconds, began) = (self.q2_start, self.seconds, self.phase_began);
        let state_of = |trainee: &dyn Trainee, files: &RunFiles| -> Result<RunState, Error> {
            let (mut seconds, rows) = (seconds, files.metrics.rows().to_vec());
            *seconds.of(phase) += began.elapsed().as_secs_f64();
            Ok(RunState { rows, q2_start, seconds, state: trainee.state()? })
        };
        while let Some(report) = trainee.advance(goes_on) {
            let networks = trainee.networks();
            let StepReport { step, loss, q1, buffer_mean_cost, .. } = report;
            if let Some(divergence) = divergence::of(&report, &*networks) {
                drop(trainee);
                let found = self.find_divergence(phase, &first, observer, goes_on).unwrap_or(None);
                return Err(self.diverged(phase, step, divergence, found));
            }
            let Quality { q2, share_of_missed_deadlines } = job.quality(&*networks)?;
            let progress = Progress { phase, step, steps, loss, q1, q2, share_of_missed_deadlines, buffer_mean_cost };
            let flow = observer.progress(&progress).map_err(Error::Observer)?;
            files.add(Row { phase, step, loss, q1, q2, buffer_mean_cost, share_of_missed_deadlines })?;
            if flow.is_continue() && !files.checkpoints.due(step) {
                continue;
            }
            let saved = state_of(&*trainee, files)?;
            save(files, &**job, backend, Checkpoint { phase, step, networks, saved })?;
            if flow == ControlFlow::Break(()) {
                let run = files.directory.path().to_owned();
                return Err(Error::Stopped { run, phase: phase.name(), step });
            }
        }
        let (step, networks) = (trainee.done(), trainee.networks());
        if step == 0 {
            return Err(sim::SchemeError::Interrupted.into());
        }
        let saved = state_of(&*trainee, files)?;
        let last = Checkpoint { phase, step, networks: Arc::clone(&networks), saved };
        if step == steps {
            self.ended = Some(last);
            return Ok(networks);
        }
        // Without a checkpoint of networks that have diverged, the step where they did can still be found.
        if networks.first_not_finite().is_none() {
            save(files, &**job, backend, last)?;
        }
        Err(Error::Stopped { run: files.directory.path().to_owned(), phase: phase.name(), step })
    }

    fn record(&self, networks: Arc<dyn Networks>) -> Record {
        record_of(&*self.job, networks, &self.backend)
    }

    /// Writes record and results, data before pictures, and removes the checkpoints.
    fn write(&self, record: &Record, results: &Results) -> Result<(), Error> {
        let directory = &self.files.directory;
        let path = directory.path().join("record");
        // If a run is resumed that was killed here, there is a record already.
        let _ = fs::remove_dir_all(&path);
        record.save(&path)?;
        directory.write(RESULTS, &json(results))?;
        directory.write("results.csv", self.job.results_csv(results).as_bytes())?;
        self.job.draw(directory, self.files.metrics.rows(), results)?;
        self.files.checkpoints.clear();
        Ok(())
    }
}

/// Writes a checkpoint.
fn save(files: &mut RunFiles, job: &dyn Job, backend: &Backend, checkpoint: Checkpoint) -> Result<(), Error> {
    let Checkpoint { phase, step, networks, saved } = checkpoint;
    let mut record = record_of(job, networks, backend);
    record.provenance.insert("checkpoint".to_owned(), format!("{phase} step {step}"));
    files.checkpoints.save(phase, step, |path| record.save(path), &saved)
}

/// A record of these networks, with the command, device, program, seed and training of the run.
fn record_of(job: &dyn Job, networks: Arc<dyn Networks>, backend: &Backend) -> Record {
    let plan = job.plan();
    let training = match &plan.target {
        Target::Scenario { training, .. } => &training.name,
        Target::AnyFleet { training, .. } => &training.name,
        Target::AnySite { training } => &training.name,
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

/// Refuses a count of numbers that would not fit into memory, before anything is allocated or written.
fn check_size(what: &'static str, count: usize) -> Result<(), Error> {
    let limit = model::MAX_PARAMETERS;
    if count > limit { Err(Error::TooLarge { what, count, limit }) } else { Ok(()) }
}
