//! Latencies, deadlines, instructions per byte of single tasks, and absent tasks.

use proptest::prelude::*;
use sim::scenario::{DeadlineRule, PerDevice, Scenario, Sharing};
use sim::scheme::{self, BruteForce, Exact, Greedy, Order, Scheme, Solution};
use sim::units::{BYTES_PER_MB, bytes_per_second_from_mbps, hertz_from_mhz, joules_from_nj};
use sim::{CostModel, Decision, Demands, IncrementalCost, Workload, allocation};

use crate::common::{any_or_nothing_shared, any_scenarios};

/// A scenario with details, and everything that it was made from.
#[derive(Debug, Clone)]
struct Detailed {
    scenario: Scenario,
    model: CostModel,
    workload: Workload,
    instructions: Vec<f64>,
    deadlines_s: Vec<f64>,
}

fn any_rule() -> impl Strategy<Value = DeadlineRule> {
    prop_oneof![Just(DeadlineRule::Report), (0.0..200.0_f64).prop_map(DeadlineRule::Penalty), Just(DeadlineRule::Hard)]
}

/// Scenarios of any sharing in which latencies, instructions per byte and deadlines differ; some tasks are absent.
fn details(
    devices: std::ops::Range<usize>,
    tasks: std::ops::Range<usize>,
    servers: std::ops::Range<usize>,
) -> impl Strategy<Value = Detailed> {
    let numbers = (prop::collection::vec(0.0..1.0_f64, 40), any_rule(), any::<[bool; 4]>());
    let all = (any_scenarios(devices, tasks, servers, any_or_nothing_shared()), numbers);
    all.prop_map(|((mut scenario, plain, workload), (draws, rule, has))| {
        let [has_latency, has_instructions, has_deadlines, has_absent] = has;
        let count = plain.task_count();
        let mut next = draws.into_iter().cycle();
        let mut next = || next.next().expect("endless");
        if has_latency {
            for server in &mut scenario.servers {
                server.latency_ms = 1e4 * (next() - 0.3).max(0.0);
            }
        }
        let mut sizes = workload.sizes_bytes().to_vec();
        if has_absent {
            for size in &mut sizes {
                *size = if next() < 0.3 { 0.0 } else { *size };
            }
        }
        let uneven: Vec<f64> = (0..count).map(|_| 200.0 + 3000.0 * next()).collect();
        let instructions = if has_instructions { uneven } else { vec![scenario.instructions_per_byte.at(0); count] };
        let deadlines_s: Vec<f64> = (0..count)
            .map(|_| if has_deadlines && next() < 0.8 { 400.0 * next().powi(2) + 1.0 } else { f64::INFINITY })
            .collect();
        let demands = Demands {
            instructions_per_byte: has_instructions.then(|| instructions.clone()),
            deadlines_s: has_deadlines.then(|| deadlines_s.clone()),
            deadline_rule: Some(rule),
        };
        let model = scenario.check().expect("valid").with_demands(&demands).expect("valid");
        let workload = Workload::from_bytes(workload.tasks(), sizes);
        Detailed { scenario, model, workload, instructions, deadlines_s }
    })
}

fn decision(model: &CostModel, seeds: &[u8]) -> Decision {
    let places: Vec<u8> =
        (0..model.task_count()).map(|task| seeds[task % seeds.len()] % model.places() as u8).collect();
    Decision::from_places(model.tasks(), places)
}

