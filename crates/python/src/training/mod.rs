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
use crate::errors::{self, raise, value};
use crate::evaluation::measures;
use crate::guard;
use crate::record::Record;
use crate::recordings::Recording;
use crate::scenario::Scenario;

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
        let unfinished = Unfinished::open(&path, observer).map_err(raise)?;
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        unfinished.train_while(&options, &backend, observer, goes_on).map(drop).map_err(raise)
    })
}

/// A recording or its path, the name of a drive, a moment in it in s, and the length of windows in s.
type RecordedMoment<'py> = (Bound<'py, PyAny>, Option<String>, Option<f64>, f64);

/// Adapts a record to an environment and writes the directory `out`. Returns the results by name.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
fn adapt_record<'py>(
    py: Python<'py>,
    record: &Bound<'py, PyAny>,
    scenario: Option<&Bound<'py, PyAny>>,
    recording: Option<RecordedMoment<'py>>,
    training: &Bound<'py, PyAny>,
    settings: Vec<String>,
    steps: Vec<usize>,
    seed: u64,
    out: PathBuf,
) -> PyResult<Bound<'py, PyDict>> {
    let destination = match (scenario, recording) {
        (Some(scenario), None) => match scenario.cast::<Scenario>() {
            Ok(scenario) => Destination::Given(Box::new(scenario.get().problem.scenario.clone())),
            Err(_) => Destination::Scenario(scenario.extract()?),
        },
        (None, Some((recording, drive, at_s, window_s))) => {
            let (path, options) = match recording.cast::<Recording>() {
                Ok(recording) => (recording.get().path.clone(), recording.get().read_options()?),
                Err(_) => (recording.extract()?, ReadOptions::default()),
            };
            Destination::Recording { path, options, drive, at_s, window_s }
        }
        _ => return Err(value("give either a scenario or a recording to adapt to")),
    };
    let (training, _) = plan::settings_of(training, &settings)?;
    let in_memory = record.cast::<Record>().ok().map(|record| record.get().content.clone());
    if let Some(record) = in_memory.as_ref().filter(|record| record.networks.scenario().is_none()) {
        let found = record.networks.kind().description;
        return Err(errors::record(&format!(
            "record is a record of {found}; only one for one scenario can be adapted"
        )));
    }
    let path = if in_memory.is_some() { PathBuf::from("in memory") } else { record.extract()? };
    let request = AdaptRequest { record: path, destination, training, steps, seed, out: Some(out) };
    let adapted = guard::interruptible(py, |stop| {
        let goes_on = || !stop.load(Ordering::Relaxed);
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        match &in_memory {
            Some(record) => mrdro::adapt_loaded_while(record, &request, &backend, &goes_on),
            None => mrdro::adapt_record_while(&request, &backend, &goes_on),
        }
        .map_err(raise)
    })?;
    measures(py, &adapted)
}
