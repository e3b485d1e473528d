//! `pensieve`: seconds and Mbit/s, two columns divided by spaces or tabs, without a header.

use std::io::Read;

use super::clock::TimeUnit;
use super::data_lines::{each_data_line, in_order, numbers};
use super::drive::Sample;
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

/// The samples of a file in order of time.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<Vec<Sample>, Stop> {
    let mut samples = Vec::new();
    each_data_line(lines, counts, |_, line| {
        let mut words = line.split_ascii_whitespace();
        let (Some(time), Some(rate), None) = (words.next(), words.next(), words.next()) else {
            return Err(Reason::Columns { found: line.split_ascii_whitespace().count(), expected: 2 });
        };
        let t_s = TimeUnit::Seconds.seconds(time)?;
        samples.push(Sample { t_s, mbps: number(rate, Quantity::Rate, MAX_RATE_MBPS)? });
        Ok(LineContent::Samples(1))
    })?;
    Ok(in_order(samples))
}

/// The time of a line that looks like one of this format, in seconds.
pub(super) fn time_of(line: &str) -> Option<f64> {
    numbers(line).and_then(|[t_s, mbps]: [f64; 2]| (mbps >= 0.0).then_some(t_s))
}
