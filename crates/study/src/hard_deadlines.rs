//! What reports say of Q2 where deadlines are hard.

use sim::Scenario;
use sim::scenario::DeadlineRule;

/// The clause behind what Q2 is.
const CLAUSE: &str = "; where deadlines are hard, a decision that misses more of them than the optimum counts as 0";

/// The clause that belongs behind what Q2 is; empty if the scenario has no hard deadlines.
pub(crate) fn clause(scenario: &Scenario) -> &'static str {
    let tasks = &scenario.tasks;
    if tasks.deadline_s.is_some() && tasks.deadline_rule == DeadlineRule::Hard { CLAUSE } else { "" }
}
