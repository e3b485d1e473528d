//! Adaptation of trained networks to one environment: a few steps of Algorithm 2 with a small replay buffer, whose samples
//! are learned from at once.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use data::trace::{Drive, ReadOptions, Recording, notes};
use data::{Deadlines, StandardSet, Workloads, uplink_windows};
use drl::{Agent, TrainingData, TrainingLoop};
use model::{Backend, Codec, DEFAULT_FLIPS, DnnNetworks, Ensemble, NetworkShape, Policy, Record, Selection};
use serde::{Deserialize, Serialize};
use sim::limits::WINDOW_S;
use sim::scheme::{Exact, GoesOn, Greedy, Interruptible, Order, Scheme};
use sim::{Environment, SchemeError};

use crate::error::Error;
use crate::files::json;
use crate::problem::Problem;
use crate::run::check_samples;
use crate::run_dir::RunDir;
use crate::training::{Training, TrainingError};

/// How good networks are after some steps in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps of adaptation.
    pub step: usize,
    /// Mean ratio of the optimal cost to the cost of the cheapest of the K proposals; 1 is the best.
    pub q2: f64,
    /// 5th percentile of these ratios.
    pub q2_p05: f64,
    /// Q2 if decisions also evaluate explored candidates.
    pub q2_explored: f64,
    /// The share of the tasks with a deadline that miss it, with the cheapest of the K proposals; `None`: no task has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines: Option<f64>,
    /// The same if decisions also evaluate explored candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines_explored: Option<f64>,
    /// Cost evaluations that adaptation took up to this step.
    pub evaluations: u64,
    /// Seconds that adaptation took up to this step, without the measuring.
    pub seconds: f64,
    /// The ratio of each workload, in increasing order.
    #[serde(skip)]
    pub ratios: Vec<f64>,
}

/// One environment to adapt to.
pub struct Task<'a> {
    /// Workloads in the environment, to adapt on.
    pub workloads: Workloads,
    /// Other workloads in the environment, with known optima, to measure on.
    pub set: &'a StandardSet,
}

/// How networks adapt.
pub struct Adaptation<'a> {
    /// The codec of the networks.
    pub codec: Codec,
    /// Settings of Algorithm 2.
    pub settings: drl::Settings,
    /// Numbers of steps after which the networks are measured, in increasing order.
    pub checkpoints: &'a [usize],
    /// The seed that batches are drawn from.
    pub seed: u64,
    /// The device to compute on.
    pub device: &'a Device,
}

/// Adapts networks to an environment and measures them on the way.
///
/// # Errors
/// If the networks do not fit the task, or the settings have mistakes.
///
/// # Panics
/// If the optimum of the task's set is not known.
pub fn adapt(start: &Ensemble, task: Task<'_>, adaptation: &Adaptation<'_>) -> Result<(Ensemble, Vec<Point>), Error> {
    adapt_while(start, task, adaptation, &|| true)
}

/// [`adapt`] as long as `goes_on`; if it says no, the error is [`SchemeError::Interrupted`].
fn adapt_while(
    start: &Ensemble,
    task: Task<'_>,
    adaptation: &Adaptation<'_>,
    goes_on: &GoesOn<'_>,
) -> Result<(Ensemble, Vec<Point>), Error> {
    let Task { workloads, set } = task;
    let &Adaptation { codec, settings, checkpoints, seed, device } = adaptation;
    let (mut points, mut seconds) = (Vec::with_capacity(checkpoints.len()), 0.0);
    let measure = |selection, ensemble: &Ensemble| -> Result<(Vec<f64>, Option<f64>), Error> {
        let decided = set.decide(&mut Policy::new("adapted", ensemble, codec, selection, device))?;
        let ratios = set.ratios(&decided.costs).expect("the optimum is known");
        Ok((ratios, decided.deadlines.map(Deadlines::share)))
    };
    let data = TrainingData { workloads, codec };
    let start = start.clone().to_device(device);
    let mut agent = Agent::new(data, &start, settings, seed).map_err(TrainingError::from)?;
    let mut ensemble = start;
    let mut done = 0;
    for &step in checkpoints {
        if step > done {
            let begin = Instant::now();
            agent.advance_while(step - done, goes_on).ok_or(SchemeError::Interrupted)?;
            seconds += begin.elapsed().as_secs_f64();
            done = step;
            ensemble = agent.ensemble();
        }
        let (mut ratios, share_of_missed_deadlines) = measure(Selection::PAPER, &ensemble)?;
        let explored = measure(Selection::explored(DEFAULT_FLIPS), &ensemble)?;
        let q2 = mean(&ratios);
        ratios.sort_unstable_by(f64::total_cmp);
        points.push(Point {
            step,
            q2,
            q2_p05: ratios[ratios.len() / 20],
            q2_explored: mean(&explored.0),
            share_of_missed_deadlines,
            share_of_missed_deadlines_explored: explored.1,
            evaluations: agent.evaluations(),
            seconds,
            ratios,
        });
    }
    Ok((ensemble, points))
}

