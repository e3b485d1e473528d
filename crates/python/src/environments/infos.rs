//! The dictionaries that tell Python what a decision cost.

use numpy::ndarray::{ArrayView1, ArrayView2};
use numpy::{PyArray1, ToPyArray};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::episode::{Episode, Step};
use super::reward::Decided;
use super::rules::{Kind, Rules};

/// The keys that a decision adds.
pub(crate) fn add_decided(info: &Bound<'_, PyDict>, decided: &Decided) -> PyResult<()> {
    let py = info.py();
    let Decided { outcome, optimum } = decided;
    info.set_item(intern!(py, "energy_j"), outcome.energy_j)?;
    info.set_item(intern!(py, "time_s"), outcome.time_s)?;
    info.set_item(intern!(py, "cost"), outcome.cost)?;
    info.set_item(intern!(py, "missed_deadlines"), outcome.missed_deadlines)?;
    if let Some((optimal, q2)) = optimum {
        info.set_item(intern!(py, "optimal"), optimal)?;
        info.set_item(intern!(py, "q2"), q2)?;
    }
    Ok(())
}

/// The mask of the next action as an array.
pub(crate) fn mask_array<'py>(py: Python<'py>, rules: &Rules, episode: &Episode) -> Bound<'py, PyAny> {
    let mut mask = vec![0; rules.mask_length()];
    episode.mask(rules, &mut mask);
    shaped_mask(py, rules, &mask)
}

/// A mask as an array: `(N * M, places)`, or `(places,)` where one task is decided at a time.
pub(crate) fn shaped_mask<'py>(py: Python<'py>, rules: &Rules, mask: &[i8]) -> Bound<'py, PyAny> {
    let places = rules.places;
    match ArrayView2::from_shape((mask.len() / places, places), mask) {
        Ok(view) if rules.kind != Kind::Tasks => view.to_pyarray(py).into_any(),
        _ => ArrayView1::from(mask).to_pyarray(py).into_any(),
    }
}

/// Columns of what was decided, one entry for each environment, and under `_key` which entries mean something.
pub(crate) fn columns<'py>(
    py: Python<'py>,
    steps: &[Step],
    counts: impl Fn(&Step) -> bool,
) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    let is_set: Vec<bool> = steps.iter().map(|step| counts(step) && step.decided.is_some()).collect();
    let decided = || {
        let of = |(step, set): (&Step, &bool)| step.decided.filter(|_| *set).unwrap_or_default();
        steps.iter().zip(&is_set).map(of)
    };
    let put = |key: &Bound<'py, PyString>, mask: &Bound<'py, PyString>, values: Bound<'py, PyAny>| {
        dictionary.set_item(key, values)?;
        dictionary.set_item(mask, PyArray1::from_slice(py, &is_set))
    };
    let numbers = |of: fn(Decided) -> f64| PyArray1::from_iter(py, decided().map(of)).into_any();
    put(intern!(py, "energy_j"), intern!(py, "_energy_j"), numbers(|one| one.outcome.energy_j))?;
    put(intern!(py, "time_s"), intern!(py, "_time_s"), numbers(|one| one.outcome.time_s))?;
    put(intern!(py, "cost"), intern!(py, "_cost"), numbers(|one| one.outcome.cost))?;
    let missed = decided().map(|one| i64::try_from(one.outcome.missed_deadlines).unwrap_or(i64::MAX));
    let missed = PyArray1::from_iter(py, missed);
    put(intern!(py, "missed_deadlines"), intern!(py, "_missed_deadlines"), missed.into_any())?;
    if steps.iter().any(|step| step.decided.is_some_and(|one| one.optimum.is_some())) {
        let optimal = numbers(|one| one.optimum.unwrap_or_default().0);
        put(intern!(py, "optimal"), intern!(py, "_optimal"), optimal)?;
        put(intern!(py, "q2"), intern!(py, "_q2"), numbers(|one| one.optimum.unwrap_or_default().1))?;
    }
    Ok(dictionary)
}
