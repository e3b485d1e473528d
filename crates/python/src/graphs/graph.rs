//! Applications as Python objects.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use data::graphs::{EdgeDescription, GraphDescription, LeftOut, TaskDescription};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use sim::graph::{Application, GraphEdge, GraphTask, Transfer, UnknownLayerKind};

use super::amounts::{mb, megacycles, written};
use super::reading;
use crate::arrays::full_array;
use crate::classes;
use crate::errors::graph;

/// An application: tasks, and the data that they pass to one another. It never changes.
///
/// Args:
///     tasks: A list of dicts with the keys `name` (a text of its own for each task), `megacycles` (the work in 10^6
///         instructions), and where they are needed `send_mb`, `result_mb`, `weights_mb`, `kind` and `pinned`; or a dict or data
///         frame of columns with these names. Without the column `name`, tasks are called "0", "1" and so on. Missing
///         numbers (`None`, and in columns `nan`) are left out.
///     edges: A list of dicts with the keys `from`, `to` and `mb`, of tuples `(from, to)` or `(from, to, mb)`, or an array
///         with two or three columns. Tasks are named, or numbered from 0.
///     order: Names or numbers of all tasks in the order in which they are scheduled; `None`: as the scenario says.
///     id: A name of the application, for answers.
///
/// Sizes are in MB (10^6 bytes). Graphs are equal if they have the same tasks in the same order, and the same edges in
/// whatever order; numbers are compared, and written, with 15 significant digits.
///
/// Raises `GraphError` if tasks and edges make no application; the message names the tasks that wait for each other, or the
/// task whose size is wrong.
///
/// >>> graph = Graph([{"name": "a", "megacycles": 400}, {"name": "b", "megacycles": 900}], [("a", "b", 3.5)])
/// >>> graph
/// <Graph: 2 tasks, 1 edge>
/// >>> graph.edges.tolist(), graph.edge_mb.tolist()
/// ([[0, 1]], [3.5])
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Graph {
    /// The name, as JSON.
    pub(crate) id: Option<String>,
    pub(crate) application: Arc<Application>,
    left_out: LeftOut,
}

impl Graph {
    /// The graph of an application whose sizes are all known.
    pub(crate) fn known(application: Arc<Application>) -> Self {
        Self { id: None, application, left_out: LeftOut::default() }
    }

    /// The graph of a description. `transfer` is what a scenario sends, if one is known.
    ///
    /// # Errors
    /// As [`GraphDescription::application`].
    pub(crate) fn of_description(
        mut description: GraphDescription,
        transfer: Option<Transfer>,
    ) -> Result<Self, data::exchange::RequestError> {
        let (id, left_out) = (description.id.take(), description.left_out());
        let application = Arc::new(description.application(transfer)?);
        Ok(Self { id: id.map(|id| id.get().to_owned()), application, left_out })
    }

    /// The application, if nothing is left out that is needed where this is sent.
    ///
    /// # Errors
    /// The first size that is missing.
    pub(crate) fn application_for(&self, transfer: Transfer) -> PyResult<&Arc<Application>> {
        self.left_out.check(&self.application, transfer).map_err(|error| graph(&error.reason))?;
        Ok(&self.application)
    }

