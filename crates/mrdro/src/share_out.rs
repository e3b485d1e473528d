//! Sharing a total bandwidth out among the uplinks, in alternation with deciding (the option `--share-out`).

use std::str::FromStr;
use std::time::{Duration, Instant};

use data::{Deadlines, StandardSet};
use serde::Serialize;
use sim::allocation::{self, Joint};
use sim::scheme::Scheme;
use sim::{AllocationError, CostModel, Instance, Outcome, SchemeError, Workload};

use crate::error::Error;
use crate::statistics::Spread;

/// The bandwidth that is shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TotalBandwidth {
    /// The sum of the uplinks in the workload's environment.
    Sum,
    /// A number of Mbit/s.
    Mbps(f64),
}

impl FromStr for TotalBandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "sum" {
            return Ok(Self::Sum);
        }
        let usage = "write Mbit/s, as in `--share-out 300`, or `--share-out sum` for the sum of the uplinks";
        let total_mbps = text.parse().map_err(|_| format!("it is not a number; {usage}"))?;
        allocation::check_total(total_mbps).map_err(|error| format!("{error}; {usage}"))?;
        Ok(Self::Mbps(total_mbps))
    }
}

impl TotalBandwidth {
    /// The bandwidth that is shared out in the environment of `model`, in Mbit/s.
    pub fn in_mbps(self, model: &CostModel) -> f64 {
        match self {
            Self::Sum => model.environment().uplinks_mbps.iter().sum(),
            Self::Mbps(total_mbps) => total_mbps,
        }
    }

    /// Decides a workload and shares the bandwidth out, in alternation until the cost no longer falls. If the sum of the
    /// uplinks is too little for the devices that send, there is no network at this moment, and the scheme decides with the
    /// uplinks as they are.
    ///
    /// # Errors
    /// If the scheme gives no decision, or a total in Mbit/s is too little for the devices that send.
    pub fn share_out(
        self,
        scheme: &mut dyn Scheme,
        model: &CostModel,
        workload: &Workload,
    ) -> Result<Joint, AllocationError> {
        let total_mbps = self.in_mbps(model);
        if self == Self::Sum && total_mbps < allocation::LEAST_TOTAL_MBPS {
            return Ok(without_sharing(scheme, model, workload)?);
        }
        match allocation::alternate(scheme, model, workload, total_mbps) {
            Err(AllocationError::TooLittle { .. }) if self == Self::Sum => {
                Ok(without_sharing(scheme, model, workload)?)
            }
            joint => joint,
        }
    }
}

fn without_sharing(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> Result<Joint, SchemeError> {
    let solution = scheme.decide(model, workload)?;
    let outcome = model.evaluate(workload, &solution.decision);
    Ok(Joint {
        environment: model.environment().clone(),
        decision: solution.decision,
        outcome,
        in_proportion: outcome,
        rounds: 1,
        evaluations: solution.evaluations,
    })
}

/// Adds the place of a workload in its input to an error.
pub(crate) fn failed(place: impl FnOnce() -> String, error: AllocationError) -> Error {
    match error {
        AllocationError::Scheme(error) => error.into(),
        source => Error::ShareOut { place: place(), source },
    }
}

/// The gain of one scheme from sharing a bandwidth out, as means over the standard set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllocationEvaluation {
    /// The scheme's name.
    pub scheme: String,
    /// Mean of the bandwidth that is shared out, in Mbit/s.
    pub mean_total_mbps: f64,
    /// Mean cost, eq. (18), of the scheme's first decision, with uplinks scaled in proportion to the total.
    pub mean_cost_in_proportion: f64,
    /// Mean energy in joules, after sharing out.
    pub mean_energy_j: f64,
    /// Mean time in seconds, after sharing out.
    pub mean_time_s: f64,
    /// Mean cost, eq. (18), after sharing out.
    pub mean_cost: f64,
    /// The number of tasks of all workloads that miss their deadlines with the scheme's first decision, with uplinks scaled in
    /// proportion to the total; `None`: no task has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_deadlines_in_proportion: Option<u64>,
    /// The number of tasks of all workloads that missed their deadlines, after sharing out; `None`: no task has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_deadlines: Option<u64>,
    /// The number of tasks of all workloads that have a deadline; `None`: none has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_with_deadline: Option<u64>,
    /// The share of the tasks with a deadline that miss it with the scheme's first decision, with uplinks scaled in
    /// proportion to the total; `None`: no task has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines_in_proportion: Option<f64>,
    /// The share of the tasks with a deadline that missed it, after sharing out; `None`: no task has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines: Option<f64>,
    /// Mean saving as a share of the cost in proportion.
    pub gain: f64,
    /// Lower end of the 95 % interval of `gain`.
    pub gain_low: f64,
    /// Upper end of the 95 % interval of `gain`.
    pub gain_high: f64,
    /// Mean number of decisions until the alternation ended.
    pub rounds_per_workload: f64,
    /// Mean number of cost evaluations of all these decisions.
    pub evaluations_per_workload: f64,
    /// Median time of one workload on one thread, in seconds.
    pub seconds_per_workload: f64,
}

