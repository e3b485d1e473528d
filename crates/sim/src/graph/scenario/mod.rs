//! Scenarios of task graphs: a device, servers, links and applications, as a person writes them.

mod check;
mod layer_times;
mod read;
mod write;

use std::sync::Arc;

use serde::Serialize;

pub use self::layer_times::LayerTimes;
use super::application::{Application, ApplicationError};
use super::generators::{Generator, Growth};
use super::model::{GraphModel, GraphModelError};
use super::rules::{Downlinks, Limits, OrderRule, Rules, Timing, Transfer, Weights};
use super::system::{GraphServer, LOCAL, Link, Machine, System};
use crate::config::Mistakes;
use crate::limits::SLOWEST_LINK_MBPS;
use crate::random::Stream;
use crate::scenario_file::ScenarioText;
use crate::tasks::scenario::{ScenarioError, Tier};
use crate::units::{BYTES_PER_MB, bytes_from_mb, bytes_per_second_from_mbps, hertz_from_mhz, joules_from_nj};

/// The scenarios that ship with the program: name and TOML text.
const PRESETS: &[(&str, &str)] = &[
    ("graph", include_str!("../../../scenarios/graph.toml")),
    ("graph-serial", include_str!("../../../scenarios/graph-serial.toml")),
    ("call-graph", include_str!("../../../scenarios/call-graph.toml")),
    ("workflow", include_str!("../../../scenarios/workflow.toml")),
    ("layers", include_str!("../../../scenarios/layers.toml")),
];

/// The words for what runs at the same time.
const TIMINGS: [(&str, Timing); 2] = [("scheduled", Timing::Scheduled), ("serial", Timing::Serial)];
/// The words for what is sent.
const TRANSFERS: [(&str, Transfer); 2] = [("task", Transfer::Task), ("edge", Transfer::Edge)];
/// The words for the order of tasks.
const ORDERS: [(&str, OrderRule); 2] = [("upward-rank", OrderRule::UpwardRank), ("given", OrderRule::Given)];
/// The words for results that come back.
const DOWNLINKS: [(&str, Downlinks); 2] = [("parallel", Downlinks::Parallel), ("queued", Downlinks::Queued)];

/// A scenario of task graphs in human units (MB = 10^6 bytes, Mbit/s, MHz, nJ, W).
///
/// ```
/// use sim::graph::GraphScenario;
///
/// let scenario = GraphScenario::load("graph")?;
/// let application = scenario.draw(&mut sim::random::stream(1, "documentation")).expect("the scenario has a generator");
/// let model = scenario.model(application)?;
/// assert_eq!((model.tasks(), model.places()), (20, 2));
/// assert!(model.evaluate(&[1; 20]).cost > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GraphScenario {
    /// The name in results and records.
    pub name: String,
    /// α of eq. (18): 1 counts energy alone, 0 time alone.
    pub alpha: f64,
    /// Whose energy counts.
    pub count_energy: CountEnergy,
    /// The device.
    pub device: Device,
    /// The applications and how they run.
    pub application: ApplicationSettings,
    /// The servers, in the order in which placements name them.
    pub servers: Vec<ServerSettings>,
}

/// Whose energy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountEnergy {
    /// That of the device and of the servers.
    Everywhere,
    /// That of the device alone.
    Devices,
}

/// The device of a scenario of task graphs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    /// 10^6 instructions per second; for layers of networks, 10^6 floating-point operations per second.
    pub frequency_mhz: f64,
    /// MB per second that its processor reads from memory; `None`: reading takes no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb_per_s: Option<f64>,
    /// Layers measured on the device, from which the times of layers are predicted there; `None`: they follow from the two
    /// rates above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_times: Option<LayerTimes>,
    /// The rate to servers, in Mbit/s. With 0 no server without a link of its own can be used.
    pub uplink_mbps: f64,
    /// The rate from servers, in Mbit/s.
    pub downlink_mbps: f64,
    /// Its powers.
    pub power_w: Powers,
}

