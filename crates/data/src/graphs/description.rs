//! Task graphs as JSON describes them, before a scenario says what they need.

use serde::Deserialize;
use sim::graph::{Application, GraphTask, NamedEdge, Transfer, UnknownLayerKind};
use sim::limits::{MAX_INSTRUCTIONS, MAX_SIZE_MB};
use sim::units::bytes_from_mb;

use crate::exchange::{Id, Object, RequestError, explain};

/// A task graph as JSON describes it. Scenarios differ in what they need: a size that is left out is an error in some
/// and unused in others.
#[derive(Debug, Clone, Default)]
pub struct GraphDescription {
    /// The name of the application, for answers.
    pub id: Option<Id>,
    /// The tasks.
    pub tasks: Vec<TaskDescription>,
    /// What tasks pass on.
    pub edges: Vec<EdgeDescription>,
    /// Names in the order in which tasks are scheduled; `None`: as the scenario says.
    pub order: Option<Vec<String>>,
}

/// A task of a [`GraphDescription`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDescription {
    /// The name, unlike that of any other task.
    pub name: String,
    /// The work, in 10^6 instructions.
    pub megacycles: f64,
    /// What is sent where the scenario sends whole tasks, in MB; needed there.
    #[serde(default)]
    pub send_mb: Option<f64>,
    /// What comes back there, in MB; `None`: as much as was sent.
    #[serde(default)]
    pub result_mb: Option<f64>,
    /// What is read from memory, in MB; `None`: nothing.
    #[serde(default)]
    pub weights_mb: Option<f64>,
    /// The kind of layer that the task is; needed where the scenario predicts times from measured layers.
    #[serde(default)]
    pub kind: Option<String>,
    /// The only place that may run the task, `local` or a server; `None`: any place may.
    #[serde(default)]
    pub pinned: Option<String>,
}

/// An edge of a [`GraphDescription`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeDescription {
    /// The task that produces the data.
    pub from: String,
    /// The task that waits for the data.
    pub to: String,
    /// The size of the data, in MB; needed where the scenario sends what edges carry.
    #[serde(default)]
    pub mb: Option<f64>,
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
    tasks: Vec<Object<TaskDescription>>,
    #[serde(default)]
    edges: Vec<Object<EdgeDescription>>,
    #[serde(default)]
    order: Option<Vec<String>>,
}

impl GraphDescription {
    /// Reads a description, see [`GraphRequest::from_json`](super::GraphRequest::from_json).
    ///
    /// # Errors
    /// If the text is no JSON, or not of this form.
    pub fn from_json(json: &[u8]) -> Result<Self, RequestError> {
        let parsed: Result<Object<Request>, _> = serde_json::from_slice(json);
        let Object(Request { id, graph: Object(graph), order }) =
            parsed.map_err(|error| RequestError::new("", explain(json, &error)))?;
        if graph.order.is_some() && order.is_some() {
            let reason = "order stands twice, inside graph and beside it; leave one out";
            return Err(RequestError::new("order", reason));
        }
        Ok(Self {
            id,
            tasks: graph.tasks.into_iter().map(|Object(task)| task).collect(),
            edges: graph.edges.into_iter().map(|Object(edge)| edge).collect(),
            order: graph.order.or(order),
        })
    }

    /// The application of the description. `transfer` says what the scenario sends and so which sizes may not be left out;
    /// `None`: all of them may, and count as nothing.
    ///
    /// # Errors
    /// If a size is missing or out of its range, or tasks and edges make no application.
    pub fn application(self, transfer: Option<Transfer>) -> Result<Application, RequestError> {
        let mut tasks = Vec::with_capacity(self.tasks.len());
        for (index, task) in self.tasks.into_iter().enumerate() {
            tasks.push(task.checked(index, transfer)?);
        }
        let mut edges = Vec::with_capacity(self.edges.len());
        for (index, EdgeDescription { from, to, mb }) in self.edges.into_iter().enumerate() {
            if mb.is_none() && transfer == Some(Transfer::Edge) {
                return Err(missing_size(index, &from, &to));
            }
            let owner = format!("the edge {from} → {to}");
            let mb = size(&format!("graph.edges[{index}].mb"), &owner, mb.unwrap_or(0.0))?;
            edges.push(NamedEdge { from, to, bytes: bytes_from_mb(mb) });
        }
        let refused =
            |field: &str, error: &dyn std::fmt::Display| RequestError::new(field, format!("{field}: {error}"));
        let application = Application::with_named_edges(tasks, &edges).map_err(|error| refused("graph", &error))?;
        match self.order {
            None => Ok(application),
            Some(order) => application.with_order(&order).map_err(|error| refused("order", &error)),
        }
    }

    /// The sizes that the description leaves out.
    pub fn left_out(&self) -> LeftOut {
        LeftOut {
            send: self.tasks.iter().map(|task| task.send_mb.is_none()).collect(),
            edges: self.edges.iter().map(|edge| edge.mb.is_none()).collect(),
        }
    }
}

/// Which sizes of an application were left out, and count as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// `true` for each task whose `send_mb` was left out; empty if none was.
    pub send: Box<[bool]>,
    /// `true` for each edge whose `mb` was left out; empty if none was.
    pub edges: Box<[bool]>,
}

impl LeftOut {
    /// Checks that nothing is left out that an application needs where this is sent.
    ///
    /// # Errors
    /// The first size that is missing.
    pub fn check(&self, application: &Application, transfer: Transfer) -> Result<(), RequestError> {
        let first = |left_out: &[bool]| left_out.iter().position(|is_left_out| *is_left_out);
        match transfer {
            Transfer::Task => match first(&self.send) {
                Some(index) => Err(missing_send(index, &application.tasks()[index].name)),
                None => Ok(()),
            },
            Transfer::Edge => {
                let Some(index) = first(&self.edges) else { return Ok(()) };
                let edge = application.edges()[index];
                let [from, to] = [edge.from, edge.to].map(|task| &application.tasks()[task as usize].name);
                Err(missing_size(index, from, to))
            }
        }
    }
}

impl TaskDescription {
    fn checked(self, index: usize, transfer: Option<Transfer>) -> Result<GraphTask, RequestError> {
        let field = |name: &str| format!("graph.tasks[{index}].{name}");
        let owner = format!("the task {}", self.name);
        if self.send_mb.is_none() && transfer == Some(Transfer::Task) {
            return Err(missing_send(index, &self.name));
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

fn missing_send(index: usize, task: &str) -> RequestError {
    let field = format!("graph.tasks[{index}].send_mb");
    let reason = format!("{field} is missing: the scenario sends whole tasks, so the task {task} needs it");
    RequestError::new(field, reason)
}

fn missing_size(index: usize, from: &str, to: &str) -> RequestError {
    let field = format!("graph.edges[{index}].mb");
    let reason = format!("{field} is missing: the scenario sends what edges carry, so the edge {from} → {to} needs it");
    RequestError::new(field, reason)
}

/// A size in MB, if it is one.
fn size(field: &str, owner: &str, mb: f64) -> Result<f64, RequestError> {
    if (0.0..=MAX_SIZE_MB).contains(&mb) {
        return Ok(mb);
    }
    let reason = format!("{field} of {owner} must lie between 0 and {MAX_SIZE_MB:e} MB, is {mb}");
    Err(RequestError::new(field, reason))
}
