//! The class behind PettingZoo's `ParallelEnv`: every device decides its own tasks, in several rounds.

use std::sync::Arc;

use numpy::IntoPyArray;
use numpy::PyArray2;
use numpy::ndarray::Array2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim::{CostModel, Decision, Outcome, Workload};

use super::actions::{places_of, seed_of};
use super::episode::{Episode, Given};
use super::infos::shaped_mask;
use super::reward::{Reward, negative_cost, saving};
use super::rules::Rules;
use super::single::{reset_needed, workload};
use crate::arrays::full_array;
use crate::environment::Environment;
use crate::errors::value;
use crate::guard::guarded_here;

/// One fleet of devices.
#[pyclass(module = "mrdro._mrdro")]
pub(crate) struct FleetEpisode {
    rules: Arc<Rules>,
    episode: Episode,
    /// The number of rounds of an episode, and of those that are over.
    rounds: usize,
    round: usize,
    /// Whether every device is rewarded for what the fleet pays.
    team: bool,
    /// Bytes of the last round, `[N][places]`.
    loads_bytes: Vec<f64>,
    action: Vec<u8>,
}

/// What a round returns: observations, rewards, whether the episode is over, and columns of what each device paid.
type RoundResult<'py> = (Bound<'py, PyArray2<f32>>, Vec<f64>, bool, Bound<'py, PyDict>);

impl FleetEpisode {
    pub(crate) fn new(rules: Arc<Rules>, rounds: usize, team: bool) -> Self {
        let (episode, model) = (Episode::new(&rules), rules.model());
        let loads_bytes = vec![0.0; model.devices() * model.places()];
        Self { rules, episode, rounds, round: 0, team, loads_bytes, action: Vec::new() }
    }

    /// What every device observes, `[N][entries]`.
    fn observe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (rules, model) = (&*self.rules, self.episode.model(&self.rules));
        let (devices, places, length) = (model.devices(), model.places(), rules.entries.device_length());
        let mut loads_bytes = vec![0.0; places];
        for own in self.loads_bytes.chunks_exact(places) {
            loads_bytes.iter_mut().zip(own).for_each(|(all, own)| *all += own);
        }
        let mut rows = vec![0.0; devices * length];
        let own = self.loads_bytes.chunks_exact(places);
        for (device, (row, own)) in rows.chunks_exact_mut(length).zip(own).enumerate() {
            let loads = [&loads_bytes[..], own];
            rules.entries.write_device(device, self.episode.sizes_bytes(), model.environment(), loads, row);
        }
        let array = Array2::from_shape_vec((devices, length), rows).map_err(|error| value(error.to_string()))?;
        Ok(array.into_pyarray(py))
    }

    /// Remembers what the devices send where.
    fn remember_loads(&mut self, places: &[u8]) {
        let (tasks, count) = (self.rules.model().tasks(), self.rules.model().places());
        self.loads_bytes.fill(0.0);
        for (task, (bytes, place)) in self.episode.sizes_bytes().iter().zip(places).enumerate() {
            self.loads_bytes[task / tasks * count + usize::from(*place)] += bytes;
        }
    }
}

/// What every device pays for its own part of a decision. The sums over the devices are what [`CostModel::outcome`] tells.
fn device_outcomes(model: &CostModel, sizes_bytes: &[f64], places: &[u8]) -> Vec<Outcome> {
    let (tasks, count) = (model.tasks(), model.places());
    let workload = Workload::from_bytes(tasks, sizes_bytes);
    let times_s = model.place_times(&workload, &Decision::from_places(tasks, places));
    let penalty = model.deadline_rule().penalty().unwrap_or(0.0);
    let of_device = |(device, times_s): (usize, &[f64])| {
        let own = || (device * tasks..(device + 1) * tasks).filter(|task| sizes_bytes[*task] > 0.0);
        let place = |task: usize| usize::from(places[task]);
        let energy_j = own().map(|task| model.single_task_energy_j(task, sizes_bytes[task], place(task))).sum();
        let missed_deadlines = own().filter(|task| model.misses_deadline(*task, times_s[place(*task)])).count();
        let time_s = times_s.iter().copied().fold(0.0, f64::max);
        let cost = model.weigh(energy_j, time_s) + penalty * missed_deadlines as f64;
        Outcome { energy_j, time_s, cost, missed_deadlines }
    };
    times_s.chunks_exact(count).enumerate().map(of_device).collect()
}

