//! The best decision that a search has seen.

use crate::graph::model::GraphModel;

/// The best decision so far: within the limits rather than not, then the cheapest.
#[derive(Debug, Clone)]
pub(super) struct Best<'m> {
    model: &'m GraphModel,
    has_limits: bool,
    exceeds_limits: bool,
    pub(super) cost: f64,
    pub(super) places: Vec<u8>,
}

impl<'m> Best<'m> {
    /// No decision yet: everything on the device, at an infinite cost.
    pub(super) fn new(model: &'m GraphModel) -> Self {
        let has_limits = model.has_limits();
        Self { model, has_limits, exceeds_limits: true, cost: f64::INFINITY, places: vec![0; model.tasks()] }
    }

    /// Takes a decision if it is better. Returns whether it was.
    #[inline]
    pub(super) fn offer(&mut self, cost: f64, places: &[u8]) -> bool {
        let exceeds_limits = self.has_limits && {
            // What is neither cheaper nor saves the limits needs no outcome.
            if cost >= self.cost && !self.exceeds_limits {
                return false;
            }
            self.model.evaluate(places).exceeds_limits
        };
        let is_better = (exceeds_limits, cost) < (self.exceeds_limits, self.cost);
        if is_better {
            (self.exceeds_limits, self.cost) = (exceeds_limits, cost);
            self.places.copy_from_slice(places);
        }
        is_better
    }

    /// Whether limits matter, so that the cheapest decision need not be the best.
    pub(super) fn has_limits(&self) -> bool {
        self.has_limits
    }

    /// Whether there is a decision that is within the limits.
    pub(super) fn is_within_limits(&self) -> bool {
        self.cost.is_finite() && !(self.has_limits && self.exceeds_limits)
    }

    /// The decision, if there is one.
    pub(super) fn found(self) -> Option<Vec<u8>> {
        self.cost.is_finite().then_some(self.places)
    }

    /// The decision and its cost, if it is within the limits.
    pub(super) fn within_limits(self) -> Option<(f64, Vec<u8>)> {
        self.is_within_limits().then_some((self.cost, self.places))
    }
}
