//! Actions, seeds and options from Python.

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::errors::value;

/// Reads places from an action, all tasks of all environments in order, into `into`.
///
/// # Errors
/// If it does not hold `count` whole numbers below `places`. `shape` says in words what it should be.
pub(crate) fn places_of(
    action: &Bound<'_, PyAny>,
    count: usize,
    places: usize,
    shape: &str,
    into: &mut Vec<u8>,
) -> PyResult<()> {
    into.clear();
    if let Ok(array) = action.cast::<PyArrayDyn<i64>>() {
        let view = array.readonly();
        let Ok(values) = view.as_slice() else {
            return places_of(&array.call_method0("copy")?, count, places, shape, into);
        };
        if values.len() != count {
            return Err(value(format!("the action must be {shape}, has the shape {:?}", array.shape())));
        }
        into.extend(values.iter().map(|place| *place as u8));
        // Negative values become the largest ones. The largest of all is found faster than the first that is wrong.
        if values.iter().fold(0, |largest, place| (*place as u64).max(largest)) >= places as u64 {
            let wrong = values.iter().find(|place| (**place as u64) >= places as u64).copied().unwrap_or_default();
            return Err(value(format!("the action must hold places from 0 to {}, holds {wrong}", places - 1)));
        }
        return Ok(());
    }
    let array = action.py().import("numpy")?.call_method1("asarray", (action,))?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !["i", "u", "b"].contains(&kind.as_str()) {
        let dtype = array.getattr("dtype")?.str()?;
        return Err(value(format!("the action must be {shape}, its dtype is {dtype}")));
    }
    places_of(&array.call_method1("astype", ("int64",))?, count, places, shape, into)
}

/// Reads the place of one task.
///
/// # Errors
/// If it is no whole number below `places`.
pub(crate) fn place_of(action: &Bound<'_, PyAny>, places: usize, into: &mut Vec<u8>) -> PyResult<()> {
    into.clear();
    let Ok(place) = action.extract::<i64>() else {
        return places_of(action, 1, places, "the place of one task, a whole number", into);
    };
    if (place as u64) >= places as u64 {
        return Err(value(format!("the action must be a place from 0 to {}, is {place}", places - 1)));
    }
    into.push(place as u8);
    Ok(())
}

/// A seed of 64 bits from an integer of any size: its lowest 64 bits.
///
/// # Errors
/// If it is negative or no integer.
pub(crate) fn seed_of(seed: &Bound<'_, PyAny>) -> PyResult<u64> {
    let wrong = |found: String| value(format!("seed must be a whole number from 0 on, is {found}"));
    if let Ok(seed) = seed.extract::<u64>() {
        return Ok(seed);
    }
    if !seed.is_instance_of::<PyInt>() {
        let found = seed.get_type().name()?;
        return Err(PyTypeError::new_err(format!("seed must be a whole number, is of type {found}")));
    }
    if seed.lt(0)? {
        return Err(wrong(seed.str()?.to_string()));
    }
    seed.call_method1("__and__", (u64::MAX,))?.extract()
}
