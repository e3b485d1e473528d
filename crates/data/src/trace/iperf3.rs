//! `iperf3`: the text that iperf3 prints, such as `[  5]   1.00-2.00   sec  1.25 MBytes  10.5 Mbits/sec`.
//!
//! Several streams count by their sum, which iperf3 prints itself. Of a test in both directions the one that is sent (`TX`)
//! counts. Intervals marked `(omitted)` and the summary at the end are left out.

use std::collections::BTreeMap;
use std::io::Read;

use super::data_lines::in_order;
use super::drive::{Hold, Sample};
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

const MAX_TIME_S: f64 = 1e9;
/// The name of the line that adds up all streams.
const SUM: &str = "SUM";

/// Words of the other lines that iperf3 prints.
const OTHER_LINES: [&str; 13] = [
    "- - -",
    "-----",
    "Connecting to",
    "Accepted connection",
    "Server listening",
    "iperf ",
    "iperf3:",
    "Test Complete",
    "Reverse mode",
    "warning:",
    "Time:",
    "Cookie:",
    "CPU Utilization",
];

/// A line of one interval.
struct Interval<'a> {
    stream: &'a str,
    is_received: bool,
    start_s: f64,
    end_s: f64,
    rate: &'a str,
    unit: &'a str,
    is_omitted: bool,
    is_summary: bool,
}

/// The intervals of one stream.
#[derive(Default)]
struct Stream {
    samples: Vec<Sample>,
    end_s: f64,
    last_s: f64,
}

/// The samples of a file in order of time, and how long they hold.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<(Vec<Sample>, Hold), Stop> {
    let mut streams: BTreeMap<(bool, String), Stream> = BTreeMap::new();
    counts.each_line(lines, |_, line| {
        let Some(found) = interval(line) else {
            return if is_other_line(line) { Ok(LineContent::Nothing) } else { Err(Reason::NoInterval) };
        };
        let stream = streams.entry((found.is_received, found.stream.to_owned())).or_default();
        let spans_all = found.start_s == 0.0 && stream.end_s > 0.0 && found.end_s >= stream.end_s;
        if found.is_summary || spans_all {
            return Ok(LineContent::Nothing);
        }
        if found.is_omitted {
            return Ok(LineContent::LeftOut);
        }
        if found.start_s < stream.end_s - 1e-9 || found.end_s <= found.start_s {
            return Err(Reason::Backwards);
        }
        let mbps_per_unit = mbps_per_unit(found.unit).ok_or(Reason::NoUnit)?;
        let rate = number(found.rate, Quantity::Rate, MAX_RATE_MBPS / mbps_per_unit)?;
        stream.samples.push(Sample { t_s: found.start_s, mbps: (rate * mbps_per_unit).min(MAX_RATE_MBPS) });
        stream.end_s = found.end_s;
        stream.last_s = found.end_s - found.start_s;
        Ok(LineContent::Samples(1))
    })?;
    Ok(joined(streams))
}

/// The stream that counts, or the sum of all streams.
fn joined(mut streams: BTreeMap<(bool, String), Stream>) -> (Vec<Sample>, Hold) {
    streams.retain(|_, stream| !stream.samples.is_empty());
    let some_are_sent = streams.keys().any(|(is_received, _)| !is_received);
    streams.retain(|(is_received, _), _| !(some_are_sent && *is_received));
    if streams.keys().any(|(_, name)| name == SUM) {
        streams.retain(|(_, name), _| name == SUM);
    }
    let last_s = streams.values().max_by(|a, b| a.end_s.total_cmp(&b.end_s)).map(|stream| stream.last_s);
    let samples = in_order(streams.into_values().flat_map(|stream| stream.samples).collect());
    let sum = |same: &[Sample]| Sample {
        t_s: same[0].t_s,
        mbps: same.iter().map(|sample| sample.mbps).sum::<f64>().min(MAX_RATE_MBPS),
    };
    (samples.chunk_by(|a, b| a.t_s == b.t_s).map(sum).collect(), Hold::UntilNext { last_s })
}

/// Whether a line is one that iperf3 prints.
pub(super) fn looks_like(line: &str) -> bool {
    is_interval(line) || is_other_line(line)
}

/// Whether a line is one of an interval.
pub(super) fn is_interval(line: &str) -> bool {
    interval(line).is_some_and(|found| mbps_per_unit(found.unit).is_some())
}

/// Whether a line is one of those around the intervals. A time may stand before it, as `--timestamps` prints it.
fn is_other_line(line: &str) -> bool {
    let is_about_stream = || ["] Interval", "] local ", "] sent "].iter().any(|words| line.contains(words));
    OTHER_LINES.iter().any(|words| line.contains(words)) || is_about_stream()
}

/// Reads a line such as `[  5][TX-C]   1.00-2.00   sec  1.25 MBytes  10.5 Mbits/sec    0    102 KBytes       (omitted)`.
fn interval(line: &str) -> Option<Interval<'_>> {
    let (_, rest) = line.split_once('[')?;
    let (stream, rest) = rest.split_once(']')?;
    let (role, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let (times, rest) = rest.split_once(" sec")?;
    let (start, end) = times.trim().split_once('-')?;
    let seconds = |text: &str| number(text, Quantity::Time, MAX_TIME_S).ok();
    let mut words = rest.split_ascii_whitespace();
    let (_amount, _unit, rate, unit) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (mut is_omitted, mut is_summary) = (false, false);
    for word in words {
        is_omitted |= word == "(omitted)";
        is_summary |= word == "sender" || word == "receiver";
    }
    Some(Interval {
        stream: stream.trim(),
        is_received: role.starts_with("RX"),
        start_s: seconds(start)?,
        end_s: seconds(end)?,
        rate,
        unit,
        is_omitted,
        is_summary,
    })
}

/// Mbit/s per unit. Bits are counted in powers of 1000, bytes in powers of 1024.
fn mbps_per_unit(unit: &str) -> Option<f64> {
    Some(match unit {
        "bits/sec" => 1e-6,
        "Kbits/sec" => 1e-3,
        "Mbits/sec" => 1.0,
        "Gbits/sec" => 1e3,
        "Tbits/sec" => 1e6,
        "Bytes/sec" => 8e-6,
        "KBytes/sec" => 8.0 * 1024.0 / 1e6,
        "MBytes/sec" => 8.0 * 1024.0 * 1024.0 / 1e6,
        "GBytes/sec" => 8.0 * 1024.0 * 1024.0 * 1024.0 / 1e6,
        _ => return None,
    })
}
