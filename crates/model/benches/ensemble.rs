//! Training steps and decisions of the default ensemble (K = 8, 9-120-80-18): `cargo bench -p model`.

use burn::tensor::Device;
use divan::{Bencher, black_box};
use model::cpu::CpuLearner;
use model::plain::PlainLearner;
use model::{Adam, Codec, DeviceChoice, Ensemble, Head, Learner, NetworkShape, Policy, Samples, Selection};
use sim::scheme::Scheme;
use sim::{CostModel, Scenario, SizeSampler, StandardSet, random};

const DNNS: usize = 8;
const BATCH: usize = 128;
const ROWS: usize = 1400;

fn main() {
    divan::main();
}

fn shape() -> NetworkShape {
    NetworkShape { inputs: 9, hidden: vec![120, 80], outputs: 18 }
}

fn device() -> Device {
    DeviceChoice::Flex.open().expect("built in by default").device
}

fn samples() -> (Samples, Vec<u32>) {
    let mut random = random::stream(1, "bench");
    let mut samples = Samples::with_capacity(9, 18, ROWS);
    for _ in 0..ROWS {
        let inputs: Vec<f32> = (0..9).map(|_| random::unit(&mut random) as f32 * 2.0 - 1.0).collect();
        let targets: Vec<f32> = (0..18).map(|_| f32::from(u8::from(random::unit(&mut random) < 0.5))).collect();
        samples.push(&inputs, &targets);
    }
    let indices = (0..DNNS * BATCH).map(|_| random::below(&mut random, ROWS) as u32).collect();
    (samples, indices)
}

fn step(bencher: Bencher<'_, '_>, mut learner: impl Learner) {
    let (samples, indices) = samples();
    bencher.bench_local(|| learner.step(black_box(&samples), black_box(&indices), None));
}

#[divan::bench(sample_count = 1000)]
fn training_step_fused(bencher: Bencher<'_, '_>) {
    let ensemble = Ensemble::random(&shape(), DNNS, 1, &device());
    step(bencher, CpuLearner::new(&ensemble, Head::Sigmoid, Adam::default(), &device()));
}

#[divan::bench(sample_count = 100)]
fn training_step_plain_burn(bencher: Bencher<'_, '_>) {
    let ensemble = Ensemble::random(&shape(), DNNS, 1, &device());
    step(bencher, PlainLearner::new(&ensemble, Head::Sigmoid, Adam::default(), &device()));
}

fn policy(selection: Selection) -> (Policy, CostModel, StandardSet) {
    let scenario = Scenario::load("paper").expect("a preset");
    let model = scenario.check().expect("valid");
    let moments = SizeSampler::new(&scenario).expect("no file").moments();
    let codec = Codec::new(Codec::default_code(&model), &model, moments.into()).expect("three places");
    let ensemble = Ensemble::random(&shape(), DNNS, 1, &device());
    let policy = Policy::new("bench", &ensemble, codec, selection, &device());
    let set = StandardSet::of(&scenario, &model).expect("no file");
    (policy, model, set)
}

#[divan::bench(sample_count = 1000)]
fn one_decision_threshold(bencher: Bencher<'_, '_>) {
    let (mut policy, model, set) = policy(Selection::PAPER);
    bencher.bench_local(|| policy.decide(&model, black_box(&set.workloads()[0])));
}

#[divan::bench(sample_count = 1000)]
fn one_decision_explored(bencher: Bencher<'_, '_>) {
    let (mut policy, model, set) = policy(Selection::explored(6));
    bencher.bench_local(|| policy.decide(&model, black_box(&set.workloads()[0])));
}

#[divan::bench(sample_count = 1000)]
fn decisions_512_threshold(bencher: Bencher<'_, '_>) {
    let (mut policy, model, set) = policy(Selection::PAPER);
    bencher.bench_local(|| policy.decide_all(&model, black_box(set.workloads())));
}
