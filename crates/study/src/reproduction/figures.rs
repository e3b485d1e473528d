//! The figures of the paper's section V, made of finished runs.

use crate::error::AppError;
use crate::metrics::Row;
use crate::report::chart::{Axis, Palette, Panel, Point, Series, Style, number};
use crate::report::page::Figure;
use crate::statistics::Spread;

use super::scope::{Experiment, Finished, Scope};

const Q1: Axis = Axis::Ratio { label: "Q1, by the logarithm of the gap to 1" };
pub(super) const Q2: Axis = Axis::Ratio { label: "Q2, by the logarithm of the gap to 1" };

/// A setting that is varied, and the values it takes.
pub(super) struct Sweep {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    full: &'static [f64],
    quick: &'static [f64],
}

pub(super) const DNNS: Sweep = Sweep {
    key: "network.dnns",
    name: "K",
    full: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
    quick: &[1.0, 2.0, 4.0, 8.0],
};
pub(super) const LEARNING_RATES: Sweep = Sweep {
    key: "drl.learning_rate",
    name: "learning rate",
    full: &[0.0001, 0.001, 0.01, 0.1],
    quick: &[0.001, 0.01, 0.1],
};
pub(super) const BUFFERS: Sweep = Sweep {
    key: "drl.buffer",
    name: "buffer size",
    full: &[500.0, 1000.0, 1400.0, 2400.0, 4800.0],
    quick: &[500.0, 1400.0],
};
const META_RATES: Sweep = Sweep {
    key: "meta.step_size",
    name: "Mlr",
    full: &[0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0],
    quick: &[0.001, 0.01, 0.1, 1.0],
};
/// K of Fig. 12.
const META_DNNS: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

impl Sweep {
    pub(super) fn values(&self, scope: &Scope) -> &'static [f64] {
        if scope.quick { self.quick } else { self.full }
    }

    /// One experiment for each value. Where the step size is varied, it stays what it is to the end in the printed
    /// algorithm.
    pub(super) fn experiments(
        &self,
        scope: &Scope,
        scenario: &str,
        training: &str,
    ) -> Result<Vec<Experiment>, AppError> {
        let constant = self.key == LEARNING_RATES.key && training == "paper";
        let experiment = |&value: &f64| {
            let varied = scope.varied(scenario, training, self.key, value)?;
            Ok(if constant && varied != scope.default(scenario, training) {
                scope.experiment(
                    scenario,
                    training,
                    &[format!("{}={value}", self.key), format!("drl.final_learning_rate={value}")],
                )
            } else {
                varied
            })
        };
        self.values(scope).iter().map(experiment).collect()
    }
}

/// Algorithm 1 alone with some settings: what counts is Q2 before the first step of Algorithm 2.
fn meta_only(scope: &Scope, scenario: &str, training: &str, settings: &[String]) -> Experiment {
    let mut all = settings.to_vec();
    all.push("drl.steps=0".to_owned());
    scope.experiment(scenario, training, &all)
}

fn meta_rate(scope: &Scope, scenario: &str, training: &str, value: f64) -> Experiment {
    let settings = [format!("meta.step_size={value}"), format!("meta.final_step_size={value}")];
    meta_only(scope, scenario, training, &settings)
}

fn meta_dnns(scope: &Scope, scenario: &str, training: &str, dnns: f64) -> [Experiment; 2] {
    let dnns = format!("network.dnns={dnns}");
    let trained = meta_only(scope, scenario, training, std::slice::from_ref(&dnns));
    let random = meta_only(scope, scenario, training, &[dnns, "meta.outer_steps=0".to_owned()]);
    [trained, random]
}

/// Algorithm 2 from random networks.
pub(super) fn from_random(scope: &Scope, scenario: &str, training: &str) -> Experiment {
    scope.experiment(scenario, training, &["meta.outer_steps=0".to_owned()])
}

