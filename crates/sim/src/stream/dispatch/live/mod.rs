//! Dispatching tasks as they arrive in fact.
//!
//! A [`LiveSite`] has the queues of a site, places each task when it comes, and is told when tasks were done. As long as links keep
//! their rates and nothing else is said, its queues are those of [`simulate`](super::simulate), number for number: the same tasks
//! get the same places, and are done at the same times.
//!
//! - A link whose rate changes has its mean rate until a task says another ([`LiveTask::rates`]); that holds from then on. What is
//!   on the link then takes as much longer or shorter.
//! - [`LiveSite::complete`] says when tasks were done. A queue serves first come, first served: what was before such a task is
//!   done, too, and what is behind it is served from then on. A task that is not reported is taken to be done when it was expected.
//! - [`LiveSite::set_backlogs`] says what queues are in fact.
//! - Schemes that look at the arrivals before a task, as `rollout` does, cannot decide here: only the queues are kept.
//! - A shadow is kept in which greedy places the same tasks, to see what the scheme saves ([`LiveCounts::greedy_cost`]).
//! - [`LiveSite::kept`] and [`LiveSite::continued`] carry everything over a restart.

mod complete;
mod error;
mod log;
mod open;
mod part;
mod place;
mod rates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::complete::{CompletedTask, Completion};
pub use self::error::{ContinueError, LiveError};
use self::log::{Entry, QueueLog};
use self::open::{KeptTasks, OpenTasks};
pub use self::part::SharedMachines;
use super::path::Path;
use super::scheme::{DispatchGreedy, DispatchScheme};
use super::site::Site;
use super::state::{KeptQueues, SiteState};
use crate::stream::RatePath;

/// The most open tasks that are remembered unless something else is said; the oldest is forgotten then.
pub const MOST_OPEN: usize = 65_536;
/// A task is forgotten when it should have been done for this long, in seconds.
pub const FORGOTTEN_AFTER_S: f64 = 3_600.0;

/// A task that arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveTask {
    /// When it arrives, in seconds.
    pub time_s: f64,
    /// Its device.
    pub device: u32,
    /// Its size.
    pub bytes: f64,
    /// The time from its arrival within which it is to be done, in seconds; `None`: that of the site.
    pub deadline_s: Option<f64>,
    /// Links by the numbers of their queues with the rates in bytes per second that they have from now on; 0: they cannot be used.
    pub rates: Vec<(usize, f64)>,
    /// The caller's id, as JSON; `None`: its number is its id.
    pub id: Option<Box<str>>,
}

/// Where a task was placed, and what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LivePlacement {
    /// The number of the task, counted from 0.
    pub number: u64,
    /// Its device.
    pub device: u32,
    /// The place.
    pub place: usize,
    /// When it arrived, in seconds.
    pub arrived_s: f64,
    /// How long it waits for the link and for the machine, in seconds.
    pub wait_s: f64,
    /// When it will be done, in seconds.
    pub done_s: f64,
    /// The energy that it takes, in J.
    pub energy_j: f64,
    /// α times its energy plus 1 − α times the time until it is done, and what being late costs.
    pub cost: f64,
    /// Whether it is to be done after its deadline.
    pub is_late: bool,
}

/// What was counted since the site began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiveCounts {
    /// Tasks placed at each place.
    pub at_place: Vec<u64>,
    /// Tasks that were expected to miss their deadlines.
    pub late: u64,
    /// Sum of the expected waits, in seconds.
    pub wait_s: f64,
    /// Sum of the expected costs, with α times the energy of radios that stayed on.
    pub cost: f64,
    /// The same sum for greedy, which places the same tasks in queues of its own.
    pub greedy_cost: f64,
    /// Tasks that were reported as completed.
    pub completed: u64,
    /// Sum of the times by which these were done later than expected, in seconds.
    pub delay_s: f64,
}

impl LiveCounts {
    /// Tasks that were placed.
    pub fn placed(&self) -> u64 {
        self.at_place.iter().sum()
    }
}

