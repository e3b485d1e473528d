//! The part of a scenario that changes while it runs.

use std::hash::{DefaultHasher, Hash, Hasher};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arrays;
use crate::errors::value;

/// The part of a scenario that can change while it runs: uplinks, capacities of servers, and alpha.
///
/// Args:
///     alpha: The weight of energy against time, from 0 to 1.
///     uplinks_mbps: The uplink of each device in Mbit/s, (N,).
///     capacities: The share of its frequency that each server gives, (servers,); 1 is the frequency of the scenario.
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

    /// The weight of energy against time.
    #[getter]
    fn alpha(&self) -> f64 {
        self.0.alpha
    }

    /// The uplink of each device in Mbit/s, (N,). With 0 a device reaches no server.
    #[getter]
    fn uplinks_mbps<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.uplinks_mbps)
    }

    /// The share of its frequency that each server gives, (servers,). With 0 a server is down.
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
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let sim::Environment { alpha, uplinks_mbps, capacities } = self.0.clone();
        let make = py.import("mrdro._results")?.getattr("environment")?;
        (make, (alpha, uplinks_mbps, capacities)).into_pyobject(py)
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
