//! Task graphs: the systems of Table I that decide them, and what they claim.

mod cuts;
mod findings;
mod layers;
mod schedules;

use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::graphs::{GraphEvaluation, GraphProblem, compare};
use sim::graph::GraphScenario;

use self::findings::Finding;
use super::evaluations::KeptEvaluations;
use super::part::Part;
use super::rows::Q2;
use super::scope::Scope;
use crate::error::Error;
use crate::page::{Figure, Table, cells};

/// The number of applications of each scenario on which schemes are compared, and with `--quick`.
const APPLICATIONS: usize = 100;
const QUICK_APPLICATIONS: usize = 10;
/// The smallest time that is drawn: reading a clock twice tells no shorter times apart.
const SHORTEST_S: f64 = 2e-8;
/// Schemes that are not drawn: they are too far from the others.
const NOT_SHOWN: [&str; 1] = ["random"];

/// The claims about task graphs with verdicts.
pub(super) fn claims(scope: &Scope, kept: &KeptEvaluations) -> Result<Table, Error> {
    let findings: Vec<Finding> = kept.read_or_measure_values("graphs-claims", || {
        let sample = Sample { applications: if scope.quick { 40 } else { 1000 }, seed: seed(scope) };
        Ok([cuts::findings(sample)?, schedules::findings(sample)?, layers::findings(sample)?].concat())
    })?;
    Ok(Table {
        title: "Task graphs: the claims of the systems of Table I".to_owned(),
        rows: std::iter::once(Finding::header()).chain(findings.iter().map(Finding::row)).collect(),
    })
}

/// The applications that claims are measured on.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// The number of applications where each takes a millisecond or less.
    applications: usize,
    seed: u64,
}

fn seed(scope: &Scope) -> u64 {
    scope.seeds.first().copied().unwrap_or(1)
}

/// Time of a decision against its quality, for every shipped scenario.
pub(super) fn figure(scope: &Scope, kept: &KeptEvaluations) -> Result<Figure, Error> {
    let mut rows = vec![cells([
        "scenario",
        "scheme",
        "q2",
        "q2_p05",
        "share_best",
        "share_beyond_limits",
        "mean_cost",
        "evaluations_per_decision",
        "seconds_per_decision",
    ])];
    let mut panels = Vec::new();
    for name in GraphScenario::presets() {
        let measure = || {
            let problem = GraphProblem::load(name)?;
            let mut set = problem.standard_set()?;
            set.truncate(if scope.quick { QUICK_APPLICATIONS } else { APPLICATIONS });
            Ok(compare(problem.schemes(seed(scope)), &set, &mut |_| {})?.evaluations)
        };
        let evaluations: Vec<GraphEvaluation> = kept.read_or_measure_values(&format!("graphs-{name}"), measure)?;
        let mut series = Vec::new();
        for evaluation in &evaluations {
            rows.push(row(name, evaluation));
            if !NOT_SHOWN.contains(&evaluation.scheme.as_str()) {
                let x = 1e6 * evaluation.seconds_per_decision.max(SHORTEST_S);
                let points = vec![Point::exact(x, evaluation.q2)];
                series.push(Series { label: evaluation.scheme.clone(), style: Style::Points, points });
            }
        }
        let x = Axis::Log { label: "µs for one decision, one thread" };
        panels.push(Panel { title: format!("scenario {name}"), x, y: Q2, series });
    }
    Ok(Figure {
        id: Part::Graphs.name(),
        title: "Task graphs: time of a decision against its quality".to_owned(),
        text: "Up and to the left is better. Means over the first applications of each scenario's standard set; median times on one thread of \
               this machine. Q2 compares with the best decision known in the scenario's order of tasks; a gap below 1e-5 is drawn as 1e-5."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: String::new(),
    })
}

fn row(scenario: &str, evaluation: &GraphEvaluation) -> Vec<String> {
    let mut row = cells([scenario, &evaluation.scheme]);
    row.extend(cells([evaluation.q2, evaluation.q2_p05, evaluation.share_best]));
    row.push(evaluation.share_beyond_limits.map(|share| share.to_string()).unwrap_or_default());
    row.extend(cells([evaluation.mean_cost, evaluation.evaluations_per_decision, evaluation.seconds_per_decision]));
    row
}
