//! The tables of a sweep: one row for each run, and means over seeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{Evaluation, natural_order};

use super::{DEFINITION, SweepDefinition};
use crate::error::Error;
use crate::files::{csv_of_cells, write_file};
use crate::run_set::{RUNS, RunResults};
use crate::statistics::Spread;

/// The measure of missed deadlines.
const SHARE_OF_MISSED: &str = "share_of_missed_deadlines";

/// The finished runs of a sweep, with their results.
#[derive(Debug)]
pub struct Sweep {
    /// The settings that differ between runs.
    pub varied: Vec<String>,
    /// The directory of each run, by the run's name.
    pub(super) directories: BTreeMap<String, PathBuf>,
    finished: Vec<FinishedRun>,
}

/// One finished run.
#[derive(Debug)]
struct FinishedRun {
    scenario: String,
    training: String,
    /// The values of the varied settings, in the order of [`Sweep::varied`].
    values: Vec<String>,
    seed: u64,
    /// The configuration without seed and device.
    rest: toml::Table,
    path: PathBuf,
    results: RunResults,
}

impl Sweep {
    /// Reads the finished runs of a sweep from one or more directories.
    ///
    /// # Errors
    /// If a directory was not written by a sweep, belongs to another sweep than the others, or holds a damaged run.
    pub fn read(sweeps: &[PathBuf]) -> Result<Self, Error> {
        let no_sweep = |path: &Path, reason: String| Error::NoSweep { path: path.to_owned(), reason };
        let mut varied: Option<Vec<String>> = None;
        let mut directories: BTreeMap<String, PathBuf> = BTreeMap::new();
        for sweep in sweeps {
            let text = sim::text::read(&sweep.join(DEFINITION))
                .map_err(|error| no_sweep(sweep, format!("{DEFINITION}: {error}")))?;
            let definition: SweepDefinition =
                toml::from_str(&text).map_err(|error| no_sweep(sweep, format!("{DEFINITION}: {}", error.message())))?;
            if varied.as_ref().is_some_and(|varied| *varied != definition.varied) {
                return Err(Error::OtherSweep { path: sweep.clone(), reason: "it varies other settings".to_owned() });
            }
            varied = Some(definition.varied);
            let runs = sweep.join(RUNS);
            let unreadable = |source| Error::Unreadable { path: runs.clone(), source };
            for entry in fs::read_dir(&runs).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.starts_with('.') {
                    continue; // a file of a file manager
                }
                if let Some(other) = directories.get(&name) {
                    let read = |run: &Path| fs::read(run.join("config.toml")).unwrap_or_default();
                    if read(other) != read(&path) {
                        let reason = format!("it differs from the run of the same name in {}", other.display());
                        return Err(Error::OtherSweep { path, reason });
                    }
                    continue; // two shards made the same run
                }
                directories.insert(name, path);
            }
        }
        let varied = varied.unwrap_or_default();
        let mut found = directories.values().map(|run| read_run(run, &varied)).collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| {
            let names = natural_order(&a.scenario, &b.scenario).then_with(|| natural_order(&a.training, &b.training));
            names.then_with(|| compare_values(&a.values, &b.values)).then(a.seed.cmp(&b.seed))
        });
        check_alike(&found)?;
        Ok(Self { varied, directories, finished: found })
    }
}

/// Checks that runs with the same names and varied values differ only in seed and device.
fn check_alike(found: &[FinishedRun]) -> Result<(), Error> {
    let setting = |found: &FinishedRun| (found.scenario.clone(), found.training.clone(), found.values.clone());
    for pair in found.windows(2) {
        if setting(&pair[0]) == setting(&pair[1]) && pair[0].rest != pair[1].rest {
            let reason = format!("its config.toml has other settings than that of {}", pair[0].path.display());
            return Err(Error::OtherSweep { path: pair[1].path.clone(), reason });
        }
    }
    Ok(())
}

/// The order of values in tables: numbers by size, everything else in the natural order of names.
fn compare_values(a: &[String], b: &[String]) -> std::cmp::Ordering {
    let one = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => natural_order(a, b),
    };
    a.iter().zip(b).map(one).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

fn read_run(run: &Path, varied: &[String]) -> Result<FinishedRun, Error> {
    let no_run =
        |file: &str, reason: String| Error::NoRun { path: run.to_owned(), reason: format!("{file}: {reason}") };
    let read = |file: &str| fs::read_to_string(run.join(file)).map_err(|error| no_run(file, error.to_string()));
    let results = RunResults::read(run)?;
    let mut configuration: toml::Table =
        toml::from_str(&read("config.toml")?).map_err(|error| no_run("config.toml", error.message().to_owned()))?;
    let value = |key: &String| {
        let mut value = configuration.get("training");
        for part in key.split('.') {
            value = value.and_then(|value| value.get(part));
        }
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    let values = varied.iter().map(value).collect();
    configuration.remove("seed");
    configuration.remove("device");
    Ok(FinishedRun {
        scenario: results.scenario.clone(),
        training: results.training.clone(),
        values,
        seed: results.seed,
        rest: configuration,
        path: run.to_owned(),
        results,
    })
}

/// The results of one scheme over the seeds of one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryLine<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// The name of the training.
    pub training: &'a str,
    /// The values of the varied settings, in the order of [`Sweep::varied`].
    pub values: &'a [String],
    /// The name of the scheme.
    pub scheme: &'a str,
    /// The name of the measure: `q2`, or `mean_cost` where the optimum is not known; a second line of the scheme is for
    /// `share_of_missed_deadlines` where tasks have deadlines.
    pub measure: &'static str,
    /// Mean, 95 % interval and range of the measure over the seeds.
    pub spread: Spread,
}

