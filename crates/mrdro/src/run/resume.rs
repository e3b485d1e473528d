//! Resuming runs that did not finish.

use std::path::{Path, PathBuf};

use model::Backend;
use sim::scheme::GoesOn;

use super::{CONFIGURATION, CheckpointInterval, Run, RunFiles, RunOptions, Trained, job};
use crate::checkpoints::{Checkpoints, PhaseState};
use crate::device_failure;
use crate::error::Error;
use crate::metrics::{MetricsFile, Phase};
use crate::observer::RunObserver;
use crate::plan::{RunPlan, RunRequest};
use crate::run_dir::RunDir;
use crate::tensorboard;

/// A run that did not finish. Its directory is locked until this is dropped or the run ends.
pub struct Unfinished {
    path: PathBuf,
    plan: RunPlan,
    request: RunRequest,
    configuration: String,
    checkpoints: Checkpoints,
}

impl Unfinished {
    /// Opens and locks the directory of a run. `observer` is told if the process that trained the run was killed.
    ///
    /// # Errors
    /// If the directory does not hold an unfinished run, its configuration is damaged, or another process trains it
    /// ([`Error::Locked`]).
    pub fn open(path: &Path, observer: &mut dyn RunObserver) -> Result<Self, Error> {
        let checkpoints = Checkpoints::open(path, observer)?;
        let request = checkpoints.request(path)?;
        let configuration = sim::text::read(&path.join(CONFIGURATION));
        let configuration =
            configuration.map_err(|error| Error::not_resumable(path, format!("{CONFIGURATION}: {error}")))?;
        let plan = RunPlan::of_run(path, &request, &configuration)?;
        Ok(Self { path: path.to_owned(), plan, request, configuration, checkpoints })
    }

    /// The plan of the run.
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// The interval between checkpoints that the run was started with, or last resumed with.
    pub fn checkpoint_interval(&self) -> CheckpointInterval {
        self.request.checkpoints.into()
    }

    /// Sets the number of fleets of each size on which networks for any fleet are evaluated, in place of the number that the run
    /// was started with.
    pub fn evaluate_fleets(&mut self, count: usize) {
        self.plan.evaluate_fleets(count);
        self.request.evaluated_fleets = Some(count);
    }

    /// Trains on from the last checkpoint. The files that the run writes are the same, byte for byte, as if it had never
    /// stopped, except for times. `options.out` is ignored. `options.checkpoints` replaces the interval of the run for good,
    /// and `options.tensorboard` makes it write event files from now on, the steps before included.
    ///
    /// # Errors
    /// If the run was started on another device or by another version, and in the cases of [`train`](super::train).
    pub fn train(
        self,
        options: &RunOptions,
        backend: &Backend,
        observer: &mut dyn RunObserver,
    ) -> Result<Trained, Error> {
        self.train_while(options, backend, observer, &|| true)
    }

    /// [`train`](Self::train) as long as `goes_on`, as in [`train_while`](super::train_while).
    ///
    /// # Errors
    /// As [`train`](Self::train), and [`Error::Stopped`] if `goes_on` says no.
    pub fn train_while(
        self,
        options: &RunOptions,
        backend: &Backend,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Trained, Error> {
        let Self { path, plan, mut request, configuration, mut checkpoints } = self;
        if let Some(interval) = options.checkpoints {
            request.checkpoints = interval.into();
        }
        request.tensorboard |= options.tensorboard;
        checkpoints.set_interval(request.checkpoints.into());
        let prepare = || -> Result<Run, Error> {
            let saved = checkpoints.latest_state(observer)?;
            let from = saved.as_ref().map_or(Phase::Meta, |saved| saved.state.phase());
            let mut job = job(plan, backend)?;
            if job.plan().configuration(&backend.name) != configuration {
                return Err(Error::not_resumable(&path, "its config.toml has another device, version or network"));
            }
            let known = |state: &PhaseState| job.phases().contains(&state.phase());
            if saved.as_ref().is_some_and(|saved| !known(&saved.state)) {
                return Err(Error::not_resumable(&path, "its checkpoint is of another kind of training"));
            }
            job.prepare(from, observer, goes_on).map_err(|error| match error {
                error if error.is_interrupted() => {
                    let step = saved.as_ref().map_or(0, |saved| saved.state.step());
                    let phase = if saved.is_some() { from } else { job.phases()[0] };
                    Error::Stopped { run: path.clone(), phase: phase.name(), step }
                }
                error => error,
            })?;
            checkpoints.write_request(&request)?;
            let directory = RunDir::of(&path);
            let rows = saved.as_ref().map(|saved| saved.rows.clone()).unwrap_or_default();
            let events = request.tensorboard.then(|| tensorboard::resume(&path, &rows)).transpose()?;
            let metrics = MetricsFile::resume(&directory, rows)?;
            Ok(Run::new(job, backend, RunFiles { directory, metrics, events, checkpoints }, saved))
        };
        device_failure::catch(backend, prepare)?.finish(observer, goes_on)
    }
}

/// Continues a run that did not finish, on the device that it was started on, from its last checkpoint. `path` is the run
/// directory. See [`Unfinished::train`].
///
/// # Errors
/// If the device cannot be opened, and in the cases of [`Unfinished::open`] and [`Unfinished::train`].
pub fn resume(path: &Path, options: &RunOptions, observer: &mut dyn RunObserver) -> Result<Trained, Error> {
    let unfinished = Unfinished::open(path, observer)?;
    let backend = unfinished.plan().device.parse::<model::DeviceChoice>()?.open()?;
    unfinished.train(options, &backend, observer)
}
