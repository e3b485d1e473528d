//! Workloads in, answers out: the forms in which other programs speak with this one.
//!
//! A workload is a JSON object, one a line or one a request, or the rows of a CSV file; an answer is a JSON object.
//!
//! ```
//! use sim::exchange::{Answer, Named};
//! use sim::scheme::{Exact, Scheme};
//!
//! let model = sim::Scenario::load("ddlo")?.check()?;
//! let tasks = vec![[12.0; 3]; 3];
//! let text = format!("{{\"id\": 7, \"tasks_mb\": {tasks:?}, \"environment\": {{\"alpha\": 0.9}}}}");
//! let Named { id, workload, environment } = Named::from_json(text.as_bytes(), &model)?;
//! let model = model.entered(&environment.expect("it has one"))?;
//! let solution = Exact::new().decide(&model, &workload)?;
//! let answer = serde_json::to_string(&Answer::new(id, &model, &workload, &solution))?;
//! assert!(answer.starts_with("{\"id\":7,\"placements\":[["));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reader;

use std::fmt;
use std::io;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

pub use reader::WorkloadReader;

use crate::allocation::Joint;
use crate::scheme::Solution;
use crate::{CostModel, Environment, EnvironmentError, MAX_SIZE_MB, Workload};

/// What a workload is called: any JSON, handed back as it was written.
pub type Id = Box<RawValue>;

/// A workload as it was read: with its name, if it has one.
#[derive(Debug)]
pub struct Named {
    /// What its answer is to be called.
    pub id: Option<Id>,
    /// The sizes of its tasks.
    pub workload: Workload,
    /// The environment that it is to be decided in, where that is not the scenario's own.
    pub environment: Option<Environment>,
}

/// Why a workload or an environment is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RequestError {
    /// Where, such as `tasks_mb[1]`; empty if it is no JSON, or not of the right form.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl RequestError {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Why reading ends.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The input cannot be read.
    #[error("cannot read {origin}")]
    Unreadable {
        /// What the input is called.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// A workload makes no sense.
    #[error("{origin}, {place}: {reason}")]
    Workload {
        /// What the input is called.
        origin: String,
        /// Where in it.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is none.
    #[error("{origin} holds no workload")]
    Empty {
        /// What the input is called.
        origin: String,
    },
}

/// A workload as JSON has it, not yet looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What its answer is to be called.
    #[serde(default)]
    pub id: Option<Id>,
    /// Sizes in MB, `[device][task]`.
    pub tasks_mb: Vec<Vec<f64>>,
    /// What differs from the environment in force.
    #[serde(default)]
    pub environment: Option<Object<EnvironmentChange>>,
}

/// What is read from a JSON object alone; otherwise the fields could be taken from an array in their order.
#[derive(Debug, Clone)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// What differs from another environment, as JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentChange {
    /// For all devices, or for each.
    uplink_mbps: Option<OneOrEach>,
    /// For all servers, or for each.
    capacity: Option<OneOrEach>,
    alpha: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "must be a number or an array of numbers")]
enum OneOrEach {
    One(f64),
    Each(Vec<f64>),
}

impl OneOrEach {
    fn put(self, values: &mut Vec<f64>) {
        match self {
            Self::One(value) => values.fill(value),
            Self::Each(each) => *values = each,
        }
    }
}

impl EnvironmentChange {
    /// Reads `{"uplink_mbps": ..., "capacity": ..., "alpha": ...}`, each of them if wanted.
    ///
    /// # Errors
    /// If it is no such JSON.
    pub fn from_json(json: &[u8]) -> Result<Self, RequestError> {
        let Object(change) = serde_json::from_slice(json).map_err(|error| RequestError::new("", error.to_string()))?;
        Ok(change)
    }

    /// The model's environment with these changes.
    ///
    /// # Errors
    /// If it is none for the devices and servers of `model`.
    pub fn over(self, model: &CostModel) -> Result<Environment, EnvironmentError> {
        let mut environment = model.environment().clone();
        let Self { uplink_mbps, capacity, alpha } = self;
        if let Some(uplinks) = uplink_mbps {
            uplinks.put(&mut environment.uplinks_mbps);
        }
        if let Some(capacities) = capacity {
            capacities.put(&mut environment.capacities);
        }
        environment.alpha = alpha.unwrap_or(environment.alpha);
        environment.check(model.devices(), model.places() - 1)?;
        Ok(environment)
    }
}

/// A whole environment, as JSON has it; serialises to what [`EnvironmentChange`] reads.
#[derive(Debug, Clone, Serialize)]
pub struct EnvironmentView {
    uplink_mbps: Vec<f64>,
    capacity: Vec<f64>,
    alpha: f64,
}

