//! Scenarios of task graphs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use data::graphs::GraphSampler;
use mrdro::graphs::GraphProblem;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim::graph::scenario::Pinned;
use sim::graph::scheme::GraphSchemeKind;
use sim::graph::{self, System, Timing, Transfer};
use sim::{AnyScenario, random};

use super::deciding;
use super::graph::Graph;
use super::model::GraphModel;
use crate::described;
use crate::errors::{graph as graph_error, raise, value};
use crate::guard::{guarded, interruptible};
use crate::numbers;
use crate::scenario::Scenario;
use crate::streams::StreamScenario;
use crate::tables;

/// The most applications that one call draws.
const MAX_APPLICATIONS: usize = 1_000_000;

/// A device, servers, links, and applications whose tasks depend on one another.
///
/// Scenarios do not change; `with_` makes a changed one. Equal scenarios have equal hashes. The keys and units are those of
/// docs/task-graphs.md.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct GraphScenario {
    pub(crate) problem: GraphProblem,
    system: Arc<System>,
    /// The scenario as TOML, from which equality and hashes follow.
    text: String,
}

impl GraphScenario {
    pub(crate) fn new(scenario: graph::GraphScenario) -> PyResult<Self> {
        let text = scenario.to_toml();
        let problem = GraphProblem::new(scenario).map_err(raise)?;
        Ok(Self { system: Arc::new(problem.system.clone()), problem, text })
    }

    /// The scenario of an argument `scenario`, which can be a `GraphScenario`, the name of a shipped one, or the path of a file.
    ///
    /// # Errors
    /// If it is something else, or the scenario cannot be loaded.
    pub(crate) fn of_argument<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        if let Ok(scenario) = given.cast::<Self>() {
            return Ok(scenario.clone());
        }
        let Ok(name_or_path) = given.extract() else {
            let found = given.repr()?;
            let wanted = format!("scenario must be a GraphScenario, its name or its file, is {found}");
            return Err(PyTypeError::new_err(wanted));
        };
        Bound::new(given.py(), Self::load(name_or_path)?)
    }

    /// What decisions about an application cost.
    ///
    /// # Errors
    /// If the application lacks a size that the scenario needs or a task that it pins, or pins a task to a place that the
    /// scenario does not have.
    pub(crate) fn model_of(&self, graph: &Graph) -> PyResult<graph::GraphModel> {
        let scenario = &self.problem.scenario;
        let application = Arc::clone(graph.application_for(scenario.application.transfer)?);
        let application = if scenario.application.pinned == Pinned::None {
            application
        } else {
            let pinned = scenario.pin(application.as_ref().clone());
            Arc::new(pinned.map_err(|error| graph_error(&error.to_string()))?)
        };
        let model = graph::GraphModel::new(application, Arc::clone(&self.system), scenario.rules());
        model.and_then(|model| scenario.with_predicted_times(model)).map_err(raise)
    }

    /// The names of all schemes that decide the scenario's applications, the optimum last.
    pub(crate) fn scheme_names(&self) -> Vec<String> {
        let scenario = &self.problem.scenario;
        let kinds = GraphSchemeKind::all(&self.system, &scenario.rules(), scenario.has_chains());
        kinds.iter().map(ToString::to_string).collect()
    }

    /// The system of the scenario.
    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// The scenario without the tasks that it pins, so that its applications are as they were drawn. Whatever the
    /// scenario decides has them pinned.
    fn without_pins(&self) -> graph::GraphScenario {
        let mut scenario = self.problem.scenario.clone();
        scenario.application.pinned = Pinned::None;
        scenario
    }
}

/// Loads a scenario of any kind, by its name or file.
#[pyfunction]
pub(crate) fn load_scenario(py: Python<'_>, name_or_path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    match AnyScenario::load(&name_or_path.to_string_lossy()).map_err(raise)? {
        AnyScenario::Tasks(scenario) => Ok(Bound::new(py, Scenario::new(scenario)?)?.into_any()),
        AnyScenario::Graph(scenario) => Ok(Bound::new(py, GraphScenario::new(scenario)?)?.into_any()),
        AnyScenario::Stream(scenario) => Ok(Bound::new(py, StreamScenario::new(py, scenario)?)?.into_any()),
    }
}

