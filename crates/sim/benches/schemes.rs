//! The cost model and classic schemes: `cargo bench -p sim`.

use data::{Part, SizeSampler, Workloads};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sim::scheme::{self, Scheme};
use sim::{CostModel, Decision, IncrementalCost, Scenario, Workload, allocation, random, scenario};

fn main() {
    divan::main();
}

fn problem((devices, tasks): (usize, usize), servers: usize) -> (CostModel, Vec<Workload>) {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.devices.count = devices;
    scenario.tasks.per_device = tasks;
    let template = scenario.servers[1].clone();
    scenario.servers.truncate(servers);
    while scenario.servers.len() < servers {
        let name = format!("server{}", scenario.servers.len());
        scenario.servers.push(scenario::Server { name, ..template.clone() });
    }
    let model = scenario.check().expect("valid");
    let random = random::stream(0, "bench");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let mut source = Workloads::new(&model, sampler, Part::Training, random);
    (model, (0..512).map(|_| source.draw().workload).collect())
}

/// Devices and tasks of fleets from small to large.
const FLEETS: [(usize, usize); 4] = [(3, 3), (10, 3), (30, 3), (30, 30)];
/// Numbers of servers.
const SERVERS: [usize; 3] = [1, 2, 7];

/// Workloads and decisions side by side, `[N * M, 512]`.
fn columns(model: &CostModel, set: &[Workload]) -> (Vec<f64>, Vec<u8>) {
    let mut random = random::stream(1, "bench");
    let sizes = (0..model.task_count()).flat_map(|task| set.iter().map(move |workload| workload.sizes_bytes()[task]));
    let places = (0..model.task_count() * 512).map(|_| random::below(&mut random, model.places()) as u8).collect();
    (sizes.collect(), places)
}

/// 512 decisions side by side.
#[divan::bench(args = FLEETS)]
fn price_512_decisions_of_fleet(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    let (model, set) = problem(fleet, 2);
    let (sizes, places) = columns(&model, &set);
    let mut costs = vec![0.0; 512];
    bencher
        .counter(ItemsCount::new(512_usize))
        .bench_local(|| model.batch_costs(black_box(&sizes), black_box(&places), &mut costs));
}

/// 512 decisions of 3 × 3 tasks side by side, with more and more servers.
#[divan::bench(args = SERVERS)]
fn price_512_decisions_with_servers(bencher: Bencher<'_, '_>, servers: usize) {
    let (model, set) = problem((3, 3), servers);
    let (sizes, places) = columns(&model, &set);
    let mut costs = vec![0.0; 512];
    bencher
        .counter(ItemsCount::new(512_usize))
        .bench_local(|| model.batch_costs(black_box(&sizes), black_box(&places), &mut costs));
}

/// 512 decisions of 3 × 3 tasks, one after the other.
#[divan::bench]
fn price_512_decisions_one_by_one(bencher: Bencher<'_, '_>) {
    let (model, set) = problem((3, 3), 2);
    let places: Vec<u8> = (0..512 * 9).map(|task| (task % 3) as u8).collect();
    bencher.counter(ItemsCount::new(512_usize)).bench_local(|| {
        let decided = set.iter().zip(places.chunks_exact(9));
        decided.map(|(workload, places)| model.cost(black_box(workload.sizes_bytes()), places)).sum::<f64>()
    });
}

/// 512 workloads, one after the other on one thread.
#[divan::bench(args = ["greedy", "local-search", "exact"])]
fn decide_512_workloads_one_by_one(bencher: Bencher<'_, '_>, scheme: &str) {
    let (model, set) = problem((3, 3), 2);
    let mut scheme = scheme::by_name(scheme, &model, 1).expect("a classic scheme");
    bencher.counter(ItemsCount::new(512_usize)).bench_local(|| {
        for workload in &set {
            black_box(scheme.decide(&model, black_box(workload)).expect("small enough"));
        }
    });
}

/// 512 workloads, on every thread.
#[divan::bench]
fn decide_512_workloads_exactly(bencher: Bencher<'_, '_>) {
    let (model, set) = problem((3, 3), 2);
    let mut exact = scheme::Exact::new();
    bencher
        .counter(ItemsCount::new(512_usize))
        .bench_local(|| exact.decide_all(&model, black_box(&set)).expect("small enough"));
}

/// One workload of 3 devices with more tasks each: the mean over 32 workloads, since some are much harder.
#[divan::bench(args = [3, 6, 9, 12])]
fn exact_32_workloads_of_tasks(bencher: Bencher<'_, '_>, tasks: usize) {
    let (model, set) = problem((3, tasks), 2);
    let mut exact = scheme::Exact::new();
    let mut places = vec![0; model.task_count()];
    bencher.counter(ItemsCount::new(32_usize)).bench_local(|| {
        for workload in &set[..32] {
            exact.decide_into(&model, black_box(workload.sizes_bytes()), &mut places).expect("small enough");
        }
    });
}

