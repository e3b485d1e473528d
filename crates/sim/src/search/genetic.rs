//! A genetic algorithm over whole decisions.

use super::Problem;
use crate::random::{self, Stream};

/// Settings of a genetic algorithm.
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

impl GeneticSettings {
    /// The settings with as many generations as `budget` cost evaluations allow, and with a smaller population if they do
    /// not allow one.
    #[must_use]
    pub fn within(self, budget: usize) -> Self {
        let population = self.population.min(budget).max(self.elite + 1);
        let generations = budget.saturating_sub(population) / (population - self.elite);
        Self { population, generations, ..self }
    }

    fn select<'p>(&self, population: &'p [Individual], random: &mut Stream) -> &'p [u8] {
        let draw = |random: &mut Stream| random::below(random, population.len());
        // The population is sorted, so that the best of a tournament is the smallest index.
        let winner = (1..self.tournament).fold(draw(random), |best, _| best.min(draw(random)));
        &population[winner].places
    }

    fn child(&self, population: &[Individual], problem: &impl Problem, random: &mut Stream) -> Vec<u8> {
        let mut child = self.select(population, random).to_vec();
        if random::unit(random) < self.crossover {
            let other = self.select(population, random);
            for (gene, other) in child.iter_mut().zip(other) {
                if random::unit(random) < 0.5 {
                    *gene = *other;
                }
            }
        }
        let rate = self.mutations / child.len() as f64;
        for (task, gene) in child.iter_mut().enumerate() {
            if random::unit(random) < rate {
                *gene = problem.draw_place(task, random);
            }
        }
        child
    }
}

struct Individual {
    cost: f64,
    places: Vec<u8>,
}

/// A genetic algorithm whose genes are the places of tasks, with tournament selection, uniform crossover, mutation by gene
/// and elitism. It starts from the decision `first`, if there is one, and random ones. Returns the best decision, `[tasks]`,
/// and the number of cost evaluations.
pub fn evolve(
    problem: &mut impl Problem,
    settings: &GeneticSettings,
    first: Option<Vec<u8>>,
    random: &mut Stream,
) -> (Vec<u8>, u64) {
    let mut population = Vec::with_capacity(settings.population);
    let mut first = first;
    for _ in 0..settings.population {
        let draw = |random: &mut _| (0..problem.tasks()).map(|task| problem.draw_place(task, random)).collect();
        let places: Vec<u8> = first.take().unwrap_or_else(|| draw(random));
        population.push(Individual { cost: problem.cost(&places), places });
    }
    population.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let children = settings.population - settings.elite;
    for _ in 0..settings.generations {
        let mut next = Vec::with_capacity(children);
        for _ in 0..children {
            let places = settings.child(&population, problem, random);
            next.push(Individual { cost: problem.cost(&places), places });
        }
        population.truncate(settings.elite);
        population.extend(next);
        population.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    }
    let evaluations = settings.population as u64 + settings.generations as u64 * children as u64;
    (population.swap_remove(0).places, evaluations)
}
