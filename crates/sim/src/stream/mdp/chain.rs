//! The Markov chain of truncated queues: value iteration, and the cost of policies.

use super::{OffloadingCost, OffloadingError, OffloadingProblem};

/// A place for each state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffloadingPolicy {
    /// The place of a task that arrives, `[state of the channel, tasks at the last place, …, tasks at place 0]`. Where all places
    /// are full, the entry has no effect.
    pub places: Vec<u8>,
}

/// The best policy.
#[derive(Debug, Clone, PartialEq)]
pub struct OffloadingOptimum {
    /// The policy.
    pub policy: OffloadingPolicy,
    /// Its means.
    pub means: OffloadingCost,
    /// The mean cost of a task under any policy with truncated queues is at least this, drops included.
    pub bound: f64,
}

/// Value iteration ends when the mean cost is known up to this share.
const WIDTH: f64 = 1e-7;

/// The most steps of an iteration.
const STEPS: usize = 400_000;

/// Bounds are looked at once in this number of steps.
const BETWEEN_CHECKS: usize = 20;

/// The chain in steps of equal mean length: in every state something happens at the same total rate, maybe nothing.
struct UniformChain<'a> {
    problem: &'a OffloadingProblem,
    /// States without the channel.
    lengths: usize,
    /// Events per second.
    events_per_s: f64,
}

impl<'a> UniformChain<'a> {
    fn new(problem: &'a OffloadingProblem) -> Self {
        let fastest = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
        let service: f64 = problem.places().iter().map(|place| fastest(&place.tasks_per_s)).sum();
        let switches = problem.mean_stay_s().iter().map(|stay_s| 1.0 / stay_s).fold(0.0, f64::max);
        let lengths = (problem.longest() + 1).pow(problem.places().len() as u32);
        // A little more than the sum, so that something that changes nothing can happen in every state: no cycles.
        let events_per_s = 1.05 * (problem.arrivals_per_s() + service + switches);
        Self { problem, lengths, events_per_s }
    }

    fn states(&self) -> usize {
        self.lengths * self.problem.mean_stay_s().len()
    }

    /// The tasks at a place, and the distance between two states that differ by one task there.
    fn length(&self, queues: usize, place: usize) -> (usize, usize) {
        let stride = (self.problem.longest() + 1).pow(place as u32);
        (queues / stride % (self.problem.longest() + 1), stride)
    }

    /// Calls `event` with the probability of each event other than arrivals and the state after it.
    fn other_events(&self, index: usize, mut event: impl FnMut(f64, usize)) {
        let (channel, queues) = (index / self.lengths, index % self.lengths);
        let stays = self.problem.mean_stay_s();
        let mut rest = self.events_per_s - self.problem.arrivals_per_s();
        for (place, rates) in self.problem.places().iter().enumerate() {
            let (tasks, stride) = self.length(queues, place);
            if tasks > 0 {
                event(rates.tasks_per_s[channel] / self.events_per_s, index - stride);
                rest -= rates.tasks_per_s[channel];
            }
        }
        if stays.len() > 1 {
            let each_per_s = 1.0 / (stays[channel] * (stays.len() - 1) as f64);
            for other in (0..stays.len()).filter(|other| *other != channel) {
                event(each_per_s / self.events_per_s, other * self.lengths + queues);
            }
            rest -= 1.0 / stays[channel];
        }
        event(rest / self.events_per_s, index);
    }

    /// Power in watts and tasks, without the cost of drops.
    fn power_and_tasks(&self, index: usize) -> (f64, f64) {
        let (channel, queues) = (index / self.lengths, index % self.lengths);
        let (mut power_w, mut tasks) = (0.0, 0.0);
        for (place, at) in self.problem.places().iter().enumerate() {
            let (length, _) = self.length(queues, place);
            if length > 0 {
                power_w += at.power_w[channel];
                tasks += length as f64;
            }
        }
        (power_w, tasks)
    }

