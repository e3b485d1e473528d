//! Rows of the data behind figures, and elements that their charts share.

use data::Evaluation;
use mrdro::chart::{Axis, Point, Series, Style};
use mrdro::statistics::Spread;

use super::finished::FinishedRun;
use crate::page::{cells, drop_empty_column};

/// The axis of Q1.
pub(super) const Q1: Axis = Axis::Ratio { label: "Q1, by the logarithm of the gap to 1" };
/// The axis of Q2.
pub(super) const Q2: Axis = Axis::Ratio { label: "Q2, by the logarithm of the gap to 1" };

/// The header above rows of [`spread_row`].
pub(super) fn spread_header(keys: &[&str]) -> Vec<String> {
    let numbers = ["runs", "mean", "interquartile_mean", "low", "high", "least", "greatest"];
    cells(keys.iter().chain(&numbers))
}

/// Keys and a spread as a row of cells.
pub(super) fn spread_row(keys: &[&str], spread: &Spread) -> Vec<String> {
    let Spread { count, mean, iqm, low, high, least, greatest } = *spread;
    let mut row = cells(keys);
    row.push(count.to_string());
    row.extend(cells([mean, iqm, low, high, least, greatest]));
    row
}

/// The name of the column of missed deadlines.
const MISSED: &str = "share_of_missed_deadlines";

/// The header above rows of [`evaluation_row`].
pub(super) fn evaluation_header(keys: &[&str]) -> Vec<String> {
    let numbers = ["q2", "q2_p05", "mean_cost", MISSED, "evaluations_per_decision", "seconds_per_decision"];
    cells(keys.iter().chain(&numbers))
}

/// Keys and an evaluation as a row of cells; an unknown value is an empty cell.
pub(super) fn evaluation_row(keys: &[&str], evaluation: &Evaluation) -> Vec<String> {
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let Evaluation { mean_cost, q2, q2_p05, evaluations_per_decision, seconds_per_decision, .. } = evaluation;
    let mut row = cells(keys);
    row.extend([optional(*q2), optional(*q2_p05)]);
    row.extend([mean_cost.to_string(), optional(evaluation.share_of_missed_deadlines)]);
    row.extend(cells([evaluations_per_decision, seconds_per_decision]));
    row
}

/// Rows of [`evaluation_row`] below their header, without the column of missed deadlines if no task has a deadline.
pub(super) fn finish_evaluation_rows(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    drop_empty_column(&mut rows, MISSED);
    rows
}

/// The title of a chart for one scenario and one training.
pub(super) fn pair_title(scenario: &str, training: &str) -> String {
    format!("scenario {scenario}, training {training}")
}

/// The points of spreads over steps.
pub(super) fn points_over_steps(spreads: &[(usize, Spread)]) -> Vec<Point> {
    spreads.iter().map(|(step, spread)| Point::new(*step as f64, spread)).collect()
}

/// Q2 of greedy in one run, as a level line from one place of the horizontal axis to another.
pub(super) fn greedy_line(runs: &[FinishedRun], from: f64, to: f64) -> Option<Series> {
    let q2 = runs.first()?.q2("greedy-largest-first")?;
    let points = vec![Point::exact(from, q2), Point::exact(to, q2)];
    Some(Series { label: "greedy, largest first".to_owned(), style: Style::Reference, points })
}
