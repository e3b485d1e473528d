//! Everything at one place.

use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::model::GraphModel;

/// Every task at the same place, but those that may not be there: these stay at the device, or where they are pinned.
#[derive(Debug, Clone)]
pub struct GraphFixed {
    name: String,
    place: u8,
}

impl GraphFixed {
    /// Everything at the place of this number, which is called `place_name`.
    pub fn new(place: u8, place_name: &str) -> Self {
        Self { name: format!("{place_name}-only"), place }
    }
}

impl GraphScheme for GraphFixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let place_of = |task: usize| {
            let is_allowed = model.is_allowed(task, usize::from(self.place));
            if is_allowed { self.place } else { model.allowed_places(task).next().unwrap_or(0) }
        };
        let places = (0..model.tasks()).map(place_of).collect();
        Ok(GraphSolution { places, evaluations: 0, optimality: Optimality::Unknown, order: None })
    }
}
