//! How schemes do on the same runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use model::Networks;
use rayon::prelude::*;
use serde::Serialize;
use sim::random;
use sim::scheme::GoesOn;
use sim::stream::StreamScenario;
use sim::stream::dispatch::bound::lower_bound;
use sim::stream::dispatch::scheme::{DispatchScheme, DispatchSchemeKind, by_name};
use sim::stream::dispatch::{self, DispatchOutcome, Path, Site};
use sim::stream::scenario::{DispatchScenario, SlotScenario};
use sim::stream::slots::scheme::{SlotSchemeKind, ValueIterationModel};
use sim::stream::slots::{self, HindsightPlan, SlotOutcome, SlotPath, SlotSchemeError};

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

/// A queue that gets this much of what it can do counts as overloaded: a little more than 1, since the tasks of a run differ
/// from their mean.
pub const OVERLOAD: f64 = 1.02;

impl StreamEvaluation {
    /// What one run of dispatching comes to. Its change is 0 until [`StreamEvaluation::against`] says against what.
    pub fn of_dispatch(scheme: &str, outcome: DispatchOutcome, seconds_per_decision: f64) -> Self {
        Self {
            scheme: scheme.to_owned(),
            mean_energy_j: outcome.mean_energy_j,
            mean_delay_s: outcome.mean_response_s,
            mean_cost: outcome.mean_cost,
            change: 0.0,
            change_low: None,
            change_high: None,
            missed_share: outcome.late_share,
            is_overloaded: outcome.utilisations.iter().any(|load| *load > OVERLOAD),
            place_shares: outcome.place_shares,
            seconds_per_decision,
        }
    }

    /// What one run in slots comes to, as [`StreamEvaluation::of_dispatch`].
    fn of_slots(scheme: &str, outcome: &SlotOutcome, seconds_per_decision: f64) -> Self {
        Self {
            scheme: scheme.to_owned(),
            mean_energy_j: outcome.energy_per_file_j,
            mean_delay_s: outcome.mean_delay_s,
            mean_cost: outcome.cost,
            change: 0.0,
            change_low: None,
            change_high: None,
            missed_share: outcome.missed_deadlines as f64 / outcome.files.max(1) as f64,
            is_overloaded: false,
            place_shares: Vec::new(),
            seconds_per_decision,
        }
    }

    /// The same with its change against a base of this cost on the same course.
    #[must_use]
    pub fn against(mut self, base_cost: f64) -> Self {
        self.change = self.mean_cost / base_cost - 1.0;
        self
    }

    /// What several runs of one scheme come to, from what each comes to: means, with an interval of the change over runs.
    ///
    /// # Panics
    /// If there is no run.
    pub fn over_runs(runs: &[Self]) -> Self {
        let count = runs.len() as f64;
        let mean = |of: &dyn Fn(&Self) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let changes: Vec<f64> = runs.iter().map(|run| run.change).collect();
        let interval = student_interval(&changes);
        Self {
            scheme: runs[0].scheme.clone(),
            mean_energy_j: mean(&|run| run.mean_energy_j),
            mean_delay_s: mean(&|run| run.mean_delay_s),
            mean_cost: mean(&|run| run.mean_cost),
            change: mean(&|run| run.change),
            change_low: interval.map(|(low, _)| low),
            change_high: interval.map(|(_, high)| high),
            missed_share: mean(&|run| run.missed_share),
            is_overloaded: runs.iter().any(|run| run.is_overloaded),
            place_shares: (0..runs[0].place_shares.len()).map(|place| mean(&|run| run.place_shares[place])).collect(),
            seconds_per_decision: runs.iter().map(|run| run.seconds_per_decision).fold(f64::INFINITY, f64::min),
        }
    }
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
    compare_while(problem, &[], schemes, (runs, seed), &|| true, progress)
}

/// Trained networks that dispatch tasks, with the name that they have in results.
pub type NamedNetworks = (String, Arc<dyn Networks>);

/// As [`compare`], with networks before the schemes; no run begins once `goes_on` says no.
///
/// # Errors
/// As [`compare`], if networks are not for tasks that arrive over time, or the scenario has no tasks to place, and if `goes_on`
/// says no.
pub fn compare_while(
    problem: &StreamProblem,
    networks: &[NamedNetworks],
    schemes: &[String],
    (runs, seed): (usize, u64),
    goes_on: &GoesOn<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<StreamComparison, Error> {
    let base = problem.base();
    let all = with_base(schemes, base);
    let done = AtomicUsize::new(0);
    let watch = Watch { goes_on, told: &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1) };
    let (results, bound) = match &problem.scenario {
        StreamScenario::Dispatch(scenario) => {
            on_courses(&courses(scenario, (runs, seed), watch)?, networks, &all, watch)?
        }
        StreamScenario::Slots(_) if !networks.is_empty() => return Err(Error::NothingToDispatch),
        StreamScenario::Slots(scenario) => of_slots(scenario, &all, (runs, seed), watch)?,
    };
    watch.check()?;
    summed_up(&all, (networks.len(), schemes.len()), results, base, bound)
}

