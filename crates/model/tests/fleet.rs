//! Networks for any fleet: the order of nothing matters, both paths agree, any number of places works.
#![cfg(feature = "flex")]
#![expect(clippy::expect_used, reason = "tests")]

use std::path::Path;

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use model::fleet::{
    Case, Ensemble, FleetNetworks, Forward, Inference, Instance, Learner, Network, Policy, Scratch, Shape,
};
use model::{DnnNetworks, Record, RecordError};
use sim::random::{self, Stream};
use sim::scenario::PerDevice;
use sim::scheme::{Exact, Greedy, Order, Scheme};
use sim::{CostModel, Fleets, Scenario, Workload};

fn search(evaluations_per_task: u64) -> Inference {
    Inference::Search { evaluations_per_task }
}

const SHAPE: Shape = Shape { width: 6, rounds: 3 };
/// Two ways to add the same numbers.
const CLOSE: f32 = 2e-3;

fn sizes_of(scenario: &Scenario, model: &CostModel, random: &mut Stream) -> Vec<f64> {
    let sampler = SizeSampler::new(scenario).expect("drawn sizes");
    let sizes = random::stream_of(3, "sizes", &[random::unit(random)]);
    let mut sizes_bytes = vec![0.0; model.task_count()];
    Workloads::new(model, sampler, Part::Training, sizes).fill(&mut sizes_bytes);
    sizes_bytes
}

/// Fleets of many shapes with their sizes.
fn fleets(count: usize) -> Vec<(Scenario, CostModel, Vec<f64>)> {
    let mut random = random::stream(11, "fleets of tests");
    (0..count)
        .map(|_| {
            let scenario = Fleets::default().draw(&mut random);
            let model = scenario.check().expect("valid");
            let sizes_bytes = sizes_of(&scenario, &model, &mut random);
            (scenario, model, sizes_bytes)
        })
        .collect()
}

fn scores(forward: &Forward, model: &CostModel, sizes_bytes: &[f64]) -> (Vec<f32>, Vec<u8>) {
    let (mut scratch, mut decision) = (Scratch::default(), vec![0; sizes_bytes.len()]);
    forward.pass(&Instance::new(model, sizes_bytes), &mut scratch, None, &mut decision);
    (scratch.scores().to_vec(), decision)
}

fn shuffled(count: usize, random: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    random::shuffle(random, &mut order);
    order
}

fn permuted(values: &PerDevice, order: &[usize]) -> PerDevice {
    PerDevice::Each(order.iter().map(|&device| values.at(device)).collect())
}

/// `task_of[t]`, `place_of[p]`: what task t and place p of the permuted fleet were called before.
fn assert_permuted(
    name: &str,
    (before, decision): &(Vec<f32>, Vec<u8>),
    (after, decided): &(Vec<f32>, Vec<u8>),
    task_of: &[usize],
    place_of: &[usize],
) {
    let count = task_of.len();
    for (task, &was) in task_of.iter().enumerate() {
        let pairs =
            place_of.iter().enumerate().map(|(place, &old)| (after[place * count + task], before[old * count + was]));
        for (after, before) in pairs.clone() {
            assert!((after - before).abs() < CLOSE, "{name}: {after} instead of {before}");
        }
        let mut sorted: Vec<f32> = pairs.map(|(after, _)| after).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let is_clear = sorted.len() < 2 || sorted[0] - sorted[1] > 2.0 * CLOSE;
        assert!(!is_clear || place_of[usize::from(decided[task])] == usize::from(decision[was]), "{name}: task {task}");
    }
}

#[test]
fn the_order_of_devices_tasks_and_servers_does_not_matter() {
    let forward = Forward::new(&Network::random(SHAPE, 0, 5, &Device::flex()));
    let mut random = random::stream(12, "permutations");
    for (scenario, model, sizes_bytes) in fleets(60) {
        let (devices, tasks, places) = (model.devices(), model.tasks(), model.places());
        let before = scores(&forward, &model, &sizes_bytes);
        let same_places: Vec<usize> = (0..places).collect();

        let order = shuffled(devices, &mut random);
        let mut changed = scenario.clone();
        changed.devices.frequency_mhz = permuted(&scenario.devices.frequency_mhz, &order);
        changed.devices.energy_per_instruction_nj = permuted(&scenario.devices.energy_per_instruction_nj, &order);
        changed.devices.uplink_mbps = permuted(&scenario.devices.uplink_mbps, &order);
        let task_of: Vec<usize> = order.iter().flat_map(|&device| device * tasks..(device + 1) * tasks).collect();
        let sizes: Vec<f64> = task_of.iter().map(|&task| sizes_bytes[task]).collect();
        let after = scores(&forward, &changed.check().expect("valid"), &sizes);
        assert_permuted("devices", &before, &after, &task_of, &same_places);

        let task_of: Vec<usize> = (0..devices)
            .flat_map(|device| shuffled(tasks, &mut random).into_iter().map(move |task| device * tasks + task))
            .collect();
        let sizes: Vec<f64> = task_of.iter().map(|&task| sizes_bytes[task]).collect();
        assert_permuted("tasks", &before, &scores(&forward, &model, &sizes), &task_of, &same_places);

        let order = shuffled(places - 1, &mut random);
        let mut changed = scenario.clone();
        changed.servers = order.iter().map(|&server| scenario.servers[server].clone()).collect();
        let place_of: Vec<usize> = std::iter::once(0).chain(order.iter().map(|&server| server + 1)).collect();
        let same_tasks: Vec<usize> = (0..sizes_bytes.len()).collect();
        let after = scores(&forward, &changed.check().expect("valid"), &sizes_bytes);
        assert_permuted("servers", &before, &after, &same_tasks, &place_of);
    }
}

