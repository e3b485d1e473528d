//! LARAC for several limits at once: one multiplier for each of them, and the decisions next to the best multipliers.

use super::super::best::Best;
use super::super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use super::cut::check_serial;
use super::labelling::Labelling;
use super::limits::Limit;
use super::multipliers::{DualSearch, Multipliers, offset, weighted};
use super::ranking::Ranking;
use super::relaxation::Relaxation;
use crate::graph::model::GraphModel;

/// The number of multipliers tried without a budget, many more than are needed: on `call-graph` under limits of energy and time
/// the search ends after 4 of them on average.
const MULTIPLIERS: u64 = 200;
/// The number of decisions ranked without a budget: the least power of 4 with which the optimum was found for all 850 of
/// 900 applications of `call-graph` whose limits of energy and time can be kept (docs/task-graphs.md).
const RANKED: u64 = 64;
/// The work of ranking without a budget, in tasks and edges times relaxations: about two seconds.
const MAX_WORK: u64 = 60_000_000;

/// LARAC with a multiplier for each limit: the cheapest decision within limits of energy, time and money, nearly always, with
/// a bound.
///
/// The multipliers make one cost of the cost and of all amounts that have limits. The next multipliers are those under
/// which several decisions cost the same, until none is cheaper under them. The answer is the cheapest decision within
/// the limits that was seen on the way; if none was, the cheapest of all.
///
/// In the manner of M-LARAC (IEEE Access, 2018), whose text was not read, so that deviations are those from its name and abstract:
/// 1. There, paths through a call graph are sought with WiFi and a cellular link; here labellings of any application with at most two
///    servers, or of a tree with any number of them: the cheapest decision under multipliers is a minimum cut, or found by
///    dynamic programming.
/// 2. There, money is minimised under limits of energy and time; here the scenario's cost, under any limits it has.
/// 3. How multipliers are found there is not known. Here it is column generation, which ends at the best ones and does with one
///    limit what [`Larac`](super::super::Larac) does.
#[derive(Debug, Clone)]
pub struct LaracM {
    name: String,
    multipliers: u64,
}

impl Default for LaracM {
    fn default() -> Self {
        Self { name: "larac-m".to_owned(), multipliers: MULTIPLIERS }
    }
}

impl LaracM {
    /// A search that tries at most this number of multipliers, at least one.
    pub fn within(multipliers: u64) -> Self {
        Self { name: format!("larac-m@{multipliers}"), multipliers }
    }
}

impl GraphScheme for LaracM {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let relaxation = exact_relaxation("larac-m", model)?;
        let (costs, limits) = (Labelling::new(model), Limit::all(model));
        let best = Best::new(model);
        let mut search = DualSearch { costs: &costs, limits: &limits, relaxation: &relaxation, best, evaluations: 0 };
        let bound = search.run(self.multipliers).bound;
        Ok(solution(search.best, bound, search.evaluations))
    }
}

/// [`LaracM`] and the decisions next to it: those that cost least under its multipliers, one after the other, until none can be
/// better than the best one within the limits, or a number of them has been ranked.
///
/// In the manner of K-LARAC (IEEE Access, 2018), whose text was not read, with the deviations of [`LaracM`] and two more:
/// 1. There, the K best paths of a graph are ranked; here the K best decisions, by dividing all decisions as Lawler (1972) does: each
///    part is one minimum cut, or one pass of dynamic programming.
/// 2. There, the K best follow LARAC with one multiplier; here they follow the multipliers of all limits.
#[derive(Debug, Clone)]
pub struct LaracK {
    name: String,
    ranked: u64,
    /// Whether the number of ranked decisions was asked for; otherwise large applications end the ranking.
    has_budget: bool,
}

impl Default for LaracK {
    fn default() -> Self {
        Self { name: "larac-k".to_owned(), ranked: RANKED, has_budget: false }
    }
}

impl LaracK {
    /// A search that ranks at most this number of decisions, K.
    pub fn within(ranked: u64) -> Self {
        Self { name: format!("larac-k@{ranked}"), ranked, has_budget: true }
    }
}

