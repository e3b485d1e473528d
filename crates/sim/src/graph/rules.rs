//! How applications run, and what counts.

use super::model::GraphModelError;

/// Whether tasks, and the transfers between them, run one after the other or at the same time where they can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timing {
    /// One thing at a time, so that times add up.
    Serial,
    /// The device's processor, each server and each uplink does one thing at a time, in the order of the tasks.
    #[default]
    Scheduled,
}

/// What is sent to a server that runs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// The whole task: the device sends it, and its result comes back to the device.
    #[default]
    Task,
    /// What edges carry between tasks at different places. From one server to another it passes through the device.
    Edge,
}

/// The order in which tasks are scheduled, for applications that do not say one themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderRule {
    /// Largest upward rank first: the time from the beginning of a task to the end of the application.
    #[default]
    UpwardRank,
    /// As tasks were given, except that each comes after those it waits for.
    Given,
}

/// Whether results that come back from a server wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Downlinks {
    /// They do not.
    #[default]
    Parallel,
    /// A downlink carries one at a time, in the order of the tasks.
    Queued,
}

/// What a unit of energy, of time and of money costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// The cost of a J.
    pub energy: f64,
    /// The cost of a second.
    pub time: f64,
    /// The cost of a unit of money.
    pub price: f64,
}

impl Weights {
    /// α E + (1 − α) T, eq. (18).
    pub fn from_alpha(alpha: f64) -> Self {
        Self { energy: alpha, time: 1.0 - alpha, price: 0.0 }
    }
}

/// The most energy, time and money that a decision may take; infinite where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Energy, in J.
    pub energy_j: f64,
    /// Time, in seconds: the deadline of the application.
    pub time_s: f64,
    /// Money.
    pub price: f64,
}

impl Default for Limits {
    /// No limit.
    fn default() -> Self {
        Self { energy_j: f64::INFINITY, time_s: f64::INFINITY, price: f64::INFINITY }
    }
}

/// How applications run and what counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// What runs at the same time.
    pub timing: Timing,
    /// What is sent.
    pub transfer: Transfer,
    /// The order in which tasks are scheduled.
    pub order: OrderRule,
    /// Whether results that come back wait for each other.
    pub downlinks: Downlinks,
    /// What energy, time and money cost.
    pub weights: Weights,
    /// The most of each that a decision may take.
    pub limits: Limits,
}

impl Default for Rules {
    /// Scheduled, whole tasks sent, upward rank, parallel downlinks; time alone counts, without limits.
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            transfer: Transfer::default(),
            order: OrderRule::default(),
            downlinks: Downlinks::default(),
            weights: Weights::from_alpha(0.0),
            limits: Limits::default(),
        }
    }
}

impl Rules {
    /// Checks weights and limits.
    pub(super) fn check(&self) -> Result<(), GraphModelError> {
        let Weights { energy, time, price } = self.weights;
        let weights = [("weight of energy", energy), ("weight of time", time), ("weight of money", price)];
        if let Some(&(what, found)) = weights.iter().find(|(_, value)| !(0.0..=1e30).contains(value)) {
            return Err(GraphModelError::Rule { what, found });
        }
        let Limits { energy_j, time_s, price } = self.limits;
        let limits = [("limit of energy", energy_j), ("deadline", time_s), ("limit of money", price)];
        match limits.iter().find(|(_, value)| !(0.0..=f64::INFINITY).contains(value)) {
            Some(&(what, found)) => Err(GraphModelError::Rule { what, found }),
            None => Ok(()),
        }
    }
}
