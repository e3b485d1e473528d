//! The optimum with scheduled timing over all orders of the tasks.

use super::bound::{later, lesser};
use super::multipliers::Multipliers;
use super::tables::Tables;
use crate::graph::application::Neighbour;
use crate::graph::model::{GraphModel, GraphOutcome};
use crate::graph::rules::Transfer;
use crate::graph::schedule::Schedule;
use crate::graph::scheme::{GraphSolution, Optimality, affordable};
use crate::random::{self, Stream};

/// The work of a search, in tasks bounded: about two seconds.
const MAX_WORK: u64 = 20_000_000;

/// The evaluations per task of the annealing before it.
const STEPS_PER_TASK: u64 = 2000;

/// The first and the last temperature of annealing, as shares of the cost of one task.
const TEMPERATURES: [f64; 2] = [0.2, 2e-4];

/// A decision with the order in which tasks are scheduled.
#[derive(Debug, Clone)]
struct Plan {
    order: Vec<u32>,
    /// `[task]`.
    places: Vec<u8>,
}

/// The cheapest decision of a scheduled model within its limits over all orders of its tasks, starting from `start`, a
/// decision in the model's own order. A search that takes too long ends with a bound that holds for every order.
///
/// Annealing over places and orders comes first. Then branch and bound appends one task after the other at one of its
/// places. Of two tasks that share no queue and have no common successor, only one order is tried where they follow one
/// another (sleep sets, Godefroid, 1996), since both orders give the same schedule.
///
/// Returns the solution and its order.
pub(in super::super) fn cheapest_in_any_order(model: &GraphModel, start: &GraphSolution) -> (GraphSolution, Vec<u32>) {
    let mut evaluations = start.evaluations;
    let first = Plan { order: model.order().to_vec(), places: start.places.clone() };
    let outcome = outcome_of(model, &first);
    let mut best = BestPlan { plan: first, outcome, evaluations_left: MOST_BEYOND_LIMITS };
    evaluations += anneal(model, &mut best);
    let tables = super::best_tables(model);
    let mut search = Search::new(model, &tables, best);
    search.run();
    evaluations += search.evaluations;
    let Search { best, left_out, root_bound, .. } = search;
    let cost = best.outcome.cost;
    let optimality = match (left_out < f64::INFINITY, best.outcome.exceeds_limits) {
        // That no decision is within the limits does not say which of the others is cheapest.
        (false, true) => Optimality::Unknown,
        (false, false) => Optimality::Proved,
        (true, _) => Optimality::Bound(left_out.min(cost).max(root_bound)),
    };
    (GraphSolution { places: best.plan.places, evaluations, optimality, order: None }, best.plan.order)
}

fn outcome_of(model: &GraphModel, plan: &Plan) -> GraphOutcome {
    model.with_order(&plan.order).map_or(
        GraphOutcome { energy_j: 0.0, time_s: 0.0, price: 0.0, cost: f64::INFINITY, exceeds_limits: true },
        |model| model.evaluate(&plan.places),
    )
}

struct BestPlan {
    plan: Plan,
    outcome: GraphOutcome,
    /// The number of plans beyond the limits that may still be evaluated: each takes a model of its own.
    evaluations_left: u32,
}

/// The most plans that are evaluated while none within the limits is known, besides those that cost less.
const MOST_BEYOND_LIMITS: u32 = 10_000;

impl BestPlan {
    /// Takes a plan that seems to cost `cost` if it is better.
    fn offer(&mut self, model: &GraphModel, cost: f64, plan: &Plan) {
        if cost >= self.outcome.cost && (!self.outcome.exceeds_limits || self.evaluations_left == 0) {
            return;
        }
        if self.outcome.exceeds_limits {
            self.evaluations_left = self.evaluations_left.saturating_sub(1);
        }
        let outcome = outcome_of(model, plan);
        if (outcome.exceeds_limits, outcome.cost) < (self.outcome.exceeds_limits, self.outcome.cost) {
            *self = Self { plan: plan.clone(), outcome, ..*self };
        }
    }
}

