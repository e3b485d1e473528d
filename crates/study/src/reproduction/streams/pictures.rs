//! Pictures of decisions over time.

use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::files::write_file;
use mrdro::streams::{StreamProblem, TraceFormat, run, write_run};

use super::Extent;
use super::findings::Estimate;
use super::links::{self, LinkRuns};
use super::sites::{BOUND, SettingRuns};
use crate::error::Error;
use crate::page::{Figure, cells};

/// Schemes are drawn whose cost is at most this multiple of greedy's: the queues of others grow for ever.
const MOST_DRAWN: f64 = 1.5;
/// The runs whose queues are drawn: scenario and scheme.
const QUEUES: [(&str, &str); 4] =
    [("dispatch", "greedy"), ("dispatch", "one-step-fitted"), ("commute", "at-once"), ("commute", "threshold")];
/// The tasks or slots of these runs.
const QUEUE_STEPS: usize = 3_000;

/// Cost against load: as it is, and over that of greedy.
pub(super) fn loads(all: &[SettingRuns]) -> Figure {
    let mut rows = vec![cells([
        "load",
        "scheme",
        "mean_cost",
        "low",
        "high",
        "over_greedy",
        "over_greedy_low",
        "over_greedy_high",
    ])];
    let schemes = all.first().map_or(&[][..], |runs| &runs.schemes);
    let (mut costs, mut ratios) = (Vec::new(), Vec::new());
    for (index, scheme) in schemes.iter().enumerate() {
        let (mut of_cost, mut of_ratio) = (Vec::new(), Vec::new());
        for runs in all {
            let greedy = runs.costs_of("greedy");
            let ratio: Vec<f64> = runs.costs[index].iter().zip(greedy).map(|(cost, greedy)| cost / greedy).collect();
            let [cost, ratio] = [&runs.costs[index], &ratio].map(|values| Estimate::of(values, ""));
            let mut row = cells([&runs.setting, scheme]);
            row.extend(cells([cost.mean, cost.low(), cost.high(), ratio.mean, ratio.low(), ratio.high()]));
            rows.push(row);
            if let (true, Ok(x)) = (ratio.mean <= MOST_DRAWN, runs.setting.parse()) {
                let point = |of: &Estimate| Point { x, low: of.low(), mean: of.mean, high: of.high() };
                // The intervals of costs are those of sites, which differ; they are in the data.
                of_cost.push(Point::exact(x, cost.mean));
                of_ratio.push(point(&ratio));
            }
        }
        let style = if scheme == BOUND { Style::Reference } else { Style::Markers };
        if !of_cost.is_empty() {
            costs.push(Series { label: scheme.clone(), style, points: of_cost });
            ratios.push(Series { label: scheme.clone(), style, points: of_ratio });
        }
    }
    let panel = |title: &str, label, series| Panel {
        title: title.to_owned(),
        x: Axis::Linear { label: "load of the bottleneck" },
        y: Axis::Linear { label },
        series,
    };
    Figure {
        id: "stream-loads",
        title: "Dispatching: cost against load".to_owned(),
        text: format!(
            "Ten mixed devices, an edge server that they share, and links to the cloud that change every 90 s. Means over sites with 95 % intervals; \
             schemes are drawn up to {MOST_DRAWN} times the cost of greedy, all of them are in the data. No scheme can be below the lower bound for long. \
             The queues of single runs are drawn in the files stream-queues-*.svg, with their data beside them."
        ),
        palette: Palette::Distinct,
        panels: vec![
            panel("mean cost of a task", "α · energy in J + (1 − α) · time in s", costs),
            panel("cost over that of greedy", "cost of a scheme / cost of greedy", ratios),
        ],
        rows,
        command: String::new(),
    }
}

/// Energy against delay.
pub(super) fn links(all: &[LinkRuns]) -> Figure {
    Figure {
        id: "stream-links",
        title: "Data that can wait: energy against delay".to_owned(),
        text: "Down and to the left is better. Each point is a price of delay, for which rules are tuned on other paths; hindsight knows the whole \
               path, and nothing is below it. Links are drawn Markov chains. Means over paths with 95 % intervals."
            .to_owned(),
        palette: Palette::Distinct,
        panels: links::panels(all),
        rows: links::rows(all),
        command: "cargo run -p trainer -- compare --scenario commute".to_owned(),
    }
}

/// Writes queues over time of single runs: the data, then the picture.
pub(super) fn write_queues(folder: &std::path::Path, extent: &Extent) -> Result<(), Error> {
    for (scenario, scheme) in QUEUES {
        let mut problem = StreamProblem::load(scenario)?;
        problem.shorten(QUEUE_STEPS);
        let run = run(&problem, scheme, extent.first_seed())?;
        let file = |extension: &str| folder.join(format!("stream-queues-{scenario}-{scheme}.{extension}"));
        write_file(&file("csv"), &run.trace(TraceFormat::Csv)?)?;
        write_run(&run, &file("svg"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_far_above_greedy_are_in_the_data_alone() {
        let runs = |load: &str| SettingRuns {
            setting: load.to_owned(),
            schemes: ["greedy", "random", BOUND].map(str::to_owned).to_vec(),
            costs: vec![vec![10.0, 11.0], vec![900.0, 901.0], vec![5.0, 5.0]],
        };
        let figure = loads(&[runs("0.5"), runs("0.9")]);
        let labels: Vec<&str> = figure.panels[0].series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(labels, ["greedy", BOUND]);
        assert_eq!(figure.rows.len(), 1 + 6);
        assert!(figure.rows.iter().any(|row| row[1] == "random"));
    }
}
