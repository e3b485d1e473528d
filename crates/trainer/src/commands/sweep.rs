//! `sweep`: many trainings over seeds and settings, split among hosts or not, and what they found together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Backend, DeviceKind};
use serde::{Deserialize, Serialize};
use sim::metrics::Evaluation;

use crate::cli::{
    ComputeArgs, Format, FormatArg, ScenarioArg, SeedArg, SweepArgs, SweepCommand, SweepMergeArgs, SweepRunsArgs,
    ThreadsArg, TrainArgs,
};
use crate::commands::train;
use crate::config::Training;
use crate::error::AppError;
use crate::progress::Progress;
use crate::report;
use crate::run_dir::{RunDir, write_file};
use crate::setup::{self, Problem};
use crate::statistics::Spread;

/// The most runs of one sweep.
const MAX_RUNS: usize = 100_000;
/// Where a sweep keeps its finished runs.
const RUNS: &str = "runs";
/// Where runs are until they are finished.
const UNFINISHED: &str = "unfinished";
/// What the sweep varies.
const DEFINITION: &str = "sweep.toml";

pub(crate) fn run(args: &SweepArgs) -> Result<(), AppError> {
    match &args.command {
        Some(SweepCommand::Merge(merge_args)) => merge(merge_args),
        None => train_all(&args.runs),
    }
}

/// A part of the work, as in `--shard 2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
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
    fn has(self, run: usize) -> bool {
        run % self.count == self.index - 1
    }
}

