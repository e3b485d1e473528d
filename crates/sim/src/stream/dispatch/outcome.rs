//! What comes of a run.

use super::simulator::Run;

/// Parts of a run of equal numbers of tasks, from which the spread of its means can be estimated.
pub const BATCHES: usize = 20;

/// A task that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoneTask {
    /// Its number among the arrivals.
    pub index: usize,
    /// When it arrived, in seconds.
    pub arrived_s: f64,
    /// Its device.
    pub device: u32,
    /// Its size.
    pub bytes: f64,
    /// The place where it ran.
    pub place: u8,
    /// When it had been sent over its link, in seconds; the time of its arrival where it is not sent.
    pub sent_s: f64,
    /// When it was done, in seconds.
    pub done_s: f64,
    /// The energy that it took, without that of a radio that stayed on.
    pub energy_j: f64,
    /// Whether it was done after its deadline.
    pub is_late: bool,
    /// α times its energy plus 1 − α times its response time, and what being late costs.
    pub cost: f64,
}

/// What came of a run: means over the tasks after the warm-up.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchOutcome {
    /// The number of tasks that count.
    pub tasks: usize,
    /// Mean cost of a task.
    pub mean_cost: f64,
    /// Mean energy of a task, in J, that of radios that stayed on included.
    pub mean_energy_j: f64,
    /// Mean time from the arrival of a task until it is done, in seconds.
    pub mean_response_s: f64,
    /// The share of tasks that were done after their deadline.
    pub late_share: f64,
    /// The share of tasks that ran at each place.
    pub place_shares: Vec<f64>,
    /// The mean cost in [`BATCHES`] parts of the run, one after the other.
    pub batch_costs: Vec<f64>,
    /// The share of the time up to the last arrival that each queue was busy, the warm-up included.
    pub utilisations: Vec<f64>,
    /// Decisions that priced places: one for each task, or what a scheme reports.
    pub evaluations: u64,
}

impl DispatchOutcome {
    pub(super) fn of(run: &Run, evaluations: u64) -> Self {
        let tasks = run.counted();
        let count = tasks as f64;
        Self {
            tasks,
            mean_cost: run.cost / count,
            mean_energy_j: run.energy_j / count,
            mean_response_s: run.response_s / count,
            late_share: run.late as f64 / count,
            place_shares: run.at_place.iter().map(|at| *at as f64 / count).collect(),
            batch_costs: run.batches.iter().map(|(sum, tasks)| sum / f64::from((*tasks).max(1))).collect(),
            utilisations: run.busy_s.iter().map(|busy| busy / run.last_arrival_s).collect(),
            evaluations,
        }
    }
}
