//! How schemes do on the same runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;
use sim::random;
use sim::stream::StreamScenario;
use sim::stream::dispatch::bound::lower_bound;
use sim::stream::dispatch::scheme::{DispatchSchemeKind, by_name};
use sim::stream::dispatch::{self, DispatchOutcome, Path, Site};
use sim::stream::scenario::{DispatchScenario, SlotScenario};
use sim::stream::slots::scheme::{SlotSchemeKind, ValueIterationModel};
use sim::stream::slots::{self, HindsightPlan, SlotPath};

use super::{StreamProblem, site_of_run, slot_paths};
use crate::error::Error;
use crate::statistics::student_interval;

/// The number of runs of a comparison, unless another is asked for.
pub const RUNS: usize = 5;

/// How one scheme did: means over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamEvaluation {
    /// The scheme's name.
    pub scheme: String,
    /// Mean energy of a task or a file, in J.
    pub mean_energy_j: f64,
    /// Mean time from the arrival until it is done or sent, in seconds: of a task, or of a byte.
    pub mean_delay_s: f64,
    /// Mean cost of a task or a file.
    pub mean_cost: f64,
    /// The mean over runs of its cost over that of the base, less 1.
    pub change: f64,
    /// Lower end of the 95 % interval of `change` over runs, by Student's t; `None` with one run.
    pub change_low: Option<f64>,
    /// Upper end.
    pub change_high: Option<f64>,
    /// The share of tasks or files that missed their deadline.
    pub missed_share: f64,
    /// Whether in some run a queue got more work than it can do: then it grows as long as the run lasts, and so do delay and cost.
    pub is_overloaded: bool,
    /// The share of tasks at each place, in the order of places; empty in slots.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub place_shares: Vec<f64>,
    /// The time of one decision, with that of the simulation, in seconds: the least of the means of the runs.
    pub seconds_per_decision: f64,
}

/// The evaluations of several schemes on the same runs.
#[derive(Debug)]
pub struct StreamComparison {
    /// One evaluation for each scheme, in the order in which the schemes were given.
    pub evaluations: Vec<StreamEvaluation>,
    /// The names of the schemes that cannot decide, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// The number of runs.
    pub runs: usize,
    /// The scheme against which changes are.
    pub base: &'static str,
    /// What no scheme can cost less than.
    pub bound: Option<StreamBound>,
}

/// What no scheme can cost less than: the mean over the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StreamBound {
    /// Of dispatching: over a long time no scheme has a lower mean cost of a task.
    LongRun(f64),
    /// In slots: no scheme has a lower cost on these courses, whatever it knows; `hindsight` reaches it where it is exact.
    Hindsight {
        /// The cost.
        cost: f64,
        /// Whether a scheme that knows the course reaches it.
        is_exact: bool,
    },
}

/// The figures of one run of one scheme.
#[derive(Debug, Clone)]
struct Figures {
    energy_j: f64,
    delay_s: f64,
    cost: f64,
    missed_share: f64,
    is_overloaded: bool,
    place_shares: Vec<f64>,
    seconds_per_decision: f64,
}

impl Figures {
    fn of(outcome: DispatchOutcome, seconds_per_decision: f64) -> Self {
        Self {
            energy_j: outcome.mean_energy_j,
            delay_s: outcome.mean_response_s,
            cost: outcome.mean_cost,
            missed_share: outcome.late_share,
            is_overloaded: outcome.utilisations.iter().any(|load| *load > OVERLOAD),
            place_shares: outcome.place_shares,
            seconds_per_decision,
        }
    }
}

/// A queue that gets this much of what it can do counts as overloaded: a little more than 1, since the tasks of a run differ
/// from their mean.
pub const OVERLOAD: f64 = 1.02;

/// A site, and a course of arrivals and rates at it, with the seed of schemes that draw.
pub type DispatchCourse = (Site, Path, u64);

/// What came of some courses when something else decided than the schemes that are compared.
#[derive(Debug, Clone)]
pub struct OwnOutcomes {
    /// The name in results.
    pub name: String,
    /// One outcome for each course.
    pub outcomes: Vec<DispatchOutcome>,
    /// The time of one decision, in seconds.
    pub seconds_per_decision: f64,
}

/// Runs schemes on given courses of dispatching, and puts what came of others on the same courses before them.
///
/// # Errors
/// If a scheme has no such name.
pub fn compare_on(
    courses: &[DispatchCourse],
    own: &[OwnOutcomes],
    schemes: &[String],
    progress: &(dyn Fn(usize) + Sync),
) -> Result<StreamComparison, Error> {
    let done = AtomicUsize::new(0);
    let told = || progress(done.fetch_add(1, Ordering::Relaxed) + 1);
    let base = "greedy";
    let mut all: Vec<String> = schemes.to_vec();
    all.push(base.to_owned());
    let (results, bound) = on_courses(courses, &all, &told)?;
    let of_base = results.last().and_then(|result| result.as_ref().ok()).ok_or(Error::NoApplication)?;
    let base_costs: Vec<f64> = of_base.iter().map(|figures| figures.cost).collect();
    let of_own = |own: &OwnOutcomes| {
        let figures = own.outcomes.iter().map(|outcome| Figures::of(outcome.clone(), own.seconds_per_decision));
        evaluation(&own.name, &figures.collect::<Vec<_>>(), &base_costs)
    };
    let mut evaluations: Vec<StreamEvaluation> = own.iter().map(of_own).collect();
    let mut left_out = Vec::new();
    for (name, result) in all.iter().zip(&results).take(schemes.len()) {
        match result {
            Ok(figures) => evaluations.push(evaluation(name, figures, &base_costs)),
            Err(reason) => left_out.push((name.clone(), reason.clone())),
        }
    }
    Ok(StreamComparison { evaluations, left_out, runs: courses.len(), base, bound: Some(bound) })
}

