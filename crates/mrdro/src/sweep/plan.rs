//! The runs of a sweep, and the part of them that one shard makes.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use sim::Scenario;

use crate::error::Error;
use crate::plan::{RunPlan, Target};
use crate::run_set::PlannedRun;
use crate::training::Training;

/// The most runs of one sweep.
const MAX_RUNS: usize = 100_000;

/// One part of a sweep that several machines share, as in `--shard 2/4`: every `count`-th run, from the `index`-th on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 1.
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parsed {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(Error::BadOption {
                option: "--shard",
                text: text.to_owned(),
                wanted: "I/N with 1 ≤ I ≤ N, such as 2/4",
            }),
        }
    }
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether a run belongs to this shard; runs are counted from 0.
    pub fn contains(self, run: usize) -> bool {
        run % self.count == self.index - 1
    }
}

/// Parses a list of seeds: numbers and ranges, such as `1-10`, `1,2,5` or `1-3,7`.
///
/// # Errors
/// If the text is something else, names a seed twice, or names too many.
pub fn parse_seeds(text: &str) -> Result<Vec<u64>, Error> {
    let bad = || Error::BadOption {
        option: "--seeds",
        text: text.to_owned(),
        wanted: "numbers and ranges, such as 1-10 or 1,2,5",
    };
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) =
            (first.trim().parse().map_err(|_| bad())?, last.trim().parse().map_err(|_| bad())?);
        // Runs keep their seed in TOML, whose numbers end at i64::MAX.
        if first > last || i64::try_from(last).is_err() {
            return Err(bad());
        }
        let count = (last - first).saturating_add(seeds.len() as u64);
        if count >= MAX_RUNS as u64 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            return Err(Error::TooLarge { what: "the seeds", count, limit: MAX_RUNS });
        }
        seeds.extend(first..=last);
    }
    let mut unique = seeds.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() == seeds.len() { Ok(seeds) } else { Err(bad()) }
}

/// A setting and the values that it takes in a sweep, such as `network.dnns=1,2,4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariedSetting {
    /// The key of the setting.
    pub key: String,
    values: Vec<String>,
}

impl FromStr for VariedSetting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadOption {
            option: "--vary",
            text: text.to_owned(),
            wanted: "KEY=VALUE,..., such as network.dnns=1,2,4",
        };
        let (key, values) = text.split_once('=').ok_or_else(bad)?;
        let values = split_values(values);
        if key.trim().is_empty() || values.iter().any(String::is_empty) {
            return Err(bad());
        }
        Ok(Self { key: key.trim().to_owned(), values })
    }
}

/// Splits at commas, but not within brackets: `[120,80],[64]` are two values.
fn split_values(text: &str) -> Vec<String> {
    let (mut values, mut depth) = (vec![String::new()], 0_i32);
    for c in text.chars() {
        depth += i32::from(c == '[') - i32::from(c == ']');
        match c {
            ',' if depth == 0 => values.push(String::new()),
            c => values.last_mut().expect("the list starts with one value").push(c),
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

/// A scenario of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum SweepScenario {
    /// The name of a shipped scenario, or a TOML file.
    Named(String),
    /// A scenario that is in memory.
    Given(Box<Scenario>),
}

impl SweepScenario {
    /// The name or the file, or the name that the scenario in memory has.
    fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Given(scenario) => &scenario.name,
        }
    }
}

impl From<String> for SweepScenario {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

/// A sweep: one run for every combination of scenario, training, values of the varied settings, and seed.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepPlan {
    /// The scenarios.
    pub scenarios: Vec<SweepScenario>,
    /// Names of training presets, or TOML files.
    pub trainings: Vec<String>,
    /// Settings that are changed in every run, each as `key=value`.
    pub settings: Vec<String>,
    /// Settings that are varied; several settings give all combinations of their values.
    pub varied: Vec<VariedSetting>,
    /// The seeds of each combination.
    pub seeds: Vec<u64>,
    /// The device to compute on, as `--device` takes it, such as `auto` or `flex`.
    pub device: String,
}

