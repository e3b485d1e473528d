//! Value iteration and what it finds.

use super::chain::{Chain, Placement};
use super::operator::{decide, value_without_room, wait, work_and_room};
use super::{OptimumError, OptimumSettings};
use crate::random;
use crate::stream::dispatch::site::Site;

/// The tasks by which it is found how often queues come near their limits.
const TASKS: usize = 500_000;
/// A queue is near its limit when it has more than this share of it.
const NEAR: f64 = 0.95;

/// The policy of least mean cost of a site, and its cost.
#[derive(Debug, Clone)]
pub struct DispatchOptimum {
    chain: Chain,
    /// The values after a decision, relative to those of the empty site.
    after: Vec<f64>,
    places: Option<Vec<usize>>,
    gain: (f64, f64),
    iterations: usize,
    near_limit_share: f64,
    no_room_share: f64,
}

impl DispatchOptimum {
    /// Finds the policy of least mean cost by relative value iteration. The bytes of the result do not depend on the number of
    /// threads.
    ///
    /// # Errors
    /// If the site has no chain that could be solved.
    pub fn solve(site: &Site, settings: &OptimumSettings) -> Result<Self, OptimumError> {
        let chain = Chain::new(site, settings)?;
        let mut values = first_values(site, &chain);
        let mut after = values.clone();
        let mut gain = (f64::NEG_INFINITY, f64::INFINITY);
        let mut iterations = 0;
        while iterations < settings.iterations {
            wait(&chain, &values, &mut after);
            let offset = values[0];
            let rise = decide(&chain, &after, &mut values, offset);
            iterations += 1;
            // Each iteration gives bounds; the closest of all hold.
            gain = (gain.0.max(rise.least), gain.1.min(rise.greatest));
            if gain.1 - gain.0 <= settings.tolerance * gain.0 {
                break;
            }
        }
        let empty = after[0];
        for value in &mut after {
            *value -= empty;
        }
        let mut solved = Self {
            chain,
            after,
            places: settings.places.clone(),
            gain,
            iterations,
            near_limit_share: 0.0,
            no_room_share: 0.0,
        };
        solved.visit();
        Ok(solved)
    }

    /// The lower and the upper bound of the least mean cost of a task, of the chain with its limits. For every V it lies between
    /// the least and the greatest rise of V in one iteration (Odoni, 1969).
    pub fn bounds(&self) -> (f64, f64) {
        self.gain
    }

    /// The mean cost of a task: the middle of the bounds.
    pub fn mean_cost(&self) -> f64 {
        0.5 * (self.gain.0 + self.gain.1)
    }

