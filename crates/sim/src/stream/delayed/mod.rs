//! Delayed offloading: files wait for WiFi, which is on and off, up to a deadline, and then go over the cellular link.
//!
//! In the manner of Wu et al. (IEEE Transactions on Mobile Computing, 2018), who weigh energy against response time by their
//! product. The model here:
//!
//! - Files arrive as a Poisson process. WiFi is on and off for exponentially distributed times and sends, while it is on, one
//!   file after the other. The cellular link always sends, one file after the other.
//! - A file has been uploaded when its last byte is sent; its response time runs from its arrival until then.
//! - Sending costs the power of the link for as long as bytes flow; waiting costs nothing.
//! - [`DelayedPolicy::Deadline`]: every file queues for WiFi. If it is not sent completely within the deadline, what remains
//!   of it joins the queue of the cellular link. [`DelayedPolicy::Split`]: each file is sent over WiFi, however long that
//!   takes, with some probability, else over the cellular link.
//!
//! Deviations, numbered, since the body of that article was not at hand: (1) what was sent over WiFi before the deadline
//! counts; (2) both links have one rate each when they are on; (3) energy is that of the device's radio alone, without tails
//! of radio power; (4) the product is mean energy times mean response time, both with the exponent 1.
//!
//! | | by formula | simulated |
//! |---|---|---|
//! | split, any sizes | exact: two M/G/1 queues, one at a server that is on and off | exact |
//! | deadline 0 or infinite, any sizes | exact: all files on one link | exact |
//! | deadline between, exponential sizes | exact up to numerical integration (about 6 digits) | exact |
//! | deadline between, other sizes | none | exact |
//!
//! With exponential sizes a deadline is solved without approximation: the age of the first file that waits for WiFi is a
//! Markov process on an interval, and what it leaves behind reaches the cellular link as a Markov renewal process with two
//! states. Files come there in bursts: to take them for a Poisson process would underestimate the mean response, in the
//! settings of the tests of this module by 5 to 14 %.

mod best;
mod cellular;
mod deadline;
mod formula;
mod simulation;
#[cfg(test)]
mod tests;

pub use best::{DelayedComparison, SimulatedPolicy, best_by_formula, compare};
pub use formula::means;
pub use simulation::{simulate, simulate_seeds};

use super::Sizes;
use super::formulas::{OnOff, QueueError};

/// Files, a WiFi link that is on and off, and a cellular link.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayedModel {
    /// The rate at which files arrive, per second.
    pub files_per_s: f64,
    /// Sizes of files, in bytes.
    pub sizes: Sizes,
    /// How long WiFi is on and off.
    pub wifi: OnOff,
    /// What WiFi is while it is on.
    pub wifi_link: DelayedLink,
    /// The cellular link.
    pub cellular_link: DelayedLink,
}

/// A link of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DelayedLink {
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// The power while sending, in watts.
    pub power_w: f64,
}

/// How files are given to links.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DelayedPolicy {
    /// Over WiFi until the deadline, then over the cellular link.
    Deadline {
        /// Seconds from arrival on; infinite: WiFi only.
        deadline_s: f64,
    },
    /// Each file by chance.
    Split {
        /// The probability of WiFi.
        wifi_share: f64,
    },
}

/// Means over files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DelayedMeans {
    /// Energy of a file, in joules.
    pub energy_j: f64,
    /// Time from arrival to the last byte, in seconds.
    pub response_s: f64,
    /// The share of files of which at least a part went over the cellular link.
    pub cellular_share: f64,
}

impl DelayedMeans {
    /// Mean energy times mean response time, in joule seconds.
    pub fn product_j_s(&self) -> f64 {
        self.energy_j * self.response_s
    }
}

/// Why delayed offloading has no means.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DelayedError {
    /// A parameter of the model is not a number above 0.
    #[error("the {name} must be a number above 0, is {value}")]
    NotPositive {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A deadline is not a number from 0.
    #[error("the deadline must be a number of seconds not below 0, is {0}")]
    Deadline(f64),
    /// A share is not a probability.
    #[error("the share of WiFi must lie between 0 and 1, is {0}")]
    Share(f64),
    /// The formula of a deadline needs exponential sizes.
    #[error(
        "deadlines other than 0 and infinity have a formula only for exponentially distributed sizes: simulate instead"
    )]
    SizesNotExponential,
    /// Numbers grew out of range.
    #[error("with a deadline of {deadline_s} s, the integration leaves the range of numbers: choose a shorter one")]
    OutOfRange {
        /// The deadline.
        deadline_s: f64,
    },
    /// A queue has no means.
    #[error("the queue for {link}: {error}")]
    Queue {
        /// The link.
        link: &'static str,
        /// What is wrong with its queue.
        error: QueueError,
    },
    /// Not enough to choose from, or to take means over.
    #[error("at least one {0} is needed")]
    Nothing(&'static str),
    /// Of no policy the queues stay finite.
    #[error("under every one of the policies, a queue grows without end")]
    NoStablePolicy,
}

impl DelayedModel {
    fn check(&self, policy: &DelayedPolicy) -> Result<(), DelayedError> {
        let positive = [
            ("rate of files", self.files_per_s),
            ("mean size of files", self.sizes.mean()),
            ("mean time of WiFi on", self.wifi.mean_on_s),
            ("rate of WiFi", self.wifi_link.bytes_per_s),
            ("power of WiFi", self.wifi_link.power_w),
            ("rate of the cellular link", self.cellular_link.bytes_per_s),
            ("power of the cellular link", self.cellular_link.power_w),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            return Err(DelayedError::NotPositive { name, value });
        }
        if !(self.wifi.mean_off_s > 0.0 && self.wifi.mean_off_s.is_finite()) {
            return Err(DelayedError::NotPositive { name: "mean time of WiFi off", value: self.wifi.mean_off_s });
        }
        match *policy {
            DelayedPolicy::Deadline { deadline_s } if deadline_s.is_nan() || deadline_s < 0.0 => {
                Err(DelayedError::Deadline(deadline_s))
            }
            DelayedPolicy::Split { wifi_share } if !(0.0..=1.0).contains(&wifi_share) => {
                Err(DelayedError::Share(wifi_share))
            }
            _ => Ok(()),
        }
    }
}
