//! Closed forms of queues in front of one server: first come, first served, and Poisson arrivals everywhere.
//!
//! | function | queue | exact for |
//! |---|---|---|
//! | [`exponential_queue`] | M/M/1 | exponential service times |
//! | [`late_share`], [`late_start_share`] | M/M/1 | exponential service times |
//! | [`general_queue`], [`wait_mean_square_s2`] | M/G/1 | independent service times of any distribution |
//! | [`on_off_queue`] | M/G/1 at a server that is on and off | exponential times on and off, independent of the queue |
//! | [`impatient_queue`] | M/M/1 where each customer leaves if it still waits at its deadline | exponential service times, one deadline for all |
//!
//! Times are in seconds, rates in events per second. A queue that grows without end has no means: it is
//! [`QueueError::Unstable`], never a number. Sources: Kleinrock, *Queueing Systems* I (1975), sections 3.2 and 5.6 to 5.8, for
//! M/M/1 and M/G/1; Welch, "On a generalized M/G/1 queuing process in which the first customer of each busy period receives
//! exceptional service", Operations Research 12 (1964), and Avi-Itzhak and Naor, Operations Research 11 (1963), for the server
//! that is on and off; Barrer, "Queuing with impatient customers and ordered service", Operations Research 5 (1957), for
//! impatient customers.

mod impatience;
mod on_off;
mod queues;
#[cfg(test)]
pub(crate) mod simulation;

pub use impatience::{ImpatientMeans, impatient_queue};
pub use on_off::{OnOff, on_off_queue};
pub use queues::{
    QueueMeans, ServiceTime, exponential_queue, general_queue, late_share, late_start_share, mean_number, mean_time_s,
    wait_mean_square_s2,
};

/// Why a queue has no means.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum QueueError {
    /// A parameter is not a number above 0.
    #[error("the {name} must be a number above 0, is {value}")]
    NotPositive {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A parameter is not a number from 0.
    #[error("the {name} must be a number not below 0, is {value}")]
    Negative {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// No distribution has such moments.
    #[error("the mean square of the service time, {mean_square_s2} s², is below the square of its mean, {mean_s} s")]
    Moments {
        /// The mean.
        mean_s: f64,
        /// The mean of the squares.
        mean_square_s2: f64,
    },
    /// Work arrives at least as fast as it can be done.
    #[error("the queue grows without end: the server would have to be busy {utilisation} of the time")]
    Unstable {
        /// The share of time that the server would have to be busy, at least 1.
        utilisation: f64,
    },
}

fn positive(name: &'static str, value: f64) -> Result<f64, QueueError> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(QueueError::NotPositive { name, value }) }
}

fn not_negative(name: &'static str, value: f64) -> Result<f64, QueueError> {
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(QueueError::Negative { name, value }) }
}

/// `utilisation`, if it is below 1.
fn stable(utilisation: f64) -> Result<f64, QueueError> {
    if utilisation < 1.0 { Ok(utilisation) } else { Err(QueueError::Unstable { utilisation }) }
}
