//! Records of the networks in training, so that a device that is lost takes little with it.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::{Record, RecordError};

/// Checkpoints that stay: should the last be of no use, there is the one before.
const KEPT: usize = 2;

/// The checkpoints of one run, in a directory of their own that goes when the run is done.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    directory: PathBuf,
    every: Duration,
    last: Instant,
    kept: VecDeque<PathBuf>,
}

impl Checkpoints {
    /// Nothing is written before the first one is due.
    pub(crate) fn new(run: &Path, every: Duration) -> Self {
        Self { directory: run.join("checkpoints"), every, last: Instant::now(), kept: VecDeque::new() }
    }

    pub(crate) fn due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Keeps a record; the oldest goes once it is there.
    pub(crate) fn save(&mut self, name: &str, record: &Record) -> Result<(), RecordError> {
        let path = self.directory.join(name);
        record.save(&path)?;
        self.kept.push_back(path);
        if self.kept.len() > KEPT {
            // One too many is no reason to end a training.
            let _ = self.kept.pop_front().map(fs::remove_dir_all);
        }
        self.last = Instant::now();
        Ok(())
    }

    /// The last checkpoint.
    pub(crate) fn latest(&self) -> Option<&Path> {
        self.kept.back().map(PathBuf::as_path)
    }

    /// Removes what the finished run no longer needs.
    pub(crate) fn clear(&self) {
        if !self.kept.is_empty() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}
