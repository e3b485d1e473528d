//! Statistics of results over several seeds: means with bootstrapped 95 % intervals.

use sim::random;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 10_000;
/// Resamples where thousands of means are computed.
const FEW_RESAMPLES: usize = 1_000;

/// The mean of some numbers, its 95 % interval, and their range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The count of the numbers.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Interquartile mean: the mean of the middle half, which a single outlier hardly moves.
    pub iqm: f64,
    /// 2.5th percentile of the bootstrapped mean.
    pub low: f64,
    /// 97.5th percentile of the bootstrapped mean.
    pub high: f64,
    /// The smallest number.
    pub least: f64,
    /// The largest number.
    pub greatest: f64,
}

impl Spread {
    /// The spread of some numbers, by a percentile bootstrap from a fixed random stream: equal numbers give equal intervals.
    ///
    /// # Panics
    /// If there is no number.
    pub fn of(values: &[f64]) -> Self {
        Self::bootstrapped(&[values], RESAMPLES)
    }

    /// The spread of some numbers with fewer resamples, for the many points of a curve.
    ///
    /// # Panics
    /// If there is no number.
    pub fn of_point(values: &[f64]) -> Self {
        Self::bootstrapped(&[values], FEW_RESAMPLES)
    }

    /// The spread of numbers from several settings, by a stratified bootstrap: numbers are resampled within each setting, so
    /// that differences between settings do not widen the interval.
    ///
    /// # Panics
    /// If there is no number.
    pub fn of_strata(strata: &[&[f64]]) -> Self {
        Self::bootstrapped(strata, RESAMPLES)
    }

    /// The spread of values that come in clusters, such as the windows of drives. Clusters and seeds are resampled as a whole,
    /// since the values of one cluster are not independent; a seed that is drawn is drawn for all clusters.
    ///
    /// # Shapes
    /// `clusters`: `[clusters][seeds][values]`, where the number of values may differ.
    ///
    /// # Panics
    /// If there is no value, or clusters differ in their number of seeds.
    pub fn of_clusters(clusters: &[Vec<Vec<f64>>]) -> Self {
        let seeds = clusters[0].len();
        assert!(clusters.iter().all(|cluster| cluster.len() == seeds), "seeds of clusters");
        let sums: Vec<Vec<(f64, f64)>> = clusters
            .iter()
            .map(|cluster| cluster.iter().map(|values| (values.iter().sum(), values.len() as f64)).collect())
            .collect();
        let mut stream = random::stream(0, "bootstrap");
        let mut draw = |count: usize| (0..count).map(|_| random::below(&mut stream, count)).collect::<Vec<_>>();
        let mut means = Vec::with_capacity(FEW_RESAMPLES);
        for _ in 0..FEW_RESAMPLES {
            let (drawn_clusters, drawn_seeds) = (draw(clusters.len()), draw(seeds));
            let (mut sum, mut count) = (0.0, 0.0);
            for cluster in drawn_clusters {
                for &seed in &drawn_seeds {
                    sum += sums[cluster][seed].0;
                    count += sums[cluster][seed].1;
                }
            }
            if count > 0.0 {
                means.push(sum / count);
            }
        }
        Self::with_means(clusters.iter().flatten().flatten().copied().collect(), means)
    }

    fn bootstrapped(strata: &[&[f64]], resamples: usize) -> Self {
        let values: Vec<f64> = strata.concat();
        let count = values.len();
        let mut stream = random::stream(0, "bootstrap");
        let mut resample = |stratum: &&[f64]| -> f64 {
            (0..stratum.len()).map(|_| stratum[random::below(&mut stream, stratum.len())]).sum()
        };
        let means = (0..resamples).map(|_| strata.iter().map(&mut resample).sum::<f64>() / count as f64).collect();
        Self::with_means(values, means)
    }

    /// The spread of values whose resamples have these means.
    fn with_means(mut values: Vec<f64>, mut means: Vec<f64>) -> Self {
        let (count, resamples) = (values.len(), means.len());
        assert!(count > 0 && resamples > 0, "the mean of nothing");
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[((resamples - 1) as f64 * share).round() as usize];
        values.sort_by(f64::total_cmp);
        Self {
            count,
            mean: values.iter().sum::<f64>() / count as f64,
            iqm: interquartile_mean(&values),
            low: at(0.025),
            high: at(0.975),
            least: values[0],
            greatest: values[count - 1],
        }
    }
}

