//! The rules and the optimum against enumeration and against a 0-1 program that others solve.

use microlp::{ComparisonOp, OptimizationDirection, Problem};
use proptest::prelude::*;

use super::dual::Prices;
use super::*;
use crate::random;

const RULES: [ServingRule; 6] = [
    ServingRule::FixedLayers(0),
    ServingRule::FixedLayers(2),
    ServingRule::Random { seed: 3 },
    ServingRule::BestFit,
    ServingRule::LiOffline,
    ServingRule::LiOnline,
];

fn servings() -> impl Strategy<Value = LayerServing> {
    let layer = (prop::option::of(0.0..4.0_f64), 0.0..6.0_f64);
    let task = (prop::collection::vec(layer, 1..4), 0.0..6.0_f64, 0.0..2.0_f64);
    (prop::collection::vec(task, 0..7), 0.5..12.0_f64, 0.5..12.0_f64).prop_map(|(tasks, capacity, bandwidth)| {
        // Some tasks have the same network.
        let networks: Vec<_> = tasks.iter().map(|(layers, input_bytes, _)| (layers.clone(), *input_bytes)).collect();
        let tasks = tasks
            .into_iter()
            .enumerate()
            .map(|(index, (_, _, inputs_per_s))| (index, networks[index / 2].clone(), inputs_per_s));
        let tasks = tasks.map(|(index, (layers, input_bytes), inputs_per_s)| LayerTask {
            name: format!("task{index}"),
            layers: layers.into_iter().map(|(operations, output_bytes)| layer_of(operations, output_bytes)).collect(),
            input_bytes,
            inputs_per_s,
        });
        let node = EdgeNode { operations_per_s: capacity, bandwidth_bytes_per_s: bandwidth };
        LayerServing::new(node, tasks.collect()).expect("everything makes sense")
    })
}

fn layer_of(operations: Option<f64>, output_bytes: f64) -> Layer {
    let (name, operations) = ("layer".to_owned(), operations.unwrap_or(0.0));
    Layer { name, kind: None, operations, weights_bytes: 0.0, output_bytes }
}

/// The most tasks served, by looking at all decisions.
fn most_served(serving: &LayerServing) -> usize {
    fn most(serving: &LayerServing, task: usize, used: [f64; 2]) -> usize {
        if task == serving.tasks().len() {
            return 0;
        }
        let with = serving.edge_shares(task).iter().filter(|shares| shares.fits(used));
        let with = with.map(|shares| 1 + most(serving, task + 1, shares.after(used))).max();
        with.unwrap_or(0).max(most(serving, task + 1, used))
    }
    most(serving, 0, [0.0; 2])
}

/// The most tasks served as a 0-1 program, or its linear relaxation.
fn program(serving: &LayerServing, is_whole: bool) -> f64 {
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let mut limits: [Vec<_>; 2] = Default::default();
    for task in 0..serving.tasks().len() {
        let mut ways = Vec::new();
        for shares in serving.edge_shares(task).iter().filter(|shares| shares.fits([0.0; 2])) {
            let way = if is_whole { problem.add_binary_var(1.0) } else { problem.add_var(1.0, (0.0, 1.0)) };
            limits[0].push((way, shares.capacity));
            limits[1].push((way, shares.bandwidth));
            ways.push((way, 1.0));
        }
        if !ways.is_empty() {
            problem.add_constraint(ways, ComparisonOp::Le, 1.0);
        }
    }
    if limits[0].is_empty() {
        return 0.0;
    }
    for limit in limits {
        problem.add_constraint(limit, ComparisonOp::Le, 1.0);
    }
    let mut options = microlp::SolveOptions::default();
    options.mip_gap = 0.0;
    let solved = problem.solve_with(options).expect("nothing need be served");
    solved.solution().expect("a solution").objective()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_decision_serves_more_tasks_and_every_rule_fits(serving in servings()) {
        let optimum = serving.optimum();
        prop_assert_eq!(optimum.decision.served(), most_served(&serving));
        prop_assert!(optimum.is_proved() && serving.usage(&optimum.decision).fits);
        for rule in RULES {
            let found = rule.decide(&serving);
            prop_assert!(serving.usage(&found).fits, "{rule:?}");
            let has_edge_layers = found.layers.iter().flatten().all(|layers| *layers > 0);
            prop_assert!(has_edge_layers || rule == ServingRule::FixedLayers(0), "{rule:?}");
            prop_assert!(found.served() <= optimum.decision.served() || !has_edge_layers, "{rule:?}");
            prop_assert_eq!(&found, &rule.decide(&serving));
        }
    }

    #[test]
    fn prices_bound_what_can_be_served_as_the_linear_relaxation_does(serving in servings()) {
        let ways = |task: usize| {
            serving.edge_shares(task).iter().copied().filter(|shares| shares.fits([0.0; 2])).collect::<Vec<_>>()
        };
        let ways: Vec<_> = (0..serving.tasks().len()).map(ways).collect();
        let (bound, relaxed) = (Prices::best(&ways).bound(&ways), program(&serving, false));
        prop_assert!((bound - relaxed).abs() <= 1e-5 * relaxed.max(1.0), "{bound} is not {relaxed}");
    }
}