/// The arithmetic mean of some values; not a number if there are none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The environment that a record is adapted to.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// The environment of a scenario, given by the name of a shipped scenario or a TOML file.
    Scenario(String),
    /// The record's own scenario with the uplinks of one window of a recording.
    Recording {
        /// A recording, or a folder of recordings.
        path: PathBuf,
        /// The format and the columns of the files, where their content should not tell them.
        options: ReadOptions,
        /// The name of the drive, the last part of it, or any part, as [`Recording::drive`] finds it; `None` takes the last
        /// drive.
        drive: Option<String>,
        /// A moment within the window, in seconds from the beginning of the drive; `None` takes the last window.
        at_s: Option<f64>,
        /// Length of the windows over which rates are averaged, in seconds.
        window_s: f64,
    },
}

/// An adapted record and how good it is, as `results.json` of its directory holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Adapted {
    /// The path of the record that was adapted.
    pub record: String,
    /// The scenario's name.
    pub scenario: String,
    /// The destination, for people.
    pub adapted_to: String,
    /// The environment; `None` if the scenario's environment changes.
    pub environment: Option<Environment>,
    /// The seed.
    pub seed: u64,
    /// The device that computed.
    pub device: String,
    /// Q2 of the greedy rule in the given order.
    pub q2_greedy: f64,
    /// Q2 of the greedy rule that takes the largest task first.
    pub q2_greedy_largest_first: f64,
    /// The shares of missed deadlines of other schemes; `None`: no task has a deadline.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub missed_deadlines: Option<MissedDeadlines>,
    /// How good the networks are after each number of steps.
    pub points: Vec<Point>,
    /// The directory that holds the adapted record.
    #[serde(skip)]
    pub directory: PathBuf,
    /// Sentences for people about the destination, if there is something to say, each on a line.
    #[serde(skip)]
    pub note: Option<String>,
}

/// The shares of the tasks with a deadline that miss it in the environment that a record was adapted to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MissedDeadlines {
    /// The share with the greedy rule in the given order.
    #[serde(rename = "share_of_missed_deadlines_greedy")]
    pub greedy: f64,
    /// The share with the greedy rule that takes the largest task first.
    #[serde(rename = "share_of_missed_deadlines_greedy_largest_first")]
    pub greedy_largest_first: f64,
    /// The share with the optimum.
    #[serde(rename = "share_of_missed_deadlines_exact")]
    pub exact: f64,
}

/// A request to adapt a record.
#[derive(Debug, Clone)]
pub struct AdaptRequest {
    /// The directory of the record.
    pub record: PathBuf,
    /// The environment to adapt to.
    pub destination: Destination,
    /// Settings of training; only the section `adaptation` is used.
    pub training: Training,
    /// Numbers of steps after which the networks are measured.
    pub steps: Vec<usize>,
    /// The seed.
    pub seed: u64,
    /// The directory to write, which must be new or empty; `None` makes one under `runs/`.
    pub out: Option<PathBuf>,
}

/// Adapts a record to an environment. Writes a directory with the adapted record (`record/`) and `results.json`.
///
/// # Errors
/// If the record or the destination cannot be read, the record is for another fleet or for any fleet, the optimum in the
/// environment cannot be computed, `steps` is empty, or the directory cannot be written.
pub fn adapt_record(request: &AdaptRequest, backend: &Backend) -> Result<Adapted, Error> {
    adapt_record_while(request, backend, &|| true)
}

