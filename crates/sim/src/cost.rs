//! The cost of a decision: eqs. (1) to (19) in SI units.
//!
//! Every time and energy of the paper is proportional to the size of its task, so that two rates for each device and
//! place hold all of the scenario's physics. With dedicated servers and links the cost is a sum over devices.

use crate::decision::Decision;
use crate::workload::Workload;

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
    alpha: f64,
    places: Vec<String>,
    /// `[device][place]`, place 0 being the device itself.
    rates: Vec<Rate>,
}

impl CostModel {
    /// A model of `tasks` tasks a device from its rates, `[device][place]`.
    pub(crate) fn new(tasks: usize, alpha: f64, places: Vec<String>, rates: Vec<Rate>) -> Self {
        debug_assert!(rates.len().is_multiple_of(places.len()), "every device needs a rate for every place");
        Self { tasks, alpha, places, rates }
    }

    /// N.
    pub fn devices(&self) -> usize {
        self.rates.len() / self.places.len()
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
        self.alpha
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

    /// Costs of one decision for each of many workloads. Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `decisions` are `[costs.len(), N * M]`.
    ///
    /// # Panics
    /// If a decision names a place that is not there.
    pub fn batch_costs(&self, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
        let count = self.task_count();
        let rows = sizes_bytes.chunks_exact(count).zip(decisions.chunks_exact(count));
        for ((sizes, places), cost) in rows.zip(costs) {
            *cost = self.cost(sizes, places);
        }
    }

    /// α E + (1 − α) T, eq. (18).
    pub fn weigh(&self, energy_j: f64, time_s: f64) -> f64 {
        self.alpha * energy_j + (1.0 - self.alpha) * time_s
    }
}

/// Energy and response time of one device: the sums of eqs. (5), (6), (10), (11), (14), (15), the maximum of (16).
#[inline]
fn device_outcome(rates: &[Rate], sizes_bytes: &[f64], places: &[u8], times: &mut [f64]) -> (f64, f64) {
    times.fill(0.0);
    let mut energy_j = 0.0;
    for (&bytes, &place) in sizes_bytes.iter().zip(places) {
        let rate = &rates[usize::from(place)];
        energy_j += bytes * rate.energy_j_per_byte;
        times[usize::from(place)] += bytes * rate.time_s_per_byte;
    }
    (energy_j, times.iter().copied().fold(0.0, f64::max))
}
