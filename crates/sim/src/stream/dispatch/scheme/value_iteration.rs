//! The policy that value iteration finds.

use std::sync::Arc;

use super::{DispatchScheme, View, cheapest};
use crate::stream::dispatch::optimum::DispatchOptimum;
use crate::stream::dispatch::site::Site;

/// Takes the place with the least sum of the task's own cost and what the future costs then, by [`DispatchOptimum`]. It is the best
/// policy of the chain; on the site itself it is as good as the chain is true.
#[derive(Debug, Clone)]
pub struct ValueIteration {
    optimum: Arc<DispatchOptimum>,
    work_s: Vec<f64>,
}

impl ValueIteration {
    /// The policy of an optimum; it is for the site that was solved.
    pub fn new(optimum: impl Into<Arc<DispatchOptimum>>) -> Self {
        let optimum = optimum.into();
        Self { work_s: vec![0.0; optimum.queues().len()], optimum }
    }

    /// The optimum.
    pub fn optimum(&self) -> &DispatchOptimum {
        &self.optimum
    }
}

impl DispatchScheme for ValueIteration {
    fn name(&self) -> &'static str {
        "value-iteration"
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let (site, path, device) = (view.site, view.path, view.arrival.device as usize);
        let optimum = &*self.optimum;
        for (queue, work_s) in optimum.queues().iter().zip(&mut self.work_s) {
            *work_s = view.state.backlog_s(*queue, site, path);
        }
        let bytes = view.arrival.bytes;
        let work_s = &mut self.work_s;
        cheapest(view.offer().choices.iter().enumerate().map(|(place, choice)| {
            let is_allowed = optimum.places().is_none_or(|places| places.contains(&place));
            if !(choice.is_usable && is_allowed) {
                return f64::INFINITY;
            }
            let joined = site.queues_of(device, place);
            let Some(dimension) = optimum.queues().iter().position(|queue| joined.contains(&Some(*queue))) else {
                return choice.own_cost;
            };
            let before_s = work_s[dimension];
            work_s[dimension] += bytes * site.queues()[optimum.queues()[dimension]].s_per_byte;
            let value = choice.own_cost + optimum.future_cost(work_s);
            work_s[dimension] = before_s;
            value
        }))
    }
}
