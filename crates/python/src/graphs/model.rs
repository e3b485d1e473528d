//! What decisions about one application cost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use rayon::prelude::*;
use sim::graph::{ActivityKind, GraphOutcome, Schedule};

use super::deciding;
use super::graph::Graph;
use super::scenario::GraphScenario;
use crate::arrays::{Batch, array, full_array};
use crate::classes;
use crate::errors::{raise, value};
use crate::guard::{guarded_here, interruptible};
use crate::numbers;
use crate::places::{self, TaskAxes};

/// From this number of placed tasks on, work goes to the pool: below, handing it over takes longer than the work.
const POOL_FROM: usize = 1 << 12;
/// The number of decisions that one thread takes at a time.
const AT_A_TIME: usize = 256;

/// The costs of decisions about one application. Made by `GraphScenario.cost_model`.
///
/// Decisions are places of shape (…, tasks), in the order of `graph.names` and with any axes in front: 0 is the device, 1 the
/// first server; or names such as "edge". A single decision can also be a dict from the names of tasks to those of places, or a
/// `GraphDecision`. A decision with a task at a place where it may not run costs infinity.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct GraphModel {
    scenario: Py<GraphScenario>,
    graph: Py<Graph>,
    pub(crate) model: Arc<sim::graph::GraphModel>,
    /// Whether tasks are scheduled in another order than the scenario or the graph says.
    has_own_order: bool,
}

impl GraphModel {
    /// The model of a graph in a scenario.
    pub(crate) fn new(scenario: Py<GraphScenario>, graph: Py<Graph>, model: Arc<sim::graph::GraphModel>) -> Self {
        Self { scenario, graph, model, has_own_order: false }
    }

    /// Decisions from an argument.
    fn decisions(&self, argument: &str, given: &Bound<'_, PyAny>) -> PyResult<Batch<u8>> {
        decisions_of(argument, given, &self.model)
    }

    /// What `work` gives for each decision. Many are worked on by all threads, and can be interrupted.
    fn each<T: Send>(
        &self,
        py: Python<'_>,
        decisions: &Batch<u8>,
        work: impl Fn(&mut Schedule, &[u8]) -> T + Sync,
    ) -> PyResult<Vec<T>> {
        let tasks = self.model.tasks();
        let rows = |schedule: &mut Schedule, places: &[u8]| -> Vec<T> {
            places.chunks_exact(tasks).map(|places| work(schedule, places)).collect()
        };
        if decisions.values.len() < POOL_FROM {
            return guarded_here(|| Ok(rows(&mut Schedule::new(&self.model), &decisions.values)));
        }
        interruptible(py, |stop: &AtomicBool| {
            let chunks = decisions.values.par_chunks(AT_A_TIME * tasks);
            let of_chunk = |schedule: &mut Schedule, places: &[u8]| {
                if stop.load(Ordering::Relaxed) { Vec::new() } else { rows(schedule, places) }
            };
            let parts: Vec<Vec<T>> = chunks.map_init(|| Schedule::new(&self.model), of_chunk).collect();
            Ok(parts.into_iter().flatten().collect())
        })
    }

    /// A number for each task and place.
    fn task_table<'py>(
        &self,
        py: Python<'py>,
        of: fn(&sim::graph::GraphModel, usize, usize) -> f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (tasks, places) = (self.model.tasks(), self.model.places());
        let cells = (0..tasks).flat_map(|task| (0..places).map(move |place| (task, place)));
        let all = cells.map(|(task, place)| of(&self.model, task, place)).collect();
        full_array::<f64>(py, all, &[tasks, places])
    }
}

/// Decisions from an argument: places, names of places, a dict of names, or a `GraphDecision`.
///
/// # Errors
/// If it is something else, or the numbers of places and tasks differ, or there is no such place.
pub(super) fn decisions_of(
    argument: &str,
    given: &Bound<'_, PyAny>,
    model: &sim::graph::GraphModel,
) -> PyResult<Batch<u8>> {
    if given.is_instance(classes::graph_decision(given.py())?)? {
        return places::places(argument, &given.getattr("places")?, model);
    }
    let Ok(placements) = given.cast::<PyDict>() else { return places::places(argument, given, model) };
    let tasks = model.application().tasks();
    let names: HashSet<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    for name in placements.keys() {
        if !name.extract::<String>().is_ok_and(|name| names.contains(name.as_str())) {
            return Err(value(format!("{argument} names the task {}, which the graph does not have", name.repr()?)));
        }
    }
    let list = PyList::empty(given.py());
    for task in tasks {
        let place = placements.get_item(&task.name)?;
        list.append(place.ok_or_else(|| value(format!("{argument} has no place for the task {}", task.name)))?)?;
    }
    places::places(argument, &list, model)
}

