//! All decisions of a workload, one by one: the oracle for tests of the exact search.

use super::searchable::OneWorkload;
use super::{Scheme, SchemeError, Solution};
use crate::search::cheapest_of_all;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// The most decisions that are evaluated.
const MAX_DECISIONS: u64 = 50_000_000;

/// Evaluates every one of the places^(N·M) decisions, as the paper's exhaustive search does, without using the structure
/// of the cost. It leaves out decisions that send a task where its device cannot, and of decisions that cost the same it takes
/// the better one, see [`CostModel::is_better`].
#[derive(Debug, Clone, Default)]
pub struct BruteForce;

impl Scheme for BruteForce {
    fn name(&self) -> &'static str {
        "brute-force"
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut problem = OneWorkload { model, sizes_bytes: workload.sizes_bytes() };
        let found = cheapest_of_all(&mut problem, MAX_DECISIONS);
        let (places, evaluations) = found.ok_or_else(|| SchemeError::TooLarge {
            tasks: model.task_count(),
            places: model.places(),
            nodes: MAX_DECISIONS,
        })?;
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}
