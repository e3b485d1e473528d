//! Training steps and decisions of the default ensemble (K = 8, 9-120-80-18): `cargo bench -p model`.

#![expect(unsafe_code, reason = "the product of matrices that steps are compared with takes pointers")]

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use model::dnn::{CpuLearner, PlainLearner};
use model::{Adam, Codec, DeviceChoice, Ensemble, Head, Learner, NetworkShape, Policy, Samples, Selection};
use sim::scheme::Scheme;
use sim::{CostModel, Scenario, Workload, random};

const NETWORKS: usize = 8;
const BATCH: usize = 128;
const ROWS: usize = 1400;

fn main() {
    divan::main();
}

/// Devices and tasks of fleets from 9 to 900 tasks.
const FLEETS: [(usize, usize); 5] = [(3, 3), (10, 3), (30, 3), (30, 10), (30, 30)];

fn device() -> Device {
    DeviceChoice::Flex.open().expect("built in by default").device
}

/// An ensemble for workloads of `tasks` tasks, its training examples, and a batch for each network.
fn lesson(tasks: usize, networks: usize, batch: usize) -> (Ensemble, Samples, Vec<u32>) {
    let shape = NetworkShape { inputs: tasks, hidden: vec![120, 80], outputs: 2 * tasks };
    let mut random = random::stream(1, "bench");
    let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, ROWS);
    for _ in 0..ROWS {
        let inputs: Vec<f32> = (0..shape.inputs).map(|_| random::unit(&mut random) as f32 * 3.4 - 1.7).collect();
        let targets: Vec<f32> = (0..shape.outputs).map(|_| random::below(&mut random, 3) as f32 - 1.0).collect();
        samples.push(&inputs, &targets);
    }
    let indices = (0..networks * batch).map(|_| random::below(&mut random, ROWS) as u32).collect();
    (Ensemble::random(&shape, networks, 1, &device()), samples, indices)
}

fn step(bencher: Bencher<'_, '_>, mut learner: impl Learner, samples: &Samples, indices: &[u32]) {
    bencher.bench_local(|| learner.step(black_box(samples), black_box(indices), None));
}

fn fused_step(bencher: Bencher<'_, '_>, tasks: usize, networks: usize, batch: usize) {
    let (ensemble, samples, indices) = lesson(tasks, networks, batch);
    step(bencher, CpuLearner::new(&ensemble, Head::Sigmoid, Adam::default()), &samples, &indices);
}

/// The network part of a training step: forward, backward, Adam; 72 MFLOP.
#[divan::bench(sample_count = 1000)]
fn network_step_fused(bencher: Bencher<'_, '_>) {
    fused_step(bencher, 9, NETWORKS, BATCH);
}

#[divan::bench(sample_count = 100)]
fn network_step_plain_burn(bencher: Bencher<'_, '_>) {
    let (ensemble, samples, indices) = lesson(9, NETWORKS, BATCH);
    let learner = PlainLearner::new(&ensemble, Head::Sigmoid, Adam::default(), &device());
    step(bencher, learner, &samples, &indices);
}

#[divan::bench(sample_count = 200, args = [1, 2, 4, 8, 16, 32, 64])]
fn network_step_over_k(bencher: Bencher<'_, '_>, networks: usize) {
    fused_step(bencher, 9, networks, BATCH);
}

#[divan::bench(sample_count = 200, args = FLEETS)]
fn network_step_over_fleet(bencher: Bencher<'_, '_>, (devices, tasks): (usize, usize)) {
    fused_step(bencher, devices * tasks, NETWORKS, BATCH);
}

#[divan::bench(sample_count = 200, args = [16, 32, 64, 128, 256, 512])]
fn network_step_over_batch(bencher: Bencher<'_, '_>, batch: usize) {
    fused_step(bencher, 9, NETWORKS, batch);
}

