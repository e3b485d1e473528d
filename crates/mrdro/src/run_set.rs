//! Sets of runs in one directory: finished runs are kept, the others are trained, on all threads.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use data::Evaluation;
use model::{Backend, DeviceKind};
use serde::Deserialize;
use tempfile::{NamedTempFile, TempDir};

use crate::error::Error;
use crate::files::check_folder;
use crate::output_file::check_name;
use crate::plan::{RunPlan, Target};
use crate::run::{self, CONFIGURATION, RESULTS, RunOptions};

/// The name of the folder of finished runs.
pub const RUNS: &str = "runs";
/// The name of the folder of runs that are being trained.
const UNFINISHED: &str = "unfinished";
/// The name of the folder of runs that diverged.
const DIVERGED: &str = "diverged";

/// One run of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// The name of the run's directory.
    pub name: String,
    /// The plan of the run.
    pub plan: RunPlan,
}

impl PlannedRun {
    /// A run whose directory is named after its scenario, its training, `settings` and its seed. `settings` are the changes
    /// that distinguish it from other runs of the set.
    pub fn new(plan: RunPlan, settings: &[String]) -> Self {
        let (scenario, training) = match &plan.target {
            Target::Scenario { scenario, training, .. } => (scenario.name.as_str(), training.name.as_str()),
            Target::AnyFleet { training, .. } => ("any-fleet", training.name.as_str()),
            Target::AnySite { training } => ("any-site", training.name.as_str()),
        };
        Self { name: run_name(scenario, training, settings, plan.seed), plan }
    }
}

/// The name of a run's directory. Characters that some file systems refuse are replaced by `_`.
pub fn run_name(scenario: &str, training: &str, settings: &[String], seed: u64) -> String {
    let settings: String = settings.iter().flat_map(|setting| ["-", setting]).collect();
    let name = format!("{scenario}-{training}{settings}-seed{seed}");
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+".contains(c) { c } else { '_' }).collect()
}

/// The bytes that the name of a run's directory may have; the rest of what file systems allow is for the name of its lock.
const MAX_RUN_NAME_BYTES: usize = 240;

/// Checks, before anything is written, that the directories of runs can have their names.
///
/// # Errors
/// If a name is too long.
pub fn check_names(planned: &[PlannedRun], out: &Path) -> Result<(), Error> {
    check_folder(out)?;
    planned.iter().try_for_each(|PlannedRun { name, .. }| {
        let advice = "a run is named after its settings: give fewer of them, or put them into a file for --training";
        check_name(name.as_ref(), MAX_RUN_NAME_BYTES, advice).map_err(Error::unwritable(&out.join(RUNS)))
    })
}

/// The runs that the directory does not hold yet. `device` is the name of the device that computes.
///
/// # Errors
/// If the directory holds a run of the same name with another configuration, or cannot be read.
pub fn not_done(planned: Vec<PlannedRun>, out: &Path, device: &str) -> Result<Vec<PlannedRun>, Error> {
    let mut open = Vec::new();
    for planned in planned {
        if !is_done(&out.join(RUNS).join(&planned.name), &planned.plan.configuration(device))? {
            open.push(planned);
        }
    }
    Ok(open)
}

/// Whether a directory holds a finished run with this configuration.
fn is_done(run: &Path, configuration: &str) -> Result<bool, Error> {
    match sim::text::read(&run.join(CONFIGURATION)) {
        Ok(found) if found == configuration => Ok(true),
        Ok(_) => Err(Error::OtherSweep {
            path: run.to_owned(),
            reason: "its config.toml has other settings, another device or another version".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Unreadable { path: run.join(CONFIGURATION), source }),
    }
}

/// Trains runs and keeps each in the folder [`RUNS`] of `out` when it is finished. On the CPU each thread trains one run at a
/// time, which is fastest since no thread waits for another; on other devices one run follows the other. After each run,
/// `done` receives the number of runs that are done.
///
/// # Errors
/// The first error of a run. It keeps further runs from starting.
pub fn train_each(
    open: &[PlannedRun],
    out: &Path,
    backend: &Backend,
    done: &(dyn Fn(usize) + Sync),
) -> Result<(), Error> {
    train_each_while(open, out, backend, done, &|| true)
}

/// [`train_each`] as long as `goes_on`. When it says no, the runs that are being trained stop, as in
/// [`train_while`](crate::train_while), and are removed; finished runs stay.
///
/// # Errors
/// As [`train_each`], and [`Error::Stopped`] if a run was stopped.
pub fn train_each_while(
    open: &[PlannedRun],
    out: &Path,
    backend: &Backend,
    done: &(dyn Fn(usize) + Sync),
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Result<(), Error> {
    remove_abandoned(&out.join(UNFINISHED));
    let train = |index: usize| train_one(&open[index], out, backend, goes_on);
    let result = if backend.kind == DeviceKind::Cpu && open.len() > 1 {
        each_on_a_thread(open.len(), done, train)
    } else {
        each(open.len(), None, done, train)
    };
    let _ = fs::remove_dir(out.join(UNFINISHED)); // fails if another shard uses it
    result
}

/// Calls `work` with 0 to `count` - 1, each call on a thread of its own pool of one thread, on all threads. After each call,
/// `done` receives the number of calls that are done.
///
/// # Errors
/// The first error of `work`. It keeps further calls from starting.
pub fn each_on_a_thread<E: From<Error> + Send>(
    count: usize,
    done: &(dyn Fn(usize) + Sync),
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    each(count, Some(rayon::current_num_threads().min(count)), done, work)
}

/// Calls `work` with 0 to `count` - 1: with `single_threads` that number of calls at a time, each on one thread; without, one
/// call after the other, on all threads.
fn each<E: From<Error> + Send>(
    count: usize,
    single_threads: Option<usize>,
    done: &(dyn Fn(usize) + Sync),
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure = Mutex::new(None);
    let failed = || failure.lock().is_ok_and(|failure| failure.is_some());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || failed() {
                return;
            }
            match work(index) {
                Ok(()) => done(finished.fetch_add(1, Ordering::Relaxed) + 1),
                Err(error) => {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
    };
    if let Some(at_once) = single_threads {
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(work),
                    Err(source) => {
                        if let Ok(mut failure) = failure.lock() {
                            failure.get_or_insert(Error::Threads { threads: 1, source }.into());
                        }
                    }
                });
            }
        });
    } else {
        work();
    }
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Removes the unfinished runs of processes of this machine that were killed. Runs that another process trains stay.
fn remove_abandoned(unfinished: &Path) {
    for entry in fs::read_dir(unfinished).into_iter().flatten().flatten() {
        let (directory, lock) = (entry.path(), lock_of(&entry.path()));
        let Ok(mut file) = fs::File::options().read(true).write(true).open(&lock) else { continue };
        let mut machine = String::new();
        // The lock is held until the directory is removed.
        if file.try_lock().is_ok() && file.read_to_string(&mut machine).is_ok() && machine == this_machine() {
            let _ = fs::remove_dir_all(&directory).and_then(|()| fs::remove_file(&lock));
        }
    }
}

