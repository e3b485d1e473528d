//! Sweeps: many trainings over seeds and settings, split among machines or not, and what they found together.

mod merge;
mod plan;
mod tables;

use std::fs;
use std::path::Path;

use model::Backend;
use serde::{Deserialize, Serialize};

pub use self::merge::merge;
pub use self::plan::{Shard, SweepPlan, Varied, parse_seeds};
pub use self::tables::{SummaryLine, Sweep};
use crate::error::Error;
use crate::files::write_file;
use crate::run_set::{self, PlannedRun, RUNS};

/// Name of the file that says what a sweep varies.
const DEFINITION: &str = "sweep.toml";

/// What every sweep keeps beside its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    /// Settings that differ between runs.
    varied: Vec<String>,
}

/// The runs of a shard that are still to be made.
#[derive(Debug)]
pub struct OpenRuns {
    /// Runs of the whole sweep.
    pub count: usize,
    /// Runs of this shard.
    pub of_shard: usize,
    /// Those of them that the directory does not hold.
    pub runs: Vec<PlannedRun>,
}

/// Begins a sweep in a directory, or goes on with one: writes down what is varied, and finds the runs of a shard that are
/// still to be made.
///
/// # Errors
/// If the plan cannot be followed, or the directory belongs to another sweep.
pub fn open(plan: &SweepPlan, shard: Shard, out: &Path, backend: &Backend) -> Result<OpenRuns, Error> {
    let planned = plan.runs()?;
    let count = planned.len();
    define(out, &plan.varied)?;
    let runs = out.join(RUNS);
    fs::create_dir_all(&runs).map_err(Error::unwritable(&runs))?;
    let mine = planned.into_iter().enumerate().filter(|(index, _)| shard.has(*index)).map(|(_, planned)| planned);
    let mine: Vec<PlannedRun> = mine.collect();
    let of_shard = mine.len();
    Ok(OpenRuns { count, of_shard, runs: run_set::not_done(mine, out, &backend.name)? })
}

/// Writes down what is varied, in a directory that is new or empty. A sweep may grow, but cannot become another.
fn define(out: &Path, varied: &[Varied]) -> Result<(), Error> {
    let path = out.join(DEFINITION);
    let mut varied: Vec<String> = varied.iter().map(|varied| varied.key.clone()).collect();
    varied.sort();
    let text = toml::to_string(&Definition { varied }).expect("texts can be written");
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(Error::OtherSweep { path: out.to_owned(), reason: "it varies other settings".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::create_dir_all(out).map_err(Error::unwritable(out))?;
            let mut entries = fs::read_dir(out).map_err(Error::unwritable(out))?;
            // A file that another shard is just writing begins with a dot.
            let strange = |entry: std::io::Result<fs::DirEntry>| {
                entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            };
            if entries.any(strange) {
                return Err(Error::RunExists { path: out.to_owned() });
            }
            write_file(&path, text.as_bytes())
        }
        Err(source) => Err(Error::Unreadable { path, source }),
    }
}