/// The gains of several schemes from sharing a bandwidth out.
#[derive(Debug, Default)]
pub struct AllocationComparison {
    /// One row for each scheme, in the order in which the schemes were given.
    pub rows: Vec<AllocationEvaluation>,
    /// The names of the schemes that cannot decide a scenario of this size, or let more devices send than the total allows,
    /// each with its error.
    pub left_out: Vec<(String, AllocationError)>,
}

/// Shares a bandwidth out with each scheme, for every workload of a set.
///
/// # Errors
/// If a scheme fails for another reason than the size of the scenario or a total that is too little.
pub fn compare(
    schemes: Vec<Box<dyn Scheme>>,
    set: &StandardSet,
    total: TotalBandwidth,
) -> Result<AllocationComparison, Error> {
    use AllocationError::{Scheme as Refused, TooLittle};
    let mut comparison = AllocationComparison::default();
    for mut scheme in schemes {
        match compare_one(&mut *scheme, set, total) {
            Ok(row) => comparison.rows.push(row),
            Err((
                _,
                error @ (TooLittle { .. } | Refused(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. })),
            )) => comparison.left_out.push((scheme.name().to_owned(), error)),
            Err((index, error)) => {
                return Err(failed(|| format!("workload {index} of the standard set"), error));
            }
        }
    }
    Ok(comparison)
}

/// Evaluates one scheme, one workload after the other, so that times are comparable. An error comes with the index of its
/// workload.
fn compare_one(
    scheme: &mut dyn Scheme,
    set: &StandardSet,
    total: TotalBandwidth,
) -> Result<AllocationEvaluation, (usize, AllocationError)> {
    let count = set.instances().len();
    let mut joints: Vec<Joint> = Vec::with_capacity(count);
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    let mut total_mbps = 0.0;
    for (index, Instance { model, workload }) in set.instances().iter().enumerate() {
        total_mbps += total.in_mbps(model);
        let start = Instant::now();
        joints.push(total.share_out(scheme, model, workload).map_err(|error| (index, error))?);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let mean = |value: fn(&Joint) -> f64| joints.iter().map(value).sum::<f64>() / count as f64;
    let missed =
        |outcome: fn(&Joint) -> &Outcome| Deadlines::of(set.instances().iter().zip(joints.iter().map(outcome)));
    let (before, deadlines) = (missed(|joint| &joint.in_proportion), missed(|joint| &joint.outcome));
    let saved: Vec<f64> = joints.iter().map(saved).collect();
    let Spread { mean: gain, low: gain_low, high: gain_high, .. } = Spread::of(&saved);
    Ok(AllocationEvaluation {
        scheme: scheme.name().to_owned(),
        mean_total_mbps: total_mbps / count as f64,
        mean_cost_in_proportion: mean(|joint| joint.in_proportion.cost),
        mean_energy_j: mean(|joint| joint.outcome.energy_j),
        mean_time_s: mean(|joint| joint.outcome.time_s),
        mean_cost: mean(|joint| joint.outcome.cost),
        missed_deadlines_in_proportion: before.map(|before| before.missed),
        missed_deadlines: deadlines.map(|deadlines| deadlines.missed),
        tasks_with_deadline: deadlines.map(|deadlines| deadlines.tasks),
        share_of_missed_deadlines_in_proportion: before.map(Deadlines::share),
        share_of_missed_deadlines: deadlines.map(Deadlines::share),
        gain,
        gain_low,
        gain_high,
        rounds_per_workload: mean(|joint| joint.rounds as f64),
        evaluations_per_workload: mean(|joint| joint.evaluations as f64),
        seconds_per_workload: times[count / 2].as_secs_f64(),
    })
}

/// The saving as a share of the cost in proportion.
fn saved(joint: &Joint) -> f64 {
    let (before, after) = (joint.in_proportion.cost, joint.outcome.cost);
    // Where both are 0, nothing is saved.
    if after < before { 1.0 - after / before } else { 0.0 }
}
