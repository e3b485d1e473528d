//! Values that scenarios over time have in common.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::config::{Numbers, Section};
use crate::limits::{MAX_SIZE_MB, MAX_UPLINK_MBPS, SLOWEST_LINK_MBPS};
use crate::random::{self, Stream};
use crate::scenario_checks::Checks;
use crate::stream::{MarkovRates, RateProcess, RecordedRates, Sizes};
use crate::tasks::scenario::Range;
use crate::units::{bytes_from_mb, bytes_per_second_from_mbps};

/// One number for all devices, one for each, or a range from which one is drawn for each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Spread {
    /// Given: one for all, or one for each.
    Given(Numbers),
    /// Drawn for each device.
    Drawn(Range),
}

impl Spread {
    /// The same number for all.
    pub fn one(value: f64) -> Self {
        Self::Given(Numbers::One(value))
    }

    /// Whether nothing is drawn.
    pub(super) fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }

    pub(super) fn read(section: &Section<'_>, name: &'static str) -> Self {
        if !section.is_table(name) {
            return Self::Given(section.numbers(name));
        }
        let inner = section.section(name);
        let range = range(&inner);
        inner.finish();
        Self::Drawn(range)
    }

    pub(super) fn read_optional(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.has(name).then(|| Self::read(section, name))
    }

    /// Checks that all numbers lie between two, and that there is one for each device.
    pub(super) fn check(&self, list: &mut Checks, key: &str, devices: usize, least: f64, most: f64) {
        let mut number = |key: String, value: f64| {
            let fits = (least..=most).contains(&value);
            if !fits {
                list.add(key, format!("must lie between {least:e} and {most:e}, is {value}"));
            }
            fits
        };
        match self {
            Self::Given(Numbers::One(value)) => _ = number(key.to_owned(), *value),
            Self::Given(Numbers::Each(values)) => {
                for (index, value) in values.iter().enumerate() {
                    number(format!("{key}[{index}]"), *value);
                }
                if values.len() != devices {
                    let message =
                        format!("must be one number, or one for each of {devices} devices, are {}", values.len());
                    list.add(key, message);
                }
            }
            Self::Drawn(Range::Uniform { min, max } | Range::LogUniform { min, max }) => {
                let fits = [number(format!("{key}.min"), *min), number(format!("{key}.max"), *max)];
                if fits == [true; 2] && min > max {
                    list.add(format!("{key}.max"), format!("must be at least min, {min}, is {max}"));
                } else if fits[0] && *min == 0.0 && matches!(self, Self::Drawn(Range::LogUniform { .. })) {
                    list.add(format!("{key}.min"), "must be greater than 0 for log-uniform, is 0");
                }
            }
        }
    }

    /// One number for each device.
    pub(super) fn draw(&self, devices: usize, random: &mut Stream) -> Vec<f64> {
        let draw = |device: usize| match self {
            Self::Given(numbers) => numbers.at(device),
            Self::Drawn(Range::Uniform { min, max }) => min + (max - min) * random::unit(random),
            Self::Drawn(Range::LogUniform { min, max }) => min * (max / min).powf(random::unit(random)),
        };
        (0..devices).map(draw).collect()
    }
}

fn range(section: &Section<'_>) -> Range {
    let is_log = section.choice("distribution", &[("uniform", false), ("log-uniform", true)]);
    let (min, max) = (section.number("min"), section.number("max"));
    if is_log { Range::LogUniform { min, max } } else { Range::Uniform { min, max } }
}

/// A distribution of task sizes in MB.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SizeSpread {
    /// Always the same.
    Fixed(f64),
    /// One of these, all equally likely.
    OneOf {
        /// The sizes.
        values: Vec<f64>,
    },
    /// Any size of a range.
    Range(Range),
    /// Exponentially distributed.
    Exponential {
        /// The word `exponential`.
        distribution: Exponential,
        /// The mean size.
        mean: f64,
    },
}

/// The word `exponential`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exponential {
    /// The only word.
    Exponential,
}

