//! The class behind Gymnasium's `Env`.

use std::sync::Arc;

use numpy::PyArray1;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim::stream::dispatch::DispatchOutcome;

use super::episode::Episode;
use super::rules::Rules;
use crate::environments::actions::{place_of, seed_of};
use crate::environments::single::reset_needed;
use crate::guard::guarded_here;
use crate::streams::Offer;

/// One environment.
#[pyclass(module = "mrdro._mrdro")]
pub(crate) struct SingleDispatch {
    rules: Arc<Rules>,
    episode: Episode,
    mask: Vec<i8>,
    /// Scratch.
    observation: Vec<f32>,
    action: Vec<u8>,
}

/// What a step returns: observation, reward, terminated, truncated, info.
type StepResult<'py> = (Bound<'py, PyArray1<f32>>, f64, bool, bool, Bound<'py, PyDict>);

impl SingleDispatch {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        let (mask, observation) = (vec![0; rules.places], vec![0.0; rules.length()]);
        Self { rules, episode: Episode::default(), mask, observation, action: Vec::new() }
    }
}

/// Adds what came of an episode.
fn add_outcome(info: &Bound<'_, PyDict>, outcome: &DispatchOutcome) -> PyResult<()> {
    let py = info.py();
    info.set_item(intern!(py, "cost"), outcome.mean_cost)?;
    info.set_item(intern!(py, "mean_energy_j"), outcome.mean_energy_j)?;
    info.set_item(intern!(py, "mean_delay_s"), outcome.mean_response_s)?;
    info.set_item(intern!(py, "missed_share"), outcome.late_share)?;
    info.set_item(intern!(py, "place_shares"), PyArray1::from_slice(py, &outcome.place_shares))
}

#[pymethods]
impl SingleDispatch {
    #[getter]
    fn is_seeded(&self) -> bool {
        self.episode.is_seeded()
    }

    #[pyo3(signature = (seed=None))]
    fn reset<'py>(
        &mut self,
        py: Python<'py>,
        seed: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, Bound<'py, PyDict>)> {
        if let Some(seed) = seed {
            self.episode.seed(seed_of(seed)?);
        }
        let Self { rules, episode, mask, observation, .. } = self;
        guarded_here(|| episode.begin(rules, observation, mask))?;
        let info = PyDict::new(py);
        info.set_item(intern!(py, "action_mask"), PyArray1::from_slice(py, mask))?;
        info.set_item(intern!(py, "seed"), episode.seed)?;
        Ok((PyArray1::from_slice(py, observation), info))
    }

    fn step<'py>(&mut self, py: Python<'py>, action: &Bound<'py, PyAny>) -> PyResult<StepResult<'py>> {
        place_of(action, self.rules.places, &mut self.action)?;
        if !self.episode.is_running() {
            return Err(reset_needed(py));
        }
        let Self { rules, episode, mask, observation, action } = self;
        let step = guarded_here(|| episode.step(rules, action[0], observation, mask))?;
        let info = PyDict::new(py);
        info.set_item(intern!(py, "action_mask"), PyArray1::from_slice(py, mask))?;
        if let Some(outcome) = &step.outcome {
            add_outcome(&info, outcome)?;
        }
        Ok((PyArray1::from_slice(py, observation), step.reward, false, step.ends(), info))
    }

    /// The mask of the next action.
    fn action_mask<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<bool>> {
        PyArray1::from_iter(py, self.mask.iter().map(|usable| *usable != 0))
    }

    /// What each place would do with the task.
    fn offer(&mut self, py: Python<'_>) -> PyResult<Offer> {
        self.episode.offer().ok_or_else(|| reset_needed(py))
    }
}
