//! Evaluation of schemes on fleets of all sizes that no training saw: their costs, their cost evaluations and their times.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use model::Record;
use serde::Serialize;
use sim::random::{self, Stream};
use sim::scheme::{self, Annealing, GoesOn, Interruptible, LocalSearch, Scheme};
use sim::{Fleets, Instance};

use crate::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use crate::comparison;
use crate::error::Error;
use crate::statistics::Spread;

/// The numbers of devices of the fleets that [`evaluate`] draws.
pub const DEVICES: [usize; 5] = [1, 3, 10, 30, 50];
/// Cost evaluations per task of the long annealing run that gives a first best known cost.
const LONG_ANNEALING_EVALUATIONS: u64 = 2_000;
/// The classic schemes that the networks are compared with.
const CLASSIC_SCHEMES: [&str; 8] = [
    "greedy",
    "greedy-largest-first",
    "local-search@16",
    "local-search",
    "annealing@16",
    "annealing@100",
    "genetic@16",
    "genetic@100",
];
/// The networks' search and the classic search with the same budget, whose difference is the [`Gain`].
const BUDGETED: (&str, &str) = ("mr-dro-fleet@16", "local-search@16");

/// A workload of a fleet that no training saw, with the lowest cost known.
#[derive(Debug)]
pub(crate) struct HeldOutFleet {
    pub(crate) instance: Instance,
    /// The lowest cost that a scheme has found so far.
    pub(crate) best: f64,
}

/// How good one scheme is on fleets of one size.
#[derive(Debug, Clone, Serialize)]
pub struct SizeRow {
    /// Devices of each fleet.
    pub devices: usize,
    /// The scheme's name.
    pub scheme: String,
    /// Mean ratio of the lowest cost known to the cost of the scheme's decision; 1 is the best.
    pub q2: f64,
    /// Lower end of the 95 % interval of `q2`.
    pub q2_low: f64,
    /// Upper end of the 95 % interval of `q2`.
    pub q2_high: f64,
    /// Mean number of cost evaluations per task.
    #[serde(rename = "prices_per_task")]
    pub evaluations_per_task: f64,
    /// Mean time of one decision on one thread, in µs.
    pub microseconds_per_decision: f64,
}

/// The gain in Q2 that networks bring: a search that starts from their proposals, minus a local search from greedy with the
/// same budget of cost evaluations.
#[derive(Debug, Clone, Serialize)]
pub struct Gain {
    /// Devices of each fleet.
    pub devices: usize,
    /// Mean gain over the fleets.
    pub mean: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
}

/// How good schemes are on fleets of all sizes.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// One row for each number of devices and scheme.
    pub rows: Vec<SizeRow>,
    /// One gain for each number of devices; empty if the networks have no search with a budget.
    pub gains: Vec<Gain>,
}

/// Draws `count` fleets of `devices` devices, with 1 to 10 tasks per device and 1 to 3 edge servers, as long as `goes_on`.
pub(crate) fn draw(
    stream: &str,
    devices: usize,
    count: usize,
    goes_on: &GoesOn<'_>,
) -> Result<Vec<HeldOutFleet>, Error> {
    let mut random = random::stream(0, &format!("{stream}/{devices}"));
    (0..count).map(|_| draw_one(devices, &mut random, goes_on)).collect()
}

fn draw_one(devices: usize, random: &mut Stream, goes_on: &GoesOn<'_>) -> Result<HeldOutFleet, Error> {
    let (tasks, edges) = (1 + random::below(random, 10), 1 + random::below(random, 3));
    let scenario = Fleets::default().draw_shaped(devices, tasks, edges, random);
    let model = scenario.check().map_err(sim::ScenarioError::from)?;
    let sizes = random::stream_of(0, "sizes of a held-out fleet", &[random::unit(random)]);
    let instance = Workloads::new(&model, SizeSampler::new(&scenario)?, Part::HeldOut, sizes).draw();
    let mut case = HeldOutFleet { instance, best: f64::INFINITY };
    for scheme in [&mut Annealing::new(2, LONG_ANNEALING_EVALUATIONS) as &mut dyn Scheme, &mut LocalSearch::new()] {
        let solution = Interruptible::new(scheme, goes_on).decide(&case.instance.model, &case.instance.workload)?;
        case.best = case.best.min(case.instance.cost(solution.decision.places()));
    }
    Ok(case)
}

