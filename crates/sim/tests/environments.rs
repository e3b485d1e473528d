//! Environments that change: prices in them, how they are drawn, and what stays true in all of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use sim::metrics::evaluate;
use sim::scenario::{EnvironmentDistribution, PerDevice, Range, UplinkDistribution};
use sim::scheme::{self, BruteForce, Exact, Fixed, Greedy, LocalSearch, Order, Scheme};
use sim::trace::{Drive, Sample, Trace};
use sim::{
    CostModel, DataError, Decision, Environment, EnvironmentError, EnvironmentSampler, Part, Placement, Scenario,
    StandardSet, Workload, random, uplink_windows,
};

/// Two servers, of which the second has links of its own, slower and faster than uplinks.
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
    fn a_model_in_an_environment_prices_like_the_scenario_that_describes_it(
        environment in environments(3, 2), sizes in prop::collection::vec(0.1..50.0_f64, 9), seed in any::<u64>(),
    ) {
        let scenario = scenario(3);
        let entered = scenario.check().expect("valid").entered(&environment).expect("fits");
        let described = scenario.in_environment(&environment).expect("fits").check().expect("valid");
        let workload = Workload::from_mb(3, &sizes);
        let mut random = random::stream(seed, "places");
        for _ in 0..20 {
            let places: Vec<u8> = (0..9).map(|_| random::below(&mut random, 3) as u8).collect();
            for (task, &place) in places.iter().enumerate() {
                prop_assert_eq!(entered.is_reachable(task / 3, place), described.is_reachable(task / 3, place));
            }
            let decision = Decision::from_places(3, places);
            let [first, second] = [&entered, &described].map(|model| model.evaluate(&workload, &decision).cost);
            prop_assert!((first - second).abs() <= 1e-12 * first, "{first} {second}");
        }
        let [first, second] = [&entered, &described].map(|model| cost(&mut Exact::new(), model, &workload));
        prop_assert!((first - second).abs() <= 1e-12 * first, "{first} {second}");
    }

    #[test]
    fn entering_one_environment_after_another_leaves_nothing_behind(
        first in environments(3, 2), second in environments(3, 2),
    ) {
        let model = scenario(3).check().expect("valid");
        let mut moved = model.entered(&first).expect("fits");
        moved.enter(&second).expect("fits");
        prop_assert_eq!(&moved, &model.entered(&second).expect("fits"));
        moved.enter(model.environment()).expect("fits");
        prop_assert_eq!(moved, model);
    }

    #[test]
    fn exact_is_brute_force_and_nothing_is_cheaper_in_any_environment(
        environment in environments(2, 2), sizes in prop::collection::vec(0.1..50.0_f64, 8), seed in any::<u64>(),
    ) {
        let mut scenario = scenario(2);
        scenario.tasks.per_device = 4;
        let model = scenario.check().expect("valid").entered(&environment).expect("fits");
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
        let model = scenario.check().expect("valid").entered(&environment).expect("fits");
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

/// A link that is slower than the uplink lies behind it, a faster one beside it.
#[test]
fn links_of_their_own_follow_the_uplink_only_where_they_lie_behind_it() {
    let model = scenario(3).check().expect("valid");
    let time_of = |uplink: f64| -> Vec<f64> {
        let environment = Environment { uplinks_mbps: vec![uplink; 3], ..model.environment().clone() };
        let model = model.entered(&environment).expect("fits");
        // What a byte takes beyond computing it, as Mbit/s: 1000 instructions at 1000 MHz are a microsecond.
        (0..3).map(|device| 8.0 / ((model.rates(device)[2].time_s_per_byte - 1e-6) * 1e6)).collect()
    };
    for (uplink, expected) in [(10.0, [3.0, 10.0, 400.0]), (1.0, [1.0, 1.0, 400.0]), (50.0, [3.0, 10.0, 400.0])] {
        for (found, expected) in time_of(uplink).into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-9, "uplink {uplink}: {found} instead of {expected}");
        }
    }
    let cut = Environment { uplinks_mbps: vec![0.0; 3], ..model.environment().clone() };
    let cut = model.entered(&cut).expect("fits");
    assert_eq!([0, 1, 2].map(|device| cut.is_reachable(device, 1)), [false; 3]);
    assert_eq!([0, 1, 2].map(|device| cut.is_reachable(device, 2)), [false, false, true]);
}

#[test]
fn an_environment_that_makes_no_sense_is_refused_and_changes_nothing() {
    let mut model = scenario(3).check().expect("valid");
    let before = model.clone();
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
        let error = model.enter(&environment).expect_err("it makes no sense");
        assert!(matches!(error, EnvironmentError::Count { .. } | EnvironmentError::Value { .. }), "{error}");
        assert_eq!(model, before);
    }
}

fn mobile() -> Scenario {
    Scenario::load("mobile").expect("a preset")
}

fn draws(sampler: &EnvironmentSampler, part: Part, count: usize) -> Vec<Environment> {
    let mut random = random::stream(7, "draws");
    let mut environment = mobile().own_environment();
    let mut draw = || {
        sampler.draw(part, &mut random, &mut environment);
        environment.clone()
    };
    (0..count).map(|_| draw()).collect()
}

