//! `csv`: times, devices and rates in columns that a header names; columns of other names are ignored.

use std::collections::BTreeMap;
use std::io::Read;

use super::drive::{Sample, Trace};
use crate::bad_lines::{Quantity, Reason};
use crate::columns::{Columns, Header, is_above_header};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

/// The columns of a trace.
pub(super) const COLUMNS: [&str; 3] = ["t_s", "device", "mbps"];

/// The farthest time from 0 in seconds: some 3,000 years, so that Unix times fit.
const MAX_TIME_S: f64 = 1e11;

const MAX_NAME_BYTES: usize = 200;

/// The traces of a file in order of their devices' names, each in order of time.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<Vec<Trace>, Stop> {
    let mut devices: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let mut columns: Option<Columns<3>> = None;
    counts.each_row(lines, |_, line| {
        let Some(columns) = &columns else {
            if !is_above_header(line) {
                let header = Header::read(line, &COLUMNS).columns(COLUMNS);
                columns = Some(header.map_err(|_| Reason::NotANumber(Quantity::Time))?);
            }
            return Ok(LineContent::Nothing);
        };
        let [time, device, rate] = columns.pick(line)?;
        let mbps = number(&columns.decimal(&rate), Quantity::Rate, MAX_RATE_MBPS)?;
        let sample = Sample { t_s: self::time(&columns.decimal(&time))?, mbps };
        if device.is_empty() || device.len() > MAX_NAME_BYTES || device.chars().any(char::is_control) {
            return Err(Reason::DeviceName);
        }
        match devices.get_mut(&*device) {
            Some(samples) => samples.push(sample),
            None => drop(devices.insert(device.into_owned(), vec![sample])),
        }
        Ok(LineContent::Samples(1))
    })?;
    Ok(devices
        .into_iter()
        .map(|(device, mut samples)| {
            if !samples.is_sorted_by(|a, b| a.t_s <= b.t_s) {
                samples.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
            }
            Trace { device, samples, interval_s: None }
        })
        .collect())
}

/// A time, which may lie before 0.
fn time(text: &str) -> Result<f64, Reason> {
    let t_s: f64 = text.parse().map_err(|_| Reason::NotANumber(Quantity::Time))?;
    if !t_s.is_finite() {
        Err(Reason::NotFinite(Quantity::Time))
    } else if t_s.abs() > MAX_TIME_S {
        Err(Reason::TooLarge(Quantity::Time))
    } else {
        Ok(t_s)
    }
}
