//! Parsed TOML that keeps the place of every value and collects mistakes while it is read.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::{Mistake, Mistakes};
use crate::suggestion::nearest;

/// A parsed TOML file that remembers the position of every key and collects the mistakes.
#[derive(Debug)]
pub struct Document<'a> {
    origin: String,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Document<'a> {
    /// Parses `text`; `origin` (a path or a preset's name) is what messages call it.
    ///
    /// # Errors
    /// All syntax errors of the text.
    pub fn parse(origin: &str, text: &'a str) -> Result<Self, Mistakes> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { origin: origin.to_owned(), text, root, mistakes: RefCell::default() };
        if errors.is_empty() {
            return Ok(document);
        }
        let list = errors.iter().map(|error| Mistake {
            key: String::new(),
            message: error.message().to_owned(),
            place: error.span().map(|span| document.line_and_column(&span)),
        });
        Err(Mistakes { origin: document.origin.clone(), list: list.collect() })
    }

    /// The whole file as a section.
    pub fn root(&self) -> Section<'_> {
        Section { document: self, path: String::new(), table: Some(self.root.get_ref()), known: RefCell::default() }
    }

    /// Reports the mistakes found in reading and the mistakes `more` found by checking values, with places, in the
    /// order of the file. If one key (or a key inside it) has several mistakes, the mistake found in reading is kept.
    ///
    /// # Errors
    /// If there is any mistake.
    pub fn report(&self, more: Vec<Mistake>) -> Result<(), Mistakes> {
        let mut list = self.mistakes.borrow().clone();
        for mut mistake in more {
            if !list.iter().any(|known| known.covers(&mistake.key)) {
                mistake.place = self.place(&mistake.key);
                list.push(mistake);
            }
        }
        if list.is_empty() {
            return Ok(());
        }
        list.sort_by_key(|mistake| mistake.place);
        Err(Mistakes { origin: self.origin.clone(), list })
    }

    /// Line and column of the value at `path`, or of the nearest enclosing one that the file has.
    fn place(&self, path: &str) -> Option<(usize, usize)> {
        let mut table = self.root.get_ref();
        let mut found: Option<Range<usize>> = None;
        for part in path.split('.') {
            let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
            let Some((_, mut value)) = table.get_key_value(name) else { break };
            found = Some(value.span());
            for index in indices.split(['[', ']']).filter(|text| !text.is_empty()) {
                let inner = index.parse().ok().and_then(|index: usize| value.get_ref().get(index));
                let Some(inner) = inner else { break };
                value = inner;
                found = Some(value.span());
            }
            let Some(inner) = value.get_ref().as_table() else { break };
            table = inner;
        }
        found.map(|span| self.line_and_column(&span))
    }

    fn line_and_column(&self, span: &Range<usize>) -> (usize, usize) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn mistake(&self, key: String, span: Option<Range<usize>>, message: String) {
        let place = span.map(|span| self.line_and_column(&span));
        self.mistakes.borrow_mut().push(Mistake { key, message, place });
    }
}

