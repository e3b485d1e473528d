//! A Markov chain of the rate of a link from slot to slot.

use super::path::SlotPath;
use crate::stream::MarkovRates;

/// How often a slot is halved before its transitions are taken to be linear in time.
const HALVINGS: u32 = 24;

/// States of the rate over its mean, and how they follow each other from slot to slot.
#[derive(Debug, Clone, PartialEq)]
pub struct RateChain {
    /// The rate in each state over the mean rate.
    rates: Vec<f64>,
    /// `[from, to]`.
    transitions: Vec<f64>,
    /// Bounds between states by the rate of the slot, and by the recent mean rate, both over the mean rate.
    rate_edges: Vec<f64>,
    recent_edges: Vec<f64>,
}

impl RateChain {
    /// A chain fitted to paths: `rate_bins` by `recent_bins` states, with equally many slots in each bin of the rate
    /// and in each bin of the recent mean rate. Transitions are counted within paths. `None` without two slots.
    pub fn fit(paths: &[SlotPath], link: usize, rate_bins: usize, recent_bins: usize) -> Option<Self> {
        let over_mean = |path: &SlotPath, rate: f64| rate / path.mean_rates()[link];
        let all = |of: fn(&SlotPath, usize) -> &[f64]| {
            let each = paths.iter().flat_map(|path| {
                (0..path.slots()).map(move |slot| of(path, slot)[link]).map(move |rate| over_mean(path, rate))
            });
            let mut all: Vec<f64> = each.collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let edges = |sorted: Vec<f64>, bins: usize| -> Vec<f64> {
            (1..bins).filter_map(|bin| sorted.get(bin * sorted.len() / bins).copied()).collect()
        };
        let rate_edges = edges(all(|path, slot| path.rates(slot)), rate_bins);
        let recent_edges = edges(all(|path, slot| path.recent_rates(slot)), recent_bins);
        let states = rate_bins * recent_bins;
        let mut chain =
            Self { rates: vec![0.0; states], transitions: vec![0.0; states * states], rate_edges, recent_edges };
        let (mut seen, mut steps) = (vec![0.0; states], 0);
        for path in paths {
            let mut before = None;
            for slot in 0..path.slots() {
                let rate = over_mean(path, path.rates(slot)[link]);
                let state = chain.state(rate, over_mean(path, path.recent_rates(slot)[link]));
                chain.rates[state] += rate;
                seen[state] += 1.0;
                if let Some(before) = before {
                    chain.transitions[before * states + state] += 1.0;
                    steps += 1;
                }
                before = Some(state);
            }
        }
        chain.normalise(&seen, recent_bins);
        (steps > 0).then_some(chain)
    }

    /// Turns sums into means. A state that was never left is taken for a seen one of the same rate, or else for one
    /// that stays.
    fn normalise(&mut self, seen: &[f64], recent_bins: usize) {
        let states = self.rates.len();
        let sums: Vec<f64> = self.transitions.chunks(states).map(|row| row.iter().sum()).collect();
        for state in 0..states {
            if seen[state] > 0.0 {
                self.rates[state] /= seen[state];
            }
            if sums[state] > 0.0 {
                for share in &mut self.transitions[state * states..][..states] {
                    *share /= sums[state];
                }
            }
        }
        for state in (0..states).filter(|state| sums[*state] == 0.0) {
            let first = state / recent_bins * recent_bins;
            let alike = (first..first + recent_bins).filter(|other| sums[*other] > 0.0);
            match alike.min_by_key(|other| other.abs_diff(state)) {
                Some(other) => {
                    self.rates[state] = self.rates[other];
                    self.transitions.copy_within(other * states..(other + 1) * states, state * states);
                }
                None => self.transitions[state * states + state] = 1.0,
            }
        }
    }

    /// The chain of a rate that never changes.
    pub fn constant() -> Self {
        Self { rates: vec![1.0], transitions: vec![1.0], rate_edges: Vec::new(), recent_edges: Vec::new() }
    }

    /// The chain of a Markov link, looked at once a slot. Its rate in a slot is that of the state at the beginning:
    /// jumps within a slot are left out. States are told by their rates.
    pub fn of_markov(chain: &MarkovRates, slot_s: f64) -> Self {
        let states = chain.states();
        let shares = chain.shares();
        let mean: f64 = shares.iter().zip(chain.bytes_per_s()).map(|(share, rate)| share * rate).sum();
        let mut order: Vec<usize> = (0..states).collect();
        order.sort_by(|a, b| chain.bytes_per_s()[*a].total_cmp(&chain.bytes_per_s()[*b]));
        let rates: Vec<f64> = order.iter().map(|state| chain.bytes_per_s()[*state] / mean).collect();
        // e^(G t) = (1 + G t / 2^k)^(2^k), G the generator.
        let part_s = slot_s / f64::from(2_i32.pow(HALVINGS));
        let mut transitions = vec![0.0; states * states];
        for (row, from) in order.iter().enumerate() {
            for (column, to) in order.iter().enumerate() {
                let leaves = part_s / chain.mean_stay_s()[*from];
                transitions[row * states + column] = match row == column {
                    true if states > 1 => 1.0 - leaves,
                    true => 1.0,
                    false => leaves * chain.jump(*from, *to),
                };
            }
        }
        for _ in 0..HALVINGS {
            transitions = product(&transitions, states);
        }
        for row in transitions.chunks_mut(states) {
            let sum: f64 = row.iter().sum();
            for share in row {
                *share /= sum;
            }
        }
        let rate_edges = rates.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        Self { rates, transitions, rate_edges, recent_edges: Vec::new() }
    }

    /// The state of a slot, from its rate and the recent mean rate, both over the mean rate.
    pub fn state(&self, rate: f64, recent: f64) -> usize {
        let bin = |edges: &[f64], value: f64| edges.partition_point(|edge| *edge <= value);
        bin(&self.rate_edges, rate) * (self.recent_edges.len() + 1) + bin(&self.recent_edges, recent)
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.rates.len()
    }

    /// The rate in each state over the mean rate.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// The probabilities of the states of the next slot.
    pub fn transitions(&self, from: usize) -> &[f64] {
        &self.transitions[from * self.states()..][..self.states()]
    }
}

/// The square of a matrix.
fn product(matrix: &[f64], size: usize) -> Vec<f64> {
    let of = |index: usize| {
        let (row, column) = (index / size, index % size);
        (0..size).map(|k| matrix[row * size + k] * matrix[k * size + column]).sum()
    };
    (0..size * size).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::problem;
    use super::*;
    use crate::stream::RateProcess;

    #[test]
    fn the_slots_of_a_markov_link_follow_the_closed_form_of_two_states() {
        let markov = MarkovRates::new(&[4.0, 1.0], &[2.0, 3.0], None).expect("valid");
        let chain = RateChain::of_markov(&markov, 1.0);
        // Rates in order: 1, then 4. The mean rate is 0.4 · 4 + 0.6 · 1 = 2.2.
        assert!((chain.rates()[0] - 1.0 / 2.2).abs() < 1e-12);
        let (leave_low, leave_high) = (1.0_f64 / 3.0, 1.0 / 2.0);
        let decay = (-(leave_low + leave_high)).exp();
        let expected = leave_low / (leave_low + leave_high) * (1.0 - decay);
        assert!((chain.transitions(0)[1] - expected).abs() < 1e-6, "{} {expected}", chain.transitions(0)[1]);
        assert_eq!([chain.state(0.1, 9.0), chain.state(2.0, 0.0)], [0, 1]);
    }

    #[test]
    fn a_chain_fitted_to_a_long_markov_path_is_that_chain() {
        let mut settings = super::super::testing::settings();
        settings.slots = 200_000;
        let problem = crate::stream::slots::SlotProblem::new(settings).expect("valid");
        let path = problem.path(1, 0);
        let RateProcess::Markov(markov) = &problem.settings().links[0].rates else { panic!("a chain") };
        let exact = RateChain::of_markov(markov, 1.0);
        let fitted = RateChain::fit(&[path], 0, 4, 1).expect("slots");
        // A fourth of the time is good; the fitted states above the lowest rate stay good as often as the chain does.
        assert!((fitted.rates()[3] - exact.rates()[1]).abs() < 0.1, "{:?} {:?}", fitted.rates(), exact.rates());
        assert!((fitted.transitions(3)[3] - exact.transitions(1)[1]).abs() < 0.03);
        for state in 0..4 {
            assert!((fitted.transitions(state).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn no_path_gives_no_chain() {
        assert!(RateChain::fit(&[], 0, 4, 2).is_none());
        assert!(RateChain::fit(&[problem().path(1, 0)], 0, 4, 2).is_some());
    }
}