/// Names of schemes with that of the base, which the changes need whether it is asked for or not.
fn with_base(schemes: &[String], base: &str) -> Vec<String> {
    let mut all = schemes.to_vec();
    if !all.iter().any(|name| name == base) {
        all.push(base.to_owned());
    }
    all
}

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
    let base = "greedy";
    let done = AtomicUsize::new(0);
    let watch = Watch { goes_on: &|| true, told: &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1) };
    let all = with_base(schemes, base);
    let (results, bound) = on_courses(courses, &[], &all, watch)?;
    let of_own = |own: &OwnOutcomes| -> Row {
        let run = |outcome: &DispatchOutcome| {
            StreamEvaluation::of_dispatch(&own.name, outcome.clone(), own.seconds_per_decision)
        };
        (own.name.clone(), Ok(own.outcomes.iter().map(run).collect()))
    };
    let rows = own.iter().map(of_own).chain(results).collect();
    summed_up(&all, (own.len(), schemes.len()), rows, base, bound)
}

/// A comparison of rows: first `extra` ones beside the schemes, then those of the schemes `all`, of which the first `asked` were
/// asked for.
fn summed_up(
    all: &[String],
    (extra, asked): (usize, usize),
    rows: Vec<Row>,
    base: &'static str,
    bound: StreamBound,
) -> Result<StreamComparison, Error> {
    let place = all.iter().position(|name| name == base).ok_or(Error::NoApplication)?;
    let of_base = rows.get(extra + place).and_then(|(_, result)| result.as_ref().ok()).ok_or(Error::NoApplication)?;
    let base_costs: Vec<f64> = of_base.iter().map(|run| run.mean_cost).collect();
    let (mut evaluations, mut left_out) = (Vec::new(), Vec::new());
    for (name, result) in rows.into_iter().take(extra + asked) {
        match result {
            Ok(runs) => {
                let runs = runs.into_iter().zip(&base_costs).map(|(run, base)| run.against(*base));
                evaluations.push(StreamEvaluation::over_runs(&runs.collect::<Vec<_>>()));
            }
            Err(reason) => left_out.push((name, reason)),
        }
    }
    Ok(StreamComparison { evaluations, left_out, runs: base_costs.len(), base, bound: Some(bound) })
}

/// A scheme's name with its runs, or with why it cannot decide.
type Row = (String, Result<Vec<StreamEvaluation>, String>);

/// Hears how a comparison stands, and says whether it goes on.
#[derive(Clone, Copy)]
struct Watch<'w> {
    goes_on: &'w GoesOn<'w>,
    told: &'w (dyn Fn() + Sync),
}

impl Watch<'_> {
    /// # Errors
    /// If the comparison does not go on.
    fn check(&self) -> Result<(), Error> {
        if (self.goes_on)() { Ok(()) } else { Err(sim::SchemeError::Interrupted.into()) }
    }

    /// One run of one scheme, unless the comparison does not go on.
    fn run<E: ToString>(&self, run: impl FnOnce() -> Result<StreamEvaluation, E>) -> Result<StreamEvaluation, String> {
        self.check().map_err(|error| error.to_string())?;
        let result = run().map_err(|error| error.to_string());
        (self.told)();
        result
    }
}

fn courses(
    scenario: &DispatchScenario,
    (runs, seed): (usize, u64),
    watch: Watch<'_>,
) -> Result<Vec<DispatchCourse>, Error> {
    let runs = if scenario.is_fixed() { 1 } else { runs };
    let drawn = (0..runs).map(|index| {
        watch.check()?;
        let (site, seed) = site_of_run(scenario, seed, index)?;
        let path = scenario.path(&site, seed)?;
        Ok((site, path, seed))
    });
    drawn.collect()
}

/// Makes a scheme for a site, or says why there is none.
type Making<'m> = &'m (dyn Fn(&Site) -> Result<Box<dyn DispatchScheme>, String> + Sync);

