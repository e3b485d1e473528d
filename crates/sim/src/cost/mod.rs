//! The cost of a decision: eqs. (1) to (19) in SI units.
//!
//! Every time and energy of the paper is proportional to the size of its task, so that two rates for each device and
//! place hold all of the scenario's physics. With dedicated servers and links the cost is a sum over devices. Where
//! devices share a server or a link, each waits for the bytes of all, see [`CostModel::is_separable`].

mod columns;
mod incremental;
mod physics;

use std::sync::Arc;

use self::columns::Columns;
pub use self::incremental::{FirstSwap, IncrementalCost};
pub(crate) use self::physics::{Contention, Link, OwnRate, Physics, SLOWEST_MBPS, ServerPhysics, SharedRate};
use crate::decision::Decision;
use crate::environment::Environment;
use crate::error::EnvironmentError;
use crate::scenario::MAX_SERVERS;
use crate::workload::Workload;

/// Most places that a task can run at.
const MAX_PLACES: usize = MAX_SERVERS + 1;

/// What one byte costs at one place, for one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Energy to send and to compute it: eqs. (4), (9), (13).
    pub energy_j_per_byte: f64,
    /// Time to send and to compute it: eqs. (3), (8), (12).
    pub time_s_per_byte: f64,
}

/// What one byte takes at one place, for one device, by what it waits for; see [`CostModel::is_separable`]. What is not
/// shared has 0 for what is, in seconds a byte all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeTerms {
    /// s: to send a byte from the device.
    pub send: f64,
    /// c: to compute it where the place is the device's own. Where nothing at all is shared, sending is in it.
    pub compute: f64,
    /// l: each byte of anyone on the link to the place.
    pub shared_link: f64,
    /// u: each byte of anyone on the way to any server.
    pub shared_uplink: f64,
    /// C: each byte of anyone at the place.
    pub shared_compute: f64,
}

/// Energy, time and weighted cost of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// E_total, eq. (17).
    pub energy_j: f64,
    /// T_total, eq. (16).
    pub time_s: f64,
    /// S(W, X), eq. (18).
    pub cost: f64,
}

/// Prices decisions. Made by [`Scenario::check`](crate::Scenario::check), and valid by construction.
///
/// ```
/// use sim::{Decision, Placement, Scenario, Workload};
/// let model = Scenario::load("paper")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let local = model.evaluate(&workload, &Decision::uniform(3, 3, Placement::Local));
/// assert!((local.time_s - 1800.0).abs() < 1e-9); // 180 MB * 1000 instructions/B at 100 MHz
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CostModel {
    tasks: usize,
    places: Arc<[String]>,
    physics: Arc<Physics>,
    environment: Environment,
    /// `[device][place]`, place 0 being the device itself; those of the environment.
    rates: Vec<Rate>,
    /// `[device][place]`: whether the place can be reached at all; empty if all can.
    reachable: Vec<bool>,
    /// `None`: nothing is shared.
    contention: Option<Contention>,
}

impl CostModel {
    /// A model of `tasks` tasks a device.
    pub(crate) fn new(tasks: usize, places: Vec<String>, physics: Physics, environment: Environment) -> Self {
        let contention = physics.is_coupled().then(Contention::default);
        let mut model = Self {
            tasks,
            places: places.into(),
            physics: Arc::new(physics),
            environment,
            rates: Vec::new(),
            reachable: Vec::new(),
            contention,
        };
        model.update();
        model
    }

    /// The environment that prices are those of.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Takes over another environment: all prices from now on are its. Allocates nothing.
    ///
    /// # Errors
    /// If the environment is for another fleet, or holds a value that makes no sense; then nothing changes.
    pub fn enter(&mut self, environment: &Environment) -> Result<(), EnvironmentError> {
        environment.check(self.devices(), self.places() - 1)?;
        self.environment.clone_from(environment);
        self.update();
        Ok(())
    }

