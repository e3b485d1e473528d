//! Answers to requests for decisions about task graphs.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sim::graph::{GraphModel, GraphOutcome};

use crate::exchange::Id;

/// A decision about an application, as other programs read it:
/// `{"id": ..., "placements": {"a": "local", "b": "edge"}, "energy_j": ..., "time_s": ..., "cost": ..., "evaluations": ...}`,
/// with `"price"` where servers have prices, and `"bound"` and `"optimal"` where the scheme knows them, and `"order"` where the
/// scheme schedules tasks in another order than the scenario.
#[derive(Debug, Serialize)]
pub struct GraphAnswer<'m> {
    /// The name of the request, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The name of each task with the name of its place, in the order of the request.
    pub placements: Placements<'m>,
    /// Energy, in J.
    pub energy_j: f64,
    /// Time until the last result, in seconds.
    pub time_s: f64,
    /// Money, where it costs something to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// The weighted sum.
    pub cost: f64,
    /// The number of decisions, complete or not, whose cost was computed.
    pub evaluations: u64,
    /// A cost that no decision can undercut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Whether the decision is proved to be the best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimal: Option<bool>,
    /// The order in which tasks are scheduled, where it is not that of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<&'m str>>,
}

/// The places of tasks by name.
#[derive(Debug)]
pub struct Placements<'m> {
    model: &'m GraphModel,
    places: Vec<u8>,
}

impl<'m> GraphAnswer<'m> {
    /// The answer of a decision, without a bound.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn new(id: Option<Id>, model: &'m GraphModel, places: &[u8], evaluations: u64) -> Self {
        let GraphOutcome { energy_j, time_s, price, cost, .. } = model.evaluate(places);
        let has_prices = model.system().servers.iter().any(|server| server.link.price_per_byte > 0.0);
        Self {
            id,
            placements: Placements { model, places: places.to_vec() },
            energy_j,
            time_s,
            price: has_prices.then_some(price),
            cost,
            evaluations,
            bound: None,
            optimal: None,
            order: None,
        }
    }

    /// The same answer with the order of the model's tasks.
    #[must_use]
    pub fn with_order(mut self) -> Self {
        let Placements { model, .. } = self.placements;
        let tasks = model.application().tasks();
        self.order = Some(model.order().iter().map(|task| tasks[*task as usize].name.as_str()).collect());
        self
    }

    /// The same answer with a cost that no decision can undercut. The decision is the best if it costs no more.
    #[must_use]
    pub fn with_bound(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self.optimal = Some(self.cost <= bound * (1.0 + 1e-9));
        self
    }
}

impl Serialize for Placements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.places.len()))?;
        for (task, &place) in self.model.application().tasks().iter().zip(&self.places) {
            map.serialize_entry(&task.name, self.model.system().place_name(place as usize))?;
        }
        map.end()
    }
}