#[test]
fn the_fast_path_says_what_plain_operations_say() {
    let net = Network::random(SHAPE, 1, 6, &Device::flex());
    let forward = Forward::new(&net);
    let mut random = random::stream(14, "a large fleet");
    let scenario = Fleets::default().draw_shaped(50, 10, 3, &mut random);
    let model = scenario.check().expect("valid");
    let sizes_bytes = sizes_of(&scenario, &model, &mut random);
    for (_, model, sizes_bytes) in fleets(60).into_iter().chain([(scenario, model, sizes_bytes)]) {
        let (fast, _) = scores(&forward, &model, &sizes_bytes);
        let plain = net.scores(&Instance::new(&model, &sizes_bytes), None);
        assert_eq!(fast.len(), plain.len());
        for (fast, plain) in fast.iter().zip(&plain) {
            assert!((fast - plain).abs() < CLOSE, "{fast} and {plain}");
        }
    }
}

#[test]
fn what_was_decided_before_leaves_no_trace() {
    let forward = Forward::new(&Network::random(SHAPE, 2, 7, &Device::flex()));
    let (mut scratch, mut instance) = (Scratch::default(), Instance::default());
    for (_, model, sizes_bytes) in fleets(40) {
        let mut decision = vec![0; sizes_bytes.len()];
        instance.set(&model, &sizes_bytes);
        forward.pass(&instance, &mut scratch, None, &mut decision);
        assert_eq!((scratch.scores().to_vec(), decision), scores(&forward, &model, &sizes_bytes));
    }
}

#[test]
fn any_number_of_servers_is_decided_and_places_out_of_reach_are_left_alone() {
    let ensemble = Ensemble::random(SHAPE, 2, 8, &Device::flex());
    let mut random = random::stream(13, "servers");
    for edges in [0, 1, 2, 5, 7, 8, 9, 20, 63] {
        let mut scenario = Fleets::default().draw_shaped(4, 5, edges.max(1), &mut random);
        scenario.devices.shared_uplink_mbps = None;
        if edges == 0 {
            scenario.servers.remove(0);
        }
        // The first device reaches no server at all.
        for server in &mut scenario.servers {
            if server.link_sharing == sim::scenario::Sharing::Dedicated {
                server.link_mbps = None;
            }
        }
        let mut environment = scenario.own_environment();
        environment.uplinks_mbps[0] = 0.0;
        let model = scenario.check().expect("valid").at(&environment).expect("fits");
        let sizes_bytes = sizes_of(&scenario, &model, &mut random);
        let workload = Workload::from_bytes(5, sizes_bytes);
        for inference in [Inference::SearchFree, Inference::Passes, search(30)] {
            let solution = Policy::new("any", &ensemble, inference).decide(&model, &workload).expect("decides");
            let places = solution.decision.places();
            for (task, &place) in places.iter().enumerate() {
                assert!(model.is_reachable(task / 5, place), "{edges} edges, {inference:?}: task {task} at {place}");
            }
        }
    }
}

#[test]
fn passes_are_never_worse_than_greedy_and_prices_stay_within_the_budget() {
    let ensemble = Ensemble::random(SHAPE, 2, 9, &Device::flex());
    for (_, model, sizes_bytes) in fleets(60) {
        let workload = Workload::from_bytes(model.tasks(), sizes_bytes.clone());
        let greedy = Greedy::new(Order::LargestFirst).decide(&model, &workload).expect("decides");
        let greedy_cost = model.cost(&sizes_bytes, greedy.decision.places());
        let count = sizes_bytes.len() as u64;
        for inference in [Inference::Passes, search(8), search(40)] {
            let solution = Policy::new("any", &ensemble, inference).decide(&model, &workload).expect("decides");
            let cost = model.cost(&sizes_bytes, solution.decision.places());
            assert!(cost <= greedy_cost * (1.0 + 1e-12), "{cost} after {greedy_cost}");
            let all = match inference {
                Inference::Search { evaluations_per_task } => {
                    (evaluations_per_task * count).max(greedy.evaluations + 12)
                }
                _ => greedy.evaluations + 4,
            };
            assert!(solution.evaluations <= all, "{inference:?} asked for {} of {all}", solution.evaluations);
        }
        let free = Policy::new("any", &ensemble, Inference::SearchFree).decide(&model, &workload).expect("decides");
        assert_eq!(free.evaluations, 8);
    }
}

