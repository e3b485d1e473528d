//! Decisions by rising cost, one after the other.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::labelling::Labelling;
use super::relaxation::Relaxation;

/// The decisions of a labelling problem by rising cost (Lawler, 1972; Murty, 1968).
///
/// The cheapest decision of a part of all decisions is found by one relaxation, which must be exact. Once it is taken, the
/// others of its part are divided: in each smaller part the tasks before one task stay where they are in the decision
/// taken, and that task is at another place.
pub(super) struct Ranking<'a> {
    relaxation: &'a Relaxation,
    costs: Labelling<'a>,
    open: BinaryHeap<Part>,
}

/// A part of all decisions with its cheapest one.
struct Part {
    cost: f64,
    decision: Vec<u8>,
    fixed: Vec<(u32, u8)>,
}

impl<'a> Ranking<'a> {
    /// All decisions of a labelling problem.
    pub(super) fn new(relaxation: &'a Relaxation, costs: Labelling<'a>) -> Self {
        let decision = relaxation.solve(&costs, &[]).decision;
        let first = Part { cost: costs.cost(&decision), decision, fixed: Vec::new() };
        Self { relaxation, costs, open: BinaryHeap::from([first]) }
    }

    /// The cost of the next decision; `None` if there is none.
    pub(super) fn next_cost(&self) -> Option<f64> {
        self.open.peek().map(|part| part.cost)
    }

    /// Takes the next decision and divides the rest of its part. Smaller parts whose cheapest decision `keeps` does not want
    /// are left out. Returns the number of relaxations solved.
    pub(super) fn advance(&mut self, mut keeps: impl FnMut(f64, &[u8]) -> bool) -> u64 {
        let Some(Part { decision, mut fixed, .. }) = self.open.pop() else { return 0 };
        let mut solved = 0;
        let mut is_fixed = vec![false; decision.len()];
        for (task, _) in &fixed {
            is_fixed[*task as usize] = true;
        }
        for task in (0..decision.len()).filter(|task| !is_fixed[*task]) {
            let here = decision[task];
            for place in (0..self.costs.places as u8).filter(|place| *place != here) {
                if self.costs.task_cost(task, place as usize).is_infinite() {
                    continue;
                }
                let mut fixed = fixed.clone();
                fixed.push((task as u32, place));
                let relaxed = self.relaxation.solve(&self.costs.with_fixed(&fixed), &[]);
                solved += 1;
                if relaxed.bound.is_finite() && keeps(relaxed.bound, &relaxed.decision) {
                    self.open.push(Part { cost: relaxed.bound, decision: relaxed.decision, fixed });
                }
            }
            fixed.push((task as u32, here));
        }
        solved
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Part {}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest cost first; of equal ones the part with most tasks fixed, then by its decision.
impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_cost = other.cost.total_cmp(&self.cost).then_with(|| self.fixed.len().cmp(&other.fixed.len()));
        by_cost.then_with(|| other.decision.cmp(&self.decision))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{Kind, for_each_decision, models};
    use super::*;
    use crate::graph::model::GraphModel;
    use crate::graph::rules::Timing;

    /// Takes all decisions and compares their costs with those of an enumeration.
    fn check(model: &GraphModel) -> Result<(), TestCaseError> {
        let relaxation = Relaxation::of(model.application(), model.places());
        let mut ranking = Ranking::new(&relaxation, Labelling::new(model));
        let mut ranked = Vec::new();
        while let Some(cost) = ranking.next_cost() {
            ranked.push(cost);
            ranking.advance(|_, _| true);
        }
        let mut expected = Vec::new();
        for_each_decision(model, |places| expected.push(model.evaluate(places).cost));
        expected.sort_by(f64::total_cmp);
        prop_assert_eq!(ranked.len(), expected.len());
        for (found, expected) in ranked.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
        }
        Ok(())
    }

    const KIND: Kind = Kind { timing: Timing::Serial, tasks: 6, servers: 2, is_chain: false };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_decision_comes_once_and_by_rising_cost(model in models(KIND)) {
            check(&model)?;
        }

        #[test]
        fn decisions_about_chains_come_by_rising_cost(model in models(Kind { servers: 3, tasks: 4, is_chain: true, ..KIND })) {
            check(&model)?;
        }
    }
}
