//! Decisions of schemes about one application or many, and how Python gets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use rayon::prelude::*;
use sim::graph::scheme::{GraphExact, GraphScheme, GraphSolution, by_name};

use super::graph::Graph;
use super::model::{self, GraphModel};
use super::scenario::GraphScenario;
use crate::arrays::full_array;
use crate::classes;
use crate::errors::{raise, value};
use crate::guard::{guarded_detached, interruptible};

/// The graph of an argument.
///
/// # Errors
/// If it is something else.
pub(super) fn graph_of_argument<'py>(argument: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Graph>> {
    given.cast::<Graph>().cloned().map_err(|_| not_graphs(argument, given, "a Graph"))
}

fn not_graphs(argument: &str, given: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    let found = given.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "{argument} must be {wanted}, is of type {found}; Graph.from_dict, .from_json and .from_networkx make one"
    ))
}

/// The graphs of an argument that holds several.
///
/// # Errors
/// If it holds something else.
pub(super) fn graphs_of_argument<'py>(argument: &str, given: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, Graph>>> {
    let wrong = || not_graphs(argument, given, "a Graph or a list of Graphs");
    if given.is_instance_of::<PyString>() || given.is_instance_of::<PyDict>() {
        return Err(wrong());
    }
    let each = given.try_iter().map_err(|_| wrong())?.enumerate();
    each.map(|(index, one)| graph_of_argument(&format!("{argument}[{index}]"), &one?)).collect()
}

/// The models of several graphs in a scenario.
///
/// # Errors
/// If a graph does not fit the scenario, with its index.
pub(super) fn models_of(
    scenario: &GraphScenario,
    argument: &str,
    graphs: &[Bound<'_, Graph>],
) -> PyResult<Vec<sim::graph::GraphModel>> {
    let of = |(index, graph): (usize, &Bound<'_, Graph>)| {
        graph.py().check_signals()?;
        scenario.model_of(graph.get()).map_err(|error| {
            let message = format!("{argument}[{index}]: {}", error.value(graph.py()));
            crate::errors::graph(&message)
        })
    };
    graphs.iter().enumerate().map(of).collect()
}

/// A scheme of a name for a scenario.
pub(super) fn scheme_of(scenario: &GraphScenario, name: &str, seed: u64) -> PyResult<Box<dyn GraphScheme>> {
    by_name(name, scenario.system(), seed).map_err(raise)
}

/// Decides one graph, or each of a list.
///
/// # Errors
/// If there is no such scheme, a graph does not fit the scenario, or the scheme cannot decide it.
pub(super) fn decide<'py>(
    scenario: &Bound<'py, GraphScenario>,
    graphs: &Bound<'py, PyAny>,
    scheme: &str,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, own) = (scenario.py(), scenario.get());
    if let Ok(graph) = graphs.cast::<Graph>() {
        let model = Arc::new(own.model_of(graph.get())?);
        let model = Bound::new(py, GraphModel::new(scenario.clone().unbind(), graph.clone().unbind(), model))?;
        return decide_model(&model, scheme, seed);
    }
    let graphs = graphs_of_argument("graphs", graphs)?;
    scheme_of(own, scheme, seed)?;
    let models = models_of(own, "graphs", &graphs)?;
    let solutions = interruptible(py, |stop| {
        let new = || scheme_of(own, scheme, seed);
        // Of several graphs that cannot be decided, the first is named, whatever the threads do.
        let first_failed = AtomicUsize::new(usize::MAX);
        let decided = models.par_iter().enumerate().map_init(new, |scheme, (index, model)| {
            let scheme = scheme.as_mut().map_err(|error| Python::attach(|py| error.clone_ref(py)))?;
            if stop.load(Ordering::Relaxed) || index > first_failed.load(Ordering::Relaxed) {
                return Err(value("interrupted"));
            }
            scheme.decide(model).map_err(|error| {
                first_failed.fetch_min(index, Ordering::Relaxed);
                let error = raise(error);
                Python::attach(|py| crate::errors::scheme(&format!("graphs[{index}]: {}", error.value(py))))
            })
        });
        decided.collect::<Vec<PyResult<_>>>().into_iter().collect::<PyResult<Vec<_>>>()
    })?;
    let all = PyList::empty(py);
    for ((graph, model), solution) in graphs.into_iter().zip(models).zip(solutions) {
        let model = GraphModel::new(scenario.clone().unbind(), graph.unbind(), Arc::new(model));
        all.append(decision(&Bound::new(py, model)?, solution)?)?;
    }
    classes::graph_decisions(py)?.call1((all.to_tuple(),))
}

/// Decides the application of a model.
///
/// # Errors
/// If there is no such scheme, or it cannot decide the application.
pub(super) fn decide_model<'py>(
    model: &Bound<'py, GraphModel>,
    scheme: &str,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let own = model.get();
    let scenario = own.scenario(model.py());
    let mut scheme = scheme_of(scenario.get(), scheme, seed)?;
    let solution = guarded_detached(model.py(), || scheme.decide(&own.model).map_err(raise))?;
    decision(model, solution)
}

/// The bounds of the exact search, as `mrdro.Bounds`.
pub(super) fn bounds<'py>(model: &Bound<'py, GraphModel>) -> PyResult<Bound<'py, PyAny>> {
    let (py, own) = (model.py(), model.get());
    let solution = guarded_detached(py, || GraphExact.decide(&own.model).map_err(raise))?;
    let cost = own.model.evaluate(&solution.places).cost;
    let lower = solution.optimality.bound(cost).unwrap_or(0.0);
    let (is_optimal, evaluations) = (solution.optimality.is_optimal(), solution.evaluations);
    let places = full_array::<u8>(py, solution.places, &[own.model.tasks()])?;
    classes::bounds(py)?.call1((lower, cost, is_optimal, places, evaluations))
}

/// A solution as `mrdro.GraphDecision`.
fn decision<'py>(model: &Bound<'py, GraphModel>, solution: GraphSolution) -> PyResult<Bound<'py, PyAny>> {
    let py = model.py();
    let in_order;
    let model = if solution.order.is_some() {
        let ordered = solution.model(&model.get().model).into_owned();
        in_order = Bound::new(py, model.get().in_order(py, ordered))?;
        &in_order
    } else {
        model
    };
    let GraphSolution { places, evaluations, optimality, .. } = solution;
    let outcome = model.get().model.evaluate(&places);
    let bound = optimality.bound(outcome.cost);
    let outcome = model::outcomes(py, &[outcome], &[])?;
    let tasks = places.len();
    let places = full_array::<u8>(py, places, &[tasks])?;
    let arguments = (model, places, outcome, evaluations, bound, optimality.is_optimal());
    classes::graph_decision(py)?.call1(arguments)
}
