//! What can go wrong in `sim`.

use std::path::PathBuf;

use crate::config::Mistakes;
use crate::trace::{Reason, TraceError};

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither a preset nor a file.
    #[error("there is no scenario called `{name}`; the shipped ones are {presets}, anything else must be a TOML file")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        presets: String,
    },
    /// The file is there but cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It can be read but makes no sense.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
}

/// Why task sizes cannot be drawn from a file.
#[derive(Debug, thiserror::Error)]
pub enum SizesError {
    /// The file cannot be read.
    #[error("cannot read the task sizes {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not a size.
    #[error("{}, line {line}: must be one size in MB, above 0 and at most 1e12, is `{text}` ({reason})", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The file is no list of sizes and no workflow.
    #[error(transparent)]
    NoSizes(TraceError),
    /// There are too few sizes to keep some for evaluation.
    #[error("{}: {count} sizes cannot be split into a share of {held_out} for evaluation and others for training: there are too few, or too few different ones", path.display())]
    TooFew {
        /// The file.
        path: PathBuf,
        /// Sizes in it.
        count: usize,
        /// Share that was to be held out.
        held_out: f64,
    },
}

/// Why the recorded data that a scenario names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Task sizes.
    #[error(transparent)]
    Sizes(#[from] SizesError),
    /// Recordings of networks.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The recordings are too short to keep some for evaluation.
    #[error("{} has too few windows of {window_s} s in which all its devices have data, or none to hold out", path.display())]
    TooFewWindows {
        /// The recordings.
        path: PathBuf,
        /// Length of a window.
        window_s: f64,
    },
}

/// Why an environment makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnvironmentError {
    /// It is for another fleet.
    #[error("there must be {wanted} {what}, there are {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many the scenario has.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is out of its range.
    #[error("{what} must {wanted}, is {found}")]
    Value {
        /// What it is.
        what: &'static str,
        /// Its range.
        wanted: &'static str,
        /// What it is.
        found: f64,
    },
}

/// Why a scheme gives no decision.
#[derive(Debug, thiserror::Error)]
pub enum SchemeError {
    /// No scheme has this name.
    #[error(
        "there is no scheme called `{name}` for this scenario; there are {known}; @N behind local-search, annealing or \
         genetic limits them to N prices a task"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The search would not end in reasonable time.
    #[error(
        "the exact optimum of {tasks} tasks on {places} places takes more than {nodes} search nodes for one device"
    )]
    TooLarge {
        /// Tasks of the device.
        tasks: usize,
        /// Places for each.
        places: usize,
        /// Nodes after which the search gave up.
        nodes: u64,
    },
    /// Devices share servers or links, and the search over these ended before it proved a decision to be the best.
    #[error(
        "the exact optimum of {tasks} tasks on {places} places, some of them shared, takes too long: between the best \
         decision found and what none can undercut lies {:.3} % of the cost", gap * 100.0
    )]
    NotProved {
        /// Tasks of all devices.
        tasks: usize,
        /// Places for each.
        places: usize,
        /// 1 − lower bound / cost of the best decision found.
        gap: f64,
    },
    /// The workload or the cost model is not of the shape that the scheme was made for.
    #[error("the scheme decides workloads of {expected}, this one is {found}")]
    Shape {
        /// What the scheme takes.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// The scheme computes on a device that failed.
    #[error("the decision could not be computed: {0}")]
    Backend(String),
}

/// Why bandwidth cannot be shared out.
#[derive(Debug, thiserror::Error)]
pub enum AllocationError {
    /// The total is no bandwidth.
    #[error("the total bandwidth must lie between 1e-8 and 1e12 Mbit/s, is {found}")]
    Total {
        /// What it is, in Mbit/s.
        found: f64,
    },
    /// The total cannot be split into as many links as are needed.
    #[error("{total_mbps} Mbit/s are too few for {senders} devices that send: each needs at least 1e-8 Mbit/s")]
    TooLittle {
        /// What there is.
        total_mbps: f64,
        /// Devices that send something through their uplinks.
        senders: usize,
    },
    /// Workload or decision are for another fleet.
    #[error("the {what} must be of {} × {} tasks, is of {} × {}", wanted.0, wanted.1, found.0, found.1)]
    Shape {
        /// Which of them.
        what: &'static str,
        /// N and M of the cost model.
        wanted: (usize, usize),
        /// Its own.
        found: (usize, usize),
    },
    /// The decision names a place that is not there.
    #[error("the decision names place {place}, there are {places}")]
    Place {
        /// What it names.
        place: u8,
        /// How many there are, the device itself included.
        places: usize,
    },
    /// The scheme gives no decision.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}
