//! Finished runs as the parts of a report read them.

use std::path::PathBuf;

use data::Evaluation;
use model::{Backend, DecisionOptions, DeviceChoice, Record, Selection};
use mrdro::metrics::{self, Row};
use mrdro::statistics::Spread;
use mrdro::{Phase, Problem, RunResults};
use sim::scheme::Scheme;

use crate::error::Error;

/// A finished run.
pub(super) struct FinishedRun {
    path: PathBuf,
    rows: Vec<Row>,
    /// Its results.
    pub(super) results: RunResults,
}

impl FinishedRun {
    /// Reads the metrics and results in the directory of a run.
    pub(super) fn read(path: PathBuf) -> Result<Self, Error> {
        Ok(Self { rows: metrics::read(&path)?, results: RunResults::read(&path)?, path })
    }

    /// The name of its directory.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The evaluation of a scheme.
    pub(super) fn evaluation(&self, scheme: &str) -> Option<&Evaluation> {
        self.results.evaluations.iter().find(|evaluation| evaluation.scheme == scheme)
    }

    /// Q2 of a scheme.
    pub(super) fn q2(&self, scheme: &str) -> Option<f64> {
        self.evaluation(scheme)?.q2
    }

    /// A column of its metrics in one phase, each value with its step.
    pub(super) fn curve(&self, phase: Phase, value: impl Fn(&Row) -> Option<f64>) -> Vec<(usize, f64)> {
        let of_phase = self.rows.iter().filter(|row| row.phase == phase);
        of_phase.filter_map(|row| Some((row.step, value(row)?))).collect()
    }

    /// The networks of its record as a scheme that selects candidates so; `None`: as the record says.
    pub(super) fn scheme(
        &self,
        name: &str,
        problem: &Problem,
        selection: Option<Selection>,
    ) -> Result<Box<dyn Scheme>, Error> {
        let device = backend_of_records()?.device;
        let record = Record::load(&self.path.join("record"), &device)?;
        let options = DecisionOptions { selection, inference: None };
        Ok(record.networks.scheme(name, &problem.model, &options, &device))
    }
}

/// The backend that records decide on when they are measured: the CPU, if it is built in.
pub(super) fn backend_of_records() -> Result<Backend, Error> {
    Ok(DeviceChoice::Flex.open().or_else(|_| DeviceChoice::Auto.open())?)
}

/// A value of every run; `None` if there is no run, or one of them lacks the value.
pub(super) fn of_each(runs: &[FinishedRun], value: impl Fn(&FinishedRun) -> Option<f64>) -> Option<Vec<f64>> {
    runs.iter().map(value).collect::<Option<Vec<f64>>>().filter(|values| !values.is_empty())
}

/// Q2 before Algorithm 2, of the runs that measured it; `None` if none did.
pub(super) fn q2_at_start(runs: &[FinishedRun]) -> Option<Spread> {
    let q2: Vec<f64> = runs.iter().filter_map(|run| run.results.q2_start).collect();
    (!q2.is_empty()).then(|| Spread::of(&q2))
}

/// The spread of a column over the runs at each step that all of them report.
pub(super) fn over_steps(
    runs: &[FinishedRun],
    phase: Phase,
    value: impl Fn(&Row) -> Option<f64> + Copy,
) -> Vec<(usize, Spread)> {
    let curves: Vec<Vec<(usize, f64)>> = runs.iter().map(|run| run.curve(phase, value)).collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |step: usize| -> Option<Vec<f64>> {
        curves.iter().map(|curve| curve.iter().find(|(other, _)| *other == step).map(|(_, value)| *value)).collect()
    };
    first.iter().filter_map(|&(step, _)| Some((step, Spread::of_point(&at(step)?)))).collect()
}
