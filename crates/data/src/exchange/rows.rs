//! Workloads as a table: one row for each task, the rows of one workload next to each other or not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read};

use serde_json::value::to_raw_value;
use sim::text::NotText;
use sim::{CostModel, Instance, Workload};

use super::reader::Refused;
use super::request::{SIZE_RULE, WorkloadRequest, is_size_mb};
use crate::bad_lines::{Reason, excerpt};
use crate::columns::{Columns, Header, index, is_above_header};
use crate::limits::{MAX_LINE_BYTES, MAX_OPEN_BYTES};
use crate::lines::{Line, Lines};

/// The columns of workloads.
pub(super) const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

/// Memory of a workload of which rows are missing, beside its sizes and its name.
const OPEN_WORKLOAD_BYTES: usize = 160;

/// Reads the rows of a table and puts workloads together.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    /// The number of the line that was read last.
    line: u64,
    columns: Option<Columns<4>>,
    open: OpenWorkloads,
    is_at_end: bool,
}

/// What a row says.
struct Row<'a> {
    workload: Cow<'a, str>,
    device: usize,
    task: usize,
    mb: f64,
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
                    match Header::read(row, &COLUMNS).columns(COLUMNS) {
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
    fn read(row: &'a str, columns: &Columns<4>) -> Result<Self, String> {
        let [workload, device, task, mb] = columns.pick(row).map_err(|reason| match reason {
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
        let mb = columns.decimal(&mb).parse().map_err(|_| format!("mb must be a number, is `{}`", excerpt(&mb)))?;
        Ok(Self { workload, device, task, mb })
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

/// A workload of which rows were read.
struct OpenWorkload {
    first_line: u64,
    last_line: u64,
    /// Sizes in MB, `[device][task]`; NaN where no row was read yet.
    sizes_mb: Vec<f64>,
    rows: usize,
    /// Whether the workload was refused; its further rows are left out.
    is_refused: bool,
}

/// The workloads of which rows are missing. They take at most [`MAX_OPEN_BYTES`].
#[derive(Default)]
struct OpenWorkloads {
    /// The workload of the last row, which is that of the next row in most tables.
    current: Option<(String, OpenWorkload)>,
    others: HashMap<String, OpenWorkload>,
    /// The workload that was complete last: a further row of it stands there twice.
    last_complete: Option<String>,
    /// Memory of all of them.
    bytes: usize,
    /// At the end of the table: workloads that stay incomplete, the first one last.
    incomplete: Option<Vec<(String, OpenWorkload)>>,
}

impl OpenWorkloads {
    /// Adds a row. Returns the workload if that makes it complete.
    fn add(&mut self, line: u64, row: &Row<'_>, model: &CostModel) -> Result<Option<WorkloadRequest>, Refused> {
        let (devices, tasks) = (model.devices(), model.tasks());
        let Row { workload, device, task, mb } = row;
        let wrong = if *device >= devices || *task >= tasks {
            let (last_device, last_task) = (devices - 1, tasks - 1);
            Some(format!(
                "device {device}, task {task} is not there: the scenario has devices 0 to {last_device} with tasks 0 to {last_task}"
            ))
        } else if !is_size_mb(*mb) {
            Some(format!("task {task} of device {device} is {mb} MB: {SIZE_RULE}"))
        } else {
            None
        };
        if let Some(reason) = wrong {
            return self.refuse(line, Some(workload), reason, model);
        }
        let is_taken = |open: &OpenWorkload| !open.sizes_mb[device * tasks + task].is_nan();
        let is_twice = match &self.current {
            Some((name, open)) if name == workload => is_taken(open),
            _ if self.last_complete.as_deref() == Some(&**workload) => true,
            _ => self.others.get(&**workload).is_some_and(is_taken),
        };
        if is_twice {
            let reason = format!("device {device}, task {task} stands there twice");
            return self.refuse(line, Some(workload), reason, model);
        }
        let open = self.enter(line, workload, model)?;
        open.sizes_mb[device * tasks + task] = *mb;
        Ok(self.leave(model))
    }

    /// Refuses the workload of a row. Only the first mistake of a workload is an error; its further rows are left out.
    fn refuse(
        &mut self,
        line: u64,
        workload: Option<&str>,
        reason: String,
        model: &CostModel,
    ) -> Result<Option<WorkloadRequest>, Refused> {
        let mut refused = Refused::at(line, reason);
        let Some(workload) = workload else { return Err(refused) };
        refused.id = to_raw_value(workload).ok();
        if self.last_complete.as_deref() == Some(workload) {
            return Err(refused);
        }
        let open = self.enter(line, workload, model)?;
        let is_known = std::mem::replace(&mut open.is_refused, true);
        self.leave(model);
        if is_known { Ok(None) } else { Err(refused) }
    }

    /// Makes the workload of a row the current one.
    fn enter(&mut self, line: u64, workload: &str, model: &CostModel) -> Result<&mut OpenWorkload, Refused> {
        let is_current = self.current.as_ref().is_some_and(|(name, _)| name == workload);
        if !is_current {
            if let Some((name, open)) = self.current.take() {
                self.others.insert(name, open);
            }
            let entered = match self.others.remove_entry(workload) {
                Some(known) => known,
                None => (workload.to_owned(), self.begin(line, workload, model)?),
            };
            self.current = Some(entered);
        }
        let (_, open) = self.current.as_mut().expect("it was just put there");
        open.last_line = line;
        open.rows += 1;
        Ok(open)
    }

    fn begin(&mut self, line: u64, workload: &str, model: &CostModel) -> Result<OpenWorkload, Refused> {
        let tasks = model.task_count();
        self.bytes += bytes_of(workload, tasks);
        if self.bytes > MAX_OPEN_BYTES {
            let count = self.others.len();
            let reason = format!(
                "rows are missing of {count} workloads above, more than are kept in memory; sort the rows by workload"
            );
            return Err(Refused { is_last: true, ..Refused::at(line, reason) });
        }
        let sizes_mb = vec![f64::NAN; tasks];
        Ok(OpenWorkload { first_line: line, last_line: line, sizes_mb, rows: 0, is_refused: false })
    }

    /// Takes the current workload out if all its rows were read. Returns it unless it was refused.
    fn leave(&mut self, model: &CostModel) -> Option<WorkloadRequest> {
        let (name, open) = self.current.take_if(|(_, open)| open.rows >= open.sizes_mb.len())?;
        self.bytes -= bytes_of(&name, open.sizes_mb.len());
        if open.is_refused {
            return None;
        }
        let workload = Workload::from_mb(model.tasks(), &open.sizes_mb);
        let id = to_raw_value(&name).ok();
        self.last_complete = Some(name);
        Some(WorkloadRequest { id, instance: Instance { model: model.clone(), workload } })
    }

    /// At the end of the table: the next workload that stays incomplete, in the order in which they begin.
    fn next_incomplete(&mut self, tasks: usize) -> Option<Refused> {
        let incomplete = self.incomplete.get_or_insert_with(|| {
            let mut all: Vec<_> = self.current.take().into_iter().chain(self.others.drain()).collect();
            all.retain(|(_, open)| !open.is_refused);
            all.sort_unstable_by_key(|(_, open)| std::cmp::Reverse(open.first_line));
            all
        });
        let (name, open) = incomplete.pop()?;
        let missing = open.sizes_mb.iter().position(|mb| mb.is_nan())?;
        let reason =
            format!("workload {} ends without device {}, task {}", excerpt(&name), missing / tasks, missing % tasks);
        Some(Refused { id: to_raw_value(&name).ok(), ..Refused::at(open.last_line, reason) })
    }
}

fn bytes_of(workload: &str, tasks: usize) -> usize {
    OPEN_WORKLOAD_BYTES + workload.len() + tasks * size_of::<f64>()
}
