//! Servers and links that devices share: costs against sums written out by hand, and against each other.

use crate::common::{any_or_nothing_shared, any_scenarios, any_sharing};
use proptest::prelude::*;
use sim::scenario::{PerDevice, Sharing};
use sim::scheme::{self, BruteForce, Exact, Greedy, LocalSearch, Order, Scheme};
use sim::{CostModel, Decision, IncrementalCost, Scenario, SchemeError, Workload, random};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn any_places(model: &CostModel, seed: u64) -> Vec<u8> {
    let mut random = random::stream(seed, "places");
    (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect()
}

/// Two devices with two tasks each, in round numbers.
fn two_by_two() -> Scenario {
    let mut scenario = Scenario::load("shared-edge").expect("a preset");
    scenario.devices.count = 2;
    scenario.tasks.per_device = 2;
    scenario.devices.uplink_mbps = PerDevice::Each(vec![8.0, 80.0]); // 1 and 10 MB/s
    scenario.servers[0].frequency_mhz = 1000.0; // 1 MB/s
    scenario
}

#[test]
fn each_device_waits_for_the_load_of_all_where_it_has_a_task() {
    let model = two_by_two().check().expect("valid");
    assert!(!model.is_separable());
    let workload = Workload::from_mb(2, &[1.0, 2.0, 4.0, 8.0]);
    // The edge holds 1 + 4 = 5 MB. Device 0 sends 1 MB in 1 s and computes 2 MB itself at 10 s/MB; device 1 sends 4 MB in
    // 0.4 s, and 8 MB to the cloud at 6 Mbit/s, which computes 1 MB/s.
    let decision = Decision::from_places(2, vec![1, 0, 1, 2]);
    let times = model.place_times(&workload, &decision);
    let expected = [20.0, 1.0 + 5.0, 0.0, 0.0, 0.4 + 5.0, 8.0 * 8.0 / 6.0 + 8.0];
    assert!(times.iter().zip(expected).all(|(time, expected)| (time - expected).abs() < 1e-9), "{times:?}");
    let outcome = model.evaluate(&workload, &decision);
    assert!(close(outcome.time_s, 20.0 + 8.0 * 8.0 / 6.0 + 8.0), "{outcome:?}");
    // Energy is nobody else's: 1000 instructions a byte, sending 0.1 nJ/B.
    let joules = 3.0 * 2.0 + 1.5 * 5.0 + 1.0 * 8.0 + 0.1e-3 * 13.0;
    assert!(close(outcome.energy_j, joules), "{outcome:?}, not {joules}");
}

#[test]
fn a_shared_link_is_split_as_what_is_sent() {
    let mut scenario = two_by_two();
    scenario.servers[1].link_mbps = Some(PerDevice::One(4.0)); // 0.5 MB/s together
    scenario.servers[1].link_sharing = Sharing::Shared;
    let model = scenario.check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0, 2.0, 4.0, 8.0]);
    let times = model.place_times(&workload, &Decision::from_places(2, vec![2, 0, 2, 0]));
    // 5 MB take 10 s, more than either's uplink; then each computes its own.
    assert!(close(times[2], 10.0 + 1.0) && close(times[5], 10.0 + 4.0), "{times:?}");
    // A slow uplink in front of it counts instead.
    scenario.devices.uplink_mbps = PerDevice::Each(vec![0.5, 80.0]);
    let times = scenario.check().expect("valid").place_times(&workload, &Decision::from_places(2, vec![2, 0, 2, 0]));
    assert!(close(times[2], 16.0 + 1.0) && close(times[5], 10.0 + 4.0), "{times:?}");
}