/// The powers of a device, in W.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Powers {
    /// While it computes.
    pub compute: f64,
    /// While it does nothing.
    pub idle: f64,
    /// While it sends.
    pub send: f64,
    /// While it receives.
    pub receive: f64,
}

/// The powers of a device at a server's own link, in W.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LinkPowers {
    /// While it sends.
    pub send: f64,
    /// While it receives.
    pub receive: f64,
}

/// The applications of a scenario and how they run.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationSettings {
    /// What runs at the same time.
    pub timing: Timing,
    /// What is sent.
    pub transfer: Transfer,
    /// The order in which tasks are scheduled.
    pub order: OrderRule,
    /// Whether results that come back wait for each other.
    pub downlinks: Downlinks,
    /// The tasks that run on the device whatever is decided.
    pub pinned: Pinned,
    /// The time within which an application is to be done, in seconds; `None`: there is no such time.
    pub deadline_s: Option<f64>,
    /// The most energy that a decision may take, in J; `None`: any.
    pub energy_limit_j: Option<f64>,
    /// The most money that a decision may take; `None`: any.
    pub price_limit: Option<f64>,
    /// The applications.
    pub source: Source,
}

/// Which tasks run on the device whatever is decided, beside those that an application pins itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// None.
    None,
    /// Those that wait for no other.
    First,
    /// Those that wait for no other, and those that no other waits for.
    Ends,
    /// The tasks of these names.
    Names(Vec<String>),
}

/// Where applications come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A generator.
    Generator(Generator),
    /// A file, which the crate `data` reads.
    File {
        /// The file. In a scenario file the path is relative to that file.
        path: String,
    },
}

