//! The format of a file, recognised by its beginning.

use std::fmt;

use super::{csv, dds, mahimahi, throughput};
use crate::columns::{Header, is_above_header};
use crate::lines::{first_lines, first_rows};

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
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DdsUplink => "dds-uplink",
            Self::ThroughputLog => "throughput-log",
            Self::Mahimahi => "mahimahi",
            Self::Csv => "csv",
        })
    }
}

/// The format that most lines of a beginning have, and whether that is at least half of all lines.
pub(super) fn tell(ahead: &[u8]) -> Option<(Format, bool)> {
    let header = first_rows(ahead).find(|row| !is_above_header(row));
    if header.is_some_and(|row| Header::read(row, &csv::COLUMNS).columns(csv::COLUMNS).is_ok()) {
        return Some((Format::Csv, true));
    }
    let (mut dds, mut throughput, mut mahimahi, mut all) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut before_ms = 0;
    for line in first_lines(ahead) {
        all += 1;
        if throughput::looks_like(line) {
            throughput += 1;
        } else if dds::looks_like(line) {
            dds += 1;
        } else if let Ok(ms) = mahimahi::milliseconds(line) {
            // Numbers that go up and down are something else, such as sizes of tasks.
            if mahimahi::follows(before_ms, ms).is_ok() {
                mahimahi += 1;
                before_ms = ms;
            }
        }
    }
    let counts = [(dds, Format::DdsUplink), (throughput, Format::ThroughputLog), (mahimahi, Format::Mahimahi)];
    let (count, format) = counts.into_iter().max_by_key(|(count, _)| *count)?;
    (count > 0).then_some((format, 2 * count >= all))
}
