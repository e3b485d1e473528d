//! Scenarios: devices, servers, links, task sizes and the weight of energy against time, as a person writes them.

mod check;
mod deadlines;
mod environments;
pub mod implausible;
mod link;
mod read;

use std::path::PathBuf;

use serde::Serialize;

pub use self::deadlines::DeadlineRule;
pub(crate) use self::link::Link;
use crate::config::Mistakes;
pub use crate::config::Numbers as PerDevice;
use crate::scenario_file::ScenarioText;

/// The scenarios that ship with the program: name and TOML text.
const PRESETS: &[(&str, &str)] = &[
    ("paper", include_str!("../../../scenarios/paper.toml")),
    ("paper-wan", include_str!("../../../scenarios/paper-wan.toml")),
    ("paper-fitted", include_str!("../../../scenarios/paper-fitted.toml")),
    ("ddlo", include_str!("../../../scenarios/ddlo.toml")),
    ("mobile", include_str!("../../../scenarios/mobile.toml")),
    ("shared-edge", include_str!("../../../scenarios/shared-edge.toml")),
    ("shared-edges", include_str!("../../../scenarios/shared-edges.toml")),
    ("deadlines", include_str!("../../../scenarios/deadlines.toml")),
];

/// A scenario in human units (MB = 10^6 bytes, Mbit/s, MHz, nJ). [`Scenario::check`] makes a
/// [`CostModel`](crate::CostModel) in SI units of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    /// The name in results and records.
    pub name: String,
    /// α of eq. (18): 1 counts energy alone, 0 time alone.
    pub alpha: f64,
    /// σ: instructions to run per byte of a task, for the tasks of each device.
    pub instructions_per_byte: PerDevice,
    /// e_t: energy to send one byte, in nJ.
    pub transmit_energy_nj_per_byte: PerDevice,
    /// The mobile devices.
    pub devices: Devices,
    /// Their tasks.
    pub tasks: Tasks,
    /// The distribution of environments; `None`: the environment never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentDistribution>,
    /// The servers, in the order in which placements name them.
    pub servers: Vec<Server>,
}

/// The mobile devices of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Devices {
    /// N.
    pub count: usize,
    /// f_l, in MHz.
    pub frequency_mhz: PerDevice,
    /// ε_l, in nJ.
    pub energy_per_instruction_nj: PerDevice,
    /// b_n, in Mbit/s. With 0 a device is offline and reaches no server.
    pub uplink_mbps: PerDevice,
    /// The rate of a link between all uplinks and all servers, in Mbit/s, split among the devices that send; `None`: the
    /// uplinks are not shared. With 0 nobody can send anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_uplink_mbps: Option<f64>,
}

/// The tasks of each device.
#[derive(Debug, Clone, PartialEq)]
pub struct Tasks {
    /// M; where devices have different numbers of tasks, the largest of them.
    pub per_device: usize,
    /// The number of tasks of each device, where they differ; else empty.
    pub counts: Vec<usize>,
    /// The distribution of their sizes, in MB.
    pub size_mb: SizeDistribution,
    /// The time within which a task is to be done, in seconds; `None`: there is no such time.
    pub deadline_s: Option<PerDevice>,
    /// What a task that misses its deadline costs.
    pub deadline_rule: DeadlineRule,
}

impl Default for Tasks {
    /// One task of 1 MB for each device.
    fn default() -> Self {
        Self {
            per_device: 1,
            counts: Vec::new(),
            size_mb: SizeDistribution::Uniform { min: 1.0, max: 1.0 },
            deadline_s: None,
            deadline_rule: DeadlineRule::Report,
        }
    }
}

/// A distribution of task sizes in MB.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum SizeDistribution {
    /// Every size between the two equally likely.
    Uniform {
        /// Smallest size.
        min: f64,
        /// Largest size.
        max: f64,
    },
    /// Every order of magnitude between the two equally likely.
    LogUniform {
        /// Smallest size.
        min: f64,
        /// Largest size.
        max: f64,
    },
    /// One of the sizes recorded in a file, one per line.
    File {
        /// The file. In a scenario file the path is relative to that file.
        path: String,
        /// The share of the recorded sizes that training never sees, so that evaluation can use them. With 0 evaluation
        /// draws from the sizes that training saw.
        held_out: f64,
    },
}

/// A distribution of environments, one for each workload. Values without a distribution are the scenario's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnvironmentDistribution {
    /// b_n of each device, in Mbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink_mbps: Option<UplinkDistribution>,
    /// The share of its frequency that each server gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Range>,
    /// α.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Range>,
}

