//! Bandwidth allocation: one bandwidth shared out among the devices' uplinks.
//!
//! For a given decision the cost depends on the uplinks b_n through the response times alone. With the decision's bytes
//! V_np at place p and everything else fixed, device n's is
//!
//! T_n(b_n) = max(F_n, max_p(a_np / b_n + c_np)), a_np = 8e-6 V_np.
//!
//! Here p runs over the servers that the device reaches through its uplink. c_np is the time at which it would be done
//! there with an infinitely fast uplink and nothing slower behind it. F_n is the latest of the times that no uplink
//! changes: the times of the tasks on the device, of servers that the device reaches past its uplink, and of slower or
//! shared links behind the uplink.
//!
//! T_n is convex and does not rise, so that min Σ T_n(b_n) subject to Σ b_n ≤ B is a convex problem. Its optimality
//! conditions are: some ν ≥ 0 lies in −∂T_n(b_n) for every n, and ν = 0 or Σ b_n = B. On a piece of T_n they say
//! b_n = √(a_np / ν); where two pieces meet, b_n is the same for a range of ν; where T_n is flat, no bandwidth is needed.
//! In r = 1/√ν the sum of all b_n is therefore piecewise linear and does not fall. The piece on which it passes B is found
//! among the sorted ends, and r is exact on it but for rounding.
//!
//! ```
//! use sim::scheme::{Greedy, Order, Scheme};
//! use sim::{Scenario, Workload, allocation};
//!
//! let model = Scenario::load("shared-edges")?.check()?;
//! let sizes_mb: Vec<f64> = (0..model.task_count()).map(|task| 10.0 + task as f64).collect();
//! let workload = Workload::from_mb(model.tasks(), &sizes_mb);
//! let mut greedy = Greedy::new(Order::LargestFirst);
//! let decision = greedy.decide(&model, &workload)?.decision;
//!
//! let total_mbps = 30.0;
//! let shared_out = allocation::allocate(&model, &workload, &decision, total_mbps)?;
//! assert!((shared_out.uplinks_mbps.iter().sum::<f64>() - total_mbps).abs() < 1e-9);
//! let joint = allocation::alternate(&mut greedy, &model, &workload, total_mbps)?;
//! assert_eq!(joint.decision.places().len(), model.task_count());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod response_times;

use self::response_times::{ResponseTimes, is_online, seconds_mbps};
use crate::limits::{MAX_UPLINK_MBPS, SLOWEST_LINK_MBPS};
use crate::tasks::cost::{CostModel, Outcome};
use crate::tasks::decision::Decision;
use crate::tasks::environment::Environment;
use crate::tasks::scheme::{Scheme, SchemeError};
use crate::tasks::workload::Workload;

/// The most decisions that [`alternate`] asks a scheme for.
const MAX_ROUNDS: usize = 20;

/// The share of the cost that a round must save for another one to follow.
const LEAST_GAIN: f64 = 1e-9;

/// The least bandwidth that can be shared out, in Mbit/s. A slower link counts as no link.
pub const LEAST_TOTAL_MBPS: f64 = SLOWEST_LINK_MBPS;

/// The optimal uplinks for one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// b_n of each device. They add up to the total but for rounding, and every device that sends has at least 1e-8 Mbit/s.
    ///
    /// Bandwidth that would save no device any time is spread evenly over all devices. If there is none to spread, a device
    /// that sends nothing through its uplink has 0. A device that is offline, with an uplink of 0 in the model's environment,
    /// has 0 in any case.
    pub uplinks_mbps: Vec<f64>,
    /// ν, the time of Σ T_n that the next Mbit/s of the total would save. Where the total just reaches the end of a piece,
    /// the time that the last Mbit/s saved.
    pub multiplier_s_per_mbps: f64,
    /// Energy, time and cost of the decision with these uplinks.
    pub outcome: Outcome,
}

