//! Configuration in TOML: every mistake of a file is found at once, each with its line and column.
//!
//! # Vocabulary
//! - A [`Document`] is a parsed file that remembers where every value stands; a [`Section`] is one table of it.
//! - A [`Mistake`] is one wrong key or value; [`Mistakes`] are all of them in one file, and the error of this module.
//! - A [`Table`] is a struct of settings that can be read from a section and checked. The macro
//!   [`settings!`](crate::settings) writes one from a list of fields.
//! - A [`Rule`] says how one field is read and which values it may have.
//!
//! # Why not an existing crate
//! `serde` stops at the first mistake and forgets where a value stood. `toml-span` has a helper like [`Section`], but its
//! parser stops at the first syntax error, and its errors name no key path, no value and no similar key.

mod document;
mod rule;
mod table;

use std::fmt;

pub use self::document::{Counts, Document, Numbers, Section};
pub use self::rule::{Any, Flattened, Keyword, Keywords, Name, Nested, Number, PositiveUpTo, RangeUpTo, Rule};
pub use self::table::{Checks, Table};

/// The largest number that any count in settings may have.
pub const MAX_COUNT: usize = 1_000_000_000;

/// One mistake in a configuration: the key, its place in the file, and a description.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// Path of the key, such as `servers[1].link_mbps`; empty for a mistake in the file's syntax.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// Line and column in the file, both from 1, if the value came from a file.
    pub place: Option<(usize, usize)>,
}

impl Mistake {
    /// A mistake whose place in a file is not known yet.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), place: None }
    }

    /// Whether the mistake is about the given key, or about a table or array that contains it.
    fn covers(&self, key: &str) -> bool {
        key.strip_prefix(&self.key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// All mistakes of one configuration, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistakes {
    /// The file or preset that contains them.
    pub origin: String,
    /// The mistakes, at least one.
    pub list: Vec<Mistake>,
}

impl Mistakes {
    /// The same mistakes without lines and columns, for a text that the user never saw.
    pub fn without_places(mut self) -> Self {
        self.list.iter_mut().for_each(|mistake| mistake.place = None);
        self
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.len() {
            1 => write!(f, "{} has a mistake:", self.origin)?,
            count => write!(f, "{} has {count} mistakes:", self.origin)?,
        }
        for Mistake { key, message, place } in &self.list {
            f.write_str("\n  ")?;
            if let Some((line, column)) = place {
                write!(f, "line {line}, column {column}: ")?;
            }
            if !key.is_empty() {
                write!(f, "{key}: ")?;
            }
            f.write_str(message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
