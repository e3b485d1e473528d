//! Reference in plain `f64` loops, random numbers and storage for the tests.
#![expect(dead_code, reason = "each test program uses its part")]
#![expect(clippy::needless_range_loop, reason = "sums are easiest to check with the indices of the formula")]

use model::kernels::{Ensemble, Head, Kernel, Layer, LayerView, Shape};

pub(crate) fn kernels() -> [Kernel; 2] {
    [Kernel::Portable, Kernel::detect()]
}

/// A linear congruential generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Uniform in [-1, 1).
    pub(crate) fn number(&mut self) -> f32 {
        (self.bits() >> 7) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.bits() as usize % limit
    }

    pub(crate) fn numbers(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.number()).collect()
    }

    /// Targets `[rows, outputs]` that suit the head; some are "don't care".
    pub(crate) fn targets(&mut self, head: Head, rows: usize, outputs: usize) -> Vec<f32> {
        match head {
            Head::Sigmoid => (0..rows * outputs).map(|_| [0.0, 1.0, 0.3, -1.0][self.below(4)]).collect(),
            Head::Softmax { classes } => (0..rows * outputs / classes)
                .flat_map(|_| {
                    let (hot, is_left_out) = (self.below(classes), self.below(4) == 0);
                    let target = move |class| if class == hot { 1.0 } else { 0.0 };
                    (0..classes).map(move |class| if is_left_out { -1.0 } else { target(class) })
                })
                .collect(),
        }
    }
}

/// A stacked ensemble's weights `[K, in, out]` and biases `[K, 1, out]`, layer by layer, or one of their moments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stack(pub(crate) Vec<(Vec<f32>, Vec<f32>)>);

impl Stack {
    pub(crate) fn random(shape: &Shape, random: &mut Random) -> Self {
        let layer = |(inputs, outputs): (usize, usize)| {
            let size = 1.5 / (inputs as f32).sqrt();
            let mut numbers = |length| random.numbers(length).into_iter().map(|value| value * size).collect();
            (numbers(shape.nets() * inputs * outputs), numbers(shape.nets() * outputs))
        };
        Self(shape.layer_sizes().map(layer).collect())
    }

    pub(crate) fn zeros(shape: &Shape) -> Self {
        let nets = shape.nets();
        Self(shape.layer_sizes().map(|(i, o)| (vec![0.0; nets * i * o], vec![0.0; nets * o])).collect())
    }

    pub(crate) fn lend(&mut self) -> Vec<Layer<'_>> {
        self.0.iter_mut().map(|(weight, bias)| Layer { weight, bias }).collect()
    }

    pub(crate) fn view(&self) -> Vec<LayerView<'_>> {
        self.0.iter().map(|(weight, bias)| LayerView { weight, bias }).collect()
    }

    /// All values of one net, layer by layer, weight before bias.
    pub(crate) fn of_net(&self, net: usize, nets: usize) -> Vec<Vec<f64>> {
        let part = |values: &Vec<f32>| {
            let length = values.len() / nets;
            values[net * length..][..length].iter().copied().map(f64::from).collect::<Vec<f64>>()
        };
        self.0.iter().flat_map(|(weight, bias)| [part(weight), part(bias)]).collect()
    }
}

/// Parameters and moments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) parameters: Stack,
    pub(crate) first: Stack,
    pub(crate) second: Stack,
}

impl State {
    pub(crate) fn random(shape: &Shape, random: &mut Random) -> Self {
        Self { parameters: Stack::random(shape, random), first: Stack::zeros(shape), second: Stack::zeros(shape) }
    }

    pub(crate) fn lend(&mut self, shape: &Shape) -> Ensemble<'_> {
        Ensemble::new(shape, self.parameters.lend(), self.first.lend(), self.second.lend())
    }
}

/// One net in `f64`; `parameters[2 l]` is the weight `[in, out]` of layer `l`, `parameters[2 l + 1]` its bias.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) widths: Vec<usize>,
    pub(crate) parameters: Vec<Vec<f64>>,
}

impl Reference {
    pub(crate) fn new(shape: &Shape, parameters: &Stack, net: usize) -> Self {
        Self { widths: shape.widths().to_vec(), parameters: parameters.of_net(net, shape.nets()) }
    }

    /// The values before activation of every layer.
    pub(crate) fn layers(&self, input: &[f32]) -> Vec<Vec<f64>> {
        let mut activations: Vec<f64> = input.iter().copied().map(f64::from).collect();
        let mut layers = Vec::new();
        for layer in 0..self.widths.len() - 1 {
            let (inputs, outputs) = (self.widths[layer], self.widths[layer + 1]);
            let mut sums = self.parameters[2 * layer + 1].clone();
            for i in 0..inputs {
                for o in 0..outputs {
                    sums[o] += activations[i] * self.parameters[2 * layer][i * outputs + o];
                }
            }
            activations = sums.iter().map(|sum| sum.max(0.0)).collect();
            layers.push(sums);
        }
        layers
    }

