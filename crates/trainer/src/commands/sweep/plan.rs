//! Which trainings a sweep is made of, and which of them are this shard's.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::cli::{ComputeArgs, SweepRunsArgs, ThreadsArg};
use crate::commands::train;
use crate::error::AppError;
use crate::runs::{self, Planned};
use crate::setup::Problem;
use mrdro::Training;

/// The most runs of one sweep.
const MAX_RUNS: usize = 100_000;

/// A part of the work, as in `--shard 2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    /// From 1.
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parsed {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(AppError::BadOption {
                option: "--shard",
                text: text.to_owned(),
                wanted: "I/N with 1 ≤ I ≤ N, such as 2/4",
            }),
        }
    }
}

impl Shard {
    pub(super) fn has(self, run: usize) -> bool {
        run % self.count == self.index - 1
    }
}

/// Seeds as people write them: `1-10`, `1,2,5` or both.
pub(crate) fn parse_seeds(text: &str) -> Result<Vec<u64>, AppError> {
    let bad = || AppError::BadOption {
        option: "--seeds",
        text: text.to_owned(),
        wanted: "numbers and ranges, such as 1-10 or 1,2,5",
    };
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) =
            (first.trim().parse().map_err(|_| bad())?, last.trim().parse().map_err(|_| bad())?);
        // TOML, in which runs say what they are, has no larger numbers.
        if first > last || i64::try_from(last).is_err() {
            return Err(bad());
        }
        let count = (last - first).saturating_add(seeds.len() as u64);
        if count >= MAX_RUNS as u64 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            return Err(AppError::TooLarge { what: "the seeds", count, limit: MAX_RUNS });
        }
        seeds.extend(first..=last);
    }
    let mut unique = seeds.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() == seeds.len() { Ok(seeds) } else { Err(bad()) }
}

/// A setting and the values it takes, as in `network.dnns=1,2,4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Varied {
    pub(super) key: String,
    values: Vec<String>,
}

impl FromStr for Varied {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let bad = || AppError::BadOption {
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
            c => values.last_mut().expect("there is one from the start").push(c),
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

/// All runs, in an order that does not depend on the shard.
pub(super) fn plan(args: &SweepRunsArgs, varied: &[Varied], device: &str) -> Result<Vec<Planned>, AppError> {
    let seeds = parse_seeds(&args.seeds)?;
    let combinations = varied.iter().fold(1_usize, |product, varied| product.saturating_mul(varied.values.len()));
    let count = [args.scenario.len(), args.training.len(), combinations, seeds.len()]
        .iter()
        .fold(1_usize, |product, &factor| product.saturating_mul(factor));
    if count > MAX_RUNS {
        return Err(AppError::TooLarge { what: "the runs of the sweep", count, limit: MAX_RUNS });
    }
    let mut planned: Vec<Planned> = Vec::with_capacity(count);
    let mut names = BTreeMap::new();
    let mut configurations = BTreeSet::new();
    for scenario in &args.scenario {
        let problem = Problem::load(scenario)?;
        for training_name in &args.training {
            for combination in 0..combinations {
                let chosen = choose(varied, combination);
                let settings: Vec<String> = args.settings.iter().chain(&chosen).cloned().collect();
                let training = Training::load(training_name, &settings)?;
                check_keys(varied, &training)?;
                for &seed in &seeds {
                    let name = runs::name(&problem.scenario.name, &training.name, &chosen, seed);
                    if let Some(other) = names.insert(name.clone(), (scenario, training_name)) {
                        return Err(AppError::SameName { name, others: format!("{} with {}", other.0, other.1) });
                    }
                    let compute = ComputeArgs {
                        device: args.compute.device.clone(),
                        threads: ThreadsArg { threads: args.compute.threads.threads },
                    };
                    let arguments = Planned::arguments(scenario, training_name, &settings, seed, compute);
                    let configuration = train::configuration(&training, &problem.scenario, seed, device);
                    if !configurations.insert(configuration.clone()) {
                        let text = chosen.join(" ");
                        return Err(AppError::BadOption { option: "--vary", text, wanted: "a setting of its own" });
                    }
                    let (training, scenario) = (training.clone(), problem.scenario.clone());
                    planned.push(Planned { name, arguments, training, scenario, configuration });
                }
            }
        }
    }
    Ok(planned)
}

/// Tables find what was varied under its key: each must be one, once.
fn check_keys(varied: &[Varied], training: &Training) -> Result<(), AppError> {
    let resolved = toml::Value::try_from(training).expect("numbers, texts and tables can be written");
    for (index, Varied { key, .. }) in varied.iter().enumerate() {
        let found = key.split('.').try_fold(&resolved, |value, part| value.get(part));
        if found.is_none() || varied[..index].iter().any(|other| other.key == *key) {
            let wanted = "a key of settings, once, such as network.dnns";
            return Err(AppError::BadOption { option: "--vary", text: key.clone(), wanted });
        }
    }
    Ok(())
}

/// The values that one combination gives the varied settings; the last setting changes fastest.
fn choose(varied: &[Varied], mut combination: usize) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::with_capacity(varied.len());
    for Varied { key, values } in varied.iter().rev() {
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
            assert_eq!(shards.iter().filter(|shard| shard.has(run)).count(), 1, "run {run}");
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
        let varied: Varied = "network.hidden=[120,80], [64]".parse().expect("values");
        assert_eq!(varied.values, ["[120,80]", "[64]"]);
        for text in ["network.dnns", "network.dnns=", "=1", "a=1,,2"] {
            assert!(text.parse::<Varied>().is_err(), "{text}");
        }
    }

    #[test]
    fn combinations_are_all_of_them() {
        let varied: Vec<Varied> = ["a=1,2", "b=x,y,z"].iter().map(|text| text.parse().expect("values")).collect();
        let all: Vec<_> = (0..6).map(|combination| choose(&varied, combination).join(" ")).collect();
        assert_eq!(all, ["a=1 b=x", "a=1 b=y", "a=1 b=z", "a=2 b=x", "a=2 b=y", "a=2 b=z"]);
    }
}
