//! Servers that are down and devices that are offline: nothing chooses them, and everything else is as if they were not there.

use std::collections::BTreeMap;

use crate::common::{any_or_nothing_shared, any_scenarios};
use proptest::prelude::*;
use sim::scenario::{PerDevice, Sharing};
use sim::scheme::{self, BruteForce, Exact, LocalSearch, Scheme, SchemeKind};
use sim::{CostModel, Environment, Placement, Scenario, SchemeError, Workload, allocation, random};

/// Every way in which one server can be down.
const WAYS: [&str; 5] = ["frequency", "capacity", "link", "links", "shared link"];

/// The scenario's cost model with one server down.
fn with_server_down(scenario: &Scenario, server: usize, way: &str) -> CostModel {
    let mut scenario = scenario.clone();
    let mut environment = scenario.own_environment();
    match way {
        "frequency" => scenario.servers[server].frequency_mhz = 0.0,
        "capacity" => environment.capacities[server] = 0.0,
        "link" => scenario.servers[server].link_mbps = Some(PerDevice::One(0.0)),
        "links" => scenario.servers[server].link_mbps = Some(PerDevice::Each(vec![0.0; scenario.devices.count])),
        _ => {
            scenario.servers[server].link_mbps = Some(PerDevice::One(0.0));
            scenario.servers[server].link_sharing = Sharing::Shared;
        }
    }
    if matches!(way, "link" | "links") {
        scenario.servers[server].link_sharing = Sharing::Dedicated;
    }
    let scenario = Scenario::from_toml("again", &scenario.to_toml()).expect("it reads back");
    scenario.check().expect("valid").at(&environment).expect("fits")
}

fn workload(model: &CostModel, seed: u64) -> Workload {
    let mut random = random::stream(seed, "sizes");
    let sizes: Vec<f64> = (0..model.task_count()).map(|_| 1.0 + 30.0 * random::unit(&mut random)).collect();
    Workload::from_mb(model.tasks(), &sizes)
}

