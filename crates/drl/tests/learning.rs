//! What Algorithm 2 learns, and what it does not.

use std::ops::ControlFlow;

use drl::{Agent, Settings, StepReport};
use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Selection};
use sim::{Part, Scenario, SizeSampler, StandardSet, Workloads, random};

const SETTINGS: Settings = Settings {
    steps: 1200,
    workloads_per_step: 1,
    buffer: 200,
    learn_from: None,
    batch: 32,
    learning_rate: 0.005,
    final_learning_rate: 0.005,
    epsilon: 1e-8,
    selection: Selection::PAPER,
    refine: false,
    report_every: 100,
};

struct Outcome {
    q2: f64,
    parameters: Vec<model::LayerData>,
    reports: Vec<StepReport>,
}

fn train(scenario: &Scenario, dnns: usize, settings: Settings, seed: u64) -> Outcome {
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let set = StandardSet::of(scenario, &model).expect("no file");
    let workloads = Workloads::new(scenario, sampler, Part::Training, random::stream(seed, "workloads"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![32, 24], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, dnns, seed, &device);
    let mut agent = Agent::new(model.clone(), codec, &start, workloads, settings, seed, &device);
    let mut reports = Vec::new();
    let mut observe = |report: &StepReport, _: &Agent| {
        reports.push(report.clone());
        ControlFlow::Continue(())
    };
    agent.run(&mut observe);
    let q2 = set.q2_of(&mut agent.policy("test", Selection::PAPER), &model).expect("fits").expect("small");
    Outcome { q2, parameters: agent.ensemble().to_host(), reports }
}

/// Two devices with two tasks and one server that is always far better: everything must go there.
fn obvious() -> Scenario {
    let mut scenario = Scenario::load("ddlo").expect("a preset");
    scenario.devices.count = 2;
    scenario.tasks.per_device = 2;
    scenario.devices.frequency_mhz = sim::scenario::PerDevice::One(100.0);
    scenario
}

#[test]
fn a_scenario_with_an_obvious_optimum_is_learned() {
    let outcome = train(&obvious(), 4, Settings { selection: Selection::explored(2), ..SETTINGS }, 1);
    assert!(outcome.q2 > 0.9999, "{}", outcome.q2);
    let last = outcome.reports.last().expect("reports");
    assert!(last.q1.expect("the buffer is full") > 0.9999);
    assert!(last.loss.expect("the buffer is full") < 0.05);
}

/// The reason for K networks: one alone only ever imitates itself.
#[test]
fn one_network_without_exploration_stays_behind_several() {
    let scenario = Scenario::load("ddlo").expect("a preset");
    let mean = |dnns: usize| (1..=3).map(|seed| train(&scenario, dnns, SETTINGS, seed).q2).sum::<f64>() / 3.0;
    let (alone, several) = (mean(1), mean(6));
    assert!(alone < 0.93 && several > alone + 0.04, "alone {alone}, six {several}");
}

#[test]
fn exploration_frees_a_single_network() {
    let scenario = Scenario::load("ddlo").expect("a preset");
    let settings = Settings { selection: Selection::explored(4), ..SETTINGS };
    let mean = |settings| (1..=3).map(|seed| train(&scenario, 1, settings, seed).q2).sum::<f64>() / 3.0;
    let (threshold, explored) = (mean(SETTINGS), mean(settings));
    assert!(explored > threshold + 0.02, "threshold {threshold}, explored {explored}");
}

#[test]
fn equal_seeds_agree_to_the_last_bit_and_others_do_not() {
    let settings = Settings { steps: 260, ..SETTINGS };
    let scenario = Scenario::load("paper").expect("a preset");
    let (first, second) = (train(&scenario, 3, settings, 5), train(&scenario, 3, settings, 5));
    assert_eq!(first.parameters, second.parameters);
    assert_eq!(first.reports, second.reports);
    assert_ne!(first.parameters, train(&scenario, 3, settings, 6).parameters);
}

#[test]
fn nothing_is_learned_before_the_buffer_is_full() {
    let settings = Settings { steps: 200, ..SETTINGS };
    let outcome = train(&obvious(), 2, settings, 1);
    assert!(outcome.reports.iter().all(|report| report.loss.is_none() && report.q1.is_none()));
    let one_more = train(&obvious(), 2, Settings { steps: 201, ..settings }, 1);
    assert_ne!(outcome.parameters, one_more.parameters);
}

#[test]
fn an_observer_can_end_training() {
    let mut steps = 0;
    let scenario = obvious();
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let workloads = Workloads::new(&scenario, sampler, Part::Training, random::stream(1, "workloads"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![4], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 2, 1, &device);
    let mut agent = Agent::new(model, codec, &start, workloads, SETTINGS, 1, &device);
    agent.run(&mut |report: &StepReport, _: &Agent| {
        steps = report.step;
        if steps == 300 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(steps, 300);
}
