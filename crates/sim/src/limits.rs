//! The largest and smallest values that are accepted, each with its reason.

use std::ops::RangeInclusive;

/// The most tasks, N × M, that one workload may have. It keeps `[tasks, batch]` buffers within a few hundred MB.
pub const MAX_TASKS: usize = 65_536;

/// The most edges that one task graph may have.
pub const MAX_GRAPH_EDGES: usize = 1_000_000;

/// The most instructions of one task of a graph, beyond any that there is.
pub const MAX_INSTRUCTIONS: f64 = 1e24;

/// The most tasks where devices share servers or links: there every task changes what the others cost, and searches take
/// time that grows with the square of the number of tasks.
pub const MAX_COUPLED_TASKS: usize = 4_096;

/// The most servers that a scenario may have. Place indices are bytes, and accumulators for all places live on the stack.
pub const MAX_SERVERS: usize = 64;

/// The most places at which a task can run: its device and every server.
pub(crate) const MAX_PLACES: usize = MAX_SERVERS + 1;

/// The largest task, in MB: an exabyte, beyond any that there is, and small enough for sums of squares.
pub const MAX_SIZE_MB: f64 = 1e12;

/// The fastest uplink, in Mbit/s, beyond any that there is.
pub const MAX_UPLINK_MBPS: f64 = 1e12;

/// The slowest link, in Mbit/s. A slower one counts as no link: a single byte would take a quarter of an hour.
pub const SLOWEST_LINK_MBPS: f64 = 1e-8;

/// The slowest uplink, in Mbit/s, that networks tell apart from no uplink: a MB takes a quarter of an hour.
pub const SLOWEST_TOLD_APART_MBPS: f64 = 0.01;

/// The share of its frequency that a server may give: from almost nothing to a million times what the scenario says. A server
/// that gives less, down to 0, gives nothing and cannot be used.
pub const CAPACITIES: RangeInclusive<f64> = 1e-6..=1e6;

/// The longest latency of a server, in ms, a dozen days.
pub const MAX_LATENCY_MS: f64 = 1e9;

/// The deadlines of tasks, in seconds.
pub const DEADLINES_S: RangeInclusive<f64> = 1e-12..=1e12;

/// The largest penalty for a missed deadline.
pub const MAX_DEADLINE_PENALTY: f64 = 1e12;

/// The numbers of instructions that a byte of a task may take.
pub const INSTRUCTIONS_PER_BYTE: RangeInclusive<f64> = 1e-12..=1e12;

/// The length, in seconds, of the windows over which recorded rates are averaged, unless a scenario or an option says
/// otherwise.
pub const WINDOW_S: f64 = 60.0;

/// The largest text of settings that is read as a whole, 64 MiB: a scenario with the most devices takes a hundredth.
pub const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The longest name of a scenario, in characters.
pub const MAX_NAME_CHARACTERS: usize = 100;

/// The longest name of a scenario, in bytes: files and directories are called after it, and file systems take names of 255
/// bytes.
pub const MAX_NAME_BYTES: usize = 200;

/// The longest name of a training, in bytes.
pub const MAX_TRAINING_NAME_BYTES: usize = 60;
