//! The file in which the state of a dispatching service survives.
//!
//! It is written whole under another name, synced and renamed, so that it is always a complete state: the last one or the one
//! before. Its first line names its form, the length and the checksum of what follows.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sim::stream::dispatch::live::KeptSite;

use super::DispatchService;
use super::clock::KeptClock;
use crate::{Event, ServeError};

/// The first word of every such file.
const FORM: &str = "mrdro-dispatch-state";
/// The version of what follows the first line.
const VERSION: &str = "1";

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) site: KeptSite,
    pub(super) clock: KeptClock,
}

/// Why a file of state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("it is no state of a dispatching service")]
    Foreign,
    /// It was written by another version of the program.
    #[error("it has the version {0} of the form, and this program reads version {VERSION}")]
    Version(String),
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// It belongs to something else.
    #[error(transparent)]
    Continue(#[from] sim::stream::dispatch::live::ContinueError),
}

fn checksum(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl Snapshot {
    fn parse(bytes: &[u8]) -> Result<Self, StateError> {
        let end = bytes.iter().take(256).position(|byte| *byte == b'\n').ok_or(StateError::Foreign)?;
        let (head, content) = (&bytes[..end], &bytes[end + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| StateError::Foreign)?;
        let mut words = head.split(' ');
        if words.next() != Some(FORM) {
            return Err(StateError::Foreign);
        }
        match words.next() {
            Some(VERSION) => {}
            other => return Err(StateError::Version(other.unwrap_or("?").to_owned())),
        }
        if words.next().and_then(|length| length.parse().ok()) != Some(content.len()) {
            return Err(StateError::Damaged("a part is missing"));
        }
        if words.next() != Some(&checksum(content)) {
            return Err(StateError::Damaged("its content is not what was written"));
        }
        postcard::from_bytes(content).map_err(|_| StateError::Damaged("its content makes no sense"))
    }

    /// Reads a file of state; `None`: there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StateError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the file, so that it is complete whenever the machine stops.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let fresh = beside(path, ".new");
        let content = postcard::to_allocvec(self).map_err(io::Error::other)?;
        let mut file = File::create(&fresh)?;
        writeln!(file, "{FORM} {VERSION} {} {}", content.len(), checksum(&content))?;
        file.write_all(&content)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&fresh, path)?;
        // The new name is on the disk when its folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// The right of one service to a file of state. It ends with the process, however that ends.
pub(super) struct StateLock(#[expect(dead_code, reason = "held until it is dropped")] File);

/// The path of a file beside a file of state.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(|| OsString::from("state"), OsString::from);
    name.push(suffix);
    path.with_file_name(name)
}

impl StateLock {
    /// Takes the file of state for this service.
    ///
    /// # Errors
    /// If another service has it, or nothing can be written beside it.
    pub(super) fn take(path: &Path) -> Result<Self, ServeError> {
        let unwritable = |source| ServeError::StateNotWritten { path: path.to_owned(), source };
        // The file itself is replaced with each write, so that it cannot be what is locked.
        let file = File::create(beside(path, ".lock")).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(ServeError::StateInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }
}

/// Writes the state in the background, and at the end.
pub(crate) struct Keeper {
    stop: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
    _lock: StateLock,
}

impl Keeper {
    /// Starts to write the state to a file whenever it changed, `every` so often.
    ///
    /// # Errors
    /// If the file cannot be written now.
    pub(super) fn start(
        service: &Arc<DispatchService>,
        (path, lock): (PathBuf, StateLock),
        every: Duration,
    ) -> Result<Self, ServeError> {
        let mut written = None;
        keep(service, &path, &mut written)
            .map_err(|source| ServeError::StateNotWritten { path: path.clone(), source })?;
        let (stop, stopped) = channel();
        let service = Arc::clone(service);
        let thread = thread::spawn(move || {
            loop {
                let is_last = !matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout));
                if let Err(error) = keep(&service, &path, &mut written) {
                    let reason = format!("{} was not written: {error}", path.display());
                    (service.core.observer)(&Event::StateNotWritten(&reason));
                }
                if is_last {
                    break;
                }
            }
        });
        Ok(Self { stop: Mutex::new(Some((stop, thread))), _lock: lock })
    }

    /// Writes the state for the last time.
    pub(super) fn end(&self) {
        if let Some((stop, thread)) = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// Writes the state if it is another than the one that was written last.
fn keep(service: &DispatchService, path: &Path, written: &mut Option<u64>) -> io::Result<()> {
    let Some((version, site, clock)) = service.live.kept(*written) else { return Ok(()) };
    let result = Snapshot { site, clock }.write(path);
    service.metrics.count_write(result.is_ok());
    if result.is_ok() {
        *written = Some(version);
    }
    result
}
