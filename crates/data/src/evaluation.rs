//! How a scheme does on a set of instances: cost, quality, cost evaluations, time.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sim::SchemeError;
use sim::scheme::Scheme;

use crate::deadlines::Deadlines;
use crate::standard_set::StandardSet;

/// How one scheme did on a standard set: means over its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The scheme's name.
    pub scheme: String,
    /// Mean energy.
    pub mean_energy_j: f64,
    /// Mean time.
    pub mean_time_s: f64,
    /// Mean cost.
    pub mean_cost: f64,
    /// The number of tasks of all instances that missed their deadlines; `None`: no task has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_deadlines: Option<u64>,
    /// The number of tasks of all instances that have a deadline; `None`: none has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_with_deadline: Option<u64>,
    /// The share of the tasks with a deadline, of all instances together, that missed it; `None`: no task has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines: Option<f64>,
    /// Q2, eq. (25).
    pub q2: Option<f64>,
    /// 5th percentile of the single ratios that Q2 is the mean of.
    pub q2_p05: Option<f64>,
    /// Cost evaluations for one decision.
    pub evaluations_per_decision: f64,
    /// Median time of one decision, taken singly on one thread.
    pub seconds_per_decision: f64,
}

/// Lets a scheme decide every instance of the set, one by one, evaluates the decisions and takes the time.
///
/// ```
/// use data::{StandardSet, evaluate};
/// use sim::Scenario;
/// use sim::scheme::{Exact, Greedy, Order};
///
/// let scenario = Scenario::load("paper-wan")?;
/// let set = StandardSet::of(&scenario, &scenario.check()?)?;
/// let greedy = evaluate(&mut Greedy::new(Order::Given), &set)?;
/// let exact = evaluate(&mut Exact::new(), &set)?;
/// assert!(greedy.mean_cost > exact.mean_cost);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the scheme gives no decision.
pub fn evaluate(scheme: &mut dyn Scheme, set: &StandardSet) -> Result<Evaluation, SchemeError> {
    let count = set.instances().len();
    let mut outcomes = Vec::with_capacity(count);
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    let (mut energy_j, mut time_s, mut cost, mut evaluations) = (0.0, 0.0, 0.0, 0);
    for instance in set.instances() {
        let start = Instant::now();
        let solution = scheme.decide(&instance.model, &instance.workload)?;
        times.push(start.elapsed());
        let outcome = instance.evaluate(&solution.decision);
        energy_j += outcome.energy_j;
        time_s += outcome.time_s;
        cost += outcome.cost;
        evaluations += solution.evaluations;
        outcomes.push(outcome);
    }
    times.sort_unstable();
    let costs = set.compared_costs(&outcomes);
    let deadlines = set.deadlines(&outcomes);
    let ratios = set.ratios(&costs).map(|mut ratios| {
        ratios.sort_unstable_by(f64::total_cmp);
        ratios
    });
    let per_decision = 1.0 / count as f64;
    Ok(Evaluation {
        scheme: scheme.name().to_owned(),
        mean_energy_j: energy_j * per_decision,
        mean_time_s: time_s * per_decision,
        mean_cost: cost * per_decision,
        missed_deadlines: deadlines.map(|deadlines| deadlines.missed),
        tasks_with_deadline: deadlines.map(|deadlines| deadlines.tasks),
        share_of_missed_deadlines: deadlines.map(Deadlines::share),
        q2: set.q2(&costs),
        q2_p05: ratios.map(|ratios| ratios[count / 20]),
        evaluations_per_decision: evaluations as f64 * per_decision,
        seconds_per_decision: times[count / 2].as_secs_f64(),
    })
}
