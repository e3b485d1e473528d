//! `adapt`: a record in a new environment.

use std::path::Path;

use data::trace::Recording;
use data::{StandardSet, uplink_windows};
use model::{Backend, Record};
use serde::Serialize;
use sim::Environment;
use sim::limits::WINDOW_S;
use sim::scheme::{Greedy, Order};

use crate::adaptation::{self, Point, Task};
use crate::cli::{AdaptArgs, Format};
use crate::config::Training;
use crate::contain;
use crate::error::AppError;
use crate::report;
use crate::run_dir::RunDir;
use crate::setup::{self, Problem};

/// What adaptation found, as its directory keeps it.
#[derive(Serialize)]
struct Results<'a> {
    record: String,
    scenario: &'a str,
    adapted_to: &'a str,
    environment: Option<&'a Environment>,
    seed: u64,
    device: &'a str,
    q2_greedy: f64,
    q2_greedy_largest_first: f64,
    points: &'a [Point],
}

pub(crate) fn run(args: &AdaptArgs) -> Result<(), AppError> {
    if let Some(setting) = args.settings.iter().find(|setting| !setting.starts_with("adaptation.")) {
        let wanted = "a setting of [adaptation], all that adapt uses";
        return Err(AppError::BadOption { option: "--set", text: setting.clone(), wanted });
    }
    let training = Training::load(&args.training, &args.settings)?;
    let mut steps = args.steps.clone();
    steps.sort_unstable();
    steps.dedup();
    let backend = setup::open(&args.compute)?;
    contain::on_device(&backend, || adapt(args, &training, &steps, &backend))
}

fn adapt(args: &AdaptArgs, training: &Training, steps: &[usize], backend: &Backend) -> Result<(), AppError> {
    let mut record = Record::load(&args.record, &backend.device)?;
    let place = Place::of(args, &record)?;
    let problem = &place.problem;
    record.check_scenario(&problem.scenario, true, &args.record)?;
    let set = standard_set(problem)?;
    let Some(&last) = steps.last() else {
        return Err(AppError::BadOption { option: "--steps", text: String::new(), wanted: "a list such as 0,1,5,10" });
    };
    let settings =
        drl::Settings { steps: training.adaptation.steps.max(last), report_every: last.max(1), ..training.adaptation };
    let samples = [("the samples of adaptation.buffer", settings.buffer)];
    setup::check_sizes(&record.ensemble.shape(), record.ensemble.dnns(), samples)?;
    let seed = args.seed.seed;
    let task = Task { model: &problem.model, workloads: problem.workloads(seed, "adaptation")?, set: &set };
    let codec = record.codec(&problem.model);
    let directory = RunDir::create(args.out.as_deref(), &format!("{}-adapted-seed{seed}", problem.scenario.name))?;
    let (ensemble, points) = adaptation::adapt(&record.ensemble, codec, task, settings, steps, seed, &backend.device)?;

    let q2 = |order| Ok::<_, AppError>(set.q2_of(&mut Greedy::new(order))?.unwrap_or(f64::NAN));
    record.ensemble = ensemble;
    record.scenario = problem.scenario.clone();
    record.provenance.insert("adapted_from".to_owned(), args.record.display().to_string());
    record.provenance.insert("adapted_to".to_owned(), place.name.clone());
    record.provenance.insert("adapted_steps".to_owned(), last.to_string());
    record.measures = points.last().map(|point| ("q2_adapted".to_owned(), point.q2)).into_iter().collect();
    record.save(&directory.path().join("record"))?;
    let results = Results {
        record: args.record.display().to_string(),
        scenario: &problem.scenario.name,
        adapted_to: &place.name,
        environment: place.environment.as_ref(),
        seed,
        device: &backend.name,
        q2_greedy: q2(Order::Given)?,
        q2_greedy_largest_first: q2(Order::LargestFirst)?,
        points: &points,
    };
    directory.write("results.json", &report::json_of(&results)?)?;
    say(args.format.format, &results, directory.path())
}

