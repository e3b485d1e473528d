//! One network with explored candidates compared with K networks, at equal numbers of cost evaluations.

use data::StandardSet;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::statistics::Spread;
use mrdro::{Problem, evaluate_all};

use super::evaluations::KeptEvaluations;
use super::part::Part;
use super::rows::{Q2, evaluation_header, evaluation_row};
use super::scope::{Experiment, Scope};
use crate::error::Error;
use crate::page::{Figure, cells};

/// Cost evaluations of a decision.
const EVALUATIONS: [usize; 3] = [2, 4, 8];
/// The number K of the preset.
const PRESET_NETWORKS: usize = 8;
/// The number of seeds at most.
const SEEDS: usize = 3;

/// How the candidates of a decision come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proposals {
    /// One candidate from each of K networks.
    OfNetworks,
    /// The candidate of one network, and K − 1 with a flipped indicator.
    OfFlips,
}

impl Proposals {
    const ALL: [Self; 2] = [Self::OfNetworks, Self::OfFlips];

    fn label(self) -> &'static str {
        match self {
            Self::OfNetworks => "K DNNs, thresholds",
            Self::OfFlips => "one DNN, K − 1 flips",
        }
    }

    /// The training of networks that decide so, from random networks.
    fn experiment(self, scope: &Scope, scenario: &str, evaluations: usize) -> Experiment {
        let flips = evaluations - 1;
        let mut settings = vec!["meta.outer_steps=0".to_owned()];
        match self {
            Self::OfNetworks if evaluations == PRESET_NETWORKS => return scope.random_start(scenario, "paper"),
            Self::OfNetworks => settings.push(format!("network.dnns={evaluations}")),
            Self::OfFlips => settings.extend([
                "network.dnns=1".to_owned(),
                "drl.exploration=order-preserving".to_owned(),
                format!("drl.flips={flips}"),
                "decision.exploration=order-preserving".to_owned(),
                format!("decision.flips={flips}"),
            ]),
        }
        Experiment { most_seeds: SEEDS, ..scope.experiment(scenario, "paper", &settings) }
    }
}

/// The experiments that the figure needs.
pub(super) fn experiments(scope: &Scope) -> Vec<Experiment> {
    let of_scenario = |scenario: &String| {
        let of_evaluations =
            |&count: &usize| Proposals::ALL.map(|proposals| proposals.experiment(scope, scenario, count));
        EVALUATIONS.iter().flat_map(of_evaluations).collect::<Vec<_>>()
    };
    scope.scenarios.iter().flat_map(of_scenario).collect()
}

/// One network with flipped candidates compared with K networks.
pub(super) fn figure(scope: &Scope, kept: &mut KeptEvaluations) -> Result<Figure, Error> {
    let mut rows = vec![evaluation_header(&["scenario", "networks", "prices", "run"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let problem = Problem::load(scenario)?;
        let set = problem.standard_set()?;
        let mut series = Vec::new();
        for proposals in Proposals::ALL {
            let mut points = Vec::new();
            for (index, &evaluations) in EVALUATIONS.iter().enumerate() {
                let experiment = proposals.experiment(scope, scenario, evaluations);
                let keys = [scenario, proposals.label(), &evaluations.to_string()];
                let measured = measure(scope, kept, &experiment, (&problem, &set))?;
                rows.extend(measured.iter().map(|(run, row)| evaluation_row(&[&keys[..], &[run]].concat(), row)));
                let q2: Vec<f64> = measured.iter().filter_map(|(_, row)| row.q2).collect();
                if !q2.is_empty() {
                    points.push(Point::new(index as f64, &Spread::of(&q2)));
                }
            }
            series.push(Series { label: proposals.label().to_owned(), style: Style::Markers, points });
        }
        let x = Axis::Named { label: "cost evaluations of a decision", names: cells(EVALUATIONS) };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    let command =
        scope.scenarios.first().map(|scenario| Proposals::OfFlips.experiment(scope, scenario, 8).command("1"));
    Ok(Figure {
        id: Part::Candidates.name(),
        title: "One DNN with explored candidates beside K DNNs".to_owned(),
        text: "Equally many cost evaluations in training and in decisions: K networks that each propose one decision, or one network whose \
               least certain indicators are flipped. Random start, Algorithm 2 as printed."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command.unwrap_or_default(),
    })
}

/// The evaluation of each finished run's networks as their record decides, with the name of the run.
fn measure(
    scope: &Scope,
    kept: &mut KeptEvaluations,
    experiment: &Experiment,
    (problem, set): (&Problem, &StandardSet),
) -> Result<Vec<(String, data::Evaluation)>, Error> {
    let mut measured = Vec::new();
    for run in scope.finished(experiment)? {
        let measure = || Ok(evaluate_all(vec![run.scheme("mr-dro", problem, None)?], set)?);
        let evaluations = kept.read_or_measure(&run.name(), measure)?;
        measured.extend(evaluations.into_iter().map(|evaluation| (run.name(), evaluation)));
    }
    Ok(measured)
}
