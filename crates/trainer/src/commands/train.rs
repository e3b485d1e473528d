//! `train`, `meta`, `fleet` and `site`: training runs, from a plan to a record.

use std::path::Path;

use mrdro::{CheckpointInterval, Error, Results, RunOptions, RunPlan, Target, Trained, Unfinished};

use super::evaluate::print_findings;
use super::streams;
use crate::cli::{CheckpointArgs, ComputeArgs, FleetArgs, Format, SiteArgs, TrainArgs};
use crate::device;
use crate::error::CliError;
use crate::interrupt;
use crate::output::{note, note_implausible_scenario, note_recordings, print_evaluations, write_out};
use crate::progress::TerminalObserver;

/// Trains networks for one scenario: Algorithm 1, Algorithm 2, then the comparison with classic schemes.
pub(crate) fn train(args: &TrainArgs) -> Result<(), CliError> {
    let run = Invocation::of(args);
    match &args.resume {
        Some(directory) => run.resume(directory, RunKind::Scenario, None),
        None => run.start(args.plan(RunPlan::new)?),
    }
}

/// Runs Algorithm 1 alone.
pub(crate) fn meta(args: &TrainArgs) -> Result<(), CliError> {
    let run = Invocation::of(args);
    match &args.resume {
        Some(directory) => run.resume(directory, RunKind::Scenario, None),
        None => run.start(args.plan(RunPlan::meta)?),
    }
}

/// Trains networks for any fleet.
pub(crate) fn fleet(args: &FleetArgs) -> Result<(), CliError> {
    let run = Invocation {
        out: args.out.as_deref(),
        checkpoints: &args.checkpoints,
        tensorboard: args.tensorboard.tensorboard,
        compute: &args.compute,
        format: args.format.format,
    };
    match &args.resume {
        Some(directory) => run.resume(directory, RunKind::AnyFleet, args.fleets.map(usize::from)),
        None => run.start(args.plan()?),
    }
}

/// Trains networks for any site.
pub(crate) fn site(args: &SiteArgs) -> Result<(), CliError> {
    let run = Invocation {
        out: args.out.as_deref(),
        checkpoints: &args.checkpoints,
        tensorboard: args.tensorboard.tensorboard,
        compute: &args.compute,
        format: args.format.format,
    };
    match &args.resume {
        Some(directory) => run.resume(directory, RunKind::AnySite, None),
        None => run.start(args.plan()?),
    }
}

/// The kind of a run, which decides the command that resumes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Scenario,
    AnyFleet,
    AnySite,
}

/// The parts of a command line that all runs share: output directory, interval of checkpoints, event files,
/// device and format.
struct Invocation<'a> {
    out: Option<&'a Path>,
    checkpoints: &'a CheckpointArgs,
    tensorboard: bool,
    compute: &'a ComputeArgs,
    format: Format,
}

impl<'a> Invocation<'a> {
    fn of(args: &'a TrainArgs) -> Self {
        let TrainArgs { out, checkpoints, tensorboard, compute, format, .. } = args;
        let (tensorboard, format) = (tensorboard.tensorboard, format.format);
        Self { out: out.as_deref(), checkpoints, tensorboard, compute, format }
    }

    /// The options of a run whose interval of checkpoints is `before`, unless the command line names another.
    fn options(&self, before: CheckpointInterval) -> RunOptions {
        RunOptions {
            out: self.out.map(Path::to_owned),
            checkpoints: Some(self.checkpoints.over(before)),
            tensorboard: self.tensorboard,
            start: None,
        }
    }

    fn start(&self, plan: RunPlan) -> Result<(), CliError> {
        if let Target::Scenario { scenario, .. } = &plan.target {
            note_implausible_scenario(scenario);
            note_recordings(scenario);
        }
        let backend = device::open(self.compute)?;
        interrupt::listen();
        let options = self.options(CheckpointInterval::default());
        let trained = mrdro::train(plan, &options, &backend, &mut TerminalObserver::default());
        self.show(trained)
    }

