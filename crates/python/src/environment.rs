//! The part of a scenario that changes while it runs.

use std::hash::{DefaultHasher, Hash, Hasher};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::arrays;
use crate::errors::value;

/// Uplinks, capacities and α: the part of a scenario that changes while it runs.
#[pyclass(frozen, module = "mrdro", name = "Environment", eq)]
#[derive(Debug, PartialEq)]
pub(crate) struct Environment(pub(crate) sim::Environment);

#[pymethods]
impl Environment {
    #[new]
    #[pyo3(signature = (*, alpha, uplinks_mbps, capacities))]
    fn new(alpha: f64, uplinks_mbps: &Bound<'_, PyAny>, capacities: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (uplinks_mbps, capacities) = (list("uplinks_mbps", uplinks_mbps)?, list("capacities", capacities)?);
        let environment = sim::Environment { alpha, uplinks_mbps, capacities };
        let (devices, servers) = (environment.uplinks_mbps.len(), environment.capacities.len());
        environment.check(devices, servers).map_err(crate::errors::raise)?;
        Ok(Self(environment))
    }

    #[getter]
    fn alpha(&self) -> f64 {
        self.0.alpha
    }

    #[getter]
    fn uplinks_mbps<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.uplinks_mbps)
    }

    #[getter]
    fn capacities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.capacities)
    }

    fn __repr__(&self) -> String {
        let sim::Environment { alpha, uplinks_mbps, capacities } = &self.0;
        format!("Environment(alpha={alpha}, uplinks_mbps={uplinks_mbps:?}, capacities={capacities:?})")
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let sim::Environment { alpha, uplinks_mbps, capacities } = &self.0;
        let numbers = uplinks_mbps.iter().chain(capacities).chain([alpha]);
        numbers.for_each(|number| (number + 0.0).to_bits().hash(&mut hasher)); // -0.0 equals 0.0
        hasher.finish()
    }

    /// Pickles as a call of `mrdro._results.environment`, whose arguments are positional.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (f64, Vec<f64>, Vec<f64>))> {
        let sim::Environment { alpha, uplinks_mbps, capacities } = self.0.clone();
        let make = py.import("mrdro._results")?.getattr("environment")?;
        Ok((make, (alpha, uplinks_mbps, capacities)))
    }
}

/// A list of numbers from anything that NumPy takes.
fn list(argument: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let array = arrays::numbers(argument, given)?;
    let view = array.readonly();
    let view = view.as_array();
    if view.ndim() != 1 {
        return Err(value(format!("{argument} must be a list of numbers, has {} axes", view.ndim())));
    }
    Ok(view.iter().copied().collect())
}
