//! What scenarios of every kind have in common: they are read from TOML, from dictionaries, and from changes of another one.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim::config::{Mistake, Mistakes};
use sim::graph::GraphScenario;
use sim::stream::StreamScenario;
use sim::{Scenario, ScenarioError};
use toml::{Table, Value};

use crate::errors::{raise, value};
use crate::tables;

/// A scenario of one kind.
pub(crate) trait Described: Sized {
    /// The keys that say of which kind a table is: a table with another value of one of them replaces the old table.
    const KIND_KEYS: &'static [&'static str];
    /// What reads scenarios of the other kinds.
    const OTHER: &'static str;

    /// Reads a scenario from TOML. Messages call the text `origin`.
    fn read(origin: &str, text: &str) -> Result<Self, Mistakes>;
}

impl Described for Scenario {
    const KIND_KEYS: &'static [&'static str] = &["distribution"];
    const OTHER: &'static str =
        "mrdro.GraphScenario reads scenarios of task graphs, mrdro.StreamScenario those over time";

    fn read(origin: &str, text: &str) -> Result<Self, Mistakes> {
        Self::from_toml(origin, text)
    }
}

impl Described for GraphScenario {
    const KIND_KEYS: &'static [&'static str] = &["distribution", "generator", "file", "layers", "layer", "values"];
    const OTHER: &'static str =
        "mrdro.Scenario reads scenarios of independent tasks, mrdro.StreamScenario those over time";

    fn read(origin: &str, text: &str) -> Result<Self, Mistakes> {
        Self::from_toml(origin, text)
    }
}

impl Described for StreamScenario {
    const KIND_KEYS: &'static [&'static str] = &["distribution", "states", "traces"];
    const OTHER: &'static str =
        "mrdro.Scenario reads scenarios of independent tasks, mrdro.GraphScenario those of task graphs";

    fn read(origin: &str, text: &str) -> Result<Self, Mistakes> {
        Self::from_toml(origin, text)
    }
}

/// The exception of a scenario that cannot be read. If it is of another kind, the exception says what reads it.
pub(crate) fn refused<S: Described>(error: ScenarioError) -> PyErr {
    match error {
        ScenarioError::Invalid(mut mistakes) => {
            for mistake in mistakes.list.iter_mut().filter(|mistake| mistake.key == "kind") {
                mistake.message.push_str("; ");
                mistake.message.push_str(S::OTHER);
            }
            raise(ScenarioError::Invalid(mistakes))
        }
        error => raise(error),
    }
}

/// A scenario from TOML text.
///
/// # Errors
/// All mistakes, each with its line and column.
pub(crate) fn of_text<S: Described>(text: &str) -> PyResult<S> {
    S::read("the scenario", text).map_err(|mistakes| refused::<S>(mistakes.into()))
}

/// A scenario from a table that no file holds, so that mistakes have no lines.
///
/// # Errors
/// All mistakes.
pub(crate) fn of_table<S: Described>(origin: &str, table: &Table) -> PyResult<S> {
    S::read(origin, &table.to_string()).map_err(|mistakes| refused::<S>(mistakes.without_places().into()))
}

/// The table of the TOML text that a scenario was written as.
pub(crate) fn table_of_text(text: &str) -> PyResult<Table> {
    toml::from_str(text).map_err(|error| value(error.to_string()))
}

/// The scenario called `name` with this TOML text, with some values changed.
///
/// # Errors
/// All mistakes.
pub(crate) fn changed<S: Described>(name: &str, text: &str, changes: [Option<&Bound<'_, PyDict>>; 2]) -> PyResult<S> {
    let (mut table, origin) = (table_of_text(text)?, format!("the changed scenario `{name}`"));
    let mut absent = Vec::new();
    for changes in changes.into_iter().flatten() {
        absent.extend(tables::change(&mut table, changes, S::KIND_KEYS)?);
    }
    check_known::<S>(&origin, &table, &absent)?;
    of_table(&origin, &table)
}

/// Checks that keys which a table does not have are keys of scenarios.
fn check_known<S: Described>(origin: &str, table: &Table, absent: &[String]) -> PyResult<()> {
    let mut with_all = table.clone();
    for path in absent {
        // A value that fits nowhere, so that known keys are told as mistakes of another kind.
        tables::set(&mut with_all, path, Value::Array(Vec::new())).map_err(value)?;
    }
    if let (false, Err(mut mistakes)) = (absent.is_empty(), S::read(origin, &with_all.to_string())) {
        let is_unknown = |mistake: &Mistake| {
            mistake.message.starts_with("unknown key")
                && absent.iter().any(|path| *path == mistake.key || path.starts_with(&format!("{}.", mistake.key)))
        };
        mistakes.list.retain(is_unknown);
        if !mistakes.list.is_empty() {
            return Err(raise(ScenarioError::from(mistakes.without_places())));
        }
    }
    Ok(())
}
