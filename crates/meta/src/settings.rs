//! Settings of Algorithm 1.

use model::{Adam, MAX_SAMPLES};
use serde::Serialize;
use sim::config::{Any, Checks, Keyword, Keywords, MAX_COUNT, PositiveUpTo};

use crate::labels::Labels;

/// Which part of the metadata one inner training of Reptile sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tasks {
    /// All metadata, as the paper prints it.
    Workloads,
    /// The workloads of one environment, drawn for each inner training and each network.
    Environments,
}

impl Keyword for Tasks {
    const KEYWORDS: &'static [(&'static str, Self)] =
        &[("workloads", Self::Workloads), ("environments", Self::Environments)];
}

sim::settings! {
    /// Settings of Algorithm 1. The defaults are the values of the preset `recommended`.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
    pub struct Settings {
        /// The scheme that labels the metadata.
        pub labels: Labels = Labels::LocalSearch, in Keywords;
        /// Number of labelled workloads.
        pub metadata: usize = 10_000, in 1..=MAX_SAMPLES;
        /// Number of consecutive workloads of the metadata that share an environment, where the environment changes.
        pub workloads_per_environment: usize = 1, in 1..=MAX_SAMPLES;
        /// Share of the metadata that each network sees, drawn for it alone: below 1 it keeps the networks different.
        pub metadata_share: f64 = 0.5, in PositiveUpTo(1.0);
        /// Which part of the metadata one inner training sees.
        pub tasks: Tasks = Tasks::Workloads, in Keywords;
        /// Number of inner trainings whose mean result makes one outer step.
        pub meta_batch: usize = 1, in 1..=MAX_COUNT;
        /// Workloads in a batch.
        pub batch: usize = 50, in 1..=MAX_SAMPLES;
        /// Outer steps: updates (21) of the meta parameters β*.
        pub outer_steps: usize = 500, in 0..=MAX_COUNT;
        /// Training steps of one inner training.
        pub inner_steps: usize = 4, in 1..=MAX_COUNT;
        /// Step size of Adam in the inner steps.
        pub inner_learning_rate: f64 = 0.01, in PositiveUpTo(1.0);
        /// β₁ of Adam in the inner steps; 0 in Reptile as its authors publish it.
        pub inner_momentum: f64 = 0.9, in 0.0..=1.0;
        /// ε of Adam in the inner steps. With a large ε small gradients move the parameters little, as in stochastic
        /// gradient descent.
        pub inner_epsilon: f64 = 1e-8, in Adam::EPSILON_LIMITS;
        /// Mlr of (21) in the first outer step.
        pub step_size: f64 = 1.0, in PositiveUpTo(1.0);
        /// Mlr of the last outer step, approached linearly.
        pub final_step_size: f64 = 0.1, in 0.0..=1.0;
        /// Whether every inner training starts from β* (Reptile) or continues where the last one ended, so that β* is a
        /// moving average of a single run. The paper does not say which.
        pub inner_restart: bool = true, in Any;
        /// Outer steps between reports.
        pub report_every: usize = 50, in 1..=MAX_COUNT;
    }
    check together with fields_fit;
}

fn fields_fit(settings: &Settings, checks: &mut Checks) {
    let Settings { metadata, workloads_per_environment, .. } = *settings;
    if workloads_per_environment > metadata.max(1) {
        let message = format!("must lie between 1 and {}, is {workloads_per_environment}", metadata.max(1));
        checks.add("workloads_per_environment", message);
    }
    if settings.inner_momentum == 1.0 {
        checks.add("inner_momentum", "must lie below 1: with 1 nothing is ever learned");
    }
    if settings.meta_batch > 1 && !settings.inner_restart {
        checks.add("meta_batch", "above 1 needs inner_restart = true");
    }
}