/// A server of a scenario of task graphs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerSettings {
    /// The name in decisions.
    pub name: String,
    /// Where it stands.
    pub tier: Tier,
    /// 10^6 instructions per second; for layers of networks, 10^6 floating-point operations per second. With 0 the server is
    /// down.
    pub frequency_mhz: f64,
    /// MB per second that its processor reads from memory; `None`: reading takes no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb_per_s: Option<f64>,
    /// Layers measured on the server, from which the times of layers are predicted there; `None`: they follow from the two
    /// rates above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_times: Option<LayerTimes>,
    /// The energy of an instruction, in nJ, where the servers' energy counts.
    #[serde(skip_serializing_if = "is_zero")]
    pub energy_per_instruction_nj: f64,
    /// The rate to this server, in Mbit/s, over a link of its own; `None`: the device's uplink and downlink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_mbps: Option<f64>,
    /// The rate from this server, in Mbit/s, over a link of its own; `None`: as `link_mbps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downlink_mbps: Option<f64>,
    /// The powers of the device at that link; `None`: as at its other links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<LinkPowers>,
    /// The price of a MB that is sent to the server or comes from it.
    #[serde(skip_serializing_if = "is_zero")]
    pub price_per_mb: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl GraphScenario {
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
    /// # Errors
    /// If there is no such preset or file, or the file is not a valid scenario of task graphs; then with all its mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        Self::from_found(&ScenarioText::find(name_or_path, Self::presets())?)
    }

    pub(crate) fn from_found(found: &ScenarioText<'_>) -> Result<Self, ScenarioError> {
        let mut scenario = Self::from_toml(found.origin, &found.text)?;
        if let Source::File { path } = &mut scenario.application.source {
            found.resolve(path);
        }
        scenario.layer_times_mut().for_each(|times| found.resolve(times.path_mut()));
        Ok(scenario)
    }

    /// Draws an application, with the scenario's tasks pinned; `None` if the applications are in a file.
    ///
    /// # Panics
    /// If the scenario is not valid.
    pub fn draw(&self, random: &mut Stream) -> Option<Application> {
        let Source::Generator(generator) = &self.application.source else { return None };
        let application = generator.draw(random);
        Some(self.pin(application).expect("a check has found the pinned tasks in every application"))
    }

    /// Whether every application that is drawn is a chain, each task of which waits for the one before.
    pub fn has_chains(&self) -> bool {
        match &self.application.source {
            Source::Generator(Generator::Called(called)) => called.growth == Growth::Chain,
            Source::Generator(Generator::Network(_) | Generator::Layers(_)) => true,
            Source::Generator(Generator::Layered(_)) | Source::File { .. } => false,
        }
    }

    /// Pins the scenario's tasks of an application to the device.
    ///
    /// # Errors
    /// If the scenario names a task that the application does not have.
    pub fn pin(&self, application: Application) -> Result<Application, ApplicationError> {
        match &self.application.pinned {
            Pinned::None => Ok(application),
            Pinned::First => Ok(application.with_pinned(LOCAL, |task, this| this.incoming(task).is_empty())),
            Pinned::Ends => {
                let is_end =
                    |task: usize, this: &Application| this.incoming(task).is_empty() || this.outgoing(task).is_empty();
                Ok(application.with_pinned(LOCAL, is_end))
            }
            Pinned::Names(names) => application.with_pinned_names(LOCAL, names),
        }
    }

    /// The model of an application in this scenario. It pins no tasks; [`GraphScenario::pin`] does.
    ///
    /// # Errors
    /// If a value of the scenario makes no sense, the application pins a task to a place that the scenario does not have, or
    /// the scenario names measured layers that have not been read or do not predict the time of a task.
    pub fn model(&self, application: Application) -> Result<GraphModel, GraphModelError> {
        let model = GraphModel::new(Arc::new(application), Arc::new(self.system()), self.rules())?;
        self.with_predicted_times(model)
    }

    /// The device, the servers and the links in SI units.
    pub fn system(&self) -> System {
        let machine = |frequency_mhz, memory_mb_per_s: Option<f64>| Machine {
            instructions_per_s: hertz_from_mhz(frequency_mhz),
            memory_bytes_per_s: memory_mb_per_s.map(bytes_from_mb),
        };
        let rate = |mbps: f64| if mbps < SLOWEST_LINK_MBPS { 0.0 } else { bytes_per_second_from_mbps(mbps) };
        let Device { frequency_mhz, memory_mb_per_s, uplink_mbps, downlink_mbps, power_w, .. } = &self.device;
        let server = |server: &ServerSettings| {
            let LinkPowers { send: send_w, receive: receive_w } =
                server.power_w.unwrap_or(LinkPowers { send: power_w.send, receive: power_w.receive });
            let counts = self.count_energy == CountEnergy::Everywhere;
            GraphServer {
                name: server.name.clone(),
                machine: machine(server.frequency_mhz, server.memory_mb_per_s),
                energy_per_instruction_j: if counts { joules_from_nj(server.energy_per_instruction_nj) } else { 0.0 },
                link: Link {
                    up_bytes_per_s: rate(server.link_mbps.unwrap_or(*uplink_mbps)),
                    down_bytes_per_s: rate(server.downlink_mbps.or(server.link_mbps).unwrap_or(*downlink_mbps)),
                    send_w,
                    receive_w,
                    price_per_byte: server.price_per_mb / BYTES_PER_MB,
                    is_own: server.link_mbps.is_some(),
                },
            }
        };
        System {
            device: machine(*frequency_mhz, *memory_mb_per_s),
            compute_w: power_w.compute,
            idle_w: power_w.idle,
            servers: self.servers.iter().map(server).collect(),
        }
    }

    /// How applications run and what counts.
    pub fn rules(&self) -> Rules {
        let ApplicationSettings { timing, transfer, order, downlinks, .. } = self.application;
        Rules {
            timing,
            transfer,
            order,
            downlinks,
            weights: Weights::from_alpha(self.alpha),
            limits: Limits {
                energy_j: self.application.energy_limit_j.unwrap_or(f64::INFINITY),
                time_s: self.application.deadline_s.unwrap_or(f64::INFINITY),
                price: self.application.price_limit.unwrap_or(f64::INFINITY),
            },
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// All mistakes.
    pub fn check(&self) -> Result<(), Mistakes> {
        let list = self.mistakes();
        if list.is_empty() { Ok(()) } else { Err(Mistakes { origin: format!("scenario `{}`", self.name), list }) }
    }
}
