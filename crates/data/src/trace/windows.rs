//! The mean rates of devices in windows of some seconds.

use sim::limits::WINDOW_S;

use super::drive::{Drive, Hold, Sample, Trace};
use super::spacing::Spacing;
use crate::limits::MAX_RATE_MBPS;

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
    /// The windows `[k L, (k + 1) L)` of L = `length_s` seconds in which all devices have data, in order.
    ///
    /// A device has data in a window if the time of one of its samples lies in it. Its mean rate there depends on the
    /// time that samples stand for:
    ///
    /// - [`Hold::Single`], and samples that all stand for the same time: all samples of the window weigh the same.
    /// - [`Hold::Fixed`]: each sample weighs the seconds that it stands for.
    /// - [`Hold::UntilNext`]: each sample holds until the next one and weighs the seconds of that time which lie in the
    ///   window; the last sample before the window counts, too, as long as it holds. A time between samples of more than
    ///   three usual ones is a gap, over which a sample holds for the usual time. So does the last sample, unless the
    ///   format says how long it lasts. The usual time is the one where half of the recorded time lies in times no longer
    ///   than it; times longer than L are not counted. Samples of the same time count as their mean. If all times between
    ///   samples are within a tenth of the usual one, gaps excepted, all samples weigh the same.
    ///
    /// The last window may reach beyond the end of the drive. There are no windows if `length_s` is not above 0 or not
    /// finite.
    pub fn windows(&self, length_s: f64) -> Vec<Window> {
        let countable = length_s > 0.0 && length_s.is_finite() && self.duration_s() / length_s < MAX_WINDOW;
        let Some((first, others)) = self.devices.split_first().filter(|_| countable) else { return Vec::new() };
        let mut others: Vec<_> = others.iter().map(|device| device.means(length_s).into_iter().peekable()).collect();
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
    /// The mean rate of the whole trace in Mbit/s, weighted as in [`Drive::windows`]; 0 without samples.
    pub(super) fn mean_mbps(&self) -> f64 {
        let Some(rates) = self.irregular(WINDOW_S) else { return self.mean_of(&self.samples) };
        let mut sum = WindowSum::default();
        rates.for_each(|held| sum.add(held, f64::NEG_INFINITY, f64::INFINITY));
        sum.mean()
    }

    /// Index and mean rate of each window that holds a sample, in order.
    fn means(&self, length_s: f64) -> Vec<(u64, f64)> {
        // Times such as 0.3 are a little less than 3 x 0.1; they count as 3.
        let index = move |t_s: f64| (t_s / length_s + 1e-9).floor() as u64;
        let Some(rates) = self.irregular(length_s) else {
            let chunks = self.samples.chunk_by(|a, b| index(a.t_s) == index(b.t_s));
            return chunks.map(|chunk| (index(chunk[0].t_s), self.mean_of(chunk))).collect();
        };
        let mut means: Vec<(u64, f64)> = Vec::new();
        let mut before: Option<Held> = None;
        let mut current: Option<(u64, WindowSum)> = None;
        for held in rates {
            let at = index(held.t_s);
            let (start_s, end_s) = (at as f64 * length_s, (at as f64 + 1.0) * length_s);
            let mut sum = match current.take() {
                Some((same, sum)) if same == at => sum,
                earlier => {
                    means.extend(earlier.map(|(index, sum)| (index, sum.mean())));
                    let mut sum = WindowSum::default();
                    if let Some(before) = before {
                        sum.add_earlier(before, start_s);
                    }
                    sum
                }
            };
            sum.add(held, start_s, end_s);
            current = Some((at, sum));
            before = Some(held);
        }
        means.extend(current.map(|(index, sum)| (index, sum.mean())));
        means
    }

    /// The mean rate of some neighbouring samples that stand for equal times, except perhaps the last of the trace.
    fn mean_of(&self, samples: &[Sample]) -> f64 {
        let is_last = |sample: &Sample| self.samples.last().is_some_and(|last| last.t_s == sample.t_s);
        match (self.hold, samples.split_last()) {
            (_, None) => 0.0,
            (Hold::Fixed { each_s, last_s }, Some((last, others))) if each_s != last_s && is_last(last) => {
                let rates: f64 = others.iter().map(|sample| sample.mbps).sum();
                (rates * each_s + last.mbps * last_s) / (others.len() as f64 * each_s + last_s)
            }
            _ => plain_mean(samples),
        }
    }

    /// The rates with the seconds that each of them holds, or `None` if the samples stand for equal times.
    fn irregular(&self, window_s: f64) -> Option<impl Iterator<Item = Held>> {
        let Hold::UntilNext { last_s } = self.hold else { return None };
        let spacing = Spacing::of(self, window_s).filter(|spacing| !spacing.is_regular)?;
        let mut groups = self.samples.chunk_by(|a, b| a.t_s == b.t_s).peekable();
        Some(std::iter::from_fn(move || {
            let group = groups.next()?;
            let t_s = group[0].t_s;
            let until_next = groups.peek().map(|next| spacing.hold_s(next[0].t_s - t_s));
            let hold_s = until_next.or(last_s).unwrap_or(spacing.usual_s);
            Some(Held { t_s, mbps: plain_mean(group), hold_s })
        }))
    }
}

/// A rate and the seconds that it holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    t_s: f64,
    mbps: f64,
    hold_s: f64,
}

/// Sums over the rates of one window.
#[derive(Debug, Default)]
struct WindowSum {
    /// Rates times the seconds that they hold within the window.
    area: f64,
    seconds: f64,
    /// Sum and number of the rates, for a window in which none holds for any time.
    rates: f64,
    count: f64,
}

impl WindowSum {
    /// Adds the last rate before the window, for the time that it still holds within it.
    fn add_earlier(&mut self, held: Held, start_s: f64) {
        let seconds = (held.t_s + held.hold_s - held.t_s.max(start_s)).max(0.0);
        self.area += held.mbps * seconds;
        self.seconds += seconds;
    }

    fn add(&mut self, held: Held, start_s: f64, end_s: f64) {
        let seconds = ((held.t_s + held.hold_s).min(end_s) - held.t_s.max(start_s)).max(0.0);
        self.area += held.mbps * seconds;
        self.seconds += seconds;
        self.rates += held.mbps;
        self.count += 1.0;
    }

    fn mean(&self) -> f64 {
        let mean = if self.seconds > 0.0 { self.area / self.seconds } else { self.rates / self.count };
        mean.min(MAX_RATE_MBPS)
    }
}

/// The mean of rates that all weigh the same.
fn plain_mean(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.mbps).sum::<f64>() / samples.len() as f64
}
