//! `adaptation-study`: who follows a changing network best, on recorded uplinks, with arms that can refute the claim that
//! meta-learning helps.
//!
//! Settings of every arm are chosen on validation drives with a seed that no result comes from; then every seed trains
//! and adapts all arms. What each seed found is kept, and the report is made of what is kept.

mod arms;
mod data;
mod findings;
mod pages;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use ::data::EnvironmentSampler;
use model::DeviceChoice;
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sim::limits::WINDOW_S;

use crate::cli::AdaptationStudyArgs;
use crate::commands::sweep;
use crate::error::AppError;
use crate::report;
use crate::run_dir::write_file;
use crate::runs;
use crate::setup::{self, Problem};
use mrdro::Training;

use arms::{Arm, Choice, Choices, Ground, SeedResult, Source, Study};
use data::{Data, Ride};
use findings::Findings;

/// What the study is; two studies with the same one are the same study.
const DEFINITION: &str = "study.toml";
const CHOICES: &str = "choices.json";
const SEEDS: &str = "seeds";

pub(crate) fn run(args: &AdaptationStudyArgs) -> Result<(), AppError> {
    let seeds = sweep::parse_seeds(args.seeds.as_deref().unwrap_or(if args.quick { "1-2" } else { "1-10" }))?;
    if seeds.contains(&arms::CHOICE_SEED) {
        let text = args.seeds.clone().unwrap_or_default();
        return Err(AppError::BadOption {
            option: "--seeds",
            text,
            wanted: "for a study: settings are chosen with seed 0",
        });
    }
    setup::start_threads(&args.threads)?;
    let problem = Problem::load(&args.scenario)?;
    let mut data = Data::load(args, problem.model.devices())?;
    if args.quick {
        shorten(&mut data);
    }
    let study = study(args, problem, &data)?;
    define(args, &study, &data)?;
    let folder = args.out.join(SEEDS);
    fs::create_dir_all(&folder).map_err(|source| AppError::Unwritable { path: folder.clone(), source })?;
    let grounds = |rides: &[Ride]| rides.par_iter().map(|ride| study.grounds(ride)).collect::<Result<Vec<_>, _>>();
    let choices = choices(&study, &args.out, || grounds(&data.validation))?;
    let test = grounds(&data.test)?;
    let results = results(&study, &choices, &seeds, &data.test, &test, &folder)?;
    let seconds = study.seconds_of_10_steps(&choices, &test[0][0])?;
    let findings = Findings::new(&data, &test, &choices, &results, &study.adaptable.adaptation, seconds, args.quick);
    let incomplete =
        || AppError::NoRun { path: folder, reason: "a seed there has not looked at everything".to_owned() };
    let findings = findings.ok_or_else(incomplete)?;
    pages::write(&findings, &command(args), &args.out)?;
    report::print(args.format.format, &findings.summary(), || findings.table())?;
    let written = args.out.join("report.html");
    report::note(&format!("\n{}\nwritten: {}", findings.verdict(), written.display()));
    Ok(())
}

/// A look in a minute: few drives and windows.
fn shorten(data: &mut Data) {
    for rides in [&mut data.validation, &mut data.test] {
        rides.truncate(3);
        for ride in rides.iter_mut() {
            ride.windows.truncate(6);
        }
    }
}

fn study(args: &AdaptationStudyArgs, problem: Problem, data: &Data) -> Result<Study, AppError> {
    let mut adaptable = Training::load("adaptable", &[])?;
    let mut environment_training = Training::load("environments", &[])?;
    if args.quick {
        adaptable.meta.outer_steps /= 10;
        adaptable.meta.metadata /= 8;
        environment_training.drl.steps /= 10;
    }
    let sampler = problem.sampler()?;
    let mut environments = BTreeMap::new();
    let windows = EnvironmentSampler::of_uplinks(&problem.scenario, data.training_uplinks());
    environments.insert(Source::Windows, windows);
    let varies_uplinks = problem.scenario.environment.as_ref().is_some_and(|varied| varied.uplink_mbps.is_some());
    if let Some(sampler) = problem.environments()?.filter(|_| varies_uplinks) {
        environments.insert(Source::Scenario, sampler);
    }
    let plain = arms::plain_codec(&problem, &sampler, adaptable.network.code)?;
    let device = DeviceChoice::Flex.open()?.device;
    let measured = if args.quick { 64 } else { 128 };
    Ok(Study { problem, sampler, plain, environments, adaptable, environment_training, measured, device })
}

/// What `study.toml` holds.
#[derive(Serialize)]
struct Definition<'a> {
    program: &'static str,
    measured_workloads: usize,
    training_drives: Vec<&'a str>,
    validation_drives: Vec<&'a str>,
    test_drives: Vec<&'a str>,
    window_s: f64,
    /// Of the rates in all windows: other recordings under the same names are another study.
    recordings: String,
    adaptable: &'a Training,
    environments: &'a Training,
    scenario: &'a sim::Scenario,
}

