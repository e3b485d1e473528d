//! Scenarios, and the workloads that are drawn from them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use data::{Part, StandardSet, Workloads};
use mrdro::Problem;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sim::{Instance, random};

use crate::arrays::full_array;
use crate::classes;
use crate::cost_model::CostModel;
use crate::described;
use crate::environment::Environment;
use crate::errors::{raise, value};
use crate::guard::guarded;
use crate::numbers;
use crate::tables;

/// The most task sizes that one call draws.
const MAX_SIZES: usize = 1_000_000_000;

/// The names of the shipped scenarios: of independent tasks (`kind="tasks"`), of task graphs (`kind="graph"`), or over time
/// (`kind="stream"`).
///
/// >>> presets("graph")
/// ['graph', 'graph-serial', 'call-graph', 'workflow', 'layers']
#[pyfunction]
#[pyo3(signature = (kind="tasks"))]
pub(crate) fn presets(kind: &str) -> PyResult<Vec<&'static str>> {
    match kind {
        "tasks" => Ok(sim::Scenario::presets().collect()),
        "graph" => Ok(sim::graph::GraphScenario::presets().collect()),
        "stream" => Ok(sim::stream::StreamScenario::presets().collect()),
        _ => Err(value(format!("kind must be \"tasks\", \"graph\" or \"stream\", is {kind:?}"))),
    }
}

/// Devices, their tasks, servers, links, and the weight of energy against time.
///
/// Scenarios do not change; `with_` makes a changed one. Equal scenarios have equal hashes.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Scenario {
    pub(crate) problem: Arc<Problem>,
    /// The scenario as TOML, from which equality and hashes follow.
    text: String,
}

impl Scenario {
    pub(crate) fn new(scenario: sim::Scenario) -> PyResult<Self> {
        let text = scenario.to_toml();
        Ok(Self { problem: Arc::new(Problem::new(scenario).map_err(raise)?), text })
    }

    /// The part of recorded data of this name.
    pub(crate) fn part(name: &str) -> PyResult<Part> {
        match name {
            "training" => Ok(Part::Training),
            "held-out" => Ok(Part::HeldOut),
            _ => Err(value(format!("part must be \"training\" or \"held-out\", is {name:?}"))),
        }
    }

    /// Finds a scenario of independent tasks by its name or file.
    fn found(name_or_path: &str) -> PyResult<sim::Scenario> {
        sim::Scenario::load(name_or_path).map_err(described::refused::<sim::Scenario>)
    }

    /// The scenario of an argument `scenario`, which can be a `Scenario`, the name of a shipped one, or the path of a file.
    ///
    /// # Errors
    /// If it is something else, or the scenario cannot be loaded.
    pub(crate) fn of_argument<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        if let Ok(scenario) = given.cast::<Self>() {
            return Ok(scenario.clone());
        }
        let Ok(name_or_path) = given.extract() else {
            let found = given.repr()?;
            let wanted = format!("scenario must be a Scenario, its name or its file, is {found}");
            return Err(pyo3::exceptions::PyTypeError::new_err(wanted));
        };
        Bound::new(given.py(), Self::load(name_or_path)?)
    }

    /// Workloads in their environments as `mrdro.Workloads`.
    fn workloads<'py>(
        &self,
        py: Python<'py>,
        instances: &[Instance],
        optimal: Option<Vec<f64>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let model = &self.problem.model;
        let shape = [instances.len(), model.devices(), model.tasks()];
        let bytes = instances.iter().flat_map(|instance| instance.workload.sizes_bytes());
        let sizes_mb = bytes.map(|bytes| bytes / sim::units::BYTES_PER_MB).collect();
        let environments = self.problem.scenario.environment.as_ref().map(|_| {
            PyList::new(py, instances.iter().map(|instance| Environment(instance.model.environment().clone())))
        });
        let count = instances.len();
        let optimal = optimal.map(|optimal| full_array(py, optimal, &[count])).transpose()?;
        classes::workloads(py)?.call1((full_array(py, sizes_mb, &shape)?, environments.transpose()?, optimal))
    }
}

