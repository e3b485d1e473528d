//! The cost of a decision: eqs. (1) to (19) in SI units.
//!
//! Every time and energy of the paper is proportional to the size of its task, so that two rates for each device and
//! place hold all of the scenario's physics. With dedicated servers and links the cost is a sum over devices. Where
//! devices share a server or a link, each waits for the bytes of all, see [`CostModel::is_separable`].
//!
//! | equation | plainly | faster |
//! |---|---|---|
//! | (16), (17) | [`CostModel::evaluate`], in `totals` | [`CostModel::batch_costs`] for many workloads, [`IncrementalCost`] for one task that moves |
//! | (18) | [`CostModel::weigh`] | the same |
//!
//! Where servers have latencies, tasks differ in instructions per byte, or missed deadlines cost something, bytes alone do not
//! tell the cost: the module `detailed` computes it then.
//!
//! [`CostModel::is_better`] says which of two decisions is better, also where both cost the same.

mod columns;
mod contention;
mod demands;
mod detailed;
mod evaluate;
mod from_scenario;
mod incremental;
mod mean_rates;
mod physics;
mod rates;
mod single_task;
mod ties;

use std::sync::Arc;

pub(crate) use self::contention::{Contention, OwnRate};
use self::demands::TaskDemands;
pub use self::demands::{Demands, DemandsError};
pub(crate) use self::detailed::{Amount, Detailed, is_late};
pub use self::incremental::{FirstSwap, IncrementalCost};
use self::physics::{Physics, ServerPhysics};
pub use self::rates::{Outcome, Rate, TimeTerms};
pub(crate) use self::ties::{ROUNDING, is_better, is_equal};
use super::environment::{Environment, EnvironmentError};
use super::workload::Workload;

/// The cost of decisions in one environment. Made by [`Scenario::check`](crate::Scenario::check), and valid by
/// construction.
///
/// A clone shares everything with its original, and [`CostModel::at`] shares everything that does not depend on the
/// environment.
///
/// ```
/// use sim::{Decision, Environment, Placement, Scenario, Workload};
/// let model = Scenario::load("paper")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let local = Decision::uniform(3, 3, Placement::Local);
/// let outcome = model.evaluate(&workload, &local);
/// assert!((outcome.time_s - 1800.0).abs() < 1e-9); // 180 MB * 1000 instructions/B at 100 MHz
///
/// let time_alone = model.at(&Environment { alpha: 0.0, ..model.environment().clone() })?;
/// assert_eq!(time_alone.evaluate(&workload, &local).cost, outcome.time_s);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CostModel {
    system: Arc<System>,
    state: Arc<State>,
}

/// The part of a cost model that no environment changes.
#[derive(Debug, PartialEq)]
struct System {
    tasks: usize,
    /// The number of tasks of each device, where it is not M for all; else empty.
    counts: Vec<usize>,
    place_names: Vec<String>,
    physics: Physics,
}

/// The part of a cost model that follows from the environment.
#[derive(Debug, Clone, PartialEq)]
struct State {
    environment: Environment,
    /// `[device][place]`, place 0 being the device itself.
    rates: Vec<Rate>,
    /// `[device][place]`: whether the place can be reached at all; empty if all can.
    reachable: Vec<bool>,
    /// `None`: nothing is shared.
    contention: Option<Contention>,
    /// `None`: nothing but their sizes matters of tasks.
    demands: Option<Arc<TaskDemands>>,
    /// `None`: the rates and what devices share tell all costs.
    detailed: Option<Box<Detailed>>,
}

impl State {
    fn new(physics: &Physics, environment: Environment, demands: Option<Arc<TaskDemands>>) -> Self {
        let (rates, reachable) = (Vec::new(), Vec::new());
        let mut state = Self { environment, rates, reachable, contention: None, demands, detailed: None };
        state.update(physics);
        state
    }

    /// Computes everything else from the environment, in the memory that is there.
    fn update(&mut self, physics: &Physics) {
        physics.rates(&self.environment, &mut self.rates, &mut self.reachable);
        if physics.is_coupled() {
            physics.contention(&self.environment, &self.reachable, self.contention.get_or_insert_default());
        } else {
            self.contention = None;
        }
        let demands = self.demands.as_ref();
        // Where every task takes the first device's instructions per byte, the rates per byte tell the cost.
        let instructions = physics.instructions_per_byte[0];
        let is_detailed = demands
            .is_some_and(|demands| demands.differ_from(instructions) || demands.has_ruled_deadlines())
            || physics.servers.iter().any(|server| server.latency_s > 0.0);
        self.detailed = is_detailed.then(|| Box::new(Detailed::new(physics, &self.environment)));
    }
}

