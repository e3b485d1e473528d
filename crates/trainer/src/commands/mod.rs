//! The commands: one module for each, which parses, calls the library and prints.

mod adapt;
mod adaptation_study;
mod compare;
mod decide;
mod devices;
mod evaluate;
mod export;
mod graphs;
mod plot;
mod reproduce;
mod scenario;
mod serve;
mod simulate;
mod streams;
mod sweep;
mod trace;
mod train;
mod worker;

use std::io;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::error::{CliError, Exit};
use crate::output::{note, write_out};

/// Runs the command and reports its error, if it fails.
pub(crate) fn run(cli: Cli) -> Exit {
    match dispatch(cli) {
        Ok(()) => Exit::Success,
        // The reader of the output has closed it, as in `trainer decide ... | head`.
        Err(CliError::Library(mrdro::Error::Output { source })) if source.kind() == io::ErrorKind::BrokenPipe => {
            Exit::Success
        }
        Err(error) => {
            note(&error.report());
            error.exit()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        None => train::train(&cli.train),
        Some(Command::Train(args)) => train::train(&args),
        Some(Command::Meta(args)) => train::meta(&args),
        Some(Command::Fleet(args)) => train::fleet(&args),
        Some(Command::Site(args)) => train::site(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Decide(args)) => decide::decide(&args),
        Some(Command::Solve(args)) => decide::solve(&args),
        Some(Command::Tune(args)) => streams::run_tune(&args),
        Some(Command::Adapt(args)) => adapt::run(&args),
        Some(Command::AdaptationStudy(args)) => adaptation_study::run(&args),
        Some(Command::Trace(command)) => trace::run(&command),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Scenario(command)) => scenario::run(&command),
        Some(Command::Plot(args)) => plot::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Reproduce(args)) => reproduce::run(&args),
        Some(Command::Devices(args)) => devices::run(&args),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Simulate(args)) => simulate::run(&args),
        Some(Command::Worker(args)) => worker::run(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trainer", &mut script);
            write_out(&script)
        }
    }
}
