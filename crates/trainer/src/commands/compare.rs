//! `compare`: all classic schemes, and records, on one scenario.

use std::time::{Duration, Instant};

use data::Evaluation;
use data::StandardSet;
use model::{AnyRecord, Backend};
use serde::Serialize;
use sim::allocation::Joint;
use sim::scheme::{self, Scheme};
use sim::{AllocationError, Instance, SchemeError};

use crate::cli::{CompareArgs, Format};
use crate::error::AppError;
use crate::report;
use crate::setup::{self, Problem};
use crate::share_out::{self, Total};
use crate::statistics::Spread;

pub(crate) fn run(args: &CompareArgs) -> Result<(), AppError> {
    let format = args.format.format;
    match args.share_out.total {
        None => {
            let evaluations = setup::on_device(&args.compute, |backend| evaluations(args, backend))?;
            report::print_evaluations(format, &evaluations)
        }
        Some(total) => print(format, &setup::on_device(&args.compute, |backend| all_shared_out(args, backend, total))?),
    }
}

fn evaluations(args: &CompareArgs, backend: &Backend) -> Result<Vec<Evaluation>, AppError> {
    let problem = Problem::load(&args.scenario.scenario)?;
    let set = problem.standard_set()?;
    let schemes = schemes(args, &problem, backend)?;
    setup::evaluate_all(schemes, &set)
}

/// The classic schemes, the optimum last, records before it.
fn schemes(args: &CompareArgs, problem: &Problem, backend: &Backend) -> Result<Vec<Box<dyn Scheme>>, AppError> {
    let mut schemes = scheme::classic(&problem.model, args.seed.seed);
    let exact = schemes.pop();
    for path in &args.record {
        let record = AnyRecord::load(path, &backend.device)?;
        if let AnyRecord::Dnns(record) = &record {
            record.check_scenario(&problem.scenario, args.any_rates, path)?;
            if args.share_out.total.is_some() {
                share_out::note_blind(path, record);
            }
        }
        let label = if args.record.len() > 1 { path.display().to_string() } else { String::new() };
        schemes.extend(setup::all_policies(&label, &record, &problem.model, &backend.device));
    }
    schemes.extend(exact);
    Ok(schemes)
}

/// What sharing a bandwidth out gains with one scheme: means over the standard set, of a decision and its uplinks found in
/// turn.
#[derive(Debug, Serialize)]
struct SharedOut {
    scheme: String,
    /// What is shared out.
    mean_total_mbps: f64,
    /// What the scheme's decision costs with the uplinks scaled to the total.
    mean_cost_in_proportion: f64,
    mean_energy_j: f64,
    mean_time_s: f64,
    mean_cost: f64,
    /// The share of the cost in proportion that is saved, mean over workloads.
    gain: f64,
    /// 95 % interval of the mean.
    gain_low: f64,
    gain_high: f64,
    rounds_per_workload: f64,
    /// Prices asked of the cost model for one workload, in all rounds.
    evaluations_per_workload: f64,
    /// Median time of one workload, on one thread.
    seconds_per_workload: f64,
}

/// A scheme that refuses the scenario's size is left out, and so is one that sends more than the total allows.
fn all_shared_out(args: &CompareArgs, backend: &Backend, total: Total) -> Result<Vec<SharedOut>, AppError> {
    let problem = Problem::load(&args.scenario.scenario)?;
    let set = StandardSet::unsolved(&problem.scenario, &problem.model)?;
    let mut rows = Vec::new();
    for mut scheme in schemes(args, &problem, backend)? {
        match shared_out(&mut *scheme, &set, total) {
            Ok(row) => rows.push(row),
            Err((_, error)) if leaves_out(&error) => {
                report::note(&format!("{} is left out: {error}", scheme.name()));
            }
            Err((index, error)) => {
                return Err(share_out::failed(|| format!("workload {index} of the standard set"), error));
            }
        }
    }
    Ok(rows)
}

fn leaves_out(error: &AllocationError) -> bool {
    use AllocationError::{Scheme, TooLittle};
    matches!(error, TooLittle { .. } | Scheme(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. }))
}

/// Workloads one by one, so that none disturbs another's time; an error comes with the index of its workload.
fn shared_out(scheme: &mut dyn Scheme, set: &StandardSet, total: Total) -> Result<SharedOut, (usize, AllocationError)> {
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

/// What share of the cost is saved.
fn saved(joint: &Joint) -> f64 {
    let (before, after) = (joint.in_proportion.cost, joint.outcome.cost);
    // Where both are nothing, nothing is.
    if after < before { 1.0 - after / before } else { 0.0 }
}

fn print(format: Format, rows: &[SharedOut]) -> Result<(), AppError> {
    report::print(format, rows, || {
        let header = [
            "scheme",
            "total Mbit/s",
            "cost in proportion",
            "cost",
            "gain %",
            "95 % interval",
            "rounds",
            "evaluations",
            "time/workload",
        ];
        let row = |row: &SharedOut| {
            vec![
                row.scheme.clone(),
                bandwidth(row.mean_total_mbps),
                format!("{:.3}", row.mean_cost_in_proportion),
                format!("{:.3}", row.mean_cost),
                format!("{:.3}", 100.0 * row.gain),
                format!("{:.3} to {:.3}", 100.0 * row.gain_low, 100.0 * row.gain_high),
                format!("{:.2}", row.rounds_per_workload),
                format!("{:.0}", row.evaluations_per_workload),
                report::duration(row.seconds_per_workload),
            ]
        };
        report::table(&header, rows.iter().map(row).collect())
    })
}

fn bandwidth(mbps: f64) -> String {
    if mbps >= 1.0 { format!("{mbps:.1}") } else { format!("{mbps:.2e}") }
}
