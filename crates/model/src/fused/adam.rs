//! Adam (Kingma and Ba, 2015, algorithm 1).
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::kernel::{Simd, Task, VECTOR};
use super::math::multiply_add;

/// Hyperparameters of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Step size, `α`.
    pub learning_rate: f32,
    /// Decay of the first moment, `β₁`; 0 uses each gradient alone.
    pub beta1: f32,
    /// Decay of the second moment, `β₂`.
    pub beta2: f32,
    /// Added to the root of the second moment, `ε`.
    pub epsilon: f32,
}

impl Default for Adam {
    /// The paper's values.
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adam {
    /// The published values at another step size.
    pub fn with_learning_rate(learning_rate: f32) -> Self {
        Self { learning_rate, ..Self::default() }
    }

    /// The factors of one step; `time_step` counts from 1.
    pub(super) fn at(&self, time_step: u64) -> AdamFactors {
        assert!(time_step > 0, "Adam's time step counts from 1");
        let exponent = time_step as f64;
        let first_correction = 1.0 - f64::from(self.beta1).powf(exponent);
        let second_correction = 1.0 - f64::from(self.beta2).powf(exponent);
        AdamFactors {
            step_size: (f64::from(self.learning_rate) / first_correction) as f32,
            root_factor: second_correction.sqrt().recip() as f32,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
        }
    }
}

/// Hyperparameters with the bias corrections folded in.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdamFactors {
    /// `α / (1 - β₁ᵗ)`.
    step_size: f32,
    /// `1 / √(1 - β₂ᵗ)`.
    root_factor: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
}

/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `θ ← θ - α m̂ / (√v̂ + ε)`, element by element.
pub(super) struct AdamUpdate<'a> {
    pub(super) factors: AdamFactors,
    pub(super) values: &'a mut [f32],
    pub(super) first_moment: &'a mut [f32],
    pub(super) second_moment: &'a mut [f32],
    pub(super) gradient: &'a [f32],
}

impl Task for AdamUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (values, last_values) = self.values.as_chunks_mut::<VECTOR>();
        let (first, last_first) = self.first_moment.as_chunks_mut::<VECTOR>();
        let (second, last_second) = self.second_moment.as_chunks_mut::<VECTOR>();
        let (gradients, last_gradients) = self.gradient.as_chunks::<VECTOR>();
        let factors = self.factors;
        let (beta1, rest1) = (simd.splat(factors.beta1), simd.splat(1.0 - factors.beta1));
        let (beta2, rest2) = (simd.splat(factors.beta2), simd.splat(1.0 - factors.beta2));
        let (epsilon, root_factor) = (simd.splat(factors.epsilon), simd.splat(factors.root_factor));
        let minus_step_size = simd.splat(-factors.step_size);
        for (((value, first), second), gradient) in values.iter_mut().zip(first).zip(second).zip(gradients) {
            let gradient = simd.load(gradient);
            let m = simd.multiply_add(beta1, simd.load(first), simd.multiply(rest1, gradient));
            let v =
                simd.multiply_add(beta2, simd.load(second), simd.multiply(simd.multiply(rest2, gradient), gradient));
            let root = simd.multiply_add(simd.square_root(v), root_factor, epsilon);
            let change = simd.divide(simd.multiply(minus_step_size, m), root);
            simd.store(m, first);
            simd.store(v, second);
            simd.store(simd.add(simd.load(value), change), value);
        }
        for (((value, first), second), &gradient) in
            last_values.iter_mut().zip(last_first).zip(last_second).zip(last_gradients)
        {
            *first = multiply_add::<S>(factors.beta1, *first, (1.0 - factors.beta1) * gradient);
            *second = multiply_add::<S>(factors.beta2, *second, (1.0 - factors.beta2) * gradient * gradient);
            let root = multiply_add::<S>(second.sqrt(), factors.root_factor, factors.epsilon);
            *value += -factors.step_size * *first / root;
        }
    }
}
