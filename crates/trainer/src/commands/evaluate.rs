//! `evaluate`: the quality of a record, compared with greedy rules and the exact optimum.

use data::StandardSet;
use model::Record;
use mrdro::files::is_standard_output;
use mrdro::fleets::{self, DEVICES, Findings, Gain, SizeRow};
use mrdro::{evaluate_all, with_greedy_and_exact};

use super::decide::open;
use crate::cli::{EvaluateArgs, Format};
use crate::device;
use crate::error::CliError;
use crate::output::{
    check_picture, duration, note_implausible, note_implausible_scenario, note_left_out, print, print_evaluations,
    table,
};
use crate::progress::Progress;

pub(crate) fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    args.picture.as_ref().map_or(Ok(()), |file| check_picture("--picture", file))?;
    device::on_device(&args.compute, |backend| {
        if args.record.scenario.is_none() && args.workloads.is_none() {
            let record = Record::load(&args.record.record, &backend.device)?;
            if record.networks.dispatch_scheme("").is_some() {
                return super::streams::run_evaluate(&record, &args.record.record, args.format.format);
            }
            if record.networks.scenario().is_none() {
                args.record.deadlines.check_absent()?;
                return on_fleets(&record, args, backend);
            }
        }
        if let Some(path) = &args.picture {
            let wanted = "of use here: only the evaluation of a record for any fleet, on fleets of all sizes, is drawn";
            let text = path.display().to_string();
            return Err(mrdro::Error::BadOption { option: "--picture", text, wanted }.into());
        }
        let (record, problem) = args.record.load(args.workloads.is_some(), &backend.device)?;
        note_implausible_scenario(&problem.scenario);
        let set = match &args.workloads {
            None => problem.standard_set()?,
            Some(name) => {
                let mut workloads = open(name, &problem.model)?;
                let named = workloads.read_all().map_err(mrdro::Error::from)?;
                note_implausible("a workload", workloads.implausible());
                StandardSet::new(named.into_iter().map(|request| request.instance).collect())
            }
        };
        let schemes = with_greedy_and_exact(&record, &problem.model, &backend.device);
        let comparison = evaluate_all(schemes, &set)?;
        note_left_out(&comparison.left_out);
        print_evaluations(args.format.format, &comparison.evaluations)
    })
}

/// Evaluates a record for any fleet on fleets of all sizes.
fn on_fleets(record: &Record, args: &EvaluateArgs, backend: &model::Backend) -> Result<(), CliError> {
    let progress = Progress::new("sizes", DEVICES.len());
    let findings =
        fleets::evaluate(record, usize::from(args.fleets), &backend.device, &mut |sizes| progress.done(sizes))?;
    drop(progress);
    if let Some(path) = &args.picture {
        findings.draw(path)?;
        if is_standard_output(path) {
            return Ok(());
        }
    }
    print_findings(args.format.format, &findings)
}

/// Prints the evaluation of networks and classic schemes on fleets of all sizes.
pub(super) fn print_findings(format: Format, findings: &Findings) -> Result<(), CliError> {
    print(format, &findings.rows, || {
        let header = ["devices", "scheme", "Q2", "from", "to", "evaluations/task", "time/decision"];
        let row = |row: &SizeRow| {
            vec![
                row.devices.to_string(),
                row.scheme.clone(),
                format!("{:.5}", row.q2),
                format!("{:.5}", row.q2_low),
                format!("{:.5}", row.q2_high),
                format!("{:.1}", row.evaluations_per_task),
                duration(row.microseconds_per_decision * 1e-6),
            ]
        };
        let rows = table(&header, findings.rows.iter().map(row).collect());
        let gain = |gain: &Gain| {
            let Gain { devices, mean, low, high } = gain;
            format!("\n{devices} devices: {mean:+.5}, 95 % interval {low:+.5} to {high:+.5}")
        };
        let gains: String = findings.gains.iter().map(gain).collect();
        format!("{rows}\n\ngain in Q2 of mr-dro-fleet@16 over local-search@16, fleet by fleet:{gains}")
    })
}