/// Runs schemes on the same courses of arrivals and rates, `runs` of them; run r draws site and course from `seed + r`. Where
/// rates in slots are recorded, there is one run for each recording. `progress` is told the number of runs made so far, of all
/// schemes together.
///
/// # Errors
/// If a scheme has no such name, or the scenario makes no problem.
pub fn compare(
    problem: &StreamProblem,
    schemes: &[String],
    runs: usize,
    seed: u64,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<StreamComparison, Error> {
    let base = problem.base();
    // What a scheme that is not asked for does is needed for the changes.
    let mut all: Vec<String> = schemes.to_vec();
    if !all.iter().any(|name| name == base) {
        all.push(base.to_owned());
    }
    let done = AtomicUsize::new(0);
    let told = || progress(done.fetch_add(1, Ordering::Relaxed) + 1);
    let (results, bound) = match &problem.scenario {
        StreamScenario::Dispatch(scenario) => of_dispatch(scenario, &all, runs, seed, &told)?,
        StreamScenario::Slots(scenario) => of_slots(scenario, &all, runs, seed, &told)?,
    };
    let of_base = all.iter().zip(&results).find_map(|(name, result)| (name == base).then_some(result));
    let of_base = of_base.and_then(|result| result.as_ref().ok()).ok_or(Error::NoApplication)?;
    let base_costs: Vec<f64> = of_base.iter().map(|figures| figures.cost).collect();
    let (mut evaluations, mut left_out) = (Vec::new(), Vec::new());
    for (name, result) in all.iter().zip(&results).take(schemes.len()) {
        match result {
            Ok(figures) => evaluations.push(evaluation(name, figures, &base_costs)),
            Err(reason) => left_out.push((name.clone(), reason.clone())),
        }
    }
    Ok(StreamComparison { evaluations, left_out, runs: base_costs.len(), base, bound: Some(bound) })
}

type Results = Vec<Result<Vec<Figures>, String>>;

fn of_dispatch(
    scenario: &DispatchScenario,
    schemes: &[String],
    runs: usize,
    seed: u64,
    told: &(dyn Fn() + Sync),
) -> Result<(Results, StreamBound), Error> {
    let runs = if scenario.is_fixed() { 1 } else { runs };
    let drawn = (0..runs).map(|index| {
        let (site, seed) = site_of_run(scenario, seed, index)?;
        let path = scenario.path(&site, seed)?;
        Ok((site, path, seed))
    });
    on_courses(&drawn.collect::<Result<Vec<DispatchCourse>, Error>>()?, schemes, told)
}

fn on_courses(
    drawn: &[DispatchCourse],
    schemes: &[String],
    told: &(dyn Fn() + Sync),
) -> Result<(Results, StreamBound), Error> {
    for name in schemes {
        name.parse::<DispatchSchemeKind>()?;
        by_name(name, &drawn[0].0)?;
    }
    let figures = |name: &String| -> Vec<Result<Figures, String>> {
        let of_run = |(site, path, seed): &DispatchCourse| {
            let mut scheme = by_name(name, site).map_err(|error| error.to_string())?;
            let start = Instant::now();
            let outcome = dispatch::simulate(site, path, scheme.as_mut(), *seed);
            let seconds = start.elapsed().as_secs_f64();
            told();
            Ok(Figures::of(outcome, seconds / path.arrivals().len() as f64))
        };
        drawn.par_iter().map(of_run).collect()
    };
    let bounds: Vec<f64> = drawn.par_iter().map(|(site, _, _)| lower_bound(site).cost).collect();
    let bound = StreamBound::LongRun(bounds.iter().sum::<f64>() / bounds.len() as f64);
    Ok((schemes.iter().map(|name| figures(name).into_iter().collect()).collect(), bound))
}

fn of_slots(
    scenario: &SlotScenario,
    schemes: &[String],
    runs: usize,
    seed: u64,
    told: &(dyn Fn() + Sync),
) -> Result<(Results, StreamBound), Error> {
    let paths = slot_paths(scenario, seed, runs)?;
    let kinds = schemes.iter().map(|name| Ok(name.parse::<SlotSchemeKind>()?));
    let kinds: Vec<SlotSchemeKind> = kinds.collect::<Result<_, Error>>()?;
    let model = fitted_model(scenario, seed, &kinds)?;
    let figures = |kind: &SlotSchemeKind| -> Vec<Result<Figures, String>> {
        let of_run = |path: &SlotPath| {
            let figures = || {
                let mut scheme = kind.build(model.as_ref())?;
                let start = Instant::now();
                let outcome = slots::simulate(path, scheme.as_mut(), None)?;
                let seconds = start.elapsed().as_secs_f64();
                Ok::<Figures, sim::stream::slots::SlotSchemeError>(Figures {
                    energy_j: outcome.energy_per_file_j,
                    delay_s: outcome.mean_delay_s,
                    cost: outcome.cost,
                    missed_share: outcome.missed_deadlines as f64 / outcome.files.max(1) as f64,
                    is_overloaded: false,
                    place_shares: Vec::new(),
                    seconds_per_decision: seconds / path.slots() as f64,
                })
            };
            let result = figures().map_err(|error| error.to_string());
            told();
            result
        };
        paths.par_iter().map(of_run).collect()
    };
    let has_tail = paths[0].problem().has_tail();
    let plans: Vec<HindsightPlan> = paths.par_iter().map(slots::hindsight).collect();
    let bound = StreamBound::Hindsight {
        cost: plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len() as f64,
        is_exact: plans.iter().all(|plan| plan.is_exact),
    };
    let is_exact = plans.iter().all(|plan| plan.is_exact);
    let results = kinds.iter().map(|kind| {
        if kind.scheme() == "hindsight" && !is_exact && !has_tail {
            return Err("it is a bound here, and no scheme may reach it; what it says stands with the table".to_owned());
        }
        figures(kind).into_iter().collect()
    });
    Ok((results.collect(), bound))
}

/// The number of paths on which schemes are tuned, and to which value iteration fits its chain.
const FITTED_PATHS: usize = 5;

/// The model of value iteration, if a scheme needs it: fitted to paths that are drawn from other seeds than those of runs.
pub(super) fn fitted_model(
    scenario: &SlotScenario,
    seed: u64,
    kinds: &[SlotSchemeKind],
) -> Result<Option<Arc<ValueIterationModel>>, Error> {
    if !kinds.iter().any(SlotSchemeKind::needs_model) {
        return Ok(None);
    }
    Ok(Some(Arc::new(ValueIterationModel::fit(&training_paths(scenario, seed)?)?)))
}

/// Paths for tuning and fitting that no run has.
pub(super) fn training_paths(scenario: &SlotScenario, seed: u64) -> Result<Vec<SlotPath>, Error> {
    let problem = scenario.problem()?;
    let seed = random::derived_seed(seed, "tuning/slots", 0);
    Ok((0..FITTED_PATHS).map(|index| problem.path(seed, index)).collect())
}

fn evaluation(name: &str, figures: &[Figures], base_costs: &[f64]) -> StreamEvaluation {
    let count = figures.len() as f64;
    let mean = |of: fn(&Figures) -> f64| figures.iter().map(of).sum::<f64>() / count;
    let changes: Vec<f64> = figures.iter().zip(base_costs).map(|(run, base)| run.cost / base - 1.0).collect();
    let interval = student_interval(&changes);
    let places = figures[0].place_shares.len();
    StreamEvaluation {
        scheme: name.to_owned(),
        mean_energy_j: mean(|run| run.energy_j),
        mean_delay_s: mean(|run| run.delay_s),
        mean_cost: mean(|run| run.cost),
        change: changes.iter().sum::<f64>() / count,
        change_low: interval.map(|(low, _)| low),
        change_high: interval.map(|(_, high)| high),
        missed_share: mean(|run| run.missed_share),
        is_overloaded: figures.iter().any(|run| run.is_overloaded),
        place_shares: (0..places)
            .map(|place| figures.iter().map(|run| run.place_shares[place]).sum::<f64>() / count)
            .collect(),
        seconds_per_decision: figures.iter().map(|run| run.seconds_per_decision).fold(f64::INFINITY, f64::min),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_does_not_depend_on_the_number_of_threads() {
        for name in ["dispatch", "commute"] {
            let mut problem = StreamProblem::load(name).expect("a preset");
            problem.shorten(600);
            let schemes = problem.schemes().expect("valid");
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                let mut comparison = pool.install(|| compare(&problem, &schemes, 3, 7, &|_| {})).expect("valid");
                comparison.evaluations.iter_mut().for_each(|row| row.seconds_per_decision = 0.0);
                comparison
            };
            let (one, two) = (with(1), with(2));
            assert_eq!(one.evaluations, two.evaluations);
            assert!(one.left_out.is_empty(), "{:?}", one.left_out);
            let base = one.evaluations.iter().find(|row| row.scheme == one.base).expect("the base");
            assert_eq!((base.change, base.change_low), (0.0, Some(0.0)));
        }
    }

    #[test]
    fn a_scheme_that_is_not_there_is_named() {
        let problem = StreamProblem::load("dispatch").expect("a preset");
        let error = compare(&problem, &["gredy".to_owned()], 1, 1, &|_| {}).expect_err("no scheme").to_string();
        assert!(error.contains("greedy"), "{error}");
    }
}
