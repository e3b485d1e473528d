//! Where environments come from: distributions, and recordings of networks.

use std::path::{Path, PathBuf};

use sim::limits::{CAPACITIES, SLOWEST_TOLD_APART_MBPS};
use sim::random::{self, Stream};
use sim::scenario::{Range, UplinkDistribution};
use sim::{Environment, Scenario};

use crate::part::Part;
use crate::sizes::SizesError;
use crate::trace::{self, ColumnsError, ReadOptions, Recording, TraceError, UnknownFormatName, Window, spread};

/// The number of draws from which [`EnvironmentSampler::moments`] are computed.
const MOMENT_DRAWS: usize = 4096;

/// Mean and standard deviation of a quantity that changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub std_dev: f64,
}

/// Moments of the values that an [`EnvironmentSampler`] draws; `None` for a value that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EnvironmentMoments {
    /// Moments of the logarithm of uplinks in Mbit/s, each taken as at least [`SLOWEST_TOLD_APART_MBPS`].
    pub log_uplink: Option<Moments>,
    /// Moments of the logarithm of capacities, each taken as at least 1e-6.
    pub log_capacity: Option<Moments>,
    /// Moments of α.
    pub alpha: Option<Moments>,
}

/// Draws environments from the distributions in a scenario's `[environment]`.
#[derive(Debug, Clone)]
pub struct EnvironmentSampler {
    own: Environment,
    uplinks: Option<Uplinks>,
    capacity: Option<Range>,
    alpha: Option<Range>,
    /// Sentences for people about the recordings.
    notes: Vec<String>,
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
    /// The sampler of a scenario; `None` if its environment never changes. Reads the recordings if the scenario names any.
    ///
    /// # Errors
    /// If the recordings cannot be read or are too short.
    pub fn new(scenario: &Scenario) -> Result<Option<Self>, DataError> {
        let Some(distribution) = &scenario.environment else { return Ok(None) };
        let mut notes = Vec::new();
        let uplinks = match &distribution.uplink_mbps {
            None => None,
            Some(UplinkDistribution::Uniform { min, max }) => {
                Some(Uplinks::Range(Range::Uniform { min: *min, max: *max }))
            }
            Some(UplinkDistribution::LogUniform { min, max }) => {
                Some(Uplinks::Range(Range::LogUniform { min: *min, max: *max }))
            }
            Some(UplinkDistribution::Traces { path, window_s, held_out, columns, format }) => {
                let options = read_options(columns.as_deref(), format.as_deref())?;
                let recording = Recording::read(Path::new(path), &options)?;
                notes = trace::notes(&recording.drives, Some(scenario.devices.count), *window_s);
                let (training, apart) = split(&recording, scenario.devices.count, *window_s, *held_out);
                if training.is_empty() || *held_out > 0.0 && apart.is_empty() {
                    return Err(DataError::TooFewWindows { path: path.into(), window_s: *window_s });
                }
                let held_out = if *held_out > 0.0 { apart } else { training.clone() };
                Some(Uplinks::Recorded { training, held_out })
            }
        };
        let own = scenario.own_environment();
        Ok(Some(Self { own, uplinks, capacity: distribution.capacity, alpha: distribution.alpha, notes }))
    }

    /// A sampler that draws from uplinks which were measured, `[environments][N]`, all equally likely.
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
            notes: Vec::new(),
        }
    }

    /// Sentences for people about the recordings, such as which recorded devices are left out.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The environment that the scenario itself describes.
    pub(crate) fn own(&self) -> &Environment {
        &self.own
    }

    /// Draws an environment into `environment`. Values that never change are the scenario's own. Allocates nothing if
    /// `environment` is of the scenario's shape.
    pub fn draw(&self, part: Part, random: &mut Stream, environment: &mut Environment) {
        environment.clone_from(&self.own);
        match &self.uplinks {
            None => {}
            Some(Uplinks::Range(range)) => {
                environment.uplinks_mbps.iter_mut().for_each(|uplink| *uplink = draw_from(range, random));
            }
            Some(Uplinks::Recorded { training, held_out }) => {
                let all = if part == Part::Training { training } else { held_out };
                environment.uplinks_mbps.copy_from_slice(&all[random::below(random, all.len())]);
            }
        }
        if let Some(range) = &self.capacity {
            environment.capacities.iter_mut().for_each(|share| *share = draw_from(range, random));
        }
        if let Some(range) = &self.alpha {
            environment.alpha = draw_from(range, random);
        }
    }

    /// Moments of the environments that training sees, estimated from a fixed number of draws that are always the same.
    pub fn moments(&self) -> EnvironmentMoments {
        let mut random = random::stream(0, "environment moments");
        let mut environment = self.own.clone();
        let (mut uplinks, mut capacities, mut alphas) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..MOMENT_DRAWS {
            self.draw(Part::Training, &mut random, &mut environment);
            uplinks.extend(environment.uplinks_mbps.iter().map(|mbps| mbps.max(SLOWEST_TOLD_APART_MBPS).ln()));
            capacities.extend(environment.capacities.iter().map(|share| share.max(*CAPACITIES.start()).ln()));
            alphas.push(environment.alpha);
        }
        EnvironmentMoments {
            log_uplink: self.uplinks.as_ref().map(|_| moments(&uplinks)),
            log_capacity: self.capacity.map(|_| moments(&capacities)),
            alpha: self.alpha.map(|_| moments(&alphas)),
        }
    }
}

/// The options for reading the recordings of a scenario.
fn read_options(columns: Option<&str>, format: Option<&str>) -> Result<ReadOptions, DataError> {
    let wrong = |key, reason: &dyn std::fmt::Display| DataError::ReadOption { key, reason: reason.to_string() };
    Ok(ReadOptions {
        columns: columns.map(str::parse).transpose().map_err(|error: ColumnsError| wrong("columns", &error))?,
        format: format.map(str::parse).transpose().map_err(|error: UnknownFormatName| wrong("as", &error))?,
    })
}

fn moments(values: &[f64]) -> Moments {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Moments { mean, std_dev: variance.sqrt() }
}

fn draw_from(range: &Range, random: &mut Stream) -> f64 {
    match *range {
        Range::Uniform { min, max } => min + (max - min) * random::unit(random),
        Range::LogUniform { min, max } => min * (max / min).powf(random::unit(random)),
    }
}

/// Splits a recording into uplinks for training and uplinks held out: whole drives, or the end of the drive if there is
/// only one. The split depends on the recording alone, so that every seed and every program holds the same out.
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

/// Why the recorded data that a scenario names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file of task sizes.
    #[error(transparent)]
    Sizes(#[from] SizesError),
    /// The recordings of networks.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A key of the scenario that says how the recordings are read has a value that it cannot have.
    #[error("environment.uplink_mbps.{key} of the scenario: {reason}")]
    ReadOption {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The recordings are too short to hold some out for evaluation.
    #[error("{} has too few windows of {window_s} s in which all its devices have data, or none to hold out", path.display())]
    TooFewWindows {
        /// The recordings.
        path: PathBuf,
        /// The length of a window in seconds.
        window_s: f64,
    },
}
