//! Recordings: every trace of a file or folder.

use std::fs;
use std::path::{Path, PathBuf};

use sim::text::not_text;

use super::drive::Drive;
use super::error::TraceError;
use super::folder::FolderSearch;
use super::reader::Reader;
use super::source::{SkipReason, Skipped, Source};
use crate::limits::{MAX_FILES, MAX_SAMPLES};

/// Everything that was read from a file or folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The drives, in the order of their first files.
    pub drives: Vec<Drive>,
    /// The files that were read, in order.
    pub sources: Vec<Source>,
    /// The files and folders below a folder that were not used, in order.
    pub skipped: Vec<Skipped>,
}

impl Recording {
    /// Reads a file, or all traces below a folder.
    ///
    /// Files of a folder are read in the order of their names, without hidden ones. Files that are no trace or have no
    /// usable sample are listed in [`Recording::skipped`]. Links are followed, but no folder or file is read
    /// twice.
    ///
    /// # Errors
    /// If something cannot be read, a file given by name is no trace or has no usable sample, a folder holds no trace,
    /// or there is more than [`MAX_FILES`] or [`MAX_SAMPLES`] allow.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let metadata = fs::metadata(path).map_err(|source| TraceError::unreadable(path, source))?;
        if !metadata.is_dir() {
            return Self::of_files(&[path.to_owned()]);
        }
        let FolderSearch { files, mut skipped, .. } = FolderSearch::below(path)?;
        let mut reader = Reader::new(MAX_SAMPLES);
        for path in files {
            let reason = match reader.read(&path, false) {
                Ok(()) => continue,
                Err(TraceError::Empty { .. } | TraceError::UnknownFormat { .. }) => SkipReason::NotATrace,
                Err(TraceError::Unreadable { source, .. }) if not_text(&source).is_some() => SkipReason::NotATrace,
                Err(TraceError::NoSamples { found }) => SkipReason::NoSamples(found),
                Err(error) => return Err(error),
            };
            skipped.push(Skipped { path, reason });
        }
        if reader.is_empty() {
            return Err(TraceError::NoTraces { path: path.to_owned(), skipped: skipped.len() });
        }
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        let (drives, sources) = reader.finish();
        Ok(Self { drives, sources, skipped })
    }

    /// Reads these files; each of them must be a trace.
    ///
    /// # Errors
    /// If there is none, one cannot be read, is no trace or has no usable sample, or there is more than [`MAX_FILES`] or
    /// [`MAX_SAMPLES`] allow.
    pub fn of_files(paths: &[PathBuf]) -> Result<Self, TraceError> {
        if paths.is_empty() {
            return Err(TraceError::NoFiles);
        }
        if let Some(path) = paths.get(MAX_FILES) {
            return Err(TraceError::TooManyFiles { path: path.clone() });
        }
        let mut reader = Reader::new(MAX_SAMPLES);
        for path in paths {
            reader.read(path, true)?;
        }
        let (drives, sources) = reader.finish();
        Ok(Self { drives, sources, skipped: Vec::new() })
    }
}
