//! Bandwidth shared out: against hand-made cases, the optimality conditions and other ways to share it.

use crate::common::{any_scenarios, any_sharing};
use proptest::prelude::*;
use sim::allocation::{self, Allocation};
use sim::scenario::{PerDevice, Sharing};
use sim::scheme::{Greedy, LocalSearch, Order, Random, Scheme, Solution};
use sim::{AllocationError, CostModel, Decision, Outcome, Placement, Scenario, SchemeError, Workload, random};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn with_uplinks(model: &CostModel, uplinks_mbps: &[f64]) -> CostModel {
    let mut environment = model.environment().clone();
    environment.uplinks_mbps = uplinks_mbps.to_vec();
    model.at(&environment).expect("uplinks of this fleet")
}

/// The cost of a decision with other uplinks, by the cost model alone, without the allocation.
fn outcome(model: &CostModel, workload: &Workload, decision: &Decision, uplinks_mbps: &[f64]) -> Outcome {
    with_uplinks(model, uplinks_mbps).evaluate(workload, decision)
}

fn any_decision(model: &CostModel, seed: u64) -> Decision {
    let mut random = random::stream(seed, "places");
    let places: Vec<u8> = (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect();
    Decision::from_places(model.tasks(), places)
}

/// Whether every device can use the places that a decision gives its tasks.
fn reaches_all(model: &CostModel, decision: &Decision) -> bool {
    let mut rows = decision.places().chunks_exact(model.tasks()).enumerate();
    rows.all(|(device, row)| row.iter().all(|place| model.is_reachable(device, *place)))
}

/// Bytes that each device sends.
fn sent_bytes(workload: &Workload, decision: &Decision) -> Vec<f64> {
    let sent = |(sizes, places): (&[f64], &[u8])| {
        sizes.iter().zip(places).filter(|(_, place)| **place > 0).map(|(size, _)| size).sum()
    };
    let rows = workload.sizes_bytes().chunks_exact(workload.tasks());
    rows.zip(decision.places().chunks_exact(workload.tasks())).map(sent).collect()
}

/// Uplinks in proportion to weights.
fn in_proportion(weights: &[f64], total_mbps: f64) -> Vec<f64> {
    let sum = weights.iter().sum::<f64>();
    weights.iter().map(|weight| weight / sum * total_mbps).collect()
}

fn is_all(allocation: &Allocation, total_mbps: f64) -> bool {
    (allocation.uplinks_mbps.iter().sum::<f64>() / total_mbps - 1.0).abs() < 1e-12
}

/// Any dedicated or shared scenario, with a total between far too little and far too much.
fn problems() -> impl Strategy<Value = (CostModel, Workload, f64, u64)> {
    let sharing = prop_oneof![any_sharing(), Just(crate::common::Shared::default())];
    let logarithms = prop_oneof![-6.0..10.0_f64, -1.0..4.0_f64];
    (any_scenarios(1..7, 1..5, 1..5, sharing), logarithms, any::<u64>())
        .prop_map(|((_, model, workload), logarithm, seed)| (model, workload, 10_f64.powf(logarithm), seed))
}

/// Two devices with two tasks each, 10 s/MB on their own, 1 s/MB on either server, each reached through the uplink.
fn two_by_two() -> Scenario {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.devices.count = 2;
    scenario.tasks.per_device = 2;
    for server in &mut scenario.servers {
        server.frequency_mhz = 1000.0;
        server.link_mbps = None;
    }
    scenario
}

#[test]
fn two_senders_share_as_the_roots_of_their_bytes() {
    let model = two_by_two().check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0, 3.0, 4.0, 12.0]);
    let decision = Decision::uniform(2, 2, Placement::from_index(1));
    let allocation = allocation::allocate(&model, &workload, &decision, 30.0).expect("valid");
    assert!(close(allocation.uplinks_mbps[0], 10.0) && close(allocation.uplinks_mbps[1], 20.0), "{allocation:?}");
    // 32 Mbit in 3.2 s and 128 Mbit in 6.4 s, then 4 s and 16 s of computing; 32/10² = 128/20².
    assert!(close(allocation.outcome.time_s, 29.6), "{allocation:?}");
    assert!(close(allocation.multiplier_s_per_mbps, 0.32), "{allocation:?}");
    assert_eq!(allocation.outcome, outcome(&model, &workload, &decision, &allocation.uplinks_mbps));
}

