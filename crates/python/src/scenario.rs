//! Scenarios, and the workloads that are drawn from them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use data::{Part, StandardSet, Workloads};
use mrdro::Problem;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sim::{Instance, random};
use toml::Table;

use crate::arrays::full_array;
use crate::classes;
use crate::cost_model::CostModel;
use crate::environment::Environment;
use crate::errors::{raise, value};
use crate::guard::guarded;
use crate::tables;

/// The most task sizes that one call draws.
const MAX_SIZES: usize = 1_000_000_000;

/// The names of the shipped scenarios.
#[pyfunction]
pub(crate) fn presets() -> Vec<&'static str> {
    sim::Scenario::presets().collect()
}

/// A checked scenario.
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

    fn table(&self) -> PyResult<Table> {
        toml::from_str(&self.text).map_err(|error| value(error.to_string()))
    }

    /// A scenario from a table that no file holds, so that mistakes have no lines.
    fn of_table(origin: &str, table: &Table) -> PyResult<Self> {
        let read = sim::Scenario::from_toml(origin, &table.to_string());
        let mistakes = |mistakes: sim::config::Mistakes| raise(sim::ScenarioError::from(mistakes.without_places()));
        Self::new(read.map_err(mistakes)?)
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
    #[staticmethod]
    fn load(name_or_path: std::path::PathBuf) -> PyResult<Self> {
        Self::new(sim::Scenario::load(&name_or_path.to_string_lossy()).map_err(raise)?)
    }

    #[staticmethod]
    fn from_toml(text: &str) -> PyResult<Self> {
        Self::new(sim::Scenario::from_toml("the scenario", text).map_err(sim::ScenarioError::from).map_err(raise)?)
    }

    #[staticmethod]
    fn from_dict(dictionary: &Bound<'_, PyDict>) -> PyResult<Self> {
        Self::of_table("the scenario", &tables::table_of("", dictionary)?)
    }

    #[pyo3(signature = (changes=None, /, **others))]
    fn with_(&self, changes: Option<&Bound<'_, PyDict>>, others: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut table = self.table()?;
        for changes in [changes, others].into_iter().flatten() {
            tables::change(&mut table, changes)?;
        }
        Self::of_table(&format!("the changed scenario `{}`", self.name()), &table)
    }

    fn to_toml(&self) -> &str {
        &self.text
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::dictionary_of(py, &self.table()?)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.problem.scenario.name
    }

    #[getter]
    fn alpha(&self) -> f64 {
        self.problem.scenario.alpha
    }

    #[getter]
    fn devices(&self) -> usize {
        self.problem.model.devices()
    }

    #[getter]
    fn tasks(&self) -> usize {
        self.problem.model.tasks()
    }

    #[getter]
    fn places(&self) -> Vec<String> {
        self.problem.model.place_names().to_vec()
    }

    #[getter]
    fn changes_environment(&self) -> bool {
        self.problem.scenario.environment.is_some()
    }

    #[pyo3(signature = (environment=None))]
    fn cost_model(&self, environment: Option<&Environment>) -> PyResult<CostModel> {
        let model = &self.problem.model;
        let model = match environment {
            None => model.clone(),
            Some(environment) => model.at(&environment.0).map_err(raise)?,
        };
        Ok(CostModel { problem: Arc::clone(&self.problem), model })
    }

    #[pyo3(signature = (count, *, seed=1, part="training", stream="workloads"))]
    fn draw<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        seed: u64,
        part: &str,
        stream: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let part = match part {
            "training" => Part::Training,
            "held-out" => Part::HeldOut,
            _ => return Err(value(format!("part must be \"training\" or \"held-out\", is {part:?}"))),
        };
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

    fn standard_set<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let set: StandardSet = guarded(py, || self.problem.standard_set().map_err(raise))?;
        self.workloads(py, set.instances(), set.optimal().map(<[f64]>::to_vec))
    }

    fn __repr__(&self) -> String {
        let (name, devices, tasks) = (self.name(), self.devices(), self.tasks());
        format!("<Scenario {name}: {devices} × {tasks} tasks, places {}>", self.places().join(", "))
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
