//! Depth-first branch and bound over the tasks of one device, where nothing is shared and every task has times and energies of
//! its own: places have latencies, tasks differ in instructions per byte, or missed deadlines cost something.
//!
//! # The bound
//! The response time is the longest time of all places, so that no weights μ_p ≥ 0 with Σ μ_p = 1 − α make Σ μ_p T_p more than
//! (1 − α) max T_p. With such weights each task can be placed by itself: no completion of a partial decision costs less than
//!
//! α E + Σ_p μ_p T_p + Σ_i min_p (α e_ip + μ_p t_ip),
//!
//! the sum running over the tasks that are still to be placed. Sums from each depth on are computed beforehand for many μ; the
//! best of them is about as strong as tasks that can be divided at will. To this comes the price of all deadlines that are
//! missed for certain: of tasks placed where the device is busy too long already, and of tasks that no place can do in time.

use crate::tasks::cost::{CostModel, is_late};
use crate::tasks::scheme::SchemeError;

/// The most search nodes for one device, a fraction of a second of work.
const MAX_NODES: u64 = 3_000_000;
/// The most weights for which sums are computed beforehand.
const MAX_WEIGHTS: usize = 64;
/// Subgradient steps to good weights.
const STEPS: u32 = 200;

/// One task of the device that has bytes.
struct Task {
    /// Position among the device's tasks.
    index: usize,
    /// Weighted energy at each place.
    costs: Vec<f64>,
    /// Time at each place.
    times_s: Vec<f64>,
    deadline_s: f64,
}

/// The search for one device.
pub(super) struct TaskSearch {
    /// The places that may be used.
    places: Vec<u8>,
    /// Tasks by falling least time.
    tasks: Vec<Task>,
    time_weight: f64,
    /// What a missed deadline costs.
    price: f64,
    /// μ, `[weights][places]`.
    weights: Vec<Vec<f64>>,
    /// Σ_i min_p (α e_ip + μ_p t_ip) over the tasks from each depth on, `[weights][depth]`.
    sums: Vec<Vec<f64>>,
    busy_s: Vec<f64>,
    chosen: Vec<usize>,
    best: Vec<usize>,
    best_cost: f64,
    /// Nodes searched so far; each takes one cost evaluation.
    pub(super) nodes: u64,
}

impl TaskSearch {
    /// The search for one device whose tasks have these sizes, over the places `allowed`. `known` is a decision for it.
    pub(super) fn new(model: &CostModel, device: usize, allowed: Vec<u8>, sizes_bytes: &[f64], known: &[u8]) -> Self {
        let detailed = model.detailed().expect("other models have a search of their own");
        let [energy_weight, time_weight] = model.detailed_weights();
        let (own, first) = (detailed.of_device(device), device * model.tasks());
        let present = sizes_bytes.iter().enumerate().filter(|(_, bytes)| **bytes > 0.0);
        let mut tasks: Vec<Task> = present
            .map(|(index, &bytes)| {
                let amount = model.amount(first + index, bytes);
                let at = |place: &u8| usize::from(*place);
                let cost = |place: &u8| energy_weight * own[at(place)].energy_j(&amount);
                let time_s = |place: &u8| detailed.done_s(&own[at(place)], at(place), &amount, &amount, bytes);
                Task {
                    index,
                    costs: allowed.iter().map(cost).collect(),
                    times_s: allowed.iter().map(time_s).collect(),
                    deadline_s: model.deadline_s(first + index),
                }
            })
            .collect();
        let least_s = |task: &Task| task.times_s.iter().copied().fold(f64::INFINITY, f64::min);
        tasks.sort_by(|a, b| least_s(b).total_cmp(&least_s(a)).then(a.index.cmp(&b.index)));
        let position = |task: &Task| allowed.iter().position(|place| *place == known[task.index]).unwrap_or(0);
        let best: Vec<usize> = tasks.iter().map(position).collect();
        let mut search = Self {
            time_weight,
            price: model.lateness_price(first, sizes_bytes),
            weights: Vec::new(),
            sums: Vec::new(),
            busy_s: vec![0.0; allowed.len()],
            chosen: Vec::with_capacity(tasks.len()),
            best_cost: f64::INFINITY,
            best,
            places: allowed,
            tasks,
            nodes: 0,
        };
        search.best_cost = search.cost_of_best();
        search.choose_weights();
        search
    }

    /// Searches and writes the best placements into `places`, in the workload's order.
    pub(super) fn run(&mut self, places: &mut [u8]) -> Result<(), SchemeError> {
        self.descend(0.0)?;
        // A task without bytes costs nothing anywhere.
        places.fill(self.places[0]);
        for (task, &chosen) in self.tasks.iter().zip(&self.best) {
            places[task.index] = self.places[chosen];
        }
        Ok(())
    }

    fn cost_of_best(&mut self) -> f64 {
        let mut cost = 0.0;
        for (task, &place) in self.tasks.iter().zip(&self.best) {
            cost += task.costs[place];
            self.busy_s[place] += task.times_s[place];
        }
        let longest_s = self.busy_s.iter().copied().fold(0.0, f64::max);
        cost += self.time_weight * longest_s + self.price * self.missed(&self.best) as f64;
        self.busy_s.fill(0.0);
        cost
    }

    /// The number of tasks, placed as `chosen` says, that miss their deadlines with the times that places are busy.
    fn missed(&self, chosen: &[usize]) -> usize {
        let placed = self.tasks.iter().zip(chosen);
        placed.filter(|(task, place)| is_late(self.busy_s[**place], task.deadline_s)).count()
    }

