//! Task graphs: applications, their costs, generators and scenario files, as a user of the library meets them.

mod applications;
mod costs;
mod generators;
mod golden;
mod incremental;
mod reference;
mod scenarios;

use std::sync::Arc;

use proptest::prelude::*;
use rand::Rng;
use sim::graph::{
    Application, Downlinks, GraphEdge, GraphModel, GraphServer, GraphTask, Limits, Link, Machine, OrderRule, Rules,
    System, Timing, Transfer, Weights,
};
use sim::random;

fn task(name: &str, instructions: f64) -> GraphTask {
    GraphTask { name: name.to_owned(), instructions, ..GraphTask::default() }
}

fn edge(from: u32, to: u32, bytes: f64) -> GraphEdge {
    GraphEdge { from, to, bytes }
}

fn machine(instructions_per_s: f64) -> Machine {
    Machine { instructions_per_s, memory_bytes_per_s: None }
}

fn link(up_bytes_per_s: f64, down_bytes_per_s: f64) -> Link {
    Link { up_bytes_per_s, down_bytes_per_s, send_w: 1.3, receive_w: 1.0, price_per_byte: 0.0, is_own: false }
}

fn server(name: &str, instructions_per_s: f64, link: Link) -> GraphServer {
    GraphServer { name: name.to_owned(), machine: machine(instructions_per_s), energy_per_instruction_j: 0.0, link }
}

fn system(instructions_per_s: f64, servers: Vec<GraphServer>) -> System {
    System { device: machine(instructions_per_s), compute_w: 0.9, idle_w: 0.3, servers }
}

fn model(application: Application, system: System, rules: Rules) -> GraphModel {
    GraphModel::new(Arc::new(application), Arc::new(system), rules).expect("valid")
}

/// What a random problem looks like.
#[derive(Debug, Clone, Copy)]
struct Shape {
    tasks: usize,
    servers: usize,
    /// The chance of an edge between two tasks.
    density: f64,
    timing: Timing,
    transfer: Transfer,
    downlinks: Downlinks,
    alpha: f64,
    seed: u64,
}

/// Shapes of every combination of rules.
fn shapes(most_tasks: usize) -> impl Strategy<Value = Shape> {
    let timing = prop_oneof![Just(Timing::Serial), Just(Timing::Scheduled)];
    let transfer = prop_oneof![Just(Transfer::Task), Just(Transfer::Edge)];
    let downlinks = prop_oneof![Just(Downlinks::Parallel), Just(Downlinks::Queued)];
    let alpha = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64];
    ((1..=most_tasks, 0..4_usize, 0.0..0.8_f64), (timing, transfer, downlinks), alpha, any::<u64>()).prop_map(
        |((tasks, servers, density), (timing, transfer, downlinks), alpha, seed)| Shape {
            tasks,
            servers,
            density,
            timing,
            transfer,
            downlinks,
            alpha,
            seed,
        },
    )
}

/// A number between two, all orders of magnitude equally likely.
fn between(random: &mut impl Rng, smallest: f64, largest: f64) -> f64 {
    smallest * (largest / smallest).powf(random::unit(random))
}

/// Tasks with random work and random data between them. Some sizes are 0.
fn random_application(shape: Shape, random: &mut impl Rng) -> Application {
    let mut size = |smallest, largest| {
        if random::unit(random) < 0.1 { 0.0 } else { between(random, smallest, largest) }
    };
    let mut tasks: Vec<GraphTask> = (0..shape.tasks)
        .map(|index| GraphTask {
            name: format!("t{index}"),
            instructions: size(1e8, 1e10),
            send_bytes: size(1e5, 1e7),
            result_bytes: Some(size(1e4, 1e7)),
            weights_bytes: size(1e5, 1e9),
            ..GraphTask::default()
        })
        .collect();
    for task in &mut tasks {
        task.result_bytes = task.result_bytes.filter(|_| random::unit(random) < 0.7);
    }
    let mut numbers: Vec<u32> = (0..shape.tasks as u32).collect();
    random::shuffle(random, &mut numbers);
    let mut edges = Vec::new();
    for to in 0..shape.tasks {
        for from in 0..to {
            if random::unit(random) < shape.density {
                edges.push(edge(numbers[from], numbers[to], between(random, 1e5, 1e7)));
            }
        }
    }
    Application::new(tasks, edges).expect("valid")
}

/// A system with random rates, some servers with a link of their own.
fn random_system(shape: Shape, random: &mut impl Rng) -> System {
    let server = |index: usize, random: &mut _| GraphServer {
        name: format!("server-{index}"),
        machine: Machine {
            instructions_per_s: between(random, 1e9, 1e11),
            memory_bytes_per_s: (random::unit(random) < 0.5).then(|| between(random, 1e8, 1e11)),
        },
        energy_per_instruction_j: if random::unit(random) < 0.5 { 0.0 } else { between(random, 1e-10, 1e-9) },
        link: Link {
            up_bytes_per_s: between(random, 1e5, 1e8),
            down_bytes_per_s: between(random, 1e5, 1e8),
            send_w: between(random, 0.1, 2.0),
            receive_w: between(random, 0.1, 2.0),
            price_per_byte: between(random, 1e-9, 1e-6),
            is_own: random::unit(random) < 0.4,
        },
    };
    System {
        device: Machine { instructions_per_s: between(random, 1e8, 1e10), memory_bytes_per_s: Some(1e9) },
        compute_w: 0.9,
        idle_w: if random::unit(random) < 0.5 { 0.0 } else { 0.3 },
        servers: (0..shape.servers).map(|index| server(index, random)).collect(),
    }
}

fn rules(shape: Shape) -> Rules {
    Rules {
        timing: shape.timing,
        transfer: shape.transfer,
        order: if shape.seed.is_multiple_of(2) { OrderRule::UpwardRank } else { OrderRule::Given },
        downlinks: shape.downlinks,
        weights: Weights {
            price: if shape.seed.is_multiple_of(3) { 2.0 } else { 0.0 },
            ..Weights::from_alpha(shape.alpha)
        },
        limits: Limits::default(),
    }
}

fn random_model(shape: Shape) -> GraphModel {
    let mut random = random::stream(shape.seed, "graphs of tests");
    let application = random_application(shape, &mut random);
    let system = random_system(shape, &mut random);
    model(application, system, rules(shape))
}

fn random_places(model: &GraphModel, random: &mut impl Rng) -> Vec<u8> {
    (0..model.tasks()).map(|_| random::below(random, model.places()) as u8).collect()
}

/// Asserts that two numbers are equal but for rounding.
#[track_caller]
fn assert_close(a: f64, b: f64) {
    assert!(a == b || (a - b).abs() <= 1e-11 * a.abs().max(b.abs()), "{a} is not {b}");
}
