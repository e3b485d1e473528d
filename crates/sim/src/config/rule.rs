//! Rules: how one field of a settings table is read, and which values it may have.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::document::Section;
use super::table::{Checks, Table};

/// How a field of type `T` is read and checked.
pub trait Rule<T> {
    /// Replaces `value` by the value of `key`, if the section has that key. A value of the wrong type becomes a mistake
    /// of the section's document and leaves `value` unchanged.
    fn read(&self, value: &mut T, section: &Section<'_>, key: &'static str);

    /// Adds a mistake for each part of `value` that is not allowed.
    fn check(&self, value: &T, checks: &mut Checks, key: &'static str);
}

/// Any value of a type that TOML has itself: a number, a switch, a text.
#[derive(Debug, Clone, Copy)]
pub struct Any;

impl Rule<bool> for Any {
    fn read(&self, value: &mut bool, section: &Section<'_>, key: &'static str) {
        replace(value, section.optional_switch(key));
    }

    fn check(&self, _: &bool, _: &mut Checks, _: &'static str) {}
}

impl Rule<Option<bool>> for Any {
    fn read(&self, value: &mut Option<bool>, section: &Section<'_>, key: &'static str) {
        *value = section.optional_switch(key).or(*value);
    }

    fn check(&self, _: &Option<bool>, _: &mut Checks, _: &'static str) {}
}

impl<N: Number> Rule<N> for Any {
    fn read(&self, value: &mut N, section: &Section<'_>, key: &'static str) {
        replace(value, N::find(section, key));
    }

    fn check(&self, _: &N, _: &mut Checks, _: &'static str) {}
}

/// A name that can be part of a path: not blank, at most 60 characters, no slashes and no control characters.
#[derive(Debug, Clone, Copy)]
pub struct Name;

impl Rule<String> for Name {
    fn read(&self, value: &mut String, section: &Section<'_>, key: &'static str) {
        replace(value, section.optional_text(key));
    }

    fn check(&self, value: &String, checks: &mut Checks, key: &'static str) {
        let odd = |c: char| c.is_control() || c == '/' || c == '\\';
        if value.trim().is_empty() || value.chars().count() > 60 || value.contains(odd) {
            checks.add(key, "must be a name of at most 60 characters without slashes");
        }
    }
}

/// A type whose values are written as fixed words.
pub trait Keyword: Copy + 'static {
    /// Each value with its word.
    const KEYWORDS: &'static [(&'static str, Self)];
}

/// One of the words of a [`Keyword`] type.
#[derive(Debug, Clone, Copy)]
pub struct Keywords;

impl<T: Keyword> Rule<T> for Keywords {
    fn read(&self, value: &mut T, section: &Section<'_>, key: &'static str) {
        replace(value, section.optional_choice(key, T::KEYWORDS));
    }

    fn check(&self, _: &T, _: &mut Checks, _: &'static str) {}
}

impl<T: Keyword> Rule<Option<T>> for Keywords {
    fn read(&self, value: &mut Option<T>, section: &Section<'_>, key: &'static str) {
        *value = section.optional_choice(key, T::KEYWORDS).or(*value);
    }

    fn check(&self, _: &Option<T>, _: &mut Checks, _: &'static str) {}
}

/// A kind of number that TOML files hold.
pub trait Number: Copy + PartialOrd + Display {
    /// The number of a key, if the section has it.
    fn find(section: &Section<'_>, key: &'static str) -> Option<Self>;

    /// The number as a limit in a message, such as `1000` or `1e-12`.
    fn as_limit(self) -> String {
        self.to_string()
    }
}

impl Number for usize {
    fn find(section: &Section<'_>, key: &'static str) -> Option<Self> {
        section.optional_count(key)
    }
}

impl Number for f64 {
    fn find(section: &Section<'_>, key: &'static str) -> Option<Self> {
        section.optional_number(key)
    }

