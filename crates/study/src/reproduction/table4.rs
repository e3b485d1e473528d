//! Table IV: all schemes on one scenario.

use data::Evaluation;
use mrdro::Problem;
use mrdro::statistics::Spread;

use super::ddlo;
use super::evaluations::KeptEvaluations;
use super::finished::FinishedRun;
use super::scope::{Experiment, Scope};
use crate::error::Error;
use crate::page::{Table, cells, drop_empty_column};

/// A row of Table IV as the paper prints it.
struct Printed {
    /// The name of the scheme here.
    scheme: &'static str,
    /// Its name in the paper.
    name: &'static str,
    energy_j: f64,
    q2: f64,
}

const PRINTED: [Printed; 8] = [
    printed("local-only", "Local-only", 2900.0, 0.14),
    printed("edge-only", "ES-only", 564.0, 0.68),
    printed("cloud-only", "CS-only", 580.0, 0.70),
    printed("local+edge", "Local & ES", 550.0, 0.74),
    printed("local+cloud", "Local & CS", 520.0, 0.78),
    printed("genetic", "Genetic", 468.0, 0.87),
    printed("mr-dro", "MR-DRO", 432.0, 0.94),
    printed("exact", "Exhaustive search", 408.0, 1.0),
];

const fn printed(scheme: &'static str, name: &'static str, energy_j: f64, q2: f64) -> Printed {
    Printed { scheme, name, energy_j, q2 }
}

/// Schemes that have rows of their own, below the classic ones.
const SHOWN_LAST: [&str; 3] = ["mr-dro", "mr-dro-explored", "exact"];

/// The share of missed deadlines; a column only where tasks have deadlines.
const MISSED: &str = "missed %";

const HEADER: [&str; 12] = [
    "scheme",
    "energy J",
    "time s",
    "cost",
    MISSED,
    "Q2",
    "95 % interval",
    "Q2 p5",
    "prices",
    "µs a decision",
    "paper: J",
    "paper: Q2",
];

/// The experiments that the table needs.
pub(super) fn experiments(scope: &Scope) -> Result<Vec<Experiment>, Error> {
    let mut all = Vec::new();
    for scenario in &scope.scenarios {
        all.extend(scope.trainings.iter().map(|training| scope.default(scenario, training)));
        if scope.includes_paper() {
            all.extend([scope.random_start(scenario, "paper"), ddlo::experiment(scope, scenario)?]);
        }
    }
    Ok(all)
}

/// Table IV on one scenario, with further schemes and measures.
pub(super) fn table(scope: &Scope, scenario: &str, kept: &mut KeptEvaluations) -> Result<Table, Error> {
    let mut rows = vec![cells(HEADER)];
    let mut trained = Vec::new();
    for training in &scope.trainings {
        trained.push((training, scope.finished(&scope.default(scenario, training))?));
    }
    let Some((_, first)) = trained.first() else { return Ok(Table { title: scenario.to_owned(), rows }) };
    rows.extend(classic_rows(first));
    if scope.includes_paper() {
        rows.extend(ddlo_row(scope, scenario, kept)?);
        let random = scope.finished(&scope.random_start(scenario, "paper"))?;
        rows.extend(row("DDTO (random start, all places)", None, &evaluations(&random, "mr-dro")));
    }
    for (training, runs) in &trained {
        let printed = if *training == "paper" { printed_row("mr-dro") } else { None };
        rows.extend(row(&format!("MR-DRO, {training}"), printed, &evaluations(runs, "mr-dro")));
        rows.extend(row(&format!("MR-DRO, {training}, explored"), None, &evaluations(runs, "mr-dro-explored")));
    }
    rows.extend(row("exact (Exhaustive search)", printed_row("exact"), &evaluations(first, "exact")));
    drop_empty_column(&mut rows, MISSED);
    Ok(Table { title: format!("Table IV on `{scenario}`"), rows })
}

fn printed_row(scheme: &str) -> Option<&'static Printed> {
    PRINTED.iter().find(|printed| printed.scheme == scheme)
}

/// The evaluations of a scheme in all runs that have it.
fn evaluations(runs: &[FinishedRun], scheme: &str) -> Vec<Evaluation> {
    runs.iter().filter_map(|run| run.evaluation(scheme).cloned()).collect()
}

/// One row for each classic scheme.
fn classic_rows(runs: &[FinishedRun]) -> Vec<Vec<String>> {
    let Some(first) = runs.first() else { return Vec::new() };
    let classic = first.results.evaluations.iter().map(|evaluation| evaluation.scheme.as_str());
    let of_scheme = |scheme: &str| {
        let printed = printed_row(scheme);
        let label = printed.map_or(scheme.to_owned(), |printed| format!("{scheme} ({})", printed.name));
        row(&label, printed, &evaluations(runs, scheme))
    };
    classic.filter(|scheme| !SHOWN_LAST.contains(scheme)).filter_map(of_scheme).collect()
}

/// The row of DDLO; `None` if the scenario has no cloud to leave out.
fn ddlo_row(scope: &Scope, scenario: &str, kept: &mut KeptEvaluations) -> Result<Option<Vec<String>>, Error> {
    if scope.without_cloud(scenario)? == scenario {
        return Ok(None);
    }
    let problem = Problem::load(scenario)?;
    let set = problem.standard_set()?;
    let evaluations = ddlo::evaluations(scope, scenario, (&problem, &set), kept)?;
    Ok(row("DDLO (local and edge)", None, &evaluations))
}

/// A row of means over the runs; `None` if there is no run.
fn row(label: &str, printed: Option<&Printed>, evaluations: &[Evaluation]) -> Option<Vec<String>> {
    if evaluations.is_empty() {
        return None;
    }
    let mean = |value: fn(&Evaluation) -> f64| evaluations.iter().map(value).sum::<f64>() / evaluations.len() as f64;
    let spread = |value: fn(&Evaluation) -> Option<f64>| -> Option<Spread> {
        let values: Option<Vec<f64>> = evaluations.iter().map(value).collect();
        values.map(|values| Spread::of(&values))
    };
    let (q2, p05) = (spread(|evaluation| evaluation.q2), spread(|evaluation| evaluation.q2_p05));
    let missed = spread(|evaluation| evaluation.share_of_missed_deadlines);
    let ratio = |spread: Option<Spread>| spread.map_or_else(String::new, |spread| format!("{:.5}", spread.mean));
    Some(vec![
        label.to_owned(),
        format!("{:.1}", mean(|evaluation| evaluation.mean_energy_j)),
        format!("{:.1}", mean(|evaluation| evaluation.mean_time_s)),
        format!("{:.2}", mean(|evaluation| evaluation.mean_cost)),
        missed.map_or_else(String::new, |spread| format!("{:.2}", 100.0 * spread.mean)),
        ratio(q2),
        q2.map_or_else(String::new, |spread| format!("{:.5}–{:.5}", spread.low, spread.high)),
        ratio(p05),
        format!("{:.0}", mean(|evaluation| evaluation.evaluations_per_decision)),
        format!("{:.2}", 1e6 * mean(|evaluation| evaluation.seconds_per_decision)),
        printed.map_or_else(String::new, |printed| format!("{:.0}", printed.energy_j)),
        printed.map_or_else(String::new, |printed| format!("{:.2}", printed.q2)),
    ])
}
