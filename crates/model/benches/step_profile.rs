//! Where the time of a training step goes, for one network of the default ensemble on one thread:
//! `cargo bench -p model --bench step_profile`.

use std::time::Duration;

use model::fused::{Adam, Ensemble, Head, Kernel, Layer, NetTrainer, Phase, Samples, Shape};
use sim::random;

const WIDTHS: [usize; 4] = [9, 120, 80, 18];
const BATCH: usize = 128;
const ROWS: usize = 1400;
const STEPS: usize = 200;
const REPETITIONS: usize = 25;

fn main() {
    let shape = Shape::new(1, &WIDTHS);
    let mut random = random::stream(1, "profile");
    let mut numbers = |count: usize, low: f32, high: f32| -> Vec<f32> {
        (0..count).map(|_| low + (high - low) * random::unit(&mut random) as f32).collect()
    };
    let inputs = numbers(ROWS * WIDTHS[0], -1.7, 1.7);
    let targets: Vec<f32> = numbers(ROWS * WIDTHS[3], -1.5, 1.5).into_iter().map(f32::round).collect();
    let indices: Vec<u32> = numbers(STEPS * BATCH, 0.0, ROWS as f32 - 0.5).into_iter().map(|row| row as u32).collect();
    let samples = Samples { inputs: &inputs, targets: &targets };
    let mut parameters: Vec<_> = shape
        .layer_sizes()
        .map(|(inputs, outputs)| {
            let bound = (inputs as f32).sqrt().recip();
            (numbers(inputs * outputs, -bound, bound), numbers(outputs, -bound, bound))
        })
        .collect();
    let mut first: Vec<_> = parameters.iter().map(|(w, b)| (vec![0.0; w.len()], vec![0.0; b.len()])).collect();
    let mut second = first.clone();
    let lend = |layers| -> Vec<Layer<'_>> {
        let layers: &mut Vec<(Vec<f32>, Vec<f32>)> = layers;
        layers.iter_mut().map(|(weight, bias)| Layer { weight, bias }).collect()
    };
    let mut ensemble = Ensemble::new(&shape, lend(&mut parameters), lend(&mut first), lend(&mut second));
    let net = &mut ensemble.nets_mut()[0];
    let mut trainer = NetTrainer::new(shape, Head::Sigmoid, Kernel::detect());
    let adam = Adam::with_learning_rate(1e-3);
    let mut runs: Vec<[Duration; Phase::ALL.len()]> = (0..REPETITIONS)
        .map(|_| {
            let profile = trainer.profile(net, samples, &indices, BATCH, &adam);
            Phase::ALL.map(|phase| profile.spent(phase) / STEPS as u32)
        })
        .collect();
    runs.sort_by_key(|run| run.iter().sum::<Duration>());
    let median = runs[REPETITIONS / 2];
    let total: Duration = median.iter().sum();
    println!("one step of one network, {WIDTHS:?}, batch {BATCH}: median of {REPETITIONS} runs of {STEPS} steps");
    for (phase, spent) in Phase::ALL.into_iter().zip(median) {
        let share = 100.0 * spent.as_secs_f64() / total.as_secs_f64();
        println!("{:<9} {:>7.2} µs {share:>5.1} %", format!("{phase:?}").to_lowercase(), 1e6 * spent.as_secs_f64());
    }
    println!("{:<9} {:>7.2} µs", "all", 1e6 * total.as_secs_f64());
}