/// The cost of what a scheme decides, which must be possible.
fn possible_cost(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> f64 {
    let decision = scheme.decide(model, workload).expect("small enough").decision;
    for (task, place) in decision.places().iter().enumerate() {
        assert!(model.is_reachable(task / model.tasks(), *place), "{}: task {task} at {place}", scheme.name());
    }
    let outcome = model.evaluate(workload, &decision);
    assert!(outcome.cost.is_finite() && outcome.energy_j.is_finite() && outcome.time_s.is_finite(), "{outcome:?}");
    outcome.cost
}

fn costs(model: &CostModel, workload: &Workload) -> BTreeMap<String, f64> {
    let schemes = scheme::classic(model, 1).into_iter();
    schemes.map(|mut scheme| (scheme.name().to_owned(), possible_cost(&mut *scheme, model, workload))).collect()
}

#[test]
fn a_server_that_is_down_is_as_good_as_none() {
    for preset in Scenario::presets() {
        let scenario = Scenario::load(preset).expect("a preset");
        for server in 0..scenario.servers.len() {
            for way in WAYS {
                for alpha in [scenario.alpha, 0.0, 1.0] {
                    let mut scenario = scenario.clone();
                    scenario.alpha = alpha;
                    let model = with_server_down(&scenario, server, way);
                    assert!((0..model.devices()).all(|device| !model.is_reachable(device, server as u8 + 1)));
                    let workload = workload(&model, server as u64);
                    let found = costs(&model, &workload);
                    scenario.servers.remove(server);
                    if scenario.servers.is_empty() {
                        let local = model.cost(workload.sizes_bytes(), &vec![0; model.task_count()]);
                        assert!((found["exact"] / local - 1.0).abs() < 1e-12, "{preset}, {way}");
                        continue;
                    }
                    let expected = costs(&scenario.check().expect("valid"), &workload);
                    let names = |costs: &BTreeMap<String, f64>| costs.keys().cloned().collect::<Vec<_>>();
                    // Annealing is for shared places alone, which one that is down may have been.
                    let known: Vec<_> = names(&expected).into_iter().filter(|name| name != "annealing").collect();
                    let all: Vec<_> = names(&found).into_iter().filter(|name| name != "annealing").collect();
                    assert_eq!(all, known, "{preset}, {way}");
                    for name in known.iter().filter(|name| !["random", "genetic", "local-search"].contains(&&name[..]))
                    {
                        let (found, expected) = (found[name], expected[name]);
                        let is_same = (found - expected).abs() <= 1e-12 * expected;
                        assert!(is_same, "{preset}, {way} of {server}, α {alpha}, {name}: {found}, {expected}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_device_that_is_offline_keeps_its_tasks_and_others_do_not_mind() {
    for preset in ["paper", "paper-wan", "shared-edge", "shared-edges"] {
        let mut scenario = Scenario::load(preset).expect("a preset");
        scenario.devices.uplink_mbps = PerDevice::Each(vec![500.0, 0.0, 500.0]);
        let model = scenario.check().expect("valid");
        assert_eq!(model.reachable_places(1).collect::<Vec<_>>(), [0], "{preset}");
        assert_eq!(model.reachable_places(0).count(), model.places());
        let workload = workload(&model, 1);
        costs(&model, &workload);
        // Without the offline device the optimum is the same for the others.
        let mut others = Scenario::load(preset).expect("a preset");
        (others.devices.count, others.devices.uplink_mbps) = (2, PerDevice::One(500.0));
        let others = others.check().expect("valid");
        let sizes = workload.sizes_bytes();
        let rest = Workload::from_bytes(3, [&sizes[..3], &sizes[6..]].concat());
        let own = Workload::from_bytes(3, &sizes[3..6]);
        let mut one = Scenario::load(preset).expect("a preset");
        one.devices.count = 1;
        let one = one.check().expect("valid");
        let local = one.cost(own.sizes_bytes(), &[0; 3]);
        let expected = possible_cost(&mut Exact::new(), &others, &rest) + local;
        let found = possible_cost(&mut Exact::new(), &model, &workload);
        assert!((found / expected - 1.0).abs() < 1e-9, "{preset}: {found}, {expected}");
    }
}

#[test]
fn schemes_named_after_a_server_that_is_down_are_left_out_and_refused() {
    let scenario = Scenario::load("paper").expect("a preset");
    let model = with_server_down(&scenario, 1, "link");
    let names: Vec<String> = SchemeKind::classic(&model).iter().map(ToString::to_string).collect();
    assert!(names.contains(&"edge-only".to_owned()) && names.contains(&"local+edge".to_owned()), "{names:?}");
    for name in ["cloud-only", "local+cloud", "edge+cloud"] {
        assert!(!names.contains(&name.to_owned()), "{names:?}");
        for error in [
            scheme::by_name(name, &model, 1).err().expect("the cloud is down"),
            name.parse::<SchemeKind>().expect("a name").build(&model, 1).err().expect("the cloud is down"),
        ] {
            assert!(matches!(error, SchemeError::Down { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains("`cloud`, which no device can use") && text.contains("local+edge"), "{text}");
        }
    }
    let mut scenario = scenario;
    scenario.devices.uplink_mbps = PerDevice::Each(vec![500.0, 0.0, 500.0]);
    let model = scenario.check().expect("valid");
    let error = scheme::by_name("edge-only", &model, 1).err().expect("device 1 is offline").to_string();
    assert!(error.contains("which device 1 cannot use"), "{error}");
    assert!(scheme::by_name("local+edge", &model, 1).is_ok(), "the others can use it");
    // With a mix without the devices, a device that reaches no place of the mix keeps its tasks.
    let mut mix = Exact::among(&[Placement::from_index(1), Placement::from_index(2)]);
    let decision = mix.decide(&model, &workload(&model, 3)).expect("small").decision;
    assert!(decision.places()[3..6] == [0; 3] && !decision.places()[..3].contains(&0), "{decision:?}");
}

#[test]
fn a_server_behind_an_uplink_of_0_is_not_reached_by_a_link_of_its_own() {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.devices.uplink_mbps = PerDevice::One(0.0);
    let model = scenario.check().expect("valid");
    let workload = workload(&model, 5);
    let decision = Exact::new().decide(&model, &workload).expect("small").decision;
    assert!(decision.places().iter().all(|place| *place == 0), "{decision:?}");
    assert_eq!(scheme::classic(&model, 1).len(), 7, "none that is named after a server");
}

/// A link of 0 between all uplinks and all servers leaves every task at its device.
#[test]
fn where_the_shared_uplink_carries_nothing_everything_stays_local() {
    for preset in ["paper", "shared-edge"] {
        let mut scenario = Scenario::load(preset).expect("a preset");
        scenario.devices.shared_uplink_mbps = Some(0.0);
        let model = scenario.check().expect("valid");
        let workload = workload(&model, 1);
        let local = model.evaluate(&workload, &sim::Decision::uniform(3, 3, Placement::Local)).cost;
        for (name, cost) in costs(&model, &workload) {
            assert!((cost - local).abs() <= 1e-9 * local, "{name}: {cost} and {local}");
        }
        allocation::allocate(&model, &workload, &sim::Decision::uniform(3, 3, Placement::Local), 10.0).expect("valid");
    }
}

#[test]
fn bandwidth_goes_to_devices_that_are_online() {
    let mut scenario = Scenario::load("shared-edges").expect("a preset");
    scenario.devices.uplink_mbps = PerDevice::Each(vec![50.0, 0.0, 70.0]);
    let model = scenario.check().expect("valid");
    let workload = workload(&model, 6);
    for total_mbps in [3.0, 1e6] {
        let mut scheme = LocalSearch::new();
        let joint = allocation::alternate(&mut scheme, &model, &workload, total_mbps).expect("it decides");
        assert_eq!(joint.environment.uplinks_mbps[1], 0.0, "{joint:?}");
        assert!((joint.environment.uplinks_mbps.iter().sum::<f64>() / total_mbps - 1.0).abs() < 1e-12, "{joint:?}");
        assert_eq!(joint.decision.places()[3..6], [0; 3]);
        assert!(joint.outcome.cost.is_finite());
    }
    // Without anybody online there is nobody to give it to.
    let nobody = Environment { uplinks_mbps: vec![0.0; 3], ..model.environment().clone() };
    let model = model.at(&nobody).expect("fits");
    let joint = allocation::alternate(&mut LocalSearch::new(), &model, &workload, 30.0).expect("it decides");
    assert_eq!(joint.environment.uplinks_mbps, [0.0; 3]);
    assert!(joint.decision.places().iter().all(|place| *place == 0) && joint.outcome.cost.is_finite(), "{joint:?}");
    // Servers that are down are not waited for.
    let dark = Environment { capacities: vec![0.0; 4], ..model.environment().clone() };
    let model = scenario.check().expect("valid").at(&dark).expect("fits");
    let joint = allocation::alternate(&mut LocalSearch::new(), &model, &workload, 30.0).expect("it decides");
    assert!(joint.decision.places().iter().all(|place| *place == 0) && joint.outcome.cost.is_finite(), "{joint:?}");
    let edge = sim::Decision::uniform(3, 3, Placement::from_index(1));
    let allocated = allocation::allocate(&model, &workload, &edge, 30.0).expect("a decision that does not choose");
    assert!(allocated.outcome.cost.is_finite() && allocated.uplinks_mbps[1] == 0.0, "{allocated:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Places are cut off at random, and sizes differ a billionfold, so that no finite price could keep tasks away.
    #[test]
    fn nothing_that_chooses_takes_a_place_that_cannot_be_used(
        (scenario, _, _) in any_scenarios(1..4, 1..4, 1..4, any_or_nothing_shared()),
        (down, offline, alpha) in (any::<u8>(), any::<u8>(), prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64]),
        exponents in prop::collection::vec(-6.0..3.0_f64, 9), seed in any::<u64>(),
    ) {
        let model = scenario.check().expect("valid");
        let mut environment = Environment { alpha, ..model.environment().clone() };
        let cut = |set: u8, index: usize| set >> index & 1 == 1;
        environment.capacities.iter_mut().enumerate().for_each(|(index, share)| if cut(down, index) { *share = 0.0 });
        environment.uplinks_mbps.iter_mut().enumerate().for_each(|(index, mbps)| if cut(offline, index) { *mbps = 0.0 });
        let model = model.at(&environment).expect("fits");
        let sizes: Vec<f64> = exponents[..model.task_count()].iter().map(|exponent| 10_f64.powf(*exponent)).collect();
        let workload = Workload::from_mb(model.tasks(), &sizes);
        let optimum = possible_cost(&mut Exact::new(), &model, &workload);
        if model.task_count() <= 6 {
            let oracle = possible_cost(&mut BruteForce, &model, &workload);
            prop_assert!((optimum - oracle).abs() <= 1e-12 * oracle, "{optimum}, {oracle}");
        }
        let named = ["random", "greedy", "greedy-largest-first", "local-search", "local-search@6", "annealing", "genetic"];
        for name in named {
            let cost = possible_cost(&mut *scheme::by_name(name, &model, seed).expect("there is one"), &model, &workload);
            prop_assert!(cost >= optimum * (1.0 - 1e-12), "{name}: {cost}, {optimum}");
        }
        // A search from a decision that cannot be ends with one that can.
        let mut places = vec![model.places() as u8 - 1; model.task_count()];
        LocalSearch::new().improve(&model, workload.sizes_bytes(), &mut places);
        prop_assert!(places.iter().enumerate().all(|(task, place)| model.is_reachable(task / model.tasks(), *place)));
    }
}
