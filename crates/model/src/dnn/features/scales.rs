//! The scales of the inputs of DNNs, and the parts of the environment that they read in addition to the sizes.

use data::{EnvironmentMoments, Moments, SizeMoments};
use serde::{Deserialize, Serialize};
use sim::CostModel;
use sim::limits::SLOWEST_TOLD_APART_MBPS;

/// Scale of task sizes: an input is `(size − mean) / std_dev`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Mean size.
    pub mean_bytes: f64,
    /// Standard deviation of sizes; their mean if they do not vary.
    #[serde(rename = "deviation_bytes")]
    pub std_dev_bytes: f64,
}

impl From<SizeMoments> for Scaling {
    fn from(moments: SizeMoments) -> Self {
        // Sizes that do not vary give inputs of 0 with any scale.
        let std_dev_bytes = if moments.std_dev_bytes > 0.0 { moments.std_dev_bytes } else { moments.mean_bytes };
        Self { mean_bytes: moments.mean_bytes, std_dev_bytes }
    }
}

/// Scale of a quantity of the environment: an input is `(value − mean) / std_dev`, limited to ±4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Mean value.
    pub mean: f64,
    /// Standard deviation; 1 if the quantity does not vary.
    #[serde(rename = "deviation")]
    pub std_dev: f64,
}

impl Standard {
    /// Largest magnitude of an input. Training shows networks no values further from the mean.
    const FARTHEST: f64 = 4.0;

    fn apply(self, value: f64) -> f32 {
        ((value - self.mean) / self.std_dev).clamp(-Self::FARTHEST, Self::FARTHEST) as f32
    }
}

/// A standard deviation below this share of the mean comes from rounding.
const NO_SPREAD: f64 = 1e-9;

impl From<Moments> for Standard {
    fn from(Moments { mean, std_dev }: Moments) -> Self {
        Self { mean, std_dev: if std_dev > NO_SPREAD * mean.abs().max(1.0) { std_dev } else { 1.0 } }
    }
}

/// Scales of the parts of the environment that DNNs read in addition to the sizes; `None`: the part is not read.
///
/// The inputs of the environment follow the inputs of the sizes, in this order:
///
/// | inputs | formula | unit | range |
/// |---|---|---|---|
/// | 2 for each device | scaled ln(uplink) | ln(Mbit/s) | −4 to 4 |
/// | | 2 · send / (send + local) − 1, with the times to send a byte and to compute it on the device | – | −1 to 1 |
/// | 1 for each server | scaled ln(capacity) | – | −4 to 4 |
/// | 1 | scaled α | – | −4 to 4 |
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentInputs {
    /// Scale of ln(uplink in Mbit/s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_uplink: Option<Standard>,
    /// Scale of ln(capacity).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_capacity: Option<Standard>,
    /// Scale of α.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Standard>,
}

impl From<EnvironmentMoments> for EnvironmentInputs {
    fn from(moments: EnvironmentMoments) -> Self {
        Self {
            log_uplink: moments.log_uplink.map(Into::into),
            log_capacity: moments.log_capacity.map(Into::into),
            alpha: moments.alpha.map(Into::into),
        }
    }
}

impl EnvironmentInputs {
    /// Whether networks read no part of the environment.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every scale has a finite mean and a finite standard deviation above 0.
    pub(in crate::dnn) fn is_valid(&self) -> bool {
        let all = [self.log_uplink, self.log_capacity, self.alpha];
        all.iter().flatten().all(|scale| scale.mean.is_finite() && scale.std_dev.is_finite() && scale.std_dev > 0.0)
    }

    pub(super) fn width(&self, devices: usize, servers: usize) -> usize {
        2 * devices * usize::from(self.log_uplink.is_some())
            + servers * usize::from(self.log_capacity.is_some())
            + usize::from(self.alpha.is_some())
    }

    pub(super) fn encode(&self, model: &CostModel, inputs: &mut [f32]) {
        let environment = model.environment();
        let mut inputs = inputs.iter_mut();
        let mut put = |value: f32| {
            if let Some(input) = inputs.next() {
                *input = value;
            }
        };
        if let Some(scale) = self.log_uplink {
            for (device, &mbps) in environment.uplinks_mbps.iter().enumerate() {
                put(scale.apply(mbps.max(SLOWEST_TOLD_APART_MBPS).ln()));
                let send_s = sim::units::bytes_per_second_from_mbps(mbps).recip();
                let local_s = model.rates(device)[0].time_s_per_byte;
                let share = if send_s.is_finite() { send_s / (send_s + local_s) } else { 1.0 };
                put((2.0 * share - 1.0) as f32);
            }
        }
        if let Some(scale) = self.log_capacity {
            environment.capacities.iter().for_each(|share| put(scale.apply(share.ln())));
        }
        if let Some(scale) = self.alpha {
            put(scale.apply(environment.alpha));
        }
    }
}