impl From<&Environment> for EnvironmentView {
    fn from(environment: &Environment) -> Self {
        let Environment { uplinks_mbps, capacities, alpha } = environment.clone();
        Self { uplink_mbps: uplinks_mbps, capacity: capacities, alpha }
    }
}

impl Named {
    /// Reads a workload of the model's devices and tasks,
    /// `{"id": ..., "tasks_mb": [[...], ...], "environment": {...}}`, the first and the last if wanted.
    ///
    /// # Errors
    /// If it is no JSON, or not of this form or these devices and tasks.
    pub fn from_json(json: &[u8], model: &CostModel) -> Result<Self, RequestError> {
        let Object(request) = serde_json::from_slice(json).map_err(|error| RequestError::new("", error.to_string()))?;
        Self::new(request, model)
    }

    /// Checks a workload for the model's devices and tasks.
    ///
    /// # Errors
    /// If it is none for them.
    pub fn new(request: Request, model: &CostModel) -> Result<Self, RequestError> {
        let Request { id, tasks_mb, environment } = request;
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
                let reason = format!("task {task} of device {device} is {} MB, which is no size above 0", row[task]);
                return Err(RequestError::new(format!("tasks_mb[{device}][{task}]"), reason));
            }
        }
        let environment = environment.map(|Object(change)| change.over(model)).transpose();
        let environment =
            environment.map_err(|error| RequestError::new("environment", format!("environment: {error}")))?;
        Ok(Self { id, workload: Workload::from_mb(tasks, &tasks_mb.concat()), environment })
    }
}

fn is_size_mb(mb: f64) -> bool {
    mb > 0.0 && mb <= MAX_SIZE_MB
}

/// What is answered to a workload; serialises to a JSON object.
#[derive(Debug, Serialize)]
pub struct Answer<'m> {
    /// The workload's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Names of places, `[device][task]`.
    pub placements: Vec<Vec<&'m str>>,
    /// Energy, in joules.
    pub energy_j: f64,
    /// Time, in seconds.
    pub time_s: f64,
    /// α · energy + (1 − α) · time (8).
    pub cost: f64,
    /// Prices asked of the cost model.
    pub evaluations: u64,
    /// Tasks sent where no link leads.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreachable: usize,
}

impl<'m> Answer<'m> {
    /// The answer to a workload in the model's environment.
    pub fn new(id: Option<Id>, model: &'m CostModel, workload: &Workload, solution: &Solution) -> Self {
        let outcome = model.evaluate(workload, &solution.decision);
        let names = model.place_names();
        let row = |row: &[u8]| row.iter().map(|&place| names[usize::from(place)].as_str()).collect();
        Self {
            id,
            placements: solution.decision.places().chunks_exact(model.tasks()).map(row).collect(),
            energy_j: outcome.energy_j,
            time_s: outcome.time_s,
            cost: outcome.cost,
            evaluations: solution.evaluations,
            unreachable: unreachable(model, solution.decision.places()),
        }
    }
}

/// What is answered to a workload whose uplinks were shared out, too; serialises to the object of its [`Answer`] with more
/// fields.
#[derive(Debug, Serialize)]
pub struct JointAnswer<'m> {
    /// The decision, priced with the uplinks below; prices asked for both.
    #[serde(flatten)]
    pub answer: Answer<'m>,
    /// The uplink of each device that goes with the decision.
    pub uplinks_mbps: Vec<f64>,
    /// What was shared out.
    pub total_mbps: f64,
    /// How often the scheme decided.
    pub rounds: usize,
    /// What its first decision costs with uplinks in the proportion of the workload's environment.
    pub cost_in_proportion: f64,
}

impl<'m> JointAnswer<'m> {
    /// The answer to a workload; the model is in the environment of `joint`.
    pub fn new(id: Option<Id>, model: &'m CostModel, workload: &Workload, total_mbps: f64, joint: Joint) -> Self {
        let Joint { environment, decision, evaluations, rounds, in_proportion, .. } = joint;
        Self {
            answer: Answer::new(id, model, workload, &Solution { decision, evaluations }),
            uplinks_mbps: environment.uplinks_mbps,
            total_mbps,
            rounds,
            cost_in_proportion: in_proportion.cost,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Tasks that a decision sends where no link leads: only schemes that do not choose do.
fn unreachable(model: &CostModel, places: &[u8]) -> usize {
    if model.is_all_reachable() {
        return 0;
    }
    places.iter().enumerate().filter(|(task, place)| !model.is_reachable(task / model.tasks(), **place)).count()
}