#[test]
fn nothing_is_cheaper_than_the_bound() {
    let ensemble = Ensemble::random(SHAPE, 1, 2, &Device::flex());
    let mut random = random::stream(15, "small fleets");
    for round in 0..30 {
        let scenario = Fleets::default().draw_shaped(1 + round % 4, 1 + round % 3, 1 + round % 2, &mut random);
        let model = scenario.check().expect("valid");
        let sizes_bytes = sizes_of(&scenario, &model, &mut random);
        let workload = Workload::from_bytes(model.tasks(), sizes_bytes.clone());
        let lower = Exact::new().bounds(&model, &workload).expect("small enough").lower;
        for inference in [Inference::SearchFree, Inference::Passes, search(20)] {
            let solution = Policy::new("any", &ensemble, inference).decide(&model, &workload).expect("decides");
            let cost = model.cost(&sizes_bytes, solution.decision.places());
            assert!(cost >= lower * (1.0 - 1e-9), "{inference:?}: {cost} below {lower}");
        }
    }
}

#[test]
fn a_step_of_training_lowers_the_loss_on_what_was_learned() {
    let device = Device::flex();
    let mut learner = Learner::new(&Network::random(SHAPE, 3, 10, &device), &device);
    let (_, model, sizes_bytes) = fleets(5).pop().expect("five");
    let instance = Instance::new(&model, &sizes_bytes);
    let workload = Workload::from_bytes(model.tasks(), sizes_bytes);
    let label = Greedy::new(Order::LargestFirst).decide(&model, &workload).expect("decides").decision;
    let case = || [Case { instance: &instance, start: None, label: label.places() }];
    let first = learner.step(&case(), 0.01);
    for _ in 0..30 {
        learner.step(&case(), 0.01);
    }
    let last = learner.step(&case(), 0.01);
    assert!(last < 0.7 * first, "{last} after {first}");
}

fn fleet_networks(record: &Record) -> &FleetNetworks {
    record.networks_of("networks for any fleet", Path::new("record")).expect("of fleets")
}

#[test]
fn the_record_that_ships_is_read() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/any-fleet");
    let record = Record::load(&shipped, &Device::flex()).expect("it ships");
    let networks = fleet_networks(&record);
    assert_eq!((networks.ensemble.nets.len(), networks.fleets.devices.1), (2, 20), "trained on at most 20 devices");
}

#[test]
fn records_come_back_and_others_are_refused() {
    let device = Device::flex();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("record");
    let networks = FleetNetworks { ensemble: Ensemble::random(SHAPE, 3, 4, &device), fleets: Fleets::default() };
    let mut record = Record::new(networks.clone());
    record.provenance.insert("seed".to_owned(), "4".to_owned());
    record.measures.insert("q2".to_owned(), 0.5);
    record.save(&path).expect("written");
    assert!(matches!(record.save(&path), Err(RecordError::Exists { .. })));
    let loaded = Record::load(&path, &device).expect("read");
    let read = fleet_networks(&loaded);
    assert_eq!(read.ensemble.to_bytes().expect("bytes"), networks.ensemble.to_bytes().expect("bytes"));
    assert_eq!(read.fleets, networks.fleets);
    assert_eq!((&loaded.provenance, &loaded.measures), (&record.provenance, &record.measures));
    let error = loaded.networks_of::<DnnNetworks>("DNNs for one scenario", &path).expect_err("of no scenario");
    assert!(error.to_string().contains("any fleet"), "{error}");

    let (manifest, weights) = (path.join("manifest.toml"), path.join("weights.bpk"));
    let text = std::fs::read_to_string(&manifest).expect("text");
    for (from, to, named) in [
        ("inputs = ", "inputs = 1", "version"),
        ("nets = 3", "nets = 0", "not possible"),
        ("nets = 3", "nets = 2", "number"),
        ("width = 6", "width = 7", "shape"),
        ("edges = [1", "edges = [0", "at 1 or above"),
        ("q2 = 0.5", "q2 = 0.9", "checksum"),
        ("format_version = 4", "format_version = 9", "9"),
    ] {
        std::fs::write(&manifest, text.replace(from, to)).expect("written");
        let error = Record::load(&path, &device).expect_err(to).to_string();
        assert!(error.contains(named), "{to}: {error}");
    }
    std::fs::write(&manifest, &text).expect("written");
    let mut bytes = std::fs::read(&weights).expect("bytes");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).expect("written");
    assert!(matches!(Record::load(&path, &device), Err(RecordError::Weights { .. })));
}
