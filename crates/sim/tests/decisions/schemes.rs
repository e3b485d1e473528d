//! The schemes against oracles and against known figures.

use crate::common::{scenarios, scenarios_with};
use data::{Evaluation, StandardSet, evaluate};
use proptest::prelude::*;
use sim::scheme::{self, BruteForce, Exact, Scheme};
use sim::{CostModel, Decision, Scenario, SchemeError, Workload, random};

fn cost(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> f64 {
    let solution = scheme.decide(model, workload).expect("small enough");
    model.evaluate(workload, &solution.decision).cost
}

proptest! {
    #[test]
    fn exact_equals_brute_force((model, workload) in scenarios(1..3, 1..5)) {
        let exact = cost(&mut Exact::new(), &model, &workload);
        let oracle = cost(&mut BruteForce, &model, &workload);
        prop_assert!((exact - oracle).abs() <= 1e-12 * oracle, "exact {exact}, brute force {oracle}");
    }

    #[test]
    fn no_scheme_undercuts_exact((model, workload) in scenarios(1..4, 1..9)) {
        let optimum = cost(&mut Exact::new(), &model, &workload);
        for mut scheme in scheme::classic(&model, 3) {
            let cost = cost(&mut *scheme, &model, &workload);
            prop_assert!(cost >= optimum * (1.0 - 1e-12), "{} found {cost}, optimum {optimum}", scheme.name());
        }
    }

    #[test]
    fn a_decision_costs_the_same_however_it_is_priced((model, workload) in scenarios(1..4, 1..6), seed in any::<u64>()) {
        let decision = scheme::Random::new(seed).decide(&model, &workload).expect("always").decision;
        let outcome = model.evaluate(&workload, &decision);
        prop_assert_eq!(outcome.cost, model.weigh(outcome.energy_j, outcome.time_s));
        let cost = model.cost(workload.sizes_bytes(), decision.places());
        prop_assert!((cost - outcome.cost).abs() <= 1e-12 * outcome.cost);
    }

    #[test]
    fn side_by_side_costs_are_those_of_single_decisions(
        (model, workload) in scenarios_with(1..4, 1..6, 1..12), seed in any::<u64>(), count in 0..11_usize,
    ) {
        let tasks = model.task_count();
        // Column c holds the workload with its sizes rotated by c, and a decision of its own.
        let mut random = random::stream(seed, "decisions");
        let mut sizes = vec![0.0; tasks * count];
        let mut places = vec![0; tasks * count];
        for (entry, (size, place)) in sizes.iter_mut().zip(&mut places).enumerate() {
            let (task, column) = (entry / count, entry % count);
            *size = workload.sizes_bytes()[(task + column) % tasks];
            *place = random::below(&mut random, model.places()) as u8;
        }
        let mut costs = vec![f64::NAN; count];
        model.batch_costs(&sizes, &places, &mut costs);
        let mut by_device = vec![0.0; count];
        for device in 0..model.devices() {
            let rows = device * model.tasks() * count..(device + 1) * model.tasks() * count;
            let mut costs = vec![f64::NAN; count];
            model.device_batch_costs(device, &sizes[rows.clone()], &places[rows], &mut costs);
            by_device.iter_mut().zip(costs).for_each(|(sum, cost)| *sum += cost);
        }
        for column in 0..count {
            let of_column = |task: usize| task * count + column;
            let column_sizes: Vec<f64> = (0..tasks).map(|task| sizes[of_column(task)]).collect();
            let column_places: Vec<u8> = (0..tasks).map(|task| places[of_column(task)]).collect();
            let single = model.cost(&column_sizes, &column_places);
            prop_assert_eq!(costs[column], single);
            prop_assert_eq!(by_device[column], single);
        }
    }

    #[test]
    fn the_same_workload_gets_the_same_decision_again((model, workload) in scenarios(1..3, 1..4)) {
        for mut scheme in scheme::classic(&model, 5) {
            let first = scheme.decide(&model, &workload).expect("small enough");
            prop_assert_eq!(first, scheme.decide(&model, &workload).expect("small enough"));
        }
    }
}

#[test]
fn the_papers_cost_by_hand() {
    let model = Scenario::load("paper-wan").expect("a preset").check().expect("valid");
    let workload = Workload::from_mb(3, &[10.0, 20.0, 30.0, 10.0, 10.0, 10.0, 30.0, 30.0, 30.0]);
    // Device 0: one task at each place; device 1 local; device 2 all to the cloud.
    let decision = Decision::from_places(3, vec![0, 1, 2, 0, 0, 0, 2, 2, 2]);
    let outcome = model.evaluate(&workload, &decision);
    let energy = 40e9 * 3e-9 + 20e9 * 1.5e-9 + 120e9 * 1e-9 + 140e6 * 0.1e-9;
    let cloud_s_per_mb = 1000.0 / 1000.0 + 8.0 / 6.0;
    let device_0 = (10.0_f64 * 10.0).max(20.0 * (1000.0 / 600.0 + 8.0 / 500.0)).max(30.0 * cloud_s_per_mb);
    let time = device_0 + 30.0 * 10.0 + 90.0 * cloud_s_per_mb;
    assert!((outcome.energy_j - energy).abs() < 1e-9, "{} {energy}", outcome.energy_j);
    assert!((outcome.time_s - time).abs() < 1e-9, "{} {time}", outcome.time_s);
    assert!((outcome.cost - f64::midpoint(energy, time)).abs() < 1e-9);
}

#[test]
fn exact_answers_twelve_tasks_on_three_places() {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.tasks.per_device = 12;
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file needed");
    let search = evaluate(&mut scheme::LocalSearch::new(), &set).expect("always decides");
    let q2 = search.q2.expect("twelve tasks are within the exact search's limits");
    assert!(q2 > 0.99 && q2 <= 1.0, "{q2}");
}

#[test]
fn exact_refuses_what_it_cannot_finish() {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.tasks.per_device = 60;
    let model = scenario.check().expect("valid");
    // Sizes that differ by less than the bound's slack cannot be told apart.
    let sizes: Vec<f64> = (0..180).map(|task| 20.0 + f64::from(task * task % 97) * 1e-3).collect();
    let error = Exact::new().decide(&model, &Workload::from_mb(60, &sizes)).expect_err("3^60 decisions a device");
    assert!(matches!(error, SchemeError::TooLarge { tasks: 60, places: 3, .. }), "{error}");
}

fn table(name: &str) -> Vec<Evaluation> {
    let scenario = Scenario::load(name).expect("a preset");
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file needed");
    let schemes = scheme::classic(&model, 1);
    schemes.into_iter().map(|mut scheme| evaluate(&mut *scheme, &set).expect("small enough")).collect()
}

/// Q2 of the classic schemes on the standard sets, to two more digits than the figures known from elsewhere.
/// Regenerate with `cargo run -p trainer -- compare --scenario NAME`.
#[test]
fn standard_sets_give_known_figures() {
    let known: [(&str, &[(&str, f64)]); 4] = [
        (
            "paper",
            &[
                ("local-only", 0.1420),
                ("edge-only", 0.5800),
                ("cloud-only", 0.9157),
                ("local+edge", 0.5800),
                ("local+cloud", 0.9157),
                ("greedy", 0.9798),
                ("greedy-largest-first", 0.9886),
                ("exact", 1.0),
            ],
        ),
        (
            "paper-wan",
            &[
                ("local-only", 0.1797),
                ("edge-only", 0.7339),
                ("cloud-only", 0.7007),
                ("local+edge", 0.7339),
                ("local+cloud", 0.7020),
                ("greedy", 0.9528),
                ("greedy-largest-first", 0.9614),
                ("exact", 1.0),
            ],
        ),
        ("paper-fitted", &[("local-only", 0.1391), ("edge-only", 0.7143), ("cloud-only", 0.7389)]),
        ("ddlo", &[("local-only", 0.5770), ("edge-only", 0.9040), ("greedy-largest-first", 0.9990)]),
    ];
    for (scenario, rows) in known {
        let table = table(scenario);
        for (scheme, q2) in rows {
            let row = table.iter().find(|row| row.scheme == *scheme).expect("a classic scheme");
            let found = row.q2.expect("small enough for the exact search");
            assert!((found - q2).abs() < 5e-5, "{scenario}, {scheme}: {found}, known {q2}");
        }
    }
}

/// DDLO's own yardstick: each device keeps its smallest task and sends the others.
#[test]
fn keeping_the_smallest_task_local_scores_as_published_constants_say() {
    let scenario = Scenario::load("ddlo").expect("a preset");
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file needed");
    let costs: Vec<f64> = set
        .instances()
        .iter()
        .map(|instance| {
            let mut places = vec![1; 9];
            for (device, row) in instance.workload.sizes_bytes().chunks_exact(3).enumerate() {
                let smallest = (0..3).min_by(|&a, &b| row[a].total_cmp(&row[b])).expect("three tasks");
                places[device * 3 + smallest] = 0;
            }
            instance.cost(&places)
        })
        .collect();
    let q2 = set.q2(&costs).expect("small enough");
    assert!((q2 - 0.9924).abs() < 0.001, "{q2}");
}
