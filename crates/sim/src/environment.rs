//! Environments: what of a scenario changes while it runs, and where changes come from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cost::{Link, SLOWEST_MBPS};
use crate::error::{DataError, EnvironmentError};
use crate::random::{self, Stream};
use crate::scenario::{PerDevice, Range, Scenario, Sharing, UplinkDistribution};
use crate::trace::{Drive, Recording, Window};
use crate::workload::Part;

/// The fastest uplink, in Mbit/s: beyond any that there is.
pub const MAX_UPLINK_MBPS: f64 = 1e12;

/// Seconds of the windows over which recorded rates are averaged, where nothing else is said.
pub const WINDOW_S: f64 = 60.0;

/// Draws that [`EnvironmentSampler::moments`] looks at.
const MOMENT_DRAWS: usize = 4096;

/// The part of a scenario that changes while it runs. Everything else stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// α of eq. (18).
    pub alpha: f64,
    /// b_n of each device in Mbit/s. With 0 a device reaches no server whose link is its uplink.
    pub uplinks_mbps: Vec<f64>,
    /// What share of its frequency each server gives: 1 is all that the scenario says.
    pub capacities: Vec<f64>,
}

impl Environment {
    /// Whether every value makes sense.
    ///
    /// # Errors
    /// The first that does not.
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
        if let Some(&found) = self.capacities.iter().find(|share| !(1e-6..=1e6).contains(*share)) {
            return Err(EnvironmentError::Value { what: "a capacity", wanted: "lie between 1e-6 and 1e6", found });
        }
        Ok(())
    }
}

impl Scenario {
    /// The environment that the scenario itself describes, before anything changes.
    pub fn own_environment(&self) -> Environment {
        Environment {
            alpha: self.alpha,
            uplinks_mbps: (0..self.devices.count).map(|device| self.devices.uplink_mbps.at(device)).collect(),
            capacities: vec![1.0; self.servers.len()],
        }
    }
}

impl Scenario {
    /// The scenario as it is in one environment, where nothing changes any more. An uplink of 0 becomes one too slow to
    /// be one, since a scenario has no others.
    ///
    /// # Errors
    /// If the environment is for another fleet, or holds a value that makes no sense.
    pub fn in_environment(&self, environment: &Environment) -> Result<Self, EnvironmentError> {
        let devices = self.devices.count;
        environment.check(devices, self.servers.len())?;
        let mut scenario = self.clone();
        scenario.environment = None;
        scenario.alpha = environment.alpha;
        let uplinks: Vec<f64> = environment.uplinks_mbps.iter().map(|mbps| mbps.max(SLOWEST_MBPS / 10.0)).collect();
        for (server, capacity) in scenario.servers.iter_mut().zip(&environment.capacities) {
            server.frequency_mhz *= capacity;
            if server.link_sharing == Sharing::Shared {
                continue;
            }
            // What lies behind an uplink would count as lying beside a slower one.
            let link = |device: usize| match self.link(server, device) {
                Link::Uplink => uplinks[device],
                link => link.mbps(uplinks[device]),
            };
            let links = server.link_mbps.is_some().then(|| PerDevice::Each((0..devices).map(link).collect()));
            server.link_mbps = links;
        }
        scenario.devices.uplink_mbps = PerDevice::Each(uplinks);
        Ok(scenario)
    }
}

/// Mean and standard deviation of a quantity that changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Moments of what an [`EnvironmentSampler`] draws; `None` for what never changes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EnvironmentMoments {
    /// Of the logarithm of uplinks in Mbit/s, each taken as at least [`SLOWEST_TOLD_APART_MBPS`].
    pub log_uplink: Option<Moments>,
    /// Of the logarithm of capacities.
    pub log_capacity: Option<Moments>,
    /// Of α.
    pub alpha: Option<Moments>,
}

/// Uplinks slower than this are all alike: a MB takes a quarter of an hour.
pub const SLOWEST_TOLD_APART_MBPS: f64 = 0.01;

/// Draws environments as a scenario's `[environment]` says.
#[derive(Debug, Clone)]
pub struct EnvironmentSampler {
    own: Environment,
    uplinks: Option<Uplinks>,
    capacity: Option<Range>,
    alpha: Option<Range>,
}

#[derive(Debug, Clone)]
enum Uplinks {
    Range(Range),
    /// `[environments][N]`.
    Recorded {
        training: Vec<Vec<f64>>,
        held_out: Vec<Vec<f64>>,
    },
}

impl EnvironmentSampler {
    /// The sampler of a scenario, `None` if its environment never changes; reads the recordings if there are any.
    ///
    /// # Errors
    /// If the recordings cannot be read or are too short.
    pub fn new(scenario: &Scenario) -> Result<Option<Self>, DataError> {
        let Some(distribution) = &scenario.environment else { return Ok(None) };
        let uplinks = match &distribution.uplink_mbps {
            None => None,
            Some(UplinkDistribution::Uniform { min, max }) => {
                Some(Uplinks::Range(Range::Uniform { min: *min, max: *max }))
            }
            Some(UplinkDistribution::LogUniform { min, max }) => {
                Some(Uplinks::Range(Range::LogUniform { min: *min, max: *max }))
            }
            Some(UplinkDistribution::Traces { path, window_s, held_out }) => {
                let recording = Recording::open(Path::new(path))?;
                let (training, apart) = split(&recording, scenario.devices.count, *window_s, *held_out);
                if training.is_empty() || *held_out > 0.0 && apart.is_empty() {
                    return Err(DataError::TooFewWindows { path: path.into(), window_s: *window_s });
                }
                let held_out = if *held_out > 0.0 { apart } else { training.clone() };
                Some(Uplinks::Recorded { training, held_out })
            }
        };
        let own = scenario.own_environment();
        Ok(Some(Self { own, uplinks, capacity: distribution.capacity, alpha: distribution.alpha }))
    }

