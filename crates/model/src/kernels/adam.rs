//! Adam (Kingma and Ba, 2015, algorithm 1).
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use std::ops::RangeInclusive;

use super::kernel::{Simd, Task, VECTOR};
use super::math::{flush, multiply_add};

/// Gradients closer to 0 than this count as 0, and so do moments closer to 0 than the constants below. Such values are
/// too small next to `ε` to change a parameter, but they would decay to subnormal numbers, with which some processors
/// take a hundred times as long.
const LEAST_GRADIENT: f32 = 1.0 / (1_u64 << 56) as f32;
const LEAST_FIRST: f32 = LEAST_GRADIENT / (1 << 24) as f32;
const LEAST_SECOND: f32 = LEAST_GRADIENT * LEAST_GRADIENT;

/// Hyperparameters of Adam (Kingma and Ba, 2015).
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
    /// Values of ε that settings may have. With a smaller one a quotient could leave the range of `f32`.
    pub const EPSILON_LIMITS: RangeInclusive<f64> = 1e-12..=1.0;

    /// The paper's values with another step size.
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
        let least = [LEAST_GRADIENT, LEAST_FIRST, LEAST_SECOND].map(|least| simd.splat(least));
        for (((value, first), second), gradient) in values.iter_mut().zip(first).zip(second).zip(gradients) {
            let gradient = simd.flush(simd.load(gradient), least[0]);
            let m = simd.multiply_add(beta1, simd.load(first), simd.multiply(rest1, gradient));
            let v =
                simd.multiply_add(beta2, simd.load(second), simd.multiply(simd.multiply(rest2, gradient), gradient));
            let (m, v) = (simd.flush(m, least[1]), simd.flush(v, least[2]));
            let root = simd.multiply_add(simd.square_root(v), root_factor, epsilon);
            let change = simd.divide(simd.multiply(minus_step_size, m), root);
            simd.store(m, first);
            simd.store(v, second);
            simd.store(simd.add(simd.load(value), change), value);
        }
        for (((value, first), second), &gradient) in
            last_values.iter_mut().zip(last_first).zip(last_second).zip(last_gradients)
        {
            let gradient = flush(gradient, LEAST_GRADIENT);
            let m = multiply_add::<S>(factors.beta1, *first, (1.0 - factors.beta1) * gradient);
            let v = multiply_add::<S>(factors.beta2, *second, (1.0 - factors.beta2) * gradient * gradient);
            (*first, *second) = (flush(m, LEAST_FIRST), flush(v, LEAST_SECOND));
            let root = multiply_add::<S>(second.sqrt(), factors.root_factor, factors.epsilon);
            *value += -factors.step_size * *first / root;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::super::portable::Portable;
    use super::*;

    /// Two parameters in each vector and in the tail: one with a gradient now and then, one with a tiny one.
    fn moments_after(steps: u64, run: impl Fn(AdamUpdate<'_>)) -> [Vec<f32>; 3] {
        const COUNT: usize = VECTOR + 3;
        let (mut values, mut first, mut second) = (vec![0.5; COUNT], vec![0.0; COUNT], vec![0.0; COUNT]);
        for step in 1..=steps {
            let gradient: Vec<f32> = (0..COUNT)
                .map(|index| match (index % 2, step) {
                    (0, 1) => 0.25,
                    (0, _) => 0.0,
                    _ => 1e-21,
                })
                .collect();
            run(AdamUpdate {
                factors: Adam::default().at(step),
                values: &mut values,
                first_moment: &mut first,
                second_moment: &mut second,
                gradient: &gradient,
            });
            let all = first.iter().chain(&second);
            assert!(all.clone().all(|moment| !moment.is_subnormal()), "step {step}: {first:?} {second:?}");
        }
        [values, first, second]
    }

    #[test]
    fn moments_of_what_no_longer_learns_end_at_zero_and_never_become_subnormal() {
        for run in
            [|update: AdamUpdate<'_>| update.run(Portable), |update: AdamUpdate<'_>| Kernel::detect().run(update)]
        {
            let [values, first, second] = moments_after(100_000, run);
            assert!(first.iter().chain(&second).all(|moment| *moment == 0.0), "{first:?} {second:?}");
            let expected = |index: usize| if index.is_multiple_of(2) { values[0] } else { 0.5 };
            assert!(values[0] < 0.499 && values.iter().enumerate().all(|(index, value)| *value == expected(index)));
        }
    }

    #[test]
    fn a_gradient_that_is_no_number_stays_visible() {
        for run in
            [|update: AdamUpdate<'_>| update.run(Portable), |update: AdamUpdate<'_>| Kernel::detect().run(update)]
        {
            let mut values = [0.0; VECTOR + 1];
            let (mut first, mut second) = (values, values);
            let gradient = [f32::NAN; VECTOR + 1];
            run(AdamUpdate {
                factors: Adam::default().at(1),
                values: &mut values,
                first_moment: &mut first,
                second_moment: &mut second,
                gradient: &gradient,
            });
            assert!(values.iter().all(|value| value.is_nan()), "{values:?}");
        }
    }
}
