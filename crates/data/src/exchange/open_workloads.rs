//! Workloads of a table of which rows are missing.

use std::collections::HashMap;

use serde_json::value::to_raw_value;
use sim::{CostModel, Demands, Instance, Workload};

use super::demands::{self, DEADLINES, INSTRUCTIONS};
use super::reader::Refused;
use super::request::{SIZE_RULE, WorkloadRequest, is_size_mb};
use super::rows::{Cell, Row};
use crate::bad_lines::excerpt;
use crate::counted::counted;
use crate::limits::MAX_OPEN_BYTES;

/// Memory of a workload of which rows are missing, beside its numbers and its name.
const OPEN_WORKLOAD_BYTES: usize = 160;

/// A workload of which rows were read.
struct OpenWorkload {
    first_line: u64,
    last_line: u64,
    /// Sizes in MB, `[device][task]`; 0 where there is no task, NaN where the row of a task was not read yet.
    sizes_mb: Vec<f64>,
    /// What the tasks ask for, if the table has columns for it.
    demands: Option<Box<Demands>>,
    /// The number of rows that were read.
    rows: usize,
    /// The number of rows with which the workload is complete.
    wanted_rows: usize,
    /// Whether the workload was refused; its further rows are left out.
    is_refused: bool,
}

impl OpenWorkload {
    /// The workload of which all rows were read.
    ///
    /// # Errors
    /// If its tasks ask for something that the model does not take.
    fn instance(self, model: &CostModel) -> Result<Instance, String> {
        let workload = Workload::from_mb(model.tasks(), &self.sizes_mb);
        let model = match self.demands {
            None => model.clone(),
            Some(demands) => demands::model_with(model, *demands).map_err(|error| error.reason)?,
        };
        Ok(Instance { model, workload })
    }
}

/// The workloads of which rows are missing. They take at most [`MAX_OPEN_BYTES`].
#[derive(Default)]
pub(super) struct OpenWorkloads {
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
    pub(super) fn add(
        &mut self,
        line: u64,
        row: &Row<'_>,
        model: &CostModel,
    ) -> Result<Option<WorkloadRequest>, Refused> {
        let Row { workload, device, task, .. } = row;
        if let Some(reason) = mistake(row, model) {
            return self.refuse(line, Some(workload), reason, model);
        }
        let index = device * model.tasks() + task;
        if !model.has_task(index) {
            // Its cell of mb is empty: the row says what the scenario says.
            return Ok(None);
        }
        let is_taken = |open: &OpenWorkload| !open.sizes_mb[index].is_nan();
        let is_twice = match &self.current {
            Some((name, open)) if name == workload => is_taken(open),
            _ if self.last_complete.as_deref() == Some(&**workload) => true,
            _ => self.others.get(&**workload).is_some_and(is_taken),
        };
        if is_twice {
            let reason = format!("device {device}, task {task} stands there twice");
            return self.refuse(line, Some(workload), reason, model);
        }
        self.enter(line, workload, model)?;
        self.put(index, row, model);
        self.leave(model)
    }

    /// Writes a row into the current workload.
    fn put(&mut self, index: usize, row: &Row<'_>, model: &CostModel) {
        let Some((_, open)) = &mut self.current else { return };
        open.sizes_mb[index] = row.mb.unwrap_or(0.0);
        if row.deadline_s == Cell::NoColumn && row.instructions_per_byte == Cell::NoColumn {
            return;
        }
        if open.demands.is_none() {
            self.bytes += bytes_of_demands(model);
        }
        let demands = open.demands.get_or_insert_default();
        if row.deadline_s != Cell::NoColumn {
            let all = demands.deadlines_s.get_or_insert_with(|| demands::no_deadlines(model));
            all[index] = row.deadline_s.number().unwrap_or(all[index]);
        }
        if let Some(instructions) = row.instructions_per_byte.number() {
            let all = demands.instructions_per_byte.get_or_insert_with(|| demands::usual_instructions(model));
            all[index] = instructions;
        }
    }