/// Energy, time and missed deadlines, task by task from the numbers of the scenario.
fn by_hand(detailed: &Detailed, decision: &Decision) -> (f64, f64, usize) {
    let Detailed { scenario, workload, instructions, deadlines_s, .. } = detailed;
    let (tasks, sizes, places) = (workload.tasks(), workload.sizes_bytes(), decision.places());
    let at = |place: usize| (0..sizes.len()).filter(move |task| usize::from(places[*task]) == place);
    let s_per_byte = |mbps: f64| 1.0 / bytes_per_second_from_mbps(mbps);
    let (mut energy_j, mut time_s, mut missed) = (0.0, 0.0, 0);
    let sent: f64 = (1..=scenario.servers.len()).flat_map(at).map(|task| sizes[task]).sum();
    for device in 0..workload.devices() {
        let mut longest_s = 0.0_f64;
        for place in 0..=scenario.servers.len() {
            let own: Vec<usize> = at(place).filter(|task| task / tasks == device && sizes[*task] > 0.0).collect();
            let bytes: f64 = own.iter().map(|task| sizes[*task]).sum();
            let work = |tasks: &[usize]| tasks.iter().map(|task| sizes[*task] * instructions[*task]).sum::<f64>();
            let done_s = if place == 0 {
                let devices = &scenario.devices;
                energy_j += work(&own) * joules_from_nj(devices.energy_per_instruction_nj.at(device));
                work(&own) / hertz_from_mhz(devices.frequency_mhz.at(device))
            } else {
                let server = &scenario.servers[place - 1];
                energy_j += work(&own) * joules_from_nj(server.energy_per_instruction_nj)
                    + bytes * joules_from_nj(scenario.transmit_energy_nj_per_byte.at(device));
                let everyone: Vec<usize> = at(place).collect();
                let load: f64 = everyone.iter().map(|task| sizes[*task]).sum();
                let has_shared_link = server.link_sharing == Sharing::Shared;
                let uplink_mbps = scenario.devices.uplink_mbps.at(device);
                let link_mbps = server.link_mbps.as_ref().map(|link| link.at(device));
                let own_mbps = if has_shared_link { uplink_mbps } else { link_mbps.unwrap_or(uplink_mbps) };
                let mut sent_s = bytes * s_per_byte(own_mbps);
                if has_shared_link {
                    sent_s = sent_s.max(load * s_per_byte(link_mbps.expect("a shared link has a rate")));
                }
                if let Some(mbps) = scenario.devices.shared_uplink_mbps {
                    sent_s = sent_s.max(sent * s_per_byte(mbps));
                }
                let computed = if server.sharing == Sharing::Shared { work(&everyone) } else { work(&own) };
                let latency_s = own.len() as f64 * server.latency_ms / 1000.0;
                sent_s + computed / hertz_from_mhz(server.frequency_mhz) + latency_s
            };
            if !own.is_empty() {
                longest_s = longest_s.max(done_s);
                missed += own.iter().filter(|task| done_s > deadlines_s[**task] * (1.0 + 1e-12)).count();
            }
        }
        time_s += longest_s;
    }
    (energy_j, time_s, missed)
}