impl CostModel {
    /// A model with `tasks` tasks per device, or up to that number where `counts` says so for each device.
    fn new(
        (tasks, counts): (usize, Vec<usize>),
        place_names: Vec<String>,
        physics: Physics,
        demands: Option<TaskDemands>,
        environment: Environment,
    ) -> Self {
        let counts = if counts.iter().all(|count| *count == tasks) { Vec::new() } else { counts };
        let state = State::new(&physics, environment, demands.map(Arc::new));
        Self { system: Arc::new(System { tasks, counts, place_names, physics }), state: Arc::new(state) }
    }

    /// The environment in which all costs are computed.
    pub fn environment(&self) -> &Environment {
        &self.state.environment
    }

    /// The same model in another environment.
    ///
    /// # Errors
    /// If the environment is for another number of devices or servers, or holds a value that makes no sense.
    pub fn at(&self, environment: &Environment) -> Result<Self, EnvironmentError> {
        self.at_owned(environment.clone())
    }

    /// [`CostModel::at`] without a copy of the environment.
    pub(crate) fn at_owned(&self, environment: Environment) -> Result<Self, EnvironmentError> {
        environment.check(self.devices(), self.places() - 1)?;
        let state = State::new(&self.system.physics, environment, self.state.demands.clone());
        Ok(Self { system: Arc::clone(&self.system), state: Arc::new(state) })
    }

    /// Writes [`CostModel::at`] into another model. Allocates nothing if `into` was once written so and has no clones,
    /// as a scratch value of a loop is.
    ///
    /// # Errors
    /// As [`CostModel::at`]. `into` is then as it was.
    pub fn at_into(&self, environment: &Environment, into: &mut Self) -> Result<(), EnvironmentError> {
        environment.check(self.devices(), self.places() - 1)?;
        if !Arc::ptr_eq(&into.system, &self.system) {
            into.system = Arc::clone(&self.system);
        }
        let physics = &self.system.physics;
        if let Some(state) = Arc::get_mut(&mut into.state) {
            state.environment.clone_from(environment);
            state.demands.clone_from(&self.state.demands);
            state.update(physics);
        } else {
            into.state = Arc::new(State::new(physics, environment.clone(), self.state.demands.clone()));
        }
        Ok(())
    }

