//! A dense layer on one panel: forward, and the gradient with respect to its input.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::kernel::{Simd, Task};
use super::panel::{Lanes, tiles, window};

/// `output = activation(input · weight + bias)`.
///
/// # Shapes
///
/// `weight` `[in, out]`, `bias` `[out]`, `input` `[in][panel]`, `output` `[out][panel]`.
pub(crate) struct DenseForward<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) input: &'a [Lanes],
    pub(crate) output: &'a mut [Lanes],
    pub(crate) relu: bool,
}

impl Task for DenseForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for (start, size) in tiles(self.bias.len(), S::TILE_ROWS) {
            match size {
                1 => self.tile::<S, 1>(simd, start),
                2 => self.tile::<S, 2>(simd, start),
                3 => self.tile::<S, 3>(simd, start),
                4 => self.tile::<S, 4>(simd, start),
                5 => self.tile::<S, 5>(simd, start),
                _ => self.tile::<S, 6>(simd, start),
            }
        }
    }
}

impl DenseForward<'_> {
    /// Output units `start..start + UNITS`.
    #[inline(always)]
    fn tile<S: Simd, const UNITS: usize>(&mut self, simd: S, start: usize) {
        let mut sums = [[simd.splat(0.0); 2]; UNITS];
        for (sums, &bias) in sums.iter_mut().zip(window::<UNITS>(self.bias, start)) {
            *sums = [simd.splat(bias); 2];
        }
        for (input, weights) in self.input.iter().zip(self.weight.chunks_exact(self.bias.len())) {
            let input = [simd.load(&input.0[0]), simd.load(&input.0[1])];
            for (sums, &weight) in sums.iter_mut().zip(window::<UNITS>(weights, start)) {
                let weight = simd.splat(weight);
                for (sum, input) in sums.iter_mut().zip(input) {
                    *sum = simd.multiply_add(input, weight, *sum);
                }
            }
        }
        for (output, sums) in self.output[start..start + UNITS].iter_mut().zip(sums) {
            for (output, sum) in output.0.iter_mut().zip(sums) {
                simd.store(if self.relu { simd.relu(sum) } else { sum }, output);
            }
        }
    }
}

/// `output = max(output + input · weight, 0)`.
///
/// # Shapes
///
/// `weight` `[in, out]`, `input` `[in][panel]`, `output` `[out][panel]`.
pub(crate) struct DenseOnto<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) input: &'a [Lanes],
    pub(crate) output: &'a mut [Lanes],
}

impl Task for DenseOnto<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.accumulate(simd, true);
    }
}

impl DenseOnto<'_> {
    /// `output + input · weight`, with the maximum if `relu`.
    #[inline(always)]
    pub(crate) fn accumulate<S: Simd>(mut self, simd: S, relu: bool) {
        for (start, size) in tiles(self.output.len(), S::TILE_ROWS) {
            match size {
                1 => self.tile::<S, 1>(simd, start, relu),
                2 => self.tile::<S, 2>(simd, start, relu),
                3 => self.tile::<S, 3>(simd, start, relu),
                4 => self.tile::<S, 4>(simd, start, relu),
                5 => self.tile::<S, 5>(simd, start, relu),
                _ => self.tile::<S, 6>(simd, start, relu),
            }
        }
    }

    /// Output units `start..start + UNITS`.
    #[inline(always)]
    fn tile<S: Simd, const UNITS: usize>(&mut self, simd: S, start: usize, relu: bool) {
        let outputs = self.output.len();
        let mut sums = [[simd.splat(0.0); 2]; UNITS];
        for (sums, output) in sums.iter_mut().zip(&self.output[start..start + UNITS]) {
            *sums = [simd.load(&output.0[0]), simd.load(&output.0[1])];
        }
        for (input, weights) in self.input.iter().zip(self.weight.chunks_exact(outputs)) {
            let input = [simd.load(&input.0[0]), simd.load(&input.0[1])];
            for (sums, &weight) in sums.iter_mut().zip(window::<UNITS>(weights, start)) {
                let weight = simd.splat(weight);
                for (sum, input) in sums.iter_mut().zip(input) {
                    *sum = simd.multiply_add(input, weight, *sum);
                }
            }
        }
        for (output, sums) in self.output[start..start + UNITS].iter_mut().zip(sums) {
            for (output, sum) in output.0.iter_mut().zip(sums) {
                simd.store(if relu { simd.relu(sum) } else { sum }, output);
            }
        }
    }
}

/// `input_gradient = gradient · weightᵀ` where the layer's input, the output of a ReLU, is positive, else 0.
///
/// # Shapes
///
/// `weight` `[in, out]`, `gradient` `[out][panel]`, `input` and `input_gradient` `[in][panel]`; `active` is scratch,
/// `[out]`.
pub(crate) struct DenseBackward<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) gradient: &'a [Lanes],
    pub(crate) input: &'a [Lanes],
    pub(crate) input_gradient: &'a mut [Lanes],
    pub(crate) active: &'a mut [u32],
}

impl Task for DenseBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        // In trained networks many hidden units are 0 on every sample of a panel and have no gradient.
        let mut count = 0;
        for (output, gradient) in self.gradient.iter().enumerate() {
            self.active[count] = output as u32;
            count += usize::from(!gradient.is_zero());
        }
        for (start, size) in tiles(self.input.len(), S::TILE_ROWS) {
            match size {
                1 => self.tile::<S, 1>(simd, start, count),
                2 => self.tile::<S, 2>(simd, start, count),
                3 => self.tile::<S, 3>(simd, start, count),
                4 => self.tile::<S, 4>(simd, start, count),
                5 => self.tile::<S, 5>(simd, start, count),
                _ => self.tile::<S, 6>(simd, start, count),
            }
        }
    }
}

impl DenseBackward<'_> {
    /// Input units `start..start + UNITS`.
    #[inline(always)]
    fn tile<S: Simd, const UNITS: usize>(&mut self, simd: S, start: usize, count: usize) {
        let outputs = self.gradient.len();
        let mut rows: [&[f32]; UNITS] = [&[]; UNITS];
        for (unit, row) in rows.iter_mut().enumerate() {
            *row = &self.weight[(start + unit) * outputs..][..outputs];
        }
        let mut sums = [[simd.splat(0.0); 2]; UNITS];
        for &output in &self.active[..count] {
            let output = output as usize;
            let gradient = &self.gradient[output];
            let gradient = [simd.load(&gradient.0[0]), simd.load(&gradient.0[1])];
            for (sums, row) in sums.iter_mut().zip(rows) {
                let weight = simd.splat(row[output]);
                for (sum, gradient) in sums.iter_mut().zip(gradient) {
                    *sum = simd.multiply_add(gradient, weight, *sum);
                }
            }
        }
        let units = start..start + UNITS;
        for ((input_gradient, input), sums) in
            self.input_gradient[units.clone()].iter_mut().zip(&self.input[units]).zip(sums)
        {
            for ((input_gradient, input), sum) in input_gradient.0.iter_mut().zip(&input.0).zip(sums) {
                simd.store(simd.where_positive(sum, simd.load(input)), input_gradient);
            }
        }
    }
}
