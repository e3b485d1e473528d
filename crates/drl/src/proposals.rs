//! What the networks propose for the workloads of a step.

/// The logits of all networks for some workloads, `[K, rows, outputs]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proposals<'l> {
    logits: &'l [f32],
    rows: usize,
    outputs: usize,
}

impl<'l> Proposals<'l> {
    pub(crate) fn new(logits: &'l [f32], rows: usize, outputs: usize) -> Self {
        Self { logits, rows, outputs }
    }

    /// The logits of every network for one workload, each `[outputs]`.
    pub(crate) fn of(self, row: usize) -> impl Iterator<Item = &'l [f32]> {
        let Self { logits, rows, outputs } = self;
        logits.chunks_exact(rows * outputs).map(move |network| &network[row * outputs..][..outputs])
    }
}
