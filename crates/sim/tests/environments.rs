//! Environments: costs in them, and what stays true in all of them.

use proptest::prelude::*;
use sim::scenario::PerDevice;
use sim::scheme::{self, BruteForce, Exact, Greedy, LocalSearch, Order, Scheme};
use sim::{CostModel, Decision, Environment, EnvironmentError, Scenario, Workload, random};

/// Two servers. The second has its own links, slower and faster than the uplinks.
fn scenario(devices: usize) -> Scenario {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.devices.count = devices;
    scenario.devices.uplink_mbps = PerDevice::One(10.0);
    let links = [3.0, 10.0, 400.0].into_iter().cycle().take(devices);
    scenario.servers[1].link_mbps = Some(PerDevice::Each(links.collect()));
    scenario
}

fn environments(devices: usize, servers: usize) -> impl Strategy<Value = Environment> {
    let uplink = prop_oneof![1 => Just(0.0), 9 => 0.05..100.0_f64];
    (0.0..=1.0_f64, prop::collection::vec(uplink, devices), prop::collection::vec(0.1..3.0_f64, servers))
        .prop_map(|(alpha, uplinks_mbps, capacities)| Environment { alpha, uplinks_mbps, capacities })
}

fn cost(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> f64 {
    let solution = scheme.decide(model, workload).expect("small enough");
    model.evaluate(workload, &solution.decision).cost
}

proptest! {
    #[test]
    fn a_model_in_an_environment_costs_what_the_scenario_that_describes_it_does(
        environment in environments(3, 2), sizes in prop::collection::vec(0.1..50.0_f64, 9), seed in any::<u64>(),
    ) {
        let scenario = scenario(3);
        let there = scenario.check().expect("valid").at(&environment).expect("fits");
        let described = scenario.in_environment(&environment).expect("fits").check().expect("valid");
        let workload = Workload::from_mb(3, &sizes);
        let mut random = random::stream(seed, "places");
        for _ in 0..20 {
            let places: Vec<u8> = (0..9).map(|_| random::below(&mut random, 3) as u8).collect();
            for (task, &place) in places.iter().enumerate() {
                prop_assert_eq!(there.is_reachable(task / 3, place), described.is_reachable(task / 3, place));
            }
            let decision = Decision::from_places(3, places);
            let [first, second] = [&there, &described].map(|model| model.evaluate(&workload, &decision).cost);
            prop_assert!((first - second).abs() <= 1e-12 * first, "{first} {second}");
        }
        let [first, second] = [&there, &described].map(|model| cost(&mut Exact::new(), model, &workload));
        prop_assert!((first - second).abs() <= 1e-12 * first, "{first} {second}");
    }

    #[test]
    fn one_environment_after_another_leaves_nothing_behind(
        first in environments(3, 2), second in environments(3, 2),
    ) {
        let model = scenario(3).check().expect("valid");
        let mut scratch = model.at(&first).expect("fits");
        model.at_into(&second, &mut scratch).expect("fits");
        prop_assert_eq!(&scratch, &model.at(&second).expect("fits"));
        let before = scratch.clone();
        model.at_into(model.environment(), &mut scratch).expect("fits");
        prop_assert_eq!(&scratch, &model);
        prop_assert_eq!(before, model.at(&second).expect("fits"), "a clone keeps its environment");
        // A scratch value of another scenario is taken over.
        let mut other = Scenario::load("shared-edges").expect("a preset").check().expect("valid");
        model.at_into(&second, &mut other).expect("fits");
        prop_assert_eq!(other, model.at(&second).expect("fits"));
    }

    #[test]
    fn exact_is_brute_force_and_nothing_is_cheaper_in_any_environment(
        environment in environments(2, 2), sizes in prop::collection::vec(0.1..50.0_f64, 8), seed in any::<u64>(),
    ) {
        let mut scenario = scenario(2);
        scenario.tasks.per_device = 4;
        let model = scenario.check().expect("valid").at(&environment).expect("fits");
        let workload = Workload::from_mb(4, &sizes);
        let optimum = cost(&mut Exact::new(), &model, &workload);
        let oracle = cost(&mut BruteForce, &model, &workload);
        prop_assert!((optimum - oracle).abs() <= 1e-12 * oracle, "exact {optimum}, brute force {oracle}");
        for mut scheme in scheme::classic(&model, seed) {
            let cost = cost(&mut *scheme, &model, &workload);
            prop_assert!(cost >= optimum * (1.0 - 1e-12), "{} found {cost}, optimum {optimum}", scheme.name());
        }
    }

    #[test]
    fn nobody_who_chooses_sends_a_task_where_no_link_leads(
        mut environment in environments(3, 2), sizes in prop::collection::vec(0.1..50.0_f64, 9), cut in 0..3_usize,
    ) {
        environment.uplinks_mbps[cut] = 0.0;
        let mut scenario = scenario(3);
        scenario.servers[1].link_mbps = None;
        let model = scenario.check().expect("valid").at(&environment).expect("fits");
        prop_assert!(!model.is_all_reachable() && model.is_reachable(cut, 0) && !model.is_reachable(cut, 2));
        let workload = Workload::from_mb(3, &sizes);
        let mut schemes: Vec<Box<dyn Scheme>> = vec![
            Box::new(Exact::new()),
            Box::new(Greedy::new(Order::Given)),
            Box::new(Greedy::new(Order::LargestFirst)),
            Box::new(LocalSearch::new()),
        ];
        for scheme in &mut schemes {
            let decision = scheme.decide(&model, &workload).expect("small enough").decision;
            for (task, place) in decision.places().iter().enumerate() {
                prop_assert!(model.is_reachable(task / 3, *place), "{}: {:?}", scheme.name(), decision);
            }
            let outcome = model.evaluate(&workload, &decision);
            prop_assert!(outcome.cost.is_finite() && outcome.cost < 1e6, "{}", outcome.cost);
        }
    }
}

/// A link that is slower than the uplink lies behind it, a faster link bypasses it.
#[test]
fn links_of_their_own_follow_the_uplink_only_where_they_lie_behind_it() {
    let model = scenario(3).check().expect("valid");
    let time_of = |uplink: f64| -> Vec<f64> {
        let environment = Environment { uplinks_mbps: vec![uplink; 3], ..model.environment().clone() };
        let model = model.at(&environment).expect("fits");
        // What a byte takes beyond computing it, as Mbit/s: 1000 instructions at 1000 MHz are a microsecond.
        (0..3).map(|device| 8.0 / ((model.rates(device)[2].time_s_per_byte - 1e-6) * 1e6)).collect()
    };
    for (uplink, expected) in [(10.0, [3.0, 10.0, 400.0]), (1.0, [1.0, 1.0, 400.0]), (50.0, [3.0, 10.0, 400.0])] {
        for (found, expected) in time_of(uplink).into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-9, "uplink {uplink}: {found} instead of {expected}");
        }
    }
    let cut = Environment { uplinks_mbps: vec![0.0; 3], ..model.environment().clone() };
    let cut = model.at(&cut).expect("fits");
    assert_eq!([0, 1, 2].map(|device| cut.is_reachable(device, 1)), [false; 3]);
    assert_eq!([0, 1, 2].map(|device| cut.is_reachable(device, 2)), [false, false, true]);
}