#[test]
fn a_shared_uplink_carries_what_goes_to_any_server() {
    let mut scenario = two_by_two();
    scenario.devices.shared_uplink_mbps = Some(8.0); // 1 MB/s together
    let model = scenario.check().expect("valid");
    let workload = Workload::from_mb(2, &[1.0, 2.0, 4.0, 8.0]);
    let times = model.place_times(&workload, &Decision::from_places(2, vec![1, 0, 2, 1]));
    // 13 MB pass it; the edge computes 9 MB, the cloud 4 MB.
    assert!(close(times[1], 13.0 + 9.0) && close(times[4], 13.0 + 9.0) && close(times[5], 13.0 + 4.0), "{times:?}");
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let refused = |change: &dyn Fn(&mut Scenario), key: &str| {
        let mut scenario = two_by_two();
        change(&mut scenario);
        let problems = scenario.check().expect_err("must be refused").list;
        assert!(problems.len() == 1 && problems[0].key == key, "{problems:?}");
    };
    refused(&|scenario| scenario.servers[0].link_sharing = Sharing::Shared, "servers[0].link_sharing");
    let each = |scenario: &mut Scenario| {
        scenario.servers[1].link_mbps = Some(PerDevice::Each(vec![1.0, 2.0]));
        scenario.servers[1].link_sharing = Sharing::Shared;
    };
    refused(&each, "servers[1].link_sharing");
    refused(&|scenario| scenario.devices.shared_uplink_mbps = Some(-1.0), "devices.shared_uplink_mbps");
    let many = |scenario: &mut Scenario| {
        (scenario.devices.count, scenario.devices.uplink_mbps) = (3000, PerDevice::One(8.0));
    };
    refused(&many, "devices.count");
    let past = |scenario: &mut Scenario| {
        scenario.devices.shared_uplink_mbps = Some(10.0);
        scenario.servers[1].link_mbps = Some(PerDevice::One(50.0));
    };
    refused(&past, "servers[1].link_mbps");
}

