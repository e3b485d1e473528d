//! Checks of the values of scenarios, for kinds of problem whose scenarios are checked value by value.

use crate::config::Mistake;
use crate::graph::Values;
use crate::limits::{MAX_NAME_BYTES, MAX_NAME_CHARACTERS};
use crate::tasks::scenario::Range;

/// The mistakes found so far in the values of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Mistake>);

impl Checks {
    /// The number of mistakes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The mistakes, in the order in which they were found.
    pub(crate) fn into_list(self) -> Vec<Mistake> {
        self.0
    }

    /// Checks a scenario's name, after which files are called, and its α.
    pub(crate) fn name_and_alpha(&mut self, name: &str, alpha: f64) {
        let odd = |c: char| c.is_control() || c == '/' || c == '\\';
        if name.trim().is_empty()
            || name.chars().count() > MAX_NAME_CHARACTERS
            || name.len() > MAX_NAME_BYTES
            || name.starts_with('.')
            || name.contains(odd)
        {
            let message = format!(
                "must be a name of at most {MAX_NAME_CHARACTERS} characters, and {MAX_NAME_BYTES} bytes in UTF-8, \
                 without slashes, not beginning with a dot"
            );
            self.add("name", message);
        }
        if !(0.0..=1.0).contains(&alpha) {
            self.add("alpha", format!("must lie between 0 (time alone) and 1 (energy alone), is {alpha}"));
        }
    }

    pub(crate) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake::new(key, message));
    }

    /// A number above 0. Beyond the limits a product of two values could leave what an f64 holds; no device or link comes
    /// near them.
    pub(crate) fn positive(&mut self, key: &str, value: f64) {
        if !(value > 0.0 && value.is_finite()) {
            self.add(key, format!("must be a number greater than 0, is {value}"));
        } else if !(1e-12..=1e12).contains(&value) {
            self.add(key, format!("must lie between 1e-12 and 1e12, is {value:e}"));
        }
    }

    /// As [`Checks::positive`], or 0.
    pub(crate) fn not_negative(&mut self, key: &str, value: f64) {
        if !(value >= 0.0 && value.is_finite()) {
            self.add(key, format!("must be a number not below 0, is {value}"));
        } else if value != 0.0 {
            self.positive(key, value);
        }
    }

    pub(crate) fn optional(&mut self, key: &str, value: Option<f64>, check: fn(&mut Self, &str, f64)) {
        if let Some(value) = value {
            check(self, key, value);
        }
    }

    /// Checks that all numbers that can be drawn lie between two.
    pub(crate) fn values(&mut self, key: &str, values: &Values, least: f64, most: f64) {
        let mut number = |key: String, value: f64| {
            let fits = (least..=most).contains(&value);
            if !fits {
                self.add(key, format!("must lie between {} and {}, is {value}", limit(least), limit(most)));
            }
            fits
        };
        match values {
            Values::Fixed(value) => _ = number(key.to_owned(), *value),
            Values::OneOf { values } => {
                for (index, value) in values.iter().enumerate() {
                    number(format!("{key}.values[{index}]"), *value);
                }
                if values.is_empty() {
                    self.add(format!("{key}.values"), "must have at least one number");
                }
            }
            Values::Range(range) => {
                let (Range::Uniform { min, max } | Range::LogUniform { min, max }) = *range;
                let fits = [number(format!("{key}.min"), min), number(format!("{key}.max"), max)];
                if fits == [true; 2] && min > max {
                    self.add(format!("{key}.max"), format!("must be at least min, {min}, is {max}"));
                } else if fits[0] && min == 0.0 && matches!(range, Range::LogUniform { .. }) {
                    self.add(format!("{key}.min"), "must be greater than 0 for log-uniform, is 0");
                }
            }
        }
    }
}

/// A limit in a message, such as `1000` or `1e-6`.
fn limit(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e9).contains(&value) { format!("{value:e}") } else { value.to_string() }
}
