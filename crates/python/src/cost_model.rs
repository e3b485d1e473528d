//! Costs of decisions, one or many at a time.

use std::sync::Arc;

use mrdro::Problem;
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rayon::prelude::*;
use sim::Outcome;
use sim::scenario::DeadlineRule;

use crate::answers::{Models, POOL_FROM, workloads_of};
use crate::arrays::{self, Batch, array};
use crate::classes;
use crate::columns;
use crate::environment::Environment;
use crate::errors::{of_demands, raise, value};
use crate::guard::{guarded, guarded_attached, guarded_here};
use crate::numbers;
use crate::places::{self, TaskAxes};
use crate::scenario::Scenario;
use crate::schemes;

/// The costs of decisions in one environment. Made by `Scenario.cost_model`.
///
/// Sizes are in MB (10^6 bytes) and of shape (…, N, M): N devices with M tasks each, and any axes in front. Lists, other
/// number types and slices will do. A size of 0 is a task that its device does not have. Decisions are
/// places of the same shape: 0 is the device itself, 1 the first server; or names such as "edge". The axes in front are
/// broadcast.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct CostModel {
    pub(crate) problem: Arc<Problem>,
    pub(crate) model: sim::CostModel,
    /// What tasks ask for beyond their sizes, where it is not what the scenario says.
    pub(crate) demands: Option<sim::Demands>,
}

/// Runs work on the calling thread if there are few workloads, else on the pool.
pub(crate) fn run<T: Send>(py: Python<'_>, count: usize, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    if count < POOL_FROM { guarded_here(work) } else { guarded(py, work) }
}

impl CostModel {
    /// The model of a scenario in an environment.
    pub(crate) fn new(
        problem: Arc<Problem>,
        environment: &sim::Environment,
        demands: Option<sim::Demands>,
    ) -> PyResult<Self> {
        let mut model = problem.model.at(environment).map_err(raise)?;
        if let Some(demands) = &demands {
            model = model.with_demands(demands).map_err(|error| of_demands(&error, problem.model.tasks()))?;
        }
        Ok(Self { problem, model, demands })
    }

    /// Sizes and decisions of one shape, and the models to evaluate them in.
    fn decided(&self, sizes_mb: &Bound<'_, PyAny>, decisions: &Bound<'_, PyAny>) -> PyResult<Decided> {
        let (sizes_mb, environments) = workloads_of(sizes_mb, None)?;
        let sizes = arrays::sizes_bytes("sizes_mb", &sizes_mb, &self.model)?;
        let models = Models::of(&self.model, environments.as_ref(), sizes.count)?;
        let own = sizes.shape.clone();
        let (sizes, places) = arrays::together(sizes, places::places("decisions", decisions, &self.model)?)?;
        let models = models.broadcast(&own, &sizes.shape);
        Ok(Decided { models, sizes, places })
    }

    /// The costs straight from arrays, without a copy, if these are of the usual types and shapes and hold nothing wrong. The
    /// interpreter's lock is held meanwhile, so that nobody changes them.
    fn costs_of_arrays<'py>(
        &self,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let is_exact = |given: &Bound<'_, PyAny>| given.is_exact_instance_of::<PyUntypedArray>();
        if !is_exact(sizes_mb) || !is_exact(decisions) {
            return Ok(None);
        }
        let (Ok(sizes), Ok(places)) = (sizes_mb.cast::<PyArrayDyn<f64>>(), decisions.cast::<PyArrayDyn<u8>>()) else {
            return Ok(None);
        };
        let model = &self.model;
        let are_usual = sizes.shape() == places.shape() && sizes.is_c_contiguous() && places.is_c_contiguous();
        if !are_usual || model.is_detailed() || model.has_absent_tasks() {
            return Ok(None);
        }
        let (shape, count) = model.leading("sizes_mb", sizes.shape())?;
        let (Ok(sizes), Ok(places)) = (sizes.try_readonly(), places.try_readonly()) else { return Ok(None) };
        let (sizes, places) = (sizes.as_slice()?, places.as_slice()?);
        let mut costs = vec![0.0; count];
        let work = || Ok(columns::costs(model, sizes, places, arrays::bytes_of, &mut costs));
        let is_right = if count < columns::ALONE_BELOW { guarded_here(work)? } else { guarded_attached(work)? };
        is_right.then(|| array(sizes_mb.py(), costs, &shape)).transpose()
    }
}

