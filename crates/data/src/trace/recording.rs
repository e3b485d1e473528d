//! Recordings: every trace of a file or folder.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use sim::text::not_text;

use super::columns_option::Columns;
use super::drive::Drive;
use super::error::TraceError;
use super::folder::FolderSearch;
use super::format::Format;
use super::reader::Reader;
use super::source::{SkipReason, Skipped, Source};
use crate::limits::{MAX_FILES, MAX_SAMPLES};
use crate::natural::natural_path_order;

/// The most drives that a message lists.
const LISTED_DRIVES: usize = 40;

/// Everything that was read from a file or folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The drives, in the natural order of their first files' names.
    pub drives: Vec<Drive>,
    /// The files that were read, in order.
    pub sources: Vec<Source>,
    /// The files and folders below a folder that were not used, in order.
    pub skipped: Vec<Skipped>,
}

impl Recording {
    /// Reads a file, or all traces below a folder. The content of a file tells its format.
    ///
    /// Files of a folder are read in the natural order of their names, without hidden ones: `run-2` comes before `run-10`.
    /// Files that are no trace or have no usable sample are listed in [`Recording::skipped`]. Links are followed, but no
    /// folder or file is read twice.
    ///
    /// # Errors
    /// If something cannot be read, a file given by name is no trace or has no usable sample, a folder holds no trace,
    /// or there is more than [`MAX_FILES`] or [`MAX_SAMPLES`] allow.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        Self::read(path, &ReadOptions::default())
    }

    /// Reads a file, or all traces below a folder, as [`Recording::open`] does, in a format or with columns that the caller
    /// names.
    ///
    /// # Errors
    /// As [`Recording::open`], and if a file given by name lacks the columns.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, TraceError> {
        let metadata = fs::metadata(path).map_err(|source| TraceError::unreadable(path, source))?;
        if !metadata.is_dir() {
            return Self::of_files(&[path.to_owned()], options);
        }
        let FolderSearch { files, mut skipped, .. } = FolderSearch::below(path)?;
        let mut reader = Reader::new(MAX_SAMPLES, options);
        for path in files {
            let reason = match reader.read(&path) {
                Ok(()) => continue,
                Err(
                    TraceError::Empty { .. }
                    | TraceError::UnknownFormat { .. }
                    | TraceError::Header { .. }
                    | TraceError::NotIperf3 { .. },
                ) => SkipReason::NotATrace,
                Err(TraceError::Unreadable { source, .. }) if not_text(&source).is_some() => SkipReason::NotATrace,
                Err(TraceError::NoSamples { found }) => SkipReason::NoSamples(found),
                Err(error) => return Err(error),
            };
            skipped.push(Skipped { path, reason });
        }
        if reader.is_empty() {
            return Err(TraceError::NoTraces { path: path.to_owned(), skipped: skipped.len() });
        }
        skipped.sort_by(|a, b| natural_path_order(&a.path, &b.path));
        let (drives, sources) = reader.finish();
        Ok(Self { drives, sources, skipped })
    }

    /// Reads these files; each of them must be a trace.
    ///
    /// # Errors
    /// If there is none, one cannot be read, is no trace or has no usable sample, or there is more than [`MAX_FILES`] or
    /// [`MAX_SAMPLES`] allow.
    pub fn of_files(paths: &[PathBuf], options: &ReadOptions) -> Result<Self, TraceError> {
        if paths.is_empty() {
            return Err(TraceError::NoFiles);
        }
        if let Some(path) = paths.get(MAX_FILES) {
            return Err(TraceError::TooManyFiles { path: path.clone() });
        }
        let mut reader = Reader::new(MAX_SAMPLES, options);
        for path in paths {
            reader.read(path)?;
        }
        let (drives, sources) = reader.finish();
        Ok(Self { drives, sources, skipped: Vec::new() })
    }

    /// The drive that a user means: the one of this name; without it the one whose name ends so behind a `/`; without it
    /// the one with this text in its name.
    ///
    /// # Errors
    /// If there is none, or several fit equally well.
    pub fn drive(&self, asked: &str) -> Result<&Drive, NoSuchDrive> {
        let last_part = |name: &str| name.rsplit('/').next() == Some(asked);
        let rules: [&dyn Fn(&str) -> bool; 3] = [&|name| name == asked, &last_part, &|name| name.contains(asked)];
        for rule in rules {
            let fitting: Vec<&Drive> = self.drives.iter().filter(|drive| rule(&drive.name)).collect();
            match fitting[..] {
                [] => {}
                [only] => return Ok(only),
                _ => return Err(NoSuchDrive { asked: asked.to_owned(), fitting: names(&fitting), known: Vec::new() }),
            }
        }
        let all: Vec<&Drive> = self.drives.iter().collect();
        Err(NoSuchDrive { asked: asked.to_owned(), fitting: Vec::new(), known: names(&all) })
    }
}

fn names(drives: &[&Drive]) -> Vec<String> {
    drives.iter().map(|drive| drive.name.clone()).collect()
}

/// The format of files, where their content should not tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format of every file.
    pub format: Option<Format>,
    /// The columns of tables. Files without them are no traces.
    pub columns: Option<Columns>,
}

/// A name that fits no drive, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchDrive {
    /// The name.
    pub asked: String,
    /// The names of the drives that fit equally well; empty if none fits.
    pub fitting: Vec<String>,
    /// The names of all drives, if none fits.
    pub known: Vec<String>,
}

impl fmt::Display for NoSuchDrive {
    /// `no drive called ...`, or `several drives called ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |names: &[String]| {
            let shown = names[..names.len().min(LISTED_DRIVES)].join(", ");
            match names.len().saturating_sub(LISTED_DRIVES) {
                0 => shown,
                others => format!("{shown} and {others} more"),
            }
        };
        let Self { asked, fitting, known } = self;
        if fitting.is_empty() {
            write!(f, "no drive called `{asked}`; its drives are {}", listed(known))
        } else {
            write!(f, "several drives that `{asked}` fits: {}", listed(fitting))
        }
    }
}
