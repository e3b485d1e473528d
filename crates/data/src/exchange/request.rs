//! Workloads as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use sim::limits::MAX_SIZE_MB;
use sim::units::bytes_from_mb;
use sim::{CostModel, Instance, Workload};

use super::demands::{self, UncheckedDemands};
use super::environment::EnvironmentChange;
use super::json_error;
use super::object::Object;
use super::request_error::RequestError;
use super::size_table::SizeTable;
use super::task_values::TaskValues;
use crate::counted::counted;

/// The name of a workload: any JSON value. It is handed back as it was written.
pub type Id = Box<RawValue>;

/// A workload to decide, with its name if it has one.
#[derive(Debug)]
pub struct WorkloadRequest {
    /// The name, for the answer.
    pub id: Option<Id>,
    /// The workload in its environment, which is the model's unless the request says otherwise, with what its tasks ask for
    /// beyond their sizes.
    pub instance: Instance,
}

/// A workload as it stands in JSON, not yet checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UncheckedRequest {
    /// The name, for the answer.
    #[serde(default)]
    pub id: Option<Id>,
    /// Sizes in MB, `[device][task]`.
    pub tasks_mb: SizeTable,
    /// The difference to the environment in force.
    #[serde(default)]
    pub environment: Option<Object<EnvironmentChange>>,
    /// The times within which tasks are to be done, in seconds; tasks without a number have no deadline. `None`: the
    /// deadlines of the scenario.
    #[serde(default)]
    pub deadline_s: Option<TaskValues>,
    /// What a missed deadline costs: `report`, `penalty` or `hard`. `None`: `penalty` where there is a penalty, else the
    /// scenario's rule.
    #[serde(default)]
    pub deadline_rule: Option<String>,
    /// The cost of each missed deadline under the rule `penalty`.
    #[serde(default)]
    pub deadline_penalty: Option<f64>,
    /// Instructions to run for each byte; tasks without a number have the scenario's.
    #[serde(default)]
    pub instructions_per_byte: Option<TaskValues>,
}

impl WorkloadRequest {
    /// Reads a workload of the model's devices and tasks,
    /// `{"id": ..., "tasks_mb": [[...], ...], "environment": {...}, "deadline_s": ...}` with the fields of
    /// [`UncheckedRequest`]; only `tasks_mb` is required.
    ///
    /// # Errors
    /// If the text is no JSON, or not of this form, or not for the model's devices and tasks.
    pub fn from_json(json: &[u8], model: &CostModel) -> Result<Self, RequestError> {
        Self::from_parsed(json, serde_json::from_slice(json), model)
    }

    /// Checks a workload that was parsed from `json`, see [`WorkloadRequest::from_json`].
    pub(super) fn from_parsed(
        json: &[u8],
        parsed: serde_json::Result<Object<UncheckedRequest>>,
        model: &CostModel,
    ) -> Result<Self, RequestError> {
        let Object(request) = parsed.map_err(|error| RequestError::new("", json_error::explain(json, &error)))?;
        Self::new(request, model)
    }

    /// Checks a workload for the model's devices and tasks.
    ///
    /// # Errors
    /// If it is none for them.
    pub fn new(request: UncheckedRequest, model: &CostModel) -> Result<Self, RequestError> {
        let UncheckedRequest { id, tasks_mb, environment, .. } = request;
        let UncheckedRequest { deadline_s, deadline_rule, deadline_penalty, instructions_per_byte, .. } = request;
        let workload = workload(&tasks_mb, model)?;
        let refused = |error| RequestError::new("environment", format!("environment: {error}"));
        let mut model = match environment {
            None => model.clone(),
            Some(Object(change)) => {
                let environment = change.over(model).map_err(refused)?;
                model.at(&environment).map_err(refused)?
            }
        };
        let demands = UncheckedDemands { instructions_per_byte, deadline_s, deadline_rule, deadline_penalty };
        if !demands.is_empty() {
            model = demands::model_with(&model, demands.check(&model)?)?;
        }
        Ok(Self { id, instance: Instance { model, workload } })
    }
}

fn workload(tasks_mb: &SizeTable, model: &CostModel) -> Result<Workload, RequestError> {
    let (devices, tasks) = (model.devices(), model.tasks());
    if tasks_mb.row_count() != devices {
        let (rows, devices) = (counted(tasks_mb.row_count(), "row"), counted(devices, "device"));
        let reason = format!("tasks_mb has {rows}, the scenario has {devices}");
        return Err(RequestError::new("tasks_mb", reason));
    }
    let mut sizes_bytes = Vec::with_capacity(devices * tasks);
    for (device, row) in tasks_mb.rows().enumerate() {
        check_length(device, row, model)?;
        for (task, mb) in row.iter().enumerate() {
            if mb.is_nan() {
                sizes_bytes.push(0.0);
                continue;
            }
            if !is_size_mb(*mb) {
                let reason = format!("task {task} of device {device} is {mb} MB: {SIZE_RULE}");
                return Err(RequestError::new(format!("tasks_mb[{device}][{task}]"), reason));
            }
            sizes_bytes.push(bytes_from_mb(*mb));
        }
        sizes_bytes.resize((device + 1) * tasks, 0.0);
    }
    if sizes_bytes.iter().all(|bytes| *bytes == 0.0) {
        return Err(RequestError::new("tasks_mb", "tasks_mb has no task: at least one must have a size"));
    }
    Ok(Workload::from_bytes(tasks, sizes_bytes))
}

/// Refuses a row with sizes of tasks that its device does not have.
fn check_length(device: usize, row: &[f64], model: &CostModel) -> Result<(), RequestError> {
    let (found, tasks, own) = (row.len(), model.tasks(), model.tasks_of(device));
    if found <= own || (found <= tasks && row[own..].iter().all(|mb| mb.is_nan())) {
        return Ok(());
    }
    let given = match own {
        _ if !model.has_absent_tasks() => format!("{tasks} to each device"),
        0 => "it none".to_owned(),
        own => format!("it {own}"),
    };
    let reason = format!("device {device} has {}, the scenario gives {given}", counted(found, "task"));
    Err(RequestError::new(format!("tasks_mb[{device}]"), reason))
}

/// What a size must be, for errors.
pub(super) const SIZE_RULE: &str = "every task must have a size above 0 MB and at most 1e12 MB";

/// Whether a number can be the size of a task in MB.
pub(super) fn is_size_mb(mb: f64) -> bool {
    mb > 0.0 && mb <= MAX_SIZE_MB
}
