//! The longest drive of the test, window by window.

use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::mean;

use super::figures::Q2;
use crate::adaptation::findings::Findings;
use crate::adaptation::method::Method;
use crate::adaptation::windows::EvaluationWindow;
use crate::page::{Figure, cells};

/// The methods that are shown, each with the steps that it makes in every window.
const SHOWN: [(Method, usize); 5] = [
    (Method::Reptile, 10),
    (Method::Joint, 10),
    (Method::Random, 10),
    (Method::LastWindow, 0),
    (Method::EnvironmentInputs, 0),
];
/// The uplink that stands for an outage, which has no place on a logarithmic axis.
const OUTAGE_MBPS: f64 = 0.01;

/// The longest drive, from which the panels are made.
struct Replay<'r> {
    findings: &'r Findings<'r>,
    /// The index of the drive.
    sequence: usize,
    windows: &'r [EvaluationWindow],
}

/// The longest drive over time.
pub(super) fn figure(findings: &Findings<'_>) -> Figure {
    let all = findings.test();
    let sequence = (0..all.len()).rev().max_by_key(|&sequence| all[sequence].len()).unwrap_or(0);
    let replay = Replay { findings, sequence, windows: &all[sequence] };
    let panels = vec![replay.uplinks(), replay.quality(), replay.decided(), replay.optimum()];
    Figure {
        id: "replay",
        title: "One drive over time".to_owned(),
        text: "The longest test drive, window by window: the uplinks, how near to the optimum each method is, and where tasks run. Means over \
               the seeds."
            .to_owned(),
        palette: Palette::Distinct,
        rows: replay.rows(&panels),
        panels,
        command: String::new(),
    }
}

impl Replay<'_> {
    fn panel(title: String, y: Axis, series: Vec<Series>) -> Panel {
        Panel { title, x: Axis::Linear { label: "seconds into the drive" }, y, series }
    }

    /// A value of every window.
    fn over_time(&self, label: String, value: impl Fn(usize) -> f64) -> Series {
        let windows = self.windows.iter().enumerate();
        let points = windows.map(|(index, window)| Point::exact(window.start_s, value(index))).collect();
        Series { label, style: Style::Markers, points }
    }

    fn uplinks(&self) -> Panel {
        let devices = self.windows.first().map_or(0, |window| window.uplinks_mbps.len());
        let uplink = |device: usize| {
            let mbps = |window: usize| self.windows[window].uplinks_mbps[device].max(OUTAGE_MBPS);
            self.over_time(format!("uplink {}", device + 1), mbps)
        };
        let name = &self.findings.runs.study.recordings.test[self.sequence].name;
        let y = Axis::Log { label: "Mbit/s" };
        Self::panel(format!("uplinks, {name}"), y, (0..devices).map(uplink).collect())
    }

    fn quality(&self) -> Panel {
        let of_method = |&(method, step): &(Method, usize)| {
            let label = match step {
                0 => format!("{}, no step", method.label()),
                _ => format!("{}, {step} steps", method.label()),
            };
            self.over_time(label, |window| self.findings.in_window(method, step, (self.sequence, window)))
        };
        let mut series: Vec<Series> = SHOWN.iter().map(of_method).collect();
        let greedy = |window: usize| self.windows[window].of_scheme("greedy-largest-first").map_or(f64::NAN, mean);
        series.push(self.over_time("greedy, largest first".to_owned(), greedy));
        Self::panel("cost of the optimum / cost".to_owned(), Q2, series)
    }

    fn decided(&self) -> Panel {
        let shares = |window| self.findings.shares((self.sequence, window));
        let shares: Vec<Vec<f64>> = (0..self.windows.len()).map(shares).collect();
        self.shares("where networks that read the environment run tasks", |window, place| shares[window][place])
    }

    fn optimum(&self) -> Panel {
        self.shares("where the optimum runs them", |window, place| self.windows[window].optimal_shares[place])
    }

    /// The share of tasks at each place over time.
    fn shares(&self, title: &str, share: impl Fn(usize, usize) -> f64) -> Panel {
        let names = self.windows.first().map(|window| window.model.place_names()).unwrap_or_default();
        let at_place =
            |(place, name): (usize, &String)| self.over_time(format!("tasks at {name}"), |window| share(window, place));
        let series = names.iter().enumerate().map(at_place).collect();
        Self::panel(title.to_owned(), Axis::Linear { label: "share of tasks" }, series)
    }

    /// The data behind the panels; the last panel is the optimum.
    fn rows(&self, panels: &[Panel]) -> Vec<Vec<String>> {
        let mut header = cells(["start_s", "optimal_cost"]);
        for (index, panel) in panels.iter().enumerate() {
            let suffix = if index + 1 == panels.len() { " (optimum)" } else { "" };
            header.extend(panel.series.iter().map(|series| format!("{}{suffix}", series.label)));
        }
        let mut rows = vec![header];
        for (index, window) in self.windows.iter().enumerate() {
            let mut row = cells([window.start_s, window.optimal_cost]);
            let series = panels.iter().flat_map(|panel| &panel.series);
            row.extend(series.map(|series| series.points[index].mean.to_string()));
            rows.push(row);
        }
        rows
    }
}