impl SweepPlan {
    /// All runs of the sweep, in the same order for every shard.
    ///
    /// # Errors
    /// If a scenario or a setting has a mistake, there are too many runs, or two of them would be equal or have one name.
    pub fn runs(&self) -> Result<Vec<PlannedRun>, Error> {
        let combinations =
            self.varied.iter().fold(1_usize, |product, varied| product.saturating_mul(varied.values.len()));
        let count = [self.scenarios.len(), self.trainings.len(), combinations, self.seeds.len()]
            .iter()
            .fold(1_usize, |product, &factor| product.saturating_mul(factor));
        if count > MAX_RUNS {
            return Err(Error::TooLarge { what: "the runs of the sweep", count, limit: MAX_RUNS });
        }
        let mut planned: Vec<PlannedRun> = Vec::with_capacity(count);
        let mut names = BTreeMap::new();
        let mut configurations = BTreeSet::new();
        for scenario in &self.scenarios {
            for training in &self.trainings {
                for combination in 0..combinations {
                    let chosen = choose(&self.varied, combination);
                    let plan = self.plan(scenario, training, &chosen)?;
                    for &seed in &self.seeds {
                        let run = PlannedRun::new(plan.clone().with_seed(seed), &chosen);
                        if let Some(other) = names.insert(run.name.clone(), (scenario.name(), training)) {
                            let others = format!("{} with {}", other.0, other.1);
                            return Err(Error::SameName { name: run.name, others });
                        }
                        if !configurations.insert(run.plan.configuration(&self.device)) {
                            let text = chosen.join(" ");
                            return Err(Error::BadOption {
                                option: "--vary",
                                text,
                                wanted: "a combination that differs from the others",
                            });
                        }
                        planned.push(run);
                    }
                }
            }
        }
        Ok(planned)
    }

    /// The plan of one combination.
    fn plan(&self, scenario: &SweepScenario, training: &str, chosen: &[String]) -> Result<RunPlan, Error> {
        let settings: Vec<String> = self.settings.iter().chain(chosen).cloned().collect();
        let mut plan = match scenario {
            SweepScenario::Named(scenario) => RunPlan::new(scenario, training, &settings)?,
            SweepScenario::Given(scenario) => RunPlan::of_scenario((**scenario).clone(), training, &settings)?,
        };
        if let Target::Scenario { training, .. } = &plan.target {
            check_keys(&self.varied, training)?;
        }
        plan.device.clone_from(&self.device);
        Ok(plan)
    }
}

/// Checks that each varied key names a setting and occurs once.
fn check_keys(varied: &[VariedSetting], training: &Training) -> Result<(), Error> {
    let resolved = toml::Value::try_from(training).expect("numbers, texts and tables can be written");
    for (index, VariedSetting { key, .. }) in varied.iter().enumerate() {
        let found = key.split('.').try_fold(&resolved, |value, part| value.get(part));
        if found.is_none() || varied[..index].iter().any(|other| other.key == *key) {
            let wanted = "the key of a setting that is varied once, such as network.dnns";
            return Err(Error::BadOption { option: "--vary", text: key.clone(), wanted });
        }
    }
    Ok(())
}

/// The values that one combination gives the varied settings; the last setting changes fastest.
fn choose(varied: &[VariedSetting], mut combination: usize) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::with_capacity(varied.len());
    for VariedSetting { key, values } in varied.iter().rev() {
        chosen.push(format!("{key}={}", values[combination % values.len()]));
        combination /= values.len();
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_runs() {
        let shards: Vec<Shard> = (1..=3).map(|index| format!("{index}/3").parse().expect("a shard")).collect();
        for run in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.contains(run)).count(), 1, "run {run}");
        }
        for text in ["", "0/3", "4/3", "1", "1/0", "a/b", "-1/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn seeds_are_numbers_and_ranges() {
        assert_eq!(parse_seeds("1-3,7").expect("seeds"), [1, 2, 3, 7]);
        for text in ["", "3-1", "1,1", "1-3,2", "x", "1-", "0-999999999", "1-90000,90001-180000", "9223372036854775808"]
        {
            assert!(parse_seeds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_in_brackets_stay_together() {
        let varied: VariedSetting = "network.hidden=[120,80], [64]".parse().expect("values");
        assert_eq!(varied.values, ["[120,80]", "[64]"]);
        for text in ["network.dnns", "network.dnns=", "=1", "a=1,,2"] {
            assert!(text.parse::<VariedSetting>().is_err(), "{text}");
        }
    }

    #[test]
    fn combinations_are_all_of_them() {
        let varied: Vec<VariedSetting> =
            ["a=1,2", "b=x,y,z"].iter().map(|text| text.parse().expect("values")).collect();
        let all: Vec<_> = (0..6).map(|combination| choose(&varied, combination).join(" ")).collect();
        assert_eq!(all, ["a=1 b=x", "a=1 b=y", "a=1 b=z", "a=2 b=x", "a=2 b=y", "a=2 b=z"]);
    }
}
