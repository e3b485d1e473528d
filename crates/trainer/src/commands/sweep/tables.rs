//! What the runs of a sweep found together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::Evaluation;

use super::{DEFINITION, Definition};
use crate::cli::Format;
use crate::error::AppError;
use crate::report;
use crate::run_dir::write_file;
use crate::runs::{RUNS, RunResults};
use crate::statistics::Spread;

/// What finished runs say.
pub(super) struct Sweep {
    pub(super) varied: Vec<String>,
    /// Directory of each run by its name.
    pub(super) directories: BTreeMap<String, PathBuf>,
    found: Vec<Found>,
}

/// What one run says.
struct Found {
    scenario: String,
    training: String,
    /// Values of the varied settings, in their order.
    values: Vec<String>,
    seed: u64,
    /// Its configuration but for seed and device.
    rest: toml::Table,
    path: PathBuf,
    results: RunResults,
}

/// Reads the runs of one or more directories of one sweep.
pub(super) fn collect(sweeps: &[PathBuf]) -> Result<Sweep, AppError> {
    let no_sweep = |path: &Path, reason: String| AppError::NoSweep { path: path.to_owned(), reason };
    let mut varied: Option<Vec<String>> = None;
    let mut directories: BTreeMap<String, PathBuf> = BTreeMap::new();
    for sweep in sweeps {
        let text = fs::read_to_string(sweep.join(DEFINITION))
            .map_err(|error| no_sweep(sweep, format!("{DEFINITION}: {error}")))?;
        let definition: Definition =
            toml::from_str(&text).map_err(|error| no_sweep(sweep, format!("{DEFINITION}: {}", error.message())))?;
        if varied.as_ref().is_some_and(|varied| *varied != definition.varied) {
            return Err(AppError::OtherSweep { path: sweep.clone(), reason: "it varies other settings".to_owned() });
        }
        varied = Some(definition.varied);
        let runs = sweep.join(RUNS);
        let unreadable = |source| AppError::Unreadable { path: runs.clone(), source };
        for entry in fs::read_dir(&runs).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue; // what file managers leave everywhere
            }
            if let Some(other) = directories.get(&name) {
                let read = |run: &Path| fs::read(run.join("config.toml")).unwrap_or_default();
                if read(other) != read(&path) {
                    let reason = format!("it is not the run of that name in {}", other.display());
                    return Err(AppError::OtherSweep { path, reason });
                }
                continue; // the same run, done twice
            }
            directories.insert(name, path);
        }
    }
    let varied = varied.unwrap_or_default();
    let mut found = directories.values().map(|run| read_run(run, &varied)).collect::<Result<Vec<_>, _>>()?;
    found.sort_by(|a, b| {
        let of = |found: &Found| (found.scenario.clone(), found.training.clone());
        let values = || compare_values(&a.values, &b.values);
        of(a).cmp(&of(b)).then_with(values).then(a.seed.cmp(&b.seed))
    });
    check_alike(&found)?;
    Ok(Sweep { varied, directories, found })
}

/// Runs that are told as one setting differ in their seed and their device alone.
fn check_alike(found: &[Found]) -> Result<(), AppError> {
    let setting = |found: &Found| (found.scenario.clone(), found.training.clone(), found.values.clone());
    for pair in found.windows(2) {
        if setting(&pair[0]) == setting(&pair[1]) && pair[0].rest != pair[1].rest {
            let reason = format!("its config.toml says other settings than that of {}", pair[0].path.display());
            return Err(AppError::OtherSweep { path: pair[1].path.clone(), reason });
        }
    }
    Ok(())
}

/// Numbers by size, everything else as text.
fn compare_values(a: &[String], b: &[String]) -> std::cmp::Ordering {
    let one = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    };
    a.iter().zip(b).map(one).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

fn read_run(run: &Path, varied: &[String]) -> Result<Found, AppError> {
    let no_run =
        |file: &str, reason: String| AppError::NoRun { path: run.to_owned(), reason: format!("{file}: {reason}") };
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
    Ok(Found {
        scenario: results.scenario.clone(),
        training: results.training.clone(),
        values,
        seed: results.seed,
        rest: configuration,
        path: run.to_owned(),
        results,
    })
}

