//! Answers as JSON.

use serde::Serialize;
use sim::Instance;
use sim::allocation::Joint;
use sim::scheme::Solution;

use super::request::Id;

/// The answer to a workload. It serialises to a JSON object.
#[derive(Debug, Serialize)]
pub struct Answer<'m> {
    /// The name of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Names of places, `[device][task]`; `None` where there is no task.
    pub placements: Vec<Vec<Option<&'m str>>>,
    /// Energy in joules.
    pub energy_j: f64,
    /// Time in seconds.
    pub time_s: f64,
    /// α · energy + (1 − α) · time, eq. (18), and the penalties for missed deadlines where there are penalties.
    pub cost: f64,
    /// The number of tasks that miss their deadlines; `None` if no task of the model has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_deadlines: Option<usize>,
    /// The number of tasks that have a deadline; `None` if no task of the model has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_with_deadline: Option<usize>,
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
        let (names, sizes_bytes) = (model.place_names(), instance.workload.sizes_bytes());
        let name = |(bytes, place): (&f64, &u8)| (*bytes > 0.0).then(|| names[usize::from(*place)].as_str());
        let rows = solution.decision.places().chunks_exact(model.tasks()).zip(sizes_bytes.chunks_exact(model.tasks()));
        let has_deadlines = model.has_deadlines();
        Self {
            id,
            placements: rows.map(|(places, sizes_bytes)| sizes_bytes.iter().zip(places).map(name).collect()).collect(),
            energy_j: outcome.energy_j,
            time_s: outcome.time_s,
            cost: outcome.cost,
            missed_deadlines: has_deadlines.then_some(outcome.missed_deadlines),
            tasks_with_deadline: has_deadlines.then(|| model.tasks_with_deadline(sizes_bytes)),
            evaluations: solution.evaluations,
            unreachable: unreachable(instance, solution.decision.places()),
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
fn unreachable(instance: &Instance, places: &[u8]) -> usize {
    let Instance { model, workload } = instance;
    if model.is_all_reachable() {
        return 0;
    }
    let tasks = workload.sizes_bytes().iter().zip(places).enumerate();
    tasks.filter(|(task, (bytes, place))| **bytes > 0.0 && !model.is_reachable(task / model.tasks(), **place)).count()
}
