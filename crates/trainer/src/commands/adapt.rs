//! `adapt`: a record in a new environment.

use std::path::Path;

use model::{Backend, Record};
use serde::Serialize;
use sim::scheme::{Greedy, Order};
use sim::trace::Recording;
use sim::{Environment, StandardSet, uplink_windows};

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
    record: &'a Path,
    scenario: &'a str,
    environment: &'a Environment,
    seed: u64,
    device: &'a str,
    q2_greedy: f64,
    q2_greedy_largest_first: f64,
    points: &'a [Point],
}

pub(crate) fn run(args: &AdaptArgs) -> Result<(), AppError> {
    let training = Training::load(&args.training, &args.settings)?;
    let mut steps = args.steps.clone();
    steps.sort_unstable();
    steps.dedup();
    let backend = setup::open(&args.compute)?;
    contain::on_device(&backend, || adapt(args, &training, &steps, &backend))
}

fn adapt(args: &AdaptArgs, training: &Training, steps: &[usize], backend: &Backend) -> Result<(), AppError> {
    let mut record = Record::load(&args.record, &backend.device)?;
    let problem = problem(args, &record)?;
    record.check_scenario(&problem.scenario, true, &args.record)?;
    let set = standard_set(&problem)?;
    let Some(&last) = steps.last() else {
        return Err(AppError::BadOption { option: "--steps", text: String::new(), wanted: "a list such as 0,1,5,10" });
    };
    let seed = args.seed.seed;
    let task = Task { model: &problem.model, workloads: problem.workloads(seed, "adaptation")?, set: &set };
    let settings = drl::Settings { steps: last, report_every: last.max(1), ..training.adaptation };
    let codec = record.codec(&problem.model);
    let directory = RunDir::create(args.out.as_deref(), &format!("{}-adapted-seed{seed}", problem.scenario.name))?;
    let (ensemble, points) = adaptation::adapt(&record.ensemble, codec, task, settings, steps, seed, &backend.device)?;

    let q2 = |order| Ok::<_, AppError>(set.q2_of(&mut Greedy::new(order), &problem.model)?.unwrap_or(f64::NAN));
    record.ensemble = ensemble;
    record.scenario = problem.scenario.clone();
    record.provenance.insert("adapted_from".to_owned(), args.record.display().to_string());
    record.provenance.insert("adapted_steps".to_owned(), last.to_string());
    record.measures = points.last().map(|point| ("q2_adapted".to_owned(), point.q2)).into_iter().collect();
    record.save(&directory.path().join("record"))?;
    let results = Results {
        record: &args.record,
        scenario: &problem.scenario.name,
        environment: problem.model.environment(),
        seed,
        device: &backend.name,
        q2_greedy: q2(Order::Given)?,
        q2_greedy_largest_first: q2(Order::LargestFirst)?,
        points: &points,
    };
    directory.write("results.json", &report::json_of(&results)?)?;
    say(args.format.format, &results, directory.path())
}

/// The record's scenario in the environment to adapt to.
fn problem(args: &AdaptArgs, record: &Record) -> Result<Problem, AppError> {
    let Some(path) = &args.traces else {
        return Problem::load(args.scenario.as_deref().unwrap_or_default());
    };
    let mut environment = record.scenario.own_environment();
    environment.uplinks_mbps = uplinks(args, path, environment.uplinks_mbps.len())?;
    Problem::new(record.scenario.in_environment(&environment)?)
}

fn uplinks(args: &AdaptArgs, path: &Path, devices: usize) -> Result<Vec<f64>, AppError> {
    let no_window = |reason: String| AppError::NoWindow { path: path.to_owned(), reason };
    let recording = Recording::open(path)?;
    let asked = |name: &str| args.drive.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let Some(drive) = recording.drives.iter().rfind(|drive| asked(&drive.name)) else {
        let names: Vec<_> = recording.drives.iter().map(|drive| drive.name.as_str()).collect();
        return Err(no_window(format!("no such drive; there are {}", names.join(", "))));
    };
    let length = args.window.seconds;
    let mut windows = uplink_windows(drive, devices, length);
    if let Some(at) = args.at {
        windows.retain(|window| (window.start_s..window.start_s + length).contains(&at));
    }
    let window = windows.pop().ok_or_else(|| {
        let when = args.at.map_or(String::new(), |at| format!(" at {at} s"));
        no_window(format!("no window of {length} s{when} in which all devices of {} have data", drive.name))
    })?;
    let rates: Vec<_> = window.mbps.iter().map(|mbps| format!("{mbps:.2}")).collect();
    let (start, rates) = (window.start_s, rates.join(", "));
    report::note(&format!("adapting to {} from {start} s: uplinks of {rates} Mbit/s", drive.name));
    Ok(window.mbps)
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
