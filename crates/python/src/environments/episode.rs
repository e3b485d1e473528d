//! One episode: draws workloads, takes actions.

use data::EnvironmentSampler;
use pyo3::PyResult;
use sim::random::{self, Stream};
use sim::scheme::Exact;
use sim::{CostModel, Environment, keep_absent};

use super::observation::Progress;
use super::reward::{Decided, Reward, negative_cost, optimum, saving};
use super::rules::{InEnvironment, Kind, Rules};
use crate::errors::raise;

/// What the caller wants of the next episode; what is `None` is drawn.
#[derive(Debug, Default, Clone)]
pub(crate) struct Given {
    /// `[N * M]` in bytes.
    pub(crate) sizes_bytes: Option<Vec<f64>>,
    pub(crate) environment: Option<Environment>,
    /// The index of a drive.
    pub(crate) drive: Option<usize>,
}

/// What a step gives besides the next observation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Step {
    pub(crate) reward: f64,
    pub(crate) terminated: bool,
    pub(crate) truncated: bool,
    /// `None` while tasks of the workload are still to be decided.
    pub(crate) decided: Option<Decided>,
}

impl Step {
    pub(crate) fn ends(&self) -> bool {
        self.terminated || self.truncated
    }
}

/// The state of one environment.
#[derive(Debug)]
pub(crate) struct Episode {
    streams: Option<Streams>,
    /// Whether an episode has begun and not ended.
    pub(crate) is_running: bool,
    /// The environment that was drawn last.
    drawn: Environment,
    /// The model in an environment of its own; used if `has_own_model`.
    own_model: CostModel,
    /// What `own_model` says.
    own: InEnvironment,
    has_own_model: bool,
    sizes_bytes: Vec<f64>,
    /// Whether every task has a size above 0.
    is_full: bool,
    /// The cost of running everything on the devices.
    local_cost: f64,
    /// Tasks that are not decided yet are on their devices.
    places: Vec<u8>,
    /// The task to decide next, of kind [`Kind::Tasks`].
    turn: usize,
    /// The sizes of the tasks that are decided; 0 for the others.
    decided_bytes: Vec<f64>,
    /// The sum of the rewards of this workload.
    returned: f64,
    /// The drive, and the window of it.
    drive: (usize, usize),
    exact: Exact,
    scratch: Vec<u8>,
}

/// The random streams of one environment.
#[derive(Debug)]
struct Streams {
    sizes: Stream,
    environments: Stream,
    drives: Stream,
}

impl Episode {
    pub(crate) fn new(rules: &Rules) -> Self {
        let model = rules.model();
        let tasks = rules.task_count;
        Self {
            streams: None,
            is_running: false,
            drawn: model.environment().clone(),
            own_model: model.clone(),
            own: rules.own.clone(),
            has_own_model: false,
            sizes_bytes: vec![0.0; tasks],
            is_full: false,
            local_cost: 0.0,
            places: vec![0; tasks],
            turn: 0,
            decided_bytes: if rules.kind == Kind::Tasks { vec![0.0; tasks] } else { Vec::new() },
            returned: 0.0,
            drive: (0, 0),
            exact: Exact::new(),
            scratch: vec![0; tasks],
        }
    }

    /// Whether [`Episode::seed`] has been called.
    pub(crate) fn is_seeded(&self) -> bool {
        self.streams.is_some()
    }

    /// Makes the workloads those that `Problem::workloads` draws for this seed and the stream `workloads`.
    pub(crate) fn seed(&mut self, seed: u64) {
        self.streams = Some(Streams {
            sizes: random::stream(seed, "workloads"),
            environments: random::stream(seed, "workloads/environments"),
            drives: random::stream(seed, "workloads/drives"),
        });
    }

    /// The cost model in the environment of the current workload.
    pub(crate) fn model<'a>(&'a self, rules: &'a Rules) -> &'a CostModel {
        if self.has_own_model { &self.own_model } else { rules.model() }
    }

    pub(crate) fn sizes_bytes(&self) -> &[f64] {
        &self.sizes_bytes
    }

