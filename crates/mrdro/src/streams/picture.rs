//! Pictures of runs.

use std::path::Path;

use sim::stream::dispatch::DoneTask;
use sim::units::BYTES_PER_MB;

use super::run::{Events, StreamRun};
use super::trace::SlotRow;
use crate::chart::{Axis, Palette, Panel, Point, Series, Style, write_picture};
use crate::error::Error;

/// The number of tasks that a picture shows: more could not be told apart.
const SHOWN_TASKS: usize = 400;
/// The number of slots that a picture shows.
const SHOWN_SLOTS: usize = 900;

/// Draws a part of a run into a picture, SVG or PNG by the name of its file: of dispatching, the number of tasks at each place
/// over time, and each task's size and place; in slots, the backlog, and the rates of links with the slots in which they send.
/// The part begins in the middle of the run.
///
/// # Errors
/// If the picture cannot be drawn or written.
pub fn write_run(run: &StreamRun, path: &Path) -> Result<(), Error> {
    let panels = match &run.events {
        Events::Tasks { tasks, places, .. } => task_panels(tasks, places),
        Events::Slots { slots, links, slot_s } => slot_panels(slots, links, *slot_s),
    };
    let title = format!("{}, {}", run.summary.scenario, run.summary.scheme);
    let panels: Vec<Panel> =
        panels.into_iter().map(|panel| Panel { title: format!("{title}: {}", panel.title), ..panel }).collect();
    write_picture(&panels, Palette::Distinct, path)
}

fn task_panels(tasks: &[DoneTask], places: &[String]) -> Vec<Panel> {
    let first = if tasks.len() > 2 * SHOWN_TASKS { tasks.len() / 2 } else { 0 };
    let shown = &tasks[first..tasks.len().min(first + SHOWN_TASKS)];
    let (from_s, until_s) = (shown[0].arrived_s, shown[shown.len() - 1].arrived_s);
    let in_system = |place: usize| {
        let at_place = tasks.iter().filter(|task| usize::from(task.place) == place);
        let mut changes: Vec<(f64, f64)> =
            at_place.flat_map(|task| [(task.arrived_s, 1.0), (task.done_s, -1.0)]).collect();
        changes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut count = 0.0;
        let mut points = Vec::new();
        for (time_s, change) in changes {
            if (from_s..=until_s).contains(&time_s) {
                points.push(Point::exact(time_s, count));
                points.push(Point::exact(time_s, count + change));
            }
            count += change;
        }
        points
    };
    let series = |place: usize, style, points| Series { label: places[place].clone(), style, points };
    let sizes = |place: usize| {
        let at_place = shown.iter().filter(|task| usize::from(task.place) == place);
        at_place.map(|task| Point::exact(task.arrived_s, task.bytes / BYTES_PER_MB)).collect()
    };
    vec![
        Panel {
            title: "tasks that are not done".to_owned(),
            x: Axis::Linear { label: "time in s" },
            y: Axis::Linear { label: "tasks at the place" },
            series: (0..places.len()).map(|place| series(place, Style::Curve, in_system(place))).collect(),
        },
        Panel {
            title: "where each task goes".to_owned(),
            x: Axis::Linear { label: "time in s" },
            y: Axis::Log { label: "size in MB" },
            series: (0..places.len()).map(|place| series(place, Style::Points, sizes(place))).collect(),
        },
    ]
}

fn slot_panels(slots: &[SlotRow], links: &[String], slot_s: f64) -> Vec<Panel> {
    let first = if slots.len() > 2 * SHOWN_SLOTS { slots.len() / 2 } else { 0 };
    let shown = &slots[first..slots.len().min(first + SHOWN_SLOTS)];
    let time_s = |row: &SlotRow| row.slot as f64 * slot_s;
    let backlog = shown.iter().map(|row| Point::exact(time_s(row), row.backlog_bytes / BYTES_PER_MB)).collect();
    let mbps = |row: &SlotRow, link: usize| row.bytes_per_s[link] * 8e-6;
    let mut rates = Vec::new();
    for (link, name) in links.iter().enumerate() {
        let points = shown.iter().map(|row| Point::exact(time_s(row), mbps(row, link))).collect();
        rates.push(Series { label: name.clone(), style: Style::Curve, points });
        let sends = shown.iter().filter(|row| row.sent_bytes[link] > 0.0);
        let points = sends.map(|row| Point::exact(time_s(row), mbps(row, link))).collect();
        rates.push(Series { label: format!("{name} sends"), style: Style::Points, points });
    }
    vec![
        Panel {
            title: "data that waits".to_owned(),
            x: Axis::Linear { label: "time in s" },
            y: Axis::Linear { label: "MB" },
            series: vec![Series { label: "waiting".to_owned(), style: Style::Curve, points: backlog }],
        },
        Panel {
            title: "rates, and when data is sent".to_owned(),
            x: Axis::Linear { label: "time in s" },
            y: Axis::Linear { label: "Mbit/s" },
            series: rates,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{StreamProblem, TraceFormat, run};
    use super::*;

    #[test]
    fn a_run_is_drawn_and_written_down() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, scheme, column) in [("dispatch", "greedy", "place"), ("commute", "threshold", "cellular_mbps")] {
            let mut problem = StreamProblem::load(name).expect("a preset");
            problem.shorten(1_000);
            let run = run(&problem, scheme, 3).expect("a run");
            let file = folder.path().join(format!("{name}.svg"));
            write_run(&run, &file).expect("drawn");
            let svg = std::fs::read_to_string(&file).expect("written");
            assert!(svg.contains("</svg>") && !svg.contains("NaN"));
            let csv = String::from_utf8(run.trace(TraceFormat::Csv).expect("written")).expect("text");
            assert!(csv.lines().next().is_some_and(|header| header.contains(column)), "{name}");
            assert_eq!(csv.lines().count(), 1_001);
            let json = String::from_utf8(run.trace(TraceFormat::JsonLines).expect("written")).expect("text");
            assert_eq!(json.lines().count(), 1_000);
            let row: serde_json::Value = serde_json::from_str(json.lines().next().expect("a row")).expect("JSON");
            assert!(row.get(column).is_some(), "{row}");
        }
    }
}