    /// The places that are not full, with the state after an arrival there.
    fn open_places(&self, index: usize) -> impl Iterator<Item = (usize, usize)> {
        let queues = index % self.lengths;
        (0..self.problem.places().len()).filter_map(move |place| {
            let (tasks, stride) = self.length(queues, place);
            (tasks < self.problem.longest()).then_some((place, index + stride))
        })
    }

    /// Everything that can happen in a state, in a form that is quick to go through.
    fn table(&self) -> Table {
        let (mut ends, mut events, mut open_ends, mut open) = (vec![0], Vec::new(), vec![0], Vec::new());
        let mut costs = Vec::with_capacity(self.states());
        for index in 0..self.states() {
            self.other_events(index, |share, next| events.push((share, next as u32)));
            open.extend(self.open_places(index).map(|(place, next)| (place as u8, next as u32)));
            ends.push(events.len());
            open_ends.push(open.len());
            let (power_w, tasks) = self.power_and_tasks(index);
            costs.push(self.problem.cost_of(power_w, tasks) / self.events_per_s);
        }
        Table { ends, events, open_ends, open, costs, arrival: self.problem.arrivals_per_s() / self.events_per_s }
    }
}

struct Table {
    ends: Vec<usize>,
    /// Probability and next state of everything but arrivals.
    events: Vec<(f64, u32)>,
    open_ends: Vec<usize>,
    /// Places with room, and the state with one more task there.
    open: Vec<(u8, u32)>,
    /// The expected cost of a step, without drops.
    costs: Vec<f64>,
    /// The probability of an arrival.
    arrival: f64,
}

impl Table {
    fn events(&self, index: usize) -> &[(f64, u32)] {
        &self.events[self.ends[index]..self.ends[index + 1]]
    }

    fn open(&self, index: usize) -> &[(u8, u32)] {
        &self.open[self.open_ends[index]..self.open_ends[index + 1]]
    }

    /// The place with the smallest value of the state after it, and that value.
    fn best(&self, index: usize, values: &[f64]) -> Option<(u8, f64)> {
        let open = self.open(index).iter().map(|(place, next)| (*place, values[*next as usize]));
        open.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl OffloadingProblem {
    /// The policy with the least mean cost, by relative value iteration.
    ///
    /// # Errors
    /// If the iteration does not come to its end.
    pub fn optimum(&self) -> Result<OffloadingOptimum, OffloadingError> {
        let chain = UniformChain::new(self);
        let (table, dropped) = (chain.table(), self.dropped_cost());
        let mut values = vec![0.0; chain.states()];
        let mut next = values.clone();
        let mut known = (0.0, f64::INFINITY);
        for step in 1..=STEPS {
            for (index, next) in next.iter_mut().enumerate() {
                let others: f64 = table.events(index).iter().map(|(share, to)| share * values[*to as usize]).sum();
                let arrival = table.best(index, &values).map_or(dropped + values[index], |(_, value)| value);
                *next = table.costs[index] + others + table.arrival * arrival;
            }
            std::mem::swap(&mut values, &mut next);
            if step % BETWEEN_CHECKS == 0 {
                let changes = values.iter().zip(&next).map(|(new, old)| new - old);
                known = changes.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), change| {
                    (low.min(change), high.max(change))
                });
                if known.1 - known.0 <= WIDTH * known.1 {
                    break;
                }
                // Only differences matter.
                let first = values[0];
                for value in &mut values {
                    *value -= first;
                }
            }
        }
        if known.1 - known.0 > WIDTH * known.1 {
            return Err(OffloadingError::NotConverged { steps: STEPS, width: (known.1 - known.0) / known.1 });
        }
        let places =
            (0..chain.states()).map(|index| table.best(index, &values).map_or(0, |(place, _)| place)).collect();
        let policy = OffloadingPolicy { places };
        let means = self.evaluate_on(&chain, &table, &policy)?;
        Ok(OffloadingOptimum { policy, means, bound: known.0 * chain.events_per_s / self.arrivals_per_s() })
    }

