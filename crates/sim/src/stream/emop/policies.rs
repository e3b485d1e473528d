//! Policies and what they cost.

use super::{ChainCost, ChainError, ChainProblem, DEVICE};

/// A site for each state: a policy that looks at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPolicy {
    /// `[component, site of the last one, state of the channel]`.
    pub sites: Vec<usize>,
}

/// A site for each component, whatever the channel does.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedAssignment {
    /// `[component]`.
    pub sites: Vec<usize>,
    /// Its expected cost.
    pub cost: ChainCost,
}

/// The greedy rule is tried with the multiplier 0 and with 10^(n / 8) watts for n between these two.
const GREEDY_EIGHTHS: (i32, i32) = (-24, 24);

impl ChainProblem {
    /// The expected cost of a policy.
    ///
    /// # Errors
    /// If it has not one site for each state.
    pub fn evaluate(&self, policy: &ChainPolicy) -> Result<ChainCost, ChainError> {
        let decisions = self.components() * self.sites() * self.states();
        if policy.sites.len() != decisions || policy.sites.iter().any(|site| *site >= self.sites()) {
            return Err(self.unfit());
        }
        Ok(self.evaluate_rule(|component, from, state| {
            policy.sites[(component * self.sites() + from) * self.states() + state]
        }))
    }

    /// The expected cost if every component runs at one site.
    ///
    /// # Errors
    /// If there is no such site.
    pub fn single_site(&self, site: usize) -> Result<ChainCost, ChainError> {
        if site < self.sites() { Ok(self.evaluate_rule(|_, _, _| site)) } else { Err(self.unfit()) }
    }

    /// The expected cost of an assignment that does not look at the channel.
    ///
    /// # Errors
    /// If it has not one site for each component.
    pub fn evaluate_fixed(&self, sites: &[usize]) -> Result<ChainCost, ChainError> {
        if sites.len() != self.components() || sites.iter().any(|site| *site >= self.sites()) {
            return Err(self.unfit());
        }
        Ok(self.evaluate_rule(|component, _, _| sites[component]))
    }

    /// The single site with the least expected energy whose expected delay is within the limit, and its cost.
    pub fn best_single_site_within(&self, limit_s: f64) -> Option<(usize, ChainCost)> {
        let all = (0..self.sites()).map(|site| (site, self.evaluate_rule(|_, _, _| site)));
        all.filter(|(_, cost)| cost.time_s <= limit_s).min_by(|a, b| a.1.energy_j.total_cmp(&b.1.energy_j))
    }

    /// Greedy: always the site with the least energy + multiplier × time of the next transfer and the next component. Of 50
    /// multipliers, in watts, the one with the least expected energy within the limit on the expected delay.
    pub fn greedy_within(&self, limit_s: f64) -> Option<(f64, ChainCost)> {
        let nothing = vec![ChainCost::default(); self.components() * self.sites() * self.states()];
        self.best_multiplier(&nothing, limit_s)
    }

    /// Greedy with a look ahead: as [`ChainProblem::greedy_within`], plus what is expected until the end if all components
    /// after the next one run at its site.
    pub fn look_ahead_within(&self, limit_s: f64) -> Option<(f64, ChainCost)> {
        self.best_multiplier(&self.rest_at_one_site(), limit_s)
    }

    /// `rest` is what is expected after a component, `[component, site, state]`.
    fn best_multiplier(&self, rest: &[ChainCost], limit_s: f64) -> Option<(f64, ChainCost)> {
        let (first, last) = GREEDY_EIGHTHS;
        let multipliers = (first..=last).map(|eighths| 10_f64.powf(f64::from(eighths) / 8.0)).chain([0.0]);
        let evaluated = multipliers.map(|multiplier_w| {
            let rule = |component: usize, from: usize, state: usize| {
                let weighted = |to: usize| {
                    let after = rest[(component * self.sites() + to) * self.states() + state];
                    self.cost(component, from, to, state).plus(after).weighted_j(multiplier_w)
                };
                (0..self.sites()).min_by(|a, b| weighted(*a).total_cmp(&weighted(*b))).unwrap_or(DEVICE)
            };
            (multiplier_w, self.evaluate_rule(rule))
        });
        evaluated.filter(|(_, cost)| cost.time_s <= limit_s).min_by(|a, b| a.1.energy_j.total_cmp(&b.1.energy_j))
    }

