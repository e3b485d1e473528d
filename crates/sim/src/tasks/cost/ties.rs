//! Ties: which of two decisions is better if both cost the same.
//!
//! Where α is 1, only energy counts, and where it is 0, only time. Many decisions then cost the same and differ in the
//! quantity that does not count; the decision with less of it is better. With any other α both quantities count, so that
//! decisions of equal cost are equally good, and the first one found stays.

use std::borrow::Cow;
use std::sync::Arc;

use super::rates::Outcome;
use super::{CostModel, State};
use crate::tasks::environment::Environment;
use crate::tasks::scenario::DeadlineRule;

/// The largest relative difference of equal costs, energies and times. It comes from rounding.
pub(crate) const ROUNDING: f64 = 1e-12;

/// Whether two numbers are the same but for rounding.
pub(crate) fn is_equal(one: f64, other: f64) -> bool {
    (one - other).abs() <= ROUNDING * one.abs().min(other.abs())
}

/// Whether one decision is better than another, each given by its cost and the quantity that does not count.
pub(crate) fn is_better(new: [f64; 2], old: [f64; 2]) -> bool {
    if is_equal(new[0], old[0]) { new[1] < old[1] } else { new[0] < old[0] }
}

impl CostModel {
    /// Whether only energy or only time counts: α is 1 or 0.
    ///
    /// False for a [detailed](CostModel::is_detailed) model, whose [`CostModel::cost`] counts a billionth of the other quantity,
    /// so that ties need no further care.
    pub fn counts_one_quantity(&self) -> bool {
        (self.alpha() == 1.0 || self.alpha() == 0.0) && !self.is_detailed()
    }

    /// Whether a decision with one outcome is better than a decision with another. The cheaper one is. Of costs that are
    /// equal but for rounding (a relative 1e-12), the better one has the shorter time if α is 1, and the lower energy if α is
    /// 0. With any other α equal costs are equally good. Where deadlines are hard, the decision that misses fewer of them is
    /// better.
    ///
    /// ```
    /// use sim::{Outcome, Scenario};
    /// let mut scenario = Scenario::load("paper")?;
    /// scenario.alpha = 1.0;
    /// let model = scenario.check()?;
    /// let slow = Outcome { energy_j: 2.0, time_s: 900.0, cost: 2.0, missed_deadlines: 0 };
    /// let fast = Outcome { time_s: 90.0, ..slow };
    /// assert!(model.is_better(&fast, &slow) && !model.is_better(&slow, &fast));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_better(&self, new: &Outcome, old: &Outcome) -> bool {
        if self.is_detailed() {
            return self.is_better_in_detail(new, old);
        }
        if !self.counts_one_quantity() {
            return new.cost < old.cost;
        }
        let uncounted = |outcome: &Outcome| if self.alpha() == 0.0 { outcome.energy_j } else { outcome.time_s };
        is_better([new.cost, uncounted(new)], [old.cost, uncounted(old)])
    }

    fn is_better_in_detail(&self, new: &Outcome, old: &Outcome) -> bool {
        if self.deadline_rule() == DeadlineRule::Hard && new.missed_deadlines != old.missed_deadlines {
            return new.missed_deadlines < old.missed_deadlines;
        }
        let [energy_weight, time_weight] = self.detailed_weights();
        let penalty = self.deadline_rule().penalty().unwrap_or(0.0);
        let objective = |outcome: &Outcome| {
            energy_weight * outcome.energy_j + time_weight * outcome.time_s + penalty * outcome.missed_deadlines as f64
        };
        objective(new) < objective(old)
    }

    /// The model in which schemes search. It is this model, unless only energy counts. Then each task is cheapest at the
    /// places where its device needs the least energy, whatever other tasks do. The model in which schemes search allows
    /// these places alone and counts time alone, so that its optimum has the shortest time of all decisions with the least
    /// energy.
    pub fn search_model(&self) -> Cow<'_, Self> {
        self.search_model_among(&[])
    }

    /// [`CostModel::search_model`] over decisions that use only the places `among`; all places if it is empty. Where energy
    /// is not all that counts, the places are left to the scheme.
    pub(crate) fn search_model_among(&self, among: &[u8]) -> Cow<'_, Self> {
        if self.alpha() != 1.0 || self.is_detailed() {
            return Cow::Borrowed(self);
        }
        let energy = |device: usize, place: u8| self.rates(device)[usize::from(place)].energy_j_per_byte;
        let least = |device: usize, allowed: &[u8]| {
            allowed.iter().map(|place| energy(device, *place)).fold(f64::INFINITY, f64::min)
        };
        let keep = |device: usize, allowed: &mut Vec<u8>| {
            let least = least(device, allowed);
            allowed.retain(|place| is_equal(energy(device, *place), least));
        };
        Cow::Owned(self.narrowed(0.0, among, keep))
    }

    /// The model over decisions that use only the places `among`; all places if it is empty.
    pub(crate) fn narrowed_to(&self, among: &[u8]) -> Self {
        self.narrowed(self.alpha(), among, |_, _| {})
    }

    /// The model that counts time alone.
    pub(crate) fn counting_time(&self) -> Self {
        self.narrowed(0.0, &[], |_, _| {})
    }

    /// The model with another α in which each device reaches only the places that `keep` leaves of those in `among`.
    fn narrowed(&self, alpha: f64, among: &[u8], keep: impl Fn(usize, &mut Vec<u8>)) -> Self {
        let State { environment, rates, .. } = &*self.state;
        let mut reachable = vec![false; rates.len()];
        for (device, reachable) in reachable.chunks_exact_mut(self.places()).enumerate() {
            let mut allowed = self.allowed_places(device, among);
            keep(device, &mut allowed);
            for place in allowed {
                reachable[usize::from(place)] = true;
            }
        }
        if reachable.iter().all(|reachable| *reachable) {
            reachable.clear();
        }
        let environment = Environment { alpha, ..environment.clone() };
        let state = State { environment, reachable, ..(*self.state).clone() };
        Self { system: Arc::clone(&self.system), state: Arc::new(state) }
    }

    /// The places in `among` (all if it is empty) that a device can use; the device itself if there is none.
    pub(crate) fn allowed_places(&self, device: usize, among: &[u8]) -> Vec<u8> {
        let is_allowed = |place: &u8| among.is_empty() || among.contains(place);
        let mut allowed: Vec<u8> = self.reachable_places(device).filter(is_allowed).collect();
        if allowed.is_empty() {
            allowed.push(0);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_equal_but_for_rounding_and_nothing_equals_infinity() {
        assert!(is_equal(0.0, 0.0) && is_equal(3.0, 3.0 * (1.0 + 1e-13)) && !is_equal(3.0, 3.0 * (1.0 + 1e-11)));
        assert!(!is_equal(0.0, f64::MIN_POSITIVE) && !is_equal(1.0, f64::INFINITY));
        assert!(is_better([1.0, 9.0], [f64::INFINITY; 2]) && !is_better([f64::INFINITY, 0.0], [1.0, 9.0]));
        assert!(is_better([1.0 + 1e-13, 1.0], [1.0, 2.0]) && !is_better([1.1, 1.0], [1.0, 2.0]));
    }
}
