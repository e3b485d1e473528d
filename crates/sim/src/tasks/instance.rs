//! Instances: a workload in its environment, which is all that a scheme must know to decide.

use super::cost::{CostModel, Outcome};
use super::decision::Decision;
use super::workload::Workload;

/// A workload in its environment.
///
/// ```
/// use sim::scheme::{Exact, Scheme};
/// use sim::{Environment, Instance, Scenario, Workload};
///
/// let model = Scenario::load("paper")?.check()?;
/// let slow = Environment { uplinks_mbps: vec![0.5; 3], ..model.environment().clone() };
/// let instance = Instance { model: model.at(&slow)?, workload: Workload::from_mb(3, &[20.0; 9]) };
/// let decision = Exact::new().decide(&instance.model, &instance.workload)?.decision;
/// assert!(instance.evaluate(&decision).cost <= instance.cost(&[0; 9]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The cost model in the environment that the workload is decided in.
    pub model: CostModel,
    /// The sizes of the tasks, of the model's N and M.
    pub workload: Workload,
}

impl Instance {
    /// Energy, time and cost of a decision.
    ///
    /// # Panics
    /// If workload, decision and model are of different shapes, or the decision names a place that is not there.
    pub fn evaluate(&self, decision: &Decision) -> Outcome {
        self.model.evaluate(&self.workload, decision)
    }

    /// The cost of a decision given by its place indices, `[N * M]`, as [`Instance::evaluate`] gives it but for rounding.
    /// Allocates nothing.
    ///
    /// # Panics
    /// If `places` names a place that is not there.
    pub fn cost(&self, places: &[u8]) -> f64 {
        self.model.reported_cost(self.workload.sizes_bytes(), places)
    }
}
