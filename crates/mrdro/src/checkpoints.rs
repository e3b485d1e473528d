//! Checkpoints: the state that a run keeps while it trains, so that it can be resumed if it ends early.
//!
//! ```text
//! RUN_DIR/checkpoints/
//! ├── run.toml              the names, seed, device and interval of checkpoints that the run was started with
//! ├── start/                the record that the run started from, if it was in memory
//! ├── lock                  locked by the process that trains the run; holds the number of the process
//! ├── drl-00004000.state    the whole state of training after this step
//! └── drl-00004000/         the networks after this step, as a record
//! ```
//!
//! A state file consists of a line with the name of the format, a line with the SHA-256 of the rest, and a [`RunState`] in
//! postcard. It is written under another name, synced and renamed. The last two checkpoints are kept, so that a damaged
//! one is no loss.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use drl::AgentState;
use meta::ReptileState;
use model::{RecordError, checksum};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::write_file;
use crate::metrics::{Phase, Row};
use crate::observer::RunObserver;
use crate::plan::RunRequest;
use crate::run::CheckpointInterval;

/// The number of checkpoints that are kept: if the last is damaged, the one before can be used.
const KEPT: usize = 2;
const DIRECTORY: &str = "checkpoints";
const STARTED: &str = "run.toml";
const LOCK: &str = "lock";
const FORMAT: &str = "trainer state 2";
/// The longest state file that is read; actual ones are far shorter.
const MAX_STATE_BYTES: u64 = 1 << 33;

/// The state of a run, as a checkpoint holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunState {
    /// The rows of `metrics.csv`.
    #[serde(with = "saved_rows")]
    pub(crate) rows: Vec<Row>,
    /// Q2 of the first parameters, after Algorithm 1.
    pub(crate) q2_start: Option<f64>,
    /// Seconds of training so far.
    pub(crate) seconds: Seconds,
    pub(crate) state: PhaseState,
}

impl RunState {
    fn to_bytes(&self) -> Vec<u8> {
        let written = "numbers and texts can be written";
        let mut bytes = postcard::to_stdvec(self).expect(written);
        let shares: Vec<_> = self.rows.iter().map(|row| row.share_of_missed_deadlines).collect();
        if shares.iter().any(Option::is_some) {
            bytes.extend(postcard::to_stdvec(&shares).expect(written));
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (mut state, rest) = postcard::take_from_bytes::<Self>(bytes)?;
        if !rest.is_empty() {
            let shares: Vec<Option<f64>> = postcard::from_bytes(rest)?;
            state.rows.iter_mut().zip(shares).for_each(|(row, share)| row.share_of_missed_deadlines = share);
        }
        Ok(state)
    }
}

/// Rows without their shares of missed deadlines. Where there are shares, they follow the state, so that the state of a run
/// without deadlines is the same as before there were deadlines.
mod saved_rows {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::metrics::{Phase, Row};

    type SavedRow = (Phase, usize, Option<f64>, Option<f64>, Option<f64>, Option<f64>);

    pub(super) fn serialize<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
        let saved = |row: &Row| (row.phase, row.step, row.loss, row.q1, row.q2, row.buffer_mean_cost);
        rows.iter().map(saved).collect::<Vec<SavedRow>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Row>, D::Error> {
        let saved = Vec::<SavedRow>::deserialize(deserializer)?;
        let row = |(phase, step, loss, q1, q2, buffer_mean_cost): SavedRow| {
            let share_of_missed_deadlines = None;
            Row { phase, step, loss, q1, q2, buffer_mean_cost, share_of_missed_deadlines }
        };
        Ok(saved.into_iter().map(row).collect())
    }
}

/// Seconds that training has taken, by algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Seconds {
    /// Seconds of Algorithm 1, labelling included.
    pub(crate) meta: f64,
    /// Seconds of Algorithm 2.
    pub(crate) drl: f64,
}

impl Seconds {
    pub(crate) fn of(&mut self, phase: Phase) -> &mut f64 {
        match phase {
            Phase::Meta => &mut self.meta,
            Phase::Drl | Phase::Fleet | Phase::Site => &mut self.drl,
        }
    }
}

