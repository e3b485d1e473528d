//! Workloads as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use sim::limits::MAX_SIZE_MB;
use sim::{CostModel, Instance, Workload};

use super::environment::EnvironmentChange;
use super::json_error;
use super::object::Object;
use super::request_error::RequestError;

/// The name of a workload: any JSON value. It is handed back as it was written.
pub type Id = Box<RawValue>;

/// A workload to decide, with its name if it has one.
#[derive(Debug)]
pub struct WorkloadRequest {
    /// The name, for the answer.
    pub id: Option<Id>,
    /// The workload in its environment, which is the model's unless the request says otherwise.
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
    pub tasks_mb: Vec<Vec<f64>>,
    /// The difference to the environment in force.
    #[serde(default)]
    pub environment: Option<Object<EnvironmentChange>>,
}

impl WorkloadRequest {
    /// Reads a workload of the model's devices and tasks,
    /// `{"id": ..., "tasks_mb": [[...], ...], "environment": {...}}`; only `tasks_mb` is required.
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
        let UncheckedRequest { id, tasks_mb, environment } = request;
        let workload = workload(&tasks_mb, model)?;
        let refused = |error| RequestError::new("environment", format!("environment: {error}"));
        let model = match environment {
            None => model.clone(),
            Some(Object(change)) => {
                let environment = change.over(model).map_err(refused)?;
                model.at(&environment).map_err(refused)?
            }
        };
        Ok(Self { id, instance: Instance { model, workload } })
    }
}

fn workload(tasks_mb: &[Vec<f64>], model: &CostModel) -> Result<Workload, RequestError> {
    let (devices, tasks) = (model.devices(), model.tasks());
    if tasks_mb.len() != devices {
        let rows = tasks_mb.len();
        let reason = format!("tasks_mb has {rows} rows, the scenario has {devices} devices");
        return Err(RequestError::new("tasks_mb", reason));
    }
    for (device, row) in tasks_mb.iter().enumerate() {
        if row.len() != tasks {
            let found = row.len();
            let reason = format!("device {device} has {found} tasks, the scenario gives {tasks} to each device");
            return Err(RequestError::new(format!("tasks_mb[{device}]"), reason));
        }
        if let Some(task) = row.iter().position(|mb| !is_size_mb(*mb)) {
            let reason = format!("task {task} of device {device} is {} MB: {SIZE_RULE}", row[task]);
            return Err(RequestError::new(format!("tasks_mb[{device}][{task}]"), reason));
        }
    }
    Ok(Workload::from_mb(tasks, &tasks_mb.concat()))
}

/// What a size must be, for errors.
pub(super) const SIZE_RULE: &str = "every task must have a size above 0 MB and at most 1e12 MB";

/// Whether a number can be the size of a task in MB.
pub(super) fn is_size_mb(mb: f64) -> bool {
    mb > 0.0 && mb <= MAX_SIZE_MB
}
