//! How schemes do on a set of applications: the rows of a comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mrdro::graphs::{Decided, comparison, decide_all};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sim::graph::scheme::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};

use super::deciding;
use super::graph::Graph;
use super::model::{GraphModel, check_allowed, decisions_of};
use super::scenario::GraphScenario;
use crate::errors::{raise, value};
use crate::evaluation::measures;
use crate::guard::{guarded_here, interruptible};
use crate::numbers;

/// How often progress is told at most.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// Applications that schemes are evaluated on.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct GraphEvaluationSet {
    scenario: Py<GraphScenario>,
    graphs: Vec<Py<Graph>>,
    models: Vec<sim::graph::GraphModel>,
}

/// The decisions of one scheme about such a set.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct GraphDecided(Arc<Decided>);

#[pymethods]
impl GraphEvaluationSet {
    /// The applications of a list, or the standard set of the scenario.
    #[staticmethod]
    #[pyo3(signature = (scenario, graphs=None))]
    fn of(scenario: &Bound<'_, GraphScenario>, graphs: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let py = scenario.py();
        let graphs = if let Some(graphs) = graphs {
            deciding::graphs_of_argument("workloads", graphs)?
        } else {
            let standard = scenario.get().standard_set(py)?;
            standard.into_iter().map(|graph| Bound::new(py, graph)).collect::<PyResult<_>>()?
        };
        if graphs.is_empty() {
            return Err(value("workloads must hold at least one Graph, holds none"));
        }
        let models = deciding::models_of(scenario.get(), "workloads", &graphs)?;
        let graphs = graphs.into_iter().map(Bound::unbind).collect();
        Ok(Self { scenario: scenario.clone().unbind(), graphs, models })
    }

    /// The number of applications.
    #[getter]
    fn count(&self) -> usize {
        self.models.len()
    }

    /// Lets the scheme of a name decide all applications; `None` if it cannot decide one of them. `on_progress` is called with
    /// the number of decisions that have been made.
    fn decide(
        &self,
        py: Python<'_>,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
        on_progress: Py<PyAny>,
    ) -> PyResult<Option<GraphDecided>> {
        let scheme = deciding::scheme_of(self.scenario.get(), scheme, seed)?;
        interruptible(py, |stop| {
            let mut scheme = Stoppable { scheme, stop };
            let mut told = Instant::now();
            let decided = decide_all(&mut scheme, &self.models, &mut |done| {
                if told.elapsed() >= TOLD_EVERY {
                    told = Instant::now();
                    Python::attach(|py| {
                        if let Err(error) = on_progress.call1(py, (done,)) {
                            error.write_unraisable(py, None);
                        }
                    });
                }
            });
            Ok(decided.ok().map(|decided| GraphDecided(Arc::new(decided))))
        })
    }

    /// Lets a Python function decide all applications: it gets a graph and its model, and returns places.
    fn decide_function(&self, name: String, function: Py<PyAny>) -> PyResult<GraphDecided> {
        let mut scheme = ByFunction { set: self, name, function, next: 0, failure: None };
        // On the calling thread: the function may compute with mrdro itself, and Python interrupts it.
        let decided = guarded_here(|| Ok(decide_all(&mut scheme, &self.models, &mut |_| {})))?;
        match (decided, scheme.failure) {
            (_, Some(failure)) => Err(failure),
            (Ok(decided), None) => Ok(GraphDecided(Arc::new(decided))),
            (Err(error), None) => Err(raise(error)),
        }
    }

    /// The measures of schemes by name, a row for each of `rows`. What is the best decision known is found among the decisions
    /// of `others`, too.
    fn compare<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<PyRef<'py, GraphDecided>>,
        others: Vec<PyRef<'py, GraphDecided>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let count = rows.len();
        let all: Vec<&Decided> = rows.iter().chain(&others).map(|decided| &*decided.0).collect();
        let compared = guarded_here(|| Ok(comparison(&all, Vec::new(), &self.models)))?;
        let table = PyList::empty(py);
        for (evaluation, decided) in compared.evaluations.iter().zip(&all).take(count) {
            let row: Bound<'_, PyDict> = measures(py, evaluation)?;
            row.set_item("share_proved", decided.share_proved())?;
            table.append(row)?;
        }
        Ok(table)
    }
}

/// A scheme that ends once it is to stop. Then the call ends with an exception, and no decision is used.
struct Stoppable<'a> {
    scheme: Box<dyn GraphScheme>,
    stop: &'a AtomicBool,
}

impl GraphScheme for Stoppable<'_> {
    fn name(&self) -> &str {
        self.scheme.name()
    }

    fn decide(&mut self, model: &sim::graph::GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(no_decision(self.name()));
        }
        self.scheme.decide(model)
    }
}

/// The error of a scheme that was ended. Another error takes its place.
fn no_decision(name: &str) -> GraphSchemeError {
    let [known, limited] = [(); 2].map(|()| String::new());
    GraphSchemeError::Unknown { name: name.to_owned(), known, limited, suggestion: None }
}

/// A Python function as a scheme that decides the applications of a set in their order.
struct ByFunction<'a> {
    set: &'a GraphEvaluationSet,
    name: String,
    function: Py<PyAny>,
    /// The number of applications decided so far.
    next: usize,
    /// What the function raised.
    failure: Option<PyErr>,
}

impl ByFunction<'_> {
    fn call(&self, index: usize) -> PyResult<Vec<u8>> {
        Python::attach(|py| {
            let graph = self.set.graphs[index].clone_ref(py);
            let own = Arc::new(self.set.models[index].clone());
            let model = GraphModel::new(self.set.scenario.clone_ref(py), graph.clone_ref(py), own);
            let answer = self.function.bind(py).call1((graph, model))?;
            let (argument, model) = (format!("the answer of {}", self.name), &self.set.models[index]);
            let places = decisions_of(&argument, &answer, model)?;
            if !places.shape.is_empty() {
                return Err(value(format!("{argument} must be one decision, is {}", places.count)));
            }
            check_allowed(&argument, &places.values, model)?;
            Ok(places.values)
        })
    }
}

impl GraphScheme for ByFunction<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, _: &sim::graph::GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let index = self.next;
        self.next += 1;
        match self.call(index) {
            Ok(places) => Ok(GraphSolution { places, evaluations: 0, optimality: Optimality::Unknown, order: None }),
            Err(error) => {
                self.failure = Some(error);
                Err(no_decision(&self.name))
            }
        }
    }
}
