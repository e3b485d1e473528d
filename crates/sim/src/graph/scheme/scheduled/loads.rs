//! Bounds by load: what the processor, the servers and the links have to do at least.
//!
//! Each queue works on one thing at a time, so that an application takes at least the time until a queue is free, plus
//! what it has to do for a set of tasks, plus the shortest tail of these tasks. It therefore takes at least any weighted
//! mean of these over queues, and for fixed weights every task adds the least that any place adds. Fixed costs join
//! the same minimum.

use std::ops::Range;

use super::bound::{later, lesser};
use super::tables::Tables;
use crate::graph::model::GraphModel;

/// Weights of queues, with what tasks add under them.
struct Mean {
    /// The weights of queues that have one; their sum is 1.
    weights: Vec<(usize, f64)>,
    /// For each position, the sum over all positions before it of what a task adds to the cost at least.
    sums: Vec<f64>,
}

/// Bounds by load of one model.
pub(super) struct Loads {
    means: Vec<Mean>,
    /// `[position][queue]`: the time from when a queue has worked on a task to the end of the application, at least; infinite
    /// where the queue never works on it.
    tails_s: Vec<f64>,
    /// Only queues that have a weight in some mean matter.
    queues: usize,
    /// Scratch, for each queue.
    tail_s: Vec<f64>,
}

/// Weights that differ less than this are the same.
const SAME: f64 = 2e-3;

/// Weights that are taken for 0.
const NEGLIGIBLE: f64 = 1e-4;

/// Steps to find weights, for all queues and between two.
const STEPS: usize = 24;
const SECTIONS: usize = 26;

impl Loads {
    pub(super) fn new(tables: &Tables<'_>, queues: &Uses) -> Self {
        let mut loads = Self {
            means: Vec::new(),
            tails_s: tails(tables, queues),
            queues: queues.count,
            tail_s: vec![0.0; queues.count],
        };
        let half = tables.tasks / 2;
        let mut seen: Vec<Vec<f64>> = Vec::new();
        for positions in [0..tables.tasks, 0..half, half..tables.tasks] {
            let weights = best_weights(tables, queues, positions);
            let distance = |other: &Vec<f64>| other.iter().zip(&weights).map(|(a, b)| (a - b).abs()).sum::<f64>();
            if seen.iter().all(|other| distance(other) >= SAME) {
                let sums = sums(tables, queues, &weights);
                let weighted = weights.iter().copied().enumerate().filter(|(_, weight)| *weight > 0.0);
                loads.means.push(Mean { weights: weighted.collect(), sums });
                seen.push(weights);
            }
        }
        loads
    }

    /// What all decisions cost at least that continue a schedule of the first `placed` tasks, without their fixed costs:
    /// `free_s` is when each queue is free, `time_s` what the application takes at least, `limit` a bound that is high enough.
    pub(super) fn bound(&mut self, tables: &Tables<'_>, placed: usize, free_s: &[f64], time_s: f64, limit: f64) -> f64 {
        let mut best = f64::NEG_INFINITY;
        self.tail_s.fill(f64::INFINITY);
        for position in placed..tables.tasks {
            let tails = &self.tails_s[position * self.queues..][..self.queues];
            for (least, tail) in self.tail_s.iter_mut().zip(tails) {
                *least = lesser(*least, *tail);
            }
            for mean in &self.means {
                // A queue that works on none of these tasks is free before the application ends.
                let least_s = |queue: usize| lesser(free_s[queue] + self.tail_s[queue], time_s);
                let time_s: f64 = mean.weights.iter().map(|(queue, weight)| weight * least_s(*queue)).sum();
                let cost = tables.second * time_s + mean.sums[position + 1] - mean.sums[placed]
                    + tables.least_fixed[position + 1];
                best = later(best, cost);
            }
            if best >= limit {
                break;
            }
        }
        best
    }
}

/// Which queues each place uses.
pub(super) struct Uses {
    pub(super) count: usize,
    pub(super) uplink: Vec<usize>,
    pub(super) downlink: Vec<usize>,
}

impl Uses {
    pub(super) fn of(model: &GraphModel) -> Self {
        let queues = |queues: &[u32]| queues.iter().map(|queue| *queue as usize).collect();
        let uplink = queues(&model.queues.uplink);
        Self { count: model.queues.count, uplink, downlink: queues(&model.queues.downlink) }
    }

    /// Calls a function with each queue that works on a task at a place, how long, and how long the application takes
    /// after that at least.
    pub(super) fn of_task(
        &self,
        tables: &Tables<'_>,
        position: usize,
        place: usize,
        mut visit: impl FnMut(usize, f64, f64),
    ) {
        let cell = position * tables.places + place;
        visit(place, tables.run_s[cell], tables.tail_s[cell]);
        if place > 0 {
            visit(self.uplink[place], tables.send_s[cell], tables.run_s[cell] + tables.tail_s[cell]);
            if let Some(&downlink) = self.downlink.get(place) {
                visit(downlink, tables.return_s[cell], 0.0);
            }
        }
    }
}

