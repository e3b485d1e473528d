//! `csv`: times, devices and rates in columns that a header names; columns of other names are ignored.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use super::read::{Lines, Quantity, Reason, Stop, Tally, Used, number};
use super::{MAX_RATE_MBPS, Sample, Trace};

/// The columns of a trace.
pub(super) const COLUMNS: [&str; 3] = ["t_s", "device", "mbps"];

/// The farthest time from 0 in seconds: some 3,000 years, so that Unix times fit.
const MAX_TIME_S: f64 = 1e11;

const MAX_NAME_BYTES: usize = 200;

/// The traces of a file in order of their devices' names, each in order of time.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, tally: &mut Tally) -> Result<Vec<Trace>, Stop> {
    let mut devices: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let mut header = None;
    tally.each_line(lines, |_, line| {
        let Some(header) = &header else {
            header = Some(Header::of(line, COLUMNS).ok_or(Reason::NotANumber(Quantity::Time))?);
            return Ok(Used::Nothing);
        };
        let [time, device, rate] = header.pick(line)?;
        let sample = Sample { t_s: self::time(&time)?, mbps: number(&rate, Quantity::Rate, MAX_RATE_MBPS)? };
        if device.is_empty() || device.len() > MAX_NAME_BYTES || device.chars().any(char::is_control) {
            return Err(Reason::DeviceName);
        }
        match devices.get_mut(&*device) {
            Some(samples) => samples.push(sample),
            None => drop(devices.insert(device.into_owned(), vec![sample])),
        }
        Ok(Used::Samples(1))
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

/// Where the N wanted columns of a file stand.
pub(super) struct Header<const N: usize> {
    columns: usize,
    places: [usize; N],
}

impl<const N: usize> Header<N> {
    /// The header in this line, if it names all the columns.
    pub(super) fn of(line: &str, wanted: [&str; N]) -> Option<Self> {
        let names: Vec<_> = columns(line).collect();
        let mut places = [0; N];
        for (place, wanted) in places.iter_mut().zip(wanted) {
            *place = names.iter().position(|name| name == wanted)?;
        }
        Some(Self { columns: names.len(), places })
    }

    /// The wanted columns of another line.
    pub(super) fn pick<'a>(&self, line: &'a str) -> Result<[Cow<'a, str>; N], Reason> {
        let mut picked = [const { Cow::Borrowed("") }; N];
        let mut found = 0;
        for column in columns(line) {
            if let Some(index) = self.places.iter().position(|place| *place == found) {
                picked[index] = column;
            }
            found += 1;
        }
        if found == self.columns { Ok(picked) } else { Err(Reason::Columns { found, expected: self.columns }) }
    }
}

/// The columns of a line without spaces around them. A column may stand in quotes, with `""` for a quote.
fn columns(line: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        if let Some(quoted) = line.trim_start().strip_prefix('"') {
            let (column, behind) = unquote(quoted);
            rest = behind.split_once(',').map(|(_, rest)| rest);
            return Some(column);
        }
        let (column, behind) = line.split_once(',').map_or((line, None), |(column, behind)| (column, Some(behind)));
        rest = behind;
        Some(Cow::Borrowed(column.trim()))
    })
}

/// The text up to its closing quote, and what follows.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut column = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let Some((part, behind)) = rest.split_once('"') else {
            return (column + rest, "");
        };
        column += part;
        let Some(more) = behind.strip_prefix('"') else {
            return (column, behind);
        };
        column += "\"";
        rest = more;
    }
}
