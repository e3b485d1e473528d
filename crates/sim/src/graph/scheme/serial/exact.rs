//! The optimum with serial timing: by one relaxation where that is exact, else by branch and bound.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::super::{GraphSolution, Optimality};
use super::chain::Chain;
use super::labelling::Labelling;
use super::labels::{self, Limited};
use super::limits::Limit;
use super::relaxation::{Relaxation, Relaxed};
use crate::graph::model::GraphModel;

/// Steps of the multipliers before the first branching, and at each node after it.
const FIRST_STEPS: usize = 60;
const STEPS: usize = 6;

/// The work of a search: tasks and edges, times the relaxations solved. About two seconds.
const MAX_WORK: u64 = 60_000_000;

/// The cheapest decision of a serial model within its limits; if none is within them, the cheapest of all.
///
/// Without limits a relaxation that is exact answers at once. Otherwise limits, and the rule that a task is at one server,
/// have multipliers (Lagrange), and a task is fixed to each of its places where the bound leaves a gap. The node with
/// the lowest bound is next. A search that takes too long ends with a bound.
pub(in super::super) fn cheapest(model: &GraphModel) -> GraphSolution {
    let costs = Labelling::new(model);
    let relaxation = Relaxation::of(model.application(), model.places());
    let mut search = Search::new(model, &costs, &relaxation, &[]);
    search.run();
    let without_limits = search.solution();
    let limits = Limit::all(model);
    if limits.is_empty() || !model.evaluate(&without_limits.places).exceeds_limits {
        return without_limits;
    }
    if let Some(solution) = by_labels(model, &costs, &limits, &without_limits) {
        return solution;
    }
    let mut search = Search::new(model, &costs, &relaxation, &limits);
    search.evaluations = without_limits.evaluations;
    search.run();
    match (&search.best, search.is_complete()) {
        (None, true) => GraphSolution { evaluations: search.evaluations, ..without_limits },
        (None, false) => GraphSolution { places: without_limits.places, ..search.solution() },
        _ => search.solution(),
    }
}

/// The cheapest decision about a chain within limits; `None` if it is no chain or takes too many labels.
fn by_labels(
    model: &GraphModel,
    costs: &Labelling<'_>,
    limits: &[Limit<'_>],
    without_limits: &GraphSolution,
) -> Option<GraphSolution> {
    let chain = Chain::of(model.application())?;
    let limited = limits.iter().map(|limit| Limited { amounts: &limit.amounts, most: limit.loosened() });
    let found = labels::cheapest_in_chain(costs, &limited.collect::<Vec<_>>(), &chain)?;
    let evaluations = without_limits.evaluations + found.labels;
    let optimality = Optimality::Proved;
    if found.decisions.is_empty() {
        return Some(GraphSolution { evaluations, ..without_limits.clone() });
    }
    let places = found.decisions.into_iter().find(|places| !model.evaluate(places).exceeds_limits)?;
    Some(GraphSolution { places, evaluations, optimality, order: None })
}

/// A part of all decisions: some tasks are fixed to places.
struct Node {
    bound: f64,
    fixed: Vec<(u32, u8)>,
    /// For each task; empty where the relaxation is exact.
    prices: Vec<f64>,
    /// For each limit.
    multipliers: Vec<f64>,
}

struct Search<'a> {
    model: &'a GraphModel,
    costs: &'a Labelling<'a>,
    relaxation: &'a Relaxation,
    limits: &'a [Limit<'a>],
    best: Option<(f64, Vec<u8>)>,
    open: BinaryHeap<Node>,
    evaluations: u64,
    work: u64,
    is_first: bool,
}

