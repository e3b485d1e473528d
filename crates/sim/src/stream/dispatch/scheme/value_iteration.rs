//! The policy that value iteration finds.

use std::sync::Arc;

use super::{DispatchScheme, View};
use crate::stream::dispatch::optimum::DispatchOptimum;
use crate::stream::dispatch::site::Site;

/// Takes the place with the least sum of the task's own cost and what the future costs then, by [`DispatchOptimum`]. It is the best
/// policy of the chain; on the site itself it is as good as the chain is true.
/// Where a queue has more work than the chain allows, what others wait is priced by the closed form of M/G/1 instead.
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
        let choices = view.offer().choices;
        let mut best = (0, f64::INFINITY);
        let mut best_beyond = (0, f64::INFINITY);
        for (place, choice) in choices.iter().enumerate() {
            if !choice.is_usable || optimum.places().is_some_and(|places| !places.contains(&place)) {
                continue;
            }
            let joined = site.queues_of(device, place);
            let Some(at) = optimum.queues().iter().position(|queue| joined.contains(&Some(*queue))) else { continue };
            let (before_s, service_s) = (work_s[at], bytes * site.queues()[optimum.queues()[at]].s_per_byte);
            if optimum.has_room(at, before_s + service_s) {
                work_s[at] += service_s;
                let value = choice.own_cost + optimum.future_cost(work_s);
                work_s[at] = before_s;
                if value < best.1 {
                    best = (place, value);
                }
            }
            let beyond = choice.own_cost + optimum.future_cost_beyond(at, before_s, service_s);
            if beyond < best_beyond.1 {
                best_beyond = (place, beyond);
            }
        }
        let is_within = work_s.iter().enumerate().all(|(at, work_s)| optimum.has_room(at, *work_s));
        if is_within && best.1.is_finite() { best.0 } else { best_beyond.0 }
    }
}
