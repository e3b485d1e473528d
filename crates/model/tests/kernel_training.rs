//! Training steps against a plain reference.

#![expect(clippy::needless_range_loop, reason = "sums are easiest to check with the indices of the formula")]

mod common;

use common::{Random, Reference, Stack, State, batch, difference, kernels};
use model::kernels::{Adam, Head, Kernel, NetTrainer, Samples, Shape, Trainer};
use proptest::prelude::*;

const ROWS: usize = 50;

/// Everything a training step reads.
#[derive(Clone, Debug)]
struct Case {
    shape: Shape,
    head: Head,
    batch: usize,
    seed: u64,
}

struct Data {
    state: State,
    inputs: Vec<f32>,
    targets: Vec<f32>,
    indices: Vec<u32>,
}

impl Case {
    fn data(&self) -> Data {
        let mut random = Random(self.seed);
        let mut state = State::random(&self.shape, &mut random);
        if self.seed.is_multiple_of(2) {
            // As in trained networks: hidden units that are silent on every sample, a third of them.
            let hidden = state.parameters.0.iter_mut().rev().skip(1);
            hidden.flat_map(|(_, bias)| bias.iter_mut().step_by(3)).for_each(|bias| *bias = -50.0);
        }
        Data {
            state,
            inputs: random.numbers(ROWS * self.shape.inputs()),
            targets: random.targets(self.head, ROWS, self.shape.outputs()),
            indices: (0..self.shape.nets() * self.batch).map(|_| random.below(ROWS) as u32).collect(),
        }
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let head = prop_oneof![
        (1..=40_usize).prop_map(|outputs| (Head::Sigmoid, outputs)),
        (1..=5_usize, 1..=8_usize).prop_map(|(classes, groups)| (Head::Softmax { classes }, classes * groups)),
    ];
    (1..=4_usize, prop::collection::vec(1..=40_usize, 1..=4), head, 1..=70_usize, any::<u64>()).prop_map(
        |(nets, mut widths, (head, outputs), batch, seed)| {
            widths.push(outputs);
            Case { shape: Shape::new(nets, &widths), head, batch, seed }
        },
    )
}

/// With `β₁ = 0` the first moment is the gradient.
fn gradient_step(case: &Case, kernel: Kernel, data: &Data) -> (Stack, Vec<f32>) {
    let mut state = data.state.clone();
    let mut losses = vec![0.0; case.shape.nets()];
    let adam = Adam { beta1: 0.0, ..Adam::default() };
    let samples = Samples { inputs: &data.inputs, targets: &data.targets };
    let trainer = Trainer::new(case.shape.clone(), case.head, kernel);
    trainer.step(&mut state.lend(&case.shape), samples, &data.indices, &adam, 1, Some(&mut losses));
    (state.first, losses)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn gradient_and_loss_are_those_of_the_reference(case in any_case()) {
        let data = case.data();
        for kernel in kernels() {
            let (gradients, losses) = gradient_step(&case, kernel, &data);
            for (net, indices) in data.indices.chunks(case.batch).enumerate() {
                let reference = Reference::new(&case.shape, &data.state.parameters, net);
                let batch = batch(&case.shape, &data.inputs, &data.targets, indices);
                let loss = reference.loss(case.head, &batch);
                prop_assert!((f64::from(losses[net]) - loss).abs() < 1e-6 + 2e-6 * loss, "{} {loss}", losses[net]);
                if reference.distance_from_kink(&batch) < 1e-5 {
                    continue; // rounding may put a unit on the other side of its kink
                }
                let exact = reference.gradient(case.head, &batch);
                for (gradient, exact) in gradients.of_net(net, case.shape.nets()).iter().zip(&exact) {
                    let difference = difference(gradient, exact, 1e-2);
                    prop_assert!(difference < 1e-5, "{kernel:?}: gradients differ by {difference}");
                }
            }
        }
    }

    #[test]
    fn update_is_that_of_adam(
        case in any_case(),
        beta1 in prop_oneof![Just(0.0_f32), Just(0.9)],
        epsilon in prop_oneof![Just(1e-8_f32), Just(1e-5), Just(0.1)],
        time_step in 1..5000_u64,
    ) {
        let mut data = case.data();
        let mut random = Random(case.seed ^ 1);
        for ((first, second), (first_bias, second_bias)) in data.state.first.0.iter_mut().zip(&mut data.state.second.0)
            .map(|(first, second)| ((&mut first.0, &mut second.0), (&mut first.1, &mut second.1)))
        {
            for (m, v) in first.iter_mut().chain(first_bias).zip(second.iter_mut().chain(second_bias)) {
                *m = 0.1 * random.number();
                *v = 1e-3 + 0.01 * random.number().abs();
            }
        }
        let adam = Adam { learning_rate: 0.01, beta1, beta2: 0.999, epsilon };
        let samples = Samples { inputs: &data.inputs, targets: &data.targets };
        let nets = case.shape.nets();
        for kernel in kernels() {
            let gradient = gradient_step(&case, kernel, &data).0;
            let mut state = data.state.clone();
            let trainer = Trainer::new(case.shape.clone(), case.head, kernel);
            trainer.step(&mut state.lend(&case.shape), samples, &data.indices, &adam, time_step, None);
            for net in 0..nets {
                let mut expected = Moments::of(&data.state, net, nets);
                expected.update(&gradient.of_net(net, nets), &adam, time_step);
                let got = Moments::of(&state, net, nets);
                for (got, expected) in [
                    (&got.parameters, &expected.parameters),
                    (&got.first, &expected.first),
                    (&got.second, &expected.second),
                ] {
                    for (got, expected) in got.iter().zip(expected) {
                        let difference = difference(got, expected, 1e-3);
                        prop_assert!(difference < 2e-6, "{kernel:?}: updates differ by {difference}");
                    }
                }
            }
        }
    }
}

struct Moments {
    parameters: Vec<Vec<f64>>,
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
}

impl Moments {
    fn of(state: &State, net: usize, nets: usize) -> Self {
        Self {
            parameters: state.parameters.of_net(net, nets),
            first: state.first.of_net(net, nets),
            second: state.second.of_net(net, nets),
        }
    }