/// A distribution of uplinks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum UplinkDistribution {
    /// Every rate between the two equally likely, for each device by itself.
    Uniform {
        /// Slowest uplink, in Mbit/s.
        min: f64,
        /// Fastest uplink, in Mbit/s.
        max: f64,
    },
    /// Every order of magnitude between the two equally likely, for each device by itself.
    LogUniform {
        /// Slowest uplink, in Mbit/s.
        min: f64,
        /// Fastest uplink, in Mbit/s.
        max: f64,
    },
    /// Mean rates in windows of recordings, as `uplink_windows` of the crate `data` computes them.
    Traces {
        /// A recording or a folder of recordings. In a scenario file the path is relative to that file.
        path: String,
        /// The length of a window in seconds.
        window_s: f64,
        /// The share of the drives that training never sees, so that evaluation can use them. With 0 evaluation draws
        /// from the drives that training saw.
        held_out: f64,
        /// The columns of tables with times, rates and devices, as `Columns` of the crate `data` reads them; `None` where
        /// the content of the files tells it.
        #[serde(skip_serializing_if = "Option::is_none")]
        columns: Option<String>,
        /// The format of the files, by the name that the crate `data` gives it; `None` where their content tells it.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
}

/// A distribution of one value over a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Range {
    /// Every value between the two equally likely.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// Every order of magnitude between the two equally likely.
    LogUniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

/// A server that tasks can be sent to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    /// The name in decisions.
    pub name: String,
    /// Where it stands.
    pub tier: Tier,
    /// f_e or f_c, in MHz. With 0 the server is down, and nobody can use it.
    pub frequency_mhz: f64,
    /// ε_e or ε_c, in nJ.
    pub energy_per_instruction_nj: f64,
    /// Rate from each device to this server in Mbit/s, where it is not the device's uplink (eqs. 7 and 12). With 0 the
    /// device cannot use the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_mbps: Option<PerDevice>,
    /// Whether every device has that link to itself, or all devices share it behind their uplinks.
    #[serde(skip_serializing_if = "Sharing::is_dedicated")]
    pub link_sharing: Sharing,
    /// The time in ms that every task sent to the server takes in addition, whatever its size.
    #[serde(skip_serializing_if = "is_zero")]
    pub latency_ms: f64,
    /// Whether every device has the server to itself.
    pub sharing: Sharing,
}

/// Where a server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// At the edge of the network (the paper's ES).
    Edge,
    /// In a central cloud (the paper's CS).
    Cloud,
}

/// Whether devices share a server or a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Every device has the whole of it to itself, as in the paper.
    Dedicated,
    /// All devices share it, and each waits for the bytes of all.
    Shared,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Sharing {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_dedicated(&self) -> bool {
        *self == Self::Dedicated
    }
}

impl Scenario {
    /// Names of the shipped scenarios.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The TOML text of a shipped scenario, comments included.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, text)| *text)
    }

    /// Loads a shipped scenario by its name, or a scenario file by its path.
    ///
    /// ```
    /// let scenario = sim::Scenario::load("paper-wan")?;
    /// assert_eq!((scenario.devices.count, scenario.tasks.per_device), (3, 3));
    /// # Ok::<(), sim::ScenarioError>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such preset or file, or the file is not a valid scenario; then with all its mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        Self::from_found(&ScenarioText::find(name_or_path, Self::presets())?)
    }

    pub(crate) fn from_found(found: &ScenarioText<'_>) -> Result<Self, ScenarioError> {
        let mut scenario = Self::from_toml(found.origin, &found.text)?;
        if let SizeDistribution::File { path: sizes, .. } = &mut scenario.tasks.size_mb {
            found.resolve(sizes);
        }
        let environment = scenario.environment.as_mut();
        if let Some(UplinkDistribution::Traces { path, .. }) = environment.and_then(|all| all.uplink_mbps.as_mut()) {
            found.resolve(path);
        }
        Ok(scenario)
    }

    /// Removes all servers in the cloud, unless there is no other server.
    pub fn remove_clouds(&mut self) {
        if self.servers.iter().any(|server| server.tier != Tier::Cloud) {
            self.servers.retain(|server| server.tier != Tier::Cloud);
        }
    }

    /// The scenario as TOML, without comments. [`Scenario::from_toml`] reads it back to an equal scenario.
    ///
    /// # Panics
    /// Never: a scenario holds only numbers, texts and tables, and TOML can write all of them.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, texts and tables can be written")
    }
}

impl PerDevice {
    /// The value for one device.
    ///
    /// # Panics
    /// If there is one for each and `device` is beyond them.
    pub fn at(&self, device: usize) -> f64 {
        match self {
            Self::One(value) => *value,
            Self::Each(values) => values[device],
        }
    }
}

/// Why a scenario cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No preset and no file has this name.
    #[error("there is no scenario called `{name}`; the shipped ones are {presets}, anything else must be a TOML file")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names of the presets.
        presets: String,
    },
    /// The file is there but cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file can be read but makes no sense.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
}
