//! One module for each command.

mod adapt;
mod compare;
mod decide;
mod devices;
mod evaluate;
mod export;
mod plot;
mod scenario;
mod serve;
pub(crate) mod sweep;
mod trace;
pub(crate) mod train;
mod worker;

use std::io;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::error::{AppError, Exit};
use crate::report;

/// Runs the command and says what went wrong, if anything did.
pub(crate) fn run(cli: Cli) -> Exit {
    match dispatch(cli) {
        Ok(()) => Exit::Success,
        // Whoever reads the output has seen enough, as in `trainer decide ... | head`.
        Err(AppError::Output { source }) if source.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            report::note(&error.report());
            error.exit()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), AppError> {
    match cli.command {
        None => train::train(&cli.train),
        Some(Command::Train(args)) => train::train(&args),
        Some(Command::Meta(args)) => train::meta(&args),
        Some(Command::Fleet(args)) => crate::fleets::run(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Decide(args)) => decide::decide(&args),
        Some(Command::Solve(args)) => decide::solve(&args),
        Some(Command::Adapt(args)) => adapt::run(&args),
        Some(Command::AdaptationStudy(args)) => crate::study::run(&args),
        Some(Command::Trace(command)) => trace::run(&command),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Scenario(command)) => scenario::run(&command),
        Some(Command::Plot(args)) => plot::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Reproduce(args)) => crate::reproduce::run(&args),
        Some(Command::Devices(args)) => devices::run(&args),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Worker(args)) => worker::run(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trainer", &mut script);
            report::write_out(&script)
        }
    }
}
