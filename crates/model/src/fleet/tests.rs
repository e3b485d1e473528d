use burn::tensor::{Device, Tensor, TensorData};
use sim::{Fleets, Part, SizeSampler, Workloads, random};

use super::net::BatchShape;
use super::shares::soften;
use super::{FleetForward, FleetNet, FleetScratch, FleetShape, INPUTS, Instance, Reading, undecided, whole};
use crate::DeviceChoice;
use crate::ensemble::to_vec;

fn device() -> Device {
    DeviceChoice::Flex.open().expect("built in by default").device
}

fn instance(devices: usize, tasks: usize, edges: usize, seed: u64) -> Instance {
    let scenario = Fleets::default().draw_shaped(devices, tasks, edges, &mut random::stream(seed, "fleet"));
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let mut source = Workloads::new(&scenario, sampler, Part::HeldOut, random::stream(seed, "sizes"));
    Instance::new(&scenario.check().expect("valid"), source.draw().sizes_bytes())
}

/// What the learner would say: the same inputs, through the module.
fn scores_of_module(net: &FleetNet, instance: &Instance, mut shares: Vec<f32>, device: &Device) -> Vec<f32> {
    let batch = BatchShape { cases: 1, devices: instance.devices, tasks: instance.tasks, places: instance.places };
    let (mut reading, mut known, mut host) = (Reading::default(), None, Vec::new());
    for round in 0..net.shape().rounds {
        let mut inputs = vec![0.0; shares.len() * INPUTS];
        reading.read_rows(instance, &shares, &mut inputs);
        let inputs = Tensor::<2>::from_data(TensorData::new(inputs, [shares.len(), INPUTS]), device);
        let (hidden, scores) = net.round(round, inputs, known, batch);
        known = Some(hidden);
        host = to_vec(scores);
        soften(instance, &host, &mut shares);
    }
    host
}

#[test]
fn passes_score_as_the_module_does() {
    let device = device();
    for (seed, (devices, tasks, width)) in
        [(1, 1, 8), (1, 20, 24), (3, 3, 5), (17, 3, 16), (30, 6, 9), (50, 10, 24)].into_iter().enumerate()
    {
        let net = FleetNet::random(FleetShape { width, rounds: 3 }, 0, 1, &device);
        let instance = instance(devices, tasks, 1 + seed % 3, seed as u64);
        let (forward, mut scratch) = (FleetForward::new(&net), FleetScratch::default());
        let mut shares = Vec::new();
        undecided(&instance, &mut shares);
        let expected = scores_of_module(&net, &instance, shares, &device);
        let mut decision = vec![0; instance.task_count()];
        forward.first_pass(&instance, &mut scratch, &mut decision);
        for (index, (expected, score)) in expected.iter().zip(scratch.scores()).enumerate() {
            assert!((expected - score).abs() < 1e-3, "{devices} x {tasks}, score {index}: {score}, not {expected}");
        }
    }
}

#[test]
fn what_was_decided_before_changes_no_bit() {
    let net = FleetNet::random(FleetShape { width: 24, rounds: 3 }, 0, 1, &device());
    let forward = FleetForward::new(&net);
    let (mut used, mut decisions) = (FleetScratch::default(), [Vec::new(), Vec::new()]);
    for (seed, (devices, tasks)) in [(50, 10), (3, 3), (17, 3), (1, 1), (30, 6)].into_iter().enumerate() {
        let instance = instance(devices, tasks, 1 + seed % 3, seed as u64);
        let mut new = FleetScratch::default();
        for (scratch, decision) in [&mut used, &mut new].into_iter().zip(&mut decisions) {
            decision.clear();
            decision.resize(instance.task_count(), 0);
            forward.pass(&instance, scratch, decision);
        }
        assert_eq!(decisions[0], decisions[1]);
        assert!(used.scores().iter().zip(new.scores()).all(|(a, b)| a.to_bits() == b.to_bits()));
        let mut shares = Vec::new();
        whole(&instance, &decisions[0], &mut shares);
        assert_eq!(shares.iter().sum::<f32>(), instance.task_count() as f32);
    }
}
