//! `sweep`: many trainings over seeds and settings, split among hosts or not, and what they found together.

mod plan;
mod tables;

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::{SweepArgs, SweepCommand, SweepMergeArgs, SweepRunsArgs};
use crate::error::AppError;
use crate::report;
use crate::run_dir::{RunDir, write_file};
use crate::runs::{self, Planned, RUNS};
use crate::setup;
pub(crate) use plan::parse_seeds;
use plan::{Shard, Varied, plan};
use tables::{collect, tell};

/// What the sweep varies.
const DEFINITION: &str = "sweep.toml";

pub(crate) fn run(args: &SweepArgs) -> Result<(), AppError> {
    match &args.command {
        Some(SweepCommand::Merge(merge_args)) => merge(merge_args),
        None => train_all(&args.runs),
    }
}

/// What every sweep keeps beside its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    /// Settings that differ between runs.
    varied: Vec<String>,
}

fn train_all(args: &SweepRunsArgs) -> Result<(), AppError> {
    let shard: Shard = args.shard.parse()?;
    let varied: Vec<Varied> = args.varied.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let out = args.out.as_deref().expect("the command line asks for it");
    let backend = setup::open(&args.compute)?;
    let planned = plan(args, &varied, &backend.name)?;
    let count = planned.len();
    define(out, &varied)?;
    let runs = out.join(RUNS);
    fs::create_dir_all(&runs).map_err(|source| AppError::Unwritable { path: runs, source })?;
    let mine: Vec<Planned> =
        planned.into_iter().enumerate().filter(|(index, _)| shard.has(*index)).map(|(_, planned)| planned).collect();
    let share = mine.len();
    let open = runs::not_done(mine, out)?;
    report::note(&format!("{count} runs, {share} of them this shard's, {} to do", open.len()));
    runs::train_each(&open, out, &backend)?;
    tell(&collect(&[out.to_owned()])?, out, args.format.format)
}

/// Writes down what is varied, in a directory that is new or empty; a sweep may grow, but stays one sweep.
fn define(out: &Path, varied: &[Varied]) -> Result<(), AppError> {
    let path = out.join(DEFINITION);
    let mut varied: Vec<String> = varied.iter().map(|varied| varied.key.clone()).collect();
    varied.sort();
    let text = toml::to_string(&Definition { varied }).expect("texts can be written");
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(AppError::OtherSweep { path: out.to_owned(), reason: "it varies other settings".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let unwritable = |source| AppError::Unwritable { path: out.to_owned(), source };
            fs::create_dir_all(out).map_err(unwritable)?;
            let mut entries = fs::read_dir(out).map_err(unwritable)?;
            // A file that is just being written by another shard starts with a point.
            let strange = |entry: std::io::Result<fs::DirEntry>| {
                entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            };
            if entries.any(strange) {
                return Err(AppError::RunExists { path: out.to_owned() });
            }
            write_file(&path, text.as_bytes())
        }
        Err(source) => Err(AppError::Unreadable { path, source }),
    }
}

fn merge(args: &SweepMergeArgs) -> Result<(), AppError> {
    let sweep = collect(&args.shards)?;
    let out = RunDir::create_at(&args.out)?;
    let runs = args.out.join(RUNS);
    for (name, from) in &sweep.directories {
        if let Err(error) = copy_directory(from, &runs.join(name)) {
            let _ = fs::remove_dir_all(&runs); // half of the runs would pass for all
            return Err(error);
        }
    }
    let text = toml::to_string(&Definition { varied: sweep.varied.clone() }).expect("texts can be written");
    out.write(DEFINITION, text.as_bytes())?;
    tell(&sweep, &args.out, args.format.format)
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), AppError> {
    let unreadable = |source| AppError::Unreadable { path: from.to_owned(), source };
    fs::create_dir_all(to).map_err(|source| AppError::Unwritable { path: to.to_owned(), source })?;
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(unreadable)?.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|source| AppError::Unwritable { path: target, source })?;
        }
    }
    Ok(())
}
