//! Scenarios in slots.

use serde::Serialize;

use super::dispatch::StreamScenarioError as Error;
use super::parts::{LinkRates, RateRecording, SizeSpread, Spread};
use crate::config::{Mistake, Mistakes};
use crate::limits::{DEADLINES_S, MAX_DEADLINE_PENALTY, MAX_SIZE_MB};
use crate::random;
use crate::scenario_checks::Checks;
use crate::stream::ArrivalProcess;
use crate::stream::slots::{
    Application, DEFAULT_FLUSH_S, DEFAULT_LEFT_FACTOR, DEFAULT_QUIET_S, EnergyUnit, Fallback, Link, Load, MAX_LINKS,
    SlotProblem, SlotSettings, Tail,
};
use crate::units::{bytes_from_mb, bytes_per_second_from_mbps};

/// The most slots of one run.
const MAX_SLOTS: usize = 100_000_000;

/// A scenario in slots in human units (MB = 10^6 bytes, Mbit/s, W): data waits on one device until it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotScenario {
    /// The name in results.
    #[serde(skip)]
    pub name: String,
    /// Weight of energy against delay: 1 counts energy alone, 0 delay alone.
    pub alpha: f64,
    /// The length of a slot, in seconds.
    pub slot_s: f64,
    /// The number of slots of one run.
    pub slots: usize,
    /// Seconds without arrivals at the end of a run; `None`: [`DEFAULT_QUIET_S`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_s: Option<f64>,
    /// Seconds at the end of a run in which everything is sent as soon as it can; `None`: [`DEFAULT_FLUSH_S`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush_s: Option<f64>,
    /// What a file that misses its deadline costs in addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_penalty: Option<f64>,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<SlotDevice>,
    /// The link over which data goes when its deadline has come; `None`: it waits on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<SlotFallback>,
    /// The applications whose files arrive.
    pub arrivals: Vec<SlotArrivals>,
    /// The links.
    pub links: Vec<SlotLink>,
}

/// The device of a scenario in slots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlotDevice {
    /// 1.
    pub count: usize,
    /// The most MB that can wait; a file that does not fit is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_limit_mb: Option<f64>,
}

/// The link for data whose deadline has come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlotFallback {
    /// Power while it sends, in W.
    pub power_w: f64,
    /// Its rate, in Mbit/s.
    pub mbps: f64,
}

/// An application whose files arrive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotArrivals {
    /// Its name.
    pub name: String,
    /// How they are spread over time.
    #[serde(flatten)]
    pub over: FilesOver,
    /// How many there are.
    #[serde(flatten)]
    pub rate: FileRate,
    /// Seconds within which a file should be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
    /// Their sizes, in MB.
    pub size_mb: SizeSpread,
}

/// How files are spread over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "process", rename_all = "kebab-case")]
pub enum FilesOver {
    /// A Poisson process.
    Poisson,
    /// A Poisson process whose rate goes from level to level.
    Bursts {
        /// The rate at each level, relative to the others; at a level of 0 nothing arrives.
        factors: Vec<f64>,
        /// The mean stay at each level, in seconds.
        mean_stay_s: Vec<f64>,
    },
}

/// How many files arrive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FileRate {
    /// Bytes as a share of the mean rate of all links together.
    Load {
        /// Between 0 and 1.
        load: f64,
    },
    /// That many.
    PerMinute {
        /// Files in a minute.
        per_minute: f64,
    },
}

/// A link of a scenario in slots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotLink {
    /// Its name.
    pub name: String,
    /// Power while it sends, in W.
    pub power_w: f64,
    /// Power of the radio while it stays on after it has sent, in W.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail_w: Option<f64>,
    /// How long it stays on, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail_s: Option<f64>,
    /// Its rate, in Mbit/s.
    pub mbps: LinkRates,
}

impl SlotScenario {
    /// The problem in SI units.
    ///
    /// # Errors
    /// If a value makes no sense, or recordings have not been read.
    pub fn problem(&self) -> Result<SlotProblem, Error> {
        let list = self.mistakes();
        if !list.is_empty() {
            return Err(Mistakes { origin: format!("scenario `{}`", self.name), list }.into());
        }
        let application = |arrivals: &SlotArrivals| Application {
            name: arrivals.name.clone(),
            load: match arrivals.rate {
                FileRate::Load { load } => Load::Share(load),
                FileRate::PerMinute { per_minute } => Load::FilesPerSecond(per_minute / 60.0),
            },
            arrivals: match &arrivals.over {
                FilesOver::Poisson => ArrivalProcess::Poisson,
                FilesOver::Bursts { factors, mean_stay_s } => ArrivalProcess::bursts(factors, mean_stay_s),
            },
            sizes: arrivals.size_mb.sizes(),
            deadline_s: arrivals.deadline_s,
        };
        let link = |link: &SlotLink| {
            let rates = link.mbps.processes(1, &mut random::stream(0, "one device"));
            let rates = rates
                .ok_or_else(|| Error::Unread { name: self.name.clone(), path: link.mbps.recorded_path().to_owned() })?;
            let tail = link.tail_s.map(|length_s| Tail { power_w: link.tail_w.unwrap_or(0.0), length_s });
            Ok(Link { name: link.name.clone(), rates: rates[0].clone(), power_w: link.power_w, tail })
        };
        let settings = SlotSettings {
            slot_s: self.slot_s,
            slots: self.slots,
            applications: self.arrivals.iter().map(application).collect(),
            links: self.links.iter().map(link).collect::<Result<_, Error>>()?,
            fallback: self.fallback.map(|link| Fallback::link(link.power_w, bytes_per_second_from_mbps(link.mbps))),
            late_price: self.deadline_penalty.unwrap_or(0.0),
            queue_limit_bytes: self
                .devices
                .and_then(|device| device.queue_limit_mb)
                .map_or(f64::INFINITY, bytes_from_mb),
            alpha: self.alpha,
            energy_unit: EnergyUnit::Joules,
            quiet_s: self.quiet_s.unwrap_or(DEFAULT_QUIET_S),
            flush_s: self.flush_s.unwrap_or(DEFAULT_FLUSH_S),
            left_factor: DEFAULT_LEFT_FACTOR,
        };
        SlotProblem::new(settings).map_err(|reason| Error::Slots { name: self.name.clone(), reason })
    }

