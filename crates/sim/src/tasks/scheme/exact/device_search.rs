//! Depth-first branch and bound over the tasks of one device, where nothing is shared.
//!
//! # The bound
//! Energy and time of a task are proportional to its size at every place. Let the bytes that are still to be placed be
//! divisible at will, and the rest of the problem becomes: find a deadline τ no earlier than any place is busy already,
//! give each place p the number of bytes x_p that it can finish by then, the cheapest in energy first, and pay
//! α Σ e_p x_p + (1 − α) τ. That is convex and piecewise linear in τ with one breakpoint for each place (the deadline at
//! which the k cheapest places can just take all), so that looking at the breakpoints gives its exact minimum, which
//! no completion of the partial decision can undercut.

use crate::tasks::cost::{ROUNDING, Rate};
use crate::tasks::scheme::SchemeError;

/// The most search nodes for one device, a fraction of a second of work.
const MAX_NODES: u64 = 3_000_000;
/// The most search nodes for one device that are spent on settling ties.
const MAX_TIE_NODES: u64 = 100_000;

/// What to do where the search for one device takes too many nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhereTooLarge {
    /// Give no decision.
    Refuse,
    /// Take the best decision found, after fewer nodes.
    TakeBest,
}

/// One place of one device.
#[derive(Debug, Clone, Copy)]
struct Place {
    index: u8,
    rate: Rate,
    /// Bytes per second.
    speed: f64,
    /// Seconds per byte if this place and all that are cheaper in energy share the work.
    shared_s_per_byte: f64,
    /// The time at which it is done with the tasks that it has been given.
    busy_until: f64,
}

/// The search for one device; keeps its memory between devices. Depth d decides the d-th largest task.
#[derive(Debug, Clone, Default)]
pub(super) struct DeviceSearch {
    alpha: f64,
    /// The places, cheapest in energy first, as the bound needs them.
    places: Vec<Place>,
    /// Tasks from the largest to the smallest.
    tasks: Vec<Task>,
    /// Positions in `places`, chosen at each depth.
    chosen: Vec<u8>,
    best: Vec<u8>,
    best_cost: f64,
    /// Energy of the best decision, where energy decides between equal times.
    best_energy_j: f64,
    /// Nodes after which the search for less energy ends.
    most_nodes: u64,
    /// Nodes searched so far; each takes one cost evaluation.
    pub(super) nodes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    /// Position in the workload.
    index: usize,
    bytes: f64,
    /// Bytes of all tasks that are decided after this one.
    remaining: f64,
}

impl DeviceSearch {
    /// Sets up the search for one device with tasks of these sizes; all places may be used if `among` is empty.
    pub(super) fn prepare(&mut self, rates: &[Rate], among: &[u8], alpha: f64, sizes_bytes: &[f64]) {
        self.alpha = alpha;
        self.places.clear();
        for (index, rate) in (0_u8..).zip(rates).filter(|(index, _)| among.is_empty() || among.contains(index)) {
            let speed = 1.0 / rate.time_s_per_byte;
            self.places.push(Place { index, rate: *rate, speed, shared_s_per_byte: 0.0, busy_until: 0.0 });
        }
        self.places.sort_by(|a, b| a.rate.energy_j_per_byte.total_cmp(&b.rate.energy_j_per_byte));
        let mut speed = 0.0;
        for place in &mut self.places {
            speed += place.speed;
            place.shared_s_per_byte = 1.0 / speed;
        }
        self.tasks.clear();
        let tasks = sizes_bytes.iter().enumerate();
        self.tasks.extend(tasks.map(|(index, &bytes)| Task { index, bytes, remaining: 0.0 }));
        self.tasks.sort_by(|a, b| b.bytes.total_cmp(&a.bytes));
        let mut remaining = 0.0;
        for task in self.tasks.iter_mut().rev() {
            task.remaining = remaining;
            remaining += task.bytes;
        }
        self.chosen.clear();
        self.chosen.resize(self.tasks.len(), 0);
        self.best.clear();
        self.start_greedily();
    }

