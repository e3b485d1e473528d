//! The columns of a CSV file as the user names them: `time=Timestamp:iso,rate=UL_bitrate:kbps,device=phone`.

use std::fmt;
use std::str::FromStr;

use super::clock::TimeUnit;

/// The units of rates by their names, each with its Mbit/s.
const RATE_UNITS: [(&str, f64); 9] = [
    ("bps", 1e-6),
    ("kbps", 1e-3),
    ("mbps", 1.0),
    ("gbps", 1e3),
    ("Bps", 8e-6),
    ("kBps", 8e-3),
    ("MBps", 8.0),
    ("KiBps", 8.0 * 1024.0 / 1e6),
    ("MiBps", 8.0 * 1024.0 * 1024.0 / 1e6),
];

/// The columns of a CSV file that hold times, rates and devices.
///
/// As text `time=NAME:UNIT,rate=NAME:UNIT,device=NAME`, in any order. The unit of time is `iso`, `s` or `ms`, that of rates
/// `bps`, `kbps`, `mbps`, `gbps` (bits per second), `Bps`, `kBps`, `MBps`, `KiBps` or `MiBps` (bytes per second). Without a
/// device the file is one device.
///
/// ```
/// use data::trace::Columns;
///
/// let columns: Columns = "time=Timestamp:iso,rate=UL_bitrate:kbps".parse()?;
/// assert_eq!(columns.to_string(), "time=Timestamp:iso,rate=UL_bitrate:kbps");
/// # Ok::<(), data::trace::ColumnsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    pub(super) time: String,
    pub(super) time_unit: TimeUnit,
    pub(super) rate: String,
    /// An index of [`RATE_UNITS`].
    rate_unit: usize,
    pub(super) device: Option<String>,
}

/// Why a text does not name columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// A part that is not `time=…`, `rate=…` or `device=…`.
    #[error("`{0}` is not one of time=NAME:UNIT, rate=NAME:UNIT and device=NAME")]
    Unknown(String),
    /// The same part twice.
    #[error("{0} is named twice")]
    Twice(&'static str),
    /// No time or no rate.
    #[error("{0}=NAME:UNIT is missing")]
    Missing(&'static str),
    /// No unit of time behind the last colon, or an unknown one.
    #[error("the unit of time must stand behind a colon and be iso, s or ms, as in time=Timestamp:iso; found `{0}`")]
    TimeUnit(String),
    /// No unit of rates behind the last colon, or an unknown one.
    #[error(
        "the unit of rates must stand behind a colon and be {}, as in rate=UL_bitrate:kbps; found `{text}`",
        RATE_UNITS.map(|(name, _)| name).join(", ")
    )]
    RateUnit {
        /// What stands there.
        text: String,
    },
}

impl Columns {
    /// Mbit/s per unit of the rates.
    pub(super) fn mbps_per_unit(&self) -> f64 {
        RATE_UNITS[self.rate_unit].1
    }
}

impl FromStr for Columns {
    type Err = ColumnsError;

    fn from_str(text: &str) -> Result<Self, ColumnsError> {
        let (mut time, mut rate, mut device) = (None, None, None);
        for part in text.split(',') {
            let unknown = || ColumnsError::Unknown(part.trim().to_owned());
            let (key, value) = part.split_once('=').ok_or_else(unknown)?;
            let value = value.trim();
            if value.is_empty() {
                return Err(unknown());
            }
            let taken = match key.trim() {
                "time" => time.replace(time_column(value)?).map(|_| "time"),
                "rate" => rate.replace(rate_column(value)?).map(|_| "rate"),
                "device" => device.replace(value.to_owned()).map(|_| "device"),
                _ => return Err(unknown()),
            };
            if let Some(key) = taken {
                return Err(ColumnsError::Twice(key));
            }
        }
        let (time, time_unit) = time.ok_or(ColumnsError::Missing("time"))?;
        let (rate, rate_unit) = rate.ok_or(ColumnsError::Missing("rate"))?;
        Ok(Self { time, time_unit, rate, rate_unit, device })
    }
}

fn time_column(value: &str) -> Result<(String, TimeUnit), ColumnsError> {
    let found = value.rsplit_once(':').and_then(|(name, unit)| Some((name, TimeUnit::of_name(unit)?)));
    match found {
        Some((name, unit)) if !name.is_empty() => Ok((name.to_owned(), unit)),
        _ => Err(ColumnsError::TimeUnit(value.to_owned())),
    }
}

fn rate_column(value: &str) -> Result<(String, usize), ColumnsError> {
    let found = value.rsplit_once(':').and_then(|(name, unit)| {
        let index = RATE_UNITS.iter().position(|(known, _)| *known == unit)?;
        Some((name, index))
    });
    match found {
        Some((name, unit)) if !name.is_empty() => Ok((name.to_owned(), unit)),
        _ => Err(ColumnsError::RateUnit { text: value.to_owned() }),
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time={}:{},rate={}:{}", self.time, self.time_unit, self.rate, RATE_UNITS[self.rate_unit].0)?;
        self.device.as_ref().map_or(Ok(()), |device| write!(f, ",device={device}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_in_any_order_with_their_units() {
        let columns: Columns = " rate=UL bit:rate:MiBps , device=phone,time=when:ms".parse().expect("complete");
        assert_eq!((columns.time.as_str(), columns.time_unit), ("when", TimeUnit::Milliseconds));
        assert_eq!((columns.rate.as_str(), columns.mbps_per_unit()), ("UL bit:rate", 8.388_608));
        assert_eq!(columns.device.as_deref(), Some("phone"));
        assert_eq!(columns.to_string().parse(), Ok(columns));
    }

    #[test]
    fn what_names_no_columns_is_refused_with_what_to_write() {
        use ColumnsError::{Missing, RateUnit, Twice, Unknown};
        let rate_unit = |text: &str| RateUnit { text: text.to_owned() };
        let error = |text: &str| text.parse::<Columns>().expect_err("incomplete");
        assert_eq!(error(""), Unknown(String::new()));
        assert_eq!(error("time=t:s"), Missing("rate"));
        assert_eq!(error("rate=r:bps"), Missing("time"));
        assert_eq!(error("time=t:s,rate=r:bps,rate=x:bps"), Twice("rate"));
        assert_eq!(error("time=t:s,speed=r:bps"), Unknown("speed=r:bps".to_owned()));
        assert_eq!(error("time=t,rate=r:bps"), ColumnsError::TimeUnit("t".to_owned()));
        assert_eq!(error("time=t:s,rate=r:Mbit"), rate_unit("r:Mbit"));
        assert_eq!(error("time=t:s,rate=:bps"), rate_unit(":bps"));
        assert!(error("time=t:s,rate=r").to_string().contains("kbps, mbps"));
    }
}
