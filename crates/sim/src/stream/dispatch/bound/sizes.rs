//! Ranges of sizes.

use crate::stream::Sizes;

/// The number of ranges of a continuous distribution.
const RANGES: usize = 48;
/// The largest size over the smallest one that is told apart where a distribution begins at 0.
const SPREAD: f64 = 1_000.0;
/// The largest finite border of exponential sizes, in means.
const LONGEST: f64 = 20.0;

/// Sizes above the range before, up to `top`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SizeRange {
    /// The largest size; may be infinite.
    pub(super) top: f64,
    /// E[s; s in the range].
    pub(super) bytes: f64,
    /// E[s; s ≤ top].
    pub(super) bytes_below: f64,
    /// E[s²; s ≤ top].
    pub(super) squares_below: f64,
}

/// The ranges of a distribution, in order; they contain all sizes.
pub(super) fn ranges(sizes: &Sizes) -> Vec<SizeRange> {
    let geometric = |from: f64, to: f64| -> Vec<f64> {
        (1..=RANGES)
            .map(|index| if index == RANGES { to } else { from * (to / from).powf(index as f64 / RANGES as f64) })
            .collect()
    };
    let tops = match sizes {
        Sizes::Uniform { min, max } | Sizes::LogUniform { min, max } => geometric(min.max(max / SPREAD), *max),
        Sizes::OneOf(sizes) => {
            let mut tops = sizes.to_vec();
            tops.sort_by(f64::total_cmp);
            tops.dedup();
            tops
        }
        Sizes::Exponential { mean } => {
            let mut tops = geometric(LONGEST * mean / SPREAD, LONGEST * mean);
            tops.push(f64::INFINITY);
            tops
        }
    };
    let mut before = 0.0;
    let range = |top: f64| {
        let (bytes_below, squares_below) =
            if top.is_finite() { moments_below(sizes, top) } else { (sizes.mean(), sizes.mean_square()) };
        let bytes = (bytes_below - before).max(0.0);
        before = bytes_below;
        SizeRange { top, bytes, bytes_below, squares_below }
    };
    tops.into_iter().map(range).collect()
}

/// E[s; s ≤ t] and E[s²; s ≤ t].
fn moments_below(sizes: &Sizes, t: f64) -> (f64, f64) {
    match sizes {
        Sizes::Uniform { min, max } | Sizes::LogUniform { min, max } if min == max || t >= *max => {
            (sizes.mean(), sizes.mean_square())
        }
        Sizes::Uniform { min, max } => {
            let t = t.max(*min);
            let width = max - min;
            ((t * t - min * min) / (2.0 * width), (t.powi(3) - min.powi(3)) / (3.0 * width))
        }
        Sizes::LogUniform { min, max } => {
            let t = t.max(*min);
            let width = (max / min).ln();
            ((t - min) / width, (t * t - min * min) / (2.0 * width))
        }
        Sizes::OneOf(all) => {
            let below = || all.iter().filter(|size| **size <= t);
            let count = all.len() as f64;
            (below().sum::<f64>() / count, below().map(|size| size * size).sum::<f64>() / count)
        }
        Sizes::Exponential { mean } => {
            let rest = (-t / mean).exp();
            (mean - (t + mean) * rest, 2.0 * mean * mean - (t * t + 2.0 * t * mean + 2.0 * mean * mean) * rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn moments_of_ranges_are_those_of_draws() {
        let all = [
            Sizes::Uniform { min: 10.0, max: 30.0 },
            Sizes::Uniform { min: 0.0, max: 30.0 },
            Sizes::LogUniform { min: 2.0, max: 60.0 },
            Sizes::LogUniform { min: 3.0, max: 3.0 },
            Sizes::OneOf([10.0, 20.0, 30.0, 20.0].into()),
            Sizes::Exponential { mean: 5.0 },
        ];
        for sizes in all {
            let mut random = random::stream(1, "sizes");
            let draws: Vec<f64> = (0..200_000).map(|_| sizes.draw(&mut random)).collect();
            let ranges = ranges(&sizes);
            assert!((ranges.iter().map(|range| range.bytes).sum::<f64>() / sizes.mean() - 1.0).abs() < 1e-12);
            for range in &ranges {
                let below = || draws.iter().filter(|size| **size <= range.top);
                let bytes = below().sum::<f64>() / 200_000.0;
                let squares = below().map(|size| size * size).sum::<f64>() / 200_000.0;
                assert!((bytes - range.bytes_below).abs() < 0.01 * sizes.mean(), "{sizes:?} {range:?} {bytes}");
                assert!((squares - range.squares_below).abs() < 0.02 * sizes.mean_square(), "{sizes:?} {range:?}");
            }
        }
    }
}
