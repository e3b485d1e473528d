//! Directories that runs write. Files appear complete or not at all, and existing directories are not overwritten.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::Error;
use crate::files::{check_folder, create_folder, write_file};

/// The folder of runs whose directory nobody named.
const RUNS: &str = "runs";
/// A path below a run directory that is as long as any.
const LONGEST: &str = "checkpoints/.fleet-00000000.4194304.unfinished/manifest.toml";
/// A number of runs of one name that is never reached.
const MANY: u32 = 99_999;

/// The directory of one run of training or adaptation.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes the directory `asked`, which must be new or empty; without one, makes a directory called `name`, `name-2`, ...
    /// under `runs/`.
    ///
    /// # Errors
    /// If the directory is not empty, or cannot be made.
    pub fn create(asked: Option<&Path>, name: &str) -> Result<Self, Error> {
        if let Some(path) = asked {
            return Self::create_at(path);
        }
        let runs = Path::new(RUNS);
        create_folder(runs)?;
        for number in 1_u32.. {
            let path = runs.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            // Only the attempt to create it shows whether a name is free: another run may start at the same time.
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::Unwritable { path, source }),
            }
        }
        unreachable!("no file system holds 2^32 directories of one name")
    }

    /// The existing directory of a run that is resumed.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes a directory, which must be new or empty.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn create_at(path: &Path) -> Result<Self, Error> {
        create_folder(path)?;
        check_empty(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Checks, before long work, that [`RunDir::create`] can make the directory. Makes nothing.
    ///
    /// # Errors
    /// If the name or the whole path is too long, or the directory is not empty.
    pub fn check(asked: Option<&Path>, name: &str) -> Result<(), Error> {
        let Some(path) = asked else {
            return check_folder(&Path::new(RUNS).join(format!("{name}-{MANY}")));
        };
        check_folder(path)?;
        let longest = path.join(LONGEST).metadata();
        if longest.is_err_and(|error| error.kind() == io::ErrorKind::InvalidFilename) {
            let reason = "the path is too long for the files in the folder; choose a shorter one";
            return Err(Error::unwritable(path)(io::Error::new(io::ErrorKind::InvalidFilename, reason)));
        }
        if path.is_dir() { check_empty(path) } else { Ok(()) }
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the directory. It appears complete or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        write_file(&self.path.join(name), content)
    }
}

fn check_empty(path: &Path) -> Result<(), Error> {
    let mut entries = fs::read_dir(path).map_err(Error::unwritable(path))?;
    if entries.next().is_some() { Err(Error::RunExists { path: path.to_owned() }) } else { Ok(()) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn directories_that_cannot_hold_a_run_are_refused() {
        let deep = |length: usize| "deep/".repeat(length / 5);
        for (path, reason) in [
            (deep(4090), "the path is too long for the files in the folder"),
            (deep(5000), "too long"),
            ("x".repeat(256), "has 256 bytes"),
        ] {
            let error = RunDir::check(Some(path.as_ref()), "").expect_err("it is too long");
            let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(said.contains(reason), "{said}");
        }
        RunDir::check(Some(deep(4000).as_ref()), "").expect("it is short enough");
        RunDir::check(None, &"x".repeat(255)).expect_err("it is too long");
    }
}
