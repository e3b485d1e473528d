//! The searches that know no problem, on task graphs: random decisions, annealing, a genetic algorithm and brute force.

use super::best::Best;
use super::walks::greedy;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality, affordable};
use crate::graph::incremental::{IncrementalSchedule, Move};
use crate::graph::model::{GraphModel, GraphOutcome};
use crate::graph::rules::Timing;
use crate::graph::schedule::Schedule;
use crate::random::{self, Stream};
use crate::search::{GeneticSettings, Neighbourhood, Problem, anneal, cheapest_of_all, evolve};

/// The number of evaluations per task that annealing takes without a budget.
const ANNEALING_EVALUATIONS: u64 = 100;
/// The most decisions that brute force looks at.
const MOST_DECISIONS: u64 = 50_000_000;
/// What a decision costs that exceeds limits; much more than any that is within them.
const BEYOND_LIMITS: f64 = 1e200;

/// One application in its model.
struct OneApplication<'m> {
    model: &'m GraphModel,
    schedule: Schedule,
}

impl<'m> OneApplication<'m> {
    fn new(model: &'m GraphModel) -> Self {
        Self { model, schedule: Schedule::new(model) }
    }
}

/// The cost of a decision, and for one that exceeds limits how far.
fn cost_within_limits(model: &GraphModel, outcome: &GraphOutcome) -> f64 {
    if !outcome.exceeds_limits || outcome.cost == f64::INFINITY {
        return outcome.cost;
    }
    let limits = &model.rules().limits;
    let excess = |found: f64, limit: f64| if found > limit { found / limit.max(f64::MIN_POSITIVE) } else { 0.0 };
    let excess = excess(outcome.energy_j, limits.energy_j)
        + excess(outcome.time_s, limits.time_s)
        + excess(outcome.price, limits.price);
    BEYOND_LIMITS * excess.clamp(1.0, 1e50)
}

impl Problem for OneApplication<'_> {
    type Outcome = GraphOutcome;

    fn tasks(&self) -> usize {
        self.model.tasks()
    }

    fn places(&self) -> usize {
        self.model.places()
    }

    fn is_allowed(&self, task: usize, place: u8) -> bool {
        self.model.is_allowed(task, usize::from(place))
    }

    fn draw_place(&self, task: usize, random: &mut Stream) -> u8 {
        let count = self.model.allowed_places(task).count();
        let mut places = self.model.allowed_places(task);
        places.nth(random::below(random, count)).expect("one of those counted")
    }

    fn cost(&mut self, places: &[u8]) -> f64 {
        if self.model.has_limits() {
            return cost_within_limits(self.model, &self.outcome(places));
        }
        self.schedule.cost_of(self.model, places)
    }

    fn outcome(&mut self, places: &[u8]) -> GraphOutcome {
        self.schedule.fill(self.model, places);
        self.schedule.outcome(self.model)
    }

    fn is_better(&self, new: &GraphOutcome, old: &GraphOutcome) -> bool {
        cost_within_limits(self.model, new) < cost_within_limits(self.model, old)
    }
}

/// A decision about one application that changes.
struct ChangingDecision<'m> {
    incremental: IncrementalSchedule<'m>,
    whole: OneApplication<'m>,
    cost: f64,
}

impl<'m> ChangingDecision<'m> {
    fn new(model: &'m GraphModel, places: &[u8]) -> Self {
        let mut whole = OneApplication::new(model);
        let cost = whole.cost(places);
        Self { incremental: IncrementalSchedule::new(model, places), whole, cost }
    }

    fn cost_of(&mut self, moves: &[Move], limit: f64) -> f64 {
        if moves.iter().any(|&(task, place)| !self.whole.is_allowed(task as usize, place)) {
            return f64::INFINITY;
        }
        if self.whole.model.has_limits() {
            let mut places = self.incremental.places().to_vec();
            for &(task, place) in moves {
                places[task as usize] = place;
            }
            return self.whole.cost(&places);
        }
        // From its limit on, the answer may be any number up to the cost.
        self.incremental.cost_of_moves(moves, limit.next_up())
    }

    fn apply(&mut self, moves: &[Move]) {
        self.incremental.apply(moves);
        let model = self.whole.model;
        self.cost =
            if model.has_limits() { self.whole.cost(self.incremental.places()) } else { self.incremental.cost() };
    }

    fn swap(&self, task: usize, other: usize) -> [Move; 2] {
        let places = self.incremental.places();
        [(task as u32, places[other]), (other as u32, places[task])]
    }
}

impl Neighbourhood for ChangingDecision<'_> {
    fn place_count(&self) -> usize {
        self.whole.places()
    }

    fn places(&self) -> &[u8] {
        self.incremental.places()
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    fn cost_of_move(&mut self, task: usize, place: u8, limit: f64) -> f64 {
        self.cost_of(&[(task as u32, place)], limit)
    }

    fn cost_of_swap(&mut self, task: usize, other: usize, limit: f64) -> Option<f64> {
        let moves = self.swap(task, other);
        Some(self.cost_of(&moves, limit))
    }

    fn make_move(&mut self, task: usize, place: u8) {
        self.apply(&[(task as u32, place)]);
    }

    fn make_swap(&mut self, task: usize, other: usize) {
        let moves = self.swap(task, other);
        self.apply(&moves);
    }
}

