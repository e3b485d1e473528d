//! Costs of decisions, one or many at a time.

use std::sync::Arc;

use mrdro::Problem;
use pyo3::prelude::*;
use rayon::prelude::*;
use sim::Outcome;
use sim::scenario::DeadlineRule;

use crate::arrays::{self, Batch, array};
use crate::classes;
use crate::environment::Environment;
use crate::errors::{raise, value};
use crate::guard::{guarded, guarded_here};

/// From this number of workloads on, work goes to the pool: below, handing it over takes longer than the work.
const POOL_FROM: usize = 32;
/// The number of workloads whose costs are computed side by side.
const TILE: usize = 256;

/// The costs of decisions in one environment.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct CostModel {
    pub(crate) problem: Arc<Problem>,
    pub(crate) model: sim::CostModel,
}

/// Runs work on the calling thread if there are few workloads, else on the pool.
pub(crate) fn run<T: Send>(py: Python<'_>, count: usize, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    if count < POOL_FROM { guarded_here(work) } else { guarded(py, work) }
}

impl CostModel {
    fn with(&self, model: sim::CostModel) -> Self {
        Self { problem: Arc::clone(&self.problem), model }
    }

    /// Sizes and decisions of one shape.
    fn pair(&self, sizes_mb: &Bound<'_, PyAny>, decisions: &Bound<'_, PyAny>) -> PyResult<(Batch<f64>, Batch<u8>)> {
        let sizes = arrays::sizes_bytes("sizes_mb", sizes_mb, &self.model)?;
        arrays::together(sizes, arrays::places("decisions", decisions, &self.model)?)
    }

    /// The costs as they are reported, in J and s weighted by α.
    fn costs(&self, sizes: &Batch<f64>, places: &Batch<u8>) -> Vec<f64> {
        let tasks = self.model.task_count();
        let rows = sizes.values.par_chunks(TILE * tasks).zip(places.values.par_chunks(TILE * tasks));
        let mut costs = vec![0.0; sizes.count];
        if self.model.is_detailed() {
            let cost = |(sizes, places): (&[f64], &[u8])| self.model.outcome(sizes, places).cost;
            let each = sizes.values.par_chunks(tasks).zip(places.values.par_chunks(tasks));
            each.map(cost).collect_into_vec(&mut costs);
        } else if sizes.count < POOL_FROM {
            let each = sizes.values.chunks_exact(tasks).zip(places.values.chunks_exact(tasks));
            costs.iter_mut().zip(each).for_each(|(cost, (sizes, places))| *cost = self.model.cost(sizes, places));
        } else {
            let memory = || (vec![0.0; TILE * tasks], vec![0; TILE * tasks]);
            rows.zip(costs.par_chunks_mut(TILE)).for_each_init(
                memory,
                |(sizes, decisions), ((bytes, places), costs)| {
                    let count = costs.len();
                    let (sizes, decisions) = (&mut sizes[..bytes.len()], &mut decisions[..places.len()]);
                    turn(bytes, tasks, count, sizes);
                    turn(places, tasks, count, decisions);
                    self.model.batch_costs(sizes, decisions, costs);
                },
            );
        }
        costs
    }
}

/// Writes `[count, tasks]` as `[tasks, count]`.
fn turn<T: Copy>(rows: &[T], tasks: usize, count: usize, columns: &mut [T]) {
    for (column, row) in rows.chunks_exact(tasks).enumerate() {
        for (task, &value) in row.iter().enumerate() {
            columns[task * count + column] = value;
        }
    }
}

/// Outcomes as `mrdro.Outcome`, of arrays or of single numbers.
pub(crate) fn outcomes<'py>(py: Python<'py>, outcomes: &[Outcome], shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let of = |part: fn(&Outcome) -> f64| array(py, outcomes.iter().map(part).collect(), shape);
    let missed: Vec<i64> = outcomes.iter().map(|outcome| outcome.missed_deadlines as i64).collect();
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
    #[getter]
    fn devices(&self) -> usize {
        self.model.devices()
    }

    #[getter]
    fn tasks(&self) -> usize {
        self.model.tasks()
    }

    #[getter]
    fn places(&self) -> Vec<String> {
        self.model.place_names().to_vec()
    }

    #[getter]
    fn alpha(&self) -> f64 {
        self.model.alpha()
    }

    #[getter]
    fn is_separable(&self) -> bool {
        self.model.is_separable()
    }

    #[getter]
    fn environment(&self) -> Environment {
        Environment(self.model.environment().clone())
    }

    #[getter]
    fn reachable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (devices, places) = (self.model.devices(), self.model.places());
        let all = (0..devices).flat_map(|device| (0..places).map(move |place| (device, place)));
        let reachable = all.map(|(device, place)| self.model.is_reachable(device, place as u8)).collect();
        arrays::full_array::<bool>(py, reachable, &[devices, places])
    }

    #[getter]
    fn has_task<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = (0..self.model.task_count()).map(|task| self.model.has_task(task)).collect();
        arrays::full_array::<bool>(py, all, &[self.model.devices(), self.model.tasks()])
    }

    fn at(&self, environment: &Environment) -> PyResult<Self> {
        Ok(self.with(self.model.at(&environment.0).map_err(raise)?))
    }

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
        Ok(self.with(self.model.with_demands(&demands).map_err(|error| value(error.to_string()))?))
    }

    fn cost<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes, places) = self.pair(sizes_mb, decisions)?;
        let costs = run(py, sizes.count, || Ok(self.costs(&sizes, &places)))?;
        array(py, costs, &sizes.shape)
    }

    fn outcome<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes, places) = self.pair(sizes_mb, decisions)?;
        let tasks = self.model.task_count();
        let all = run(py, sizes.count, || {
            let rows = sizes.values.par_chunks(tasks).zip(places.values.par_chunks(tasks));
            Ok(rows.map(|(sizes, places)| self.model.outcome(sizes, places)).collect::<Vec<_>>())
        })?;
        outcomes(py, &all, &sizes.shape)
    }

    fn place_times<'py>(
        &self,
        py: Python<'py>,
        sizes_mb: &Bound<'py, PyAny>,
        decisions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sizes, places) = self.pair(sizes_mb, decisions)?;
        let (tasks, per_device) = (self.model.task_count(), self.model.tasks());
        let times_s = run(py, sizes.count, || {
            let rows = sizes.values.chunks_exact(tasks).zip(places.values.chunks_exact(tasks));
            let times = rows.flat_map(|(sizes, places)| {
                let workload = sim::Workload::from_bytes(per_device, sizes);
                self.model.place_times(&workload, &sim::Decision::from_places(per_device, places))
            });
            Ok(times.collect::<Vec<f64>>())
        })?;
        let mut shape = sizes.shape.clone();
        shape.extend([self.model.devices(), self.model.places()]);
        arrays::full_array(py, times_s, &shape)
    }

    fn __repr__(&self) -> String {
        let (devices, tasks) = (self.model.devices(), self.model.tasks());
        let name = &self.problem.scenario.name;
        format!("<CostModel of {name}: {devices} × {tasks} tasks, places {}>", self.places().join(", "))
    }
}