#[test]
fn an_environment_that_makes_no_sense_is_refused_and_changes_nothing() {
    let model = scenario(3).check().expect("valid");
    let (mut scratch, before) = (model.clone(), model.clone());
    let own = model.environment().clone();
    let changed = |change: &dyn Fn(&mut Environment)| {
        let mut environment = own.clone();
        change(&mut environment);
        environment
    };
    let wrong = [
        changed(&|environment| environment.uplinks_mbps.truncate(2)),
        changed(&|environment| environment.capacities.push(1.0)),
        changed(&|environment| environment.uplinks_mbps[1] = -1.0),
        changed(&|environment| environment.uplinks_mbps[2] = f64::NAN),
        changed(&|environment| environment.uplinks_mbps[0] = f64::INFINITY),
        changed(&|environment| environment.capacities[0] = 0.0),
        changed(&|environment| environment.alpha = 1.5),
        changed(&|environment| environment.alpha = f64::NAN),
    ];
    for environment in wrong {
        let error = model.at_into(&environment, &mut scratch).expect_err("it makes no sense");
        assert!(matches!(error, EnvironmentError::Count { .. } | EnvironmentError::Value { .. }), "{error}");
        assert_eq!(scratch, before);
        assert_eq!(model.at(&environment).expect_err("it makes no sense").to_string(), error.to_string());
    }
}
