//! What `compare`, `solve` and `scenario` do for scenarios over time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use data::counted;
use model::{Backend, Record};
use mrdro::streams::{
    NamedNetworks, RUNS, SettingFindings, StreamBound, StreamComparison, StreamEvaluation, StreamProblem, TraceFormat,
    compare, compare_while, dispatch_scheme, evaluate_on_settings, run_observed, sites_of_settings, tune, write_replay,
    write_run,
};
use mrdro::{Error, files};
use serde::Serialize;
use sim::AnyScenario;
use sim::stream::StreamScenario;
use sim::stream::dispatch::LOCAL;
use sim::stream::scenario::{DispatchScenario, SlotScenario};

use super::scenario::ScenarioRow;
use crate::cli::{CompareArgs, Format, SolveArgs, TuneArgs};
use crate::device;
use crate::error::CliError;
use crate::output::{check_picture, duration, figure, note, note_left_out, print, table, write_out};
use crate::progress::Progress;

/// An error if an option is given that is for another kind of scenario than one `is`, such as `of task graphs`.
pub(super) fn refuse_for_kind(is: &'static str, options: &[(&'static str, bool)]) -> Result<(), Error> {
    let Some((option, _)) = options.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let of = match *option {
        "--runs" | "--trace" | "--replay" => "over time",
        "--picture" if is == "of independent tasks" => "of task graphs or over time",
        _ => "of independent tasks",
    };
    Err(Error::WrongKind { option, of, is })
}