impl SizeSpread {
    pub(super) fn read(section: &Section<'_>, name: &'static str) -> Self {
        if !section.is_table(name) {
            return Self::Fixed(section.number(name));
        }
        let inner = section.section(name);
        let sizes = if inner.has("values") {
            let values = match inner.numbers("values") {
                Numbers::One(value) => vec![value],
                Numbers::Each(values) => values,
            };
            Self::OneOf { values }
        } else {
            let words = [("uniform", 0), ("log-uniform", 1), ("exponential", 2)];
            if inner.choice("distribution", &words) == 2 {
                Self::Exponential { distribution: Exponential::Exponential, mean: inner.number("mean") }
            } else {
                let is_log = inner.optional_text("distribution").is_some_and(|word| word == "log-uniform");
                let (min, max) = (inner.number("min"), inner.number("max"));
                Self::Range(if is_log { Range::LogUniform { min, max } } else { Range::Uniform { min, max } })
            }
        };
        inner.finish();
        sizes
    }

    pub(super) fn check(&self, list: &mut Checks, key: &str) {
        let least = 1e-9;
        match self {
            Self::Fixed(value) => Spread::one(*value).check(list, key, 1, least, MAX_SIZE_MB),
            Self::Range(range) => Spread::Drawn(*range).check(list, key, 1, least, MAX_SIZE_MB),
            Self::Exponential { mean, .. } => {
                Spread::one(*mean).check(list, &format!("{key}.mean"), 1, least, MAX_SIZE_MB);
            }
            Self::OneOf { values } if values.is_empty() => {
                list.add(format!("{key}.values"), "must have at least one size");
            }
            Self::OneOf { values } => {
                let all = Spread::Given(Numbers::Each(values.clone()));
                all.check(list, &format!("{key}.values"), values.len(), least, MAX_SIZE_MB);
            }
        }
    }

    /// The distribution in bytes.
    pub fn sizes(&self) -> Sizes {
        match self {
            Self::Fixed(mb) => Sizes::OneOf([bytes_from_mb(*mb)].into()),
            Self::OneOf { values } => Sizes::OneOf(values.iter().map(|mb| bytes_from_mb(*mb)).collect()),
            Self::Range(Range::Uniform { min, max }) => {
                Sizes::Uniform { min: bytes_from_mb(*min), max: bytes_from_mb(*max) }
            }
            Self::Range(Range::LogUniform { min, max }) => {
                Sizes::LogUniform { min: bytes_from_mb(*min), max: bytes_from_mb(*max) }
            }
            Self::Exponential { mean, .. } => Sizes::Exponential { mean: bytes_from_mb(*mean) },
        }
    }
}

/// The rate of a link, or of one link for each device, in Mbit/s.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkRates {
    /// It never changes.
    Constant(Spread),
    /// It jumps between states.
    Markov {
        /// The rate in each state, in Mbit/s.
        states: Vec<f64>,
        /// The mean stay in each state, in seconds.
        mean_stay_s: Vec<f64>,
        /// The probabilities of the next state, row after row; `None`: all others are equally likely.
        jumps: Option<Vec<f64>>,
    },
    /// It was recorded.
    Recorded(RateRecording),
}

/// Recorded rates that a scenario names. The crate `data` reads them.
#[derive(Debug, Clone)]
pub struct RateRecording {
    /// A recording or a folder of recordings. In a scenario file the path is relative to that file.
    pub path: String,
    /// The length of the windows over which rates are averaged, in seconds.
    pub window_s: f64,
    /// The columns of tables with times, rates and devices, as `Columns` of the crate `data` reads them; `None` where the
    /// content of the files tells it.
    pub columns: Option<String>,
    /// The format of the files, by the name that the crate `data` gives it; `None` where their content tells it.
    pub format: Option<String>,
    rates: Option<Arc<RecordedRates>>,
}

/// Two are equal if they name the same files, whether they have been read or not.
impl PartialEq for RateRecording {
    fn eq(&self, other: &Self) -> bool {
        let named = |this: &Self| (this.path.clone(), this.window_s, this.columns.clone(), this.format.clone());
        named(self) == named(other)
    }
}

impl RateRecording {
    /// The recordings of a file or folder, that have not been read.
    pub fn new(path: impl Into<String>, window_s: f64) -> Self {
        Self { path: path.into(), window_s, columns: None, format: None, rates: None }
    }

    /// The rates; `None`: they have not been read.
    pub fn rates(&self) -> Option<&RecordedRates> {
        self.rates.as_deref()
    }

    /// Says what was recorded.
    pub fn set_rates(&mut self, rates: RecordedRates) {
        self.rates = Some(Arc::new(rates));
    }
}

