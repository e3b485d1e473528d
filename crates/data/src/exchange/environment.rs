//! Environments as JSON: whole ones, and changes to one.

use serde::{Deserialize, Serialize};
use sim::{CostModel, Environment, EnvironmentError};

use super::json_error;
use super::object::Object;
use super::request_error::RequestError;

/// A change of an environment, as JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentChange {
    /// The uplinks in Mbit/s: one number for all devices, or one for each.
    uplink_mbps: Option<OneOrEach>,
    /// The capacities: one number for all servers, or one for each.
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
    /// Reads `{"uplink_mbps": ..., "capacity": ..., "alpha": ...}`, in which every field is optional.
    ///
    /// # Errors
    /// If the text is no such JSON.
    pub fn from_json(json: &[u8]) -> Result<Self, RequestError> {
        let explain = |error| RequestError::new("", json_error::explain(json, &error));
        let Object(change) = serde_json::from_slice(json).map_err(explain)?;
        Ok(change)
    }

    /// The model's environment with these changes.
    ///
    /// # Errors
    /// If it is no environment for the devices and servers of `model`.
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

/// A whole environment as JSON. It serialises to an object that [`EnvironmentChange`] reads.
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
