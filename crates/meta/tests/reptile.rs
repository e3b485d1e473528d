//! Reptile: its arithmetic, and what it learns.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use data::{EnvironmentSampler, Part, SizeSampler, StandardSet, Workloads};
use meta::parameters::interpolate;
use meta::{Labels, MetaReport, Metadata, Reptile, Settings, Tasks, label};
use model::{Adam, Codec, DeviceChoice, Ensemble, Head, NetworkShape, Policy, Samples, Selection};
use proptest::prelude::*;
use sim::scheme::{Exact, Scheme};
use sim::{Scenario, random};

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
    codec: Codec,
    set: StandardSet,
    metadata: Metadata,
    start: Ensemble,
}

fn case(labels: Labels) -> Case {
    let scenario = Scenario::load("paper-wan").expect("a preset");
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let mut workloads = Workloads::new(&model, sampler, Part::Training, random::stream(1, "metadata"));
    let metadata = label(&Settings { labels, ..SETTINGS }, &mut workloads, &codec).expect("labels");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![60, 40], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 3, 1, &DeviceChoice::Auto.open().expect("a device").device);
    Case { codec, set, metadata, start }
}

impl Case {
    fn q2(&self, ensemble: &Ensemble) -> f64 {
        let device = DeviceChoice::Auto.open().expect("a device").device;
        let mut policy = Policy::new("test", ensemble, self.codec, Selection::PAPER, &device);
        self.set.q2_of(&mut policy).expect("fits").expect("small")
    }

    fn run(&self, settings: &Settings) -> Ensemble {
        trained(&self.start, &self.metadata, *settings, 1)
    }
}

fn trained(start: &Ensemble, metadata: &Metadata, settings: Settings, seed: u64) -> Ensemble {
    let mut reptile = Reptile::new(start, metadata, settings, seed).expect("valid settings");
    while reptile.advance().is_some() {}
    reptile.ensemble().clone()
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

/// Settings allow no first step size of 0; this one is 0 to a parameter.
const NOTHING: f64 = 1e-300;

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
fn a_step_size_of_nothing_leaves_the_start_as_it_is() {
    let case = case(Labels::Greedy);
    let settings = Settings { outer_steps: 3, step_size: NOTHING, final_step_size: 0.0, ..SETTINGS };
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

/// Two environments in which the same workload has opposite labels, `rows` of each.
fn contradictions(rows: usize) -> Metadata {
    let mut samples = Samples::with_capacity(2, 1, 2 * rows);
    for row in 0..2 * rows {
        samples.push(&[1.0, -1.0], &[if row < rows { 0.0 } else { 1.0 }]);
    }
    Metadata { samples, head: Head::Sigmoid, evaluations: 0 }
}

/// Logits of each network for that workload.
fn logits(ensemble: &Ensemble) -> Vec<f32> {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let mut logits = Vec::new();
    model::learner(ensemble, Head::Sigmoid, Adam::default(), &device).logits(&[1.0, -1.0], &mut logits);
    logits
}

#[test]
fn an_inner_training_over_environments_sees_one_alone() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let start = Ensemble::random(&NetworkShape { inputs: 2, hidden: vec![6], outputs: 1 }, 8, 1, &device);
    let settings = Settings {
        workloads_per_environment: 40,
        metadata_share: 1.0,
        batch: 10,
        outer_steps: 1,
        inner_steps: 150,
        inner_learning_rate: 0.03,
        ..SETTINGS
    };
    let learned = |tasks| logits(&trained(&start, &contradictions(40), Settings { tasks, ..settings }, 3));
    let (one, all) = (learned(Tasks::Environments), learned(Tasks::Workloads));
    assert!(one.iter().all(|logit| logit.abs() > 2.0), "certain, one way or the other: {one:?}");
    assert!(one.iter().any(|logit| *logit > 0.0) && one.iter().any(|logit| *logit < 0.0), "each DNN its own: {one:?}");
    assert!(all.iter().all(|logit| logit.abs() < 1.5), "torn between both: {all:?}");
}

#[test]
fn a_meta_batch_steps_to_the_mean_of_its_inner_trainings() {
    let case = case(Labels::Greedy);
    let one = Settings { outer_steps: 1, ..SETTINGS };
    let first = case.run(&one);
    // A first step of no width leaves the start for the second.
    let second = case.run(&Settings { outer_steps: 2, step_size: NOTHING, final_step_size: 1.0, ..SETTINGS });
    let both = case.run(&Settings { meta_batch: 2, ..one });
    for ((first, second), both) in values(&first).into_iter().zip(values(&second)).zip(values(&both)) {
        assert!((f32::midpoint(first, second) - both).abs() < 1e-6, "{first} and {second} give {both}");
    }
}

#[test]
fn labels_of_changing_environments_are_those_of_each() {
    let scenario = Scenario::load("mobile").expect("a preset");
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let environments = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let reading = codec.with_environment(environments.moments().into());
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(1, "sizes"))
        .with_environments(Some(environments), random::stream(1, "environments"));
    let mut again = source.clone();
    let settings =
        Settings { labels: Labels::Exact, metadata: 30, workloads_per_environment: 10, ..Settings::default() };
    let found = label(&settings, &mut source, &reading).expect("small");
    let (mut environment, mut inputs) = (model.environment().clone(), vec![0.0; reading.inputs()]);
    let mut targets = vec![0.0; reading.outputs()];
    for row in 0..30 {
        if row % 10 == 0 {
            again.next_environment(&mut environment);
        }
        let (there, workload) = (model.at(&environment).expect("fits"), again.draw_sizes());
        let optimum = Exact::new().decide(&there, &workload).expect("small").decision;
        reading.encode(&there, workload.sizes_bytes(), &mut inputs);
        reading.targets(workload.sizes_bytes(), optimum.places(), &mut targets);
        assert_eq!(found.samples.gather(&[row as u32]), (inputs.clone(), targets.clone()), "row {row}");
    }
}

