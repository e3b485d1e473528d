//! What Algorithm 2 learns, and what it does not.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use data::{EnvironmentSampler, Part, SizeSampler, StandardSet, Workloads};
use drl::{Agent, AgentState, Settings, StepReport, TrainingData, TrainingLoop};
use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Selection};
use sim::{Scenario, random};

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

fn train(scenario: &Scenario, networks: usize, settings: Settings, seed: u64) -> Outcome {
    train_until(settings.steps, scenario, networks, settings, seed)
}

fn train_until(last: usize, scenario: &Scenario, networks: usize, settings: Settings, seed: u64) -> Outcome {
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let set = StandardSet::of(scenario, &model).expect("no file");
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(seed, "workloads"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![32, 24], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, networks, seed, &device);
    let mut agent = Agent::new(TrainingData { workloads, codec }, &start, settings, seed).expect("valid settings");
    let mut reports = Vec::new();
    let Ok(()) = agent.run(&mut |report: &StepReport, _: &Agent| {
        reports.push(report.clone());
        Ok::<_, Infallible>(if report.step < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    });
    let q2 = set.q2_of(&mut agent.policy("test", Selection::PAPER)).expect("fits").expect("small");
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
    let mean = |networks: usize| (1..=3).map(|seed| train(&scenario, networks, SETTINGS, seed).q2).sum::<f64>() / 3.0;
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
    let settings = Settings { steps: 201, ..SETTINGS };
    let outcome = train_until(200, &obvious(), 2, settings, 1);
    assert_eq!(outcome.reports.last().expect("reports").step, 200);
    assert!(outcome.reports.iter().all(|report| report.loss.is_none() && report.q1.is_none()));
    let one_more = train(&obvious(), 2, settings, 1);
    assert_ne!(outcome.parameters, one_more.parameters);
}

#[test]
fn learning_begins_with_as_many_samples_as_are_asked_for() {
    let settings = Settings { steps: 30, workloads_per_step: 3, learn_from: Some(20), report_every: 1, ..SETTINGS };
    assert_eq!(settings.warm_up_steps(), 7);
    assert_eq!(Settings { learn_from: None, ..settings }.warm_up_steps(), 67);
    assert_eq!(Settings { learn_from: Some(10_000), ..settings }.warm_up_steps(), 67, "no more than the buffer holds");
    let outcome = train(&obvious(), 2, settings, 1);
    let learned: Vec<bool> = outcome.reports.iter().map(|report| report.loss.is_some()).collect();
    assert_eq!(learned.iter().position(|learned| *learned), Some(7), "{learned:?}");
    assert!(learned[7..].iter().all(|learned| *learned));
}

/// Before anything is learned both agents see the same workloads and make the same candidates.
#[test]
fn refined_decisions_are_remembered_at_no_higher_cost() {
    let scenario = Scenario::load("paper-wan").expect("a preset");
    let settings = Settings { steps: 201, report_every: 1, ..SETTINGS };
    let plain = train_until(200, &scenario, 2, settings, 4);
    let refined = train_until(200, &scenario, 2, Settings { refine: true, ..settings }, 4);
    let mean_cost = |report: &StepReport| report.buffer_mean_cost.expect("something is remembered");
    for (plain, refined) in plain.reports.iter().zip(&refined.reports) {
        assert!(mean_cost(refined) <= mean_cost(plain) * (1.0 + 1e-12), "step {}", plain.step);
    }
    let last = |outcome: &Outcome| mean_cost(&outcome.reports[199]);
    assert!(last(&refined) < 0.95 * last(&plain), "{} {}", last(&refined), last(&plain));
}

/// An agent that was interrupted after any number of steps, as another one that goes on from its state, in the end is
/// the agent that never was.
#[test]
fn an_agent_goes_on_from_another_ones_state_to_the_same_bytes() {
    for (scenario, per_step) in [("paper", 1), ("mobile", 3)] {
        let settings = Settings { steps: 330, workloads_per_step: per_step, ..SETTINGS };
        let mut whole = agent(scenario, settings, 9);
        while whole.advance(110).step < 330 {}
        for interrupted_after in [1, 60, 199, 200, 201, 329] {
            let mut first = agent(scenario, settings, 9);
            first.advance(interrupted_after);
            let state = first.state().expect("on the host");
            assert_eq!(state.step(), interrupted_after);
            drop(first);
            let mut second = agent(scenario, settings, 9);
            second.restore(state.clone()).expect("its own kind");
            assert_eq!(written(&second), bytes(&state));
            second.advance(330);
            assert_eq!(second.ensemble().to_host(), whole.ensemble().to_host(), "{scenario}, {interrupted_after}");
            assert_eq!(written(&second), written(&whole));
        }
    }
}

/// An agent that is told to stop after any number of steps gives, once it goes on, the same report and the same networks.
#[test]
fn a_stopped_agent_goes_on_to_the_same_report_and_bytes() {
    let settings = Settings { steps: 230, ..SETTINGS };
    let mut whole = agent("paper", settings, 9);
    let report = whole.advance(230);
    for stopped_after in [0, 1, 199, 200, 201, 229] {
        let asked = AtomicUsize::new(0);
        let mut stopped = agent("paper", settings, 9);
        let told = stopped.advance_while(230, &|| asked.fetch_add(1, Ordering::Relaxed) < stopped_after);
        assert!(told.is_none() && stopped.step() == stopped_after, "{stopped_after}: {told:?}");
        let mut resumed = agent("paper", settings, 9);
        resumed.restore(stopped.state().expect("on the host")).expect("its own kind");
        for agent in [&mut stopped, &mut resumed] {
            assert_eq!(agent.next_report_while(&|| false), None);
            assert_eq!(agent.advance(230 - stopped_after), report, "{stopped_after}");
            assert_eq!(written(agent), written(&whole), "{stopped_after}");
        }
    }
}

fn bytes(state: &AgentState) -> Vec<u8> {
    postcard::to_stdvec(state).expect("can be written")
}

fn written(agent: &Agent) -> Vec<u8> {
    bytes(&agent.state().expect("on the host"))
}

#[test]
fn settings_that_do_not_fit_are_an_error() {
    let settings = Settings { batch: 0, learning_rate: 2.0, ..SETTINGS };
    let (data, start) = parts("paper", 1);
    let Err(mistakes) = Agent::new(data, &start, settings, 1) else { panic!("they do not fit") };
    let keys: Vec<_> = mistakes.list.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["batch", "learning_rate"], "{mistakes}");
}

