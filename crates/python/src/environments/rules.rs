//! What all episodes of one kind have in common.

use std::sync::Arc;

use data::{EnvironmentSampler, Part, SizeSampler, uplink_windows};
use mrdro::Problem;
use pyo3::prelude::*;
use sim::CostModel;

use super::fleet::FleetEpisode;
use super::observation::Entries;
use super::parallel::ParallelEpisodes;
use super::reward::{Reward, is_quick};
use super::single::SingleEpisode;
use crate::errors::{raise, value};
use crate::guard::guarded;
use crate::recordings::Recording;
use crate::scenario::Scenario;

/// The most environments of one vector environment.
const MAX_ENVIRONMENTS: usize = 1_000_000;

/// The most tasks of a workload that is decided within some microseconds.
const MOST_QUICK_TASKS: usize = 1000;

/// What one step of an episode decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole workload, with which the episode ends.
    Workload,
    /// One task of a workload.
    Tasks,
    /// A whole workload in one window of a drive.
    Drive,
}

/// A drive of a recording.
#[derive(Debug)]
pub(crate) struct RecordedDrive {
    pub(crate) name: String,
    /// `[windows][N]` in Mbit/s.
    pub(crate) uplinks_mbps: Vec<Vec<f64>>,
}

/// What all episodes of one kind have in common.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) problem: Arc<Problem>,
    pub(crate) kind: Kind,
    pub(crate) reward: Reward,
    /// Whether the optimum of every workload is searched for.
    pub(crate) has_optimum: bool,
    pub(crate) part: Part,
    pub(crate) sizes: SizeSampler,
    /// `None`: the environment never changes.
    pub(crate) environments: Option<EnvironmentSampler>,
    /// The drives to choose from; empty unless the kind is [`Kind::Drive`].
    pub(crate) drives: Vec<RecordedDrive>,
    /// The cost that is 1 in rewards of kind [`Reward::Cost`]: all tasks are of the mean size and run on their devices.
    pub(crate) cost_scale: f64,
    pub(crate) entries: Entries,
    /// Whether a step of one environment takes more than some microseconds.
    pub(crate) is_slow: bool,
    /// Everything at its device, `[N * M]`.
    pub(crate) all_local: Vec<u8>,
    /// N * M.
    pub(crate) task_count: usize,
    /// The number of places of each task.
    pub(crate) places: usize,
    pub(crate) has_absent_tasks: bool,
    /// What the model says in the scenario's own environment, so that steps need not ask it.
    pub(crate) own: InEnvironment,
}

/// What steps need to know of the cost model in one environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct InEnvironment {
    /// Whether every device can use every server.
    pub(crate) is_all_reachable: bool,
    /// The cost of one byte on each device; empty where the model is detailed.
    pub(crate) local_cost_per_byte: Vec<f64>,
}

impl InEnvironment {
    pub(crate) fn read(&mut self, model: &CostModel) {
        self.is_all_reachable = model.is_all_reachable();
        self.local_cost_per_byte.clear();
        if !model.is_detailed() {
            let rates = (0..model.devices()).map(|device| model.rates(device)[0]);
            let cost = rates.map(|rate| model.weigh(rate.energy_j_per_byte, rate.time_s_per_byte));
            self.local_cost_per_byte.extend(cost);
        }
    }
}

impl Rules {
    /// The cost model in the scenario's own environment.
    pub(crate) fn model(&self) -> &CostModel {
        &self.problem.model
    }

    /// Whether environments are drawn or come from a drive.
    pub(crate) fn changes_environment(&self) -> bool {
        self.environments.is_some() || self.kind == Kind::Drive
    }

    /// The number of places that one action holds.
    pub(crate) fn action_length(&self) -> usize {
        if self.kind == Kind::Tasks { 1 } else { self.task_count }
    }

    /// The length of a mask: one entry for each place of each task that an action decides.
    pub(crate) fn mask_length(&self) -> usize {
        self.action_length() * self.places
    }
}

/// The drives of a recording that have at least one window, or the one of this name.
fn read_drives(
    recording: &Recording,
    drive: Option<&str>,
    devices: usize,
    window_s: f64,
) -> PyResult<Vec<RecordedDrive>> {
    let no_window = |reason: String| raise(mrdro::Error::NoWindow { path: recording.path.clone(), reason });
    let content = &recording.content;
    let chosen: Vec<_> = match drive {
        None => content.drives.iter().collect(),
        Some(asked) => vec![content.drive(asked).map_err(|error| no_window(error.to_string()))?],
    };
    let windows = chosen.into_iter().map(|drive| RecordedDrive {
        name: drive.name.clone(),
        uplinks_mbps: uplink_windows(drive, devices, window_s).into_iter().map(|window| window.mbps).collect(),
    });
    let drives: Vec<_> = windows.filter(|drive| !drive.uplinks_mbps.is_empty()).collect();
    if drives.is_empty() {
        return Err(no_window(format!("no window of {window_s} s in which all devices have data")));
    }
    Ok(drives)
}