/// Where to adapt to.
struct Place {
    problem: Problem,
    /// In words.
    name: String,
    /// `None`: many, as the scenario draws them.
    environment: Option<Environment>,
}

impl Place {
    fn of(args: &AdaptArgs, record: &Record) -> Result<Self, AppError> {
        let Some(path) = &args.traces else {
            let problem = Problem::load(args.scenario.as_deref().unwrap_or_default())?;
            let environment = problem.environments()?.is_none().then(|| problem.scenario.own_environment());
            return Ok(Self { name: format!("scenario {}", problem.scenario.name), problem, environment });
        };
        let mut environment = record.scenario.own_environment();
        let window = window(args, path, environment.uplinks_mbps.len())?;
        environment.uplinks_mbps = window.mbps;
        let problem = Problem::new(record.scenario.in_environment(&environment)?)?;
        Ok(Self { problem, name: window.name, environment: Some(environment) })
    }
}

/// A moment of a recording.
struct Moment {
    name: String,
    mbps: Vec<f64>,
}

fn window(args: &AdaptArgs, path: &Path, devices: usize) -> Result<Moment, AppError> {
    let no_window = |reason: String| AppError::NoWindow { path: path.to_owned(), reason };
    let recording = Recording::open(path)?;
    let asked = |name: &str| args.drive.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let Some(drive) = recording.drives.iter().rfind(|drive| asked(&drive.name)) else {
        let names: Vec<_> = recording.drives.iter().map(|drive| drive.name.as_str()).collect();
        return Err(no_window(format!("no such drive; there are {}", names.join(", "))));
    };
    let length = args.window.unwrap_or(WINDOW_S);
    let mut windows = uplink_windows(drive, devices, length);
    if let Some(at) = args.at {
        windows.retain(|window| (window.start_s..window.start_s + length).contains(&at));
    }
    let window = windows.pop().ok_or_else(|| {
        let when = args.at.map_or(String::new(), |at| format!(" at {at} s"));
        no_window(format!("no window of {length} s{when} in which all devices of {} have data", drive.name))
    })?;
    let name = format!("{}, {} s to {} s of {}", drive.name, window.start_s, window.start_s + length, path.display());
    let rates: Vec<_> = window.mbps.iter().map(|mbps| format!("{mbps:.2}")).collect();
    let recorded = drive.devices.len();
    let others = if recorded < devices {
        format!("; of {recorded} recorded devices each stands for several, which see the drive at other times")
    } else {
        String::new()
    };
    report::note(&format!("adapting to {name}: uplinks of {} Mbit/s{others}", rates.join(", ")));
    Ok(Moment { name, mbps: window.mbps })
}

/// What adaptation is measured on; the optimum must be known.
fn standard_set(problem: &Problem) -> Result<StandardSet, AppError> {
    let set = problem.standard_set()?;
    let no_optimum = || AppError::NoOptimum { scenario: problem.scenario.name.clone() };
    set.optimal().ok_or_else(no_optimum)?;
    Ok(set)
}

fn say(format: Format, results: &Results<'_>, directory: &Path) -> Result<(), AppError> {
    if format == Format::Json {
        report::write_out(&report::json_of(results)?)?;
    } else {
        report::print(format, results.points, || {
            let header = ["steps", "Q2", "Q2 p5", "Q2 explored", "evaluations", "ms"];
            let row = |point: &Point| {
                let ratios = [point.q2, point.q2_p05, point.q2_explored].map(|ratio| format!("{ratio:.5}"));
                let spent = [point.evaluations.to_string(), format!("{:.1}", point.seconds * 1e3)];
                [&[point.step.to_string()][..], &ratios, &spent].concat()
            };
            report::table(&header, results.points.iter().map(row).collect())
        })?;
    }
    report::note(&format!(
        "\nhere greedy has Q2 {:.5}, greedy (largest first) {:.5}, the exact optimum 1\n\
         written to {directory}: results.json record/",
        results.q2_greedy,
        results.q2_greedy_largest_first,
        directory = directory.display()
    ));
    Ok(())
}
