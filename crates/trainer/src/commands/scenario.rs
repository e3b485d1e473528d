//! `scenario`: list, show and check scenarios.

use mrdro::Problem;
use serde::Serialize;
use sim::Scenario;
use sim::units::BYTES_PER_MB;

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
struct ScenarioRow {
    scenario: &'static str,
    devices: usize,
    tasks_per_device: usize,
    servers: String,
    alpha: f64,
}

fn list(format: Format) -> Result<(), CliError> {
    let mut rows = Vec::new();
    for name in Scenario::presets() {
        let scenario = Scenario::load(name)?;
        let servers: Vec<_> = scenario.servers.iter().map(|server| server.name.as_str()).collect();
        rows.push(ScenarioRow {
            scenario: name,
            devices: scenario.devices.count,
            tasks_per_device: scenario.tasks.per_device,
            servers: servers.join(" "),
            alpha: scenario.alpha,
        });
    }
    print(format, &rows, || {
        let row = |row: &ScenarioRow| {
            let counts = [row.devices.to_string(), row.tasks_per_device.to_string()];
            [&[row.scenario.to_owned()][..], &counts, &[row.servers.clone(), row.alpha.to_string()]].concat()
        };
        table(&["scenario", "devices", "tasks each", "servers", "α"], rows.iter().map(row).collect())
    })
}

fn show(name: &str) -> Result<(), CliError> {
    let text = match Scenario::preset_text(name) {
        Some(text) => text.to_owned(),
        None => Scenario::load(name)?.to_toml(),
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
}

fn check(name: &str, format: Format) -> Result<(), CliError> {
    let problem = Problem::load(name)?;
    note_implausible_scenario(&problem.scenario);
    // A file of sizes that cannot be read would otherwise be found only when training starts.
    problem.sampler()?;
    let mut rows = Vec::new();
    for device in 0..problem.model.devices() {
        let places = problem.model.place_names().iter().zip(problem.model.rates(device));
        for (index, (place, rate)) in (0_u8..).zip(places) {
            let per_mb = |per_byte: f64| problem.model.is_reachable(device, index).then_some(per_byte * BYTES_PER_MB);
            rows.push(RateRow {
                device,
                place: place.clone(),
                energy_j_per_mb: per_mb(rate.energy_j_per_byte),
                time_s_per_mb: per_mb(rate.time_s_per_byte),
            });
        }
    }
    print(format, &rows, || {
        let row = |row: &RateRow| {
            let shown = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| figure(rate, 4));
            let rates = [row.energy_j_per_mb, row.time_s_per_mb].map(shown);
            [&[row.place.clone(), row.device.to_string()][..], &rates].concat()
        };
        let down = if problem.model.is_all_reachable() {
            ""
        } else {
            "; a place with `-` cannot be used, because a link, a frequency or a capacity is 0"
        };
        let alone =
            if problem.model.is_separable() { "" } else { "; times are those without waiting for other devices" };
        let (name, tasks) = (&problem.scenario.name, problem.model.task_count());
        let title = format!("scenario `{name}` is valid: {tasks} tasks{alone}{down}\n");
        title + &table(&["place", "device", "J/MB", "s/MB"], rows.iter().map(row).collect())
    })
}