    /// The same model in another environment.
    ///
    /// # Errors
    /// As [`CostModel::enter`].
    pub fn entered(&self, environment: &Environment) -> Result<Self, EnvironmentError> {
        let mut model = self.clone();
        model.enter(environment)?;
        Ok(model)
    }

    fn update(&mut self) {
        self.physics.rates(&self.environment, &mut self.rates, &mut self.reachable);
        if let Some(contention) = &mut self.contention {
            self.physics.contention(&self.environment, contention);
        }
    }

    /// Whether a device can use a place. One that it cannot reach is priced as a million times as slow and as costly as
    /// the device itself.
    ///
    /// # Panics
    /// If there is no such device or place.
    pub fn is_reachable(&self, device: usize, place: u8) -> bool {
        let index = device * self.places.len() + usize::from(place);
        assert!(usize::from(place) < self.places.len() && index < self.rates.len(), "device {device}, place {place}");
        self.reachable.is_empty() || self.reachable[index]
    }

    /// Whether every device can use every place.
    pub fn is_all_reachable(&self) -> bool {
        self.reachable.is_empty()
    }

    /// N.
    pub fn devices(&self) -> usize {
        self.physics.local.len()
    }

    /// M.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// Tasks of a whole workload, N × M.
    pub fn task_count(&self) -> usize {
        self.devices() * self.tasks
    }

    /// Number of places a task can run at: its device and every server.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// Names of the places, `local` first, then the servers in the scenario's order.
    pub fn place_names(&self) -> &[String] {
        &self.places
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        self.environment.alpha
    }