fn is_close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_cost_is_what_the_formulas_say(detailed in details(1..5, 1..5, 1..4), seeds in prop::collection::vec(any::<u8>(), 1..9)) {
        let Detailed { model, workload, .. } = &detailed;
        let decision = decision(model, &seeds);
        let (energy_j, time_s, missed) = by_hand(&detailed, &decision);
        let outcome = model.evaluate(workload, &decision);
        prop_assert!(is_close(outcome.energy_j, energy_j), "{} and {energy_j} J", outcome.energy_j);
        prop_assert!(is_close(outcome.time_s, time_s), "{} and {time_s} s", outcome.time_s);
        prop_assert_eq!(outcome.missed_deadlines, missed);
        let penalties = model.deadline_rule().penalty().unwrap_or(0.0) * missed as f64;
        let cost = model.alpha() * energy_j + (1.0 - model.alpha()) * time_s + penalties;
        prop_assert!(is_close(outcome.cost, cost), "{} and {cost}", outcome.cost);
        prop_assert!(missed <= model.tasks_with_deadline(workload.sizes_bytes()));
    }

    #[test]
    fn every_way_to_the_cost_gives_the_same(detailed in details(1..5, 1..5, 1..4), seeds in prop::collection::vec(any::<u8>(), 9), moves in prop::collection::vec(any::<(u8, u8, u8)>(), 12)) {
        let Detailed { model, workload, .. } = &detailed;
        let sizes = workload.sizes_bytes();
        let mut places = decision(model, &seeds).places().to_vec();
        let cost = model.cost(sizes, &places);
        let mut one = [0.0];
        model.batch_costs(sizes, &places, &mut one);
        prop_assert!(is_close(one[0], cost), "{} and {cost}", one[0]);
        let mut incremental = IncrementalCost::new(model);
        incremental.set(sizes, &places);
        prop_assert!(is_close(incremental.cost(), cost));
        let (tasks, count) = (model.task_count(), model.places() as u8);
        let mut costs = vec![0.0; model.places()];
        for (task, other, place) in moves {
            let (task, other, place) = (usize::from(task) % tasks, usize::from(other) % tasks, place % count);
            incremental.move_costs(task, &mut costs);
            let swapped = incremental.swap_cost(task, other, f64::INFINITY);
            let mut trial = places.clone();
            trial.swap(task, other);
            prop_assert!(is_close(swapped.expect("no limit"), model.cost(sizes, &trial)));
            let first = incremental.first_swap(task, &[other], f64::INFINITY, 1);
            prop_assert_eq!(first.found.is_some(), places[task] != places[other]);
            places[task] = place;
            prop_assert!(is_close(costs[usize::from(place)], model.cost(sizes, &places)));
            incremental.place(task, place);
            prop_assert!(is_close(incremental.cost(), model.cost(sizes, &places)));
        }
        if model.is_separable() && model.deadline_rule() != DeadlineRule::Hard {
            let rows = sizes.chunks(model.tasks()).zip(places.chunks(model.tasks())).enumerate();
            let sum: f64 = rows.map(|(device, (sizes, places))| model.device_cost(device, sizes, places)).sum();
            prop_assert!(is_close(sum, model.cost(sizes, &places)));
        }
    }

    /// A penalty of 0 takes the way of details, and must not change anything.
    #[test]
    fn details_that_are_none_change_nothing((_, model, workload) in any_scenarios(1..5, 1..5, 1..4, any_or_nothing_shared()), seeds in prop::collection::vec(any::<u8>(), 1..9)) {
        let demands = Demands {
            deadlines_s: Some(vec![1e9; model.task_count()]),
            deadline_rule: Some(DeadlineRule::Penalty(0.0)),
            ..Demands::default()
        };
        let detailed = model.with_demands(&demands).expect("valid");
        prop_assert!(detailed.is_detailed() && !model.is_detailed());
        let decision = decision(&model, &seeds);
        let [plain, in_detail] = [&model, &detailed].map(|model| model.evaluate(&workload, &decision));
        prop_assert!(is_close(plain.energy_j, in_detail.energy_j) && is_close(plain.time_s, in_detail.time_s));
        prop_assert!(is_close(plain.cost, in_detail.cost));
        let reported = Demands { deadline_rule: Some(DeadlineRule::Report), ..demands };
        let reported = model.with_demands(&reported).expect("valid");
        prop_assert!(!reported.is_detailed());
        prop_assert_eq!(reported.evaluate(&workload, &decision), plain);
    }

    #[test]
    fn no_uplinks_are_better_than_those_that_are_shared_out(detailed in details(1..5, 1..4, 1..3), seeds in prop::collection::vec(any::<u8>(), 1..9)) {
        let Detailed { model, workload, .. } = &detailed;
        let decision = decision(model, &seeds);
        let total_mbps: f64 = model.environment().uplinks_mbps.iter().sum();
        let shared_out = allocation::allocate(model, workload, &decision, total_mbps).expect("enough for all");
        let before = model.evaluate(workload, &decision);
        // Links beside the uplink keep their rates in both.
        prop_assert!(shared_out.outcome.time_s <= before.time_s * (1.0 + 1e-9), "{} and {} s", shared_out.outcome.time_s, before.time_s);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_exact_optimum_is_that_of_brute_force(detailed in details(1..4, 1..4, 1..3)) {
        let Detailed { model, workload, .. } = &detailed;
        prop_assume!(model.places().pow(model.task_count() as u32) <= 20_000);
        let optimum = BruteForce.decide(model, workload).expect("small");
        let exact = Exact::new().decide(model, workload).expect("small");
        let [optimum, exact] = [optimum, exact].map(|solution| model.evaluate(workload, &solution.decision));
        prop_assert_eq!(optimum.missed_deadlines == exact.missed_deadlines || model.deadline_rule() != DeadlineRule::Hard, true);
        prop_assert!(is_close(optimum.cost, exact.cost), "{optimum:?} and {exact:?}");
        prop_assert!(!model.is_better(&exact, &optimum) || is_close(optimum.cost, exact.cost));
    }

    #[test]
    fn no_scheme_is_better_than_the_optimum_and_bounds_hold(detailed in details(1..5, 1..5, 1..4)) {
        let Detailed { model, workload, .. } = &detailed;
        let bounds = Exact::new().bounds(model, workload).expect("at most four tasks for each device");
        let optimum = model.evaluate(workload, &bounds.decision);
        for mut other in scheme::classic(model, 1) {
            if other.name() == "brute-force" {
                continue;
            }
            let Ok(Solution { decision, .. }) = other.decide(model, workload) else {
                prop_assert!(!bounds.is_optimal && other.name().starts_with("exact"), "{} gives up", other.name());
                continue;
            };
            let outcome = model.evaluate(workload, &decision);
            let is_better = model.is_better(&outcome, &optimum) && !is_close(outcome.cost, optimum.cost);
            prop_assert!(!bounds.is_optimal || !is_better, "{}: {outcome:?} and {optimum:?}", other.name());
            let is_bounded = model.deadline_rule() == DeadlineRule::Hard || outcome.cost >= bounds.lower * (1.0 - 1e-8);
            prop_assert!(is_bounded, "{}: {outcome:?} below {}", other.name(), bounds.lower);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Local search starts from both greedy decisions, and never ends on a worse one.
    #[test]
    fn local_search_is_no_worse_than_greedy(detailed in details(1..5, 1..7, 1..4)) {
        let Detailed { model, workload, .. } = &detailed;
        prop_assume!(model.is_detailed());
        let outcome = |scheme: &mut dyn Scheme| {
            model.evaluate(workload, &scheme.decide(model, workload).expect("decides").decision)
        };
        let searched = outcome(&mut scheme::LocalSearch::new());
        for order in [Order::Given, Order::LargestFirst] {
            let greedy = outcome(&mut Greedy::new(order));
            let is_worse = model.is_better(&greedy, &searched) && !is_close(greedy.cost, searched.cost);
            prop_assert!(!is_worse, "{greedy:?} and {searched:?}");
        }
    }

    /// Budgets are for each task that is there.
    #[test]
    fn budgets_do_not_count_absent_tasks(detailed in details(1..4, 4..8, 1..3)) {
        let Detailed { model, workload, .. } = &detailed;
        let present = sim::present_tasks(workload.sizes_bytes());
        prop_assume!(present > 0);
        for name in ["local-search@16", "annealing@16", "genetic@16"] {
            let evaluations =
                scheme::by_name(name, model, 1).expect("a scheme").decide(model, workload).expect("decides").evaluations;
            prop_assert!(evaluations <= 16 * present, "{name}: {evaluations} for {present} tasks");
        }
    }
}

/// A latency that is next to nothing changes next to nothing.
#[test]
fn a_short_latency_leaves_local_search_as_good_as_it_was() {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    let model = scenario.check().expect("valid");
    scenario.servers[0].latency_ms = 1e-3;
    let detailed = scenario.check().expect("valid");
    let mut random = sim::random::stream(1, "sizes");
    for _ in 0..100 {
        let sizes: Vec<f64> = (0..9).map(|_| 10.0 + 20.0 * sim::random::unit(&mut random)).collect();
        let workload = Workload::from_mb(3, &sizes);
        let [plain, detailed] = [&model, &detailed].map(|model| {
            let decision = scheme::LocalSearch::new().decide(model, &workload).expect("decides").decision;
            model.evaluate(&workload, &decision).cost
        });
        assert!(detailed <= plain * 1.002, "{detailed} and {plain}");
    }
}

/// Devices with fewer tasks than others cost the same as in a fleet in which all have as few.
#[test]
fn absent_tasks_cost_nothing() {
    let mut narrow = Scenario::load("shared-edge").expect("a preset");
    narrow.tasks.per_device = 2;
    let mut wide = narrow.clone();
    (wide.tasks.per_device, wide.tasks.counts) = (3, vec![2, 3, 2]);
    let [narrow, wide] = [narrow, wide].map(|scenario| scenario.check().expect("valid"));
    assert!(wide.has_absent_tasks() && wide.has_task(1) && !wide.has_task(2) && wide.has_task(5) && !wide.has_task(8));
    let few = Workload::from_mb(2, &[10.0, 20.0, 12.0, 28.0, 15.0, 11.0]);
    let padded = Workload::from_mb(3, &[10.0, 20.0, 0.0, 12.0, 28.0, 0.0, 15.0, 11.0, 0.0]);
    let optimum = |model: &CostModel, workload: &Workload| {
        model.evaluate(workload, &Exact::new().decide(model, workload).expect("small").decision).cost
    };
    assert!(is_close(optimum(&narrow, &few), optimum(&wide, &padded)));
}

#[test]
fn demands_out_of_range_are_refused() {
    let model = Scenario::load("paper").expect("a preset").check().expect("valid");
    let refused = |demands: Demands| model.with_demands(&demands).expect_err("out of range").to_string();
    let deadlines = |values: Vec<f64>| Demands { deadlines_s: Some(values), ..Demands::default() };
    assert!(refused(deadlines(vec![1.0; 8])).contains("9 tasks, there are 8"));
    let mut one_wrong = vec![1.0; 9];
    one_wrong[4] = 0.0;
    assert!(refused(deadlines(one_wrong.clone())).contains("deadline of task 4 must lie between"));
    one_wrong[4] = f64::NAN;
    assert!(refused(deadlines(one_wrong)).contains("task 4"));
    let instructions = Demands { instructions_per_byte: Some(vec![-1.0; 9]), ..Demands::default() };
    assert!(refused(instructions).contains("instructions per byte of task 0"));
    let penalty = Demands { deadline_rule: Some(DeadlineRule::Penalty(-1.0)), ..Demands::default() };
    assert!(refused(penalty).contains("penalty"));
}

/// The same number for every task, but not the scenario's, is a detail, too.
#[test]
fn even_instructions_that_are_not_the_scenarios_count() {
    let model = Scenario::load("paper").expect("a preset").check().expect("valid");
    let workload = Workload::from_mb(3, &[20.0; 9]);
    let demands = Demands { instructions_per_byte: Some(vec![200.0; 9]), ..Demands::default() };
    let fifth = model.with_demands(&demands).expect("valid");
    let local = Decision::uniform(3, 3, sim::Placement::Local);
    let [whole, fifth] = [&model, &fifth].map(|model| model.evaluate(&workload, &local));
    assert!(is_close(whole.time_s, 5.0 * fifth.time_s) && is_close(whole.energy_j, 5.0 * fifth.energy_j));
}

/// In the paper's way of working, a device whose tasks need more instructions is a slower device that needs more energy.
#[test]
fn instructions_of_a_device_are_those_of_its_tasks() {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.instructions_per_byte = PerDevice::Each(vec![1000.0, 2000.0, 500.0]);
    let model = scenario.check().expect("valid");
    let workload = Workload::from_mb(3, &[20.0; 9]);
    let local = model.evaluate(&workload, &Decision::uniform(3, 3, sim::Placement::Local));
    let s_of_device = |instructions: f64| 60.0 * BYTES_PER_MB * instructions / hertz_from_mhz(100.0);
    assert!(is_close(local.time_s, [1000.0, 2000.0, 500.0].map(s_of_device).iter().sum()));
    assert!(model.rates(1)[0].time_s_per_byte > 1.9 * model.rates(0)[0].time_s_per_byte);
}
