//! Merging the shards of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use super::{DEFINITION, Sweep, SweepDefinition};
use crate::error::Error;
use crate::run_dir::RunDir;
use crate::run_set::RUNS;

/// Copies the runs of several shards into a new directory, each run once, and returns the whole sweep.
///
/// # Errors
/// If a directory was not written by a sweep, belongs to another sweep than the others, or cannot be read, or `out` is not
/// empty or cannot be written.
///
/// # Panics
/// Never: `sweep.toml` holds only texts, which TOML can write.
pub fn merge(shards: &[PathBuf], out: &Path) -> Result<Sweep, Error> {
    RunDir::check(Some(out), "")?;
    let sweep = Sweep::read(shards)?;
    let directory = RunDir::create_at(out)?;
    let runs = out.join(RUNS);
    for (name, from) in &sweep.directories {
        if let Err(error) = copy_directory(from, &runs.join(name)) {
            let _ = fs::remove_dir_all(&runs); // a part of the runs would look like a whole sweep
            return Err(error);
        }
    }
    let text = toml::to_string(&SweepDefinition { varied: sweep.varied.clone() }).expect("texts can be written");
    directory.write(DEFINITION, text.as_bytes())?;
    Ok(sweep)
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::unwritable(to))?;
    for entry in fs::read_dir(from).map_err(Error::unreadable(from))? {
        let entry = entry.map_err(Error::unreadable(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(Error::unreadable(from))?.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(Error::unwritable(&target))?;
        }
    }
    Ok(())
}