#[test]
fn draws_lie_in_their_ranges_with_the_moments_that_networks_scale_by() {
    let mut scenario = mobile();
    scenario.environment = Some(EnvironmentDistribution {
        uplink_mbps: Some(UplinkDistribution::LogUniform { min: 0.5, max: 32.0 }),
        capacity: Some(Range::LogUniform { min: 0.5, max: 2.0 }),
        alpha: Some(Range::Uniform { min: 0.2, max: 0.8 }),
    });
    let sampler = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    let all = draws(&sampler, Part::Training, 4000);
    assert!(all.iter().all(|one| (0.2..=0.8).contains(&one.alpha)));
    assert!(all.iter().flat_map(|one| &one.uplinks_mbps).all(|mbps| (0.5..=32.0).contains(mbps)));
    assert!(all.iter().flat_map(|one| &one.capacities).all(|share| (0.5..=2.0).contains(share)));
    let moments = sampler.moments();
    let uplink = moments.log_uplink.expect("it changes");
    assert!((uplink.mean - 4.0_f64.ln()).abs() < 0.02, "{uplink:?}");
    assert!((uplink.deviation - 64.0_f64.ln() / 12.0_f64.sqrt()).abs() < 0.02, "{uplink:?}");
    assert!(moments.log_capacity.expect("it changes").mean.abs() < 0.02, "{moments:?}");
    assert!((moments.alpha.expect("it changes").mean - 0.5).abs() < 0.01, "{moments:?}");
    // What never changes has none.
    scenario.environment.as_mut().expect("just set").alpha = None;
    let sampler = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    assert_eq!(sampler.moments().alpha, None);
    assert!(draws(&sampler, Part::Training, 9).iter().all(|one| one.alpha == scenario.alpha));
    scenario.environment = None;
    assert!(EnvironmentSampler::new(&scenario).expect("no file").is_none());
}

/// A recording of so many drives, each of three devices for ten minutes; rates tell drive, device and minute.
fn recording(drives: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for drive in 0..drives {
        let mut text = "t_s,device,mbps\n".to_owned();
        for device in 0..3 {
            for second in (0..600).step_by(10) {
                let rate = 100 * (drive + 1) + 20 * device + second / 60;
                let _ = writeln!(text, "{second},d{device},{rate}");
            }
        }
        std::fs::write(folder.path().join(format!("drive{drive}.csv")), text).expect("written");
    }
    folder
}

fn from_traces(folder: &tempfile::TempDir, held_out: f64) -> Scenario {
    let mut scenario = mobile();
    let path = folder.path().to_str().expect("a plain path").to_owned();
    let uplinks = UplinkDistribution::Traces { path, window_s: 60.0, held_out };
    let environment = scenario.environment.as_mut().expect("the preset has one");
    environment.uplink_mbps = Some(uplinks);
    scenario
}

fn uplinks(sampler: &EnvironmentSampler, part: Part) -> BTreeSet<Vec<u64>> {
    let whole = |one: Environment| one.uplinks_mbps.into_iter().map(|mbps| mbps as u64).collect();
    draws(sampler, part, 3000).into_iter().map(whole).collect()
}

#[test]
fn recorded_environments_are_windows_and_some_drives_are_held_out() {
    let folder = recording(5);
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.3)).expect("readable").expect("it changes");
    let [training, held_out] = [Part::Training, Part::HeldOut].map(|part| uplinks(&sampler, part));
    // Three of five drives, and two, of ten windows each.
    assert_eq!((training.len(), held_out.len()), (30, 20));
    let drives = |windows: &BTreeSet<Vec<u64>>| -> BTreeSet<u64> { windows.iter().map(|all| all[0] / 100).collect() };
    assert!(drives(&training).is_disjoint(&drives(&held_out)));
    for all in training.union(&held_out) {
        assert_eq!((all[1] - all[0], all[2] - all[0]), (20, 40), "devices of one window: {all:?}");
    }
    let again = EnvironmentSampler::new(&from_traces(&folder, 0.3)).expect("readable").expect("it changes");
    assert_eq!(uplinks(&again, Part::HeldOut), held_out);
}

#[test]
fn of_a_single_drive_the_end_is_held_out() {
    let folder = recording(1);
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.25)).expect("readable").expect("it changes");
    let minutes = |part| -> BTreeSet<u64> { uplinks(&sampler, part).iter().map(|all| all[0] - 100).collect() };
    assert_eq!(minutes(Part::Training), (0..7).collect());
    assert_eq!(minutes(Part::HeldOut), (7..10).collect());
}