    /// Makes the greedy decision the first to beat.
    fn start_greedily(&mut self) {
        let (mut energy_j, mut busy) = (0.0, 0.0_f64);
        for task in &self.tasks {
            let mut best = (f64::INFINITY, 0, 0.0, 0.0);
            for (position, place) in self.places.iter().enumerate() {
                let energy_j = energy_j + task.bytes * place.rate.energy_j_per_byte;
                let done_at = place.busy_until + task.bytes * place.rate.time_s_per_byte;
                let cost = self.alpha * energy_j + (1.0 - self.alpha) * busy.max(done_at);
                if cost < best.0 {
                    best = (cost, position, energy_j, done_at);
                }
            }
            let (cost, position, energy, done_at) = best;
            (self.best_cost, energy_j, busy) = (cost, energy, busy.max(done_at));
            self.places[position].busy_until = done_at;
            self.best.push(position as u8);
        }
        self.places.iter_mut().for_each(|place| place.busy_until = 0.0);
        self.nodes = (self.tasks.len() * self.places.len()) as u64;
    }

    /// Searches and writes the best placements into `places`, in the workload's order. Returns whether the search ended by
    /// itself; where only time counts, also the search for the least energy.
    pub(super) fn run(&mut self, places: &mut [u8], too_large: WhereTooLarge) -> Result<bool, SchemeError> {
        let mut is_done = match too_large {
            WhereTooLarge::Refuse => self.descend::<MAX_NODES>(0, 0.0, 0.0),
            WhereTooLarge::TakeBest => self.descend::<MAX_TIE_NODES>(0, 0.0, 0.0),
        };
        if !is_done && too_large == WhereTooLarge::Refuse {
            let (tasks, places) = (self.tasks.len(), self.places.len());
            return Err(SchemeError::TooLarge { tasks, places, nodes: MAX_NODES });
        }
        if self.alpha == 0.0 {
            is_done &= self.lower_energy();
        }
        for (task, &chosen) in self.tasks.iter().zip(&self.best) {
            places[task.index] = self.places[usize::from(chosen)].index;
        }
        Ok(is_done)
    }

    /// Searches for the least energy within the time of the best decision. Returns whether the search ended by itself.
    fn lower_energy(&mut self) -> bool {
        self.places.iter_mut().for_each(|place| place.busy_until = 0.0);
        let energy =
            |(task, chosen): (&Task, &u8)| task.bytes * self.places[usize::from(*chosen)].rate.energy_j_per_byte;
        self.best_energy_j = self.tasks.iter().zip(&self.best).map(energy).sum();
        self.most_nodes = self.nodes + MAX_TIE_NODES;
        self.descend_by(self.best_cost * (1.0 + ROUNDING), 0, 0.0)
    }

    /// Decides the task at `depth` and all after it so that they are done by a deadline with the least energy. Returns
    /// `false` if there are too many nodes.
    fn descend_by(&mut self, deadline_s: f64, depth: usize, energy_j: f64) -> bool {
        let Task { bytes, remaining, .. } = self.tasks[depth];
        let last = depth + 1 == self.tasks.len();
        for position in 0..self.places.len() {
            if self.nodes >= self.most_nodes {
                return false;
            }
            self.nodes += 1;
            let Place { rate, busy_until, .. } = self.places[position];
            let done_at = busy_until + bytes * rate.time_s_per_byte;
            let energy_j = energy_j + bytes * rate.energy_j_per_byte;
            let least_j = energy_j + remaining * self.places[0].rate.energy_j_per_byte;
            if done_at > deadline_s || !self.is_less_energy(least_j) {
                continue;
            }
            self.chosen[depth] = position as u8;
            if last {
                self.best_energy_j = energy_j;
                self.best.copy_from_slice(&self.chosen);
                continue;
            }
            self.places[position].busy_until = done_at;
            let is_promising = self.is_less_energy(energy_j + self.divisible_energy(deadline_s, remaining));
            let is_done = !is_promising || self.descend_by(deadline_s, depth + 1, energy_j);
            self.places[position].busy_until = busy_until;
            if !is_done {
                return false;
            }
        }
        true
    }

