//! What tasks ask for beyond their sizes, as workloads say it.

use sim::limits::{DEADLINES_S, INSTRUCTIONS_PER_BYTE, MAX_DEADLINE_PENALTY};
use sim::scenario::DeadlineRule;
use sim::{CostModel, Demands};

use super::request_error::RequestError;
use super::task_values::{Range, TaskValues};

/// Deadlines in seconds.
pub(super) const DEADLINES: Range = Range {
    key: "deadline_s",
    rule: "a deadline must lie between 1e-12 and 1e12 s",
    contains: |value| DEADLINES_S.contains(&value),
};

/// Instructions to run for each byte of a task.
pub(super) const INSTRUCTIONS: Range = Range {
    key: "instructions_per_byte",
    rule: "instructions per byte must lie between 1e-12 and 1e12",
    contains: |value| INSTRUCTIONS_PER_BYTE.contains(&value),
};

const PENALTIES: Range = Range {
    key: "deadline_penalty",
    rule: "the penalty for a missed deadline must lie between 0 and 1e12",
    contains: |value| (0.0..=MAX_DEADLINE_PENALTY).contains(&value),
};

/// What the tasks of a workload ask for, not yet checked.
#[derive(Debug)]
pub(super) struct UncheckedDemands {
    pub(super) instructions_per_byte: Option<TaskValues>,
    pub(super) deadline_s: Option<TaskValues>,
    pub(super) deadline_rule: Option<String>,
    pub(super) deadline_penalty: Option<f64>,
}

impl UncheckedDemands {
    /// Whether the workload says nothing of this.
    pub(super) fn is_empty(&self) -> bool {
        let Self { instructions_per_byte, deadline_s, deadline_rule, deadline_penalty } = self;
        instructions_per_byte.is_none() && deadline_s.is_none() && deadline_rule.is_none() && deadline_penalty.is_none()
    }

    /// The demands for the model's devices and tasks.
    ///
    /// # Errors
    /// If a value is out of its range, or there are too many or too few of them.
    pub(super) fn check(&self, model: &CostModel) -> Result<Demands, RequestError> {
        let mut demands = Demands::default();
        if let Some(values) = &self.instructions_per_byte {
            values.put(&INSTRUCTIONS, model, demands.instructions_per_byte.insert(usual_instructions(model)))?;
        }
        if let Some(values) = &self.deadline_s {
            values.put(&DEADLINES, model, demands.deadlines_s.insert(no_deadlines(model)))?;
        }
        demands.deadline_rule = self.rule(model)?;
        let names_costs = demands.deadline_rule.is_some_and(|rule| rule != DeadlineRule::Report);
        if names_costs && self.deadline_s.is_none() && !model.has_deadlines() {
            let key = if self.deadline_rule.is_some() { "deadline_rule" } else { PENALTIES.key };
            let reason = format!("{key} needs deadline_s, the time in seconds within which tasks are to be done");
            return Err(RequestError::new(key, reason));
        }
        Ok(demands)
    }

    /// The rule for missed deadlines, if the workload names one. A penalty alone is the rule `penalty`.
    fn rule(&self, model: &CostModel) -> Result<Option<DeadlineRule>, RequestError> {
        let usual = model.deadline_rule();
        let penalty = self.deadline_penalty.map(|penalty| PENALTIES.check(PENALTIES.key, penalty)).transpose()?;
        let name = match (&self.deadline_rule, penalty) {
            (None, None) => return Ok(None),
            (None, Some(_)) => "penalty",
            (Some(name), _) => name.as_str(),
        };
        let refused = |key: &str, reason: String| Err(RequestError::new(key, reason));
        let rule = match (name, penalty.or(usual.penalty())) {
            ("report", _) => DeadlineRule::Report,
            ("hard", _) => DeadlineRule::Hard,
            ("penalty", Some(penalty)) => DeadlineRule::Penalty(penalty),
            ("penalty", None) => {
                let reason = "deadline_rule \"penalty\" needs deadline_penalty, what each missed deadline costs";
                return refused("deadline_rule", reason.to_owned());
            }
            (other, _) => {
                let reason = format!("deadline_rule must be \"report\", \"penalty\" or \"hard\", is {other:?}");
                return refused("deadline_rule", reason);
            }
        };
        if penalty.is_some() && rule.penalty().is_none() {
            return refused("deadline_penalty", "deadline_penalty needs deadline_rule \"penalty\"".to_owned());
        }
        Ok(Some(rule))
    }
}

/// What the scenario says of each task's instructions per byte, `[N * M]`.
pub(super) fn usual_instructions(model: &CostModel) -> Vec<f64> {
    (0..model.task_count()).map(|task| model.instructions_per_byte(task)).collect()
}

/// The deadlines of tasks that have none, `[N * M]`.
pub(super) fn no_deadlines(model: &CostModel) -> Vec<f64> {
    vec![f64::INFINITY; model.task_count()]
}

/// The model for tasks with these demands; a clone of it if they are what the scenario says, so that such workloads are
/// decided together.
///
/// # Errors
/// If the demands are not for the model's devices and tasks.
pub(super) fn model_with(model: &CostModel, mut demands: Demands) -> Result<CostModel, RequestError> {
    let is_usual = |values: &Vec<f64>, usual: fn(&CostModel, usize) -> f64| {
        values.iter().enumerate().all(|(task, value)| *value == usual(model, task))
    };
    demands.instructions_per_byte.take_if(|values| is_usual(values, CostModel::instructions_per_byte));
    demands.deadlines_s.take_if(|values| is_usual(values, CostModel::deadline_s));
    demands.deadline_rule.take_if(|rule| *rule == model.deadline_rule());
    if demands == Demands::default() {
        return Ok(model.clone());
    }
    model.with_demands(&demands).map_err(|error| RequestError::new("", error.to_string()))
}
