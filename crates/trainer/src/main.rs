//! MR-DRO from the command line. `trainer --help` says what there is.

mod checkpoints;
mod cli;
mod commands;
mod config;
mod contain;
mod error;
mod metrics;
mod progress;
mod report;
mod run_dir;
mod setup;
mod statistics;
mod workload_io;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let exit = commands::run(cli::Cli::parse());
    std::process::ExitCode::from(exit as u8)
}