    fn as_limit(self) -> String {
        if self != 0.0 && self.abs() < 1e-3 { format!("{self:e}") } else { self.to_string() }
    }
}

/// The mistake of a number outside `limits`, if it is outside. Not-a-number always is.
fn outside<N: Number>(limits: &RangeInclusive<N>, value: N) -> Option<String> {
    let (smallest, largest) = (limits.start().as_limit(), limits.end().as_limit());
    (!limits.contains(&value)).then(|| format!("must lie between {smallest} and {largest}, is {value}"))
}

/// A number between two limits, both included.
impl<N: Number> Rule<N> for RangeInclusive<N> {
    fn read(&self, value: &mut N, section: &Section<'_>, key: &'static str) {
        replace(value, N::find(section, key));
    }

    fn check(&self, value: &N, checks: &mut Checks, key: &'static str) {
        if let Some(message) = outside(self, *value) {
            checks.add(key, message);
        }
    }
}

/// A number between two limits, or none.
impl<N: Number> Rule<Option<N>> for RangeInclusive<N> {
    fn read(&self, value: &mut Option<N>, section: &Section<'_>, key: &'static str) {
        *value = N::find(section, key).or(*value);
    }

    fn check(&self, value: &Option<N>, checks: &mut Checks, key: &'static str) {
        if let Some(message) = value.and_then(|value| outside(self, value)) {
            checks.add(key, message);
        }
    }
}

/// An array of whole numbers, each between the limits.
impl Rule<Vec<usize>> for RangeInclusive<usize> {
    fn read(&self, value: &mut Vec<usize>, section: &Section<'_>, key: &'static str) {
        replace(value, section.optional_counts(key));
    }

    fn check(&self, value: &Vec<usize>, checks: &mut Checks, key: &'static str) {
        for (index, &value) in value.iter().enumerate() {
            if let Some(message) = outside(self, value) {
                checks.add(&format!("{key}[{index}]"), message);
            }
        }
    }
}

/// A number above 0 and at most this one.
#[derive(Debug, Clone, Copy)]
pub struct PositiveUpTo(pub f64);

impl Rule<f64> for PositiveUpTo {
    fn read(&self, value: &mut f64, section: &Section<'_>, key: &'static str) {
        replace(value, section.optional_number(key));
    }

    fn check(&self, value: &f64, checks: &mut Checks, key: &'static str) {
        if !(*value > 0.0 && *value <= self.0) {
            checks.add(key, format!("must lie above 0 and at most {}, is {value}", self.0));
        }
    }
}

/// A smallest and a largest count, from 1 to this one, written as an array of two numbers.
#[derive(Debug, Clone, Copy)]
pub struct RangeUpTo(pub usize);

impl Rule<(usize, usize)> for RangeUpTo {
    fn read(&self, value: &mut (usize, usize), section: &Section<'_>, key: &'static str) {
        match section.optional_counts(key).as_deref() {
            None => {}
            Some(&[smallest, largest]) => *value = (smallest, largest),
            Some(_) => section.mistake(key, "must be two numbers: fewest and most"),
        }
    }

    fn check(&self, &(smallest, largest): &(usize, usize), checks: &mut Checks, key: &'static str) {
        if !(1 <= smallest && smallest <= largest && largest <= self.0) {
            let message = format!("must be two numbers from 1 to {}, the first no larger than the second", self.0);
            checks.add(key, message);
        }
    }
}

/// A table of its own, `[key]`.
#[derive(Debug, Clone, Copy)]
pub struct Nested;

impl<T: Table> Rule<T> for Nested {
    fn read(&self, value: &mut T, section: &Section<'_>, key: &'static str) {
        if let Some(inner) = section.optional_section(key) {
            value.read_keys(&inner);
            inner.finish();
        }
    }

    fn check(&self, value: &T, checks: &mut Checks, key: &'static str) {
        checks.within(key, |checks| value.check_keys(checks));
    }
}

/// Keys of an inner struct that stand in the same table as the keys of the outer struct, as with `#[serde(flatten)]`.
#[derive(Debug, Clone, Copy)]
pub struct Flattened;

impl<T: Table> Rule<T> for Flattened {
    fn read(&self, value: &mut T, section: &Section<'_>, _: &'static str) {
        value.read_keys(section);
    }

    fn check(&self, value: &T, checks: &mut Checks, _: &'static str) {
        value.check_keys(checks);
    }
}

fn replace<T>(value: &mut T, found: Option<T>) {
    if let Some(found) = found {
        *value = found;
    }
}
