//! `sweep`: many trainings over seeds and settings, split among hosts or not, and what they found together.

mod plan;
mod tables;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Backend, DeviceKind};
use serde::{Deserialize, Serialize};

use crate::cli::{SweepArgs, SweepCommand, SweepMergeArgs, SweepRunsArgs};
use crate::commands::train;
use crate::config::Training;
use crate::error::AppError;
use crate::progress::Progress;
use crate::report;
use crate::run_dir::{RunDir, write_file};
use crate::setup::{self, Problem};
use plan::{Planned, Shard, Varied, plan};
use tables::{collect, tell};

/// Where a sweep keeps its finished runs.
const RUNS: &str = "runs";
/// Where runs are until they are finished.
const UNFINISHED: &str = "unfinished";
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
    let runs = out.join(RUNS);
    fs::create_dir_all(&runs).map_err(|source| AppError::Unwritable { path: runs.clone(), source })?;
    define(out, &varied)?;
    let mine: Vec<Planned> =
        planned.into_iter().enumerate().filter(|(index, _)| shard.has(*index)).map(|(_, planned)| planned).collect();
    let (share, mut open) = (mine.len(), Vec::new());
    for planned in mine {
        if !is_done(&runs.join(&planned.name), &planned.configuration)? {
            open.push(planned);
        }
    }
    report::note(&format!("{count} runs, {share} of them this shard's, {} to do", open.len()));
    train_each(&open, out, &backend)?;
    tell(&collect(&[out.to_owned()])?, out, args.format.format)
}

/// Writes down what is varied; a sweep may grow, but stays one sweep.
fn define(out: &Path, varied: &[Varied]) -> Result<(), AppError> {
    let path = out.join(DEFINITION);
    let varied = varied.iter().map(|varied| varied.key.clone()).collect();
    let text = toml::to_string(&Definition { varied }).expect("texts can be written");
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(AppError::OtherSweep { path: out.to_owned(), reason: "it varies other settings".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_file(&path, text.as_bytes()),
        Err(source) => Err(AppError::Unreadable { path, source }),
    }
}

/// Whether a run is there already; one of another configuration is not taken for it.
fn is_done(run: &Path, configuration: &str) -> Result<bool, AppError> {
    match fs::read_to_string(run.join("config.toml")) {
        Ok(found) if found == configuration => Ok(true),
        Ok(_) => Err(AppError::OtherSweep {
            path: run.to_owned(),
            reason: "its config.toml says other settings, another device or version".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(AppError::Unreadable { path: run.join("config.toml"), source }),
    }
}

/// Trains on all threads: on the processor as many runs at once as there are threads, each on its own, since nothing
/// is faster than threads that wait for nobody; on any other device one after the other.
fn train_each(open: &[Planned], out: &Path, backend: &Backend) -> Result<(), AppError> {
    let at_once = if backend.kind == DeviceKind::Cpu { rayon::current_num_threads().min(open.len()) } else { 1 };
    let progress = Progress::new("runs", open.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure = Mutex::new(None);
    let failed = || failure.lock().is_ok_and(|failure| failure.is_some());
    let work = || {
        while let Some(planned) = open.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !failed()) {
            match train_one(planned, out, backend) {
                Ok(()) => progress.show(done.fetch_add(1, Ordering::Relaxed) + 1, None, None, None),
                Err(error) => {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
    };
    if at_once <= 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(work),
                    Err(source) => {
                        if let Ok(mut failure) = failure.lock() {
                            failure.get_or_insert(AppError::Threads { threads: 1, source });
                        }
                    }
                });
            }
        });
    }
    drop(progress);
    let _ = fs::remove_dir(out.join(UNFINISHED)); // if no other shard needs it
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A run appears among the others when it is finished.
fn train_one(planned: &Planned, out: &Path, backend: &Backend) -> Result<(), AppError> {
    let unfinished = planned.arguments.out.as_deref().expect("planned with one");
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| AppError::Unwritable { path, source }
    };
    match fs::remove_dir_all(unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(unfinished)(error)),
        _ => {}
    }
    let problem = Problem::load(&planned.arguments.scenario.scenario)?;
    let training = Training::load(&planned.arguments.training, &planned.arguments.settings)?;
    train::quietly(&planned.arguments, training, problem, backend)?;
    let run = out.join(RUNS).join(&planned.name);
    fs::rename(unfinished, &run).map_err(unwritable(&run))
}

fn merge(args: &SweepMergeArgs) -> Result<(), AppError> {
    let sweep = collect(&args.shards)?;
    let out = RunDir::create_at(&args.out)?;
    let runs = args.out.join(RUNS);
    for (name, from) in &sweep.directories {
        copy_directory(from, &runs.join(name))?;
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
