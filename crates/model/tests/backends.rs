//! Every backend that is built in against the fused kernels on the CPU: the same logits, the same decisions, the same
//! training, records that travel.
//!
//! `cargo test -p model --features ndarray,wgpu --test backends`; needs a graphics adapter, which Mesa's lavapipe is in
//! software.

use std::path::Path;

use burn::tensor::Device;
use data::StandardSet;
use model::fleet::{self, Instance};
use model::{
    Adam, Backend, DeviceKind, DnnNetworks, Ensemble, Head, NetworkShape, Policy, Record, Samples, Selection,
    available, forward, learner,
};
use sim::Scenario;
use sim::random::{self, Stream};
use sim::scheme::Scheme;

const NETWORKS: usize = 3;
const BATCH: usize = 37;
const ROWS: usize = 100;

/// The CPU first, and at least one adapter among the others: a test that compares nothing must not pass.
fn backends() -> (Backend, Vec<Backend>) {
    let (flex, others): (Vec<_>, Vec<_>) = available().into_iter().partition(|backend| backend.name == "flex");
    let adapters =
        others.iter().filter(|other| matches!(other.kind, DeviceKind::Gpu | DeviceKind::SoftwareGpu)).count();
    assert!(adapters > 0, "no graphics adapter; Debian's mesa-vulkan-drivers has one in software");
    (flex.into_iter().next().expect("built in by default"), others)
}

fn row(shape: &NetworkShape, random: &mut Stream) -> (Vec<f32>, Vec<f32>) {
    let inputs = (0..shape.inputs).map(|_| random::unit(random) as f32 * 4.0 - 2.0).collect();
    let targets = (0..shape.outputs).map(|_| [0.0, 1.0, model::DONT_CARE][random::below(random, 3)]).collect();
    (inputs, targets)
}

fn places(shape: &NetworkShape, places: usize, random: &mut Stream) -> (Vec<f32>, Vec<f32>) {
    let (inputs, _) = row(shape, random);
    let one_of = |_| {
        let (chosen, is_left_out) = (random::below(random, places), random::below(random, 4) == 0);
        let target = move |place| f32::from(u8::from(place == chosen));
        (0..places).map(move |place| if is_left_out { model::DONT_CARE } else { target(place) })
    };
    (inputs, (0..shape.outputs / places).flat_map(one_of).collect())
}

fn draw(shape: &NetworkShape, head: Head, random: &mut Stream) -> (Vec<f32>, Vec<f32>) {
    match head {
        Head::Sigmoid => row(shape, random),
        Head::Softmax { classes: count } => places(shape, count, random),
    }
}

/// Losses of 50 steps on drawn batches, the oldest sample being replaced before every step.
fn losses(backend: &Backend, shape: &NetworkShape, head: Head, batch: usize) -> Vec<f32> {
    let mut random = random::stream(7, "backends");
    let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, ROWS);
    for _ in 0..ROWS {
        let (inputs, targets) = draw(shape, head, &mut random);
        samples.push(&inputs, &targets);
    }
    let start = Ensemble::random(shape, NETWORKS, 1, &backend.device);
    let mut learner = learner(&start, head, Adam::with_learning_rate(0.003), &backend.device);
    let mut all = Vec::new();
    for step in 0..50 {
        let (inputs, targets) = draw(shape, head, &mut random);
        samples.replace(step % ROWS, &inputs, &targets);
        let indices: Vec<u32> = (0..NETWORKS * batch).map(|_| random::below(&mut random, ROWS) as u32).collect();
        let mut of_step = Vec::new();
        learner.step(&samples, &indices, Some(&mut of_step));
        assert_eq!(of_step.len(), NETWORKS);
        all.extend(of_step);
    }
    all
}

fn training_agrees(shape: &NetworkShape, head: Head, batch: usize) {
    let (flex, others) = backends();
    let expected = losses(&flex, shape, head, batch);
    for other in &others {
        let found = losses(other, shape, head, batch);
        let differences = expected.iter().zip(&found).map(|(a, b)| (a - b).abs() / a.abs().max(1e-3));
        let worst = differences.fold(0.0, f32::max);
        println!("{}: losses within {worst:.1e}", other.name);
        assert!(worst < 1e-4, "losses on {} differ by {worst} of themselves", other.name);
    }
}

#[test]
fn fifty_steps_have_the_same_losses_with_indicators() {
    training_agrees(&NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 }, Head::Sigmoid, BATCH);
}

#[test]
fn fifty_steps_have_the_same_losses_with_places() {
    training_agrees(&NetworkShape { inputs: 6, hidden: vec![19], outputs: 24 }, Head::Softmax { classes: 4 }, BATCH);
}

/// Matrices of one column or one row, which some kernels of graphics adapters mistake for vectors.
#[test]
fn fifty_steps_have_the_same_losses_at_the_smallest_widths() {
    training_agrees(&NetworkShape { inputs: 2, hidden: vec![1, 3, 1], outputs: 4 }, Head::Sigmoid, BATCH);
    training_agrees(&NetworkShape { inputs: 1, hidden: vec![], outputs: 2 }, Head::Sigmoid, 1);
}

fn networks(path: &Path, device: &Device) -> DnnNetworks {
    let record = Record::load(path, device).expect("a record");
    record.networks_of::<DnnNetworks>("DNNs", path).expect("of DNNs").clone()
}

