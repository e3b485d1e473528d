//! The optimum over all orders of the tasks.

use super::{GraphExact, GraphScheme, GraphSchemeError, GraphSolution, scheduled};
use crate::graph::model::GraphModel;
use crate::graph::rules::Timing;

/// The cheapest decision whatever the order in which tasks are scheduled, or, where proving that takes too long, the best one
/// found and a bound that holds for every order. Up to about ten tasks are proved. With serial timing the order does not
/// matter, and this is [`GraphExact`].
///
/// It starts from what [`GraphExact`] finds in the model's own order.
#[derive(Debug, Clone, Default)]
pub struct AnyOrder;

impl GraphScheme for AnyOrder {
    fn name(&self) -> &'static str {
        "any-order"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let in_order = GraphExact.decide(model)?;
        if model.rules().timing == Timing::Serial {
            return Ok(in_order);
        }
        let (solution, order) = scheduled::cheapest_in_any_order(model, &in_order);
        let order = Some(order).filter(|order| order[..] != *model.order());
        Ok(GraphSolution { order, ..solution })
    }
}
