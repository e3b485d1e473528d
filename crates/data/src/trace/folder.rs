//! The search for files below a folder.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::TraceError;
use super::source::{SkipReason, Skipped};
use crate::limits::{MAX_DEPTH, MAX_FILES};
use crate::natural::natural_path_order;

/// Looks for files below a folder.
#[derive(Default)]
pub(super) struct FolderSearch {
    /// The files found, in the natural order of their names.
    pub(super) files: Vec<PathBuf>,
    pub(super) skipped: Vec<Skipped>,
    /// Folders and files by their canonical paths.
    seen: HashSet<PathBuf>,
}

impl FolderSearch {
    /// Finds all files below a folder, hidden ones excepted.
    pub(super) fn below(folder: &Path) -> Result<Self, TraceError> {
        let mut search = Self::default();
        search.enter(folder, 0)?;
        Ok(search)
    }

    fn enter(&mut self, folder: &Path, depth: usize) -> Result<(), TraceError> {
        let fail = |source| TraceError::unreadable(folder, source);
        if !self.seen.insert(fs::canonicalize(folder).map_err(fail)?) {
            self.skip(folder.to_owned(), SkipReason::SeenBefore);
            return Ok(());
        }
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                names.push(name);
            }
            if names.len() + self.files.len() + self.skipped.len() > MAX_FILES {
                return Err(TraceError::TooManyFiles { path: folder.to_owned() });
            }
        }
        names.sort_by(|a, b| natural_path_order(Path::new(a), Path::new(b)));
        for name in names {
            let path = folder.join(name);
            let kind = fs::metadata(&path).ok();
            if kind.as_ref().is_some_and(fs::Metadata::is_dir) {
                if depth == MAX_DEPTH {
                    self.skip(path, SkipReason::TooDeep);
                } else {
                    self.enter(&path, depth + 1)?;
                }
            } else if kind.is_some_and(|kind| kind.is_file()) {
                let itself = fs::canonicalize(&path).map_err(|source| TraceError::unreadable(&path, source))?;
                if self.seen.insert(itself) {
                    self.files.push(path);
                } else {
                    self.skip(path, SkipReason::SeenBefore);
                }
            } else {
                self.skip(path, SkipReason::NotAFile);
            }
        }
        Ok(())
    }

    fn skip(&mut self, path: PathBuf, reason: SkipReason) {
        self.skipped.push(Skipped { path, reason });
    }
}
