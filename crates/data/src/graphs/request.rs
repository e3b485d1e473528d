//! Task graphs as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use sim::graph::{Application, GraphScenario, GraphTask, NamedEdge, Transfer, UnknownLayerKind};
use sim::limits::{MAX_INSTRUCTIONS, MAX_SIZE_MB};
use sim::units::bytes_from_mb;

use crate::exchange::{Id, Object, RequestError, explain, id_of, moved};

/// An application to decide, with its name if it has one.
#[derive(Debug)]
pub struct GraphRequest {
    /// The name, for the answer.
    pub id: Option<Id>,
    /// The application. Tasks that the scenario pins are pinned.
    pub application: Application,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Option<Id>,
    graph: Object<Graph>,
    #[serde(default)]
    order: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Graph {
    tasks: Vec<Object<Task>>,
    #[serde(default)]
    edges: Vec<Object<Edge>>,
    #[serde(default)]
    order: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    name: String,
    megacycles: f64,
    #[serde(default)]
    send_mb: Option<f64>,
    #[serde(default)]
    result_mb: Option<f64>,
    #[serde(default)]
    weights_mb: Option<f64>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    pinned: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edge {
    from: String,
    to: String,
    #[serde(default)]
    mb: Option<f64>,
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
        let parsed: Result<Object<Request>, _> = serde_json::from_slice(json);
        let Object(Request { id, graph: Object(mut graph), order }) =
            parsed.map_err(|error| RequestError::new("", explain(json, &error)))?;
        if graph.order.is_some() && order.is_some() {
            let reason = "order stands twice, inside graph and beside it; leave one out";
            return Err(RequestError::new("order", reason));
        }
        graph.order = graph.order.or(order);
        Ok(Self { id, application: graph.application(scenario)? })
    }
}

impl Graph {
    fn application(self, scenario: &GraphScenario) -> Result<Application, RequestError> {
        let transfer = scenario.application.transfer;
        let mut tasks = Vec::with_capacity(self.tasks.len());
        for (index, Object(task)) in self.tasks.into_iter().enumerate() {
            tasks.push(task.checked(index, transfer)?);
        }
        let mut edges = Vec::with_capacity(self.edges.len());
        for (index, Object(Edge { from, to, mb })) in self.edges.into_iter().enumerate() {
            let field = format!("graph.edges[{index}].mb");
            let owner = format!("the edge {from} → {to}");
            if mb.is_none() && transfer == Transfer::Edge {
                let reason = format!("{field} is missing: the scenario sends what edges carry, so {owner} needs it");
                return Err(RequestError::new(field, reason));
            }
            let mb = size(&field, &owner, mb.unwrap_or(0.0))?;
            edges.push(NamedEdge { from, to, bytes: bytes_from_mb(mb) });
        }
        let refused =
            |field: &str, error: &dyn std::fmt::Display| RequestError::new(field, format!("{field}: {error}"));
        let application = Application::with_named_edges(tasks, &edges).map_err(|error| refused("graph", &error))?;
        let application = match self.order {
            None => application,
            Some(order) => application.with_order(&order).map_err(|error| refused("order", &error))?,
        };
        scenario.pin(application).map_err(|error| refused("graph.tasks", &error))
    }
}

impl Task {
    fn checked(self, index: usize, transfer: Transfer) -> Result<GraphTask, RequestError> {
        let field = |name: &str| format!("graph.tasks[{index}].{name}");
        let owner = format!("the task {}", self.name);
        if self.send_mb.is_none() && transfer == Transfer::Task {
            let field = field("send_mb");
            let reason = format!("{field} is missing: the scenario sends whole tasks, so {owner} needs it");
            return Err(RequestError::new(field, reason));
        }
        let most = MAX_INSTRUCTIONS / 1e6;
        if !(0.0..=most).contains(&self.megacycles) {
            let field = field("megacycles");
            let reason = format!("{field} of {owner} must lie between 0 and {most:e}, is {}", self.megacycles);
            return Err(RequestError::new(field, reason));
        }
        let bytes =
            |name: &str, mb: Option<f64>| mb.map(|mb| size(&field(name), &owner, mb).map(bytes_from_mb)).transpose();
        let send_bytes = bytes("send_mb", self.send_mb)?.unwrap_or(0.0);
        let result_bytes = bytes("result_mb", self.result_mb)?;
        let weights_bytes = bytes("weights_mb", self.weights_mb)?.unwrap_or(0.0);
        let kind = self.kind.map(|name| {
            let refused = |error: UnknownLayerKind| {
                let field = field("kind");
                let reason = format!("{field} of {owner}: {error}");
                RequestError::new(field, reason)
            };
            name.parse().map_err(refused)
        });
        let kind = kind.transpose()?;
        let (name, pinned) = (self.name, self.pinned);
        Ok(GraphTask {
            name,
            instructions: 1e6 * self.megacycles,
            send_bytes,
            result_bytes,
            weights_bytes,
            kind,
            pinned,
        })
    }
}

/// A size in MB, if it is one.
fn size(field: &str, owner: &str, mb: f64) -> Result<f64, RequestError> {
    if (0.0..=MAX_SIZE_MB).contains(&mb) {
        return Ok(mb);
    }
    let reason = format!("{field} of {owner} must lie between 0 and {MAX_SIZE_MB:e} MB, is {mb}");
    Err(RequestError::new(field, reason))
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
        let Some(value) = self.values.get(self.next) else { return Ok(None) };
        self.next += 1;
        let json = value.get();
        let start = json.as_ptr().addr() - self.text.as_ptr().addr();
        self.line += self.text[self.counted..start].matches('\n').count();
        self.counted = start;
        let (request, line) = (GraphRequest::from_json(json.as_bytes(), scenario), self.line);
        request.map(|request| Some((request, line))).map_err(|error| {
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
