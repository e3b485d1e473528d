//! The most tasks that can be served: a 0-1 program with two limits, solved by labels and bounds.

use super::dual::Prices;
use super::rules::{ServingRule, serve_by_price};
use super::{LayerServing, ServingDecision, Shares};

/// The most labels that are kept altogether, about a second's work.
const MAX_LABELS: usize = 4_000_000;

/// The prices that are tried on either side of the best ones.
const ANGLES: i32 = 12;

/// A decision that serves the most tasks, or the best one found with a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct ServingOptimum {
    /// The decision.
    pub decision: ServingDecision,
    /// No decision serves more tasks. The decision is proved to be the best if it serves this number.
    pub bound: u64,
    /// The number of decisions about the first tasks that were looked at.
    pub labels: u64,
}

impl ServingOptimum {
    /// Whether no decision serves more tasks.
    pub fn is_proved(&self) -> bool {
        self.decision.served() as u64 == self.bound
    }
}

/// A decision about the first tasks.
#[derive(Debug, Clone, Copy)]
struct Label {
    served: u32,
    used: [f64; 2],
    /// The label before it, and which of its task's ways to be served is taken.
    before: u32,
    way: Option<u32>,
    /// Whether a task of the same network with fewer inputs is not served, so that its task need not be, either.
    is_closed: bool,
}

/// Of the decisions about the first tasks, all are kept that no other one beats in tasks served, capacity and bandwidth, and
/// that may still serve more tasks than the best decision known, as prices of capacity and bandwidth say. Tasks of one
/// network are served by rising rate: a task that is served could always be exchanged for one of the same network with
/// fewer inputs.
pub(super) fn optimum(serving: &LayerServing) -> ServingOptimum {
    let ways: Vec<Vec<Shares>> = (0..serving.tasks().len()).map(|task| best_ways(serving.edge_shares(task))).collect();
    let prices = Prices::best(&ways);
    let root_bound = whole(prices.bound(&ways)).min(ways.len() as u64);
    let mut best = first_decision(serving, prices);
    let (order, is_new_network) = by_network(serving);
    // What the tasks from each position on are worth at most.
    let mut ahead = vec![0.0; order.len() + 1];
    for (position, &task) in order.iter().enumerate().rev() {
        ahead[position] = ahead[position + 1] + prices.worth(&ways[task]).max(0.0);
    }
    // The same without the other tasks of the network of the task before each position.
    let mut ahead_if_closed = ahead.clone();
    for position in (0..order.len()).rev().filter(|position| !is_new_network[*position]) {
        ahead_if_closed[position] = ahead_if_closed[position + 1];
    }
    let mut labels = vec![Label { served: 0, used: [0.0; 2], before: 0, way: None, is_closed: false }];
    let mut last = 0..1;
    for (position, &task) in order.iter().enumerate() {
        let limit = best.served() as u64;
        let mut candidates = Vec::with_capacity(2 * last.len());
        for before in last.clone() {
            let label = Label { before: before as u32, way: None, ..labels[before] };
            let is_closed = label.is_closed && !is_new_network[position];
            candidates.push(Label { is_closed: true, ..label });
            let fitting = ways[task].iter().enumerate().filter(|(_, shares)| !is_closed && shares.fits(label.used));
            for (way, shares) in fitting {
                let (served, used) = (label.served + 1, shares.after(label.used));
                candidates.push(Label { served, used, way: Some(way as u32), is_closed: false, ..label });
            }
        }
        candidates.retain(|label| {
            let left = label.used.iter().zip(prices.0).map(|(used, price)| price * (1.0 - used)).sum::<f64>();
            let ahead = if label.is_closed { &ahead_if_closed } else { &ahead };
            u64::from(label.served) + whole(left + ahead[position + 1]) > limit
        });
        let first = labels.len();
        let is_last = is_new_network.get(position + 1).is_none_or(|is_new| *is_new);
        if is_last {
            // Whether labels are closed no longer matters.
            for label in &mut candidates {
                label.is_closed = false;
            }
        }
        keep_pareto(&mut candidates, &mut labels);
        last = first..labels.len();
        if last.is_empty() {
            return ServingOptimum { bound: limit, decision: best, labels: labels.len() as u64 };
        }
        // Each label is a decision that serves no further task.
        let most = last.clone().max_by_key(|label| labels[*label].served);
        if let Some(most) = most.filter(|most| labels[*most].served as usize > best.served()) {
            best = decision(&labels, most, &order[..=position], &ways);
        }
        if labels.len() > MAX_LABELS {
            return ServingOptimum { bound: root_bound, decision: best, labels: labels.len() as u64 };
        }
    }
    ServingOptimum { bound: best.served() as u64, decision: best, labels: labels.len() as u64 }
}

