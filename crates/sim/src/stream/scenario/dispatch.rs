//! Scenarios of dispatching.

use std::sync::Arc;

use serde::Serialize;

use super::parts::{LinkRates, RateRecording, SizeSpread, Spread};
use crate::config::{Mistake, Mistakes};
use crate::limits::{DEADLINES_S, INSTRUCTIONS_PER_BYTE, MAX_DEADLINE_PENALTY, MAX_LATENCY_MS, MAX_SERVERS};
use crate::random;
use crate::scenario_checks::Checks;
use crate::stream::dispatch::{
    Access, Arrival, LOCAL, MAX_SITE_DEVICES, Machines, Path, Site, SiteDevice, SiteError, SiteLink, SiteParts,
    SiteServer,
};
use crate::stream::slots::SlotProblemError;
use crate::stream::{ArrivalProcess, Sizes};
use crate::tasks::scenario::Tier;
use crate::units::{hertz_from_mhz, joules_from_nj};

/// The most tasks of one run.
pub(super) const MAX_RUN_TASKS: usize = 100_000_000;

/// A scenario of dispatching in human units (MB = 10^6 bytes, Mbit/s, MHz, nJ, W).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DispatchScenario {
    /// The name in results.
    #[serde(skip)]
    pub name: String,
    /// Weight of energy against time: 1 counts energy alone, 0 time alone.
    pub alpha: f64,
    /// Instructions to run per byte of a task.
    pub instructions_per_byte: f64,
    /// The number of tasks of one run.
    pub tasks_per_run: usize,
    /// The devices.
    pub devices: DispatchDevices,
    /// The tasks.
    pub tasks: DispatchTasks,
    /// The servers, in the order of places.
    pub servers: Vec<DispatchServer>,
}

/// The devices of a scenario of dispatching.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DispatchDevices {
    /// Their number.
    pub count: usize,
    /// 10^6 instructions per second.
    pub frequency_mhz: Spread,
    /// Energy of one instruction, in nJ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_per_instruction_nj: Option<Spread>,
    /// The rate to all servers that have no link of their own, in Mbit/s; `None`: they cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink_mbps: Option<LinkRates>,
    /// How long the radio stays on after a transmission, in seconds, unless the next comes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail_s: Option<f64>,
    /// The powers of a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<DispatchPowers>,
    /// When tasks arrive.
    pub arrivals: Arrivals,
}

/// The powers of a device, in W.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DispatchPowers {
    /// While it computes, in addition to the energy of instructions.
    pub compute: f64,
    /// While it sends.
    pub send: f64,
    /// While its radio stays on after a transmission.
    pub tail: f64,
}

/// When tasks arrive at the devices.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arrivals {
    /// How they are spread over time.
    #[serde(flatten)]
    pub over: ArrivalsOver,
    /// How many there are; `None` where they are recorded.
    #[serde(flatten)]
    pub rate: Option<ArrivalRate>,
}

/// How arrivals are spread over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "process", rename_all = "kebab-case")]
pub enum ArrivalsOver {
    /// A Poisson process.
    Poisson,
    /// A Poisson process whose rate goes from level to level, at all devices together.
    Bursts {
        /// The rate at each level, relative to the others; at a level of 0 nothing arrives.
        factors: Vec<f64>,
        /// The mean stay at each level, in seconds.
        mean_stay_s: Vec<f64>,
    },
    /// As in a file.
    Recorded(RecordedArrivals),
}

/// How many tasks arrive.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ArrivalRate {
    /// As many as make the busiest queue so busy, where work is placed so that no queue is busier than needed.
    Load {
        /// Between 0 and 1.
        load: f64,
        /// How many tasks a device has, relative to the others.
        weight: Spread,
    },
    /// That many at each device.
    PerMinute {
        /// Tasks in a minute.
        per_minute: Spread,
    },
}

/// Recorded arrivals that a scenario names. The crate `data` reads them.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedArrivals {
    /// A table of tasks. In a scenario file the path is relative to that file.
    pub path: String,
    #[serde(skip)]
    arrivals: Option<Arc<[Arrival]>>,
}

