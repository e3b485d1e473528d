//! Names of schemes for slots: every scheme that can be asked for, with its numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Delayed, Forecast, Hindsight, Offloading, Rule, RuleScheme, SlotScheme, ValueIteration, WifiStay};
use crate::stream::dispatch::scheme::DispatchSchemeKind;
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::problem::SlotProblem;
use crate::suggestion::nearest;

use super::value_iteration::ValueIterationModel;

/// A number of a scheme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name, with its unit.
    pub name: &'static str,
    /// The smallest value that is tried when it is tuned.
    pub min: f64,
    /// The largest one.
    pub max: f64,
    /// The value where none is given.
    pub default: f64,
    /// Whether it is tuned on a scale of ratios rather than of differences.
    pub is_ratio: bool,
    /// When it is tuned.
    pub tuned: Tuned,
}

/// When a number is tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuned {
    /// Always.
    Always,
    /// Where radios have a tail.
    WithTail,
    /// Never: it says what the scheme is.
    Never,
}

const fn ratio(name: &'static str, min: f64, max: f64, default: f64) -> Parameter {
    Parameter { name, min, max, default, is_ratio: true, tuned: Tuned::Always }
}

const RATE: Parameter = ratio("rate over load", 0.05, 50.0, 4.0);
const AGE: Parameter = ratio("age in s", 5.0, 600.0, 60.0);
const POWER_VALUE: Parameter = ratio("value", 0.1, 3000.0, 8.0);
const EXPONENT: Parameter =
    Parameter { name: "exponent", min: 0.0, max: 2.0, default: 0.3, is_ratio: false, tuned: Tuned::Always };
const RAW_VALUE: Parameter = ratio("value in bytes^2 per J", 1e6, 1e18, 1e12);
const SCALED_VALUE: Parameter = ratio("value in s", 0.1, 1e5, 100.0);
const HYSTERESIS: Parameter =
    Parameter { name: "hysteresis", min: 0.0, max: 4.0, default: 0.0, is_ratio: false, tuned: Tuned::WithTail };
const HORIZON: Parameter =
    Parameter { name: "horizon in s", min: 0.0, max: 86_400.0, default: 15.0, is_ratio: false, tuned: Tuned::Never };
const LATER: Parameter = ratio("price of later in units of power over load", 0.01, 10.0, 0.3);
const SCALE: Parameter = ratio("scale of the delay price", 0.5, 2.0, 1.0);
const WAIT: Parameter = ratio("wait in s", 1.0, 3600.0, 60.0);

type Build = fn(&str, &[f64]) -> Box<dyn SlotScheme>;

/// One line of the table.
struct Entry {
    name: &'static str,
    parameters: &'static [Parameter],
    /// The most and fewest links.
    links: (usize, usize),
    /// `None`: value iteration, which needs a model.
    build: Option<Build>,
}

fn rule(name: &str, rule: Rule, hysteresis: f64) -> Box<dyn SlotScheme> {
    Box::new(RuleScheme::new(name, rule, hysteresis))
}

