//! What a slotted problem consists of.

use std::sync::Arc;

use super::error::SlotProblemError;
use crate::stream::{ArrivalProcess, RateProcess, Sizes};

/// Seconds without arrivals at the end of a horizon, where nothing else is said.
pub const DEFAULT_QUIET_S: f64 = 300.0;
/// Seconds of forced sending at the end of a horizon, where nothing else is said.
pub const DEFAULT_FLUSH_S: f64 = 150.0;
/// Price of data that is left at the end, as a multiple of the energy that it takes at the mean rate, where nothing
/// else is said.
pub const DEFAULT_LEFT_FACTOR: f64 = 1.5;
/// The most links, and the most applications, of a problem.
pub const MAX_LINKS: usize = 64;

/// How much data an application has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Files per second.
    FilesPerSecond(f64),
    /// Bytes per second as a share of the mean rate of all links together.
    Share(f64),
}

/// An application: where files come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// How much data it has.
    pub load: Load,
    /// When files arrive.
    pub arrivals: ArrivalProcess,
    /// The sizes of files.
    pub sizes: Sizes,
    /// Seconds after its arrival by which a file should be sent; `None`: no deadline.
    pub deadline_s: Option<f64>,
}

/// The time that a radio stays on after it has sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Power in that time, in W; at most the power while sending.
    pub power_w: f64,
    /// The length, in seconds, counted from the end of the slot in which data was sent.
    pub length_s: f64,
}

/// A link.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The rate over time.
    pub rates: RateProcess,
    /// Power while sending, in W.
    pub power_w: f64,
    /// The radio tail; `None`: the radio is off as soon as nothing is sent.
    pub tail: Option<Tail>,
}

/// The way of data whose deadline has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fallback {
    /// Energy, in J per byte.
    pub energy_j_per_byte: f64,
    /// The rate, in bytes per second; infinite: data leaves as soon as its deadline comes.
    pub bytes_per_s: f64,
}

impl Fallback {
    /// A link that is always there.
    pub fn link(power_w: f64, bytes_per_s: f64) -> Self {
        Self { energy_j_per_byte: power_w / bytes_per_s, bytes_per_s }
    }
}

/// The unit of energy in the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnergyUnit {
    /// Joules per arrived file.
    Joules,
    /// The energy that a file takes at the mean rate of the path, over the link that needs the least energy there. The
    /// same `alpha` then weighs a second of delay alike on paths with different links and files.
    FileAtMeanRate,
}

/// The numbers of a problem, not checked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSettings {
    /// The length of a slot, in seconds.
    pub slot_s: f64,
    /// The number of slots of a path. Paths over whole recordings have as many slots as the recording is long.
    pub slots: usize,
    /// The applications.
    pub applications: Vec<Application>,
    /// The links.
    pub links: Vec<Link>,
    /// The way of data whose deadline has come; `None`: it waits on.
    pub fallback: Option<Fallback>,
    /// What every file that misses its deadline adds to the cost, as if it added that many units per file.
    pub late_price: f64,
    /// The most bytes in the queue; a file that does not fit is dropped. Infinite: no limit.
    pub queue_limit_bytes: f64,
    /// The weight of energy; 1 − alpha is the weight of delay.
    pub alpha: f64,
    /// The unit of energy in the cost.
    pub energy_unit: EnergyUnit,
    /// Seconds without arrivals at the end.
    pub quiet_s: f64,
    /// Seconds at the end in which every scheme is made to send.
    pub flush_s: f64,
    /// Price of data left at the end or dropped, as a multiple of the energy that it takes at the mean rate.
    pub left_factor: f64,
}

impl SlotSettings {
    /// One second a slot, no deadline price, no limit of the queue, `alpha` 0.5 over joules, and the defaults for the
    /// end of the horizon.
    pub fn new(slots: usize, applications: Vec<Application>, links: Vec<Link>) -> Self {
        Self {
            slot_s: 1.0,
            slots,
            applications,
            links,
            fallback: None,
            late_price: 0.0,
            queue_limit_bytes: f64::INFINITY,
            alpha: 0.5,
            energy_unit: EnergyUnit::Joules,
            quiet_s: DEFAULT_QUIET_S,
            flush_s: DEFAULT_FLUSH_S,
            left_factor: DEFAULT_LEFT_FACTOR,
        }
    }
}

/// A checked problem. Clones share the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotProblem {
    settings: Arc<SlotSettings>,
}

impl SlotProblem {
    /// Checks the settings.
    ///
    /// # Errors
    /// If a number makes no sense.
    pub fn new(settings: SlotSettings) -> Result<Self, SlotProblemError> {
        check(&settings)?;
        Ok(Self { settings: Arc::new(settings) })
    }

    /// The settings.
    pub fn settings(&self) -> &SlotSettings {
        &self.settings
    }

    /// The same problem with other weights of energy and delay.
    ///
    /// # Errors
    /// If `alpha` is not between 0 and 1.
    pub fn with_alpha(&self, alpha: f64) -> Result<Self, SlotProblemError> {
        Self::new(SlotSettings { alpha, ..(*self.settings).clone() })
    }

    /// The number of applications.
    pub fn applications(&self) -> usize {
        self.settings.applications.len()
    }

    /// The number of links.
    pub fn links(&self) -> usize {
        self.settings.links.len()
    }