    /// Begins an episode.
    ///
    /// # Errors
    /// If the given environment is none of the scenario.
    pub(crate) fn begin(&mut self, rules: &Rules, given: Given) -> PyResult<()> {
        self.is_running = false;
        if rules.kind == Kind::Drive {
            let count = rules.drives.len();
            let drawn = self.streams.as_mut().map(|streams| random::below(&mut streams.drives, count));
            self.drive = (given.drive.or(drawn).unwrap_or(0), 0);
        }
        self.next_workload(rules, given)?;
        self.is_running = true;
        Ok(())
    }

    /// Goes on to the next workload.
    pub(crate) fn next_workload(&mut self, rules: &Rules, given: Given) -> PyResult<()> {
        self.enter_environment(rules, given.environment)?;
        if let Some(sizes_bytes) = given.sizes_bytes {
            self.sizes_bytes = sizes_bytes;
        } else if let Some(streams) = &mut self.streams {
            if rules.has_absent_tasks {
                let model = rules.model();
                for (task, bytes) in self.sizes_bytes.iter_mut().enumerate() {
                    let is_there = model.has_task(task);
                    *bytes = if is_there { rules.sizes.draw(rules.part, &mut streams.sizes) } else { 0.0 };
                }
            } else {
                rules.sizes.fill(rules.part, &mut streams.sizes, &mut self.sizes_bytes);
            }
        }
        self.is_full = self.sizes_bytes.iter().all(|bytes| *bytes > 0.0);
        if rules.reward == Reward::Saving {
            self.local_cost = self.cost_of_all_local(rules);
        }
        if rules.kind == Kind::Tasks {
            self.places.fill(0);
            self.decided_bytes.fill(0.0);
            self.returned = 0.0;
            self.turn = self.next_turn(0) % self.sizes_bytes.len(); // Without any task, the first stands for all.
        }
        Ok(())
    }

    fn enter_environment(&mut self, rules: &Rules, given: Option<Environment>) -> PyResult<()> {
        self.has_own_model = given.is_some() || rules.changes_environment();
        if let Some(given) = given {
            self.drawn = given;
        } else if self.has_own_model {
            match (&rules.environments, &mut self.streams) {
                (Some(sampler), Some(streams)) => {
                    EnvironmentSampler::draw(sampler, rules.part, &mut streams.environments, &mut self.drawn);
                }
                _ => self.drawn.clone_from(rules.model().environment()),
            }
            if let Some(drive) = rules.drives.get(self.drive.0) {
                self.drawn.uplinks_mbps.copy_from_slice(&drive.uplinks_mbps[self.drive.1]);
            }
        }
        if self.has_own_model {
            rules.model().at_into(&self.drawn, &mut self.own_model).map_err(raise)?;
            self.own.read(&self.own_model);
        }
        Ok(())
    }

    /// What the cost model says in the environment of the current workload.
    fn in_environment<'a>(&'a self, rules: &'a Rules) -> &'a InEnvironment {
        if self.has_own_model { &self.own } else { &rules.own }
    }

    /// The cost of running everything on the devices.
    fn cost_of_all_local(&self, rules: &Rules) -> f64 {
        let per_byte = &self.in_environment(rules).local_cost_per_byte;
        if per_byte.is_empty() {
            return self.model(rules).outcome(&self.sizes_bytes, &rules.all_local).cost;
        }
        let rows = self.sizes_bytes.chunks_exact(rules.task_count / per_byte.len()).zip(per_byte);
        rows.map(|(sizes, per_byte)| per_byte * sizes.iter().sum::<f64>()).sum()
    }

    /// The first task from this one on that is there.
    fn next_turn(&self, from: usize) -> usize {
        let rest = &self.sizes_bytes[from..];
        from + rest.iter().position(|bytes| *bytes > 0.0).unwrap_or(rest.len())
    }

    /// Takes an action: places of all tasks, or the place of the task whose turn it is. Tasks that are not there stay on
    /// their devices.
    ///
    /// # Errors
    /// If the optimum is needed and its search would take too long.
    pub(crate) fn step(&mut self, rules: &Rules, action: &[u8]) -> PyResult<Step> {
        match rules.kind {
            Kind::Tasks => self.place_task(rules, action[0]),
            Kind::Workload => {
                let (reward, decided) = self.place_all(rules, action)?;
                self.is_running = false;
                Ok(Step { reward, terminated: true, truncated: false, decided: Some(decided) })
            }
            Kind::Drive => {
                let (reward, decided) = self.place_all(rules, action)?;
                let truncated = self.drive.1 + 1 == rules.drives[self.drive.0].uplinks_mbps.len();
                if truncated {
                    self.is_running = false;
                } else {
                    self.drive.1 += 1;
                }
                self.next_workload(rules, Given::default())?;
                Ok(Step { reward, terminated: false, truncated, decided: Some(decided) })
            }
        }
    }