#[test]
fn the_shipped_record_has_the_same_logits_and_decisions_everywhere() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/paper"));
    let scenario = Scenario::load("paper").expect("a preset");
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file of sizes");
    let (flex, others) = backends();
    let of = |backend: &Backend| {
        let record = networks(path, &backend.device);
        let codec = record.codec(&model);
        let mut inputs = vec![0.0; set.instances().len() * codec.inputs()];
        for (workload, row) in set.workloads().zip(inputs.chunks_exact_mut(codec.inputs())) {
            codec.encode(&model, workload.sizes_bytes(), row);
        }
        let mut logits = Vec::new();
        forward(&record.ensemble, &backend.device).logits(&inputs, &mut logits);
        let mut policy = Policy::new("mr-dro", &record.ensemble, codec, Selection::explored(6), &backend.device);
        let sizes: Vec<f64> = set.workloads().flat_map(|workload| workload.sizes_bytes().to_vec()).collect();
        let (mut places, mut evaluations) = (vec![0; sizes.len()], vec![0; set.instances().len()]);
        policy.decide_batch(&model, &sizes, &mut places, &mut evaluations).expect("the record fits");
        (logits, places)
    };
    let (logits, places) = of(&flex);
    for other in &others {
        let (other_logits, other_places) = of(other);
        assert_eq!(logits.len(), other_logits.len());
        let differences = logits.iter().zip(&other_logits).map(|(a, b)| (a - b).abs() / a.abs().max(1.0));
        let worst = differences.fold(0.0, f32::max);
        println!("{}: logits within {worst:.1e}", other.name);
        assert!(worst < 1e-4, "logits on {} differ by {worst}", other.name);
        assert_eq!(places, other_places, "decisions on {}", other.name);
    }
}

#[test]
fn records_written_on_one_backend_are_the_same_bytes_and_load_on_every_other() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/paper"));
    let (flex, others) = backends();
    let folder = tempfile::tempdir().expect("a place for temporary files");
    let shipped = std::fs::read(path.join("weights.bpk")).expect("it ships with the project");
    let expected = networks(path, &flex.device).ensemble.to_host();
    for (index, other) in others.iter().enumerate() {
        let record = Record::load(path, &other.device).expect("it ships with the project");
        let copy = folder.path().join(index.to_string());
        record.save(&copy).expect("there is room");
        assert_eq!(std::fs::read(copy.join("weights.bpk")).expect("just written"), shipped, "{}", other.name);
        let back = networks(&copy, &flex.device);
        assert_eq!(back.ensemble.to_host(), expected, "{}", other.name);
    }
}

#[test]
fn one_learner_goes_on_from_where_another_device_stopped() {
    let (flex, others) = backends();
    let shape = NetworkShape { inputs: 9, hidden: vec![24], outputs: 18 };
    let mut random = random::stream(8, "backends");
    let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, ROWS);
    for _ in 0..ROWS {
        let (inputs, targets) = row(&shape, &mut random);
        samples.push(&inputs, &targets);
    }
    let indices: Vec<u32> = (0..NETWORKS * BATCH).map(|_| random::below(&mut random, ROWS) as u32).collect();
    let start = Ensemble::random(&shape, NETWORKS, 1, &flex.device);
    for other in &others {
        let mut there = learner(&start, Head::Sigmoid, Adam::default(), &other.device);
        there.step(&samples, &indices, None);
        let mut here = learner(&start, Head::Sigmoid, Adam::default(), &flex.device);
        here.restart(&there.ensemble());
        let (mut after, mut there_after) = (Vec::new(), Vec::new());
        here.step(&samples, &indices, Some(&mut after));
        there.step(&samples, &indices, Some(&mut there_after));
        for (here, there) in after.iter().zip(&there_after) {
            assert!((here - there).abs() < 1e-4 * here, "{here} and {there} on {}", other.name);
        }
    }
}

#[test]
fn networks_for_any_fleet_score_and_learn_alike_everywhere() {
    let (flex, others) = backends();
    let model = Scenario::load("shared-edges").expect("a preset").check().expect("valid");
    let sizes_bytes: Vec<f64> = (0..9).map(|task| 1e7 + 1.7e6 * f64::from(task)).collect();
    let instance = Instance::new(&model, &sizes_bytes);
    let run = |backend: &Backend| {
        let net = fleet::Network::random(fleet::Shape { width: 5, rounds: 2 }, 0, 3, &backend.device);
        let scores = net.scores(&instance, None);
        let mut learner = fleet::Learner::new(&net, &backend.device);
        let label = [1, 2, 3, 0, 1, 2, 3, 0, 4];
        let mut step = || learner.step(&[fleet::Case { instance: &instance, start: None, label: &label }], 0.003);
        let losses: Vec<f32> = (0..5).map(|_| step()).collect();
        (scores, losses)
    };
    let (expected, losses) = run(&flex);
    assert!(losses[4] < losses[0], "{losses:?}");
    for other in &others {
        let (scores, found) = run(other);
        for (score, expected) in scores.iter().zip(&expected).chain(found.iter().zip(&losses)) {
            assert!((score - expected).abs() < 1e-3, "{}: {score} instead of {expected}", other.name);
        }
    }
}
