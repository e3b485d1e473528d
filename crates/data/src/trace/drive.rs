//! Traces of devices, and drives of several devices.

/// A measured rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The time in seconds on the clock of the drive.
    pub t_s: f64,
    /// The rate in Mbit/s: finite, at least 0, at most [`MAX_RATE_MBPS`](crate::limits::MAX_RATE_MBPS).
    pub mbps: f64,
}

/// The measurements of one device, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Name of the device.
    pub device: String,
    /// The measurements; several may have the same time.
    pub samples: Vec<Sample>,
    /// The time that the samples stand for.
    pub hold: Hold,
}

/// The time that the samples of a trace stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hold {
    /// Every sample stands for the same time, except the last one: `throughput-log` and `mahimahi`.
    Fixed {
        /// Seconds that each sample but the last stands for.
        each_s: f64,
        /// Seconds that the last sample stands for.
        last_s: f64,
    },
    /// A sample stands for the time until the next one, as [`Drive::windows`] says in detail.
    UntilNext {
        /// Seconds that the last sample stands for, where the format says so.
        last_s: Option<f64>,
    },
    /// Samples are single transfers, and nothing is known of the time between them: `dds-uplink`.
    Single,
}

/// Devices recorded at the same time, on one clock that starts at 0 with the earliest sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Drive {
    /// Folder and start in Unix seconds for `dds-uplink`, such as `urban/1547727609`; folder and file name without its
    /// extension for the others.
    pub name: String,
    /// The name of its folder, such as `urban`.
    pub environment: String,
    /// The devices, in the natural order of their names: `phone 9` comes before `phone 10`.
    pub devices: Vec<Trace>,
}

impl Drive {
    /// Seconds from 0 to the end of the last sample of any device.
    pub fn duration_s(&self) -> f64 {
        self.devices.iter().filter_map(Trace::end_s).fold(0.0, f64::max)
    }
}

impl Trace {
    /// The end of the last sample. Where the format does not say how long it lasts, its beginning.
    pub(super) fn end_s(&self) -> Option<f64> {
        let last_s = match self.hold {
            Hold::Fixed { last_s, .. } => last_s,
            Hold::UntilNext { last_s } => last_s.unwrap_or(0.0),
            Hold::Single => 0.0,
        };
        self.samples.last().map(|sample| sample.t_s + last_s)
    }
}
