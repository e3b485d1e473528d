//! Value iteration on a chain of rate states, backlogs and radio states.

use super::chain::RateChain;

/// A decision problem without end: when to send over one link.
///
/// Bytes are counted in units of the load: 1 is what arrives in a slot on average. Energy is counted in units of the
/// power of the link times a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainProblem {
    /// The rate states.
    pub chain: RateChain,
    /// The load over the mean rate, between 0 and 1.
    pub load: f64,
    /// The size of a file, in units of the load. In a slot one file arrives with probability 1 / size, or 1 unit with
    /// certainty if a file is smaller than that.
    pub file: f64,
    /// The price of a unit that waits for a slot, in units of energy.
    pub delay_price: f64,
    /// The length of the tail in slots, and its power over the power of sending.
    pub tail: (f64, f64),
    /// Backlogs of the grid, and the units between two of them.
    pub points: usize,
    /// Units between two points.
    pub step: f64,
    /// The price of a unit that does not fit into the grid, in units of energy.
    pub overflow_price: f64,
}

/// When to send in each state, and the mean cost of a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainPolicy {
    step: f64,
    points: usize,
    states: usize,
    idle: usize,
    /// `[idle, states, points]`: how much dearer it is to wait than to send.
    advantages: Vec<f32>,
    /// A lower and an upper bound of the cheapest mean cost of a slot in the chain.
    pub mean_cost: (f64, f64),
    /// Iterations until the bounds were close.
    pub iterations: usize,
}

/// A grid point and the weight of the next one.
#[derive(Debug, Clone, Copy)]
struct Between {
    point: usize,
    weight: f64,
}

impl ChainProblem {
    fn idle(&self) -> usize {
        (self.tail.0 - 1e-9).ceil().max(0.0) as usize + 1
    }

    /// The grid point at or below a backlog; one beyond the grid is cut, and what is cut is the second value.
    fn between(&self, backlog: f64) -> (Between, f64) {
        let at = (backlog / self.step).min((self.points - 1) as f64);
        let point = (at as usize).min(self.points - 2);
        (Between { point, weight: at - point as f64 }, (backlog - (self.points - 1) as f64 * self.step).max(0.0))
    }

    /// The cheapest mean cost by relative value iteration. It ends when the bounds of the mean cost differ by less than
    /// a part `tolerance` of it, or after `most` iterations.
    ///
    /// A backlog between two grid points counts as one of the two by chance, so that the mean stays; what does not fit
    /// is dropped at its price. Both are the error of the grid against the chain.
    pub fn solve(&self, tolerance: f64, most: usize) -> ChainPolicy {
        let (states, points, idle) = (self.chain.states(), self.points, self.idle());
        let size = idle * states * points;
        let mut values = vec![0.0; size];
        let mut next = vec![0.0; size];
        let mut ahead = vec![0.0; size];
        let mut advantages = vec![0.0_f32; size];
        let table = self.sending();
        let (mut mean_cost, mut iterations) = ((0.0, f64::INFINITY), 0);
        while iterations < most {
            iterations += 1;
            self.look_ahead(&values, &mut ahead);
            self.improve(&ahead, &table, &mut next, &mut advantages);
            let changes = next.iter().zip(&values).map(|(new, old)| new - old);
            mean_cost = changes
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), change| (low.min(change), high.max(change)));
            let base = next[0];
            values.iter_mut().zip(&next).for_each(|(value, new)| *value = new - base);
            if mean_cost.1 - mean_cost.0 <= tolerance * mean_cost.1.abs() {
                break;
            }
        }
        ChainPolicy { step: self.step, points, states, idle, advantages, mean_cost, iterations }
    }

    /// For each state and backlog: what sending costs now, and what is left.
    fn sending(&self) -> Vec<(f64, Between)> {
        let mut table = Vec::with_capacity(self.chain.states() * self.points);
        for rate in self.chain.rates() {
            let rate = rate / self.load;
            for point in 0..self.points {
                let backlog = point as f64 * self.step;
                let rest = (backlog - rate).max(0.0);
                let busy = if rate > 0.0 { (backlog - rest) / rate } else { f64::INFINITY };
                let energy = busy + self.tail.1 * (1.0 - busy).min(self.tail.0).max(0.0);
                table.push((energy + 0.5 * self.delay_price * (backlog + rest), self.between(rest).0));
            }
        }
        table
    }

    /// The expected value one slot later, before its arrivals are known: over the next state of the rate and the
    /// arrivals.
    fn look_ahead(&self, values: &[f64], ahead: &mut [f64]) {
        let (states, points) = (self.chain.states(), self.points);
        let (chance, size) = if self.file > 1.0 { (1.0 / self.file, self.file) } else { (1.0, 1.0) };
        let arrived: Vec<(Between, f64)> =
            (0..points).map(|point| self.between(point as f64 * self.step + size)).collect();
        let mut sum = vec![0.0; points];
        for (block, out) in ahead.chunks_mut(points).enumerate() {
            let (idle, state) = (block / states, block % states);
            sum.fill(0.0);
            for (to, share) in self.chain.transitions(state).iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let from = &values[(idle * states + to) * points..][..points];
                sum.iter_mut().zip(from).for_each(|(sum, value)| *sum += share * value);
            }
            for (point, out) in out.iter_mut().enumerate() {
                let (at, cut) = arrived[point];
                let with_file = interpolated(&sum, at) + self.overflow_price * cut;
                *out = (1.0 - chance) * sum[point] + chance * with_file;
            }
        }
    }

    fn improve(&self, ahead: &[f64], table: &[(f64, Between)], next: &mut [f64], advantages: &mut [f32]) {
        let (states, points, idle_states) = (self.chain.states(), self.points, self.idle());
        for idle in 0..idle_states {
            let on = self.tail.1 * (self.tail.0 - idle as f64).clamp(0.0, 1.0);
            let later = (idle + 1).min(idle_states - 1);
            for state in 0..states {
                let waited = &ahead[(later * states + state) * points..][..points];
                let sent = &ahead[state * points..][..points];
                let base = (idle * states + state) * points;
                for point in 0..points {
                    let wait = on + self.delay_price * point as f64 * self.step + waited[point];
                    let (cost, at) = table[state * points + point];
                    // Without data there is nothing to send.
                    let send = if point == 0 { f64::INFINITY } else { cost + interpolated(sent, at) };
                    next[base + point] = wait.min(send);
                    advantages[base + point] = if point == 0 { 0.0 } else { (wait - send) as f32 };
                }
            }
        }
    }
}

impl ChainPolicy {
    /// Whether to send in a state of the rate, with a backlog in units of the load, that many slots after the radio was
    /// used.
    pub fn sends(&self, state: usize, backlog: f64, idle_slots: f64) -> bool {
        let idle = (idle_slots.round() as usize).min(self.idle - 1);
        let table = &self.advantages[(idle * self.states + state) * self.points..][..self.points];
        let at = (backlog / self.step).min((self.points - 1) as f64);
        // Without data there is nothing to send, so that the first point says nothing.
        let point = (at as usize).clamp(1, self.points - 2);
        let weight = (at - point as f64).clamp(0.0, 1.0) as f32;
        let (low, high) = (table[point], table[point + 1]);
        if low.is_finite() && high.is_finite() { low * (1.0 - weight) + high * weight > 0.0 } else { false }
    }
}

fn interpolated(values: &[f64], at: Between) -> f64 {
    values[at.point] * (1.0 - at.weight) + values[at.point + 1] * at.weight
}
