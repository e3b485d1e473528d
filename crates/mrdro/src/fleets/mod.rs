//! How good schemes are on fleets of all sizes that no training saw, how many cost evaluations they ask for and how long
//! they take.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use model::Record;
use serde::Serialize;
use sim::random::{self, Stream};
use sim::scheme::{self, Annealing, LocalSearch, Scheme};
use sim::{Fleets, Instance};

use crate::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use crate::comparison;
use crate::error::Error;
use crate::files::write_file;
use crate::statistics::Spread;

/// Numbers of devices that fleets are drawn with.
pub const DEVICES: [usize; 5] = [1, 3, 10, 30, 50];
/// Cost evaluations a task of the annealing that the best cost known comes from, beside the other schemes.
const LONG: u64 = 2_000;
/// What the networks are compared with.
const CLASSIC: [&str; 8] = [
    "greedy",
    "greedy-largest-first",
    "local-search@16",
    "local-search",
    "annealing@16",
    "annealing@100",
    "genetic@16",
    "genetic@100",
];
/// The budget of the networks' search and of the one that it is compared with.
const BUDGETED: (&str, &str) = ("mr-dro-fleet@16", "local-search@16");

/// One fleet with its tasks and the best cost known.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) instance: Instance,
    /// The lowest cost that any scheme has found so far.
    pub(crate) best: f64,
}

/// One scheme on fleets of one size.
#[derive(Debug, Clone, Serialize)]
pub struct SizeRow {
    /// Devices of each fleet.
    pub devices: usize,
    /// The scheme's name.
    pub scheme: String,
    /// Mean ratio of the best cost known to that of the scheme.
    pub q2: f64,
    /// Lower end of the 95 % interval of `q2`.
    pub q2_low: f64,
    /// Upper end of the 95 % interval of `q2`.
    pub q2_high: f64,
    /// Mean cost evaluations for each task.
    pub prices_per_task: f64,
    /// Mean time of one decision, in µs.
    pub microseconds_per_decision: f64,
}

/// Gain in Q2 of the search that follows the networks over a search with the same budget and no networks.
#[derive(Debug, Clone, Serialize)]
pub struct Gain {
    /// Devices of each fleet.
    pub devices: usize,
    /// Mean over the fleets.
    pub mean: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
}

/// How good schemes are on fleets of all sizes.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// One row for each size and scheme.
    pub rows: Vec<SizeRow>,
    /// One for each size.
    pub gains: Vec<Gain>,
}

/// Draws fleets of `devices` devices with 1 to 10 tasks each and 1 to 3 edge servers, whatever training saw.
pub(crate) fn draw(stream: &str, devices: usize, count: usize) -> Result<Vec<Case>, Error> {
    let mut random = random::stream(0, &format!("{stream}/{devices}"));
    (0..count).map(|_| draw_one(devices, &mut random)).collect()
}

fn draw_one(devices: usize, random: &mut Stream) -> Result<Case, Error> {
    let (tasks, edges) = (1 + random::below(random, 10), 1 + random::below(random, 3));
    let scenario = Fleets::default().draw_shaped(devices, tasks, edges, random);
    let model = scenario.check().map_err(sim::ScenarioError::from)?;
    let sizes = random::stream_of(0, "sizes of a held-out fleet", &[random::unit(random)]);
    let instance = Workloads::new(&model, SizeSampler::new(&scenario)?, Part::HeldOut, sizes).draw();
    let mut case = Case { instance, best: f64::INFINITY };
    for scheme in [&mut Annealing::new(2, LONG) as &mut dyn Scheme, &mut LocalSearch::new()] {
        let solution = scheme.decide(&case.instance.model, &case.instance.workload)?;
        case.best = case.best.min(case.instance.cost(solution.decision.places()));
    }
    Ok(case)
}

/// Lets the networks of a record and classic schemes decide `fleets` fleets of each size; `done` is told how many sizes are
/// done. Options of the record's networks are those that comparisons show.
///
/// # Errors
/// If a scheme cannot decide a fleet, or the networks are not for any fleet.
pub fn evaluate(
    record: &Record,
    fleets: usize,
    device: &Device,
    done: &mut dyn FnMut(usize),
) -> Result<Findings, Error> {
    let mut findings = Findings { rows: Vec::new(), gains: Vec::new() };
    for (index, devices) in DEVICES.into_iter().enumerate() {
        findings.add_size(record, devices, fleets, device)?;
        done(index + 1);
    }
    Ok(findings)
}