/// A decision and the uplinks to go with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// The model's environment with uplinks that add up to the total.
    pub environment: Environment,
    /// **X**.
    pub decision: Decision,
    /// Energy, time and cost of both together.
    pub outcome: Outcome,
    /// Energy, time and cost of the scheme's first decision with the model's own uplinks scaled to the total.
    pub in_proportion: Outcome,
    /// The number of times that the scheme decided.
    pub rounds: usize,
    /// The number of cost evaluations, of the scheme and for the uplinks.
    pub evaluations: u64,
}

/// The uplinks with which a decision costs least, among all uplinks that add up to `total_mbps` and with which every device
/// can send its tasks. Of the model's own uplinks it matters only which are 0: those devices are offline and get nothing. Its α
/// and capacities matter, too.
///
/// With α = 1, where time costs nothing, the uplinks with the least time are taken.
///
/// # Errors
/// If the total is no bandwidth between 1e-8 and 1e12 Mbit/s or too little for the devices that send; if workload or
/// decision are of another shape than the model, or the decision names a place that is not there.
pub fn allocate(
    model: &CostModel,
    workload: &Workload,
    decision: &Decision,
    total_mbps: f64,
) -> Result<Allocation, AllocationError> {
    check(model, workload, total_mbps)?;
    let wanted = (model.devices(), model.tasks());
    let found = (decision.devices(), decision.tasks());
    if found != wanted {
        return Err(AllocationError::Shape { what: "decision", wanted, found });
    }
    if let Some(&place) = decision.places().iter().find(|place| usize::from(**place) >= model.places()) {
        return Err(AllocationError::Place { place, places: model.places() });
    }
    let times = ResponseTimes::new(model, workload, decision);
    let (uplinks_mbps, multiplier_s_per_mbps) = times.minimise(model, total_mbps)?;
    let outcome = at(model, with_uplinks(model, uplinks_mbps.clone())).evaluate(workload, decision);
    Ok(Allocation { uplinks_mbps, multiplier_s_per_mbps, outcome })
}

/// Finds a decision and uplinks by turns. The scheme decides in the model's environment with uplinks scaled to the total,
/// the uplinks are [allocated](allocate) to that decision, the scheme decides again with them, and so on until a round
/// gains nothing. Returns the best pair ([`CostModel::is_better`]), which costs no more than the first decision with the
/// scaled uplinks.
///
/// A device left without uplink could never again decide to send. For the next decision alone it is therefore offered the
/// uplink that it would get at the multiplier ν if it sent all its tasks to one server, √(8e-6 Σ_m w_nm / ν).
///
/// # Errors
/// As [`allocate`], and if the scheme gives no decision.
pub fn alternate(
    scheme: &mut dyn Scheme,
    model: &CostModel,
    workload: &Workload,
    total_mbps: f64,
) -> Result<Joint, AllocationError> {
    check(model, workload, total_mbps)?;
    let mut there = at(model, with_uplinks(model, scaled(&model.environment().uplinks_mbps, total_mbps)));
    let first = scheme.decide(&there, workload)?;
    let mut allocation = allocate(model, workload, &first.decision, total_mbps)?;
    let in_proportion = there.evaluate(workload, &first.decision);
    let mut best = Joint {
        environment: there.environment().clone(),
        outcome: in_proportion,
        in_proportion,
        decision: first.decision.clone(),
        rounds: 1,
        evaluations: first.evaluations + 2,
    };
    // The allocation could be the worse of the two by rounding, or where cut-off devices were asked to send.
    best.take_better(model, &allocation, &first.decision);
    while best.rounds < MAX_ROUNDS {
        there = at(model, with_uplinks(model, offers(model, &allocation, workload, total_mbps)));
        let next = scheme.decide(&there, workload)?;
        allocation = allocate(model, workload, &next.decision, total_mbps)?;
        best.rounds += 1;
        best.evaluations += next.evaluations + 1;
        let before = best.outcome;
        best.take_better(model, &allocation, &next.decision);
        let falls = |now: f64, before: f64| now < before * (1.0 - LEAST_GAIN);
        let is_shortened = model.alpha() == 1.0 && falls(best.outcome.time_s, before.time_s);
        if !falls(best.outcome.cost, before.cost) && !is_shortened {
            break;
        }
    }
    Ok(best)
}

