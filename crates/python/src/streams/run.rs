//! What came of a run, as `mrdro.StreamRun`.

use mrdro::streams::{Events, SlotRow, StreamRun};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sim::stream::dispatch::DoneTask;
use sim::units::BYTES_PER_MB;

use crate::arrays::full_array;
use crate::classes;

/// Mbit/s in a byte per second.
const MBPS: f64 = 8e-6;

/// A run as Python gets it.
pub(super) fn object(py: Python<'_>, run: StreamRun) -> PyResult<Bound<'_, PyAny>> {
    let StreamRun { summary, events } = run;
    let fields = PyDict::new(py);
    fields.set_item("scenario", summary.scenario)?;
    fields.set_item("scheme", summary.scheme)?;
    fields.set_item("seed", summary.seed)?;
    fields.set_item("count", summary.tasks)?;
    fields.set_item("mean_power_w", summary.mean_power_w)?;
    fields.set_item("mean_energy_j", summary.mean_energy_j)?;
    fields.set_item("mean_delay_s", summary.mean_delay_s)?;
    fields.set_item("missed", summary.missed)?;
    fields.set_item("cost", summary.cost)?;
    fields.set_item("evaluations", summary.evaluations)?;
    let shares = PyDict::new(py);
    for (place, share) in &summary.place_shares {
        shares.set_item(place, share)?;
    }
    fields.set_item("place_shares", shares)?;
    let (names, columns) = match &events {
        Events::Tasks { tasks, places, .. } => (places, of_tasks(py, tasks)?),
        Events::Slots { slots, links, slot_s } => (links, of_slots(py, slots, links.len(), *slot_s)?),
    };
    fields.set_item("names", PyTuple::new(py, names)?)?;
    fields.set_item("columns", columns)?;
    classes::stream_run(py)?.call((), Some(&fields))
}

/// The tasks of a run as columns.
fn of_tasks<'py>(py: Python<'py>, tasks: &[DoneTask]) -> PyResult<Bound<'py, PyAny>> {
    let numbers = |of: fn(&DoneTask) -> f64| PyArray1::from_iter(py, tasks.iter().map(of));
    let fields = PyDict::new(py);
    fields.set_item("time_s", numbers(|task| task.arrived_s))?;
    fields.set_item("device", PyArray1::from_iter(py, tasks.iter().map(|task| i64::from(task.device))))?;
    fields.set_item("size_mb", numbers(|task| task.bytes / BYTES_PER_MB))?;
    fields.set_item("place", PyArray1::from_iter(py, tasks.iter().map(|task| task.place)))?;
    fields.set_item("done_s", numbers(|task| task.done_s))?;
    fields.set_item("energy_j", numbers(|task| task.energy_j))?;
    fields.set_item("cost", numbers(|task| task.cost))?;
    fields.set_item("missed", PyArray1::from_iter(py, tasks.iter().map(|task| task.is_late)))?;
    classes::task_columns(py)?.call((), Some(&fields))
}

/// The slots of a run as columns.
fn of_slots<'py>(py: Python<'py>, slots: &[SlotRow], links: usize, slot_s: f64) -> PyResult<Bound<'py, PyAny>> {
    let numbers = |of: &dyn Fn(&SlotRow) -> f64| PyArray1::from_iter(py, slots.iter().map(of));
    let of_links = |scale: f64, of: fn(&SlotRow) -> &[f64]| {
        let values = slots.iter().flat_map(|row| of(row).iter().map(|value| value * scale)).collect();
        full_array::<f64>(py, values, &[slots.len(), links])
    };
    let fields = PyDict::new(py);
    fields.set_item("time_s", numbers(&|row| row.slot as f64 * slot_s))?;
    fields.set_item("backlog_mb", numbers(&|row| row.backlog_bytes / BYTES_PER_MB))?;
    fields.set_item("mbps", of_links(MBPS, |row| &row.bytes_per_s)?)?;
    fields.set_item("sent_mb", of_links(1.0 / BYTES_PER_MB, |row| &row.sent_bytes)?)?;
    fields.set_item("fallback_mb", numbers(&|row| row.fallback_bytes / BYTES_PER_MB))?;
    fields.set_item("energy_j", numbers(&|row| row.energy_j))?;
    classes::slot_columns(py)?.call((), Some(&fields))
}