#[test]
fn a_device_that_computes_longer_gets_only_what_it_needs() {
    let model = two_by_two().check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0, 1.0, 5.0, 5.0]);
    // Device 0 computes for 10 s itself, and has 9 s for sending 8 Mbit.
    let decision = Decision::from_places(2, vec![0, 1, 1, 2]);
    let allocation = allocation::allocate(&model, &workload, &decision, 100.0).expect("valid");
    assert!(close(allocation.uplinks_mbps[0], 8.0 / 9.0), "{allocation:?}");
    assert!(close(allocation.uplinks_mbps[1], 100.0 - 8.0 / 9.0), "{allocation:?}");
    // With less to share out it no longer pays to have it done in 10 s.
    let allocation = allocation::allocate(&model, &workload, &decision, 1.0).expect("valid");
    assert!(close(allocation.uplinks_mbps[1] / allocation.uplinks_mbps[0], 5_f64.sqrt()), "{allocation:?}");
}

#[test]
fn a_slower_link_behind_the_uplink_is_all_that_is_needed() {
    let mut scenario = two_by_two();
    scenario.devices.uplink_mbps = PerDevice::One(50.0);
    scenario.servers[0].link_mbps = Some(PerDevice::Each(vec![8.0, 16.0]));
    let workload = Workload::from_mb(2, &[1.0, 1.0, 5.0, 5.0]);
    let decision = Decision::uniform(2, 2, Placement::from_index(1));
    let model = scenario.check().expect("valid");
    let needed = allocation::allocate(&model, &workload, &decision, 24.0).expect("valid");
    assert!(close(needed.uplinks_mbps[0], 8.0) && close(needed.uplinks_mbps[1], 16.0), "{needed:?}");
    // The remainder is spread evenly.
    let more = allocation::allocate(&model, &workload, &decision, 30.0).expect("valid");
    assert!(close(more.uplinks_mbps[0], 11.0) && close(more.uplinks_mbps[1], 19.0), "{more:?}");
    assert!(close(more.outcome.cost, needed.outcome.cost) && more.multiplier_s_per_mbps == 0.0, "{more:?}");
    // The rate of a shared link is all that is needed, too: both devices need it for the same time.
    scenario.servers[0].link_sharing = Sharing::Shared;
    scenario.servers[0].link_mbps = Some(PerDevice::One(12.0));
    let model = scenario.check().expect("valid");
    let shared = allocation::allocate(&model, &workload, &decision, 12.0).expect("valid");
    assert!(close(shared.uplinks_mbps[0], 2.0) && close(shared.uplinks_mbps[1], 10.0), "{shared:?}");
}

#[test]
fn who_sends_nothing_gets_what_nobody_needs() {
    let model = two_by_two().check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0, 1.0, 5.0, 0.0]);
    let allocate = |places: Vec<u8>| {
        let decision = Decision::from_places(2, places);
        allocation::allocate(&model, &workload, &decision, 20.0).expect("valid").uplinks_mbps
    };
    assert_eq!(allocate(vec![0, 0, 0, 0]), [10.0, 10.0]);
    assert_eq!(allocate(vec![0, 0, 1, 0]), [0.0, 20.0]);
    // A task of no bytes needs none either; of 20 Mbit/s, 8/9 are enough for device 0.
    let uplinks = allocate(vec![0, 1, 0, 1]);
    assert!(close(uplinks[0], 10.0 + 4.0 / 9.0) && close(uplinks[1], 10.0 - 4.0 / 9.0), "{uplinks:?}");
    // Past the uplink, or on a link too slow to be one, it does not matter.
    let mut scenario = two_by_two();
    scenario.devices.uplink_mbps = PerDevice::One(1.0);
    scenario.servers[0].link_mbps = Some(PerDevice::Each(vec![5.0, 1e-9]));
    let beside = scenario.check().expect("valid");
    let decision = Decision::from_places(2, vec![1, 1, 1, 0]);
    let allocation = allocation::allocate(&beside, &workload, &decision, 20.0).expect("valid");
    assert_eq!((&allocation.uplinks_mbps[..], allocation.multiplier_s_per_mbps), (&[10.0, 10.0][..], 0.0));
}

