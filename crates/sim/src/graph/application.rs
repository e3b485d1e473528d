//! Applications: tasks that pass data to one another.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::layers::LayerKind;
use crate::limits::{MAX_GRAPH_EDGES, MAX_INSTRUCTIONS, MAX_SIZE_MB, MAX_TASKS};
use crate::suggestion::nearest;
use crate::units::BYTES_PER_MB;

/// One task of an [`Application`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GraphTask {
    /// The name, unlike that of any other task of the application.
    pub name: String,
    /// The work, in instructions; for layers of networks, in floating-point operations.
    pub instructions: f64,
    /// What is sent to a server that runs the task, in bytes, where whole tasks are sent
    /// ([`Transfer::Task`](super::Transfer::Task)).
    pub send_bytes: f64,
    /// What comes back from a server that ran the task, in bytes, where whole tasks are sent; `None`: as much as was sent.
    pub result_bytes: Option<f64>,
    /// What a machine reads from its memory to run the task, in bytes: the weights of a layer.
    pub weights_bytes: f64,
    /// The kind, if the task is a layer of a network; times predicted from measured layers need it.
    pub kind: Option<LayerKind>,
    /// The name of the only place that may run the task, `local` or a server; `None`: any place may.
    pub pinned: Option<String>,
}

/// Data that one task of an [`Application`] passes to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphEdge {
    /// The task that produces the data.
    pub from: u32,
    /// The task that waits for the data.
    pub to: u32,
    /// The size of the data, in bytes.
    pub bytes: f64,
}

/// An edge that names its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedEdge {
    /// The task that produces the data.
    pub from: String,
    /// The task that waits for the data.
    pub to: String,
    /// The size of the data, in bytes.
    pub bytes: f64,
}

/// One end of an edge, seen from the task at its other end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The task at the other end.
    pub task: u32,
    /// The position of the edge in [`Application::edges`].
    pub edge: u32,
    /// The size of the data, in bytes.
    pub bytes: f64,
}

/// A directed graph without cycles: tasks, and the data that they pass to one another.
///
/// Tasks are numbered in the order in which they were given.
///
/// ```
/// use sim::graph::{Application, GraphEdge, GraphTask};
///
/// let task = |name: &str| GraphTask { name: name.to_owned(), instructions: 1e9, ..GraphTask::default() };
/// let edge = |from, to| GraphEdge { from, to, bytes: 2e6 };
/// let application = Application::new(vec![task("read"), task("solve")], vec![edge(0, 1)])?;
/// assert_eq!(application.incoming(1)[0].task, 0);
///
/// let error = Application::new(vec![task("read"), task("solve")], vec![edge(0, 1), edge(1, 0)]).unwrap_err();
/// assert_eq!(error.to_string(), "the tasks wait for each other: read → solve → read; remove one of these edges");
/// # Ok::<(), sim::graph::ApplicationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    tasks: Box<[GraphTask]>,
    edges: Box<[GraphEdge]>,
    incoming: Adjacency,
    outgoing: Adjacency,
    topological: Box<[u32]>,
    order: Option<Box<[u32]>>,
}

/// The edges at each task: those of task v stand from `starts[v]` to `starts[v + 1]`.
#[derive(Debug, Clone, PartialEq)]
struct Adjacency {
    starts: Box<[u32]>,
    neighbours: Box<[Neighbour]>,
}

impl Adjacency {
    /// The edges sorted by the task at one end, in the order in which they were given.
    fn new(tasks: usize, edges: &[GraphEdge], ends: impl Fn(&GraphEdge) -> (u32, u32)) -> Self {
        let mut starts = vec![0_u32; tasks + 1];
        for edge in edges {
            starts[ends(edge).0 as usize + 1] += 1;
        }
        for task in 0..tasks {
            starts[task + 1] += starts[task];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![Neighbour { task: 0, edge: 0, bytes: 0.0 }; edges.len()];
        for (index, edge) in edges.iter().enumerate() {
            let (task, other) = ends(edge);
            let slot = &mut next[task as usize];
            neighbours[*slot as usize] = Neighbour { task: other, edge: index as u32, bytes: edge.bytes };
            *slot += 1;
        }
        Self { starts: starts.into(), neighbours: neighbours.into() }
    }

    fn at(&self, task: usize) -> &[Neighbour] {
        &self.neighbours[self.starts[task] as usize..self.starts[task + 1] as usize]
    }
}

impl Application {
    /// Checks tasks and edges, and makes an application of them.
    ///
    /// # Errors
    /// If there is no task or there are too many, a name is empty or given twice, a size is negative, too large or no
    /// number, an edge has no task at an end, both ends at one task or the same ends as another edge, or tasks wait for
    /// each other.
    pub fn new(tasks: Vec<GraphTask>, edges: Vec<GraphEdge>) -> Result<Self, ApplicationError> {
        check_counts(&tasks, edges.len())?;
        positions_of_names(&tasks)?;
        Self::of_distinct_tasks(tasks, edges)
    }

