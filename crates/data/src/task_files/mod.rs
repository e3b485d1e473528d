//! Files of recorded task sizes: workflows, CSV and lists.

mod list;
mod workflow;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use sim::limits::MAX_SIZE_MB;

use self::list::ListHeader;
use self::workflow::Workflow;
use crate::bad_lines::{BadLines, Quantity, counted};
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::limits::{MAX_JSON_BYTES, MAX_SAMPLES};
use crate::lines::{LineContent, Lines, ReadCounts, Stop, first_lines, first_rows, number};

/// The columns of a table.
const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

/// The format of a file of task sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskFormat {
    /// A workflow in WfFormat 1.5, which is JSON.
    WfFormat,
    /// CSV headed `workload,device,task,mb`, in any order.
    Csv,
    /// One size per line, in MB or in the unit that a header names.
    List,
}

/// The sizes of the tasks in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSizes {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: TaskFormat,
    /// The sizes in MB (10^6 bytes), in order: above 0, at most [`MAX_SIZE_MB`].
    pub sizes_mb: Vec<f64>,
    /// The number of tasks without a known positive size. In a workflow these are tasks without input, with inputs of 0
    /// bytes alone, with an input that is not among its files, or with one whose size is missing or makes no sense. A list
    /// has none.
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

/// Reads task sizes from a workflow in WfFormat 1.5, from a table headed `workload,device,task,mb`, or from a list of one
/// size per line in MB, or in the unit that its header names. Lines of a list that start with `#` are comments. The content
/// tells the format.
///
/// The size of a workflow's task is the sum of its input files.
///
/// # Errors
/// If the file cannot be read, is JSON but no workflow or larger than [`MAX_JSON_BYTES`], has a header without one of the
/// columns, holds no task of a known size, or more than [`MAX_SAMPLES`].
pub fn task_sizes(path: &Path) -> Result<TaskSizes, TaskFileError> {
    let unreadable = |source| TaskFileError::Unreadable { path: path.to_owned(), source };
    let mut lines = Lines::new(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    if first_lines(lines.ahead()).next().is_none() {
        return Err(TaskFileError::Empty { path: path.to_owned() });
    }
    let layout =
        Layout::of(lines.ahead()).map_err(|reason| TaskFileError::Columns { path: path.to_owned(), reason })?;
    let mut sizes_mb = Vec::new();
    let mut counts = ReadCounts::new(MAX_SAMPLES);
    let stopped = |stop| match stop {
        Stop::Io(source) => unreadable(source),
        Stop::TooMany => TaskFileError::TooManySizes { path: path.to_owned() },
    };
    let format = match layout {
        Layout::Workflow => {
            counts.left_out = read_workflow(path, lines, &mut sizes_mb)?;
            TaskFormat::WfFormat
        }
        Layout::Table(columns) => {
            read_rows(&mut lines, &columns, &mut sizes_mb, &mut counts).map_err(stopped)?;
            TaskFormat::Csv
        }
        Layout::List(header) => {
            list::read(&mut lines, header.as_ref(), &mut sizes_mb, &mut counts).map_err(stopped)?;
            TaskFormat::List
        }
    };
    let sizes = TaskSizes { path: path.to_owned(), format, sizes_mb, skipped: counts.left_out, bad: counts.bad };
    if sizes.sizes_mb.is_empty() { Err(TaskFileError::NoSizes { found: Box::new(sizes) }) } else { Ok(sizes) }
}

/// How a file of task sizes is laid out.
enum Layout {
    Workflow,
    Table(Columns<4>),
    List(Option<ListHeader>),
}

impl Layout {
    /// Tells the layout of a file that begins so.
    fn of(ahead: &[u8]) -> Result<Self, HeaderError> {
        let mut rows = first_rows(ahead).filter(|row| !is_above_header(row));
        let first = rows.next().unwrap_or_default();
        let header = Header::read(first, &COLUMNS);
        match header.columns(COLUMNS) {
            Ok(columns) => Ok(Self::Table(columns)),
            Err(_) if first.trim_start().starts_with(['{', '[']) => Ok(Self::Workflow),
            // Half of the columns are no accident.
            Err(error) if 2 * header.count(&COLUMNS) >= COLUMNS.len() => Err(error),
            Err(_) => Ok(Self::List(ListHeader::of(first, rows.next().unwrap_or_default()))),
        }
    }
}

/// Reads a workflow and returns the number of tasks without a known size.
fn read_workflow(path: &Path, lines: Lines<File>, sizes_mb: &mut Vec<f64>) -> Result<u64, TaskFileError> {
    let path = || path.to_owned();
    let json = lines.rest(MAX_JSON_BYTES).map_err(|source| TaskFileError::Unreadable { path: path(), source })?;
    let json = json.ok_or_else(|| TaskFileError::TooLarge { path: path() })?;
    let workflow: Workflow<'_> =
        serde_json::from_slice(&json).map_err(|source| TaskFileError::NoWorkflow { path: path(), source })?;
    let skipped = workflow.sizes(sizes_mb);
    if sizes_mb.len() > MAX_SAMPLES { Err(TaskFileError::TooManySizes { path: path() }) } else { Ok(skipped) }
}

/// Reads the rows of a table. A size that is empty or 0 is not known.
fn read_rows(
    lines: &mut Lines<File>,
    columns: &Columns<4>,
    sizes_mb: &mut Vec<f64>,
    counts: &mut ReadCounts,
) -> Result<(), Stop> {
    let mut in_header = true;
    counts.each_row(lines, |_, row| {
        if in_header {
            in_header = is_above_header(row);
            return Ok(LineContent::Nothing);
        }
        let [_, _, _, size] = columns.pick(row)?;
        if size.is_empty() {
            return Ok(LineContent::LeftOut);
        }
        let mb = number(&columns.decimal(&size), Quantity::Size, MAX_SIZE_MB)?;
        if mb == 0.0 {
            return Ok(LineContent::LeftOut);
        }
        sizes_mb.push(mb);
        Ok(LineContent::Samples(1))
    })
}

/// Why a file of task sizes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TaskFileError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing at the beginning of the file.
    #[error("{} is empty, or blank for its first 64 KiB", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds more sizes than may be read.
    #[error("{} has more than {MAX_SAMPLES} task sizes; read a shorter file", path.display())]
    TooManySizes {
        /// The file.
        path: PathBuf,
    },
    /// The header names some columns of a table of sizes, but not all.
    #[error("{}: {reason}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        reason: HeaderError,
    },
    /// A JSON file is larger than may be read.
    #[error("{} is larger than {} MiB, the most that is read of JSON", path.display(), MAX_JSON_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A JSON file is no workflow.
    #[error("{} is no workflow in WfFormat 1.5", path.display())]
    NoWorkflow {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file holds no task of a known size.
    #[error("{} has no task of a known size: {found}", found.path.display())]
    NoSizes {
        /// What was found instead.
        found: Box<TaskSizes>,
    },
}
