//! Forward passes of networks for any fleet: `cargo bench -p model --bench fleet`.

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use divan::{Bencher, black_box};
use model::DeviceChoice;
use model::fleet::{Features, Forward, INPUTS, Instance, Network, Scratch, Shape};
use sim::{Fleets, random};

const SHAPE: Shape = Shape { width: 24, rounds: 4 };

/// Devices and tasks of fleets with three edge servers and a cloud.
const FLEETS: [(usize, usize); 3] = [(3, 3), (10, 10), (50, 10)];

fn main() {
    divan::main();
}

fn device() -> Device {
    DeviceChoice::Flex.open().expect("built in by default").device
}

/// An instance whose edge servers are shared.
fn instance((devices, tasks): (usize, usize)) -> Instance {
    let mut stream = random::stream(1, "bench");
    let mut scenario = Fleets::default().draw_shaped(devices, tasks, 3, &mut stream);
    scenario.servers[..3].iter_mut().for_each(|server| server.sharing = sim::scenario::Sharing::Shared);
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let model = scenario.check().expect("valid");
    let mut source = Workloads::new(&model, sampler, Part::HeldOut, random::stream(1, "bench sizes"));
    Instance::new(&model, source.draw().workload.sizes_bytes())
}

fn forward(bencher: Bencher<'_, '_>, fleet: (usize, usize), shape: Shape) {
    let forward = Forward::new(&Network::random(shape, 0, 1, &device()));
    let (instance, mut scratch) = (instance(fleet), Scratch::default());
    let mut decision = vec![0; instance.task_count()];
    bencher.bench_local(|| forward.pass(black_box(&instance), &mut scratch, None, black_box(&mut decision)));
}

#[divan::bench(sample_count = 500, args = FLEETS)]
fn pass(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    forward(bencher, fleet, SHAPE);
}

/// A pass with one hidden unit: most of its time goes into features and softened scores.
#[divan::bench(sample_count = 500, args = FLEETS)]
fn pass_of_one_unit(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    forward(bencher, fleet, Shape { width: 1, ..SHAPE });
}

#[divan::bench(sample_count = 500, args = [1, 2, 3, 4])]
fn pass_over_rounds(bencher: Bencher<'_, '_>, rounds: usize) {
    forward(bencher, (50, 10), Shape { rounds, ..SHAPE });
}

/// The inputs of one round as the learner takes them, row by row.
#[divan::bench(sample_count = 500, args = FLEETS)]
fn features(bencher: Bencher<'_, '_>, fleet: (usize, usize)) {
    let (instance, mut features) = (instance(fleet), Features::default());
    let shares = vec![1.0 / instance.places() as f32; instance.places() * instance.task_count()];
    let mut inputs = vec![0.0; shares.len() * INPUTS];
    bencher.bench_local(|| features.write_rows(black_box(&instance), black_box(&shares), &mut inputs));
}
