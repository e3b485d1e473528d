//! Tasks with deadlines, and devices with different numbers of tasks, as a scenario writes them.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::Tasks;

/// What a task that misses its deadline costs.
///
/// A task is done when its device is done at the task's place, T_np, so that it keeps its deadline in whichever order the
/// device's tasks are worked off there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum DeadlineRule {
    /// Nothing: tasks that miss their deadlines are counted and reported.
    #[default]
    Report,
    /// An amount that is added to the cost for each of them.
    Penalty(f64),
    /// More than anything else: of two decisions the one with fewer of them is better, and the cost decides between equal
    /// numbers.
    Hard,
}

impl DeadlineRule {
    /// The values of the key `deadline_rule`.
    pub const NAMES: [&str; 3] = ["report", "penalty", "hard"];

    /// The value of the key `deadline_rule`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Penalty(_) => "penalty",
            Self::Hard => "hard",
        }
    }

    /// The value of the key `deadline_penalty`.
    pub fn penalty(self) -> Option<f64> {
        match self {
            Self::Penalty(penalty) => Some(penalty),
            Self::Report | Self::Hard => None,
        }
    }
}

impl Serialize for Tasks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { per_device, counts, size_mb, deadline_s, deadline_rule } = self;
        let is_ruled = *deadline_rule != DeadlineRule::Report;
        let length = 2 + usize::from(deadline_s.is_some()) + 2 * usize::from(is_ruled);
        let mut tasks = serializer.serialize_struct("Tasks", length)?;
        if counts.is_empty() {
            tasks.serialize_field("per_device", per_device)?;
        } else {
            tasks.serialize_field("per_device", counts)?;
        }
        if let Some(deadline_s) = deadline_s {
            tasks.serialize_field("deadline_s", deadline_s)?;
        }
        if is_ruled {
            tasks.serialize_field("deadline_rule", deadline_rule.name())?;
        }
        if let Some(penalty) = deadline_rule.penalty() {
            tasks.serialize_field("deadline_penalty", &penalty)?;
        }
        tasks.serialize_field("size_mb", size_mb)?;
        tasks.end()
    }
}
