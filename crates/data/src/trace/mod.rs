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
//! The content of a file tells its [`Format`]; its name does not matter.
//!
//! | format | a line | one file is |
//! |---|---|---|
//! | `dds-uplink` | 23 columns without a header; columns counted from 0: 0 seconds since the start, 1 Unix seconds, 19 payload in MiB, 20 rate in Mibit/s | one device; files of one folder whose times overlap are one drive |
//! | `throughput-log` | `value,unit`, one a second; the unit is `bits/sec`, `Kbits/sec`, `Mbits/sec` or `Gbits/sec` | a drive of one device |
//! | `mahimahi` | the millisecond at which one packet of 1500 bytes may leave | a drive of one device |
//! | `csv` | headed `t_s,device,mbps` in any order; further columns are ignored | a drive of all its devices |
//!
//! Files are UTF-8, with or without a byte-order mark, with lines that end in LF or CRLF. Blank lines mean nothing.
//! Times and rates are checked: a line that is no measurement, or one of a rate that is negative, not finite or above
//! [`MAX_RATE_MBPS`], is a bad line. It is counted and never used.
//!
//! # Time
//! - `dds-uplink`: the two times of a line give its Unix time to a fraction of a second. A line whose times put the start
//!   of the recording more than 2 s from where most lines put it is a bad line.
//! - `throughput-log`: a line with a known unit stands for one second even if its value is bad, and leaves a gap there.
//!   Stray lines, such as headers, take no time.
//! - `mahimahi`: packets are counted by the second; seconds without one are samples of 0. A time before the packet above
//!   it, or more than a day after it, is a bad line. The last second is left out, since it is not over.
//! - `csv`: lines may be in any order of time.
//!
//! # What it does not do
//! Nothing here fills gaps, smooths, or guesses rates between samples.

mod csv;
mod dds;
mod device_windows;
mod drive;
mod error;
mod folder;
mod format;
mod mahimahi;
mod reader;
mod recording;
mod source;
mod summary;
mod throughput;

pub(crate) use self::device_windows::spread;
pub use self::device_windows::uplink_windows;
pub use self::drive::{Drive, Sample, Trace, Window};
pub use self::error::TraceError;
pub use self::format::Format;
pub use self::recording::Recording;
pub use self::source::{SkipReason, Skipped, Source};
pub use self::summary::Summary;
pub use crate::limits::{MAX_RATE_MBPS, MIN_PAYLOAD_MIB};
