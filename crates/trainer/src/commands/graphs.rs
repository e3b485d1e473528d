//! What `compare`, `solve` and `scenario check` do for scenarios of task graphs.

use std::io;

use data::counted;
use mrdro::graphs::{AnswerOptions, GraphComparison, GraphEvaluation, GraphProblem, answer, compare};
use mrdro::{Error, chart};
use serde::Serialize;
use sim::graph::scenario::{ServerSettings, Source};
use sim::graph::{GraphScenario, Timing, scheme};

use super::streams::refuse_for_kind;
use crate::cli::{CompareArgs, Format, SolveArgs};
use crate::device;
use crate::error::CliError;
use crate::output::{check_picture, duration, figure, missed, note, note_left_out, print, table};
use crate::progress::Progress;

/// `compare` for task graphs.
pub(super) fn run_compare(args: &CompareArgs, scenario: GraphScenario) -> Result<(), CliError> {
    device::start_threads(&args.compute.threads)?;
    refuse(&[
        ("--record", !args.record.is_empty()),
        ("--any-rates", args.any_rates),
        ("--share-out", args.share_out.total.is_some()),
        ("--runs", args.runs.is_some()),
        args.deadlines.first().map_or(("", false), |option| (option, true)),
    ])?;
    let problem = GraphProblem::new(scenario)?;
    let (schemes, set) = (problem.schemes(args.seed.seed), problem.standard_set()?);
    let progress = Progress::new("decisions", schemes.len() * set.len());
    let comparison = compare(schemes, &set, &mut |decided| progress.done(decided))?;
    drop(progress);
    note_left_out(&comparison.left_out);
    print(args.format.format, &comparison.evaluations, || comparison_table(&comparison, &problem.scenario))
}

