//! Applications drawn at random.

use proptest::prelude::*;
use sim::graph::{Application, Called, Generator, Growth, Layered, TaskCount, Values};
use sim::random;
use sim::scenario::Range;

fn uniform(min: f64, max: f64) -> Values {
    Values::Range(Range::Uniform { min, max })
}

fn layered(tasks: TaskCount, width: f64, density: f64, regularity: f64) -> Layered {
    Layered {
        tasks,
        width: Values::Fixed(width),
        density: Values::Fixed(density),
        regularity,
        result_mb: uniform(5.0, 50.0),
        ratio: Values::OneOf { values: vec![0.3, 0.4, 0.5] },
        instructions_per_byte: 1000.0,
    }
}

fn called(growth: Growth, tasks: usize) -> Application {
    let megacycles = Values::Range(Range::LogUniform { min: 10.0, max: 1000.0 });
    let called = Called { growth, tasks: TaskCount::Fixed(tasks), megacycles, data_mb: uniform(1.0, 2.0) };
    Generator::Called(called).draw(&mut random::stream(3, "called"))
}

/// The layer of each task: the length of the longest path to it.
fn depths(application: &Application) -> Vec<usize> {
    let mut depths = vec![0; application.len()];
    for &task in application.topological() {
        let before = application.incoming(task as usize).iter().map(|edge| depths[edge.task as usize] + 1);
        depths[task as usize] = before.max().unwrap_or(0);
    }
    depths
}

proptest! {
    #[test]
    fn layered_graphs_have_the_layers_that_were_asked_for(
        tasks in 1..80_usize, width in 0.0..=1.0_f64, density in 0.0..=1.0_f64, regularity in 0.0..=1.0_f64, seed in any::<u64>(),
    ) {
        let generator = Generator::Layered(layered(TaskCount::Fixed(tasks), width, density, regularity));
        let application = generator.draw(&mut random::stream(seed, "layered"));
        prop_assert_eq!(application.len(), tasks);
        let depths = depths(&application);
        prop_assert!(depths.is_sorted(), "tasks are numbered layer by layer: {:?}", depths);
        let mean = (tasks as f64).powf(width).floor();
        let sizes: Vec<usize> = depths.chunk_by(|a, b| a == b).map(<[usize]>::len).collect();
        for (index, &size) in sizes.iter().enumerate() {
            let is_last = index + 1 == sizes.len();
            let least = (mean * regularity).floor().max(1.0);
            let most = (mean * (2.0 - regularity)).max(1.0);
            prop_assert!((is_last || size as f64 >= least) && size as f64 <= most, "{} of {:?}", size, sizes);
        }
        for task in 0..tasks {
            let parents = application.incoming(task);
            if depths[task] > 0 {
                let before = sizes[depths[task] - 1];
                prop_assert!(parents.iter().all(|edge| depths[edge.task as usize] + 1 == depths[task]));
                prop_assert!(!parents.is_empty() && parents.len() as f64 <= 1.0 + density * before as f64);
            }
            let work = &application.tasks()[task];
            let result = work.result_bytes.expect("given");
            prop_assert!((5e6..=50e6).contains(&result));
            prop_assert!(application.outgoing(task).iter().all(|edge| edge.bytes == result));
            let first = &application.tasks()[0];
            let ratio = result / work.send_bytes;
            prop_assert!((ratio - first.result_bytes.expect("given") / first.send_bytes).abs() < 1e-12);
            prop_assert!((work.instructions - 1000.0 * work.send_bytes).abs() <= 1e-9 * work.instructions);
        }
    }
}

#[test]
fn the_same_stream_draws_the_same_graph() {
    let generator = Generator::Layered(layered(TaskCount::Between(5, 30), 0.5, 0.5, 0.5));
    let draw = |seed| generator.draw(&mut random::stream(seed, "again"));
    assert_eq!(draw(4), draw(4));
    assert_ne!(draw(4), draw(5));
    let counts: Vec<usize> = (0..300).map(|seed| draw(seed).len()).collect();
    assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&5), Some(&30)));
}

#[test]
fn chains_and_trees_have_one_edge_to_each_task_but_the_first() {
    for growth in [Growth::Chain, Growth::Tree] {
        let application = called(growth, 50);
        assert_eq!(application.edges().len(), 49);
        assert!((1..50).all(|task| application.incoming(task).len() == 1));
        let depth = depths(&application).into_iter().max().expect("not empty");
        assert_eq!(depth == 49, growth == Growth::Chain);
    }
}

#[test]
fn call_graphs_have_a_tree_and_the_density_that_was_asked_for() {
    let application = called(Growth::CallGraph { density: 0.2 }, 100);
    assert!((1..100).all(|task| !application.incoming(task).is_empty()));
    let expected = 99.0 + 0.2 * (100.0 * 99.0 / 2.0 - 99.0);
    assert!((application.edges().len() as f64 - expected).abs() < 120.0, "{}", application.edges().len());
    assert_eq!(called(Growth::CallGraph { density: 1.0 }, 30).edges().len(), 30 * 29 / 2);
    for (task, work) in application.tasks().iter().enumerate() {
        let sum = |edges: &[sim::graph::Neighbour]| edges.iter().map(|edge| edge.bytes).sum::<f64>();
        assert!((work.send_bytes - sum(application.incoming(task))).abs() < 1e-3);
        assert!((work.result_bytes.expect("given") - sum(application.outgoing(task))).abs() < 1e-3);
    }
}
