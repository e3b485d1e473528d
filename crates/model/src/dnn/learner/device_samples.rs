//! A copy of [`Samples`] on the device that learns from them.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

use crate::dnn::samples::{Samples, State};

/// The most runs of changed rows that are each copied by an operation of their own; with more, all rows are sent again.
const MAX_RUNS: usize = 8;

/// Samples on the device: between two steps only the rows that changed are sent there.
pub(super) struct DeviceSamples {
    device: Device,
    /// `[rows, inputs + outputs]`, and the state that the samples were in when these rows were copied.
    rows: Option<(Tensor<2>, State)>,
}

impl DeviceSamples {
    /// No copy yet.
    pub(super) fn new(device: Device) -> Self {
        Self { device, rows: None }
    }

    /// All samples, inputs and targets side by side, `[rows, inputs + outputs]`.
    pub(super) fn rows(&mut self, samples: &Samples) -> Tensor<2> {
        let rows = self.rows.take().and_then(|(rows, state)| self.brought_up_to_date(rows, samples, state));
        let rows = rows.unwrap_or_else(|| self.sent(samples, 0..samples.len()));
        self.rows = Some((rows.clone(), samples.state()));
        rows
    }

    /// The copy with the rows that changed since `state`; `None` if it is cheaper to send all of them.
    fn brought_up_to_date(&self, mut rows: Tensor<2>, samples: &Samples, state: State) -> Option<Tensor<2>> {
        let changes = samples.changes_since(state)?;
        let [count, width] = rows.dims();
        let mut changes: Vec<usize> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        let runs = || changes.chunk_by(|row, next| row + 1 == *next);
        if count != samples.len() || runs().count() > MAX_RUNS {
            return None;
        }
        for run in runs() {
            let range = run[0]..run[0] + run.len();
            rows = rows.slice_assign([range.clone(), 0..width], self.sent(samples, range));
        }
        Some(rows)
    }

    fn sent(&self, samples: &Samples, range: Range<usize>) -> Tensor<2> {
        let count = range.len();
        let rows = samples.side_by_side(range);
        let width = rows.len() / count;
        Tensor::from_data(TensorData::new(rows, [count, width]), &self.device)
    }
}
