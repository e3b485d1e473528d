//! The optimum, by whichever search proves it fastest.

use super::{GraphScheme, GraphSchemeError, GraphSolution, scheduled, serial};
use crate::graph::model::GraphModel;
use crate::graph::rules::Timing;

/// The cheapest decision, or, where proving that takes too long, the best one found and a bound.
#[derive(Debug, Clone, Default)]
pub struct GraphExact;

impl GraphScheme for GraphExact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        Ok(match model.rules().timing {
            Timing::Serial => serial::cheapest(model),
            Timing::Scheduled => scheduled::cheapest(model),
        })
    }
}