/// One table of a [`Document`].
///
/// Values that are missing or of the wrong type are noted as mistakes and replaced by a harmless stand-in, so that
/// reading goes on and finds the rest.
#[derive(Debug)]
pub struct Section<'d> {
    document: &'d Document<'d>,
    path: String,
    table: Option<&'d DeTable<'d>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn find(&self, name: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.borrow_mut().push(name);
        self.table?.get(name)
    }

    fn wrong_type(&self, name: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("must be {wanted}, is {}", describe(value.get_ref()));
        self.document.mistake(self.key(name), Some(value.span()), message);
    }

    fn missing(&self, name: &str, wanted: &str) {
        // A table that is itself missing has been reported as such.
        if self.table.is_some() {
            let place = self.document.place(&self.path);
            let message = format!("is missing; it must be {wanted}");
            self.document.mistakes.borrow_mut().push(Mistake { key: self.key(name), message, place });
        }
    }

    /// Whether the key stands in the file.
    pub fn has(&self, name: &'static str) -> bool {
        self.find(name).is_some()
    }

    /// Whether the key stands in the file and has a table.
    pub fn is_table(&self, name: &'static str) -> bool {
        self.find(name).is_some_and(|value| value.get_ref().as_table().is_some())
    }

    /// Whether the key stands in the file and has an array.
    pub fn is_array(&self, name: &'static str) -> bool {
        self.find(name).is_some_and(|value| value.get_ref().as_array().is_some())
    }

    /// A number, if the key is there.
    pub fn optional_number(&self, name: &'static str) -> Option<f64> {
        let value = self.find(name)?;
        let number = as_number(value.get_ref());
        if number.is_none() {
            self.wrong_type(name, value, "a number");
        }
        number
    }

    /// A number; 1 stands in for a missing one.
    pub fn number(&self, name: &'static str) -> f64 {
        if !self.has(name) {
            self.missing(name, "a number");
        }
        self.optional_number(name).unwrap_or(1.0)
    }

    /// A whole number from 0, if the key is there.
    pub fn optional_count(&self, name: &'static str) -> Option<usize> {
        let value = self.find(name)?;
        let count = as_count(value.get_ref());
        if count.is_none() {
            self.wrong_type(name, value, "a whole number");
        }
        count
    }

    /// A whole number from 0; 1 stands in for a missing one.
    pub fn count(&self, name: &'static str) -> usize {
        if !self.has(name) {
            self.missing(name, "a whole number");
        }
        self.optional_count(name).unwrap_or(1)
    }

    /// A switch, if the key is there.
    pub fn optional_switch(&self, name: &'static str) -> Option<bool> {
        let value = self.find(name)?;
        let switch = value.get_ref().as_bool();
        if switch.is_none() {
            self.wrong_type(name, value, "true or false");
        }
        switch
    }

    /// A text, if the key is there.
    pub fn optional_text(&self, name: &'static str) -> Option<String> {
        let value = self.find(name)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(name, value, "a text in quotes");
        }
        text
    }

    /// A text; an empty one stands in for a missing one.
    pub fn text(&self, name: &'static str) -> String {
        if !self.has(name) {
            self.missing(name, "a text in quotes");
        }
        self.optional_text(name).unwrap_or_default()
    }

    /// An array of texts, if the key is there.
    pub fn optional_texts(&self, name: &'static str) -> Option<Vec<String>> {
        let value = self.find(name)?;
        let text = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
        let texts = value.get_ref().as_array().map(|array| array.iter().map(text).collect::<Option<Vec<_>>>());
        if texts.as_ref().is_none_or(Option::is_none) {
            self.wrong_type(name, value, "an array of texts in quotes");
        }
        texts.flatten()
    }

    /// One of the named choices, if the key is there and names one.
    pub fn optional_choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.find(name)?;
        let found = value.get_ref().as_str().and_then(|text| choices.iter().find(|(choice, _)| *choice == text));
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
            self.wrong_type(name, value, &names.join(" or "));
        }
        found.map(|(_, choice)| *choice)
    }

    /// One of the named choices; the first stands in for a missing one.
    pub fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> T {
        if !self.has(name) {
            let names: Vec<_> = choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
            self.missing(name, &names.join(" or "));
        }
        self.optional_choice(name, choices).unwrap_or(choices[0].1)
    }

    /// One number or an array of numbers, if the key is there.
    pub fn optional_numbers(&self, name: &'static str) -> Option<Numbers> {
        let value = self.find(name)?;
        if let Some(number) = as_number(value.get_ref()) {
            return Some(Numbers::One(number));
        }
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(name, value, "a number or an array of numbers");
            return None;
        };
        let mut numbers = Vec::with_capacity(array.len());
        for (index, item) in array.iter().enumerate() {
            let number = as_number(item.get_ref());
            if number.is_none() {
                self.wrong_type(&format!("{name}[{index}]"), item, "a number");
            }
            numbers.push(number.unwrap_or(1.0));
        }
        Some(Numbers::Each(numbers))
    }

    /// A square matrix, row after row: an array of rows, or all their numbers in one array. Empty if the key is missing.
    pub fn matrix(&self, name: &'static str) -> Vec<f64> {
        let Some(value) = self.find(name) else { return Vec::new() };
        let rows = value.get_ref().as_array();
        if !rows.is_some_and(|rows| rows.iter().any(|row| row.get_ref().as_array().is_some())) {
            return match self.optional_numbers(name) {
                Some(Numbers::Each(numbers)) => numbers,
                Some(Numbers::One(number)) => vec![number],
                None => Vec::new(),
            };
        }
        let rows: Vec<&Spanned<DeValue<'_>>> = rows.into_iter().flatten().collect();
        let mut numbers = Vec::with_capacity(rows.len() * rows.len());
        for (index, row) in rows.iter().enumerate() {
            let read =
                |row: &DeArray<'_>| row.iter().map(|item| as_number(item.get_ref())).collect::<Option<Vec<f64>>>();
            if let Some(row) = row.get_ref().as_array().and_then(read).filter(|row| row.len() == rows.len()) {
                numbers.extend(row);
            } else {
                let wanted = format!("a row of {} numbers, one for each row", rows.len());
                self.wrong_type(&format!("{name}[{index}]"), row, &wanted);
            }
        }
        numbers
    }

    /// An array of whole numbers from 0, if the key is there.
    pub fn optional_counts(&self, name: &'static str) -> Option<Vec<usize>> {
        let value = self.find(name)?;
        let counts = value
            .get_ref()
            .as_array()
            .map(|array| array.iter().map(|item| as_count(item.get_ref())).collect::<Option<Vec<_>>>());
        if counts.as_ref().is_none_or(Option::is_none) {
            self.wrong_type(name, value, "an array of whole numbers");
        }
        counts.flatten()
    }

    /// One whole number from 0, or an array of them; 1 stands in for a missing one.
    pub fn count_or_counts(&self, name: &'static str) -> Counts {
        if !self.has(name) {
            self.missing(name, "a whole number, or an array with one for each device");
        }
        let Some(array) = self.find(name).and_then(|value| value.get_ref().as_array()) else {
            return Counts::One(self.optional_count(name).unwrap_or(1));
        };
        let count = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
            let count = as_count(item.get_ref());
            if count.is_none() {
                self.wrong_type(&format!("{name}[{index}]"), item, "a whole number");
            }
            count.unwrap_or(1)
        };
        Counts::Each(array.iter().enumerate().map(count).collect())
    }

    /// One number or an array of numbers; 1 stands in for a missing one.
    pub fn numbers(&self, name: &'static str) -> Numbers {
        if !self.has(name) {
            self.missing(name, "a number or an array of numbers");
        }
        self.optional_numbers(name).unwrap_or(Numbers::One(1.0))
    }

    /// A table, if the key is there.
    pub fn optional_section(&self, name: &'static str) -> Option<Section<'d>> {
        let value = self.find(name)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(name, value, "a table");
        }
        Some(Section { document: self.document, path: self.key(name), table, known: RefCell::default() })
    }

    /// A table; a missing one is reported once and reads as all stand-ins.
    pub fn section(&self, name: &'static str) -> Section<'d> {
        self.optional_section(name).unwrap_or_else(|| {
            self.missing(name, "a table");
            Section { document: self.document, path: self.key(name), table: None, known: RefCell::default() }
        })
    }

    /// An array of tables (`[[name]]`); empty if the key is missing.
    pub fn sections(&self, name: &'static str) -> Vec<Section<'d>> {
        let Some(value) = self.find(name) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(name, value, "an array of tables, each headed by [[...]]");
            return Vec::new();
        };
        let section = |(index, item): (usize, &'d Spanned<DeValue<'d>>)| {
            let table = item.get_ref().as_table();
            let path = format!("{name}[{index}]");
            if table.is_none() {
                self.wrong_type(&path, item, "a table");
            }
            Section { document: self.document, path: self.key(&path), table, known: RefCell::default() }
        };
        array.iter().enumerate().map(section).collect()
    }

    /// Notes a mistake with one of this section's keys.
    pub fn mistake(&self, name: &str, message: impl Into<String>) {
        let key = self.key(name);
        let place = self.document.place(&key);
        self.document.mistakes.borrow_mut().push(Mistake { key, message: message.into(), place });
    }

    /// Ends the reading of this section: every key that nothing asked for is a mistake.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let mut message = String::from("unknown key");
            match nearest(name, known.iter().copied()) {
                Some(candidate) => {
                    let _ = write!(message, "; did you mean `{candidate}`?");
                }
                None if known.is_empty() => {}
                None => {
                    let mut names = known.to_vec();
                    names.sort_unstable();
                    names.dedup();
                    let _ = write!(message, "; known here: {}", names.join(", "));
                }
            }
            self.document.mistake(self.key(name), Some(key.span()), message);
        }
    }
}