/// All schemes, the optimum last. A new scheme is one line here.
const TABLE: &[Entry] = &[
    entry("at-once", &[], |name, _| rule(name, Rule::AtOnce, 0.0)),
    entry("threshold", &[RATE, HYSTERESIS], |name, p| rule(name, Rule::Threshold { rate: p[0] }, p[1])),
    entry("threshold-or-age", &[RATE, AGE, HYSTERESIS], |name, p| {
        rule(name, Rule::ThresholdOrAge { rate: p[0], age_s: p[1] }, p[2])
    }),
    entry("power-rule", &[POWER_VALUE, EXPONENT, HYSTERESIS], |name, p| {
        rule(name, Rule::Power { value: p[0], exponent: p[1] }, p[2])
    }),
    entry("lyapunov", &[RAW_VALUE, HYSTERESIS], |name, p| rule(name, Rule::Lyapunov { value: p[0] }, p[1])),
    entry("etime", &[RAW_VALUE, HYSTERESIS], |name, p| rule(name, Rule::Etime { value: p[0] }, p[1])),
    entry("lyapunov-scaled", &[SCALED_VALUE, HYSTERESIS], |name, p| {
        rule(name, Rule::LyapunovScaled { value: p[0] }, p[1])
    }),
    Entry { links: (2, usize::MAX), ..entry("delayed", &[WAIT], |name, p| Box::new(Delayed::new(name, p[0]))) },
    Entry {
        links: (2, usize::MAX),
        ..entry("ood", &[SCALED_VALUE], |name, p| Box::new(Offloading::new(name, p[0], WifiStay::Random)))
    },
    Entry {
        links: (2, usize::MAX),
        ..entry("ood-known", &[SCALED_VALUE], |name, p| Box::new(Offloading::new(name, p[0], WifiStay::Known)))
    },
    Entry { name: "value-iteration", parameters: &[SCALE], links: (1, 1), build: None },
    entry("forecast", &[HORIZON, LATER], |name, p| Box::new(Forecast::new(name, p[0], p[1]))),
    entry("hindsight", &[], |_, _| Box::new(Hindsight::default())),
];

const fn entry(name: &'static str, parameters: &'static [Parameter], build: Build) -> Entry {
    Entry { name, parameters, links: (1, usize::MAX), build: Some(build) }
}

/// A scheme for slots by its name, with its numbers behind an @: `threshold@4`, `threshold-or-age@4,60`, `forecast@15`.
/// Numbers that are left out have their defaults.
///
/// ```
/// use sim::stream::slots::scheme::SlotSchemeKind;
///
/// let kind: SlotSchemeKind = "threshold-or-age@4,60".parse()?;
/// assert_eq!(kind.build(None)?.name(), "threshold-or-age@4,60");
/// let error = "treshold@4".parse::<SlotSchemeKind>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `threshold@4`?"));
/// # Ok::<(), sim::stream::slots::SlotSchemeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSchemeKind {
    name: &'static str,
    given: Vec<f64>,
}

impl SlotSchemeKind {
    /// All schemes that decide a problem, with default numbers. The optimum is last.
    pub fn all(problem: &SlotProblem) -> Vec<Self> {
        let decides = |entry: &&Entry| (entry.links.0..=entry.links.1).contains(&problem.links());
        TABLE.iter().filter(decides).map(|entry| Self { name: entry.name, given: Vec::new() }).collect()
    }

    /// The names of all schemes.
    pub fn names() -> Vec<&'static str> {
        TABLE.iter().map(|entry| entry.name).collect()
    }

    /// The name without numbers.
    pub fn scheme(&self) -> &'static str {
        self.name
    }

    /// The numbers that the scheme takes.
    pub fn parameters(&self) -> &'static [Parameter] {
        self.entry().map_or(&[], |entry| entry.parameters)
    }

    /// The values of its numbers, defaults included.
    pub fn values(&self) -> Vec<f64> {
        let parameters = self.parameters().iter().enumerate();
        parameters.map(|(index, parameter)| self.given.get(index).copied().unwrap_or(parameter.default)).collect()
    }

    /// The same scheme with these numbers.
    ///
    /// # Errors
    /// If there are too many of them, or one is not a number from 0.
    pub fn with_values(&self, values: &[f64]) -> Result<Self, SlotSchemeError> {
        let parameters = self.parameters();
        if values.len() > parameters.len() || values.iter().any(|value| !(*value >= 0.0 && value.is_finite())) {
            let takes = parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", then ");
            let takes = if takes.is_empty() { "none".to_owned() } else { format!("{takes}, each a number from 0") };
            return Err(SlotSchemeError::Parameters { name: self.name, takes, given: joined(values) });
        }
        Ok(Self { name: self.name, given: values.to_vec() })
    }

    /// Whether the scheme has a number that is tuned, where radios have a tail or not.
    pub fn is_tunable(&self, has_tail: bool) -> bool {
        self.parameters().iter().any(|parameter| match parameter.tuned {
            Tuned::Always => true,
            Tuned::WithTail => has_tail,
            Tuned::Never => false,
        })
    }

    /// Whether the scheme is built from a [`ValueIterationModel`].
    pub fn needs_model(&self) -> bool {
        self.entry().is_some_and(|entry| entry.build.is_none())
    }

    /// Makes the scheme. `model` is for value iteration.
    ///
    /// # Errors
    /// If value iteration gets no model.
    pub fn build(&self, model: Option<&Arc<ValueIterationModel>>) -> Result<Box<dyn SlotScheme>, SlotSchemeError> {
        let (name, values) = (self.to_string(), self.values());
        match (self.entry().and_then(|entry| entry.build), model) {
            (Some(build), _) => Ok(build(&name, &values)),
            (None, Some(model)) => Ok(Box::new(ValueIteration::new(&name, Arc::clone(model), values[0]))),
            (None, None) => Err(SlotSchemeError::NoTraining { scheme: self.name }),
        }
    }

    fn entry(&self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.name == self.name)
    }
}