/// Anneals the best decision so far within the number of evaluations that annealing has without a budget. Returns this number.
pub(super) fn anneal_best<'m>(model: &'m GraphModel, best: &mut Best<'m>, random: &mut Stream) -> u64 {
    let mut places = best.places.clone();
    let evaluations = affordable(model).min(ANNEALING_EVALUATIONS * model.tasks() as u64);
    anneal(&mut ChangingDecision::new(model, &places), &mut places, evaluations, random);
    best.offer(model.evaluate(&places).cost, &places);
    evaluations
}

fn solution(places: Vec<u8>, evaluations: u64) -> GraphSolution {
    GraphSolution { places, evaluations, optimality: Optimality::Unknown, order: None }
}

/// Draws every place with equal probability among those that the task may have. Limits are not looked at.
#[derive(Debug, Clone)]
pub struct GraphRandom {
    seed: u64,
}

impl GraphRandom {
    /// A scheme that draws from a random stream of its own under `seed` for each application.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl GraphScheme for GraphRandom {
    fn name(&self) -> &'static str {
        "random"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut random = model.stream(self.seed, "random scheme");
        let application = OneApplication::new(model);
        Ok(solution((0..model.tasks()).map(|task| application.draw_place(task, &mut random)).collect(), 0))
    }
}

/// Simulated annealing from the greedy decision: moves of one task, and two tasks that change places.
#[derive(Debug, Clone)]
pub struct GraphAnnealing {
    name: String,
    seed: u64,
    /// The most evaluations, the greedy decision included; `None`: 100 per task, fewer for thousands of tasks.
    budget: Option<u64>,
}

impl GraphAnnealing {
    /// Annealing with 100 evaluations per task, fewer for applications of more than about 800 tasks. Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64) -> Self {
        Self { name: "annealing".to_owned(), seed, budget: None }
    }

    /// Annealing with a budget of evaluations, which includes the greedy decision.
    pub fn within(seed: u64, evaluations: u64) -> Self {
        Self { name: format!("annealing@{evaluations}"), seed, budget: Some(evaluations) }
    }
}

impl GraphScheme for GraphAnnealing {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let budget = self.budget.unwrap_or_else(|| affordable(model).min(ANNEALING_EVALUATIONS * model.tasks() as u64));
        let mut schedule = Schedule::new(model);
        greedy(model, &mut schedule);
        let mut places = schedule.places();
        let mut decision = ChangingDecision::new(model, &places);
        let steps = budget.saturating_sub(1);
        anneal(&mut decision, &mut places, steps, &mut model.stream(self.seed, "annealing scheme"));
        Ok(solution(places, 1 + steps))
    }
}

/// A genetic algorithm whose genes are the places of tasks. Its first generation is the greedy decision and random ones.
#[derive(Debug, Clone)]
pub struct GraphGenetic {
    name: String,
    seed: u64,
    settings: GeneticSettings,
}

impl GraphGenetic {
    /// A genetic algorithm with these settings. Every application has a random stream of its own under `seed`.
    pub fn new(seed: u64, settings: GeneticSettings) -> Self {
        Self { name: "genetic".to_owned(), seed, settings }
    }

    /// A genetic algorithm with a budget of evaluations: with as many generations as these allow, and a smaller population if
    /// they do not allow one.
    pub fn within(seed: u64, evaluations: u64) -> Self {
        let budget = usize::try_from(evaluations).unwrap_or(usize::MAX);
        let mut settings = GeneticSettings::default().within(budget);
        if settings.population > budget {
            settings = GeneticSettings { population: budget, generations: 0, elite: 0, ..settings };
        }
        Self { name: format!("genetic@{evaluations}"), seed, settings }
    }
}

impl GraphScheme for GraphGenetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let mut random = model.stream(self.seed, "genetic scheme");
        let mut schedule = Schedule::new(model);
        greedy(model, &mut schedule);
        let first = Some(schedule.places());
        let (places, evaluations) = evolve(&mut OneApplication::new(model), &self.settings, first, &mut random);
        Ok(solution(places, evaluations))
    }
}

/// All decisions, one by one: the oracle for tests of the optimum. At most 50 million of them.
#[derive(Debug, Clone, Default)]
pub struct GraphBruteForce;

impl GraphScheme for GraphBruteForce {
    fn name(&self) -> &'static str {
        "brute-force"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let found = cheapest_of_all(&mut OneApplication::new(model), MOST_DECISIONS);
        let (tasks, places) = (model.tasks(), model.places());
        let too_many = || GraphSchemeError::TooManyDecisions { tasks, places, most: MOST_DECISIONS };
        let (places, evaluations) = found.ok_or_else(too_many)?;
        let is_serial = model.rules().timing == Timing::Serial;
        let optimality = if is_serial { Optimality::Proved } else { Optimality::InThisOrder };
        Ok(GraphSolution { places, evaluations, optimality, order: None })
    }
}
