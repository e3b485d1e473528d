//! Schemes for slots: everything that decides when data is sent.

mod delayed;
mod forecast;
mod kind;
mod offloading;
mod planned;
mod rules;
mod value_iteration;

pub use delayed::Delayed;
pub use forecast::Forecast;
pub use kind::{Parameter, SlotSchemeKind, Tuned};
pub use offloading::{Offloading, WifiStay};
pub use planned::Hindsight;
pub use rules::{Rule, RuleScheme};
pub use value_iteration::{ValueIteration, ValueIterationModel};

use super::error::SlotSchemeError;
use super::path::SlotPath;
use super::queue::Queue;

/// What a link does in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// The application whose oldest bytes are sent.
    pub application: usize,
    /// The most bytes that are sent, beside what the rate and the queue allow.
    pub most_bytes: f64,
}

impl Order {
    /// Nothing is sent.
    pub const WAIT: Self = Self { application: usize::MAX, most_bytes: 0.0 };

    /// As much as possible of an application is sent.
    pub fn send(application: usize) -> Self {
        Self { application, most_bytes: f64::INFINITY }
    }
}

/// What a scheme sees in a slot.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'p> {
    /// The slot.
    pub slot: usize,
    /// Waiting bytes of each application.
    pub backlog_bytes: &'p [f64],
    /// Seconds since the arrival of the oldest waiting byte of each application; 0 if none waits.
    pub oldest_age_s: &'p [f64],
    /// The rate of each link in this slot, in bytes per second.
    pub bytes_per_s: &'p [f64],
    /// The mean rate of each link over the last 30 s or so, this slot included, in bytes per second.
    pub recent_bytes_per_s: &'p [f64],
    /// Seconds from the end of the slot in which each link last sent to the beginning of this slot; infinite if it has
    /// not sent.
    pub idle_s: &'p [f64],
    pub(super) queues: &'p [Queue],
    pub(super) slot_s: f64,
}

impl Observation<'_> {
    /// Waiting bytes of all applications.
    pub fn backlog(&self) -> f64 {
        self.backlog_bytes.iter().sum()
    }

    /// Waiting bytes of an application that arrived at least `age_s` seconds ago.
    pub fn bytes_older_than(&self, application: usize, age_s: f64) -> f64 {
        let slots = (age_s / self.slot_s - 1e-9).ceil().max(0.0) as usize;
        self.slot.checked_sub(slots).map_or(0.0, |slot| self.queues[application].bytes_until(slot))
    }
}

/// Anything that decides in each slot what every link sends.
pub trait SlotScheme: Send {
    /// The name in tables, results and on the command line.
    fn name(&self) -> &str;

    /// Begins a path. Schemes that decide without knowing the future only read its problem, loads, mean rates and
    /// prices.
    ///
    /// # Errors
    /// If the scheme cannot decide such a path.
    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError>;

    /// Decides a slot in which data waits. `orders` has one entry for each link, all [`Order::WAIT`] before.
    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]);

    /// Whether the scheme knows the end of the path, so that it is not made to send before it.
    fn plans_the_end(&self) -> bool {
        false
    }
}
