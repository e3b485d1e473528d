//! Networks where more than bytes tells the cost: latencies, deadlines, instructions per byte of single tasks, and devices with
//! fewer tasks than others.
#![cfg(feature = "flex")]
#![expect(clippy::expect_used, reason = "tests")]

use std::path::Path;

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use model::fleet::{Ensemble, Features, FleetNetworks, INPUTS, Inference, Instance, Policy, Shape};
use model::{CandidateSelector, Code, Codec, Exploration, Record, Selection, SelectionScope};
use proptest::prelude::*;
use sim::random::{self, Stream};
use sim::scenario::{DeadlineRule, PerDevice};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{CostModel, Demands, Fleets, Scenario, Workload};

/// A fleet with latencies, and where the numbers say so with deadlines, uneven instructions per byte and absent tasks.
fn detailed_fleet(seed: u64) -> (CostModel, Workload) {
    let mut random = random::stream(seed, "detailed fleets of tests");
    let fleets = Fleets { devices: (1, 8), tasks: (1, 6), edges: (1, 3) };
    let mut scenario = fleets.draw(&mut random);
    for server in &mut scenario.servers {
        server.latency_ms = if random::below(&mut random, 2) == 0 { 0.0 } else { 20_000.0 * random::unit(&mut random) };
    }
    if random::below(&mut random, 2) == 0 {
        let most = scenario.tasks.per_device;
        let mut counts: Vec<usize> =
            (0..scenario.devices.count).map(|_| random::below(&mut random, most + 1)).collect();
        counts[0] = most;
        scenario.tasks.counts = counts;
    }
    let model = with_demands(&scenario.check().expect("valid"), &mut random);
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let workload = Workloads::new(&model, sampler, Part::Training, random).draw().workload;
    (model, workload)
}

