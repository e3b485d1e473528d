//! Classic schemes by name: what decides without networks.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use rayon::prelude::*;
use sim::scheme::{self, Exact, Scheme, SchemeKind};
use sim::{CostModel, Workload, allocation};

use crate::answers::{Answers, Decide, Models, decide_each};
use crate::arrays::{self, Batch, array, full_array};
use crate::classes;
use crate::errors::{raise, value};
use crate::guard::interruptible;

/// Any scheme as a decider.
pub(crate) struct ByTrait(pub(crate) Box<dyn Scheme>);

impl Decide for ByTrait {
    fn decide(&mut self, model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> PyResult<u64> {
        let workload = Workload::from_bytes(model.tasks(), sizes_bytes);
        let solution = self.0.decide(model, &workload).map_err(raise)?;
        places.copy_from_slice(solution.decision.places());
        Ok(solution.evaluations)
    }
}

/// Decides workloads with the scheme of this name.
///
/// # Errors
/// If there is no such scheme, or it cannot decide one of the workloads.
pub(crate) fn decide<'py>(
    py: Python<'py>,
    model: &CostModel,
    sizes: &Batch<f64>,
    name: &str,
    seed: u64,
    environment: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let models = Models::of(model, environment, sizes.count)?;
    let kind = SchemeKind::for_model(name, models.at(0)).map_err(raise)?;
    let answers = if name == "exact" {
        decide_each(py, &models, sizes, || {
            let mut exact = Exact::new();
            Ok(move |model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]| {
                exact.decide_into(model, sizes_bytes, places).map(|(_, evaluations)| evaluations).map_err(raise)
            })
        })
    } else {
        decide_each(py, &models, sizes, || Ok(ByTrait(kind.build(models.at(0), seed).map_err(raise)?)))
    };
    answers?.into_python(py, model, &sizes.shape)
}

/// The names of all classic schemes for a model.
pub(crate) fn names(model: &CostModel) -> Vec<String> {
    SchemeKind::classic(model).iter().map(ToString::to_string).collect()
}

/// What the exact search knows of the optima, as `mrdro.Bounds`.
///
/// # Errors
/// If nothing is shared and the search would take too long.
pub(crate) fn bounds<'py>(
    py: Python<'py>,
    model: &CostModel,
    sizes: &Batch<f64>,
    environment: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let models = Models::of(model, environment, sizes.count)?;
    let tasks = model.task_count();
    let all = interruptible(py, |stop| {
        let rows = sizes.values.par_chunks_exact(tasks).enumerate();
        let bounds = rows.map_init(Exact::new, |exact, (workload, sizes_bytes)| {
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(value("interrupted"));
            }
            let workload_of = Workload::from_bytes(model.tasks(), sizes_bytes);
            exact.bounds(models.at(workload), &workload_of).map_err(raise)
        });
        bounds.collect::<PyResult<Vec<scheme::Bounds>>>()
    })?;
    let shape = &sizes.shape;
    let mut full = shape.clone();
    full.extend([model.devices(), model.tasks()]);
    let places = all.iter().flat_map(|one| one.decision.places()).copied().collect();
    let optimal: Vec<bool> = all.iter().map(|one| one.is_optimal).collect();
    let optimal = if shape.is_empty() {
        optimal[0].into_pyobject(py)?.to_owned().into_any()
    } else {
        full_array(py, optimal, shape)?
    };
    classes::bounds(py)?.call1((
        array(py, all.iter().map(|one| one.lower).collect(), shape)?,
        array(py, all.iter().map(|one| one.cost).collect(), shape)?,
        optimal,
        full_array::<u8>(py, places, &full)?,
        array(py, all.iter().map(|one| one.evaluations.cast_signed()).collect(), shape)?,
    ))
}

/// Decides one workload and shares one bandwidth out among the uplinks, as `mrdro.SharedOut`.
///
/// # Errors
/// If the scheme cannot decide it, or the bandwidth is out of its range or too little.
pub(crate) fn share_out<'py>(
    py: Python<'py>,
    model: &CostModel,
    sizes: &Batch<f64>,
    total_mbps: f64,
    name: &str,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    if !sizes.shape.is_empty() {
        return Err(value(format!("sizes_mb must be one workload here, is {}", sizes.count)));
    }
    let mut scheme = SchemeKind::for_model(name, model).and_then(|kind| kind.build(model, seed)).map_err(raise)?;
    let workload = Workload::from_bytes(model.tasks(), &*sizes.values);
    let joint = interruptible(py, |_| {
        allocation::alternate(&mut *scheme, model, &workload, total_mbps).map_err(|error| match error {
            sim::AllocationError::Scheme(error) => raise(error),
            other => value(other.to_string()),
        })
    })?;
    let environment = crate::environment::Environment(joint.environment);
    let answers = Answers {
        places: joint.decision.places().to_vec(),
        outcomes: vec![joint.outcome],
        evaluations: vec![joint.evaluations],
    };
    let decisions = answers.into_python(py, model, &[])?;
    let in_proportion = crate::cost_model::outcomes(py, &[joint.in_proportion], &[])?;
    classes::shared_out(py)?.call1((environment, decisions, in_proportion))
}

/// Task sizes for a call that decides.
pub(crate) fn batch(sizes_mb: &Bound<'_, PyAny>, model: &CostModel) -> PyResult<Batch<f64>> {
    arrays::sizes_bytes("sizes_mb", sizes_mb, model)
}
