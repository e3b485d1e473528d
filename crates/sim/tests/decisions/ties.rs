//! Decisions that cost the same: where only energy or only time counts, the other quantity decides.

use crate::common::{Shared, any_or_nothing_shared, any_scenarios};
use proptest::prelude::*;
use sim::scenario::{PerDevice, Sharing};
use sim::scheme::{self, BruteForce, Exact, LocalSearch, Scheme, improve_within, settle_ties};
use sim::{CostModel, Outcome, Scenario, Workload, allocation, random};

/// A quarter of all energies is the same, so that places often need the same energy; α is 0 or 1.
fn scenarios_with_ties(sharing: impl Strategy<Value = Shared>) -> impl Strategy<Value = (CostModel, Workload)> {
    let pattern = prop::collection::vec(0..3_u8, 8);
    (any_scenarios(1..4, 1..4, 1..3, sharing), any::<bool>(), pattern).prop_map(
        |((mut scenario, _, workload), only_energy, pattern)| {
            scenario.alpha = f64::from(u8::from(only_energy));
            scenario.transmit_energy_nj_per_byte = PerDevice::One(0.0);
            for (server, energy) in scenario.servers.iter_mut().zip(&pattern) {
                server.energy_per_instruction_nj = 0.5 * f64::from(*energy);
            }
            let own = pattern[4..].iter().cycle().take(scenario.devices.count).map(|energy| 0.5 * f64::from(*energy));
            scenario.devices.energy_per_instruction_nj = PerDevice::Each(own.collect());
            (scenario.check().expect("valid"), workload)
        },
    )
}

