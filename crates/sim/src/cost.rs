//! The cost of a decision: eqs. (1) to (19) in SI units.
//!
//! Every time and energy of the paper is proportional to the size of its task, so that two rates for each device and
//! place hold all of the scenario's physics. With dedicated servers and links the cost is a sum over devices.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use crate::decision::Decision;
use crate::environment::Environment;
use crate::error::EnvironmentError;
use crate::units::bytes_per_second_from_mbps;
use crate::workload::Workload;

/// What a place that cannot be reached costs, in time and energy, as a multiple of the device itself: finite, so that
/// sums and differences stay numbers, and more than any decision for it could be worth.
const UNREACHABLE: f64 = 1e6;

/// A link slower than this, in Mbit/s, is none: a byte would take a quarter of an hour.
pub(crate) const SLOWEST_MBPS: f64 = 1e-8;

/// What one byte costs at one place, for one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Energy to send and to compute it: eqs. (4), (9), (13).
    pub energy_j_per_byte: f64,
    /// Time to send and to compute it: eqs. (3), (8), (12).
    pub time_s_per_byte: f64,
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
}

/// What of a scenario's rates no environment changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Physics {
    /// σ.
    pub(crate) instructions_per_byte: f64,
    /// Of each device itself.
    pub(crate) local: Vec<Rate>,
    /// To send a byte from each device.
    pub(crate) transmit_j_per_byte: Vec<f64>,
    pub(crate) servers: Vec<ServerPhysics>,
}

/// One server as devices see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerPhysics {
    pub(crate) compute_j_per_byte: f64,
    pub(crate) frequency_hz: f64,
    /// From each device.
    pub(crate) links: Vec<Link>,
}

/// How a device reaches a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// Through its uplink alone.
    Uplink,
    /// Through its uplink and a link behind it, in Mbit/s: the slower of both counts.
    Behind(f64),
    /// Past its uplink, in Mbit/s.
    Beside(f64),
}

impl Link {
    pub(crate) fn mbps(self, uplink_mbps: f64) -> f64 {
        match self {
            Self::Uplink => uplink_mbps,
            Self::Behind(mbps) => mbps.min(uplink_mbps),
            Self::Beside(mbps) => mbps,
        }
    }
}

impl Physics {
    /// Writes the rates of an environment and which places can be reached in it, both `[device][place]`.
    fn rates(&self, environment: &Environment, rates: &mut Vec<Rate>, reachable: &mut Vec<bool>) {
        rates.clear();
        reachable.clear();
        for (device, local) in self.local.iter().enumerate() {
            rates.push(*local);
            reachable.push(true);
            for (server, capacity) in self.servers.iter().zip(&environment.capacities) {
                let mbps = server.links[device].mbps(environment.uplinks_mbps[device]);
                // Eqs. (9) and (13).
                let energy_j_per_byte = server.compute_j_per_byte + self.transmit_j_per_byte[device];
                reachable.push(mbps >= SLOWEST_MBPS);
                rates.push(if mbps >= SLOWEST_MBPS {
                    // Eqs. (7), (8) and (12).
                    let time_s_per_byte = self.instructions_per_byte / (server.frequency_hz * capacity)
                        + 1.0 / bytes_per_second_from_mbps(mbps);
                    Rate { energy_j_per_byte, time_s_per_byte }
                } else {
                    Rate {
                        energy_j_per_byte: UNREACHABLE * local.energy_j_per_byte.max(energy_j_per_byte),
                        time_s_per_byte: UNREACHABLE * local.time_s_per_byte,
                    }
                });
            }
        }
        if reachable.iter().all(|&reachable| reachable) {
            reachable.clear();
        }
    }
}