/// Two are equal if they name the same file, whether it has been read or not.
impl PartialEq for RecordedArrivals {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl RecordedArrivals {
    /// The arrivals in a file that has not been read.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), arrivals: None }
    }

    /// The arrivals in the order of their times; `None`: they have not been read.
    pub fn arrivals(&self) -> Option<&[Arrival]> {
        self.arrivals.as_deref()
    }

    /// Says which tasks arrive, in any order.
    pub fn set_arrivals(&mut self, mut arrivals: Vec<Arrival>) {
        arrivals.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        self.arrivals = Some(arrivals.into());
    }
}

/// The tasks of a scenario of dispatching.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DispatchTasks {
    /// Their sizes in MB; `None` where arrivals are recorded, with their sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<SizeSpread>,
    /// The time from its arrival within which a task is to be done, in seconds; `None`: there is no such time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
    /// What a task that misses its deadline costs in addition; without it missed deadlines are counted alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_penalty: Option<f64>,
}

/// A server of a scenario of dispatching.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DispatchServer {
    /// The name in decisions.
    pub name: String,
    /// Where it stands.
    pub tier: Tier,
    /// 10^6 instructions per second.
    pub frequency_mhz: f64,
    /// Energy of one instruction, in nJ.
    pub energy_per_instruction_nj: f64,
    /// Who waits for whom.
    pub sharing: ServerSharing,
    /// The rate of a link to this server, in Mbit/s; `None`: it is reached over the uplinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_mbps: Option<LinkRates>,
    /// Whether every device has that link to itself.
    #[serde(skip_serializing_if = "LinkSharing::is_dedicated")]
    pub link_sharing: LinkSharing,
    /// The time in ms that every task takes in addition.
    #[serde(skip_serializing_if = "is_zero")]
    pub latency_ms: f64,
    /// The powers of a device's radio at this server's own link, in W; `None`: as at its uplink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<RadioPowers>,
}

/// The powers of a radio, in W.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RadioPowers {
    /// While it sends.
    pub send: f64,
    /// While it stays on after a transmission.
    pub tail: f64,
}

/// Who waits for whom at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerSharing {
    /// Every device has a machine of its own there, with a queue.
    Dedicated,
    /// One machine, with one queue for all devices.
    Shared,
    /// A machine for every task: nobody waits.
    Unlimited,
}

/// Whether every device has a link to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkSharing {
    /// Every device has one of its own.
    Dedicated,
    /// All devices send over the same, one task after the other.
    Shared,
}

impl LinkSharing {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_dedicated(&self) -> bool {
        *self == Self::Dedicated
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Why a scenario makes no problem.
#[derive(Debug, thiserror::Error)]
pub enum StreamScenarioError {
    /// It has mistakes.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
    /// Its site makes no sense.
    #[error("scenario `{name}`: {reason}")]
    Site {
        /// The name of the scenario.
        name: String,
        /// Why.
        reason: SiteError,
    },
    /// Its problem in slots makes no sense.
    #[error("scenario `{name}`: {reason}")]
    Slots {
        /// The name of the scenario.
        name: String,
        /// Why.
        reason: SlotProblemError,
    },
    /// It names files that have not been read.
    #[error("scenario `{name}` names recordings ({path}) that have not been read")]
    Unread {
        /// The name of the scenario.
        name: String,
        /// The files.
        path: String,
    },
}

impl DispatchScenario {
    /// The site with what the scenario leaves to chance, such as the speeds of devices, drawn from `seed`.
    ///
    /// # Errors
    /// If a value makes no sense, recordings have not been read, or the site cannot carry its tasks.
    pub fn site(&self, seed: u64) -> Result<Site, StreamScenarioError> {
        let list = self.mistakes();
        if !list.is_empty() {
            return Err(Mistakes { origin: format!("scenario `{}`", self.name), list }.into());
        }
        let parts = self.parts(seed)?;
        let site = match &self.devices.arrivals.rate {
            Some(ArrivalRate::Load { load, .. }) => Site::with_load(parts, *load),
            Some(ArrivalRate::PerMinute { .. }) | None => Site::new(parts),
        };
        site.map_err(|reason| StreamScenarioError::Site { name: self.name.clone(), reason })
    }

