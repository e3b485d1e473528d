//! Recorded network throughput and recorded task sizes, read from files.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let file = folder.path().join("bus.csv");
//! std::fs::write(&file, "4.5,Mbits/sec\n500,Kbits/sec\n0.00,bits/sec\n")?;
//! let recording = sim::trace::Recording::open(&file)?;
//! let device = &recording.drives[0].devices[0];
//! assert_eq!(device.samples[1].mbps, 0.5);
//! assert_eq!(recording.drives[0].windows(2.0)[0].mbps, [2.5]);
//! # Ok(())
//! # }
//! ```
//!
//! # The words
//! - A [`Sample`] is one measured rate, a [`Trace`] is what one device measured.
//! - A [`Drive`] is devices that were recorded at the same time; a [`Window`] is the mean rate of each of them over
//!   some seconds.
//! - A [`Recording`] is every drive of a file or folder, with one [`Source`] for each file: what was used, what was left
//!   out on purpose, and which lines are bad.
//! - [`TaskSizes`] are recorded sizes of tasks.
//!
//! # The formats
//! The content of a file tells its [`Format`]; its name does not matter.
//!
//! | format | a line | one file is |
//! |---|---|---|
//! | `dds-uplink` | 23 columns without a header; columns counted from 0: 0 seconds since the start, 1 Unix seconds, 19 payload in MiB, 20 rate in Mibit/s | one device; files of one folder whose times overlap are one drive |
//! | `throughput-log` | `value,unit`, one a second; the unit is `bits/sec`, `Kbits/sec`, `Mbits/sec` or `Gbits/sec` | a drive of one device |
//! | `mahimahi` | the millisecond at which one packet of 1500 bytes may leave | a drive of one device |
//! | `csv` | headed `t_s,device,mbps` in any order; further columns are ignored | a drive of all its devices |
//!
//! Files are UTF-8, with or without a byte-order mark, with lines that end in LF or CRLF. Blank lines mean nothing.
//! Times and rates are checked: a line that is no measurement, or one of a rate that is negative, not finite or above
//! [`MAX_RATE_MBPS`], is a bad line. It is counted and never used.
//!
//! # Time
//! - `dds-uplink`: the two times of a line give its Unix time to a fraction of a second. A line whose times put the start
//!   of the recording more than 2 s from where most lines put it is a bad line.
//! - `throughput-log`: a line with a known unit stands for one second even if its value is bad, and leaves a gap there.
//!   Stray lines, such as headers, take no time.
//! - `mahimahi`: packets are counted by the second; seconds without one are samples of 0. A time before the packet above
//!   it, or more than a day after it, is a bad line. The last second is left out, since it is not over.
//! - `csv`: lines may be in any order of time.
//!
//! # What it does not do
//! Nothing here fills gaps, smooths, or guesses rates between samples.

mod csv;
mod dds;
mod error;
mod format;
mod mahimahi;
mod read;
mod recording;
mod throughput;
mod workflow;

pub use error::TraceError;
pub use format::Format;
pub use read::{BadLine, BadLines, KEPT_BAD_LINES, MAX_BAD_LINES, MAX_FILE_BYTES, MAX_LINE_BYTES, Quantity, Reason};
pub use recording::{MAX_DEPTH, MAX_FILES, MAX_SAMPLES, Recording, SkipReason, Skipped, Source};
pub use workflow::{MAX_JSON_BYTES, TaskFormat, TaskSizes, task_sizes};

/// The highest rate that is believed, in Mbit/s.
pub const MAX_RATE_MBPS: f64 = 1e6;

/// The smallest transfer of a `dds-uplink` file that is used, in MiB. Latency rules the rate of smaller ones.
pub const MIN_PAYLOAD_MIB: f64 = 1.0;

/// A measured rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When, in seconds on the clock of the drive.
    pub t_s: f64,
    /// The rate in Mbit/s: finite, at least 0, at most [`MAX_RATE_MBPS`].
    pub mbps: f64,
}

/// What one device measured, in order of time.
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
    /// The folder it lay in, such as `urban`.
    pub environment: String,
    /// The devices, in order of their names.
    pub devices: Vec<Trace>,
}

/// The mean rates of all devices of a drive over some seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Where it begins, in seconds on the clock of the drive.
    pub start_s: f64,
    /// Mean rate of each device in Mbit/s, in the order of [`Drive::devices`].
    pub mbps: Vec<f64>,
}

/// A trace in figures. All of them are 0 where there is nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of samples.
    pub samples: usize,
    /// Seconds from the first sample to the last, and the seconds that the last one stands for.
    pub duration_s: f64,
    /// Mean rate of the samples in Mbit/s.
    pub mean_mbps: f64,
    /// Median rate in Mbit/s.
    pub median_mbps: f64,
    /// Least rate in Mbit/s.
    pub least_mbps: f64,
    /// Greatest rate in Mbit/s.
    pub greatest_mbps: f64,
    /// Share of samples whose rate is 0.
    pub zero_share: f64,
    /// Longest time between two samples, in seconds.
    pub longest_gap_s: f64,
    /// The sample after which it begins, in seconds on the clock of the drive.
    pub longest_gap_at_s: f64,
    /// Number of times between two samples that are more than three times their median.
    pub gaps: usize,
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
    /// The trace in figures.
    pub fn summary(&self) -> Summary {
        let mut rates: Vec<f64> = self.samples.iter().map(|sample| sample.mbps).collect();
        let count = rates.len();
        let share_of = |total: f64| if count == 0 { 0.0 } else { total / count as f64 };
        let mean_mbps = share_of(rates.iter().sum());
        let zero_share = share_of(rates.iter().filter(|rate| **rate == 0.0).count() as f64);
        let least_mbps = rates.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let greatest_mbps = rates.iter().copied().reduce(f64::max).unwrap_or(0.0);
        let median_mbps = median(&mut rates);

        let mut steps = rates;
        steps.clear();
        steps.extend(self.samples.windows(2).map(|pair| pair[1].t_s - pair[0].t_s));
        let (mut longest_gap_s, mut longest_gap_at_s) = (0.0, 0.0);
        for (step, sample) in steps.iter().zip(&self.samples) {
            if *step > longest_gap_s {
                (longest_gap_s, longest_gap_at_s) = (*step, sample.t_s);
            }
        }
        let median_step = median(&mut steps);
        Summary {
            samples: count,
            duration_s: self.end_s().unwrap_or(0.0) - self.samples.first().map_or(0.0, |sample| sample.t_s),
            mean_mbps,
            median_mbps,
            least_mbps,
            greatest_mbps,
            zero_share,
            longest_gap_s,
            longest_gap_at_s,
            gaps: steps.iter().filter(|step| **step > 3.0 * median_step).count(),
        }
    }

    /// Where the last sample ends.
    fn end_s(&self) -> Option<f64> {
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

/// The median, 0 of nothing; reorders `values`.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if even { below.iter().copied().reduce(f64::max) } else { None };
    lower.map_or(*upper, |lower| f64::midpoint(lower, *upper))
}