impl<'a> Search<'a> {
    fn new(
        model: &'a GraphModel,
        costs: &'a Labelling<'a>,
        relaxation: &'a Relaxation,
        limits: &'a [Limit<'a>],
    ) -> Self {
        Self {
            model,
            costs,
            relaxation,
            limits,
            best: None,
            open: BinaryHeap::new(),
            evaluations: 0,
            work: 0,
            is_first: true,
        }
    }

    fn run(&mut self) {
        let prices = if self.relaxation.is_exact() { Vec::new() } else { vec![0.0; self.costs.tasks()] };
        let multipliers = vec![0.0; self.limits.len()];
        self.open.push(Node { bound: f64::NEG_INFINITY, fixed: Vec::new(), prices, multipliers });
        while let Some(mut node) = self.open.pop() {
            if self.work > MAX_WORK || node.bound >= self.limit() {
                self.open.push(node);
                break;
            }
            if let Some(task) = self.explore(&mut node) {
                self.branch(&node, task);
            }
        }
    }

    /// Decisions that do not cost less than this are of no use.
    fn limit(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |(cost, _)| cost - 1e-12 * cost.abs())
    }

    fn is_complete(&self) -> bool {
        self.open.peek().is_none_or(|node| node.bound >= self.limit())
    }

    /// Solves relaxations of a node with better and better multipliers. Returns the task to branch on, if the node may
    /// hold a better decision.
    fn explore(&mut self, node: &mut Node) -> Option<usize> {
        if !self.is_within_reach(node) {
            return None;
        }
        let steps = if self.is_first { FIRST_STEPS } else { STEPS };
        self.is_first = false;
        let mut scale = 1.0;
        let mut last = None;
        for step in 0..steps {
            let mut costs = self.costs.with_fixed(&node.fixed);
            let mut offset = 0.0;
            for (limit, multiplier) in self.limits.iter().zip(&node.multipliers) {
                costs = costs.plus(&limit.amounts, *multiplier);
                offset += multiplier * limit.loosened();
            }
            let relaxed = self.solve(&costs, &node.prices);
            self.offer(&relaxed.decision);
            let bound = relaxed.bound - offset;
            if bound > node.bound {
                node.bound = bound;
            } else if step > 0 {
                scale *= 0.7;
            }
            if node.bound >= self.limit() {
                return None;
            }
            if self.relaxation.is_exact() && self.limits.is_empty() {
                // The decision of the relaxation was the cheapest of this node.
                return None;
            }
            let is_stationary = !self.improve(node, &relaxed, bound, scale);
            last = Some(relaxed);
            if is_stationary {
                break;
            }
        }
        self.branching_task(node, &last?)
    }

    fn solve(&mut self, costs: &Labelling<'_>, prices: &[f64]) -> Relaxed {
        self.evaluations += 1;
        self.work += (costs.tasks() + costs.edges().len()) as u64 * costs.places as u64;
        self.relaxation.solve(costs, prices)
    }

    /// Whether some decision may satisfy each limit by itself.
    fn is_within_reach(&mut self, node: &Node) -> bool {
        let limits = self.limits;
        limits.iter().all(|limit| {
            let amounts = limit.amounts.with_fixed(&node.fixed);
            let relaxed = self.solve(&amounts, &node.prices.iter().map(|_| 0.0).collect::<Vec<_>>());
            self.offer(&relaxed.decision);
            relaxed.bound <= limit.loosened()
        })
    }

    /// Takes a decision if it is the best so far.
    fn offer(&mut self, decision: &[u8]) {
        let cost = self.costs.cost(decision);
        let is_better = cost.is_finite() && self.best.as_ref().is_none_or(|(best, _)| cost < *best);
        if is_better && (self.limits.is_empty() || !self.model.evaluate(decision).exceeds_limits) {
            self.best = Some((cost, decision.to_vec()));
        }
    }

    /// Moves multipliers along the subgradient, by Polyak's step. Returns whether one moved.
    fn improve(&self, node: &mut Node, relaxed: &Relaxed, bound: f64, scale: f64) -> bool {
        let mut violations: Vec<f64> = self
            .limits
            .iter()
            .map(|limit| (limit.amounts.cost(&relaxed.decision) - limit.most) / limit.scale)
            .collect();
        let excess = |count: u8| f64::from(count) - 1.0;
        let is_active = |multiplier: f64, violation: f64| violation > 0.0 || violation < 0.0 && multiplier > 0.0;
        let servers = relaxed.servers.iter().zip(&node.prices).map(|(count, price)| (excess(*count), *price));
        let mut length: f64 =
            servers.filter(|(excess, price)| is_active(*price, *excess)).map(|(excess, _)| excess * excess).sum();
        for (violation, multiplier) in violations.iter_mut().zip(&node.multipliers) {
            if !is_active(*multiplier, *violation) {
                *violation = 0.0;
            }
            length += *violation * *violation;
        }
        if length <= 0.0 {
            return false;
        }
        let target = self.best.as_ref().map_or(bound + 0.1 * bound.abs(), |(cost, _)| *cost);
        let step = scale * (target - bound).max(1e-3 * target.abs()) / length;
        for ((violation, multiplier), limit) in violations.iter().zip(&mut node.multipliers).zip(self.limits) {
            *multiplier = (*multiplier + step * violation / limit.scale).max(0.0);
        }
        for (count, price) in relaxed.servers.iter().zip(&mut node.prices) {
            if is_active(*price, excess(*count)) {
                *price = (*price + step * excess(*count)).max(0.0);
            }
        }
        true
    }

    /// The task whose place is least certain, of those that are not fixed.
    fn branching_task(&self, node: &Node, relaxed: &Relaxed) -> Option<usize> {
        let mut is_fixed = vec![false; self.costs.tasks()];
        node.fixed.iter().for_each(|(task, _)| is_fixed[*task as usize] = true);
        let has_choice = |task: &usize| {
            let places = (0..self.costs.places).filter(|place| self.costs.task_cost(*task, *place).is_finite());
            !is_fixed[*task] && places.count() > 1
        };
        let spread = |costs: &Labelling<'_>, task: usize| {
            let row = &costs.task_costs[task * costs.places..][..costs.places];
            let finite = || row.iter().copied().filter(|cost| cost.is_finite());
            finite().fold(0.0, f64::max) - finite().fold(f64::INFINITY, f64::min)
        };
        let uncertainty = |task: usize| {
            let conflict = relaxed.servers.get(task).map_or(0.0, |count| (f64::from(*count) - 1.0).max(0.0));
            let price = node.prices.get(task).copied().unwrap_or(0.0);
            let limits = self.limits.iter().map(|limit| spread(&limit.amounts, task) / limit.scale);
            let limits: f64 = limits.sum();
            (conflict + price, limits + 1e-12 * spread(self.costs, task))
        };
        let tasks = (0..self.costs.tasks()).filter(has_choice).map(|task| (uncertainty(task), task));
        tasks.max_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))).map(|(_, task)| task)
    }

    fn branch(&mut self, node: &Node, task: usize) {
        for place in 0..self.costs.places {
            if self.costs.task_cost(task, place).is_finite() {
                let mut fixed = node.fixed.clone();
                fixed.push((task as u32, place as u8));
                let (prices, multipliers) = (node.prices.clone(), node.multipliers.clone());
                self.open.push(Node { bound: node.bound, fixed, prices, multipliers });
            }
        }
    }

    fn solution(&self) -> GraphSolution {
        let open = self.open.peek().map_or(f64::INFINITY, |node| node.bound);
        let optimality = if self.is_complete() { Optimality::Proved } else { Optimality::Bound(open) };
        let places = self.best.as_ref().map_or_else(|| vec![0; self.costs.tasks()], |(_, places)| places.clone());
        GraphSolution { places, evaluations: self.evaluations, optimality, order: None }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest bound first; of equal ones the node with most tasks fixed.
impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound).then_with(|| self.fixed.len().cmp(&other.fixed.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{Kind, cheapest_cost, models, with_limits};
    use super::*;
    use crate::graph::rules::Timing;

    const KIND: Kind = Kind { timing: Timing::Serial, tasks: 7, servers: 3, is_chain: false };

    fn check(model: &GraphModel) -> Result<(), TestCaseError> {
        let found = cheapest(model);
        let (cost, best) = (model.evaluate(&found.places).cost, cheapest_cost(model));
        prop_assert!((cost - best).abs() <= 1e-9 * best.max(1.0), "{cost} is not {best}: {found:?}");
        prop_assert_eq!(found.optimality, Optimality::Proved);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn no_decision_is_cheaper(model in models(KIND)) {
            check(&model)?;
        }

        #[test]
        fn no_decision_about_a_chain_is_cheaper(model in models(Kind { is_chain: true, ..KIND })) {
            check(&model)?;
        }

        #[test]
        fn no_decision_within_limits_is_cheaper(
            model in models(Kind { tasks: 6, ..KIND }),
            shares in prop::array::uniform3(prop::option::of(-0.1..1.1_f64)),
        ) {
            check(&with_limits(&model, shares))?;
        }
    }
}
