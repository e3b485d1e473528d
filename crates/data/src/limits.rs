//! Limits for reading files, each with its reason: files are not trusted.

/// The longest line of a recording or a file of task sizes that is read, in bytes without its end. Longer ones are bad
/// lines and are not kept in memory.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The most that is read of one file, 4 GiB. A longer one is taken for one that never ends.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// The most bad lines of one file. A file with more is no recording.
pub const MAX_BAD_LINES: u64 = 1_000_000;

/// The number of bad lines of a file that are kept for messages. Further ones are only counted.
pub const KEPT_BAD_LINES: usize = 5;

/// The most samples of one recording, 16 million; they take 256 MB.
pub const MAX_SAMPLES: usize = 16_000_000;

/// The most files of one recording, skipped ones included.
pub const MAX_FILES: usize = 4096;

/// The number of folder levels below the first one in which files are looked for.
pub const MAX_DEPTH: usize = 16;

/// The largest JSON file of tasks that is read, 1 GiB: JSON is held in memory as a whole.
pub const MAX_JSON_BYTES: usize = 1 << 30;

/// The longest workload in JSON that is read, 16 MiB: more than the largest workload needs.
pub const MAX_WORKLOAD_BYTES: u64 = 16 << 20;

/// The memory for workloads of a table whose rows are not next to each other, until all their rows are read, 256 MiB: a
/// million workloads of nine tasks.
pub const MAX_OPEN_BYTES: usize = 256 << 20;

/// The highest rate that is believed, in Mbit/s.
pub const MAX_RATE_MBPS: f64 = 1e6;

/// The smallest transfer of a `dds-uplink` file that is used, in MiB. Latency rules the rate of smaller ones.
pub const MIN_PAYLOAD_MIB: f64 = 1.0;
