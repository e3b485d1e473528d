//! A genetic algorithm over whole decisions.

use super::best::Best;
use super::fixed::allowed_places;
use super::walks::greedy;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality, stream_of};
use crate::graph::model::GraphModel;
use crate::graph::schedule::Schedule;
use crate::random::{self, Stream};

/// The number of decisions in each generation, of those compared to choose a parent, and of those that survive.
const POPULATION: usize = 50;
const TOURNAMENT: usize = 4;
const ELITE: usize = 2;
/// The probability that a child mixes two parents, and the expected number of tasks that mutation moves.
const CROSSOVER: f64 = 0.9;
const MUTATIONS: f64 = 1.5;
/// Evaluations without a budget.
const EVALUATIONS: u64 = 3000;

/// A genetic algorithm whose genes are places, with tournaments, crossover at one position of the model's order,
/// mutation by gene and elitism. The first generation is random but for the greedy decision. Limits count only for which
/// decision is the best.
#[derive(Debug, Clone)]
pub struct GraphGenetic {
    name: String,
    seed: u64,
    budget: u64,
}

impl GraphGenetic {
    /// 3,000 evaluations. Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64) -> Self {
        Self { name: "genetic".to_owned(), seed, budget: EVALUATIONS }
    }

    /// A budget of evaluations; at least one is made.
    pub fn within(seed: u64, evaluations: u64) -> Self {
        Self { name: format!("genetic@{evaluations}"), seed, budget: evaluations.max(1) }
    }
}

struct Individual {
    cost: f64,
    places: Vec<u8>,
}

impl GraphScheme for GraphGenetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut random = stream_of(model, self.seed, "genetic scheme");
        let allowed = allowed_places(model);
        let mut schedule = Schedule::new(model);
        let mut best = Best::new(model);
        let mut left = self.budget;
        let mut evaluate = |places: Vec<u8>, left: &mut u64| {
            *left -= 1;
            let cost = schedule.cost_of(model, &places);
            best.offer(cost, &places);
            Individual { cost, places }
        };
        let mut first = Schedule::new(model);
        greedy(model, &mut first);
        let mut population = vec![evaluate(first.places(), &mut left)];
        while population.len() < POPULATION && left > 0 {
            let places = allowed.iter().map(|places| places[random::below(&mut random, places.len())]).collect();
            population.push(evaluate(places, &mut left));
        }
        while left > 0 {
            population.sort_by(|a, b| a.cost.total_cmp(&b.cost));
            let children = (POPULATION - ELITE).min(usize::try_from(left).unwrap_or(POPULATION));
            let children: Vec<Individual> =
                (0..children).map(|_| evaluate(child(model, &allowed, &population, &mut random), &mut left)).collect();
            population.truncate(ELITE);
            population.extend(children);
        }
        Ok(GraphSolution { places: best.places, evaluations: self.budget, optimality: Optimality::Unknown })
    }
}

fn child(model: &GraphModel, allowed: &[Vec<u8>], population: &[Individual], random: &mut Stream) -> Vec<u8> {
    // The population is sorted, so that the best of a tournament is the smallest index.
    let parent = |random: &mut Stream| {
        let draws = (0..TOURNAMENT).map(|_| random::below(random, population.len()));
        &population[draws.min().unwrap_or(0)].places
    };
    let mut child = parent(random).clone();
    if random::unit(random) < CROSSOVER {
        let other = parent(random);
        let from = random::below(random, child.len());
        for &task in &model.order()[from..] {
            child[task as usize] = other[task as usize];
        }
    }
    let rate = MUTATIONS / child.len() as f64;
    for (gene, allowed) in child.iter_mut().zip(allowed) {
        if random::unit(random) < rate {
            *gene = allowed[random::below(random, allowed.len())];
        }
    }
    child
}
