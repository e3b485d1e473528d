//! What networks learn from: encoded workloads with the indicators they should have answered.

#[cfg(feature = "flex")]
use crate::fused;

/// Rows of network inputs and targets, in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    inputs: usize,
    outputs: usize,
    input_rows: Vec<f32>,
    target_rows: Vec<f32>,
}

impl Samples {
    /// No rows yet, with room for `rows`.
    pub fn with_capacity(inputs: usize, outputs: usize, rows: usize) -> Self {
        Self {
            inputs,
            outputs,
            input_rows: Vec::with_capacity(rows * inputs),
            target_rows: Vec::with_capacity(rows * outputs),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.input_rows.len() / self.inputs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.input_rows.is_empty()
    }

    /// All inputs, `[rows, inputs]`.
    pub fn inputs(&self) -> &[f32] {
        &self.input_rows
    }

    /// All targets, `[rows, outputs]`; see [`Codec::targets`](crate::Codec::targets).
    pub fn targets(&self) -> &[f32] {
        &self.target_rows
    }

    /// All rows, as the fused kernels take them.
    #[cfg(feature = "flex")]
    pub(crate) fn lend(&self) -> fused::Samples<'_> {
        fused::Samples { inputs: &self.input_rows, targets: &self.target_rows }
    }

    /// Adds one row.
    ///
    /// # Panics
    /// If the row has other widths than these samples.
    pub fn push(&mut self, inputs: &[f32], targets: &[f32]) {
        assert_eq!((inputs.len(), targets.len()), (self.inputs, self.outputs), "widths of a sample");
        self.input_rows.extend_from_slice(inputs);
        self.target_rows.extend_from_slice(targets);
    }

    /// Replaces one row.
    ///
    /// # Panics
    /// If there is no such row, or it has other widths than these samples.
    pub fn replace(&mut self, row: usize, inputs: &[f32], targets: &[f32]) {
        self.input_rows[row * self.inputs..][..self.inputs].copy_from_slice(inputs);
        self.target_rows[row * self.outputs..][..self.outputs].copy_from_slice(targets);
    }

    /// Copies the rows at `indices` one after the other.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn gather(&self, indices: &[u32]) -> (Vec<f32>, Vec<f32>) {
        let pick = |rows: &[f32], width: usize| {
            let mut picked = Vec::with_capacity(indices.len() * width);
            for &index in indices {
                picked.extend_from_slice(&rows[index as usize * width..][..width]);
            }
            picked
        };
        (pick(&self.input_rows, self.inputs), pick(&self.target_rows, self.outputs))
    }
}
