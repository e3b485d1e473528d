//! Time of a decision against its quality, for every scheme.

use data::{Evaluation, StandardSet};
use model::{Selection, SelectionScope};
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};
use mrdro::{Problem, evaluate_all};
use sim::scheme::{self, Genetic, GeneticSettings, Scheme};

use super::evaluations::KeptEvaluations;
use super::finished::FinishedRun;
use super::part::Part;
use super::rows::{Q2, evaluation_header, evaluation_row, finish_evaluation_rows};
use super::scope::Scope;
use crate::error::Error;
use crate::page::Figure;

/// Flips of the networks' candidates.
const FLIPS: [usize; 7] = [0, 1, 2, 4, 6, 9, 18];
/// Population and generations of the genetic algorithm.
const GENETIC: [(usize, usize); 6] = [(6, 3), (10, 6), (16, 10), (30, 20), (50, 60), (100, 100)];
/// Classic schemes that the figure leaves out; the genetic algorithm has a curve of its own.
const NOT_SHOWN: [&str; 5] = ["random", "genetic", "local-only", "local+edge", "local+cloud"];
/// The smallest time that is drawn: reading a clock twice tells no shorter times apart.
const SHORTEST_S: f64 = 2e-8;

/// The chart of one scenario while it is made.
struct Chart<'a> {
    scenario: &'a str,
    rows: &'a mut Vec<Vec<String>>,
    series: Vec<Series>,
}

impl Chart<'_> {
    /// Adds evaluations as one series, each with the name of its variant.
    fn add(&mut self, label: &str, style: Style, evaluations: &[(String, Evaluation)]) {
        let mut points = Vec::new();
        for (variant, evaluation) in evaluations {
            self.rows.push(evaluation_row(&[self.scenario, label, variant], evaluation));
            let seconds = evaluation.seconds_per_decision.max(SHORTEST_S);
            points.extend(evaluation.q2.map(|q2| Point::exact(1e6 * seconds, q2)));
        }
        self.series.push(Series { label: label.to_owned(), style, points });
    }
}

/// Time of a decision against its quality, for every scheme.
pub(super) fn figure(scope: &Scope, kept: &mut KeptEvaluations) -> Result<Figure, Error> {
    let mut rows = vec![evaluation_header(&["scenario", "scheme", "variant"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let problem = Problem::load(scenario)?;
        let set = problem.standard_set()?;
        let seed = scope.seeds.first().copied().unwrap_or(1);
        let mut chart = Chart { scenario, rows: &mut rows, series: Vec::new() };
        add_classic(&mut chart, kept, (&problem, &set), seed)?;
        add_genetic(&mut chart, kept, (&problem, &set), seed)?;
        for training in &scope.trainings {
            if let Some(run) = scope.finished(&scope.default(scenario, training))?.first() {
                let evaluations = with_flips(run, kept, (&problem, &set))?;
                chart.add(&format!("mr-dro, {training}, 0 to 18 flips"), Style::Markers, &evaluations);
            }
        }
        let x = Axis::Log { label: "µs for one decision, one thread" };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series: chart.series });
    }
    Ok(Figure {
        id: Part::TradeOff.name(),
        title: "Time of a decision against its quality".to_owned(),
        text: "Up and to the left is better. Medians of 512 decisions, one at a time, on one thread of this machine, of the first seed's \
               records; a gap below 1e-5 is drawn as 1e-5."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows: finish_evaluation_rows(rows),
        command: "cargo run -p trainer -- reproduce --only tradeoff --out reproduction".to_owned(),
    })
}

/// Adds the classic schemes, each as a series of one point.
fn add_classic(
    chart: &mut Chart<'_>,
    kept: &mut KeptEvaluations,
    (problem, set): (&Problem, &StandardSet),
    seed: u64,
) -> Result<(), Error> {
    let measure = || Ok(evaluate_all(scheme::classic(&problem.model, seed), set)?);
    for evaluation in kept.read_or_measure(&format!("{}-classic", problem.scenario.name), measure)? {
        if !NOT_SHOWN.contains(&evaluation.scheme.as_str()) {
            chart.add(&evaluation.scheme.clone(), Style::Points, &[(String::new(), evaluation)]);
        }
    }
    Ok(())
}

/// Adds the genetic algorithm with growing budgets.
fn add_genetic(
    chart: &mut Chart<'_>,
    kept: &mut KeptEvaluations,
    (problem, set): (&Problem, &StandardSet),
    seed: u64,
) -> Result<(), Error> {
    let scheme = |&(population, generations): &(usize, usize)| -> Box<dyn Scheme> {
        Box::new(Genetic::new(seed, GeneticSettings { population, generations, ..GeneticSettings::default() }))
    };
    let measure = || Ok(evaluate_all(GENETIC.iter().map(scheme).collect(), set)?);
    let evaluations = kept.read_or_measure(&format!("{}-genetic", problem.scenario.name), measure)?;
    let variants = GENETIC.iter().map(|(population, generations)| format!("{population} × {generations}"));
    let evaluations: Vec<_> = variants.zip(evaluations).collect();
    chart.add("genetic, growing budgets", Style::Markers, &evaluations);
    Ok(())
}

/// The evaluations of a run's networks for each number of flips.
fn with_flips(
    run: &FinishedRun,
    kept: &mut KeptEvaluations,
    (problem, set): (&Problem, &StandardSet),
) -> Result<Vec<(String, Evaluation)>, Error> {
    let scheme = |&flips: &usize| {
        let selection = match flips {
            0 => Selection { scope: SelectionScope::PerDevice, ..Selection::PAPER },
            _ => Selection::explored(flips),
        };
        run.scheme("mr-dro", problem, Some(selection))
    };
    let measure = || Ok(evaluate_all(FLIPS.iter().map(scheme).collect::<Result<_, _>>()?, set)?);
    let evaluations = kept.read_or_measure(&format!("{}-flips", run.name()), measure)?;
    Ok(FLIPS.iter().map(|flips| format!("{flips} flips")).zip(evaluations).collect())
}
