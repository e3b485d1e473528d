//! Random decisions: the baseline that every other scheme must beat.

use super::{Scheme, SchemeError, Solution};
use crate::random;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// Draws every placement with equal probability.
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
        let places: Vec<u8> =
            (0..model.task_count()).map(|_| random::below(&mut random, model.places()) as u8).collect();
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: 0 })
    }
}