impl CostModel {
    /// A model of `tasks` tasks a device.
    pub(crate) fn new(tasks: usize, places: Vec<String>, physics: Physics, environment: Environment) -> Self {
        let mut model = Self {
            tasks,
            places: places.into(),
            physics: Arc::new(physics),
            environment,
            rates: Vec::new(),
            reachable: Vec::new(),
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

    /// Rates of one device, by place.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn rates(&self, device: usize) -> &[Rate] {
        &self.rates[device * self.places.len()..][..self.places.len()]
    }

    /// Whether the cost is a sum over devices, so that each device can be decided by itself.
    pub fn is_separable(&self) -> bool {
        // Servers shared between devices will couple them; a scenario cannot have one yet.
        true
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
        let mut outcome = Outcome::default();
        let mut times = vec![0.0; self.places()];
        for device in 0..self.devices() {
            let row = device * self.tasks..(device + 1) * self.tasks;
            let sizes = &workload.sizes_bytes()[row.clone()];
            let (energy_j, time_s) = device_outcome(self.rates(device), sizes, &decision.places()[row], &mut times);
            outcome.energy_j += energy_j;
            outcome.time_s += time_s;
        }
        outcome.cost = self.weigh(outcome.energy_j, outcome.time_s);
        outcome
    }

    /// Cost of one device's part of a decision: α E_n + (1 − α) max(T_n). Allocates nothing.
    ///
    /// # Panics
    /// If there is no such device, or `places` names a place that is not there.
    pub fn device_cost(&self, device: usize, sizes_bytes: &[f64], places: &[u8]) -> f64 {
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
    /// If there is no such device, the shapes differ, or a decision names a place that is not there.
    pub fn device_batch_costs(&self, device: usize, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
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

/// One device's part of many workloads and decisions, `[M, count]`.
#[derive(Clone, Copy)]
struct Columns<'a> {
    sizes_bytes: &'a [f64],
    places: &'a [u8],
}

impl Columns<'_> {
    /// With AVX2 where the processor has it; there are at most `PLACES` rates.
    fn add_costs<const PLACES: usize>(self, rates: &[Rate], alpha: f64, costs: &mut [f64]) {
        let mut padded = [Rate { energy_j_per_byte: 0.0, time_s_per_byte: 0.0 }; PLACES];
        padded[..rates.len()].copy_from_slice(rates);
        let whole = pulp::Arch::new().dispatch(AddCosts { columns: self, rates: padded, alpha, costs });
        self.add_costs_one_by_one(rates, alpha, whole, costs);
    }

    /// The columns from `first` on.
    fn add_costs_one_by_one(self, rates: &[Rate], alpha: f64, first: usize, costs: &mut [f64]) {
        let count = costs.len();
        if first == count {
            return;
        }
        let mut times_s = [0.0; 256];
        for (column, cost) in costs.iter_mut().enumerate().skip(first) {
            let tasks = self.sizes_bytes[column..].iter().zip(&self.places[column..]).step_by(count);
            let tasks = tasks.map(|(&bytes, &place)| (bytes, place));
            let (energy_j, time_s) = outcome_of(rates, tasks, &mut times_s[..rates.len()]);
            *cost += alpha * energy_j + (1.0 - alpha) * time_s;
        }
    }
}

/// Most `f64` in a vector of any processor, AVX-512's included.
const WIDEST: usize = 8;

/// Adds the costs of as many columns as make whole vectors, and returns how many these are. Each column gets what
/// [`device_outcome`] would give it, sum by sum; adding nothing where a task is not is what lets all do the same.
struct AddCosts<'a, const PLACES: usize> {
    columns: Columns<'a>,
    rates: [Rate; PLACES],
    alpha: f64,
    costs: &'a mut [f64],
}

impl<const PLACES: usize> WithSimd for AddCosts<'_, PLACES> {
    type Output = usize;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Columns { sizes_bytes, places } = self.columns;
        let (count, lanes, zero) = (self.costs.len(), S::F64_LANES, simd.splat_f64s(0.0));
        let energy_rates = self.rates.map(|rate| simd.splat_f64s(rate.energy_j_per_byte));
        let time_rates = self.rates.map(|rate| simd.splat_f64s(rate.time_s_per_byte));
        let numbers: [S::u64s; PLACES] = std::array::from_fn(|place| simd.splat_u64s(place as u64));
        let (energy_weight, time_weight) = (simd.splat_f64s(self.alpha), simd.splat_f64s(1.0 - self.alpha));
        let (vectors, _) = S::as_mut_simd_f64s(self.costs);
        for (index, cost) in vectors.iter_mut().enumerate() {
            let mut energy_j = zero;
            let mut times_s = [zero; PLACES];
            for (sizes, places) in sizes_bytes.chunks_exact(count).zip(places.chunks_exact(count)) {
                let bytes = S::as_simd_f64s(sizes).0[index];
                let mut widened = [0_u64; WIDEST];
                for (wide, &place) in widened.iter_mut().zip(&places[index * lanes..(index + 1) * lanes]) {
                    *wide = u64::from(place);
                }
                let chosen = S::as_simd_u64s(&widened).0[0];
                for place in 0..PLACES {
                    let here = simd.select_f64s(simd.equal_u64s(chosen, numbers[place]), bytes, zero);
                    energy_j = simd.add_f64s(energy_j, simd.mul_f64s(here, energy_rates[place]));
                    times_s[place] = simd.add_f64s(times_s[place], simd.mul_f64s(here, time_rates[place]));
                }
            }
            let time_s = times_s.into_iter().fold(zero, |longest, time| simd.max_f64s(longest, time));
            let weighed = simd.add_f64s(simd.mul_f64s(energy_weight, energy_j), simd.mul_f64s(time_weight, time_s));
            *cost = simd.add_f64s(*cost, weighed);
        }
        vectors.len() * lanes
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
