//! Figs. 11 to 13: the effect of Algorithm 1.

use mrdro::Phase;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style, number};
use mrdro::statistics::Spread;

use super::finished::{over_steps, q2_at_start};
use super::part::Part;
use super::rows::{Q2, greedy_line, pair_title, points_over_steps, spread_header, spread_row};
use super::scope::{Experiment, Scope};
use super::sweeps::META_RATES;
use crate::error::Error;
use crate::page::Figure;

/// The values of K in Fig. 12.
const META_DNNS: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

/// Algorithm 1 alone with some settings: what counts is Q2 before the first step of Algorithm 2.
fn meta_only(scope: &Scope, scenario: &str, training: &str, settings: &[String]) -> Experiment {
    let no_steps = "drl.steps=0".to_owned();
    scope.experiment(scenario, training, &[settings, &[no_steps]].concat())
}

/// Algorithm 1 alone with a constant step size.
fn meta_rate(scope: &Scope, scenario: &str, training: &str, value: f64) -> Experiment {
    let settings = [format!("meta.step_size={value}"), format!("meta.final_step_size={value}")];
    meta_only(scope, scenario, training, &settings)
}

/// Algorithm 1 alone with K networks, and the random networks that it starts from.
fn meta_dnns(scope: &Scope, scenario: &str, training: &str, dnns: f64) -> [Experiment; 2] {
    let dnns = format!("network.dnns={dnns}");
    let trained = meta_only(scope, scenario, training, std::slice::from_ref(&dnns));
    let random = meta_only(scope, scenario, training, &[dnns, "meta.outer_steps=0".to_owned()]);
    [trained, random]
}

/// The experiments that one of these figures needs.
pub(super) fn experiments(part: Part, scope: &Scope) -> Vec<Experiment> {
    let of_pair = |(scenario, training)| -> Vec<Experiment> {
        match part {
            Part::Fig11 => {
                let rates = META_RATES.values(scope).iter();
                rates.map(|&rate| meta_rate(scope, scenario, training, rate)).collect()
            }
            Part::Fig12 => META_DNNS.iter().flat_map(|&dnns| meta_dnns(scope, scenario, training, dnns)).collect(),
            Part::Fig13 => vec![scope.default(scenario, training), scope.random_start(scenario, training)],
            _ => Vec::new(),
        }
    };
    scope.pairs().flat_map(of_pair).collect()
}

/// The command that makes one run of an experiment for the first scenario and training; empty if there is none.
fn command(scope: &Scope, experiment: impl Fn(&str, &str) -> Experiment) -> String {
    scope.pairs().next().map(|(scenario, training)| experiment(scenario, training).command("1")).unwrap_or_default()
}

/// Q2 before the first step of Algorithm 2 for each step size of Algorithm 1.
pub(super) fn q2_by_rate(scope: &Scope, scenario: &str, training: &str) -> Result<Vec<(f64, Spread)>, Error> {
    let mut all = Vec::new();
    for &value in META_RATES.values(scope) {
        let q2 = q2_at_start(&scope.finished(&meta_rate(scope, scenario, training, value))?);
        all.extend(q2.map(|spread| (value, spread)));
    }
    Ok(all)
}