/// Checks that every task of a decision may run where it is.
///
/// # Errors
/// The first task that may not.
pub(super) fn check_allowed(argument: &str, places: &[u8], model: &sim::graph::GraphModel) -> PyResult<()> {
    let wrong = places.iter().enumerate().find(|(task, place)| !model.is_allowed(*task, **place as usize));
    let Some((task, &place)) = wrong else { return Ok(()) };
    let (task, place, system) = (&model.application().tasks()[task], place as usize, model.system());
    let may = match &task.pinned {
        Some(pinned) => format!("it is pinned to {pinned}"),
        None => format!("the device cannot use {}: its frequency or a rate of its link is 0", system.place_name(place)),
    };
    Err(value(format!("{argument} has the task {} at {}: {may}", task.name, system.place_name(place))))
}

/// Outcomes as `mrdro.GraphOutcome`, of arrays or of single values.
pub(super) fn outcomes<'py>(
    py: Python<'py>,
    outcomes: &[GraphOutcome],
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let of = |part: fn(&GraphOutcome) -> f64| array(py, outcomes.iter().map(part).collect(), shape);
    let exceeds: Vec<bool> = outcomes.iter().map(|one| one.exceeds_limits).collect();
    let exceeds = match (shape, &exceeds[..]) {
        ([], &[one]) => one.into_pyobject(py)?.to_owned().into_any(),
        _ => full_array(py, exceeds, shape)?,
    };
    let parts = (of(|one| one.energy_j)?, of(|one| one.time_s)?, of(|one| one.cost)?, of(|one| one.price)?, exceeds);
    classes::graph_outcome(py)?.call1(parts)
}

#[pymethods]
impl GraphModel {
    /// The application.
    #[getter]
    fn graph(&self, py: Python<'_>) -> Py<Graph> {
        self.graph.clone_ref(py)
    }

    /// The scenario.
    #[getter]
    pub(crate) fn scenario(&self, py: Python<'_>) -> Py<GraphScenario> {
        self.scenario.clone_ref(py)
    }

    /// The names of the places where a task can run: `local` (the device), then the servers.
    #[getter]
    fn places(&self) -> Vec<String> {
        self.scenario.get().places()
    }

