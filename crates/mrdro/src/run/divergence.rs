//! Training that diverges: a loss, a parameter or a cost is not a finite number. The run writes the step, the network and the
//! workloads where it happened.
//!
//! ```text
//! RUN_DIR/diverged/
//! ├── diverged.toml     phase, step, network, and the number that is not finite
//! ├── workloads.jsonl   the workloads that the network learned from in that step, in the form that `decide` reads
//! └── record/           the networks before the step
//! ```
//!
//! Divergence is noticed at a report, which comes after many steps. Since training is deterministic, repeating it step by
//! step from the last checkpoint finds the step.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use data::exchange::EnvironmentView;
use drl::StepReport;
use model::Networks;
use serde::Serialize;
use sim::Environment;
use sim::scheme::GoesOn;

use super::Run;
use crate::error::Error;
use crate::metrics::Phase;
use crate::observer::{Activity, RunObserver};
use crate::run_dir::RunDir;

/// The name of the directory within the run directory.
const DIRECTORY: &str = "diverged";

/// A number of training that is not finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Divergence {
    /// The network that the number belongs to; `None` for a cost.
    network: Option<usize>,
    what: String,
}

/// The first number of a report or of the networks that is not finite, if any.
pub(super) fn of(report: &StepReport, networks: &dyn Networks) -> Option<Divergence> {
    if let Some(network) = report.losses.iter().position(|loss| !loss.is_finite()) {
        let what = format!("the loss of network {network}, {},", report.losses[network]);
        return Some(Divergence { network: Some(network), what });
    }
    if let Some(network) = networks.first_not_finite() {
        return Some(Divergence { network: Some(network), what: format!("a parameter of network {network}") });
    }
    let is_finite = report.buffer_mean_cost.is_none_or(f64::is_finite);
    (!is_finite).then(|| Divergence { network: None, what: "the cost of a decision".to_owned() })
}

/// The step in which training diverged.
pub(super) struct DivergedStep {
    step: usize,
    divergence: Divergence,
    /// The networks before the step.
    before: Arc<dyn Networks>,
    workloads: Vec<LearnedWorkload>,
}

/// A workload that a network learned from, as `decide` reads it.
#[derive(Debug, Serialize)]
pub(super) struct LearnedWorkload {
    id: LearnedWorkloadId,
    tasks_mb: Vec<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<EnvironmentView>,
}

/// The id of a workload that a network learned from: its index, and the decision that was its label.
#[derive(Debug, Serialize)]
pub(super) struct LearnedWorkloadId {
    pub(super) workload: usize,
    /// The label: the place of each task.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) places: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<f64>,
}

impl LearnedWorkload {
    /// A workload with `tasks` tasks per device.
    pub(super) fn new(
        id: LearnedWorkloadId,
        tasks: usize,
        sizes_bytes: &[f64],
        environment: Option<&Environment>,
    ) -> Self {
        let rows = sizes_bytes.chunks_exact(tasks);
        let tasks_mb = rows.map(|row| row.iter().map(|bytes| bytes / sim::units::BYTES_PER_MB).collect()).collect();
        Self { id, tasks_mb, environment: environment.map(EnvironmentView::from) }
    }
}

impl Run {
    /// Repeats a phase from the last checkpoint, step by step, until it diverges. `first` are the networks that the phase
    /// started from. Returns `None` if it does not diverge again, or the observer or `goes_on` ends the search.
    pub(super) fn find_divergence(
        &self,
        phase: Phase,
        first: &Arc<dyn Networks>,
        observer: &mut dyn RunObserver,
        goes_on: &GoesOn<'_>,
    ) -> Result<Option<DivergedStep>, Error> {
        let Some(mut trainee) = self.job.trainee(phase, first, true)? else { return Ok(None) };
        let saved = self.files.checkpoints.latest_state(observer)?;
        if let Some(state) = saved.map(|saved| saved.state).filter(|state| state.phase() == phase) {
            trainee.restore(state)?;
        }
        observer.activity_begins(Activity::FindingDivergence);
        loop {
            let before = trainee.networks();
            let Some(report) = trainee.advance(goes_on) else { return Ok(None) };
            if observer.activity_progress(report.step).is_break() {
                return Ok(None);
            }
            if let Some(divergence) = of(&report, &*trainee.networks()) {
                let workloads = trainee.learned_from(divergence.network);
                return Ok(Some(DivergedStep { step: report.step, divergence, before, workloads }));
            }
        }
    }

    /// Writes the directory `diverged/` if the step was found, and makes the error of the run.
    pub(super) fn diverged(
        &self,
        phase: Phase,
        step: usize,
        divergence: Divergence,
        found: Option<DivergedStep>,
    ) -> Error {
        let (run, phase_name) = (self.files.directory.path().to_owned(), phase.name());
        let Some(found) = found else {
            return Error::Diverged { run, phase: phase_name, step, what: divergence.what, found: None };
        };
        match self.write_divergence(phase, &found) {
            Ok(directory) => {
                let DivergedStep { step, divergence, .. } = found;
                let found = Some(directory.into_boxed_path());
                Error::Diverged { run, phase: phase_name, step, what: divergence.what, found }
            }
            Err(error) => error,
        }
    }

    fn write_divergence(&self, phase: Phase, found: &DivergedStep) -> Result<PathBuf, Error> {
        #[derive(Serialize)]
        struct Description<'d> {
            phase: Phase,
            step: usize,
            #[serde(skip_serializing_if = "Option::is_none")]
            network: Option<usize>,
            what: &'d str,
        }
        let directory = self.files.directory.path().join(DIRECTORY);
        // A run that diverged and was resumed diverges again.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).map_err(Error::unwritable(&directory))?;
        let files = RunDir::of(&directory);
        let lines: Result<Vec<String>, _> = found.workloads.iter().map(serde_json::to_string).collect();
        let mut text = lines.expect("numbers can be written").join("\n");
        text.push('\n');
        files.write("workloads.jsonl", text.as_bytes())?;
        self.record(Arc::clone(&found.before)).save(&directory.join("record"))?;
        let Divergence { network, what } = &found.divergence;
        let description = Description { phase, step: found.step, network: *network, what };
        let text = toml::to_string(&description).expect("numbers and texts can be written");
        files.write("diverged.toml", text.as_bytes())?;
        Ok(directory)
    }
}