    /// Whether an energy is lower than that of the best decision by more than rounding.
    fn is_less_energy(&self, energy_j: f64) -> bool {
        energy_j < self.best_energy_j * (1.0 - ROUNDING)
    }

    /// The energy of placing divisible bytes by a deadline, cheapest first; infinite if there is no time for them.
    fn divisible_energy(&self, deadline_s: f64, mut bytes: f64) -> f64 {
        let (mut energy_j, all) = (0.0, bytes);
        for place in &self.places {
            let taken = ((deadline_s - place.busy_until) * place.speed).clamp(0.0, bytes);
            energy_j += taken * place.rate.energy_j_per_byte;
            bytes -= taken;
        }
        if bytes > all * 1e-9 { f64::INFINITY } else { energy_j }
    }

    /// Decides the task at `depth` and all after it; `busy` is when the last place is done so far. Returns `false` if there are
    /// too many nodes.
    fn descend<const MOST: u64>(&mut self, depth: usize, energy_j: f64, busy: f64) -> bool {
        let Task { bytes, remaining, .. } = self.tasks[depth];
        let last = depth + 1 == self.tasks.len();
        for position in 0..self.places.len() {
            self.nodes += 1;
            if self.nodes > MOST {
                return false;
            }
            let Place { rate, busy_until, .. } = self.places[position];
            let done_at = busy_until + bytes * rate.time_s_per_byte;
            let busy = busy.max(done_at);
            let energy_j = energy_j + bytes * rate.energy_j_per_byte;
            // Everything else at the cheapest place in no time: most branches end here.
            let least = self.alpha * (energy_j + remaining * self.places[0].rate.energy_j_per_byte);
            let cost = least + (1.0 - self.alpha) * busy;
            if cost >= self.best_cost {
                continue;
            }
            self.chosen[depth] = position as u8;
            if last {
                self.best_cost = cost;
                self.best.copy_from_slice(&self.chosen);
                continue;
            }
            self.places[position].busy_until = done_at;
            let is_promising = self.bound(energy_j, busy, remaining) < self.best_cost;
            if is_promising && !self.descend::<MOST>(depth + 1, energy_j, busy) {
                return false;
            }
            self.places[position].busy_until = busy_until;
        }
        true
    }

    /// A lower bound for all completions of the partial decision, see the documentation of this module.
    fn bound(&self, energy_j: f64, busy: f64, bytes: f64) -> f64 {
        // Deadlines at which the k cheapest places can just finish everything: later ones need fewer places.
        let mut work = bytes;
        let mut lowest = f64::INFINITY;
        for (position, place) in self.places.iter().enumerate() {
            work += place.busy_until * place.speed;
            let deadline = work * place.shared_s_per_byte;
            let enough = deadline < busy;
            lowest = lowest.min(self.divisible_cost(deadline.max(busy), bytes, position + 1));
            if enough {
                // Places beyond are not needed at the earliest deadline there is.
                break;
            }
        }
        self.alpha * energy_j + lowest
    }

    /// The cost of placing divisible bytes by a deadline that the first `count` places together can keep, cheapest first.
    fn divisible_cost(&self, deadline: f64, mut bytes: f64, count: usize) -> f64 {
        let mut energy_j = 0.0;
        for place in &self.places[..count] {
            let taken = ((deadline - place.busy_until) * place.speed).min(bytes);
            energy_j += taken * place.rate.energy_j_per_byte;
            bytes -= taken;
        }
        self.alpha * energy_j + (1.0 - self.alpha) * deadline
    }
}
