//! Recorded sizes of tasks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::TraceError;
use super::csv::Header;
use super::format::first_lines;
use super::read::{BadLines, Lines, Quantity, Reason, Stop, Tally, Used, counted, number};
use super::recording::MAX_SAMPLES;
use crate::MAX_SIZE_MB;
use crate::units::BYTES_PER_MB;

/// The largest JSON file that is read, 1 GiB: JSON is held in memory as a whole.
pub const MAX_JSON_BYTES: usize = 1 << 30;

const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

/// How task sizes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskFormat {
    /// A workflow in WfFormat 1.5, which is JSON.
    WfFormat,
    /// CSV headed `workload,device,task,mb`, in any order.
    Csv,
    /// One size in MB a line.
    List,
}

/// Sizes of the tasks in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSizes {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: TaskFormat,
    /// The sizes in MB (10^6 bytes), in order: above 0, at most [`MAX_SIZE_MB`].
    pub sizes_mb: Vec<f64>,
    /// Tasks without a known positive size. In a workflow these are tasks without input, with inputs of 0 bytes alone,
    /// with an input that is not among its files, or with one whose size is missing or makes no sense. A list has none.
    pub skipped: u64,
    /// Lines that cannot be used; a workflow has none.
    pub bad: BadLines,
}

impl fmt::Display for TaskFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WfFormat => "WfFormat",
            Self::Csv => "CSV",
            Self::List => "list of sizes in MB",
        })
    }
}

impl fmt::Display for TaskSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = counted(self.sizes_mb.len() as u64, "size");
        let skipped = counted(self.skipped, "task");
        write!(f, "{}, {sizes}, {skipped} of no known size, {}", self.format, self.bad)
    }
}

/// Reads the sizes of tasks from a workflow in WfFormat 1.5, from CSV headed `workload,device,task,mb`, or from a list of
/// one size in MB a line, where lines that start with `#` are comments. The content tells which one it is.
///
/// The size of a task of a workflow is the sum of its input files.
///
/// # Errors
/// If the file cannot be read, is JSON but no workflow or larger than [`MAX_JSON_BYTES`], holds no task of a known size,
/// or more than [`MAX_SAMPLES`].
pub fn task_sizes(path: &Path) -> Result<TaskSizes, TraceError> {
    let fail = |source| TraceError::Unreadable { path: path.to_owned(), source };
    let mut lines = Lines::new(File::open(path).map_err(fail)?).map_err(fail)?;
    let Some(first) = first_lines(lines.ahead()).next() else {
        return Err(TraceError::Empty { path: path.to_owned() });
    };
    let header = Header::of(first, COLUMNS);
    let format = match header {
        Some(_) => TaskFormat::Csv,
        None if first.starts_with(['{', '[']) => TaskFormat::WfFormat,
        None => TaskFormat::List,
    };
    let mut sizes_mb = Vec::new();
    let mut tally = Tally::new(MAX_SAMPLES);
    if format == TaskFormat::WfFormat {
        let json = lines.rest(MAX_JSON_BYTES).map_err(fail)?;
        let json = json.ok_or_else(|| TraceError::TooLarge { path: path.to_owned() })?;
        let workflow: Workflow<'_> =
            serde_json::from_slice(&json).map_err(|source| TraceError::NoWorkflow { path: path.to_owned(), source })?;
        tally.left_out = workflow.sizes(&mut sizes_mb);
        if sizes_mb.len() > MAX_SAMPLES {
            return Err(TraceError::TooManySamples { path: path.to_owned() });
        }
    } else {
        let mut in_header = header.is_some();
        let read = tally.each_line(&mut lines, |_, line| {
            if std::mem::take(&mut in_header) || (header.is_none() && line.starts_with('#')) {
                return Ok(Used::Nothing);
            }
            let size = match &header {
                Some(header) => {
                    let [_, _, _, size] = header.pick(line)?;
                    if size.is_empty() {
                        return Ok(Used::LeftOut);
                    }
                    size
                }
                None => Cow::Borrowed(line),
            };
            let mb = number(&size, Quantity::Size, MAX_SIZE_MB)?;
            match (mb == 0.0, format) {
                (true, TaskFormat::List) => return Err(Reason::Zero(Quantity::Size)),
                (true, _) => return Ok(Used::LeftOut),
                (false, _) => {}
            }
            sizes_mb.push(mb);
            Ok(Used::Samples(1))
        });
        read.map_err(|stop| match stop {
            Stop::Io(source) => fail(source),
            Stop::TooMany => TraceError::TooManySamples { path: path.to_owned() },
        })?;
    }
    let sizes = TaskSizes { path: path.to_owned(), format, sizes_mb, skipped: tally.left_out, bad: tally.bad };
    if sizes.sizes_mb.is_empty() { Err(TraceError::NoSizes { found: Box::new(sizes) }) } else { Ok(sizes) }
}

#[derive(Deserialize)]
struct Workflow<'a> {
    #[serde(borrow)]
    workflow: Body<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    specification: Specification<'a>,
}

#[derive(Deserialize)]
struct Specification<'a> {
    #[serde(borrow)]
    tasks: Vec<Task<'a>>,
    #[serde(borrow, default)]
    files: Vec<Input<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    #[serde(borrow, default)]
    input_files: Vec<Id<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    size_in_bytes: Option<f64>,
}

/// A name, borrowed where it has no escapes; a bare `Cow` in a list would always be copied.
#[derive(Deserialize)]
struct Id<'a>(#[serde(borrow)] Cow<'a, str>);

impl Workflow<'_> {
    /// Adds the sizes of all tasks to `sizes_mb`; returns how many tasks have none.
    fn sizes(&self, sizes_mb: &mut Vec<f64>) -> u64 {
        let Specification { tasks, files } = &self.workflow.specification;
        let bytes_of: HashMap<&str, f64> =
            files.iter().filter_map(|file| Some((&*file.id, file.size_in_bytes?))).collect();
        let mut skipped = 0;
        for task in tasks {
            let inputs =
                task.input_files.iter().map(|Id(id)| bytes_of.get(&**id).copied().filter(|bytes| *bytes >= 0.0));
            let mb = inputs.sum::<Option<f64>>().unwrap_or(0.0) / BYTES_PER_MB;
            if mb > 0.0 && mb <= MAX_SIZE_MB {
                sizes_mb.push(mb);
            } else {
                skipped += 1;
            }
        }
        skipped
    }
}
