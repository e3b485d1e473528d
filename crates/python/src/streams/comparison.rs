//! How schemes and Python functions do on the same runs.

use std::sync::atomic::Ordering;
use std::time::Instant;

use mrdro::streams::{StreamBound, StreamEvaluation, compare_while};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sim::stream::dispatch::scheme::DispatchGreedy;
use sim::stream::dispatch::{Path, Site, simulate};

use super::function::{ByFunction, in_slots};
use super::scenario::StreamScenario;
use crate::errors::raise;
use crate::guard::{guarded_detached, interruptible};

/// The rows of a comparison, of schemes by their names, then of functions; and what no scheme can cost less than.
///
/// # Errors
/// If there is no such scheme, a function raises or returns no place, or functions are given in slots.
pub(super) fn rows<'py>(
    py: Python<'py>,
    scenario: &StreamScenario,
    schemes: &[String],
    functions: Vec<(String, Py<PyAny>)>,
    (runs, seed): (usize, u64),
    on_progress: &Py<PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let told = |done: usize| {
        Python::attach(|py| {
            if let Err(error) = on_progress.call1(py, (done,)) {
                error.write_unraisable(py, None);
            }
        });
    };
    let comparison = interruptible(py, |stop| {
        let goes_on = || !stop.load(Ordering::Relaxed);
        compare_while(&scenario.problem, &[], schemes, (runs, seed), &goes_on, &told).map_err(raise)
    })?;
    let (table, places) = (PyList::empty(py), scenario.places());
    for evaluation in &comparison.evaluations {
        table.append(row(py, evaluation, &places)?)?;
    }
    for evaluation in of_functions(py, scenario, functions, runs, seed)? {
        table.append(row(py, &evaluation, &places)?)?;
    }
    let bound = comparison.bound.map(|bound| match bound {
        StreamBound::LongRun(cost) => (cost, false),
        StreamBound::Hindsight { cost, is_exact } => (cost, is_exact),
    });
    Ok((table, bound).into_pyobject(py)?.into_any())
}

/// What functions come to on the runs on which schemes are compared.
fn of_functions(
    py: Python<'_>,
    scenario: &StreamScenario,
    functions: Vec<(String, Py<PyAny>)>,
    runs: usize,
    seed: u64,
) -> PyResult<Vec<StreamEvaluation>> {
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let settings = scenario.dispatch().ok_or_else(in_slots)?;
    let functions = functions.into_iter().map(|(name, function)| ByFunction::new(name, function.into_bound(py)));
    let functions: Vec<ByFunction<'_>> = functions.collect();
    let mut each: Vec<Vec<StreamEvaluation>> = vec![Vec::new(); functions.len()];
    // Where nothing is drawn, all runs are the same.
    let runs = if settings.is_fixed() { 1 } else { runs };
    for run in 0..runs {
        let seed = seed.wrapping_add(run as u64);
        let (site, path, base): (Site, Path, f64) = guarded_detached(py, || {
            let site = settings.site(seed).map_err(raise)?;
            let path = settings.path(&site, seed).map_err(raise)?;
            let base = simulate(&site, &path, &mut DispatchGreedy::new(), seed).mean_cost;
            Ok((site, path, base))
        })?;
        for (function, rows) in functions.iter().zip(&mut each) {
            let start = Instant::now();
            let outcome = function.simulate((&site, &path), seed, |_| {})?;
            let seconds_per_decision = start.elapsed().as_secs_f64() / path.arrivals().len() as f64;
            let run = StreamEvaluation::of_dispatch(function.name(), outcome, seconds_per_decision);
            rows.push(run.against(base));
        }
    }
    Ok(each.iter().map(|runs| StreamEvaluation::over_runs(runs)).collect())
}

fn row<'py>(py: Python<'py>, evaluation: &StreamEvaluation, places: &[String]) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    row.set_item("scheme", &evaluation.scheme)?;
    row.set_item("mean_cost", evaluation.mean_cost)?;
    row.set_item("change", evaluation.change)?;
    row.set_item("change_low", evaluation.change_low)?;
    row.set_item("change_high", evaluation.change_high)?;
    row.set_item("mean_energy_j", evaluation.mean_energy_j)?;
    row.set_item("mean_delay_s", evaluation.mean_delay_s)?;
    row.set_item("missed_share", evaluation.missed_share)?;
    row.set_item("is_overloaded", evaluation.is_overloaded)?;
    for (place, share) in places.iter().zip(&evaluation.place_shares) {
        row.set_item(format!("share_{place}"), share)?;
    }
    row.set_item("seconds_per_decision", evaluation.seconds_per_decision)?;
    Ok(row)
}
