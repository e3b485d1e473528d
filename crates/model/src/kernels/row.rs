//! A dense layer on one row. Reading the weight takes most of its time, so it reads only the rows of inputs that are not 0.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use std::ops::Range;

use super::kernel::{Simd, Task, VECTOR};
use super::math::multiply_add;
use super::panel::{tiles, window, window_mut};

/// `output = activation(input · weight + bias)` for one row.
///
/// Sums run in the same order as in [`DenseForward`](super::dense::DenseForward), without the inputs that are 0, which are
/// about half of the outputs of a ReLU; both give the same values as long as weights are finite.
///
/// # Shapes
///
/// `weight` `[in, out]`, `bias` and `output` `[out]`, `input` `[in]`; `active` is scratch, `[in]`.
pub(super) struct RowForward<'a> {
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut [f32],
    pub(super) active: &'a mut [u32],
    pub(super) relu: bool,
}

impl Task for RowForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let mut count = 0;
        for (index, &input) in self.input.iter().enumerate() {
            self.active[count] = index as u32;
            count += usize::from(input != 0.0);
        }
        if self.bias.len() < VECTOR {
            self.narrow::<S>(count);
            return;
        }
        let outputs = self.bias.len();
        let (vectors, has_tail) = (outputs / VECTOR, !outputs.is_multiple_of(VECTOR));
        for (start, size) in tiles(vectors, S::ROW_VECTORS) {
            if has_tail && start + size == vectors {
                self.sized_tile::<S, 1>(simd, start, size, count);
            } else {
                self.sized_tile::<S, 0>(simd, start, size, count);
            }
        }
    }
}

impl RowForward<'_> {
    #[inline(always)]
    fn sized_tile<S: Simd, const TAIL: usize>(&mut self, simd: S, start: usize, size: usize, count: usize) {
        match size {
            1 => self.tile::<S, 1, TAIL>(simd, start, count),
            2 => self.tile::<S, 2, TAIL>(simd, start, count),
            3 => self.tile::<S, 3, TAIL>(simd, start, count),
            4 => self.tile::<S, 4, TAIL>(simd, start, count),
            5 => self.tile::<S, 5, TAIL>(simd, start, count),
            6 => self.tile::<S, 6, TAIL>(simd, start, count),
            7 => self.tile::<S, 7, TAIL>(simd, start, count),
            8 => self.tile::<S, 8, TAIL>(simd, start, count),
            9 => self.tile::<S, 9, TAIL>(simd, start, count),
            _ => self.tile::<S, 10, TAIL>(simd, start, count),
        }
    }

    /// Vectors `start..start + VECTORS` of the output, and `TAIL` (0 or 1) vector more that ends with the row; it
    /// overlaps the one before, where it stores the same values again.
    #[inline(always)]
    fn tile<S: Simd, const VECTORS: usize, const TAIL: usize>(&mut self, simd: S, start: usize, count: usize) {
        let outputs = self.bias.len();
        let tile = start * VECTOR..(start + VECTORS) * VECTOR;
        let (mut sums, mut tail_sum): ([S::Vector; VECTORS], [S::Vector; TAIL]) =
            load_tile(simd, self.bias, tile.clone());
        for &index in &self.active[..count] {
            let index = index as usize;
            let input = simd.splat(self.input[index]);
            let (weights, tail_weight): ([S::Vector; VECTORS], [S::Vector; TAIL]) =
                load_tile(simd, &self.weight[index * outputs..(index + 1) * outputs], tile.clone());
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.multiply_add(input, weight, *sum);
            }
            for (sum, weight) in tail_sum.iter_mut().zip(tail_weight) {
                *sum = simd.multiply_add(input, weight, *sum);
            }
        }
        let activated = |sum| if self.relu { simd.relu(sum) } else { sum };
        for (sum, output) in sums.into_iter().zip(self.output[tile].as_chunks_mut().0) {
            simd.store(activated(sum), output);
        }
        for sum in tail_sum {
            simd.store(activated(sum), window_mut(self.output, outputs - VECTOR));
        }
    }

    /// Outputs of a layer that has fewer of them than a vector has lanes.
    #[inline(always)]
    fn narrow<S: Simd>(&mut self, count: usize) {
        let outputs = self.bias.len();
        self.output.copy_from_slice(self.bias);
        for &index in &self.active[..count] {
            let index = index as usize;
            let weights = &self.weight[index * outputs..(index + 1) * outputs];
            for (sum, &weight) in self.output.iter_mut().zip(weights) {
                *sum = multiply_add::<S>(self.input[index], weight, *sum);
            }
        }
        if self.relu {
            for value in &mut *self.output {
                *value = if *value < 0.0 { 0.0 } else { *value };
            }
        }
    }
}

/// The vectors of one row that cover `tile`, and `TAIL` (0 or 1) more that end with the row.
#[inline(always)]
fn load_tile<S: Simd, const VECTORS: usize, const TAIL: usize>(
    simd: S,
    row: &[f32],
    tile: Range<usize>,
) -> ([S::Vector; VECTORS], [S::Vector; TAIL]) {
    let mut vectors = [simd.splat(0.0); VECTORS];
    for (vector, values) in vectors.iter_mut().zip(row[tile].as_chunks().0) {
        *vector = simd.load(values);
    }
    let mut tail = [simd.splat(0.0); TAIL];
    for vector in &mut tail {
        *vector = simd.load(window(row, row.len() - VECTOR));
    }
    (vectors, tail)
}
