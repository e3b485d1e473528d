//! The class behind Gymnasium's `VectorEnv` and Stable-Baselines3's `VecEnv`: many environments, each of which begins its
//! next episode in the step that ends one.

use std::sync::Arc;

use numpy::ndarray::{Array2, ArrayView1};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, ToPyArray};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::actions::{places_of, seed_of};
use super::episode::{Episode, Given, Step};
use super::infos::{add_decided, columns};
use super::rules::{Kind, Rules};
use super::single::reset_needed;
use crate::arrays;
use crate::environment::Environment;
use crate::errors::value;
use crate::guard::{guarded_each, guarded_here};

/// The most environments that one thread steps at a time.
const MOST_IN_CHUNK: usize = 64;
/// The number of chunks that environments are divided into, at least if there are so many environments.
const CHUNKS: usize = 8;
/// From this number of tasks of all environments on, work goes to the pool: below, handing it over takes longer than the work.
const POOL_FROM: usize = 2048;

/// Many environments.
#[pyclass(module = "mrdro._mrdro")]
pub(crate) struct ParallelEpisodes {
    rules: Arc<Rules>,
    episodes: Vec<Episode>,
    /// Scratch.
    action: Vec<u8>,
}

/// What a step writes, each with a row for each environment.
struct Rows {
    observations: Vec<f32>,
    /// The last observations of episodes that ended; else 0.
    final_observations: Vec<f32>,
    masks: Vec<i8>,
    /// Masks of the last observations of episodes that were truncated; else 0. Empty if no episode is ever truncated.
    final_masks: Vec<i8>,
    steps: Vec<Step>,
}

impl Rows {
    fn new(rules: &Rules, count: usize) -> Self {
        let (length, mask) = (rules.entries.length(), rules.mask_length());
        Self {
            observations: vec![0.0; count * length],
            final_observations: vec![0.0; count * length],
            masks: vec![0; count * mask],
            final_masks: if rules.kind == Kind::Drive { vec![0; count * mask] } else { Vec::new() },
            steps: vec![Step::default(); count],
        }
    }

    /// The rows in chunks of `size` environments.
    fn chunks(&mut self, rules: &Rules, size: usize) -> Vec<Chunk<'_>> {
        let (length, mask) = (rules.entries.length(), rules.mask_length());
        let mut final_masks = self.final_masks.chunks_mut(size * mask);
        let rows = self.steps.chunks_mut(size).zip(self.masks.chunks_mut(size * mask));
        let observations = self.observations.chunks_mut(size * length);
        let all = rows.zip(observations).zip(self.final_observations.chunks_mut(size * length));
        all.map(|(((steps, masks), observations), final_observations)| Chunk {
            observations,
            final_observations,
            masks,
            final_masks: final_masks.next().unwrap_or_default(),
            steps,
        })
        .collect()
    }
}

/// The rows of neighbouring environments.
struct Chunk<'a> {
    observations: &'a mut [f32],
    final_observations: &'a mut [f32],
    masks: &'a mut [i8],
    final_masks: &'a mut [i8],
    steps: &'a mut [Step],
}

impl Chunk<'_> {
    /// Steps environments, and begins the next episode of those whose episode ends.
    fn step(&mut self, rules: &Rules, episodes: &mut [Episode], actions: &[u8]) -> PyResult<()> {
        let (length, mask) = (rules.entries.length(), rules.mask_length());
        let actions = actions.chunks_exact(rules.action_length());
        for (index, (episode, action)) in episodes.iter_mut().zip(actions).enumerate() {
            let (row, mask_row) = (index * length..(index + 1) * length, index * mask..(index + 1) * mask);
            let step = episode.step(rules, action)?;
            self.steps[index] = step;
            if step.ends() {
                episode.observe(rules, &mut self.final_observations[row.clone()]);
                if step.truncated {
                    episode.mask(rules, &mut self.final_masks[mask_row.clone()]);
                }
                episode.begin(rules, Given::default())?;
            }
            episode.observe(rules, &mut self.observations[row]);
            episode.mask(rules, &mut self.masks[mask_row]);
        }
        Ok(())
    }
}