    /// The name of the application as a Python object; `None` without one.
    pub(crate) fn id_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.id {
            Some(id) => py.import("json")?.call_method1("loads", (id,)),
            None => Ok(py.None().into_bound(py)),
        }
    }

    fn leaves_out_send(&self, task: usize) -> bool {
        self.left_out.send.get(task).is_some_and(|is_left_out| *is_left_out)
    }

    fn leaves_out_size(&self, edge: usize) -> bool {
        self.left_out.edges.get(edge).is_some_and(|is_left_out| *is_left_out)
    }

    /// A task as it is written.
    fn task(&self, index: usize) -> TaskDescription {
        let GraphTask { name, instructions, send_bytes, result_bytes, weights_bytes, kind, pinned } =
            &self.application.tasks()[index];
        TaskDescription {
            name: name.clone(),
            megacycles: written(megacycles(*instructions)),
            send_mb: (!self.leaves_out_send(index)).then(|| written(mb(*send_bytes))),
            result_mb: result_bytes.map(|bytes| written(mb(bytes))),
            weights_mb: (*weights_bytes > 0.0).then(|| written(mb(*weights_bytes))),
            kind: kind.map(|kind| kind.to_string()),
            pinned: pinned.clone(),
        }
    }

    /// An edge as it is written.
    fn edge(&self, index: usize) -> EdgeDescription {
        let GraphEdge { from, to, bytes } = self.application.edges()[index];
        let name = |task: u32| self.application.tasks()[task as usize].name.clone();
        let mb = (!self.leaves_out_size(index)).then(|| written(mb(bytes)));
        EdgeDescription { from: name(from), to: name(to), mb }
    }

    /// The graph as it is written, with the edges sorted by their ends: what equal graphs have in common.
    fn description(&self) -> GraphDescription {
        let mut edges: Vec<usize> = (0..self.application.edges().len()).collect();
        edges.sort_by_key(|edge| {
            let GraphEdge { from, to, .. } = self.application.edges()[*edge];
            (from, to)
        });
        GraphDescription {
            id: None,
            tasks: (0..self.application.len()).map(|index| self.task(index)).collect(),
            edges: edges.into_iter().map(|index| self.edge(index)).collect(),
            order: self.order_names(),
        }
    }

    fn order_names(&self) -> Option<Vec<String>> {
        let name = |task: &u32| self.application.tasks()[*task as usize].name.clone();
        self.application.order().map(|order| order.iter().map(name).collect())
    }

    /// A number of each task, with `nan` where there is none.
    fn column<'py>(
        &self,
        py: Python<'py>,
        of: impl Fn(usize, &GraphTask) -> Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let tasks = self.application.tasks().iter().enumerate();
        let all = tasks.map(|(index, task)| of(index, task).unwrap_or(f64::NAN)).collect();
        full_array::<f64>(py, all, &[self.application.len()])
    }
}

/// A task of a pickled graph.
type TaskState = (String, f64, f64, Option<f64>, f64, Option<String>, Option<String>);

/// What a pickled graph holds: the sizes in bytes, so that not even a last bit changes.
type State = (Option<String>, Vec<TaskState>, Vec<(u32, u32, f64)>, Option<Vec<String>>, (Vec<bool>, Vec<bool>));

#[pymethods]
impl Graph {
    #[new]
    #[pyo3(signature = (tasks, edges=None, *, order=None, id=None))]
    fn new(
        tasks: &Bound<'_, PyAny>,
        edges: Option<&Bound<'_, PyAny>>,
        order: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let description = reading::description(tasks, edges, order, id)?;
        Self::of_description(description, None).map_err(|error| graph(&error.reason))
    }

    /// Read an application from a dict, as `to_dict` gives it: `{"graph": {"tasks": […], "edges": […]}}`, with `id` and
    /// `order` if there are any. The inner dict alone will do.
    #[staticmethod]
    fn from_dict(dictionary: &Bound<'_, PyAny>) -> PyResult<Self> {
        let arguments = dictionary.py().import("mrdro._graph_input")?.call_method1("arguments_of", (dictionary,))?;
        let (tasks, edges, order, id): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
            arguments.extract()?;
        Self::new(&tasks, Some(&edges), Some(&order), Some(&id))
    }

    /// Read an application from a JSON object (see docs/task-graphs.md). `read_graphs` reads files of several, and other formats.
    ///
    /// >>> Graph.from_json('{"graph": {"tasks": [{"name": "a", "megacycles": 400}]}}').names
    /// ['a']
    #[staticmethod]
    fn from_json(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        reading::of_json(text)
    }

