//! Inference against a plain reference.

mod common;

use common::{Random, Reference, State, difference, kernels};
use model::kernels::{Inference, Kernel, Shape};
use proptest::prelude::*;

fn check_against_reference(shape: &Shape, rows: usize, seed: u64) -> Result<(), TestCaseError> {
    let mut random = Random(seed);
    let mut state = State::random(shape, &mut random);
    let inputs = random.numbers(rows * shape.inputs());
    for kernel in kernels() {
        let inference = Inference::new(shape.clone(), kernel);
        let mut logits = vec![f32::NAN; shape.nets() * rows * shape.outputs()];
        inference.forward(&state.parameters.view().into_iter(), &inputs, &mut logits);
        for (net, logits) in logits.chunks(rows * shape.outputs()).enumerate() {
            let reference = Reference::new(shape, &state.parameters, net);
            for (input, logits) in inputs.chunks(shape.inputs()).zip(logits.chunks(shape.outputs())) {
                let logits: Vec<f64> = logits.iter().copied().map(f64::from).collect();
                let difference = difference(&logits, &reference.logits(input), 0.1);
                prop_assert!(difference < 1e-5, "{kernel:?}: logits differ by {difference}");
            }
            let mut by_net = vec![f32::NAN; logits.len()];
            inference.forward_net(&state.lend(shape).nets()[net], &inputs, &mut by_net);
            prop_assert_eq!(&by_net, logits);
        }
    }
    Ok(())
}

/// Logits `[K, rows, outputs]`.
fn forward(kernel: Kernel, shape: &Shape, state: &State, inputs: &[f32]) -> Vec<f32> {
    let mut logits = vec![f32::NAN; shape.nets() * inputs.len() / shape.inputs() * shape.outputs()];
    Inference::new(shape.clone(), kernel).forward(&state.parameters.view().into_iter(), inputs, &mut logits);
    logits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn logits_are_those_of_the_reference(
        nets in 1..=4_usize,
        widths in prop::collection::vec(1..=40_usize, 2..=5),
        rows in prop_oneof![Just(1_usize), 1..=70_usize],
        seed in any::<u64>(),
    ) {
        check_against_reference(&Shape::new(nets, &widths), rows, seed)?;
    }

    #[test]
    fn logits_of_one_row_are_right_for_wide_layers(
        widths in prop::collection::vec(1..=250_usize, 2..=4),
        seed in any::<u64>(),
    ) {
        check_against_reference(&Shape::new(2, &widths), 1, seed)?;
    }
}

#[test]
fn a_row_has_the_same_logits_alone_and_among_others_on_any_number_of_threads() {
    let shape = Shape::new(8, &[9, 120, 80, 18]);
    let mut random = Random(9);
    let state = State::random(&shape, &mut random);
    let rows = 150;
    let inputs = random.numbers(rows * shape.inputs());
    for kernel in kernels() {
        let together = forward(kernel, &shape, &state, &inputs);
        for threads in 1..=3 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            assert_eq!(together, pool.install(|| forward(kernel, &shape, &state, &inputs)));
        }
        for (row, input) in inputs.chunks(shape.inputs()).enumerate() {
            let alone = forward(kernel, &shape, &state, input);
            for (net, alone) in alone.chunks(shape.outputs()).enumerate() {
                assert_eq!(alone, &together[(net * rows + row) * shape.outputs()..][..shape.outputs()]);
            }
        }
    }
}

#[test]
fn no_rows_give_no_logits() {
    let shape = Shape::new(2, &[3, 4]);
    let state = State::random(&shape, &mut Random(1));
    assert!(forward(Kernel::detect(), &shape, &state, &[]).is_empty());
}

#[test]
fn a_net_that_is_not_a_number_says_so() {
    let shape = Shape::new(1, &[3, 9, 4]);
    let mut state = State::random(&shape, &mut Random(1));
    state.parameters.0[0].1.fill(f32::NAN);
    for kernel in kernels() {
        for rows in [1, 16] {
            let logits = forward(kernel, &shape, &state, &vec![0.5; rows * 3]);
            assert!(logits.iter().all(|logit| logit.is_nan()));
        }
    }
}