    /// A course of arrivals and rates at a site of this scenario, drawn from `seed`; recorded arrivals are as they were, and
    /// their rates are drawn. It has [`DispatchScenario::tasks_per_run`] tasks, or all that were recorded if they are fewer.
    ///
    /// # Errors
    /// If recorded arrivals have not been read.
    pub fn path(&self, site: &Site, seed: u64) -> Result<Path, StreamScenarioError> {
        let ArrivalsOver::Recorded(recorded) = &self.devices.arrivals.over else {
            return Ok(Path::draw(site, self.tasks_per_run, seed));
        };
        let arrivals = recorded.arrivals().ok_or_else(|| self.unread(&recorded.path))?;
        let arrivals = &arrivals[..arrivals.len().min(self.tasks_per_run)];
        Ok(Path::with_arrivals(site, arrivals.to_vec(), seed))
    }

    /// Whether nothing is drawn, so that all runs are the same: arrivals are recorded, rates constant, and devices given.
    pub fn is_fixed(&self) -> bool {
        let of_links = |rates: &LinkRates| matches!(rates, LinkRates::Constant(spread) if spread.is_given());
        let DispatchDevices { frequency_mhz, energy_per_instruction_nj, uplink_mbps, arrivals, .. } = &self.devices;
        matches!(arrivals.over, ArrivalsOver::Recorded(_))
            && frequency_mhz.is_given()
            && energy_per_instruction_nj.as_ref().is_none_or(Spread::is_given)
            && uplink_mbps.as_ref().is_none_or(of_links)
            && self.servers.iter().all(|server| server.link_mbps.as_ref().is_none_or(of_links))
    }

    fn unread(&self, path: &str) -> StreamScenarioError {
        StreamScenarioError::Unread { name: self.name.clone(), path: path.to_owned() }
    }

    fn parts(&self, seed: u64) -> Result<SiteParts, StreamScenarioError> {
        let Self { devices: settings, tasks, .. } = self;
        let count = settings.count;
        let stream = |what: &str| random::stream(seed, &format!("stream/site/{what}"));
        let links = |rates: &LinkRates, what: &str, powers: RadioPowers| {
            let processes = rates.processes(count, &mut stream(what));
            let processes = processes.ok_or_else(|| self.unread(rates.recorded_path()))?;
            let link = |rates| SiteLink {
                rates,
                send_w: powers.send,
                j_per_byte: 0.0,
                tail_w: powers.tail,
                tail_s: settings.tail_s.unwrap_or(0.0),
            };
            Ok::<Vec<SiteLink>, StreamScenarioError>(processes.into_iter().map(link).collect())
        };
        let DispatchPowers { compute, send, tail } =
            settings.power_w.unwrap_or(DispatchPowers { compute: 0.0, send: 0.0, tail: 0.0 });
        let uplinks = match &settings.uplink_mbps {
            Some(rates) => links(rates, "uplinks", RadioPowers { send, tail })?,
            None => Vec::new(),
        };
        let (process, rates) = self.arrivals_of(&mut stream("arrivals"))?;
        let frequencies = settings.frequency_mhz.draw(count, &mut stream("frequencies"));
        let energies = settings.energy_per_instruction_nj.clone().unwrap_or(Spread::one(0.0));
        let energies = energies.draw(count, &mut stream("energies"));
        let device = |device: usize| {
            let s_per_byte = self.instructions_per_byte / hertz_from_mhz(frequencies[device]);
            SiteDevice {
                arrivals_per_s: rates[device],
                s_per_byte,
                j_per_byte: joules_from_nj(energies[device]) * self.instructions_per_byte + compute * s_per_byte,
                uplink: uplinks.get(device).or(uplinks.first()).cloned(),
            }
        };
        let server = |(index, server): (usize, &DispatchServer)| {
            let powers = server.power_w.unwrap_or(RadioPowers { send, tail });
            let access = match &server.link_mbps {
                None => Access::Uplink,
                Some(rates) => {
                    let own = links(rates, &format!("links/{index}"), powers)?;
                    match server.link_sharing {
                        LinkSharing::Dedicated => Access::Own(own),
                        LinkSharing::Shared => Access::Shared(own[0].clone()),
                    }
                }
            };
            Ok(SiteServer {
                name: server.name.clone(),
                tier: server.tier,
                s_per_byte: self.instructions_per_byte / hertz_from_mhz(server.frequency_mhz),
                j_per_byte: joules_from_nj(server.energy_per_instruction_nj) * self.instructions_per_byte,
                machines: match server.sharing {
                    ServerSharing::Dedicated => Machines::Dedicated,
                    ServerSharing::Shared => Machines::Shared,
                    ServerSharing::Unlimited => Machines::Unlimited,
                },
                access,
                latency_s: server.latency_ms * 1e-3,
            })
        };
        Ok(SiteParts {
            alpha: self.alpha,
            devices: (0..count).map(device).collect(),
            servers: self.servers.iter().enumerate().map(server).collect::<Result<_, StreamScenarioError>>()?,
            process,
            sizes: self.sizes()?,
            deadline_s: tasks.deadline_s.unwrap_or(f64::INFINITY),
            late_cost: tasks.deadline_penalty.unwrap_or(0.0),
        })
    }

