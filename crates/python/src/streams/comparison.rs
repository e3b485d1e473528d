//! How schemes and Python functions do on the same runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use mrdro::statistics::student_interval;
use mrdro::streams::{self, OVERLOAD, StreamEvaluation};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rayon::prelude::*;
use sim::stream::dispatch::scheme::DispatchGreedy;
use sim::stream::dispatch::{DispatchOutcome, Path, Site, simulate};

use super::function::{ByFunction, in_slots};
use super::scenario::StreamScenario;
use crate::errors::{raise, value};
use crate::guard::{guarded_detached, interruptible};

/// The rows of a comparison: of schemes by their names, then of functions.
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
    let table = PyList::empty(py);
    let places = scenario.places();
    if !schemes.is_empty() {
        let done = AtomicUsize::new(0);
        let told = || {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            Python::attach(|py| {
                if let Err(error) = on_progress.call1(py, (done,)) {
                    error.write_unraisable(py, None);
                }
            });
        };
        let evaluations = interruptible(py, |stop| of_schemes(scenario, schemes, (runs, seed), stop, &told))?;
        for evaluation in &evaluations {
            table.append(row(py, evaluation, &places)?)?;
        }
    }
    for evaluation in of_functions(py, scenario, functions, runs, seed)? {
        table.append(row(py, &evaluation, &places)?)?;
    }
    Ok(table.into_any())
}

/// What schemes come to, in their order. Where tasks are dispatched, no run begins once `stop` is true.
fn of_schemes(
    scenario: &StreamScenario,
    schemes: &[String],
    (runs, seed): (usize, u64),
    stop: &AtomicBool,
    told: &(dyn Fn() + Sync),
) -> PyResult<Vec<StreamEvaluation>> {
    let compare = |runs: usize, seed: u64| {
        let compared = streams::compare(&scenario.problem, schemes, runs, seed, &|_| told());
        Ok(compared.map_err(raise)?.evaluations)
    };
    if scenario.dispatch().is_none() {
        return compare(runs, seed);
    }
    let of_run = |run: usize| {
        if stop.load(Ordering::Relaxed) {
            return Err(value("interrupted"));
        }
        compare(1, seed.wrapping_add(run as u64))
    };
    let each: Vec<Vec<StreamEvaluation>> = (0..runs).into_par_iter().map(of_run).collect::<PyResult<_>>()?;
    let of_scheme = |name: &String| {
        let of_run = |run: &Vec<StreamEvaluation>| run.iter().find(|row| row.scheme == *name).cloned();
        // A scheme that cannot decide one of the runs is left out.
        each.iter().map(of_run).collect::<Option<Vec<_>>>().map(|runs| combined(&runs))
    };
    Ok(schemes.iter().filter_map(of_scheme).collect())
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
            rows.push(of_outcome(function.name(), outcome, base, seconds_per_decision));
        }
    }
    Ok(each.iter().map(|runs| combined(runs)).collect())
}

/// What one run comes to.
fn of_outcome(name: &str, outcome: DispatchOutcome, base: f64, seconds_per_decision: f64) -> StreamEvaluation {
    StreamEvaluation {
        scheme: name.to_owned(),
        mean_energy_j: outcome.mean_energy_j,
        mean_delay_s: outcome.mean_response_s,
        mean_cost: outcome.mean_cost,
        change: outcome.mean_cost / base - 1.0,
        change_low: None,
        change_high: None,
        missed_share: outcome.late_share,
        is_overloaded: outcome.utilisations.iter().any(|load| *load > OVERLOAD),
        place_shares: outcome.place_shares,
        seconds_per_decision,
    }
}

/// What several runs of one scheme come to, from what each comes to.
fn combined(runs: &[StreamEvaluation]) -> StreamEvaluation {
    let count = runs.len() as f64;
    let mean = |of: &dyn Fn(&StreamEvaluation) -> f64| runs.iter().map(of).sum::<f64>() / count;
    let changes: Vec<f64> = runs.iter().map(|run| run.change).collect();
    let interval = student_interval(&changes);
    StreamEvaluation {
        scheme: runs[0].scheme.clone(),
        mean_energy_j: mean(&|run| run.mean_energy_j),
        mean_delay_s: mean(&|run| run.mean_delay_s),
        mean_cost: mean(&|run| run.mean_cost),
        change: mean(&|run| run.change),
        change_low: interval.map(|(low, _)| low),
        change_high: interval.map(|(_, high)| high),
        missed_share: mean(&|run| run.missed_share),
        is_overloaded: runs.iter().any(|run| run.is_overloaded),
        place_shares: (0..runs[0].place_shares.len()).map(|place| mean(&|run| run.place_shares[place])).collect(),
        seconds_per_decision: runs.iter().map(|run| run.seconds_per_decision).fold(f64::INFINITY, f64::min),
    }
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
