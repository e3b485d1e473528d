//! How schemes do on a set of workloads: the rows of a comparison.

use std::sync::{Arc, Mutex, PoisonError};

use data::{Evaluation, StandardSet};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim::scheme::{Scheme, SchemeKind, Solution};
use sim::{CostModel, Decision, Instance, SchemeError, Workload, units};

use crate::answers::Models;
use crate::arrays::{self, full_array};
use crate::environment::Environment;
use crate::errors::{raise, value};
use crate::guard::{guarded_here, interruptible};
use crate::numbers;
use crate::places;
use crate::record::Record;
use crate::scenario::Scenario;
use crate::schemes;

/// Workloads with their optimal costs, which schemes are evaluated on.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct EvaluationSet {
    scenario: sim::Scenario,
    model: CostModel,
    set: Arc<StandardSet>,
}

#[pymethods]
impl EvaluationSet {
    /// The standard set of a scenario.
    #[staticmethod]
    fn standard(py: Python<'_>, scenario: &Scenario) -> PyResult<Self> {
        let problem = &scenario.problem;
        let set = interruptible(py, |_| problem.standard_set().map_err(raise))?;
        Ok(Self { scenario: problem.scenario.clone(), model: problem.model.clone(), set: Arc::new(set) })
    }

    /// A set of given workloads, `(count, N, M)`, in the scenario's environment or each in its own.
    #[staticmethod]
    #[pyo3(signature = (scenario, sizes_mb, environment=None))]
    fn of(
        py: Python<'_>,
        scenario: &Scenario,
        sizes_mb: &Bound<'_, PyAny>,
        environment: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let model = &scenario.problem.model;
        let sizes = arrays::sizes_bytes("workloads", sizes_mb, model)?;
        if sizes.count == 0 {
            return Err(value("workloads must hold at least one workload, holds none"));
        }
        let models = Models::of(model, environment, sizes.count)?;
        let rows = sizes.values.chunks_exact(model.task_count()).enumerate();
        let instance = |(index, row): (usize, &[f64])| Instance {
            model: models.at(index).clone(),
            workload: Workload::from_bytes(model.tasks(), row),
        };
        let instances = rows.map(instance).collect();
        let set = interruptible(py, |_| Ok(StandardSet::new(instances)))?;
        Ok(Self { scenario: scenario.problem.scenario.clone(), model: model.clone(), set: Arc::new(set) })
    }

    /// The classic schemes that the scenario has.
    fn schemes(&self) -> Vec<String> {
        schemes::names(&self.model)
    }

    /// Evaluates the scheme of this name; `None` if the scenario is too large for it, as it can be for the exact search.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let kind = SchemeKind::for_model(scheme, &self.model).map_err(raise)?;
        self.row(py, kind.build(&self.model, seed).map_err(raise)?)
    }

    /// Evaluates each way of deciding of a record that comparisons show.
    fn evaluate_record<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        record: &Record,
        any_rates: bool,
    ) -> PyResult<Vec<Option<Bound<'py, PyDict>>>> {
        record.check_scenario(&format!("the record {name}"), &self.scenario, any_rates)?;
        record.compared(name, &self.model).into_iter().map(|scheme| self.row(py, scheme)).collect()
    }

    /// Evaluates a Python function that decides: it gets the sizes of one workload in MB, `(N, M)`, and its environment, and
    /// returns places, `(N, M)`.
    fn evaluate_function<'py>(
        &self,
        py: Python<'py>,
        name: String,
        function: Py<PyAny>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let failure = Arc::new(Mutex::new(None));
        let mut scheme = ByFunction { name, function, failure: Arc::clone(&failure) };
        // On the calling thread: the function may compute with mrdro itself, and Python interrupts it.
        let row = guarded_here(|| self.evaluation(&mut scheme))
            .and_then(|evaluation| evaluation.map(|evaluation| measures(py, &evaluation)).transpose());
        // What the function raised says more than that the scheme gave no decision.
        let failure = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(row, Err)
    }
}

impl EvaluationSet {
    /// The measures of a scheme by name, as results.csv calls them; `None` if the scenario is too large for it.
    pub(crate) fn row<'py>(
        &self,
        py: Python<'py>,
        mut scheme: Box<dyn Scheme>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let evaluation = interruptible(py, move |_| self.evaluation(&mut *scheme))?;
        evaluation.map(|evaluation| measures(py, &evaluation)).transpose()
    }

    /// The evaluation of a scheme; `None` if the scenario is too large for it.
    fn evaluation(&self, scheme: &mut dyn Scheme) -> PyResult<Option<Evaluation>> {
        match data::evaluate(scheme, &self.set) {
            Ok(evaluation) => Ok(Some(evaluation)),
            Err(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. }) => Ok(None),
            Err(error) => Err(raise(error)),
        }
    }
}

/// The fields of a struct by name, in their order.
pub(crate) fn measures<'py>(py: Python<'py>, fields: &impl serde::Serialize) -> PyResult<Bound<'py, PyDict>> {
    let text = serde_json::to_string(fields).map_err(|error| value(error.to_string()))?;
    Ok(py.import("json")?.call_method1("loads", (text,))?.cast_into::<PyDict>()?)
}

/// A Python function as a scheme.
struct ByFunction {
    name: String,
    function: Py<PyAny>,
    /// What the function raised.
    failure: Arc<Mutex<Option<PyErr>>>,
}

impl ByFunction {
    fn call(&self, model: &CostModel, workload: &Workload) -> PyResult<Solution> {
        Python::attach(|py| {
            let sizes_mb = workload.sizes_bytes().iter().map(|bytes| bytes / units::BYTES_PER_MB).collect();
            let sizes_mb = full_array::<f64>(py, sizes_mb, &[model.devices(), model.tasks()])?;
            let environment = Environment(model.environment().clone());
            let answer = self.function.bind(py).call1((sizes_mb, environment))?;
            let places = places::places(&format!("the answer of {}", self.name), &answer, model)?;
            if !places.shape.is_empty() {
                return Err(value(format!("the answer of {} must be one decision, is {}", self.name, places.count)));
            }
            Ok(Solution { decision: Decision::from_places(model.tasks(), places.values), evaluations: 0 })
        })
    }
}

impl Scheme for ByFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        self.call(model, workload).map_err(|error| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            SchemeError::Shape { expected: "a decision".to_owned(), found: "an exception".to_owned() }
        })
    }
}
