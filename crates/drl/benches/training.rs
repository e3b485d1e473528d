//! Whole training steps of Algorithm 2: `cargo bench -p drl`.

use std::convert::Infallible;
use std::ops::ControlFlow;

use data::{Part, SizeSampler, Workloads};
use divan::Bencher;
use divan::counter::ItemsCount;
use drl::{Agent, Settings, StepReport, TrainingData, TrainingLoop};
use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Selection};
use sim::{Scenario, random};

/// Steps between two reports, and in one measurement.
const BLOCK: usize = 100;

fn main() {
    divan::main();
}

/// An agent whose buffer is full.
fn agent(networks: usize, selection: Selection) -> Agent {
    let scenario = Scenario::load("paper").expect("a preset");
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![120, 80], outputs: codec.outputs() };
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let ensemble = Ensemble::random(&shape, networks, 1, &device);
    let workloads = Workloads::new(&model, sampler, Part::Training, random::stream(1, "bench"));
    let settings = Settings {
        steps: 1_000_000_000,
        workloads_per_step: 1,
        buffer: 1400,
        learn_from: None,
        batch: 128,
        learning_rate: 0.003,
        final_learning_rate: 0.003,
        epsilon: 1e-8,
        selection,
        refine: false,
        report_every: BLOCK,
    };
    let mut agent = Agent::new(TrainingData { workloads, codec }, &ensemble, settings, 1).expect("valid settings");
    agent.advance(settings.buffer);
    agent
}

/// Drawing, deciding, remembering, batching, learning: several steps in one call, as between two reports.
fn steps(bencher: Bencher<'_, '_>, mut agent: Agent) {
    let mut one_block = |_: &StepReport, _: &Agent| Ok::<_, Infallible>(ControlFlow::Break(()));
    bencher.counter(ItemsCount::new(BLOCK)).bench_local(|| agent.run(&mut one_block));
}

#[divan::bench(sample_count = 100)]
fn training_steps_100_threshold(bencher: Bencher<'_, '_>) {
    steps(bencher, agent(8, Selection::PAPER));
}

#[divan::bench(sample_count = 100)]
fn training_steps_100_explored(bencher: Bencher<'_, '_>) {
    steps(bencher, agent(8, Selection::explored(6)));
}

#[divan::bench(sample_count = 30, args = [1, 2, 4, 8, 16, 32, 64])]
fn training_steps_100_over_k(bencher: Bencher<'_, '_>, networks: usize) {
    steps(bencher, agent(networks, Selection::PAPER));
}
