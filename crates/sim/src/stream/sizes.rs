//! Distributions of sizes.

use std::sync::Arc;

use crate::random::{self, Stream};

/// A distribution of task sizes, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Sizes {
    /// Every size between the two equally likely.
    Uniform {
        /// Smallest size.
        min: f64,
        /// Largest size.
        max: f64,
    },
    /// Every order of magnitude between the two equally likely.
    LogUniform {
        /// Smallest size.
        min: f64,
        /// Largest size.
        max: f64,
    },
    /// One of these sizes, at least one, all equally likely.
    OneOf(Arc<[f64]>),
    /// Exponentially distributed.
    Exponential {
        /// Mean size.
        mean: f64,
    },
}

impl Sizes {
    /// Draws a size.
    pub fn draw(&self, random: &mut Stream) -> f64 {
        match self {
            Self::Uniform { min, max } => min + (max - min) * random::unit(random),
            Self::LogUniform { min, max } => min * (max / min).powf(random::unit(random)),
            Self::OneOf(sizes) => sizes[random::below(random, sizes.len())],
            Self::Exponential { mean } => mean * random::exponential(random),
        }
    }

    /// The mean size.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Uniform { min, max } => 0.5 * (min + max),
            Self::LogUniform { min, max } if min == max => *min,
            Self::LogUniform { min, max } => (max - min) / (max / min).ln(),
            Self::OneOf(sizes) => sizes.iter().sum::<f64>() / sizes.len() as f64,
            Self::Exponential { mean } => *mean,
        }
    }

    /// The mean of the squares of sizes.
    pub fn mean_square(&self) -> f64 {
        match self {
            Self::Uniform { min, max } => (min * min + min * max + max * max) / 3.0,
            Self::LogUniform { min, max } if min == max => min * min,
            Self::LogUniform { min, max } => (max * max - min * min) / (2.0 * (max / min).ln()),
            Self::OneOf(sizes) => sizes.iter().map(|size| size * size).sum::<f64>() / sizes.len() as f64,
            Self::Exponential { mean } => 2.0 * mean * mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_draws() {
        let all = [
            Sizes::Uniform { min: 10.0, max: 30.0 },
            Sizes::LogUniform { min: 2.0, max: 60.0 },
            Sizes::LogUniform { min: 3.0, max: 3.0 },
            Sizes::OneOf([10.0, 20.0, 30.0].into()),
            Sizes::Exponential { mean: 5.0 },
        ];
        for sizes in all {
            let mut random = random::stream(1, "sizes");
            let draws: Vec<f64> = (0..200_000).map(|_| sizes.draw(&mut random)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let square = draws.iter().map(|size| size * size).sum::<f64>() / draws.len() as f64;
            assert!((mean / sizes.mean() - 1.0).abs() < 0.01, "{sizes:?}: {mean}");
            assert!((square / sizes.mean_square() - 1.0).abs() < 0.02, "{sizes:?}: {square}");
        }
    }
}