fn refuse(options: &[(&'static str, bool)]) -> Result<(), Error> {
    refuse_for_kind("over time", options)
}

/// `compare` for scenarios over time.
pub(super) fn run_compare(args: &CompareArgs, scenario: StreamScenario) -> Result<(), CliError> {
    let backend = device::open(&args.compute)?;
    refuse(&[
        ("--any-rates", args.any_rates),
        ("--share-out", args.share_out.total.is_some()),
        args.deadlines.first().map_or(("", false), |option| (option, true)),
    ])?;
    let problem = StreamProblem::new(scenario)?;
    note_short_runs(&problem);
    let networks = load_networks(&args.record, &backend)?;
    let schemes = problem.schemes()?;
    let runs = args.runs.map_or(RUNS, usize::from);
    let progress = Mutex::new(Progress::new("runs", (networks.len() + schemes.len()) * runs));
    let told = |done| {
        if let Ok(progress) = progress.lock() {
            progress.done(done);
        }
    };
    let comparison = compare_while(&problem, &networks, &schemes, (runs, args.seed.seed), &|| true, &told)?;
    drop(progress);
    note_left_out(&comparison.left_out);
    print_comparison(args.format.format, &comparison, &problem)
}

/// Prints a comparison of networks with rules in 16 settings.
pub(super) fn print_settings(format: Format, findings: &SettingFindings) -> Result<(), CliError> {
    print(format, &findings.rows, || {
        let rules: Vec<&String> = findings.means.keys().collect();
        let mut header = vec!["setting".to_owned()];
        header.extend(rules.iter().map(|rule| format!("cost against {rule}")));
        let percent = |value: f64| format!("{:+.1}", 100.0 * value);
        let mut rows = Vec::new();
        for setting in findings.rows.chunk_by(|one, other| one.setting == other.setting) {
            let mut cells = vec![setting[0].setting.clone()];
            for rule in &rules {
                let row = setting.iter().find(|row| row.rule == **rule);
                cells.push(row.map_or_else(String::new, |row| {
                    let (change, low, high) = (percent(row.change), percent(row.change_low), percent(row.change_high));
                    format!("{change} % [{low}, {high}]")
                }));
            }
            rows.push(cells);
        }
        let mut means = vec!["mean".to_owned()];
        means.extend(rules.iter().map(|rule| format!("{} %", percent(findings.means[*rule]))));
        rows.push(means);
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        table(&header, rows)
    })
}

/// `evaluate` for networks that dispatch at any site.
pub(super) fn run_evaluate(record: &Record, path: &Path, format: Format) -> Result<(), CliError> {
    let progress = Mutex::new(Progress::new("sites", sites_of_settings()));
    let told = |done| {
        if let Ok(progress) = progress.lock() {
            progress.done(done);
        }
    };
    let name = path.display().to_string();
    let findings = evaluate_on_settings(&name, &*record.networks, &|| true, &told)?;
    drop(progress);
    print_settings(format, &findings)
}

/// The networks of records; several are called by their directories.
pub(super) fn load_networks(paths: &[PathBuf], backend: &Backend) -> Result<Vec<NamedNetworks>, CliError> {
    let load = |path: &PathBuf| {
        let networks = Record::load(path, &backend.device)?.networks;
        let shown = path.display().to_string();
        dispatch_scheme(&shown, &*networks)?;
        let name = networks.compared().into_iter().next().map_or_else(|| shown.clone(), |(name, _)| name);
        Ok((if paths.len() > 1 { format!("{name} {shown}") } else { name }, networks))
    };
    paths.iter().map(load).collect()
}

/// Prints a comparison. CSV has a column for the share of tasks at each place, named after it.
pub(super) fn print_comparison(
    format: Format,
    comparison: &StreamComparison,
    problem: &StreamProblem,
) -> Result<(), CliError> {
    if format != Format::Csv {
        return print(format, &comparison.evaluations, || comparison_table(comparison, problem));
    }
    let places: Vec<&str> = match &problem.scenario {
        StreamScenario::Dispatch(scenario) => {
            std::iter::once(LOCAL).chain(scenario.servers.iter().map(|server| server.name.as_str())).collect()
        }
        StreamScenario::Slots(_) => Vec::new(),
    };
    let names = [
        "scheme",
        "mean_energy_j",
        "mean_delay_s",
        "mean_cost",
        "change",
        "change_low",
        "change_high",
        "missed_share",
        "is_overloaded",
        "seconds_per_decision",
    ];
    let header = names.map(str::to_owned).into_iter().chain(places.iter().map(|place| format!("share_{place}")));
    let end = |end: Option<f64>| end.map_or_else(String::new, |end| end.to_string());
    let row = |row: &StreamEvaluation| {
        let mut cells = vec![row.scheme.clone()];
        cells.extend([row.mean_energy_j, row.mean_delay_s, row.mean_cost, row.change].map(|value| value.to_string()));
        cells.extend([end(row.change_low), end(row.change_high), row.missed_share.to_string()]);
        cells.extend([row.is_overloaded.to_string(), row.seconds_per_decision.to_string()]);
        cells.extend(row.place_shares.iter().map(f64::to_string));
        cells
    };
    let rows: Vec<Vec<String>> =
        std::iter::once(header.collect()).chain(comparison.evaluations.iter().map(row)).collect();
    write_out(files::csv_of_cells(&rows).as_bytes())
}

/// The fewest tasks of a device in a run; with fewer, the site hardly fills up.
const FEW_TASKS: usize = 100;

/// Writes a note if runs are so short that they show little more than how an empty site fills up.
pub(super) fn note_short_runs(problem: &StreamProblem) {
    if let StreamScenario::Dispatch(DispatchScenario { tasks_per_run, devices, .. }) = &problem.scenario
        && tasks_per_run / devices.count < FEW_TASKS
    {
        let needed = FEW_TASKS * devices.count;
        note(&format!(
            "note: runs of {tasks_per_run} tasks are short for {} devices and show mostly how an empty site fills up; \
             tasks_per_run = {needed} or more shows the long run",
            devices.count
        ));
    }
}

fn comparison_table(comparison: &StreamComparison, problem: &StreamProblem) -> String {
    let StreamComparison { evaluations: rows, runs, base, .. } = comparison;
    let has_deadlines = rows.iter().any(|row| row.missed_share > 0.0);
    let against = format!("cost against {base}");
    let (delay, places) = match &problem.scenario {
        StreamScenario::Dispatch(scenario) => {
            let servers = scenario.servers.iter().map(|server| server.name.as_str());
            ("response s", std::iter::once(LOCAL).chain(servers).collect::<Vec<_>>().join("/"))
        }
        StreamScenario::Slots(_) => ("delay s", String::new()),
    };
    let mut header = vec!["scheme", "energy J", delay, "cost", against.as_str(), "95 % interval"];
    header.extend(has_deadlines.then_some("missed"));
    header.extend((!places.is_empty()).then_some(places.as_str()));
    header.push("time/decision");
    let percent = |change: f64| format!("{:+.1} %", 100.0 * change);
    let row = |row: &StreamEvaluation| {
        let mut cells = vec![
            row.scheme.clone(),
            figure(row.mean_energy_j, 2),
            figure(row.mean_delay_s, 2),
            figure(row.mean_cost, 3),
            if row.is_overloaded { "-".to_owned() } else { percent(row.change) },
            match (row.change_low, row.change_high) {
                _ if row.is_overloaded => "overloaded".to_owned(),
                (Some(low), Some(high)) => format!("{} to {}", percent(low), percent(high)),
                _ => "-".to_owned(),
            },
        ];
        cells.extend(has_deadlines.then(|| format!("{:.2} %", 100.0 * row.missed_share)));
        let shares: Vec<String> = row.place_shares.iter().map(|share| format!("{:.0}", 100.0 * share)).collect();
        cells.extend((!places.is_empty()).then(|| format!("{} %", shares.join("/"))));
        cells.push(duration(row.seconds_per_decision));
        cells
    };
    let bound = match comparison.bound {
        None => String::new(),
        Some(StreamBound::LongRun(cost)) => format!("; over a long time no scheme costs less than {cost:.3}"),
        Some(StreamBound::Hindsight { cost, is_exact: true }) => format!("; hindsight is the optimum, {cost:.3}"),
        Some(StreamBound::Hindsight { cost, is_exact: false }) => {
            format!("; no scheme costs less than {cost:.3} here, which hindsight cannot always reach")
        }
    };
    let overloaded = if rows.iter().any(|row| row.is_overloaded) {
        "; where a queue is overloaded, delay and cost grow with the length of the run"
    } else {
        ""
    };
    format!(
        "{} on the same courses of arrivals and rates; intervals of Student's t over them{bound}{overloaded}\n{}",
        counted(*runs, "run"),
        table(&header, rows.iter().map(row).collect())
    )
}

/// `tune`.
pub(super) fn run_tune(args: &TuneArgs) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    let scenario = match AnyScenario::load(&args.scenario).map_err(Error::from)? {
        AnyScenario::Stream(scenario) => scenario,
        AnyScenario::Tasks(_) | AnyScenario::Graph(_) => return Err(not_over_time(&args.scenario).into()),
    };
    let problem = StreamProblem::new(scenario)?;
    let tuning = Progress::spinner("tuning");
    let tuned = tune(&problem, &args.scheme, args.seed.seed)?;
    drop(tuning);
    note(&format!("tuned in {} simulations: {}", tuned.evaluations, tuned.tuned));
    let mut schemes = vec![problem.base().to_owned(), tuned.default, tuned.tuned];
    schemes.dedup();
    let comparison = compare(&problem, &schemes, usize::from(args.runs), args.seed.seed, &|_| {})?;
    print_comparison(args.format.format, &comparison, &problem)
}

fn not_over_time(name: &str) -> Error {
    let wanted = "a scenario over time, such as dispatch or commute";
    Error::BadOption { option: "--scenario", text: name.to_owned(), wanted }
}

/// `solve` for scenarios over time.
pub(super) fn run_solve(args: &SolveArgs, scenario: StreamScenario) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    refuse(&[
        ("--share-out", args.share_out.total.is_some()),
        ("--keep-going", args.keep_going.keep_going),
        ("a file of workloads", args.workloads != "-"),
        args.deadlines.first().map_or(("", false), |option| (option, true)),
    ])?;
    if let Some(path) = &args.picture {
        check_picture("--picture", path)?;
    }
    if let Some(path) = &args.trace {
        files::check_file(path)?;
    }
    if let Some(path) = &args.replay {
        check_page(path)?;
    }
    let problem = StreamProblem::new(scenario)?;
    let parts = if matches!(problem.scenario, StreamScenario::Dispatch(_)) { "tasks" } else { "slots" };
    let mut bar: Option<Progress> = None;
    let run = run_observed(&problem, &args.scheme, args.seed.seed, &mut |done, all| {
        bar.get_or_insert_with(|| Progress::new(parts, all)).done(done);
    })?;
    drop(bar);
    if let Some(path) = &args.trace {
        files::write_file(path, &run.trace(TraceFormat::of(path))?)?;
    }
    let mut line = serde_json::to_vec(&run.summary).map_err(|source| Error::Output { source: source.into() })?;
    if args.trace.as_deref().is_some_and(files::is_standard_output) {
        // Standard output holds the trace alone, so that a program can read it.
        note(&String::from_utf8_lossy(&line));
    } else {
        line.push(b'\n');
        write_out(&line)?;
    }
    // The answer is written before anything is drawn.
    if let Some(path) = &args.replay {
        write_replay(&run, path)?;
    }
    if let Some(path) = &args.picture {
        write_run(&run, path)?;
    }
    Ok(())
}

