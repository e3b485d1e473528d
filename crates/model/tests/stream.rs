//! Networks for any site: the same prices and the same steps on every way of computing them.

use burn::tensor::{Tensor, TensorData};
use model::DeviceChoice;
use model::stream::{
    CONTEXT_INPUTS, DeviceLearner, Dispatcher, Ensemble, Forward, Inputs, LARGEST_LN_PRICE, Learner, Loss, Network,
    PLACE_INPUTS, PRICES, Parameters, PlaceInputs, Sample, Scratch,
};
use sim::random::{self, Stream};
use sim::stream::dispatch::scheme::DispatchScheme;
use sim::stream::dispatch::settings::DispatchSetting;
use sim::stream::dispatch::{Path, simulate};

fn between(random: &mut Stream, low: f32, high: f32) -> f32 {
    low + (high - low) * random::unit(random) as f32
}

fn inputs(random: &mut Stream, places: usize) -> Inputs {
    let place = |random: &mut Stream| PlaceInputs {
        inputs: std::array::from_fn::<f32, PLACE_INPUTS, _>(|_| between(random, -1.5, 1.5)),
        own_cost: between(random, 0.2, 2.0),
        added: [between(random, 0.0, 1.0), between(random, 0.0, 1.0)],
    };
    Inputs {
        context: std::array::from_fn::<f32, CONTEXT_INPUTS, _>(|_| between(random, -1.5, 1.5)),
        places: (0..places).map(|_| place(random)).collect(),
    }
}

fn samples(count: usize) -> Vec<Sample> {
    let mut random = random::stream(5, "samples");
    let sample = |index: usize| {
        let mut sample = Sample { inputs: inputs(&mut random, 2 + index % 4), regrets: Vec::new() };
        sample.regrets = sample.inputs.places.iter().map(|_| between(&mut random, 0.1, 2.0)).collect();
        sample.regrets[index % 2] = 0.0;
        if index % 5 == 3 {
            // A place that the task cannot take.
            let last = sample.inputs.places.len() - 1;
            sample.inputs.places[last] =
                PlaceInputs { inputs: [0.0; PLACE_INPUTS], own_cost: f32::INFINITY, added: [0.0; 2] };
            sample.regrets[last] = f32::INFINITY;
        }
        sample
    };
    (0..count).map(sample).collect()
}

/// Costs with prices in Burn operations.
fn costs_in_burn(networks: &[Network], inputs: &Inputs) -> Vec<f32> {
    let device = networks[0].input.device();
    let rows = inputs.places.len();
    let context = inputs.context.repeat(rows);
    let places: Vec<f32> = inputs.places.iter().flat_map(|place| place.inputs).collect();
    let tensor =
        |values: Vec<f32>, columns: usize| Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), &device);
    let mut means = vec![0.0; rows * PRICES];
    for network in networks {
        let prices = network.ln_prices(tensor(context.clone(), CONTEXT_INPUTS), tensor(places.clone(), PLACE_INPUTS));
        let values: Vec<f32> = prices.into_data().try_into_vec().expect("floats");
        means.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / networks.len() as f32);
    }
    let cost = |(place, prices): (&PlaceInputs, &[f32])| {
        let added: f32 = prices.iter().zip(place.added).map(|(price, added)| price.exp() * added).sum();
        place.own_cost + added
    };
    inputs.places.iter().zip(means.chunks_exact(PRICES)).map(cost).collect()
}

#[test]
fn the_fused_pass_gives_the_costs_of_the_burn_modules() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let mut random = random::stream(1, "inputs");
    for (count, width) in [(1, 16), (4, 16), (3, 21), (5, 40)] {
        let networks: Vec<Parameters> = (0..count).map(|index| Parameters::random(width, index, 3)).collect();
        let forward = Forward::new(&networks);
        let modules = Ensemble::with(&networks, &device).nets;
        let mut scratch = Scratch::default();
        for places in [1, 3, 6] {
            let inputs = inputs(&mut random, places);
            let expected = costs_in_burn(&modules, &inputs);
            for (cost, expected) in forward.costs(&inputs, &mut scratch).iter().zip(expected) {
                assert!((cost / expected - 1.0).abs() < 1e-4, "{count} x {width}: {cost} {expected}");
            }
        }
    }
}

#[test]
fn the_learner_takes_the_steps_of_burn() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let samples = samples(40);
    let batch: Vec<&Sample> = samples.iter().collect();
    for loss in [Loss::ExpectedRegret, Loss::CrossEntropy] {
        let first = Parameters::random(16, 0, 2);
        let (mut own, mut of_burn) = (Learner::new(&first), DeviceLearner::new(&first, &device));
        for _ in 0..20 {
            let (one, other) = (own.step(&batch, loss, 0.01), of_burn.step(&batch, loss, 0.01));
            assert!((one - other).abs() < 1e-3 * (1.0 + one.abs()), "{loss:?}: {one} {other}");
        }
        let (own, of_burn) = (own.parameters(), of_burn.parameters());
        let furthest =
            own.values.iter().zip(&of_burn.values).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(furthest < 5e-3, "{loss:?}: {furthest}");
    }
}

#[test]
fn learning_lowers_the_loss() {
    let samples = samples(60);
    let batch: Vec<&Sample> = samples.iter().collect();
    for loss in [Loss::ExpectedRegret, Loss::CrossEntropy] {
        let mut learner = Learner::new(&Parameters::random(16, 0, 2));
        let first = learner.step(&batch, loss, 0.01);
        let last = (0..300).map(|_| learner.step(&batch, loss, 0.01)).last().expect("steps");
        assert!(last < 0.7 * first, "{loss:?}: {first} {last}");
    }
}

#[test]
fn prices_are_limited() {
    let mut parameters = Parameters::random(4, 0, 1);
    let last = parameters.values.len() - PRICES;
    parameters.values[last..].fill(100.0);
    let forward = Forward::new(&[parameters]);
    let inputs = inputs(&mut random::stream(1, "inputs"), 1);
    let place = &inputs.places[0];
    let expected = place.own_cost + LARGEST_LN_PRICE.exp() * (place.added[0] + place.added[1]);
    let mut scratch = Scratch::default();
    assert!((forward.costs(&inputs, &mut scratch)[0] / expected - 1.0).abs() < 1e-5);
}

#[test]
fn a_dispatcher_continues_from_its_memory() {
    let networks: Vec<Parameters> = (0..2).map(|index| Parameters::random(16, index, 1)).collect();
    let setting = &DispatchSetting::all()[12];
    let site = setting.site(3).expect("a site");
    let mut dispatcher = Dispatcher::new("networks", &networks, false);
    simulate(&site, &Path::draw(&site, 500, 1), &mut dispatcher, 1);
    let memory = dispatcher.memory();
    let mut other = Dispatcher::new("networks", &networks, false);
    assert!(!other.remember(&memory), "it is at no site yet");
    other.start(&site, 1);
    assert!(other.remember(&memory));
    assert_eq!(other.memory(), memory);
    assert!(!other.remember(&memory[1..]));
    assert_eq!(other.memory(), memory);
}
