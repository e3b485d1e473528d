//! Runs that did not end, from where they stood.

use std::fs;
use std::path::{Path, PathBuf};

use model::Backend;

use super::{CONFIGURATION, Run, RunFiles, RunOptions, Trained, job};
use crate::checkpoints::{Checkpoints, PhaseState};
use crate::device_failure;
use crate::error::Error;
use crate::metrics::{MetricsFile, Phase};
use crate::observer::RunObserver;
use crate::plan::RunPlan;
use crate::run_dir::RunDir;

/// A run that did not end. Its directory is locked until this is dropped, or until the run ends.
pub struct Unfinished {
    path: PathBuf,
    plan: RunPlan,
    configuration: String,
    checkpoints: Checkpoints,
}

impl Unfinished {
    /// Opens the directory of a run.
    ///
    /// # Errors
    /// If it is not one of a run that did not end, or another process works on it.
    pub fn open(path: &Path, observer: &mut dyn RunObserver) -> Result<Self, Error> {
        let checkpoints = Checkpoints::open(path, observer)?;
        let request = checkpoints.request(path)?;
        let configuration = fs::read_to_string(path.join(CONFIGURATION));
        let configuration =
            configuration.map_err(|error| Error::not_resumable(path, format!("{CONFIGURATION}: {error}")))?;
        let plan = RunPlan::of_run(path, &request, &configuration)?;
        Ok(Self { path: path.to_owned(), plan, configuration, checkpoints })
    }

    /// The plan of the run.
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// Sets how many fleets of each size a record for any fleet is evaluated on.
    pub fn evaluate_fleets(&mut self, count: usize) {
        self.plan.evaluate_fleets(count);
    }

    /// Goes on with the run from its last checkpoint, to the same bytes as if it never had stopped. `options.out` is
    /// ignored.
    ///
    /// # Errors
    /// If the run was of another device or version, or as [`train`](super::train).
    pub fn train(
        self,
        options: &RunOptions,
        backend: &Backend,
        observer: &mut dyn RunObserver,
    ) -> Result<Trained, Error> {
        let Self { path, plan, configuration, checkpoints } = self;
        let prepare = || -> Result<Run, Error> {
            let saved = checkpoints.latest_state(observer)?;
            let from = saved.as_ref().map_or(Phase::Meta, |saved| saved.state.phase());
            let job = job(&plan, backend, from, observer)?;
            if job.plan().configuration(&backend.name) != configuration {
                return Err(Error::not_resumable(&path, "its config.toml says another device, version or network"));
            }
            let known = |state: &PhaseState| job.phases().contains(&state.phase());
            if saved.as_ref().is_some_and(|saved| !known(&saved.state)) {
                return Err(Error::not_resumable(&path, "its state is of another kind of training"));
            }
            let directory = RunDir::of(&path);
            let rows = saved.as_ref().map(|saved| saved.rows.clone()).unwrap_or_default();
            let metrics = MetricsFile::resume(&directory, rows)?;
            Ok(Run::new(job, backend, RunFiles { directory, metrics, checkpoints }, saved))
        };
        device_failure::catch(backend, prepare)?.finish(options, observer)
    }
}

/// Goes on with a run that did not end, on the device that it was started on; see [`Unfinished::train`].
///
/// # Errors
/// As [`Unfinished::open`] and [`Unfinished::train`].
pub fn resume(path: &Path, options: &RunOptions, observer: &mut dyn RunObserver) -> Result<Trained, Error> {
    let unfinished = Unfinished::open(path, observer)?;
    let backend = unfinished.plan().device.parse::<model::DeviceChoice>()?.open()?;
    unfinished.train(options, &backend, observer)
}
