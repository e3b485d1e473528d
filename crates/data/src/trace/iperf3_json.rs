//! `iperf3-json`: the output of `iperf3 --json`. Each interval counts with the sum of its streams; omitted ones are left out.

use serde::Deserialize;

use super::data_lines::in_order;
use super::drive::{Hold, Sample};
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{ReadCounts, Stop};

const MAX_TIME_S: f64 = 1e9;

#[derive(Deserialize)]
struct Output {
    intervals: Vec<Interval>,
}

#[derive(Deserialize)]
struct Interval {
    sum: Sum,
}

#[derive(Deserialize)]
struct Sum {
    start: f64,
    end: f64,
    bits_per_second: f64,
    #[serde(default)]
    omitted: bool,
}

/// Why JSON is no output of iperf3.
pub(super) enum Failure {
    NotIperf3(serde_json::Error),
    Stop(Stop),
}

/// The samples of the output in order of time, and how long they hold.
pub(super) fn read(json: &[u8], counts: &mut ReadCounts) -> Result<(Vec<Sample>, Hold), Failure> {
    let Output { intervals } = serde_json::from_slice(json).map_err(Failure::NotIperf3)?;
    counts.lines = json.split(|byte| *byte == b'\n').count() as u64;
    let (mut samples, mut end_s, mut last_s) = (Vec::with_capacity(intervals.len()), f64::MIN, None);
    for (index, Interval { sum }) in intervals.iter().enumerate() {
        match measured(sum) {
            Ok(None) => counts.left_out += 1,
            Ok(Some(sample)) => {
                samples.push(sample);
                if sum.end > end_s {
                    (end_s, last_s) = (sum.end, Some(sum.end - sum.start));
                }
            }
            Err(reason) => counts.bad.add(index as u64 + 1, reason, "the interval of this number"),
        }
    }
    counts.room = counts.room.checked_sub(samples.len()).ok_or(Failure::Stop(Stop::TooMany))?;
    Ok((in_order(samples), Hold::UntilNext { last_s }))
}

/// The sample of an interval, or `None` if the test leaves it out.
fn measured(sum: &Sum) -> Result<Option<Sample>, Reason> {
    if sum.omitted {
        return Ok(None);
    }
    if !(0.0..=MAX_TIME_S).contains(&sum.start) || sum.end > MAX_TIME_S {
        return Err(Reason::TooLarge(Quantity::Time));
    }
    if sum.end <= sum.start {
        return Err(Reason::Zero(Quantity::Time));
    }
    let mbps = sum.bits_per_second / 1e6;
    if mbps < 0.0 {
        return Err(Reason::Negative(Quantity::Rate));
    }
    if mbps > MAX_RATE_MBPS {
        return Err(Reason::TooLarge(Quantity::Rate));
    }
    Ok(Some(Sample { t_s: sum.start, mbps: mbps.abs() }))
}

/// Whether JSON begins as the output of iperf3 does.
pub(super) fn looks_like(first_line: &str, ahead: &[u8]) -> bool {
    let text = String::from_utf8_lossy(ahead);
    let names = |name: &str| text.contains(&format!("\"{name}\""));
    first_line.starts_with('{')
        && !names("workflow")
        && (names("intervals") || names("test_start") || text.contains("\"iperf "))
}
