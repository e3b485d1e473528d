//! The files of a recording, read or skipped.

use std::fmt;
use std::path::PathBuf;

use super::format::Format;
use crate::bad_lines::{BadLines, counted};
use crate::limits::MAX_DEPTH;

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The reason for the format, such as `its header names a column of times and the column mbps`.
    pub why: String,
    /// The number of lines in it.
    pub lines: u64,
    /// The number of samples in it.
    pub samples: usize,
    /// Measurements left out on purpose: transfers below [`MIN_PAYLOAD_MIB`](crate::limits::MIN_PAYLOAD_MIB), intervals that
    /// iperf3 omits, rows without a rate, and the packets of a `mahimahi` file whose last time is 0.
    pub left_out: u64,
    /// Lines that cannot be used.
    pub bad: BadLines,
}

/// A file or folder that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file or folder was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// It is empty, has no known format, lacks the columns that were named, or is JSON of iperf3 that is cut off.
    NotATrace,
    /// It looks like a trace but has no usable sample.
    NoSamples(Box<Source>),
    /// It was met before under another name.
    SeenBefore,
    /// It is neither a file nor a folder, or a link that leads nowhere.
    NotAFile,
    /// It is a folder more than [`MAX_DEPTH`] below the first one.
    TooDeep,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = counted(self.lines, "line");
        let samples = counted(self.samples as u64, "sample");
        let left_out = counted(self.left_out, "measurement");
        write!(f, "{}, {lines}, {samples}, {left_out} left out, {}", self.format, self.bad)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATrace => f.write_str("not a trace"),
            Self::NoSamples(found) => write!(f, "no usable sample: {found}"),
            Self::SeenBefore => f.write_str("met before under another name"),
            Self::NotAFile => f.write_str("not a file"),
            Self::TooDeep => write!(f, "more than {MAX_DEPTH} folders deep"),
        }
    }
}