    /// Kingma and Ba, algorithm 1, in `f64`.
    fn update(&mut self, gradient: &[Vec<f64>], adam: &Adam, time_step: u64) {
        let (beta1, beta2) = (f64::from(adam.beta1), f64::from(adam.beta2));
        let exponent = time_step as i32;
        for layer in 0..gradient.len() {
            for i in 0..gradient[layer].len() {
                let g = gradient[layer][i];
                let (m, v) = (&mut self.first[layer][i], &mut self.second[layer][i]);
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                let (m_hat, v_hat) = (*m / (1.0 - beta1.powi(exponent)), *v / (1.0 - beta2.powi(exponent)));
                self.parameters[layer][i] -=
                    f64::from(adam.learning_rate) * m_hat / (v_hat.sqrt() + f64::from(adam.epsilon));
            }
        }
    }
}

/// Layers in which no unit, one unit, or one block of units has a gradient.
#[test]
fn silent_layers_have_the_gradient_of_the_reference() {
    let widths = [40, 50, 33, 5];
    for (batch, live) in [(7, 0), (33, 0), (7, 1), (33, 1), (33, 17)] {
        let case = Case { shape: Shape::new(2, &widths), head: Head::Sigmoid, batch, seed: 3 };
        let mut data = case.data();
        let bias = &mut data.state.parameters.0[1].1;
        bias.chunks_mut(33).for_each(|net| net[live..].fill(-50.0));
        for kernel in kernels() {
            let (gradients, _) = gradient_step(&case, kernel, &data);
            for (net, indices) in data.indices.chunks(batch).enumerate() {
                let reference = Reference::new(&case.shape, &data.state.parameters, net);
                let exact =
                    reference.gradient(case.head, &crate::batch(&case.shape, &data.inputs, &data.targets, indices));
                for (gradient, exact) in gradients.of_net(net, 2).iter().zip(&exact) {
                    let difference = difference(gradient, exact, 1e-2);
                    assert!(difference < 1e-5, "{kernel:?}, {live} live, batch {batch}: {difference}");
                }
            }
        }
    }
}

#[test]
fn reference_gradient_is_the_slope_of_its_loss() {
    for head in [Head::Sigmoid, Head::Softmax { classes: 3 }] {
        let case = Case { shape: Shape::new(1, &[4, 7, 5, 6]), head, batch: 9, seed: 3 };
        let data = case.data();
        let mut reference = Reference::new(&case.shape, &data.state.parameters, 0);
        let batch = batch(&case.shape, &data.inputs, &data.targets, &data.indices);
        assert!(reference.distance_from_kink(&batch) > 1e-4);
        let gradient = reference.gradient(head, &batch);
        for layer in 0..gradient.len() {
            for i in 0..gradient[layer].len() {
                let value = reference.parameters[layer][i];
                let mut loss_at = |value| {
                    reference.parameters[layer][i] = value;
                    reference.loss(head, &batch)
                };
                let slope = (loss_at(value + 1e-5) - loss_at(value - 1e-5)) / 2e-5;
                loss_at(value);
                assert!((slope - gradient[layer][i]).abs() < 1e-8, "{head:?}, layer {layer}, parameter {i}");
            }
        }
    }
}

#[test]
fn twenty_steps_follow_the_reference() {
    for head in [Head::Sigmoid, Head::Softmax { classes: 3 }] {
        for kernel in kernels() {
            let case = Case { shape: Shape::new(2, &[9, 120, 80, 18]), head, batch: 40, seed: 11 };
            let mut data = case.data();
            // A large epsilon keeps Adam from blowing up the rounding of gradients that are nearly zero.
            let adam = Adam { epsilon: 1e-2, ..Adam::default() };
            let samples = Samples { inputs: &data.inputs, targets: &data.targets };
            let mut references: Vec<_> = (0..2)
                .map(|net| (Reference::new(&case.shape, &data.state.parameters, net), Moments::of(&data.state, net, 2)))
                .collect();
            let trainer = Trainer::new(case.shape.clone(), head, kernel);
            let mut random = Random(5);
            for time_step in 1..=20 {
                let indices: Vec<u32> = (0..80).map(|_| random.below(ROWS) as u32).collect();
                let mut ensemble = data.state.lend(&case.shape);
                trainer.step(&mut ensemble, samples, &indices, &adam, time_step, None);
                for ((reference, moments), indices) in references.iter_mut().zip(indices.chunks(40)) {
                    let batch = batch(&case.shape, samples.inputs, samples.targets, indices);
                    moments.update(&reference.gradient(head, &batch), &adam, time_step);
                    reference.parameters.clone_from(&moments.parameters);
                }
            }
            for (net, (reference, _)) in references.iter().enumerate() {
                for (got, expected) in data.state.parameters.of_net(net, 2).iter().zip(&reference.parameters) {
                    let difference = difference(got, expected, 1e-3);
                    assert!(difference < 1e-4, "{head:?}, {kernel:?}: parameters differ by {difference}");
                }
            }
        }
    }
}

#[test]
fn loss_goes_down_and_stays_finite_with_huge_logits() {
    for kernel in kernels() {
        for head in [Head::Sigmoid, Head::Softmax { classes: 3 }] {
            let case = Case { shape: Shape::new(1, &[3, 16, 6]), head, batch: 33, seed: 2 };
            let mut data = case.data();
            data.state.parameters.0[1].0.iter_mut().for_each(|weight| *weight *= 1000.0);
            let samples = Samples { inputs: &data.inputs, targets: &data.targets };
            let trainer = Trainer::new(case.shape.clone(), head, kernel);
            let adam = Adam { learning_rate: 1.0, ..Adam::default() };
            let mut losses = Vec::new();
            for time_step in 1..=300 {
                let mut loss = [0.0];
                let mut ensemble = data.state.lend(&case.shape);
                trainer.step(&mut ensemble, samples, &data.indices, &adam, time_step, Some(&mut loss));
                losses.push(loss[0]);
            }
            assert!(losses.iter().all(|loss| loss.is_finite() && *loss >= 0.0));
            assert!(losses[299] < 0.5 * losses[0], "{} {}", losses[0], losses[299]);
        }
    }
}

#[test]
fn dont_cares_leave_no_trace() {
    for kernel in kernels() {
        for head in [Head::Sigmoid, Head::Softmax { classes: 2 }] {
            let case = Case { shape: Shape::new(1, &[3, 5, 4]), head, batch: 20, seed: 8 };
            let mut data = case.data();
            data.targets.fill(-1.0);
            let (gradient, losses) = gradient_step(&case, kernel, &data);
            assert_eq!(gradient, Stack::zeros(&case.shape));
            assert_eq!(losses, [0.0]);
        }
    }
}

#[test]
fn results_are_the_same_bits_for_any_number_of_threads_and_net_by_net() {
    for kernel in kernels() {
        let case = Case { shape: Shape::new(5, &[9, 30, 20, 18]), head: Head::Sigmoid, batch: 37, seed: 4 };
        let data = case.data();
        let samples = Samples { inputs: &data.inputs, targets: &data.targets };
        let adam = Adam::default();
        let on_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            let mut state = data.state.clone();
            let mut losses = vec![0.0; 5];
            let trainer = Trainer::new(case.shape.clone(), case.head, kernel);
            pool.install(|| {
                for time_step in 1..=10 {
                    let mut ensemble = state.lend(&case.shape);
                    trainer.step(&mut ensemble, samples, &data.indices, &adam, time_step, Some(&mut losses));
                }
            });
            (state, losses)
        };
        let one = on_threads(1);
        assert_eq!(one, on_threads(2));
        assert_eq!(one, on_threads(3));

        let mut state = data.state.clone();
        let mut trainer = NetTrainer::new(case.shape.clone(), case.head, kernel);
        let mut losses = Vec::new();
        for (net, indices) in state.lend(&case.shape).nets_mut().iter_mut().zip(data.indices.chunks(37)) {
            let step = |time_step| trainer.step(net, samples, indices, &adam, time_step, true);
            losses.push((1..=10).filter_map(step).last().expect("ten losses"));
        }
        assert_eq!(one, (state, losses));
    }
}

