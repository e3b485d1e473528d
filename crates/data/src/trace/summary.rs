//! A trace in figures.

use super::drive::Trace;

/// A trace in figures. A figure is 0 where there is nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of samples.
    pub samples: usize,
    /// Seconds from the first sample to the last, and the seconds that the last one stands for.
    pub duration_s: f64,
    /// Mean rate in Mbit/s, weighted by time where the windows of a drive are.
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

impl Trace {
    /// The trace in figures.
    pub fn summary(&self) -> Summary {
        let mut rates: Vec<f64> = self.samples.iter().map(|sample| sample.mbps).collect();
        let count = rates.len();
        let zeros = rates.iter().filter(|rate| **rate == 0.0).count();
        let zero_share = if count == 0 { 0.0 } else { zeros as f64 / count as f64 };
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
            mean_mbps: self.mean_mbps(),
            median_mbps,
            least_mbps,
            greatest_mbps,
            zero_share,
            longest_gap_s,
            longest_gap_at_s,
            gaps: steps.iter().filter(|step| **step > 3.0 * median_step).count(),
        }
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