    /// Whether each task may run at each place, (tasks, places): pinned tasks have one place, and servers that cannot be used
    /// have none.
    #[getter]
    fn allowed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (tasks, places) = (self.model.tasks(), self.model.places());
        let cells = (0..tasks).flat_map(|task| (0..places).map(move |place| (task, place)));
        let all = cells.map(|(task, place)| self.model.is_allowed(task, place)).collect();
        full_array::<bool>(py, all, &[tasks, places])
    }

    /// The time that each task runs at each place, in s, (tasks, places); 0 at places that cannot be used.
    #[getter]
    fn run_s<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.task_table(py, sim::graph::GraphModel::run_s)
    }

    /// The time to send each whole task to each place, in s, (tasks, places); 0 where edges are sent.
    #[getter]
    fn send_s<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.task_table(py, sim::graph::GraphModel::send_s)
    }

    /// The time that the result of each task takes from each place to the device, in s, (tasks, places); 0 where edges are
    /// sent.
    #[getter]
    fn return_s<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.task_table(py, sim::graph::GraphModel::return_s)
    }

    /// The time to move a MB from each place to each other where edges are sent, in s, (places, places); 0 where whole tasks
    /// are sent.
    #[getter]
    fn transfer_s_per_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let places = self.model.places();
        let pairs = (0..places).flat_map(|from| (0..places).map(move |to| (from, to)));
        let all = pairs.map(|(from, to)| self.model.transfer_s_per_byte(from, to) * sim::units::BYTES_PER_MB).collect();
        full_array::<f64>(py, all, &[places, places])
    }

    /// The names of the tasks in the order in which they are scheduled. Serial costs do not depend on it.
    #[getter]
    fn order(&self) -> Vec<&str> {
        let tasks = self.model.application().tasks();
        self.model.order().iter().map(|task| tasks[*task as usize].name.as_str()).collect()
    }

    /// The same model with tasks scheduled in another order: the names or numbers of all tasks, each after those that it waits
    /// for.
    fn with_order(&self, py: Python<'_>, order: &Bound<'_, PyAny>) -> PyResult<Self> {
        let names = self.graph.get().application.tasks();
        let wrong = |found: String| value(format!("order must list the names or numbers of tasks, {found}"));
        if order.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("order must be a list of the names or numbers of tasks, is a text"));
        }
        let positions: HashMap<&str, usize> =
            names.iter().enumerate().map(|(position, task)| (task.name.as_str(), position)).collect();
        let mut tasks = Vec::new();
        for item in order.try_iter()? {
            let item = item?;
            let task = match item.extract::<String>() {
                Ok(name) => positions.get(name.as_str()).copied(),
                Err(_) => item.extract::<usize>().ok().filter(|task| *task < names.len()),
            };
            tasks.push(task.ok_or_else(|| wrong(format!("holds {}", item.as_any()))).map(|task| task as u32)?);
        }
        let model = self.model.with_order(&tasks).map_err(|error| match error {
            sim::graph::GraphModelError::Order { task } => {
                let task = &names.get(task as usize).map_or("", |task| task.name.as_str());
                value(format!(
                    "order must list each task once and after those it waits for; it does not for the task {task}"
                ))
            }
            error => raise(error),
        })?;
        Ok(self.in_order(py, model))
    }

    /// The cost of decisions: alpha * energy in J + (1 - alpha) * time in s.
    ///
    /// Args:
    ///     decisions: Places, (…, tasks).
    ///
    /// Returns an array of shape (…), or a float for one decision.
    ///
    /// >>> model = GraphScenario.load("graph").cost_model(Graph([{"name": "a", "megacycles": 5000, "send_mb": 1}]))
    /// >>> model.cost([["local"], ["edge"]]).round(3).tolist()
    /// [5.0, 2.68]
    fn cost<'py>(&self, py: Python<'py>, decisions: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let decisions = self.decisions("decisions", decisions)?;
        let costs = self.each(py, &decisions, |schedule, places| schedule.cost_of(&self.model, places))?;
        array(py, costs, &decisions.shape)
    }

    /// Energy in J, time in s, cost and price of decisions, and whether they exceed a limit of the scenario, as
    /// `GraphOutcome`; arguments as of `cost`.
    fn outcome<'py>(&self, py: Python<'py>, decisions: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let decisions = self.decisions("decisions", decisions)?;
        let all = self.each(py, &decisions, |schedule, places| {
            schedule.fill(&self.model, places);
            schedule.outcome(&self.model)
        })?;
        outcomes(py, &all, &decisions.shape)
    }

    /// Everything that a decision makes happen, as a `Table` with a row for each activity.
    ///
    /// Columns: `activity` (`"run"`, `"send"` or `"receive"`), `task`, `place` (where the task runs; for what is sent and
    /// received the server at the other end), `start_s` and `end_s`. Where edges are sent, `task` is the task that waits for
    /// what is sent.
    fn schedule<'py>(&self, py: Python<'py>, decision: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let places = self.decisions("decision", decision)?;
        if !places.shape.is_empty() {
            return Err(value(format!("decision must be one decision, there are {}", places.count)));
        }
        check_allowed("decision", &places.values, &self.model)?;
        let activities = guarded_here(|| {
            let mut schedule = Schedule::new(&self.model);
            schedule.fill(&self.model, &places.values);
            Ok(schedule.activities(&self.model))
        })?;
        let (tasks, system) = (self.model.application().tasks(), self.model.system());
        let columns = PyDict::new(py);
        let kinds = activities.iter().map(|one| match one.kind {
            ActivityKind::Run => "run",
            ActivityKind::Send => "send",
            ActivityKind::Receive => "receive",
        });
        columns.set_item("activity", kinds.collect::<Vec<_>>())?;
        let names = activities.iter().map(|one| tasks[one.task as usize].name.as_str());
        columns.set_item("task", names.collect::<Vec<_>>())?;
        let places = activities.iter().map(|one| system.place_name(one.place as usize));
        columns.set_item("place", places.collect::<Vec<_>>())?;
        columns.set_item("start_s", activities.iter().map(|one| one.start_s).collect::<Vec<_>>())?;
        columns.set_item("end_s", activities.iter().map(|one| one.end_s).collect::<Vec<_>>())?;
        classes::table(py)?.call1((columns,))
    }

    /// The names of all schemes that decide the scenario's applications, the optimum last.
    fn schemes(&self) -> Vec<String> {
        self.scenario.get().scheme_names()
    }

    /// Decide the application with a scheme, as `GraphScenario.decide`. Returns a `GraphDecision`.
    #[pyo3(signature = (scheme="exact", *, seed=1))]
    fn decide<'py>(
        slf: &Bound<'py, Self>,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        deciding::decide_model(slf, scheme, seed)
    }

    /// What the exact search knows of the optimum, as `Bounds`: it may end with a best decision and a lower bound instead of
    /// a proof. With scheduled timing both hold for the order in which tasks are scheduled.
    fn bounds<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        deciding::bounds(slf)
    }

    /// Pickles as scenario, graph and order.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.import("mrdro._graphs")?.getattr("model")?;
        let order = self.has_own_order.then(|| self.model.order().to_vec());
        Ok((make, (&self.scenario, &self.graph, order).into_pyobject(py)?))
    }

    fn __repr__(&self) -> String {
        let scenario = self.scenario.get();
        let (name, tasks) = (&scenario.problem.scenario.name, data::counted(self.model.tasks(), "task"));
        format!("<GraphModel of {name}: {tasks}, places {}>", self.model.known_places())
    }
}

impl GraphModel {
    /// The same model with tasks scheduled in the order of another one.
    pub(crate) fn in_order(&self, py: Python<'_>, model: sim::graph::GraphModel) -> Self {
        let (scenario, graph) = (self.scenario.clone_ref(py), self.graph.clone_ref(py));
        Self { scenario, graph, model: Arc::new(model), has_own_order: true }
    }
}