    /// The policy that gives each task to the place where the task itself costs least: its energy there and the time until all
    /// tasks in front of it and itself are done, with the rates and powers of the moment, or of the mean where `of_the_moment`
    /// is false.
    pub fn greedy(&self, of_the_moment: bool) -> OffloadingPolicy {
        let chain = UniformChain::new(self);
        let shares = self.channel_shares();
        let mean = |values: &[f64]| values.iter().zip(&shares).map(|(value, share)| value * share).sum::<f64>();
        let own_cost = |index: usize, place: usize| {
            let (channel, queues) = (index / chain.lengths, index % chain.lengths);
            let at = &self.places()[place];
            let (rate, power_w) = if of_the_moment {
                (at.tasks_per_s[channel], at.power_w[channel])
            } else {
                (mean(&at.tasks_per_s), mean(&at.power_w))
            };
            self.cost_of(power_w / rate, (chain.length(queues, place).0 + 1) as f64 / rate)
        };
        let place = |index: usize| {
            let open = chain.open_places(index).map(|(place, _)| (place, own_cost(index, place)));
            open.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place as u8)
        };
        OffloadingPolicy { places: (0..chain.states()).map(place).collect() }
    }

    /// The means of a policy on truncated queues, by the distribution of states after a long time.
    ///
    /// # Errors
    /// If the policy does not fit, or the iteration does not come to its end.
    pub fn evaluate(&self, policy: &OffloadingPolicy) -> Result<OffloadingCost, OffloadingError> {
        let chain = UniformChain::new(self);
        let places = self.places().len();
        if policy.places.len() != chain.states() || policy.places.iter().any(|place| usize::from(*place) >= places) {
            return Err(OffloadingError::Policy { states: chain.states() });
        }
        self.evaluate_on(&chain, &chain.table(), policy)
    }

    fn evaluate_on(
        &self,
        chain: &UniformChain<'_>,
        table: &Table,
        policy: &OffloadingPolicy,
    ) -> Result<OffloadingCost, OffloadingError> {
        let after_arrival = |index: usize| {
            let chosen = table.open(index).iter().find(|(place, _)| *place == policy.places[index]);
            chosen.map_or(index, |(_, next)| *next as usize)
        };
        let targets: Vec<usize> = (0..chain.states()).map(after_arrival).collect();
        let mut shares = vec![1.0 / chain.states() as f64; chain.states()];
        let mut next = shares.clone();
        let mut change = f64::INFINITY;
        for _ in 0..STEPS {
            next.fill(0.0);
            for (index, share) in shares.iter().enumerate() {
                table.events(index).iter().for_each(|(event, to)| next[*to as usize] += share * event);
                next[targets[index]] += share * table.arrival;
            }
            change = next.iter().zip(&shares).map(|(new, old)| (new - old).abs()).sum();
            std::mem::swap(&mut shares, &mut next);
            if change < 1e-12 {
                break;
            }
        }
        if change >= 1e-12 {
            return Err(OffloadingError::NotConverged { steps: STEPS, width: change });
        }
        let (mut power_w, mut tasks, mut dropped_share) = (0.0, 0.0, 0.0);
        for (index, share) in shares.iter().enumerate() {
            let (power, length) = chain.power_and_tasks(index);
            power_w += share * power;
            tasks += share * length;
            dropped_share += share * f64::from(u8::from(targets[index] == index));
        }
        let taken_per_s = self.arrivals_per_s() * (1.0 - dropped_share);
        let (energy_j, response_s) = (power_w / taken_per_s, tasks / taken_per_s);
        Ok(OffloadingCost { cost: self.cost_of(energy_j, response_s), energy_j, response_s, dropped_share })
    }
}
