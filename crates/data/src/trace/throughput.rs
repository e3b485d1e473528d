//! `throughput-log`: a value and its unit, one line a second.
//!
//! A line with a known unit stands for one second even if its value is bad: the second passed, and the trace has a gap
//! there. A header above the first value and comments mean nothing. Any other line is counted as bad and takes no time.

use std::io::Read;

use super::data_lines::each_data_line;
use super::drive::Sample;
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

/// The samples of a file, at the seconds 0, 1, 2, ...
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<Vec<Sample>, Stop> {
    let mut samples = Vec::new();
    let mut seconds = 0_u64;
    each_data_line(lines, counts, |_, line| {
        let (value, mbps_per_unit) = split(line).ok_or(Reason::NoUnit)?;
        let t_s = seconds as f64;
        seconds += 1;
        let mbps = number(value, Quantity::Rate, MAX_RATE_MBPS / mbps_per_unit)? * mbps_per_unit;
        samples.push(Sample { t_s, mbps: mbps.min(MAX_RATE_MBPS) });
        Ok(LineContent::Samples(1))
    })?;
    Ok(samples)
}

/// Whether a line is a number and a unit.
pub(super) fn looks_like(line: &str) -> bool {
    split(line).is_some_and(|(value, _)| value.parse::<f64>().is_ok())
}

/// The value, and Mbit/s per its unit. Spreadsheets leave empty columns behind, which are ignored.
fn split(line: &str) -> Option<(&str, f64)> {
    let (value, unit) = line.trim_end_matches([',', ' ', '\t']).split_once(',')?;
    let mbps = match unit.trim() {
        "bits/sec" => 1e-6,
        "Kbits/sec" => 1e-3,
        "Mbits/sec" => 1.0,
        "Gbits/sec" => 1e3,
        _ => return None,
    };
    Some((value.trim(), mbps))
}
