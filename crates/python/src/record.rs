//! Records: trained networks that decide.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::fleet::Inference;
use model::{Backend, DecisionOptions, DeviceChoice, ExportFormat, Selection};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use rayon::prelude::*;
use sim::CostModel;
use sim::scheme::Scheme;

use crate::answers::{Answers, Models, POOL_FROM, decide_each, workloads_of};
use crate::arrays::Batch;
use crate::errors::{self, raise, value};
use crate::guard::{guarded, guarded_here, interruptible};
use crate::numbers;
use crate::scenario::Scenario;
use crate::schemes::{self, ByTrait};
use crate::tables;

/// The names of the two files of a record.
const FILES: [&str; 2] = ["manifest.toml", "weights.bpk"];
/// The records in the package, by name, each with its two files.
const SHIPPED: [(&str, [&[u8]; 2]); 2] = [
    (
        "paper",
        [include_bytes!("../../../models/paper/manifest.toml"), include_bytes!("../../../models/paper/weights.bpk")],
    ),
    (
        "any-fleet",
        [
            include_bytes!("../../../models/any-fleet/manifest.toml"),
            include_bytes!("../../../models/any-fleet/weights.bpk"),
        ],
    ),
];
/// The number of workloads after which a long call looks whether it should stop.
const AT_A_TIME: usize = 32_768;
/// The most schemes that a record keeps for later calls.
const MOST_IDLE: usize = 64;

/// Trained networks with all that is needed to decide with them.
///
/// Made by `Record.load`, `Record.shipped` or `mrdro.train`. A record can be used from several threads at once, and pickled.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Record {
    pub(crate) content: model::Record,
    backend: Backend,
    /// The record's own scenario; none for any fleet.
    own: Option<Arc<mrdro::Problem>>,
    /// The contents of the record's two files.
    files: [Vec<u8>; 2],
    /// Schemes that no call uses at the moment.
    idle: Mutex<Vec<(SchemeKey, Box<dyn Scheme>)>>,
}

/// What a scheme was made for: its options, and the scenario where it is not the record's own.
#[derive(Clone)]
struct SchemeKey {
    options: DecisionOptions,
    scenario: Option<Arc<mrdro::Problem>>,
}

impl PartialEq for SchemeKey {
    fn eq(&self, other: &Self) -> bool {
        let are_same = match (&self.scenario, &other.scenario) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one.scenario == other.scenario,
            _ => false,
        };
        are_same && self.options == other.options
    }
}

impl Record {
    fn of_files(files: [Vec<u8>; 2]) -> PyResult<Self> {
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        let record = model::Record::from_bytes(&files[0], &files[1], &backend.device).map_err(raise)?;
        Self::of(record, backend, files)
    }

    fn of(record: model::Record, backend: Backend, files: [Vec<u8>; 2]) -> PyResult<Self> {
        let own = record.networks.scenario().cloned().map(mrdro::Problem::new).transpose().map_err(raise)?;
        Ok(Self { content: record, backend, own: own.map(Arc::new), files, idle: Mutex::default() })
    }

    /// Reads a record from its directory.
    ///
    /// # Errors
    /// If the directory holds no record, or a damaged one.
    pub(crate) fn open(path: &std::path::Path) -> PyResult<Self> {
        let backend = DeviceChoice::Flex.open().map_err(raise)?;
        let record = model::Record::load(path, &backend.device).map_err(raise)?;
        let read = |name| Ok::<_, PyErr>(std::fs::read(path.join(name))?);
        Self::of(record, backend, [read(FILES[0])?, read(FILES[1])?])
    }