/// Schedules whole plans one after the other.
struct Evaluator<'m> {
    model: &'m GraphModel,
    schedule: Schedule,
    /// `[task]`: its position in the order.
    position: Vec<u32>,
    before: Vec<Neighbour>,
}

impl<'m> Evaluator<'m> {
    fn new(model: &'m GraphModel) -> Self {
        let position = vec![0; model.tasks()];
        Self { model, schedule: Schedule::new(model), position, before: Vec::new() }
    }

    fn cost(&mut self, plan: &Plan) -> f64 {
        self.schedule.truncate(0);
        for (position, &task) in plan.order.iter().enumerate() {
            self.position[task as usize] = position as u32;
            self.before.clear();
            self.before.extend_from_slice(self.model.before(task as usize));
            self.before.sort_unstable_by_key(|edge| self.position[edge.task as usize]);
            self.schedule.push_task(self.model, &self.before, (task, plan.places[task as usize]));
        }
        self.schedule.cost(self.model)
    }
}

/// Anneals places and order together. Returns the number of evaluations.
fn anneal(model: &GraphModel, best: &mut BestPlan) -> u64 {
    let tasks = model.tasks();
    let steps = affordable(model).min(STEPS_PER_TASK * tasks as u64);
    let mut random = random::stream(0, "any-order scheme");
    let mut evaluator = Evaluator::new(model);
    let mut plan = best.plan.clone();
    let mut cost = evaluator.cost(&plan);
    let [first, last] = TEMPERATURES.map(|share| share * cost / tasks as f64);
    let cooling = (last / first).powf(1.0 / steps as f64);
    let mut temperature = first;
    for _ in 0..steps {
        temperature *= cooling;
        let mut next = plan.clone();
        if random::unit(&mut random) < 0.5 {
            let task = random::below(&mut random, tasks);
            let places: Vec<u8> = model.allowed_places(task).collect();
            next.places[task] = places[random::below(&mut random, places.len())];
        } else {
            shift(model, &mut next.order, &mut random);
        }
        let changed = evaluator.cost(&next);
        if changed <= cost - temperature * (1.0 - random::unit(&mut random)).ln() {
            (plan, cost) = (next, changed);
            best.offer(model, cost, &plan);
        }
    }
    steps
}

/// Moves one task to another position between the last task it waits for and the first that waits for it.
fn shift(model: &GraphModel, order: &mut [u32], random: &mut Stream) {
    let from = random::below(random, order.len());
    let task = order[from] as usize;
    let is_before = |other: u32| model.before(task).iter().any(|edge| edge.task == other);
    let is_after = |other: u32| model.application().outgoing(task).iter().any(|edge| edge.task == other);
    let least = order[..from].iter().rposition(|other| is_before(*other)).map_or(0, |at| at + 1);
    let most = order[from + 1..].iter().position(|other| is_after(*other)).map_or(order.len() - 1, |at| from + at);
    let to = least + random::below(random, most - least + 1);
    if to < from {
        order[to..=from].rotate_right(1);
    } else {
        order[from..=to].rotate_left(1);
    }
}

/// Appending a task at a place, with what that takes.
#[derive(Debug, Clone, Copy)]
struct Step {
    task: u32,
    place: u8,
    /// The queues that work on it, as bits; queues 64 apart share one.
    queues: u64,
    bound: f64,
    fixed: f64,
    time_s: f64,
}

struct Search<'a> {
    model: &'a GraphModel,
    tables: &'a Tables<'a>,
    multipliers: Option<Multipliers<'a>>,
    schedule: Schedule,
    best: BestPlan,
    /// The tasks that have been placed, in their order.
    sequence: Vec<u32>,
    /// `[task]`: its position in the sequence; `u32::MAX` if it has not been placed.
    position: Vec<u32>,
    /// `[task]`: the number of tasks it waits for that have not been placed.
    waiting: Vec<u32>,
    /// `[position in the model's order][place]`: the earliest time at which a task that has not been placed can have run.
    done_s: Vec<f64>,
    /// The lowest bound of what was left out for lack of time.
    left_out: f64,
    root_bound: f64,
    evaluations: u64,
    work: u64,
}