#[test]
fn the_state_of_another_training_is_refused() {
    let settings = Settings { steps: 330, ..SETTINGS };
    let mut first = agent("paper", settings, 9);
    first.advance(250);
    let state = first.state().expect("on the host");
    for (scenario, settings) in [
        ("mobile", settings),
        ("ddlo", settings),
        ("paper", Settings { steps: 249, ..settings }),
        ("paper", Settings { buffer: 100, ..settings }),
        ("paper", Settings { workloads_per_step: 2, ..settings }),
    ] {
        assert!(agent(scenario, settings, 9).restore(state.clone()).is_err(), "{scenario} {settings:?}");
    }
    assert!(first.restore(state.clone()).is_err(), "it has begun already");
}

fn agent(scenario: &str, settings: Settings, seed: u64) -> Agent {
    let (data, start) = parts(scenario, seed);
    Agent::new(data, &start, settings, seed).expect("valid settings")
}

/// Workloads and first networks.
fn parts(scenario: &str, seed: u64) -> (TrainingData, Ensemble) {
    let scenario = Scenario::load(scenario).expect("a preset");
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let environments = EnvironmentSampler::new(&scenario).expect("no file");
    let reads = environments.as_ref().map(|environments| environments.moments().into()).unwrap_or_default();
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into())
        .expect("fits")
        .with_environment(reads);
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(seed, "workloads"))
        .with_environments(environments, random::stream(seed, "environments"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![12], outputs: codec.outputs() };
    (TrainingData { workloads, codec }, Ensemble::random(&shape, 3, seed, &device))
}

