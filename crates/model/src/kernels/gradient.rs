//! The gradient with respect to a layer's weight and bias, summed over the batch.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::kernel::{Simd, Task, VECTOR};
use super::panel::{Lanes, PANEL, tiles};

/// Number of `Lanes` that [`Pack`] fills for a layer.
pub(super) fn packed_length(outputs: usize, panels: usize) -> usize {
    outputs.div_ceil(PANEL) * panels * PANEL
}

/// Lists the units that are above 0 for at least one sample of the batch; the others have no gradient behind their ReLU.
///
/// # Shapes
///
/// `activations` `[panels, units][panel]`.
pub(super) fn list_live(activations: &[Lanes], units: usize, live: &mut Vec<u32>) {
    live.clear();
    live.extend(
        (0..units as u32)
            .filter(|&unit| activations.iter().skip(unit as usize).step_by(units).any(|lanes| !lanes.is_zero())),
    );
}

/// Transposes one panel's gradient, so that vectors run over output units as they do in the weight.
///
/// # Shapes
///
/// `gradient` `[out][panel]`; `live` are the units that have one, `[live]`; `packed`
/// `[⌈live / 16⌉, panels * 16][16 live units]`, padded with zeros.
pub(super) struct Pack<'a> {
    pub(super) live: &'a [u32],
    pub(super) gradient: &'a [Lanes],
    pub(super) packed: &'a mut [Lanes],
    pub(super) panel: usize,
    pub(super) panels: usize,
}

impl Task for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = simd.splat(0.0);
        let samples = self.panel * PANEL..(self.panel + 1) * PANEL;
        for (block, units) in self.packed.chunks_exact_mut(self.panels * PANEL).zip(self.live.chunks(PANEL)) {
            let samples = &mut block[samples.clone()];
            for (half, samples) in samples.chunks_exact_mut(VECTOR).enumerate() {
                for (part, first) in [0, VECTOR].into_iter().enumerate() {
                    let mut rows = [zero; VECTOR];
                    for (row, &unit) in rows.iter_mut().zip(units.iter().skip(first)) {
                        *row = simd.load(&self.gradient[unit as usize].0[half]);
                    }
                    for (sample, column) in samples.iter_mut().zip(simd.transpose(rows)) {
                        simd.store(column, &mut sample.0[part]);
                    }
                }
            }
        }
    }
}

/// `weight_gradient = inputᵀ · gradient` and `bias_gradient =` the sum of `gradient` over the batch, both for the live
/// output units only.
///
/// # Shapes
///
/// `inputs` `[panels, in][panel]`, `packed` as [`Pack`] leaves it, `weight_gradient` `[in, live]`, `bias_gradient`
/// `[live]`.
pub(super) struct LayerGradient<'a> {
    pub(super) inputs: &'a [Lanes],
    pub(super) packed: &'a [Lanes],
    pub(super) weight_gradient: &'a mut [f32],
    pub(super) bias_gradient: &'a mut [f32],
    pub(super) panels: usize,
}

impl Task for LayerGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let width = self.inputs.len() / self.panels;
        for (block, packed) in self.packed.chunks_exact(self.panels * PANEL).enumerate() {
            let first = block * PANEL;
            self.bias(simd, packed, first);
            let two_vectors = self.bias_gradient.len() - first > VECTOR;
            for (start, size) in tiles(width, S::TILE_ROWS) {
                match (size, two_vectors) {
                    (1, true) => self.tile::<S, 1, 2>(simd, packed, start, first),
                    (2, true) => self.tile::<S, 2, 2>(simd, packed, start, first),
                    (3, true) => self.tile::<S, 3, 2>(simd, packed, start, first),
                    (4, true) => self.tile::<S, 4, 2>(simd, packed, start, first),
                    (5, true) => self.tile::<S, 5, 2>(simd, packed, start, first),
                    (_, true) => self.tile::<S, 6, 2>(simd, packed, start, first),
                    (1, false) => self.tile::<S, 1, 1>(simd, packed, start, first),
                    (2, false) => self.tile::<S, 2, 1>(simd, packed, start, first),
                    (3, false) => self.tile::<S, 3, 1>(simd, packed, start, first),
                    (4, false) => self.tile::<S, 4, 1>(simd, packed, start, first),
                    (5, false) => self.tile::<S, 5, 1>(simd, packed, start, first),
                    (_, false) => self.tile::<S, 6, 1>(simd, packed, start, first),
                }
            }
        }
    }
}

impl LayerGradient<'_> {
    /// Input units `start..start + UNITS`, the output units of one block, which begins with unit `first`.
    #[inline(always)]
    fn tile<S: Simd, const UNITS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        packed: &[Lanes],
        start: usize,
        first: usize,
    ) {
        let width = self.inputs.len() / self.panels;
        let mut sums = [[simd.splat(0.0); VECTORS]; UNITS];
        for (inputs, gradients) in self.inputs.chunks_exact(width).zip(packed.as_chunks::<PANEL>().0) {
            let inputs: &[Lanes; UNITS] = inputs[start..start + UNITS].try_into().expect("a slice of UNITS units");
            for (sample, gradient) in gradients.iter().enumerate() {
                let mut vectors = [simd.splat(0.0); VECTORS];
                for (vector, part) in vectors.iter_mut().zip(&gradient.0) {
                    *vector = simd.load(part);
                }
                for (sums, input) in sums.iter_mut().zip(inputs) {
                    let input = simd.splat(input.values()[sample]);
                    for (sum, gradient) in sums.iter_mut().zip(vectors) {
                        *sum = simd.multiply_add(gradient, input, *sum);
                    }
                }
            }
        }
        let outputs = self.bias_gradient.len();
        let rows = self.weight_gradient[start * outputs..(start + UNITS) * outputs].chunks_exact_mut(outputs);
        for (row, sums) in rows.zip(sums) {
            store_block(simd, &sums, &mut row[first..]);
        }
    }

    #[inline(always)]
    fn bias<S: Simd>(&mut self, simd: S, packed: &[Lanes], first: usize) {
        // Four independent sums: one alone would wait for each of its additions.
        let mut sums = [[simd.splat(0.0); 2]; 4];
        for samples in packed.as_chunks::<4>().0 {
            for (sums, sample) in sums.iter_mut().zip(samples) {
                for (sum, part) in sums.iter_mut().zip(&sample.0) {
                    *sum = simd.add(*sum, simd.load(part));
                }
            }
        }
        let [a, b, c, d] = sums;
        let mut total = [simd.splat(0.0); 2];
        for (part, total) in total.iter_mut().enumerate() {
            *total = simd.add(simd.add(a[part], b[part]), simd.add(c[part], d[part]));
        }
        store_block(simd, &total, &mut self.bias_gradient[first..]);
    }
}

/// Stores the vectors at the start of `values`, cut off where `values` ends.
#[inline(always)]
fn store_block<S: Simd, const VECTORS: usize>(simd: S, vectors: &[S::Vector; VECTORS], values: &mut [f32]) {
    for (part, &vector) in values.chunks_mut(VECTOR).zip(vectors) {
        if let Some(part) = part.first_chunk_mut() {
            simd.store(vector, part);
        } else {
            let mut whole = [0.0; VECTOR];
            simd.store(vector, &mut whole);
            part.copy_from_slice(&whole[..part.len()]);
        }
    }
}
