//! The adaptation study: which method follows a changing network best, on recorded uplinks. The methods are chosen so that
//! the claim that meta-learning helps can turn out wrong.
//!
//! Settings of every method are chosen on validation drives, with a seed that no result comes from. Then every seed trains
//! and adapts all methods. The results of each seed are kept in a file, and the report is made from these files.

mod choice;
mod findings;
mod kept;
mod method;
mod recordings;
mod report;
mod request;
mod seed;
mod setup;
mod summary;
mod windows;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mrdro::files::{json, write_file};
use mrdro::sweep::parse_seeds;
use mrdro::{Problem, each_on_a_thread};
use rayon::prelude::*;

use self::choice::{CHOICE_SEED, Candidate, best_of_each};
use self::findings::Findings;
use self::kept::read_kept;
pub use self::method::{ChosenSettings, Method, SettingsOfMethods, Source};
use self::recordings::{EnvironmentSequence, Recordings};
pub use self::request::AdaptationRequest;
use self::seed::{SeedResult, seconds_of_10_steps};
use self::setup::Setup;
pub use self::summary::MethodSummary;
use self::windows::EvaluationWindow;
use crate::error::Error;

/// The seeds where none are named.
const SEEDS: &str = "1-10";
/// The seeds of a quick look where none are named.
const QUICK_SEEDS: &str = "1-2";
/// The file of the chosen settings.
const CHOSEN: &str = "choices.json";
/// The folder of the seeds' results.
const SEED_FOLDER: &str = "seeds";

/// A study whose directory is open.
pub struct AdaptationStudy {
    request: AdaptationRequest,
    seeds: Vec<u64>,
    recordings: Recordings,
    setup: Setup,
    /// The settings that an earlier call chose.
    kept: Option<SettingsOfMethods>,
}

impl AdaptationStudy {
    /// Reads everything that the request names, and opens the directory: it must be new, empty, or of the same study with
    /// other seeds.
    ///
    /// # Errors
    /// If the seeds make no sense, the scenario or the recordings cannot be used, or the directory holds something else.
    pub fn prepare(request: AdaptationRequest) -> Result<Self, Error> {
        let seeds = seeds(&request)?;
        let problem = Problem::load(&request.scenario)?;
        let mut recordings = Recordings::load(&request, problem.model.devices())?;
        if request.quick {
            recordings.shorten();
        }
        let setup = Setup::new(problem, &recordings, request.quick)?;
        kept::define(&request, &setup, &recordings)?;
        let folder = request.out.join(SEED_FOLDER);
        fs::create_dir_all(&folder).map_err(|source| mrdro::Error::Unwritable { path: folder, source })?;
        let kept = kept::read_settings(&request.out.join(CHOSEN), &setup)?;
        Ok(Self { request, seeds, recordings, setup, kept })
    }

    /// The number of candidates that [`AdaptationStudy::choose_settings`] tries; 0 if an earlier call chose.
    pub fn candidates(&self) -> usize {
        if self.kept.is_some() { 0 } else { Candidate::all(&self.setup).len() }
    }