/// Deadlines around the times that tasks take, with any rule, and instructions per byte of single tasks.
fn with_demands(model: &CostModel, random: &mut Stream) -> CostModel {
    let count = model.task_count();
    let rule = [DeadlineRule::Report, DeadlineRule::Penalty(20.0), DeadlineRule::Hard][random::below(random, 3)];
    let hurry = 10.0_f64.powf(3.0 * random::unit(random));
    let mut each = |least: f64, most: f64| -> Vec<f64> {
        (0..count).map(|_| least + (most - least) * random::unit(random)).collect()
    };
    let demands = Demands {
        instructions_per_byte: Some(each(100.0, 2000.0)),
        deadlines_s: Some(each(0.1 * hurry, 2.0 * hurry)),
        deadline_rule: Some(rule),
    };
    model.with_demands(&demands).expect("in range")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn networks_for_any_fleet_are_never_worse_than_greedy(seed in any::<u64>()) {
        let (model, workload) = detailed_fleet(seed);
        let networks = Ensemble::random(Shape { width: 6, rounds: 2 }, 2, seed, &Device::flex());
        let greedy = Greedy::new(Order::LargestFirst).decide(&model, &workload).expect("decides").decision;
        let greedy = model.evaluate(&workload, &greedy);
        for inference in [Inference::Passes, Inference::Search { evaluations_per_task: 30 }, Inference::SearchFree] {
            let decision = Policy::new("any fleet", &networks, inference).decide(&model, &workload).expect("decides").decision;
            let absent = decision.places().iter().enumerate().filter(|(task, _)| !model.has_task(*task));
            prop_assert!(absent.clone().all(|(_, place)| *place == 0), "a task that is not there is sent");
            let found = model.evaluate(&workload, &decision);
            let is_worse = inference != Inference::SearchFree && model.is_better(&greedy, &found);
            let is_equal = found.missed_deadlines == greedy.missed_deadlines && found.cost < greedy.cost * (1.0 + 1e-9);
            prop_assert!(!is_worse || is_equal, "{inference:?}: {found:?}, greedy {greedy:?}");
        }
    }

    #[test]
    fn what_networks_for_any_fleet_read_is_finite(seed in any::<u64>()) {
        let (model, workload) = detailed_fleet(seed);
        let mut random = random::stream(seed, "places");
        let places: Vec<u8> = (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect();
        let inputs = inputs_of(&model, workload.sizes_bytes(), &places);
        prop_assert!(inputs.iter().all(|input| input.is_finite()));
    }

    /// The cheapest of all candidates by the cost that schemes minimise, whatever the scope.
    #[test]
    fn dnns_choose_the_best_of_their_candidates(
        seed in any::<u64>(), is_per_device in any::<bool>(), flips in prop_oneof![Just(0), 1..6_usize],
    ) {
        let mut random = random::stream(seed, "proposals");
        let mut scenario = Scenario::load("paper-wan").expect("a preset");
        scenario.servers[0].latency_ms = 3000.0;
        // The price of a missed deadline then differs between devices.
        scenario.devices.frequency_mhz = PerDevice::Each(vec![5.0, 100.0, 1000.0]);
        let model = with_demands(&scenario.check().expect("valid"), &mut random);
        let sampler = SizeSampler::new(&scenario).expect("no file");
        let codec = Codec::new(Code::Indicators, &model, sampler.moments().into()).expect("fits");
        let logits: Vec<f32> = (0..5 * codec.outputs()).map(|_| random::unit(&mut random) as f32 - 0.5).collect();
        let workload = Workloads::new(&model, sampler, Part::Training, random).draw().workload;
        let scope = if is_per_device { SelectionScope::PerDevice } else { SelectionScope::Workload };
        let exploration = if flips == 0 { Exploration::Threshold } else { Exploration::OrderPreserving { flips } };
        let mut selector = CandidateSelector::new(Selection { exploration, scope });
        let mut best = vec![0; 9];
        let rows = || logits.chunks(codec.outputs());
        let selected = selector.select(&codec, &model, workload.sizes_bytes(), rows(), &mut best);
        let cost_of = |places: &[u8]| model.cost(workload.sizes_bytes(), places);
        let cheapest = rows().flat_map(|logits| candidates(&codec, logits, flips)).map(|places| cost_of(&places));
        let (cheapest, cost) = (cheapest.fold(f64::INFINITY, f64::min), cost_of(&best));
        prop_assert!(if is_per_device { cost <= cheapest * (1.0 + 1e-12) } else { cost == cheapest }, "{cost}, {cheapest}");
        prop_assert_eq!(selected.cost, model.outcome(workload.sizes_bytes(), &best).cost);
    }

    /// What networks read of the tasks of a fleet, and what the tasks cost, is the same with and without a device that has no
    /// tasks.
    #[test]
    fn a_device_without_tasks_changes_nothing(seed in any::<u64>()) {
        let mut random = random::stream(seed, "fleets with absent tasks");
        let mut scenario = Fleets::default().draw_shaped(4, 2, 2, &mut random);
        scenario.tasks.counts = vec![2, 0, 2, 2];
        let wide = scenario.check().expect("valid");
        let narrow = without_second_device(scenario).check().expect("valid");
        let sizes: Vec<f64> = (0..6).map(|_| 1e6 + 9e6 * random::unit(&mut random)).collect();
        let places: Vec<u8> = (0..6).map(|_| random::below(&mut random, 4) as u8).collect();
        let wide_sizes = [&sizes[..2], &[0.0; 2], &sizes[2..]].concat();
        let wide_places = [&places[..2], &[0; 2], &places[2..]].concat();
        let (one, other) = (narrow.cost(&sizes, &places), wide.cost(&wide_sizes, &wide_places));
        prop_assert!((one - other).abs() < 1e-9 * one, "{one}, {other}");

        let (narrow, wide) = (inputs_of(&narrow, &sizes, &places), inputs_of(&wide, &wide_sizes, &wide_places));
        for (place, task) in (0..4).flat_map(|place| (0..6).map(move |task| (place, task))) {
            let there = if task < 2 { task } else { task + 2 };
            let one = &narrow[(place * 6 + task) * INPUTS..][..INPUTS];
            let other = &wide[(place * 8 + there) * INPUTS..][..INPUTS];
            for (input, (one, other)) in one.iter().zip(other).enumerate() {
                // A share of the devices.
                let other = if input == 14 { other * 4.0 / 3.0 } else { *other };
                prop_assert!((one - other).abs() < 1e-3, "input {input} of task {task} at {place}: {one}, {other}");
            }
        }
    }
}

/// Trained networks know what they have never seen: their proposals are better than greedy's decisions where latencies and
/// instructions per byte of single tasks are read as means.
/// Networks that were trained without latencies read them as means. Without them in their inputs, proposals from nothing would
/// cost 5.8 % more than greedy's decisions, and passes after greedy would gain 0.2 %.
#[test]
fn trained_networks_read_latencies_as_means() {
    const FLEETS: u64 = 200;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/any-fleet");
    let record = Record::load(&path, &Device::flex()).expect("ships with the project");
    let networks = record.networks_of::<FleetNetworks>("fleet", &path).expect("for any fleet");
    let [mut free, mut passes] = [0.0; 2];
    for seed in 0..FLEETS {
        let mut random = random::stream(seed, "detailed fleets of tests");
        let mut scenario = Fleets { devices: (1, 8), tasks: (1, 6), edges: (1, 3) }.draw(&mut random);
        scenario.servers.iter_mut().for_each(|server| server.latency_ms = 10_000.0 * random::unit(&mut random));
        let model = scenario.check().expect("valid");
        let sampler = SizeSampler::new(&scenario).expect("no file");
        let workload = Workloads::new(&model, sampler, Part::Training, random).draw().workload;
        let cost_of = |scheme: &mut dyn Scheme| {
            let decision = scheme.decide(&model, &workload).expect("decides").decision;
            model.evaluate(&workload, &decision).cost
        };
        let greedy = cost_of(&mut Greedy::new(Order::LargestFirst));
        let relative = |inference| cost_of(&mut Policy::new("any fleet", &networks.ensemble, inference)) / greedy;
        free += relative(Inference::SearchFree).ln() / FLEETS as f64;
        passes += relative(Inference::Passes).ln() / FLEETS as f64;
    }
    assert!(free < 0.03 && passes < -0.003, "free {free}, passes {passes}");
}

/// The decision of one network, and the decisions in which one of its least certain placements is another.
fn candidates(codec: &Codec, logits: &[f32], flips: usize) -> Vec<Vec<u8>> {
    let (mut places, mut others) = (vec![0; codec.task_count()], Vec::new());
    codec.decode(logits, &mut places);
    codec.alternatives(logits, &mut others);
    others.sort_by(|a, b| a.certainty.total_cmp(&b.certainty));
    let mut candidates = vec![places.clone()];
    for other in others.into_iter().take(flips) {
        let mut flipped = places.clone();
        flipped[other.task] = other.place;
        candidates.push(flipped);
    }
    candidates
}

fn without_second_device(mut scenario: Scenario) -> Scenario {
    let devices = &mut scenario.devices;
    for values in [&mut devices.frequency_mhz, &mut devices.energy_per_instruction_nj, &mut devices.uplink_mbps] {
        *values = PerDevice::Each([0, 2, 3].map(|device| values.at(device)).to_vec());
    }
    (devices.count, scenario.tasks.counts) = (3, Vec::new());
    scenario
}

/// What networks for any fleet read of a decision, `[places][N * M][INPUTS]`.
fn inputs_of(model: &CostModel, sizes_bytes: &[f64], places: &[u8]) -> Vec<f32> {
    let mut shares = vec![0.0; model.places() * places.len()];
    places.iter().enumerate().for_each(|(task, place)| shares[usize::from(*place) * places.len() + task] = 1.0);
    let mut inputs = vec![0.0; shares.len() * INPUTS];
    Features::default().write_rows(&Instance::new(model, sizes_bytes), &shares, &mut inputs);
    inputs
}
