//! `decide` and `solve`: read workloads and write decisions, with allocated uplinks if a bandwidth is shared out.

use std::fs::File;
use std::io::{self, Read};

use data::exchange::WorkloadReader;
use mrdro::Problem;
use mrdro::answering::{AnswerOptions, answer};
use mrdro::share_out::TotalBandwidth;
use sim::scheme::{self, Scheme};
use sim::{AnyScenario, CostModel};

use super::compare::note_unread_uplinks;
use super::{graphs, streams};
use crate::cli::{DecideArgs, SolveArgs};
use crate::device;
use crate::error::CliError;
use crate::output::{note_implausible, note_implausible_scenario};

pub(crate) fn decide(args: &DecideArgs) -> Result<(), CliError> {
    device::on_device(&args.compute, |backend| {
        let (record, problem) = args.record.load(true, &backend.device)?;
        let options = args.inference.options(args.explore);
        record.networks.check_options(&options)?;
        note_implausible_scenario(&problem.scenario);
        if args.share_out.total.is_some() {
            note_unread_uplinks(&record, &args.record.record);
        }
        let mut scheme = record.networks.scheme("mr-dro", &problem.model, &options, &backend.device);
        let mut workloads = open(&args.workloads, &problem.model)?;
        answer_from(&mut workloads, &mut *scheme, args.share_out.total, args.keep_going.keep_going)
    })
}

pub(crate) fn solve(args: &SolveArgs) -> Result<(), CliError> {
    let scenario = match AnyScenario::load(&args.scenario.scenario).map_err(mrdro::Error::from)? {
        AnyScenario::Graph(scenario) => return graphs::run_solve(args, scenario),
        AnyScenario::Stream(scenario) => return streams::run_solve(args, scenario),
        AnyScenario::Tasks(scenario) => scenario,
    };
    let options =
        [("--picture", args.picture.is_some()), ("--trace", args.trace.is_some()), ("--replay", args.replay.is_some())];
    streams::refuse_for_kind("of independent tasks", &options)?;
    device::start_threads(&args.threads)?;
    let problem = args.deadlines.applied_for_workloads(Problem::new(scenario)?)?;
    note_implausible_scenario(&problem.scenario);
    let mut scheme = scheme::by_name(&args.scheme, &problem.model, args.seed.seed)?;
    let mut workloads = open(&args.workloads, &problem.model)?;
    answer_from(&mut workloads, &mut *scheme, args.share_out.total, args.keep_going.keep_going)
}

/// Answers on standard output. Writes a note if some workload is implausible.
fn answer_from(
    workloads: &mut WorkloadReader<'_>,
    scheme: &mut dyn Scheme,
    total: Option<TotalBandwidth>,
    keep_going: bool,
) -> Result<(), CliError> {
    let answered = answer(workloads, io::stdout().lock(), scheme, AnswerOptions { total, keep_going });
    note_implausible("a workload", workloads.implausible());
    Ok(answered?)
}

/// Opens a file of workloads, or standard input for `-`.
pub(super) fn open<'m>(name: &str, model: &'m CostModel) -> Result<WorkloadReader<'m>, CliError> {
    let (origin, input): (_, Box<dyn Read>) = if name == "-" {
        ("standard input", Box::new(io::stdin()))
    } else {
        let file = File::open(name).map_err(|source| mrdro::Error::Unreadable { path: name.into(), source })?;
        (name, Box::new(file))
    };
    Ok(WorkloadReader::new(origin, input, model).map_err(mrdro::Error::from)?)
}
