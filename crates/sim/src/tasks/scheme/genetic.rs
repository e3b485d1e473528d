//! A genetic algorithm over whole decisions.

use super::random::draw_place;
use super::{Scheme, SchemeError, Solution, affordable, settle_ties};
use crate::random::{self, Stream};
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// Settings of [`Genetic`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneticSettings {
    /// The number of decisions in each generation.
    pub population: usize,
    /// The number of generations after the first.
    pub generations: usize,
    /// The number of decisions compared to choose one parent.
    pub tournament: usize,
    /// The probability that a child mixes two parents instead of copying one.
    pub crossover: f64,
    /// The expected number of tasks that mutation moves in a child.
    pub mutations: f64,
    /// The number of best decisions that survive unchanged.
    pub elite: usize,
}

/// The best of 90 combinations at this number of cost evaluations, on fleets of 3 × 3 and 10 × 5:
/// `cargo run -p sim --example tune_genetic`.
impl Default for GeneticSettings {
    fn default() -> Self {
        Self { population: 50, generations: 60, tournament: 5, crossover: 0.9, mutations: 2.0, elite: 2 }
    }
}

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

    /// The number of individuals in a generation, and of generations after the first.
    fn extent(&self, tasks: usize) -> (usize, usize) {
        let GeneticSettings { population, generations, elite, .. } = self.settings;
        let Some(per_task) = self.budget else { return (population, generations) };
        let budget = usize::try_from(per_task).unwrap_or(usize::MAX).saturating_mul(tasks);
        let population = population.min(budget).max(elite + 1);
        (population, budget.saturating_sub(population) / (population - elite))
    }

    fn select<'p>(&self, population: &'p [Individual], random: &mut Stream) -> &'p [u8] {
        let draw = |random: &mut Stream| random::below(random, population.len());
        // The population is sorted, so that the best of a tournament is the smallest index.
        let winner = (1..self.settings.tournament).fold(draw(random), |best, _| best.min(draw(random)));
        &population[winner].places
    }

    fn child(&self, population: &[Individual], model: &CostModel, random: &mut Stream) -> Vec<u8> {
        let mut child = self.select(population, random).to_vec();
        if random::unit(random) < self.settings.crossover {
            let other = self.select(population, random);
            for (gene, other) in child.iter_mut().zip(other) {
                if random::unit(random) < 0.5 {
                    *gene = *other;
                }
            }
        }
        let rate = self.settings.mutations / child.len() as f64;
        for (task, gene) in child.iter_mut().enumerate() {
            if random::unit(random) < rate {
                *gene = draw_place(model, task, random);
            }
        }
        child
    }
}

struct Individual {
    cost: f64,
    places: Vec<u8>,
}

impl Scheme for Genetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut random = random::stream_of(self.seed, "genetic scheme", workload.sizes_bytes());
        let model = &*model.search_model();
        let (size, generations) = self.extent(present_tasks(workload.sizes_bytes()) as usize);
        let mut evaluations = 0;
        let mut evaluate = |places: Vec<u8>| {
            evaluations += 1;
            Individual { cost: model.cost(workload.sizes_bytes(), &places), places }
        };
        let first = |random: &mut Stream| (0..model.task_count()).map(|task| draw_place(model, task, random)).collect();
        let mut population: Vec<Individual> = (0..size).map(|_| evaluate(first(&mut random))).collect();
        population.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        for _ in 0..generations {
            let children = size - self.settings.elite;
            let children: Vec<_> =
                (0..children).map(|_| evaluate(self.child(&population, model, &mut random))).collect();
            population.truncate(self.settings.elite);
            population.extend(children);
            population.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        }
        let mut best = population.swap_remove(0);
        let rest = if self.budget.is_none() { affordable(model) } else { 0 };
        evaluations += settle_ties(model, workload.sizes_bytes(), &mut best.places, rest);
        Ok(Solution { decision: Decision::from_places(model.tasks(), best.places), evaluations })
    }
}