    pub(crate) fn logits(&self, input: &[f32]) -> Vec<f64> {
        self.layers(input).pop().expect("at least one layer")
    }

    /// The loss of a batch of `(input, target)` rows.
    pub(crate) fn loss(&self, head: Head, batch: &[(&[f32], &[f32])]) -> f64 {
        let outputs = self.widths[self.widths.len() - 1];
        let mut sum = 0.0;
        for (input, target) in batch {
            let z = self.logits(input);
            match head {
                Head::Sigmoid => {
                    for (z, &y) in z.iter().zip(*target).filter(|&(_, &y)| y >= 0.0) {
                        sum += z.max(0.0) - z * f64::from(y) + (-z.abs()).exp().ln_1p();
                    }
                }
                Head::Softmax { classes } => {
                    for (z, y) in z.chunks(classes).zip(target.chunks(classes)).filter(|(_, y)| y[0] >= 0.0) {
                        let total: f64 = z.iter().map(|z| z.exp()).sum();
                        sum += total.ln() - z.iter().zip(y).map(|(z, &y)| z * f64::from(y)).sum::<f64>();
                    }
                }
            }
        }
        sum / (batch.len() * terms(head, outputs)) as f64
    }

    /// The gradient of the loss with respect to the parameters, laid out as they are.
    pub(crate) fn gradient(&self, head: Head, batch: &[(&[f32], &[f32])]) -> Vec<Vec<f64>> {
        let layer_count = self.widths.len() - 1;
        let mut gradient: Vec<Vec<f64>> = self.parameters.iter().map(|values| vec![0.0; values.len()]).collect();
        let scale = 1.0 / (batch.len() * terms(head, self.widths[layer_count])) as f64;
        for (input, target) in batch {
            let layers = self.layers(input);
            let mut delta: Vec<f64> =
                head_gradient(head, &layers[layer_count - 1], target).into_iter().map(|value| value * scale).collect();
            for layer in (0..layer_count).rev() {
                let (inputs, outputs) = (self.widths[layer], self.widths[layer + 1]);
                let below: Vec<f64> = match layer {
                    0 => input.iter().copied().map(f64::from).collect(),
                    _ => layers[layer - 1].iter().map(|sum| sum.max(0.0)).collect(),
                };
                let mut delta_below = vec![0.0; inputs];
                for i in 0..inputs {
                    for o in 0..outputs {
                        gradient[2 * layer][i * outputs + o] += below[i] * delta[o];
                        if below[i] > 0.0 {
                            delta_below[i] += delta[o] * self.parameters[2 * layer][i * outputs + o];
                        }
                    }
                }
                for o in 0..outputs {
                    gradient[2 * layer + 1][o] += delta[o];
                }
                delta = delta_below;
            }
        }
        gradient
    }

    /// Smallest distance of a hidden unit from the kink of its ReLU.
    pub(crate) fn distance_from_kink(&self, batch: &[(&[f32], &[f32])]) -> f64 {
        let hidden = |input| self.layers(input).into_iter().rev().skip(1).flatten();
        batch.iter().flat_map(|(input, _)| hidden(input)).map(f64::abs).fold(f64::INFINITY, f64::min)
    }
}

fn terms(head: Head, outputs: usize) -> usize {
    match head {
        Head::Sigmoid => outputs,
        Head::Softmax { classes } => outputs / classes,
    }
}

fn head_gradient(head: Head, logits: &[f64], targets: &[f32]) -> Vec<f64> {
    match head {
        Head::Sigmoid => logits
            .iter()
            .zip(targets)
            .map(|(z, &y)| if y < 0.0 { 0.0 } else { 1.0 / (1.0 + (-z).exp()) - f64::from(y) })
            .collect(),
        Head::Softmax { classes } => {
            let mut gradient = Vec::new();
            for (z, y) in logits.chunks(classes).zip(targets.chunks(classes)) {
                let total: f64 = z.iter().map(|z| z.exp()).sum();
                let term = |(z, &y): (&f64, &f32)| if y < 0.0 { 0.0 } else { z.exp() / total - f64::from(y) };
                gradient.extend(z.iter().zip(y).map(term));
            }
            gradient
        }
    }
}

/// The rows that `indices` name.
pub(crate) fn batch<'a>(
    shape: &Shape,
    inputs: &'a [f32],
    targets: &'a [f32],
    indices: &[u32],
) -> Vec<(&'a [f32], &'a [f32])> {
    let row = |index: u32| {
        let index = index as usize;
        let input = &inputs[index * shape.inputs()..][..shape.inputs()];
        (input, &targets[index * shape.outputs()..][..shape.outputs()])
    };
    indices.iter().map(|&index| row(index)).collect()
}

/// Largest difference, relative to the largest reference value (at least `floor`).
pub(crate) fn difference(values: &[f64], reference: &[f64], floor: f64) -> f64 {
    assert_eq!(values.len(), reference.len());
    let size = reference.iter().fold(floor, |size, value| size.max(value.abs()));
    values.iter().zip(reference).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}
