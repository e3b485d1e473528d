//! Files of recorded task sizes: workflows, CSV and lists.

mod list;
mod workflow;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sim::limits::MAX_SIZE_MB;

use self::list::ListHeader;
use self::workflow::Workflow;
use crate::bad_lines::{BadLines, Quantity, counted, excerpt};
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::limits::{MAX_JSON_BYTES, MAX_LINE_BYTES, MAX_SAMPLES};
use crate::lines::{LineContent, Lines, ReadCounts, Stop, first_lines, first_rows, number};
use crate::source_file;

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

impl TaskFormat {
    /// All formats with the names that `--as` takes.
    const NAMES: [(Self, &str); 3] = [(Self::WfFormat, "wfformat"), (Self::Csv, "sizes-csv"), (Self::List, "sizes")];
}

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the formats of task sizes are {}", TaskFormat::NAMES.map(|(_, name)| name).join(", "))]
pub struct UnknownTaskFormat;

impl FromStr for TaskFormat {
    type Err = UnknownTaskFormat;

    fn from_str(text: &str) -> Result<Self, UnknownTaskFormat> {
        Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(format, _)| format).ok_or(UnknownTaskFormat)
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
/// The size of a workflow's task is the sum of its input files. The file may be compressed with gzip.
///
/// # Errors
/// If the file cannot be read, has none of these formats, is JSON but no workflow or larger than [`MAX_JSON_BYTES`], has a
/// header without one of the columns, holds no task of a known size, or more than [`MAX_SAMPLES`].
pub fn task_sizes(path: &Path) -> Result<TaskSizes, TaskFileError> {
    task_sizes_as(path, None)
}

/// Reads task sizes as [`task_sizes`] does, in the format that is named.
///
/// # Errors
/// As [`task_sizes`].
pub fn task_sizes_as(path: &Path, format: Option<TaskFormat>) -> Result<TaskSizes, TaskFileError> {
    let unreadable = |source| TaskFileError::Unreadable { path: path.to_owned(), source };
    let mut lines = Lines::new(source_file::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let Some(first) = first_lines(lines.ahead()).next() else {
        return Err(TaskFileError::Empty { path: path.to_owned() });
    };
    let layout = match format {
        None => Layout::of(lines.ahead()),
        Some(format) => Layout::of_format(format, lines.ahead()).map(Some),
    };
    let layout = layout.map_err(|reason| TaskFileError::Columns { path: path.to_owned(), reason })?;
    let layout = layout.ok_or_else(|| TaskFileError::UnknownFormat { path: path.to_owned(), text: excerpt(first) })?;
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
    /// Tells the layout of a file that begins so; `None` if it has none of them.
    fn of(ahead: &[u8]) -> Result<Option<Self>, HeaderError> {
        let [first, second] = content(ahead);
        let header = Header::read(first, &COLUMNS);
        match header.columns(COLUMNS) {
            Ok(columns) => Ok(Some(Self::Table(columns))),
            Err(_) if first.trim_start().starts_with(['{', '[']) => Ok(Some(Self::Workflow)),
            // Half of the columns are no accident.
            Err(error) if 2 * header.count(&COLUMNS) >= COLUMNS.len() => Err(error),
            Err(_) => {
                let header = ListHeader::of(first, second);
                Ok(is_list(ahead, header.is_some()).then_some(Self::List(header)))
            }
        }
    }

    /// The layout of a file of this format that begins so.
    fn of_format(format: TaskFormat, ahead: &[u8]) -> Result<Self, HeaderError> {
        let [first, second] = content(ahead);
        Ok(match format {
            TaskFormat::WfFormat => Self::Workflow,
            TaskFormat::Csv => Self::Table(Header::read(first, &COLUMNS).columns(COLUMNS)?),
            TaskFormat::List => Self::List(ListHeader::of(first, second)),
        })
    }
}

/// The first two lines that are not blank and no comment.
fn content(ahead: &[u8]) -> [&str; 2] {
    let mut rows = first_rows(ahead).filter(|row| !is_above_header(row));
    [rows.next().unwrap_or_default(), rows.next().unwrap_or_default()]
}

/// Whether more than half of the first lines of data are numbers, or there is none.
fn is_list(ahead: &[u8], has_header: bool) -> bool {
    let mut lines: Vec<_> = first_lines(ahead).filter(|line| !line.starts_with('#')).skip(has_header.into()).collect();
    if ahead.len() > MAX_LINE_BYTES && lines.len() > 1 {
        lines.pop(); // it may be cut off
    }
    let numbers = lines.iter().filter(|line| line.parse::<f64>().is_ok()).count();
    !ahead.contains(&0) && (lines.is_empty() || 2 * numbers > lines.len())
}

/// Reads a workflow and returns the number of tasks without a known size.
fn read_workflow(path: &Path, lines: Lines<Box<dyn Read>>, sizes_mb: &mut Vec<f64>) -> Result<u64, TaskFileError> {
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
    lines: &mut Lines<Box<dyn Read>>,
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
    /// Fewer than half of its first lines have the same known format.
    #[error(
        "{} is no file of task sizes in a known format (a workflow in WfFormat, CSV headed workload,device,task,mb, a list of one \
         size on each line); it begins with `{text}`",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// How its first line that is not blank begins.
        text: String,
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