/// The yardstick: a matrix product of 512 x 512 x 512 with the `gemm` crate, 268 MFLOP, on every thread.
#[divan::bench(sample_count = 300)]
fn gemm_512(bencher: Bencher<'_, '_>) {
    const N: usize = 512;
    const STRIDE: isize = 512;
    let (left, right) = (vec![0.5_f32; N * N], vec![0.25_f32; N * N]);
    let mut product = vec![0.0_f32; N * N];
    let threads = gemm::Parallelism::Rayon(0);
    bencher.bench_local(|| {
        let (left, right) = (black_box(left.as_ptr()), black_box(right.as_ptr()));
        // SAFETY: three matrices of N x N, row-major.
        unsafe {
            gemm::gemm(
                N,
                N,
                N,
                product.as_mut_ptr(),
                1,
                STRIDE,
                false,
                left,
                1,
                STRIDE,
                right,
                1,
                STRIDE,
                0.0,
                1.0,
                false,
                false,
                false,
                threads,
            );
        }
    });
}

fn policy(
    (devices, tasks): (usize, usize),
    networks: usize,
    selection: Selection,
) -> (Policy, CostModel, Vec<Workload>) {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.devices.count = devices;
    scenario.tasks.per_device = tasks;
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![120, 80], outputs: codec.outputs() };
    let ensemble = Ensemble::random(&shape, networks, 1, &device());
    let policy = Policy::new("bench", &ensemble, codec, selection, &device());
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(1, "bench workloads"));
    (policy, model, (0..4096).map(|_| source.draw().workload).collect())
}

/// One decision after the other, each for another workload.
fn decide_singly(bencher: Bencher<'_, '_>, (mut policy, model, workloads): (Policy, CostModel, Vec<Workload>)) {
    let mut places = vec![0; model.task_count()];
    let mut workloads = workloads.iter().cycle();
    bencher.bench_local(|| {
        let workload = workloads.next().expect("endless");
        policy.decide_into(&model, black_box(workload.sizes_bytes()), &mut places).expect("of one shape")
    });
}

/// `count` decisions at once.
fn decide_at_once(
    bencher: Bencher<'_, '_>,
    (mut policy, model, workloads): (Policy, CostModel, Vec<Workload>),
    count: usize,
) {
    let sizes: Vec<f64> = workloads[..count].iter().flat_map(|workload| workload.sizes_bytes().to_vec()).collect();
    let (mut places, mut evaluations) = (vec![0; sizes.len()], vec![0; count]);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        policy.decide_batch(&model, black_box(&sizes), &mut places, &mut evaluations).expect("of one shape");
    });
}

#[divan::bench(sample_count = 5000, sample_size = 1)]
fn one_decision_threshold(bencher: Bencher<'_, '_>) {
    decide_singly(bencher, policy((3, 3), NETWORKS, Selection::PAPER));
}

#[divan::bench(sample_count = 5000, sample_size = 1)]
fn one_decision_explored(bencher: Bencher<'_, '_>) {
    decide_singly(bencher, policy((3, 3), NETWORKS, Selection::explored(6)));
}

#[divan::bench(sample_count = 500, sample_size = 1, args = [1, 2, 4, 8, 16, 32, 64])]
fn one_decision_over_k(bencher: Bencher<'_, '_>, networks: usize) {
    decide_singly(bencher, policy((3, 3), networks, Selection::PAPER));
}

#[divan::bench(sample_count = 500, sample_size = 1, args = FLEETS)]
fn one_decision_over_fleet(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    decide_singly(bencher, policy(fleet, NETWORKS, Selection::PAPER));
}

#[divan::bench(sample_count = 300, args = [16, 64, 512, 4096])]
fn decisions_at_once_threshold(bencher: Bencher<'_, '_>, count: usize) {
    decide_at_once(bencher, policy((3, 3), NETWORKS, Selection::PAPER), count);
}

#[divan::bench(sample_count = 100, args = [512, 4096])]
fn decisions_at_once_explored(bencher: Bencher<'_, '_>, count: usize) {
    decide_at_once(bencher, policy((3, 3), NETWORKS, Selection::explored(6)), count);
}