/// An array of one row for each environment.
fn table<T: numpy::Element>(py: Python<'_>, values: Vec<T>, count: usize) -> PyResult<Bound<'_, PyArray2<T>>> {
    let length = values.len() / count;
    let array = Array2::from_shape_vec((count, length), values).map_err(|error| value(error.to_string()))?;
    Ok(array.into_pyarray(py))
}

impl ParallelEpisodes {
    pub(crate) fn new(rules: Arc<Rules>, count: usize) -> Self {
        let episodes = (0..count).map(|_| Episode::new(&rules)).collect();
        Self { rules, episodes, action: Vec::new() }
    }

    fn advance(&mut self, py: Python<'_>, actions: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let (rules, count) = (&*self.rules, self.episodes.len());
        let length = rules.action_length();
        let shape = match rules.kind {
            Kind::Tasks => format!("{count} places, one for each environment"),
            _ => format!("an array of whole numbers of the shape ({count}, {length})"),
        };
        places_of(actions, count * length, rules.places, &shape, &mut self.action)?;
        if !self.episodes.iter().all(|episode| episode.is_running) {
            return Err(reset_needed(py));
        }
        let mut rows = Rows::new(rules, count);
        let (episodes, actions) = (&mut self.episodes, &self.action);
        let done = if count * rules.task_count < POOL_FROM && !rules.is_slow {
            guarded_here(|| {
                rows.chunks(rules, count).iter_mut().try_for_each(|chunk| chunk.step(rules, episodes, actions))
            })
        } else {
            let size = count.div_ceil(CHUNKS).min(MOST_IN_CHUNK);
            let parts = episodes.chunks_mut(size).zip(actions.chunks(size * length));
            let work = rows.chunks(rules, size).into_iter().zip(parts).collect();
            guarded_each(py, work, |(mut chunk, (episodes, actions))| chunk.step(rules, episodes, actions))
        };
        if done.is_err() {
            // Some have taken their step and some have not.
            self.episodes.iter_mut().for_each(|episode| episode.is_running = false);
        }
        done.map(|()| rows)
    }

    /// Sizes of the workload of each environment in bytes; `None` to draw them.
    fn workloads(&self, given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Option<Vec<f64>>>> {
        let Some(given) = given else { return Ok(vec![None; self.episodes.len()]) };
        let (model, count) = (self.rules.model(), self.episodes.len());
        let batch = arrays::sizes_bytes("options[\"workload\"]", given, model)?;
        let all = match &batch.shape[..] {
            [] => vec![Some(batch.values); count],
            [length] if *length == count => {
                batch.values.chunks_exact(model.task_count()).map(|row| Some(row.to_vec())).collect()
            }
            _ => {
                let (devices, tasks) = (model.devices(), model.tasks());
                return Err(value(format!(
                    "options[\"workload\"] must have the shape ({devices}, {tasks}) or ({count}, {devices}, {tasks}); it holds {} workloads",
                    batch.count
                )));
            }
        };
        Ok(all)
    }

    /// The environment of each environment's workload; `None` to draw them.
    fn environments(&self, given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Option<sim::Environment>>> {
        let count = self.episodes.len();
        let Some(given) = given else { return Ok(vec![None; count]) };
        if let Ok(one) = given.cast::<Environment>() {
            return Ok(vec![Some(one.get().0.clone()); count]);
        }
        let wanted = || value(format!("options[\"environment\"] must be an Environment or a list of {count} of them"));
        let items = given.try_iter().map_err(|_| wanted())?;
        let of = |item: PyResult<Bound<'_, PyAny>>| {
            item?.cast::<Environment>().map(|one| Some(one.get().0.clone())).map_err(|_| wanted())
        };
        let all: Vec<_> = items.map(of).collect::<PyResult<_>>()?;
        if all.len() == count { Ok(all) } else { Err(wanted()) }
    }
}

/// What a step of Stable-Baselines3's `VecEnv` returns: observations, rewards, dones, infos.
type Sb3Result<'py> =
    (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<bool>>, Bound<'py, PyList>);
/// What a step of Gymnasium's `VectorEnv` returns: observations, rewards, terminations, truncations, infos.
type VectorResult<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyDict>,
);

#[pymethods]
impl ParallelEpisodes {
    #[getter]
    fn is_seeded(&self) -> bool {
        self.episodes.iter().all(Episode::is_seeded)
    }

    /// Seeds every environment: with `seeds[i]`, or where that is `None` not at all.
    fn seed(&mut self, seeds: Vec<Option<Bound<'_, PyAny>>>) -> PyResult<()> {
        if seeds.len() != self.episodes.len() {
            return Err(value(format!(
                "seed must be a whole number or {} of them, has {}",
                self.episodes.len(),
                seeds.len()
            )));
        }
        for (episode, seed) in self.episodes.iter_mut().zip(&seeds) {
            if let Some(seed) = seed {
                episode.seed(seed_of(seed)?);
            }
        }
        Ok(())
    }

    /// Begins an episode in every environment. Returns observations and masks.
    #[pyo3(signature = (workload=None, environment=None, drive=None))]
    fn reset<'py>(
        &mut self,
        py: Python<'py>,
        workload: Option<&Bound<'py, PyAny>>,
        environment: Option<&Bound<'py, PyAny>>,
        drive: Option<usize>,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyAny>)> {
        let given = self.workloads(workload)?.into_iter().zip(self.environments(environment)?);
        let (rules, count) = (&*self.rules, self.episodes.len());
        for (episode, (sizes_bytes, environment)) in self.episodes.iter_mut().zip(given) {
            guarded_here(|| episode.begin(rules, Given { sizes_bytes, environment, drive }))?;
        }
        let (length, mask) = (rules.entries.length(), rules.mask_length());
        let (mut observations, mut masks) = (vec![0.0; count * length], vec![0; count * mask]);
        let rows = observations.chunks_exact_mut(length).zip(masks.chunks_exact_mut(mask));
        for (episode, (observation, mask)) in self.episodes.iter().zip(rows) {
            episode.observe(rules, observation);
            episode.mask(rules, mask);
        }
        Ok((table(py, observations, count)?, self.masks(py, masks)?))
    }

    /// One step of Gymnasium's `VectorEnv`.
    fn step<'py>(&mut self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<VectorResult<'py>> {
        let Rows { observations, final_observations, masks, final_masks, steps } = self.advance(py, actions)?;
        let count = steps.len();
        let infos = PyDict::new(py);
        let ends: Vec<bool> = steps.iter().map(Step::ends).collect();
        let flags = |flags: &[bool]| PyArray1::from_slice(py, flags);
        infos.set_item(intern!(py, "action_mask"), self.masks(py, masks)?)?;
        infos.set_item(intern!(py, "_action_mask"), PyArray1::from_vec(py, vec![true; count]))?;
        if steps.iter().any(|step| !step.ends() && step.decided.is_some()) {
            infos.update(columns(py, &steps, |step| !step.ends())?.as_mapping())?;
        }
        if ends.contains(&true) {
            let final_info = columns(py, &steps, Step::ends)?;
            if !final_masks.is_empty() {
                final_info.set_item(intern!(py, "action_mask"), self.masks(py, final_masks)?)?;
                final_info.set_item(intern!(py, "_action_mask"), flags(&ends))?;
            }
            infos.set_item(intern!(py, "final_obs"), table(py, final_observations, count)?)?;
            infos.set_item(intern!(py, "_final_obs"), flags(&ends))?;
            infos.set_item(intern!(py, "final_info"), final_info)?;
            infos.set_item(intern!(py, "_final_info"), flags(&ends))?;
        }
        let rewards = PyArray1::from_iter(py, steps.iter().map(|step| step.reward));
        let terminations = PyArray1::from_iter(py, steps.iter().map(|step| step.terminated));
        let truncations = PyArray1::from_iter(py, steps.iter().map(|step| step.truncated));
        Ok((table(py, observations, count)?, rewards, terminations, truncations, infos))
    }

    /// One step of Stable-Baselines3's `VecEnv`.
    fn step_sb3<'py>(&mut self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<Sb3Result<'py>> {
        let Rows { observations, final_observations, steps, .. } = self.advance(py, actions)?;
        let (count, length) = (steps.len(), self.rules.entries.length());
        let infos = PyList::empty(py);
        for (step, observation) in steps.iter().zip(final_observations.chunks_exact(length)) {
            let info = PyDict::new(py);
            if let Some(decided) = &step.decided {
                add_decided(&info, decided)?;
            }
            info.set_item(intern!(py, "TimeLimit.truncated"), step.truncated && !step.terminated)?;
            if step.ends() {
                let observation = ArrayView1::from(observation).to_pyarray(py);
                info.set_item(intern!(py, "terminal_observation"), observation)?;
            }
            infos.append(info)?;
        }
        let rewards = PyArray1::from_iter(py, steps.iter().map(|step| step.reward as f32));
        let dones = PyArray1::from_iter(py, steps.iter().map(Step::ends));
        Ok((table(py, observations, count)?, rewards, dones, infos))
    }

    /// The masks of the next actions: `(num_envs, N * M, places)`, or `(num_envs, places)` where one task is decided at a time.
    fn action_masks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let length = self.rules.mask_length();
        let mut masks = vec![0; self.episodes.len() * length];
        for (episode, mask) in self.episodes.iter().zip(masks.chunks_exact_mut(length)) {
            episode.mask(&self.rules, mask);
        }
        self.masks(py, masks)
    }

    /// The sizes of the current workloads in MB, `(num_envs, N, M)`.
    fn sizes_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let model = self.rules.model();
        let bytes = self.episodes.iter().flat_map(Episode::sizes_bytes);
        let sizes = bytes.map(|bytes| bytes / sim::units::BYTES_PER_MB).collect();
        arrays::full_array(py, sizes, &[self.episodes.len(), model.devices(), model.tasks()])
    }
}

impl ParallelEpisodes {
    /// Masks as an array.
    fn masks<'py>(&self, py: Python<'py>, masks: Vec<i8>) -> PyResult<Bound<'py, PyAny>> {
        let (count, places) = (self.episodes.len(), self.rules.places);
        let flat = PyArray1::from_vec(py, masks);
        if self.rules.kind == Kind::Tasks {
            return Ok(flat.reshape((count, places))?.into_any());
        }
        Ok(flat.reshape((count, self.rules.action_length(), places))?.into_any())
    }
}
