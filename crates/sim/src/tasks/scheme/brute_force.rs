//! All decisions of a workload, one by one: the oracle for tests of the exact search.

use super::{Scheme, SchemeError, Solution};
use crate::tasks::cost::{CostModel, Outcome};
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
        let (tasks, count) = (model.task_count(), model.places() as u8);
        let decisions =
            (model.places() as u64).checked_pow(tasks as u32).filter(|&decisions| decisions <= MAX_DECISIONS);
        let Some(decisions) = decisions else {
            return Err(SchemeError::TooLarge { tasks, places: model.places(), nodes: MAX_DECISIONS });
        };
        let mut places = vec![0_u8; tasks];
        let mut best = (Outcome::WORST, places.clone());
        for _ in 0..decisions {
            let outcome = model.outcome(workload.sizes_bytes(), &places);
            if model.is_better(&outcome, &best.0) && is_possible(model, &places) {
                best = (outcome, places.clone());
            }
            // The next decision: a number whose digits are the places.
            for place in &mut places {
                *place = (*place + 1) % count;
                if *place != 0 {
                    break;
                }
            }
        }
        Ok(Solution { decision: Decision::from_places(model.tasks(), best.1), evaluations: decisions })
    }
}

/// Whether every device can use the places of its tasks.
fn is_possible(model: &CostModel, places: &[u8]) -> bool {
    let mut tasks = places.iter().enumerate();
    model.is_all_reachable() || tasks.all(|(task, place)| model.is_reachable(task / model.tasks(), *place))
}