/// Evaluates the networks of a record and classic schemes on `fleets` fleets of each size in [`DEVICES`]. After each size,
/// `done` receives the number of sizes that are done.
///
/// # Errors
/// If a scheme cannot decide a fleet.
///
/// # Panics
/// If the networks are for one scenario.
pub fn evaluate(
    record: &Record,
    fleets: usize,
    device: &Device,
    done: &mut dyn FnMut(usize),
) -> Result<Findings, Error> {
    evaluate_while(record, fleets, device, done, &|| true)
}

/// [`evaluate`] as long as `goes_on`.
///
/// # Errors
/// As [`evaluate`], and [`SchemeError::Interrupted`](sim::SchemeError::Interrupted) if `goes_on` says no.
///
/// # Panics
/// As [`evaluate`].
pub(crate) fn evaluate_while(
    record: &Record,
    fleets: usize,
    device: &Device,
    done: &mut dyn FnMut(usize),
    goes_on: &GoesOn<'_>,
) -> Result<Findings, Error> {
    let mut findings = Findings { rows: Vec::new(), gains: Vec::new() };
    for (index, devices) in DEVICES.into_iter().enumerate() {
        let cases = draw("fleets of a study", devices, fleets, goes_on)?;
        findings.add_size(record, devices, cases, device, goes_on)?;
        done(index + 1);
    }
    Ok(findings)
}

impl Findings {
    fn add_size(
        &mut self,
        record: &Record,
        devices: usize,
        mut cases: Vec<HeldOutFleet>,
        device: &Device,
        goes_on: &GoesOn<'_>,
    ) -> Result<(), Error> {
        let Some(first) = cases.first() else { return Ok(()) };
        // Networks for any fleet decide for every cost model, whichever they are made with.
        let mut networks = comparison::schemes_of(record, "", &first.instance.model, device);
        let mut found: Vec<(String, Vec<TimedDecision>)> = Vec::new();
        for name in CLASSIC_SCHEMES {
            let mut answers = Vec::new();
            for case in &mut cases {
                let mut scheme = scheme::by_name(name, &case.instance.model, 1)?;
                answers.push(answer(&mut Interruptible::new(&mut *scheme, goes_on), case)?);
            }
            found.push((name.to_owned(), answers));
        }
        for network in &mut networks {
            let mut answers = Vec::new();
            for case in &mut cases {
                answers.push(answer(&mut Interruptible::new(&mut **network, goes_on), case)?);
            }
            found.push((network.name().to_owned(), answers));
        }
        self.add_rows(devices, &found, &cases);
        Ok(())
    }

    fn add_rows(&mut self, devices: usize, found: &[(String, Vec<TimedDecision>)], cases: &[HeldOutFleet]) {
        let ratios = |answers: &[TimedDecision]| -> Vec<f64> {
            answers.iter().zip(cases).map(|(answer, case)| case.best / answer.cost).collect()
        };
        for (scheme, answers) in found {
            let q2 = Spread::of(&ratios(answers));
            let mean = |value: fn(&TimedDecision) -> f64| answers.iter().map(value).sum::<f64>() / answers.len() as f64;
            self.rows.push(SizeRow {
                devices,
                scheme: scheme.clone(),
                q2: q2.mean,
                q2_low: q2.low,
                q2_high: q2.high,
                evaluations_per_task: mean(|answer| answer.evaluations_per_task),
                microseconds_per_decision: mean(|answer| answer.microseconds),
            });
        }
        let of = |name: &str| found.iter().find(|(scheme, _)| scheme == name).map(|(_, answers)| ratios(answers));
        if let (Some(with), Some(without)) = (of(BUDGETED.0), of(BUDGETED.1)) {
            let gains: Vec<f64> = with.iter().zip(without).map(|(with, without)| with - without).collect();
            let Spread { mean, low, high, .. } = Spread::of(&gains);
            self.gains.push(Gain { devices, mean, low, high });
        }
    }