fn tails(tables: &Tables<'_>, queues: &Uses) -> Vec<f64> {
    let mut tails_s = vec![f64::INFINITY; tables.tasks * queues.count];
    for position in 0..tables.tasks {
        for place in tables.allowed(position) {
            queues.of_task(tables, position, place, |queue, _, tail_s| {
                let least = &mut tails_s[position * queues.count + queue];
                *least = least.min(tail_s);
            });
        }
    }
    tails_s
}

/// What a task adds to the cost at least, and at which place.
fn least(tables: &Tables<'_>, queues: &Uses, weights: &[f64], position: usize) -> (f64, usize) {
    let mut best = (f64::INFINITY, 0);
    for place in tables.allowed(position) {
        let mut time_s = 0.0;
        queues.of_task(tables, position, place, |queue, use_s, _| time_s += weights[queue] * use_s);
        let cost = tables.second * time_s + tables.fixed[position * tables.places + place];
        if cost < best.0 {
            best = (cost, place);
        }
    }
    best
}

/// Least fixed costs hold what edges cost at least, and these sums take their place.
fn sums(tables: &Tables<'_>, queues: &Uses, weights: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for position in 0..tables.tasks {
        let row = &tables.fixed[position * tables.places..][..tables.places];
        let least_row = row.iter().copied().fold(f64::INFINITY, f64::min);
        let edges = tables.least_fixed[position] - tables.least_fixed[position + 1] - least_row;
        sum += least(tables, queues, weights, position).0 + edges.min(0.0);
        sums.push(sum);
    }
    sums
}

/// Weights under which the tasks at these positions cost most: first by multiplicative steps along the loads, then exactly
/// between two queues at a time, since the cost is concave in the weights.
fn best_weights(tables: &Tables<'_>, queues: &Uses, positions: Range<usize>) -> Vec<f64> {
    let mut weights = vec![1.0 / queues.count as f64; queues.count];
    let mut best = (f64::NEG_INFINITY, weights.clone());
    let mut loads_s = vec![0.0; queues.count];
    for step in 0..STEPS {
        loads_s.fill(0.0);
        let mut cost = 0.0;
        for position in positions.clone() {
            let (added, place) = least(tables, queues, &weights, position);
            cost += added;
            queues.of_task(tables, position, place, |queue, use_s, _| loads_s[queue] += use_s);
        }
        if cost > best.0 {
            best = (cost, weights.clone());
        }
        let most_s = loads_s.iter().copied().fold(0.0, f64::max);
        if most_s <= 0.0 {
            break;
        }
        let length = 1.5 / (1.0 + 0.3 * step as f64);
        weights.iter_mut().zip(&loads_s).for_each(|(weight, load_s)| *weight *= (length * load_s / most_s).exp());
        normalise(&mut weights);
    }
    let mut weights = best.1;
    for (one, other) in (0..queues.count).flat_map(|one| (0..one).map(move |other| (one, other))) {
        shift(tables, queues, &positions, &mut weights, one, other);
    }
    // Weights that hardly matter take time in each bound.
    weights.iter_mut().filter(|weight| **weight < NEGLIGIBLE).for_each(|weight| *weight = 0.0);
    normalise(&mut weights);
    weights
}

/// Makes the sum of weights 1.
fn normalise(weights: &mut [f64]) {
    let sum: f64 = weights.iter().sum();
    for weight in weights {
        *weight /= sum;
    }
}

/// Shifts weight between two queues to where the cost is highest, by golden sections.
fn shift(tables: &Tables<'_>, queues: &Uses, positions: &Range<usize>, weights: &mut [f64], one: usize, other: usize) {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let sum = weights[one] + weights[other];
    if sum < SAME {
        return;
    }
    let mut cost = |weight: f64| -> f64 {
        (weights[one], weights[other]) = (weight, sum - weight);
        positions.clone().map(|position| least(tables, queues, weights, position).0).sum()
    };
    let (mut low, mut high) = (0.0, sum);
    let mut inner = [high - RATIO * (high - low), low + RATIO * (high - low)];
    let mut costs = inner.map(&mut cost);
    for _ in 0..SECTIONS {
        if costs[0] < costs[1] {
            low = inner[0];
            inner = [inner[1], low + RATIO * (high - low)];
            costs = [costs[1], cost(inner[1])];
        } else {
            high = inner[1];
            inner = [high - RATIO * (high - low), inner[0]];
            costs = [cost(inner[0]), costs[0]];
        }
    }
    cost(f64::midpoint(low, high));
}
