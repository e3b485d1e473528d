//! How numbers from several seeds spread.

use sim::random;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 10_000;

/// Mean of some numbers, where it may lie, and their range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// How many numbers there are.
    pub(crate) count: usize,
    /// Their mean.
    pub(crate) mean: f64,
    /// 2.5th percentile of the bootstrapped mean.
    pub(crate) low: f64,
    /// 97.5th percentile of the bootstrapped mean.
    pub(crate) high: f64,
    /// The smallest number.
    pub(crate) least: f64,
    /// The largest.
    pub(crate) greatest: f64,
}

impl Spread {
    /// The percentile bootstrap from a random stream that is always the same.
    ///
    /// # Panics
    /// If there is no number.
    pub(crate) fn of(values: &[f64]) -> Self {
        assert!(!values.is_empty(), "the mean of nothing");
        let count = values.len();
        let mean = |sum: f64| sum / count as f64;
        let mut stream = random::stream(0, "bootstrap");
        let mut means: Vec<f64> =
            (0..RESAMPLES).map(|_| mean((0..count).map(|_| values[random::below(&mut stream, count)]).sum())).collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
        Self {
            count,
            mean: mean(values.iter().sum()),
            low: at(0.025),
            high: at(0.975),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_no_spread() {
        let spread = Spread::of(&[0.5]);
        assert_eq!(spread, Spread { count: 1, mean: 0.5, low: 0.5, high: 0.5, least: 0.5, greatest: 0.5 });
    }

    #[test]
    fn the_interval_is_that_of_the_normal_distribution_for_many_numbers() {
        let mut stream = random::stream(3, "spread");
        let values: Vec<f64> = (0..400).map(|_| random::unit(&mut stream)).collect();
        let spread = Spread::of(&values);
        let deviation = (values.iter().map(|value| (value - spread.mean).powi(2)).sum::<f64>() / 400.0).sqrt();
        let half = 1.96 * deviation / 20.0;
        assert!((spread.mean - spread.low - half).abs() < 0.1 * half, "{spread:?}, expected ± {half}");
        assert!((spread.high - spread.mean - half).abs() < 0.1 * half, "{spread:?}, expected ± {half}");
        assert!(spread.least < spread.low && spread.high < spread.greatest);
    }
}