fn joined(values: &[f64]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for SlotSchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.given.is_empty() { Ok(()) } else { write!(f, "@{}", joined(&self.given)) }
    }
}

impl FromStr for SlotSchemeKind {
    type Err = SlotSchemeError;

    fn from_str(text: &str) -> Result<Self, SlotSchemeError> {
        let (name, numbers) = text.split_once('@').map_or((text, None), |(name, numbers)| (name, Some(numbers)));
        let entry = TABLE.iter().find(|entry| entry.name == name).ok_or_else(|| unknown(name, numbers))?;
        let kind = Self { name: entry.name, given: Vec::new() };
        let Some(numbers) = numbers else { return Ok(kind) };
        let values: Vec<f64> = numbers.split(',').map(|number| number.parse().unwrap_or(f64::NAN)).collect();
        kind.with_values(&values).map_err(|error| match error {
            SlotSchemeError::Parameters { name, takes, .. } => {
                SlotSchemeError::Parameters { name, takes, given: numbers.to_owned() }
            }
            error => error,
        })
    }
}

fn unknown(name: &str, numbers: Option<&str>) -> SlotSchemeError {
    let names = SlotSchemeKind::names();
    let numbers = numbers.map_or_else(String::new, |numbers| format!("@{numbers}"));
    if DispatchSchemeKind::has(name) {
        return SlotSchemeError::ForDispatch { name: format!("{name}{numbers}"), known: names };
    }
    let suggestion = nearest(name, names.iter().copied()).map(|near| format!("{near}{numbers}"));
    SlotSchemeError::Unknown { name: format!("{name}{numbers}"), known: names, suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in SlotSchemeKind::names() {
            let kind: SlotSchemeKind = name.parse().expect("a name");
            assert_eq!(kind.to_string(), name);
            let full = kind.with_values(&kind.values()).expect("defaults fit");
            assert_eq!(full.to_string().parse::<SlotSchemeKind>().expect("a name"), full);
        }
    }

    #[test]
    fn wrong_names_and_numbers_are_explained() {
        let error = |text: &str| text.parse::<SlotSchemeKind>().expect_err("wrong").to_string();
        assert!(error("lyapunow@3").contains("did you mean `lyapunov@3`?"), "{}", error("lyapunow@3"));
        assert!(error("nothing-like-it").contains("there are at-once, threshold"));
        for name in ["greedy", "priced@1,2,3,2", "edge-only"] {
            let start = format!("`{name}` is a scheme for scenarios that dispatch tasks, such as `dispatch`");
            assert!(error(name).starts_with(&start), "{}", error(name));
        }
        assert!(error("at-once@1").contains("takes these numbers behind its @: none; `1` does not fit"));
        assert!(error("threshold@x").contains("rate over load, then hysteresis"));
        assert!(error("threshold@1,2,3").contains("`1,2,3` does not fit"));
        let kind: SlotSchemeKind = "value-iteration".parse().expect("a name");
        assert!(kind.build(None).err().expect("no model").to_string().contains("training paths"));
    }
}