    /// `[component, site, state]`: what is expected after a component at a site if all others run there, too.
    fn rest_at_one_site(&self) -> Vec<ChainCost> {
        let (sites, states) = (self.sites(), self.states());
        let mut rest = vec![ChainCost::default(); self.components() * sites * states];
        for component in (0..self.components()).rev() {
            for site in 0..sites {
                for state in 0..states {
                    let next = self.next_states(state).iter().enumerate();
                    let after = next.fold(ChainCost::default(), |sum, (next, share)| {
                        let cost = if component + 1 == self.components() {
                            self.cost(component + 1, site, DEVICE, next)
                        } else {
                            let later = rest[((component + 1) * sites + site) * states + next];
                            self.cost(component + 1, site, site, next).plus(later)
                        };
                        sum.plus(cost.times(*share))
                    });
                    rest[(component * sites + site) * states + state] = after;
                }
            }
        }
        rest
    }

    /// The assignment with the least expected energy within the limit on the expected delay, of all assignments that do not
    /// look at the channel: exact, by labels of energy and delay of which no one is worse in both than another.
    pub fn fixed_within(&self, limit_s: f64) -> Option<FixedAssignment> {
        let mut shares = self.initial().to_vec();
        // For each site of the last component: costs so far, and the way there.
        let mut labels: Vec<Vec<(ChainCost, Vec<usize>)>> = vec![Vec::new(); self.sites()];
        labels[DEVICE].push((ChainCost::default(), Vec::new()));
        for component in 0..=self.components() {
            let mean = |from: usize, to: usize| {
                let states = shares.iter().enumerate();
                states.fold(ChainCost::default(), |sum, (state, share)| {
                    sum.plus(self.cost(component, from, to, state).times(*share))
                })
            };
            let destinations = if component == self.components() { 1 } else { self.sites() };
            let mut next = vec![Vec::new(); self.sites()];
            for (to, next) in next.iter_mut().enumerate().take(destinations) {
                let mut all = Vec::new();
                for (from, labels) in labels.iter().enumerate() {
                    let step = mean(from, to);
                    all.extend(labels.iter().filter_map(|(cost, sites)| {
                        let cost = cost.plus(step);
                        (cost.time_s <= limit_s).then(|| {
                            let mut sites = sites.clone();
                            sites.push(to);
                            (cost, sites)
                        })
                    }));
                }
                *next = without_worse(all);
            }
            labels = next;
            shares = self.after_step(&shares);
        }
        let best = labels.swap_remove(DEVICE).into_iter().min_by(|a, b| a.0.energy_j.total_cmp(&b.0.energy_j));
        best.map(|(cost, mut sites)| {
            sites.pop();
            FixedAssignment { sites, cost }
        })
    }

    fn after_step(&self, shares: &[f64]) -> Vec<f64> {
        let mut next = vec![0.0; self.states()];
        for (state, share) in shares.iter().enumerate() {
            for (next, step) in next.iter_mut().zip(self.next_states(state)) {
                *next += share * step;
            }
        }
        next
    }

    /// The expected cost of a rule: forward over the probabilities of states.
    fn evaluate_rule(&self, rule: impl Fn(usize, usize, usize) -> usize) -> ChainCost {
        let (sites, states) = (self.sites(), self.states());
        let mut shares = vec![0.0; sites * states];
        shares[..states].copy_from_slice(self.initial());
        let mut total = ChainCost::default();
        for component in 0..=self.components() {
            let mut next = vec![0.0; sites * states];
            for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let (from, state) = (index / states, index % states);
                let to = if component == self.components() { DEVICE } else { rule(component, from, state) };
                total = total.plus(self.cost(component, from, to, state).times(*share));
                for (next, step) in next[to * states..][..states].iter_mut().zip(self.next_states(state)) {
                    *next += share * step;
                }
            }
            shares = next;
        }
        total
    }

    fn unfit(&self) -> ChainError {
        ChainError::Decision { components: self.components(), sites: self.sites() }
    }
}

/// Without the labels that cost at least as much energy and time as another one.
fn without_worse(mut all: Vec<(ChainCost, Vec<usize>)>) -> Vec<(ChainCost, Vec<usize>)> {
    all.sort_by(|a, b| a.0.energy_j.total_cmp(&b.0.energy_j).then(a.0.time_s.total_cmp(&b.0.time_s)));
    let mut shortest_s = f64::INFINITY;
    all.retain(|(cost, _)| {
        let better = cost.time_s < shortest_s;
        shortest_s = shortest_s.min(cost.time_s);
        better
    });
    all
}