    /// Rates of one device, by place: of a place that is shared, as they are while nobody else uses it.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn rates(&self, device: usize) -> &[Rate] {
        &self.rates[device * self.places.len()..][..self.places.len()]
    }

    /// Whether the cost is a sum over devices, so that each device can be decided by itself.
    ///
    /// Where a server or a link is shared it is not: device n, with b_np > 0 bytes at place p, is done there after
    ///
    /// T_np = max(s_np b_np, l_p L_p, u L) + c_np b_np + C_p L_p,
    ///
    /// with L_p the bytes of all devices at p and L those at all servers; s sends a byte from the device, l through the
    /// server's shared link, u through the shared uplink; c computes a byte at a place of the device's own, C at a shared
    /// one. Of l, u and C those are 0 that stand for nothing shared, and of c and C one.
    pub fn is_separable(&self) -> bool {
        self.contention.is_none()
    }

    /// What a byte takes, by what it waits for.
    ///
    /// # Panics
    /// If there is no such device or place.
    pub fn time_terms(&self, device: usize, place: usize) -> TimeTerms {
        let Some(contention) = &self.contention else {
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
        self.contention.as_ref()
    }

    /// The server at a place, counted from 1.
    pub(crate) fn server(&self, place: usize) -> &ServerPhysics {
        &self.physics.servers[place - 1]
    }

    /// Time to compute a byte at a server, whatever the links to it.
    pub(crate) fn compute_s_per_byte(&self, place: usize) -> f64 {
        let capacity = self.environment.capacities[place - 1];
        self.server(place).compute_s_per_byte(self.physics.instructions_per_byte, capacity)
    }

    /// Whether a workload has this model's N and M.
    pub fn fits(&self, workload: &Workload) -> bool {
        (workload.devices(), workload.tasks()) == (self.devices(), self.tasks)
    }

    /// Energy, time and cost of a decision, S(W, X).
    ///
    /// # Panics
    /// If workload, decision and model are of different shapes, or the decision names a place that is not there.
    pub fn evaluate(&self, workload: &Workload, decision: &Decision) -> Outcome {
        assert!(self.fits(workload) && decision.places().len() == self.task_count(), "shapes differ");
        let (energy_j, time_s) = self.outcome(workload.sizes_bytes(), decision.places());
        Outcome { energy_j, time_s, cost: self.weigh(energy_j, time_s) }
    }

    /// When each device is done at each place, in seconds, `[N][places]`; 0 where it has nothing.
    ///
    /// # Panics
    /// As [`CostModel::evaluate`].
    pub fn place_times(&self, workload: &Workload, decision: &Decision) -> Vec<f64> {
        assert!(self.fits(workload) && decision.places().len() == self.task_count(), "shapes differ");
        let (sizes, places) = (workload.sizes_bytes(), decision.places());
        let loads = self.contention.as_ref().map(|_| self.loads(sizes, places));
        let mut times_s = vec![0.0; self.devices() * self.places()];
        let rows = sizes.chunks_exact(self.tasks).zip(places.chunks_exact(self.tasks));
        for (device, ((sizes, places), times_s)) in rows.zip(times_s.chunks_exact_mut(self.places())).enumerate() {
            match &loads {
                None => {
                    device_outcome(self.rates(device), sizes, places, times_s);
                }
                Some(loads) => {
                    self.coupled_outcome(device, sizes, places, loads, times_s);
                }
            }
        }
        times_s
    }

    /// Energy and time of a whole decision.
    fn outcome(&self, sizes_bytes: &[f64], places: &[u8]) -> (f64, f64) {
        let (mut energy_j, mut time_s) = (0.0, 0.0);
        let mut times_s = [0.0; MAX_PLACES];
        let times_s = &mut times_s[..self.places()];
        let loads = self.contention.as_ref().map(|_| self.loads(sizes_bytes, places));
        let rows = sizes_bytes.chunks_exact(self.tasks).zip(places.chunks_exact(self.tasks));
        for (device, (sizes, places)) in rows.enumerate() {
            let (energy, time) = match &loads {
                None => device_outcome(self.rates(device), sizes, places, times_s),
                Some(loads) => self.coupled_outcome(device, sizes, places, loads, times_s),
            };
            energy_j += energy;
            time_s += time;
        }
        (energy_j, time_s)
    }

    /// L_p of every place.
    pub(crate) fn loads(&self, sizes_bytes: &[f64], places: &[u8]) -> [f64; MAX_PLACES] {
        let mut loads = [0.0; MAX_PLACES];
        for (&bytes, &place) in sizes_bytes.iter().zip(places) {
            assert!(usize::from(place) < self.places(), "place {place} of {}", self.places());
            loads[usize::from(place)] += bytes;
        }
        loads
    }

    /// Energy and response time of one device, given all loads; when it is done at each place goes into `times_s`.
    fn coupled_outcome(
        &self,
        device: usize,
        sizes_bytes: &[f64],
        places: &[u8],
        loads: &[f64; MAX_PLACES],
        times_s: &mut [f64],
    ) -> (f64, f64) {
        let contention = self.contention.as_ref().expect("asked only where something is shared");
        times_s.fill(0.0);
        for (&bytes, &place) in sizes_bytes.iter().zip(places) {
            times_s[usize::from(place)] += bytes;
        }
        contention.outcome(device, self.rates(device), loads, times_s)
    }

    /// Cost of one device's part of a decision: α E_n + (1 − α) max(T_n). Allocates nothing.
    ///
    /// # Panics
    /// If the cost is not [separable](CostModel::is_separable), there is no such device, or `places` names a place that is
    /// not there.
    pub fn device_cost(&self, device: usize, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        assert!(self.is_separable(), "what a device costs depends on the others");
        // The accumulators live on the stack; only as many are cleared as there are places.
        let (energy_j, time_s) = match self.places() {
            1..=4 => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 4]),
            5..=16 => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 16]),
            count => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 256][..count]),
        };
        self.weigh(energy_j, time_s)
    }

    /// Cost of a whole decision from place indices. Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Panics
    /// If `places` names a place that is not there.
    pub fn cost(&self, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        if self.contention.is_some() {
            let (energy_j, time_s) = self.outcome(sizes_bytes, places);
            return self.weigh(energy_j, time_s);
        }
        let rows = sizes_bytes.chunks_exact(self.tasks).zip(places.chunks_exact(self.tasks));
        rows.enumerate().map(|(device, (sizes, places))| self.device_cost(device, sizes, places)).sum()
    }

    /// Costs of one decision for each of many workloads, side by side: the same as [`CostModel::cost`] of each, at
    /// several times its speed. Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `decisions` are `[N * M, costs.len()]`: one row for each task, one column for each workload.
    ///
    /// # Panics
    /// If the shapes differ, or a decision names a place that is not there.
    pub fn batch_costs(&self, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
        let row = self.tasks * costs.len();
        assert_eq!((sizes_bytes.len(), decisions.len()), (self.devices() * row, self.devices() * row), "shapes differ");
        self.check_places(decisions);
        if let Some(contention) = &self.contention {
            let columns = Columns { sizes_bytes, places: decisions };
            columns.coupled_costs(self.tasks, &self.rates, contention, self.environment.alpha, costs);
            return;
        }
        costs.fill(0.0);
        for device in 0..self.devices() {
            let part = device * row..(device + 1) * row;
            let columns = Columns { sizes_bytes: &sizes_bytes[part.clone()], places: &decisions[part] };
            self.add_columns(device, columns, costs);
        }
    }

    /// Costs of one device's part of many decisions, side by side: the same as [`CostModel::device_cost`] of each.
    /// Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `decisions` are `[M, costs.len()]`: one row for each task, one column for each workload.
    ///
    /// # Panics
    /// If the cost is not [separable](CostModel::is_separable), there is no such device, the shapes differ, or a decision
    /// names a place that is not there.
    pub fn device_batch_costs(&self, device: usize, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
        assert!(self.is_separable(), "what a device costs depends on the others");
        let count = self.tasks * costs.len();
        assert_eq!((sizes_bytes.len(), decisions.len()), (count, count), "shapes differ");
        self.check_places(decisions);
        costs.fill(0.0);
        self.add_columns(device, Columns { sizes_bytes, places: decisions }, costs);
    }

    fn check_places(&self, decisions: &[u8]) {
        let highest = decisions.iter().copied().max().unwrap_or(0);
        assert!(usize::from(highest) < self.places(), "place {highest} of {}", self.places());
    }

    /// Adds one device's costs to those of the columns.
    fn add_columns(&self, device: usize, columns: Columns<'_>, costs: &mut [f64]) {
        let (rates, alpha) = (self.rates(device), self.environment.alpha);
        match rates.len() {
            ..=2 => columns.add_costs::<2>(rates, alpha, costs),
            3 => columns.add_costs::<3>(rates, alpha, costs),
            4 => columns.add_costs::<4>(rates, alpha, costs),
            5..=8 => columns.add_costs::<8>(rates, alpha, costs),
            _ => columns.add_costs_one_by_one(rates, alpha, 0, costs),
        }
    }

    /// α E + (1 − α) T, eq. (18).
    pub fn weigh(&self, energy_j: f64, time_s: f64) -> f64 {
        let alpha = self.environment.alpha;
        alpha * energy_j + (1.0 - alpha) * time_s
    }
}

/// Energy and response time of one device: the sums of eqs. (5), (6), (10), (11), (14), (15), the maximum of (16).
#[inline]
fn device_outcome(rates: &[Rate], sizes_bytes: &[f64], places: &[u8], times: &mut [f64]) -> (f64, f64) {
    outcome_of(rates, sizes_bytes.iter().copied().zip(places.iter().copied()), times)
}

/// Energy and response time of tasks given as size and place; `times` is scratch.
#[inline]
fn outcome_of(rates: &[Rate], tasks: impl Iterator<Item = (f64, u8)>, times: &mut [f64]) -> (f64, f64) {
    times.fill(0.0);
    let mut energy_j = 0.0;
    for (bytes, place) in tasks {
        let rate = &rates[usize::from(place)];
        energy_j += bytes * rate.energy_j_per_byte;
        times[usize::from(place)] += bytes * rate.time_s_per_byte;
    }
    (energy_j, times.iter().copied().fold(0.0, f64::max))
}
