//! Task graphs as JSON.

use serde_json::value::RawValue;
use sim::graph::{Application, GraphScenario};

use super::description::GraphDescription;
use crate::exchange::{Id, RequestError, id_of, moved};

/// An application to decide, with its name if it has one.
#[derive(Debug)]
pub struct GraphRequest {
    /// The name, for the answer.
    pub id: Option<Id>,
    /// The application. Tasks that the scenario pins are pinned.
    pub application: Application,
}

impl GraphRequest {
    /// Reads an application for a scenario:
    /// `{"id": ..., "graph": {"tasks": [...], "edges": [...]}, "order": [...]}`.
    ///
    /// | field of a task | meaning |
    /// |---|---|
    /// | `name` | a name of its own |
    /// | `megacycles` | 10^6 instructions |
    /// | `send_mb` | what is sent where the scenario sends whole tasks; needed there |
    /// | `result_mb` | what comes back there; left out: as much as was sent |
    /// | `weights_mb` | what is read from memory; left out: nothing |
    /// | `kind` | what kind of layer it is; needed where the scenario predicts times from measured layers |
    /// | `pinned` | the only place that may run it: `local` or a server |
    ///
    /// An edge has `from`, `to` and `mb`, which is needed where the scenario sends what edges carry. `order` are the names
    /// in the order in which tasks are scheduled; left out: as the scenario says. It may also stand inside `graph`.
    ///
    /// # Errors
    /// If the text is no JSON, or not of this form, or its tasks and edges make no application of the scenario.
    pub fn from_json(json: &[u8], scenario: &GraphScenario) -> Result<Self, RequestError> {
        let mut description = GraphDescription::from_json(json)?;
        let id = description.id.take();
        let application = description.application(Some(scenario.application.transfer))?;
        let application = scenario.pin(application);
        Ok(Self {
            id,
            application: application
                .map_err(|error| RequestError::new("graph.tasks", format!("graph.tasks: {error}")))?,
        })
    }
}

/// Reads all applications of a text: JSON objects, one after the other, or a list of them.
#[derive(Debug)]
pub struct GraphRequests<'t> {
    text: &'t str,
    values: Vec<&'t RawValue>,
    next: usize,
    /// The line of the byte up to which line breaks have been counted.
    line: usize,
    counted: usize,
}

impl<'t> GraphRequests<'t> {
    /// Splits a text into objects.
    ///
    /// # Errors
    /// If the text is not JSON.
    pub fn new(text: &'t str) -> Result<Self, GraphRequestsError> {
        let refused = |error: &serde_json::Error| {
            let reason = error.to_string();
            let reason = reason.rsplit_once(" at line ").map_or(reason.clone(), |(reason, _)| reason.to_owned());
            GraphRequestsError { id: None, line: error.line(), error: RequestError::new("", reason) }
        };
        let values = if text.trim_start().starts_with('[') {
            serde_json::from_str(text)
        } else {
            serde_json::Deserializer::from_str(text).into_iter().collect()
        };
        Ok(Self { text, values: values.map_err(|error| refused(&error))?, next: 0, line: 1, counted: 0 })
    }

    /// The next application and the line in which it begins, from 1. After one that is refused, reading can go on.
    ///
    /// # Errors
    /// If it makes no application of the scenario.
    pub fn next(&mut self, scenario: &GraphScenario) -> Result<Option<(GraphRequest, usize)>, GraphRequestsError> {
        self.next_with(|json| GraphRequest::from_json(json, scenario))
    }

    /// What `read` makes of the next application, with the line in which that begins, from 1. After one that is refused,
    /// reading can go on.
    ///
    /// # Errors
    /// Those of `read`, with the line.
    pub fn next_with<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, RequestError>,
    ) -> Result<Option<(T, usize)>, GraphRequestsError> {
        let Some(value) = self.values.get(self.next) else { return Ok(None) };
        self.next += 1;
        let json = value.get();
        let start = json.as_ptr().addr() - self.text.as_ptr().addr();
        self.line += self.text[self.counted..start].matches('\n').count();
        self.counted = start;
        let (read, line) = (read(json.as_bytes()), self.line);
        read.map(|read| Some((read, line))).map_err(|error| {
            // The parser counts lines within the object.
            let reason = if json.contains('\n') {
                moved(&error.reason, line as u64)
            } else {
                error.reason.replace(" at line 1 column ", " at column ")
            };
            let error = RequestError::new(error.field, reason);
            GraphRequestsError { id: id_of(json.as_bytes()), line, error }
        })
    }
}

/// Why an application of a text is refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct GraphRequestsError {
    /// The name of the application, if it can be read.
    pub id: Option<Id>,
    /// The line in which the application begins, from 1; in a text that is no JSON, the line of the mistake.
    pub line: usize,
    /// What is wrong.
    pub error: RequestError,
}
