//! What tasks ask for beyond their sizes: instructions per byte, and deadlines.

use std::sync::Arc;

use super::CostModel;
use crate::limits::{DEADLINES_S, INSTRUCTIONS_PER_BYTE, MAX_DEADLINE_PENALTY};
use crate::tasks::scenario::DeadlineRule;

/// What the tasks of one workload ask for beyond their sizes, where it differs from what the scenario says.
///
/// ```
/// use sim::scenario::DeadlineRule;
/// use sim::scheme::{Exact, Scheme};
/// use sim::{Demands, Scenario, Workload};
///
/// let model = Scenario::load("paper")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let hurried = Demands {
///     deadlines_s: Some(vec![60.0; 9]),
///     deadline_rule: Some(DeadlineRule::Hard),
///     ..Demands::default()
/// };
/// let hurried = model.with_demands(&hurried)?;
/// let late = |decision| hurried.evaluate(&workload, &decision).missed_deadlines;
/// assert_eq!(late(Exact::new().decide(&hurried, &workload)?.decision), 0);
/// assert_eq!(late(sim::Decision::uniform(3, 3, sim::Placement::Local)), 9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demands {
    /// σ of each task, `[N * M]`; `None`: what the scenario says.
    pub instructions_per_byte: Option<Vec<f64>>,
    /// The time within which each task is to be done, in seconds, infinite where there is none, `[N * M]`; `None`: what the
    /// scenario says.
    pub deadlines_s: Option<Vec<f64>>,
    /// What a task that misses its deadline costs; `None`: what the scenario says.
    pub deadline_rule: Option<DeadlineRule>,
}

/// What every task asks for beyond its size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskDemands {
    /// σ of each task, `[N * M]`.
    pub(crate) instructions_per_byte: Vec<f64>,
    /// `[N * M]`, infinite where a task has no deadline; empty if none has.
    pub(crate) deadlines_s: Vec<f64>,
    pub(crate) rule: DeadlineRule,
}

impl TaskDemands {
    /// Whether any task takes another number of instructions per byte.
    pub(super) fn differ_from(&self, instructions_per_byte: f64) -> bool {
        self.instructions_per_byte.iter().any(|own| *own != instructions_per_byte)
    }

    /// Whether a task that misses its deadline costs anything.
    pub(super) fn has_ruled_deadlines(&self) -> bool {
        self.rule != DeadlineRule::Report && self.has_deadlines()
    }

    pub(super) fn has_deadlines(&self) -> bool {
        self.deadlines_s.iter().any(|deadline_s| deadline_s.is_finite())
    }
}

impl CostModel {
    /// The same model for tasks that ask for something beyond their sizes.
    ///
    /// # Errors
    /// If there is not one value for each task, or a value is out of its range.
    pub fn with_demands(&self, demands: &Demands) -> Result<Self, DemandsError> {
        let Demands { instructions_per_byte, deadlines_s, deadline_rule } = demands;
        let tasks = self.task_count();
        let check = |what, values: &Option<Vec<f64>>, wanted, is_right: fn(f64) -> bool| {
            let Some(values) = values else { return Ok(()) };
            if values.len() != tasks {
                return Err(DemandsError::Count { what, wanted: tasks, found: values.len() });
            }
            match values.iter().position(|value| !is_right(*value)) {
                None => Ok(()),
                Some(task) => Err(DemandsError::Value { what, task, wanted, found: values[task] }),
            }
        };
        let is_instructions = |value: f64| INSTRUCTIONS_PER_BYTE.contains(&value);
        let is_deadline = |value: f64| DEADLINES_S.contains(&value) || value == f64::INFINITY;
        check("instructions per byte", instructions_per_byte, "lie between 1e-12 and 1e12", is_instructions)?;
        check("deadline", deadlines_s, "lie between 1e-12 and 1e12 s", is_deadline)?;
        if let Some(DeadlineRule::Penalty(found)) = *deadline_rule
            && !(0.0..=MAX_DEADLINE_PENALTY).contains(&found)
        {
            return Err(DemandsError::Penalty { found });
        }
        let TaskDemands { instructions_per_byte: instructions, deadlines_s: deadlines, rule } = self.task_demands();
        let demands = TaskDemands {
            instructions_per_byte: instructions_per_byte.clone().unwrap_or(instructions),
            deadlines_s: deadlines_s.clone().unwrap_or(deadlines),
            rule: deadline_rule.unwrap_or(rule),
        };
        let mut state = (*self.state).clone();
        state.demands = Some(Arc::new(demands));
        state.update(&self.system.physics);
        Ok(Self { system: Arc::clone(&self.system), state: Arc::new(state) })
    }

