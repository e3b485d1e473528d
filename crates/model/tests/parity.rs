//! The fused kernels on the CPU against plain Burn with autodiff, the reference.

use std::sync::Arc;

use model::dnn::{CpuForward, CpuLearner, PlainForward, PlainLearner};
use model::{
    Adam, DeviceChoice, Ensemble, EnsembleLearner, Forward, Head, Learner, Lesson, NetworkShape, Samples, Session,
};
use sim::random::{self, Stream};

const NETWORKS: usize = 3;
const BATCH: usize = 37;

fn samples(shape: &NetworkShape, head: Head, random: &mut Stream) -> Samples {
    let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, 100);
    for _ in 0..100 {
        let inputs: Vec<f32> = (0..shape.inputs).map(|_| random::unit(random) as f32 * 4.0 - 2.0).collect();
        let targets: Vec<f32> = match head {
            Head::Sigmoid => {
                (0..shape.outputs).map(|_| [0.0, 1.0, model::DONT_CARE][random::below(random, 3)]).collect()
            }
            Head::Softmax { classes } => (0..shape.outputs / classes)
                .flat_map(|_| {
                    let (chosen, is_left_out) = (random::below(random, classes), random::below(random, 4) == 0);
                    let target = move |class| f32::from(u8::from(class == chosen));
                    (0..classes).map(move |class| if is_left_out { model::DONT_CARE } else { target(class) })
                })
                .collect(),
        };
        samples.push(&inputs, &targets);
    }
    samples
}

fn largest_difference(one: &Ensemble, other: &Ensemble) -> f32 {
    let values = |ensemble: &Ensemble| -> Vec<f32> {
        ensemble.to_host().into_iter().flat_map(|layer| [layer.weight, layer.bias].concat()).collect()
    };
    values(one).iter().zip(values(other)).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

/// Trains both from one start on the same batches; they must agree step by step.
fn both_agree(head: Head, shape: &NetworkShape) {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let start = Ensemble::random(shape, NETWORKS, 1, &device);
    let mut random = random::stream(2, "parity");
    let samples = samples(shape, head, &mut random);
    let adam = Adam::with_learning_rate(0.003);
    let mut fused = CpuLearner::new(&start, head, adam);
    let mut plain = PlainLearner::new(&start, head, adam, &device);
    for step in 0..50 {
        let indices: Vec<u32> = (0..NETWORKS * BATCH).map(|_| random::below(&mut random, 100) as u32).collect();
        let (mut of_fused, mut of_plain) = (Vec::new(), Vec::new());
        fused.step(&samples, &indices, Some(&mut of_fused));
        plain.step(&samples, &indices, Some(&mut of_plain));
        for (fused, plain) in of_fused.iter().zip(&of_plain) {
            assert!((fused - plain).abs() < 1e-4 * plain.abs(), "step {step}: losses {fused} and {plain}");
        }
        if step == 25 {
            // Records are interchangeable in the middle of training.
            let (from_fused, from_plain) = (fused.ensemble(), plain.ensemble());
            fused.restart(&from_plain);
            plain.restart(&from_fused);
        }
    }
    let difference = largest_difference(&fused.ensemble(), &plain.ensemble());
    assert!(difference < 1e-3, "parameters differ by {difference}");
}

#[test]
fn training_agrees_with_autodiff_for_indicators() {
    both_agree(Head::Sigmoid, &NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 });
}

#[test]
fn training_agrees_with_autodiff_for_places() {
    both_agree(Head::Softmax { classes: 4 }, &NetworkShape { inputs: 6, hidden: vec![19], outputs: 24 });
}

#[test]
fn training_agrees_without_hidden_layers() {
    both_agree(Head::Sigmoid, &NetworkShape { inputs: 5, hidden: vec![], outputs: 7 });
}

#[test]
fn one_step_moves_parameters_equally() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let shape = NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 };
    let start = Ensemble::random(&shape, NETWORKS, 3, &device);
    let mut random = random::stream(4, "parity");
    let samples = samples(&shape, Head::Sigmoid, &mut random);
    let indices: Vec<u32> = (0..NETWORKS * BATCH).map(|_| random::below(&mut random, 100) as u32).collect();
    // A large epsilon makes Adam's step proportional to the gradient, so that the test compares gradients.
    let adam = Adam { learning_rate: 0.1, beta1: 0.0, beta2: 0.0, epsilon: 1.0 };
    let mut fused = CpuLearner::new(&start, Head::Sigmoid, adam);
    let mut plain = PlainLearner::new(&start, Head::Sigmoid, adam, &device);
    fused.step(&samples, &indices, None);
    plain.step(&samples, &indices, None);
    let difference = largest_difference(&fused.ensemble(), &plain.ensemble());
    assert!(difference < 1e-6, "parameters differ by {difference}");
    assert!(largest_difference(&fused.ensemble(), &start) > 1e-4, "nothing moved");
}

#[test]
fn logits_agree_for_one_row_and_for_many() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let shape = NetworkShape { inputs: 9, hidden: vec![120, 80], outputs: 18 };
    let ensemble = Ensemble::random(&shape, 8, 5, &device);
    let mut random = random::stream(6, "parity");
    for rows in [1, 5, 16, 200] {
        let inputs: Vec<f32> = (0..rows * 9).map(|_| random::unit(&mut random) as f32 * 4.0 - 2.0).collect();
        let (mut fused, mut plain) = (Vec::new(), Vec::new());
        CpuForward::new(&ensemble).logits(&inputs, &mut fused);
        PlainForward::new(&ensemble, &device).logits(&inputs, &mut plain);
        assert_eq!(fused.len(), 8 * rows * 18);
        for (fused, plain) in fused.iter().zip(&plain) {
            assert!((fused - plain).abs() < 1e-5 * plain.abs().max(0.1), "{fused} and {plain}");
        }
    }
}