    /// The sizes of tasks in bytes: where arrivals are recorded, those of the recording.
    fn sizes(&self) -> Result<Sizes, StreamScenarioError> {
        match (&self.devices.arrivals.over, &self.tasks.size_mb) {
            (ArrivalsOver::Recorded(recorded), _) => {
                let arrivals = recorded.arrivals().ok_or_else(|| self.unread(&recorded.path))?;
                Ok(Sizes::OneOf(arrivals.iter().map(|arrival| arrival.bytes).collect()))
            }
            (_, Some(sizes)) => Ok(sizes.sizes()),
            (_, None) => Ok(SizeSpread::Fixed(1.0).sizes()),
        }
    }

    /// How arrivals are spread over time, and how many there are in a second at each device.
    fn arrivals_of(&self, random: &mut random::Stream) -> Result<(ArrivalProcess, Vec<f64>), StreamScenarioError> {
        let count = self.devices.count;
        let process = match &self.devices.arrivals.over {
            ArrivalsOver::Poisson => ArrivalProcess::Poisson,
            ArrivalsOver::Bursts { factors, mean_stay_s } => ArrivalProcess::bursts(factors, mean_stay_s),
            ArrivalsOver::Recorded(recorded) => {
                let arrivals = recorded.arrivals().ok_or_else(|| self.unread(&recorded.path))?;
                return Ok((ArrivalProcess::Poisson, recorded_rates(arrivals, count)));
            }
        };
        let rates = match &self.devices.arrivals.rate {
            Some(ArrivalRate::Load { weight, .. }) => weight.draw(count, random),
            Some(ArrivalRate::PerMinute { per_minute }) => {
                per_minute.draw(count, random).into_iter().map(|rate| rate / 60.0).collect()
            }
            None => vec![1.0; count],
        };
        Ok((process, rates))
    }

    pub(super) fn recordings_mut(&mut self) -> Vec<(String, &mut RateRecording)> {
        let uplink = self.devices.uplink_mbps.as_mut().map(|rates| ("devices.uplink_mbps".to_owned(), rates));
        let servers = self.servers.iter_mut().enumerate();
        let links = servers
            .filter_map(|(index, server)| Some((format!("servers[{index}].link_mbps"), server.link_mbps.as_mut()?)));
        uplink.into_iter().chain(links).filter_map(|(key, rates)| Some((key, rates.recording_mut()?))).collect()
    }

    /// The recorded arrivals, if the scenario names some.
    pub fn recorded_arrivals_mut(&mut self) -> Option<&mut RecordedArrivals> {
        if let ArrivalsOver::Recorded(recorded) = &mut self.devices.arrivals.over { Some(recorded) } else { None }
    }

