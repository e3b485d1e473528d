//! Training steps of one network, written out for the CPU.

use serde::{Deserialize, Serialize};

use super::features::{CONTEXT_INPUTS, INPUTS, Inputs, PLACE_INPUTS};
use super::loss::{Loss, Sample};
use super::net::{LARGEST_LN_PRICE, PRICES, Parameters, Parts};

/// The decay of Adam's moments, and what keeps its step finite.
const FIRST_DECAY: f32 = 0.9;
const SECOND_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Trains one network with Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    width: usize,
    values: Vec<f32>,
    moments: [Vec<f32>; 2],
    steps: i32,
    #[serde(skip)]
    gradient: Vec<f32>,
    #[serde(skip)]
    pass: Pass,
}

/// The values of a forward pass that the backward pass needs, by place.
#[derive(Debug, Clone, PartialEq, Default)]
struct Pass {
    /// Hidden units, `[places, width]`.
    units: Vec<f32>,
    context: Vec<f32>,
    slopes: Vec<f32>,
    ln_prices: Vec<[f32; PRICES]>,
    gradient: Vec<[f32; PRICES]>,
}

impl Learner {
    /// Begins with these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        let count = parameters.values.len();
        Self {
            width: parameters.width,
            values: parameters.values.clone(),
            moments: [vec![0.0; count], vec![0.0; count]],
            steps: 0,
            gradient: Vec::new(),
            pass: Pass::default(),
        }
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> Parameters {
        Parameters { width: self.width, values: self.values.clone() }
    }

    /// Whether the parameters and moments fit each other, and a network of this width.
    pub fn is_of(&self, width: usize) -> bool {
        let count = super::net::parameters(width);
        self.width == width
            && self.values.len() == count
            && self.moments.iter().all(|moments| moments.len() == count)
            && self.steps >= 0
    }

    /// Takes one step of Adam on the mean loss of a batch, and returns that loss.
    ///
    /// # Panics
    /// If the batch is empty.
    pub fn step(&mut self, batch: &[&Sample], loss: Loss, learning_rate: f64) -> f32 {
        let mean = self.mean_gradient(batch, loss);
        self.steps = self.steps.saturating_add(1);
        let corrections = [FIRST_DECAY, SECOND_DECAY].map(|decay| 1.0 / (1.0 - decay.powi(self.steps)));
        let [first, second] = &mut self.moments;
        let moments = first.iter_mut().zip(second);
        for ((value, gradient), (first, second)) in self.values.iter_mut().zip(&self.gradient).zip(moments) {
            *first = FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * gradient;
            *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * gradient * gradient;
            let step = (*first * corrections[0]) / ((*second * corrections[1]).sqrt() + EPSILON);
            *value -= learning_rate as f32 * step;
        }
        mean
    }

    /// The mean loss of a batch; its gradient is in `self.gradient`.
    fn mean_gradient(&mut self, batch: &[&Sample], loss: Loss) -> f32 {
        assert!(!batch.is_empty(), "a batch has samples");
        self.gradient.clear();
        self.gradient.resize(self.values.len(), 0.0);
        let scale = 1.0 / batch.len() as f32;
        let mut sum = 0.0;
        for sample in batch {
            self.pass.forward(self.width, &self.values, &sample.inputs);
            let Pass { ln_prices, gradient, .. } = &mut self.pass;
            gradient.resize(ln_prices.len(), [0.0; PRICES]);
            sum += scale * loss.gradient(sample, ln_prices, gradient);
            for of_place in gradient.iter_mut() {
                *of_place = of_place.map(|slope| slope * scale);
            }
            self.pass.backward(self.width, &self.values, &sample.inputs, &mut self.gradient);
        }
        sum
    }
}

fn add_row(sums: &mut [f32], factor: f32, row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

impl Pass {
    fn forward(&mut self, width: usize, values: &[f32], inputs: &Inputs) {
        let parts = Parts::of(width);
        let row = |input: usize| &values[input * width..][..width];
        let direct = |input: usize, price: usize| values[parts.direct + input * PRICES + price];
        self.context.clear();
        self.context.extend_from_slice(&values[parts.bias..parts.price]);
        let mut of_context = [values[parts.price_bias], values[parts.price_bias + 1]];
        for (index, input) in inputs.context.iter().enumerate() {
            add_row(&mut self.context, *input, row(index));
            for (price, sum) in of_context.iter_mut().enumerate() {
                *sum += input * direct(index, price);
            }
        }
        self.units.clear();
        self.ln_prices.clear();
        for place in &inputs.places {
            let first = self.units.len();
            self.units.extend_from_slice(&self.context);
            let units = &mut self.units[first..];
            let mut prices = of_context;
            for (index, input) in place.inputs.iter().enumerate() {
                add_row(units, *input, row(CONTEXT_INPUTS + index));
                for (price, sum) in prices.iter_mut().enumerate() {
                    *sum += input * direct(CONTEXT_INPUTS + index, price);
                }
            }
            for (unit, weights) in units.iter_mut().zip(values[parts.price..parts.direct].chunks_exact(PRICES)) {
                *unit /= 1.0 + unit.abs();
                for (sum, weight) in prices.iter_mut().zip(weights) {
                    *sum += *unit * weight;
                }
            }
            self.ln_prices.push(prices.map(|price| price.min(LARGEST_LN_PRICE)));
        }
    }

    /// Adds the gradient by the parameters to `sums`.
    fn backward(&mut self, width: usize, values: &[f32], inputs: &Inputs, sums: &mut [f32]) {
        let parts = Parts::of(width);
        self.context.clear();
        self.context.resize(width, 0.0);
        self.slopes.resize(width, 0.0);
        let mut of_context = [0.0; PRICES];
        let places = inputs.places.iter().zip(&self.gradient).zip(self.units.chunks_exact(width));
        for ((place, gradient), units) in places {
            if *gradient == [0.0; PRICES] {
                continue;
            }
            for (unit, value) in units.iter().enumerate() {
                // The slope of softsign is (1 - |softsign|)².
                let rest = 1.0 - value.abs();
                let mut slope = 0.0;
                for (price, of_price) in gradient.iter().enumerate() {
                    let weight = parts.price + unit * PRICES + price;
                    slope += of_price * values[weight];
                    sums[weight] += of_price * value;
                }
                self.slopes[unit] = slope * rest * rest;
                self.context[unit] += self.slopes[unit];
            }
            for (index, input) in place.inputs.iter().enumerate() {
                let index = CONTEXT_INPUTS + index;
                add_row(&mut sums[index * width..][..width], *input, &self.slopes);
                add_row(&mut sums[parts.direct + index * PRICES..][..PRICES], *input, gradient);
            }
            add_row(&mut of_context, 1.0, gradient);
        }
        for (index, input) in inputs.context.iter().enumerate() {
            add_row(&mut sums[index * width..][..width], *input, &self.context);
            add_row(&mut sums[parts.direct + index * PRICES..][..PRICES], *input, &of_context);
        }
        add_row(&mut sums[parts.bias..parts.price], 1.0, &self.context);
        add_row(&mut sums[parts.price_bias..], 1.0, &of_context);
    }
}

const _: () = assert!(INPUTS == CONTEXT_INPUTS + PLACE_INPUTS);
