//! How schemes do on a set of applications.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use sim::graph::scheme::{GraphScheme, GraphSchemeError, GraphSolution};
use sim::graph::{GraphModel, GraphOutcome};
use sim::metrics::cost_ratio;

use crate::error::Error;

/// How one scheme did on a set of applications: means over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphEvaluation {
    /// The scheme's name.
    pub scheme: String,
    /// Mean energy.
    pub mean_energy_j: f64,
    /// Mean time until the last result.
    pub mean_time_s: f64,
    /// Mean cost.
    pub mean_cost: f64,
    /// The share of applications whose decision exceeds a limit of energy, time or money; `None`: there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_beyond_limits: Option<f64>,
    /// Q2 against the best decisions known: the mean ratio of their cost to the cost of this scheme. A decision beyond a limit
    /// counts 0 where one within it is known.
    pub q2: f64,
    /// 5th percentile of the single ratios that `q2` is the mean of.
    pub q2_p05: f64,
    /// The share of applications for which the scheme found the best decision known.
    pub share_best: f64,
    /// Cost evaluations for one decision.
    pub evaluations_per_decision: f64,
    /// Median time of one decision, taken singly on one thread.
    pub seconds_per_decision: f64,
}

/// The evaluations of several schemes on one set of applications.
#[derive(Debug)]
pub struct GraphComparison {
    /// One evaluation for each scheme, in the order in which the schemes were given.
    pub evaluations: Vec<GraphEvaluation>,
    /// The names of the schemes that cannot decide these applications, each with its error.
    pub left_out: Vec<(String, GraphSchemeError)>,
    /// The number of applications.
    pub applications: usize,
    /// The number of applications whose best decision is proved to be the optimum, at least in the order in which the
    /// scenario schedules tasks.
    pub proved: usize,
    /// The mean over all applications of 1 − bound / cost of the best decision known: 0 where it is proved. `None` if no
    /// scheme gave a bound for some application.
    pub mean_gap: Option<f64>,
}

/// The decisions of one scheme about a set of applications.
#[derive(Debug)]
pub struct Decided {
    scheme: String,
    outcomes: Vec<GraphOutcome>,
    solutions: Vec<GraphSolution>,
    seconds: Vec<f64>,
}

/// Lets schemes decide applications, one scheme after the other, so that their times are comparable. A scheme that cannot
/// decide one of them is left out. `progress` is told the number of decisions made so far, of all schemes together.
///
/// # Errors
/// If there is no application.
pub fn compare(
    schemes: Vec<Box<dyn GraphScheme>>,
    models: &[GraphModel],
    progress: &mut dyn FnMut(usize),
) -> Result<GraphComparison, Error> {
    if models.is_empty() {
        return Err(Error::NoApplication);
    }
    let (mut all, mut left_out) = (Vec::new(), Vec::new());
    for (index, mut scheme) in schemes.into_iter().enumerate() {
        let mut told = |decided| progress(index * models.len() + decided);
        match decide_all(&mut *scheme, models, &mut told) {
            Ok(decided) => all.push(decided),
            Err(error) => left_out.push((scheme.name().to_owned(), error)),
        }
    }
    Ok(comparison(&all.iter().collect::<Vec<_>>(), left_out, models))
}

/// Compares the decisions of several schemes about the same applications. `left_out` are the schemes that cannot decide them.
///
/// # Panics
/// If there is no application, or a scheme has decided another number of them.
pub fn comparison(
    all: &[&Decided],
    left_out: Vec<(String, GraphSchemeError)>,
    models: &[GraphModel],
) -> GraphComparison {
    let best: Vec<(bool, f64)> = (0..models.len())
        .map(|index| {
            let ranks = all.iter().map(|decided| rank(&decided.outcomes[index]));
            ranks.min_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)).unwrap_or((true, f64::INFINITY))
        })
        .collect();
    let bounds: Vec<Option<f64>> = (0..models.len())
        .map(|index| {
            let bound = |decided: &&Decided| decided.solutions[index].optimality.bound(decided.outcomes[index].cost);
            all.iter().filter_map(bound).max_by(f64::total_cmp)
        })
        .collect();
    let gap = |((_, best), bound): (&(bool, f64), &Option<f64>)| {
        bound.map(|bound| if *best > 0.0 { (1.0 - bound / best).max(0.0) } else { 0.0 })
    };
    let gaps: Option<Vec<f64>> = best.iter().zip(&bounds).map(gap).collect();
    let proved = (0..models.len())
        .filter(|index| all.iter().any(|decided| decided.solutions[*index].optimality.is_optimal()))
        .count();
    GraphComparison {
        evaluations: all.iter().map(|decided| evaluation(decided, models, &best)).collect(),
        left_out,
        applications: models.len(),
        proved,
        mean_gap: gaps.map(|gaps| mean(gaps.into_iter())),
    }
}

