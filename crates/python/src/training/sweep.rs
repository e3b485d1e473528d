//! Sweeps: runs over seeds and settings.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use model::DeviceChoice;
use mrdro::sweep::{self, Shard, Sweep, SweepPlan};
use pyo3::prelude::*;

use crate::errors::raise;
use crate::guard::interruptible;

/// Trains the runs of a sweep that its directory does not hold, and writes the tables. Returns the cells of the summary, the
/// header first. `on_progress` is called with the number of runs that are done and the number of all that were open.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
pub(crate) fn sweep_runs(
    py: Python<'_>,
    scenarios: Vec<String>,
    trainings: Vec<String>,
    settings: Vec<String>,
    varied: Vec<String>,
    seeds: Vec<u64>,
    shard: &str,
    out: PathBuf,
    on_progress: Py<PyAny>,
) -> PyResult<Vec<Vec<String>>> {
    let varied = varied.iter().map(|text| text.parse().map_err(raise)).collect::<PyResult<_>>()?;
    let device = "auto".to_owned();
    let plan = SweepPlan { scenarios, trainings, settings, varied, seeds, device };
    let shard: Shard = shard.parse().map_err(raise)?;
    interruptible(py, |stop: &AtomicBool| {
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        let open = sweep::open(&plan, shard, &out, &backend).map_err(raise)?;
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