/// Writes down what the study is, in a directory that is new or empty; more seeds may come, but it stays one study.
fn define(args: &AdaptationStudyArgs, study: &Study, data: &Data) -> Result<(), AppError> {
    let definition = Definition {
        program: concat!("trainer ", env!("CARGO_PKG_VERSION")),
        measured_workloads: study.measured,
        training_drives: names(&data.training),
        validation_drives: names(&data.validation),
        test_drives: names(&data.test),
        window_s: args.window.seconds,
        recordings: data.fingerprint(),
        adaptable: &study.adaptable,
        environments: &study.environment_training,
        scenario: &study.problem.scenario,
    };
    let text = toml::to_string(&definition).expect("numbers, texts and tables can be written");
    let path = args.out.join(DEFINITION);
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(AppError::OtherSweep {
            path: args.out.clone(),
            reason: "its study.toml says other recordings, settings or version".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let unwritable = |source| AppError::Unwritable { path: args.out.clone(), source };
            fs::create_dir_all(&args.out).map_err(unwritable)?;
            if fs::read_dir(&args.out).map_err(unwritable)?.next().is_some() {
                return Err(AppError::RunExists { path: args.out.clone() });
            }
            write_file(&path, text.as_bytes())
        }
        Err(source) => Err(AppError::Unreadable { path, source }),
    }
}

fn names(rides: &[Ride]) -> Vec<&str> {
    rides.iter().map(|ride| ride.name.as_str()).collect()
}

/// The settings of every arm: those that are there, or chosen anew.
fn choices(
    study: &Study,
    out: &Path,
    validation: impl FnOnce() -> Result<Vec<Vec<Ground>>, AppError>,
) -> Result<Choices, AppError> {
    let path = out.join(CHOICES);
    if let Some(choices) = kept(&path)? {
        if !arms::is_complete(&choices, study) {
            return Err(AppError::NoRun { path, reason: "it does not hold the settings of every arm".to_owned() });
        }
        return Ok(choices);
    }
    let rides = validation()?;
    let candidates = study.candidates();
    let found: Mutex<Vec<Option<(Arm, Choice)>>> = Mutex::new(vec![None; candidates.len()]);
    runs::each_on_a_thread("settings", candidates.len(), |index| {
        let (arm, trained) = candidates[index];
        let choice = study.best(arm, trained, &rides)?;
        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[index] = Some((arm, choice));
        Ok(())
    })?;
    let mut choices = Choices::new();
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (arm, choice) in found.into_iter().flatten() {
        let best = choices.entry(arm).or_insert(choice);
        if choice.score > best.score {
            *best = choice;
        }
    }
    // It starts from the same networks, and goes on as they do.
    choices.insert(Arm::LastWindow, choices[&Arm::Joint]);
    write_file(&path, &report::json_of(&choices)?)?;
    Ok(choices)
}

/// What every seed found: what is there, and what is found now.
fn results(
    study: &Study,
    choices: &Choices,
    seeds: &[u64],
    rides: &[Ride],
    grounds: &[Vec<Ground>],
    folder: &Path,
) -> Result<Vec<SeedResult>, AppError> {
    let path = |seed: u64| folder.join(format!("seed-{seed}.json"));
    let mut open = Vec::new();
    for &seed in seeds {
        match kept::<SeedResult>(&path(seed))? {
            None => open.push(seed),
            Some(found) if found.seed == seed => {}
            Some(found) => {
                let reason = format!("it holds what seed {} found", found.seed);
                return Err(AppError::NoRun { path: path(seed), reason });
            }
        }
    }
    report::note(&format!("{} seeds, {} to do", seeds.len(), open.len()));
    let names = names(rides);
    runs::each_on_a_thread("seeds", open.len(), |index| {
        let result = study.run_seed(open[index], choices, grounds, &names)?;
        let json = serde_json::to_vec(&result).expect("numbers and texts can be written");
        write_file(&path(open[index]), &json)
    })?;
    seeds.iter().filter_map(|&seed| kept(&path(seed)).transpose()).collect()
}

fn kept<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, AppError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(AppError::Unreadable { path: path.to_owned(), source }),
    };
    let no_study = |error: serde_json::Error| AppError::NoRun { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(no_study)
}

/// The command that makes the report again.
fn command(args: &AdaptationStudyArgs) -> String {
    let mut command =
        format!("cargo run -p trainer -- adaptation-study --traces {}", quoted(&args.traces.display().to_string()));
    let mut add = |option: &str, value: String| command.extend([" --", option, " ", &quoted(&value)]);
    if let Some(split) = &args.split {
        add("split", split.display().to_string());
    }
    if let Some(folder) = &args.leave_out {
        add("leave-out", folder.clone());
    }
    if let Some(test) = &args.test {
        add("test", test.display().to_string());
    }
    if args.scenario != "mobile" {
        add("scenario", args.scenario.clone());
    }
    if args.window.seconds != WINDOW_S {
        add("window", args.window.seconds.to_string());
    }
    if let Some(seeds) = &args.seeds {
        add("seeds", seeds.clone());
    }
    if args.quick {
        command += " --quick";
    }
    command + &format!(" --out {}", quoted(&args.out.display().to_string()))
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./,:+=@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