impl Decided {
    /// The share of applications whose decision the scheme proved to be the best, at least in the order of their tasks.
    pub fn share_proved(&self) -> f64 {
        let proved = self.solutions.iter().filter(|solution| solution.optimality.is_optimal()).count();
        proved as f64 / self.solutions.len().max(1) as f64
    }
}

/// Lets a scheme decide applications, one after the other. `progress` is told the number of decisions made so far.
///
/// # Errors
/// If the scheme cannot decide one of them.
pub fn decide_all(
    scheme: &mut dyn GraphScheme,
    models: &[GraphModel],
    progress: &mut dyn FnMut(usize),
) -> Result<Decided, GraphSchemeError> {
    let mut decided = Decided {
        scheme: scheme.name().to_owned(),
        outcomes: Vec::with_capacity(models.len()),
        solutions: Vec::with_capacity(models.len()),
        seconds: Vec::with_capacity(models.len()),
    };
    for model in models {
        let start = Instant::now();
        let solution = scheme.decide(model)?;
        decided.seconds.push(start.elapsed().as_secs_f64());
        decided.outcomes.push(solution.outcome(model));
        decided.solutions.push(solution);
        progress(decided.solutions.len());
    }
    Ok(decided)
}

/// Decisions in the order of their quality: within limits first, then the cheapest.
fn rank(outcome: &GraphOutcome) -> (bool, f64) {
    (outcome.exceeds_limits, outcome.cost)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

fn evaluation(decided: &Decided, models: &[GraphModel], best: &[(bool, f64)]) -> GraphEvaluation {
    let Decided { scheme, outcomes, solutions, seconds } = decided;
    let ratio = |(outcome, (beyond, cost)): (&GraphOutcome, &(bool, f64))| {
        if outcome.exceeds_limits && !beyond { 0.0 } else { cost_ratio(*cost, outcome.cost).min(1.0) }
    };
    let mut ratios: Vec<f64> = outcomes.iter().zip(best).map(ratio).collect();
    let q2 = mean(ratios.iter().copied());
    let is_best = |ratio: &&f64| **ratio > 1.0 - 1e-9;
    let share_best = ratios.iter().filter(is_best).count() as f64 / ratios.len() as f64;
    ratios.sort_by(f64::total_cmp);
    let mut seconds = seconds.clone();
    seconds.sort_by(f64::total_cmp);
    let of = |value: fn(&GraphOutcome) -> f64| mean(outcomes.iter().map(value));
    let has_limits = models.iter().any(GraphModel::has_limits);
    GraphEvaluation {
        scheme: scheme.clone(),
        mean_energy_j: of(|outcome| outcome.energy_j),
        mean_time_s: of(|outcome| outcome.time_s),
        mean_cost: of(|outcome| outcome.cost),
        share_beyond_limits: has_limits.then(|| of(|outcome| f64::from(u8::from(outcome.exceeds_limits)))),
        q2,
        q2_p05: ratios[ratios.len() / 20],
        share_best,
        evaluations_per_decision: mean(solutions.iter().map(|solution| solution.evaluations as f64)),
        seconds_per_decision: seconds[seconds.len() / 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphs::GraphProblem;

    #[test]
    fn the_optimum_has_q2_of_1_and_no_scheme_is_above_it() {
        for name in ["graph", "graph-serial", "call-graph", "layers"] {
            let problem = GraphProblem::load(name).expect("a preset");
            let models = &problem.standard_set().expect("a generator")[..20];
            let comparison = compare(problem.schemes(1), models, &mut |_| {}).expect("applications");
            assert!(comparison.left_out.is_empty(), "{name}: {:?}", comparison.left_out);
            assert_eq!((comparison.proved, comparison.mean_gap), (20, Some(0.0)), "{name}");
            let exact = comparison.evaluations.last().expect("the optimum");
            assert_eq!((exact.scheme.as_str(), exact.share_best), ("exact", 1.0), "{name}");
            for row in &comparison.evaluations {
                assert!(row.q2 <= exact.q2 && row.q2_p05 <= 1.0, "{name}: {row:?}");
                assert!(row.mean_cost >= exact.mean_cost * (1.0 - 1e-9) || row.share_beyond_limits > Some(0.0));
            }
        }
    }
}
