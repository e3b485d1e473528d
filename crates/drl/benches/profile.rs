//! Where the time of a training step of Algorithm 2 goes, and how long single decisions take:
//! `cargo bench -p drl --bench profile`.
//!
//! Parts that one thread does alone are timed by themselves. Parts that every network has are timed for one network;
//! each thread does them for K / threads networks. The rest of a step's time is waiting, stealing and cold caches.

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use data::{Part, SizeSampler, Workloads};
use drl::{Agent, ReplayBuffer, Sample, Settings, StepReport, TrainingData, TrainingLoop};
use model::kernels::{Adam, Ensemble, Inference, Kernel, Layer, LayerView, NetTrainer, Phase, Samples, Shape};
use model::{CandidateSelector, Codec, DeviceChoice, NetworkShape, Policy, Selection};
use sim::{CostModel, Scenario, random};

const NETWORKS: usize = 8;
const HIDDEN: [usize; 2] = [120, 80];
const BATCH: usize = 128;
const BUFFER: usize = 1400;
const STEPS: usize = 200;
const REPETITIONS: usize = 25;

fn main() {
    let threads = rayon::current_num_threads().min(NETWORKS);
    let problem = Problem::new();
    println!("K = {NETWORKS}, 9-120-80-18, batch {BATCH}, {threads} threads: medians of {REPETITIONS} repetitions\n");
    println!("one training step, threshold candidates");
    let whole = problem.whole_step();
    let rounds = NETWORKS.div_ceil(threads) as f64;
    let mut parts: Vec<(String, f64)> =
        problem.parts_of_one_thread().map(|(part, seconds)| (part.to_owned(), seconds)).to_vec();
    let of_networks = problem.parts_of_one_network().into_iter();
    parts.extend(of_networks.map(|(part, seconds)| (format!("{part}, {rounds} networks"), rounds * seconds)));
    let rest = whole - parts.iter().map(|(_, seconds)| seconds).sum::<f64>();
    parts.push(("waiting, reports (1 step in 100), the rest".to_owned(), rest));
    for (part, seconds) in parts {
        println!("  {part:<44} {:>7.1} µs {:>5.1} %", 1e6 * seconds, 100.0 * seconds / whole);
    }
    println!("  {:<44} {:>7.1} µs\n", "the whole step", 1e6 * whole);
    println!("one decision, on one thread, 20,000 workloads");
    for (name, selection) in [("8 candidates", Selection::PAPER), ("56 candidates", Selection::explored(6))] {
        let times = problem.decisions(selection);
        let at = |share: f64| 1e6 * times[((times.len() - 1) as f64 * share) as usize].as_secs_f64();
        println!(
            "  {name:<14} median {:.1} µs, 99th percentile {:.1} µs, 99.9th {:.1} µs",
            at(0.5),
            at(0.99),
            at(0.999)
        );
    }
}

/// Median seconds of one call; `calls` at a time are timed.
fn seconds_of(calls: usize, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| work());
            start.elapsed().as_secs_f64() / calls as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[REPETITIONS / 2]
}

struct Problem {
    scenario: Scenario,
    model: CostModel,
    codec: Codec,
    shape: NetworkShape,
}

impl Problem {
    fn new() -> Self {
        let scenario = Scenario::load("paper").expect("a preset");
        let model = scenario.check().expect("valid");
        let moments = SizeSampler::new(&scenario).expect("no file").moments();
        let codec = Codec::new(Codec::default_code(&model), &model, moments.into()).expect("three places");
        let shape = NetworkShape { inputs: codec.inputs(), hidden: HIDDEN.to_vec(), outputs: codec.outputs() };
        Self { scenario, model, codec, shape }
    }

    fn workloads(&self) -> Workloads {
        let sampler = SizeSampler::new(&self.scenario).expect("no file");
        Workloads::new(&self.model, sampler, Part::Training, random::stream(1, "profile"))
    }

    fn ensemble(&self) -> model::Ensemble {
        model::Ensemble::random(&self.shape, NETWORKS, 1, &DeviceChoice::Flex.open().expect("built in").device)
    }

