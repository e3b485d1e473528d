//! Settings of training for any site.

use serde::Serialize;
use sim::config::{Any, MAX_COUNT, PositiveUpTo};

use super::evolution::EvolutionSettings;

sim::settings! {
    /// Settings of training for any site. The defaults are the values of the preset `site`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct SiteSettings {
        /// Steps of the first round, in which a rule places the tasks of futures. Each step draws some sites, prices the places
        /// of some tasks there, and takes some training steps of each network.
        pub steps: usize = 80, in 1..=MAX_COUNT;
        /// Further rounds, in which the networks as they were at the beginning of the round place the tasks of futures.
        pub improvement_rounds: usize = 1, in 0..=100;
        /// Steps of each of these rounds.
        pub improvement_steps: usize = 60, in 1..=MAX_COUNT;
        /// Sites in one step.
        pub sites_per_step: usize = 16, in 1..=4096;
        /// Tasks of a site whose places are priced, about.
        pub samples_per_site: usize = 64, in 1..=100_000;
        /// Tasks that arrive at a site: this number ...
        pub tasks_per_site: usize = 600, in 10..=1_000_000;
        /// ... and this number for each device.
        pub tasks_per_device: usize = 50, in 0..=100_000;
        /// Futures under which the places of a task are priced.
        pub futures: usize = 8, in 1..=10_000;
        /// The length of a future, in units of time of the site; half of it where there are more than 8 devices.
        pub horizon: f64 = 20.0, in PositiveUpTo(1e6);
        /// Samples that are remembered.
        pub buffer: usize = 100_000, in 1..=10_000_000;
        /// Training steps of each network in a step.
        pub learning_steps: usize = 40, in 1..=10_000;
        /// Samples in the batch of one training step.
        pub batch: usize = 1024, in 1..=1_000_000;
        /// Step size of Adam at the beginning of the first round; it falls to a twentieth.
        pub learning_rate: f64 = 0.01, in PositiveUpTo(1.0);
        /// The same for the further rounds.
        pub improvement_learning_rate: f64 = 0.003, in PositiveUpTo(1.0);
        /// Share of the tasks that go to a random place while sites are walked.
        pub exploration: f64 = 0.05, in 0.0..=1.0;
        /// Whether the networks learn by cross-entropy from the cheapest place, as MR-DRO does, and not from the regrets of all.
        pub cross_entropy: bool = false, in Any;
        /// Further steps by evolution strategies: each simulates changed networks on whole runs.
        pub evolution_steps: usize = 200, in 0..=MAX_COUNT;
        /// Pairs of changed networks in such a step.
        pub evolution_pairs: usize = 16, in 1..=4096;
        /// Sites in such a step.
        pub evolution_sites: usize = 16, in 1..=4096;
        /// Tasks that arrive at each of these sites.
        pub evolution_tasks: usize = 3000, in 10..=1_000_000;
        /// Steps between reports.
        pub report_every: usize = 10, in 1..=MAX_COUNT;
    }
}

impl SiteSettings {
    /// All steps together.
    pub fn all_steps(&self) -> usize {
        self.steps_of_rounds().saturating_add(self.evolution_steps)
    }

    /// The steps that learn from samples.
    pub(super) fn steps_of_rounds(&self) -> usize {
        self.steps.saturating_add(self.improvement_rounds.saturating_mul(self.improvement_steps))
    }

    pub(super) fn evolution(&self) -> EvolutionSettings {
        EvolutionSettings {
            generations: self.evolution_steps,
            pairs: self.evolution_pairs,
            sites: self.evolution_sites,
            tasks: self.evolution_tasks,
            ..EvolutionSettings::default()
        }
    }

    /// The round of a step, with the number of the step in it and the number of steps that it has.
    pub(super) fn round_of(&self, step: usize) -> (usize, usize, usize) {
        match step.checked_sub(self.steps) {
            None => (0, step, self.steps),
            Some(after) => (1 + after / self.improvement_steps, after % self.improvement_steps, self.improvement_steps),
        }
    }
}
