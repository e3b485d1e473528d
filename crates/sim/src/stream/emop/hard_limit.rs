//! Least energy within a limit that holds for every course of the channel.

use super::{ChainCost, ChainError, ChainProblem, DEVICE};

/// The least expected energy within a hard limit, up to a grid of time.
#[derive(Debug, Clone, PartialEq)]
pub struct HardLimitOptimum {
    /// The expected cost of the policy found, which never exceeds the limit, if it counts its time in whole intervals; with
    /// the time really used it needs no more energy.
    pub cost: ChainCost,
    /// No policy within the limit needs less expected energy than this, in joules.
    pub bound_j: f64,
    /// The intervals of the grid.
    intervals: usize,
    sites: usize,
    states: usize,
    interval_s: f64,
    /// `[component, site of the last one, state, intervals left]`.
    chosen: Vec<u16>,
}

impl HardLimitOptimum {
    /// The site of a component, by the site of the last one, the state of the channel and the time used so far, in seconds.
    ///
    /// # Panics
    /// If there is no such component, site or state.
    pub fn site(&self, component: usize, from: usize, state: usize, used_s: f64) -> usize {
        // Time that was used is what the plan knows of, rounded up, or less: with more left the plan only has more room.
        let used = (used_s / self.interval_s - ROUNDING).ceil().max(0.0) as usize;
        let left = self.intervals.saturating_sub(used);
        let index = ((component * self.sites + from) * self.states + state) * (self.intervals + 1) + left;
        usize::from(self.chosen[index])
    }
}

/// Room for rounding, in intervals.
const ROUNDING: f64 = 1e-9;

/// Costs that are still to come, and whether the limit can be held at all.
struct Values {
    /// `[site, state, intervals left]`; infinite where the limit cannot be held.
    rest: Vec<ChainCost>,
    chosen: Vec<u16>,
}

impl ChainProblem {
    /// The least expected energy of policies that stay within the limit whatever the channel does; policies know the time that
    /// they have used. The time is divided into `intervals`: the more, the closer policy and bound, the longer the computation.
    /// `None` if no policy was found: with times rounded up there is none.
    ///
    /// # Errors
    /// If there is no interval, the limit is not a number above 0, or there are more than 65,536 sites.
    pub fn within_hard_limit(&self, limit_s: f64, intervals: usize) -> Result<Option<HardLimitOptimum>, ChainError> {
        if intervals == 0 || !(limit_s > 0.0 && limit_s.is_finite()) || u16::try_from(self.sites() - 1).is_err() {
            return Err(ChainError::Grid);
        }
        let interval_s = limit_s / intervals as f64;
        let sure = self.on_grid(intervals, |time_s| (time_s / interval_s - ROUNDING).ceil());
        let hopeful = self.on_grid(intervals, |time_s| (time_s / interval_s + ROUNDING).floor());
        let at_start = |values: &Values| {
            let states = self.initial().iter().enumerate().filter(|(_, share)| **share > 0.0);
            states.fold(ChainCost::default(), |sum, (state, share)| {
                sum.plus(values.rest[state * (intervals + 1) + intervals].times(*share))
            })
        };
        let cost = at_start(&sure);
        Ok(cost.energy_j.is_finite().then(|| HardLimitOptimum {
            cost,
            bound_j: at_start(&hopeful).energy_j,
            intervals,
            sites: self.sites(),
            states: self.states(),
            interval_s,
            chosen: sure.chosen,
        }))
    }

    fn on_grid(&self, intervals: usize, rounded: impl Fn(f64) -> f64) -> Values {
        let (sites, states, grid) = (self.sites(), self.states(), intervals + 1);
        let never = ChainCost { energy_j: f64::INFINITY, time_s: f64::INFINITY };
        let fits = |step: ChainCost, left: usize| {
            let steps = rounded(step.time_s);
            (steps <= left as f64).then(|| left - steps.max(0.0) as usize)
        };
        let mut rest = Vec::with_capacity(sites * states * grid);
        for index in 0..sites * states {
            let step = self.cost(self.components(), index / states, DEVICE, index % states);
            rest.extend((0..grid).map(|left| fits(step, left).map_or(never, |_| step)));
        }
        let mut chosen = vec![0; self.components() * sites * states * grid];
        let mut expected = vec![never; sites * states * grid];
        for component in (0..self.components()).rev() {
            for (index, expected) in expected.iter_mut().enumerate() {
                let (to, state, left) = (index / grid / states, index / grid % states, index % grid);
                let next = self.next_states(state).iter().enumerate().filter(|(_, share)| **share > 0.0);
                *expected = next.fold(ChainCost::default(), |sum, (next, share)| {
                    sum.plus(rest[(to * states + next) * grid + left].times(*share))
                });
            }
            for (index, rest) in rest.iter_mut().enumerate() {
                let (from, state, left) = (index / grid / states, index / grid % states, index % grid);
                let mut best = (DEVICE, never);
                for to in 0..sites {
                    let step = self.cost(component, from, to, state);
                    if let Some(left) = fits(step, left) {
                        let cost = step.plus(expected[(to * states + state) * grid + left]);
                        if cost.energy_j < best.1.energy_j {
                            best = (to, cost);
                        }
                    }
                }
                *rest = best.1;
                chosen[component * sites * states * grid + index] = best.0 as u16;
            }
        }
        Values { rest, chosen }
    }
}