/// Two devices of one drive stand for five: what is held out must come from no other device's past either.
#[test]
fn nothing_of_a_single_drive_is_on_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "t_s,device,mbps\n".to_owned();
    for minute in 0..20 {
        let _ = writeln!(text, "{0},a,{1}\n{0},b,{2}", 60 * minute, 100 + minute, 200 + minute);
    }
    std::fs::write(folder.path().join("one.csv"), text).expect("written");
    let mut scenario = from_traces(&folder, 0.3);
    scenario.devices.count = 5;
    let sampler = EnvironmentSampler::new(&scenario).expect("readable").expect("it changes");
    let rates = |part| -> BTreeSet<u64> { uplinks(&sampler, part).into_iter().flatten().collect() };
    let (training, held_out) = (rates(Part::Training), rates(Part::HeldOut));
    assert_eq!((training.len(), held_out.len()), (28, 12));
    assert!(training.is_disjoint(&held_out), "{held_out:?}");
}

#[test]
fn drives_without_a_window_are_passed_over() {
    let folder = recording(4);
    for name in ["apart0", "apart1", "apart2"] {
        std::fs::write(folder.path().join(format!("{name}.csv")), "t_s,device,mbps\n1,a,5\n70,b,6\n").expect("written");
    }
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.5)).expect("four drives").expect("it changes");
    assert_eq!([Part::Training, Part::HeldOut].map(|part| uplinks(&sampler, part).len()), [20, 20]);
}

#[test]
fn recordings_without_a_window_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two devices that were never recorded in the same minute.
    std::fs::write(folder.path().join("apart.csv"), "t_s,device,mbps\n1,a,5\n70,b,6\n").expect("written");
    let error = EnvironmentSampler::new(&from_traces(&folder, 0.1)).expect_err("no window");
    assert!(matches!(error, DataError::TooFewWindows { .. }), "{error}");
    let gone = from_traces(&folder, 0.1);
    drop(folder);
    let error = StandardSet::of(&gone, &gone.check().expect("valid")).expect_err("no folder");
    assert!(matches!(error, DataError::Trace(_)), "{error}");
}

#[test]
fn few_recorded_devices_stand_for_many_at_other_times() {
    let device = |name: &str, rates: &[f64]| Trace {
        device: name.to_owned(),
        samples: (0..)
            .map(|minute| 60.0 * f64::from(minute))
            .zip(rates)
            .map(|(t_s, &mbps)| Sample { t_s, mbps })
            .collect(),
        interval_s: None,
    };
    let drive = Drive {
        name: "one".to_owned(),
        environment: String::new(),
        devices: vec![device("a", &[1.0, 2.0, 3.0, 4.0]), device("b", &[10.0, 20.0, 30.0, 40.0])],
    };
    let rates = |devices: usize| -> Vec<Vec<f64>> {
        uplink_windows(&drive, devices, 60.0).into_iter().map(|window| window.mbps).collect()
    };
    assert_eq!(rates(1), [[1.0], [2.0], [3.0], [4.0]]);
    assert_eq!(rates(2)[3], [4.0, 40.0]);
    assert_eq!(
        rates(4),
        [[1.0, 10.0, 3.0, 30.0], [2.0, 20.0, 4.0, 40.0], [3.0, 30.0, 1.0, 10.0], [4.0, 40.0, 2.0, 20.0]]
    );
    let nothing = Drive { devices: Vec::new(), ..drive };
    assert!(uplink_windows(&nothing, 3, 60.0).is_empty());
}

#[test]
fn a_set_prices_each_workload_in_its_own_environment() {
    let scenario = mobile();
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let environments = set.environments().expect("it changes");
    assert_eq!(environments.len(), set.workloads().len());
    let optimal = set.optimal().expect("3 tasks a device");
    let mut all_cloud = Fixed::new(&model, Placement::from_index(2));
    let costs = set.costs_of(&mut all_cloud, &model).expect("always");
    for (index, workload) in set.workloads().iter().enumerate() {
        let there = model.entered(&environments[index]).expect("fits");
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-12;
        assert!(near(cost(&mut Exact::new(), &there, workload), optimal[index]));
        assert!(near(cost(&mut all_cloud, &there, workload), costs[index]));
    }
    let evaluation = evaluate(&mut all_cloud, &model, &set).expect("always");
    let q2 = [evaluation.q2, set.q2(&costs)].map(|q2| q2.expect("the optimum is known"));
    assert!((q2[0] - q2[1]).abs() < 1e-12, "{q2:?}");
    assert_eq!(set.q2_of(&mut Exact::new(), &model).expect("small"), Some(1.0));
    // The same workloads in the scenario's own environment have another optimum.
    let still = StandardSet::new(&model, set.workloads().to_vec());
    assert!(still.environments().is_none() && still.optimal() != set.optimal());
}

/// Q2 over environments that change, as `trainer compare --scenario mobile` shows it.
#[test]
fn the_mobile_preset_gives_known_figures() {
    let scenario = mobile();
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let known = [("local-only", 0.312), ("cloud-only", 0.615), ("greedy", 0.939), ("greedy-largest-first", 0.985)];
    for mut scheme in scheme::classic(&model, 1) {
        let Some((_, q2)) = known.iter().find(|(name, _)| *name == scheme.name()) else { continue };
        let found = set.q2_of(&mut *scheme, &model).expect("small").expect("the optimum is known");
        assert!((found - q2).abs() < 1e-3, "{}: {found}, known {q2}", scheme.name());
    }
}