    /// Seconds of one step, reports included.
    fn whole_step(&self) -> f64 {
        let settings = Settings {
            steps: 1_000_000_000,
            workloads_per_step: 1,
            buffer: BUFFER,
            learn_from: None,
            batch: BATCH,
            learning_rate: 0.003,
            final_learning_rate: 0.003,
            epsilon: 1e-8,
            selection: Selection::PAPER,
            refine: false,
            report_every: 100,
        };
        let data = TrainingData { workloads: self.workloads(), codec: self.codec };
        let mut agent = Agent::new(data, &self.ensemble(), settings, 1).expect("valid settings");
        let mut until = |steps: usize| {
            let Ok(()) = agent.run(&mut |report: &StepReport, _: &Agent| {
                let goes_on = report.step < steps;
                Ok::<_, Infallible>(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            });
        };
        let mut steps = BUFFER;
        until(steps);
        seconds_of(1, || {
            steps += STEPS;
            until(steps);
        }) / STEPS as f64
    }

    fn parts_of_one_thread(&self) -> [(&'static str, f64); 4] {
        let mut workloads = self.workloads();
        let (mut sizes_bytes, mut inputs) = (vec![0.0; 9], vec![0.0; 9]);
        let sample = seconds_of(1000, || {
            workloads.fill(&mut sizes_bytes);
            self.codec.encode(&self.model, &sizes_bytes, black_box(&mut inputs));
        });
        let mut random = random::stream(2, "profile");
        let logits: Vec<f32> = (0..NETWORKS * 18).map(|_| random::unit(&mut random) as f32 - 0.5).collect();
        let mut selector = CandidateSelector::new(Selection::PAPER);
        let mut places = vec![0; 9];
        let choose = seconds_of(1000, || {
            let proposals = black_box(&logits).chunks_exact(18);
            selector.select(&self.codec, &self.model, &sizes_bytes, proposals, &mut places);
        });
        let mut buffer = ReplayBuffer::new(BUFFER, self.codec);
        let store = seconds_of(1000, || {
            let places = black_box(&places);
            buffer.push(Sample { sizes_bytes: &sizes_bytes, places, cost: 1.0, environment: None }, &inputs);
        });
        let mut indices = vec![0; NETWORKS * BATCH];
        let batches = seconds_of(100, || {
            for index in &mut indices {
                *index = random::below(&mut random, BUFFER) as u32;
            }
            black_box(&indices);
        });
        [
            ("drawing a workload", sample),
            ("decoding, evaluating and choosing", choose),
            ("storing the sample", store),
            ("drawing batches", batches),
        ]
    }

    /// One network's part of a step.
    fn parts_of_one_network(&self) -> Vec<(&'static str, f64)> {
        let shape = Shape::new(1, &[9, HIDDEN[0], HIDDEN[1], 18]);
        let mut random = random::stream(3, "profile");
        let mut numbers = |count: usize, low: f32, high: f32| -> Vec<f32> {
            (0..count).map(|_| low + (high - low) * random::unit(&mut random) as f32).collect()
        };
        let inputs = numbers(BUFFER * 9, -1.7, 1.7);
        let targets: Vec<f32> = numbers(BUFFER * 18, -1.5, 1.5).into_iter().map(f32::round).collect();
        let rows = numbers(STEPS * BATCH, 0.0, BUFFER as f32 - 0.5);
        let indices: Vec<u32> = rows.into_iter().map(|row| row as u32).collect();
        let mut parameters: Vec<(Vec<f32>, Vec<f32>)> = shape
            .layer_sizes()
            .map(|(inputs, outputs)| {
                let bound = (inputs as f32).sqrt().recip();
                (numbers(inputs * outputs, -bound, bound), numbers(outputs, -bound, bound))
            })
            .collect();
        let inference = Inference::new(shape.clone(), Kernel::detect());
        let mut logits = vec![0.0; 18];
        let decide = seconds_of(1000, || {
            let views = parameters.iter().map(|(weight, bias)| LayerView { weight, bias });
            inference.forward(&views, black_box(&inputs[..9]), &mut logits);
        });
        let zeros = |(weight, bias): &(Vec<f32>, Vec<f32>)| (vec![0.0; weight.len()], vec![0.0; bias.len()]);
        let mut first: Vec<_> = parameters.iter().map(zeros).collect();
        let mut second = first.clone();
        let mut ensemble = Ensemble::new(&shape, lend(&mut parameters), lend(&mut first), lend(&mut second));
        let net = &mut ensemble.nets_mut()[0];
        let mut trainer = NetTrainer::new(shape, self.codec.head(), Kernel::detect());
        let samples = Samples { inputs: &inputs, targets: &targets };
        let mut runs: Vec<[Duration; Phase::ALL.len()]> = (0..REPETITIONS)
            .map(|_| {
                let profile = trainer.profile(net, samples, &indices, BATCH, &Adam::default());
                Phase::ALL.map(|phase| profile.spent(phase) / STEPS as u32)
            })
            .collect();
        runs.sort_by_key(|run| run.iter().sum::<Duration>());
        let name = |phase| match phase {
            Phase::Gather => "assembling the batch",
            Phase::Forward => "forward",
            Phase::Head => "cross-entropy's gradient",
            Phase::Backward => "backward, activations",
            Phase::Update => "backward, parameters, and Adam",
        };
        let phases = Phase::ALL.into_iter().zip(runs[REPETITIONS / 2]);
        let mut parts = vec![("logits of the workload", decide)];
        parts.extend(phases.map(|(phase, spent)| (name(phase), spent.as_secs_f64())));
        parts
    }

    /// Times of single decisions, sorted.
    fn decisions(&self, selection: Selection) -> Vec<Duration> {
        let device = DeviceChoice::Flex.open().expect("built in").device;
        let mut policy = Policy::new("profile", &self.ensemble(), self.codec, selection, &device);
        let mut workloads = self.workloads();
        let (mut sizes_bytes, mut places) = (vec![0.0; 9], vec![0; 9]);
        let mut decide = || {
            workloads.fill(&mut sizes_bytes);
            let start = Instant::now();
            policy.decide_into(&self.model, black_box(&sizes_bytes), &mut places).expect("fits");
            start.elapsed()
        };
        for _ in 0..1000 {
            decide();
        }
        let mut times: Vec<Duration> = (0..20_000).map(|_| decide()).collect();
        times.sort_unstable();
        times
    }
}

fn lend(layers: &mut [(Vec<f32>, Vec<f32>)]) -> Vec<Layer<'_>> {
    layers.iter_mut().map(|(weight, bias)| Layer { weight, bias }).collect()
}