    /// A sampler of uplinks that were measured: each environment is one of these, `[environments][N]`, all equally likely.
    ///
    /// # Panics
    /// If there is none, or one is not for the scenario's N.
    pub fn of_uplinks(scenario: &Scenario, uplinks_mbps: Vec<Vec<f64>>) -> Self {
        let devices = scenario.devices.count;
        assert!(
            !uplinks_mbps.is_empty() && uplinks_mbps.iter().all(|all| all.len() == devices),
            "uplinks of {devices}"
        );
        Self {
            own: scenario.own_environment(),
            uplinks: Some(Uplinks::Recorded { training: uplinks_mbps.clone(), held_out: uplinks_mbps }),
            capacity: None,
            alpha: None,
        }
    }

    /// Draws an environment into `environment`; what never changes is as in the scenario.
    pub fn draw(&self, part: Part, random: &mut Stream, environment: &mut Environment) {
        environment.clone_from(&self.own);
        match &self.uplinks {
            None => {}
            Some(Uplinks::Range(range)) => {
                environment.uplinks_mbps.iter_mut().for_each(|uplink| *uplink = range.draw(random));
            }
            Some(Uplinks::Recorded { training, held_out }) => {
                let all = if part == Part::Training { training } else { held_out };
                environment.uplinks_mbps.copy_from_slice(&all[random::below(random, all.len())]);
            }
        }
        if let Some(range) = &self.capacity {
            environment.capacities.iter_mut().for_each(|share| *share = range.draw(random));
        }
        if let Some(range) = &self.alpha {
            environment.alpha = range.draw(random);
        }
    }

    /// Moments of what is drawn for training, over a fixed number of draws that are always the same.
    pub fn moments(&self) -> EnvironmentMoments {
        let mut random = random::stream(0, "environment moments");
        let mut environment = self.own.clone();
        let (mut uplinks, mut capacities, mut alphas) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..MOMENT_DRAWS {
            self.draw(Part::Training, &mut random, &mut environment);
            uplinks.extend(environment.uplinks_mbps.iter().map(|mbps| mbps.max(SLOWEST_TOLD_APART_MBPS).ln()));
            capacities.extend(environment.capacities.iter().map(|share| share.ln()));
            alphas.push(environment.alpha);
        }
        EnvironmentMoments {
            log_uplink: self.uplinks.as_ref().map(|_| moments(&uplinks)),
            log_capacity: self.capacity.map(|_| moments(&capacities)),
            alpha: self.alpha.map(|_| moments(&alphas)),
        }
    }
}

fn moments(values: &[f64]) -> Moments {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Moments { mean, deviation: variance.sqrt() }
}

impl Range {
    fn draw(&self, random: &mut Stream) -> f64 {
        match *self {
            Self::Uniform { min, max } => min + (max - min) * random::unit(random),
            Self::LogUniform { min, max } => min * (max / min).powf(random::unit(random)),
        }
    }
}

/// What `devices` devices would have measured of their uplinks on a drive: the mean rates in windows of `window_s`
/// seconds in which all recorded devices have data.
///
/// Of more recorded devices the first are taken, in the order of their names. If there are fewer, each stands for
/// several, which see the drive at other times: the later ones run ahead by equal shares of it and go on at its beginning.
pub fn uplink_windows(drive: &Drive, devices: usize, window_s: f64) -> Vec<Window> {
    spread(&drive.windows(window_s), devices)
}

/// See [`uplink_windows`].
fn spread(recorded: &[Window], devices: usize) -> Vec<Window> {
    let Some(width) = recorded.first().map(|window| window.mbps.len()) else { return Vec::new() };
    let ahead = recorded.len().div_ceil(devices.div_ceil(width));
    let mbps =
        |index: usize, device: usize| recorded[(index + device / width * ahead) % recorded.len()].mbps[device % width];
    let window = |(index, window): (usize, &Window)| Window {
        start_s: window.start_s,
        mbps: (0..devices).map(|device| mbps(index, device)).collect(),
    };
    recorded.iter().enumerate().map(window).collect()
}

/// Uplinks of environments for training, and those held out: of other drives, or of the end if there is only one. The
/// split depends on the recording alone, so that every seed and every program keeps the same apart.
fn split(recording: &Recording, devices: usize, window_s: f64, held_out: f64) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let uplinks = |drives: &[Vec<Window>]| -> Vec<Vec<f64>> {
        drives.iter().flat_map(|windows| spread(windows, devices)).map(|window| window.mbps).collect()
    };
    let share = |count: usize| (count as f64 * held_out).ceil() as usize;
    let drives = recording.drives.iter().map(|drive| drive.windows(window_s));
    let mut drives: Vec<Vec<Window>> = drives.filter(|windows| !windows.is_empty()).collect();
    if let [only] = &mut drives[..] {
        // Cut before devices stand for others, which see the drive at other times.
        let apart = only.split_off(only.len() - share(only.len()));
        return (uplinks(&drives), uplinks(&[apart]));
    }
    random::shuffle(&mut random::stream(0, "held-out drives"), &mut drives);
    let (apart, training) = drives.split_at(share(drives.len()).min(drives.len().saturating_sub(1)));
    (uplinks(training), uplinks(apart))
}
