//! The cheapest candidates for a panel of workloads side by side.

use sim::CostModel;

use super::selection::{Exploration, Selection, SelectionScope};
use super::selector::CandidateSelector;
use super::{Absent, keep_reachable};
use crate::dnn::features::Codec;
use crate::kernels::PANEL_ROWS;

/// Selects the cheapest candidate for each workload of a panel, the same as a [`CandidateSelector`] does for one workload.
/// Keeps its memory between panels.
#[derive(Debug, Clone)]
pub(crate) struct PanelSelector {
    selector: CandidateSelector,
    /// `[N * M, PANEL_ROWS]`.
    sizes_bytes: Vec<f64>,
    /// `[N * M, PANEL_ROWS]`.
    proposal: Vec<u8>,
    /// `[N * M, PANEL_ROWS]`.
    best: Vec<u8>,
    /// Logits of one row, `[K, outputs]`.
    logits: Vec<f32>,
}

impl PanelSelector {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            selector: CandidateSelector::new(selection),
            sizes_bytes: Vec::new(),
            proposal: Vec::new(),
            best: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// Writes the cheapest candidate for every row into `best`, and the number of candidates compared into `evaluations`.
    ///
    /// # Shapes
    /// `sizes_bytes` yields `[N * M]` for each row; `logits` is `[K, outputs, PANEL_ROWS]`, `best` is `[rows, N * M]` and
    /// `evaluations` is `[rows]`.
    pub(crate) fn select<'s>(
        &mut self,
        codec: &Codec,
        model: &CostModel,
        sizes_bytes: impl Iterator<Item = &'s [f64]>,
        logits: &[f32],
        best: &mut [u8],
        evaluations: &mut [u64],
    ) {
        let selection = self.selector.selection();
        if selection.exploration == Exploration::Threshold && !model.counts_one_quantity() {
            self.lay_out(codec, sizes_bytes);
            evaluations.fill((logits.len() / (codec.outputs() * PANEL_ROWS)) as u64);
            if selection.scope == SelectionScope::PerDevice && model.is_separable() {
                self.select_by_device(codec, model, logits);
            } else {
                self.select_by_workload(codec, model, logits);
            }
            for (row, best) in best.chunks_exact_mut(codec.task_count()).enumerate() {
                for (place, lanes) in best.iter_mut().zip(self.best.chunks_exact(PANEL_ROWS)) {
                    *place = lanes[row];
                }
            }
            return;
        }
        // Each row has candidates, or ties, of its own.
        let rows = best.chunks_exact_mut(codec.task_count()).zip(evaluations);
        for (row, (sizes_bytes, (best, evaluations))) in sizes_bytes.zip(rows).enumerate() {
            self.logits.clear();
            self.logits.extend(logits.chunks_exact(PANEL_ROWS).map(|lanes| lanes[row]));
            let proposals = self.logits.chunks_exact(codec.outputs());
            *evaluations = self.selector.select(codec, model, sizes_bytes, proposals, best).evaluations;
        }
    }

    /// Lays rows of sizes side by side; lanes without a row keep their values.
    fn lay_out<'s>(&mut self, codec: &Codec, sizes_bytes: impl Iterator<Item = &'s [f64]>) {
        let length = codec.task_count() * PANEL_ROWS;
        self.sizes_bytes.resize(length, 0.0);
        self.proposal.resize(length, 0);
        self.best.resize(length, 0);
        for (row, sizes_bytes) in sizes_bytes.enumerate() {
            for (lanes, size) in self.sizes_bytes.chunks_exact_mut(PANEL_ROWS).zip(sizes_bytes) {
                lanes[row] = *size;
            }
        }
    }

    /// Selects the cheapest candidate for each whole workload.
    fn select_by_workload(&mut self, codec: &Codec, model: &CostModel, logits: &[f32]) {
        let mut best_costs = [f64::INFINITY; PANEL_ROWS];
        let absent = Absent::of(&self.sizes_bytes);
        for logits in logits.chunks_exact(codec.outputs() * PANEL_ROWS) {
            codec.decode_panel(logits, &mut self.proposal);
            keep_reachable(codec, model, 0, PANEL_ROWS, logits, &mut self.proposal);
            absent.keep(&mut self.proposal);
            let mut costs = [0.0; PANEL_ROWS];
            model.batch_costs(&self.sizes_bytes, &self.proposal, &mut costs);
            keep_cheaper(&costs, &mut best_costs, &self.proposal, &mut self.best);
        }
    }

    /// Selects the cheapest candidate for each device by itself.
    fn select_by_device(&mut self, codec: &Codec, model: &CostModel, logits: &[f32]) {
        for device in 0..model.devices() {
            let mut best_costs = [f64::INFINITY; PANEL_ROWS];
            let rows = device * model.tasks() * PANEL_ROWS..(device + 1) * model.tasks() * PANEL_ROWS;
            let absent = Absent::of(&self.sizes_bytes[rows.clone()]);
            for logits in logits.chunks_exact(codec.outputs() * PANEL_ROWS) {
                let part = logits.len() / model.devices();
                let logits = &logits[device * part..][..part];
                codec.decode_panel(logits, &mut self.proposal[rows.clone()]);
                keep_reachable(codec, model, device, PANEL_ROWS, logits, &mut self.proposal[rows.clone()]);
                absent.keep(&mut self.proposal[rows.clone()]);
                let mut costs = [0.0; PANEL_ROWS];
                let proposal = &self.proposal[rows.clone()];
                model.device_batch_costs(device, &self.sizes_bytes[rows.clone()], proposal, &mut costs);
                keep_cheaper(&costs, &mut best_costs, proposal, &mut self.best[rows.clone()]);
            }
        }
    }
}

/// Takes over the lanes of a proposal that cost less than the best before.
fn keep_cheaper(costs: &[f64; PANEL_ROWS], best_costs: &mut [f64; PANEL_ROWS], proposal: &[u8], best: &mut [u8]) {
    let mut cheaper = [0_u8; PANEL_ROWS];
    for ((cheaper, cost), best_cost) in cheaper.iter_mut().zip(costs).zip(best_costs) {
        let is_cheaper = *cost < *best_cost;
        *cheaper = if is_cheaper { u8::MAX } else { 0 };
        *best_cost = if is_cheaper { *cost } else { *best_cost };
    }
    for (proposal, best) in proposal.as_chunks::<PANEL_ROWS>().0.iter().zip(best.as_chunks_mut::<PANEL_ROWS>().0) {
        for ((best, place), cheaper) in best.iter_mut().zip(proposal).zip(&cheaper) {
            *best = (*best & !cheaper) | (place & cheaper);
        }
    }
}
