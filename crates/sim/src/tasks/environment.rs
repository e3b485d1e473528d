//! Environments: the part of a scenario that changes while the system runs.

use serde::{Deserialize, Serialize};

use crate::limits::{CAPACITIES, MAX_UPLINK_MBPS};

/// The part of a scenario that changes while the system runs. Everything else stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// α of eq. (18).
    pub alpha: f64,
    /// b_n of each device in Mbit/s. With 0 a device reaches no server over its uplink.
    pub uplinks_mbps: Vec<f64>,
    /// The share of its frequency that each server gives: 1 is the frequency that the scenario says. With less than 1e-6 a
    /// server is down, and nobody can use it.
    pub capacities: Vec<f64>,
}

impl Environment {
    /// Checks every value, and that there is one for each device and server.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn check(&self, devices: usize, servers: usize) -> Result<(), EnvironmentError> {
        let count = |what, wanted, found| {
            if wanted == found { Ok(()) } else { Err(EnvironmentError::Count { what, wanted, found }) }
        };
        count("uplinks", devices, self.uplinks_mbps.len())?;
        count("capacities", servers, self.capacities.len())?;
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(EnvironmentError::Value { what: "α", wanted: "lie between 0 and 1", found: self.alpha });
        }
        if let Some(&found) = self.uplinks_mbps.iter().find(|mbps| !(0.0..=MAX_UPLINK_MBPS).contains(*mbps)) {
            return Err(EnvironmentError::Value { what: "an uplink", wanted: "lie between 0 and 1e12 Mbit/s", found });
        }
        if let Some(&found) = self.capacities.iter().find(|share| !(0.0..=*CAPACITIES.end()).contains(*share)) {
            return Err(EnvironmentError::Value { what: "a capacity", wanted: "lie between 0 and 1e6", found });
        }
        Ok(())
    }
}

/// Why an environment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnvironmentError {
    /// The environment is for another number of devices or servers.
    #[error("there must be {wanted} {what}, there are {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The number that the scenario has.
        wanted: usize,
        /// The number that the environment has.
        found: usize,
    },
    /// A value is out of its range.
    #[error("{what} must {wanted}, is {found}")]
    Value {
        /// The name of the value.
        what: &'static str,
        /// Its range.
        wanted: &'static str,
        /// The value.
        found: f64,
    },
}
