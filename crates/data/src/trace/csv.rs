//! Tables with a header that names the columns of times, rates and devices: `csv`, `gnettrack`, and those of `--columns`.

use std::collections::HashMap;
use std::io::Read;

use super::clock::TimeUnit;
use super::columns_option::Columns as NamedColumns;
use super::data_lines::in_order;
use super::drive::{Hold, Sample, Trace};
use crate::bad_lines::{Quantity, Reason};
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};
use crate::natural::natural_order;

/// The names that the column of times may have in `csv`, each with the unit of the times where the name tells it.
const TIMES: [(&str, Option<TimeUnit>); 5] =
    [("time_s", None), ("t_s", None), ("t_ms", Some(TimeUnit::Milliseconds)), ("time", None), ("timestamp", None)];
const RATE: &str = "mbps";
const DEVICE: &str = "device";

/// The columns of G-NetTrack Pro that are read. It also writes `DL_bitrate`, the rate to the phone.
const GNETTRACK: [&str; 2] = ["timestamp", "ul_bitrate"];
const GNETTRACK_MBPS: f64 = 1e-3;

const MAX_NAME_BYTES: usize = 200;

/// Where the times, rates and devices of a table stand, and their units.
pub(super) struct Table {
    columns: Columns<3>,
    has_devices: bool,
    /// The unit of times; `None` where the first time tells it.
    time_unit: Option<TimeUnit>,
    mbps_per_unit: f64,
    /// Whether a row without a rate is no mistake.
    rates_may_lack: bool,
}

impl Table {
    /// The table below a header of `csv`: a time, `mbps`, and perhaps `device`.
    pub(super) fn of_csv(header: &str) -> Option<Self> {
        let wanted = TIMES.map(|(name, _)| name);
        let header = Header::read(header, &[&wanted[..], &[RATE, DEVICE]].concat());
        let (time, time_unit) = TIMES.into_iter().find(|(name, _)| header.find(name).is_some())?;
        header.columns([time, RATE]).ok()?;
        let device = header.find(DEVICE);
        Some(Self {
            columns: header.at([header.find(time), device, header.find(RATE)]),
            has_devices: device.is_some(),
            time_unit,
            mbps_per_unit: 1.0,
            rates_may_lack: false,
        })
    }

    /// The table below a header of G-NetTrack Pro.
    pub(super) fn of_gnettrack(header: &str) -> Option<Self> {
        let header = Header::read(header, &GNETTRACK);
        let [time, rate] = GNETTRACK;
        header.columns(GNETTRACK).ok()?;
        Some(Self {
            columns: header.at([header.find(time), None, header.find(rate)]),
            has_devices: false,
            time_unit: None,
            mbps_per_unit: GNETTRACK_MBPS,
            rates_may_lack: true,
        })
    }

    /// The table below a header that names the user's columns.
    pub(super) fn of_columns(header: &str, named: &NamedColumns) -> Result<Self, HeaderError> {
        let names: Vec<&str> =
            [&named.time, &named.rate].into_iter().chain(&named.device).map(String::as_str).collect();
        let header = Header::read(header, &names);
        header.columns([named.time.as_str(), &named.rate])?;
        if let Some(device) = &named.device {
            header.columns([device.as_str()])?;
        }
        let device = named.device.as_ref().and_then(|device| header.find(device));
        Ok(Self {
            columns: header.at([header.find(&named.time), device, header.find(&named.rate)]),
            has_devices: device.is_some(),
            time_unit: Some(named.time_unit),
            mbps_per_unit: named.mbps_per_unit(),
            rates_may_lack: true,
        })
    }

    /// The traces of a file in order of their devices' names, each in order of time. A file without devices is the
    /// device `of_file`.
    pub(super) fn read<R: Read>(
        mut self,
        lines: &mut Lines<R>,
        counts: &mut ReadCounts,
        of_file: &str,
    ) -> Result<Vec<Trace>, Stop> {
        let mut devices: HashMap<String, Vec<Sample>> = HashMap::new();
        let mut in_header = true;
        counts.each_row(lines, |_, row| {
            if in_header {
                in_header = is_above_header(row);
                return Ok(LineContent::Nothing);
            }
            if row.starts_with('#') {
                return Ok(LineContent::Nothing);
            }
            let [time, device, rate] = self.columns.pick(row)?;
            if self.rates_may_lack && matches!(&*rate, "" | "-") {
                return Ok(LineContent::LeftOut);
            }
            let t_s = self.time(&time)?;
            let rate = number(&self.columns.decimal(&rate), Quantity::Rate, MAX_RATE_MBPS / self.mbps_per_unit)?;
            let sample = Sample { t_s, mbps: (rate * self.mbps_per_unit).min(MAX_RATE_MBPS) };
            let device = if self.has_devices { &*device } else { of_file };
            if self.has_devices && !is_name(device) {
                return Err(Reason::DeviceName);
            }
            match devices.get_mut(device) {
                Some(samples) => samples.push(sample),
                None => drop(devices.insert(device.to_owned(), vec![sample])),
            }
            Ok(LineContent::Samples(1))
        })?;
        let hold = Hold::UntilNext { last_s: None };
        let trace = |(device, samples)| Trace { device, samples: in_order(samples), hold };
        let mut traces: Vec<Trace> = devices.into_iter().map(trace).collect();
        traces.sort_by(|a, b| natural_order(&a.device, &b.device));
        Ok(traces)
    }

    /// A time in seconds. The first one tells the unit where no column does.
    fn time(&mut self, field: &str) -> Result<f64, Reason> {
        let field = self.columns.decimal(field);
        let unit = match self.time_unit {
            Some(unit) => unit,
            None => TimeUnit::guessed(&field).ok_or(Reason::NotANumber(Quantity::Time))?,
        };
        let t_s = unit.seconds(&field)?;
        self.time_unit = Some(unit);
        Ok(t_s)
    }
}

fn is_name(device: &str) -> bool {
    !device.is_empty() && device.len() <= MAX_NAME_BYTES && !device.chars().any(char::is_control)
}