    /// A scheme of this record, from those that no call uses or a new one.
    fn scheme(&self, key: &SchemeKey, model: &CostModel) -> Box<dyn Scheme> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = idle.iter().position(|(other, _)| other == key) {
            return idle.swap_remove(position).1;
        }
        drop(idle);
        self.content.networks.scheme("mr-dro", model, &key.options, &self.backend.device)
    }

    fn keep(&self, key: SchemeKey, scheme: Box<dyn Scheme>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((key, scheme));
        }
    }

    /// The cost model to decide in: that of `scenario`, else of the record's own scenario.
    fn problem(&self, scenario: Option<&Scenario>, any_rates: bool) -> PyResult<Arc<mrdro::Problem>> {
        if let Some(scenario) = scenario {
            self.check_scenario("the record", &scenario.problem.scenario, any_rates)?;
            return Ok(Arc::clone(&scenario.problem));
        }
        self.own.clone().ok_or_else(|| {
            value("this record decides for any fleet and has no scenario of its own: give scenario, such as scenario=\"paper\"")
        })
    }

    /// Checks that the networks can decide for a scenario. `name` is what errors call the record.
    ///
    /// # Errors
    /// If they cannot, or only with `any_rates=True`.
    pub(crate) fn check_scenario(&self, name: &str, scenario: &sim::Scenario, any_rates: bool) -> PyResult<()> {
        let networks = &self.content.networks;
        networks.check_scenario(scenario, any_rates).map_err(|reason| {
            let way_out = if !any_rates && networks.check_scenario(scenario, true).is_ok() {
                ". Give any_rates=True to decide with it all the same"
            } else {
                ""
            };
            errors::record(&format!("{name} is for another scenario: {reason}{way_out}"))
        })
    }

    /// Checks that the networks can decide with these options.
    ///
    /// # Errors
    /// If one is for another kind of networks.
    fn check_options(&self, options: &DecisionOptions) -> PyResult<()> {
        let networks = &self.content.networks;
        networks.check_options(options).map_err(|error| {
            let (argument, found) = (errors::argument_of(error.option), networks.kind().description);
            value(format!("{argument} is for records of {}; this is a record of {found}", error.wanted))
        })
    }

    /// The schemes of the ways of deciding that comparisons show. Their names begin with `name`.
    pub(crate) fn compared(&self, name: &str, model: &CostModel) -> Vec<Box<dyn Scheme>> {
        let named = |(way, options): (String, DecisionOptions)| {
            let rest = way.strip_prefix("mr-dro").unwrap_or(&way);
            self.content.networks.scheme(&format!("{name}{rest}"), model, &options, &self.backend.device)
        };
        self.content.networks.compared().into_iter().map(named).collect()
    }

    fn decide_batch(&self, py: Python<'_>, key: &SchemeKey, models: &Models, sizes: &Batch<f64>) -> PyResult<Answers> {
        let model = match models {
            Models::One(model) => model,
            Models::Each(_) => {
                let device = &self.backend.device;
                let new = || Ok(ByTrait(self.content.networks.scheme("mr-dro", models.at(0), &key.options, device)));
                return decide_each(py, models, sizes, new);
            }
        };
        let mut scheme = self.scheme(key, model);
        let tasks = model.task_count();
        let mut answers = Answers::new(sizes);
        let Answers { places, outcomes, evaluations } = &mut answers;
        let done = if sizes.count < POOL_FROM {
            guarded_here(|| {
                scheme.decide_batch(model, &sizes.values, places, evaluations).map_err(raise)?;
                let rows = sizes.values.chunks_exact(tasks).zip(places.chunks_exact(tasks)).zip(outcomes);
                rows.for_each(|((sizes, places), outcome)| *outcome = model.outcome(sizes, places));
                Ok(())
            })
        } else {
            interruptible(py, |stop: &AtomicBool| {
                let parts = sizes.values.chunks(AT_A_TIME * tasks).zip(places.chunks_mut(AT_A_TIME * tasks));
                let parts = parts.zip(outcomes.chunks_mut(AT_A_TIME)).zip(evaluations.chunks_mut(AT_A_TIME));
                for (((sizes, places), outcomes), evaluations) in parts {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    scheme.decide_batch(model, sizes, places, evaluations).map_err(raise)?;
                    let rows = sizes.par_chunks_exact(tasks).zip(places.par_chunks_exact(tasks)).zip(outcomes);
                    rows.with_min_len(POOL_FROM)
                        .for_each(|((sizes, places), outcome)| *outcome = model.outcome(sizes, places));
                }
                Ok(())
            })
        };
        self.keep(key.clone(), scheme);
        done.map(|()| answers)
    }
}

/// The options of deciding for arguments as the program takes them.
fn options(explore: Option<usize>, budget: Option<u64>, search_free: bool) -> PyResult<DecisionOptions> {
    if search_free && budget.is_some() {
        return Err(value("search_free=True and budget exclude each other"));
    }
    let search = budget.map(|evaluations_per_task| Inference::Search { evaluations_per_task });
    Ok(DecisionOptions {
        selection: explore.map(Selection::explored),
        inference: search.or(search_free.then_some(Inference::SearchFree)),
    })
}