impl GraphScheme for LaracK {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let relaxation = exact_relaxation("larac-k", model)?;
        let (costs, limits) = (Labelling::new(model), Limit::all(model));
        let best = Best::new(model);
        let mut search = DualSearch { costs: &costs, limits: &limits, relaxation: &relaxation, best, evaluations: 0 };
        let Multipliers { values, mut bound } = search.run(MULTIPLIERS);
        let DualSearch { mut best, mut evaluations, .. } = search;
        if bound.is_infinite() || is_proved(&best, bound) {
            return Ok(solution(best, bound, evaluations));
        }
        let offset = offset(&limits, &values);
        let mut ranking = Ranking::new(&relaxation, weighted(&costs, &limits, &values));
        evaluations += 1;
        // The next decision may take a relaxation for each task at each other place.
        let size = (model.tasks() + model.application().edges().len()) as u64;
        let most = (model.tasks() * (model.places() - 1)) as u64;
        for _ in 0..self.ranked {
            if !self.has_budget && (evaluations + most).saturating_mul(size) > MAX_WORK {
                break;
            }
            evaluations += ranking.advance(|cost, decision| {
                best.offer(costs.cost(decision), decision);
                !is_proved(&best, cost - offset)
            });
            // Once every decision has been ranked, the best one seen is the best there is.
            bound = ranking.next_cost().map_or(f64::INFINITY, |cost| bound.max(cost - offset));
            if is_proved(&best, bound) || bound.is_infinite() {
                break;
            }
        }
        Ok(solution(best, bound, evaluations))
    }
}

fn exact_relaxation(scheme: &'static str, model: &GraphModel) -> Result<Relaxation, GraphSchemeError> {
    check_serial(scheme, model)?;
    let relaxation = Relaxation::of(model.application(), model.places());
    if relaxation.is_exact() {
        return Ok(relaxation);
    }
    Err(GraphSchemeError::Servers { scheme, most: 2, found: model.places() - 1, instead: "exact" })
}

/// Whether no decision within the limits that costs at least `bound` can be better.
fn is_proved(best: &Best<'_>, bound: f64) -> bool {
    best.is_within_limits() && bound >= best.cost - 1e-12 * best.cost.abs()
}