/// What all episodes of one kind have in common.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct EpisodeRules {
    rules: Arc<Rules>,
}

#[pymethods]
impl EpisodeRules {
    #[new]
    #[pyo3(signature = (scenario, kind, *, reward, optimum, part, recording=None, drive=None, window_s=60.0))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword argument in Python")]
    fn new(
        py: Python<'_>,
        scenario: &Scenario,
        kind: &str,
        reward: &str,
        optimum: Option<bool>,
        part: &str,
        recording: Option<&Recording>,
        drive: Option<&str>,
        window_s: f64,
    ) -> PyResult<Self> {
        let kind = match kind {
            "workload" => Kind::Workload,
            "tasks" => Kind::Tasks,
            "drive" => Kind::Drive,
            _ => return Err(value(format!("kind must be \"workload\", \"tasks\" or \"drive\", is {kind:?}"))),
        };
        let reward = Reward::parse(reward)?;
        if reward == Reward::Q2 && optimum == Some(false) {
            return Err(value("reward=\"q2\" needs the optimum, so that optimum must be \"auto\" or True, is False"));
        }
        let part = Scenario::part(part)?;
        if !(window_s > 0.0 && window_s.is_finite()) {
            return Err(value(format!("window_s must be a number of seconds above 0, is {window_s}")));
        }
        let problem = Arc::clone(&scenario.problem);
        let has_optimum = optimum.unwrap_or_else(|| reward == Reward::Q2 || is_quick(&problem.model));
        guarded(py, || {
            let sizes = problem.sampler().map_err(raise)?;
            let environments = problem.environments().map_err(raise)?;
            let devices = problem.model.devices();
            let drives = recording.map(|recording| read_drives(recording, drive, devices, window_s));
            let drives = drives.transpose()?.unwrap_or_default();
            let mean = sizes.moments().mean_bytes;
            let model = &problem.model;
            let of_task = |task| if model.has_task(task) { mean } else { 0.0 };
            let mean_sizes: Vec<f64> = (0..model.task_count()).map(of_task).collect();
            let all_local = vec![0; model.task_count()];
            let scale = model.outcome(&mean_sizes, &all_local).cost;
            let cost_scale = if scale > 0.0 { scale } else { 1.0 };
            let changes = environments.is_some() || kind == Kind::Drive;
            let entries = Entries::new(model, kind, changes, sizes.largest_bytes(), &mean_sizes);
            let is_slow = has_optimum && !is_quick(model) || model.task_count() > MOST_QUICK_TASKS;
            let (task_count, places, has_absent_tasks) = (model.task_count(), model.places(), model.has_absent_tasks());
            let mut own = InEnvironment::default();
            own.read(model);
            let rules = Rules {
                problem,
                kind,
                reward,
                has_optimum,
                part,
                sizes,
                environments,
                drives,
                cost_scale,
                entries,
                is_slow,
                all_local,
                task_count,
                places,
                has_absent_tasks,
                own,
            };
            Ok(Self { rules: Arc::new(rules) })
        })
    }

    /// Name, number of entries, lowest and highest value of each part of an observation.
    #[getter]
    fn entries(&self) -> Vec<(&'static str, usize, f32, f32)> {
        self.rules.entries.parts()
    }

    /// The same for what one device of a fleet observes.
    #[getter]
    fn device_entries(&self) -> Vec<(&'static str, usize, f32, f32)> {
        self.rules.entries.device_parts()
    }

    #[getter]
    fn cost_scale(&self) -> f64 {
        self.rules.cost_scale
    }

    #[getter]
    fn has_optimum(&self) -> bool {
        self.rules.has_optimum
    }

    /// Names and numbers of windows of the drives.
    #[getter]
    fn drives(&self) -> Vec<(String, usize)> {
        self.rules.drives.iter().map(|drive| (drive.name.clone(), drive.uplinks_mbps.len())).collect()
    }

    fn single(&self) -> SingleEpisode {
        SingleEpisode::new(Arc::clone(&self.rules))
    }

    fn parallel(&self, count: usize) -> PyResult<ParallelEpisodes> {
        if !(1..=MAX_ENVIRONMENTS).contains(&count) {
            return Err(value(format!("num_envs must be from 1 to {MAX_ENVIRONMENTS}, is {count}")));
        }
        Ok(ParallelEpisodes::new(Arc::clone(&self.rules), count))
    }

    fn fleet(&self, rounds: usize, team: bool) -> PyResult<FleetEpisode> {
        if rounds == 0 {
            return Err(value("rounds must be at least 1, is 0"));
        }
        Ok(FleetEpisode::new(Arc::clone(&self.rules), rounds, team))
    }
}
