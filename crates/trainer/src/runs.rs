//! Many trainings: those that are there are kept, the others are done, on all threads.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use data::Evaluation;
use model::{Backend, DeviceKind};
use serde::Deserialize;
use sim::Scenario;
use tempfile::{NamedTempFile, TempDir};

use crate::cli::{CHECKPOINT_SECONDS, ComputeArgs, Format, FormatArg, ScenarioArg, SeedArg, TrainArgs};
use crate::commands::train;
use crate::config::Training;
use crate::error::AppError;
use crate::progress::Progress;
use crate::setup::Problem;

/// Where finished runs are.
pub(crate) const RUNS: &str = "runs";
/// Where runs are until they are finished.
const UNFINISHED: &str = "unfinished";
/// Where runs are that will never be.
const ASTRAY: &str = "astray";

/// One training of many.
pub(crate) struct Planned {
    /// Of its directory.
    pub(crate) name: String,
    pub(crate) arguments: TrainArgs,
    pub(crate) training: Training,
    pub(crate) scenario: Scenario,
    /// What its `config.toml` will say.
    pub(crate) configuration: String,
}

impl Planned {
    /// The arguments of `train` for one of many runs.
    pub(crate) fn arguments(
        scenario: &str,
        training: &str,
        settings: &[String],
        seed: u64,
        compute: ComputeArgs,
    ) -> TrainArgs {
        TrainArgs {
            scenario: ScenarioArg { scenario: scenario.to_owned() },
            training: training.to_owned(),
            settings: settings.to_vec(),
            start: None,
            seed: SeedArg { seed },
            compute,
            out: None,
            resume: None,
            checkpoint_every: CHECKPOINT_SECONDS,
            checkpoint_steps: None,
            format: FormatArg { format: Format::Table },
        }
    }
}

/// The name of a run's directory, without what some file system could mind.
pub(crate) fn name(scenario: &str, training: &str, settings: &[String], seed: u64) -> String {
    let settings: String = settings.iter().flat_map(|setting| ["-", setting]).collect();
    let name = format!("{scenario}-{training}{settings}-seed{seed}");
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+".contains(c) { c } else { '_' }).collect()
}

/// The runs that are not there yet.
pub(crate) fn not_done(planned: Vec<Planned>, out: &Path) -> Result<Vec<Planned>, AppError> {
    let mut open = Vec::new();
    for planned in planned {
        if !is_done(&out.join(RUNS).join(&planned.name), &planned.configuration)? {
            open.push(planned);
        }
    }
    Ok(open)
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
pub(crate) fn train_each(open: &[Planned], out: &Path, backend: &Backend) -> Result<(), AppError> {
    remove_abandoned(&out.join(UNFINISHED));
    let train = |index: usize| train_one(&open[index], out, backend);
    let result = if backend.kind == DeviceKind::Cpu && open.len() > 1 {
        each_on_a_thread("runs", open.len(), train)
    } else {
        each("runs", open.len(), None, train)
    };
    let _ = fs::remove_dir(out.join(UNFINISHED)); // if no other shard needs it
    result
}

/// Does pieces of work, as many at once as there are threads, each on one thread; the first failure ends it all.
pub(crate) fn each_on_a_thread(
    what: &'static str,
    count: usize,
    work: impl Fn(usize) -> Result<(), AppError> + Sync,
) -> Result<(), AppError> {
    each(what, count, Some(rayon::current_num_threads().min(count)), work)
}

/// `single_threads`: how many pieces at once, each on one thread; `None`: one after the other, on all threads.
fn each(
    what: &'static str,
    count: usize,
    single_threads: Option<usize>,
    work: impl Fn(usize) -> Result<(), AppError> + Sync,
) -> Result<(), AppError> {
    let progress = Progress::new(what, count);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure = Mutex::new(None);
    let failed = || failure.lock().is_ok_and(|failure| failure.is_some());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || failed() {
                return;
            }
            match work(index) {
                Ok(()) => progress.show(done.fetch_add(1, Ordering::Relaxed) + 1, None, None, None),
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
                            failure.get_or_insert(AppError::Threads { threads: 1, source });
                        }
                    }
                });
            }
        });
    } else {
        work();
    }
    drop(progress);
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// What processes of this machine left behind that were killed. Those at work are left alone, as is what cannot be
/// removed.
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

/// Beside the directory of a run that is not finished; locked before the directory is there and as long as it is worked on.
fn lock_of(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    directory.with_file_name(name)
}

/// Locks need not reach other machines that share a directory.
fn this_machine() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
}

/// A run appears among the others when it is finished. Until then it has a directory of this process alone, so that
/// others that do the same run, by mistake or after a restart, do not disturb it; the first to finish counts.
fn train_one(planned: &Planned, out: &Path, backend: &Backend) -> Result<(), AppError> {
    let folder = out.join(UNFINISHED);
    let unwritable = |source| AppError::Unwritable { path: folder.clone(), source };
    let unfinished = new_directory(&folder, &planned.name).map_err(unwritable)?;
    let problem = Problem::new(planned.scenario.clone())?;
    let trained =
        train::quietly(&planned.arguments, planned.training.clone(), problem, backend, unfinished.directory.path());
    trained.map_err(|error| match error {
        // What it kept goes with its directory: the run is done again from the start.
        AppError::DeviceFailed { device, reason, .. } => AppError::DeviceFailed { device, reason, kept: None },
        AppError::Astray { phase, step, what, found, .. } => {
            // This would go astray again; it stays to be looked at.
            let run = out.join(ASTRAY).join(&planned.name);
            let _ = fs::remove_dir_all(&run);
            let kept = fs::create_dir_all(out.join(ASTRAY))
                .and_then(|()| fs::rename(unfinished.directory.path(), &run))
                .is_ok();
            let found = found.filter(|_| kept).and_then(|found| Some(run.join(found.file_name()?).into_boxed_path()));
            AppError::Astray { run, phase, step, what, found }
        }
        error => error,
    })?;
    let run = out.join(RUNS).join(&planned.name);
    match fs::rename(unfinished.directory.path(), &run) {
        Err(_) if run.join("config.toml").exists() => Ok(()),
        Err(source) => Err(AppError::Unwritable { path: run, source }),
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
        // What a run writes is for others to read, unlike most temporary files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let name = lock.path().file_stem().unwrap_or_default().to_owned();
        let directory = builder.prefix(&name).rand_bytes(0).tempdir_in(folder)?;
        Ok(Unfinished { directory, _lock: lock })
    };
    // Another process may just have removed the folder that it found empty.
    begin().or_else(|_: std::io::Error| begin())
}

/// The part of `results.json` that counts here.
#[derive(Deserialize)]
pub(crate) struct RunResults {
    pub(crate) scenario: String,
    pub(crate) training: String,
    pub(crate) seed: u64,
    pub(crate) device: String,
    pub(crate) meta_seconds: f64,
    pub(crate) drl_seconds: f64,
    pub(crate) q2_start: Option<f64>,
    pub(crate) evaluations: Vec<Evaluation>,
}

impl RunResults {
    /// Reads what a finished run found.
    pub(crate) fn read(run: &Path) -> Result<Self, AppError> {
        let no_run =
            |reason: String| AppError::NoRun { path: run.to_owned(), reason: format!("results.json: {reason}") };
        let text = fs::read_to_string(run.join("results.json")).map_err(|error| no_run(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| no_run(error.to_string()))
    }
}