    /// As [`Application::new`], with edges that name their tasks.
    ///
    /// # Errors
    /// As [`Application::new`]; also if an edge names a task that does not exist.
    pub fn with_named_edges(tasks: Vec<GraphTask>, edges: &[NamedEdge]) -> Result<Self, ApplicationError> {
        check_counts(&tasks, edges.len())?;
        let positions = positions_of_names(&tasks)?;
        let find = |name: &String, edge: &NamedEdge| {
            positions.get(name.as_str()).copied().ok_or_else(|| ApplicationError::UnknownTask {
                name: name.clone(),
                place: format!("the edge {} → {}", edge.from, edge.to),
                suggestion: similar(name, &tasks),
            })
        };
        let edges = edges
            .iter()
            .map(|edge| Ok(GraphEdge { from: find(&edge.from, edge)?, to: find(&edge.to, edge)?, bytes: edge.bytes }))
            .collect::<Result<Vec<_>, ApplicationError>>()?;
        drop(positions);
        Self::of_distinct_tasks(tasks, edges)
    }

    fn of_distinct_tasks(tasks: Vec<GraphTask>, edges: Vec<GraphEdge>) -> Result<Self, ApplicationError> {
        check_sizes(&tasks)?;
        check_edges(&tasks, &edges)?;
        let incoming = Adjacency::new(tasks.len(), &edges, |edge| (edge.to, edge.from));
        let outgoing = Adjacency::new(tasks.len(), &edges, |edge| (edge.from, edge.to));
        let mut application = Self {
            tasks: tasks.into(),
            edges: edges.into(),
            incoming,
            outgoing,
            topological: Box::default(),
            order: None,
        };
        application.topological = application.by_priority(Reverse).into();
        if application.topological.len() < application.tasks.len() {
            return Err(ApplicationError::Cycle { tasks: application.cycle() });
        }
        Ok(application)
    }

    /// The same application whose tasks are always scheduled in the order of these names.
    ///
    /// # Errors
    /// If a name is unknown, missing or given twice, or a task comes before one that it waits for.
    pub fn with_order<S: AsRef<str>>(mut self, names: &[S]) -> Result<Self, ApplicationError> {
        let positions = positions_of_names(&self.tasks)?;
        let mut place = vec![None; self.tasks.len()];
        let mut order = Vec::with_capacity(names.len());
        for (index, name) in names.iter().map(AsRef::as_ref).enumerate() {
            let Some(&task) = positions.get(name) else {
                let suggestion = similar(name, &self.tasks);
                let place = "the order".to_owned();
                return Err(ApplicationError::UnknownTask { name: name.to_owned(), place, suggestion });
            };
            if place[task as usize].replace(index).is_some() {
                return Err(ApplicationError::OrderTwice { name: name.to_owned() });
            }
            order.push(task);
        }
        drop(positions);
        if let Some(missing) = place.iter().position(Option::is_none) {
            return Err(ApplicationError::OrderWithout { name: self.tasks[missing].name.clone() });
        }
        for edge in &self.edges {
            if place[edge.from as usize] > place[edge.to as usize] {
                let [earlier, later] = [edge.to, edge.from].map(|task| self.tasks[task as usize].name.clone());
                return Err(ApplicationError::OrderAgainstEdge { earlier, later });
            }
        }
        self.order = Some(order.into());
        Ok(self)
    }

    /// The same application in which the tasks that `is_pinned` picks by their number can only run at a place.
    pub fn with_pinned(mut self, place: &str, is_pinned: impl Fn(usize, &Self) -> bool) -> Self {
        let pinned: Vec<usize> = (0..self.len()).filter(|task| is_pinned(*task, &self)).collect();
        for task in pinned {
            self.tasks[task].pinned = Some(place.to_owned());
        }
        self
    }

    /// The same application in which the tasks of these names can only run at a place.
    ///
    /// # Errors
    /// If there is no task of a name.
    pub fn with_pinned_names<S: AsRef<str>>(mut self, place: &str, names: &[S]) -> Result<Self, ApplicationError> {
        for name in names.iter().map(AsRef::as_ref) {
            let Some(task) = self.position(name) else {
                let suggestion = similar(name, &self.tasks);
                let place = "the list of pinned tasks".to_owned();
                return Err(ApplicationError::UnknownTask { name: name.to_owned(), place, suggestion });
            };
            self.tasks[task].pinned = Some(place.to_owned());
        }
        Ok(self)
    }