/// A site at which tasks arrive in fact. See the [module](self).
pub struct LiveSite {
    site: Site,
    path: Path,
    fingerprint: String,
    seed: u64,
    scheme: Box<dyn DispatchScheme>,
    state: SiteState,
    logs: Vec<QueueLog>,
    open: OpenTasks,
    most_open: usize,
    /// Links whose rates are others than at the beginning, by queue: a device that has the link, and its rate.
    rates: BTreeMap<usize, (u32, f64)>,
    greedy: (SiteState, DispatchGreedy),
    counts: LiveCounts,
}

/// A live site, to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptSite {
    fingerprint: String,
    scheme: String,
    memory: Vec<f64>,
    queues: KeptQueues,
    greedy: KeptQueues,
    logs: Vec<QueueLog>,
    open: KeptTasks,
    rates: BTreeMap<usize, (u32, f64)>,
    counts: LiveCounts,
}

impl KeptSite {
    /// The time of the site, in seconds.
    pub fn time_s(&self) -> f64 {
        self.queues.time_s
    }

    /// The number of tasks that were placed.
    pub fn placed(&self) -> u64 {
        self.counts.placed()
    }
}

impl LiveSite {
    /// An empty site at time 0. `seed` is for schemes that draw random numbers.
    pub fn new(site: &Site, mut scheme: Box<dyn DispatchScheme>, seed: u64) -> Self {
        let site = site.at_mean_rates();
        let rates = site.queues.iter().map(|queue| RatePath::constant(1.0 / queue.s_per_byte)).collect();
        scheme.start(&site, seed);
        Self {
            path: Path::of(Vec::new(), rates),
            fingerprint: fingerprint(&site),
            seed,
            scheme,
            state: SiteState::empty(&site, 0),
            logs: vec![QueueLog::default(); site.queues.len()],
            open: OpenTasks::default(),
            most_open: MOST_OPEN,
            rates: BTreeMap::new(),
            greedy: (SiteState::empty(&site, 0), DispatchGreedy::new()),
            counts: LiveCounts { at_place: vec![0; site.places()], ..LiveCounts::default() },
            site,
        }
    }

    /// Remembers at most this many open tasks.
    #[must_use]
    pub fn with_most_open(self, most_open: usize) -> Self {
        Self { most_open: most_open.max(1), ..self }
    }

    /// Continues a kept site. Returns whether the scheme continues, too: it has the same name, and its memory fits.
    ///
    /// # Errors
    /// If it is of another site, or its parts do not fit together. Then nothing changes.
    pub fn continued(&mut self, kept: KeptSite) -> Result<bool, ContinueError> {
        let inconsistent = |what| ContinueError::Inconsistent { what };
        if kept.fingerprint != self.fingerprint {
            return Err(ContinueError::OtherSite { kept: kept.fingerprint, wanted: self.fingerprint.clone() });
        }
        let is_rate = |(queue, (device, rate)): (&usize, &(u32, f64))| {
            *queue < self.logs.len() && (*device as usize) < self.site.devices() && *rate >= 0.0 && rate.is_finite()
        };
        if kept.logs.len() != self.logs.len() || !kept.rates.iter().all(is_rate) {
            return Err(inconsistent("the queues"));
        }
        if kept.counts.at_place.len() != self.site.places() || !kept.open.fits(self.site.devices(), self.site.places())
        {
            return Err(inconsistent("the tasks"));
        }
        let state = SiteState::continued(&self.site, kept.queues).ok_or_else(|| inconsistent("the queues"))?;
        let greedy = SiteState::continued(&self.site, kept.greedy).ok_or_else(|| inconsistent("greedy's queues"))?;
        for (queue, (device, rate)) in &kept.rates {
            self.site.set_rate(*device as usize, *queue, *rate);
        }
        self.state = state;
        self.greedy.0 = greedy;
        (self.logs, self.rates, self.counts) = (kept.logs, kept.rates, kept.counts);
        self.open = OpenTasks::continued(kept.open);
        Ok(kept.scheme == self.scheme.name() && self.scheme.remember(&kept.memory))
    }

