//! Least energy under a limit on the mean delay.

use super::{ChainCost, ChainPolicy, ChainProblem, DEVICE};

/// The least expected energy within a limit on the expected delay.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanDelayOptimum {
    /// The expected cost of the optimum: with probability `fast_share` the fast policy from begin to end, else the frugal
    /// one. No policy whose expected delay is within the limit needs less energy.
    pub cost: ChainCost,
    /// A policy within the limit.
    pub fast: ChainPolicy,
    /// The expected cost of the fast policy.
    pub fast_cost: ChainCost,
    /// A policy beyond the limit, or the fast policy once more where no policy needs less energy than it.
    pub frugal: ChainPolicy,
    /// The expected cost of the frugal policy.
    pub frugal_cost: ChainCost,
    /// The probability of the fast policy.
    pub fast_share: f64,
    /// The energy that a second of limit saves, in watts.
    pub multiplier_w: f64,
}

impl ChainProblem {
    /// The least expected energy within a limit on the expected delay, by Lagrange multiplier; `None` if no policy is fast
    /// enough.
    pub fn within_mean_delay(&self, limit_s: f64) -> Option<MeanDelayOptimum> {
        let (mut frugal, mut frugal_cost) = self.most_frugal();
        if frugal_cost.time_s <= limit_s {
            let (fast, fast_cost) = (frugal.clone(), frugal_cost);
            let cost = fast_cost;
            let (fast_share, multiplier_w) = (1.0, 0.0);
            return Some(MeanDelayOptimum { cost, fast, fast_cost, frugal, frugal_cost, fast_share, multiplier_w });
        }
        let (mut fast, mut fast_cost) = self.fastest();
        if fast_cost.time_s > limit_s {
            return None;
        }
        loop {
            // The multiplier at which both cost the same; a policy below both replaces one of them.
            let multiplier_w = (fast_cost.energy_j - frugal_cost.energy_j) / (frugal_cost.time_s - fast_cost.time_s);
            let (between, cost) = self.backward(|cost| (cost.weighted_j(multiplier_w), cost.time_s));
            let known_j = fast_cost.weighted_j(multiplier_w);
            if cost.weighted_j(multiplier_w) >= known_j - 1e-12 * known_j.abs() {
                let fast_share = (frugal_cost.time_s - limit_s) / (frugal_cost.time_s - fast_cost.time_s);
                let cost = fast_cost.times(fast_share).plus(frugal_cost.times(1.0 - fast_share));
                return Some(MeanDelayOptimum { cost, fast, fast_cost, frugal, frugal_cost, fast_share, multiplier_w });
            }
            if cost.time_s <= limit_s {
                (fast, fast_cost) = (between, cost);
            } else {
                (frugal, frugal_cost) = (between, cost);
            }
        }
    }

    /// The policy with the smallest expected delay, and its expected cost.
    pub fn fastest(&self) -> (ChainPolicy, ChainCost) {
        self.backward(|cost| (cost.time_s, cost.energy_j))
    }

    /// The policy with the least expected energy, whatever the delay, and its expected cost.
    pub fn most_frugal(&self) -> (ChainPolicy, ChainCost) {
        self.backward(|cost| (cost.energy_j, cost.time_s))
    }

    /// Backward induction: in every state the site with the smallest expected `value` of what is still to come. Values are
    /// a linear function of costs, and one for ties.
    fn backward(&self, value: impl Fn(&ChainCost) -> (f64, f64)) -> (ChainPolicy, ChainCost) {
        let (sites, states) = (self.sites(), self.states());
        let back = |index: usize| self.cost(self.components(), index / states, DEVICE, index % states);
        let mut rest: Vec<ChainCost> = (0..sites * states).map(back).collect();
        let mut chosen = vec![DEVICE; self.components() * sites * states];
        for component in (0..self.components()).rev() {
            let next = rest;
            // [to, state]: what is expected after the component.
            let expected: Vec<ChainCost> = (0..sites * states)
                .map(|index| {
                    let (to, state) = (index / states, index % states);
                    let steps = self.next_states(state).iter().zip(&next[to * states..][..states]);
                    steps.fold(ChainCost::default(), |sum, (share, cost)| sum.plus(cost.times(*share)))
                })
                .collect();
            rest = Vec::with_capacity(sites * states);
            for index in 0..sites * states {
                let (from, state) = (index / states, index % states);
                let total = |to: usize| self.cost(component, from, to, state).plus(expected[to * states + state]);
                let mut best = (DEVICE, total(DEVICE));
                for to in 1..sites {
                    let cost = total(to);
                    let (main, tie) = value(&cost);
                    let (best_main, best_tie) = value(&best.1);
                    if main < best_main || (main == best_main && tie < best_tie) {
                        best = (to, cost);
                    }
                }
                chosen[component * sites * states + index] = best.0;
                rest.push(best.1);
            }
        }
        let first = self.initial().iter().zip(&rest[..states]);
        let cost = first.fold(ChainCost::default(), |sum, (share, cost)| sum.plus(cost.times(*share)));
        (ChainPolicy { sites: chosen }, cost)
    }
}