    /// Lists the tasks so that each comes after those it waits for, and of tasks that could come next the one with the
    /// greatest priority. The list is shorter than the application if tasks wait for each other.
    pub(crate) fn by_priority<P: Ord>(&self, priority: impl Fn(u32) -> P) -> Vec<u32> {
        let mut waits: Vec<u32> = (0..self.len()).map(|task| self.incoming(task).len() as u32).collect();
        let ready = (0..self.len() as u32).filter(|task| waits[*task as usize] == 0);
        let mut ready: BinaryHeap<(P, u32)> = ready.map(|task| (priority(task), task)).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some((_, task)) = ready.pop() {
            order.push(task);
            for next in self.outgoing(task as usize) {
                waits[next.task as usize] -= 1;
                if waits[next.task as usize] == 0 {
                    ready.push((priority(next.task), next.task));
                }
            }
        }
        order
    }

    /// The names of tasks that wait for each other, first and last being the same.
    fn cycle(&self) -> Vec<String> {
        let mut is_ordered = vec![false; self.len()];
        self.topological.iter().for_each(|task| is_ordered[*task as usize] = true);
        // Every task that is left waits for one that is left, so that following these must come back to one seen before.
        let mut seen = vec![usize::MAX; self.len()];
        let mut path = Vec::new();
        let mut task = is_ordered.iter().position(|is_ordered| !is_ordered).unwrap_or(0);
        while seen[task] == usize::MAX {
            seen[task] = path.len();
            path.push(task);
            let before = self.incoming(task).iter().find(|before| !is_ordered[before.task as usize]);
            task = before.map_or(task, |before| before.task as usize);
        }
        path.drain(..seen[task]);
        path.push(task);
        path.iter().rev().map(|task| self.tasks[*task].name.clone()).collect()
    }

    /// The number of tasks.
    #[expect(clippy::len_without_is_empty, reason = "an application has at least one task")]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The tasks, in the order in which they were given.
    pub fn tasks(&self) -> &[GraphTask] {
        &self.tasks
    }

    /// The edges, in the order in which they were given.
    pub fn edges(&self) -> &[GraphEdge] {
        &self.edges
    }

    /// The edges that end at a task, each with the task that produces the data.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn incoming(&self, task: usize) -> &[Neighbour] {
        self.incoming.at(task)
    }

    /// The edges that begin at a task, each with the task that waits for the data.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn outgoing(&self, task: usize) -> &[Neighbour] {
        self.outgoing.at(task)
    }

    /// All tasks, each after those it waits for; among tasks that could come next the one given first.
    pub fn topological(&self) -> &[u32] {
        &self.topological
    }

    /// The order in which the application says that its tasks are scheduled, if it says one.
    pub fn order(&self) -> Option<&[u32]> {
        self.order.as_deref()
    }

    /// The position of the task of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.tasks.iter().position(|task| task.name == name)
    }
}

fn check_counts(tasks: &[GraphTask], edges: usize) -> Result<(), ApplicationError> {
    if tasks.is_empty() {
        return Err(ApplicationError::Empty);
    }
    if tasks.len() > MAX_TASKS {
        return Err(ApplicationError::TooMany { what: "tasks", most: MAX_TASKS, found: tasks.len() });
    }
    if edges > MAX_GRAPH_EDGES {
        return Err(ApplicationError::TooMany { what: "edges", most: MAX_GRAPH_EDGES, found: edges });
    }
    Ok(())
}

fn positions_of_names(tasks: &[GraphTask]) -> Result<HashMap<&str, u32>, ApplicationError> {
    let mut positions = HashMap::with_capacity(tasks.len());
    for (position, task) in tasks.iter().enumerate() {
        if task.name.trim().is_empty() {
            return Err(ApplicationError::NoName { position: position + 1 });
        }
        if positions.insert(task.name.as_str(), position as u32).is_some() {
            return Err(ApplicationError::SameName { name: task.name.clone() });
        }
    }
    Ok(positions)
}

fn check_sizes(tasks: &[GraphTask]) -> Result<(), ApplicationError> {
    let most_bytes = MAX_SIZE_MB * BYTES_PER_MB;
    for task in tasks {
        let sizes = [
            ("work, in instructions,", task.instructions, MAX_INSTRUCTIONS),
            ("number of bytes to send", task.send_bytes, most_bytes),
            ("number of bytes of its result", task.result_bytes.unwrap_or(0.0), most_bytes),
            ("number of bytes of its weights", task.weights_bytes, most_bytes),
        ];
        for (what, found, most) in sizes {
            if !(0.0..=most).contains(&found) {
                let owner = format!("the task {}", task.name);
                return Err(ApplicationError::Size { owner, what, most, found });
            }
        }
    }
    Ok(())
}