impl Sweep {
    /// Writes `runs.csv`, with one row for each run and scheme, and `summary.csv`, with one row for each setting and scheme.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, out: &Path) -> Result<(), Error> {
        write_file(&out.join("runs.csv"), csv_of_cells(&self.run_cells()).as_bytes())?;
        write_file(&out.join("summary.csv"), csv_of_cells(&self.summary_cells()).as_bytes())
    }

    /// The number of finished runs.
    pub fn runs(&self) -> usize {
        self.finished.len()
    }

    fn header(&self, rest: &[&str]) -> Vec<String> {
        let varied = self.varied.iter().map(String::as_str);
        ["scenario", "training"].into_iter().chain(varied).chain(rest.iter().copied()).map(str::to_owned).collect()
    }

    /// Whether any run is for a scenario with deadlines.
    fn has_deadlines(&self) -> bool {
        let mut evaluations = self.finished.iter().flat_map(|found| &found.results.evaluations);
        evaluations.any(|evaluation| evaluation.share_of_missed_deadlines.is_some())
    }

    fn run_cells(&self) -> Vec<Vec<String>> {
        let number = |value: f64| value.to_string();
        let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
        let has_deadlines = self.has_deadlines();
        let before =
            ["seed", "device", "meta_seconds", "drl_seconds", "scheme", "mean_energy_j", "mean_time_s", "mean_cost"];
        let deadlines = ["missed_deadlines", "tasks_with_deadline", SHARE_OF_MISSED];
        let after = ["q2", "q2_p05", "evaluations_per_decision", "seconds_per_decision"];
        let header = [&before[..], if has_deadlines { &deadlines } else { &[] }, &after].concat();
        let mut runs = vec![self.header(&header)];
        for found in &self.finished {
            for evaluation in &found.results.evaluations {
                let mut row = vec![found.scenario.clone(), found.training.clone()];
                row.extend(found.values.iter().cloned());
                row.extend([
                    found.seed.to_string(),
                    found.results.device.clone(),
                    number(found.results.meta_seconds),
                    number(found.results.drl_seconds),
                    evaluation.scheme.clone(),
                    number(evaluation.mean_energy_j),
                    number(evaluation.mean_time_s),
                    number(evaluation.mean_cost),
                ]);
                if has_deadlines {
                    let count = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
                    row.extend([evaluation.missed_deadlines, evaluation.tasks_with_deadline].map(count));
                    row.push(optional(evaluation.share_of_missed_deadlines));
                }
                row.extend([
                    optional(evaluation.q2),
                    optional(evaluation.q2_p05),
                    number(evaluation.evaluations_per_decision),
                    number(evaluation.seconds_per_decision),
                ]);
                runs.push(row);
            }
        }
        runs
    }

    /// The rows of `summary.csv`, starting with the header.
    pub fn summary_cells(&self) -> Vec<Vec<String>> {
        let mut rows = vec![self.header(&["scheme", "runs", "measure", "mean", "low", "high", "least", "greatest"])];
        for line in self.summary() {
            let mut row = vec![line.scenario.to_owned(), line.training.to_owned()];
            row.extend(line.values.iter().cloned());
            let Spread { count, mean, low, high, least, greatest, .. } = line.spread;
            row.extend([line.scheme.to_owned(), count.to_string(), line.measure.to_owned()]);
            row.extend([mean, low, high, least, greatest].map(|value| value.to_string()));
            rows.push(row);
        }
        rows
    }

    /// The results of each scheme over the seeds of each setting.
    pub fn summary(&self) -> Vec<SummaryLine<'_>> {
        let setting = |found: &FinishedRun| (found.scenario.clone(), found.training.clone(), found.values.clone());
        let mut lines = Vec::new();
        for group in self.finished.chunk_by(|a, b| setting(a) == setting(b)) {
            for (index, evaluation) in group[0].results.evaluations.iter().enumerate() {
                let same = |found: &'_ FinishedRun| {
                    found.results.evaluations.get(index).filter(|other| other.scheme == evaluation.scheme).cloned()
                };
                let all: Vec<Evaluation> = group.iter().filter_map(same).collect();
                let q2: Option<Vec<f64>> = all.iter().map(|evaluation| evaluation.q2).collect();
                let (measure, values) = match q2 {
                    Some(q2) => ("q2", q2),
                    None => ("mean_cost", all.iter().map(|evaluation| evaluation.mean_cost).collect()),
                };
                let shares: Option<Vec<f64>> =
                    all.iter().map(|evaluation| evaluation.share_of_missed_deadlines).collect();
                let measured = [Some((measure, values)), shares.map(|shares| (SHARE_OF_MISSED, shares))];
                lines.extend(measured.into_iter().flatten().map(|(measure, values)| SummaryLine {
                    scenario: &group[0].scenario,
                    training: &group[0].training,
                    values: &group[0].values,
                    scheme: &evaluation.scheme,
                    measure,
                    spread: Spread::of(&values),
                }));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_size() {
        let values = |text: &str| vec![text.to_owned()];
        assert!(compare_values(&values("9"), &values("10")).is_lt());
        assert!(compare_values(&values("exact"), &values("greedy")).is_lt());
        assert!(compare_values(&values("1e-3"), &values("0.001")).is_eq());
    }
}
