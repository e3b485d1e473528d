//! A claim with its verdict, and estimates with their intervals.

use std::fmt::Display;

use mrdro::statistics::student_interval;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::page::cells;

/// What was read of a source whose abstract alone was at hand.
pub(super) const ABSTRACT: &str = "abstract";
/// There is no source: the question is one of this project.
pub(super) const OWN: &str = "own question";

/// A claim of a system of Table I, or a question that it leaves open, with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Finding {
    /// The system, as Table I calls it, or the authors.
    pub(super) system: String,
    /// What was read of its source.
    pub(super) read: String,
    pub(super) claim: String,
    /// The problems, and how many of them.
    pub(super) measured_on: String,
    /// `None`: a question without a claim.
    pub(super) holds: Option<bool>,
    /// The number that decides the claim.
    pub(super) number: Estimate,
    /// What the number is, and what was measured beside it.
    pub(super) measured: String,
}

impl Finding {
    pub(super) fn header() -> Vec<String> {
        cells(["system", "read", "claim or question", "measured on", "verdict", "number", "95 % interval", "measured"])
    }

    pub(super) fn row(&self) -> Vec<String> {
        let verdict = match self.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "",
        };
        let Self { system, read, claim, measured_on, number, measured, .. } = self;
        cells([system, read, claim, measured_on, verdict, &number.shown_mean(), &number.shown_interval(), measured])
    }
}

/// A mean over seeds, paths or problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    /// The 95 % interval of the mean by Student's t; `None` with fewer than two values.
    pub(super) interval: Option<(f64, f64)>,
    /// The unit, with its space; empty for a pure number.
    pub(super) unit: String,
}

impl Estimate {
    /// The mean of values; 0 of none.
    pub(super) fn of(values: &[f64], unit: &str) -> Self {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Self { mean, interval: student_interval(values), unit }
    }

    /// The mean of shares, in percent.
    pub(super) fn percent(shares: &[f64]) -> Self {
        let percent: Vec<f64> = shares.iter().map(|share| 100.0 * share).collect();
        Self::of(&percent, "%")
    }

    /// The lower end of the interval; without an interval the mean.
    pub(super) fn low(&self) -> f64 {
        self.interval.map_or(self.mean, |(low, _)| low)
    }

    /// The upper end.
    pub(super) fn high(&self) -> f64 {
        self.interval.map_or(self.mean, |(_, high)| high)
    }

    fn shown_mean(&self) -> String {
        format!("{}{}", rounded(self.mean), self.unit)
    }

    fn shown_interval(&self) -> String {
        self.interval
            .map_or_else(String::new, |(low, high)| format!("{} to {}{}", rounded(low), rounded(high), self.unit))
    }

    /// The mean with its interval, for running text.
    pub(super) fn shown(&self) -> String {
        match self.interval {
            Some((low, high)) => format!("{} ({} to {}){}", rounded(self.mean), rounded(low), rounded(high), self.unit),
            None => self.shown_mean(),
        }
    }
}

/// A number with about three digits.
pub(super) fn rounded(number: f64) -> String {
    let decimals = match number.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        size if size >= 0.009_995 => 4,
        0.0 => 0,
        _ => return format!("{number:.1e}"),
    };
    format!("{number:.decimals$}")
}

/// By which share each cost lies above that of another scheme on the same path.
pub(super) fn changes(costs: &[f64], others: &[f64]) -> Vec<f64> {
    costs.iter().zip(others).map(|(cost, other)| cost / other - 1.0).collect()
}

/// Turns what goes wrong in a measurement into an error of this crate.
pub(super) fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> Error {
    move |error| Error::OverTime { what, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_about_three_digits() {
        let texts = [0.0, 123.45, 99.96, 12.345, 9.996, -1.2345, 0.12345, 0.012_345, 0.001_234].map(rounded);
        assert_eq!(texts, ["0", "123", "100", "12.3", "10.0", "-1.23", "0.123", "0.0123", "1.2e-3"]);
    }

    #[test]
    fn an_estimate_shows_its_mean_and_interval() {
        let estimate = Estimate::percent(&[0.1, 0.2, 0.3]);
        assert_eq!(estimate.shown(), "20.0 (-4.84 to 44.8) %");
        assert_eq!((estimate.shown_mean(), estimate.shown_interval()), ("20.0 %".into(), "-4.84 to 44.8 %".into()));
        let single = Estimate::of(&[2.0], "");
        assert_eq!((single.shown().as_str(), single.shown_interval().as_str()), ("2.00", ""));
        assert_eq!((single.low(), single.high()), (2.0, 2.0));
    }

    #[test]
    fn a_verdict_is_a_cell_of_the_row() {
        let finding = |holds| Finding {
            system: "eTime [11]".to_owned(),
            read: ABSTRACT.to_owned(),
            claim: "saves energy".to_owned(),
            measured_on: "a link".to_owned(),
            holds,
            number: Estimate::of(&[1.0], "J"),
            measured: String::new(),
        };
        let verdicts = [Some(true), Some(false), None].map(|holds| finding(holds).row()[4].clone());
        assert_eq!(verdicts, ["holds", "does not hold", ""]);
        assert_eq!(finding(None).row().len(), Finding::header().len());
    }
}