/// The state of the phase that is being trained.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PhaseState {
    Meta(ReptileState),
    Drl(AgentState),
    Fleet(AgentState),
    Site(AgentState),
}

impl PhaseState {
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Meta(_) => Phase::Meta,
            Self::Drl(_) => Phase::Drl,
            Self::Fleet(_) => Phase::Fleet,
            Self::Site(_) => Phase::Site,
        }
    }

    /// The steps of the phase that are done.
    pub(crate) fn step(&self) -> usize {
        match self {
            Self::Meta(state) => state.step(),
            Self::Drl(state) | Self::Fleet(state) | Self::Site(state) => state.step(),
        }
    }
}

/// The checkpoints of one run. Their directory is removed when the run is finished.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    directory: PathBuf,
    interval: CheckpointInterval,
    last: Instant,
    last_step: usize,
    /// Held as long as the process trains the run. The system releases it when the process ends, even if it is killed.
    lock: File,
}

impl Drop for Checkpoints {
    /// Removes the process number from the lock file: a number that stays shows that its process was killed.
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

/// The record that a run started from, if it was in memory.
pub(crate) fn start_of(run: &Path) -> PathBuf {
    run.join(DIRECTORY).join("start")
}

impl Checkpoints {
    /// The checkpoints of a new run.
    pub(crate) fn create(
        run: &Path,
        request: &RunRequest,
        interval: CheckpointInterval,
        observer: &mut dyn RunObserver,
    ) -> Result<Self, Error> {
        let directory = run.join(DIRECTORY);
        fs::create_dir_all(&directory).map_err(|source| Error::Unwritable { path: directory.clone(), source })?;
        let mut checkpoints = Self::open(run, observer)?;
        checkpoints.set_interval(interval);
        checkpoints.write_request(request)?;
        Ok(checkpoints)
    }

    /// The checkpoints of a run that ended before it was finished.
    pub(crate) fn open(run: &Path, observer: &mut dyn RunObserver) -> Result<Self, Error> {
        let directory = run.join(DIRECTORY);
        let lock = lock(run, &directory.join(LOCK), observer)?;
        let interval = CheckpointInterval::default();
        Ok(Self { directory, interval, last: Instant::now(), last_step: 0, lock })
    }

    /// Sets the interval after which a checkpoint is due.
    pub(crate) fn set_interval(&mut self, interval: CheckpointInterval) {
        self.interval = interval;
    }

    /// Begins to count the steps of a phase, of which `done` are done.
    pub(crate) fn phase_begins(&mut self, done: usize) {
        self.last_step = done;
    }

    /// Writes `run.toml`.
    pub(crate) fn write_request(&self, request: &RunRequest) -> Result<(), Error> {
        let text = toml::to_string(request).expect("numbers and texts can be written");
        write_file(&self.directory.join(STARTED), text.as_bytes())
    }

    /// Reads `run.toml`.
    pub(crate) fn request(&self, run: &Path) -> Result<RunRequest, Error> {
        let path = self.directory.join(STARTED);
        let unresumable = |reason| Error::NotResumable { run: run.to_owned(), reason };
        let text = fs::read_to_string(&path).map_err(|error| unresumable(format!("{STARTED}: {error}")))?;
        toml::from_str(&text).map_err(|error| unresumable(format!("{STARTED}: {}", error.message())))
    }

    /// The newest state that is not damaged; `None` if there is none.
    pub(crate) fn latest_state(&self, observer: &mut dyn RunObserver) -> Result<Option<RunState>, Error> {
        for name in self.names()?.iter().rev() {
            let path = self.directory.join(format!("{name}.state"));
            match read_state(&path) {
                Ok(saved) => return Ok(Some(saved)),
                Err(reason) => observer.note(&format!("{} cannot be used: {reason}", path.display())),
            }
        }
        Ok(None)
    }

    /// Whether a checkpoint is due after this step of a phase.
    pub(crate) fn due(&self, step: usize) -> bool {
        let steps = step.saturating_sub(self.last_step);
        self.last.elapsed() >= self.interval.time || self.interval.steps.is_some_and(|every| steps >= every)
    }

