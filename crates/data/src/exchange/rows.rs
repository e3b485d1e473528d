//! Workloads as a table: one row for each task, the rows of one workload next to each other or not.

use std::borrow::Cow;
use std::io::{self, Read};

use sim::CostModel;
use sim::text::NotText;

use super::demands::{DEADLINES, INSTRUCTIONS};
use super::open_workloads::OpenWorkloads;
use super::reader::Refused;
use super::request::WorkloadRequest;
use crate::bad_lines::{Reason, excerpt};
use crate::columns::{Columns, Header, index, is_above_header};
use crate::limits::MAX_LINE_BYTES;
use crate::lines::{Line, Lines};

/// The columns that a table of workloads must have.
pub(super) const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

/// These and the columns that it may have.
const ALL_COLUMNS: [&str; 6] = ["workload", "device", "task", "mb", DEADLINES.key, INSTRUCTIONS.key];
const DEADLINE_COLUMN: usize = 4;
const INSTRUCTIONS_COLUMN: usize = 5;

/// Reads the rows of a table and puts workloads together.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    /// The number of the line that was read last.
    line: u64,
    columns: Option<Columns<6>>,
    open: OpenWorkloads,
    is_at_end: bool,
}

/// What a row says.
pub(super) struct Row<'a> {
    pub(super) workload: Cow<'a, str>,
    pub(super) device: usize,
    pub(super) task: usize,
    /// `None`: the device has no such task.
    pub(super) mb: Option<f64>,
    /// Empty: the task has no deadline.
    pub(super) deadline_s: Cell,
    /// Empty: what the scenario says.
    pub(super) instructions_per_byte: Cell,
}

/// A number of a column that a table need not have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// The table does not have this column.
    NoColumn,
    Empty,
    Number(f64),
}

impl Cell {
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(value),
            Self::NoColumn | Self::Empty => None,
        }
    }
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        Self { lines: Lines::endless(input), line: 0, columns: None, open: OpenWorkloads::default(), is_at_end: false }
    }

    /// The next workload that is complete, and its last line. Workloads come in the order in which they are complete.
    ///
    /// After a workload that is refused, reading can go on; after an `io::Error` it cannot.
    pub(super) fn next(&mut self, model: &CostModel) -> io::Result<Result<Option<(WorkloadRequest, u64)>, Refused>> {
        while !self.is_at_end {
            let Some(line) = self.lines.next()? else {
                self.is_at_end = true;
                break;
            };
            self.line += 1;
            let read = match (line, &self.columns) {
                (Line::Bad(reason, beginning), columns) => {
                    let refused = Refused::at(self.line, bad_line(reason, beginning));
                    Err(Refused { is_last: columns.is_none(), ..refused })
                }
                (Line::Text(row), None) => {
                    if is_above_header(row) {
                        continue;
                    }
                    match Header::read(row, &COLUMNS).columns_with_optional(ALL_COLUMNS, COLUMNS.len()) {
                        Ok(columns) => {
                            self.columns = Some(columns);
                            continue;
                        }
                        Err(error) => Err(Refused { is_last: true, ..Refused::at(self.line, error.to_string()) }),
                    }
                }
                (Line::Text(row), Some(_)) if row.trim().is_empty() => continue,
                (Line::Text(row), Some(columns)) => match Row::read(row, columns) {
                    Ok(row) => self.open.add(self.line, &row, model),
                    Err(reason) => {
                        let workload = columns.pick_one(row, 0).filter(|workload| !workload.is_empty());
                        self.open.refuse(self.line, workload.as_deref(), reason, model)
                    }
                },
            };
            match read {
                Ok(None) => {}
                Ok(Some(request)) => return Ok(Ok(Some((request, self.line)))),
                Err(refused) => {
                    if refused.is_last {
                        self.is_at_end = true;
                        self.open = OpenWorkloads::default();
                    }
                    return Ok(Err(refused));
                }
            }
        }
        Ok(self.open.next_incomplete(model.tasks()).map_or(Ok(None), Err))
    }
}

impl<'a> Row<'a> {
    fn read(row: &'a str, columns: &Columns<6>) -> Result<Self, String> {
        let [workload, device, task, mb, deadline_s, instructions] =
            columns.pick(row).map_err(|reason| match reason {
                Reason::Columns { found, expected } => {
                    let advice = if found > expected && columns.is_divided_by_commas() {
                        "; numbers need a decimal point where commas divide the columns"
                    } else {
                        ""
                    };
                    format!("the row has {found} fields, the header names {expected} columns{advice}")
                }
                reason => reason.to_string(),
            })?;
        let counted = |name: &str, field: &str| {
            index(field).ok_or_else(|| format!("{name} must be a whole number from 0, is `{}`", excerpt(field)))
        };
        let (device, task) = (counted("device", &device)?, counted("task", &task)?);
        let number = |name: &str, field: &str| {
            if field.is_empty() {
                return Ok(None);
            }
            let read = columns.decimal(field).parse().map(Some);
            read.map_err(|_| format!("{name} must be a number, is `{}`", excerpt(field)))
        };
        let optional = |column: usize, field: &str| {
            if !columns.has(column) {
                return Ok(Cell::NoColumn);
            }
            number(ALL_COLUMNS[column], field).map(|value| value.map_or(Cell::Empty, Cell::Number))
        };
        Ok(Self {
            mb: number("mb", &mb)?,
            deadline_s: optional(DEADLINE_COLUMN, &deadline_s)?,
            instructions_per_byte: optional(INSTRUCTIONS_COLUMN, &instructions)?,
            workload,
            device,
            task,
        })
    }
}

fn bad_line(reason: Reason, beginning: &[u8]) -> String {
    match reason {
        Reason::TooLong => format!("a row is longer than {MAX_LINE_BYTES} bytes"),
        Reason::NotUtf8 => {
            let wrong = NotText::in_utf8(beginning);
            format!("column {}: {}", wrong.column, wrong.reason())
        }
        reason => reason.to_string(),
    }
}
