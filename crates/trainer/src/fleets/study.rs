//! How good schemes are on fleets of all sizes that no training saw, what they ask for and how long they take.

use std::time::Instant;

use data::{Part, SizeSampler, Workloads};
use model::FleetRecord;
use serde::Serialize;
use sim::random::{self, Stream};
use sim::scheme::{self, Annealing, LocalSearch, Scheme};
use sim::{Fleets, Instance};

use super::policies;
use crate::error::AppError;
use crate::progress::Progress;
use crate::report::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use crate::statistics::Spread;

/// Numbers of devices that fleets are drawn with.
pub(crate) const DEVICES: [usize; 5] = [1, 3, 10, 30, 50];
/// Prices a task of the annealing that stands in for the optimum, beside everything else.
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
pub(crate) struct Case {
    pub(crate) instance: Instance,
    pub(crate) best: f64,
}

/// One scheme on fleets of one size.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SizeRow {
    pub(crate) devices: usize,
    pub(crate) scheme: String,
    /// Mean of the best cost known over the scheme's, and where it lies with 95 %.
    pub(crate) q2: f64,
    pub(crate) q2_low: f64,
    pub(crate) q2_high: f64,
    pub(crate) prices_per_task: f64,
    pub(crate) microseconds_per_decision: f64,
}

/// What the networks' search gains over the same budget without networks, fleet by fleet.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Gain {
    pub(crate) devices: usize,
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// All that was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Findings {
    pub(crate) rows: Vec<SizeRow>,
    pub(crate) gains: Vec<Gain>,
}

/// Draws fleets of so many devices, of 1 to 10 tasks and 1 to 3 edge servers, whatever training saw.
pub(crate) fn draw(stream: &str, devices: usize, count: usize) -> Result<Vec<Case>, AppError> {
    let mut random = random::stream(0, &format!("{stream}/{devices}"));
    (0..count).map(|_| draw_one(devices, &mut random)).collect()
}

fn draw_one(devices: usize, random: &mut Stream) -> Result<Case, AppError> {
    let (tasks, edges) = (1 + random::below(random, 10), 1 + random::below(random, 3));
    let scenario = Fleets::default().draw_shaped(devices, tasks, edges, random);
    let model = scenario.check()?;
    let sizes = random::stream_of(0, "sizes of a held-out fleet", &[random::unit(random)]);
    let instance = Workloads::new(&model, SizeSampler::new(&scenario)?, Part::HeldOut, sizes).draw();
    let mut case = Case { instance, best: f64::INFINITY };
    for scheme in [&mut Annealing::new(2, LONG) as &mut dyn Scheme, &mut LocalSearch::new()] {
        let solution = scheme.decide(&case.instance.model, &case.instance.workload)?;
        case.best = case.best.min(case.instance.cost(solution.decision.places()));
    }
    Ok(case)
}

/// Lets all schemes decide so many fleets of each size.
pub(crate) fn run(record: &FleetRecord, fleets: usize, progress: &Progress) -> Result<Findings, AppError> {
    let mut findings = Findings { rows: Vec::new(), gains: Vec::new() };
    for (index, devices) in DEVICES.into_iter().enumerate() {
        of_size(record, devices, fleets, &mut findings)?;
        progress.show(index + 1, None, None, None);
    }
    Ok(findings)
}

fn of_size(record: &FleetRecord, devices: usize, fleets: usize, findings: &mut Findings) -> Result<(), AppError> {
    let mut cases = draw("fleets of a study", devices, fleets)?;
    let mut networks = policies("", record);
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
    let ratios = |answers: &[Answer]| -> Vec<f64> {
        answers.iter().zip(&cases).map(|(answer, case)| case.best / answer.cost).collect()
    };
    for (scheme, answers) in &found {
        let q2 = Spread::of(&ratios(answers));
        let mean = |value: fn(&Answer) -> f64| answers.iter().map(value).sum::<f64>() / answers.len() as f64;
        findings.rows.push(SizeRow {
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
        findings.gains.push(Gain { devices, mean, low, high });
    }
    Ok(())
}

struct Answer {
    cost: f64,
    prices_per_task: f64,
    microseconds: f64,
}

/// Decides one fleet; a cost below the best known is the best known from now on.
fn answer(scheme: &mut dyn Scheme, case: &mut Case) -> Result<Answer, AppError> {
    let begin = Instant::now();
    let Instance { model, workload } = &case.instance;
    let solution = scheme.decide(model, workload)?;
    let microseconds = begin.elapsed().as_secs_f64() * 1e6;
    let cost = case.instance.cost(solution.decision.places());
    let prices_per_task = solution.evaluations as f64 / model.task_count() as f64;
    case.best = case.best.min(cost);
    Ok(Answer { cost, prices_per_task, microseconds })
}

/// Q2 over the number of devices, and against prices and time of the largest fleets.
pub(crate) fn picture(findings: &Findings) -> Result<String, String> {
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
