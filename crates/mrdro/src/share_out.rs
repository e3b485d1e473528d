//! A total bandwidth shared out among the uplinks, as `--share-out` asks for.

use std::str::FromStr;
use std::time::{Duration, Instant};

use data::StandardSet;
use serde::Serialize;
use sim::allocation::{self, Joint};
use sim::scheme::Scheme;
use sim::{AllocationError, CostModel, Instance, SchemeError, Workload};

use crate::error::Error;
use crate::statistics::Spread;

/// How much bandwidth is shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Total {
    /// The sum of the uplinks in the workload's environment.
    Sum,
    /// So many Mbit/s.
    Mbps(f64),
}

impl FromStr for Total {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "sum" {
            return Ok(Self::Sum);
        }
        let usage = "write Mbit/s, as in `--share-out 300`, or `--share-out sum` for what the uplinks add up to";
        let total_mbps = text.parse().map_err(|_| format!("it is not a number; {usage}"))?;
        allocation::check_total(total_mbps).map_err(|error| format!("{error}; {usage}"))?;
        Ok(Self::Mbps(total_mbps))
    }
}

impl Total {
    /// The bandwidth that is shared out in the environment of `model`, in Mbit/s.
    pub fn in_mbps(self, model: &CostModel) -> f64 {
        match self {
            Self::Sum => model.environment().uplinks_mbps.iter().sum(),
            Self::Mbps(total_mbps) => total_mbps,
        }
    }

    /// Decides and shares out in alternation. Uplinks whose sum is too little for the devices that send are no mistake, but
    /// a moment without a network: then the scheme decides with the uplinks as they are.
    ///
    /// # Errors
    /// If the scheme gives no decision, or the total is too little for the devices that send.
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

/// The error of the workload at `place`.
pub(crate) fn failed(place: impl FnOnce() -> String, error: AllocationError) -> Error {
    match error {
        AllocationError::Scheme(error) => error.into(),
        source => Error::ShareOut { place: place(), source },
    }
}

/// How much one scheme gains if a bandwidth is shared out: means over the standard set, where decision and uplinks are found
/// in alternation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedOut {
    /// The scheme's name.
    pub scheme: String,
    /// The bandwidth that is shared out.
    pub mean_total_mbps: f64,
    /// Mean cost of the scheme's decision with the uplinks scaled to the total.
    pub mean_cost_in_proportion: f64,
    /// Mean energy.
    pub mean_energy_j: f64,
    /// Mean time.
    pub mean_time_s: f64,
    /// Mean cost.
    pub mean_cost: f64,
    /// Mean share of the cost in proportion that is saved.
    pub gain: f64,
    /// Lower end of the 95 % interval of `gain`.
    pub gain_low: f64,
    /// Upper end of the 95 % interval of `gain`.
    pub gain_high: f64,
    /// Mean number of alternations.
    pub rounds_per_workload: f64,
    /// Mean number of cost evaluations, in all alternations.
    pub evaluations_per_workload: f64,
    /// Median time of one workload on one thread.
    pub seconds_per_workload: f64,
}

/// What schemes gain if a bandwidth is shared out.
#[derive(Debug, Default)]
pub struct SharedOutComparison {
    /// One for each scheme, in the order in which they were given.
    pub rows: Vec<SharedOut>,
    /// The schemes that refused the scenario's size, or that send more than the total allows, each with its reason.
    pub left_out: Vec<(String, AllocationError)>,
}

/// Shares a bandwidth out with each scheme.
///
/// # Errors
/// If a scheme fails for another reason than the scenario's size or the total.
pub fn compare(schemes: Vec<Box<dyn Scheme>>, set: &StandardSet, total: Total) -> Result<SharedOutComparison, Error> {
    use AllocationError::{Scheme as Refused, TooLittle};
    let mut comparison = SharedOutComparison::default();
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

/// Takes workloads one by one, so that none disturbs another's time; an error comes with the index of its workload.
fn compare_one(
    scheme: &mut dyn Scheme,
    set: &StandardSet,
    total: Total,
) -> Result<SharedOut, (usize, AllocationError)> {
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
    let saved: Vec<f64> = joints.iter().map(saved).collect();
    let Spread { mean: gain, low: gain_low, high: gain_high, .. } = Spread::of(&saved);
    Ok(SharedOut {
        scheme: scheme.name().to_owned(),
        mean_total_mbps: total_mbps / count as f64,
        mean_cost_in_proportion: mean(|joint| joint.in_proportion.cost),
        mean_energy_j: mean(|joint| joint.outcome.energy_j),
        mean_time_s: mean(|joint| joint.outcome.time_s),
        mean_cost: mean(|joint| joint.outcome.cost),
        gain,
        gain_low,
        gain_high,
        rounds_per_workload: mean(|joint| joint.rounds as f64),
        evaluations_per_workload: mean(|joint| joint.evaluations as f64),
        seconds_per_workload: times[count / 2].as_secs_f64(),
    })
}

/// The share of the cost in proportion that is saved.
fn saved(joint: &Joint) -> f64 {
    let (before, after) = (joint.in_proportion.cost, joint.outcome.cost);
    // Where both are 0, nothing is saved.
    if after < before { 1.0 - after / before } else { 0.0 }
}
