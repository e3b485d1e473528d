//! Why live queues refuse what they are told.

/// Why a task, a completion or a change of live queues is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LiveError {
    /// The time is before what has happened already.
    #[error("time must not run backwards: it is {now_s} s already, and {time_s} s is before that")]
    TimeRunsBack {
        /// The time that was given, in seconds.
        time_s: f64,
        /// The time up to which everything has happened, in seconds.
        now_s: f64,
    },
    /// There is no such device.
    #[error("there is no device {device}; devices are 0 to {last}")]
    Device {
        /// The device.
        device: u32,
        /// The last device.
        last: usize,
    },
    /// A number makes no sense.
    #[error("{what} must be {wanted}, is {value}")]
    Value {
        /// Whose value.
        what: &'static str,
        /// What it may be.
        wanted: &'static str,
        /// What it is.
        value: f64,
    },
    /// There is no such queue.
    #[error("there is no queue {queue}")]
    Queue {
        /// The queue.
        queue: usize,
    },
    /// Another open task has this id.
    #[error("a task with the id {id} is open already; ids can be used again when it is completed")]
    Duplicate {
        /// The id, as JSON.
        id: String,
    },
    /// No open task has this id.
    #[error("no open task has the id {id}: it was never given, or the task was completed or forgotten")]
    Unknown {
        /// The id, as JSON.
        id: String,
    },
    /// A task was done before it came.
    #[error("the task {id} came at {arrived_s} s, and cannot have been done at {done_s} s")]
    DoneBefore {
        /// The id, as JSON.
        id: String,
        /// When it arrived, in seconds.
        arrived_s: f64,
        /// When it is said to have been done, in seconds.
        done_s: f64,
    },
}

/// Why a kept site cannot be continued.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContinueError {
    /// It is of another site.
    #[error(
        "it is of another site: {kept} instead of {wanted}; the scenario, its seed or the devices served were others"
    )]
    OtherSite {
        /// The kept fingerprint.
        kept: String,
        /// The fingerprint of the site in service.
        wanted: String,
    },
    /// Its parts do not fit together.
    #[error("its parts do not fit together ({what})")]
    Inconsistent {
        /// The part.
        what: &'static str,
    },
}
