//! The class behind Gymnasium's `VectorEnv`: many environments, each of which begins its next episode in the step that ends one.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sim::stream::dispatch::DispatchOutcome;

use super::episode::{Episode, Step};
use super::rules::Rules;
use crate::environments::actions::{places_of, seed_of};
use crate::environments::single::reset_needed;
use crate::errors::value;
use crate::guard::{guarded_each, guarded_here};

/// The most environments that one thread steps at a time.
const MOST_IN_CHUNK: usize = 64;
/// The number of chunks that environments are divided into, at least if there are so many environments.
const CHUNKS: usize = 8;
/// From this number of environments on, work goes to the pool: below, handing it over takes longer than the work.
const POOL_FROM: usize = 128;

/// Many environments.
#[pyclass(module = "mrdro._mrdro")]
pub(crate) struct ParallelDispatch {
    rules: Arc<Rules>,
    episodes: Vec<Episode>,
    /// `[num_envs, places]`.
    masks: Vec<i8>,
    /// Scratch.
    action: Vec<u8>,
}

/// What a step writes, each with a row for each environment.
struct Rows {
    observations: Vec<f32>,
    /// The last observations of episodes that ended; else 0. Empty if no episode ended.
    final_observations: Vec<f32>,
    final_masks: Vec<i8>,
    steps: Vec<Step>,
}

/// The rows of neighbouring environments.
struct Chunk<'a> {
    episodes: &'a mut [Episode],
    actions: &'a [u8],
    observations: &'a mut [f32],
    masks: &'a mut [i8],
    steps: &'a mut [Step],
}

impl Chunk<'_> {
    /// Begins the next episode of those whose episode has ended; if `all`, of every environment.
    fn begin(&mut self, rules: &Rules, all: bool) -> PyResult<()> {
        let rows = self.observations.chunks_exact_mut(rules.length()).zip(self.masks.chunks_exact_mut(rules.places));
        for ((episode, (observation, mask)), step) in self.episodes.iter_mut().zip(rows).zip(self.steps.iter()) {
            if all || step.ends() {
                episode.begin(rules, observation, mask)?;
            }
        }
        Ok(())
    }
}

/// Steps environments. Observations are the last ones of episodes that end.
fn step(chunk: &mut Chunk<'_>, rules: &Rules) -> PyResult<()> {
    let rows = chunk.observations.chunks_exact_mut(rules.length()).zip(chunk.masks.chunks_exact_mut(rules.places));
    let steps = chunk.steps.iter_mut().zip(chunk.actions);
    for ((episode, (observation, mask)), (step, action)) in chunk.episodes.iter_mut().zip(rows).zip(steps) {
        *step = episode.step(rules, *action, observation, mask)?;
    }
    Ok(())
}

/// An array of one row for each environment.
fn table<T: numpy::Element>(py: Python<'_>, values: Vec<T>, count: usize) -> PyResult<Bound<'_, PyArray2<T>>> {
    let length = values.len() / count;
    PyArray1::from_vec(py, values).reshape((count, length))
}

impl ParallelDispatch {
    pub(super) fn new(rules: Arc<Rules>, count: usize) -> Self {
        let episodes = (0..count).map(|_| Episode::default()).collect();
        let masks = vec![0; count * rules.places];
        Self { rules, episodes, masks, action: Vec::new() }
    }

    /// Does `work` with all environments: on this thread if they are few, else on all.
    fn each(
        &mut self,
        py: Python<'_>,
        rows: &mut Rows,
        is_long: bool,
        work: impl Fn(&mut Chunk<'_>, &Rules) -> PyResult<()> + Sync,
    ) -> PyResult<()> {
        let (rules, count) = (&*self.rules, self.episodes.len());
        let is_here = count < POOL_FROM && !is_long;
        let size = if is_here { count } else { count.div_ceil(CHUNKS).min(MOST_IN_CHUNK) };
        let columns = rows.observations.chunks_mut(size * rules.length()).zip(rows.steps.chunks_mut(size));
        let own = self.episodes.chunks_mut(size).zip(self.masks.chunks_mut(size * rules.places));
        let mut actions = self.action.chunks(size);
        let chunks = own.zip(columns).map(|((episodes, masks), (observations, steps))| {
            let actions = actions.next().unwrap_or_default();
            Chunk { episodes, actions, observations, masks, steps }
        });
        let mut chunks: Vec<Chunk<'_>> = chunks.collect();
        let done = if is_here {
            guarded_here(|| chunks.iter_mut().try_for_each(|chunk| work(chunk, rules)))
        } else {
            guarded_each(py, chunks, |mut chunk| work(&mut chunk, rules))
        };
        if done.is_err() {
            // Some have taken their step and some have not.
            self.episodes.iter_mut().for_each(Episode::abandon);
        }
        done
    }

    fn rows(&self) -> Rows {
        let count = self.episodes.len();
        Rows {
            observations: vec![0.0; count * self.rules.length()],
            final_observations: Vec::new(),
            final_masks: Vec::new(),
            steps: vec![Step::default(); count],
        }
    }

    fn advance(&mut self, py: Python<'_>, actions: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let count = self.episodes.len();
        let shape = format!("{count} places, one for each environment");
        places_of(actions, count, self.rules.places, &shape, &mut self.action)?;
        if !self.episodes.iter().all(Episode::is_running) {
            return Err(reset_needed(py));
        }
        let mut rows = self.rows();
        self.each(py, &mut rows, false, step)?;
        if rows.steps.iter().any(Step::ends) {
            rows.final_observations.clone_from(&rows.observations);
            rows.final_masks.clone_from(&self.masks);
            let (length, places) = (self.rules.length(), self.rules.places);
            for (index, step) in rows.steps.iter().enumerate() {
                if !step.ends() {
                    rows.final_observations[index * length..][..length].fill(0.0);
                    rows.final_masks[index * places..][..places].fill(0);
                }
            }
            self.each(py, &mut rows, true, |chunk, rules| chunk.begin(rules, false))?;
        }
        Ok(rows)
    }

    fn mask_table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<i8>>> {
        table(py, self.masks.clone(), self.episodes.len())
    }

    fn seeds<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        PyArray1::from_iter(py, self.episodes.iter().map(|episode| episode.seed))
    }
}

/// What a reset returns: observations, masks, seeds.
type ResetResult<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<i8>>, Bound<'py, PyArray1<u64>>);
/// What a step returns: observations, rewards, terminations, truncations, infos.
type VectorResult<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyDict>,
);

