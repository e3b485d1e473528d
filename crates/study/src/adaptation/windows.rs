//! The windows of recorded drives, each ready to be decided in and measured on.

use data::trace::Window;
use data::{Deadlines, DecidedSet, Part, StandardSet, Workloads};
use sim::scheme::{self, Exact, Fixed, Greedy, Order, Scheme, Solution};
use sim::{CostModel, Environment, Placement, SchemeError, Workload, random};

use super::recordings::EnvironmentSequence;
use super::setup::Setup;
use crate::error::Error;

/// The name of [`LastOptimum`].
const LAST_OPTIMUM: &str = "optimum-of-the-last-window";
/// Q2 below which the last window's optimal decisions are bad in the next window.
const HARD_BELOW: f64 = 0.9;

/// One window of a drive, with workloads to measure on.
pub(super) struct EvaluationWindow {
    /// Where the window begins, in seconds since the beginning of the drive.
    pub(super) start_s: f64,
    /// Mean rate of each device.
    pub(super) uplinks_mbps: Vec<f64>,
    /// The cost model in the environment of the window.
    pub(super) model: CostModel,
    /// The workloads to measure on.
    pub(super) set: StandardSet,
    /// The schemes that do not learn.
    pub(super) fixed: Vec<FixedScheme>,
    /// Mean cost of the optimum.
    pub(super) optimal_cost: f64,
    /// Share of tasks that the optimum runs at each place.
    pub(super) optimal_shares: Vec<f64>,
}

/// The decisions of a scheme that does not learn, in one window.
pub(super) struct FixedScheme {
    pub(super) name: String,
    /// The ratio of the optimal to the obtained cost for each workload.
    pub(super) ratios: Vec<f64>,
    /// `None`: no task has a deadline.
    pub(super) share_of_missed_deadlines: Option<f64>,
}

impl EvaluationWindow {
    /// Prepares the windows of a sequence.
    pub(super) fn of_sequence(setup: &Setup, sequence: &EnvironmentSequence) -> Result<Vec<Self>, Error> {
        let mut windows: Vec<Self> = Vec::with_capacity(sequence.windows.len());
        for (index, window) in sequence.windows.iter().enumerate() {
            let last = windows.last().map(|last| &last.model);
            windows.push(Self::new(setup, window, &format!("study/{}/{index}", sequence.name), last)?);
        }
        Ok(windows)
    }

    /// Prepares one window with workloads from the random stream called `stream`; `last` is the model of the window before.
    fn new(setup: &Setup, window: &Window, stream: &str, last: Option<&CostModel>) -> Result<Self, Error> {
        let own = setup.problem.scenario.own_environment();
        let model = setup.problem.model.at(&Environment { uplinks_mbps: window.mbps.clone(), ..own })?;
        let stream = random::stream(0, stream);
        let mut workloads = Workloads::new(&model, setup.sampler.clone(), Part::HeldOut, stream);
        let set = StandardSet::new((0..setup.measured).map(|_| workloads.draw()).collect());
        let no_optimum = || mrdro::Error::NoOptimum { scenario: setup.problem.scenario.name.clone() };
        let optimal_cost = mrdro::mean(set.optimal().ok_or_else(no_optimum)?);
        Ok(Self {
            start_s: window.start_s,
            uplinks_mbps: window.mbps.clone(),
            fixed: fixed_schemes(&model, &set, last)?,
            optimal_cost,
            optimal_shares: shares(&mut Exact::new(), &set)?,
            model,
            set,
        })
    }

    /// Whether the last window's optimal decisions are bad in this one.
    pub(super) fn is_hard(&self) -> bool {
        self.of_scheme(LAST_OPTIMUM).is_some_and(|ratios| mrdro::mean(ratios) < HARD_BELOW)
    }

    /// A scheme that does not learn; `None` if it is not known in this window.
    pub(super) fn fixed(&self, name: &str) -> Option<&FixedScheme> {
        self.fixed.iter().find(|scheme| scheme.name == name)
    }

    /// The ratios of a scheme that does not learn; `None` if there are none in this window.
    pub(super) fn of_scheme(&self, name: &str) -> Option<&[f64]> {
        self.fixed(name).map(|scheme| &*scheme.ratios)
    }
}

/// The decisions of all schemes that do not learn.
fn fixed_schemes(model: &CostModel, set: &StandardSet, last: Option<&CostModel>) -> Result<Vec<FixedScheme>, Error> {
    let servers = (1..model.places()).map(|place| Placement::from_index(place as u8));
    let mut schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(Greedy::new(Order::Given)), Box::new(Greedy::new(Order::LargestFirst))];
    schemes.extend(servers.map(|place| -> Box<dyn Scheme> { Box::new(Fixed::new(model, place)) }));
    schemes.push(Box::new(Fixed::new(model, Placement::Local)));
    if let Some(last) = last {
        schemes.push(Box::new(LastOptimum { last: last.clone(), exact: Exact::new() }));
    }
    let mut all = Vec::with_capacity(schemes.len() + 1);
    for mut scheme in schemes {
        let DecidedSet { costs, deadlines } = set.decide(&mut *scheme)?;
        let share_of_missed_deadlines = deadlines.map(Deadlines::share);
        let ratios = set.ratios(&costs).unwrap_or_default();
        all.push(FixedScheme { name: scheme.name().to_owned(), ratios, share_of_missed_deadlines });
    }
    let mut exact = Exact::new();
    let deadlines = if model.has_deadlines() { set.decide(&mut exact)?.deadlines } else { None };
    all.push(FixedScheme {
        name: exact.name().to_owned(),
        ratios: vec![1.0; set.instances().len()],
        share_of_missed_deadlines: deadlines.map(Deadlines::share),
    });
    Ok(all)
}

/// The share of tasks that a scheme runs at each place.
pub(super) fn shares(scheme: &mut dyn Scheme, set: &StandardSet) -> Result<Vec<f64>, Error> {
    let places = set.instances().first().map_or(0, |instance| instance.model.places());
    let mut counts = vec![0.0; places];
    for solution in scheme::decide_instances(scheme, set.instances())? {
        for &place in solution.decision.places() {
            counts[usize::from(place)] += 1.0;
        }
    }
    let total: f64 = counts.iter().sum();
    Ok(counts.into_iter().map(|count| count / total).collect())
}

/// A scheme that decides as was optimal in the last window.
struct LastOptimum {
    last: CostModel,
    exact: Exact,
}

impl Scheme for LastOptimum {
    fn name(&self) -> &'static str {
        LAST_OPTIMUM
    }

    fn decide(&mut self, _: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        self.exact.decide(&self.last, workload)
    }
}