#[pymethods]
impl FleetEpisode {
    #[getter]
    fn is_seeded(&self) -> bool {
        self.episode.is_seeded()
    }

    /// Begins an episode. Returns the observations.
    #[pyo3(signature = (seed=None, workload=None, environment=None))]
    fn reset<'py>(
        &mut self,
        py: Python<'py>,
        seed: Option<&Bound<'py, PyAny>>,
        workload: Option<&Bound<'py, PyAny>>,
        environment: Option<&Environment>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        if let Some(seed) = seed {
            self.episode.seed(seed_of(seed)?);
        }
        let sizes_bytes = self::workload(&self.rules, workload)?;
        let environment = environment.map(|environment| environment.0.clone());
        guarded_here(|| self.episode.begin(&self.rules, Given { sizes_bytes, environment, drive: None }))?;
        self.round = 0;
        self.loads_bytes.fill(0.0);
        self.observe(py)
    }

    /// One round: the places of all tasks of all devices.
    fn step<'py>(&mut self, py: Python<'py>, action: &Bound<'py, PyAny>) -> PyResult<RoundResult<'py>> {
        let rules = Arc::clone(&self.rules);
        let (tasks, places) = (rules.task_count, rules.places);
        places_of(action, tasks, places, "the places of all tasks, an array of whole numbers", &mut self.action)?;
        if !self.episode.is_running {
            return Err(reset_needed(py));
        }
        let mut action = std::mem::take(&mut self.action);
        sim::keep_absent(self.episode.sizes_bytes(), &mut action);
        let (rewards, outcomes) = guarded_here(|| {
            let (model, sizes) = (self.episode.model(&rules), self.episode.sizes_bytes());
            let outcomes = device_outcomes(model, sizes, &action);
            let locals = device_outcomes(model, sizes, &rules.all_local);
            Ok((self.rewards(model, &outcomes, &locals), outcomes))
        })?;
        self.remember_loads(&action);
        self.action = action;
        self.round += 1;
        let is_over = self.round == self.rounds;
        guarded_here(|| self.episode.next_workload(&rules, Given::default()))?;
        self.episode.is_running = !is_over;
        let columns = PyDict::new(py);
        columns.set_item("energy_j", outcomes.iter().map(|one| one.energy_j).collect::<Vec<_>>())?;
        columns.set_item("time_s", outcomes.iter().map(|one| one.time_s).collect::<Vec<_>>())?;
        columns.set_item("cost", outcomes.iter().map(|one| one.cost).collect::<Vec<_>>())?;
        columns.set_item("missed_deadlines", outcomes.iter().map(|one| one.missed_deadlines).collect::<Vec<_>>())?;
        Ok((self.observe(py)?, rewards, is_over, columns))
    }

    /// The masks of all tasks, `(N * M, places)`.
    fn action_masks<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        let mut mask = vec![0; self.rules.mask_length()];
        self.episode.mask(&self.rules, &mut mask);
        shaped_mask(py, &self.rules, &mask)
    }

    /// The sizes of the current workload in MB, `(N, M)`.
    fn sizes_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let model = self.rules.model();
        let sizes = self.episode.sizes_bytes().iter().map(|bytes| bytes / sim::units::BYTES_PER_MB).collect();
        full_array(py, sizes, &[model.devices(), model.tasks()])
    }

    /// The environment of the current workload.
    fn environment(&self) -> Environment {
        Environment(self.episode.model(&self.rules).environment().clone())
    }
}

impl FleetEpisode {
    /// The reward of each device.
    fn rewards(&self, model: &CostModel, outcomes: &[Outcome], locals: &[Outcome]) -> Vec<f64> {
        let reward = |outcome: &Outcome, local: &Outcome, scale: f64| match self.rules.reward {
            Reward::Cost => negative_cost(model, outcome, scale),
            _ => saving(model, outcome, local.cost),
        };
        let count = outcomes.len();
        if self.team {
            let sum = |all: &[Outcome]| Outcome {
                cost: all.iter().map(|one| one.cost).sum(),
                missed_deadlines: all.iter().map(|one| one.missed_deadlines).sum(),
                ..Outcome::default()
            };
            return vec![reward(&sum(outcomes), &sum(locals), self.rules.cost_scale); count];
        }
        let scale = self.rules.cost_scale / count as f64;
        outcomes.iter().zip(locals).map(|(outcome, local)| reward(outcome, local, scale)).collect()
    }
}