#[test]
fn reptile_goes_on_from_another_ones_state_to_the_same_bytes() {
    let case = case(Labels::Greedy);
    let short = Settings { outer_steps: 12, report_every: 1, ..SETTINGS };
    for settings in [
        short,
        Settings { inner_restart: false, step_size: 0.3, ..short },
        Settings { tasks: Tasks::Environments, workloads_per_environment: 100, meta_batch: 3, ..short },
    ] {
        let new = || Reptile::new(&case.start, &case.metadata, settings, 1).expect("valid settings");
        let whole = case.run(&settings);
        for interrupted_after in [1, 5, 11] {
            let mut first = new();
            while first.advance().expect("more steps").step < interrupted_after {}
            let state = first.state().expect("on the host");
            assert_eq!(state.step(), interrupted_after);
            let mut second = new();
            second.restore(&state).expect("its own kind");
            while second.advance().is_some() {}
            assert_eq!(values(second.ensemble()), values(&whole), "after {interrupted_after} of {settings:?}");
            assert!(first.restore(&state).is_err(), "it has begun already");
        }
        // Stopped between two reports.
        let settings = Settings { report_every: 6, ..settings };
        for stopped_after in [0, 1, 7, 11] {
            let asked = AtomicUsize::new(0);
            let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < stopped_after;
            let mut first = Reptile::new(&case.start, &case.metadata, settings, 1).expect("valid settings");
            while first.advance_while(&goes_on).is_some() {}
            assert_eq!(first.step(), stopped_after);
            let mut second = Reptile::new(&case.start, &case.metadata, settings, 1).expect("valid settings");
            second.restore(&first.state().expect("on the host")).expect("its own kind");
            while second.advance().is_some() {}
            assert_eq!(
                values(second.ensemble()),
                values(&case.run(&settings)),
                "after {stopped_after} of {settings:?}"
            );
        }
    }
}

#[test]
fn the_observer_sees_every_report_and_can_end_the_run_or_fail() {
    let case = case(Labels::Greedy);
    let new = || Reptile::new(&case.start, &case.metadata, SETTINGS, 1).expect("valid settings");
    let mut seen = Vec::new();
    let Ok(()) = new().run(|report: &MetaReport, _| {
        seen.push(report.step);
        Ok::<_, Infallible>(if report.step == 40 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    assert_eq!(seen, [20, 40]);
    let failed = new().run(|report, _| Err(format!("no room after step {}", report.step)));
    assert_eq!(failed, Err("no room after step 20".to_owned()));
}

#[test]
fn settings_that_do_not_fit_are_an_error() {
    let case = case(Labels::Greedy);
    let settings = Settings { inner_momentum: 1.0, meta_batch: 3, inner_restart: false, batch: 0, ..SETTINGS };
    let Err(mistakes) = Reptile::new(&case.start, &case.metadata, settings, 1) else { panic!("they do not fit") };
    let keys: Vec<_> = mistakes.list.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["batch", "inner_momentum", "meta_batch"], "{mistakes}");
}