/// The experiments that a figure needs.
pub(super) fn experiments(id: &str, scope: &Scope) -> Result<Vec<Experiment>, AppError> {
    let mut all = Vec::new();
    for (scenario, training) in scope.pairs() {
        match id {
            "fig5" | "fig8" => all.extend(DNNS.experiments(scope, scenario, training)?),
            "fig6" | "fig9" => all.extend(LEARNING_RATES.experiments(scope, scenario, training)?),
            "fig7" | "fig10" => all.extend(BUFFERS.experiments(scope, scenario, training)?),
            "fig11" => {
                let rates = META_RATES.values(scope).iter();
                all.extend(rates.map(|&rate| meta_rate(scope, scenario, training, rate)));
            }
            "fig12" => all.extend(META_DNNS.iter().flat_map(|&dnns| meta_dnns(scope, scenario, training, dnns))),
            "fig13" => all.extend([scope.default(scenario, training), from_random(scope, scenario, training)]),
            "fig14" => {
                for &alpha in scope.alphas() {
                    all.push(scope.default(&scope.with_alpha(scenario, alpha)?, training));
                }
            }
            _ => {}
        }
    }
    Ok(all)
}

/// Mean and interval at each step that all runs report.
fn over_steps(
    runs: &[Finished],
    phase: &str,
    value: impl Fn(&Row<String>) -> Option<f64> + Copy,
) -> Vec<(usize, Spread)> {
    let curves: Vec<Vec<(usize, f64)>> = runs.iter().map(|run| run.curve(phase, value)).collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |step: usize| -> Option<Vec<f64>> {
        curves.iter().map(|curve| curve.iter().find(|(other, _)| *other == step).map(|(_, value)| *value)).collect()
    };
    first.iter().filter_map(|&(step, _)| Some((step, Spread::of_point(&at(step)?)))).collect()
}

fn text_row(parts: &[&str], spread: &Spread) -> Vec<String> {
    let Spread { count, mean, iqm, low, high, least, greatest } = *spread;
    let numbers = [mean, iqm, low, high, least, greatest].map(|value| value.to_string());
    parts.iter().map(|&part| part.to_owned()).chain([count.to_string()]).chain(numbers).collect()
}

fn header(parts: &[&str]) -> Vec<String> {
    let numbers = ["runs", "mean", "interquartile_mean", "low", "high", "least", "greatest"];
    parts.iter().chain(&numbers).map(|&name| name.to_owned()).collect()
}

fn panel_title(scenario: &str, training: &str) -> String {
    format!("scenario {scenario}, training {training}")
}

/// About twenty points of a curve, each the mean of some that follow one another: Q1 is measured on one batch, so that
/// single values jump.
fn calmed(spreads: &[(usize, Spread)]) -> Vec<Point> {
    let mean = |group: &[(usize, Spread)]| {
        let of = |value: fn(&(usize, Spread)) -> f64| group.iter().map(value).sum::<f64>() / group.len() as f64;
        Point {
            x: of(|(step, _)| *step as f64),
            low: of(|(_, s)| s.low),
            mean: of(|(_, s)| s.mean),
            high: of(|(_, s)| s.high),
        }
    };
    spreads.chunks(spreads.len().div_ceil(20).max(1)).map(mean).collect()
}

