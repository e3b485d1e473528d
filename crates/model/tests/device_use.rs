//! What a step of reinforcement learning asks of a graphics adapter: kernels launched, memory kept.
//!
//! `cargo test -p model --features wgpu --test device_use`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::cubecl::dry_run::DryRun;
use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use model::{Adam, Backend, DeviceChoice, Ensemble, Head, Learner, Lesson, NetworkShape, Samples, learner};
use sim::random::{self, Stream};

const ROWS: usize = 100;
const BATCH: usize = 16;

/// An observation hears every launch of the process, so that one test has to wait for the other.
static ALONE: Mutex<()> = Mutex::new(());

fn row(shape: &NetworkShape, random: &mut Stream) -> (Vec<f32>, Vec<f32>) {
    let inputs = (0..shape.inputs).map(|_| random::unit(random) as f32 * 4.0 - 2.0).collect();
    (inputs, (0..shape.outputs).map(|_| random::below(random, 2) as f32).collect())
}

/// Samples to learn from; one sample changes in each step, as in reinforcement learning.
struct Lessons {
    shape: NetworkShape,
    samples: Arc<Samples>,
    random: Stream,
    inputs: Vec<f32>,
    indices: Vec<u32>,
}

impl Lessons {
    fn new(shape: &NetworkShape, networks: usize) -> Self {
        let mut random = random::stream(9, "backends");
        let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, ROWS);
        for _ in 0..ROWS {
            let (inputs, targets) = row(shape, &mut random);
            samples.push(&inputs, &targets);
        }
        let (inputs, _) = row(shape, &mut random);
        let indices = vec![0; networks * BATCH];
        Self { shape: shape.clone(), samples: Arc::new(samples), random, inputs, indices }
    }

    /// Decides, then learns and decides this number of times.
    fn teach(&mut self, learner: &mut dyn Learner, steps: usize) {
        learner.session(&mut |networks| {
            let mut logits = Vec::new();
            networks.learn_and_decide(None, &self.inputs, &mut logits);
            for step in (0..steps).rev() {
                let (inputs, targets) = row(&self.shape, &mut self.random);
                Arc::make_mut(&mut self.samples).replace(step % ROWS, &inputs, &targets);
                self.inputs = inputs;
                self.indices.fill_with(|| random::below(&mut self.random, ROWS) as u32);
                let lesson = Lesson { samples: &self.samples, indices: &self.indices, learning_rate: 0.001 };
                networks.learn_and_decide(Some(lesson), &self.inputs, &mut logits);
            }
        });
    }
}

fn adapter() -> Backend {
    DeviceChoice::Wgpu(None).open().expect("an adapter; Debian's mesa-vulkan-drivers has one in software")
}

#[derive(Default)]
struct Counter {
    launches: AtomicUsize,
    names: Mutex<std::collections::BTreeMap<&'static str, usize>>,
}

impl LaunchObserver for Counter {
    fn launched(&self, kernel: &'static str) {
        self.launches.fetch_add(1, Ordering::Relaxed);
        *self.names.lock().unwrap_or_else(PoisonError::into_inner).entry(kernel).or_default() += 1;
    }
}

/// Kernels launched for one training step, the decision included.
fn launches_per_step(networks: usize) -> f64 {
    const STEPS: usize = 20;
    let shape = NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 };
    let adapter = adapter();
    let start = Ensemble::random(&shape, networks, 1, &adapter.device);
    let mut learner = learner(&start, Head::Sigmoid, Adam::default(), &adapter.device);
    Lessons::new(&shape, networks).teach(&mut *learner, 5);
    let counter = Arc::new(Counter::default());
    let observation = LaunchObservation::new(Arc::clone(&counter) as Arc<dyn LaunchObserver>);
    Lessons::new(&shape, networks).teach(&mut *learner, STEPS);
    drop(observation);
    for (name, count) in counter.names.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("  {:6.2} × {name}", *count as f64 / STEPS as f64);
    }
    counter.launches.load(Ordering::Relaxed) as f64 / STEPS as f64
}

#[test]
fn a_step_is_a_few_launches_whatever_k_is() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (one, many) = (launches_per_step(1), launches_per_step(64));
    println!("launches in a step: {one} for K = 1, {many} for K = 64");
    assert!(many > 5.0, "{many} launches cannot be all");
    assert!(many <= 40.0, "{many} launches");
    assert!(many <= one + 2.0, "{one} launches for one network, {many} for 64");
}

/// Measures the time that the host takes to issue a step, with launches that are dropped. A step cannot be shorter on
/// any adapter.
#[test]
fn issuing_a_step_takes_the_host_the_same_time_whatever_k_is() {
    const STEPS: usize = 200;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let shape = NetworkShape { inputs: 9, hidden: vec![120, 80], outputs: 18 };
    let adapter = adapter();
    let seconds = |networks: usize| {
        let start = Ensemble::random(&shape, networks, 1, &adapter.device);
        let mut learner = learner(&start, Head::Sigmoid, Adam::default(), &adapter.device);
        let lessons = Lessons::new(&shape, networks);
        learner.step(&lessons.samples, &lessons.indices, None);
        let _dropped = DryRun::new();
        let begin = Instant::now();
        (0..STEPS).for_each(|_| learner.step(&lessons.samples, &lessons.indices, None));
        adapter.device.sync().expect("the adapter is there");
        begin.elapsed().as_secs_f64() / STEPS as f64
    };
    let (few, many) = (seconds(8), seconds(64));
    println!("the host issues a step in {:.2} ms for K = 8, {:.2} ms for K = 64", 1e3 * few, 1e3 * many);
    assert!(many < 5.0 * few, "{few} s for 8 networks, {many} s for 64");
}

/// Memory that training steps leave behind on the device would grow with every step.
#[test]
fn memory_on_the_device_does_not_grow() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let shape = NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 };
    let adapter = adapter();
    let start = Ensemble::random(&shape, 4, 1, &adapter.device);
    let mut learner = learner(&start, Head::Sigmoid, Adam::default(), &adapter.device);
    let mut in_use_after = |steps: usize| {
        Lessons::new(&shape, 4).teach(&mut *learner, steps);
        adapter.device.sync().expect("the adapter is there");
        adapter.device.memory_pool_usage().expect("wgpu says").bytes_in_use
    };
    // Long enough to fill every slot of the pool.
    let early = in_use_after(150);
    let late = in_use_after(300);
    println!("{early} bytes after 150 steps, {late} after 450");
    assert!(early > 0);
    assert!(late <= early + early / 10, "{early} bytes after 150 steps, {late} after 450");
}