/// Workloads and decisions of one shape, and the models to evaluate them in.
struct Decided {
    models: Models,
    sizes: Batch<f64>,
    places: Batch<u8>,
}

impl Decided {
    /// The costs as they are reported, in J and s weighted by α.
    fn costs(&self) -> Vec<f64> {
        let mut costs = vec![0.0; self.sizes.count];
        match &self.models {
            Models::One(model) if !model.is_detailed() => {
                columns::costs(model, &self.sizes.values, &self.places.values, |bytes| bytes, &mut costs);
            }
            _ => costs.iter_mut().zip(self.outcomes()).for_each(|(cost, outcome)| *cost = outcome.cost),
        }
        costs
    }

    /// The outcome of each decision; of many on all threads of the current pool.
    fn outcomes(&self) -> Vec<Outcome> {
        let (Self { models, sizes, places }, tasks) = (self, self.models.at(0).task_count());
        let (sizes, places, count) = (&sizes.values, &places.values, sizes.count);
        let outcome = |(index, (sizes, places)): (usize, (&[f64], &[u8]))| models.at(index).outcome(sizes, places);
        if count < POOL_FROM {
            return sizes.chunks_exact(tasks).zip(places.chunks_exact(tasks)).enumerate().map(outcome).collect();
        }
        sizes.par_chunks_exact(tasks).zip(places.par_chunks_exact(tasks)).enumerate().map(outcome).collect()
    }
}

/// Outcomes as `mrdro.Outcome`, of arrays or of single numbers.
pub(crate) fn outcomes<'py>(py: Python<'py>, outcomes: &[Outcome], shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let of = |part: fn(&Outcome) -> f64| array(py, outcomes.iter().map(part).collect(), shape);
    let missed: Vec<i64> = outcomes.iter().map(|outcome| outcome.missed_deadlines.cast_signed() as i64).collect();
    let parts = (of(|one| one.energy_j)?, of(|one| one.time_s)?, of(|one| one.cost)?, array(py, missed, shape)?);
    classes::outcome(py)?.call1(parts)
}

/// The rule for missed deadlines that a text names.
pub(crate) fn deadline_rule(rule: &str, penalty: Option<f64>) -> PyResult<DeadlineRule> {
    match (rule, penalty) {
        ("report", None) => Ok(DeadlineRule::Report),
        ("hard", None) => Ok(DeadlineRule::Hard),
        ("penalty", Some(penalty)) => Ok(DeadlineRule::Penalty(penalty)),
        ("penalty", None) => {
            Err(value("deadline_rule=\"penalty\" needs deadline_penalty, the cost of a missed deadline"))
        }
        ("report" | "hard", Some(_)) => {
            Err(value(format!("deadline_penalty is only for deadline_rule=\"penalty\", which is {rule:?}")))
        }
        _ => Err(value(format!("deadline_rule must be \"report\", \"penalty\" or \"hard\", is {rule:?}"))),
    }
}

#[pymethods]
impl CostModel {
    /// N, the number of devices.
    #[getter]
    fn devices(&self) -> usize {
        self.model.devices()
    }

    /// M, the number of tasks of each device, or the largest number where they differ.
    #[getter]
    fn tasks(&self) -> usize {
        self.model.tasks()
    }

    /// The names of the places where a task can run: `local` (the device itself), then the servers.
    #[getter]
    fn places(&self) -> Vec<String> {
        self.model.place_names().to_vec()
    }

    /// The weight of energy against time.
    #[getter]
    fn alpha(&self) -> f64 {
        self.model.alpha()
    }

    /// Whether the cost is a sum over devices. It is not where devices share a server or a link.
    #[getter]
    fn is_separable(&self) -> bool {
        self.model.is_separable()
    }

    /// The environment in which all costs are computed.
    #[getter]
    fn environment(&self) -> Environment {
        Environment(self.model.environment().clone())
    }