    /// The measures that a record keeps: Q2 of each scheme at each number of devices, by names such as
    /// `q2_greedy_30_devices`.
    pub fn measures(&self) -> BTreeMap<String, f64> {
        let named = |row: &SizeRow| {
            let scheme = row.scheme.replace(['-', '@'], "_");
            (format!("q2_{scheme}_{}_devices", row.devices), row.q2)
        };
        self.rows.iter().map(named).collect()
    }

    /// Writes a picture, SVG or PNG by the name of its file, with three charts: Q2 over the number of devices, and for the largest fleets Q2 over cost evaluations
    /// and over time.
    ///
    /// # Errors
    /// If the picture cannot be drawn or written.
    pub fn draw(&self, path: &Path) -> Result<(), Error> {
        chart::write_picture(&panels(self), Palette::Distinct, path)
    }
}

struct TimedDecision {
    cost: f64,
    evaluations_per_task: f64,
    microseconds: f64,
}

/// Decides one workload, and lowers the best known cost if the decision costs less.
fn answer(scheme: &mut dyn Scheme, case: &mut HeldOutFleet) -> Result<TimedDecision, Error> {
    let begin = Instant::now();
    let solution = scheme.decide(&case.instance.model, &case.instance.workload)?;
    let microseconds = begin.elapsed().as_secs_f64() * 1e6;
    let cost = case.instance.cost(solution.decision.places());
    case.best = case.best.min(cost);
    let tasks = case.instance.model.task_count();
    Ok(TimedDecision { cost, evaluations_per_task: solution.evaluations as f64 / tasks as f64, microseconds })
}

/// The charts of [`Findings::draw`].
fn panels(findings: &Findings) -> [Panel; 3] {
    let of_scheme =
        |scheme: &str| -> Vec<&SizeRow> { findings.rows.iter().filter(|row| row.scheme == scheme).collect() };
    let mut names: Vec<&str> = Vec::new();
    for row in &findings.rows {
        if !names.contains(&row.scheme.as_str()) {
            names.push(&row.scheme);
        }
    }
    let point = |x: f64, row: &SizeRow| Point { x, low: row.q2_low, mean: row.q2, high: row.q2_high };
    let series = |x: fn(&SizeRow) -> f64, style: Style, only: Option<usize>| -> Vec<Series> {
        let rows = |name: &&str| {
            let rows = of_scheme(name).into_iter().filter(|row| only.is_none_or(|devices| row.devices == devices));
            rows.map(|row| point(x(row), row)).collect()
        };
        names.iter().map(|name| Series { label: (*name).to_owned(), style, points: rows(name) }).collect()
    };
    let y = || Axis::Ratio { label: "Q2, against the best cost known" };
    let largest = DEVICES[DEVICES.len() - 1];
    [
        Panel {
            title: "Fleets of all sizes".to_owned(),
            x: Axis::Log { label: "devices" },
            y: y(),
            series: series(|row| row.devices as f64, Style::Markers, None),
        },
        Panel {
            title: format!("{largest} devices: cost evaluations"),
            x: Axis::Log { label: "cost evaluations per task" },
            y: y(),
            series: series(|row| row.evaluations_per_task, Style::Points, Some(largest)),
        },
        Panel {
            title: format!("{largest} devices: time"),
            x: Axis::Log { label: "µs per decision" },
            y: y(),
            series: series(|row| row.microseconds_per_decision, Style::Points, Some(largest)),
        },
    ]
}
