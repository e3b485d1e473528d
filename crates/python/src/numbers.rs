//! Whole numbers from Python: what is none, or out of range, is told with the name of its argument.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::environments::MAX_ENVIRONMENTS;
use crate::errors::value;
use crate::guard::MAX_THREADS;

/// The most of what is counted: more does not fit into memory.
const MOST: u64 = 1 << 48;

/// A whole number from `least` to `most`, from anything that Python takes as an index.
fn whole_number(argument: &str, given: &Bound<'_, PyAny>, least: u64, most: u64) -> PyResult<u64> {
    let wanted = || {
        let found = given.repr()?;
        Ok::<_, PyErr>(format!("{argument} must be a whole number from {least} to {most}, is {found}"))
    };
    let number = match given.extract::<u64>() {
        _ if is_truth_value(given) => return Err(PyTypeError::new_err(wanted()?)),
        Err(error) if !error.is_instance_of::<PyOverflowError>(given.py()) => {
            return Err(PyTypeError::new_err(wanted()?));
        }
        number => number.ok().filter(|number| (least..=most).contains(number)),
    };
    match number {
        Some(number) => Ok(number),
        None => Err(value(wanted()?)),
    }
}

/// Whether a value is `True` or `False`, of Python or of NumPy.
fn is_truth_value(given: &Bound<'_, PyAny>) -> bool {
    let of_numpy = |name: &str| name == "bool" || name == "bool_";
    given.is_instance_of::<PyBool>()
        || given.get_type().name().is_ok_and(|name| name.to_str().is_ok_and(of_numpy))
            && given.hasattr("dtype").is_ok_and(|has| has)
}

/// Readers of whole numbers for `from_py_with`, which tells them no name.
macro_rules! arguments {
    ($($name:ident $argument:literal: $type:ty, $range:expr;)+) => {$(
        pub(crate) fn $name(given: &Bound<'_, PyAny>) -> PyResult<$type> {
            let (least, most) = $range;
            Ok(whole_number($argument, given, least, most)? as $type)
        }
    )+};
}

arguments! {
    seed "seed": u64, (0, u64::MAX);
    count "count": usize, (0, MOST);
    threads "count": usize, (1, MAX_THREADS as u64);
    environments "num_envs": usize, (1, MAX_ENVIRONMENTS as u64);
    rounds "rounds": usize, (1, MOST);
    runs "runs": usize, (1, 1_000_000);
}

/// Readers of whole numbers that may be left out.
macro_rules! optional_arguments {
    ($($name:ident: $type:ty;)+) => {$(
        pub(crate) fn $name(given: &Bound<'_, PyAny>) -> PyResult<Option<$type>> {
            if given.is_none() {
                return Ok(None);
            }
            Ok(Some(whole_number(stringify!($name), given, 0, MOST)? as $type))
        }
    )+};
}

optional_arguments! {
    explore: usize;
    budget: u64;
}