    /// The number of tasks from `depth` on that no place can do in time.
    fn hopeless(&self, depth: usize) -> usize {
        let is_hopeless = |task: &&Task| {
            task.times_s.iter().zip(&self.busy_s).all(|(time_s, busy_s)| is_late(busy_s + time_s, task.deadline_s))
        };
        self.tasks[depth..].iter().filter(is_hopeless).count()
    }

    /// Decides the next task and all after it, given the weighted energy of the tasks placed so far.
    fn descend(&mut self, energy_cost: f64) -> Result<(), SchemeError> {
        let depth = self.chosen.len();
        let Some(task) = self.tasks.get(depth) else {
            let longest_s = self.busy_s.iter().copied().fold(0.0, f64::max);
            let missed_cost = self.price * if self.price > 0.0 { self.missed(&self.chosen) as f64 } else { 0.0 };
            let cost = energy_cost + self.time_weight * longest_s + missed_cost;
            if cost < self.best_cost {
                self.best_cost = cost;
                self.best.copy_from_slice(&self.chosen);
            }
            return Ok(());
        };
        // The cheapest place first, so that good decisions are found early.
        let after = |place: usize| task.costs[place] + self.time_weight * (self.busy_s[place] + task.times_s[place]);
        let mut order: Vec<(f64, usize)> = (0..self.places.len()).map(|place| (after(place), place)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, place) in order {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(SchemeError::TooLarge {
                    tasks: self.tasks.len(),
                    places: self.places.len(),
                    nodes: MAX_NODES,
                });
            }
            let Task { costs, times_s, .. } = &self.tasks[depth];
            let (energy_cost, busy_s) = (energy_cost + costs[place], self.busy_s[place]);
            self.busy_s[place] += times_s[place];
            self.chosen.push(place);
            if self.bound(depth + 1, energy_cost) < self.best_cost {
                self.descend(energy_cost)?;
            }
            self.chosen.pop();
            self.busy_s[place] = busy_s;
        }
        Ok(())
    }

    /// A lower bound for all completions of the partial decision, see the documentation of this module.
    fn bound(&self, depth: usize, energy_cost: f64) -> f64 {
        let mut most = 0.0_f64;
        for (weights, sums) in self.weights.iter().zip(&self.sums) {
            let mut bound = sums[depth];
            for (weight, busy_s) in weights.iter().zip(&self.busy_s) {
                bound += weight * busy_s;
            }
            most = most.max(bound);
        }
        let mut bound = energy_cost + most;
        if self.price > 0.0 && bound < self.best_cost {
            bound += self.price * (self.missed(&self.chosen) + self.hopeless(depth)) as f64;
        }
        bound
    }

    /// Chooses the weights: all on one place, all on the place that is longest, and those on the way to the best bound.
    fn choose_weights(&mut self) {
        let count = self.places.len();
        for place in 0..count.min(MAX_WEIGHTS / 2) {
            let mut weights = vec![0.0; count];
            weights[place] = self.time_weight;
            self.add_weights(weights);
        }
        let mut weights = vec![self.time_weight / count as f64; count];
        let mut gradient = vec![0.0; count];
        let every = STEPS.div_ceil((MAX_WEIGHTS - self.weights.len()) as u32);
        for step in 0..STEPS {
            if step % every == 0 {
                self.add_weights(weights.clone());
            }
            let bound = self.relaxed(&weights, &mut gradient);
            let mean = gradient.iter().sum::<f64>() / count as f64;
            let steepness: f64 = gradient.iter().map(|slope| (slope - mean).powi(2)).sum();
            if steepness <= 0.0 || bound >= self.best_cost {
                break;
            }
            let scale = 1.0 / (1.0 + f64::from(step) / 20.0);
            let length = scale * (self.best_cost - bound) / steepness;
            weights.iter_mut().zip(&gradient).for_each(|(weight, slope)| *weight += length * (slope - mean));
            project(&mut weights, self.time_weight);
        }
        self.add_weights(weights);
    }

    /// Σ_i min_p (α e_ip + μ_p t_ip) over all tasks, and its gradient in μ.
    fn relaxed(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut sum = 0.0;
        for task in &self.tasks {
            let (cost, place) = task.cheapest(weights);
            sum += cost;
            gradient[place] += task.times_s[place];
        }
        sum
    }

    fn add_weights(&mut self, weights: Vec<f64>) {
        let mut sums = vec![0.0; self.tasks.len() + 1];
        for (depth, task) in self.tasks.iter().enumerate().rev() {
            sums[depth] = sums[depth + 1] + task.cheapest(&weights).0;
        }
        self.weights.push(weights);
        self.sums.push(sums);
    }
}

impl Task {
    /// The least of α e_ip + μ_p t_ip, and its place.
    fn cheapest(&self, weights: &[f64]) -> (f64, usize) {
        let cost = |place: usize| self.costs[place] + weights[place] * self.times_s[place];
        let places = (0..weights.len()).map(|place| (cost(place), place));
        places.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is a place")
    }
}

/// Moves weights to the nearest that are not negative and add up to `total`.
fn project(weights: &mut [f64], total: f64) {
    let mut sorted = weights.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (count, weight) in (1..).zip(&sorted) {
        sum += weight;
        let next = (sum - total) / f64::from(count);
        if *weight > next {
            shift = next;
        }
    }
    for weight in weights {
        *weight = (*weight - shift).max(0.0);
    }
}
