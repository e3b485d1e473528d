//! The optimum with scheduled timing, in the order of the model.

mod any_order;
mod bound;
mod loads;
mod multipliers;
mod search;
mod tables;

pub(super) use self::any_order::cheapest_in_any_order;
pub(super) use self::tables::Tables;

use self::multipliers::Multipliers;
use self::search::{Found, root_bound, search};
use super::best::Best;
use super::local_search::improve;
use super::searches::anneal_best;
use super::walks::noisy_walks;
use super::{GraphSolution, Optimality, affordable};
use crate::graph::model::GraphModel;
use crate::graph::rules::{Limits, Transfer};
use crate::random;

/// The work of a search, in tasks bounded: a second or two.
const MAX_WORK: u64 = 25_000_000;

/// The work of a first search, and the greedy walks and moves for each task before it: most small applications need no more.
const FIRST_WORK: u64 = 1_000_000;
const FIRST_WALKS: u64 = 128;
const FIRST_MOVES: u64 = 10;

/// The greedy walks and the moves before the whole search, besides annealing.
const WALKS: u64 = 4096;
const MOVES: u64 = 200_000;

/// The cheapest decision of a scheduled model within its limits, in the order of the model; if none is within them, the
/// cheapest of all. A search that takes too long ends with a bound.
pub(super) fn cheapest(model: &GraphModel) -> GraphSolution {
    let (found, evaluations) = search_within_limits(model);
    if let Some((_, places)) = found.best {
        let optimality = if found.is_complete { Optimality::InThisOrder } else { Optimality::Bound(found.bound) };
        return GraphSolution { places, evaluations, optimality, order: None };
    }
    let Ok(without_limits) = model.with_limits(Limits::default()) else {
        return GraphSolution {
            places: vec![0; model.tasks()],
            evaluations,
            optimality: Optimality::Unknown,
            order: None,
        };
    };
    let cheapest = cheapest(&without_limits);
    let optimality = if found.is_complete { cheapest.optimality } else { Optimality::Bound(found.bound) };
    GraphSolution { evaluations: evaluations + cheapest.evaluations, optimality, ..cheapest }
}

fn search_within_limits(model: &GraphModel) -> (Found, u64) {
    let tables = best_tables(model);
    let mut random = random::stream(0, "exact scheme");
    let mut best = Best::new(model);
    noisy_walks(model, FIRST_WALKS, &mut random, &mut best);
    let mut evaluations =
        FIRST_WALKS + improve(model, &mut best, affordable(model).min(FIRST_MOVES * model.tasks() as u64));
    // Where whole tasks are sent, no cost is one of two tasks together, and bounds by load are as high.
    let is_of_use = model.rules().transfer == Transfer::Edge && Multipliers::are_affordable(&tables);
    let multipliers = || is_of_use.then(|| Multipliers::new(&tables));
    let first_multipliers = multipliers();
    for decision in first_multipliers.iter().flat_map(Multipliers::decisions) {
        best.offer(model.evaluate(&decision).cost, &decision);
        evaluations += 1;
    }
    let found = search(&tables, first_multipliers, best.clone().within_limits(), FIRST_WORK);
    evaluations += found.evaluations;
    if found.is_complete {
        return (found, evaluations);
    }
    if let Some((cost, places)) = found.best {
        best.offer(cost, &places);
    }
    noisy_walks(model, WALKS, &mut random, &mut best);
    evaluations += WALKS + anneal_best(model, &mut best, &mut random);
    evaluations += improve(model, &mut best, affordable(model).min(MOVES));
    let mut found = search(&tables, multipliers(), best.within_limits(), MAX_WORK);
    evaluations += found.evaluations;
    found.evaluations = evaluations;
    (found, evaluations)
}

/// Tables of that form whose bound is higher before anything is placed.
fn best_tables(model: &GraphModel) -> Tables<'_> {
    let plain = Tables::new(model, false);
    if model.rules().weights.energy * model.system().idle_w <= 0.0 {
        return plain;
    }
    let counting = Tables::new(model, true);
    if root_bound(&counting) > root_bound(&plain) { counting } else { plain }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Kind, cheapest_cost, models, with_limits};
    use super::*;
    use crate::graph::rules::Timing;

    const KIND: Kind = Kind { timing: Timing::Scheduled, tasks: 12, servers: 1, is_chain: false };

    fn check(model: &GraphModel) -> Result<(), TestCaseError> {
        let found = cheapest(model);
        let (cost, best) = (model.evaluate(&found.places).cost, cheapest_cost(model));
        prop_assert!((cost - best).abs() <= 1e-8 * best.max(1.0), "{cost} is not {best}: {found:?}");
        prop_assert_eq!(found.optimality, Optimality::InThisOrder);
        for counts_idling in [false, true] {
            let tables = Tables::new(model, counts_idling);
            for multipliers in [false, true] {
                let multipliers = || multipliers.then(|| Multipliers::new(&tables));
                let stopped = search(&tables, multipliers(), None, 3);
                prop_assert!(stopped.bound <= best + 1e-8 * best.max(1.0), "{stopped:?} {best}");
                let whole = search(&tables, multipliers(), None, u64::MAX);
                let (cost, _) = whole.best.expect("limits can be kept");
                prop_assert!((cost - best).abs() <= 1e-8 * best.max(1.0), "{cost} is not {best}: {counts_idling}");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn no_decision_between_two_places_is_cheaper(model in models(KIND)) {
            check(&model)?;
        }

        #[test]
        fn no_decision_between_more_places_is_cheaper(model in models(Kind { tasks: 7, servers: 3, ..KIND })) {
            check(&model)?;
        }

        #[test]
        fn no_decision_within_limits_is_cheaper(
            model in models(Kind { tasks: 7, servers: 2, ..KIND }),
            shares in prop::array::uniform3(prop::option::of(-0.1..1.1_f64)),
        ) {
            let model = with_limits(&model, shares);
            let found = cheapest(&model);
            let (outcome, best) = (model.evaluate(&found.places), cheapest_cost(&model));
            prop_assert!((outcome.cost - best).abs() <= 1e-8 * best.max(1.0), "{outcome:?} is not {best}: {found:?}");
            prop_assert_eq!(found.optimality, Optimality::InThisOrder);
        }
    }
}
