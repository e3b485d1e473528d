//! Schemes for a deadline: LARAC and one climb.

use super::super::best::Best;
use super::super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use super::chain::Chain;
use super::cut::check_serial;
use super::labelling::Labelling;
use super::relaxation::Relaxation;
use crate::graph::model::GraphModel;
use crate::graph::rules::Weights;

/// Lagrange relaxation based aggregated cost (LARAC; Jüttner et al., 2001): the cheapest decision within the deadline, nearly
/// always, with a bound.
///
/// A multiplier makes one cost of cost and time. Starting from the cheapest decision and the fastest one, the next
/// multiplier is the one under which both cost the same, until the cheapest decision under it costs as much as they do.
/// The answer is the cheapest decision within the deadline seen on the way. If even the fastest one misses the deadline, it is
/// the answer. Limits of energy and money are not regarded.
///
/// In the manner of the LARAC-based execution of general topologies (Zhang and Wen, 2018), with a deviation: there, LARAC
/// decides one partial critical path after another; here it decides the whole application, as the cheapest decision under
/// a multiplier is one minimum cut for at most two servers, or dynamic programming on trees.
#[derive(Debug, Clone, Default)]
pub struct Larac;

/// The most multipliers; each step takes the multiplier to a new corner of the dual function, mostly fewer than ten.
const MAX_STEPS: usize = 200;
/// What rounding may make of a sum of times, relative to it.
const ROUNDING: f64 = 1e-12;

impl GraphScheme for Larac {
    fn name(&self) -> &'static str {
        "larac"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        check_serial("larac", model)?;
        let relaxation = Relaxation::of(model.application(), model.places());
        if !relaxation.is_exact() {
            let (found, instead) = (model.places() - 1, "exact");
            return Err(GraphSchemeError::Servers { scheme: "larac", most: 2, found, instead });
        }
        let costs = Labelling::new(model);
        let times_s = Labelling::weighted(model, Weights { energy: 0.0, time: 1.0, price: 0.0 });
        // A decision that just keeps the deadline may seem to miss it, since sums in another order round differently.
        let deadline_s = model.rules().limits.time_s * (1.0 + ROUNDING);
        let solve = |weighted: &Labelling<'_>| {
            let decision = relaxation.solve(weighted, &[]).decision;
            Point { cost: costs.cost(&decision), time_s: times_s.cost(&decision), decision }
        };
        let mut cheapest = solve(&costs);
        if cheapest.time_s <= deadline_s {
            return Ok(GraphSolution {
                places: cheapest.decision,
                evaluations: 1,
                optimality: Optimality::Proved,
                order: None,
            });
        }
        let mut fastest = solve(&times_s);
        let mut evaluations = 2;
        if fastest.time_s > deadline_s {
            return Ok(GraphSolution {
                places: fastest.decision,
                evaluations,
                optimality: Optimality::Unknown,
                order: None,
            });
        }
        let mut bound = cheapest.cost;
        for _ in 0..MAX_STEPS {
            let multiplier = (fastest.cost - cheapest.cost) / (cheapest.time_s - fastest.time_s);
            let next = solve(&costs.plus(&times_s, multiplier));
            evaluations += 1;
            let value = next.cost + multiplier * next.time_s;
            bound = bound.max(value - multiplier * deadline_s);
            let known = cheapest.cost + multiplier * cheapest.time_s;
            if value >= known - 1e-12 * known.abs() {
                break;
            }
            if next.time_s <= deadline_s {
                fastest = next;
            } else {
                cheapest = next;
            }
        }
        let is_optimal = bound >= fastest.cost - 1e-9 * fastest.cost.abs();
        let optimality = if is_optimal { Optimality::Proved } else { Optimality::Bound(bound) };
        Ok(GraphSolution { places: fastest.decision, evaluations, optimality, order: None })
    }
}

/// A decision with its cost and time.
struct Point {
    cost: f64,
    time_s: f64,
    decision: Vec<u8>,
}

/// One climb: of all decisions about a chain with at most one stay at a server, the cheapest within the limits; if none is
/// within them, the cheapest of all.
///
/// In the manner of the one-climb policy of Zhang, Wen and Wu (2015): where the server is faster and sending costs, an optimal
/// decision sends an application there at most once. It is not optimal where tasks are pinned so that a second stay pays.
#[derive(Debug, Clone, Default)]
pub struct OneClimb;

