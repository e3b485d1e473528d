//! Recorded network throughput, read from files.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let file = folder.path().join("bus.csv");
//! std::fs::write(&file, "4.5,Mbits/sec\n500,Kbits/sec\n0.00,bits/sec\n")?;
//! let recording = data::trace::Recording::open(&file)?;
//! let device = &recording.drives[0].devices[0];
//! assert_eq!(device.samples[1].mbps, 0.5);
//! assert_eq!(recording.drives[0].windows(2.0)[0].mbps, [2.5]);
//! # Ok(())
//! # }
//! ```
//!
//! # The words
//! - A [`Sample`] is one measured rate, a [`Trace`] is the samples of one device.
//! - A [`Drive`] is devices that were recorded at the same time; a [`Window`] is the mean rate of each of them over
//!   some seconds.
//! - A [`Recording`] is every drive of a file or folder, with one [`Source`] for each file: what was used, what was left
//!   out on purpose, and which lines are bad.
//!
//! # The formats
//! The content of a file tells its [`Format`]; its name does not matter. A table is known by its header, JSON by the names
//! in it; any other format is taken if at least half of the first lines have it (`mahimahi`: more than half). [`ReadOptions`]
//! name the format, or the columns of a table, where that is not enough.
//!
//! | format | a line | one file is |
//! |---|---|---|
//! | `dds-uplink` | 23 columns without a header; columns counted from 0: 0 seconds since the start, 1 Unix seconds, 19 payload in MiB, 20 rate in Mibit/s | one device; files of one folder whose times overlap are one drive |
//! | `throughput-log` | `value,unit`, one a second; the unit is `bits/sec`, `Kbits/sec`, `Mbits/sec` or `Gbits/sec` | a drive of one device |
//! | `mahimahi` | the millisecond at which one packet of 1500 bytes may leave | a drive of one device |
//! | `csv` | headed `time_s,device,mbps` in any order; `t_s`, `t_ms`, `time` or `timestamp` may stand for `time_s`; further columns are ignored | a drive of all its devices, or of one if there is no column `device` |
//! | `gnettrack` | CSV of G-NetTrack Pro, headed `Timestamp,...,UL_bitrate`: dates such as `2024.01.31_12.00.00`, uplinks in kbit/s | a drive of one device |
//! | `pensieve` | seconds and Mbit/s, divided by spaces or tabs | a drive of one device |
//! | `hsdpa` | Unix seconds, milliseconds since the start, latitude, longitude, bytes, and the milliseconds in which they were received | a drive of one device |
//! | `iperf3` | the text that iperf3 prints | a drive of one device |
//! | `iperf3-json` | the whole file is what `iperf3 --json` prints | a drive of one device |
//!
//! A device without a name in its file has the name of the file. Files may be compressed with gzip. Files are UTF-8 or
//! UTF-16, with or without a byte-order mark, with lines that end in LF or CRLF. Blank lines, comments that begin with `#`,
//! and a header without numbers above the data mean nothing. Times and rates are checked: a line that is no measurement, or
//! one of a rate that is negative, not finite or above [`MAX_RATE_MBPS`], is a bad line. It is counted and never used.
//!
//! # Time
//! - `dds-uplink`: the two times of a line give its Unix time to a fraction of a second. A line whose times put the start
//!   of the recording more than 2 s from where most lines put it is a bad line.
//! - `throughput-log`: a line with a known unit stands for one second even if its value is bad, and leaves a gap there.
//!   Stray lines take no time.
//! - `mahimahi`: packets are counted by the second; seconds without one are samples of 0. A time before the packet above
//!   it, or more than a day after it, is a bad line. The trace is meant to be repeated, and the last time is its period: the
//!   rate of a last second that is not full is computed from the part of it that the file holds, and a trace of less than a
//!   second is repeated.
//! - `csv`, `gnettrack`: lines may be in any order of time. A time is a date as in ISO 8601, or a number of seconds; a
//!   number too large for that is one of milliseconds. The first time of a file tells it.
//! - `hsdpa`: a rate is that of the milliseconds that end at the time of its line.
//! - `iperf3`, `iperf3-json`: omitted intervals are left out. Streams are added up; of a test in both directions the one
//!   that is sent counts.
//!
//! [`Drive::windows`] says how rates are averaged over time.
//!
//! # What it does not do
//! Nothing here smooths, or guesses rates in gaps.

mod clock;
mod columns_option;
mod csv;
mod data_lines;
mod dds;
mod device_windows;
mod drive;
mod error;
mod folder;
mod format;
mod hsdpa;
mod iperf3;
mod iperf3_json;
mod mahimahi;
mod notes;
mod pensieve;
mod reader;
mod recording;
mod source;
mod spacing;
mod summary;
mod throughput;
mod windows;

pub use self::columns_option::{Columns, ColumnsError};
pub(crate) use self::device_windows::spread;
pub use self::device_windows::{unused_devices, uplink_windows};
pub use self::drive::{Drive, Hold, Sample, Trace};
pub use self::error::TraceError;
pub use self::format::{Format, UnknownFormatName};
pub use self::notes::notes;
pub use self::recording::{NoSuchDrive, ReadOptions, Recording};
pub use self::source::{SkipReason, Skipped, Source};
pub use self::summary::Summary;
pub use self::windows::Window;
pub use crate::limits::{MAX_RATE_MBPS, MIN_PAYLOAD_MIB};