#[test]
fn the_optimum_of_drawn_tasks_is_that_of_the_0_1_program() {
    let mut random = random::stream(1, "serving");
    for tasks in [5, 10, 20] {
        let generator = ServingGenerator { tasks, ..ServingGenerator::default() };
        let serving = generator.draw(&mut random).expect("drawn");
        let optimum = serving.optimum();
        assert!(optimum.is_proved(), "{tasks}");
        assert_eq!(optimum.decision.served(), program(&serving, true).round() as usize, "{tasks}");
    }
}

#[test]
fn the_offline_rule_serves_nearly_as_many_drawn_tasks_as_can_be_and_more_than_simple_rules() {
    let mut random = random::stream(2, "serving");
    let generator = ServingGenerator { tasks: 30, ..ServingGenerator::default() };
    let (mut most, mut served) = (0, [0; 6]);
    for _ in 0..20 {
        let serving = generator.draw(&mut random).expect("drawn");
        let optimum = serving.optimum();
        assert!(optimum.is_proved());
        most += optimum.decision.served();
        for (served, rule) in served.iter_mut().zip(RULES) {
            *served += rule.decide(&serving).served();
        }
    }
    let [_, fixed, random, best_fit, offline, online] = served;
    let best = [fixed, random, best_fit, online].into_iter().fold(0, usize::max);
    assert!(best < offline && offline <= most && 100 * offline >= 95 * most, "{served:?} {most}");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let node = EdgeNode { operations_per_s: 1e9, bandwidth_bytes_per_s: 1e6 };
    let task = LayerTask::of_network(Network::AlexNet, 1.0);
    let error = |node, task| LayerServing::new(node, vec![task]).expect_err("refused").to_string();
    assert_eq!(
        error(EdgeNode { bandwidth_bytes_per_s: 0.0, ..node }, task.clone()),
        "bandwidth_bytes_per_s of the edge node must be a number above 0, is 0"
    );
    assert!(error(node, LayerTask { layers: Vec::new(), ..task.clone() }).contains("alexnet has no layer"));
    assert!(
        error(node, LayerTask { inputs_per_s: f64::NAN, ..task.clone() }).contains("inputs_per_s of the task alexnet")
    );
    let generator = ServingGenerator { inputs_per_s: (2.0, 1.0), ..ServingGenerator::default() };
    let mut random = random::stream(1, "serving");
    assert!(generator.draw(&mut random).expect_err("refused").to_string().contains("2 to 1"));
    let generator = ServingGenerator { networks: Vec::new(), ..ServingGenerator::default() };
    assert_eq!(generator.draw(&mut random), Err(LayerServingError::NoNetworks));
    let none = LayerServing::new(node, Vec::new()).expect("no task is valid");
    assert_eq!((none.optimum().decision.served(), none.optimum().bound), (0, 0));
}
