//! Settings of training for any fleet.

use serde::Serialize;
use sim::config::{Any, MAX_COUNT, PositiveUpTo};

use crate::schedule::Schedule;

/// The most tasks times places that one step may hold.
const MAX_ROWS: usize = 1_000_000;

sim::settings! {
    /// Settings of training for any fleet. The defaults are the values of the preset `fleet`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct FleetSettings {
        /// Steps: each draws some fleets and takes one training step of each network.
        pub steps: usize = 10_000, in 1..=MAX_COUNT;
        /// The most fleets in one step.
        pub fleets_per_step: usize = 64, in 1..=4096;
        /// The most tasks times places in one step, over all its fleets; a step has at least four fleets all the same.
        pub rows_per_step: usize = 4000, in 1..=MAX_ROWS;
        /// Number of steps whose fleets are remembered; in each step a network learns from the fleets of one of these
        /// steps.
        pub buffer: usize = 32, in 1..=10_000;
        /// Step size of Adam in the first step.
        pub learning_rate: f64 = 0.005, in PositiveUpTo(1.0);
        /// Step size of Adam in the last step, approached linearly.
        pub final_learning_rate: f64 = 0.0001, in 0.0..=1.0;
        /// Least certain tasks that are tried at their second best place.
        pub flips: usize = 8, in Any;
        /// Share of the fleets where nothing is decided before the first pass; the others start from the greedy decision.
        pub undecided: f64 = 0.6, in 0.0..=1.0;
        /// Steps between reports.
        pub report_every: usize = 250, in 1..=MAX_COUNT;
    }
}

impl FleetSettings {
    /// The step size of Adam over the steps, which count from 0.
    pub(crate) fn schedule(&self) -> Schedule {
        Schedule { from: self.learning_rate, to: self.final_learning_rate, first: 0, last: self.steps }
    }
}
