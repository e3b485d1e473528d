//! Fleets from one device to fifty, compared with the exact optimum.

use data::Evaluation;
use model::Record;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::statistics::Spread;
use mrdro::{Problem, evaluate_all, schemes_of};

use super::evaluations::KeptEvaluations;
use super::finished::backend_of_records;
use super::part::Part;
use super::rows::{Q2, evaluation_header, evaluation_row, finish_evaluation_rows};
use super::scope::{Experiment, Scope};
use super::weights::add_point;
use crate::error::Error;
use crate::page::Figure;

/// Numbers of devices, and of tasks of each.
const FLEETS: [(usize, usize); 7] = [(1, 3), (2, 3), (3, 3), (5, 5), (10, 5), (20, 10), (50, 20)];
/// Numbers of devices and tasks with `--quick`.
const QUICK_FLEETS: [(usize, usize); 3] = [(1, 3), (3, 3), (10, 5)];
/// The number of tasks from which on one seed is trained only.
const LARGE: usize = 1000;
/// The number of seeds of smaller fleets.
const SEEDS: usize = 3;
/// Schemes whose evaluations come from the runs.
const SHOWN: [&str; 5] = ["greedy-largest-first", "genetic", "local-search", "mr-dro", "mr-dro-explored"];

fn fleets(scope: &Scope) -> &'static [(usize, usize)] {
    if scope.quick { &QUICK_FLEETS } else { &FLEETS }
}

/// The training for a fleet of this size.
fn experiment(scope: &Scope, scenario: &str, (devices, tasks): (usize, usize)) -> Result<Experiment, Error> {
    let scenario = scope.with_fleet(scenario, devices, tasks)?;
    let settings = ["drl.steps=4000".to_owned(), "meta.metadata=3000".to_owned()];
    let most_seeds = if devices * tasks >= LARGE { 1 } else { SEEDS };
    Ok(Experiment { most_seeds, ..scope.experiment(&scenario, "recommended", &settings) })
}

/// The experiments that the figure needs, on the last scenario, the largest fleet first.
pub(super) fn experiments(scope: &Scope) -> Result<Vec<Experiment>, Error> {
    let Some(scenario) = scope.scenarios.last() else { return Ok(Vec::new()) };
    fleets(scope).iter().rev().map(|&fleet| experiment(scope, scenario, fleet)).collect()
}

/// Q2 on fleets of all sizes.
pub(super) fn figure(scope: &Scope, kept: &mut KeptEvaluations) -> Result<Figure, Error> {
    let mut rows = vec![evaluation_header(&["scenario", "fleet", "scheme", "run"])];
    let (mut panels, mut command) = (Vec::new(), String::new());
    if let Some(scenario) = scope.scenarios.last() {
        let mut series = trained_series(scope, scenario, &mut rows)?;
        series.extend(any_fleet_series(scope, scenario, &mut rows, kept)?);
        let names = fleets(scope).iter().map(|&fleet| fleet_name(fleet)).collect();
        let x = Axis::Named { label: "devices × tasks", names };
        panels.push(Panel { title: format!("scenario {scenario}, training recommended"), x, y: Q2, series });
        command = experiment(scope, scenario, (10, 5))?.command("1");
    }
    Ok(Figure {
        id: Part::Fleets.name(),
        title: "Fleets from 1 × 3 to 50 × 20".to_owned(),
        text: "Q2 against the exact optimum, which dedicated servers leave within reach at every size. 4,000 steps of Algorithm 2, \
               up to three seeds, one for 50 × 20; mr-dro-fleet is one record for all of them, which was trained on other fleets."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows: finish_evaluation_rows(rows),
        command,
    })
}

fn fleet_name((devices, tasks): (usize, usize)) -> String {
    format!("{devices} × {tasks}")
}

/// The networks that were trained for each fleet, and classic schemes to compare them with.
fn trained_series(scope: &Scope, scenario: &str, rows: &mut Vec<Vec<String>>) -> Result<Vec<Series>, Error> {
    let mut series = Vec::new();
    for scheme in SHOWN {
        let mut points = Vec::new();
        for (index, &fleet) in fleets(scope).iter().enumerate() {
            let mut q2 = Vec::new();
            for run in scope.finished(&experiment(scope, scenario, fleet)?)? {
                let Some(evaluation) = run.evaluation(scheme) else { continue };
                rows.push(evaluation_row(&[scenario, &fleet_name(fleet), scheme, &run.name()], evaluation));
                q2.extend(evaluation.q2);
            }
            if !q2.is_empty() {
                points.push(Point::new(index as f64, &Spread::of(&q2)));
            }
        }
        series.push(Series { label: scheme.to_owned(), style: Style::Markers, points });
    }
    Ok(series)
}

/// The shipped networks for any fleet, which were not trained for any of these scenarios.
fn any_fleet_series(
    scope: &Scope,
    scenario: &str,
    rows: &mut Vec<Vec<String>>,
    kept: &mut KeptEvaluations,
) -> Result<Vec<Series>, Error> {
    let mut series: Vec<Series> = Vec::new();
    for (index, &fleet) in fleets(scope).iter().enumerate() {
        for evaluation in evaluate_any_fleet(scope, scenario, fleet, kept)? {
            let scheme = &evaluation.scheme;
            rows.push(evaluation_row(&[scenario, &fleet_name(fleet), scheme, "models/any-fleet"], &evaluation));
            match evaluation.q2 {
                Some(q2) => add_point(&mut series, scheme, Point::exact(index as f64, q2)),
                None => add_series(&mut series, scheme),
            }
        }
    }
    Ok(series)
}

/// Adds an empty series of this label if there is none.
fn add_series(series: &mut Vec<Series>, label: &str) {
    if series.iter().all(|series| series.label != label) {
        series.push(Series { label: label.to_owned(), style: Style::Markers, points: Vec::new() });
    }
}

/// The evaluations of the shipped networks for any fleet on one fleet.
fn evaluate_any_fleet(
    scope: &Scope,
    scenario: &str,
    (devices, tasks): (usize, usize),
    kept: &mut KeptEvaluations,
) -> Result<Vec<Evaluation>, Error> {
    let problem = Problem::load(&scope.with_fleet(scenario, devices, tasks)?)?;
    let measure = || {
        let device = backend_of_records()?.device;
        let manifest = include_bytes!("../../../../models/any-fleet/manifest.toml");
        let weights = include_bytes!("../../../../models/any-fleet/weights.bpk");
        let record = Record::from_bytes(manifest, weights, &device)?;
        let schemes = schemes_of(&record, "", &problem.model, &device);
        Ok(evaluate_all(schemes, &problem.standard_set()?)?)
    };
    kept.read_or_measure(&format!("{}-any-fleet", problem.scenario.name), measure)
}