    pub(super) fn paths_mut(&mut self) -> Vec<&mut String> {
        let uplink = self.devices.uplink_mbps.as_mut();
        let links = self.servers.iter_mut().filter_map(|server| server.link_mbps.as_mut());
        let recordings = uplink.into_iter().chain(links).filter_map(LinkRates::recording_mut);
        let arrivals = match &mut self.devices.arrivals.over {
            ArrivalsOver::Recorded(recorded) => Some(&mut recorded.path),
            ArrivalsOver::Poisson | ArrivalsOver::Bursts { .. } => None,
        };
        recordings.map(|recording| &mut recording.path).chain(arrivals).collect()
    }

    /// All values that make no sense, each named by its key path.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut list = Checks::default();
        list.name_and_alpha(&self.name, self.alpha);
        let (least, most) = (*INSTRUCTIONS_PER_BYTE.start(), *INSTRUCTIONS_PER_BYTE.end());
        Spread::one(self.instructions_per_byte).check(&mut list, "instructions_per_byte", 1, least, most);
        if !(20..=MAX_RUN_TASKS).contains(&self.tasks_per_run) {
            list.add("tasks_per_run", format!("must lie between 20 and {MAX_RUN_TASKS}, is {}", self.tasks_per_run));
        }
        self.device_mistakes(&mut list);
        match (&self.tasks.size_mb, &self.devices.arrivals.over) {
            (Some(_), ArrivalsOver::Recorded(_)) => {
                list.add(
                    "tasks.size_mb",
                    "cannot stand beside recorded arrivals, which have their own sizes; leave it out",
                );
            }
            (Some(sizes), _) => sizes.check(&mut list, "tasks.size_mb"),
            (None, ArrivalsOver::Recorded(_)) => {}
            (None, _) => list.add("tasks.size_mb", "is missing; it must be a number of MB, or say how sizes are drawn"),
        }
        if let Some(deadline_s) = self.tasks.deadline_s {
            Spread::one(deadline_s).check(&mut list, "tasks.deadline_s", 1, *DEADLINES_S.start(), *DEADLINES_S.end());
        }
        if let Some(penalty) = self.tasks.deadline_penalty {
            Spread::one(penalty).check(&mut list, "tasks.deadline_penalty", 1, 0.0, MAX_DEADLINE_PENALTY);
            if self.tasks.deadline_s.is_none() {
                list.add("tasks.deadline_penalty", "needs deadline_s: without it no task is late");
            }
        }
        self.server_mistakes(&mut list);
        list.into_list()
    }

    fn device_mistakes(&self, list: &mut Checks) {
        let devices = &self.devices;
        let count = devices.count;
        if !(1..=MAX_SITE_DEVICES).contains(&count) {
            list.add("devices.count", format!("must lie between 1 and {MAX_SITE_DEVICES}, is {count}"));
            return;
        }
        devices.frequency_mhz.check(list, "devices.frequency_mhz", count, 1e-12, 1e12);
        if let Some(energy) = &devices.energy_per_instruction_nj {
            energy.check(list, "devices.energy_per_instruction_nj", count, 0.0, 1e12);
        }
        if let Some(rates) = &devices.uplink_mbps {
            rates.check(list, "devices.uplink_mbps", count);
        }
        if let Some(powers) = devices.power_w {
            for (name, power) in [("compute", powers.compute), ("send", powers.send), ("tail", powers.tail)] {
                list.not_negative(&format!("devices.power_w.{name}"), power);
            }
        }
        list.optional("devices.tail_s", devices.tail_s, Checks::not_negative);
        match &devices.arrivals.over {
            ArrivalsOver::Poisson => {}
            ArrivalsOver::Bursts { factors, mean_stay_s } => {
                burst_mistakes(list, "devices.arrivals", factors, mean_stay_s);
            }
            ArrivalsOver::Recorded(recorded) => {
                if recorded.path.is_empty() {
                    list.add("devices.arrivals.path", "must name a table with one task on each line");
                }
            }
        }
        match &devices.arrivals.rate {
            None => {}
            Some(ArrivalRate::Load { load, weight }) => {
                if !(*load > 0.0 && *load < 1.0) {
                    let message = format!(
                        "must lie above 0 and below 1, is {load}: from 1 on queues grow for ever, however tasks are placed"
                    );
                    list.add("devices.arrivals.load", message);
                }
                weight.check(list, "devices.arrivals.weight", count, 1e-9, 1e9);
            }
            Some(ArrivalRate::PerMinute { per_minute }) => {
                per_minute.check(list, "devices.arrivals.per_minute", count, 1e-9, 1e9);
            }
        }
    }

