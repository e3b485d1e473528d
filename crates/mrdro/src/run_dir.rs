//! The directory that a run writes: files appear whole or not at all, and nothing is overwritten.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::write_file;

/// The directory of one run.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The directory that was asked for, which must be new or empty, or a new one called `name` under `runs/`.
    ///
    /// # Errors
    /// If the directory holds something, or cannot be made.
    pub fn create(asked: Option<&Path>, name: &str) -> Result<Self, Error> {
        if let Some(path) = asked {
            return Self::create_at(path);
        }
        let runs = Path::new("runs");
        fs::create_dir_all(runs).map_err(|source| Error::Unwritable { path: runs.to_owned(), source })?;
        for number in 1_u32.. {
            let path = runs.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            // Creating is the test: two runs started together get two directories.
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::Unwritable { path, source }),
            }
        }
        unreachable!("there are fewer directories than numbers")
    }

    /// The directory of a run that is resumed.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// A directory that must be new or empty.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn create_at(path: &Path) -> Result<Self, Error> {
        let unwritable = |source| Error::Unwritable { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unwritable)?;
        if fs::read_dir(path).map_err(unwritable)?.next().is_some() {
            return Err(Error::RunExists { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, which appears whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        write_file(&self.path.join(name), content)
    }
}