/// Q1 over the steps of Algorithm 2 for the values of one setting: Figs. 5, 6 and 7.
fn convergence(id: &'static str, scope: &Scope, sweep: &Sweep, text: &str) -> Result<Figure, AppError> {
    let mut rows = vec![header(&["scenario", "training", sweep.key, "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        for (&value, experiment) in sweep.values(scope).iter().zip(sweep.experiments(scope, scenario, training)?) {
            let spreads = over_steps(&scope.finished(&experiment)?, "drl", |row| row.q1);
            for (step, spread) in &spreads {
                rows.push(text_row(&[scenario, training, &value.to_string(), &step.to_string()], spread));
            }
            let points = calmed(&spreads);
            series.push(Series { label: format!("{} {}", sweep.name, number(value)), style: Style::Curve, points });
        }
        let (x, y) = (Axis::Linear { label: "steps of Algorithm 2" }, Q1);
        panels.push(Panel { title: panel_title(scenario, training), x, y, series });
    }
    Ok(Figure {
        id,
        title: format!("Convergence (Q1) over {}", sweep.name),
        text: text.to_owned(),
        palette: Palette::Ordered,
        panels,
        rows,
        command: sweep_command(scope, sweep)?,
    })
}

fn sweep_command(scope: &Scope, sweep: &Sweep) -> Result<String, AppError> {
    let Some((scenario, training)) = scope.pairs().next() else { return Ok(String::new()) };
    let experiments = sweep.experiments(scope, scenario, training)?;
    Ok(experiments.first().map(|experiment| experiment.command("1")).unwrap_or_default())
}

/// What each greedy rule reaches, as a line to compare with.
fn greedy_line(runs: &[Finished], from: f64, to: f64) -> Option<Series> {
    let q2 = runs.first()?.q2("greedy-largest-first")?;
    let points = vec![Point::exact(from, q2), Point::exact(to, q2)];
    Some(Series { label: "greedy, largest first".to_owned(), style: Style::Reference, points })
}

/// Q2 after training for the values of one setting: Figs. 8, 9 and 10.
fn accuracy(id: &'static str, scope: &Scope, sweep: &Sweep, text: &str) -> Result<Figure, AppError> {
    let values = sweep.values(scope);
    let names: Vec<String> = values.iter().map(|&value| number(value)).collect();
    let mut rows = vec![header(&["scenario", "training", "scheme", sweep.key])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let mut series: Vec<Series> = Vec::new();
        let mut reference = None;
        for training in &scope.trainings {
            let mut shown = [Vec::new(), Vec::new()];
            for (index, experiment) in sweep.experiments(scope, scenario, training)?.iter().enumerate() {
                let runs = scope.finished(experiment)?;
                let reach = values.len() as f64 - 0.5;
                reference = reference.or_else(|| greedy_line(&runs, -0.5, reach));
                for (points, scheme) in shown.iter_mut().zip(["mr-dro", "mr-dro-explored"]) {
                    let q2: Option<Vec<f64>> = runs.iter().map(|run| run.q2(scheme)).collect();
                    let Some(q2) = q2.filter(|q2| !q2.is_empty()) else { continue };
                    let spread = Spread::of(&q2);
                    rows.push(text_row(&[scenario, training, scheme, &values[index].to_string()], &spread));
                    points.push(Point::new(index as f64, &spread));
                }
            }
            let [plain, explored] = shown;
            series.push(Series { label: format!("training {training}"), style: Style::Markers, points: plain });
            series.push(Series {
                label: format!("training {training}, explored"),
                style: Style::Markers,
                points: explored,
            });
        }
        series.extend(reference);
        let x = Axis::Named { label: sweep.name, names: names.clone() };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    Ok(Figure {
        id,
        title: format!("Quality (Q2) over {}", sweep.name),
        text: text.to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: sweep_command(scope, sweep)?,
    })
}

/// Q2 before the first step of Algorithm 2 over the step size of Algorithm 1: Fig. 11.
fn initial_accuracy(scope: &Scope) -> Result<Figure, AppError> {
    let values = META_RATES.values(scope);
    let mut rows = vec![header(&["scenario", "training", META_RATES.key])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let mut series = Vec::new();
        let mut reference = None;
        for training in &scope.trainings {
            let mut points = Vec::new();
            for (index, &value) in values.iter().enumerate() {
                let runs = scope.finished(&meta_rate(scope, scenario, training, value))?;
                reference = reference.or_else(|| greedy_line(&runs, -0.5, values.len() as f64 - 0.5));
                let q2: Vec<f64> = runs.iter().filter_map(|run| run.results.q2_start).collect();
                if q2.is_empty() {
                    continue;
                }
                let spread = Spread::of(&q2);
                rows.push(text_row(&[scenario, training, &value.to_string()], &spread));
                points.push(Point::new(index as f64, &spread));
            }
            series.push(Series { label: format!("training {training}"), style: Style::Markers, points });
        }
        series.extend(reference);
        let names = values.iter().map(|&value| number(value)).collect();
        let x = Axis::Named { label: "Mlr, constant", names };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    let command =
        scope.pairs().next().map(|(scenario, training)| meta_rate(scope, scenario, training, 0.01).command("1"));
    Ok(Figure {
        id: "fig11",
        title: "Initial quality over the learning rate of meta-RL".to_owned(),
        text: "Q2 of what Algorithm 1 gives, before any step of Algorithm 2. The paper: best at 0.01 to 0.05."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command.unwrap_or_default(),
    })
}

/// Q2 over the steps of Algorithm 1 for several K: Fig. 12.
fn meta_steps(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![header(&["scenario", "training", "network.dnns", "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        for &dnns in &META_DNNS {
            let [trained, random] = meta_dnns(scope, scenario, training, dnns);
            let start: Vec<f64> = scope.finished(&random)?.iter().filter_map(|run| run.results.q2_start).collect();
            let mut spreads: Vec<(usize, Spread)> = Vec::new();
            if !start.is_empty() {
                spreads.push((0, Spread::of(&start)));
            }
            spreads.extend(over_steps(&scope.finished(&trained)?, "meta", |row| row.q2));
            for (step, spread) in &spreads {
                rows.push(text_row(&[scenario, training, &dnns.to_string(), &step.to_string()], spread));
            }
            let points = spreads.iter().map(|(step, spread)| Point::new(*step as f64, spread)).collect();
            series.push(Series { label: format!("K {dnns}"), style: Style::Curve, points });
        }
        let x = Axis::Linear { label: "outer steps of Algorithm 1" };
        panels.push(Panel { title: panel_title(scenario, training), x, y: Q2, series });
    }
    let command =
        scope.pairs().next().map(|(scenario, training)| meta_dnns(scope, scenario, training, 8.0)[0].command("1"));
    Ok(Figure {
        id: "fig12",
        title: "Quality over the steps of meta-RL".to_owned(),
        text: "Q2 during Algorithm 1; step 0 is the random start. The paper: as low as 0.2 before, above 0.5 after a few hundred \
               steps."
            .to_owned(),
        palette: Palette::Ordered,
        panels,
        rows,
        command: command.unwrap_or_default(),
    })
}

/// Q2 over the steps of Algorithm 2 from meta-RL and from random networks: Fig. 13.
fn starts(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![header(&["scenario", "training", "start", "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        let compared =
            [("meta-RL", scope.default(scenario, training)), ("random", from_random(scope, scenario, training))];
        for (label, experiment) in compared {
            let runs = scope.finished(&experiment)?;
            let start: Vec<f64> = runs.iter().filter_map(|run| run.results.q2_start).collect();
            let mut spreads: Vec<(usize, Spread)> = Vec::new();
            if !start.is_empty() {
                spreads.push((0, Spread::of(&start)));
            }
            spreads.extend(over_steps(&runs, "drl", |row| row.q2));
            for (step, spread) in &spreads {
                rows.push(text_row(&[scenario, training, label, &step.to_string()], spread));
            }
            let points = spreads.iter().map(|(step, spread)| Point::new(*step as f64, spread)).collect();
            series.push(Series { label: label.to_owned(), style: Style::Curve, points });
        }
        let x = Axis::Linear { label: "steps of Algorithm 2" };
        panels.push(Panel { title: panel_title(scenario, training), x, y: Q2, series });
    }
    let command = scope.pairs().next().map(|(scenario, training)| from_random(scope, scenario, training).command("1"));
    Ok(Figure {
        id: "fig13",
        title: "Start from meta-RL and from random networks".to_owned(),
        text: "Q2 during Algorithm 2; the first steps only fill the buffer. The paper: the start from meta-RL needs fewer steps."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command.unwrap_or_default(),
    })
}

/// All schemes over α: Fig. 14.
fn weights(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![header(&["scenario", "scheme", "alpha", "measure"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let mut series: Vec<Series> = Vec::new();
        let mut add = |label: &str, point: Point| match series.iter_mut().find(|series| series.label == label) {
            Some(series) => series.points.push(point),
            None => series.push(Series { label: label.to_owned(), style: Style::Markers, points: vec![point] }),
        };
        for &alpha in scope.alphas() {
            for (index, training) in scope.trainings.iter().enumerate() {
                let runs = scope.finished(&scope.default(&scope.with_alpha(scenario, alpha)?, training))?;
                let Some(first) = runs.first() else { continue };
                for evaluation in &first.results.evaluations {
                    let scheme = evaluation.scheme.as_str();
                    let trained = scheme == "mr-dro";
                    // The classic schemes are the same in both; the random one and the optimum show nothing.
                    if !trained && index > 0 || ["random", "exact", "mr-dro-explored"].contains(&scheme) {
                        continue;
                    }
                    let label = if trained { format!("mr-dro, {training}") } else { scheme.to_owned() };
                    let of = |value: fn(&data::Evaluation) -> Option<f64>| -> Option<Vec<f64>> {
                        let of_run = |run: &Finished| {
                            run.results.evaluations.iter().find(|other| other.scheme == scheme).and_then(value)
                        };
                        runs.iter().map(of_run).collect()
                    };
                    if let Some(costs) = of(|evaluation| Some(evaluation.mean_cost)) {
                        rows.push(text_row(&[scenario, &label, &alpha.to_string(), "mean_cost"], &Spread::of(&costs)));
                    }
                    if let Some(q2) = of(|evaluation| evaluation.q2) {
                        let spread = Spread::of(&q2);
                        rows.push(text_row(&[scenario, &label, &alpha.to_string(), "q2"], &spread));
                        add(&label, Point::new(alpha, &spread));
                    }
                }
            }
        }
        let x = Axis::Linear { label: "α, weight of energy" };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    let first = scope.scenarios.first().zip(scope.trainings.first());
    let command = match first {
        Some((scenario, training)) => {
            scope.default(&scope.with_alpha(scenario, scope.alphas()[0])?, training).command("1")
        }
        None => String::new(),
    };
    Ok(Figure {
        id: "fig14",
        title: "All schemes over α".to_owned(),
        text: "Q2 of every scheme on scenarios that differ in α alone; mean costs are in the data. The paper: MR-DRO is best at every α."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command,
    })
}

/// A figure of the paper by its name.
pub(super) fn figure(id: &str, scope: &Scope) -> Result<Option<Figure>, AppError> {
    let figure = match id {
        "fig5" => convergence(
            "fig5",
            scope,
            &DNNS,
            "Q1 compares the recorded costs with what all K DNNs would answer now, on one batch; the picture shows means of reports that follow \
             one another, the data each report. The paper: with K = 1 it does not converge to 1.",
        )?,
        "fig6" => convergence("fig6", scope, &LEARNING_RATES, "The paper: best at 0.01.")?,
        "fig7" => convergence("fig7", scope, &BUFFERS, "The paper: best at 1,400.")?,
        "fig8" => accuracy("fig8", scope, &DNNS, "The paper: rises with K and stays at about 0.94 from K = 8 on.")?,
        "fig9" => accuracy("fig9", scope, &LEARNING_RATES, "The paper: best at 0.01, below 0.8 at 0.1.")?,
        "fig10" => {
            accuracy("fig10", scope, &BUFFERS, "The paper: above 0.9 from 500 to 4,800, best at 1,000 to 1,400.")?
        }
        "fig11" => initial_accuracy(scope)?,
        "fig12" => meta_steps(scope)?,
        "fig13" => starts(scope)?,
        "fig14" => weights(scope)?,
        _ => return Ok(None),
    };
    Ok(Some(figure))
}