impl<'a> Search<'a> {
    fn new(model: &'a GraphModel, tables: &'a Tables<'a>, best: BestPlan) -> Self {
        let waiting = (0..model.tasks()).map(|task| model.before(task).len() as u32).collect();
        let multipliers = Multipliers::are_affordable(tables).then(|| Multipliers::new(tables));
        let root_bound = multipliers.as_ref().map_or(f64::NEG_INFINITY, Multipliers::root_bound);
        Self {
            model,
            tables,
            multipliers,
            schedule: Schedule::new(model),
            best,
            sequence: Vec::new(),
            position: vec![u32::MAX; model.tasks()],
            waiting,
            done_s: vec![0.0; model.tasks() * model.places()],
            left_out: f64::INFINITY,
            root_bound,
            evaluations: 0,
            work: 0,
        }
    }

    fn run(&mut self) {
        self.root_bound = later(self.root_bound, self.bound(0.0, 0.0));
        if self.root_bound < self.limit() {
            self.descend(0.0, 0.0, &[]);
        }
    }

    /// Plans that do not cost less than this are of no use.
    fn limit(&self) -> f64 {
        let GraphOutcome { cost, exceeds_limits, .. } = self.best.outcome;
        if exceeds_limits { f64::INFINITY } else { cost - 1e-9 * cost.abs() }
    }

    /// Searches all continuations of the sequence, except those that begin with one of the `sleeping` steps.
    fn descend(&mut self, fixed: f64, time_s: f64, sleeping: &[Step]) {
        if self.sequence.len() == self.model.tasks() {
            let plan = Plan { order: self.sequence.clone(), places: self.schedule.places() };
            self.best.offer(self.model, self.schedule.cost(self.model), &plan);
            return;
        }
        let mut steps = self.steps(fixed, time_s, sleeping);
        steps.sort_by(|one, other| one.bound.total_cmp(&other.bound));
        for index in 0..steps.len() {
            let step = steps[index];
            if step.bound >= self.limit() {
                return;
            }
            if self.work > MAX_WORK {
                self.left_out = self.left_out.min(step.bound);
                return;
            }
            let earlier = sleeping.iter().chain(&steps[..index]).copied();
            let sleeping: Vec<Step> = earlier.filter(|other| self.are_independent(*other, step)).collect();
            self.push(step);
            self.descend(step.fixed, step.time_s, &sleeping);
            self.pop(step.task);
        }
    }

    /// All steps that may come next and may lead to a better plan.
    fn steps(&mut self, fixed: f64, time_s: f64, sleeping: &[Step]) -> Vec<Step> {
        let mut steps = Vec::new();
        let placed = self.sequence.len();
        for task in 0..self.model.tasks() as u32 {
            if self.waiting[task as usize] > 0 || self.position[task as usize] != u32::MAX {
                continue;
            }
            for place in self.model.allowed_places(task as usize) {
                if sleeping.iter().any(|step| (step.task, step.place) == (task, place)) {
                    continue;
                }
                let index = self.model.position(task as usize);
                let own = self.tables.fixed[index * self.tables.places + usize::from(place)];
                let edges = self.model.before(task as usize).iter().map(|edge| {
                    let from = usize::from(self.schedule.place(edge.task as usize));
                    edge.bytes * self.tables.byte_fixed[from * self.tables.places + usize::from(place)]
                });
                let fixed = fixed + own + edges.sum::<f64>();
                let mut step =
                    Step { task, place, queues: self.queues(task, place), bound: f64::NEG_INFINITY, fixed, time_s };
                self.push_schedule(step);
                let end_s = self.schedule.done_s(task as usize)
                    + self.tables.tail_s[index * self.tables.places + usize::from(place)];
                step.time_s = later(later(time_s, self.schedule.time_s()), end_s);
                if let Some(multipliers) = &self.multipliers {
                    step.bound = multipliers.of(&self.schedule, index, fixed);
                }
                if step.bound < self.limit() {
                    self.position[task as usize] = placed as u32;
                    step.bound = later(step.bound, self.bound(fixed, step.time_s));
                    self.position[task as usize] = u32::MAX;
                    self.work += self.model.tasks() as u64;
                }
                self.schedule.truncate(placed);
                self.evaluations += 1;
                if step.bound < self.limit() {
                    steps.push(step);
                }
            }
        }
        steps
    }

