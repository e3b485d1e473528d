//! Sweeps: training runs over seeds, settings and scenarios, possibly split among machines, and tables of their results.

mod merge;
mod plan;
mod tables;

use std::fs;
use std::path::Path;

use model::Backend;
use serde::{Deserialize, Serialize};

pub use self::merge::merge;
pub use self::plan::{Shard, SweepPlan, SweepScenario, VariedSetting, parse_seeds};
pub use self::tables::{SummaryLine, Sweep};
use crate::error::Error;
use crate::files::{create_folder, write_file};
use crate::run_set::{self, PlannedRun, RUNS};

/// Name of the file that lists the settings that a sweep varies.
const DEFINITION: &str = "sweep.toml";

/// The content of `sweep.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepDefinition {
    /// Settings that differ between runs.
    varied: Vec<String>,
}

/// The runs of one shard that are not finished yet.
#[derive(Debug)]
pub struct ShardRuns {
    /// The number of runs of the whole sweep.
    pub count: usize,
    /// The number of runs of this shard.
    pub of_shard: usize,
    /// The runs of this shard that the directory does not hold.
    pub runs: Vec<PlannedRun>,
}

/// Begins or continues a sweep in a directory: writes `sweep.toml`, and finds the runs of a shard that are not finished yet.
///
/// # Errors
/// If the plan has a mistake, the directory belongs to another sweep or to something else, or it cannot be read or written.
///
/// # Panics
/// Never: `sweep.toml` holds only texts, which TOML can write.
pub fn open(plan: &SweepPlan, shard: Shard, out: &Path, backend: &Backend) -> Result<ShardRuns, Error> {
    let planned = plan.runs()?;
    let count = planned.len();
    run_set::check_names(&planned, out)?;
    define(out, &plan.varied)?;
    let runs = out.join(RUNS);
    fs::create_dir_all(&runs).map_err(Error::unwritable(&runs))?;
    let mine = planned.into_iter().enumerate().filter(|(index, _)| shard.contains(*index)).map(|(_, planned)| planned);
    let mine: Vec<PlannedRun> = mine.collect();
    let of_shard = mine.len();
    Ok(ShardRuns { count, of_shard, runs: run_set::not_done(mine, out, &backend.name)? })
}

/// Writes `sweep.toml` into a directory that is new or empty, or compares with the one that is there: later runs may add
/// seeds and values, but not vary other settings.
fn define(out: &Path, varied: &[VariedSetting]) -> Result<(), Error> {
    let path = out.join(DEFINITION);
    let mut varied: Vec<String> = varied.iter().map(|varied| varied.key.clone()).collect();
    varied.sort();
    let text = toml::to_string(&SweepDefinition { varied }).expect("texts can be written");
    match sim::text::read(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(Error::OtherSweep { path: out.to_owned(), reason: "it varies other settings".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            create_folder(out)?;
            let mut entries = fs::read_dir(out).map_err(Error::unwritable(out))?;
            // A file that another shard is writing at this moment begins with a dot.
            let is_foreign = |entry: std::io::Result<fs::DirEntry>| {
                entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            };
            if entries.any(is_foreign) {
                return Err(Error::RunExists { path: out.to_owned() });
            }
            write_file(&path, text.as_bytes())
        }
        Err(source) => Err(Error::Unreadable { path, source }),
    }
}