#[test]
fn a_smaller_batch_after_a_larger_one_sees_nothing_of_it() {
    for kernel in kernels() {
        let case = Case { shape: Shape::new(1, &[3, 20, 17]), head: Head::Sigmoid, batch: 50, seed: 6 };
        let data = case.data();
        let samples = Samples { inputs: &data.inputs, targets: &data.targets };
        let (mut fresh, mut used) = (data.state.clone(), data.state.clone());
        let mut trainer = NetTrainer::new(case.shape.clone(), case.head, kernel);
        trainer.step(
            &mut data.state.clone().lend(&case.shape).nets_mut()[0],
            samples,
            &data.indices,
            &Adam::default(),
            1,
            false,
        );
        trainer.step(
            &mut used.lend(&case.shape).nets_mut()[0],
            samples,
            &data.indices[..5],
            &Adam::default(),
            1,
            false,
        );
        let mut trainer = NetTrainer::new(case.shape.clone(), case.head, kernel);
        trainer.step(
            &mut fresh.lend(&case.shape).nets_mut()[0],
            samples,
            &data.indices[..5],
            &Adam::default(),
            1,
            false,
        );
        assert_eq!(fresh, used);
    }
}

#[test]
#[should_panic(expected = "index 50 is out of range: there are 50 samples")]
fn an_index_out_of_range_is_refused() {
    let case = Case { shape: Shape::new(1, &[3, 4]), head: Head::Sigmoid, batch: 3, seed: 1 };
    let mut data = case.data();
    data.indices[1] = 50;
    gradient_step(&case, Kernel::detect(), &data);
}

#[test]
#[should_panic(expected = "10 outputs cannot be cut into groups of 3 classes")]
fn groups_that_do_not_fit_the_outputs_are_refused() {
    let _ = Trainer::new(Shape::new(1, &[3, 10]), Head::Softmax { classes: 3 }, Kernel::detect());
}
