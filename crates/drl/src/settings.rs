//! Settings of Algorithm 2.

use model::{Adam, DEFAULT_FLIPS, MAX_SAMPLES, Selection};
use serde::Serialize;
use sim::config::{Any, Checks, Flattened, MAX_COUNT, PositiveUpTo};

use crate::schedule::Schedule;

/// The most workloads in one step.
const MAX_WORKLOADS_PER_STEP: usize = 4096;

sim::settings! {
    /// Settings of Algorithm 2. The defaults are the values of the preset `recommended`.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
    pub struct Settings {
        /// Steps, N of Algorithm 2: each decides some workloads and, once enough samples are remembered, trains.
        pub steps: usize = 10_000, in 0..=MAX_COUNT;
        /// Workloads decided and remembered in one step; 1 in the paper.
        pub workloads_per_step: usize = 1, in 1..=MAX_WORKLOADS_PER_STEP;
        /// Capacity of the replay buffer in samples.
        pub buffer: usize = 1400, in 1..=MAX_SAMPLES;
        /// Samples in the buffer from which on the networks learn; `None`, as in the paper: a full buffer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub learn_from: Option<usize> = None, in 0..=MAX_SAMPLES;
        /// Samples in the batch of each network.
        pub batch: usize = 128, in 1..=MAX_SAMPLES;
        /// Step size of Adam in the first training step.
        pub learning_rate: f64 = 0.003, in PositiveUpTo(1.0);
        /// Step size of Adam in the last step, approached linearly.
        pub final_learning_rate: f64 = 0.0001, in 0.0..=1.0;
        /// ε of Adam. With a large ε small gradients move the parameters little, as in stochastic gradient descent.
        pub epsilon: f64 = 1e-8, in Adam::EPSILON_LIMITS;
        /// How candidates are made and selected in training.
        #[serde(flatten)]
        pub selection: Selection = Selection::explored(DEFAULT_FLIPS), in Flattened;
        /// Whether local search improves the cheapest candidate before it is remembered.
        pub refine: bool = false, in Any;
        /// Steps between reports.
        pub report_every: usize = 100, in 1..=MAX_COUNT;
    }
    check together with fields_fit;
}

impl Settings {
    /// The step size of Adam, from the first step after the warm-up on.
    pub(crate) fn schedule(&self) -> Schedule {
        let first = self.warm_up_steps() + 1;
        Schedule { from: self.learning_rate, to: self.final_learning_rate, first, last: self.steps }
    }

    /// Number of first steps that only fill the buffer.
    pub fn warm_up_steps(&self) -> usize {
        self.learn_from.unwrap_or(self.buffer).min(self.buffer).div_ceil(self.workloads_per_step)
    }
}

fn fields_fit(settings: &Settings, checks: &mut Checks) {
    let Settings { steps, workloads_per_step, buffer, learn_from, .. } = *settings;
    if let Some(samples) = learn_from.filter(|&samples| samples > buffer) {
        checks.add("learn_from", format!("must lie between 0 and {buffer}, is {samples}"));
    }
    let filling = if workloads_per_step == 0 { 0 } else { settings.warm_up_steps() };
    if steps > 0 && steps <= filling {
        let buffer = checks.path_of("buffer");
        let message = format!("must be 0 or more than the {filling} that fill {buffer}: training begins after them");
        checks.add("steps", message);
    }
}