#[pymethods]
impl Record {
    /// Load a record from its directory, which `trainer` or `Record.save` wrote.
    ///
    /// Raises `RecordError` if it is damaged or of a later version, `FileNotFoundError` if there is none.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        guarded(py, || Self::open(&path))
    }

    /// A record that ships with the package: `"paper"` for the paper's scenario, or `"any-fleet"` for any scenario.
    #[staticmethod]
    fn shipped(name: &str) -> PyResult<Self> {
        let known = || SHIPPED.map(|(name, _)| format!("{name:?}")).join(" and ");
        let found = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
        let (_, files) = found.ok_or_else(|| value(format!("the shipped records are {}, not {name:?}", known())))?;
        Self::of_files(files.map(<[u8]>::to_vec))
    }

    /// Save the record into a new directory, which appears whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        guarded(py, || self.content.save(&path).map_err(raise))
    }

    /// Decide workloads: each network proposes decisions, and the cheapest proposal is the answer.
    ///
    /// Args:
    ///     sizes_mb: Task sizes in MB, (…, N, M), or `Workloads`.
    ///     environment: One for all workloads, or a list with one for each; `None`: the scenario's own.
    ///     scenario: Where the record should decide for another scenario than its own: a `Scenario`, its name or file.
    ///         Records for any fleet need it.
    ///     any_rates: Whether the scenario may have other rates than the record was trained for.
    ///     explore: The number of additional candidates of each network, chosen for each device by itself.
    ///     budget: For any fleet: continue with a search of at most this number of cost evaluations per task.
    ///     search_free: For any fleet: the networks decide from nothing instead of improving a decision of greedy.
    ///
    /// Returns `Decisions`. From 32 workloads on, all threads decide and other Python threads run meanwhile.
    ///
    /// >>> record = Record.shipped("paper")
    /// >>> record.decide([[20, 20, 20]] * 3).names[0].tolist()
    /// ['edge', 'cloud', 'cloud']
    #[pyo3(signature = (sizes_mb, *, environment=None, scenario=None, any_rates=false, explore=None, budget=None, search_free=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn decide<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        environment: Option<Bound<'py, PyAny>>,
        scenario: Option<&Bound<'py, PyAny>>,
        any_rates: bool,
        #[pyo3(from_py_with = numbers::explore)] explore: Option<usize>,
        #[pyo3(from_py_with = numbers::budget)] budget: Option<u64>,
        search_free: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = options(explore, budget, search_free)?;
        self.check_options(&options)?;
        let scenario = scenario.map(Scenario::of_argument).transpose()?;
        let scenario = scenario.as_ref().map(Bound::get);
        let problem = self.problem(scenario, any_rates)?;
        let (sizes_mb, environment) = workloads_of(sizes_mb, environment)?;
        let sizes = schemes::batch(&sizes_mb, &problem.model)?;
        let models = Models::of(&problem.model, environment.as_ref(), sizes.count)?;
        let key = SchemeKey { options, scenario: scenario.map(|_| Arc::clone(&problem)) };
        self.decide_batch(py, &key, &models, &sizes)?.into_python(py, &problem.model, &sizes.shape)
    }

    /// How the record does beside two greedy rules and the optimum, as a `Table` like that of `mrdro.compare`.
    ///
    /// Args:
    ///     scenario, any_rates: As of `decide`.
    ///     workloads: `Workloads` or sizes in MB, (count, N, M); `None`: the scenario's standard set of 512.
    #[pyo3(signature = (scenario=None, *, any_rates=false, workloads=None))]
    fn evaluate<'py>(
        slf: &Bound<'py, Self>,
        scenario: Option<Bound<'py, PyAny>>,
        any_rates: bool,
        workloads: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("mrdro._compare")?.call_method1("evaluate", (slf, scenario, any_rates, workloads))
    }

    /// The scenario that the record was trained for; `None` if it decides for any fleet.
    #[getter]
    fn scenario(&self) -> PyResult<Option<Scenario>> {
        self.content.networks.scenario().cloned().map(Scenario::new).transpose()
    }

    /// The kind of networks: `"dnn"` for one scenario, `"fleet"` for any fleet, `"stream"` for tasks that arrive over time.
    #[getter]
    fn kind(&self) -> &'static str {
        self.content.networks.kind().name
    }

    /// The manifest: everything but the parameters, as docs/record-format.md describes it.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let text = std::str::from_utf8(&self.files[0]).map_err(|error| value(error.to_string()))?;
        tables::dictionary_of(py, &toml::from_str(text).map_err(|error| value(error.to_string()))?)
    }

    /// Settings and circumstances of training, by name.
    #[getter]
    fn provenance(&self) -> std::collections::BTreeMap<String, String> {
        self.content.provenance.clone()
    }

    /// Measures of quality, by name.
    #[getter]
    fn measures(&self) -> std::collections::BTreeMap<String, f64> {
        self.content.measures.clone()
    }

    /// The parameters of all networks as arrays, by the names of docs/record-format.md.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("mrdro._safetensors")?.call_method1("read", (self.to_safetensors(py)?,))
    }

    /// The parameters and their description as the bytes of a safetensors file.
    fn to_safetensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let networks = &self.content.networks;
        let files = guarded(py, || {
            networks.export(ExportFormat::Safetensors, false).map_err(|error| raise(mrdro::Error::from(error)))
        })?;
        let bytes = files.first().map_or(&[][..], |file| &file.bytes);
        Ok(PyBytes::new(py, bytes))
    }

    fn __repr__(&self) -> String {
        let networks = &self.content.networks;
        match networks.scenario() {
            Some(scenario) => format!("<Record of {} for {}>", networks.kind().description, scenario.name),
            None => format!("<Record of {}>", networks.kind().description),
        }
    }

    #[staticmethod]
    fn _from_files(manifest: Vec<u8>, weights: Vec<u8>) -> PyResult<Self> {
        Self::of_files([manifest, weights])
    }

    /// Pickles as the contents of the two files.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.get_type::<Self>().getattr("_from_files")?;
        let [manifest, weights] = &self.files;
        Ok((make, (PyBytes::new(py, manifest), PyBytes::new(py, weights)).into_pyobject(py)?))
    }
}
