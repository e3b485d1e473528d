//! `dds-uplink`: transfers of one operator, and which files were recorded together.
//!
//! Each line has two times: whole Unix seconds, and seconds since the start with two decimals. Together they give the
//! start of the recording to a few hundredths of a second, and each sample's Unix time with it. A line whose two times
//! put the start more than 2 s from where most lines of the file put it is a bad line.

use std::io::Read;
use std::path::Path;

use super::drive::Sample;
use crate::bad_lines::{Quantity, Reason};
use crate::limits::{MAX_RATE_MBPS, MIN_PAYLOAD_MIB};
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

const COLUMNS: usize = 23;
const SECONDS_SINCE_START: usize = 0;
const UNIX_SECONDS: usize = 1;
const PAYLOAD_MIB: usize = 19;
const RATE_MIBIT_PER_S: usize = 20;

const MBIT_PER_MIBIT: f64 = 1.048_576;
const MAX_SINCE_START_S: f64 = 1e9;
const MAX_UNIX_S: f64 = 1e11;
const MAX_PAYLOAD_MIB: f64 = 1e9;
const MAX_DISAGREEMENT_S: f64 = 2.0;

/// A line that is used, but whose times are not yet checked against the times of the other lines.
struct Transfer {
    line: u64,
    since_start_s: f64,
    unix_s: f64,
    mbps: f64,
}

impl Transfer {
    /// The start lies in the second that begins here.
    fn start_s(&self) -> f64 {
        self.unix_s - self.since_start_s
    }
}

/// The samples of a file in order of time, at Unix times.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<Vec<Sample>, Stop> {
    let mut transfers = Vec::new();
    counts.each_line(lines, |number, line| {
        let transfer = transfer(number, line)?;
        let Some(transfer) = transfer else { return Ok(LineContent::LeftOut) };
        transfers.push(transfer);
        Ok(LineContent::Samples(1))
    })?;
    Ok(on_one_clock(transfers, counts))
}

/// Whether a line has the columns of a transfer.
pub(super) fn looks_like(line: &str) -> bool {
    line.split(',').count() == COLUMNS && line.split(',').take(2).all(|column| column.trim().parse::<f64>().is_ok())
}

/// The transfer of a line, or `None` if it is too small.
fn transfer(number_of_line: u64, line: &str) -> Result<Option<Transfer>, Reason> {
    let mut columns = [""; COLUMNS];
    let mut found = 0;
    for column in line.split(',') {
        if let Some(place) = columns.get_mut(found) {
            *place = column;
        }
        found += 1;
    }
    if found != COLUMNS {
        return Err(Reason::Columns { found, expected: COLUMNS });
    }
    let since_start_s = number(columns[SECONDS_SINCE_START], Quantity::Time, MAX_SINCE_START_S)?;
    let unix_s = number(columns[UNIX_SECONDS], Quantity::Time, MAX_UNIX_S)?;
    let payload_mib = number(columns[PAYLOAD_MIB], Quantity::Payload, MAX_PAYLOAD_MIB)?;
    let mibit_per_s = number(columns[RATE_MIBIT_PER_S], Quantity::Rate, MAX_RATE_MBPS / MBIT_PER_MIBIT)?;
    let mbps = (mibit_per_s * MBIT_PER_MIBIT).min(MAX_RATE_MBPS);
    let used = payload_mib >= MIN_PAYLOAD_MIB;
    Ok(used.then_some(Transfer { line: number_of_line, since_start_s, unix_s, mbps }))
}

fn on_one_clock(mut transfers: Vec<Transfer>, counts: &mut ReadCounts) -> Vec<Sample> {
    let mut starts: Vec<f64> = transfers.iter().map(Transfer::start_s).collect();
    if starts.is_empty() {
        return Vec::new();
    }
    let middle = starts.len() / 2;
    let (_, &mut median_s, _) = starts.select_nth_unstable_by(middle, f64::total_cmp);
    let agrees = |start_s: f64| (start_s - median_s).abs() <= MAX_DISAGREEMENT_S;

    transfers.retain(|transfer| {
        let agrees = agrees(transfer.start_s());
        if !agrees {
            let text = format!("{:.2},{:.0},...", transfer.since_start_s, transfer.unix_s);
            counts.bad.add(transfer.line, Reason::ClocksDisagree, &text);
        }
        agrees
    });
    // Unix seconds are cut off, so every line allows a start in [unix - t, unix - t + 1): take the middle of the span that remains.
    starts.retain(|start_s| agrees(*start_s));
    let latest_s = starts.iter().copied().fold(median_s, f64::max);
    let earliest_end_s = starts.iter().copied().fold(median_s, f64::min) + 1.0;
    let start_s = f64::midpoint(latest_s, earliest_end_s);

    let mut samples: Vec<Sample> = transfers
        .iter()
        .map(|transfer| Sample { t_s: start_s + transfer.since_start_s, mbps: transfer.mbps })
        .collect();
    if !samples.is_sorted_by(|a, b| a.t_s <= b.t_s) {
        samples.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    }
    samples
}

/// Start in Unix seconds and operator out of a name such as `1547727609_o2_ul.txt`; else the name without extension.
pub(super) fn name_of(path: &Path) -> (Option<u64>, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let parts = stem.strip_suffix("_ul").and_then(|stem| stem.split_once('_'));
    match parts {
        Some((epoch, operator)) if !operator.is_empty() => match epoch.parse() {
            Ok(epoch) => (Some(epoch), operator.to_owned()),
            Err(_) => (None, stem.into_owned()),
        },
        _ => (None, stem.into_owned()),
    }
}

/// When one device was recorded, in Unix seconds.
pub(super) struct Span<'a> {
    pub(super) device: &'a str,
    pub(super) first_s: f64,
    pub(super) last_s: f64,
}

/// Which spans of one folder belong to one drive: spans that overlap in time, at most one for each device. Returns groups of
/// indices, each in order, in order of their first.
///
/// Pairs that share the most time come first, then pairs that begin closest together, so that a file is never tied to the
/// end of one drive while another drive runs along with it.
pub(super) fn drives(spans: &[Span<'_>]) -> Vec<Vec<usize>> {
    let mut pairs = Vec::new();
    for (index, a) in spans.iter().enumerate() {
        for (other, b) in spans.iter().enumerate().skip(index + 1) {
            let shared_s = a.last_s.min(b.last_s) - a.first_s.max(b.first_s);
            if shared_s >= 0.0 && a.device != b.device {
                pairs.push((shared_s, (a.first_s - b.first_s).abs(), index, other));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));

    let mut group_of: Vec<usize> = (0..spans.len()).collect();
    let mut groups: Vec<Vec<usize>> = (0..spans.len()).map(|index| vec![index]).collect();
    for (_, _, a, b) in pairs {
        let (into, from) = (group_of[a].min(group_of[b]), group_of[a].max(group_of[b]));
        if into == from || !fit(spans, &groups[into], &groups[from]) {
            continue;
        }
        for index in std::mem::take(&mut groups[from]) {
            group_of[index] = into;
            groups[into].push(index);
        }
    }
    groups.retain(|group| !group.is_empty());
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

/// Whether all spans of two groups share some time, and no device is in both.
fn fit(spans: &[Span<'_>], a: &[usize], b: &[usize]) -> bool {
    let all = || a.iter().chain(b).map(|index| &spans[*index]);
    let first_s = all().map(|span| span.first_s).fold(f64::MIN, f64::max);
    let last_s = all().map(|span| span.last_s).fold(f64::MAX, f64::min);
    first_s <= last_s && a.iter().all(|a| b.iter().all(|b| spans[*a].device != spans[*b].device))
}