/// Trains on workloads whose environment changes; `reads` says whether the networks read the environment.
fn train_in_environments(reads: bool, steps: usize) -> Outcome {
    let scenario = Scenario::load("mobile").expect("a preset");
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let environments = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    let plain = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let codec = if reads { plain.with_environment(environments.moments().into()) } else { plain };
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(1, "workloads"))
        .with_environments(Some(environments), random::stream(1, "environments"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![48, 32], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 4, 1, &device);
    let settings = Settings {
        steps,
        workloads_per_step: 8,
        buffer: 1024,
        batch: 64,
        learning_rate: 0.01,
        final_learning_rate: 0.001,
        selection: Selection::explored(6),
        ..SETTINGS
    };
    let mut agent = Agent::new(TrainingData { workloads, codec }, &start, settings, 1).expect("valid settings");
    let mut reports = Vec::new();
    let Ok(()) = agent.run(&mut |report: &StepReport, _: &Agent| {
        reports.push(report.clone());
        Ok::<_, Infallible>(ControlFlow::Continue(()))
    });
    let q2 = set.q2_of(&mut agent.policy("test", Selection::PAPER)).expect("fits").expect("small");
    assert!(agent.evaluations() > 8 * steps as u64, "{}", agent.evaluations());
    Outcome { q2, parameters: agent.ensemble().to_host(), reports }
}

#[test]
fn networks_that_read_the_environment_know_what_others_cannot() {
    let (reading, blind) = (train_in_environments(true, 2000), train_in_environments(false, 2000));
    assert!(reading.q2 > 0.94 && reading.q2 > blind.q2 + 0.05, "reading {}, blind {}", reading.q2, blind.q2);
}

#[test]
fn environments_change_nothing_about_determinism() {
    let (first, second) = (train_in_environments(true, 200), train_in_environments(true, 200));
    assert_eq!(first.parameters, second.parameters);
    assert_eq!(first.reports, second.reports);
}

#[test]
fn an_observer_can_end_training_or_fail() {
    let mut steps = 0;
    let scenario = obvious();
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(1, "workloads"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![4], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 2, 1, &device);
    let mut agent = Agent::new(TrainingData { workloads, codec }, &start, SETTINGS, 1).expect("valid settings");
    let Ok(()) = agent.run(&mut |report: &StepReport, _: &Agent| {
        steps = report.step;
        Ok::<_, Infallible>(if steps == 300 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    assert_eq!(steps, 300);
    let failed = agent.run(&mut |report: &StepReport, _: &Agent| Err(format!("no room after step {}", report.step)));
    assert_eq!(failed, Err("no room after step 400".to_owned()), "an observer that fails ends training, too");
}

/// Where only energy counts and servers cost none, what is remembered is as quick as moves and swaps make it, and the networks
/// learn it.
#[test]
fn decisions_of_equal_energy_are_remembered_with_the_shorter_time() {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.alpha = 1.0;
    scenario.transmit_energy_nj_per_byte = sim::scenario::PerDevice::One(0.0);
    scenario.servers.iter_mut().for_each(|server| server.energy_per_instruction_nj = 0.0);
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("fits");
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(1, "workloads"));
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![32, 24], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 4, 1, &device);
    for refine in [false, true] {
        let settings = Settings { refine, ..SETTINGS };
        let data = TrainingData { workloads: workloads.clone(), codec };
        let mut agent = Agent::new(data, &start, settings, 1).expect("valid settings");
        agent.advance(settings.steps);
        for row in agent.buffer().len() - 50..agent.buffer().len() {
            let sample = agent.buffer().sample(row);
            let mut places = sample.places.to_vec();
            sim::scheme::settle_ties(&model, sample.sizes_bytes, &mut places, 10_000);
            assert_eq!(places, sample.places, "{sample:?}");
            // Local search leaves no task where it takes energy.
            let is_spread = sample.cost == 0.0 && places.contains(&1) && places.contains(&2);
            assert!(!refine || is_spread, "{sample:?}");
        }
    }
}
