//! One run of one scheme.

use std::io::Write;
use std::sync::Arc;

use serde::Serialize;
use sim::stream::StreamScenario;
use sim::stream::dispatch::scheme::by_name;
use sim::stream::dispatch::{self, DispatchOutcome, DoneTask, Path, Site};
use sim::stream::scenario::{DispatchScenario, SlotScenario};
use sim::stream::slots::scheme::SlotSchemeKind;
use sim::stream::slots::{self, SlotRecord};

use super::comparison::fitted_model;
use super::trace::{SlotRow, TaskRow, TraceFormat};
use super::{StreamProblem, site_of_run, slot_paths};
use crate::error::Error;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamSummary {
    /// The scenario's name.
    pub scenario: String,
    /// The scheme's name.
    pub scheme: String,
    /// The seed from which the run was drawn.
    pub seed: u64,
    /// The tasks after the warm-up, or the files.
    pub tasks: usize,
    /// Mean power, in W.
    pub mean_power_w: f64,
    /// Mean energy of a task or a file, in J.
    pub mean_energy_j: f64,
    /// Mean time from the arrival until it is done or sent, in seconds: of a task, or of a byte.
    pub mean_delay_s: f64,
    /// The tasks or files that missed their deadline.
    pub missed: usize,
    /// Mean cost of a task or a file.
    pub cost: f64,
    /// The decisions that priced places, or the slots.
    pub evaluations: u64,
    /// The share of tasks at each place, by its name; absent in slots.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub place_shares: Vec<(String, f64)>,
}

fn as_map<S: serde::Serializer>(shares: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(shares.iter().map(|(place, share)| (place, share)))
}

/// A run with what happened in it.
#[derive(Debug, Clone)]
pub struct StreamRun {
    /// What came of it.
    pub summary: StreamSummary,
    /// What happened.
    pub events: Events,
}

/// What happened in a run.
#[derive(Debug, Clone)]
pub enum Events {
    /// The tasks in the order of their arrivals, with the names of places.
    Tasks {
        /// The tasks.
        tasks: Vec<DoneTask>,
        /// The names of places.
        places: Vec<String>,
        /// The number of devices.
        devices: usize,
        /// The site on which they ran.
        site: Arc<Site>,
        /// Their course of arrivals and rates.
        path: Path,
    },
    /// The slots, with the names of links.
    Slots {
        /// The slots.
        slots: Vec<SlotRow>,
        /// The names of links.
        links: Vec<String>,
        /// The length of a slot, in seconds.
        slot_s: f64,
    },
}

/// Runs one scheme along one course of arrivals and rates that is drawn from `seed`.
///
/// # Errors
/// If the scheme has no such name or cannot decide, or the scenario makes no problem.
pub fn run(problem: &StreamProblem, scheme: &str, seed: u64) -> Result<StreamRun, Error> {
    run_observed(problem, scheme, seed, &mut |_, _| {})
}

/// Is told from time to time how many tasks or slots of a run are done, and how many there are.
type RunProgress<'p> = &'p mut dyn FnMut(usize, usize);

/// The number of tasks or slots between two reports.
const REPORTED_EVERY: usize = 64;

/// As [`run`]; `progress` is told from time to time how many tasks or slots are done, and how many there are.
///
/// # Errors
/// As [`run`].
pub fn run_observed(
    problem: &StreamProblem,
    scheme: &str,
    seed: u64,
    progress: RunProgress<'_>,
) -> Result<StreamRun, Error> {
    match &problem.scenario {
        StreamScenario::Dispatch(scenario) => dispatch_run(scenario, scheme, seed, progress),
        StreamScenario::Slots(scenario) => slot_run(scenario, scheme, seed, progress),
    }
}

