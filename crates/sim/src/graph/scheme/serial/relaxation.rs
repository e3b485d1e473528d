//! What a labelling problem costs at least, with a decision that costs little.

use super::cut::{cheapest_by_cut, two_sided};
use super::labelling::Labelling;
use super::tree::{Forest, cheapest_in_forest};
use crate::graph::application::Application;
use crate::max_flow::minimum_cut;

/// How a labelling problem is bounded.
pub(super) enum Relaxation {
    /// Edges form trees: by dynamic programming, exact.
    Forest(Forest),
    /// At most two servers: by one minimum cut, exact.
    Cut,
    /// One minimum cut for each server. That a task is at one server only is not required but has a price for each task.
    Servers,
}

/// A bound of a labelling problem, and what it was found by.
pub(super) struct Relaxed {
    /// No decision costs less.
    pub(super) bound: f64,
    /// A decision; where the relaxation is exact, one that costs no more than the bound.
    pub(super) decision: Vec<u8>,
    /// For each task, at how many servers the relaxation has it at once; empty where it is exact.
    pub(super) servers: Vec<u8>,
}

impl Relaxation {
    pub(super) fn of(application: &Application, places: usize) -> Self {
        match Forest::of(application) {
            Some(forest) => Self::Forest(forest),
            None if places <= 3 => Self::Cut,
            None => Self::Servers,
        }
    }

    /// Whether bounds are costs of decisions.
    pub(super) fn is_exact(&self) -> bool {
        !matches!(self, Self::Servers)
    }

    /// Bounds the cost. `prices` has a price for each task, at least 0, that only [`Relaxation::Servers`] regards.
    pub(super) fn solve(&self, costs: &Labelling<'_>, prices: &[f64]) -> Relaxed {
        let decision = match self {
            Self::Forest(forest) => cheapest_in_forest(costs, forest),
            Self::Cut => cheapest_by_cut(costs),
            Self::Servers => return by_servers(costs, prices),
        };
        Relaxed { bound: costs.cost(&decision), decision, servers: Vec::new() }
    }
}

/// Since the way from one server to another is that to the device and that from it, the cost of an edge is a sum over
/// servers: of going up to it and of coming down from it.
fn by_servers(costs: &Labelling<'_>, prices: &[f64]) -> Relaxed {
    let tasks = costs.tasks();
    // What a task costs in any case: at the device, or at the only server it may be at.
    let only = |task: usize| (1..costs.places).find(|server| costs.task_cost(task, *server).is_finite()).unwrap_or(0);
    let is_bound = |task: usize| costs.task_cost(task, 0).is_infinite();
    let mut decision: Vec<u8> = (0..tasks).map(|task| if is_bound(task) { only(task) as u8 } else { 0 }).collect();
    let mut bound: f64 = (0..tasks)
        .map(|task| costs.task_cost(task, decision[task] as usize) - if is_bound(task) { 0.0 } else { prices[task] })
        .sum();
    let mut servers = vec![0_u8; tasks];
    for server in 1..costs.places {
        let (local, mut remote, edges) = two_sided(costs, server);
        let mut at_device = vec![0.0; tasks];
        for task in 0..tasks {
            if local[task].is_finite() {
                remote[task] += prices[task] - local[task];
            } else if decision[task] as usize == server {
                (at_device[task], remote[task]) = (f64::INFINITY, 0.0);
            } else {
                remote[task] = f64::INFINITY;
            }
        }
        let is_there = minimum_cut(&at_device, &remote, &edges);
        for (task, _) in is_there.iter().enumerate().filter(|(_, is_there)| **is_there) {
            servers[task] += 1;
            bound += remote[task];
            if servers[task] == 1 || costs.task_cost(task, server) < costs.task_cost(task, decision[task] as usize) {
                decision[task] = server as u8;
            }
        }
        bound += edges
            .iter()
            .map(|edge| match (is_there[edge.from as usize], is_there[edge.to as usize]) {
                (false, true) => edge.forward,
                (true, false) => edge.backward,
                _ => 0.0,
            })
            .sum::<f64>();
    }
    Relaxed { bound, decision, servers }
}
