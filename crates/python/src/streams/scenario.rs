//! Scenarios over time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use mrdro::streams::{self, StreamProblem};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sim::stream::StreamScenario as Scenario;
use sim::stream::scenario::DispatchScenario;

use super::{comparison, function, run};
use crate::described;
use crate::errors::raise;
use crate::guard::{guarded_detached, interruptible};
use crate::numbers;
use crate::tables;

/// A scenario in which tasks or files arrive one after the other.
///
/// There are two kinds. Of kind `"dispatch"`, each task that arrives goes to its device or to a server at once, and waits there
/// in queues. Of kind `"slots"`, files wait on a device, and in each slot of time it is decided whether data is sent.
///
/// Scenarios do not change; `with_` makes a changed one. Equal scenarios have equal hashes.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct StreamScenario {
    pub(crate) problem: Arc<StreamProblem>,
    /// The scenario as TOML, from which equality and hashes follow.
    text: String,
}

impl StreamScenario {
    /// Checks a scenario, and reads the recordings that it names.
    pub(crate) fn new(py: Python<'_>, scenario: Scenario) -> PyResult<Self> {
        let text = scenario.to_toml();
        let problem = guarded_detached(py, || StreamProblem::new(scenario).map_err(raise))?;
        Ok(Self { problem: Arc::new(problem), text })
    }

    /// The scenario, if it is of kind `"dispatch"`.
    pub(crate) fn dispatch(&self) -> Option<&DispatchScenario> {
        match &self.problem.scenario {
            Scenario::Dispatch(scenario) => Some(scenario),
            Scenario::Slots(_) => None,
        }
    }

    /// The names of all schemes that are compared.
    pub(crate) fn scheme_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        guarded_detached(py, || self.problem.schemes().map_err(raise))
    }
}

#[pymethods]
impl StreamScenario {
    /// Load a shipped scenario by its name (see `presets("stream")`), or a scenario file (TOML) by its path.
    ///
    /// Recorded rates and arrivals that the scenario names are read. Raises `ScenarioError` with all mistakes of the file,
    /// `RecordingError` if a recording cannot be used, or `FileNotFoundError`.
    ///
    /// >>> StreamScenario.load("dispatch").places
    /// ['local', 'edge', 'cloud']
    #[staticmethod]
    fn load(py: Python<'_>, name_or_path: PathBuf) -> PyResult<Self> {
        let loaded = Scenario::load(&name_or_path.to_string_lossy());
        Self::new(py, loaded.map_err(described::refused::<Scenario>)?)
    }