impl Findings {
    fn add_size(&mut self, record: &Record, devices: usize, fleets: usize, device: &Device) -> Result<(), Error> {
        let mut cases = draw("fleets of a study", devices, fleets)?;
        let Some(first) = cases.first() else { return Ok(()) };
        // Networks for any fleet take every model.
        let mut networks = comparison::schemes_of(record, "", &first.instance.model, device);
        let mut found: Vec<(String, Vec<Answer>)> = Vec::new();
        for name in CLASSIC {
            let mut answers = Vec::new();
            for case in &mut cases {
                answers.push(answer(&mut *scheme::by_name(name, &case.instance.model, 1)?, case)?);
            }
            found.push((name.to_owned(), answers));
        }
        for network in &mut networks {
            let mut answers = Vec::new();
            for case in &mut cases {
                answers.push(answer(&mut **network, case)?);
            }
            found.push((network.name().to_owned(), answers));
        }
        self.add_rows(devices, &found, &cases);
        Ok(())
    }

    fn add_rows(&mut self, devices: usize, found: &[(String, Vec<Answer>)], cases: &[Case]) {
        let ratios = |answers: &[Answer]| -> Vec<f64> {
            answers.iter().zip(cases).map(|(answer, case)| case.best / answer.cost).collect()
        };
        for (scheme, answers) in found {
            let q2 = Spread::of(&ratios(answers));
            let mean = |value: fn(&Answer) -> f64| answers.iter().map(value).sum::<f64>() / answers.len() as f64;
            self.rows.push(SizeRow {
                devices,
                scheme: scheme.clone(),
                q2: q2.mean,
                q2_low: q2.low,
                q2_high: q2.high,
                prices_per_task: mean(|answer| answer.prices_per_task),
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

    /// The measures that a record keeps: Q2 of each scheme at each size.
    pub fn measures(&self) -> BTreeMap<String, f64> {
        let named = |row: &SizeRow| {
            let scheme = row.scheme.replace(['-', '@'], "_");
            (format!("q2_{scheme}_{}_devices", row.devices), row.q2)
        };
        self.rows.iter().map(named).collect()
    }

    /// Draws Q2 over the number of devices, and against cost evaluations and time for the largest fleets, as an SVG file.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub fn draw(&self, path: &Path) -> Result<(), Error> {
        let svg = picture(self).map_err(|reason| Error::Picture { path: path.to_owned(), reason })?;
        write_file(path, svg.as_bytes())
    }
}

struct Answer {
    cost: f64,
    prices_per_task: f64,
    microseconds: f64,
}

/// Decides one fleet; a cost below the best known is the best known from now on.
fn answer(scheme: &mut dyn Scheme, case: &mut Case) -> Result<Answer, Error> {
    let begin = Instant::now();
    let solution = scheme.decide(&case.instance.model, &case.instance.workload)?;
    let microseconds = begin.elapsed().as_secs_f64() * 1e6;
    let cost = case.instance.cost(solution.decision.places());
    case.best = case.best.min(cost);
    let tasks = case.instance.model.task_count();
    Ok(Answer { cost, prices_per_task: solution.evaluations as f64 / tasks as f64, microseconds })
}

/// Q2 over the number of devices, and against cost evaluations and time of the largest fleets.
fn picture(findings: &Findings) -> Result<String, String> {
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
    let y = || Axis::Ratio { label: "Q2, against the best known" };
    let largest = DEVICES[DEVICES.len() - 1];
    let panels = [
        Panel {
            title: "Fleets of all sizes".to_owned(),
            x: Axis::Log { label: "devices" },
            y: y(),
            series: series(|row| row.devices as f64, Style::Markers, None),
        },
        Panel {
            title: format!("{largest} devices: what is asked for"),
            x: Axis::Log { label: "prices a task" },
            y: y(),
            series: series(|row| row.prices_per_task, Style::Points, Some(largest)),
        },
        Panel {
            title: format!("{largest} devices: how long it takes"),
            x: Axis::Log { label: "µs a decision" },
            y: y(),
            series: series(|row| row.microseconds_per_decision, Style::Points, Some(largest)),
        },
    ];
    chart::picture(&panels, Palette::Distinct)
}
