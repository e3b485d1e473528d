//! The format of a file, recognised by its beginning.

use std::fmt;
use std::str::FromStr;

use super::csv::Table;
use super::data_lines::{first_data_lines, has_number};
use super::{dds, hsdpa, iperf3, iperf3_json, mahimahi, pensieve, throughput};
use crate::columns::is_above_header;
use crate::lines::{first_lines, first_rows};

/// Words above bare numbers that make them sizes of tasks.
const SIZE_WORDS: [&str; 14] =
    ["size", "sizes", "b", "byte", "bytes", "kb", "kib", "mb", "mib", "megabytes", "gb", "gib", "tb", "tib"];
/// Bare numbers are sizes of tasks if the numbers with a fraction, times this, are more than the packet times.
const FRACTIONS: usize = 20;

/// The format of a trace. The [module](super) describes each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Uplink transfers of one operator, 23 columns.
    DdsUplink,
    /// One value and its unit a second.
    ThroughputLog,
    /// The milliseconds at which packets may leave.
    Mahimahi,
    /// Times, devices and rates under a header.
    Csv,
    /// The CSV files of G-NetTrack Pro.
    GNetTrack,
    /// Seconds and Mbit/s in two columns.
    Pensieve,
    /// Six columns with bytes and the milliseconds in which they were received.
    Hsdpa,
    /// The text that iperf3 prints.
    Iperf3,
    /// The output of `iperf3 --json`.
    Iperf3Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::DdsUplink,
        Self::ThroughputLog,
        Self::Mahimahi,
        Self::Csv,
        Self::GNetTrack,
        Self::Pensieve,
        Self::Hsdpa,
        Self::Iperf3,
        Self::Iperf3Json,
    ];

    /// The name of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DdsUplink => "dds-uplink",
            Self::ThroughputLog => "throughput-log",
            Self::Mahimahi => "mahimahi",
            Self::Csv => "csv",
            Self::GNetTrack => "gnettrack",
            Self::Pensieve => "pensieve",
            Self::Hsdpa => "hsdpa",
            Self::Iperf3 => "iperf3",
            Self::Iperf3Json => "iperf3-json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the formats of recordings are {}", Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormatName;

impl FromStr for Format {
    type Err = UnknownFormatName;

    fn from_str(name: &str) -> Result<Self, UnknownFormatName> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or(UnknownFormatName)
    }
}

/// A format that was recognised.
pub(super) struct Recognised {
    pub(super) format: Format,
    /// The layout of a table.
    pub(super) table: Option<Table>,
    /// The reason for the format, as in [`Source::why`](super::Source::why).
    pub(super) why: String,
}

/// The header of a table: the first line that is not blank and no comment.
pub(super) fn header(ahead: &[u8]) -> &str {
    first_rows(ahead).find(|row| !is_above_header(row)).unwrap_or_default()
}

/// Recognises a format by the beginning of a file: by the header of a table, by the names in JSON, or by the lines, if at
/// least half of them have the format.
pub(super) fn recognise(ahead: &[u8]) -> Option<Recognised> {
    if ahead.contains(&0) {
        return None;
    }
    let header = header(ahead);
    if let Some(table) = Table::of_csv(header) {
        let why = "its header names a column of times and the column mbps".to_owned();
        return Some(Recognised { format: Format::Csv, table: Some(table), why });
    }
    if let Some(table) = Table::of_gnettrack(header) {
        let why = "its header names the columns Timestamp and UL_bitrate".to_owned();
        return Some(Recognised { format: Format::GNetTrack, table: Some(table), why });
    }
    if iperf3_json::looks_like(header.trim_start(), ahead) {
        let why = "it is JSON with names that iperf3 writes".to_owned();
        return Some(Recognised { format: Format::Iperf3Json, table: None, why });
    }
    by_lines(&first_data_lines(ahead), announces_sizes(ahead))
}

/// Whether a comment or a header above the data names sizes, or a unit of sizes.
fn announces_sizes(ahead: &[u8]) -> bool {
    let above = first_lines(ahead).take_while(|line| line.starts_with('#') || !has_number(line));
    let mut words = above.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    words.any(|word| SIZE_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// The format of at least half of the lines. Bare numbers say little: `mahimahi` needs more than half, and no sign that the
/// numbers are sizes of tasks.
fn by_lines(lines: &[&str], announces_sizes: bool) -> Option<Recognised> {
    let count = |fits: &mut dyn FnMut(&str) -> bool| lines.iter().filter(|line| fits(line)).count();
    let (mut last_ms, mut last_s) = (0, f64::MIN);
    // Numbers that go up and down are something else, such as sizes of tasks.
    let mut is_packet = |line: &str| {
        let ms = mahimahi::milliseconds(line).ok().filter(|ms| mahimahi::follows(last_ms, *ms).is_ok());
        last_ms = ms.unwrap_or(last_ms);
        ms.is_some()
    };
    let mut is_later = |line: &str| {
        let t_s = pensieve::time_of(line).filter(|t_s| *t_s >= last_s);
        last_s = t_s.unwrap_or(last_s);
        t_s.is_some()
    };
    let has_interval = lines.iter().any(|line| iperf3::is_interval(line));
    // Of formats that equally many lines have, the last one is taken.
    let counts = [
        (Format::Mahimahi, count(&mut is_packet), "whole milliseconds that do not run backwards"),
        (Format::Pensieve, count(&mut is_later), "two numbers, the first a time that does not run backwards"),
        (Format::Hsdpa, count(&mut hsdpa::looks_like), "six numbers, the last two bytes and milliseconds"),
        (Format::Iperf3, count(&mut |line| has_interval && iperf3::looks_like(line)), "printed by iperf3"),
        (Format::DdsUplink, count(&mut dds::looks_like), "transfers with 23 columns"),
        (Format::ThroughputLog, count(&mut throughput::looks_like), "a value and a unit of rates"),
    ];
    let (format, fitting, what) = counts.into_iter().max_by_key(|(_, fitting, _)| *fitting)?;
    let all = lines.len();
    let why = format!("{fitting} of its first {all} lines of data are {what}");
    let fractions = lines.iter().filter(|line| line.parse::<f64>().is_ok_and(|value| value.fract() != 0.0)).count();
    let are_sizes = announces_sizes || FRACTIONS * fractions > fitting;
    if format == Format::Mahimahi && are_sizes {
        return None;
    }
    let needed = if format == Format::Mahimahi { all / 2 + 1 } else { all.div_ceil(2).max(1) };
    (fitting >= needed).then_some(Recognised { format, table: None, why })
}