fn dispatch_run(
    scenario: &DispatchScenario,
    name: &str,
    seed: u64,
    progress: RunProgress<'_>,
) -> Result<StreamRun, Error> {
    let (site, seed) = site_of_run(scenario, seed, 0)?;
    let mut scheme = by_name(name, &site)?;
    let path = scenario.path(&site, seed)?;
    let mut tasks = Vec::with_capacity(path.arrivals().len());
    let all = path.arrivals().len();
    let outcome = dispatch::simulate_traced(&site, &path, scheme.as_mut(), seed, |task| {
        tasks.push(*task);
        if tasks.len().is_multiple_of(REPORTED_EVERY) {
            progress(tasks.len(), all);
        }
    });
    let name = scheme.name().to_owned();
    Ok(StreamRun::of_tasks(&scenario.name, name, seed, (site, path), outcome, tasks))
}

fn slot_run(scenario: &SlotScenario, name: &str, seed: u64, progress: RunProgress<'_>) -> Result<StreamRun, Error> {
    let kind: SlotSchemeKind = name.parse()?;
    let model = fitted_model(scenario, seed, std::slice::from_ref(&kind))?;
    let mut scheme = kind.build(model.as_ref())?;
    let paths = slot_paths(scenario, seed, 1)?;
    let path = &paths[0];
    let mut rows = Vec::with_capacity(path.slots());
    let mut trace = |record: &SlotRecord<'_>| {
        rows.push(SlotRow::of(record));
        if rows.len().is_multiple_of(REPORTED_EVERY) {
            progress(rows.len(), path.slots());
        }
    };
    let outcome = slots::simulate(path, scheme.as_mut(), Some(&mut trace))?;
    let summary = StreamSummary {
        scenario: scenario.name.clone(),
        scheme: scheme.name().to_owned(),
        seed,
        tasks: outcome.files,
        mean_power_w: outcome.mean_power_w,
        mean_energy_j: outcome.energy_per_file_j,
        mean_delay_s: outcome.mean_delay_s,
        missed: outcome.missed_deadlines,
        cost: outcome.cost,
        evaluations: path.slots() as u64,
        place_shares: Vec::new(),
    };
    let links = scenario.links.iter().map(|link| link.name.clone()).collect();
    Ok(StreamRun { summary, events: Events::Slots { slots: rows, links, slot_s: scenario.slot_s } })
}

impl StreamRun {
    /// A run of dispatching, from its outcome and all its tasks in any order.
    pub fn of_tasks(
        scenario: &str,
        scheme: String,
        seed: u64,
        (site, path): (Site, Path),
        outcome: DispatchOutcome,
        mut tasks: Vec<DoneTask>,
    ) -> Self {
        tasks.sort_by_key(|task| task.index);
        let places: Vec<String> = (0..site.places()).map(|place| site.place_name(place).to_owned()).collect();
        let last_s = path.arrivals().last().map_or(1.0, |last| last.time_s).max(f64::MIN_POSITIVE);
        let summary = StreamSummary {
            scenario: scenario.to_owned(),
            scheme,
            seed,
            tasks: outcome.tasks,
            mean_power_w: outcome.mean_energy_j * path.arrivals().len() as f64 / last_s,
            mean_energy_j: outcome.mean_energy_j,
            mean_delay_s: outcome.mean_response_s,
            missed: (outcome.late_share * outcome.tasks as f64).round() as usize,
            cost: outcome.mean_cost,
            evaluations: outcome.evaluations,
            place_shares: places.iter().cloned().zip(outcome.place_shares).collect(),
        };
        let devices = site.devices();
        let events = Events::Tasks { tasks, places, devices, site: Arc::new(site), path };
        Self { summary, events }
    }

    /// What happened, as CSV or JSON lines: a row for each task or slot.
    ///
    /// # Errors
    /// If the text cannot be written to memory.
    pub fn trace(&self, format: TraceFormat) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        let written = match &self.events {
            Events::Tasks { tasks, places, .. } => {
                let rows = tasks.iter().map(|task| TaskRow::of(task, places));
                super::trace::write(&mut text, format, rows)
            }
            Events::Slots { slots, links, slot_s } => {
                super::trace::write_slots(&mut text, format, slots, links, *slot_s)
            }
        };
        written.and_then(|()| text.flush()).map_err(|source| Error::Output { source })?;
        Ok(text)
    }
}