proptest! {
    #[test]
    fn one_device_shares_with_nobody((mut scenario, _, workload) in any_scenarios(1..2, 1..6, 1..4, any_sharing()), seed in any::<u64>()) {
        // One device's share of a link is all of it, behind its uplink as a dedicated one would be. An uplink alone keeps
        // what goes to one server waiting for what goes to another even then.
        scenario.devices.shared_uplink_mbps = None;
        let model = scenario.check().expect("valid");
        let mut dedicated = scenario.clone();
        let uplink = dedicated.devices.uplink_mbps.at(0);
        for server in &mut dedicated.servers {
            if server.link_sharing == Sharing::Shared {
                let Some(PerDevice::One(mbps)) = server.link_mbps else { panic!("one for all") };
                server.link_mbps = Some(PerDevice::One(mbps.min(uplink)));
            }
            (server.link_sharing, server.sharing) = (Sharing::Dedicated, Sharing::Dedicated);
        }
        let places = any_places(&model, seed);
        let dedicated = dedicated.check().expect("valid");
        let (shared, alone) = (model.cost(workload.sizes_bytes(), &places), dedicated.cost(workload.sizes_bytes(), &places));
        prop_assert!(close(shared, alone), "{shared} and {alone}");
        for (shared, alone) in model.rates(0).iter().zip(dedicated.rates(0)) {
            prop_assert!(close(shared.time_s_per_byte, alone.time_s_per_byte));
        }
    }

    #[test]
    fn sharing_costs_no_less((scenario, model, workload) in any_scenarios(1..5, 1..5, 1..4, any_sharing()), seed in any::<u64>()) {
        let mut dedicated = scenario.clone();
        dedicated.servers.iter_mut().for_each(|server| server.sharing = Sharing::Dedicated);
        let places = any_places(&model, seed);
        let alone = dedicated.check().expect("valid").cost(workload.sizes_bytes(), &places);
        prop_assert!(model.cost(workload.sizes_bytes(), &places) >= alone * (1.0 - 1e-12));
    }

    #[test]
    fn a_decision_costs_the_same_however_it_is_priced(
        (_, model, _) in any_scenarios(1..6, 1..5, 1..10, any_sharing()), columns in 1..40_usize, seed in any::<u64>(),
    ) {
        let mut random = random::stream(seed, "sizes");
        let tasks = model.task_count();
        let sizes: Vec<f64> = (0..tasks * columns).map(|_| 1e6 * random::unit(&mut random)).collect();
        let places: Vec<u8> = (0..tasks * columns).map(|_| random::below(&mut random, model.places()) as u8).collect();
        let mut costs = vec![0.0; columns];
        model.batch_costs(&sizes, &places, &mut costs);
        for (column, cost) in costs.into_iter().enumerate() {
            let sizes: Vec<f64> = (0..tasks).map(|task| sizes[task * columns + column]).collect();
            let places: Vec<u8> = (0..tasks).map(|task| places[task * columns + column]).collect();
            let alone = model.cost(&sizes, &places);
            prop_assert_eq!(cost, alone);
            let workload = Workload::from_bytes(model.tasks(), sizes);
            let outcome = model.evaluate(&workload, &Decision::from_places(model.tasks(), places.clone()));
            prop_assert!(close(outcome.cost, alone));
            let times = model.place_times(&workload, &Decision::from_places(model.tasks(), places));
            let longest = times.chunks_exact(model.places()).map(|times| times.iter().copied().fold(0.0, f64::max));
            prop_assert!(close(longest.sum(), outcome.time_s));
        }
    }

    /// Every way to ask for a cost, after every way to change a decision, against the full cost.
    #[test]
    fn incremental_costs_are_full_costs(
        (_, model, workload) in prop_oneof![
            4 => any_scenarios(1..20, 1..5, 1..5, any_or_nothing_shared()),
            1 => any_scenarios(1..6, 1..4, 5..20, any_or_nothing_shared()),
        ],
        changes in prop::collection::vec(any::<(u16, u16, u8, bool)>(), 1..30), seed in any::<u64>(),
        is_cut_off in any::<bool>(), empty in prop::collection::vec(prop::bool::weighted(0.2), 100),
    ) {
        let mut environment = model.environment().clone();
        if is_cut_off {
            environment.uplinks_mbps[0] = 0.0;
        }
        let model = model.at(&environment).expect("its own but for a device without a network");
        let mut sizes = workload.sizes_bytes().to_vec();
        sizes.iter_mut().zip(empty).filter(|(_, is_empty)| *is_empty).for_each(|(size, _)| *size = 0.0);
        let sizes = &sizes[..];
        // Places out of reach cost a million times as much; sums keep rounding errors of such costs when tasks have
        // left.
        let rounding = if is_cut_off { 1e-6 } else { 1e-9 };
        let close = |one: f64, other: f64| (one - other).abs() <= rounding * one.abs().max(other.abs());
        let (tasks, count) = (model.task_count(), model.places());
        let mut places = any_places(&model, seed);
        let mut incremental = IncrementalCost::new(&model);
        incremental.start(sizes);
        prop_assert_eq!(incremental.cost(), 0.0);
        for (task, place) in places.iter().enumerate() {
            let mut costs = vec![0.0; count];
            incremental.move_costs(task, &mut costs);
            incremental.place(task, *place);
            prop_assert!(close(incremental.cost(), costs[usize::from(*place)]), "{} and {costs:?}", incremental.cost());
        }
        let mut costs = vec![0.0; count];
        for (task, other, place, is_swap) in changes {
            let (task, other) = (usize::from(task) % tasks, usize::from(other) % tasks);
            let place = place % count as u8;
            let full = |places: &[u8]| model.cost(sizes, places);
            prop_assert!(close(incremental.cost(), full(&places)), "{} and {}", incremental.cost(), full(&places));
            incremental.move_costs(task, &mut costs);
            for (to, cost) in (0_u8..).zip(&costs) {
                let mut moved = places.clone();
                moved[task] = to;
                prop_assert!(close(*cost, full(&moved)), "{task} to {to}: {cost}, not {}", full(&moved));
                prop_assert!(close(incremental.move_cost(task, to), *cost));
            }
            let mut swapped = places.clone();
            swapped.swap(task, other);
            let expected = full(&swapped);
            let cost = incremental.swap_cost(task, other, f64::INFINITY).expect("below infinity");
            prop_assert!(close(cost, expected), "{task} with {other}: {cost}, not {expected}");
            match incremental.swap_cost(task, other, incremental.cost()) {
                Some(cost) => prop_assert!(close(cost, expected)),
                None => prop_assert!(expected >= incremental.cost() * (1.0 - rounding), "{expected} is below {}", incremental.cost()),
            }
            let others: Vec<usize> = (0..sizes.len()).rev().filter(|other| *other != task).collect();
            let most = seed % (sizes.len() as u64 + 1);
            let below = incremental.cost() * (1.0 - 1e-12);
            let first = incremental.first_swap(task, &others, below, most);
            let mut asked = 0;
            for (index, &other) in others.iter().enumerate().filter(|(_, other)| places[**other] != places[task]) {
                if asked == most || first.found.is_some_and(|(found, _)| found < index) {
                    break;
                }
                asked += 1;
                let mut swapped = places.clone();
                swapped.swap(task, other);
                match first.found {
                    Some((found, cost)) if found == index => {
                        prop_assert!(close(cost, full(&swapped)) && cost < below, "{cost}, not {}", full(&swapped));
                    }
                    _ => prop_assert!(full(&swapped) >= below * (1.0 - rounding), "{other} was passed over"),
                }
            }
            prop_assert_eq!(first.evaluations, asked);
            if is_swap {
                incremental.swap(task, other);
                places = swapped;
            } else {
                incremental.place(task, place);
                places[task] = place;
            }
            prop_assert_eq!(incremental.places(), &places[..]);
            let loads: f64 = incremental.loads_bytes().iter().sum();
            prop_assert!(close(loads, sizes.iter().sum()));
        }
        let mut again = IncrementalCost::new(&model);
        again.set(sizes, &places);
        prop_assert!(close(again.cost(), incremental.cost()));
    }

    #[test]
    fn exact_equals_brute_force(
        (_, model, workload) in prop_oneof![
            any_scenarios(1..4, 1..4, 1..4, any_sharing()),
            any_scenarios(2..4, 1..3, 4..7, any_sharing()),
        ],
    ) {
        prop_assume!((model.places() as u64).pow(model.task_count() as u32) <= 120_000);
        let exact = Exact::new().decide(&model, &workload).expect("small enough");
        let oracle = BruteForce.decide(&model, &workload).expect("small enough");
        let [exact, oracle] = [exact, oracle].map(|solution| model.evaluate(&workload, &solution.decision).cost);
        prop_assert!((exact - oracle).abs() <= 1e-11 * oracle, "exact {exact}, brute force {oracle}");
    }

    /// Also where the search gives up, or takes tasks as divisible.
    #[test]
    fn no_decision_undercuts_the_lower_bound(
        (_, model, workload) in prop_oneof![
            any_scenarios(1..8, 1..4, 1..4, any_sharing()),
            any_scenarios(1..5, 7..9, 2..5, any_sharing()),
            any_scenarios(2..4, 1..3, 5..8, any_sharing()),
        ],
        seed in any::<u64>(),
    ) {
        let bounds = Exact::new().bounds(&model, &workload).expect("something is shared, or it is small");
        prop_assert!(close(bounds.cost, model.cost(workload.sizes_bytes(), bounds.decision.places())));
        prop_assert!(bounds.lower <= bounds.cost && (!bounds.is_optimal || close(bounds.lower, bounds.cost)));
        for mut scheme in scheme::classic(&model, seed) {
            match scheme.decide(&model, &workload) {
                Ok(solution) => {
                    let cost = model.cost(workload.sizes_bytes(), solution.decision.places());
                    prop_assert!(cost >= bounds.lower * (1.0 - 1e-9), "{} {cost} below {}", scheme.name(), bounds.lower);
                }
                Err(SchemeError::NotProved { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn local_search_leaves_nothing_to_gain((_, model, workload) in any_scenarios(1..6, 1..5, 1..4, any_sharing())) {
        prop_assume!(!model.is_separable());
        let sizes = workload.sizes_bytes();
        let [local, greedy] = [&mut LocalSearch::new() as &mut dyn Scheme, &mut Greedy::new(Order::LargestFirst)]
            .map(|scheme| scheme.decide(&model, &workload).expect("always").decision);
        let cost = model.cost(sizes, local.places());
        prop_assert!(cost <= model.cost(sizes, greedy.places()) * (1.0 + 1e-12));
        let no_gain = |places: &[u8]| model.cost(sizes, places) >= cost * (1.0 - 1e-9);
        let mut places = local.places().to_vec();
        for task in 0..places.len() {
            for place in 0..model.places() as u8 {
                let before = std::mem::replace(&mut places[task], place);
                prop_assert!(no_gain(&places), "moving {task} to {place} gains");
                places[task] = before;
            }
            for other in 0..task {
                places.swap(task, other);
                prop_assert!(no_gain(&places), "swapping {task} and {other} gains");
                places.swap(task, other);
            }
        }
    }
}

/// Optimal costs of the first workloads of the presets, to see when they change. To regenerate them, print the costs
/// found.
#[test]
fn the_optimum_where_servers_are_shared_is_what_it_was() {
    let costs = |name: &str| -> Vec<String> {
        let scenario = Scenario::load(name).expect("a preset");
        let model = scenario.check().expect("valid");
        let set = data::StandardSet::of(&scenario, &model).expect("no files");
        set.optimal().expect("small enough")[..3].iter().map(|cost| format!("{cost:.6}")).collect()
    };
    assert_eq!(costs("shared-edge"), ["286.176246", "258.820500", "279.629307"]);
    assert_eq!(costs("shared-edges"), ["241.187214", "217.339179", "241.463855"]);
}
