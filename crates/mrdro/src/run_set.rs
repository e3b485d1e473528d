//! Many runs in one directory: runs that are there are kept, the others are made, on all threads.

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
use crate::plan::{RunPlan, Target};
use crate::run::{self, CONFIGURATION, RESULTS, RunOptions};

/// The folder of finished runs.
pub const RUNS: &str = "runs";
/// The folder of runs that are not finished.
const UNFINISHED: &str = "unfinished";
/// The folder of runs that diverged.
const DIVERGED: &str = "diverged";

/// One training of many.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// The name of its directory.
    pub name: String,
    /// The run.
    pub plan: RunPlan,
}

impl PlannedRun {
    /// A run whose directory is named after its scenario, its training, the settings that differ, and its seed.
    pub fn new(plan: RunPlan, settings: &[String]) -> Self {
        let (scenario, training) = match &plan.target {
            Target::Scenario { scenario, training, .. } => (scenario.name.as_str(), training.name.as_str()),
            Target::AnyFleet { training, .. } => ("any-fleet", training.name.as_str()),
        };
        Self { name: run_name(scenario, training, settings, plan.seed), plan }
    }
}

/// The name of a run's directory, without characters that some file system refuses.
pub fn run_name(scenario: &str, training: &str, settings: &[String], seed: u64) -> String {
    let settings: String = settings.iter().flat_map(|setting| ["-", setting]).collect();
    let name = format!("{scenario}-{training}{settings}-seed{seed}");
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+".contains(c) { c } else { '_' }).collect()
}

/// The runs that are not in the directory yet.
///
/// # Errors
/// If there is a run of the same name with another plan.
pub fn not_done(planned: Vec<PlannedRun>, out: &Path, device: &str) -> Result<Vec<PlannedRun>, Error> {
    let mut open = Vec::new();
    for planned in planned {
        if !is_done(&out.join(RUNS).join(&planned.name), &planned.plan.configuration(device))? {
            open.push(planned);
        }
    }
    Ok(open)
}

/// Whether a run is there already, with the same configuration.
fn is_done(run: &Path, configuration: &str) -> Result<bool, Error> {
    match fs::read_to_string(run.join(CONFIGURATION)) {
        Ok(found) if found == configuration => Ok(true),
        Ok(_) => Err(Error::OtherSweep {
            path: run.to_owned(),
            reason: "its config.toml says other settings, another device or version".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Unreadable { path: run.join(CONFIGURATION), source }),
    }
}

/// Makes runs on all threads: on the processor one run on each thread at a time, which is fastest since no thread waits for
/// another; on any other device one run after the other. `done` is told how many runs are done.
///
/// # Errors
/// The first error of a run; it ends them all.
pub fn train_each(
    open: &[PlannedRun],
    out: &Path,
    backend: &Backend,
    done: &(dyn Fn(usize) + Sync),
) -> Result<(), Error> {
    remove_abandoned(&out.join(UNFINISHED));
    let train = |index: usize| train_one(&open[index], out, backend);
    let result = if backend.kind == DeviceKind::Cpu && open.len() > 1 {
        each_on_a_thread(open.len(), done, train)
    } else {
        each(open.len(), None, done, train)
    };
    let _ = fs::remove_dir(out.join(UNFINISHED)); // if no other shard needs it
    result
}

/// Does `count` pieces of work, each on one thread, and one on each thread at a time. `done` is told how many are done.
///
/// # Errors
/// The first error; it ends the others.
pub fn each_on_a_thread<E: From<Error> + Send>(
    count: usize,
    done: &(dyn Fn(usize) + Sync),
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    each(count, Some(rayon::current_num_threads().min(count)), done, work)
}

/// `single_threads`: how many pieces at once, each on one thread; `None`: one after the other, on all threads.
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

/// Removes what killed processes of this machine left behind. Runs that are being worked on stay, and so does what cannot
/// be removed.
fn remove_abandoned(unfinished: &Path) {
    for entry in fs::read_dir(unfinished).into_iter().flatten().flatten() {
        let (directory, lock) = (entry.path(), lock_of(&entry.path()));
        let Ok(mut file) = fs::File::options().read(true).write(true).open(&lock) else { continue };
        let mut machine = String::new();
        // Held until the directory is gone.
        if file.try_lock().is_ok() && file.read_to_string(&mut machine).is_ok() && machine == this_machine() {
            let _ = fs::remove_dir_all(&directory).and_then(|()| fs::remove_file(&lock));
        }
    }
}

/// The lock file beside the directory of an unfinished run. It is locked before the directory is made, and until the run is
/// finished.
fn lock_of(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    directory.with_file_name(name)
}

/// The name of this machine: a lock need not reach other machines that share a directory.
fn this_machine() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
}

/// A run appears among the others when it is finished. Until then it has a directory of this process alone, so that
/// others that do the same run, by mistake or after a restart, do not disturb it; the first to finish counts.
fn train_one(planned: &PlannedRun, out: &Path, backend: &Backend) -> Result<(), Error> {
    let folder = out.join(UNFINISHED);
    let unwritable = |source| Error::Unwritable { path: folder.clone(), source };
    let unfinished = new_directory(&folder, &planned.name).map_err(unwritable)?;
    let options = RunOptions { out: Some(unfinished.directory.path().to_owned()), ..RunOptions::default() };
    run::train(planned.plan.clone(), &options, backend, &mut ()).map_err(|error| match error {
        // Its checkpoints go with its directory: the run begins anew next time.
        Error::DeviceFailed { device, reason, .. } => Error::DeviceFailed { device, reason, kept: None },
        Error::Diverged { phase, step, what, found, .. } => {
            // It would diverge again; it stays for people to look at.
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

/// A directory that goes when it is dropped, and its lock, which goes after it.
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
        // Unlike most temporary files, these are for everybody to read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let name = lock.path().file_stem().unwrap_or_default().to_owned();
        let directory = builder.prefix(&name).rand_bytes(0).tempdir_in(folder)?;
        Ok(Unfinished { directory, _lock: lock })
    };
    // Another process may just have removed the folder that it found empty.
    begin().or_else(|_: std::io::Error| begin())
}

/// What a finished run for one scenario found.
#[derive(Debug, Clone, Deserialize)]
pub struct RunResults {
    /// The scenario's name.
    pub scenario: String,
    /// The name of the settings.
    pub training: String,
    /// The seed.
    pub seed: u64,
    /// The device.
    pub device: String,
    /// Seconds that Algorithm 1 took.
    pub meta_seconds: f64,
    /// Seconds that Algorithm 2 took.
    pub drl_seconds: f64,
    /// Q2 of the first parameters, before Algorithm 2.
    pub q2_start: Option<f64>,
    /// How good the networks are, beside every classic scheme.
    pub evaluations: Vec<Evaluation>,
}

impl RunResults {
    /// Reads the results of a finished run.
    ///
    /// # Errors
    /// If the directory holds none, or they are damaged.
    pub fn read(run: &Path) -> Result<Self, Error> {
        let no_run = |reason: String| Error::no_run(run, format!("{RESULTS}: {reason}"));
        let text = fs::read_to_string(run.join(RESULTS)).map_err(|error| no_run(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| no_run(error.to_string()))
    }
}
