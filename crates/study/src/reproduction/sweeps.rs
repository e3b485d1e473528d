//! Figs. 5 to 10: convergence and quality over the values of one setting.

use mrdro::Phase;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style, number};
use mrdro::statistics::Spread;

use super::finished::{of_each, over_steps};
use super::part::Part;
use super::rows::{Q1, Q2, greedy_line, pair_title, spread_header, spread_row};
use super::scope::{Experiment, Scope};
use crate::error::Error;
use crate::page::Figure;

/// About how many points a curve of Q1 is drawn with.
const DRAWN_POINTS: usize = 20;

/// A setting that is varied, and its values.
pub(super) struct Sweep {
    /// The key of the setting.
    pub(super) key: &'static str,
    /// The name of the setting in figures.
    name: &'static str,
    full: &'static [f64],
    quick: &'static [f64],
}

/// The number K of networks.
pub(super) const DNNS: Sweep = Sweep {
    key: "network.dnns",
    name: "K",
    full: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
    quick: &[1.0, 2.0, 4.0, 8.0],
};
/// The learning rate of Algorithm 2.
pub(super) const LEARNING_RATES: Sweep = Sweep {
    key: "drl.learning_rate",
    name: "learning rate",
    full: &[0.0001, 0.001, 0.01, 0.1],
    quick: &[0.001, 0.01, 0.1],
};
/// The size of the replay buffer.
pub(super) const BUFFERS: Sweep = Sweep {
    key: "drl.buffer",
    name: "buffer size",
    full: &[500.0, 1000.0, 1400.0, 2400.0, 4800.0],
    quick: &[500.0, 1400.0],
};
/// Mlr, the step size of Algorithm 1.
pub(super) const META_RATES: Sweep = Sweep {
    key: "meta.step_size",
    name: "Mlr",
    full: &[0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0],
    quick: &[0.001, 0.01, 0.1, 1.0],
};

impl Sweep {
    /// The values of the setting.
    pub(super) fn values(&self, scope: &Scope) -> &'static [f64] {
        if scope.quick { self.quick } else { self.full }
    }

    /// One experiment for each value. A varied learning rate is constant in the algorithm as the paper prints it.
    pub(super) fn experiments(&self, scope: &Scope, scenario: &str, training: &str) -> Result<Vec<Experiment>, Error> {
        let is_constant = self.key == LEARNING_RATES.key && training == "paper";
        let experiment = |&value: &f64| {
            let varied = scope.varied(scenario, training, self.key, value)?;
            if !is_constant || varied == scope.default(scenario, training) {
                return Ok(varied);
            }
            let settings = [format!("{}={value}", self.key), format!("drl.final_learning_rate={value}")];
            Ok(scope.experiment(scenario, training, &settings))
        };
        self.values(scope).iter().map(experiment).collect()
    }

    /// The experiments of all scenarios and trainings.
    pub(super) fn all_experiments(&self, scope: &Scope) -> Result<Vec<Experiment>, Error> {
        let mut all = Vec::new();
        for (scenario, training) in scope.pairs() {
            all.extend(self.experiments(scope, scenario, training)?);
        }
        Ok(all)
    }

    /// The command that makes one of the runs; empty if there is no run.
    fn command(&self, scope: &Scope) -> Result<String, Error> {
        let Some((scenario, training)) = scope.pairs().next() else { return Ok(String::new()) };
        let experiments = self.experiments(scope, scenario, training)?;
        Ok(experiments.first().map(|experiment| experiment.command("1")).unwrap_or_default())
    }
}

/// Q1 over the steps of Algorithm 2 for the values of one setting: Figs. 5, 6 and 7.
pub(super) fn convergence(part: Part, scope: &Scope, sweep: &Sweep, text: &str) -> Result<Figure, Error> {
    let mut rows = vec![spread_header(&["scenario", "training", sweep.key, "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        for (&value, experiment) in sweep.values(scope).iter().zip(sweep.experiments(scope, scenario, training)?) {
            let spreads = over_steps(&scope.finished(&experiment)?, Phase::Drl, |row| row.q1);
            for (step, spread) in &spreads {
                rows.push(spread_row(&[scenario, training, &value.to_string(), &step.to_string()], spread));
            }
            let points = smoothed(&spreads);
            series.push(Series { label: format!("{} {}", sweep.name, number(value)), style: Style::Curve, points });
        }
        let (x, y) = (Axis::Linear { label: "steps of Algorithm 2" }, Q1);
        panels.push(Panel { title: pair_title(scenario, training), x, y, series });
    }
    Ok(Figure {
        id: part.name(),
        title: format!("Convergence (Q1) over {}", sweep.name),
        text: text.to_owned(),
        palette: Palette::Ordered,
        panels,
        rows,
        command: sweep.command(scope)?,
    })
}

/// Means of reports that follow one another: Q1 is measured on one batch, so that single values jump.
fn smoothed(spreads: &[(usize, Spread)]) -> Vec<Point> {
    let mean = |group: &[(usize, Spread)]| {
        let of = |value: fn(&(usize, Spread)) -> f64| group.iter().map(value).sum::<f64>() / group.len() as f64;
        Point {
            x: of(|(step, _)| *step as f64),
            low: of(|(_, spread)| spread.low),
            mean: of(|(_, spread)| spread.mean),
            high: of(|(_, spread)| spread.high),
        }
    };
    spreads.chunks(spreads.len().div_ceil(DRAWN_POINTS).max(1)).map(mean).collect()
}

/// Q2 after training for the values of one setting: Figs. 8, 9 and 10.
pub(super) fn quality(part: Part, scope: &Scope, sweep: &Sweep, text: &str) -> Result<Figure, Error> {
    let mut rows = vec![spread_header(&["scenario", "training", "scheme", sweep.key])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        panels.push(quality_panel(scope, sweep, scenario, &mut rows)?);
    }
    Ok(Figure {
        id: part.name(),
        title: format!("Quality (Q2) over {}", sweep.name),
        text: text.to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: sweep.command(scope)?,
    })
}

fn quality_panel(scope: &Scope, sweep: &Sweep, scenario: &str, rows: &mut Vec<Vec<String>>) -> Result<Panel, Error> {
    let values = sweep.values(scope);
    let mut series: Vec<Series> = Vec::new();
    let mut greedy = None;
    for training in &scope.trainings {
        let mut points = [Vec::new(), Vec::new()];
        for (index, experiment) in sweep.experiments(scope, scenario, training)?.iter().enumerate() {
            let runs = scope.finished(experiment)?;
            greedy = greedy.or_else(|| greedy_line(&runs, -0.5, values.len() as f64 - 0.5));
            for (points, scheme) in points.iter_mut().zip(["mr-dro", "mr-dro-explored"]) {
                let Some(q2) = of_each(&runs, |run| run.q2(scheme)) else { continue };
                let spread = Spread::of(&q2);
                rows.push(spread_row(&[scenario, training, scheme, &values[index].to_string()], &spread));
                points.push(Point::new(index as f64, &spread));
            }
        }
        let [plain, explored] = points;
        for (label, points) in
            [(format!("training {training}"), plain), (format!("training {training}, explored"), explored)]
        {
            series.push(Series { label, style: Style::Markers, points });
        }
    }
    series.extend(greedy);
    let names = values.iter().map(|&value| number(value)).collect();
    let x = Axis::Named { label: sweep.name, names };
    Ok(Panel { title: format!("scenario {scenario}"), x, y: Q2, series })
}