/// Q2 before the first step of Algorithm 2 over the step size of Algorithm 1: Fig. 11.
pub(super) fn fig11(scope: &Scope) -> Result<Figure, Error> {
    let values = META_RATES.values(scope);
    let mut rows = vec![spread_header(&["scenario", "training", META_RATES.key])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let mut series = Vec::new();
        let mut greedy = None;
        for training in &scope.trainings {
            let mut points = Vec::new();
            for (index, &value) in values.iter().enumerate() {
                let runs = scope.finished(&meta_rate(scope, scenario, training, value))?;
                greedy = greedy.or_else(|| greedy_line(&runs, -0.5, values.len() as f64 - 0.5));
                let Some(spread) = q2_at_start(&runs) else { continue };
                rows.push(spread_row(&[scenario, training, &value.to_string()], &spread));
                points.push(Point::new(index as f64, &spread));
            }
            series.push(Series { label: format!("training {training}"), style: Style::Markers, points });
        }
        series.extend(greedy);
        let names = values.iter().map(|&value| number(value)).collect();
        let x = Axis::Named { label: "Mlr, constant", names };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    Ok(Figure {
        id: Part::Fig11.name(),
        title: "Initial quality over the learning rate of meta-RL".to_owned(),
        text: "Q2 of what Algorithm 1 gives, before any step of Algorithm 2. The paper: best at 0.01 to 0.05."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command(scope, |scenario, training| meta_rate(scope, scenario, training, 0.01)),
    })
}

/// Q2 over the steps of Algorithm 1 for several K: Fig. 12.
pub(super) fn fig12(scope: &Scope) -> Result<Figure, Error> {
    let mut rows = vec![spread_header(&["scenario", "training", "network.dnns", "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        for &dnns in &META_DNNS {
            let [trained, random] = meta_dnns(scope, scenario, training, dnns);
            let start = q2_at_start(&scope.finished(&random)?);
            let spreads = from_start(start, over_steps(&scope.finished(&trained)?, Phase::Meta, |row| row.q2));
            for (step, spread) in &spreads {
                rows.push(spread_row(&[scenario, training, &dnns.to_string(), &step.to_string()], spread));
            }
            let points = points_over_steps(&spreads);
            series.push(Series { label: format!("K {dnns}"), style: Style::Curve, points });
        }
        let x = Axis::Linear { label: "outer steps of Algorithm 1" };
        panels.push(Panel { title: pair_title(scenario, training), x, y: Q2, series });
    }
    Ok(Figure {
        id: Part::Fig12.name(),
        title: "Quality over the steps of meta-RL".to_owned(),
        text: "Q2 during Algorithm 1; step 0 is the random start. The paper: as low as 0.2 before, above 0.5 after a few hundred \
               steps."
            .to_owned(),
        palette: Palette::Ordered,
        panels,
        rows,
        command: command(scope, |scenario, training| {
            let [trained, _] = meta_dnns(scope, scenario, training, 8.0);
            trained
        }),
    })
}

/// Q2 over the steps of Algorithm 2 from meta-RL and from random networks: Fig. 13.
pub(super) fn fig13(scope: &Scope) -> Result<Figure, Error> {
    let mut rows = vec![spread_header(&["scenario", "training", "start", "step"])];
    let mut panels = Vec::new();
    for (scenario, training) in scope.pairs() {
        let mut series = Vec::new();
        let compared =
            [("meta-RL", scope.default(scenario, training)), ("random", scope.random_start(scenario, training))];
        for (label, experiment) in compared {
            let runs = scope.finished(&experiment)?;
            let spreads = from_start(q2_at_start(&runs), over_steps(&runs, Phase::Drl, |row| row.q2));
            for (step, spread) in &spreads {
                rows.push(spread_row(&[scenario, training, label, &step.to_string()], spread));
            }
            let points = points_over_steps(&spreads);
            series.push(Series { label: label.to_owned(), style: Style::Curve, points });
        }
        let x = Axis::Linear { label: "steps of Algorithm 2" };
        panels.push(Panel { title: pair_title(scenario, training), x, y: Q2, series });
    }
    Ok(Figure {
        id: Part::Fig13.name(),
        title: "Start from meta-RL and from random networks".to_owned(),
        text: "Q2 during Algorithm 2; the first steps only fill the buffer. The paper: the start from meta-RL needs fewer steps."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command(scope, |scenario, training| scope.random_start(scenario, training)),
    })
}

/// Spreads over steps, with the start, if it is known, as step 0.
fn from_start(start: Option<Spread>, later: Vec<(usize, Spread)>) -> Vec<(usize, Spread)> {
    start.map(|spread| (0, spread)).into_iter().chain(later).collect()
}