    /// Refuses the workload of a row. Only the first mistake of a workload is an error; its further rows are left out.
    pub(super) fn refuse(
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
        self.leave(model)?;
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
        self.bytes += bytes_of(workload, model);
        if self.bytes > MAX_OPEN_BYTES {
            let count = self.others.len();
            let reason = format!(
                "rows are missing of {count} workloads above, more than are kept in memory; sort the rows by workload"
            );
            return Err(Refused { is_last: true, ..Refused::at(line, reason) });
        }
        let mut sizes_mb = vec![f64::NAN; model.task_count()];
        let mut wanted_rows = sizes_mb.len();
        if model.has_absent_tasks() {
            for (_, mb) in sizes_mb.iter_mut().enumerate().filter(|(task, _)| !model.has_task(*task)) {
                *mb = 0.0;
                wanted_rows -= 1;
            }
        }
        Ok(OpenWorkload {
            first_line: line,
            last_line: line,
            sizes_mb,
            demands: None,
            rows: 0,
            wanted_rows,
            is_refused: false,
        })
    }

    /// Takes the current workload out if all its rows were read. Returns it unless it was refused.
    fn leave(&mut self, model: &CostModel) -> Result<Option<WorkloadRequest>, Refused> {
        let complete = self.current.take_if(|(_, open)| open.rows >= open.wanted_rows);
        let Some((name, open)) = complete else { return Ok(None) };
        self.bytes -= bytes_of(&name, model);
        if open.demands.is_some() {
            self.bytes -= bytes_of_demands(model);
        }
        if open.is_refused {
            return Ok(None);
        }
        let id = to_raw_value(&name).ok();
        let (line, is_empty) = (open.last_line, open.sizes_mb.iter().all(|mb| *mb == 0.0));
        let empty = is_empty.then(|| format!("workload {} has no task: at least one must have a size", excerpt(&name)));
        self.last_complete = Some(name);
        match empty.map_or_else(|| open.instance(model), Err) {
            Ok(instance) => Ok(Some(WorkloadRequest { id, instance })),
            Err(reason) => Err(Refused { id, ..Refused::at(line, reason) }),
        }
    }

    /// At the end of the table: the next workload that stays incomplete, in the order in which they begin.
    pub(super) fn next_incomplete(&mut self, tasks: usize) -> Option<Refused> {
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

/// What is wrong with a row for the model's devices and tasks.
fn mistake(row: &Row<'_>, model: &CostModel) -> Option<String> {
    let (devices, tasks) = (model.devices(), model.tasks());
    let Row { device, task, mb, deadline_s, instructions_per_byte, .. } = row;
    if *device >= devices || *task >= tasks {
        let (last_device, last_task) = (devices - 1, tasks - 1);
        return Some(format!(
            "device {device}, task {task} is not there: the scenario has devices 0 to {last_device} with tasks 0 to {last_task}"
        ));
    }
    if let Some(mb) = mb.filter(|mb| !is_size_mb(*mb)) {
        return Some(format!("task {task} of device {device} is {mb} MB: {SIZE_RULE}"));
    }
    let own = model.tasks_of(*device);
    if mb.is_some() && *task >= own {
        let own = if own == 0 { "no task".to_owned() } else { counted(own, "task") };
        return Some(format!("device {device}, task {task} is not there: the scenario gives {own} to this device"));
    }
    for (range, value) in [(&DEADLINES, deadline_s), (&INSTRUCTIONS, instructions_per_byte)] {
        let place = format_args!("{} of task {task} of device {device}", range.key);
        if let Some(Err(error)) = value.number().map(|value| range.check(place, value)) {
            return Some(error.reason);
        }
    }
    None
}

fn bytes_of(workload: &str, model: &CostModel) -> usize {
    OPEN_WORKLOAD_BYTES + workload.len() + model.task_count() * size_of::<f64>()
}

/// Memory of a workload's deadlines and instructions per byte.
fn bytes_of_demands(model: &CostModel) -> usize {
    size_of::<Demands>() + 2 * model.task_count() * size_of::<f64>()
}
