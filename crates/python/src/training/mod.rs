//! Training: runs from Python, told step by step.

mod events;
mod plan;
mod sweep;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use data::trace::ReadOptions;
use model::DeviceChoice;
use mrdro::training::Training;
use mrdro::{AdaptRequest, Destination, FleetTraining, RunOptions, Unfinished};
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) use self::plan::RunPlan;
use crate::errors::{raise, value};
use crate::evaluation::measures;
use crate::guard;

/// Adds the functions of this module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RunPlan>()?;
    module.add_function(wrap_pyfunction!(trainings, module)?)?;
    module.add_function(wrap_pyfunction!(resume_run, module)?)?;
    module.add_function(wrap_pyfunction!(adapt_record, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::sweep_runs, module)?)
}

/// The names of the shipped settings of training for one scenario.
#[pyfunction]
fn trainings() -> Vec<&'static str> {
    Training::presets().chain(FleetTraining::presets()).collect()
}

/// Continues a run from its last checkpoint. Returns nothing; the run directory holds the results.
#[pyfunction]
#[pyo3(signature = (path, threads, tensorboard, on_event))]
fn resume_run(path: PathBuf, threads: Option<usize>, tensorboard: bool, on_event: &Bound<'_, PyAny>) -> PyResult<()> {
    let options = RunOptions { tensorboard, ..RunOptions::default() };
    events::watch(on_event, threads, move |observer, goes_on| {
        let unfinished = Unfinished::open(&path, observer)?;
        let backend = DeviceChoice::Flex.open()?;
        unfinished.train_while(&options, &backend, observer, goes_on).map(drop)
    })
}

/// Adapts a record to an environment and writes the directory `out`. Returns the results by name.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
fn adapt_record<'py>(
    py: Python<'py>,
    record: PathBuf,
    scenario: Option<String>,
    recording: Option<(PathBuf, Option<String>, Option<f64>, f64)>,
    training: &Bound<'py, PyAny>,
    settings: Vec<String>,
    steps: Vec<usize>,
    seed: u64,
    out: PathBuf,
) -> PyResult<Bound<'py, PyDict>> {
    let destination = match (scenario, recording) {
        (Some(scenario), None) => Destination::Scenario(scenario),
        (None, Some((path, drive, at_s, window_s))) => {
            Destination::Recording { path, options: ReadOptions::default(), drive, at_s, window_s }
        }
        _ => return Err(value("give either a scenario or a recording to adapt to")),
    };
    let (training, _) = plan::settings_of(training, &settings)?;
    let request = AdaptRequest { record, destination, training, steps, seed, out: Some(out) };
    let adapted = guard::interruptible(py, |stop| {
        let goes_on = || !stop.load(Ordering::Relaxed);
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        mrdro::adapt_record_while(&request, &backend, &goes_on).map_err(raise)
    })?;
    measures(py, &adapted)
}