/// The lock file next to the directory of an unfinished run. It is locked from before the directory is made until the
/// run is finished.
fn lock_of(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    directory.with_file_name(name)
}

/// The name of this machine. File locks may not reach other machines that share the directory.
fn this_machine() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
}

/// Trains one run. Until it is finished it has a directory that only this process uses, so that another process that trains
/// the same run does not disturb it; the one that finishes first counts.
fn train_one(
    planned: &PlannedRun,
    out: &Path,
    backend: &Backend,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Result<(), Error> {
    let folder = out.join(UNFINISHED);
    let unwritable = |source| Error::Unwritable { path: folder.clone(), source };
    let unfinished = new_directory(&folder, &planned.name).map_err(unwritable)?;
    let options = RunOptions { out: Some(unfinished.directory.path().to_owned()), ..RunOptions::default() };
    run::train_while(planned.plan.clone(), &options, backend, &mut (), goes_on).map_err(|error| match error {
        // The directory is removed, and its checkpoints with it: the run starts from the beginning next time.
        Error::DeviceFailed { device, reason, .. } => Error::DeviceFailed { device, reason, kept: None },
        Error::Diverged { phase, step, what, found, .. } => {
            // It would diverge again, and is kept for people to look at.
            let run = out.join(DIVERGED).join(&planned.name);
            let _ = fs::remove_dir_all(&run);
            let kept = fs::create_dir_all(out.join(DIVERGED))
                .and_then(|()| fs::rename(unfinished.directory.path(), &run))
                .is_ok();
            let found = found.filter(|_| kept).and_then(|found| Some(run.join(found.file_name()?).into_boxed_path()));
            Error::Diverged { run, phase, step, what, found }
        }
        error => error,
    })?;
    let run = out.join(RUNS).join(&planned.name);
    match fs::rename(unfinished.directory.path(), &run) {
        Err(_) if run.join(CONFIGURATION).exists() => Ok(()),
        Err(source) => Err(Error::Unwritable { path: run, source }),
        Ok(()) => {
            let _ = unfinished.directory.keep(); // there is nothing left to remove
            Ok(())
        }
    }
}

/// The directory of a run that is being trained, and its lock. Both are removed when this is dropped, the directory first.
struct Unfinished {
    directory: TempDir,
    _lock: NamedTempFile,
}

fn new_directory(folder: &Path, name: &str) -> std::io::Result<Unfinished> {
    let begin = || {
        fs::create_dir_all(folder)?;
        let prefix = format!("{name}.");
        let mut lock = tempfile::Builder::new().prefix(&prefix).suffix(".lock").tempfile_in(folder)?;
        lock.as_file().try_lock()?;
        lock.write_all(this_machine().as_bytes())?;
        let mut builder = tempfile::Builder::new();
        // Temporary directories are private by default, but results are for every user to read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let name = lock.path().file_stem().unwrap_or_default().to_owned();
        let directory = builder.prefix(&name).rand_bytes(0).tempdir_in(folder)?;
        Ok(Unfinished { directory, _lock: lock })
    };
    // Another process may have removed the empty folder between the two calls.
    begin().or_else(|_: std::io::Error| begin())
}

/// The results of a finished run for one scenario, read from its `results.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct RunResults {
    /// The scenario's name.
    pub scenario: String,
    /// The name of the training.
    pub training: String,
    /// The seed.
    pub seed: u64,
    /// The name of the device that computed.
    pub device: String,
    /// Seconds that Algorithm 1 took, labelling included.
    pub meta_seconds: f64,
    /// Seconds that Algorithm 2 took.
    pub drl_seconds: f64,
    /// Q2 of the first parameters, before Algorithm 2.
    pub q2_start: Option<f64>,
    /// The evaluations of the networks and of every classic scheme on the standard set.
    pub evaluations: Vec<Evaluation>,
}

impl RunResults {
    /// Reads the results in a run directory.
    ///
    /// # Errors
    /// If `results.json` is missing or damaged.
    pub fn read(run: &Path) -> Result<Self, Error> {
        let no_run = |reason: String| Error::no_run(run, format!("{RESULTS}: {reason}"));
        let text = fs::read_to_string(run.join(RESULTS)).map_err(|error| no_run(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| no_run(error.to_string()))
    }
}