impl Joint {
    fn take_better(&mut self, model: &CostModel, allocation: &Allocation, decision: &Decision) {
        if model.is_better(&allocation.outcome, &self.outcome) {
            self.environment.uplinks_mbps.clone_from(&allocation.uplinks_mbps);
            self.decision.clone_from(decision);
            self.outcome = allocation.outcome;
        }
    }
}

/// Why bandwidth cannot be shared out.
#[derive(Debug, thiserror::Error)]
pub enum AllocationError {
    /// The total is out of its range.
    #[error("the total bandwidth must lie between 1e-8 and 1e12 Mbit/s, is {found}")]
    Total {
        /// The total in Mbit/s.
        found: f64,
    },
    /// The total capacity cannot be split into the number of links that the devices need.
    #[error("{total_mbps} Mbit/s are too few for {senders} devices that send: each needs at least 1e-8 Mbit/s")]
    TooLittle {
        /// The total in Mbit/s.
        total_mbps: f64,
        /// The number of devices that send something through their uplinks.
        senders: usize,
    },
    /// Workload or decision are for another number of devices or tasks.
    #[error("the {what} must be of {} × {} tasks, is of {} × {}", wanted.0, wanted.1, found.0, found.1)]
    Shape {
        /// `workload` or `decision`.
        what: &'static str,
        /// N and M of the cost model.
        wanted: (usize, usize),
        /// N and M of the workload or decision.
        found: (usize, usize),
    },
    /// The decision names a place that is not there.
    #[error("the decision names place {place}, there are {places}")]
    Place {
        /// The place that it names.
        place: u8,
        /// The number of places, the device itself included.
        places: usize,
    },
    /// The scheme gives no decision.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}

/// Checks that a bandwidth can be shared out.
///
/// # Errors
/// If it does not lie between 1e-8 and 1e12 Mbit/s.
pub fn check_total(total_mbps: f64) -> Result<(), AllocationError> {
    if (LEAST_TOTAL_MBPS..=MAX_UPLINK_MBPS).contains(&total_mbps) {
        return Ok(());
    }
    Err(AllocationError::Total { found: total_mbps })
}

fn check(model: &CostModel, workload: &Workload, total_mbps: f64) -> Result<(), AllocationError> {
    check_total(total_mbps)?;
    if !model.fits(workload) {
        let (wanted, found) = ((model.devices(), model.tasks()), (workload.devices(), workload.tasks()));
        return Err(AllocationError::Shape { what: "workload", wanted, found });
    }
    Ok(())
}

fn with_uplinks(model: &CostModel, uplinks_mbps: Vec<f64>) -> Environment {
    let Environment { alpha, capacities, .. } = model.environment();
    Environment { alpha: *alpha, uplinks_mbps, capacities: capacities.clone() }
}

fn at(model: &CostModel, environment: Environment) -> CostModel {
    model.at_owned(environment).expect("the model's own but for uplinks, which are at most the total")
}

/// Uplinks in the same proportion that add up to the total; 0 if all are 0.
fn scaled(uplinks_mbps: &[f64], total_mbps: f64) -> Vec<f64> {
    let sum = uplinks_mbps.iter().sum::<f64>();
    uplinks_mbps.iter().map(|mbps| if sum > 0.0 { (mbps / sum).min(1.0) * total_mbps } else { 0.0 }).collect()
}

/// The uplinks for the next decision, see [`alternate`].
fn offers(model: &CostModel, allocation: &Allocation, workload: &Workload, total_mbps: f64) -> Vec<f64> {
    let multiplier = allocation.multiplier_s_per_mbps;
    let uplinks = allocation.uplinks_mbps.iter().zip(workload.sizes_bytes().chunks_exact(workload.tasks()));
    let offer = |(device, (&mbps, sizes)): (usize, (&f64, &[f64]))| {
        if mbps > 0.0 || multiplier == 0.0 || !is_online(model, device) {
            mbps
        } else {
            (seconds_mbps(sizes.iter().sum()) / multiplier).sqrt().min(total_mbps)
        }
    };
    uplinks.enumerate().map(offer).collect()
}
