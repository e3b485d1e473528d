//! `scenario`: list, show and check scenarios.

use data::counted;
use mrdro::Problem;
use mrdro::graphs::GraphProblem;
use serde::Serialize;
use sim::graph::GraphScenario;
use sim::scenario::{DeadlineRule, PerDevice, Tasks};
use sim::stream::StreamScenario;
use sim::units::BYTES_PER_MB;
use sim::{AnyScenario, Scenario};

use super::{graphs, streams};
use crate::cli::{Format, ScenarioCommand};
use crate::error::CliError;
use crate::output::{figure, note_implausible_scenario, print, table, write_out};

pub(crate) fn run(command: &ScenarioCommand) -> Result<(), CliError> {
    match command {
        ScenarioCommand::List { format } => list(format.format),
        ScenarioCommand::Show { scenario } => show(scenario),
        ScenarioCommand::Check { scenario, format } => check(scenario, format.format),
    }
}

#[derive(Serialize)]
pub(super) struct ScenarioRow {
    pub(super) scenario: &'static str,
    pub(super) kind: &'static str,
    pub(super) devices: usize,
    /// The largest number where devices or applications have different numbers of tasks; `None`: they arrive over time.
    pub(super) tasks_per_device: Option<usize>,
    pub(super) servers: String,
    pub(super) alpha: f64,
    /// The number of tasks of each device, where they differ; else the number that all have.
    #[serde(skip)]
    pub(super) shown_tasks: String,
}

fn list(format: Format) -> Result<(), CliError> {
    let mut rows = Vec::new();
    for name in Scenario::presets() {
        let scenario = Scenario::load(name)?;
        let servers: Vec<_> = scenario.servers.iter().map(|server| server.name.as_str()).collect();
        rows.push(ScenarioRow {
            scenario: name,
            kind: "tasks",
            devices: scenario.devices.count,
            tasks_per_device: Some(scenario.tasks.per_device),
            servers: servers.join(" "),
            alpha: scenario.alpha,
            shown_tasks: tasks_of_each(&scenario.tasks),
        });
    }
    for name in GraphScenario::presets() {
        let scenario = GraphScenario::load(name)?;
        let servers: Vec<_> = scenario.servers.iter().map(|server| server.name.as_str()).collect();
        let shown_tasks = graphs::tasks_shown(&scenario)?;
        rows.push(ScenarioRow {
            scenario: name,
            kind: "graph",
            devices: 1,
            tasks_per_device: shown_tasks.parse().ok(),
            servers: servers.join(" "),
            alpha: scenario.alpha,
            shown_tasks,
        });
    }
    for name in StreamScenario::presets() {
        rows.push(streams::row(name, &StreamScenario::load(name)?));
    }
    print(format, &rows, || {
        let row = |row: &ScenarioRow| {
            let counts = [row.devices.to_string(), row.shown_tasks.clone()];
            let names = [row.scenario, row.kind].map(str::to_owned);
            [&names[..], &counts, &[row.servers.clone(), row.alpha.to_string()]].concat()
        };
        table(&["scenario", "kind", "devices", "tasks each", "servers", "α"], rows.iter().map(row).collect())
    })
}

fn tasks_of_each(tasks: &Tasks) -> String {
    if tasks.counts.is_empty() {
        return tasks.per_device.to_string();
    }
    let counts: Vec<_> = tasks.counts.iter().map(ToString::to_string).collect();
    counts.join(" ")
}

fn show(name: &str) -> Result<(), CliError> {
    let preset = Scenario::preset_text(name)
        .or_else(|| GraphScenario::preset_text(name))
        .or_else(|| StreamScenario::preset_text(name));
    let text = match preset {
        Some(text) => text.to_owned(),
        None => match AnyScenario::load(name)? {
            AnyScenario::Tasks(scenario) => scenario.to_toml(),
            AnyScenario::Graph(scenario) => {
                let problem = GraphProblem::new(scenario)?;
                graphs::note_layer_times(&problem.scenario);
                problem.scenario.to_toml()
            }
            AnyScenario::Stream(scenario) => scenario.to_toml(),
        },
    };
    write_out(text.as_bytes())
}

#[derive(Serialize)]
struct RateRow {
    device: usize,
    place: String,
    /// `None`: the device cannot use the place.
    energy_j_per_mb: Option<f64>,
    /// `None`: the device cannot use the place.
    time_s_per_mb: Option<f64>,
    /// The time that each task sent to the place takes in addition; `None`: no server of the scenario has a latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    /// The device's number of tasks; `None`: all devices have the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<usize>,
    /// `None`: the same for all devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions_per_byte: Option<f64>,
    /// The time within which the device's tasks are to be done; `None`: no task has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_s: Option<f64>,
}