    /// The number of iterations.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.after.len()
    }

    /// The unit of work, in seconds.
    pub fn unit_s(&self) -> f64 {
        self.chain.unit_s
    }

    /// By how much a service time is changed at most to make it a multiple of the unit, as a share of it.
    pub fn rounding_error(&self) -> f64 {
        self.chain.rounding_error
    }

    /// The queues of the site whose work is the state.
    pub fn queues(&self) -> &[usize] {
        &self.chain.queues
    }

    /// Their limits, in seconds.
    pub fn limits_s(&self) -> Vec<f64> {
        self.chain.lengths.iter().map(|length| (length - 1) as f64 * self.chain.unit_s).collect()
    }

    /// The share of tasks that find a queue with more than 95 % of its limit, over a drawn course of the chain.
    pub fn near_limit_share(&self) -> f64 {
        self.near_limit_share
    }

    /// The share of tasks for which no place has room, over the same course.
    pub fn no_room_share(&self) -> f64 {
        self.no_room_share
    }

    /// The places that may be used; `None`: all.
    pub fn places(&self) -> Option<&[usize]> {
        self.places.as_deref()
    }

    /// Whether a queue with this work, in seconds, is within its limit. The queue is counted as in [`DispatchOptimum::queues`].
    pub fn has_room(&self, queue: usize, work_s: f64) -> bool {
        work_s <= (self.chain.lengths[queue] - 1) as f64 * self.chain.unit_s * (1.0 + 1e-9)
    }

    /// What a task of a service time makes others wait in a queue with some work, both in seconds, by the closed form of M/G/1 at the
    /// site's load: what counts beyond the limits.
    pub fn future_cost_beyond(&self, queue: usize, work_s: f64, service_s: f64) -> f64 {
        self.chain.steepness[queue] * service_s * (work_s + 0.5 * service_s)
    }

    /// What the future costs after a decision that leaves this work in each queue, in seconds, relative to an empty site; between
    /// states linear in each queue, beyond the limits constant.
    ///
    /// # Panics
    /// If there are not as many numbers as queues.
    pub fn future_cost(&self, work_s: &[f64]) -> f64 {
        assert_eq!(work_s.len(), self.chain.queues.len(), "each queue has its work");
        self.between(0, 0, work_s)
    }

    fn between(&self, dimension: usize, state: usize, work_s: &[f64]) -> f64 {
        let Some(work_s_here) = work_s.get(dimension) else { return self.after[state] };
        let work = (work_s_here / self.chain.unit_s).min((self.chain.lengths[dimension] - 1) as f64);
        let cell = (work as usize).min(self.chain.lengths[dimension] - 2);
        let stride = self.chain.strides[dimension];
        let low = self.between(dimension + 1, state + cell * stride, work_s);
        let share = work - cell as f64;
        if share == 0.0 {
            return low;
        }
        low + share * (self.between(dimension + 1, state + (cell + 1) * stride, work_s) - low)
    }

    /// Follows the policy along a drawn course of the chain.
    fn visit(&mut self) {
        let chain = &self.chain;
        let mut random = random::stream(1, "stream/optimum");
        let (mut near, mut no_room) = (0, 0);
        let stay = 1.0 - 2.0 / (2.0 * chain.mean_interval + 1.0);
        let at_once = 1.0 / (2.0 * chain.mean_interval + 1.0);
        let mut works = vec![0; chain.lengths.len()];
        for _ in 0..TASKS {
            let is_near = |(work, length): (&usize, &usize)| *work as f64 > NEAR * (length - 1) as f64;
            near += usize::from(works.iter().zip(&chain.lengths).any(is_near));
            let state: usize = works.iter().zip(&chain.strides).map(|(work, stride)| work * stride).sum();
            let mut rest = random::unit(&mut random);
            let class = chain.classes.iter().find(|class| {
                rest -= class.probability;
                rest < 0.0
            });
            let class = class.unwrap_or_else(|| chain.classes.last().expect("a chain has a class"));
            let with_room = class.options.iter().filter_map(|option| {
                let (work, room) = work_and_room(chain, state, option.dimension);
                let value = || option.costs[work] + self.after[state + option.steps * chain.strides[option.dimension]];
                (option.steps <= room).then(|| (option, value()))
            });
            if let Some((option, _)) = with_room.min_by(|a, b| a.1.total_cmp(&b.1)) {
                works[option.dimension] += option.steps;
            } else {
                no_room += 1;
                let value = |option: &Placement| value_without_room(chain, option, &self.after, state);
                if let Some(option) = class.options.iter().min_by(|a, b| value(a).total_cmp(&value(b))) {
                    works[option.dimension] = chain.lengths[option.dimension] - 1;
                }
            }
            if random::unit(&mut random) >= at_once {
                let units =
                    if stay > 0.0 { 1.0 + (random::exponential(&mut random) / -stay.ln()).floor() } else { 1.0 };
                for work in &mut works {
                    *work = work.saturating_sub(units as usize);
                }
            }
        }
        self.near_limit_share = f64::from(near as u32) / TASKS as f64;
        self.no_room_share = f64::from(no_room) / TASKS as f64;
    }
}

/// The values of a single queue with the rates and the work of all queues together, which is what a site with much work comes to.
fn first_values(site: &Site, chain: &Chain) -> Vec<f64> {
    let rates: Vec<f64> = chain.queues.iter().map(|queue| chain.unit_s / site.queues()[*queue].s_per_byte).collect();
    let all: f64 = rates.iter().sum();
    let waits = (1.0 - site.parts().alpha) * chain.unit_s;
    let steepness = waits / (chain.mean_interval * (1.0 - site.load()));
    let mut values = vec![0.0; chain.states()];
    for (state, value) in values.iter_mut().enumerate() {
        let in_queue = |(dimension, rate): (usize, &f64)| {
            (state / chain.strides[dimension] % chain.lengths[dimension]) as f64 * rate
        };
        let work = rates.iter().enumerate().map(in_queue).sum::<f64>() / all;
        *value = 0.5 * steepness * work * work;
    }
    values
}