#[test]
fn a_device_left_without_uplink_is_asked_again() {
    let model = two_by_two().check().expect("valid");
    let workload = Workload::from_mb(2, &[5.0, 5.0, 5.0, 5.0]);
    let joint = allocation::alternate(&mut Shy, &model, &workload, 20.0).expect("valid");
    assert_eq!(joint.decision.places(), [1, 1, 1, 1]);
    assert!(close(joint.environment.uplinks_mbps[0], 10.0), "{joint:?}");
    // It keeps them, sends them as offered 20 Mbit/s, and keeps them again with 10.
    assert_eq!((joint.rounds, joint.evaluations), (3, 3 * 7 + 3 + 1));
}

#[test]
fn what_cannot_be_shared_out_is_refused() {
    let model = two_by_two().check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0; 4]);
    let decision = Decision::uniform(2, 2, Placement::from_index(1));
    for total_mbps in [0.0, -1.0, 9e-9, 1.1e12, f64::INFINITY, f64::NAN] {
        let refused = allocation::allocate(&model, &workload, &decision, total_mbps);
        assert!(matches!(refused, Err(AllocationError::Total { .. })), "{total_mbps}: {refused:?}");
        let refused = allocation::alternate(&mut Greedy::new(Order::Given), &model, &workload, total_mbps);
        assert!(matches!(refused, Err(AllocationError::Total { .. })), "{total_mbps}: {refused:?}");
    }
    let refused = allocation::allocate(&model, &workload, &decision, 1.5e-8).expect_err("must be refused");
    assert_eq!(
        refused.to_string(),
        "0.000000015 Mbit/s are too few for 2 devices that send: each needs at least 1e-8 Mbit/s"
    );
    let least = allocation::allocate(&model, &workload, &decision, 2e-8).expect("valid");
    assert!(with_uplinks(&model, &least.uplinks_mbps).is_all_reachable(), "{least:?}");
    let most = allocation::allocate(&model, &workload, &decision, 1e12).expect("valid");
    assert!(close(most.uplinks_mbps[0], 5e11), "{most:?}");

    let refused = |workload: &Workload, decision: &Decision| {
        allocation::allocate(&model, workload, decision, 1.0).expect_err("must be refused").to_string()
    };
    let three = Workload::from_mb(3, &[1.0; 6]);
    assert_eq!(refused(&three, &decision), "the workload must be of 2 × 2 tasks, is of 2 × 3");
    let four = Decision::uniform(1, 4, Placement::Local);
    assert_eq!(refused(&workload, &four), "the decision must be of 2 × 2 tasks, is of 1 × 4");
    let far = Decision::uniform(2, 2, Placement::from_index(3));
    assert_eq!(refused(&workload, &far), "the decision names place 3, there are 3");
    let refused = allocation::alternate(&mut Lost(None), &model, &workload, 1.0);
    assert!(matches!(refused, Err(AllocationError::Scheme(SchemeError::Backend(_)))), "{refused:?}");
    let refused = allocation::alternate(&mut Lost(Some(four)), &model, &workload, 1.0);
    assert!(matches!(refused, Err(AllocationError::Shape { .. })), "{refused:?}");
}

/// A scheme that always gives the same decision, or an error if it has none.
struct Lost(Option<Decision>);