/// One whole number for all, or one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counts {
    /// One number for all.
    One(usize),
    /// One number for each, in order.
    Each(Vec<usize>),
}

/// One number for all, or one for each.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Numbers {
    /// One number for all.
    One(f64),
    /// One number for each, in order.
    Each(Vec<f64>),
}

fn as_count(value: &DeValue<'_>) -> Option<usize> {
    match value {
        DeValue::Integer(integer) => usize::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|value| value as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() <= 40 => format!("\"{text}\""),
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(switch) => switch.to_string(),
        other => format!("a value of type {}", other.type_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let text = "alpha = \"x\"\nbeta = 3\n[inner]\ncount = -1\nlist = [1, \"two\"]\n";
        let document = Document::parse("test.toml", text).expect("valid TOML");
        let root = document.root();
        root.number("alpha");
        root.number("gamma");
        let inner = root.section("inner");
        inner.count("count");
        inner.numbers("list");
        inner.finish();
        root.finish();
        let mistakes = document.report(vec![Mistake::new("inner.list[0]", "too small")]).expect_err("five mistakes");
        let found: Vec<_> = mistakes.list.iter().map(|p| (p.key.as_str(), p.place)).collect();
        assert_eq!(
            found,
            [
                ("gamma", None),
                ("alpha", Some((1, 9))),
                ("beta", Some((2, 1))),
                ("inner.count", Some((4, 9))),
                ("inner.list[0]", Some((5, 9))),
                ("inner.list[1]", Some((5, 12))),
            ]
        );
    }

    #[test]
    fn a_misspelt_key_gets_a_suggestion() {
        let document = Document::parse("test.toml", "alhpa = 1\n").expect("valid TOML");
        let root = document.root();
        root.optional_number("alpha");
        root.finish();
        let mistakes = document.report(Vec::new()).expect_err("one mistake");
        assert_eq!(
            mistakes.to_string(),
            "test.toml has a mistake:\n  line 1, column 1: alhpa: unknown key; did you mean `alpha`?"
        );
    }

    #[test]
    fn all_syntax_errors_come_at_once() {
        let mistakes = Document::parse("test.toml", "a = \nb = ]\n").expect_err("two errors");
        assert!(mistakes.list.len() >= 2, "{mistakes}");
    }
}