/// Seeds as people write them: `1-10`, `1,2,5` or both.
fn parse_seeds(text: &str) -> Result<Vec<u64>, AppError> {
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
        if first > last || last - first >= MAX_RUNS as u64 {
            return Err(bad());
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
struct Varied {
    key: String,
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

/// One training of the sweep.
struct Planned {
    /// Of its directory.
    name: String,
    arguments: TrainArgs,
    /// What its `config.toml` will say.
    configuration: String,
}

/// What every sweep keeps beside its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    /// Settings that differ between runs.
    varied: Vec<String>,
}

fn train_all(args: &SweepRunsArgs) -> Result<(), AppError> {
    let shard: Shard = args.shard.parse()?;
    let varied: Vec<Varied> = args.varied.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let out = args.out.as_deref().expect("the command line asks for it");
    let backend = setup::open(&args.compute)?;
    let planned = plan(args, &varied, &backend.name)?;
    let count = planned.len();
    let runs = out.join(RUNS);
    fs::create_dir_all(&runs).map_err(|source| AppError::Unwritable { path: runs.clone(), source })?;
    define(out, &varied)?;
    let mine: Vec<Planned> =
        planned.into_iter().enumerate().filter(|(index, _)| shard.has(*index)).map(|(_, planned)| planned).collect();
    let (share, mut open) = (mine.len(), Vec::new());
    for planned in mine {
        if !is_done(&runs.join(&planned.name), &planned.configuration)? {
            open.push(planned);
        }
    }
    report::note(&format!("{count} runs, {share} of them this shard's, {} to do", open.len()));
    train_each(&open, out, &backend)?;
    tell(&collect(&[out.to_owned()])?, out, args.format.format)
}

/// All runs, in an order that does not depend on the shard.
fn plan(args: &SweepRunsArgs, varied: &[Varied], device: &str) -> Result<Vec<Planned>, AppError> {
    let seeds = parse_seeds(&args.seeds)?;
    let combinations = varied.iter().map(|varied| varied.values.len()).product::<usize>();
    let count = [args.scenario.len(), args.training.len(), combinations, seeds.len()]
        .iter()
        .fold(1_usize, |product, &factor| product.saturating_mul(factor));
    if count > MAX_RUNS {
        return Err(AppError::TooLarge { what: "the runs of the sweep", count, limit: MAX_RUNS });
    }
    let mut planned: Vec<Planned> = Vec::with_capacity(count);
    let mut names = BTreeMap::new();
    for scenario in &args.scenario {
        let problem = Problem::load(scenario)?;
        for training_name in &args.training {
            for combination in 0..combinations {
                let chosen = choose(varied, combination);
                let settings: Vec<String> = args.settings.iter().chain(&chosen).cloned().collect();
                let training = Training::load(training_name, &settings)?;
                for &seed in &seeds {
                    let labels = chosen.iter().map(|setting| format!("-{setting}")).collect::<String>();
                    let name =
                        directory_name(&format!("{}-{}{labels}-seed{seed}", problem.scenario.name, training.name));
                    if let Some(other) = names.insert(name.clone(), (scenario, training_name, combination)) {
                        let others = format!("{} with {}", other.0, other.1);
                        return Err(AppError::SameName { name, others });
                    }
                    let arguments = TrainArgs {
                        scenario: ScenarioArg { scenario: scenario.clone() },
                        training: training_name.clone(),
                        settings: settings.clone(),
                        start: None,
                        seed: SeedArg { seed },
                        compute: ComputeArgs {
                            device: args.compute.device.clone(),
                            threads: ThreadsArg { threads: args.compute.threads.threads },
                        },
                        out: Some(args.out.as_deref().expect("asked for").join(UNFINISHED).join(&name)),
                        checkpoint_every: 60,
                        format: FormatArg { format: Format::Table },
                    };
                    let configuration = train::configuration(&training, &problem.scenario, seed, device);
                    planned.push(Planned { name, arguments, configuration });
                }
            }
        }
    }
    Ok(planned)
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

/// A name without what some file system could mind.
fn directory_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+".contains(c) { c } else { '_' }).collect()
}

/// Writes down what is varied; a sweep may grow, but stays one sweep.
fn define(out: &Path, varied: &[Varied]) -> Result<(), AppError> {
    let path = out.join(DEFINITION);
    let varied = varied.iter().map(|varied| varied.key.clone()).collect();
    let text = toml::to_string(&Definition { varied }).expect("texts can be written");
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(AppError::OtherSweep { path: out.to_owned(), reason: "it varies other settings".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_file(&path, text.as_bytes()),
        Err(source) => Err(AppError::Unreadable { path, source }),
    }
}

/// Whether a run is there already; one of another configuration is not taken for it.
fn is_done(run: &Path, configuration: &str) -> Result<bool, AppError> {
    match fs::read_to_string(run.join("config.toml")) {
        Ok(found) if found == configuration => Ok(true),
        Ok(_) => Err(AppError::OtherSweep {
            path: run.to_owned(),
            reason: "its config.toml says other settings, another device or version".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(AppError::Unreadable { path: run.join("config.toml"), source }),
    }
}

/// Trains on all threads: on the processor as many runs at once as there are threads, each on its own, since nothing
/// is faster than threads that wait for nobody; on any other device one after the other.
fn train_each(open: &[Planned], out: &Path, backend: &Backend) -> Result<(), AppError> {
    let at_once = if backend.kind == DeviceKind::Cpu { rayon::current_num_threads().min(open.len()) } else { 1 };
    let progress = Progress::new("runs", open.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure = Mutex::new(None);
    let failed = || failure.lock().is_ok_and(|failure| failure.is_some());
    let work = || {
        while let Some(planned) = open.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !failed()) {
            match train_one(planned, out, backend) {
                Ok(()) => progress.show(done.fetch_add(1, Ordering::Relaxed) + 1, None, None, None),
                Err(error) => {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
    };
    if at_once <= 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(work),
                    Err(source) => {
                        if let Ok(mut failure) = failure.lock() {
                            failure.get_or_insert(AppError::Threads { threads: 1, source });
                        }
                    }
                });
            }
        });
    }
    drop(progress);
    let _ = fs::remove_dir(out.join(UNFINISHED)); // if no other shard needs it
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A run appears among the others when it is finished.
fn train_one(planned: &Planned, out: &Path, backend: &Backend) -> Result<(), AppError> {
    let unfinished = planned.arguments.out.as_deref().expect("planned with one");
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| AppError::Unwritable { path, source }
    };
    match fs::remove_dir_all(unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(unfinished)(error)),
        _ => {}
    }
    let problem = Problem::load(&planned.arguments.scenario.scenario)?;
    let training = Training::load(&planned.arguments.training, &planned.arguments.settings)?;
    train::quietly(&planned.arguments, training, problem, backend.clone())?;
    let run = out.join(RUNS).join(&planned.name);
    fs::rename(unfinished, &run).map_err(unwritable(&run))
}

fn merge(args: &SweepMergeArgs) -> Result<(), AppError> {
    let sweep = collect(&args.shards)?;
    let out = RunDir::create_at(&args.out)?;
    let runs = args.out.join(RUNS);
    for (name, from) in &sweep.directories {
        copy_directory(from, &runs.join(name))?;
    }
    let text = toml::to_string(&Definition { varied: sweep.varied.clone() }).expect("texts can be written");
    out.write(DEFINITION, text.as_bytes())?;
    tell(&sweep, &args.out, args.format.format)
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), AppError> {
    let unreadable = |source| AppError::Unreadable { path: from.to_owned(), source };
    fs::create_dir_all(to).map_err(|source| AppError::Unwritable { path: to.to_owned(), source })?;
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(unreadable)?.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|source| AppError::Unwritable { path: target, source })?;
        }
    }
    Ok(())
}