/// The means of the episodes that ended, and under `_key` which they are.
fn final_info<'py>(py: Python<'py>, steps: &[Step], ends: &[bool]) -> PyResult<Bound<'py, PyDict>> {
    let info = PyDict::new(py);
    let put = |key: &Bound<'py, PyString>, mask: &Bound<'py, PyString>, of: fn(&DispatchOutcome) -> f64| {
        let values = steps.iter().map(|step| step.outcome.as_ref().map_or(0.0, of));
        info.set_item(key, PyArray1::from_iter(py, values))?;
        info.set_item(mask, PyArray1::from_slice(py, ends))
    };
    put(intern!(py, "cost"), intern!(py, "_cost"), |outcome| outcome.mean_cost)?;
    put(intern!(py, "mean_energy_j"), intern!(py, "_mean_energy_j"), |outcome| outcome.mean_energy_j)?;
    put(intern!(py, "mean_delay_s"), intern!(py, "_mean_delay_s"), |outcome| outcome.mean_response_s)?;
    put(intern!(py, "missed_share"), intern!(py, "_missed_share"), |outcome| outcome.late_share)?;
    Ok(info)
}

#[pymethods]
impl ParallelDispatch {
    #[getter]
    fn is_seeded(&self) -> bool {
        self.episodes.iter().all(Episode::is_seeded)
    }

    /// Seeds every environment with `seeds[i]`.
    fn seed(&mut self, seeds: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        if seeds.len() != self.episodes.len() {
            let (wanted, found) = (self.episodes.len(), seeds.len());
            return Err(value(format!("seed must be a whole number or {wanted} of them, has {found}")));
        }
        let seeds: Vec<u64> = seeds.iter().map(seed_of).collect::<PyResult<_>>()?;
        self.episodes.iter_mut().zip(seeds).for_each(|(episode, seed)| episode.seed(seed));
        Ok(())
    }

    /// Begins an episode in every environment. Returns observations, masks and the seeds of the episodes.
    fn reset<'py>(&mut self, py: Python<'py>) -> PyResult<ResetResult<'py>> {
        let mut rows = self.rows();
        self.action.clear();
        self.each(py, &mut rows, true, |chunk, rules| chunk.begin(rules, true))?;
        Ok((table(py, rows.observations, self.episodes.len())?, self.mask_table(py)?, self.seeds(py)))
    }

    /// One step of all environments.
    fn step<'py>(&mut self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<VectorResult<'py>> {
        let Rows { observations, final_observations, final_masks, steps } = self.advance(py, actions)?;
        let count = steps.len();
        let infos = PyDict::new(py);
        infos.set_item(intern!(py, "action_mask"), self.mask_table(py)?)?;
        infos.set_item(intern!(py, "_action_mask"), PyArray1::from_vec(py, vec![true; count]))?;
        let ends: Vec<bool> = steps.iter().map(Step::ends).collect();
        if ends.contains(&true) {
            let flags = || PyArray1::from_slice(py, &ends);
            let final_info = final_info(py, &steps, &ends)?;
            final_info.set_item(intern!(py, "action_mask"), table(py, final_masks, count)?)?;
            final_info.set_item(intern!(py, "_action_mask"), flags())?;
            infos.set_item(intern!(py, "final_obs"), table(py, final_observations, count)?)?;
            infos.set_item(intern!(py, "_final_obs"), flags())?;
            infos.set_item(intern!(py, "final_info"), final_info)?;
            infos.set_item(intern!(py, "_final_info"), flags())?;
            infos.set_item(intern!(py, "seed"), self.seeds(py))?;
            infos.set_item(intern!(py, "_seed"), flags())?;
        }
        let rewards = PyArray1::from_iter(py, steps.iter().map(|step| step.reward));
        let terminations = PyArray1::from_vec(py, vec![false; count]);
        let truncations = PyArray1::from_slice(py, &ends);
        Ok((table(py, observations, count)?, rewards, terminations, truncations, infos))
    }

    /// The masks of the next actions, `(num_envs, places)`.
    fn action_masks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<i8>>> {
        self.mask_table(py)
    }
}
