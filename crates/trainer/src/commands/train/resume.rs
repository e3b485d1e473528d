//! `--resume`: a run that did not end, from where it stood.

use std::fs;
use std::path::{Path, PathBuf};

use sim::Scenario;

use super::{CONFIGURATION, Display, Phases, Place, Run};
use crate::checkpoints::{Checkpoints, Started};
use crate::cli::{ComputeArgs, FormatArg, ScenarioArg, SeedArg, ThreadsArg, TrainArgs};
use crate::contain;
use crate::error::AppError;
use crate::interrupt;
use crate::setup::{self, Problem};
use mrdro::Training;

/// Goes on with a run that did not end.
pub(super) fn resume(args: &TrainArgs, path: &Path) -> Result<(), AppError> {
    let checkpoints = Checkpoints::open(path)?;
    let unresumable = |reason: String| AppError::NotResumable { run: path.to_owned(), reason };
    let started = checkpoints.started(path)?;
    let text = fs::read_to_string(path.join(CONFIGURATION));
    let text = text.map_err(|error| unresumable(format!("{CONFIGURATION}: {error}")))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| unresumable(format!("{CONFIGURATION}: {error}")))?;
    let part = |key: &str| {
        let part = table.get(key).and_then(|part| toml::to_string(part).ok());
        part.ok_or_else(|| unresumable(format!("{CONFIGURATION} has no [{key}]")))
    };
    let origin = path.join(CONFIGURATION).display().to_string();
    let training = Training::from_toml(&origin, &part("training")?)?;
    let scenario = Scenario::from_toml(&origin, &part("scenario")?).map_err(sim::ScenarioError::from)?;
    let device = if args.compute.device == "auto" { started.device.clone() } else { args.compute.device.clone() };
    let threads = ThreadsArg { threads: args.compute.threads.threads };
    let whole = TrainArgs {
        scenario: ScenarioArg { scenario: started.scenario.clone() },
        training: started.training.clone(),
        settings: started.settings.clone(),
        start: started.start.as_ref().map(PathBuf::from),
        seed: SeedArg { seed: started.seed },
        compute: ComputeArgs { device, threads },
        out: None,
        resume: None,
        checkpoint_every: args.checkpoint_every,
        checkpoint_steps: args.checkpoint_steps,
        format: FormatArg { format: args.format.format },
    };
    let phases = if started.meta_only { Phases::MetaOnly } else { Phases::Both };
    let backend = setup::open(&whole.compute)?;
    interrupt::listen();
    let saved = checkpoints.latest_state()?.map(Box::new);
    let place = Place::Resumed { path, text, checkpoints, saved };
    let problem = Problem::new(scenario)?;
    let work = || Run::prepare(&whole, training, problem, phases, backend.clone(), place, Display::Terminal);
    contain::on_device(&backend, work)?.finish()
}

/// How the run was started.
pub(super) fn started(args: &TrainArgs, phases: Phases) -> Started {
    Started {
        scenario: args.scenario.scenario.clone(),
        training: args.training.clone(),
        settings: args.settings.clone(),
        seed: args.seed.seed,
        device: args.compute.device.clone(),
        meta_only: phases == Phases::MetaOnly,
        start: args.start.as_ref().map(|start| start.to_string_lossy().into_owned()),
    }
}