/// What finished runs say.
struct Sweep {
    varied: Vec<String>,
    /// Directory of each run by its name.
    directories: BTreeMap<String, PathBuf>,
    found: Vec<Found>,
}

/// What one run says.
struct Found {
    scenario: String,
    training: String,
    /// Values of the varied settings, in their order.
    values: Vec<String>,
    seed: u64,
    results: RunResults,
}

/// The part of `results.json` that counts here.
#[derive(Deserialize)]
struct RunResults {
    scenario: String,
    training: String,
    seed: u64,
    device: String,
    meta_seconds: f64,
    drl_seconds: f64,
    evaluations: Vec<Evaluation>,
}

/// Reads the runs of one or more directories of one sweep.
fn collect(sweeps: &[PathBuf]) -> Result<Sweep, AppError> {
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
    Ok(Sweep { varied, directories, found })
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
    let results: RunResults =
        serde_json::from_str(&read("results.json")?).map_err(|error| no_run("results.json", error.to_string()))?;
    let configuration: toml::Table =
        toml::from_str(&read("config.toml")?).map_err(|error| no_run("config.toml", error.message().to_owned()))?;
    let value = |key: &String| {
        let mut value = configuration.get("training");
        for part in key.split('.') {
            value = value.and_then(|value| value.get(part));
        }
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    let values = varied.iter().map(value).collect();
    Ok(Found {
        scenario: results.scenario.clone(),
        training: results.training.clone(),
        values,
        seed: results.seed,
        results,
    })
}

/// Writes one row for each run and scheme, and one for each setting and scheme; prints the latter for the schemes that
/// were trained, beside greedy.
fn tell(sweep: &Sweep, out: &Path, format: Format) -> Result<(), AppError> {
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
        let Spread { count, mean, low, high, least, greatest } = line.spread;
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
                let value = |text: &String| text.parse::<f64>().map_or_else(|_| text.clone().into(), Into::into);
                rows[0].iter().cloned().zip(row.iter().map(value)).collect()
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
        let Spread { count, mean, low, high, least, greatest } = line.spread;
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
        for text in ["", "3-1", "1,1", "1-3,2", "x", "1-", "0-999999999"] {
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

    #[test]
    fn numbers_are_ordered_by_size() {
        let values = |text: &str| vec![text.to_owned()];
        assert!(compare_values(&values("9"), &values("10")).is_lt());
        assert!(compare_values(&values("exact"), &values("greedy")).is_lt());
        assert!(compare_values(&values("1e-3"), &values("0.001")).is_eq());
    }
}