/// Checks the name of a page, before any work.
fn check_page(path: &Path) -> Result<(), CliError> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if !matches!(extension.as_deref(), Some("html" | "htm")) {
        let wanted = "a name that ends in .html, since a browser opens it";
        return Err(Error::BadOption { option: "--replay", text: path.display().to_string(), wanted }.into());
    }
    Ok(files::check_file(path)?)
}

/// A line of `scenario list`.
pub(super) fn row(name: &'static str, scenario: &StreamScenario) -> ScenarioRow {
    let (devices, servers): (usize, Vec<&str>) = match scenario {
        StreamScenario::Dispatch(scenario) => {
            (scenario.devices.count, scenario.servers.iter().map(|server| server.name.as_str()).collect())
        }
        StreamScenario::Slots(scenario) => (1, scenario.links.iter().map(|link| link.name.as_str()).collect()),
    };
    ScenarioRow {
        scenario: name,
        kind: "stream",
        devices,
        tasks_per_device: None,
        servers: servers.join(" "),
        alpha: scenario.alpha(),
        shown_tasks: "over time".to_owned(),
    }
}

/// `scenario check` for scenarios over time.
pub(super) fn check(scenario: StreamScenario, format: Format) -> Result<(), CliError> {
    match StreamProblem::new(scenario)?.scenario {
        StreamScenario::Dispatch(scenario) => check_dispatch(&scenario, format),
        StreamScenario::Slots(scenario) => check_slots(&scenario, format),
    }
}