fn outcome(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> Outcome {
    let solution = scheme.decide(model, workload).expect("small enough");
    model.evaluate(workload, &solution.decision)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Whether the first is better by more than rounding: cheaper, or as cheap with less of the quantity that does not count.
fn is_clearly_better(model: &CostModel, first: &Outcome, second: &Outcome) -> bool {
    let uncounted = |outcome: &Outcome| if model.alpha() == 1.0 { outcome.time_s } else { outcome.energy_j };
    if !close(first.cost, second.cost) {
        return first.cost < second.cost;
    }
    uncounted(first) < uncounted(second) && !close(uncounted(first), uncounted(second))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn exact_settles_ties_as_brute_force_does((model, workload) in scenarios_with_ties(any_or_nothing_shared())) {
        let exact = outcome(&mut Exact::new(), &model, &workload);
        let oracle = outcome(&mut BruteForce, &model, &workload);
        prop_assert!((exact.cost - oracle.cost).abs() <= 1e-12 * oracle.cost, "{exact:?}, {oracle:?}");
        prop_assert!(!is_clearly_better(&model, &exact, &oracle), "{exact:?} is better than {oracle:?}");
        // The least energy of all shortest times is searched for device by device only.
        if model.alpha() == 1.0 || model.is_separable() {
            prop_assert!(!is_clearly_better(&model, &oracle, &exact), "{exact:?} is worse than {oracle:?}");
        }
    }

    #[test]
    fn nothing_is_better_than_exact_where_ties_are_settled((model, workload) in scenarios_with_ties(any_or_nothing_shared())) {
        let exact = outcome(&mut Exact::new(), &model, &workload);
        for mut scheme in scheme::classic(&model, 3) {
            let found = outcome(&mut *scheme, &model, &workload);
            prop_assert!(found.cost >= exact.cost * (1.0 - 1e-12), "{}: {found:?}, {exact:?}", scheme.name());
            if model.alpha() == 1.0 || model.is_separable() {
                prop_assert!(!is_clearly_better(&model, &found, &exact), "{}: {found:?}, {exact:?}", scheme.name());
            }
        }
    }

    /// With α = 1 every task that goes where it needs the least energy makes an optimum.
    #[test]
    fn whoever_chooses_finds_the_least_energy((model, workload) in scenarios_with_ties(any_or_nothing_shared())) {
        if model.alpha() == 1.0 {
            let least = outcome(&mut BruteForce, &model, &workload).energy_j;
            for name in ["greedy", "greedy-largest-first", "local-search", "local-search@4", "annealing", "genetic"] {
                let mut scheme = scheme::by_name(name, &model, 1).expect("there is one");
                let found = outcome(&mut *scheme, &model, &workload);
                prop_assert!(close(found.energy_j, least), "{name}: {found:?}, {least}");
            }
        }
    }

    #[test]
    fn settling_ties_costs_nothing((model, workload) in scenarios_with_ties(any_or_nothing_shared()), seed in any::<u64>(), budget in 0..200_u64) {
        let mut random = random::stream(seed, "places");
        let mut places: Vec<u8> =
            (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect();
        let before = model.outcome(workload.sizes_bytes(), &places);
        let evaluations = settle_ties(&model, workload.sizes_bytes(), &mut places, budget);
        let after = model.outcome(workload.sizes_bytes(), &places);
        prop_assert!(evaluations <= budget, "{evaluations} of {budget}");
        prop_assert!(after.cost <= before.cost * (1.0 + 2e-12), "{before:?}, {after:?}");
        prop_assert!(!is_clearly_better(&model, &before, &after), "{before:?}, {after:?}");
        let mut again = places.clone();
        if settle_ties(&model, workload.sizes_bytes(), &mut places, 1_000_000) < 1_000_000 {
            again.copy_from_slice(&places);
            settle_ties(&model, workload.sizes_bytes(), &mut again, 1_000_000);
            prop_assert_eq!(again, places);
        }
    }

    #[test]
    fn a_search_from_any_decision_ends_no_worse((model, workload) in scenarios_with_ties(any_or_nothing_shared()), seed in any::<u64>()) {
        let mut random = random::stream(seed, "places");
        let places: Vec<u8> =
            (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect();
        let before = model.outcome(workload.sizes_bytes(), &places);
        for limited in [false, true] {
            let mut places = places.clone();
            if limited {
                improve_within(&model, workload.sizes_bytes(), &mut places, 1000);
            } else {
                LocalSearch::new().improve(&model, workload.sizes_bytes(), &mut places);
            }
            let after = model.outcome(workload.sizes_bytes(), &places);
            prop_assert!(!is_clearly_better(&model, &before, &after), "{before:?}, {after:?}");
        }
    }
}

/// Servers that cost a device nothing, as most of the literature counts.
fn free_servers(preset: &str, alpha: f64) -> CostModel {
    let mut scenario = Scenario::load(preset).expect("a preset");
    scenario.alpha = alpha;
    scenario.transmit_energy_nj_per_byte = PerDevice::One(0.0);
    scenario.servers.iter_mut().for_each(|server| server.energy_per_instruction_nj = 0.0);
    scenario.check().expect("valid")
}

#[test]
fn energy_alone_leaves_the_choice_among_free_servers_to_time() {
    let workload = Workload::from_mb(3, &[12.0, 25.0, 18.0, 20.0, 11.0, 30.0, 15.0, 16.0, 17.0]);
    for preset in ["paper", "paper-wan", "shared-edge", "shared-edges"] {
        let (energy, time) = (free_servers(preset, 1.0), free_servers(preset, 0.0));
        // Time alone, over decisions that keep no task on its device, which would take energy.
        let places: Vec<_> = (1..energy.places() as u8).map(sim::Placement::from_index).collect();
        let quickest = outcome(&mut Exact::among(&places), &time, &workload).time_s;
        let exact = outcome(&mut Exact::new(), &energy, &workload);
        assert_eq!(exact.cost, 0.0);
        assert!(close(exact.time_s, quickest), "{preset}: {exact:?}, {quickest}");
        let slowest = outcome(&mut *scheme::by_name("cloud-only", &energy, 1).expect("it is up"), &energy, &workload);
        for name in ["greedy", "greedy-largest-first", "local-search", "annealing", "genetic", "local-search@8"] {
            let found = outcome(&mut *scheme::by_name(name, &energy, 1).expect("there is one"), &energy, &workload);
            assert_eq!(found.cost, 0.0, "{preset}, {name}");
            let most = if name.starts_with("greedy") { 1.4 } else { 1.15 };
            assert!(found.time_s <= most * quickest, "{preset}, {name}: {found:?}, {quickest}, {slowest:?}");
        }
    }
}

#[test]
fn a_search_for_time_that_takes_too_long_still_has_the_least_energy() {
    let mut scenario = Scenario::load("paper").expect("a preset");
    (scenario.alpha, scenario.tasks.per_device) = (1.0, 40);
    scenario.servers.iter_mut().for_each(|server| server.energy_per_instruction_nj = 1.0);
    let sizes: Vec<f64> = (0..120).map(|task| 20.0 + f64::from(task * task % 97) * 1e-3).collect();
    let workload = Workload::from_mb(40, &sizes);
    for sharing in [Sharing::Dedicated, Sharing::Shared] {
        scenario.servers[0].sharing = sharing;
        let model = scenario.check().expect("valid");
        let exact = outcome(&mut Exact::new(), &model, &workload);
        let cloud = outcome(&mut *scheme::by_name("cloud-only", &model, 1).expect("it is up"), &model, &workload);
        assert!(close(exact.energy_j, cloud.energy_j) && exact.time_s < 0.95 * cloud.time_s, "{exact:?}, {cloud:?}");
        let bounds = Exact::new().bounds(&model, &workload).expect("always");
        assert!(bounds.is_optimal && close(bounds.lower, cloud.cost), "{bounds:?}");
    }
}

#[test]
fn bandwidth_is_shared_out_where_only_energy_counts() {
    let model = free_servers("paper", 1.0);
    let workload = Workload::from_mb(3, &[30.0, 30.0, 30.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let mut scheme = LocalSearch::new();
    let joint = allocation::alternate(&mut scheme, &model, &workload, 3.0).expect("it decides");
    assert_eq!(joint.outcome.cost, 0.0);
    assert!(joint.outcome.time_s < 0.9 * joint.in_proportion.time_s, "{joint:?}");
    assert!(joint.environment.uplinks_mbps[0] > 2.0 * joint.environment.uplinks_mbps[1], "{joint:?}");
}
