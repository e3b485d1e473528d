//! Random decisions: the baseline that every other scheme must beat.

use super::{Scheme, SchemeError, Solution};
use crate::random::{self, Stream};
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// Draws every placement with equal probability among the places that the task's device can use.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
}

impl Random {
    /// A scheme that draws from a random stream of its own under `seed` for each workload.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl Scheme for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut random = random::stream_of(self.seed, "random scheme", workload.sizes_bytes());
        let places: Vec<u8> = (0..model.task_count()).map(|task| draw_place(model, task, &mut random)).collect();
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: 0 })
    }
}

/// Draws one of the places that a task's device can use, all equally likely.
pub(super) fn draw_place(model: &CostModel, task: usize, random: &mut Stream) -> u8 {
    if model.is_all_reachable() {
        return random::below(random, model.places()) as u8;
    }
    let device = task / model.tasks();
    let usable = model.reachable_places(device).count();
    model.reachable_places(device).nth(random::below(random, usable)).expect("one of those counted")
}
