//! How schemes and Python functions do on the same runs.

use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::time::Instant;

use mrdro::statistics::student_interval;
use mrdro::streams::{self, StreamEvaluation};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sim::stream::dispatch::scheme::DispatchGreedy;
use sim::stream::dispatch::{DispatchOutcome, Path, Site, simulate};

use super::function::{ByFunction, in_slots};
use super::scenario::StreamScenario;
use crate::errors::raise;
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
        let compared = interruptible(py, |stop| {
            let told = |done: usize| {
                if stop.load(Ordering::Relaxed) {
                    // Only unwinding ends the comparison before its last run. The call ends with what the user's handler of
                    // the signal raised.
                    resume_unwind(Box::new("interrupted"));
                }
                Python::attach(|py| {
                    if let Err(error) = on_progress.call1(py, (done,)) {
                        error.write_unraisable(py, None);
                    }
                });
            };
            streams::compare(&scenario.problem, schemes, runs, seed, &told).map_err(raise)
        })?;
        for evaluation in &compared.evaluations {
            table.append(row(py, evaluation, &places)?)?;
        }
    }
    for evaluation in of_functions(py, scenario, functions, runs, seed)? {
        table.append(row(py, &evaluation, &places)?)?;
    }
    Ok(table.into_any())
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
    let mut outcomes: Vec<Vec<(DispatchOutcome, f64)>> = vec![Vec::with_capacity(runs); functions.len()];
    let mut base_costs = Vec::with_capacity(runs);
    for run in 0..runs {
        let seed = seed.wrapping_add(run as u64);
        let (site, path, base): (Site, Path, f64) = guarded_detached(py, || {
            let site = settings.site(seed).map_err(raise)?;
            let path = settings.path(&site, seed).map_err(raise)?;
            let base = simulate(&site, &path, &mut DispatchGreedy::new(), seed).mean_cost;
            Ok((site, path, base))
        })?;
        base_costs.push(base);
        for (function, outcomes) in functions.iter().zip(&mut outcomes) {
            let start = Instant::now();
            let outcome = function.simulate((&site, &path), seed, |_| {})?;
            outcomes.push((outcome, start.elapsed().as_secs_f64() / path.arrivals().len() as f64));
        }
    }
    let evaluated = functions.iter().zip(&outcomes);
    Ok(evaluated.map(|(function, outcomes)| evaluation(function.name(), outcomes, &base_costs)).collect())
}

fn evaluation(name: &str, outcomes: &[(DispatchOutcome, f64)], base_costs: &[f64]) -> StreamEvaluation {
    let count = outcomes.len() as f64;
    let mean = |of: &dyn Fn(&DispatchOutcome) -> f64| outcomes.iter().map(|(run, _)| of(run)).sum::<f64>() / count;
    let changes = outcomes.iter().zip(base_costs).map(|((run, _), base)| run.mean_cost / base - 1.0);
    let changes: Vec<f64> = changes.collect();
    let interval = student_interval(&changes);
    let places = outcomes[0].0.place_shares.len();
    StreamEvaluation {
        scheme: name.to_owned(),
        mean_energy_j: mean(&|run| run.mean_energy_j),
        mean_delay_s: mean(&|run| run.mean_response_s),
        mean_cost: mean(&|run| run.mean_cost),
        change: changes.iter().sum::<f64>() / count,
        change_low: interval.map(|(low, _)| low),
        change_high: interval.map(|(_, high)| high),
        missed_share: mean(&|run| run.late_share),
        place_shares: (0..places).map(|place| mean(&|run| run.place_shares[place])).collect(),
        seconds_per_decision: outcomes.iter().map(|(_, seconds)| *seconds).fold(f64::INFINITY, f64::min),
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
    for (place, share) in places.iter().zip(&evaluation.place_shares) {
        row.set_item(format!("share_{place}"), share)?;
    }
    row.set_item("seconds_per_decision", evaluation.seconds_per_decision)?;
    Ok(row)
}
