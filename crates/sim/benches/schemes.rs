//! Prices and classic schemes: `cargo bench -p sim`.

use divan::{Bencher, black_box};
use sim::scheme::{self, Scheme};
use sim::{CostModel, Scenario, StandardSet};

fn main() {
    divan::main();
}

fn problem(tasks: usize) -> (CostModel, StandardSet) {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.tasks.per_device = tasks;
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    (model, set)
}

/// 512 decisions of 3 × 3 tasks.
#[divan::bench]
fn price_512_decisions(bencher: Bencher<'_, '_>) {
    let (model, set) = problem(3);
    let sizes: Vec<f64> = set.workloads().iter().flat_map(|workload| workload.sizes_bytes().to_vec()).collect();
    let places: Vec<u8> = (0..sizes.len()).map(|task| (task % 3) as u8).collect();
    let mut costs = vec![0.0; 512];
    bencher.bench_local(|| model.batch_costs(black_box(&sizes), black_box(&places), &mut costs));
}

/// 512 workloads one after the other.
#[divan::bench(args = ["greedy", "local-search", "exact"])]
fn decide_512_workloads_of_3_by_3(bencher: Bencher<'_, '_>, scheme: &str) {
    let (model, set) = problem(3);
    let mut scheme = scheme::by_name(scheme, &model, 1).expect("a classic scheme");
    bencher.bench_local(|| scheme.decide_all(&model, black_box(set.workloads())));
}

/// One workload of 3 devices with more tasks each.
#[divan::bench(args = [6, 9, 12])]
fn exact(bencher: Bencher<'_, '_>, tasks: usize) {
    let (model, set) = problem(tasks);
    let mut exact = scheme::Exact::new();
    bencher.bench_local(|| exact.decide(&model, black_box(&set.workloads()[0])));
}
