//! A genetic algorithm over whole decisions, see [`evolve`].

use super::searchable::OneWorkload;
use super::{Scheme, SchemeError, Solution, affordable, settle_ties};
use crate::random;
use crate::search::{GeneticSettings, evolve};
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// A genetic algorithm whose genes are placements, with tournament selection, uniform crossover, mutation by gene and
/// elitism.
#[derive(Debug, Clone)]
pub struct Genetic {
    name: String,
    /// The most cost evaluations per task; `None`: the settings' generations.
    budget: Option<u64>,
    seed: u64,
    settings: GeneticSettings,
}

impl Genetic {
    /// A genetic algorithm with these settings. Every workload has a random stream of its own under `seed`.
    pub fn new(seed: u64, settings: GeneticSettings) -> Self {
        Self { name: "genetic".to_owned(), budget: None, seed, settings }
    }

    /// A genetic algorithm with a budget of `per_task` cost evaluations per task. It runs the number of generations that the budget
    /// allows, with a smaller population if it does not allow one.
    pub fn within(seed: u64, per_task: u64) -> Self {
        let settings = GeneticSettings::default();
        Self { name: format!("genetic@{per_task}"), budget: Some(per_task), seed, settings }
    }
}

impl Scheme for Genetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let sizes_bytes = workload.sizes_bytes();
        let mut random = random::stream_of(self.seed, "genetic scheme", sizes_bytes);
        let model = &*model.search_model();
        let of_all = |per_task| {
            usize::try_from(per_task).unwrap_or(usize::MAX).saturating_mul(present_tasks(sizes_bytes) as usize)
        };
        let settings = self.budget.map_or(self.settings, |per_task| self.settings.within(of_all(per_task)));
        let (mut best, mut evaluations) = evolve(&mut OneWorkload { model, sizes_bytes }, &settings, None, &mut random);
        let rest = if self.budget.is_none() { affordable(model) } else { 0 };
        evaluations += settle_ties(model, sizes_bytes, &mut best, rest);
        Ok(Solution { decision: Decision::from_places(model.tasks(), best), evaluations })
    }
}