    fn resume(&self, directory: &Path, kind: RunKind, fleets: Option<usize>) -> Result<(), CliError> {
        let mut run = Unfinished::open(directory, &mut TerminalObserver::default())?;
        check_kind(directory, kind, run.plan())?;
        if let Some(count) = fleets {
            run.evaluate_fleets(count);
        }
        let mut compute = self.compute.clone();
        if compute.device == "auto" {
            compute.device.clone_from(&run.plan().device);
        }
        let backend = device::open(&compute)?;
        interrupt::listen();
        let options = self.options(run.checkpoint_interval());
        let trained = run.train(&options, &backend, &mut TerminalObserver::default());
        self.show(trained)
    }

    fn show(&self, trained: Result<Trained, Error>) -> Result<(), CliError> {
        let trained = trained.map_err(|error| match (error, interrupt::requested()) {
            (Error::Stopped { run, phase, step }, Some(signal)) => CliError::Interrupted { signal, run, phase, step },
            (error, _) => error.into(),
        })?;
        print_results(self.format, &trained.results)?;
        note(&summary(&trained));
        Ok(())
    }
}

/// Checks that a run is of the kind that the command resumes.
fn check_kind(directory: &Path, wanted: RunKind, plan: &RunPlan) -> Result<(), CliError> {
    let (found, hint) = match plan.target {
        Target::Scenario { .. } => {
            (RunKind::Scenario, "it trains networks for one scenario, so that `trainer train --resume` continues it")
        }
        Target::AnyFleet { .. } => {
            (RunKind::AnyFleet, "it trains networks for any fleet, so that `trainer fleet --resume` continues it")
        }
        Target::AnySite { .. } => {
            (RunKind::AnySite, "it trains networks for any site, so that `trainer site --resume` continues it")
        }
    };
    if found == wanted {
        return Ok(());
    }
    Err(Error::NotResumable { run: directory.to_owned(), reason: hint.to_owned() }.into())
}

fn print_results(format: Format, results: &Results) -> Result<(), CliError> {
    match (results, format) {
        (Results::Scenario(results), Format::Json) => write_out(&mrdro::files::json(results)),
        (Results::Scenario(results), format) => print_evaluations(format, &results.evaluations),
        (Results::Fleet(results), format) => print_findings(format, &results.findings),
        (Results::Site(results), format) => streams::print_settings(format, &results.findings),
    }
}

fn summary(trained: &Trained) -> String {
    let directory = trained.directory.display();
    let has_events = mrdro::tensorboard::files(&trained.directory).is_ok_and(|files| !files.is_empty());
    let events = if has_events { " events.out.tfevents.*" } else { "" };
    match &trained.results {
        Results::Scenario(results) => {
            let (meta, drl) = (results.meta_seconds, results.drl_seconds);
            format!(
                "\ntrained in {:.1} s (meta {meta:.1} s, DRL {drl:.1} s)\n\
                 written to {directory}: config.toml metrics.csv results.json results.csv curves.svg{events} record/\n\
                 next: cargo run -p trainer -- decide --record {directory}/record WORKLOADS.jsonl",
                meta + drl
            )
        }
        Results::Fleet(results) => format!(
            "\ntrained in {:.1} s\n\
             written to {directory}: config.toml metrics.csv results.json results.csv curves.svg fleets.svg{events} record/\n\
             next: cargo run -p trainer -- decide --record {directory}/record --scenario shared-edges WORKLOADS.jsonl",
            results.seconds
        ),
        Results::Site(results) => format!(
            "\ntrained in {:.1} s\n\
             written to {directory}: config.toml metrics.csv results.json results.csv curves.svg sites.svg{events} record/\n\
             next: cargo run -p trainer -- compare --scenario dispatch --record {directory}/record",
            results.seconds
        ),
    }
}