#[derive(Serialize)]
struct QueueRow {
    queue: String,
    /// The time that a byte takes; on a link whose rate changes at its mean rate.
    s_per_mb: f64,
    /// The load that the best static split brings to the queue.
    load: f64,
    tasks_per_minute: f64,
}

/// The seed of the site that a check shows.
const SHOWN_SEED: u64 = 1;

fn check_dispatch(scenario: &DispatchScenario, format: Format) -> Result<(), CliError> {
    let site = scenario.site(SHOWN_SEED).map_err(Error::from)?;
    let split = site.static_split();
    let rows: Vec<QueueRow> = site
        .queues()
        .iter()
        .zip(split.queues())
        .map(|(queue, load)| QueueRow {
            queue: queue.name.clone(),
            s_per_mb: 1e6 * queue.s_per_byte,
            load: load.load(),
            tasks_per_minute: 60.0 * load.tasks_per_s,
        })
        .collect();
    print(format, &rows, || {
        let cells = |row: &QueueRow| {
            vec![row.queue.clone(), figure(row.s_per_mb, 3), figure(row.tasks_per_minute, 2), figure(row.load, 3)]
        };
        format!(
            "scenario `{}` is valid: {:.2} tasks a minute at {}, load of the bottleneck {:.3}; below, each queue under the best \
             static split, with the devices drawn from seed {SHOWN_SEED}\n{}",
            scenario.name,
            60.0 * site.arrivals_per_s(),
            counted(site.devices(), "device"),
            site.load(),
            table(&["queue", "s/MB", "tasks/min", "load"], rows.iter().map(cells).collect())
        )
    })
}

#[derive(Serialize)]
struct LinkRow {
    link: String,
    mean_mbps: f64,
    power_w: f64,
    energy_j_per_mb: f64,
}

fn check_slots(scenario: &SlotScenario, format: Format) -> Result<(), CliError> {
    let problem = scenario.problem().map_err(Error::from)?;
    let rows: Vec<LinkRow> = problem
        .settings()
        .links
        .iter()
        .map(|link| {
            let mean = link.rates.mean_bytes_per_s();
            LinkRow {
                link: link.name.clone(),
                mean_mbps: mean * 8e-6,
                power_w: link.power_w,
                energy_j_per_mb: 1e6 * link.power_w / mean,
            }
        })
        .collect();
    let path = problem.path(SHOWN_SEED, 0);
    print(format, &rows, || {
        let cells = |row: &LinkRow| {
            vec![row.link.clone(), figure(row.mean_mbps, 2), figure(row.power_w, 2), figure(row.energy_j_per_mb, 3)]
        };
        format!(
            "scenario `{}` is valid: {} of {} s, {}, load {:.3} of the links' mean rates\n{}",
            scenario.name,
            counted(path.slots(), "slot"),
            scenario.slot_s,
            counted(problem.applications(), "application"),
            path.load() / path.mean_rates().iter().sum::<f64>(),
            table(&["link", "mean Mbit/s", "power W", "J/MB at the mean rate"], rows.iter().map(cells).collect())
        )
    })
}
