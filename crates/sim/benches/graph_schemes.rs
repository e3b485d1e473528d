//! Schemes for task graphs: `cargo bench -p sim --bench graph_schemes`.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sim::graph::scheme::{
    GraphExact, GraphGreedy, GraphLocalSearch, GraphScheme, Heft, Larac, Mcop, MinCut, OneClimb, RandomisedGreedy,
};
use sim::graph::{
    Application, GraphEdge, GraphModel, GraphScenario, GraphTask, Limits, Rules, System, Timing, Transfer, Weights,
};
use sim::random;

fn main() {
    divan::main();
}

/// Applications of the preset `graph`: 20 tasks, two places, scheduled.
fn graphs(count: usize) -> Vec<GraphModel> {
    let scenario = GraphScenario::load("graph").expect("a preset");
    let mut random = random::stream(1, "bench");
    let applications: Vec<_> = (0..count).map(|_| scenario.draw(&mut random).expect("drawn")).collect();
    applications.into_iter().map(|application| scenario.model(application).expect("valid")).collect()
}

/// A serial application between the device and a server: each task but the first gets data from the task before it, and
/// further edges lead from tasks at most 200 before it.
fn serial(tasks: usize, edges: usize) -> GraphModel {
    let mut random = random::stream(2, "bench");
    let list = (0..tasks).map(|index| GraphTask {
        name: format!("t{index}"),
        instructions: 1e9 + 1e10 * random::unit(&mut random),
        ..GraphTask::default()
    });
    let list: Vec<GraphTask> = list.collect();
    let mut seen = std::collections::HashSet::new();
    let mut links = Vec::with_capacity(edges);
    for to in 1..tasks {
        seen.insert((to - 1, to));
        links.push(GraphEdge { from: to as u32 - 1, to: to as u32, bytes: 1e6 * random::unit(&mut random) });
    }
    while links.len() < edges {
        let to = 1 + random::below(&mut random, tasks - 1);
        let from = to.saturating_sub(1 + random::below(&mut random, 200));
        if seen.insert((from, to)) {
            links.push(GraphEdge { from: from as u32, to: to as u32, bytes: 1e6 * random::unit(&mut random) });
        }
    }
    let system = GraphScenario::load("graph").expect("a preset").system();
    let rules = Rules { timing: Timing::Serial, transfer: Transfer::Edge, ..Rules::default() };
    let application = Application::new(list, links).expect("valid");
    GraphModel::new(Arc::new(application), Arc::new(system), rules).expect("valid")
}

/// A serial chain on a frugal device, with a deadline half-way between the fastest decision and the one that takes the least
/// energy.
fn chain(tasks: usize) -> GraphModel {
    let model = serial(tasks, tasks - 1);
    let mut system = System::clone(model.system());
    (system.compute_w, system.idle_w) = (0.02, 0.5);
    let rules = Rules { weights: Weights::from_alpha(1.0), ..*model.rules() };
    let with = |rules| GraphModel::new(model.application().clone(), Arc::new(system.clone()), rules).expect("valid");
    let time_s = |alpha| {
        let model = with(Rules { weights: Weights::from_alpha(alpha), ..rules });
        model.evaluate(&MinCut.decide(&model).expect("decided").places).time_s
    };
    let (fastest_s, frugal_s) = (time_s(0.0), time_s(1.0));
    assert!(fastest_s < 0.9 * frugal_s, "the deadline must matter");
    with(Rules { limits: Limits { time_s: 0.5 * (fastest_s + frugal_s), ..Limits::default() }, ..rules })
}

fn decide_all(bencher: Bencher<'_, '_>, models: &[GraphModel], scheme: &mut dyn GraphScheme) {
    bencher.counter(ItemsCount::new(models.len())).bench_local(|| {
        models.iter().map(|model| scheme.decide(black_box(model)).expect("decided").evaluations).sum::<u64>()
    });
}

#[divan::bench]
fn greedy_on_20_tasks(bencher: Bencher<'_, '_>) {
    decide_all(bencher, &graphs(50), &mut GraphGreedy);
}

#[divan::bench(args = [8, 56, 512])]
fn randomised_greedy_on_20_tasks(bencher: Bencher<'_, '_>, runs: u64) {
    decide_all(bencher, &graphs(50), &mut RandomisedGreedy::within(1, runs));
}

#[divan::bench]
fn local_search_on_20_tasks(bencher: Bencher<'_, '_>) {
    decide_all(bencher, &graphs(50), &mut GraphLocalSearch::default());
}

#[divan::bench]
fn heft_on_20_tasks(bencher: Bencher<'_, '_>) {
    decide_all(bencher, &graphs(50), &mut Heft);
}

#[divan::bench(sample_count = 20)]
fn exact_on_20_tasks(bencher: Bencher<'_, '_>) {
    decide_all(bencher, &graphs(50), &mut GraphExact);
}

#[divan::bench(args = [(100, 500), (1000, 5000), (10_000, 50_000)])]
fn min_cut(bencher: Bencher<'_, '_>, (tasks, edges): (usize, usize)) {
    decide_all(bencher, &[serial(tasks, edges)], &mut MinCut);
}

#[divan::bench(args = [(20, 40), (100, 500)])]
fn mcop(bencher: Bencher<'_, '_>, (tasks, edges): (usize, usize)) {
    decide_all(bencher, &[serial(tasks, edges)], &mut Mcop);
}

#[divan::bench(args = [20, 40, 200])]
fn larac_on_chain(bencher: Bencher<'_, '_>, tasks: usize) {
    decide_all(bencher, &[chain(tasks)], &mut Larac);
}

#[divan::bench(args = [20, 40, 200])]
fn one_climb_on_chain(bencher: Bencher<'_, '_>, tasks: usize) {
    decide_all(bencher, &[chain(tasks)], &mut OneClimb);
}

#[divan::bench(args = [20, 40], sample_count = 20)]
fn pareto_labels_on_chain(bencher: Bencher<'_, '_>, tasks: usize) {
    decide_all(bencher, &[chain(tasks)], &mut GraphExact);
}