/// Writes one row for each run and scheme, and one for each setting and scheme; prints the latter for the schemes that
/// were trained, beside greedy.
pub(super) fn tell(sweep: &Sweep, out: &Path, format: Format) -> Result<(), AppError> {
    let header = |rest: &[&str]| -> Vec<String> {
        let varied = sweep.varied.iter().map(String::as_str);
        ["scenario", "training"].into_iter().chain(varied).chain(rest.iter().copied()).map(str::to_owned).collect()
    };
    let number = |value: f64| value.to_string();
    let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
    let mut runs = vec![header(&[
        "seed",
        "device",
        "meta_seconds",
        "drl_seconds",
        "scheme",
        "mean_energy_j",
        "mean_time_s",
        "mean_cost",
        "q2",
        "q2_p05",
        "evaluations_per_decision",
        "seconds_per_decision",
    ])];
    for found in &sweep.found {
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
                optional(evaluation.q2),
                optional(evaluation.q2_p05),
                number(evaluation.evaluations_per_decision),
                number(evaluation.seconds_per_decision),
            ]);
            runs.push(row);
        }
    }
    write_file(&out.join("runs.csv"), report::csv_of(&runs)?.as_bytes())?;
    let summary = summarise(&sweep.found);
    let mut rows = vec![header(&["scheme", "runs", "measure", "mean", "low", "high", "least", "greatest"])];
    for line in &summary {
        let mut row = vec![line.scenario.to_owned(), line.training.to_owned()];
        row.extend(line.values.iter().cloned());
        let Spread { count, mean, low, high, least, greatest, .. } = line.spread;
        row.extend([line.scheme.to_owned(), count.to_string(), line.measure.to_owned()]);
        row.extend([mean, low, high, least, greatest].map(number));
        rows.push(row);
    }
    write_file(&out.join("summary.csv"), report::csv_of(&rows)?.as_bytes())?;
    print_summary(sweep, &summary, &rows, format)?;
    report::note(&format!("{} runs in {}: runs.csv summary.csv runs/", sweep.found.len(), out.display()));
    Ok(())
}

/// How one scheme did over the seeds of one setting.
struct Line<'a> {
    scenario: &'a str,
    training: &'a str,
    values: &'a [String],
    scheme: &'a str,
    /// `q2`, or `mean_cost` where the optimum is not known.
    measure: &'static str,
    spread: Spread,
}

fn summarise(found: &[Found]) -> Vec<Line<'_>> {
    let setting = |found: &Found| (found.scenario.clone(), found.training.clone(), found.values.clone());
    let mut lines = Vec::new();
    for group in found.chunk_by(|a, b| setting(a) == setting(b)) {
        for (index, evaluation) in group[0].results.evaluations.iter().enumerate() {
            let same = |found: &'_ Found| {
                found.results.evaluations.get(index).filter(|other| other.scheme == evaluation.scheme).cloned()
            };
            let all: Vec<Evaluation> = group.iter().filter_map(same).collect();
            let q2: Option<Vec<f64>> = all.iter().map(|evaluation| evaluation.q2).collect();
            let (measure, values) = match q2 {
                Some(q2) => ("q2", q2),
                None => ("mean_cost", all.iter().map(|evaluation| evaluation.mean_cost).collect()),
            };
            lines.push(Line {
                scenario: &group[0].scenario,
                training: &group[0].training,
                values: &group[0].values,
                scheme: &evaluation.scheme,
                measure,
                spread: Spread::of(&values),
            });
        }
    }
    lines
}

fn print_summary(sweep: &Sweep, summary: &[Line<'_>], rows: &[Vec<String>], format: Format) -> Result<(), AppError> {
    match format {
        Format::Csv => return report::write_out(report::csv_of(rows)?.as_bytes()),
        Format::Json => {
            let object = |row: &Vec<String>| -> serde_json::Map<String, serde_json::Value> {
                let texts = ["scenario", "training", "scheme", "measure"];
                let value = |(name, text): (&String, &String)| -> (String, serde_json::Value) {
                    let number = text.parse::<f64>().ok().filter(|_| !texts.contains(&name.as_str()));
                    (name.clone(), number.map_or_else(|| text.clone().into(), Into::into))
                };
                rows[0].iter().zip(row).map(value).collect()
            };
            let objects: Vec<_> = rows[1..].iter().map(object).collect();
            let text = serde_json::to_string_pretty(&objects).expect("texts and numbers can be written");
            return report::write_out(format!("{text}\n").as_bytes());
        }
        Format::Table => {}
    }
    let shown = ["greedy", "mr-dro", "mr-dro-explored"];
    let varied = sweep.varied.iter().map(String::as_str);
    let header: Vec<&str> = ["scenario", "training"]
        .into_iter()
        .chain(varied)
        .chain(["scheme", "runs", "measure", "mean", "95 % interval", "range"])
        .collect();
    let cells = |line: &Line<'_>| {
        let Spread { count, mean, low, high, least, greatest, .. } = line.spread;
        let mut row = vec![line.scenario.to_owned(), line.training.to_owned()];
        row.extend(line.values.iter().cloned());
        row.extend([
            line.scheme.to_owned(),
            count.to_string(),
            line.measure.to_owned(),
            format!("{mean:.5}"),
            format!("{low:.5}–{high:.5}"),
            format!("{least:.5}–{greatest:.5}"),
        ]);
        row
    };
    let table = report::table(&header, summary.iter().filter(|line| shown.contains(&line.scheme)).map(cells).collect());
    report::write_out((table + "\n").as_bytes())
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