#[pymethods]
impl Scenario {
    /// Load a shipped scenario by its name (see `presets`), or a scenario file (TOML) by its path.
    ///
    /// Raises `ScenarioError` with all mistakes of the file, or `FileNotFoundError`.
    ///
    /// >>> Scenario.load("paper-wan").places
    /// ['local', 'edge', 'cloud']
    #[staticmethod]
    fn load(name_or_path: std::path::PathBuf) -> PyResult<Self> {
        Self::new(Self::found(&name_or_path.to_string_lossy())?)
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

    /// The scenario with some values changed.
    ///
    /// Values are named by keywords, or by paths in a dict: `with_(alpha=0.3)`, `with_({"devices.count": 5})`,
    /// `with_({"servers[0].frequency_mhz": 2000})`. A dict as a value changes only the keys that it names, unless it names
    /// another `distribution`: then it replaces the old one. `None` removes a key, so that its default holds. The name
    /// stays; `name="mine"` changes it. Raises `ScenarioError` with all mistakes.
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

    /// N, the number of devices.
    #[getter]
    fn devices(&self) -> usize {
        self.problem.model.devices()
    }

    /// M, the number of tasks of each device, or the largest number where they differ.
    #[getter]
    fn tasks(&self) -> usize {
        self.problem.model.tasks()
    }

    /// The names of the places where a task can run: `local` (the device itself), then the servers.
    #[getter]
    fn places(&self) -> Vec<String> {
        self.problem.model.place_names().to_vec()
    }

    /// Whether each workload has an environment of its own: uplinks, capacities or alpha that change.
    #[getter]
    fn changes_environment(&self) -> bool {
        self.problem.scenario.environment.is_some()
    }

    /// The costs of decisions, in the scenario's own environment or in another one.
    #[pyo3(signature = (environment=None))]
    fn cost_model(&self, environment: Option<&Environment>) -> PyResult<CostModel> {
        let environment = environment.map_or_else(|| self.problem.model.environment(), |environment| &environment.0);
        CostModel::new(Arc::clone(&self.problem), environment, None)
    }

    /// Draw random workloads, as the program draws them for training.
    ///
    /// Args:
    ///     count: How many.
    ///     seed: Equal seeds give equal workloads.
    ///     part: `"training"` or `"held-out"`: which part of recorded sizes and networks to draw from, if there are any.
    ///     stream: The name of the random stream. Other names give other workloads for the same seed.
    ///
    /// Returns `Workloads`, with sizes in MB of shape (count, N, M).
    #[pyo3(signature = (count, *, seed=1, part="training", stream="workloads"))]
    fn draw<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = numbers::count)] count: usize,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
        part: &str,
        stream: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let part = Self::part(part)?;
        let (problem, most) = (&self.problem, MAX_SIZES / self.problem.model.task_count());
        if count > most {
            return Err(value(format!("count must be at most {most} workloads in this scenario, is {count}")));
        }
        let instances = guarded(py, || {
            let environments = random::stream(seed, &format!("{stream}/environments"));
            let sizes = problem.sampler().map_err(raise)?;
            let mut workloads = Workloads::new(&problem.model, sizes, part, random::stream(seed, stream))
                .with_environments(problem.environments().map_err(raise)?, environments);
            Ok((0..count).map(|_| workloads.draw()).collect::<Vec<_>>())
        })?;
        self.workloads(py, &instances, None)
    }

    /// The standard set: 512 workloads that are the same for every seed and program, with their optimal costs where
    /// the exact search can compute them.
    fn standard_set<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let set: StandardSet = guarded(py, || self.problem.standard_set().map_err(raise))?;
        self.workloads(py, set.instances(), set.optimal().map(<[f64]>::to_vec))
    }

    fn __repr__(&self) -> String {
        let (name, devices, tasks) = (self.name(), self.devices(), self.tasks());
        format!("<Scenario {name}: {devices} × {tasks} tasks, places {}>", self.places().join(", "))
    }

    /// The scenario as a table, for notebooks.
    fn _repr_html_(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let rows = [
            ("devices", format!("{} with {} tasks each", self.devices(), self.tasks())),
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