impl Serialize for LinkRates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(spread) => spread.serialize(serializer),
            Self::Markov { states, mean_stay_s, jumps } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("states", states)?;
                map.serialize_entry("mean_stay_s", mean_stay_s)?;
                if let Some(jumps) = jumps {
                    map.serialize_entry("jumps", jumps)?;
                }
                map.end()
            }
            Self::Recorded(RateRecording { path, window_s, columns, format, .. }) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("traces", path)?;
                map.serialize_entry("window_s", window_s)?;
                if let Some(columns) = columns {
                    map.serialize_entry("columns", columns)?;
                }
                if let Some(format) = format {
                    map.serialize_entry("as", format)?;
                }
                map.end()
            }
        }
    }
}

impl LinkRates {
    pub(super) fn read(section: &Section<'_>, name: &'static str) -> Self {
        if !section.is_table(name) {
            return Self::Constant(Spread::read(section, name));
        }
        let inner = section.section(name);
        let numbers = |name| match inner.numbers(name) {
            Numbers::One(value) => vec![value],
            Numbers::Each(values) => values,
        };
        let rates = if inner.has("states") {
            let jumps = inner.has("jumps").then(|| inner.matrix("jumps"));
            Self::Markov { states: numbers("states"), mean_stay_s: numbers("mean_stay_s"), jumps }
        } else if inner.has("traces") {
            Self::Recorded(RateRecording {
                path: inner.text("traces"),
                window_s: inner.optional_number("window_s").unwrap_or(1.0),
                columns: inner.optional_text("columns"),
                format: inner.optional_text("as"),
                rates: None,
            })
        } else {
            Self::Constant(Spread::Drawn(range(&inner)))
        };
        inner.finish();
        rates
    }

    pub(super) fn read_optional(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.has(name).then(|| Self::read(section, name))
    }

    pub(super) fn check(&self, list: &mut Checks, key: &str, devices: usize) {
        match self {
            Self::Constant(spread) => spread.check(list, key, devices, SLOWEST_LINK_MBPS, MAX_UPLINK_MBPS),
            Self::Markov { states, .. } => {
                if let Some(index) = states.iter().position(|mbps| !(0.0..=MAX_UPLINK_MBPS).contains(mbps)) {
                    let message = format!("must lie between 0 and {MAX_UPLINK_MBPS:e}, is {}", states[index]);
                    list.add(format!("{key}.states[{index}]"), message);
                } else if let Err(error) = self.markov() {
                    list.add(key, format!("is no chain of rates: {error}"));
                }
            }
            Self::Recorded(RateRecording { path, window_s, .. }) => {
                if path.is_empty() {
                    list.add(format!("{key}.traces"), "must name a recording or a folder of recordings");
                }
                list.positive(&format!("{key}.window_s"), *window_s);
            }
        }
    }

    /// The chain, if the rate is one.
    fn markov(&self) -> Result<Option<MarkovRates>, crate::stream::RatesError> {
        let Self::Markov { states, mean_stay_s, jumps } = self else { return Ok(None) };
        let rates: Vec<f64> = states.iter().map(|mbps| bytes_per_second_from_mbps(*mbps)).collect();
        MarkovRates::new(&rates, mean_stay_s, jumps.as_deref()).map(Some)
    }

    /// The rates for each device; one is given where all have the same. `None`: recorded rates have not been read.
    pub(super) fn processes(&self, devices: usize, random: &mut Stream) -> Option<Vec<RateProcess>> {
        Some(match self {
            Self::Constant(spread @ Spread::Given(Numbers::One(_))) => {
                vec![constant(spread.draw(1, random)[0])]
            }
            Self::Constant(spread) => spread.draw(devices, random).into_iter().map(constant).collect(),
            Self::Markov { .. } => {
                let chain = self.markov().ok().flatten().expect("a check has found the chain valid");
                vec![RateProcess::Markov(chain)]
            }
            Self::Recorded(recording) => vec![RateProcess::Recorded(recording.rates()?.clone())],
        })
    }

    /// Whether there is one rate, or one chain or recording, for all devices.
    pub(super) fn is_one(&self) -> bool {
        !matches!(self, Self::Constant(Spread::Given(Numbers::Each(_)) | Spread::Drawn(_)))
    }

    /// The path of the recordings; empty if there are none.
    pub(super) fn recorded_path(&self) -> &str {
        if let Self::Recorded(recording) = self { &recording.path } else { "" }
    }

    pub(super) fn recording_mut(&mut self) -> Option<&mut RateRecording> {
        if let Self::Recorded(recording) = self { Some(recording) } else { None }
    }
}

fn constant(mbps: f64) -> RateProcess {
    RateProcess::Constant(bytes_per_second_from_mbps(mbps))
}