    /// What all continuations cost at least: each task that has not been placed runs as early as its queue and the tasks before it
    /// allow, and its tail follows.
    fn bound(&mut self, fixed: f64, time_s: f64) -> f64 {
        let (tables, model) = (self.tables, self.model);
        let places = tables.places;
        let (mut fixed, mut time_s) = (fixed, time_s);
        let deadline_s = model.rules().limits.time_s * (1.0 + 1e-12);
        let queues_s = self.schedule.queues_s();
        for position in 0..tables.tasks {
            let task = model.order()[position] as usize;
            let cells = position * places;
            if self.position[task] != u32::MAX {
                let own = usize::from(self.schedule.place(task));
                self.done_s[cells..cells + places].fill(f64::INFINITY);
                self.done_s[cells + own] = self.schedule.done_s(task);
                continue;
            }
            let (mut least_end_s, mut least_fixed) = (f64::INFINITY, f64::INFINITY);
            for (place, &free_s) in queues_s.iter().enumerate().take(places) {
                let cell = cells + place;
                self.done_s[cell] = f64::INFINITY;
                let mut own_fixed = tables.fixed[cell];
                if own_fixed == f64::INFINITY {
                    continue;
                }
                let mut start_s = later(free_s, tables.send_s[cell]);
                for edge in tables.incoming(position) {
                    let before = edge.position as usize * places;
                    let (mut ready_s, mut edge_fixed) = (f64::INFINITY, f64::INFINITY);
                    for from in (0..places).filter(|from| self.done_s[before + from] < f64::INFINITY) {
                        let way_s = match model.rules().transfer {
                            _ if from == place => 0.0,
                            Transfer::Task => tables.return_s[before + from] + tables.send_s[cell],
                            Transfer::Edge => edge.bytes * model.transfer_s_per_byte(from, place),
                        };
                        ready_s = lesser(ready_s, self.done_s[before + from] + way_s);
                        edge_fixed = lesser(edge_fixed, edge.bytes * tables.byte_fixed[from * places + place]);
                    }
                    start_s = later(start_s, ready_s);
                    own_fixed += edge_fixed;
                }
                let done_s = start_s + tables.run_s[cell];
                self.done_s[cell] = done_s;
                least_end_s = lesser(least_end_s, done_s + tables.tail_s[cell]);
                least_fixed = lesser(least_fixed, own_fixed);
            }
            time_s = later(time_s, least_end_s);
            fixed += least_fixed;
        }
        if time_s > deadline_s { f64::INFINITY } else { fixed + tables.second * time_s }
    }

    /// The queues that work on the next task at a place, as bits.
    fn queues(&self, task: u32, place: u8) -> u64 {
        let queues = &self.model.queues;
        let bit = |queue: u32| 1_u64 << (queue % 64);
        let at = usize::from(place);
        let mut bits = bit(u32::from(place));
        let sends_edges = self.model.rules().transfer == Transfer::Edge;
        let mut is_sent = !sends_edges;
        if sends_edges {
            for edge in self.model.before(task as usize) {
                let from = usize::from(self.schedule.place(edge.task as usize));
                if from != at {
                    is_sent = true;
                    bits |= queues.downlink.get(from).filter(|_| from > 0).map_or(0, |queue| bit(*queue));
                }
            }
        } else if at > 0 {
            bits |= queues.downlink.get(at).map_or(0, |queue| bit(*queue));
        }
        if is_sent && at > 0 { bits | bit(queues.uplink[at]) } else { bits }
    }

