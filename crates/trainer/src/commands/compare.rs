//! `compare`: all classic schemes and any records on one scenario.

use data::StandardSet;
use model::{Backend, Record};
use mrdro::share_out::{self, AllocationEvaluation};
use mrdro::{Problem, evaluate_all, with_classic};
use sim::AnyScenario;

use super::{graphs, streams};
use crate::cli::{CompareArgs, Format};
use crate::device;
use crate::error::CliError;
use crate::output::{
    MISSED, duration, figure, missed, note, note_implausible_scenario, note_left_out, print, print_evaluations, table,
};

pub(crate) fn run(args: &CompareArgs) -> Result<(), CliError> {
    let scenario = match AnyScenario::load(&args.scenario.scenario).map_err(mrdro::Error::from)? {
        AnyScenario::Graph(scenario) => return graphs::run_compare(args, scenario),
        AnyScenario::Stream(scenario) => return streams::run_compare(args, scenario),
        AnyScenario::Tasks(scenario) => scenario,
    };
    streams::refuse_for_kind("of independent tasks", &[("--runs", args.runs.is_some())])?;
    device::on_device(&args.compute, |backend| {
        let named = Problem::new(scenario)?;
        let problem = args.deadlines.applied_to(named.clone())?;
        note_implausible_scenario(&problem.scenario);
        // Options may change deadlines, but records are for the scenario that is named.
        let records = records(args, &named, backend)?;
        let schemes = || with_classic(&records, &problem.model, args.seed.seed, &backend.device);
        match args.share_out.total {
            None => {
                let set = problem.standard_set()?;
                let comparison = evaluate_all(schemes(), &set)?;
                note_left_out(&comparison.left_out);
                print_evaluations(args.format.format, &comparison.evaluations)
            }
            Some(total) => {
                let set = StandardSet::unsolved(&problem.scenario, &problem.model)?;
                let comparison = share_out::compare(schemes(), &set, total)?;
                note_left_out(&comparison.left_out);
                print_shared_out(args.format.format, &comparison.rows)
            }
        }
    })
}

fn records(args: &CompareArgs, problem: &Problem, backend: &Backend) -> Result<Vec<(String, Record)>, CliError> {
    let mut records = Vec::new();
    for path in &args.record {
        let record = Record::load(path, &backend.device)?;
        record.check_scenario(&problem.scenario, args.any_rates, path)?;
        if args.share_out.total.is_some() {
            note_unread_uplinks(&record, path);
        }
        records.push((path.display().to_string(), record));
    }
    Ok(records)
}

/// Writes a note if the networks of a record do not read uplinks, which sharing them out changes.
pub(super) fn note_unread_uplinks(record: &Record, path: &std::path::Path) {
    if !record.networks.reads().uplinks {
        let path = path.display();
        note(&format!(
            "the networks of {path} do not read uplinks, so that their proposals do not depend on how these are shared out"
        ));
    }
}

fn print_shared_out(format: Format, rows: &[AllocationEvaluation]) -> Result<(), CliError> {
    print(format, rows, || {
        let has_deadlines = rows.iter().any(|row| row.share_of_missed_deadlines.is_some());
        let mut header = vec!["scheme", "total Mbit/s", "cost in proportion", "cost"];
        header.extend(if has_deadlines { &["missed in proportion", MISSED][..] } else { &[] });
        header.extend(["gain %", "95 % interval", "rounds", "evaluations", "time/workload"]);
        let row = |row: &AllocationEvaluation| {
            let mut cells = vec![
                row.scheme.clone(),
                bandwidth(row.mean_total_mbps),
                figure(row.mean_cost_in_proportion, 3),
                figure(row.mean_cost, 3),
            ];
            if has_deadlines {
                let shares = [row.share_of_missed_deadlines_in_proportion, row.share_of_missed_deadlines];
                cells.extend(shares.map(missed));
            }
            cells.extend([
                format!("{:.3}", 100.0 * row.gain),
                format!("{:.3} to {:.3}", 100.0 * row.gain_low, 100.0 * row.gain_high),
                format!("{:.2}", row.rounds_per_workload),
                format!("{:.0}", row.evaluations_per_workload),
                duration(row.seconds_per_workload),
            ]);
            cells
        };
        table(&header, rows.iter().map(row).collect())
    })
}

fn bandwidth(mbps: f64) -> String {
    if mbps >= 1.0 { format!("{mbps:.1}") } else { format!("{mbps:.2e}") }
}