    /// What continues the site later.
    pub fn kept(&self) -> KeptSite {
        KeptSite {
            fingerprint: self.fingerprint.clone(),
            scheme: self.scheme.name().to_owned(),
            memory: self.scheme.memory(),
            queues: self.state.kept(),
            greedy: self.greedy.0.kept(),
            logs: self.logs.clone(),
            open: self.open.kept(),
            rates: self.rates.clone(),
            counts: self.counts.clone(),
        }
    }

    /// Decides with another scheme from now on. Returns whether it continues what the one before knew.
    pub fn set_scheme(&mut self, mut scheme: Box<dyn DispatchScheme>) -> bool {
        scheme.start(&self.site, self.seed);
        let continues = scheme.name() == self.scheme.name() && scheme.remember(&self.scheme.memory());
        self.scheme = scheme;
        continues
    }

    /// Empties the site, and begins at time 0 with the rates that links had at first; `original` is the site that it began with.
    pub fn reset(&mut self, original: &Site, seed: u64) {
        let scheme = std::mem::replace(&mut self.scheme, Box::new(DispatchGreedy::new()));
        *self = Self::new(original, scheme, seed).with_most_open(self.most_open);
    }

    /// The site, with the rates that its links have now.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// What tells this site from others, as it was at the beginning.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The seed of schemes that draw random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The name of the scheme.
    pub fn scheme(&self) -> &str {
        self.scheme.name()
    }

    /// What was counted.
    pub fn counts(&self) -> &LiveCounts {
        &self.counts
    }

    /// The number of open tasks.
    pub fn open(&self) -> usize {
        self.open.count()
    }

    /// The time up to which everything has happened, in seconds.
    pub fn time_s(&self) -> f64 {
        self.state.time_s()
    }

    /// The time until each queue is empty if nothing more joins it, in seconds; for machines with what is on its way to them.
    pub fn backlogs_s(&self) -> impl Iterator<Item = f64> {
        (0..self.logs.len()).map(|queue| self.state.backlog_s(queue, &self.site, &self.path))
    }

    /// The number of tasks that each queue is not done with, as far as they are known one by one.
    pub fn waiting(&self) -> impl Iterator<Item = usize> {
        self.logs.iter().map(|log| log.waiting(self.time_s()))
    }

    /// Lets everything happen up to a time.
    ///
    /// # Errors
    /// If that is no time, or before what has happened already.
    pub fn advance(&mut self, time_s: f64) -> Result<(), LiveError> {
        Self::check_time(time_s, self.time_s())?;
        self.advance_to(time_s);
        Ok(())
    }

    fn check_time(time_s: f64, now_s: f64) -> Result<(), LiveError> {
        if !time_s.is_finite() {
            return Err(LiveError::Value { what: "the time", wanted: "a number", value: time_s });
        }
        if time_s < now_s { Err(LiveError::TimeRunsBack { time_s, now_s }) } else { Ok(()) }
    }

    fn advance_to(&mut self, time_s: f64) {
        let (open, logs, site) = (&mut self.open, &mut self.logs, &self.site);
        let mut joined = |index: usize, done_s: f64| {
            let number = index as u64;
            let Some(task) = open.get_mut(number) else { return };
            task.is_on_the_way = false;
            task.done_s = done_s;
            let route = site.route(task.device as usize, usize::from(task.place));
            let entry =
                Entry { number, joins_s: task.joins_s, service_s: task.service_s, done_s: done_s - route.latency_s };
            if let Some(log) = logs.get_mut(route.machine as usize) {
                log.push(entry);
            }
        };
        self.state.advance(time_s, &mut joined);
        // At a site that gets more than it can do, tasks on their way would take all memory.
        self.state.join_beyond(self.most_open, &mut joined);
        self.greedy.0.advance(time_s, |_, _| {});
        self.greedy.0.join_beyond(self.most_open, |_, _| {});
    }
}

/// What tells sites apart: a hash of everything that a site consists of.
fn fingerprint(site: &Site) -> String {
    let names: Vec<&str> = site.queues.iter().map(|queue| queue.name.as_str()).collect();
    let hash = Sha256::digest(format!("{:?} {names:?}", site.parts));
    let bytes = hash.iter().take(8).fold(0_u64, |bytes, byte| bytes << 8 | u64::from(*byte));
    format!("{bytes:016x}")
}