/// The answer where no decision within the limits costs less than `bound`, unless it has been seen.
fn solution(best: Best<'_>, bound: f64, evaluations: u64) -> GraphSolution {
    let is_optimal = bound.is_infinite() || is_proved(&best, bound);
    let optimality = if is_optimal { Optimality::Proved } else { Optimality::Bound(bound) };
    GraphSolution { places: best.places, evaluations, optimality, order: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{Kind, cheapest_cost, models, with_limits};
    use super::super::super::{GraphExact, Larac};
    use super::*;
    use crate::graph::GraphScenario;
    use crate::graph::rules::{Limits, Rules, Timing};
    use crate::random;

    const KIND: Kind = Kind { timing: Timing::Serial, tasks: 7, servers: 2, is_chain: false };

    /// Checks what a scheme found against the cheapest decision within the limits, or of all if none is within them. Returns
    /// the cost and the bound.
    fn check(model: &GraphModel, found: &GraphSolution) -> Result<(f64, f64), TestCaseError> {
        let (outcome, best) = (model.evaluate(&found.places), cheapest_cost(model));
        let room = 1e-9 * best.max(1.0);
        let bound = found.optimality.bound(outcome.cost).expect("there is a bound");
        prop_assert!(bound <= best + room, "the bound {bound} is above {best}: {found:?}");
        if found.optimality.is_optimal() {
            prop_assert!((outcome.cost - best).abs() <= room, "{} is not {best}: {found:?}", outcome.cost);
        }
        let best_is_beyond = GraphExact.decide(model).map(|exact| model.evaluate(&exact.places).exceeds_limits);
        if outcome.exceeds_limits == best_is_beyond.expect("exact decides") {
            prop_assert!(outcome.cost >= best - room, "{} is below {best}: {found:?}", outcome.cost);
        }
        Ok((outcome.cost, bound))
    }

    fn shares() -> impl Strategy<Value = [Option<f64>; 3]> {
        prop::array::uniform3(prop::option::of(-0.1..1.1_f64))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn all_decisions_in_order_prove_the_optimum(model in models(KIND), shares in shares()) {
            let model = with_limits(&model, shares);
            let found = LaracK::within(u64::MAX).decide(&model).expect("larac-k decides");
            check(&model, &found)?;
            prop_assert_eq!(found.optimality, Optimality::Proved);
        }

        #[test]
        fn all_decisions_about_chains_in_order_prove_the_optimum(
            model in models(Kind { is_chain: true, servers: 3, tasks: 6, ..KIND }),
            shares in shares(),
        ) {
            let model = with_limits(&model, shares);
            let found = LaracK::within(u64::MAX).decide(&model).expect("larac-k decides");
            check(&model, &found)?;
            prop_assert_eq!(found.optimality, Optimality::Proved);
        }

        #[test]
        fn more_multipliers_and_more_decisions_never_widen_the_gap(model in models(KIND), shares in shares()) {
            let model = with_limits(&model, shares);
            let mut schemes: Vec<Box<dyn GraphScheme>> = Vec::new();
            for most in [1, 2, 5, 200] {
                schemes.push(Box::new(LaracM::within(most)));
            }
            for most in [1, 2, 4, 8, 1000] {
                schemes.push(Box::new(LaracK::within(most)));
            }
            let mut last = (true, f64::INFINITY, f64::NEG_INFINITY);
            for mut scheme in schemes {
                let found = scheme.decide(&model).expect("it decides");
                let (cost, bound) = check(&model, &found)?;
                let is_beyond = model.evaluate(&found.places).exceeds_limits;
                let room = 1e-9 * cost.max(1.0);
                prop_assert!((is_beyond, cost) <= (last.0, last.1 + room), "{}: {cost} {last:?}", scheme.name());
                // The bound of what exceeds limits is at most its cost, which is lower than that of what does not.
                prop_assert!(bound >= last.2 - room, "{}: {bound} {last:?}", scheme.name());
                last = (is_beyond, cost, bound);
            }
        }

        #[test]
        fn with_one_limit_several_multipliers_are_larac(model in models(KIND), share in 0.01..1.0_f64) {
            let model = with_limits(&model, [None, Some(share), None]);
            let [one, several] = [&mut Larac as &mut dyn GraphScheme, &mut LaracM::default()]
                .map(|scheme| scheme.decide(&model).expect("it decides"));
            let [one_cost, cost] = [&one, &several].map(|found| model.evaluate(&found.places).cost);
            let bounds = [(&one, one_cost), (&several, cost)].map(|(found, cost)| found.optimality.bound(cost));
            let [Some(one_bound), Some(bound)] = bounds else {
                return Err(TestCaseError::fail("a bound is missing"));
            };
            let room = 1e-9 * cost.max(1.0);
            prop_assert!(cost <= one_cost + room, "{cost} {one_cost}");
            prop_assert!((bound - one_bound).abs() <= room, "{bound} {one_bound}: {several:?} {one:?}");
        }
    }

    #[test]
    fn calls_within_limits_of_energy_and_time_cost_little_and_the_gap_falls_to_0() {
        let scenario = GraphScenario::load("call-graph").expect("a preset");
        let mut random = random::stream(1, "limits");
        let mut gaps = [0.0; 3];
        for _ in 0..20 {
            let model = scenario.model(scenario.draw(&mut random).expect("drawn")).expect("valid");
            let model = money_within(&model, 0.5);
            let exact = GraphExact.decide(&model).expect("exact decides");
            let least = model.evaluate(&exact.places);
            let schemes: [&mut dyn GraphScheme; 3] =
                [&mut LaracM::default(), &mut LaracK::default(), &mut LaracK::within(100_000)];
            for (gap, scheme) in gaps.iter_mut().zip(schemes) {
                let found = scheme.decide(&model).expect("it decides");
                let outcome = model.evaluate(&found.places);
                let bound = found.optimality.bound(outcome.cost).expect("there is a bound");
                assert!(outcome.exceeds_limits == least.exceeds_limits && bound <= least.cost * (1.0 + 1e-9));
                *gap += outcome.cost - bound;
            }
        }
        assert!(gaps[0] >= gaps[1] && gaps[1] >= gaps[2] && gaps[2] <= 1e-9, "{gaps:?}");
    }

    /// The least money within limits of energy and time at a share of the way from the least to what costs no money.
    fn money_within(model: &GraphModel, share: f64) -> GraphModel {
        let weights = |energy, time, price| crate::graph::Weights { energy, time, price };
        let with = |weights, limits| {
            let rules = Rules { weights, limits, ..*model.rules() };
            GraphModel::new(model.application().clone(), model.system().clone(), rules).expect("valid")
        };
        let outcome = |weights| {
            let model = with(weights, Limits::default());
            model.evaluate(&GraphExact.decide(&model).expect("exact decides").places)
        };
        let (frugal, quick, free) =
            (outcome(weights(1.0, 0.0, 0.0)), outcome(weights(0.0, 1.0, 0.0)), outcome(weights(1e-3, 1e-3, 1.0)));
        let between = |least: f64, most: f64| least + share * (most - least).max(0.0);
        let limits = Limits {
            energy_j: between(frugal.energy_j, free.energy_j),
            time_s: between(quick.time_s, free.time_s),
            price: f64::INFINITY,
        };
        with(weights(0.0, 0.0, 1.0), limits)
    }
}