#[pymethods]
impl GraphScenario {
    /// Load a shipped scenario by its name (see `presets("graph")`), or a scenario file (TOML) by its path.
    ///
    /// Raises `ScenarioError` with all mistakes of the file, or `FileNotFoundError`.
    ///
    /// >>> GraphScenario.load("call-graph").places
    /// ['local', 'wifi', 'cellular']
    #[staticmethod]
    fn load(name_or_path: PathBuf) -> PyResult<Self> {
        let loaded = graph::GraphScenario::load(&name_or_path.to_string_lossy());
        Self::new(loaded.map_err(described::refused::<graph::GraphScenario>)?)
    }

    /// Read a scenario from TOML text. Raises `ScenarioError` with all mistakes, each with its line and column.
    #[staticmethod]
    fn from_toml(text: &str) -> PyResult<Self> {
        Self::new(described::of_text(text)?)
    }

    /// Read a scenario from a dict, as `to_dict` gives it. Arrays and numbers of NumPy will do.
    ///
    /// Raises `ScenarioError` with all mistakes; the keys of `problems` are paths in the dict.
    #[staticmethod]
    fn from_dict(dictionary: &Bound<'_, PyDict>) -> PyResult<Self> {
        Self::new(described::of_table("the scenario", &tables::table_of("", dictionary)?)?)
    }

    /// The scenario with some values changed, as `Scenario.with_` changes them: `with_(alpha=0.5)`,
    /// `with_({"application.graph.tasks": 30, "servers[0].frequency_mhz": 20000})`.
    ///
    /// A dict as a value changes only the keys that it names, unless it names another `distribution`, `generator`, `file`,
    /// `layers` or `values`: then it replaces the old one. `None` removes a key, so that its default holds. Raises
    /// `ScenarioError` with all mistakes.
    #[pyo3(signature = (changes=None, /, **others))]
    fn with_(&self, changes: Option<&Bound<'_, PyDict>>, others: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Self::new(described::changed(self.name(), &self.text, [changes, others])?)
    }

    /// The scenario as TOML text, which `from_toml` reads back to an equal scenario.
    fn to_toml(&self) -> &str {
        &self.text
    }

