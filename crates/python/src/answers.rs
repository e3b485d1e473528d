//! Decisions of many workloads: made on all threads, and given to Python as `mrdro.Decisions`.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use rayon::prelude::*;
use sim::{CostModel, Outcome};

use crate::arrays::{Batch, array, full_array};
use crate::classes;
use crate::environment::Environment;
use crate::errors::{raise, value};
use crate::guard::{guarded_here, interruptible};

/// From this number of workloads on, work goes to the pool: below, handing it over takes longer than the work.
pub(crate) const POOL_FROM: usize = 32;
/// The most workloads that one thread takes at a time.
const MOST_AT_A_TIME: usize = 256;

/// The sizes and the environments of an argument that can be sizes or `mrdro.Workloads`. An `environment` that is given counts.
pub(crate) fn workloads_of<'py>(
    given: &Bound<'py, PyAny>,
    environment: Option<Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
    if !given.is_instance(classes::workloads(given.py())?)? {
        return Ok((given.clone(), environment));
    }
    let own = given.getattr("environments")?;
    Ok((given.getattr("sizes_mb")?, environment.or_else(|| (!own.is_none()).then_some(own))))
}

/// The cost models that workloads are decided in.
pub(crate) enum Models {
    /// One for all.
    One(CostModel),
    /// One for each.
    Each(Vec<CostModel>),
}

impl Models {
    /// The models for an argument `environment`: none, one, or one for each workload.
    ///
    /// # Errors
    /// If it is something else, there are not as many as workloads, or one does not fit the scenario.
    pub(crate) fn of(model: &CostModel, environment: Option<&Bound<'_, PyAny>>, count: usize) -> PyResult<Self> {
        let Some(given) = environment else { return Ok(Self::One(model.clone())) };
        if let Ok(one) = given.cast::<Environment>() {
            return Ok(Self::One(model.at(&one.get().0).map_err(raise)?));
        }
        let wrong = || value("environment must be a mrdro.Environment, or a list with one for each workload");
        if !given.is_instance_of::<PyList>() && !given.is_instance_of::<PyTuple>() {
            return Err(wrong());
        }
        let all: Vec<Bound<'_, Environment>> = given
            .try_iter()?
            .map(|one| one?.cast_into::<Environment>().map_err(|_| wrong()))
            .collect::<PyResult<_>>()?;
        if all.len() != count {
            return Err(value(format!("environment must hold one for each of {count} workloads, holds {}", all.len())));
        }
        let at = |(index, one): (usize, &Bound<'_, Environment>)| {
            model.at(&one.get().0).map_err(|error| value(format!("environment[{index}]: {error}")))
        };
        Ok(Self::Each(all.iter().enumerate().map(at).collect::<PyResult<_>>()?))
    }

    /// The model of one workload.
    pub(crate) fn at(&self, workload: usize) -> &CostModel {
        match self {
            Self::One(model) => model,
            Self::Each(models) => &models[workload],
        }
    }
}

/// The places of many workloads, `[count, N * M]`, with what they cost.
pub(crate) struct Answers {
    pub(crate) places: Vec<u8>,
    pub(crate) outcomes: Vec<Outcome>,
    /// The number of cost evaluations of each.
    pub(crate) evaluations: Vec<u64>,
}

/// Decides one workload: writes the places of its tasks, and returns the number of cost evaluations.
pub(crate) trait Decide {
    fn decide(&mut self, model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> PyResult<u64>;
}

impl<F: FnMut(&CostModel, &[f64], &mut [u8]) -> PyResult<u64>> Decide for F {
    fn decide(&mut self, model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> PyResult<u64> {
        self(model, sizes_bytes, places)
    }
}

/// Decides every workload of a batch, each thread with a decider of its own. Few workloads are decided on the calling thread;
/// many can be interrupted.
pub(crate) fn decide_each<D: Decide>(
    py: Python<'_>,
    models: &Models,
    sizes: &Batch<f64>,
    new: impl Fn() -> PyResult<D> + Sync,
) -> PyResult<Answers> {
    let tasks = models.at(0).task_count();
    let mut answers = Answers::new(sizes);
    let one = |decider: &mut D, workload: usize, places: &mut [u8], outcome: &mut Outcome, evaluations: &mut u64| {
        let (model, sizes) = (models.at(workload), &sizes.values[workload * tasks..][..tasks]);
        *evaluations = decider.decide(model, sizes, places)?;
        *outcome = model.outcome(sizes, places);
        Ok(())
    };
    let Answers { places, outcomes, evaluations } = &mut answers;
    if sizes.count < POOL_FROM {
        let mut decider = new()?;
        guarded_here(|| {
            let mut rows = places.chunks_exact_mut(tasks).zip(outcomes).zip(evaluations).enumerate();
            rows.try_for_each(|(workload, ((places, outcome), evaluations))| {
                py.check_signals()?;
                one(&mut decider, workload, places, outcome, evaluations)
            })
        })?;
        return Ok(answers);
    }
    interruptible(py, |stop: &AtomicBool| {
        let at_a_time = sizes.count.div_ceil(8 * rayon::current_num_threads()).clamp(1, MOST_AT_A_TIME);
        let rows = places.par_chunks_mut(at_a_time * tasks).zip(outcomes.par_chunks_mut(at_a_time));
        let rows = rows.zip(evaluations.par_chunks_mut(at_a_time)).enumerate();
        rows.map_init(&new, |decider, (chunk, ((places, outcomes), evaluations))| {
            let decider = decider.as_mut().map_err(|error| Python::attach(|py| error.clone_ref(py)))?;
            let rows = places.chunks_exact_mut(tasks).zip(outcomes).zip(evaluations).enumerate();
            for (row, ((places, outcome), evaluations)) in rows {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                one(decider, chunk * at_a_time + row, places, outcome, evaluations)?;
            }
            Ok(())
        })
        .collect::<PyResult<()>>()
    })?;
    Ok(answers)
}

impl Answers {
    /// Memory for the answers to workloads.
    pub(crate) fn new(sizes: &Batch<f64>) -> Self {
        Self {
            places: vec![0; sizes.values.len()],
            outcomes: vec![Outcome::default(); sizes.count],
            evaluations: vec![0; sizes.count],
        }
    }

    /// The answers as `mrdro.Decisions`, for workloads of this shape.
    pub(crate) fn into_python<'py>(
        self,
        py: Python<'py>,
        model: &CostModel,
        shape: &[usize],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut full = shape.to_vec();
        full.extend([model.devices(), model.tasks()]);
        let outcome = crate::cost_model::outcomes(py, &self.outcomes, shape)?;
        let names = PyTuple::new(py, model.place_names())?;
        let evaluations = self.evaluations.into_iter().map(u64::cast_signed).collect();
        let evaluations = array::<i64>(py, evaluations, shape)?;
        classes::decisions(py)?.call1((full_array(py, self.places, &full)?, outcome, evaluations, names))
    }
}