    /// Read a scenario from TOML text. Raises `ScenarioError` with all mistakes, each with its line and column.
    #[staticmethod]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Self> {
        Self::new(py, described::of_text(text)?)
    }

    /// Read a scenario from a dict, as `to_dict` gives it. Arrays and numbers of NumPy will do.
    ///
    /// Raises `ScenarioError` with all mistakes; the keys of `problems` are paths in the dict.
    #[staticmethod]
    fn from_dict(py: Python<'_>, dictionary: &Bound<'_, PyDict>) -> PyResult<Self> {
        Self::new(py, described::of_table("the scenario", &tables::table_of("", dictionary)?)?)
    }

    /// The scenario with some values changed, as `Scenario.with_` changes them: `with_(alpha=0.3)`,
    /// `with_({"devices.count": 3, "devices.arrivals.load": 0.9})`.
    ///
    /// A dict as a value changes only the keys that it names, unless it names another `distribution`, `states` or `traces`:
    /// then it replaces the old one. `None` removes a key, so that its default holds. Raises `ScenarioError` with all mistakes.
    ///
    /// >>> StreamScenario.load("dispatch").with_({"devices.count": 3, "alpha": 0.3})
    /// <StreamScenario dispatch: 30000 tasks of 3 devices, places local, edge, cloud>
    #[pyo3(signature = (changes=None, /, **others))]
    fn with_(
        &self,
        py: Python<'_>,
        changes: Option<&Bound<'_, PyDict>>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        Self::new(py, described::changed(self.name(), &self.text, [changes, others])?)
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
        self.problem.scenario.name()
    }

    /// The weight of energy against time: 1 counts energy alone, 0 time alone.
    #[getter]
    fn alpha(&self) -> f64 {
        self.problem.scenario.alpha()
    }

    /// What is decided: `"dispatch"` (where each task runs, as it arrives) or `"slots"` (what is sent in each slot of time).
    #[getter]
    fn kind(&self) -> &'static str {
        match self.problem.scenario {
            Scenario::Dispatch(_) => "dispatch",
            Scenario::Slots(_) => "slots",
        }
    }

    /// The names of the places where a task can run: `local` (its device), then the servers. Empty in slots.
    #[getter]
    pub(crate) fn places(&self) -> Vec<String> {
        let servers = self.dispatch().map(|scenario| scenario.servers.iter().map(|server| server.name.clone()));
        let local = servers.is_some().then(|| sim::stream::dispatch::LOCAL.to_owned());
        local.into_iter().chain(servers.into_iter().flatten()).collect()
    }

    /// The names of the links over which data is sent in slots. Empty where tasks are dispatched.
    #[getter]
    fn links(&self) -> Vec<String> {
        match &self.problem.scenario {
            Scenario::Dispatch(_) => Vec::new(),
            Scenario::Slots(scenario) => scenario.links.iter().map(|link| link.name.clone()).collect(),
        }
    }

    /// The names of all schemes that are compared. Others take too long for every comparison and can be asked for, such as
    /// `rollout`; numbers may follow some names, as in `"drift-plus-penalty@2"`.
    ///
    /// >>> StreamScenario.load("dispatch").schemes()[4:6]
    /// ['static-split', 'greedy']
    fn schemes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.scheme_names(py)
    }

    /// The load of the run that is drawn from a seed: the smallest share of time that the busiest queue can be busy, where
    /// tasks are dispatched; in slots what arrives as a share of what the links can send.
    ///
    /// >>> round(StreamScenario.load("dispatch").load_of(1), 9)
    /// 0.8
    fn load_of(&self, py: Python<'_>, #[pyo3(from_py_with = numbers::seed)] seed: u64) -> PyResult<f64> {
        guarded_detached(py, || match &self.problem.scenario {
            Scenario::Dispatch(scenario) => Ok(scenario.site(seed).map_err(raise)?.load()),
            Scenario::Slots(scenario) => {
                let path = scenario.problem().map_err(raise)?.path(seed, 0);
                Ok(path.load() / path.mean_rates().iter().sum::<f64>())
            }
        })
    }

    /// Run one scheme along one course of arrivals and rates.
    ///
    /// Args:
    ///     scheme: One of `schemes()`. Where tasks are dispatched also a function of yours: it gets an `Offer` for each task
    ///         and returns its place, as a number or a name.
    ///     seed: Devices, arrivals and rates are drawn from it. Equal seeds give equal courses for all schemes.
    ///
    /// Returns a `StreamRun`. Raises `SchemeError` if there is no such scheme.
    ///
    /// >>> scenario = StreamScenario.load("dispatch").with_(tasks_per_run=1000)
    /// >>> run = scenario.run("greedy")
    /// >>> mine = scenario.run(lambda offer: offer.cost.argmin())
    /// >>> mine.cost == run.cost, run.tasks.place.shape
    /// (True, (1000,))
    #[pyo3(signature = (scheme, *, seed=1))]
    fn run<'py>(
        slf: &Bound<'py, Self>,
        scheme: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, own) = (slf.py(), slf.get());
        if let Ok(name) = scheme.cast::<PyString>() {
            let name: String = name.extract()?;
            let done = interruptible(py, |_| streams::run(&own.problem, &name, seed).map_err(raise))?;
            return run::object(py, done);
        }
        if scheme.is_callable() {
            return run::object(py, function::run(own, scheme, seed)?);
        }
        let found = scheme.repr()?;
        Err(PyTypeError::new_err(format!("scheme must be the name of a scheme or a function, is {found}")))
    }

    /// Run schemes along the same courses of arrivals and rates: one row for each.
    ///
    /// Args:
    ///     schemes: Names of schemes; `None`: all of `schemes()`.
    ///     functions: Your own, by name, where tasks are dispatched: each gets an `Offer` and returns a place.
    ///     runs: The number of courses; where rates in slots are recorded, there is one for each recording.
    ///     seed: Run r draws devices, arrivals and rates from `seed + r`.
    ///
    /// Returns a `StreamTable`, which has a `bound`, too. `change` is the mean change of the cost against `greedy`, in slots against `at-once`: -0.1 is 10 % less.
    /// `change_low` and `change_high` are its 95 % interval over runs. A scheme that cannot decide the scenario is left out.
    /// `is_overloaded`: whether a queue got more work than it can do, so that delay and cost grow with the length of the run.
    ///
    /// >>> scenario = StreamScenario.load("dispatch").with_(tasks_per_run=1000)
    /// >>> table = scenario.compare(["greedy", "one-step"], functions={"mine": lambda offer: offer.cost.argmin()}, runs=2)
    /// >>> table["scheme"], table["change"][2]
    /// (['greedy', 'one-step', 'mine'], 0.0)
    #[pyo3(signature = (schemes=None, *, functions=None, runs=5, seed=1))]
    fn compare<'py>(
        slf: &Bound<'py, Self>,
        schemes: Option<&Bound<'py, PyAny>>,
        functions: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = numbers::runs)] runs: usize,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        // Python reads the arguments, as those of `mrdro.compare`, and shows how far the comparison is.
        let module = slf.py().import("mrdro._stream_compare")?;
        module.call_method1("compare_streams", (slf, schemes, functions, runs, seed))
    }

    /// Tune the numbers of a scheme by simulation, on courses of arrivals and rates that no run has.
    ///
    /// Args:
    ///     scheme: The name of a scheme with numbers, such as `"drift-plus-penalty"`, or in slots `"threshold"`.
    ///     seed: The courses are drawn from it.
    ///
    /// Returns the name of the scheme with its numbers, for `run` and `compare`. Raises `SchemeError` if there is no such scheme, or
    /// it has no numbers to tune.
    ///
    /// >>> scenario = StreamScenario.load("commute").with_(slots=1200)
    /// >>> scenario.tune("threshold").startswith("threshold@")
    /// True
    #[pyo3(signature = (scheme, *, seed=1))]
    fn tune(&self, py: Python<'_>, scheme: &str, #[pyo3(from_py_with = numbers::seed)] seed: u64) -> PyResult<String> {
        interruptible(py, |_| Ok(streams::tune(&self.problem, scheme, seed).map_err(raise)?.tuned))
    }

    /// The rows of a comparison, and its bound with whether a scheme reaches it. `on_progress` is called with the number of runs that have been made.
    #[pyo3(name = "_rows")]
    fn rows<'py>(
        slf: &Bound<'py, Self>,
        schemes: Vec<String>,
        functions: Vec<(String, Py<PyAny>)>,
        runs: usize,
        seed: u64,
        on_progress: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        comparison::rows(slf.py(), slf.get(), &schemes, functions, (runs, seed), &on_progress)
    }

    fn __repr__(&self) -> String {
        let (name, places) = (self.name(), self.places().join(", "));
        match &self.problem.scenario {
            Scenario::Dispatch(scenario) => {
                let (tasks, devices) = (scenario.tasks_per_run, scenario.devices.count);
                format!("<StreamScenario {name}: {tasks} tasks of {devices} devices, places {places}>")
            }
            Scenario::Slots(scenario) => {
                let (slots, slot_s, links) = (scenario.slots, scenario.slot_s, self.links().join(", "));
                format!("<StreamScenario {name}: {slots} slots of {slot_s} s, links {links}>")
            }
        }
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