fn check_edges(tasks: &[GraphTask], edges: &[GraphEdge]) -> Result<(), ApplicationError> {
    let mut seen = std::collections::HashSet::with_capacity(edges.len());
    for (index, edge) in edges.iter().enumerate() {
        let [from, to] = [edge.from, edge.to].map(|task| tasks.get(task as usize));
        let (Some(from), Some(to)) = (from, to) else {
            let task = if from.is_none() { edge.from } else { edge.to };
            return Err(ApplicationError::NoSuchTask { edge: index, task, tasks: tasks.len() });
        };
        if edge.from == edge.to {
            return Err(ApplicationError::SelfEdge { name: from.name.clone() });
        }
        if !seen.insert((edge.from, edge.to)) {
            return Err(ApplicationError::SameEdge { from: from.name.clone(), to: to.name.clone() });
        }
        let most = MAX_SIZE_MB * BYTES_PER_MB;
        if !(0.0..=most).contains(&edge.bytes) {
            let owner = format!("the edge {} → {}", from.name, to.name);
            return Err(ApplicationError::Size { owner, what: "number of bytes", most, found: edge.bytes });
        }
    }
    Ok(())
}

/// The name that was probably meant by one that no task has.
fn similar(name: &str, tasks: &[GraphTask]) -> Option<String> {
    // Names of generated graphs differ in a digit: with many of them the nearest one says nothing.
    nearest(name, tasks.iter().take(1000).map(|task| task.name.as_str())).map(str::to_owned)
}

/// Why tasks and edges make no application.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ApplicationError {
    /// There is no task.
    #[error("there is no task: an application has at least one")]
    Empty,
    /// There are too many tasks or edges.
    #[error("there are {found} {what}, and an application has at most {most}")]
    TooMany {
        /// Tasks or edges.
        what: &'static str,
        /// The most that there may be.
        most: usize,
        /// The number that there is.
        found: usize,
    },
    /// A task has no name.
    #[error("task {position} has an empty name; give each task a name of its own")]
    NoName {
        /// Its position, from 1.
        position: usize,
    },
    /// Two tasks have one name.
    #[error("two tasks are called {name}; give each task a name of its own")]
    SameName {
        /// The name.
        name: String,
    },
    /// A size is negative, too large or no number.
    #[error("the {what} of {owner} must lie between 0 and {most:e}, is {found}")]
    Size {
        /// The task or edge.
        owner: String,
        /// The quantity.
        what: &'static str,
        /// Its largest value.
        most: f64,
        /// The value.
        found: f64,
    },
    /// An edge or the order names a task that does not exist.
    #[error(
        "{place} names the task {name}, which does not exist{}",
        suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?"))
    )]
    UnknownTask {
        /// The name.
        name: String,
        /// The edge or the order.
        place: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// An edge has the number of no task at one end.
    #[error("edge {edge} has task {task} at one end, and tasks are numbered from 0 to {}", tasks - 1)]
    NoSuchTask {
        /// The position of the edge, from 0.
        edge: usize,
        /// The number of the task.
        task: u32,
        /// The number of tasks.
        tasks: usize,
    },
    /// An edge begins and ends at one task.
    #[error("the task {name} waits for itself; remove the edge {name} → {name}")]
    SelfEdge {
        /// The task.
        name: String,
    },
    /// Two edges have the same ends.
    #[error("the edge {from} → {to} is given twice; give it once, with the bytes of both")]
    SameEdge {
        /// The task at its beginning.
        from: String,
        /// The task at its end.
        to: String,
    },
    /// Tasks wait for each other.
    #[error("the tasks wait for each other: {}; remove one of these edges", path(tasks))]
    Cycle {
        /// The names along the edges; the first is the last again.
        tasks: Vec<String>,
    },
    /// The order names a task twice.
    #[error("the order names the task {name} twice; name each task once")]
    OrderTwice {
        /// The task.
        name: String,
    },
    /// The order leaves out a task.
    #[error("the order leaves out the task {name}; name each task once")]
    OrderWithout {
        /// The task.
        name: String,
    },
    /// The order has a task before one that it waits for.
    #[error("the order has {earlier} before {later}, but {earlier} waits for {later}")]
    OrderAgainstEdge {
        /// The task that waits.
        earlier: String,
        /// The task that it waits for.
        later: String,
    },
}

/// Names with arrows between them; of a long list, its beginning and its end.
fn path(names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.len() <= SHOWN {
        return names.join(" → ");
    }
    let more = names.len() - SHOWN;
    format!("{} → ({more} more) → {}", names[..SHOWN - 1].join(" → "), names[names.len() - 1])
}
