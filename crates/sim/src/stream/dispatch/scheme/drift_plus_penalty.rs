//! Drift-plus-penalty.

use super::{DispatchScheme, View, cheapest};
use crate::stream::dispatch::site::Site;
use crate::stream::dispatch::state::Choice;

/// Drift-plus-penalty (Neely, *Stochastic Network Optimization with Application to Communication and Queueing Systems*, 2010):
/// the place with the least
///
/// V (α energy + (1 − α) time without waiting + what being late costs) + Σ W x / u,
///
/// summed over the queues on the way, where the task meets the work W and needs the service time x. With the unit u of
/// [`Site::time_unit_s`], V has no unit. A large V looks at the cost of the task, a small one keeps queues short.
#[derive(Debug, Clone)]
pub struct DriftPlusPenalty {
    name: String,
    v: f64,
    per_s: f64,
}

impl DriftPlusPenalty {
    /// V of `drift-plus-penalty` where none is given: it was tuned on random settings by
    /// `cargo run -p sim --example dispatch_settings -- defaults`.
    pub const DEFAULT_V: f64 = 0.034;

    /// The rule with this V.
    pub fn new(v: f64) -> Self {
        Self { name: format!("drift-plus-penalty@{v}"), v, per_s: 1.0 }
    }

    /// The rule with [`DriftPlusPenalty::DEFAULT_V`].
    pub fn for_all() -> Self {
        Self { name: "drift-plus-penalty".to_owned(), v: Self::DEFAULT_V, per_s: 1.0 }
    }
}

impl DispatchScheme for DriftPlusPenalty {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, _: u64) {
        self.per_s = 1.0 / site.time_unit_s();
    }

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let weight = 1.0 - view.site.parts().alpha;
        let value = |choice: &Choice| {
            let (link, machine) = (&choice.link, &choice.machine);
            let penalty = choice.own_cost - weight * (link.wait_s + machine.wait_s);
            let drift = link.wait_s * link.service_s + machine.wait_s * machine.service_s;
            self.v * penalty + self.per_s * drift
        };
        cheapest(view.offer().choices.iter().map(value))
    }
}
