//! The exact optimum: with dedicated servers the cost is a sum over devices, so that each device is searched by
//! itself, by depth-first branch and bound.
//!
//! # The bound
//! Energy and time of a task are proportional to its size at every place. Let the bytes that are still to be placed be
//! divisible at will, and the rest of the problem becomes: find a deadline τ no earlier than any place is busy already,
//! give each place p as many bytes x_p as it can finish by then, the cheapest in energy first, and pay
//! α Σ e_p x_p + (1 − α) τ. That is convex and piecewise linear in τ with one breakpoint for each place (the deadline at
//! which the k cheapest places can just take all), so that looking at the breakpoints gives its exact minimum, which
//! no completion of the partial decision can undercut.

use super::greedy::place_greedily;
use super::load::Load;
use super::{Order, Scheme, Solution};
use crate::cost::{CostModel, Rate};
use crate::decision::{Decision, Placement};
use crate::error::SchemeError;
use crate::workload::Workload;

/// Search nodes for one device after which the search gives up: a fraction of a second.
const MAX_NODES: u64 = 3_000_000;

/// Branch and bound for each device. Always answers up to 13 tasks a device on three places; beyond that it depends on
/// the sizes, and what would take too long is refused.
#[derive(Debug, Clone, Default)]
pub struct Exact {
    /// The places that may be used; all if empty.
    among: Vec<u8>,
}

impl Exact {
    /// The optimum over all places.
    pub fn new() -> Self {
        Self::default()
    }

    /// The optimum over decisions that use only these places.
    pub fn among(places: &[Placement]) -> Self {
        Self { among: places.iter().map(|place| place.index()).collect() }
    }
}

impl Scheme for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = vec![0; model.task_count()];
        let mut evaluations = 0;
        let rows = workload.sizes_bytes().chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            let mut search = Search::new(model.rates(device), &self.among, model.alpha(), sizes);
            search.run(places)?;
            evaluations += search.nodes;
        }
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}

/// One place of one device, as the search sees it.
#[derive(Debug, Clone, Copy)]
struct Place {
    index: u8,
    rate: Rate,
}

/// The search for one device. Depth d decides the d-th largest task.
struct Search {
    alpha: f64,
    /// Cheapest in energy first, as the bound needs them.
    places: Vec<Place>,
    /// Tasks from the largest to the smallest.
    order: Vec<usize>,
    sizes: Vec<f64>,
    /// `remaining[d]`: bytes of the tasks from depth d on.
    remaining: Vec<f64>,
    /// Time at which each place is busy until, by position in `places`.
    times: Vec<f64>,
    /// Position in `places` chosen at each depth.
    chosen: Vec<usize>,
    best: Vec<usize>,
    best_cost: f64,
    /// Prices asked so far.
    nodes: u64,
}

impl Search {
    fn new(rates: &[Rate], among: &[u8], alpha: f64, sizes_bytes: &[f64]) -> Self {
        let mut places: Vec<Place> = (0_u8..)
            .zip(rates)
            .filter(|(index, _)| among.is_empty() || among.contains(index))
            .map(|(index, rate)| Place { index, rate: *rate })
            .collect();
        places.sort_by(|a, b| a.rate.energy_j_per_byte.total_cmp(&b.rate.energy_j_per_byte));
        let mut order: Vec<usize> = (0..sizes_bytes.len()).collect();
        order.sort_by(|&a, &b| sizes_bytes[b].total_cmp(&sizes_bytes[a]));
        let sizes: Vec<f64> = order.iter().map(|&task| sizes_bytes[task]).collect();
        let mut remaining = vec![0.0; sizes.len() + 1];
        for depth in (0..sizes.len()).rev() {
            remaining[depth] = remaining[depth + 1] + sizes[depth];
        }
        // Greedy gives the first decision to beat.
        let kept: Vec<Rate> = places.iter().map(|place| place.rate).collect();
        let mut greedy = vec![0_u8; sizes.len()];
        let mut load = Load::new(&kept, alpha);
        place_greedily(&mut load, &sizes, Order::Given, &mut greedy);
        Self {
            alpha,
            times: vec![0.0; places.len()],
            places,
            chosen: vec![0; sizes.len()],
            best: greedy.into_iter().map(usize::from).collect(),
            best_cost: load.cost(),
            // Greedy asked for a price of every task at every place.
            nodes: (sizes.len() * kept.len()) as u64,
            order,
            sizes,
            remaining,
        }
    }

    /// Searches and writes the best placements into `places`, in the workload's order.
    fn run(&mut self, places: &mut [u8]) -> Result<(), SchemeError> {
        self.descend(0, 0.0)?;
        for (&task, &chosen) in self.order.iter().zip(&self.best) {
            places[task] = self.places[chosen].index;
        }
        Ok(())
    }

    fn descend(&mut self, depth: usize, energy_j: f64) -> Result<(), SchemeError> {
        let bytes = self.sizes[depth];
        for position in 0..self.places.len() {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                let (tasks, places) = (self.sizes.len(), self.places.len());
                return Err(SchemeError::TooLarge { tasks, places, nodes: MAX_NODES });
            }
            let rate = self.places[position].rate;
            let busy_until = self.times[position];
            self.times[position] += bytes * rate.time_s_per_byte;
            self.chosen[depth] = position;
            let energy_j = energy_j + bytes * rate.energy_j_per_byte;
            if depth + 1 == self.sizes.len() {
                let time_s = self.times.iter().copied().fold(0.0, f64::max);
                let cost = self.alpha * energy_j + (1.0 - self.alpha) * time_s;
                if cost < self.best_cost {
                    self.best_cost = cost;
                    self.best.copy_from_slice(&self.chosen);
                }
            } else if self.bound(energy_j, self.remaining[depth + 1]) < self.best_cost {
                self.descend(depth + 1, energy_j)?;
            }
            self.times[position] = busy_until;
        }
        Ok(())
    }

    /// What no completion of the partial decision can undercut, see the module's page.
    fn bound(&self, energy_j: f64, bytes: f64) -> f64 {
        let busy = self.times.iter().copied().fold(0.0, f64::max);
        // Deadlines at which the k cheapest places can just finish everything: later ones need fewer places.
        let (mut rates, mut work) = (0.0, bytes);
        let mut lowest = f64::INFINITY;
        for (position, (place, &time)) in self.places.iter().zip(&self.times).enumerate() {
            rates += 1.0 / place.rate.time_s_per_byte;
            work += time / place.rate.time_s_per_byte;
            let deadline = work / rates;
            let last = position + 1 == self.places.len();
            if deadline >= busy || last {
                lowest = lowest.min(self.divisible_cost(deadline.max(busy), bytes));
            } else {
                // Places beyond are not needed at the earliest deadline there is.
                lowest = lowest.min(self.divisible_cost(busy, bytes));
                break;
            }
        }
        self.alpha * energy_j + lowest
    }

    /// Cost of placing divisible bytes by a deadline that all places together can keep, cheapest places first.
    fn divisible_cost(&self, deadline: f64, mut bytes: f64) -> f64 {
        let mut energy_j = 0.0;
        for (place, &time) in self.places.iter().zip(&self.times) {
            let taken = ((deadline - time) / place.rate.time_s_per_byte).min(bytes);
            energy_j += taken * place.rate.energy_j_per_byte;
            bytes -= taken;
        }
        self.alpha * energy_j + (1.0 - self.alpha) * deadline
    }
}