    /// Make an application of a directed graph of networkx.
    ///
    /// Nodes have the attributes `megacycles`, `send_mb`, `result_mb`, `weights_mb`, `kind` and `pinned`, edges `mb`; others are
    /// ignored. Tasks are called as their nodes, in their order. `order` and `id` are read from `graph.graph`.
    ///
    /// Args:
    ///     graph: A `networkx.DiGraph` without cycles.
    ///     attributes: The attributes of this graph that hold a quantity, where they have other names, such as
    ///         `{"megacycles": "work", "mb": "weight"}`.
    #[staticmethod]
    #[pyo3(signature = (graph, attributes=None))]
    fn from_networkx(graph: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let arguments = graph.py().import("mrdro._graph_input")?.call_method1("of_networkx", (graph, attributes))?;
        Self::from_dict(&arguments)
    }

    /// The graph as a `networkx.DiGraph`, from which `from_networkx` makes an equal graph. Needs networkx.
    fn to_networkx<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("mrdro._graph_input")?.call_method1("to_networkx", (slf,))
    }

    /// The graph as a dict of texts, numbers and lists, which `from_dict` reads back to an equal graph. Sizes that were left
    /// out are left out.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tasks = PyList::empty(py);
        for index in 0..self.application.len() {
            let TaskDescription { name, megacycles, send_mb, result_mb, weights_mb, kind, pinned } = self.task(index);
            let task = PyDict::new(py);
            task.set_item("name", name)?;
            task.set_item("megacycles", megacycles)?;
            for (key, mb) in [("send_mb", send_mb), ("result_mb", result_mb), ("weights_mb", weights_mb)] {
                mb.map_or(Ok(()), |mb| task.set_item(key, mb))?;
            }
            kind.map_or(Ok(()), |kind| task.set_item("kind", kind))?;
            pinned.map_or(Ok(()), |place| task.set_item("pinned", place))?;
            tasks.append(task)?;
        }
        let edges = PyList::empty(py);
        for index in 0..self.application.edges().len() {
            let EdgeDescription { from, to, mb } = self.edge(index);
            let edge = PyDict::new(py);
            edge.set_item("from", from)?;
            edge.set_item("to", to)?;
            mb.map_or(Ok(()), |mb| edge.set_item("mb", mb))?;
            edges.append(edge)?;
        }
        let dictionary = PyDict::new(py);
        if self.id.is_some() {
            dictionary.set_item("id", self.id_object(py)?)?;
        }
        let inner = PyDict::new(py);
        inner.set_item("tasks", tasks)?;
        inner.set_item("edges", edges)?;
        dictionary.set_item("graph", inner)?;
        self.order_names().map_or(Ok(()), |order| dictionary.set_item("order", order))?;
        Ok(dictionary)
    }

    /// The graph as a JSON object in one line, which `from_json` and the program read.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let options = PyDict::new(py);
        options.set_item("ensure_ascii", false)?;
        py.import("json")?.call_method("dumps", (self.to_dict(py)?,), Some(&options))?.extract()
    }

    /// The name of the application, or `None`.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.id_object(py)
    }

    /// The tasks as a `Table` with a row for each.
    #[getter]
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.to_dict(py)?.as_any().get_item("graph")?;
        classes::table(py)?.call_method1("of_rows", (inner.get_item("tasks")?,))
    }

    /// The names of the tasks, in the order in which they were given: decisions have a place for each in this order.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.application.tasks().iter().map(|task| task.name.as_str()).collect()
    }

    /// The work of the tasks in 10^6 instructions, (tasks,).
    #[getter]
    fn megacycles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, |_, task| Some(megacycles(task.instructions)))
    }

    /// What is sent to a server that runs a task where whole tasks are sent, in MB, (tasks,); `nan` where it was left out.
    #[getter]
    fn send_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, |index, task| (!self.leaves_out_send(index)).then(|| mb(task.send_bytes)))
    }

    /// What comes back there, in MB, (tasks,); `nan` where it was left out: as much as was sent.
    #[getter]
    fn result_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, |_, task| task.result_bytes.map(mb))
    }

    /// What is read from memory to run a task, in MB, (tasks,).
    #[getter]
    fn weights_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, |_, task| Some(mb(task.weights_bytes)))
    }

    /// The only place that may run each task, or `None`. Scenarios can pin further tasks.
    #[getter]
    fn pinned(&self) -> Vec<Option<&str>> {
        self.application.tasks().iter().map(|task| task.pinned.as_deref()).collect()
    }

    /// The numbers of the tasks at the ends of each edge, from and to, (edges, 2).
    #[getter]
    fn edges<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let edges = self.application.edges();
        let ends = edges.iter().flat_map(|edge| [i64::from(edge.from), i64::from(edge.to)]).collect();
        full_array::<i64>(py, ends, &[edges.len(), 2])
    }

    /// What each edge carries, in MB, (edges,); `nan` where it was left out.
    #[getter]
    fn edge_mb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let edges = self.application.edges();
        let size =
            |(index, edge): (usize, &GraphEdge)| if self.leaves_out_size(index) { f64::NAN } else { mb(edge.bytes) };
        full_array::<f64>(py, edges.iter().enumerate().map(size).collect(), &[edges.len()])
    }

    /// The names of the tasks in the order in which the application says that they are scheduled, or `None`.
    #[getter]
    fn order(&self) -> Option<Vec<String>> {
        self.order_names()
    }

    /// The number of tasks.
    fn __len__(&self) -> usize {
        self.application.len()
    }

    fn __repr__(&self) -> String {
        let name = self.id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
        let (tasks, edges) = (self.application.len(), self.application.edges().len());
        format!("<Graph{name}: {}, {}>", data::counted(tasks, "task"), data::counted(edges, "edge"))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            let (own, others) = (self.description(), other.description());
            self.id == other.id && own.tasks == others.tasks && own.edges == others.edges && own.order == others.order
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let GraphDescription { tasks, edges, order, .. } = self.description();
        (&self.id, order).hash(&mut hasher);
        for task in &tasks {
            (&task.name, (task.megacycles + 0.0).to_bits(), &task.kind, &task.pinned).hash(&mut hasher);
        }
        for edge in &edges {
            (&edge.from, &edge.to, edge.mb.map(|mb| (mb + 0.0).to_bits())).hash(&mut hasher);
        }
        hasher.finish()
    }

    #[staticmethod]
    fn _restore(state: State) -> PyResult<Self> {
        let (id, tasks, edges, order, (send, sizes)) = state;
        let task = |(name, instructions, send_bytes, result_bytes, weights_bytes, kind, pinned): TaskState| {
            let kind = kind.map(|kind| kind.parse()).transpose();
            let kind = kind.map_err(|error: UnknownLayerKind| graph(&error.to_string()))?;
            Ok(GraphTask { name, instructions, send_bytes, result_bytes, weights_bytes, kind, pinned })
        };
        let edges = edges.into_iter().map(|(from, to, bytes)| GraphEdge { from, to, bytes }).collect();
        let application = Application::new(tasks.into_iter().map(task).collect::<PyResult<_>>()?, edges);
        let application = application.and_then(|application| match order {
            Some(order) => application.with_order(&order),
            None => Ok(application),
        });
        let application = Arc::new(application.map_err(|error| graph(&error.to_string()))?);
        Ok(Self { id, application, left_out: LeftOut { send: send.into(), edges: sizes.into() } })
    }

    /// Pickles sizes in bytes, so that not even a last bit changes.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let tasks: Vec<_> = self.application.tasks().to_vec();
        let task = |GraphTask { name, instructions, send_bytes, result_bytes, weights_bytes, kind, pinned }| {
            (name, instructions, send_bytes, result_bytes, weights_bytes, kind.map(|kind| kind.to_string()), pinned)
        };
        let edges: Vec<_> = self.application.edges().iter().map(|edge| (edge.from, edge.to, edge.bytes)).collect();
        let state: State = (
            self.id.clone(),
            tasks.into_iter().map(task).collect(),
            edges,
            self.order_names(),
            (self.left_out.send.to_vec(), self.left_out.edges.to_vec()),
        );
        Ok((py.get_type::<Self>().getattr("_restore")?, (state,).into_pyobject(py)?))
    }
}
