//! Training that goes astray, a loss, a parameter or a cost that is no number: which step, which network, which workloads.
//!
//! ```text
//! RUN_DIR/astray/
//! ├── astray.toml       phase, step, network, what is no number
//! ├── workloads.jsonl   what the network learned from in that step, for `decide` to read
//! └── record/           the networks before the step
//! ```
//!
//! Training reports only now and then, but it is the same each time: it is made once more from the last checkpoint, step by
//! step, until it happens.

use std::fs;
use std::path::PathBuf;

use data::exchange::EnvironmentView;
use meta::Reptile;
use model::{Ensemble, Samples};
use serde::Serialize;
use sim::{Environment, Instance};

use super::Run;
use crate::checkpoints::PhaseState;
use crate::error::AppError;
use crate::interrupt;
use crate::run_dir::RunDir;

/// Name of the directory in that of the run.
const DIRECTORY: &str = "astray";

/// What went wrong, and where.
pub(super) struct Culprit {
    report: Report,
    /// The networks before the step.
    before: Ensemble,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Report {
    phase: &'static str,
    step: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    dnn: Option<usize>,
    what: String,
}

/// A workload as `decide` reads it; what is known of it is its name.
#[derive(Serialize)]
struct Line {
    id: Known,
    tasks_mb: Vec<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<EnvironmentView>,
}

#[derive(Serialize)]
struct Known {
    workload: usize,
    /// The decision that was to be learned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
}

impl Run<'_> {
    /// Looks for the step of Algorithm 1 with which it began.
    pub(super) fn find_in_meta(&self, metadata: &Samples) -> Result<Option<Culprit>, AppError> {
        let settings = meta::Settings { report_every: 1, ..self.training.meta };
        let (head, device) = (self.codec.head(), &self.backend.device);
        let mut reptile = Reptile::new(&self.start, metadata, head, settings, self.seed(), device);
        if let Some(PhaseState::Meta(state)) = self.checkpoints.latest_state()?.map(|saved| saved.state) {
            reptile.restore(&state)?;
        }
        let _progress = self.progress("looking for the step", settings.outer_steps);
        loop {
            if interrupt::requested().is_some() {
                return Ok(None);
            }
            let before = reptile.ensemble().clone();
            let Some(report) = reptile.advance() else { return Ok(None) };
            let Some((dnn, what)) = wrong(&report.losses, reptile.ensemble()) else { continue };
            let mut workloads = self.problem.workloads(self.seed(), "metadata")?;
            let per_environment = settings.workloads_per_environment;
            let drawn = meta::draw(settings.metadata, per_environment, &mut workloads);
            let changes = self.problem.environments()?.is_some();
            let line = |row: usize| {
                let Instance { model, workload } = &drawn[row];
                let id = Known { workload: row, places: Vec::new(), cost: None };
                line(id, workload.sizes_bytes(), workload.tasks(), changes.then(|| model.environment()))
            };
            let lines = reptile.batches(dnn).map(line).collect();
            let report = Report { phase: "meta", step: report.step, dnn: Some(dnn), what };
            return Ok(Some(Culprit { report, before, lines }));
        }
    }

    /// Looks for the step of Algorithm 2 with which it began; `first` are the networks that it started from.
    pub(super) fn find_in_drl(&self, first: &Ensemble) -> Result<Option<Culprit>, AppError> {
        let mut agent = self.agent(first)?;
        if let Some(PhaseState::Drl(state)) = self.checkpoints.latest_state()?.map(|saved| saved.state) {
            agent.restore(&state)?;
        }
        let steps = self.training.drl.steps;
        let progress = self.progress("looking for the step", steps);
        let mut step = 0;
        while step < steps && interrupt::requested().is_none() {
            let before = agent.ensemble();
            let report = agent.advance(1);
            step = report.step;
            progress.show(step, None, None, None);
            let (tasks, buffer) = (self.problem.model.tasks(), agent.buffer());
            let line = |(workload, sample): (usize, drl::Sample<'_>)| {
                let id = Known { workload, places: sample.places.to_vec(), cost: Some(sample.cost) };
                line(id, sample.sizes_bytes, tasks, sample.environment)
            };
            let found = if let Some((dnn, what)) = wrong(&report.losses, &agent.ensemble()) {
                Some((Some(dnn), what, agent.batch(dnn).enumerate().map(line).collect()))
            } else if !report.buffer_mean_cost.is_finite() {
                let mut samples = (0..buffer.len()).map(|row| (row, buffer.sample(row)));
                let sample = samples.find(|(_, sample)| !sample.cost.is_finite());
                let what = "the cost of a decision".to_owned();
                Some((None, what, sample.map(line).into_iter().collect()))
            } else {
                None
            };
            if let Some((dnn, what, lines)) = found {
                return Ok(Some(Culprit { report: Report { phase: "drl", step, dnn, what }, before, lines }));
            }
        }
        Ok(None)
    }

    /// Writes down what was found, and makes the error that says so.
    pub(super) fn keep(&self, found: Option<Culprit>, error: AppError) -> AppError {
        let Some(culprit) = found else { return error };
        match self.write(&culprit) {
            Ok(directory) => {
                let Report { phase, step, what, .. } = culprit.report;
                let run = self.directory.path().to_owned();
                AppError::Astray { run, phase, step, what, found: Some(directory.into_boxed_path()) }
            }
            Err(error) => error,
        }
    }

    fn write(&self, culprit: &Culprit) -> Result<PathBuf, AppError> {
        let directory = self.directory.path().join(DIRECTORY);
        let unwritable = |source| AppError::Unwritable { path: directory.clone(), source };
        // A run that went on comes here again.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).map_err(unwritable)?;
        let files = RunDir::of(&directory);
        let lines: Result<Vec<String>, _> = culprit.lines.iter().map(serde_json::to_string).collect();
        let mut text = lines.expect("numbers can be written").join("\n");
        text.push('\n');
        files.write("workloads.jsonl", text.as_bytes())?;
        self.record(culprit.before.clone()).save(&directory.join("record"))?;
        let report = toml::to_string(&culprit.report).expect("numbers and texts can be written");
        files.write("astray.toml", report.as_bytes())?;
        Ok(directory)
    }
}

/// Which network has a loss or a parameter that is no number, and which.
pub(super) fn wrong(losses: &[f32], ensemble: &Ensemble) -> Option<(usize, String)> {
    if let Some(dnn) = losses.iter().position(|loss| !loss.is_finite()) {
        return Some((dnn, format!("the loss of DNN {dnn}, {}", losses[dnn])));
    }
    ensemble.first_not_finite().map(|dnn| (dnn, format!("a parameter of DNN {dnn}")))
}

fn line(id: Known, sizes_bytes: &[f64], tasks: usize, environment: Option<&Environment>) -> Line {
    let rows = sizes_bytes.chunks_exact(tasks);
    let tasks_mb = rows.map(|row| row.iter().map(|bytes| bytes / sim::units::BYTES_PER_MB).collect()).collect();
    Line { id, tasks_mb, environment: environment.map(EnvironmentView::from) }
}
