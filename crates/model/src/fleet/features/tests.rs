use data::{Part, SizeSampler, Workloads};
use sim::{Fleets, Scenario, random};

use super::{Features, INPUTS, reference};
use crate::fleet::instance::Instance;
use crate::fleet::shares::begin;

/// An instance of a scenario, with sizes drawn from it.
fn instance(scenario: &Scenario, seed: u64) -> Instance {
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(scenario).expect("no file");
    let mut source = Workloads::new(&model, sampler, Part::HeldOut, random::stream(seed, "sizes"));
    Instance::new(&model, source.draw().workload.sizes_bytes())
}

/// Inputs that jump where two values are equal; each follows the input that holds their difference.
const JUMPS: [usize; 3] = [10, 23, 28];

/// The largest difference between the vectors and the reference, and the input that it is in.
fn largest_difference(instance: &Instance, shares: &[f32]) -> (f32, usize) {
    let count = instance.task_count();
    let mut expected = vec![0.0; shares.len() * INPUTS];
    let exact: Vec<f64> = shares.iter().copied().map(f64::from).collect();
    reference::Features::default().read(&reference::Instance::of(instance), &exact, |place, task, inputs| {
        expected[(place * count + task) * INPUTS..][..INPUTS].copy_from_slice(&inputs.map(|value| value as f32));
    });
    let mut found = vec![0.0; shares.len() * INPUTS];
    Features::default().write_rows(instance, shares, &mut found);
    let mut largest = (0.0, 0);
    for (expected, found) in expected.chunks_exact(INPUTS).zip(found.chunks_exact(INPUTS)) {
        for (at, (&expected_value, &value)) in expected.iter().zip(found).enumerate() {
            let is_close = JUMPS.contains(&at) && expected[at - 1].abs().max(found[at - 1].abs()) < 1e-4;
            let difference = (expected_value - value).abs();
            if !is_close && (difference > largest.0 || difference.is_nan()) {
                largest = (difference, at);
            }
        }
    }
    largest
}

fn check(instance: &Instance, seed: u64, what: &str) {
    let mut stream = random::stream(seed, "decisions");
    let (count, places) = (instance.task_count(), instance.places());
    let mut shares = Vec::new();
    let draw: Vec<u8> = (0..count).map(|_| random::below(&mut stream, places) as u8).collect();
    begin(instance, Some(&draw), &mut shares);
    let mut found = vec![("one-hot", shares.clone())];
    begin(instance, None, &mut shares);
    found.push(("undecided", shares.clone()));
    let raw: Vec<f32> = shares.iter().map(|_| random::unit(&mut stream) as f32).collect();
    for task in 0..count {
        let total: f32 = (0..places).map(|place| raw[place * count + task]).sum();
        (0..places).for_each(|place| shares[place * count + task] = raw[place * count + task] / total);
    }
    found.push(("soft", shares));
    // Times are as large as the loads; the inputs hold their differences times sixteen.
    let most = instance.shared.iter().map(|shared| shared.compute + shared.link).fold(instance.uplink, f32::max);
    let tolerance = 1e-4_f32.max(256.0 * f32::EPSILON * instance.lanes.total * most);
    for (kind, shares) in found {
        let (difference, at) = largest_difference(instance, &shares);
        assert!(difference <= tolerance, "{what}, {kind}: input {at} differs by {difference}, not {tolerance}");
    }
}

#[test]
fn vectors_read_what_single_numbers_do() {
    let mut stream = random::stream(1, "shapes");
    for (devices, tasks) in [(1, 1), (1, 10), (3, 3), (7, 5), (16, 1), (10, 10), (17, 3), (30, 6), (50, 10)] {
        for edges in 1..=3 {
            for repeat in 0..8 {
                let scenario = Fleets::default().draw_shaped(devices, tasks, edges, &mut stream);
                check(&instance(&scenario, repeat), repeat, &scenario.name);
            }
        }
    }
}

#[test]
fn vectors_read_presets_as_single_numbers_do() {
    for name in ["paper", "shared-edges"] {
        let scenario = Scenario::load(name).expect("a preset");
        (0..8).for_each(|seed| check(&instance(&scenario, seed), seed, name));
    }
}
