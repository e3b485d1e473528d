//! Workflows in WfFormat 1.5 as applications.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use sim::graph::{Application, ApplicationError, GraphEdge, GraphTask, LOCAL, Transfer};
use sim::units::hertz_from_mhz;

/// The frequency, in MHz, at which tasks of a workflow take the time that was recorded.
pub const RECORDED_MHZ: f64 = 1000.0;

/// The names of the tasks that stand for the device's files.
const ENDS: [&str; 2] = ["workflow-input", "workflow-output"];

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    workflow: Workflow<'a>,
}

#[derive(Deserialize)]
struct Workflow<'a> {
    #[serde(borrow)]
    specification: Specification<'a>,
    #[serde(borrow, default)]
    execution: Execution<'a>,
}

#[derive(Deserialize)]
struct Specification<'a> {
    #[serde(borrow)]
    tasks: Vec<Task<'a>>,
    #[serde(borrow, default)]
    files: Vec<Data<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    parents: Vec<Text<'a>>,
    #[serde(borrow, default)]
    children: Vec<Text<'a>>,
    #[serde(borrow, default)]
    input_files: Vec<Text<'a>>,
    #[serde(borrow, default)]
    output_files: Vec<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    size_in_bytes: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Execution<'a> {
    #[serde(borrow, default)]
    tasks: Vec<Run<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    runtime_in_seconds: Option<f64>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The application of a workflow in WfFormat 1.5.
///
/// A task's work is its recorded run time at [`RECORDED_MHZ`]. An edge carries the files that the task at its beginning
/// writes and the task at its end reads. Where whole tasks are sent, all files that a task reads are sent, and all that it
/// writes come back. Where edges are sent, the device has the files that no task writes, and wants those that no task reads:
/// two tasks without work stand for that, `workflow-input` and `workflow-output`, which only the device may run.
///
/// # Errors
/// If the text is no workflow, a task has no run time, a file no size, or tasks and edges make no application.
pub fn application_from_wfformat(json: &[u8], transfer: Transfer) -> Result<Application, WfFormatError> {
    let File { workflow: Workflow { specification, execution } } = serde_json::from_slice(json)?;
    let Specification { tasks, files } = &specification;
    let sizes: HashMap<&str, f64> =
        files.iter().filter_map(|Data { id, size_in_bytes }| Some((&*id.0, (*size_in_bytes)?))).collect();
    let runs: HashMap<&str, f64> =
        execution.tasks.iter().filter_map(|run| Some((&*run.id.0, run.runtime_in_seconds?))).collect();
    let positions: HashMap<&str, u32> =
        tasks.iter().enumerate().map(|(position, task)| (&*task.id.0, position as u32)).collect();
    let bytes = |files: &[Text<'_>], task: &Task<'_>| {
        let size = |Text(file): &Text<'_>| {
            let task = || task.id.0.clone().into_owned();
            sizes.get(&**file).copied().ok_or_else(|| WfFormatError::Size { file: file.to_string(), task: task() })
        };
        files.iter().map(size).sum::<Result<f64, _>>()
    };
    let mut all = Vec::with_capacity(tasks.len() + 2);
    for task in tasks {
        let name = task.id.0.clone().into_owned();
        let run_s = runs.get(&*task.id.0).copied().ok_or_else(|| WfFormatError::RunTime { task: name.clone() })?;
        all.push(GraphTask {
            name,
            instructions: run_s * hertz_from_mhz(RECORDED_MHZ),
            send_bytes: bytes(&task.input_files, task)?,
            result_bytes: Some(bytes(&task.output_files, task)?),
            ..GraphTask::default()
        });
    }
    let mut edges = edges(tasks, &positions, &sizes)?;
    if transfer == Transfer::Edge {
        add_ends(tasks, &sizes, &mut all, &mut edges);
    }
    Ok(Application::new(all, edges)?)
}

/// The edges between tasks, which stand with parents, with children, or with both.
fn edges(
    tasks: &[Task<'_>],
    positions: &HashMap<&str, u32>,
    sizes: &HashMap<&str, f64>,
) -> Result<Vec<GraphEdge>, WfFormatError> {
    let mut seen = HashSet::new();
    let mut edges = Vec::new();
    for task in tasks {
        let own = positions[&*task.id.0];
        let find = |Text(other): &Text<'_>| {
            let unknown = || WfFormatError::UnknownTask { task: task.id.0.to_string(), name: other.to_string() };
            positions.get(&**other).copied().ok_or_else(unknown)
        };
        let before = task.parents.iter().map(|other| Ok::<_, WfFormatError>((find(other)?, own)));
        let after = task.children.iter().map(|other| Ok((own, find(other)?)));
        for pair in before.chain(after) {
            let (from, to) = pair?;
            if seen.insert((from, to)) {
                let written: HashSet<&Text<'_>> = tasks[from as usize].output_files.iter().collect();
                let passed = tasks[to as usize].input_files.iter().filter(|file| written.contains(file));
                let bytes = passed.filter_map(|Text(file)| sizes.get(&**file)).sum();
                edges.push(GraphEdge { from, to, bytes });
            }
        }
    }
    Ok(edges)
}

/// Adds the tasks that stand for the files at the device.
fn add_ends(tasks: &[Task<'_>], sizes: &HashMap<&str, f64>, all: &mut Vec<GraphTask>, edges: &mut Vec<GraphEdge>) {
    let names = |files: &mut dyn Iterator<Item = &'_ Text<'_>>| -> HashSet<String> {
        files.map(|Text(file)| file.to_string()).collect()
    };
    let read = names(&mut tasks.iter().flat_map(|task| &task.input_files));
    let written = names(&mut tasks.iter().flat_map(|task| &task.output_files));
    let [input, output] = ENDS.map(|name| {
        let (name, pinned) = (name.to_owned(), Some(LOCAL.to_owned()));
        all.push(GraphTask { name, pinned, ..GraphTask::default() });
        all.len() as u32 - 1
    });
    for (position, task) in tasks.iter().enumerate() {
        let others = |files: &[Text<'_>], known: &HashSet<String>| -> Option<f64> {
            let others: Vec<f64> = files
                .iter()
                .filter(|file| !known.contains(&*file.0))
                .filter_map(|file| sizes.get(&*file.0).copied())
                .collect();
            (!others.is_empty()).then(|| others.iter().sum())
        };
        let own = position as u32;
        edges.extend(others(&task.input_files, &written).map(|bytes| GraphEdge { from: input, to: own, bytes }));
        edges.extend(others(&task.output_files, &read).map(|bytes| GraphEdge { from: own, to: output, bytes }));
    }
}

/// Why a workflow cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WfFormatError {
    /// The text is no workflow.
    #[error("the text is no workflow in WfFormat 1.5: {0}")]
    NoWorkflow(#[from] serde_json::Error),
    /// A task has no recorded run time.
    #[error("the task {task} has no runtimeInSeconds among workflow.execution.tasks")]
    RunTime {
        /// The task.
        task: String,
    },
    /// A file has no size.
    #[error("the file {file} of the task {task} has no sizeInBytes among workflow.specification.files")]
    Size {
        /// The file.
        file: String,
        /// A task that reads or writes it.
        task: String,
    },
    /// A task names a parent or child that does not exist.
    #[error("the task {task} has {name} among its parents or children, and there is no such task")]
    UnknownTask {
        /// The task.
        task: String,
        /// The name.
        name: String,
    },
    /// Tasks and edges make no application.
    #[error(transparent)]
    Application(#[from] ApplicationError),
}