    /// Decides the whole workload.
    pub(crate) fn place_all(&mut self, rules: &Rules, places: &[u8]) -> PyResult<(f64, Decided)> {
        self.places.copy_from_slice(places);
        if !self.is_full {
            keep_absent(&self.sizes_bytes, &mut self.places);
        }
        let outcome = self.model(rules).outcome(&self.sizes_bytes, &self.places);
        let decided = Decided { outcome, optimum: self.optimum(rules, &outcome)? };
        Ok((self.reward_of(rules, &decided), decided))
    }

    fn place_task(&mut self, rules: &Rules, place: u8) -> PyResult<Step> {
        let task = self.turn;
        self.decided_bytes[task] = self.sizes_bytes[task];
        self.places[task] = if self.sizes_bytes[task] > 0.0 { place } else { 0 };
        self.turn = self.next_turn(task + 1);
        let ends = self.turn == self.sizes_bytes.len();
        let returned_before = self.returned;
        if ends {
            self.is_running = false;
            let outcome = self.model(rules).outcome(&self.sizes_bytes, &self.places);
            let decided = Decided { outcome, optimum: self.optimum(rules, &outcome)? };
            self.returned = self.reward_of(rules, &decided);
            let reward = self.returned - returned_before;
            return Ok(Step { reward, terminated: true, truncated: false, decided: Some(decided) });
        }
        let model = self.model(rules);
        self.returned = match rules.reward {
            Reward::Saving => saving(model, &model.outcome(&self.sizes_bytes, &self.places), self.local_cost),
            Reward::Cost => negative_cost(model, &model.outcome(&self.decided_bytes, &self.places), rules.cost_scale),
            Reward::Q2 => 0.0,
        };
        Ok(Step { reward: self.returned - returned_before, ..Step::default() })
    }

    fn optimum(&mut self, rules: &Rules, outcome: &sim::Outcome) -> PyResult<Option<(f64, f64)>> {
        if !rules.has_optimum {
            return Ok(None);
        }
        let model = if self.has_own_model { &self.own_model } else { rules.model() };
        optimum(&mut self.exact, model, &self.sizes_bytes, &mut self.scratch, outcome).map(Some)
    }

    /// The reward for a decision of the whole workload.
    fn reward_of(&self, rules: &Rules, decided: &Decided) -> f64 {
        let model = self.model(rules);
        match rules.reward {
            Reward::Saving => saving(model, &decided.outcome, self.local_cost),
            Reward::Cost => negative_cost(model, &decided.outcome, rules.cost_scale),
            Reward::Q2 => decided.optimum.map_or(0.0, |(_, q2)| q2),
        }
    }

    /// Writes the observation of the current workload.
    pub(crate) fn observe(&self, rules: &Rules, into: &mut [f32]) {
        let progress = Progress { turn: self.turn, places: &self.places };
        let environment = rules.changes_environment().then(|| self.model(rules).environment());
        rules.entries.write(&self.sizes_bytes, environment, &progress, into);
    }

    /// Writes 1 for each place that a task of the next action may be given, else 0. A task that is not there stays on its
    /// device.
    pub(crate) fn mask(&self, rules: &Rules, into: &mut [i8]) {
        if self.is_full && self.in_environment(rules).is_all_reachable {
            into.fill(1);
            return;
        }
        let model = self.model(rules);
        let (places, tasks) = (model.places(), model.tasks());
        let first = if rules.kind == Kind::Tasks { self.turn.min(self.sizes_bytes.len() - 1) } else { 0 };
        for (task, mask) in (first..).zip(into.chunks_exact_mut(places)) {
            let is_there = self.sizes_bytes[task] > 0.0;
            for (place, entry) in (0..).zip(mask.iter_mut()) {
                *entry = i8::from(place == 0 || is_there && model.is_reachable(task / tasks, place));
            }
        }
    }
}