    /// Chooses the settings of every method on the validation drives, unless an earlier call did. `done` is told how many
    /// candidates were tried.
    ///
    /// # Errors
    /// If a scheme fails, the optimum of a window cannot be computed, or the file cannot be written.
    pub fn choose_settings(&self, done: &(dyn Fn(usize) + Sync)) -> Result<SettingsOfMethods, Error> {
        if let Some(kept) = &self.kept {
            return Ok(kept.clone());
        }
        let validation = self.windows_of(&self.recordings.validation)?;
        let candidates = Candidate::all(&self.setup);
        let found = Mutex::new(vec![None; candidates.len()]);
        each_on_a_thread(candidates.len(), done, |index| {
            let candidate = candidates[index];
            let best = candidate.best(&self.setup, &validation)?;
            found.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some((candidate.method, best));
            Ok::<_, Error>(())
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let chosen = best_of_each(found.into_iter().flatten());
        write_file(&self.request.out.join(CHOSEN), &json(&chosen))?;
        Ok(chosen)
    }

    /// The seeds of the study; some may have been run already.
    ///
    /// # Errors
    /// If a file of an earlier call is damaged, or the optimum of a window cannot be computed.
    pub fn seed_runs(&self, settings: SettingsOfMethods) -> Result<SeedRuns<'_>, Error> {
        let windows = self.windows_of(&self.recordings.test)?;
        let mut open = Vec::new();
        for &seed in &self.seeds {
            let path = self.seed_file(seed);
            match read_kept::<SeedResult>(&path)? {
                None => open.push(seed),
                Some(found) if found.seed == seed => {}
                Some(found) => {
                    return Err(Error::Kept { path, reason: format!("it holds what seed {} found", found.seed) });
                }
            }
        }
        Ok(SeedRuns { study: self, settings, windows, open })
    }

    fn seed_file(&self, seed: u64) -> PathBuf {
        self.request.out.join(SEED_FOLDER).join(format!("seed-{seed}.json"))
    }

    fn windows_of(&self, sequences: &[EnvironmentSequence]) -> Result<Vec<Vec<EvaluationWindow>>, Error> {
        sequences.par_iter().map(|sequence| EvaluationWindow::of_sequence(&self.setup, sequence)).collect()
    }
}

/// The seeds of a study.
pub struct SeedRuns<'s> {
    study: &'s AdaptationStudy,
    settings: SettingsOfMethods,
    /// The windows of the test, sequence by sequence.
    windows: Vec<Vec<EvaluationWindow>>,
    open: Vec<u64>,
}

/// A report that was written.
#[derive(Debug)]
pub struct AdaptationReport {
    /// The comparison: the methods, then the schemes that do not learn.
    pub summary: Vec<MethodSummary>,
    /// The comparison as rows of cells for people, the first of them the header.
    pub table: Vec<Vec<String>>,
    /// Whether meta-learning pays, in two sentences.
    pub verdict: String,
    /// The page.
    pub path: PathBuf,
}

impl SeedRuns<'_> {
    /// The number of all seeds.
    pub fn count(&self) -> usize {
        self.study.seeds.len()
    }

    /// The number of seeds that are not there yet.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Trains and adapts all methods with every seed that is not there yet. `done` is told how many seeds are done.
    ///
    /// # Errors
    /// If a scheme fails or a file cannot be written.
    pub fn run(&self, done: &(dyn Fn(usize) + Sync)) -> Result<(), Error> {
        let test = (&*self.study.recordings.test, &*self.windows);
        each_on_a_thread(self.open.len(), done, |index| {
            let seed = self.open[index];
            let result = SeedResult::find(&self.study.setup, seed, &self.settings, test)?;
            Ok(write_file(&self.study.seed_file(seed), &result.to_json())?)
        })
    }

    /// Writes the report from the results of the seeds.
    ///
    /// # Errors
    /// If a seed has not run, its file is damaged, or a file cannot be written.
    pub fn write(&self) -> Result<AdaptationReport, Error> {
        let study = self.study;
        let mut results = Vec::new();
        for &seed in &study.seeds {
            results.extend(read_kept::<SeedResult>(&study.seed_file(seed))?);
        }
        let window = self.windows.iter().flatten().next();
        let incomplete = || Error::Kept {
            path: study.request.out.join(SEED_FOLDER),
            reason: "a seed there has not measured everything".to_owned(),
        };
        let seconds = match window {
            Some(window) => seconds_of_10_steps(&study.setup, &self.settings, window)?,
            None => return Err(incomplete()),
        };
        let findings = Findings::new(self, &results, seconds).ok_or_else(incomplete)?;
        let summary = summary::summary(&findings);
        let path = report::write(&findings, &summary, &study.request.out)?;
        Ok(AdaptationReport {
            table: summary::table_rows(&summary),
            summary,
            verdict: summary::verdict(&findings),
            path,
        })
    }
}

/// The seeds that the request names. The seed that settings are chosen with must not be one of them.
fn seeds(request: &AdaptationRequest) -> Result<Vec<u64>, Error> {
    let usual = if request.quick { QUICK_SEEDS } else { SEEDS };
    let seeds = parse_seeds(request.seeds.as_deref().unwrap_or(usual))?;
    if seeds.contains(&CHOICE_SEED) {
        let text = request.seeds.clone().unwrap_or_default();
        let wanted = "possible in a study, whose settings are chosen with seed 0";
        return Err(mrdro::Error::BadOption { option: "--seeds", text, wanted }.into());
    }
    Ok(seeds)
}
