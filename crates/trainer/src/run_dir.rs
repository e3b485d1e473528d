//! The directory that a run writes: files appear whole or not at all, and nothing is overwritten.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::AppError;

/// A new directory of one run.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The directory that was asked for, which must be new or empty, or a new one under `runs/`.
    pub(crate) fn create(asked: Option<&Path>, name: &str) -> Result<Self, AppError> {
        if let Some(path) = asked {
            return Self::create_at(path);
        }
        let runs = Path::new("runs");
        fs::create_dir_all(runs).map_err(|source| AppError::Unwritable { path: runs.to_owned(), source })?;
        for number in 1_u32.. {
            let path = runs.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            // Creating is the test: two runs started together get two directories.
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(AppError::Unwritable { path, source }),
            }
        }
        unreachable!("there are fewer directories than numbers")
    }

    /// The directory of a run that goes on.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// A directory that must be new or empty.
    pub(crate) fn create_at(path: &Path) -> Result<Self, AppError> {
        let unwritable = |source| AppError::Unwritable { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unwritable)?;
        if fs::read_dir(path).map_err(unwritable)?.next().is_some() {
            return Err(AppError::RunExists { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), AppError> {
        write_file(&self.path.join(name), content)
    }
}

/// Writes a file beside its final place and moves it there, so that it appears whole or not at all.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), AppError> {
    let write = || {
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // What a run writes is for others to read, unlike most temporary files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| AppError::Unwritable { path: path.to_owned(), source })
}
