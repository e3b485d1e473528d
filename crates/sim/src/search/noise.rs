//! Noise from tables: drawing from one takes a fraction of the time of a logarithm.

use std::sync::LazyLock;

/// Noise is drawn from this number of equally likely values.
pub(crate) const LEVELS: usize = 4096;

/// Equally likely values of the Gumbel distribution, the lowest of which wins: differences of two are logistic.
pub(crate) static GUMBEL: LazyLock<Vec<f64>> = LazyLock::new(|| levels(|share| (-share.ln()).ln()));

/// Equally likely values of the logistic distribution.
pub(crate) static LOGISTIC: LazyLock<Vec<f64>> = LazyLock::new(|| levels(|share| (share / (1.0 - share)).ln()));

fn levels(quantile: fn(f64) -> f64) -> Vec<f64> {
    (0..LEVELS).map(|index| quantile((index as f64 + 0.5) / LEVELS as f64)).collect()
}