    /// Whether each device can use each place, (N, places).
    #[getter]
    fn reachable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (devices, places) = (self.model.devices(), self.model.places());
        let all = (0..devices).flat_map(|device| (0..places).map(move |place| (device, place)));
        let reachable = all.map(|(device, place)| self.model.is_reachable(device, place as u8)).collect();
        arrays::full_array::<bool>(py, reachable, &[devices, places])
    }

    /// Whether each task exists, (N, M): devices can have fewer than M.
    #[getter]
    fn has_task<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = (0..self.model.task_count()).map(|task| self.model.has_task(task)).collect();
        arrays::full_array::<bool>(py, all, &[self.model.devices(), self.model.tasks()])
    }

    /// The same model in another environment.
    fn at(&self, environment: &Environment) -> PyResult<Self> {
        Self::new(Arc::clone(&self.problem), &environment.0, self.demands.clone())
    }

    /// The same model for tasks that ask for something beyond their sizes. What is not given is as the scenario says.
    ///
    /// Args:
    ///     instructions_per_byte: One number, or one for each task, (N, M).
    ///     deadline_s: The time within which tasks are to be done, in s: one number, or one for each task, (N, M);
    ///         `inf` for none.
    ///     deadline_rule: What a missed deadline means: `"report"` (it is only counted), `"penalty"` (it costs
    ///         `deadline_penalty`), or `"hard"` (fewer missed deadlines come before lower cost).
    ///     deadline_penalty: The cost of a missed deadline.
    #[pyo3(signature = (*, instructions_per_byte=None, deadline_s=None, deadline_rule=None, deadline_penalty=None))]
    fn with_tasks(
        &self,
        instructions_per_byte: Option<&Bound<'_, PyAny>>,
        deadline_s: Option<&Bound<'_, PyAny>>,
        deadline_rule: Option<&str>,
        deadline_penalty: Option<f64>,
    ) -> PyResult<Self> {
        let each = |argument: &str, given: Option<&Bound<'_, PyAny>>| {
            given.map(|given| arrays::per_task(argument, given, &self.model)).transpose()
        };
        let demands = sim::Demands {
            instructions_per_byte: each("instructions_per_byte", instructions_per_byte)?,
            deadlines_s: each("deadline_s", deadline_s)?,
            deadline_rule: match (deadline_rule, deadline_penalty) {
                (None, None) => None,
                (rule, penalty) => Some(self::deadline_rule(rule.unwrap_or("penalty"), penalty)?),
            },
        };
        Self::new(Arc::clone(&self.problem), self.model.environment(), Some(demands))
    }

    /// The cost of decisions: alpha * energy in J + (1 - alpha) * time in s, with penalties of missed deadlines.
    ///
    /// Args:
    ///     sizes_mb: Task sizes in MB, (…, N, M), or `Workloads`, each in its own environment if it has one.
    ///     decisions: Places, (…, N, M).
    ///
    /// Returns an array of shape (…), or a float for one workload.
    ///
    /// >>> round(Scenario.load("paper").cost_model().cost([[20, 20, 20]] * 3, [["local"] * 3] * 3), 6)
    /// 1170.0
    fn cost<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(costs) = self.costs_of_arrays(sizes_mb, decisions)? {
            return Ok(costs);
        }
        let decided = self.decided(sizes_mb, decisions)?;
        let costs = run(py, decided.sizes.count, || Ok(decided.costs()))?;
        array(py, costs, &decided.sizes.shape)
    }

    /// Energy in J, time in s, cost and missed deadlines of decisions, as `Outcome`; arguments as of `cost`.
    fn outcome<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let decided = self.decided(sizes_mb, decisions)?;
        let all = run(py, decided.sizes.count, || Ok(decided.outcomes()))?;
        outcomes(py, &all, &decided.sizes.shape)
    }

    /// The time at which each device is done at each place, in s, (…, N, places); arguments as of `cost`.
    fn place_times<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Decided { models, sizes, places } = self.decided(sizes_mb, decisions)?;
        let (tasks, per_device) = (self.model.task_count(), self.model.tasks());
        let times_s = run(py, sizes.count, || {
            let rows = sizes.values.chunks_exact(tasks).zip(places.values.chunks_exact(tasks)).enumerate();
            let times = rows.flat_map(|(index, (sizes, places))| {
                let workload = sim::Workload::from_bytes(per_device, sizes);
                models.at(index).place_times(&workload, &sim::Decision::from_places(per_device, places))
            });
            Ok(times.collect::<Vec<f64>>())
        })?;
        let mut shape = sizes.shape.clone();
        shape.extend([self.model.devices(), self.model.places()]);
        arrays::full_array(py, times_s, &shape)
    }

    /// The names of all classic schemes for this model, the exact optimum last.
    fn schemes(&self) -> Vec<String> {
        schemes::names(&self.model)
    }

    /// Decide workloads with a classic scheme.
    ///
    /// Args:
    ///     sizes_mb: Task sizes in MB, (…, N, M), or `Workloads`.
    ///     scheme: One of `schemes()`; `local-search`, `annealing` and `genetic` take a budget, as in `"local-search@16"`: at
    ///         most 16 cost evaluations per task.
    ///     seed: For schemes that draw random numbers.
    ///     environment: One for all workloads, or a list with one for each; `None`: that of the model.
    ///
    /// Returns `Decisions`. Many workloads are decided on all threads, and Ctrl-C ends the call.
    #[pyo3(signature = (sizes_mb, scheme="exact", *, seed=1, environment=None))]
    fn decide<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
        environment: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes_mb, environment) = workloads_of(sizes_mb, environment)?;
        schemes::decide(py, &self.model, &schemes::batch(&sizes_mb, &self.model)?, scheme, seed, environment.as_ref())
    }

    /// What the exact search knows of the optimum, as `Bounds`: where devices share servers, it may end with a best
    /// decision and a lower bound instead of a proof. Arguments as of `decide`.
    #[pyo3(signature = (sizes_mb, *, environment=None))]
    fn bounds<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        environment: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes_mb, environment) = workloads_of(sizes_mb, environment)?;
        schemes::bounds(py, &self.model, &schemes::batch(&sizes_mb, &self.model)?, environment.as_ref())
    }

    /// Decide each workload and share one bandwidth out among its uplinks, in turns until the cost no longer falls.
    ///
    /// Args:
    ///     sizes_mb: Task sizes in MB, (…, N, M), or `Workloads`.
    ///     total_mbps: The sum of all uplinks in Mbit/s.
    ///     scheme, seed: As of `decide`.
    ///
    /// Returns `SharedOut`. Many workloads are decided on all threads, and Ctrl-C ends the call.
    #[pyo3(signature = (sizes_mb, total_mbps, scheme="exact", *, seed=1))]
    fn share_out<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        total_mbps: f64,
        scheme: &str,
        #[pyo3(from_py_with = numbers::seed)] seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes_mb, environment) = workloads_of(sizes_mb, None)?;
        let sizes = schemes::batch(&sizes_mb, &self.model)?;
        let models = Models::of(&self.model, environment.as_ref(), sizes.count)?;
        schemes::share_out(py, &self.model, &models, &sizes, total_mbps, scheme, seed)
    }

    /// Pickles as scenario, environment and the arguments of `with_tasks`.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.import("mrdro._results")?.getattr("cost_model")?;
        let scenario = Scenario::new(self.problem.scenario.clone())?;
        let environment = Environment(self.model.environment().clone());
        let demands = self.demands.as_ref().map(|demands| {
            let (rule, penalty) = match demands.deadline_rule {
                None => (None, None),
                Some(DeadlineRule::Report) => (Some("report"), None),
                Some(DeadlineRule::Hard) => (Some("hard"), None),
                Some(DeadlineRule::Penalty(penalty)) => (Some("penalty"), Some(penalty)),
            };
            let shape = [self.model.devices(), self.model.tasks()];
            let each = |values: &Option<Vec<f64>>| {
                values.as_ref().map(|values| arrays::full_array(py, values.clone(), &shape)).transpose()
            };
            (each(&demands.instructions_per_byte)?, each(&demands.deadlines_s)?, rule, penalty).into_pyobject(py)
        });
        Ok((make, (scenario, environment, demands.transpose()?).into_pyobject(py)?))
    }

    fn __repr__(&self) -> String {
        let (devices, tasks) = (self.model.devices(), self.model.tasks());
        let name = &self.problem.scenario.name;
        format!("<CostModel of {name}: {devices} × {tasks} tasks, places {}>", self.places().join(", "))
    }
}
