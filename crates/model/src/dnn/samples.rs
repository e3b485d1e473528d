//! Samples: encoded workloads with the indicators that networks learn to answer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "flex")]
use crate::kernels;

/// Number of changed rows that [`Samples`] remember; a copy that has missed more changes is rebuilt.
const JOURNAL: usize = 64;

/// The most rows that a setting may have.
pub const MAX_SAMPLES: usize = 10_000_000;

/// Rows of network inputs and targets, in host memory.
#[derive(Debug, Clone)]
pub struct Samples {
    inputs: usize,
    outputs: usize,
    input_rows: Vec<f32>,
    target_rows: Vec<f32>,
    state: State,
    /// The last changes: the row that changed, and the state after it.
    journal: VecDeque<(u32, State)>,
}

/// Identifies the contents of [`Samples`]. Different contents have different states, even in copies that were changed
/// separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(u64);

impl State {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

impl Samples {
    /// Samples without rows, with room for `rows`.
    pub fn with_capacity(inputs: usize, outputs: usize, rows: usize) -> Self {
        Self {
            inputs,
            outputs,
            input_rows: Vec::with_capacity(rows * inputs),
            target_rows: Vec::with_capacity(rows * outputs),
            state: State::next(),
            journal: VecDeque::with_capacity(JOURNAL),
        }
    }

    /// The state of the present contents, for [`Samples::changes_since`].
    pub fn state(&self) -> State {
        self.state
    }

    /// The rows that changed since `state`, oldest first, for bringing a copy on a device up to date; `None` if `state` is too
    /// old, or of other samples.
    pub fn changes_since(&self, state: State) -> Option<impl ExactSizeIterator<Item = usize>> {
        let seen = if self.state == state {
            self.journal.len()
        } else {
            1 + self.journal.iter().rposition(|&(_, after)| after == state)?
        };
        Some(self.journal.range(seen..).map(|&(row, _)| row as usize))
    }

    fn note_change(&mut self, row: usize) {
        if self.journal.len() == JOURNAL {
            self.journal.pop_front();
        }
        self.state = State::next();
        self.journal.push_back((row as u32, self.state));
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.input_rows.len() / self.inputs
    }

    /// Whether there are no rows.
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

    /// All rows, for the kernels.
    #[cfg(feature = "flex")]
    pub(crate) fn slices(&self) -> kernels::Samples<'_> {
        kernels::Samples { inputs: &self.input_rows, targets: &self.target_rows }
    }

    /// Adds one row.
    ///
    /// # Panics
    /// If the row has other widths than these samples.
    pub fn push(&mut self, inputs: &[f32], targets: &[f32]) {
        assert_eq!((inputs.len(), targets.len()), (self.inputs, self.outputs), "widths of a sample");
        self.note_change(self.len());
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
        self.note_change(row);
    }

    /// Copies rows with the target of each after its inputs, `[rows, inputs + outputs]`.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn side_by_side(&self, rows: std::ops::Range<usize>) -> Vec<f32> {
        let inputs = self.input_rows[rows.start * self.inputs..rows.end * self.inputs].chunks_exact(self.inputs);
        let targets = self.target_rows[rows.start * self.outputs..rows.end * self.outputs].chunks_exact(self.outputs);
        inputs.zip(targets).flat_map(|(inputs, targets)| inputs.iter().chain(targets)).copied().collect()
    }

    /// Copies the rows at `indices`: inputs `[indices, inputs]` and targets `[indices, outputs]`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(samples: &Samples, since: State) -> Option<Vec<usize>> {
        samples.changes_since(since).map(Iterator::collect)
    }

    #[test]
    fn changes_are_told_from_any_state_of_late() {
        let mut samples = Samples::with_capacity(1, 1, 8);
        let empty = samples.state();
        samples.push(&[0.0], &[0.0]);
        let one = samples.state();
        samples.push(&[1.0], &[0.0]);
        samples.replace(0, &[2.0], &[1.0]);
        assert_eq!(changes(&samples, samples.state()), Some(vec![]));
        assert_eq!(changes(&samples, one), Some(vec![1, 0]));
        assert_eq!(changes(&samples, empty), None, "nobody copies what holds nothing");
        for _ in 0..JOURNAL - 3 {
            samples.replace(1, &[3.0], &[1.0]);
        }
        assert_eq!(changes(&samples, one).map(|rows| rows.len()), Some(JOURNAL - 1));
        samples.replace(1, &[3.0], &[1.0]);
        assert_eq!(changes(&samples, one), None);
    }

    #[test]
    fn copies_changed_apart_share_no_later_state() {
        let mut samples = Samples::with_capacity(1, 1, 8);
        samples.push(&[0.0], &[0.0]);
        let mut copy = samples.clone();
        samples.replace(0, &[1.0], &[0.0]);
        copy.replace(0, &[2.0], &[0.0]);
        assert_eq!(changes(&copy, samples.state()), None);
    }
}
