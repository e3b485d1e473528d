//! Answers as JSON.

use serde::Serialize;
use sim::allocation::Joint;
use sim::scheme::Solution;
use sim::{CostModel, Instance};

use super::request::Id;

/// The answer to a workload. It serialises to a JSON object.
#[derive(Debug, Serialize)]
pub struct Answer<'m> {
    /// The name of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Names of places, `[device][task]`.
    pub placements: Vec<Vec<&'m str>>,
    /// Energy in joules.
    pub energy_j: f64,
    /// Time in seconds.
    pub time_s: f64,
    /// α · energy + (1 − α) · time, eq. (18).
    pub cost: f64,
    /// Cost evaluations that the decision took.
    pub evaluations: u64,
    /// The number of tasks sent to places that their devices cannot reach.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreachable: usize,
}

impl<'m> Answer<'m> {
    /// The answer to a workload in its environment.
    pub fn new(id: Option<Id>, instance: &'m Instance, solution: &Solution) -> Self {
        let (model, outcome) = (&instance.model, instance.evaluate(&solution.decision));
        let names = model.place_names();
        let row = |row: &[u8]| row.iter().map(|&place| names[usize::from(place)].as_str()).collect();
        Self {
            id,
            placements: solution.decision.places().chunks_exact(model.tasks()).map(row).collect(),
            energy_j: outcome.energy_j,
            time_s: outcome.time_s,
            cost: outcome.cost,
            evaluations: solution.evaluations,
            unreachable: unreachable(model, solution.decision.places()),
        }
    }
}

/// The answer to a workload whose uplinks were shared out, too. It serialises to the object of its [`Answer`] with more
/// fields.
#[derive(Debug, Serialize)]
pub struct JointAnswer<'m> {
    /// The decision, evaluated with the uplinks below, with the cost evaluations that both took.
    #[serde(flatten)]
    pub answer: Answer<'m>,
    /// The uplink of each device that goes with the decision.
    pub uplinks_mbps: Vec<f64>,
    /// The bandwidth that was shared out.
    pub total_mbps: f64,
    /// The number of times that the scheme decided.
    pub rounds: usize,
    /// The cost of the scheme's first decision with uplinks in the proportion of the workload's environment.
    pub cost_in_proportion: f64,
}

impl<'m> JointAnswer<'m> {
    /// The answer to a workload. The instance is in the environment of `joint`.
    pub fn new(id: Option<Id>, instance: &'m Instance, total_mbps: f64, joint: Joint) -> Self {
        let Joint { environment, decision, evaluations, rounds, in_proportion, .. } = joint;
        Self {
            answer: Answer::new(id, instance, &Solution { decision, evaluations }),
            uplinks_mbps: environment.uplinks_mbps,
            total_mbps,
            rounds,
            cost_in_proportion: in_proportion.cost,
        }
    }
}

/// The answer to a workload that is refused. It serialises to a JSON object.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// The name of the workload, if it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The line of the input, from 1.
    pub line: u64,
    /// What is wrong.
    pub error: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The number of tasks that a decision sends to places that their devices cannot reach. Only schemes with a fixed place do.
fn unreachable(model: &CostModel, places: &[u8]) -> usize {
    if model.is_all_reachable() {
        return 0;
    }
    places.iter().enumerate().filter(|(task, place)| !model.is_reachable(task / model.tasks(), **place)).count()
}