impl Scheme for Lost {
    fn name(&self) -> &'static str {
        "lost"
    }

    fn decide(&mut self, _: &CostModel, _: &Workload) -> Result<Solution, SchemeError> {
        let decision = self.0.clone().ok_or_else(|| SchemeError::Backend("lost".to_owned()))?;
        Ok(Solution { decision, evaluations: 0 })
    }
}

/// Keeps the tasks of device 0, unless it has a fast uplink.
struct Shy;

impl Scheme for Shy {
    fn name(&self) -> &'static str {
        "shy"
    }

    fn decide(&mut self, model: &CostModel, _: &Workload) -> Result<Solution, SchemeError> {
        let place = u8::from(model.environment().uplinks_mbps[0] > 15.0);
        Ok(Solution { decision: Decision::from_places(2, vec![place, place, 1, 1]), evaluations: 7 })
    }
}

proptest! {
    #[test]
    fn no_transfer_of_bandwidth_saves_time((model, workload, total_mbps, seed) in problems()) {
        let decision = any_decision(&model, seed);
        let allocation = allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid");
        prop_assert!(is_all(&allocation, total_mbps), "{allocation:?}");
        let best = allocation.outcome;
        prop_assert_eq!(best, outcome(&model, &workload, &decision, &allocation.uplinks_mbps));
        for from in 0..model.devices() {
            for to in (0..model.devices()).filter(|to| *to != from) {
                for share in [1e-6, 1e-5, 1e-4, 1e-3, 1e-2] {
                    let mut uplinks_mbps = allocation.uplinks_mbps.clone();
                    let moved_mbps = share * uplinks_mbps[from];
                    uplinks_mbps[from] -= moved_mbps;
                    uplinks_mbps[to] += moved_mbps;
                    let other = outcome(&model, &workload, &decision, &uplinks_mbps);
                    prop_assert!(
                        other.time_s >= best.time_s * (1.0 - 1e-12) && other.cost >= best.cost * (1.0 - 1e-12),
                        "{share} of {from} to {to}: {other:?} instead of {best:?}, {allocation:?}"
                    );
                }
            }
        }
    }

    /// ν is a slope of the optimal time in the total, which is convex.
    #[test]
    fn the_multiplier_bounds_what_more_or_less_would_change((model, workload, total_mbps, seed) in problems(), factor in 0.5..2.0_f64) {
        let decision = any_decision(&model, seed);
        let allocate = |total_mbps| allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid");
        let (here, there) = (allocate(total_mbps), allocate(total_mbps * factor));
        let bound = here.outcome.time_s - here.multiplier_s_per_mbps * total_mbps * (factor - 1.0);
        prop_assert!(there.outcome.time_s >= bound - 1e-12 * here.outcome.time_s, "{here:?}, {there:?}");
        // More is never worse.
        let (less, more) = if factor < 1.0 { (&there, &here) } else { (&here, &there) };
        prop_assert!(more.outcome.time_s <= less.outcome.time_s * (1.0 + 1e-12), "{less:?}, {more:?}");
        prop_assert!(more.multiplier_s_per_mbps <= less.multiplier_s_per_mbps * (1.0 + 1e-12), "{less:?}, {more:?}");
    }

    #[test]
    fn no_other_split_costs_less((model, workload, total_mbps, seed) in problems()) {
        let decision = any_decision(&model, seed);
        let best = allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid").outcome;
        let mut random = random::stream(seed, "splits");
        let mut splits = vec![vec![1.0; model.devices()], model.environment().uplinks_mbps.clone()];
        splits.push(sent_bytes(&workload, &decision).iter().map(|bytes| bytes + 1e-3).collect());
        splits.extend((0..30).map(|_| (0..model.devices()).map(|_| random::unit(&mut random).powi(3) + 1e-9).collect()));
        for weights in splits {
            let uplinks_mbps = in_proportion(&weights, total_mbps);
            // Not to send what should be sent has a cost of its own, which is no limit of slow links.
            if !reaches_all(&with_uplinks(&model, &uplinks_mbps), &decision) {
                continue;
            }
            let other = outcome(&model, &workload, &decision, &uplinks_mbps);
            prop_assert!(best.cost <= other.cost * (1.0 + 1e-12), "{best:?}, {other:?} with {weights:?}");
            prop_assert!(best.time_s <= other.time_s * (1.0 + 1e-12), "{best:?}, {other:?} with {weights:?}");
        }
    }

    #[test]
    fn any_sizes_can_be_sent(
        (model, _, total_mbps, seed) in problems(),
        logarithms in prop::collection::vec(prop_oneof![-323.0..18.0_f64, Just(-400.0), Just(3.0)], 24),
    ) {
        let sizes: Vec<f64> = logarithms[..model.task_count()].iter().map(|logarithm| 10_f64.powf(*logarithm)).collect();
        let workload = Workload::from_bytes(model.tasks(), sizes);
        let decision = any_decision(&model, seed);
        let allocation = allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid");
        prop_assert!(is_all(&allocation, total_mbps), "{allocation:?}");
        prop_assert!(allocation.outcome.cost.is_finite() && allocation.multiplier_s_per_mbps.is_finite(), "{allocation:?}");
        prop_assert!(allocation.uplinks_mbps.iter().all(|mbps| (0.0..=total_mbps).contains(mbps)), "{allocation:?}");
        let even = outcome(&model, &workload, &decision, &vec![total_mbps / model.devices() as f64; model.devices()]);
        prop_assert!(allocation.outcome.time_s <= even.time_s * (1.0 + 1e-12), "{allocation:?}, {even:?}");
    }

    #[test]
    fn who_sends_can_send((model, workload, _, seed) in problems(), above in 1.0..3.0_f64) {
        let decision = any_decision(&model, seed);
        let total_mbps = model.devices() as f64 * 1e-8 * above;
        let uplinks_mbps = allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid").uplinks_mbps;
        prop_assert!(reaches_all(&with_uplinks(&model, &uplinks_mbps), &decision), "{uplinks_mbps:?}");
    }

    #[test]
    fn deciding_and_sharing_out_in_turn_never_loses((model, workload, total_mbps, seed) in problems(), kind in 0..4) {
        let mut scheme: Box<dyn Scheme> = match kind {
            0 => Box::new(Greedy::new(Order::Given)),
            1 => Box::new(Greedy::new(Order::LargestFirst)),
            2 => Box::new(LocalSearch::new()),
            _ => Box::new(Random::new(seed)),
        };
        let joint = allocation::alternate(scheme.as_mut(), &model, &workload, total_mbps).expect("valid");
        let own = with_uplinks(&model, &in_proportion(&model.environment().uplinks_mbps, total_mbps));
        let decision = scheme.decide(&own, &workload).expect("valid").decision;
        let without = own.evaluate(&workload, &decision).cost;
        prop_assert!(joint.outcome.cost <= without, "{joint:?}, {without}");
        prop_assert!(close(joint.in_proportion.cost, without), "{joint:?}, {without}");
        let first = allocation::allocate(&model, &workload, &decision, total_mbps).expect("valid").outcome.cost;
        prop_assert!(joint.outcome.cost <= first, "{joint:?}, {first}");
        prop_assert!((1..=20).contains(&joint.rounds) && joint.evaluations > joint.rounds as u64, "{joint:?}");
        let entered = model.at(&joint.environment).expect("valid");
        prop_assert_eq!(joint.outcome, entered.evaluate(&workload, &joint.decision));
        prop_assert!(close(joint.environment.uplinks_mbps.iter().sum(), total_mbps), "{joint:?}");
        let mut environment = joint.environment.clone();
        environment.uplinks_mbps.clone_from(&model.environment().uplinks_mbps);
        prop_assert_eq!(&environment, model.environment());
    }
}