    /// Writes the state of the run and a record of its networks, then removes the oldest checkpoint.
    pub(crate) fn save(
        &mut self,
        phase: Phase,
        step: usize,
        save_record: impl FnOnce(&Path) -> Result<(), RecordError>,
        saved: &RunState,
    ) -> Result<(), Error> {
        let name = format!("{phase}-{step:08}");
        let body = saved.to_bytes();
        let mut bytes = format!("{FORMAT}\n{}\n", checksum(&body)).into_bytes();
        bytes.extend(body);
        write_file(&self.directory.join(format!("{name}.state")), &bytes)?;
        let path = self.directory.join(&name);
        // A run that was resumed from an older state writes this checkpoint a second time.
        let _ = fs::remove_dir_all(&path);
        save_record(&path)?;
        let names = self.names()?;
        // If there are later checkpoints, they were damaged and the run was resumed from an earlier one.
        let (until_now, later) =
            names.split_at(names.iter().position(|kept| *kept == name).map_or(names.len(), |last| last + 1));
        for useless in until_now.iter().rev().skip(KEPT).chain(later) {
            // Training goes on if an old checkpoint cannot be removed.
            let _ = fs::remove_file(self.directory.join(format!("{useless}.state")));
            let _ = fs::remove_dir_all(self.directory.join(useless));
        }
        (self.last, self.last_step) = (Instant::now(), step);
        Ok(())
    }

    /// The directory of the last record.
    pub(crate) fn latest_record(&self) -> Option<PathBuf> {
        let names = self.names().unwrap_or_default();
        names.iter().rev().map(|name| self.directory.join(name)).find(|path| path.is_dir())
    }

    /// Removes the checkpoints of a finished run.
    pub(crate) fn clear(&self) {
        let gone = self.directory.with_file_name(".checkpoints");
        let _ = fs::remove_dir_all(&gone);
        let _ = fs::rename(&self.directory, &gone).and_then(|()| fs::remove_dir_all(&gone));
    }

    /// The names of the checkpoints, in the order of training.
    fn names(&self) -> Result<Vec<String>, Error> {
        let unreadable = |source| Error::Unreadable { path: self.directory.clone(), source };
        let mut names: Vec<((Phase, usize), String)> = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "state")
                && let Some(name) = path.file_stem().and_then(|name| name.to_str())
                && let Some((phase, step)) = name.split_once('-')
                && let (Some(phase), Ok(step)) =
                    (Phase::ALL.into_iter().find(|known| known.name() == phase), step.parse())
            {
                names.push(((phase, step), name.to_owned()));
            }
        }
        names.sort_unstable();
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }
}

/// Takes the lock of a run. The error names the process that holds it.
fn lock(run: &Path, path: &Path, observer: &mut dyn RunObserver) -> Result<File, Error> {
    let unwritable = |source| Error::Unwritable { path: path.to_owned(), source };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let reason = format!("it has no folder {DIRECTORY}, so that it is finished or not a run");
            return Err(Error::NotResumable { run: run.to_owned(), reason });
        }
        file => file.map_err(unwritable)?,
    };
    let mut holder = String::new();
    let locked = file.try_lock();
    let _ = Read::by_ref(&mut file).take(20).read_to_string(&mut holder);
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::Locked { run: run.to_owned(), holder }),
        Err(TryLockError::Error(source)) => return Err(unwritable(source)),
    }
    if !holder.is_empty() {
        observer.note(&format!("process {holder}, which trained {}, has ended without finishing it", run.display()));
    }
    let write = |file: &mut File| {
        file.rewind()?;
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        file.flush()
    };
    write(&mut file).map_err(unwritable)?;
    Ok(file)
}

fn read_state(path: &Path) -> Result<RunState, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_STATE_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let (format, seal, body) = (parts.next(), parts.next(), parts.next());
    if format != Some(FORMAT.as_bytes()) {
        return Err("it was written by another version, or is not a checkpoint".to_owned());
    }
    let body = body.unwrap_or_default();
    if seal != Some(checksum(body).as_bytes()) {
        return Err("it is damaged".to_owned());
    }
    RunState::from_bytes(body).map_err(|error| error.to_string())
}
