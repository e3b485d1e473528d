//! The class behind Gymnasium's `Env`.

use std::sync::Arc;

use numpy::PyArray1;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::actions::{place_of, places_of, seed_of};
use super::episode::{Episode, Given};
use super::infos::{add_decided, mask_array};
use super::rules::{Kind, Rules};
use crate::arrays;
use crate::environment::Environment;
use crate::errors::value;
use crate::guard::{guarded, guarded_here};

/// One environment.
#[pyclass(module = "mrdro._mrdro")]
pub(crate) struct SingleEpisode {
    rules: Arc<Rules>,
    episode: Episode,
    /// Scratch.
    observation: Vec<f32>,
    action: Vec<u8>,
}

/// What a step returns: observation, reward, terminated, truncated, info.
type StepResult<'py> = (Bound<'py, PyArray1<f32>>, f64, bool, bool, Bound<'py, PyDict>);

impl SingleEpisode {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let (episode, observation) = (Episode::new(&rules), vec![0.0; rules.entries.length()]);
        Self { rules, episode, observation, action: Vec::new() }
    }

    fn observe<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        self.episode.observe(&self.rules, &mut self.observation);
        PyArray1::from_slice(py, &self.observation)
    }
}

/// The exception for a step without a reset.
pub(crate) fn reset_needed(py: Python<'_>) -> PyErr {
    let text = "call reset before step: no episode has begun, or the last one has ended";
    match py.import("gymnasium.error").and_then(|module| module.getattr("ResetNeeded")?.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// Sizes of one workload in bytes.
pub(crate) fn workload(rules: &Rules, given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<f64>>> {
    let Some(given) = given else { return Ok(None) };
    let batch = arrays::sizes_bytes("options[\"workload\"]", given, rules.model())?;
    if !batch.shape.is_empty() {
        let (devices, tasks) = (rules.model().devices(), rules.model().tasks());
        return Err(value(format!(
            "options[\"workload\"] must have the shape ({devices}, {tasks}), one workload; it holds {} workloads",
            batch.count
        )));
    }
    Ok(Some(batch.values))
}

#[pymethods]
impl SingleEpisode {
    #[getter]
    fn is_seeded(&self) -> bool {
        self.episode.is_seeded()
    }

    #[pyo3(signature = (seed=None, workload=None, environment=None, drive=None))]
    fn reset<'py>(
        &mut self,
        py: Python<'py>,
        seed: Option<&Bound<'py, PyAny>>,
        workload: Option<&Bound<'py, PyAny>>,
        environment: Option<&Environment>,
        drive: Option<usize>,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, Bound<'py, PyDict>)> {
        if let Some(seed) = seed {
            self.episode.seed(seed_of(seed)?);
        }
        let given = Given {
            sizes_bytes: self::workload(&self.rules, workload)?,
            environment: environment.map(|environment| environment.0.clone()),
            drive,
        };
        guarded_here(|| self.episode.begin(&self.rules, given))?;
        let info = PyDict::new(py);
        info.set_item(intern!(py, "action_mask"), mask_array(py, &self.rules, &self.episode))?;
        Ok((self.observe(py), info))
    }

    fn step<'py>(&mut self, py: Python<'py>, action: &Bound<'py, PyAny>) -> PyResult<StepResult<'py>> {
        let rules = &self.rules;
        let (tasks, places) = (rules.task_count, rules.places);
        if rules.kind == Kind::Tasks {
            place_of(action, places, &mut self.action)?;
        } else {
            places_of(action, tasks, places, "the places of all tasks, an array of whole numbers", &mut self.action)?;
        }
        if !self.episode.is_running {
            return Err(reset_needed(py));
        }
        let (episode, action) = (&mut self.episode, &self.action);
        let step = if rules.is_slow {
            guarded(py, || episode.step(rules, action))?
        } else {
            guarded_here(|| episode.step(rules, action))?
        };
        let info = PyDict::new(py);
        if let Some(decided) = &step.decided {
            add_decided(&info, decided)?;
        }
        if !step.terminated {
            info.set_item(intern!(py, "action_mask"), mask_array(py, rules, &self.episode))?;
        }
        Ok((self.observe(py), step.reward, step.terminated, step.truncated, info))
    }

    /// The mask of the next action.
    fn action_mask<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        mask_array(py, &self.rules, &self.episode)
    }

    /// The sizes of the current workload in MB, `(N, M)`.
    fn sizes_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let model = self.rules.model();
        let sizes = self.episode.sizes_bytes().iter().map(|bytes| bytes / sim::units::BYTES_PER_MB).collect();
        arrays::full_array(py, sizes, &[model.devices(), model.tasks()])
    }

    /// The environment of the current workload.
    fn environment(&self) -> Environment {
        Environment(self.episode.model(&self.rules).environment().clone())
    }
}