    pub(super) fn recordings_mut(&mut self) -> Vec<(String, &mut RateRecording)> {
        let links = self.links.iter_mut().enumerate();
        let recording = |(index, link): (usize, _)| {
            let link: &mut SlotLink = link;
            Some((format!("links[{index}].mbps"), link.mbps.recording_mut()?))
        };
        links.filter_map(recording).collect()
    }

    /// All values that make no sense, each named by its key path.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut list = Checks::default();
        list.name_and_alpha(&self.name, self.alpha);
        list.positive("slot_s", self.slot_s);
        if !(20..=MAX_SLOTS).contains(&self.slots) {
            list.add("slots", format!("must lie between 20 and {MAX_SLOTS}, is {}", self.slots));
        }
        list.optional("quiet_s", self.quiet_s, Checks::not_negative);
        list.optional("flush_s", self.flush_s, Checks::not_negative);
        if let Some(penalty) = self.deadline_penalty {
            Spread::one(penalty).check(&mut list, "deadline_penalty", 1, 0.0, MAX_DEADLINE_PENALTY);
        }
        if let Some(SlotDevice { count, queue_limit_mb }) = self.devices {
            if count != 1 {
                list.add("devices.count", format!("must be 1: in slots there is one device, are {count}"));
            }
            if let Some(limit) = queue_limit_mb {
                Spread::one(limit).check(&mut list, "devices.queue_limit_mb", 1, 1e-9, MAX_SIZE_MB);
            }
        }
        if let Some(SlotFallback { power_w, mbps }) = self.fallback {
            list.not_negative("fallback.power_w", power_w);
            list.positive("fallback.mbps", mbps);
        }
        self.arrival_mistakes(&mut list);
        self.link_mistakes(&mut list);
        list.into_list()
    }

    fn arrival_mistakes(&self, list: &mut Checks) {
        if self.arrivals.is_empty() || self.arrivals.len() > MAX_LINKS {
            list.add("arrivals", format!("must be 1 to {MAX_LINKS} [[arrivals]] tables, are {}", self.arrivals.len()));
        }
        for (index, arrivals) in self.arrivals.iter().enumerate() {
            let key = |name: &str| format!("arrivals[{index}].{name}");
            name_mistakes(list, &key("name"), &arrivals.name);
            match arrivals.rate {
                FileRate::Load { load } if !(load > 0.0 && load < 1.0) => {
                    let message = format!(
                        "must lie above 0 and below 1, is {load}: from 1 on more arrives than the links can send"
                    );
                    list.add(key("load"), message);
                }
                FileRate::Load { .. } => {}
                FileRate::PerMinute { per_minute } => list.positive(&key("per_minute"), per_minute),
            }
            if let FilesOver::Bursts { factors, mean_stay_s } = &arrivals.over {
                super::dispatch::burst_mistakes(list, &format!("arrivals[{index}]"), factors, mean_stay_s);
            }
            arrivals.size_mb.check(list, &key("size_mb"));
            if let Some(deadline_s) = arrivals.deadline_s {
                Spread::one(deadline_s).check(list, &key("deadline_s"), 1, *DEADLINES_S.start(), *DEADLINES_S.end());
            }
        }
        let has_deadline = self.arrivals.iter().any(|arrivals| arrivals.deadline_s.is_some());
        if !has_deadline && self.deadline_penalty.is_some() {
            list.add("deadline_penalty", "needs a deadline_s: without it no file is late");
        }
        if !has_deadline && self.fallback.is_some() {
            list.add("fallback", "needs a deadline_s: only data whose deadline has come goes over the fallback");
        }
    }

    fn link_mistakes(&self, list: &mut Checks) {
        if self.links.is_empty() || self.links.len() > MAX_LINKS {
            list.add("links", format!("must be 1 to {MAX_LINKS} [[links]] tables, are {}", self.links.len()));
        }
        for (index, link) in self.links.iter().enumerate() {
            let key = |name: &str| format!("links[{index}].{name}");
            name_mistakes(list, &key("name"), &link.name);
            list.positive(&key("power_w"), link.power_w);
            list.optional(&key("tail_s"), link.tail_s, Checks::not_negative);
            list.optional(&key("tail_w"), link.tail_w, Checks::not_negative);
            if link.tail_w.is_some() && link.tail_s.is_none() {
                list.add(key("tail_w"), "needs tail_s: how long the radio stays on");
            } else if link.tail_w.is_some_and(|tail_w| tail_w > link.power_w) {
                list.add(key("tail_w"), "must not be greater than power_w");
            }
            link.mbps.check(list, &key("mbps"), 1);
            if let LinkRates::Constant(Spread::Drawn(_)) = link.mbps {
                list.add(
                    key("mbps"),
                    "must be a number, states or traces: there is one device, for which nothing is drawn",
                );
            }
        }
    }
}

fn name_mistakes(list: &mut Checks, key: &str, name: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        list.add(key, "must be a name of letters, digits, '-' and '_'");
    }
}
