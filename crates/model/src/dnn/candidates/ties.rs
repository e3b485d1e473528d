//! The best candidate where only energy or only time counts, so that many candidates cost the same.

use sim::scheme::settle_ties;
use sim::{CostModel, Outcome};

use super::selection::{Exploration, SelectionScope};
use super::selector::{CandidateSelector, Selected};
use super::{Absent, keep_reachable};
use crate::dnn::features::{Alternative, Codec};
use crate::networks::TIE_EVALUATIONS_PER_TASK;

/// The best decision so far for the whole workload, or the best part for each device.
struct Best<'s> {
    model: &'s CostModel,
    sizes_bytes: &'s [f64],
    /// One for the whole workload, or one for each device.
    outcomes: Vec<Outcome>,
    places: &'s mut [u8],
    evaluations: u64,
}

impl Best<'_> {
    /// Takes over a candidate, or the parts of it, where it is better.
    fn offer(&mut self, candidate: &[u8]) {
        self.evaluations += 1;
        let part = candidate.len() / self.outcomes.len();
        let is_whole = self.outcomes.len() == 1;
        for (device, best) in self.outcomes.iter_mut().enumerate() {
            let tasks = device * part..(device + 1) * part;
            let (sizes_bytes, places) = (&self.sizes_bytes[tasks.clone()], &candidate[tasks.clone()]);
            let outcome = if is_whole {
                self.model.outcome(sizes_bytes, places)
            } else {
                self.model.device_outcome(device, sizes_bytes, places)
            };
            if self.model.is_better(&outcome, best) {
                *best = outcome;
                self.places[tasks].copy_from_slice(places);
            }
        }
    }
}

impl CandidateSelector {
    /// [`CandidateSelector::select`] where only energy or only time counts.
    pub(super) fn select_with_ties<'l>(
        &mut self,
        codec: &Codec,
        model: &CostModel,
        sizes_bytes: &[f64],
        logits: impl Iterator<Item = &'l [f32]>,
        best: &mut [u8],
    ) -> Selected {
        let is_per_device = self.selection().scope == SelectionScope::PerDevice && model.is_separable();
        let outcomes = vec![Outcome::WORST; if is_per_device { model.devices() } else { 1 }];
        self.proposal.resize(best.len(), 0);
        let absent = Absent::of(sizes_bytes);
        let mut found = Best { model, sizes_bytes, outcomes, places: &mut *best, evaluations: 0 };
        for logits in logits {
            codec.decode(logits, &mut self.proposal);
            keep_reachable(codec, model, 0, 1, logits, &mut self.proposal);
            absent.keep(&mut self.proposal);
            found.offer(&self.proposal);
            let Exploration::OrderPreserving { flips } = self.selection().exploration else { continue };
            codec.alternatives(logits, &mut self.alternatives);
            absent.drop_from(&mut self.alternatives);
            self.keep_least_certain(flips);
            for &Alternative { task, place, .. } in &self.alternatives {
                if model.is_reachable(task / model.tasks(), place) {
                    let original = std::mem::replace(&mut self.proposal[task], place);
                    found.offer(&self.proposal);
                    self.proposal[task] = original;
                }
            }
        }
        let budget = TIE_EVALUATIONS_PER_TASK * model.task_count() as u64;
        let evaluations = found.evaluations + settle_ties(model, sizes_bytes, best, budget);
        absent.keep(best);
        Selected { cost: model.cost(sizes_bytes, best), evaluations }
    }
}
