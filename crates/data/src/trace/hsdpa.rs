//! `hsdpa`: the logs of the Norwegian HSDPA campaign. Six columns divided by spaces: Unix seconds, milliseconds since the
//! start, latitude, longitude, bytes received since the line above, and the milliseconds in which they were received.
//!
//! A rate is that of the milliseconds which end at the time of its line.

use std::io::Read;

use super::data_lines::{each_data_line, in_order, numbers};
use super::drive::{Hold, Sample};
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

const COLUMNS: usize = 6;
const SINCE_START_MS: usize = 1;
const BYTES: usize = 4;
const MS: usize = 5;

const MAX_MS: f64 = 1e14;
const MAX_BYTES: f64 = 1e18;
/// Mbit/s of one byte in a millisecond.
const MBPS: f64 = 8e-3;

/// The samples of a file in order of time, and how long they hold.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<(Vec<Sample>, Hold), Stop> {
    let mut samples = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    each_data_line(lines, counts, |_, line| {
        let mut columns = [""; COLUMNS];
        let mut found = 0;
        for column in line.split_ascii_whitespace() {
            if let Some(place) = columns.get_mut(found) {
                *place = column;
            }
            found += 1;
        }
        if found != COLUMNS {
            return Err(Reason::Columns { found, expected: COLUMNS });
        }
        let end_ms = number(columns[SINCE_START_MS], Quantity::Time, MAX_MS)?;
        let bytes = number(columns[BYTES], Quantity::Payload, MAX_BYTES)?;
        let ms = number(columns[MS], Quantity::Time, MAX_MS)?;
        if ms == 0.0 {
            return Err(Reason::Zero(Quantity::Time));
        }
        let mbps = bytes / ms * MBPS;
        if mbps > MAX_RATE_MBPS {
            return Err(Reason::TooLarge(Quantity::Rate));
        }
        let t_s = (end_ms - ms) / 1000.0;
        samples.push(Sample { t_s, mbps });
        if last.is_none_or(|(last_s, _)| t_s >= last_s) {
            last = Some((t_s, ms / 1000.0));
        }
        Ok(LineContent::Samples(1))
    })?;
    Ok((in_order(samples), Hold::UntilNext { last_s: last.map(|(_, hold_s)| hold_s) }))
}

/// Whether a line looks like one of this format.
pub(super) fn looks_like(line: &str) -> bool {
    numbers(line).is_some_and(|[unix_s, since_start_ms, latitude, longitude, bytes, ms]: [f64; COLUMNS]| {
        unix_s >= 0.0
            && since_start_ms >= 0.0
            && latitude.abs() <= 90.0
            && longitude.abs() <= 180.0
            && bytes >= 0.0
            && ms >= 0.0
    })
}
