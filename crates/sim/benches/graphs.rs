//! Costs of decisions about task graphs: `cargo bench -p sim --bench graphs`.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sim::graph::{
    Application, GraphEdge, GraphModel, GraphServer, GraphTask, IncrementalSchedule, Link, Machine, Rules, Schedule,
    System, Timing, Transfer, Weights,
};
use sim::random;

fn main() {
    divan::main();
}

/// A layered graph of the given number of tasks, each with one to three tasks of the layer before it, and `places` places.
fn problem(tasks: usize, places: usize, rules: Rules) -> GraphModel {
    let mut random = random::stream(3, "bench");
    let width = (tasks as f64).powf(0.6) as usize;
    let list = (0..tasks).map(|index| {
        let result = 5e6 + 45e6 * random::unit(&mut random);
        GraphTask {
            name: format!("t{index}"),
            instructions: 2500.0 * result,
            send_bytes: 2.5 * result,
            result_bytes: Some(result),
            ..GraphTask::default()
        }
    });
    let list: Vec<GraphTask> = list.collect();
    let mut edges = Vec::new();
    for to in width..tasks {
        let layer = (to / width - 1) * width;
        let first = random::below(&mut random, width);
        for step in 0..=random::below(&mut random, 3.min(width)) {
            let from = (layer + (first + step) % width) as u32;
            edges.push(GraphEdge { from, to: to as u32, bytes: 2e7 });
        }
    }
    let rate = 7.340_032e6 / 8.0;
    let server = |index: usize| GraphServer {
        name: format!("server-{index}"),
        machine: Machine { instructions_per_s: 1e10 + 1e9 * index as f64, memory_bytes_per_s: None },
        energy_per_instruction_j: 0.0,
        link: Link {
            up_bytes_per_s: rate,
            down_bytes_per_s: rate,
            send_w: 1.3,
            receive_w: 1.0,
            price_per_byte: 0.0,
            is_own: false,
        },
    };
    let device = Machine { instructions_per_s: 1e9, memory_bytes_per_s: None };
    let system = System { device, compute_w: 0.9, idle_w: 0.3, servers: (1..places).map(server).collect() };
    let application = Application::new(list, edges).expect("valid");
    GraphModel::new(Arc::new(application), Arc::new(system), rules).expect("valid")
}

/// An application of 10,000 tasks and about five times as many edges, and its model.
#[divan::bench]
fn large_application(bencher: Bencher<'_, '_>) {
    let (tasks, edges) = large();
    bencher
        .with_inputs(|| (tasks.clone(), edges.clone()))
        .bench_values(|(tasks, edges)| Application::new(tasks, edges).expect("valid"));
}

#[divan::bench]
fn large_model(bencher: Bencher<'_, '_>) {
    let (tasks, edges) = large();
    let application = Arc::new(Application::new(tasks, edges).expect("valid"));
    let system = Arc::clone(problem(20, 2, Rules::default()).system());
    let rules = Rules { transfer: Transfer::Edge, timing: Timing::Serial, ..Rules::default() };
    bencher.bench_local(|| GraphModel::new(Arc::clone(&application), Arc::clone(&system), rules).expect("valid"));
}

fn large() -> (Vec<GraphTask>, Vec<GraphEdge>) {
    let mut random = random::stream(5, "bench");
    let task = |index| GraphTask { name: format!("t{index}"), instructions: 1e9, ..GraphTask::default() };
    let mut edges = Vec::new();
    for to in 1..10_000_u32 {
        let from = |random: &mut _| random::below(random, to as usize) as u32;
        let mut before: Vec<u32> = (0..5).map(|_| from(&mut random)).collect();
        before.sort_unstable();
        before.dedup();
        edges.extend(before.into_iter().map(|from| GraphEdge { from, to, bytes: 1e6 }));
    }
    ((0..10_000).map(task).collect(), edges)
}

/// 64 random decisions.
fn decisions(model: &GraphModel) -> Vec<Vec<u8>> {
    let mut random = random::stream(4, "bench");
    (0..64).map(|_| (0..model.tasks()).map(|_| random::below(&mut random, model.places()) as u8).collect()).collect()
}

fn costs(bencher: Bencher<'_, '_>, model: &GraphModel) {
    let decisions = decisions(model);
    let mut schedule = Schedule::new(model);
    bencher
        .counter(ItemsCount::new(decisions.len()))
        .bench_local(|| decisions.iter().map(|places| schedule.cost_of(model, black_box(places))).sum::<f64>());
}

/// Tasks and places.
const SIZES: [(usize, usize); 5] = [(20, 2), (20, 3), (50, 2), (250, 4), (10_000, 2)];

#[divan::bench(args = SIZES)]
fn scheduled_tasks(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    costs(bencher, &problem(tasks, places, Rules::default()));
}

#[divan::bench(args = SIZES)]
fn scheduled_edges(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    costs(bencher, &problem(tasks, places, Rules { transfer: Transfer::Edge, ..Rules::default() }));
}

#[divan::bench(args = SIZES)]
fn serial_edges(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    let rules = Rules { transfer: Transfer::Edge, timing: Timing::Serial, ..Rules::default() };
    costs(bencher, &problem(tasks, places, rules));
}

/// The energy of an idle device counts.
#[divan::bench(args = SIZES)]
fn scheduled_tasks_with_energy(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    costs(bencher, &problem(tasks, places, Rules { weights: Weights::from_alpha(0.5), ..Rules::default() }));
}

/// A schedule built task by task, as branch and bound and greedy rules do.
#[divan::bench(args = SIZES)]
fn scheduled_tasks_pushed(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    let model = problem(tasks, places, Rules::default());
    let decisions = decisions(&model);
    let mut schedule = Schedule::new(&model);
    bencher.counter(ItemsCount::new(decisions.len())).bench_local(|| {
        let mut sum = 0.0;
        for places in &decisions {
            schedule.fill(&model, black_box(places));
            sum += schedule.cost(&model);
        }
        sum
    });
}

/// The costs of moving each task in turn to each other place.
fn moves(bencher: Bencher<'_, '_>, model: &GraphModel, with_limit: bool) {
    let mut schedule = IncrementalSchedule::new(model, &decisions(model)[0]);
    let limit = if with_limit { schedule.cost() } else { f64::INFINITY };
    bencher.counter(ItemsCount::new(model.tasks() * model.places())).bench_local(|| {
        let mut best = f64::INFINITY;
        for task in (0..model.tasks() as u32).rev() {
            for place in 0..model.places() as u8 {
                best = best.min(schedule.cost_of_moves(black_box(&[(task, place)]), limit));
            }
        }
        best
    });
}

#[divan::bench(args = &SIZES[..4])]
fn scheduled_moves(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    moves(bencher, &problem(tasks, places, Rules::default()), false);
}

#[divan::bench(args = &SIZES[..4])]
fn scheduled_moves_below_the_cost(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    moves(bencher, &problem(tasks, places, Rules::default()), true);
}

#[divan::bench(args = &SIZES[..4])]
fn serial_moves(bencher: Bencher<'_, '_>, (tasks, places): (usize, usize)) {
    let rules = Rules { transfer: Transfer::Edge, timing: Timing::Serial, ..Rules::default() };
    moves(bencher, &problem(tasks, places, rules), false);
}