/// The optimum where servers have latencies and deadlines are hard: 32 workloads with more and more tasks per device.
#[divan::bench(args = [3, 6, 13])]
fn exact_32_workloads_with_deadlines(bencher: Bencher<'_, '_>, tasks: usize) {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.tasks.per_device = tasks;
    (scenario.servers[0].latency_ms, scenario.servers[1].latency_ms) = (500.0, 2000.0);
    let deadlines_s = [20.0, 25.0, 30.0].map(|deadline_s| deadline_s * tasks as f64);
    scenario.tasks.deadline_s = Some(scenario::PerDevice::Each(deadlines_s.to_vec()));
    scenario.tasks.deadline_rule = scenario::DeadlineRule::Hard;
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(0, "bench"));
    let set: Vec<Workload> = (0..32).map(|_| source.draw().workload).collect();
    let (mut exact, mut places) = (scheme::Exact::new(), vec![0; model.task_count()]);
    bencher.counter(ItemsCount::new(32_usize)).bench_local(|| {
        for workload in &set {
            exact.decide_into(&model, black_box(workload.sizes_bytes()), &mut places).expect("small enough");
        }
    });
}

/// 20 Mbit/s a device shared out among the uplinks of a fleet with one edge server, each of 512 workloads with a decision
/// drawn at random.
#[divan::bench(args = [(10, 3), (50, 10)])]
fn share_out_bandwidth_for_512_decisions(bencher: Bencher<'_, '_>, (devices, tasks): (usize, usize)) {
    let mut scenario = Scenario::load("shared-edge").expect("a preset");
    scenario.devices.count = devices;
    scenario.tasks.per_device = tasks;
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(0, "bench"));
    let mut random = random::stream(1, "bench");
    let mut places = || (0..devices * tasks).map(|_| random::below(&mut random, 3) as u8).collect::<Vec<_>>();
    let set: Vec<_> = (0..512).map(|_| (source.draw().workload, Decision::from_places(tasks, places()))).collect();
    bencher.counter(ItemsCount::new(512_usize)).bench_local(|| {
        for (workload, decision) in &set {
            black_box(allocation::allocate(&model, black_box(workload), decision, 20.0 * devices as f64))
                .expect("valid");
        }
    });
}

/// Where one edge server is shared: the problem of 50 × 10 tasks, and a decision.
fn shared((devices, tasks): (usize, usize)) -> (CostModel, Vec<Workload>) {
    let mut scenario = Scenario::load("shared-edge").expect("a preset");
    (scenario.devices.count, scenario.tasks.per_device) = (devices, tasks);
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(0, "bench"));
    (model, (0..4).map(|_| source.draw().workload).collect())
}

/// The cost of a move: every task of a fleet at every other place.
#[divan::bench(args = [(3, 3), (10, 10), (50, 10)])]
fn price_of_a_move(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    let (model, set) = shared(fleet);
    let places: Vec<u8> = (0..model.task_count()).map(|task| (task % 3) as u8).collect();
    let mut incremental = IncrementalCost::new(&model);
    incremental.set(set[0].sizes_bytes(), &places);
    let mut costs = vec![0.0; 3];
    bencher.counter(ItemsCount::new(2 * model.task_count())).bench_local(|| {
        for task in 0..model.task_count() {
            incremental.move_costs(black_box(task), &mut costs);
            black_box(&costs);
        }
    });
}

/// 50 × 10 tasks, one workload after the other.
#[divan::bench(args = ["greedy", "greedy-largest-first", "local-search@16", "local-search", "annealing@16"])]
fn decide_50_by_10_that_share(bencher: Bencher<'_, '_>, scheme: &str) {
    let (model, set) = shared((50, 10));
    let mut scheme = scheme::by_name(scheme, &model, 1).expect("a scheme");
    bencher.counter(ItemsCount::new(set.len())).bench_local(|| {
        for workload in &set {
            black_box(scheme.decide(&model, black_box(workload)).expect("always"));
        }
    });
}

/// The optimum of fleets that share an edge server.
#[divan::bench(args = [(3, 3), (10, 3), (30, 3), (50, 3)])]
fn exact_of_fleets_that_share(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    let (model, set) = shared(fleet);
    let mut exact = scheme::Exact::new();
    bencher.counter(ItemsCount::new(set.len())).bench_local(|| {
        for workload in &set {
            black_box(exact.bounds(&model, black_box(workload)).expect("something is shared"));
        }
    });
}