impl GraphScheme for OneClimb {
    fn name(&self) -> &'static str {
        "one-climb"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        check_serial("one-climb", model)?;
        let chain = Chain::of(model.application());
        let chain = chain.ok_or(GraphSchemeError::NoChain { scheme: "one-climb", instead: "larac or exact" })?;
        let costs = Labelling::new(model);
        let tasks = chain.tasks.len();
        let local = |index: usize| costs.task_cost(chain.tasks[index], 0);
        let mut before = vec![0.0; tasks + 1];
        let mut after = vec![0.0; tasks + 1];
        for index in 0..tasks {
            before[index + 1] = before[index] + local(index);
            after[tasks - 1 - index] = after[tasks - index] + local(tasks - 1 - index);
        }
        let mut best = Best::new(model);
        let mut evaluations = 1;
        let mut decision = vec![0; tasks];
        if before[tasks].is_finite() {
            best.offer(before[tasks], &decision);
        }
        for server in 1..costs.places {
            for (first, before) in before[..tasks].iter().enumerate() {
                let up = if first > 0 { chain.bytes[first] * costs.byte_cost(0, server) } else { 0.0 };
                let mut cost = before + up;
                decision.fill(0);
                for (last, after) in after.iter().skip(1).enumerate().skip(first) {
                    let task = chain.tasks[last];
                    decision[task] = server as u8;
                    cost += costs.task_cost(task, server);
                    if cost.is_infinite() {
                        break;
                    }
                    let down = chain.bytes.get(last + 1).map_or(0.0, |bytes| bytes * costs.byte_cost(server, 0));
                    let whole = cost + down + after;
                    evaluations += 1;
                    if whole.is_finite() {
                        best.offer(whole, &decision);
                    }
                }
            }
        }
        let places = best.found().ok_or(GraphSchemeError::PinnedApart { scheme: "one-climb", instead: "exact" })?;
        Ok(GraphSolution { places, evaluations, optimality: Optimality::Unknown, order: None })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::GraphExact;
    use super::super::super::testing::{Kind, cheapest_cost, for_each_decision, models, with_limits};
    use super::*;
    use crate::graph::rules::Timing;

    const CHAINS: Kind = Kind { timing: Timing::Serial, tasks: 8, servers: 1, is_chain: true };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn larac_keeps_deadlines_that_can_be_kept_and_its_bound_is_one(
            model in models(Kind { is_chain: false, servers: 2, tasks: 7, ..CHAINS }),
            share in 0.0..1.0_f64,
        ) {
            let model = with_limits(&model, [None, Some(share), None]);
            let found = Larac.decide(&model).expect("larac decides");
            let outcome = model.evaluate(&found.places);
            let best = cheapest_cost(&model);
            let room = 1e-9 * best.max(1.0);
            prop_assert!(outcome.time_s <= model.rules().limits.time_s * (1.0 + 1e-9) + room, "{outcome:?}");
            prop_assert!(outcome.cost >= best - room, "{} is below {best}", outcome.cost);
            prop_assert!(found.optimality.bound(outcome.cost).is_none_or(|bound| bound <= best + room));
        }

        #[test]
        fn one_climb_is_the_best_of_its_kind(model in models(CHAINS), share in prop::option::of(0.0..1.0_f64)) {
            let model = with_limits(&model, [None, share, None]);
            let mut best = (true, f64::INFINITY);
            for_each_decision(&model, |places| {
                let order = model.application().topological();
                let climbs = order.windows(2).filter(|pair| places[pair[0] as usize] == 0 && places[pair[1] as usize] > 0);
                let starts_there = usize::from(places[order[0] as usize] > 0);
                let outcome = model.evaluate(places);
                if climbs.count() + starts_there <= 1 && (outcome.exceeds_limits, outcome.cost) < best {
                    best = (outcome.exceeds_limits, outcome.cost);
                }
            });
            match OneClimb.decide(&model) {
                Ok(found) => {
                    let outcome = model.evaluate(&found.places);
                    prop_assert_eq!(outcome.exceeds_limits, best.0);
                    prop_assert!((outcome.cost - best.1).abs() <= 1e-9 * best.1.max(1.0), "{outcome:?} {best:?}");
                }
                Err(error) => prop_assert!(best.1.is_infinite(), "{error}"),
            }
        }

        #[test]
        fn labels_find_the_optimum_of_long_chains(
            model in models(Kind { tasks: 7, servers: 2, ..CHAINS }),
            shares in prop::array::uniform3(prop::option::of(0.0..1.0_f64)),
        ) {
            let model = with_limits(&model, shares);
            let found = GraphExact.decide(&model).expect("exact decides");
            let (cost, best) = (model.evaluate(&found.places).cost, cheapest_cost(&model));
            prop_assert!((cost - best).abs() <= 1e-9 * best.max(1.0), "{cost} is not {best}");
            prop_assert_eq!(found.optimality, Optimality::Proved);
        }
    }
}
