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
    energy_j_per_mb: f64,
    time_s_per_mb: f64,
}

fn check(name: &str, format: Format) -> Result<(), CliError> {
    let problem = Problem::load(name)?;
    note_implausible_scenario(&problem.scenario);
    // A file of sizes that cannot be read would otherwise be found only when training starts.
    problem.sampler()?;
    let mut rows = Vec::new();
    for device in 0..problem.model.devices() {
        for (place, rate) in problem.model.place_names().iter().zip(problem.model.rates(device)) {
            rows.push(RateRow {
                device,
                place: place.clone(),
                energy_j_per_mb: rate.energy_j_per_byte * BYTES_PER_MB,
                time_s_per_mb: rate.time_s_per_byte * BYTES_PER_MB,
            });
        }
    }
    print(format, &rows, || {
        let row = |row: &RateRow| {
            let rates = [row.energy_j_per_mb, row.time_s_per_mb].map(|rate| figure(rate, 4));
            [&[row.place.clone(), row.device.to_string()][..], &rates].concat()
        };
        let alone =
            if problem.model.is_separable() { "" } else { "; times are those without waiting for other devices" };
        let (name, tasks) = (&problem.scenario.name, problem.model.task_count());
        let title = format!("scenario `{name}` is valid: {tasks} tasks{alone}\n");
        title + &table(&["place", "device", "J/MB", "s/MB"], rows.iter().map(row).collect())
    })
}
