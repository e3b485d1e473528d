//! Applications from Python values, texts and files.

use std::path::{Path, PathBuf};

use data::exchange::RequestError;
use data::graphs::{
    EdgeDescription, GraphDescription, GraphFileError, GraphFormat, GraphInput, GraphRequests, InvalidGraph,
    TaskDescription, application_from_dot, application_from_wfformat,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use serde_json::value::RawValue;
use sim::graph::scenario::Source;
use sim::graph::{Application, Generator, Transfer};

use super::graph::Graph;
use super::scenario::GraphScenario;
use crate::errors::{graph, raise, value};
use crate::guard::guarded;

/// A task as `mrdro._graph_input.rows` gives it: the fields of [`TaskDescription`] in their order.
type TaskRow = (String, f64, Option<f64>, Option<f64>, Option<f64>, Option<String>, Option<String>);
/// An edge as `mrdro._graph_input.rows` gives it.
type EdgeRow = (String, String, Option<f64>);

/// The description of the arguments of `Graph`.
///
/// # Errors
/// If one of them is of another form.
pub(super) fn description(
    tasks: &Bound<'_, PyAny>,
    edges: Option<&Bound<'_, PyAny>>,
    order: Option<&Bound<'_, PyAny>>,
    id: Option<&Bound<'_, PyAny>>,
) -> PyResult<GraphDescription> {
    let rows = tasks.py().import("mrdro._graph_input")?.call_method1("rows", (tasks, edges, order, id))?;
    let (tasks, edges, order, id): (Vec<TaskRow>, Vec<EdgeRow>, Option<Vec<String>>, Option<String>) =
        rows.extract()?;
    let task = |(name, megacycles, send_mb, result_mb, weights_mb, kind, pinned)| TaskDescription {
        name,
        megacycles,
        send_mb,
        result_mb,
        weights_mb,
        kind,
        pinned,
    };
    Ok(GraphDescription {
        id: id.map(RawValue::from_string).transpose().map_err(|error| value(format!("id: {error}")))?,
        tasks: tasks.into_iter().map(task).collect(),
        edges: edges.into_iter().map(|(from, to, mb)| EdgeDescription { from, to, mb }).collect(),
        order,
    })
}

/// The only application of a JSON text.
///
/// # Errors
/// If the text is no JSON, or holds no application, several, or one that makes no sense.
pub(super) fn of_json(text: &Bound<'_, PyAny>) -> PyResult<Graph> {
    let bytes = if let Ok(text) = text.cast::<PyString>() {
        text.to_cow()?.as_bytes().to_vec()
    } else if let Ok(bytes) = text.cast::<PyBytes>() {
        bytes.as_bytes().to_vec()
    } else {
        let found = text.get_type().name()?;
        return Err(PyTypeError::new_err(format!("text must be JSON in a str or bytes, is of type {found}")));
    };
    let input = GraphInput::read("the text", bytes.as_slice()).map_err(raise)?;
    if input.format() != GraphFormat::Json {
        let format = input.format();
        return Err(graph(&format!("the text is {format}, not JSON: write it into a file, which read_graphs reads")));
    }
    let mut graphs = of_input(&input, &Wanted::default())?;
    match (graphs.pop(), graphs.len()) {
        (Some(only), 0) => Ok(only),
        (_, more) => {
            let found = if more == 0 { "none".to_owned() } else { (more + 1).to_string() };
            Err(graph(&format!(
                "the text must hold one application, holds {found}; read_graphs reads files of several"
            )))
        }
    }
}

/// What a scenario, if there is one, wants of the applications of a file.
#[derive(Clone, Copy, Default)]
struct Wanted {
    transfer: Option<Transfer>,
    instructions_per_byte: Option<f64>,
}

/// The applications of an input.
fn of_input(input: &GraphInput, wanted: &Wanted) -> PyResult<Vec<Graph>> {
    let refused = |reason: InvalidGraph| raise(GraphFileError::Invalid { path: input.origin().to_owned(), reason });
    let one = |application: Application| Ok(vec![Graph::known(application.into())]);
    match input.format() {
        GraphFormat::Json => {
            let mut requests = GraphRequests::new(input.text()).map_err(|error| refused(error.into()))?;
            let read = |json: &[u8]| -> Result<Graph, RequestError> {
                Graph::of_description(GraphDescription::from_json(json)?, wanted.transfer)
            };
            let mut graphs = Vec::new();
            while let Some((next, _)) = requests.next_with(read).map_err(|error| refused(error.into()))? {
                graphs.push(next);
            }
            Ok(graphs)
        }
        GraphFormat::Dot => {
            let read = application_from_dot(input.text(), wanted.instructions_per_byte);
            one(read.map_err(|error| refused(error.into()))?)
        }
        GraphFormat::WfFormat => {
            let Some(transfer) = wanted.transfer else {
                let path = input.origin().display();
                return Err(value(format!(
                    "{path} is a workflow in WfFormat, which scenarios that send whole tasks read in another way than \
                     those that send what edges carry: give scenario, too"
                )));
            };
            let read = application_from_wfformat(input.text().as_bytes(), transfer);
            one(read.map_err(|error| refused(error.into()))?)
        }
    }
}

/// Read all applications of a file: JSON objects, a workflow in WfFormat, or a graph of Graphviz. The content tells the format.
///
/// Args:
///     path: The file, which may be compressed with gzip.
///     scenario: The scenario that is to decide them, its name or its file. It says which sizes are needed, and how
///         workflows and graphs without work are read.
///
/// Returns a list of `Graph`. Raises `GraphError` with the line of what is wrong, or `FileNotFoundError`.
#[pyfunction]
#[pyo3(signature = (path, scenario=None))]
pub(crate) fn read_graphs(py: Python<'_>, path: PathBuf, scenario: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Graph>> {
    let scenario = scenario.map(GraphScenario::of_argument).transpose()?;
    let wanted = scenario.map_or_else(Wanted::default, |scenario| {
        let scenario = &scenario.get().problem.scenario;
        let instructions_per_byte = match &scenario.application.source {
            Source::Generator(Generator::Layered(layered)) => Some(layered.instructions_per_byte),
            _ => None,
        };
        Wanted { transfer: Some(scenario.application.transfer), instructions_per_byte }
    });
    guarded(py, || {
        let graphs = of_input(&GraphInput::open(Path::new(&path)).map_err(raise)?, &wanted)?;
        if graphs.is_empty() {
            return Err(raise(GraphFileError::Empty { path: path.clone() }));
        }
        Ok(graphs)
    })
}