#[test]
fn many_steps_at_once_are_the_same_steps() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let shape = NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 };
    let start = Ensemble::random(&shape, NETWORKS, 3, &device);
    let mut random = random::stream(4, "parity");
    let samples = samples(&shape, Head::Sigmoid, &mut random);
    let batches: Vec<Vec<u32>> =
        (0..5).map(|_| (0..NETWORKS * BATCH).map(|_| random::below(&mut random, 100) as u32).collect()).collect();
    let mut at_once = CpuLearner::new(&start, Head::Sigmoid, Adam::default());
    let mut singly = CpuLearner::new(&start, Head::Sigmoid, Adam::default());
    let (mut losses_at_once, mut losses) = (Vec::new(), Vec::new());
    at_once.steps(&samples, &batches, Some(&mut losses_at_once));
    let kept = singly.ensemble();
    for indices in &batches {
        singly.step(&samples, indices, Some(&mut losses));
    }
    assert_eq!(losses_at_once, losses);
    assert_eq!(at_once.ensemble().to_host(), singly.ensemble().to_host());
    assert_eq!(kept.to_host(), start.to_host(), "an ensemble that was handed out stays as it was");
}

/// Learns from rows drawn by a stream, and decides; every third pass only decides. Returns all logits.
fn alternate(networks: &mut dyn Session, samples: &Arc<Samples>) -> Vec<Vec<f32>> {
    let mut random = random::stream(5, "lesson");
    let mut seen = Vec::new();
    let (mut inputs, mut indices) = (samples.gather(&[0]).0, Vec::new());
    while seen.len() < 40 {
        let learns = seen.len() % 3 != 0;
        let learning_rate = 0.01 / seen.len() as f32;
        let mut logits = Vec::new();
        let lesson = Lesson { samples, indices: &indices, learning_rate };
        networks.learn_and_decide(learns.then_some(lesson), &inputs, &mut logits);
        seen.push(logits);
        inputs = samples.gather(&[random::below(&mut random, 100) as u32]).0;
        indices = (0..NETWORKS * BATCH).map(|_| random::below(&mut random, 100) as u32).collect();
    }
    seen
}

/// Single steps and decisions, one after the other.
struct SingleSteps(CpuLearner);

impl Session for SingleSteps {
    fn learn_and_decide(&mut self, lesson: Option<Lesson<'_>>, inputs: &[f32], logits: &mut Vec<f32>) {
        if let Some(Lesson { samples, indices, learning_rate }) = lesson {
            self.0.set_learning_rate(learning_rate);
            self.0.step(samples, indices, None);
        }
        self.0.logits(inputs, logits);
    }
}

#[test]
fn a_session_on_any_number_of_threads_takes_single_steps() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let shape = NetworkShape { inputs: 9, hidden: vec![24, 17], outputs: 18 };
    let start = Ensemble::random(&shape, NETWORKS, 3, &device);
    let samples = Arc::new(samples(&shape, Head::Sigmoid, &mut random::stream(4, "parity")));
    let mut reference = SingleSteps(CpuLearner::new(&start, Head::Sigmoid, Adam::default()));
    let expected = alternate(&mut reference, &samples);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        let mut learner = CpuLearner::new(&start, Head::Sigmoid, Adam::default());
        let mut got = Vec::new();
        pool.install(|| learner.session(&mut |networks| got = alternate(networks, &samples)));
        assert_eq!(got, expected, "{threads} threads");
        assert_eq!(learner.ensemble().to_host(), reference.0.ensemble().to_host(), "{threads} threads");
        assert_eq!(Arc::strong_count(&samples), 1, "the threads gave the samples back");
    }
}

/// Another learner of the same kind continues from the state of a learner to the same bytes; a learner of the other
/// kind refuses the state.
#[test]
fn a_learner_goes_on_from_another_ones_state_to_the_same_bytes() {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let (head, shape) = (Head::Sigmoid, NetworkShape { inputs: 6, hidden: vec![19, 10], outputs: 5 });
    let start = Ensemble::random(&shape, NETWORKS, 1, &device);
    let mut random = random::stream(2, "state");
    let samples = samples(&shape, head, &mut random);
    let adam = Adam::with_learning_rate(0.003);
    let batches: Vec<Vec<u32>> =
        (0..40).map(|_| (0..NETWORKS * BATCH).map(|_| random::below(&mut random, 100) as u32).collect()).collect();
    let new = |plain: bool| -> Box<dyn EnsembleLearner> {
        if plain {
            Box::new(PlainLearner::new(&start, head, adam, &device))
        } else {
            Box::new(CpuLearner::new(&start, head, adam))
        }
    };
    for plain in [true, false] {
        let (mut whole, mut first, mut second) = (new(plain), new(plain), new(plain));
        whole.steps(&samples, &batches, None);
        first.steps(&samples, &batches[..17], None);
        let state = first.state().expect("on the host");
        second.restore(&state).expect("its own kind");
        second.steps(&samples, &batches[17..], None);
        assert_eq!(second.ensemble().to_host(), whole.ensemble().to_host(), "plain: {plain}");
        let before = whole.ensemble().to_host();
        let mut other = new(!plain);
        assert!(other.restore(&state).is_err(), "another kind");
        let wider = NetworkShape { hidden: vec![20, 10], ..shape.clone() };
        let wider = Ensemble::random(&wider, NETWORKS, 1, &device);
        let mut wider = CpuLearner::new(&wider, head, adam);
        assert!(wider.restore(&state).is_err(), "other networks");
        assert_eq!(whole.ensemble().to_host(), before);
    }
}
