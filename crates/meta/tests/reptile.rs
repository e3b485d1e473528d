//! Reptile: its arithmetic, and what it learns.

use std::ops::ControlFlow;

use burn::module::Module;
use meta::parameters::interpolate;
use meta::{Labels, Settings, Tasks, label, reptile};
use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Policy, Samples, Selection};
use proptest::prelude::*;
use sim::{CostModel, Part, Scenario, SizeSampler, StandardSet, Workloads, random};

fn values(ensemble: &Ensemble) -> Vec<f32> {
    ensemble.to_host().into_iter().flat_map(|layer| [layer.weight, layer.bias].concat()).collect()
}

proptest! {
    #[test]
    fn interpolation_is_the_update_of_equation_21(step_size in 0.0..=1.0_f64, seed in any::<u64>()) {
        let device = DeviceChoice::Auto.open().expect("a device").device;
        let shape = NetworkShape { inputs: 3, hidden: vec![4], outputs: 2 };
        let start = Ensemble::random(&shape, 2, seed, &device);
        let end = Ensemble::random(&shape, 2, seed.wrapping_add(1), &device);
        let result = interpolate(&start, &end, step_size);
        for ((start, end), result) in values(&start).iter().zip(values(&end)).zip(values(&result)) {
            let expected = f64::from(*start) + step_size * f64::from(end - start);
            prop_assert!((f64::from(result) - expected).abs() < 1e-6);
        }
    }
}

#[test]
fn interpolation_keeps_what_makes_parameters_trainable() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let shape = NetworkShape { inputs: 3, hidden: vec![4], outputs: 2 };
    let start = Ensemble::random(&shape, 2, 1, &device);
    let result = interpolate(&start, &Ensemble::random(&shape, 2, 2, &device), 0.5);
    let record = |ensemble: &Ensemble| ensemble.clone().into_record().into_bytes().expect("can be written").len();
    assert_eq!(record(&result), record(&start));
    assert!(result.train().layers.iter().all(|layer| layer.weight.id != layer.bias.id));
}

struct Case {
    model: CostModel,
    codec: Codec,
    set: StandardSet,
    metadata: Samples,
    start: Ensemble,
}

fn case(labels: Labels) -> Case {
    let scenario = Scenario::load("paper-wan").expect("a preset");
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let mut workloads = Workloads::new(&scenario, sampler, Part::Training, random::stream(1, "metadata"));
    let metadata = label(labels, 2000, 1, &mut workloads, &model, &codec).expect("labels").samples;
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![60, 40], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 3, 1, &DeviceChoice::Auto.open().expect("a device").device);
    Case { model, codec, set, metadata, start }
}

impl Case {
    fn q2(&self, ensemble: &Ensemble) -> f64 {
        let device = DeviceChoice::Auto.open().expect("a device").device;
        let mut policy = Policy::new("test", ensemble, self.codec, Selection::PAPER, &device);
        self.set.q2_of(&mut policy, &self.model).expect("fits").expect("small")
    }

    fn run(&self, settings: &Settings) -> Ensemble {
        let device = DeviceChoice::Auto.open().expect("a device").device;
        let mut proceed = |_: &meta::MetaReport<'_>| ControlFlow::Continue(());
        reptile(&self.start, &self.metadata, self.codec.head(), settings, 1, &device, &mut proceed)
    }
}

const SETTINGS: Settings = Settings {
    labels: Labels::LocalSearch,
    metadata: 2000,
    workloads_per_environment: 1,
    metadata_share: 0.5,
    tasks: Tasks::Workloads,
    meta_batch: 1,
    batch: 50,
    outer_steps: 60,
    inner_steps: 5,
    inner_learning_rate: 0.01,
    inner_momentum: 0.9,
    inner_epsilon: 1e-8,
    step_size: 1.0,
    final_step_size: 0.1,
    inner_restart: true,
    report_every: 20,
};

#[test]
fn both_readings_of_algorithm_1_learn_the_labels() {
    let case = case(Labels::LocalSearch);
    let random = case.q2(&case.start);
    for settings in [SETTINGS, Settings { inner_restart: false, step_size: 0.05, inner_steps: 5, ..SETTINGS }] {
        let learned = case.q2(&case.run(&settings));
        assert!(learned > 0.97 && random < 0.8, "from {random} to {learned} with {settings:?}");
    }
}

#[test]
fn a_step_size_of_zero_leaves_the_start_as_it_is() {
    let case = case(Labels::Greedy);
    let settings = Settings { outer_steps: 3, step_size: 0.0, final_step_size: 0.0, ..SETTINGS };
    assert_eq!(values(&case.run(&settings)), values(&case.start));
}

#[test]
fn equal_seeds_give_equal_parameters_and_networks_stay_different() {
    let case = case(Labels::Greedy);
    let settings = Settings { outer_steps: 5, ..SETTINGS };
    let (first, second) = (case.run(&settings), case.run(&settings));
    assert_eq!(values(&first), values(&second));
    let weight = &first.to_host()[0].weight;
    let of_network = weight.len() / 3;
    assert_ne!(weight[..of_network], weight[of_network..2 * of_network]);
}

#[test]
fn the_observer_sees_every_report_and_can_end_the_run() {
    let case = case(Labels::Greedy);
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let mut seen = Vec::new();
    let mut observe = |report: &meta::MetaReport<'_>| {
        seen.push(report.step);
        if report.step == 40 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    reptile(&case.start, &case.metadata, case.codec.head(), &SETTINGS, 1, &device, &mut observe);
    assert_eq!(seen, [20, 40]);
}