    /// Whether both are clones of one model, so that they are in one environment. False for equal models that were made
    /// apart.
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.system, &other.system) && Arc::ptr_eq(&self.state, &other.state)
    }

    /// Whether a device can use a place. It can use itself, and every server that is up and to which it has a link: neither
    /// the link nor the server's frequency or capacity is 0.
    ///
    /// A place that a device cannot use costs it a million times its own time and the higher of both energies, so that all
    /// costs are finite. Nothing that chooses places ever chooses it.
    ///
    /// # Panics
    /// If there is no such device or place.
    pub fn is_reachable(&self, device: usize, place: u8) -> bool {
        let (place, places) = (usize::from(place), self.places());
        assert!(place < places && device < self.devices(), "device {device}, place {place}");
        self.state.reachable.is_empty() || self.state.reachable[device * places + place]
    }

    /// Whether every device can use every place.
    pub fn is_all_reachable(&self) -> bool {
        self.state.reachable.is_empty()
    }

    /// The places that a device can use, the device itself first.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn reachable_places(&self, device: usize) -> impl Iterator<Item = u8> + '_ {
        (0..self.places() as u8).filter(move |place| self.is_reachable(device, *place))
    }

    /// Moves tasks that a decision places where their devices cannot send them to the first place that these can use: the
    /// device itself, except in a [`CostModel::search_model`].
    ///
    /// # Shapes
    /// `places` is `[N * M]`.
    pub fn keep_reachable(&self, places: &mut [u8]) {
        if self.is_all_reachable() {
            return;
        }
        for (device, places) in places.chunks_exact_mut(self.tasks()).enumerate() {
            for place in places.iter_mut().filter(|place| !self.is_reachable(device, **place)) {
                *place = self.reachable_places(device).next().unwrap_or(0);
            }
        }
    }

    /// Whether the server at a place works, and the links to it that all devices share carry something. Places of servers
    /// begin at 1.
    pub(crate) fn is_up(&self, place: usize) -> bool {
        self.system.physics.is_up(self.server(place), self.state.environment.capacities[place - 1])
    }

    /// N, the number of devices.
    pub fn devices(&self) -> usize {
        self.system.physics.local.len()
    }

    /// M, the number of tasks per device.
    pub fn tasks(&self) -> usize {
        self.system.tasks
    }

    /// The number of tasks of a device, at most M. Tasks beyond it are absent: their size is 0.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn tasks_of(&self, device: usize) -> usize {
        assert!(device < self.devices(), "device {device}");
        self.system.counts.get(device).copied().unwrap_or(self.system.tasks)
    }

    /// Whether devices have different numbers of tasks.
    pub fn has_absent_tasks(&self) -> bool {
        !self.system.counts.is_empty()
    }

    /// Whether the task at a position, n * M + m, exists: device n can have fewer than M tasks ([`CostModel::tasks_of`]).
    ///
    /// # Panics
    /// If there is no such task.
    pub fn has_task(&self, task: usize) -> bool {
        self.system.counts.is_empty() || task % self.tasks() < self.tasks_of(task / self.tasks())
    }

    /// The number of tasks of a whole workload, N × M.
    pub fn task_count(&self) -> usize {
        self.devices() * self.tasks()
    }

    /// The number of places at which a task can run: its device and every server.
    pub fn places(&self) -> usize {
        self.system.place_names.len()
    }

    /// The names of the places: `local` first, then the servers in the scenario's order.
    pub fn place_names(&self) -> &[String] {
        &self.system.place_names
    }

    /// α of eq. (18).
    pub fn alpha(&self) -> f64 {
        self.state.environment.alpha
    }

    /// The rates of one device, by place. The rate of a shared place is the one while no other device uses it.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn rates(&self, device: usize) -> &[Rate] {
        &self.state.rates[device * self.places()..][..self.places()]
    }

    /// Whether the cost is a sum over devices, so that each device can be decided by itself.
    ///
    /// It is not where a server or a link is shared. Device n, with b_np > 0 bytes at place p, is then done there after
    ///
    /// T_np = max(s_np b_np, l_p L_p, u L) + c_np b_np + C_p L_p,
    ///
    /// with L_p the bytes of all devices at p, and L the bytes of all devices at all servers. [`TimeTerms`] defines s,
    /// l, u, c and C. Each of l, u and C is 0 where its resource is not shared, and at every place c or C is 0.
    pub fn is_separable(&self) -> bool {
        self.state.contention.is_none()
    }

    /// The time of one byte of a device at a place, split into sending, computing and shared resources.
    ///
    /// # Panics
    /// If there is no such device or place.
    pub fn time_terms(&self, device: usize, place: usize) -> TimeTerms {
        let Some(contention) = self.contention() else {
            return TimeTerms { compute: self.rates(device)[place].time_s_per_byte, ..TimeTerms::default() };
        };
        let own = &contention.own[device * self.places()..][..self.places()][place];
        let shared = contention.shared[place];
        TimeTerms {
            send: own.send_s_per_byte,
            compute: own.compute_s_per_byte,
            shared_link: shared.link_s_per_byte,
            shared_uplink: if place > 0 { contention.uplink_s_per_byte } else { 0.0 },
            shared_compute: shared.compute_s_per_byte,
        }
    }

    /// What devices share; `None` if nothing.
    pub(crate) fn contention(&self) -> Option<&Contention> {
        self.state.contention.as_ref()
    }

    /// The server at a place. Places of servers begin at 1.
    pub(crate) fn server(&self, place: usize) -> &ServerPhysics {
        &self.system.physics.servers[place - 1]
    }

    /// Time to compute a byte at the server of a place, without sending it there.
    pub(crate) fn compute_s_per_byte(&self, place: usize) -> f64 {
        let capacity = self.state.environment.capacities[place - 1];
        self.server(place).compute_s_per_byte(self.system.physics.instructions_per_byte[0], capacity)
    }

    /// Whether a workload has this model's N and M.
    pub fn fits(&self, workload: &Workload) -> bool {
        (workload.devices(), workload.tasks()) == (self.devices(), self.tasks())
    }
}