    fn server_mistakes(&self, list: &mut Checks) {
        if self.servers.is_empty() || self.servers.len() > MAX_SERVERS {
            let message = format!("must be 1 to {MAX_SERVERS} [[servers]] tables, are {}", self.servers.len());
            list.add("servers", message);
            return;
        }
        for (index, server) in self.servers.iter().enumerate() {
            let key = |name: &str| format!("servers[{index}].{name}");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if server.name.is_empty() || !server.name.chars().all(is_plain) {
                list.add(key("name"), "must be a name of letters, digits, '-' and '_'");
            } else if server.name == LOCAL {
                list.add(key("name"), "\"local\" is what the device itself is called; give the server another name");
            } else if self.servers[..index].iter().any(|other| other.name == server.name) {
                list.add(key("name"), format!("\"{}\" is the name of an earlier server", server.name));
            }
            list.positive(&key("frequency_mhz"), server.frequency_mhz);
            list.not_negative(&key("energy_per_instruction_nj"), server.energy_per_instruction_nj);
            match &server.link_mbps {
                Some(rates) => {
                    rates.check(list, &key("link_mbps"), self.devices.count);
                    if server.link_sharing == LinkSharing::Shared && !rates.is_one() {
                        list.add(key("link_mbps"), "must be one rate: link_sharing = \"shared\" makes it one link");
                    }
                }
                None if server.link_sharing == LinkSharing::Shared => {
                    list.add(key("link_sharing"), "needs link_mbps: the rate of the link that is shared");
                }
                None if self.devices.uplink_mbps.is_none() => {
                    let message =
                        "is missing: without it and without devices.uplink_mbps nothing can be sent to this server";
                    list.add(key("link_mbps"), message);
                }
                None => {}
            }
            if !(0.0..=MAX_LATENCY_MS).contains(&server.latency_ms) {
                list.add(
                    key("latency_ms"),
                    format!("must lie between 0 and {MAX_LATENCY_MS}, is {}", server.latency_ms),
                );
            }
            if let Some(RadioPowers { send, tail }) = server.power_w {
                list.not_negative(&key("power_w.send"), send);
                list.not_negative(&key("power_w.tail"), tail);
            }
        }
    }
}

/// Checks the levels of arrivals in bursts; `key` is that of their table.
pub(super) fn burst_mistakes(list: &mut Checks, key: &str, factors: &[f64], mean_stay_s: &[f64]) {
    if factors.len() < 2 || factors.len() != mean_stay_s.len() {
        let counts = [factors, mean_stay_s].map(<[f64]>::len);
        let message =
            format!("must be two or more numbers, as many as mean_stay_s has; are {} and {}", counts[0], counts[1]);
        list.add(format!("{key}.factors"), message);
    }
    for (index, factor) in factors.iter().enumerate() {
        list.not_negative(&format!("{key}.factors[{index}]"), *factor);
    }
    if !factors.is_empty() && factors.iter().all(|factor| *factor == 0.0) {
        list.add(format!("{key}.factors"), "must have one above 0: at levels with the factor 0 nothing arrives");
    }
    for (index, stay_s) in mean_stay_s.iter().enumerate() {
        list.positive(&format!("{key}.mean_stay_s[{index}]"), *stay_s);
    }
}

/// The number of recorded tasks in a second at each device; a device without a task gets a small part of the others' mean, since
/// its queue exists.
fn recorded_rates(arrivals: &[Arrival], devices: usize) -> Vec<f64> {
    let last_s = arrivals.last().map_or(1.0, |last| last.time_s).max(f64::MIN_POSITIVE);
    let mut counts = vec![0.0_f64; devices];
    for arrival in arrivals {
        if let Some(count) = counts.get_mut(arrival.device as usize) {
            *count += 1.0;
        }
    }
    counts.iter().map(|count| count.max(1e-3) / last_s).collect()
}