/// [`adapt_record`] as long as `goes_on`. When it says no, nothing is written into the directory any more.
///
/// # Errors
/// As [`adapt_record`], and [`SchemeError::Interrupted`] if `goes_on` says no.
pub fn adapt_record_while(request: &AdaptRequest, backend: &Backend, goes_on: &GoesOn<'_>) -> Result<Adapted, Error> {
    let AdaptRequest { record: path, destination, training, seed, .. } = request;
    RunDir::check(request.out.as_deref(), "")?;
    let mut steps = request.steps.clone();
    steps.sort_unstable();
    steps.dedup();
    let record = Record::load(path, &backend.device)?;
    let networks: &DnnNetworks = record.networks_of(DnnNetworks::KIND.description, path)?;
    let ResolvedDestination { problem, name, environment, note } = ResolvedDestination::of(destination, networks)?;
    record.check_scenario(&problem.scenario, true, path)?;
    let mut set = StandardSet::unsolved(&problem.scenario, &problem.model)?;
    set.solve(goes_on)?;
    set.optimal().ok_or_else(|| Error::NoOptimum { scenario: problem.scenario.name.clone() })?;
    let Some(&last) = steps.last() else {
        return Err(Error::BadOption { option: "--steps", text: String::new(), wanted: "a list such as 0,1,5,10" });
    };
    let settings =
        drl::Settings { steps: training.adaptation.steps.max(last), report_every: last.max(1), ..training.adaptation };
    let shape: NetworkShape = networks.ensemble.shape();
    check_samples("the samples of adaptation.buffer", &shape, settings.buffer)?;
    let task = Task { workloads: problem.workloads(*seed, "adaptation")?, set: &set };
    let codec = networks.codec(&problem.model);
    let name_of_directory = format!("{}-adapted-seed{seed}", problem.scenario.name);
    let directory = RunDir::create(request.out.as_deref(), &name_of_directory)?;
    let adaptation = Adaptation { codec, settings, checkpoints: &steps, seed: *seed, device: &backend.device };
    let (ensemble, points) = adapt_while(&networks.ensemble, task, &adaptation, goes_on)?;

    let (greedy, greedy_missed) = measure_other(&set, &mut Greedy::new(Order::Given), goes_on)?;
    let (largest_first, largest_first_missed) = measure_other(&set, &mut Greedy::new(Order::LargestFirst), goes_on)?;
    let missed_deadlines = match (greedy_missed, largest_first_missed) {
        (Some(greedy), Some(greedy_largest_first)) => {
            let (_, exact) = measure_other(&set, &mut Exact::new(), goes_on)?;
            exact.map(|exact| MissedDeadlines { greedy, greedy_largest_first, exact })
        }
        _ => None,
    };
    let mut adapted = Record::new(DnnNetworks { ensemble, scenario: problem.scenario.clone(), ..networks.clone() });
    adapted.provenance = record.provenance.clone();
    let origin = [("from", path.display().to_string()), ("to", name.clone()), ("steps", last.to_string())];
    adapted.provenance.extend(origin.map(|(key, value)| (format!("adapted_{key}"), value)));
    adapted.measures = points.last().map(|point| ("q2_adapted".to_owned(), point.q2)).into_iter().collect();
    adapted.save(&directory.path().join("record"))?;
    let results = Adapted {
        record: path.display().to_string(),
        scenario: problem.scenario.name.clone(),
        adapted_to: name,
        environment,
        seed: *seed,
        device: backend.name.clone(),
        q2_greedy: greedy,
        q2_greedy_largest_first: largest_first,
        missed_deadlines,
        points,
        directory: directory.path().to_owned(),
        note,
    };
    directory.write("results.json", &json(&results))?;
    Ok(results)
}

/// Q2 of a scheme, and the share of the tasks with a deadline that miss it; `None` if no task has one.
fn measure_other(
    set: &StandardSet,
    scheme: &mut dyn Scheme,
    goes_on: &GoesOn<'_>,
) -> Result<(f64, Option<f64>), Error> {
    let decided = set.decide(&mut Interruptible::new(scheme, goes_on))?;
    Ok((set.q2(&decided.costs).unwrap_or(f64::NAN), decided.deadlines.map(Deadlines::share)))
}