/// The 97.5th percentiles of Student's t with 1, 2, ... degrees of freedom.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The 95 % interval of the mean of a few numbers by Student's t, which stays honest for as few as two; `None` for fewer.
pub fn student_interval(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    // Beyond the table the percentile is that of the normal distribution, less than 4 % lower.
    let quantile = STUDENT.get(count - 2).copied().unwrap_or(1.96);
    let half = quantile * (variance / count as f64).sqrt();
    Some((mean - half, mean + half))
}

/// The interquartile mean of sorted numbers. A number on the border of a quarter counts in part.
fn interquartile_mean(sorted: &[f64]) -> f64 {
    let quarter = sorted.len() as f64 / 4.0;
    let weight = |index: usize| {
        let (from, to) = (index as f64, index as f64 + 1.0);
        (to.min(3.0 * quarter) - from.max(quarter)).max(0.0)
    };
    sorted.iter().enumerate().map(|(index, value)| weight(index) * value).sum::<f64>() / (2.0 * quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_no_spread() {
        let spread = Spread::of(&[0.5]);
        let half = 0.5;
        let expected = Spread { count: 1, mean: half, iqm: half, low: half, high: half, least: half, greatest: half };
        assert_eq!(spread, expected);
    }

    #[test]
    fn the_interval_is_that_of_the_normal_distribution_for_many_numbers() {
        let mut stream = random::stream(3, "spread");
        let values: Vec<f64> = (0..400).map(|_| random::unit(&mut stream)).collect();
        for spread in [Spread::of(&values), Spread::of_point(&values)] {
            let std_dev = (values.iter().map(|value| (value - spread.mean).powi(2)).sum::<f64>() / 400.0).sqrt();
            let half = 1.96 * std_dev / 20.0;
            assert!((spread.mean - spread.low - half).abs() < 0.15 * half, "{spread:?}, expected ± {half}");
            assert!((spread.high - spread.mean - half).abs() < 0.15 * half, "{spread:?}, expected ± {half}");
            assert!(spread.least < spread.low && spread.high < spread.greatest);
        }
    }

    #[test]
    fn differences_between_strata_do_not_widen_the_interval() {
        let spread = Spread::of_strata(&[&[1.0, 1.0, 1.0], &[5.0, 5.0, 5.0]]);
        assert_eq!((spread.low, spread.mean, spread.high), (3.0, 3.0, 3.0));
        let mixed = Spread::of(&[1.0, 1.0, 1.0, 5.0, 5.0, 5.0]);
        assert!(mixed.low < 2.0 && mixed.high > 4.0);
    }

    #[test]
    fn many_values_of_few_clusters_do_not_narrow_the_interval() {
        let drives = |copies: usize| [0.2, 0.6, 0.7].map(|value| vec![vec![value; copies]; 2]).to_vec();
        let (few, many) = (Spread::of_clusters(&drives(1)), Spread::of_clusters(&drives(100)));
        assert!((few.mean - 0.5).abs() < 1e-12 && (many.mean - 0.5).abs() < 1e-9);
        assert!((few.low - many.low).abs() < 1e-9 && (few.high - many.high).abs() < 1e-9, "{few:?} {many:?}");
        assert!(many.low < 0.25 && many.high > 0.65, "{many:?}");
    }

    #[test]
    fn few_numbers_have_a_wide_interval() {
        assert_eq!(student_interval(&[1.0]), None);
        let (low, high) = student_interval(&[1.0, 2.0, 3.0]).expect("three numbers");
        assert!((high - 2.0 - 4.303 / 3.0_f64.sqrt()).abs() < 1e-12 && (high + low - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_interquartile_mean_leaves_the_outer_quarters_out() {
        assert_eq!(interquartile_mean(&[0.0, 1.0, 3.0, 1000.0]), 2.0);
        // 5 numbers: a quarter of the second and fourth is outside.
        let expected = (0.75 * 1.0 + 2.0 + 0.75 * 3.0) / 2.5;
        assert!((interquartile_mean(&[-50.0, 1.0, 2.0, 3.0, 90.0]) - expected).abs() < 1e-12);
    }
}