    /// Whether two steps that may come next give the same schedules in both orders.
    fn are_independent(&self, one: Step, other: Step) -> bool {
        if one.task == other.task || one.queues & other.queues != 0 {
            return false;
        }
        // Data of edges to one task are sent in the order of the tasks that they come from.
        let application = self.model.application();
        let after = |step: Step| application.outgoing(step.task as usize).iter().map(|edge| edge.task);
        self.model.rules().transfer == Transfer::Task || !after(one).any(|task| after(other).any(|same| same == task))
    }

    fn push_schedule(&mut self, step: Step) {
        let mut before = self.model.before(step.task as usize).to_vec();
        before.sort_unstable_by_key(|edge| self.position[edge.task as usize]);
        self.schedule.push_task(self.model, &before, (step.task, step.place));
    }

    fn push(&mut self, step: Step) {
        self.push_schedule(step);
        if let Some(multipliers) = &mut self.multipliers {
            multipliers.place(&self.schedule, self.model.position(step.task as usize));
        }
        self.position[step.task as usize] = self.sequence.len() as u32;
        self.sequence.push(step.task);
        for edge in self.model.application().outgoing(step.task as usize) {
            self.waiting[edge.task as usize] -= 1;
        }
    }

    fn pop(&mut self, task: u32) {
        self.sequence.pop();
        self.schedule.truncate(self.sequence.len());
        if let Some(multipliers) = &mut self.multipliers {
            multipliers.truncate(self.sequence.len());
        }
        self.position[task as usize] = u32::MAX;
        for edge in self.model.application().outgoing(task as usize) {
            self.waiting[edge.task as usize] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{Kind, for_each_decision, models, with_limits};
    use super::*;
    use crate::graph::rules::Timing;

    const KIND: Kind = Kind { timing: Timing::Scheduled, tasks: 5, servers: 2, is_chain: false };

    /// Every order in which each task comes after those it waits for.
    fn orders(model: &GraphModel) -> Vec<Vec<u32>> {
        let mut orders = vec![Vec::new()];
        for _ in 0..model.tasks() {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<u32>| {
                    let is_next = |task: &u32| {
                        let is_placed = |other: u32| order.contains(&other);
                        !is_placed(*task) && model.before(*task as usize).iter().all(|edge| is_placed(edge.task))
                    };
                    let next: Vec<u32> = (0..model.tasks() as u32).filter(is_next).collect();
                    next.into_iter().map(move |task| [&order[..], &[task]].concat()).collect::<Vec<_>>()
                })
                .collect();
        }
        orders
    }

    fn check(model: &GraphModel) -> Result<(), TestCaseError> {
        let start = super::super::cheapest(model);
        let (found, order) = cheapest_in_any_order(model, &start);
        let in_order = |order: &[u32]| model.with_order(order).expect("an order");
        let mut best = (true, f64::INFINITY);
        for order in orders(model) {
            let model = in_order(&order);
            for_each_decision(&model, |places| {
                let outcome = model.evaluate(places);
                if (outcome.exceeds_limits, outcome.cost) < best {
                    best = (outcome.exceeds_limits, outcome.cost);
                }
            });
        }
        let outcome = in_order(&order).evaluate(&found.places);
        prop_assert_eq!(outcome.exceeds_limits, best.0);
        if !best.0 {
            prop_assert!(
                (outcome.cost - best.1).abs() <= 1e-8 * best.1.max(1.0),
                "{outcome:?} is not {best:?}: {found:?}"
            );
            prop_assert_eq!(found.optimality, Optimality::Proved);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_decision_in_whatever_order_is_better(
            model in models(KIND),
            shares in prop::array::uniform3(prop::option::of(-0.1..1.1_f64)),
            has_limits in any::<bool>(),
        ) {
            check(&if has_limits { with_limits(&model, shares) } else { model })?;
        }
    }
}