/// The tasks with those of one network next to each other, by rising rate, and for each whether its network is another one
/// than that of the task before it.
fn by_network(serving: &LayerServing) -> (Vec<usize>, Vec<bool>) {
    let tasks = serving.tasks();
    let is_same =
        |a: usize, b: usize| tasks[a].input_bytes == tasks[b].input_bytes && tasks[a].layers == tasks[b].layers;
    let mut networks: Vec<Vec<usize>> = Vec::new();
    for task in 0..tasks.len() {
        match networks.iter_mut().find(|network| is_same(network[0], task)) {
            Some(network) => network.push(task),
            None => networks.push(vec![task]),
        }
    }
    let (mut order, mut is_new) = (Vec::with_capacity(tasks.len()), Vec::with_capacity(tasks.len()));
    for mut network in networks {
        network.sort_by(|a, b| tasks[*a].inputs_per_s.total_cmp(&tasks[*b].inputs_per_s));
        is_new.extend((0..network.len()).map(|index| index == 0));
        order.append(&mut network);
    }
    (order, is_new)
}

/// The largest whole number of tasks up to a bound, with room for rounding.
fn whole(bound: f64) -> u64 {
    (bound + 1e-6).floor().max(0.0) as u64
}

/// The ways to serve a task that fit and that no other way beats in capacity and bandwidth.
fn best_ways(shares: &[Shares]) -> Vec<Shares> {
    let mut ways: Vec<Shares> = shares.iter().copied().filter(|shares| shares.fits([0.0; 2])).collect();
    ways.sort_by(|a, b| a.capacity.total_cmp(&b.capacity).then(a.bandwidth.total_cmp(&b.bandwidth)));
    let mut least = f64::INFINITY;
    ways.retain(|way| {
        let is_better = way.bandwidth < least;
        least = least.min(way.bandwidth);
        is_better
    });
    ways
}

/// The best of the rules, and of serving the tasks first that pay least, under several prices.
fn first_decision(serving: &LayerServing, prices: Prices) -> ServingDecision {
    let rules = [ServingRule::LiOffline, ServingRule::BestFit].map(|rule| rule.decide(serving));
    let ratios = (-ANGLES..=ANGLES).map(|angle| 1.15_f64.powi(angle));
    let near = ratios.map(|ratio| serve_by_price(serving, [prices.0[0] * ratio, prices.0[1] / ratio]));
    let all = rules.into_iter().chain(near);
    let better =
        |best: ServingDecision, found: ServingDecision| if found.served() > best.served() { found } else { best };
    all.fold(serve_by_price(serving, prices.0), better)
}

/// Appends the candidates that no other one beats, of those that are closed and of the others.
fn keep_pareto(candidates: &mut [Label], kept: &mut Vec<Label>) {
    candidates.sort_by(|a, b| {
        let by_use = a.used[0].total_cmp(&b.used[0]).then(a.used[1].total_cmp(&b.used[1]));
        b.served.cmp(&a.served).then(by_use)
    });
    // Capacity and bandwidth of the labels kept that serve no fewer tasks, by rising capacity and falling bandwidth.
    let mut steps: [Vec<[f64; 2]>; 2] = Default::default();
    for candidate in candidates {
        let steps = &mut steps[usize::from(candidate.is_closed)];
        let [capacity, bandwidth] = candidate.used;
        let position = steps.partition_point(|step| step[0] <= capacity);
        if position > 0 && steps[position - 1][1] <= bandwidth {
            continue;
        }
        let beaten = steps[position..].iter().take_while(|step| step[1] >= bandwidth).count();
        steps.splice(position..position + beaten, [[capacity, bandwidth]]);
        kept.push(*candidate);
    }
}

fn decision(labels: &[Label], last: usize, order: &[usize], ways: &[Vec<Shares>]) -> ServingDecision {
    let mut layers = vec![None; ways.len()];
    let mut at = last;
    for &task in order.iter().rev() {
        layers[task] = labels[at].way.map(|way| ways[task][way as usize].layers);
        at = labels[at].before as usize;
    }
    ServingDecision { layers }
}