    /// The scenario as a dict, which `from_dict` reads back to an equal scenario.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::dictionary_of(py, &described::table_of_text(&self.text)?)
    }

    /// The name of the scenario.
    #[getter]
    fn name(&self) -> &str {
        &self.problem.scenario.name
    }

    /// The weight of energy against time: 1 counts energy alone, 0 time alone.
    #[getter]
    fn alpha(&self) -> f64 {
        self.problem.scenario.alpha
    }

    /// The names of the places where a task can run: `local` (the device), then the servers.
    #[getter]
    pub(crate) fn places(&self) -> Vec<String> {
        (0..self.system.places()).map(|place| self.system.place_name(place).to_owned()).collect()
    }

    /// What runs at the same time: `"scheduled"` (everything as soon as it can) or `"serial"` (one thing at a time).
    #[getter]
    fn timing(&self) -> &'static str {
        match self.problem.scenario.application.timing {
            Timing::Scheduled => "scheduled",
            Timing::Serial => "serial",
        }
    }

    /// What is sent: `"task"` (whole tasks, whose results come back) or `"edge"` (what edges carry).
    #[getter]
    fn transfer(&self) -> &'static str {
        match self.problem.scenario.application.transfer {
            Transfer::Task => "task",
            Transfer::Edge => "edge",
        }
    }

    /// Whether sending to some server, or receiving from it, costs money.
    #[getter]
    fn has_prices(&self) -> bool {
        self.system.servers.iter().any(|server| server.link.price_per_byte > 0.0)
    }

    /// Draw random applications from the scenario's generator, or from its file.
    ///
    /// Args:
    ///     count: How many.
    ///     seed: Equal seeds give equal applications.
    ///     stream: The name of the random stream. Other names give other applications for the same seed.
    ///
    /// Returns a list of `Graph`. The tasks that the scenario pins are pinned when it decides.
    ///
    /// >>> GraphScenario.load("graph").draw(2)
    /// [<Graph: 20 tasks, 29 edges>, <Graph: 20 tasks, 32 edges>]
    #[pyo3(signature = (count, *, seed=1, stream="applications"))]
    fn draw(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = numbers::count)] count: usize,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
        stream: &str,
    ) -> PyResult<Vec<Graph>> {
        if count > MAX_APPLICATIONS {
            return Err(value(format!("count must be at most {MAX_APPLICATIONS} applications, is {count}")));
        }
        interruptible(py, |stop| {
            let sampler = GraphSampler::new(&self.without_pins()).map_err(raise)?;
            let mut random = random::stream(seed, stream);
            let drawn = (0..count).take_while(|_| !stop.load(Ordering::Relaxed));
            Ok(drawn.map(|_| Graph::known(Arc::new(sampler.draw(&mut random)))).collect())
        })
    }

    /// The applications that every comparison uses, the same for every seed and program: 100 of the generator, or all of the
    /// scenario's file. Returns a list of `Graph`.
    pub(crate) fn standard_set(&self, py: Python<'_>) -> PyResult<Vec<Graph>> {
        let models = guarded(py, || {
            let problem = GraphProblem::new(self.without_pins()).map_err(raise)?;
            problem.standard_set().map_err(raise)
        })?;
        Ok(models.iter().map(|model| Graph::known(Arc::clone(model.application()))).collect())
    }

    /// The names of all schemes that decide the scenario's applications, the optimum last.
    fn schemes(&self) -> Vec<String> {
        self.scheme_names()
    }

    /// What decisions about one application cost, as a `GraphModel`. Raises `GraphError` if the application lacks something that
    /// the scenario needs.
    fn cost_model(slf: &Bound<'_, Self>, graph: &Bound<'_, PyAny>) -> PyResult<GraphModel> {
        let graph = deciding::graph_of_argument("graph", graph)?;
        let model = slf.get().model_of(graph.get())?;
        Ok(GraphModel::new(slf.clone().unbind(), graph.unbind(), Arc::new(model)))
    }

    /// Decide applications with a scheme.
    ///
    /// Args:
    ///     graphs: A `Graph`, or a list of them.
    ///     scheme: One of `schemes()`, or `any-order`, which also decides the order of tasks. `randomised-greedy`,
    ///         `local-search`, `annealing` and `genetic` take a budget, as in `"local-search@64"`: at most 64 cost
    ///         evaluations; `larac-m@N` tries N multipliers, `larac-k@N` ranks N decisions.
    ///     seed: For schemes that draw random numbers.
    ///
    /// Returns a `GraphDecision`, for a list `GraphDecisions`. Several applications are decided on all threads, and Ctrl-C ends
    /// the call.
    #[pyo3(signature = (graphs, scheme="exact", *, seed=1))]
    fn decide<'py>(
        slf: &Bound<'py, Self>,
        graphs: &Bound<'py, PyAny>,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        deciding::decide(slf, graphs, scheme, seed)
    }

    fn __repr__(&self) -> String {
        let (name, timing, transfer) = (self.name(), self.timing(), self.transfer());
        format!("<GraphScenario {name}: {timing}, {transfer}s are sent, places {}>", self.places().join(", "))
    }

    /// The scenario as a table, for notebooks.
    fn _repr_html_(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let rows = [
            ("timing", self.timing().to_owned()),
            ("transfer", self.transfer().to_owned()),
            ("places", escaped(&self.places().join(", "))),
            ("alpha", self.alpha().to_string()),
        ];
        let rows = rows.map(|(key, value)| format!("<tr><th>{key}</th><td>{value}</td></tr>")).concat();
        format!("<table><caption>{}</caption>{rows}</table>", escaped(self.name()))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().text == self.text)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&str,))> {
        Ok((py.get_type::<Self>().getattr("from_toml")?, (&self.text,)))
    }
}