/// A destination whose scenario or recording was read.
struct ResolvedDestination {
    problem: Problem,
    /// The destination, for people.
    name: String,
    /// `None` if the scenario draws many environments.
    environment: Option<Environment>,
    note: Option<String>,
}

impl ResolvedDestination {
    fn of(destination: &Destination, networks: &DnnNetworks) -> Result<Self, Error> {
        match destination {
            Destination::Scenario(name) => {
                let problem = Problem::load(name)?;
                let environment = problem.environments()?.is_none().then(|| problem.scenario.own_environment());
                let name = format!("scenario {}", problem.scenario.name);
                let note = sim::scenario::implausible::in_scenario(&problem.scenario)
                    .map(|remark| format!("note: in the {name}, {remark}"));
                Ok(Self { problem, name, environment, note })
            }
            Destination::Recording { path, options, drive, at_s, window_s } => {
                let mut environment = networks.scenario.own_environment();
                let devices = environment.uplinks_mbps.len();
                let recording = Recording::read(path, options)?;
                let drive = drive_of(&recording, drive.as_deref(), path)?;
                let moment = RecordedMoment::find(path, drive, *at_s, (*window_s, devices))?;
                environment.uplinks_mbps = moment.mbps;
                let problem = Problem::new(networks.scenario.in_environment(&environment)?)?;
                Ok(Self { problem, name: moment.name, environment: Some(environment), note: Some(moment.note) })
            }
        }
    }
}

/// The uplinks in one window of a recording.
struct RecordedMoment {
    name: String,
    mbps: Vec<f64>,
    note: String,
}

/// The drive that a user means, or the last one.
fn drive_of<'r>(recording: &'r Recording, asked: Option<&str>, path: &Path) -> Result<&'r Drive, Error> {
    let no_drive = |reason: String| Error::NoWindow { path: path.to_owned(), reason };
    match asked {
        Some(asked) => recording.drive(asked).map_err(|error| no_drive(error.to_string())),
        None => recording.drives.last().ok_or_else(|| no_drive("no drive".to_owned())),
    }
}

impl RecordedMoment {
    fn find(path: &Path, drive: &Drive, at_s: Option<f64>, window: (f64, usize)) -> Result<Self, Error> {
        let (length, devices) = window;
        let no_window = |reason: String| Error::NoWindow { path: path.to_owned(), reason };
        let mut windows = uplink_windows(drive, devices, length);
        if let Some(at_s) = at_s {
            windows.retain(|window| (window.start_s..window.start_s + length).contains(&at_s));
        }
        let window = windows.pop().ok_or_else(|| {
            let when = at_s.map_or(String::new(), |at_s| format!(" at {at_s} s"));
            no_window(format!("no window of {length} s{when} in which all devices of drive {} have data", drive.name))
        })?;
        let (start, end) = (window.start_s, window.start_s + length);
        let name = format!("{}, {start} s to {end} s of {}", drive.name, path.display());
        let rates: Vec<_> = window.mbps.iter().map(|mbps| format!("{mbps:.2}")).collect();
        let recorded = drive.devices.len();
        let others = if recorded < devices {
            let devices = if recorded == 1 { "1 device".to_owned() } else { format!("{recorded} devices") };
            format!("; the drive has {devices}, so that each stands for several, at different times of the drive")
        } else {
            String::new()
        };
        let mut note = format!("adapting to {name}: uplinks of {} Mbit/s{others}", rates.join(", "));
        for more in notes(std::slice::from_ref(drive), Some(devices), length) {
            note.push_str("\nnote: ");
            note.push_str(&more);
        }
        Ok(Self { name, mbps: window.mbps, note })
    }
}

impl Destination {
    /// The last window of a recording's last drive, with windows of [`WINDOW_S`] seconds.
    pub fn recording(path: impl Into<PathBuf>) -> Self {
        let options = ReadOptions::default();
        Self::Recording { path: path.into(), options, drive: None, at_s: None, window_s: WINDOW_S }
    }
}