/// An error if an option is given that is for another kind of scenario.
fn refuse(options: &[(&'static str, bool)]) -> Result<(), Error> {
    refuse_for_kind("of task graphs", options)
}

fn comparison_table(comparison: &GraphComparison, scenario: &GraphScenario) -> String {
    let rows = &comparison.evaluations;
    let has_limits = rows.iter().any(|row| row.share_beyond_limits.is_some());
    let mut header = vec!["scheme", "energy J", "time s", "cost"];
    header.extend(has_limits.then_some("beyond limits"));
    header.extend(["Q2", "Q2 p5", "best", "evaluations", "time/decision"]);
    let row = |row: &GraphEvaluation| {
        let mut cells = vec![
            row.scheme.clone(),
            figure(row.mean_energy_j, 1),
            figure(row.mean_time_s, 1),
            figure(row.mean_cost, 2),
        ];
        cells.extend(has_limits.then(|| missed(row.share_beyond_limits)));
        cells.extend([
            format!("{:.5}", row.q2),
            format!("{:.5}", row.q2_p05),
            format!("{:.0} %", 100.0 * row.share_best),
            format!("{:.0}", row.evaluations_per_decision),
            duration(row.seconds_per_decision),
        ]);
        cells
    };
    let GraphComparison { applications, proved, mean_gap, .. } = comparison;
    let order = match scenario.application.timing {
        Timing::Serial => "",
        Timing::Scheduled => " in the scenario's order of tasks",
    };
    let gap = match mean_gap {
        Some(gap) if proved < applications => {
            format!("; on average the optimum is at most {:.2} % below the best decision known", 100.0 * gap)
        }
        _ => String::new(),
    };
    let applications = counted(*applications, "application");
    format!(
        "{applications}; Q2 compares with the best decision known, proved to be the optimum{order} for {proved}{gap}\n{}",
        table(&header, rows.iter().map(row).collect())
    )
}

/// `solve` for task graphs.
pub(super) fn run_solve(args: &SolveArgs, scenario: GraphScenario) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    refuse(&[
        ("--share-out", args.share_out.total.is_some()),
        ("--trace", args.trace.is_some()),
        ("--replay", args.replay.is_some()),
        args.deadlines.first().map_or(("", false), |option| (option, true)),
    ])?;
    if let Some(path) = &args.picture {
        check_picture("--picture", path)?;
    }
    let problem = GraphProblem::new(scenario)?;
    let mut scheme = scheme::by_name(&args.scheme, &problem.system, args.seed.seed).map_err(Error::from)?;
    let options = AnswerOptions { keep_going: args.keep_going.keep_going };
    let mut picture = None;
    let answered =
        answer(&args.workloads, &problem, io::stdout().lock(), &mut *scheme, options, &mut |model, places| {
            if args.picture.is_some() && picture.is_none() {
                picture = Some((model.clone(), places.to_vec()));
            }
        });
    // Answers are written before the picture is drawn, and the picture also where a later application is refused.
    if let (Some(path), Some((model, places))) = (&args.picture, picture) {
        chart::write_application(&model, &places, &format!("{}, {}", problem.scenario.name, args.scheme), path)?;
    }
    Ok(answered?)
}

#[derive(Serialize)]
struct PlaceRow {
    place: String,
    frequency_mhz: f64,
    /// `None`: the device itself.
    uplink_mbps: Option<f64>,
    /// `None`: the device itself.
    downlink_mbps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_per_mb: Option<f64>,
    usable: bool,
}

/// `scenario check` for task graphs.
pub(super) fn check(scenario: GraphScenario, format: Format) -> Result<(), CliError> {
    let problem = GraphProblem::new(scenario)?;
    // A file of applications that cannot be read would otherwise be found only later.
    let set = problem.standard_set()?;
    let scenario = &problem.scenario;
    note_layer_times(scenario);
    let has_prices = scenario.servers.iter().any(|server| server.price_per_mb > 0.0);
    let of_server = |(index, server): (usize, &ServerSettings)| PlaceRow {
        place: server.name.clone(),
        frequency_mhz: server.frequency_mhz,
        uplink_mbps: Some(server.link_mbps.unwrap_or(scenario.device.uplink_mbps)),
        downlink_mbps: Some(server.downlink_mbps.or(server.link_mbps).unwrap_or(scenario.device.downlink_mbps)),
        price_per_mb: has_prices.then_some(server.price_per_mb),
        usable: problem.system.is_usable(index + 1),
    };
    let device = PlaceRow {
        place: problem.system.place_name(0).to_owned(),
        frequency_mhz: scenario.device.frequency_mhz,
        uplink_mbps: None,
        downlink_mbps: None,
        price_per_mb: has_prices.then_some(0.0),
        usable: true,
    };
    let rows: Vec<PlaceRow> =
        std::iter::once(device).chain(scenario.servers.iter().enumerate().map(of_server)).collect();
    print(format, &rows, || {
        let sizes = || set.iter().map(sim::graph::GraphModel::tasks);
        let (fewest, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
        let tasks = if fewest == most { counted(most, "task") } else { format!("{fewest} to {most} tasks") };
        let source = match &scenario.application.source {
            Source::Generator(_) => "generated applications",
            Source::File { .. } => "recorded applications",
        };
        let down = if rows.iter().all(|row| row.usable) {
            ""
        } else {
            "; a place with `-` cannot be used, because a link or a frequency is 0"
        };
        format!("scenario `{}` is valid: {source} of {tasks}{down}\n{}", scenario.name, places_table(&rows, has_prices))
    })
}

/// Writes a note for each place whose times of layers are predicted from measured layers: how well they fit.
pub(super) fn note_layer_times(scenario: &GraphScenario) {
    for (place, times) in scenario.layer_times() {
        if let Some(regression) = times.regression() {
            let path = times.path();
            note(&format!("note: times of layers at {place} are predicted from {path}: {regression}"));
        }
    }
}

fn places_table(rows: &[PlaceRow], has_prices: bool) -> String {
    let mut header = vec!["place", "MHz", "uplink Mbit/s", "downlink Mbit/s"];
    header.extend(has_prices.then_some("price/MB"));
    let row = |row: &PlaceRow| {
        let rate =
            |rate: Option<f64>| rate.filter(|_| row.usable).map_or_else(|| "-".to_owned(), |rate| figure(rate, 2));
        let mut cells = vec![row.place.clone(), figure(row.frequency_mhz, 0)];
        cells.extend([rate(row.uplink_mbps), rate(row.downlink_mbps)]);
        cells.extend(row.price_per_mb.map(|price| price.to_string()));
        cells
    };
    table(&header, rows.iter().map(row).collect())
}

/// The number of tasks that applications of a scenario have, as `scenario list` shows it.
pub(super) fn tasks_shown(scenario: &GraphScenario) -> Result<String, CliError> {
    let set = GraphProblem::new(scenario.clone())?.standard_set()?;
    let sizes = || set.iter().map(sim::graph::GraphModel::tasks);
    let (fewest, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    Ok(if fewest == most { most.to_string() } else { format!("{fewest} to {most}") })
}
