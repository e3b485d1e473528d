//! Rewards, and how far a decision is from the optimum.

use pyo3::PyResult;
use sim::metrics::cost_ratio;
use sim::scenario::DeadlineRule;
use sim::scheme::Exact;
use sim::{CostModel, Outcome};

use crate::errors::{raise, value};

/// The most ways to place one device's tasks with which the optimum counts as quickly found.
const MOST_QUICK_WAYS: f64 = 4096.0;
/// The highest cost that a reward of kind `cost` tells apart, in units of the scale.
const HIGHEST_COST: f64 = 10.0;

/// What a decision is rewarded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reward {
    /// The share of the cost of running everything on the devices that the decision saves.
    Saving,
    /// The negative cost, in units of a typical cost of running everything on the devices.
    Cost,
    /// The ratio of the optimal cost to the cost.
    Q2,
}

impl Reward {
    /// The reward of this name.
    pub(crate) fn parse(name: &str) -> PyResult<Self> {
        match name {
            "saving" => Ok(Self::Saving),
            "cost" => Ok(Self::Cost),
            "q2" => Ok(Self::Q2),
            _ => Err(value(format!("reward must be \"saving\", \"cost\" or \"q2\", is {name:?}"))),
        }
    }
}

/// The outcome of a decision, and what it is compared with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decided {
    pub(crate) outcome: Outcome,
    /// The optimal cost, and the ratio of it to the cost.
    pub(crate) optimum: Option<(f64, f64)>,
}

/// The share of `all_local` that is saved, from -1 to 1, less 1 for each missed deadline if deadlines are hard.
pub(crate) fn saving(model: &CostModel, outcome: &Outcome, all_local: f64) -> f64 {
    let saved = if all_local > 0.0 { 1.0 - outcome.cost / all_local } else { 0.0 };
    saved.clamp(-1.0, 1.0) - hard_misses(model, outcome)
}

/// The negative cost in units of `scale`, at least -10, less 1 for each missed deadline if deadlines are hard.
pub(crate) fn negative_cost(model: &CostModel, outcome: &Outcome, scale: f64) -> f64 {
    -(outcome.cost / scale).min(HIGHEST_COST) - hard_misses(model, outcome)
}

fn hard_misses(model: &CostModel, outcome: &Outcome) -> f64 {
    if outcome.missed_deadlines == 0 {
        return 0.0;
    }
    if model.deadline_rule() == DeadlineRule::Hard { outcome.missed_deadlines as f64 } else { 0.0 }
}

/// The optimal cost, and the ratio of it to the cost of a decision: 0 if deadlines are hard and the decision misses more of
/// them than the optimum.
///
/// # Errors
/// If the exact search would take too long.
pub(crate) fn optimum(
    exact: &mut Exact,
    model: &CostModel,
    sizes_bytes: &[f64],
    scratch: &mut [u8],
    outcome: &Outcome,
) -> PyResult<(f64, f64)> {
    exact.decide_into(model, sizes_bytes, scratch).map_err(raise)?;
    let optimal = model.outcome(sizes_bytes, scratch);
    let misses_more = outcome.missed_deadlines > optimal.missed_deadlines;
    if model.deadline_rule() == DeadlineRule::Hard && misses_more {
        return Ok((optimal.cost, 0.0));
    }
    Ok((optimal.cost, cost_ratio(optimal.cost, outcome.cost).min(1.0)))
}

/// Whether the optimum is found within some microseconds.
pub(crate) fn is_quick(model: &CostModel) -> bool {
    let ways = (model.places() as f64).powi(i32::try_from(model.tasks()).unwrap_or(i32::MAX));
    model.is_separable() && !model.is_detailed() && ways <= MOST_QUICK_WAYS
}