fn check(name: &str, format: Format) -> Result<(), CliError> {
    let scenario = match AnyScenario::load(name)? {
        AnyScenario::Tasks(scenario) => scenario,
        AnyScenario::Graph(scenario) => return graphs::check(scenario, format),
        AnyScenario::Stream(scenario) => return streams::check(scenario, format),
    };
    let problem = Problem::new(scenario)?;
    note_implausible_scenario(&problem.scenario);
    // A file of sizes that cannot be read would otherwise be found only when training starts.
    problem.sampler()?;
    let rows = rate_rows(&problem);
    print(format, &rows, || title(&problem) + &rates_table(&rows))
}

fn rate_rows(problem: &Problem) -> Vec<RateRow> {
    let Problem { scenario, model } = problem;
    let has_latency = scenario.servers.iter().any(|server| server.latency_ms > 0.0);
    let differ = |values: &PerDevice| matches!(values, PerDevice::Each(_));
    let mut rows = Vec::new();
    for device in 0..model.devices() {
        let places = model.place_names().iter().zip(model.rates(device));
        for (index, (place, rate)) in (0_u8..).zip(places) {
            let per_mb = |per_byte: f64| model.is_reachable(device, index).then_some(per_byte * BYTES_PER_MB);
            rows.push(RateRow {
                device,
                place: place.clone(),
                energy_j_per_mb: per_mb(rate.energy_j_per_byte),
                time_s_per_mb: per_mb(rate.time_s_per_byte),
                latency_ms: has_latency.then(|| 1e3 * model.latency_s(usize::from(index))),
                tasks: model.has_absent_tasks().then(|| model.tasks_of(device)),
                instructions_per_byte: differ(&scenario.instructions_per_byte)
                    .then(|| scenario.instructions_per_byte.at(device)),
                deadline_s: scenario.tasks.deadline_s.as_ref().map(|deadline_s| deadline_s.at(device)),
            });
        }
    }
    rows
}

/// The line above the rates: the number of tasks, and what the rates leave out.
fn title(problem: &Problem) -> String {
    let Problem { scenario, model } = problem;
    let down = if model.is_all_reachable() {
        ""
    } else {
        "; a place with `-` cannot be used, because a link, a frequency or a capacity is 0"
    };
    let alone = if model.is_separable() { "" } else { "; times are those without waiting for other devices" };
    let tasks = counted((0..model.devices()).map(|device| model.tasks_of(device)).sum(), "task");
    let mut title = format!("scenario `{}` is valid: {tasks}{alone}{down}", scenario.name);
    if scenario.servers.iter().any(|server| server.latency_ms > 0.0) {
        title += "; each task sent to a place takes its latency in addition to the time of its bytes";
    }
    let penalty;
    title += match model.deadline_rule() {
        _ if !model.has_deadlines() => "",
        DeadlineRule::Report => "; missed deadlines are counted and cost nothing",
        DeadlineRule::Penalty(cost) => {
            penalty = format!("; each missed deadline adds {cost} to the cost");
            &penalty
        }
        DeadlineRule::Hard => "; deadlines are hard: fewer missed ones are better at any cost",
    };
    title + "\n"
}

/// The rates, with columns for what the scenario sets beyond them.
fn rates_table(rows: &[RateRow]) -> String {
    let shown = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| figure(rate, 4));
    let mut header = vec!["place", "device", "J/MB", "s/MB"];
    if let Some(first) = rows.first() {
        header.extend(first.latency_ms.map(|_| "latency ms"));
        header.extend(first.tasks.map(|_| "tasks"));
        header.extend(first.instructions_per_byte.map(|_| "instructions/byte"));
        header.extend(first.deadline_s.map(|_| "deadline s"));
    }
    let row = |row: &RateRow| {
        let mut cells = vec![row.place.clone(), row.device.to_string()];
        cells.extend([row.energy_j_per_mb, row.time_s_per_mb].map(shown));
        cells.extend(row.latency_ms.map(plain));
        cells.extend(row.tasks.map(|tasks| tasks.to_string()));
        cells.extend([row.instructions_per_byte, row.deadline_s].into_iter().flatten().map(plain));
        cells
    };
    table(&header, rows.iter().map(row).collect())
}

/// A number as a person would write it: at most ten digits, none of them from rounding.
fn plain(value: f64) -> String {
    let ten_digits: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    ten_digits.to_string()
}