    /// What every task asks for, written out.
    fn task_demands(&self) -> TaskDemands {
        if let Some(demands) = &self.state.demands {
            return (**demands).clone();
        }
        let of_device = |instructions: &f64| std::iter::repeat_n(*instructions, self.tasks());
        TaskDemands {
            instructions_per_byte: self.system.physics.instructions_per_byte.iter().flat_map(of_device).collect(),
            deadlines_s: Vec::new(),
            rule: DeadlineRule::Report,
        }
    }

    /// What a task that misses its deadline costs.
    pub fn deadline_rule(&self) -> DeadlineRule {
        self.state.demands.as_ref().map_or(DeadlineRule::Report, |demands| demands.rule)
    }

    /// Whether any task has a deadline.
    pub fn has_deadlines(&self) -> bool {
        self.state.demands.as_ref().is_some_and(|demands| demands.has_deadlines())
    }

    /// The time within which a task is to be done, in seconds; infinite if there is none.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn deadline_s(&self, task: usize) -> f64 {
        assert!(task < self.task_count(), "task {task}");
        let demands = self.state.demands.as_ref();
        demands.and_then(|demands| demands.deadlines_s.get(task).copied()).unwrap_or(f64::INFINITY)
    }

    /// The number of tasks of a workload that have a deadline: what [`Outcome::missed_deadlines`](super::Outcome::missed_deadlines) is a
    /// part of. Tasks without bytes are absent and do not count.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`.
    pub fn tasks_with_deadline(&self, sizes_bytes: &[f64]) -> usize {
        let Some(demands) = &self.state.demands else { return 0 };
        let tasks = sizes_bytes.iter().zip(&demands.deadlines_s);
        tasks.filter(|(bytes, deadline_s)| **bytes > 0.0 && deadline_s.is_finite()).count()
    }

    /// σ of a task.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn instructions_per_byte(&self, task: usize) -> f64 {
        match &self.state.demands {
            Some(demands) => demands.instructions_per_byte[task],
            None => self.system.physics.instructions_per_byte[task / self.tasks()],
        }
    }

    /// The time in seconds that each task sent to a place takes in addition; 0 for the device itself.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn latency_s(&self, place: usize) -> f64 {
        if place == 0 { 0.0 } else { self.server(place).latency_s }
    }
}

/// Why what tasks ask for is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DemandsError {
    /// There is not one value for each task.
    #[error("there must be one value of {what} for each of the {wanted} tasks, there are {found}")]
    Count {
        /// The name of the values.
        what: &'static str,
        /// N × M.
        wanted: usize,
        /// The number of values.
        found: usize,
    },
    /// A value is out of its range.
    #[error("the {what} of task {task} must {wanted}, is {found}")]
    Value {
        /// The name of the value.
        what: &'static str,
        /// The position of the task, n * M + m.
        task: usize,
        /// Its range.
        wanted: &'static str,
        /// The value.
        found: f64,
    },
    /// The penalty is out of its range.
    #[error("the penalty for a missed deadline must lie between 0 and 1e12, is {found}")]
    Penalty {
        /// The penalty.
        found: f64,
    },
}
