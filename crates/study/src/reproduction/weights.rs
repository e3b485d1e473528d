//! Fig. 14: all schemes over α, the weight of energy against time.

use data::Evaluation;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::statistics::Spread;

use super::finished::{FinishedRun, of_each};
use super::part::Part;
use super::rows::{Q2, spread_header, spread_row};
use super::scope::{Experiment, Scope};
use crate::error::Error;
use crate::page::Figure;

/// Schemes that the figure leaves out: their curves show nothing.
const NOT_SHOWN: [&str; 3] = ["random", "exact", "mr-dro-explored"];

/// The experiments that the figure needs.
pub(super) fn experiments(scope: &Scope) -> Result<Vec<Experiment>, Error> {
    let mut all = Vec::new();
    for (scenario, training) in scope.pairs() {
        for &alpha in scope.alphas() {
            all.push(scope.default(&scope.with_alpha(scenario, alpha)?, training));
        }
    }
    Ok(all)
}

/// All schemes over α: Fig. 14.
pub(super) fn fig14(scope: &Scope) -> Result<Figure, Error> {
    let mut rows = vec![spread_header(&["scenario", "scheme", "alpha", "measure"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let series = series(scope, scenario, &mut rows)?;
        let x = Axis::Linear { label: "α, weight of energy" };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    let command = match scope.pairs().next() {
        Some((scenario, training)) => {
            scope.default(&scope.with_alpha(scenario, scope.alphas()[0])?, training).command("1")
        }
        None => String::new(),
    };
    Ok(Figure {
        id: Part::Fig14.name(),
        title: "All schemes over α".to_owned(),
        text: "Q2 of every scheme on scenarios that differ in α alone; mean costs are in the data. The paper: MR-DRO is best at every α."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command,
    })
}

/// One series for each scheme on one scenario.
fn series(scope: &Scope, scenario: &str, rows: &mut Vec<Vec<String>>) -> Result<Vec<Series>, Error> {
    let mut series: Vec<Series> = Vec::new();
    for &alpha in scope.alphas() {
        for (index, training) in scope.trainings.iter().enumerate() {
            let runs = scope.finished(&scope.default(&scope.with_alpha(scenario, alpha)?, training))?;
            let Some(first) = runs.first() else { continue };
            for Evaluation { scheme, .. } in &first.results.evaluations {
                let is_trained = scheme == "mr-dro";
                // The classic schemes do not depend on the training.
                if !is_trained && index > 0 || NOT_SHOWN.contains(&scheme.as_str()) {
                    continue;
                }
                let label = if is_trained { format!("mr-dro, {training}") } else { scheme.clone() };
                let mut add_row = |measure: &str, spread: &Spread| {
                    rows.push(spread_row(&[scenario, &label, &alpha.to_string(), measure], spread));
                };
                if let Some(costs) = spread_of(&runs, scheme, |evaluation| Some(evaluation.mean_cost)) {
                    add_row("mean_cost", &costs);
                }
                if let Some(q2) = spread_of(&runs, scheme, |evaluation| evaluation.q2) {
                    add_row("q2", &q2);
                    add_point(&mut series, &label, Point::new(alpha, &q2));
                }
            }
        }
    }
    Ok(series)
}

/// The spread of a measure of one scheme over the runs.
fn spread_of(runs: &[FinishedRun], scheme: &str, measure: fn(&Evaluation) -> Option<f64>) -> Option<Spread> {
    of_each(runs, |run| run.evaluation(scheme).and_then(measure)).map(|values| Spread::of(&values))
}

/// Adds a point to the series of this label, which is made if it is not there.
pub(super) fn add_point(series: &mut Vec<Series>, label: &str, point: Point) {
    match series.iter_mut().find(|series| series.label == label) {
        Some(series) => series.points.push(point),
        None => series.push(Series { label: label.to_owned(), style: Style::Markers, points: vec![point] }),
    }
}
