//! Traces of devices, drives of several devices, and the windows of a drive.

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
    /// The seconds that each sample stands for, where the format says so: 1 for `throughput-log` and `mahimahi`.
    pub interval_s: Option<f64>,
}

/// Devices recorded at the same time, on one clock that starts at 0 with the earliest sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Drive {
    /// Folder and start in Unix seconds for `dds-uplink`, such as `urban/1547727609`; folder and file name without its
    /// extension for the others.
    pub name: String,
    /// The name of its folder, such as `urban`.
    pub environment: String,
    /// The devices, in order of their names.
    pub devices: Vec<Trace>,
}

/// The mean rates of all devices of a drive over some seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The beginning, in seconds on the clock of the drive.
    pub start_s: f64,
    /// Mean rate of each device in Mbit/s, in the order of [`Drive::devices`].
    pub mbps: Vec<f64>,
}

/// Beyond this index neighbouring windows cannot be told apart in an `f64`.
const MAX_WINDOW: f64 = (1_u64 << 53) as f64;

impl Drive {
    /// Seconds from 0 to the end of the last sample of any device.
    pub fn duration_s(&self) -> f64 {
        self.devices.iter().filter_map(Trace::end_s).fold(0.0, f64::max)
    }

    /// The windows `[k L, (k + 1) L)` of L = `length_s` seconds in which all devices have data, in order.
    ///
    /// A sample belongs to the window in which its time lies, and all samples of a window weigh the same. The last
    /// window may reach beyond the end of the drive. There are no windows if `length_s` is not above 0 or not finite.
    pub fn windows(&self, length_s: f64) -> Vec<Window> {
        let countable = length_s > 0.0 && length_s.is_finite() && self.duration_s() / length_s < MAX_WINDOW;
        let Some((first, others)) = self.devices.split_first().filter(|_| countable) else { return Vec::new() };
        let mut others: Vec<_> = others.iter().map(|device| device.means(length_s).peekable()).collect();
        let mut windows = Vec::new();
        'windows: for (index, mean) in first.means(length_s) {
            let mut mbps = Vec::with_capacity(self.devices.len());
            mbps.push(mean);
            for means in &mut others {
                while means.next_if(|(other, _)| *other < index).is_some() {}
                match means.peek() {
                    Some((other, mean)) if *other == index => mbps.push(*mean),
                    Some(_) => continue 'windows,
                    None => break 'windows,
                }
            }
            windows.push(Window { start_s: index as f64 * length_s, mbps });
        }
        windows
    }
}

impl Trace {
    /// The end of the last sample.
    pub(super) fn end_s(&self) -> Option<f64> {
        self.samples.last().map(|sample| sample.t_s + self.interval_s.unwrap_or(0.0))
    }

    /// Index and mean rate of each window that holds a sample, in order.
    fn means(&self, length_s: f64) -> impl Iterator<Item = (u64, f64)> {
        // Times such as 0.3 are a little less than 3 x 0.1; they count as 3.
        let index = move |sample: &Sample| (sample.t_s / length_s + 1e-9).floor() as u64;
        self.samples.chunk_by(move |a, b| index(a) == index(b)).map(move |chunk| {
            let total: f64 = chunk.iter().map(|sample| sample.mbps).sum();
            (index(&chunk[0]), total / chunk.len() as f64)
        })
    }
}
