//! Limits of energy, time and money as sums over tasks and edges.

use super::labelling::Labelling;
use crate::graph::model::GraphModel;
use crate::graph::rules::Weights;

/// A limit of energy, time or money.
pub(super) struct Limit<'a> {
    pub(super) most: f64,
    /// What amounts are compared with: the limit, or 1 where that is 0.
    pub(super) scale: f64,
    pub(super) amounts: Labelling<'a>,
}

impl<'a> Limit<'a> {
    /// The limits of a model that are finite.
    pub(super) fn all(model: &'a GraphModel) -> Vec<Self> {
        let limits = model.rules().limits;
        let weights = |energy, time, price| Weights { energy, time, price };
        let all = [
            (limits.energy_j, weights(1.0, 0.0, 0.0)),
            (limits.time_s, weights(0.0, 1.0, 0.0)),
            (limits.price, weights(0.0, 0.0, 1.0)),
        ];
        let finite = all.into_iter().filter(|(most, _)| most.is_finite());
        finite
            .map(|(most, weights)| Limit {
                most,
                scale: if most > 0.0 { most } else { 1.0 },
                amounts: Labelling::weighted(model, weights),
            })
            .collect()
    }

    /// The limit, with room for rounding: sums in another order round differently.
    pub(super) fn loosened(&self) -> f64 {
        self.most * (1.0 + 1e-12)
    }

    /// How far a decision exceeds the limit, as a share of its scale; negative where it is within the limit.
    pub(super) fn excess(&self, decision: &[u8]) -> f64 {
        (self.amounts.cost(decision) - self.loosened()) / self.scale
    }
}