    /// Whether a radio stays on after it has sent.
    pub fn has_tail(&self) -> bool {
        self.settings.links.iter().any(|link| link.tail.is_some_and(|tail| tail.length_s > 0.0))
    }

    /// The link that takes the least energy per byte at its mean rate.
    pub fn best_link(&self) -> usize {
        let energy = |link: &Link| link.power_w / link.rates.mean_bytes_per_s();
        let links = &self.settings.links;
        (0..links.len()).min_by(|a, b| energy(&links[*a]).total_cmp(&energy(&links[*b]))).unwrap_or(0)
    }
}

fn check(settings: &SlotSettings) -> Result<(), SlotProblemError> {
    let positive = |what: &str, value: f64| match value {
        value if value > 0.0 && value.is_finite() => Ok(()),
        value => Err(SlotProblemError::NotPositive { what: what.to_owned(), value }),
    };
    let at_least_0 = |what: &str, value: f64| match value {
        value if value >= 0.0 && value.is_finite() => Ok(()),
        value => Err(SlotProblemError::Negative { what: what.to_owned(), value }),
    };
    positive("the length of a slot in s", settings.slot_s)?;
    if settings.slots == 0 {
        return Err(SlotProblemError::NoSlots);
    }
    for (what, count) in [("links", settings.links.len()), ("applications", settings.applications.len())] {
        if !(1..=MAX_LINKS).contains(&count) {
            return Err(SlotProblemError::Count { what, count, most: MAX_LINKS });
        }
    }
    if !(0.0..=1.0).contains(&settings.alpha) {
        return Err(SlotProblemError::Alpha { value: settings.alpha });
    }
    let links_bytes_per_s: f64 = settings.links.iter().map(|link| link.rates.mean_bytes_per_s()).sum();
    let mut share = 0.0;
    for application in &settings.applications {
        let name = &application.name;
        match application.load {
            Load::FilesPerSecond(rate) => {
                positive(&format!("the files per second of {name}"), rate)?;
                share += rate * application.sizes.mean() / links_bytes_per_s;
            }
            Load::Share(load) => {
                positive(&format!("the load of {name}"), load)?;
                share += load;
            }
        }
        positive(&format!("the mean file size of {name} in bytes"), application.sizes.mean())?;
        if let Some(deadline_s) = application.deadline_s {
            positive(&format!("the deadline of {name} in s"), deadline_s)?;
        }
    }
    // Over a fallback everything is sent in the end.
    if share >= 1.0 && settings.fallback.is_none() {
        return Err(SlotProblemError::Overload { share });
    }
    for link in &settings.links {
        let name = &link.name;
        positive(&format!("the power of {name} in W"), link.power_w)?;
        positive(&format!("the mean rate of {name} in bytes per second"), link.rates.mean_bytes_per_s())?;
        if let Some(tail) = link.tail {
            at_least_0(&format!("the tail of {name} in s"), tail.length_s)?;
            at_least_0(&format!("the power of {name} in its tail in W"), tail.power_w)?;
            if tail.power_w > link.power_w {
                return Err(SlotProblemError::TailPower {
                    name: name.clone(),
                    tail_w: tail.power_w,
                    power_w: link.power_w,
                });
            }
        }
    }
    if let Some(fallback) = settings.fallback {
        at_least_0("the energy of the fallback in J per byte", fallback.energy_j_per_byte)?;
        if fallback.bytes_per_s != f64::INFINITY {
            positive("the rate of the fallback in bytes per second", fallback.bytes_per_s)?;
        }
    }
    if settings.queue_limit_bytes != f64::INFINITY {
        positive("the limit of the queue in bytes", settings.queue_limit_bytes)?;
    }
    at_least_0("the price of a late file", settings.late_price)?;
    at_least_0("the seconds without arrivals", settings.quiet_s)?;
    at_least_0("the seconds of forced sending", settings.flush_s)?;
    at_least_0("the price of data left at the end", settings.left_factor)
}

#[cfg(test)]
mod tests {
    use super::super::testing::settings;
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused_with_their_values() {
        let error = |change: &dyn Fn(&mut SlotSettings)| {
            let mut settings = settings();
            change(&mut settings);
            SlotProblem::new(settings).expect_err("no sense").to_string()
        };
        assert!(SlotProblem::new(settings()).is_ok());
        assert!(error(&|s| s.slot_s = f64::NAN).contains("the length of a slot in s must be greater than 0, is NaN"));
        assert!(error(&|s| s.slots = 0).contains("no slot"));
        assert!(error(&|s| s.links.clear()).contains("from 1 to 64 links, has 0"));
        assert!(error(&|s| s.alpha = 1.5).contains("1.5"));
        assert!(error(&|s| s.applications[0].load = Load::Share(1.0)).contains("queue would grow without end"));
        assert!(error(&|s| s.applications[0].deadline_s = Some(-1.0)).contains("the deadline of photos in s"));
        assert!(error(&|s| s.links[0].power_w = 0.0).contains("the power of cellular in W"));
        assert!(error(&|s| s.links[0].tail = Some(Tail { power_w: 9.0, length_s: 1.0 })).contains("cellular"));
        assert!(error(&|s| s.fallback = Some(Fallback::link(1.0, 0.0))).contains("fallback"));
        assert!(error(&|s| s.queue_limit_bytes = 0.0).contains("limit of the queue"));
        assert!(error(&|s| s.flush_s = -1.0).contains("must not be below 0, is -1"));
    }
}
