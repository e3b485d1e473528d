//! Sweeps: runs over seeds and settings.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use model::DeviceChoice;
use mrdro::TrainingError;
use mrdro::sweep::{self, Shard, Sweep, SweepPlan, SweepScenario, VariedSetting};
use mrdro::training::Training;
use pyo3::prelude::*;

use super::plan::check_kind;
use crate::errors::{mistaken_sweep, raise};
use crate::guard::interruptible;
use crate::scenario::Scenario;

/// A scenario of a sweep from a `Scenario`, or from a name or a file.
fn scenario_of(given: &Bound<'_, PyAny>) -> PyResult<SweepScenario> {
    match given.cast::<Scenario>() {
        Ok(scenario) => Ok(SweepScenario::Given(Box::new(scenario.get().problem.scenario.clone()))),
        Err(_) => Ok(SweepScenario::Named(given.extract()?)),
    }
}

/// Trains the runs of a sweep that its directory does not hold, and writes the tables. Returns the cells of the summary, the
/// header first. `on_progress` is called with the number of runs that are done and the number of all that were open.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
pub(crate) fn sweep_runs(
    py: Python<'_>,
    scenarios: Vec<Bound<'_, PyAny>>,
    trainings: Vec<String>,
    settings: Vec<String>,
    varied: Vec<String>,
    seeds: Vec<u64>,
    shard: &str,
    out: PathBuf,
    on_progress: Py<PyAny>,
) -> PyResult<Vec<Vec<String>>> {
    let varied = varied.iter().map(|text| text.parse().map_err(raise)).collect::<PyResult<Vec<VariedSetting>>>()?;
    let device = "auto".to_owned();
    let scenarios = scenarios.iter().map(scenario_of).collect::<PyResult<_>>()?;
    for training in &trainings {
        check_kind::<Training>(training)?;
    }
    let plan = SweepPlan { scenarios, trainings, settings, varied, seeds, device };
    let shard: Shard = shard.parse().map_err(raise)?;
    interruptible(py, |stop: &AtomicBool| {
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        let open = sweep::open(&plan, shard, &out, &backend).map_err(|error| match error {
            mrdro::Error::Training(TrainingError::Invalid(mistakes)) if mistakes.origin.starts_with("--set") => {
                mistaken_sweep(mistakes, &plan.varied)
            }
            error => raise(error),
        })?;
        let tell = |done: usize| {
            Python::attach(|py| {
                if let Err(error) = on_progress.call1(py, (done, open.runs.len())) {
                    error.write_unraisable(py, None);
                }
            });
        };
        tell(0);
        let goes_on = || !stop.load(Ordering::Relaxed);
        mrdro::train_each_while(&open.runs, &out, &backend, &tell, &goes_on).map_err(raise)?;
        let sweep = Sweep::read(std::slice::from_ref(&out)).map_err(raise)?;
        sweep.write(&out).map_err(raise)?;
        Ok(sweep.summary_cells())
    })
}