fn on_courses(
    courses: &[DispatchCourse],
    networks: &[NamedNetworks],
    schemes: &[String],
    watch: Watch<'_>,
) -> Result<(Vec<Row>, StreamBound), Error> {
    let (first, _, _) = courses.first().ok_or(Error::NoApplication)?;
    for name in schemes {
        name.parse::<DispatchSchemeKind>()?;
        by_name(name, first)?;
    }
    for (name, networks) in networks {
        dispatch_scheme(name, &**networks)?;
    }
    let runs_of = |name: &String, make: Making<'_>| -> Row {
        let run = |(site, path, seed): &DispatchCourse| {
            let mut scheme = make(site)?;
            let start = Instant::now();
            let outcome = dispatch::simulate(site, path, scheme.as_mut(), *seed);
            let seconds_per_decision = start.elapsed().as_secs_f64() / path.arrivals().len() as f64;
            Ok::<_, String>(StreamEvaluation::of_dispatch(name, outcome, seconds_per_decision))
        };
        let runs: Vec<Result<StreamEvaluation, String>> =
            courses.par_iter().map(|course| watch.run(|| run(course))).collect();
        (name.clone(), runs.into_iter().collect())
    };
    let of_networks = networks.iter().map(|(name, networks)| {
        runs_of(name, &|_| dispatch_scheme(name, &**networks).map_err(|error| error.to_string()))
    });
    let of_schemes =
        schemes.iter().map(|name| runs_of(name, &|site| by_name(name, site).map_err(|error| error.to_string())));
    let rows = of_networks.chain(of_schemes).collect();
    let bound = |(site, _, _): &DispatchCourse| watch.check().map(|()| lower_bound(site).cost);
    let bounds: Vec<f64> = courses.par_iter().map(bound).collect::<Result<_, Error>>()?;
    Ok((rows, StreamBound::LongRun(bounds.iter().sum::<f64>() / bounds.len() as f64)))
}

/// Networks as a scheme that dispatches tasks.
///
/// # Errors
/// If they are not for tasks that arrive over time. The message calls them `name`.
pub fn dispatch_scheme(name: &str, networks: &dyn Networks) -> Result<Box<dyn DispatchScheme>, Error> {
    networks
        .dispatch_scheme(name)
        .ok_or_else(|| Error::NoDispatcher { name: name.to_owned(), kind: networks.kind().description })
}

fn of_slots(
    scenario: &SlotScenario,
    schemes: &[String],
    (runs, seed): (usize, u64),
    watch: Watch<'_>,
) -> Result<(Vec<Row>, StreamBound), Error> {
    let paths = slot_paths(scenario, seed, runs)?;
    let kinds = schemes.iter().map(|name| Ok(name.parse::<SlotSchemeKind>()?));
    let kinds: Vec<SlotSchemeKind> = kinds.collect::<Result<_, Error>>()?;
    let model = fitted_model(scenario, seed, &kinds)?;
    let runs_of = |kind: &SlotSchemeKind, name: &str| -> Vec<Result<StreamEvaluation, String>> {
        let run = |path: &SlotPath| {
            let mut scheme = kind.build(model.as_ref())?;
            let start = Instant::now();
            let outcome = slots::simulate(path, scheme.as_mut(), None)?;
            let seconds = start.elapsed().as_secs_f64();
            Ok::<_, SlotSchemeError>(StreamEvaluation::of_slots(name, &outcome, seconds / path.slots() as f64))
        };
        paths.par_iter().map(|path| watch.run(|| run(path))).collect()
    };
    let has_tail = paths[0].problem().has_tail();
    let plan = |path: &SlotPath| watch.check().map(|()| slots::hindsight(path));
    let plans: Vec<HindsightPlan> = paths.par_iter().map(plan).collect::<Result<_, Error>>()?;
    let bound = StreamBound::Hindsight {
        cost: plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len() as f64,
        is_exact: plans.iter().all(|plan| plan.is_exact),
    };
    let is_exact = plans.iter().all(|plan| plan.is_exact);
    let results = kinds.iter().zip(schemes).map(|(kind, name)| {
        if kind.scheme() == "hindsight" && !is_exact && !has_tail {
            let reason = "it is a bound here, and no scheme may reach it; what it says stands with the table";
            return (name.clone(), Err(reason.to_owned()));
        }
        (name.clone(), runs_of(kind, name).into_iter().collect())
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
    fn a_comparison_that_is_stopped_begins_no_further_run() {
        for name in ["dispatch", "commute"] {
            let mut problem = StreamProblem::load(name).expect("a preset");
            problem.shorten(600);
            let schemes = problem.schemes().expect("valid");
            let (runs, made) = (20, AtomicUsize::new(0));
            let goes_on = || made.load(Ordering::Relaxed) < 5;
            let told = |done| made.store(done, Ordering::Relaxed);
            let error = compare_while(&problem, &[], &schemes, (runs, 1), &goes_on, &told).expect_err("stopped");
            assert!(error.is_interrupted(), "{error}");
            assert!(made.load(Ordering::Relaxed) < schemes.len() * runs / 2, "{}", made.load(Ordering::Relaxed));
        }
    }

    #[test]
    fn a_scheme_that_is_not_there_is_named() {
        let problem = StreamProblem::load("dispatch").expect("a preset");
        let error = compare(&problem, &["gredy".to_owned()], 1, 1, &|_| {}).expect_err("no scheme").to_string();
        assert!(error.contains("greedy"), "{error}");
    }
}
