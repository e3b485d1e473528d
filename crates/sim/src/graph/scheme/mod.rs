//! Schemes for task graphs: everything that decides where the tasks of an application run.

mod any_order;
mod best;
mod exact;
mod fixed;
mod greedy;
mod kind;
mod lanes;
mod list_scheduling;
mod local_search;
mod mcop;
mod neurosurgeon;
mod scheduled;
mod searches;
mod serial;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod walks;

pub use any_order::AnyOrder;
pub use exact::GraphExact;
pub use fixed::GraphFixed;
pub use greedy::{GraphGreedy, RandomisedGreedy};
pub use kind::{GraphSchemeKind, by_name};
pub use list_scheduling::{Heft, Peft};
pub use local_search::GraphLocalSearch;
pub use mcop::Mcop;
pub use neurosurgeon::{Cut, Neurosurgeon};
pub use searches::{GraphAnnealing, GraphBruteForce, GraphGenetic, GraphRandom};
pub use serial::{Larac, LaracK, LaracM, MinCut, OneClimb};

use std::borrow::Cow;

use super::model::{GraphModel, GraphOutcome};

/// What is known about how far a decision is from the cheapest one.
///
/// A schedule depends on the order in which tasks are scheduled. Statements about scheduled timing hold for the order of
/// the model ([`GraphModel::order`]): another order may allow a cheaper decision. With serial timing the order does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimality {
    /// Nothing.
    Unknown,
    /// In the order of the model, no decision costs less than this. The decision itself may cost more. The bound of a
    /// scheme that decides the order, too ([`AnyOrder`]), holds for every order.
    Bound(f64),
    /// In the order of the model, no decision costs less.
    InThisOrder,
    /// No decision costs less, in whatever order.
    Proved,
}

impl Optimality {
    /// Whether the decision is proved to be the cheapest, at least in the order of the model.
    pub fn is_optimal(&self) -> bool {
        matches!(self, Self::InThisOrder | Self::Proved)
    }

    /// What no decision undercuts, if that is known, for a decision that costs `cost`.
    pub fn bound(&self, cost: f64) -> Option<f64> {
        match *self {
            Self::Unknown => None,
            Self::Bound(bound) => Some(bound.min(cost)),
            Self::InThisOrder | Self::Proved => Some(cost),
        }
    }
}

/// A decision about a task graph, and the effort it took.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphSolution {
    /// The place of each task, in the order in which the application gives its tasks: 0 is the device, j + 1 server j.
    pub places: Vec<u8>,
    /// The number of decisions whose cost was computed, complete or not.
    pub evaluations: u64,
    /// What is known about the optimum.
    pub optimality: Optimality,
    /// The order in which tasks are scheduled, if the scheme decided that, too; `None`: the order of the model.
    pub order: Option<Vec<u32>>,
}

impl GraphSolution {
    /// The model in whose order the tasks of this decision are scheduled.
    ///
    /// # Panics
    /// If this is no solution of the model.
    pub fn model<'m>(&self, model: &'m GraphModel) -> Cow<'m, GraphModel> {
        match &self.order {
            None => Cow::Borrowed(model),
            Some(order) => Cow::Owned(model.with_order(order).expect("an order of the model's tasks")),
        }
    }

    /// What the decision takes and costs.
    ///
    /// # Panics
    /// If this is no solution of the model.
    pub fn outcome(&self, model: &GraphModel) -> GraphOutcome {
        self.model(model).evaluate(&self.places)
    }
}

/// The number of evaluations that a search without a budget may take: about two seconds where applications are large.
fn affordable(model: &GraphModel) -> u64 {
    const MAX_WORK: u64 = 60_000_000;
    (MAX_WORK / model.tasks() as u64).max(1)
}

/// Anything that decides task graphs.
pub trait GraphScheme: Send {
    /// The name in tables, results and on the command line.
    fn name(&self) -> &str;

    /// Decides one application. It gets the same decision no matter which applications were decided before it.
    ///
    /// # Errors
    /// If the scheme cannot decide this application.
    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError>;
}

/// Why a scheme gives no decision about a task graph.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphSchemeError {
    /// No scheme has this name.
    #[error(
        "there is no scheme called `{name}` for task graphs{}; there are {known}; {limited} take a budget, as in \
         randomised-greedy@16: at most 16 cost evaluations (of larac-m the multipliers tried, of larac-k the decisions ranked)",
        suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
    )]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
        /// The names of schemes that take a budget.
        limited: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// The scheme is made for another kind of timing.
    #[error("{scheme} decides applications with timing = \"{needs}\" only; use {instead} here")]
    Timing {
        /// The scheme.
        scheme: &'static str,
        /// The timing that it needs.
        needs: &'static str,
        /// Schemes that decide this application.
        instead: &'static str,
    },
    /// The scheme is made for fewer places.
    #[error(
        "{scheme} decides between the device and at most {most} servers, and there are {found}; use {instead} here"
    )]
    Servers {
        /// The scheme.
        scheme: &'static str,
        /// The most servers that it can use.
        most: usize,
        /// The servers that there are.
        found: usize,
        /// Schemes that decide this application.
        instead: &'static str,
    },
    /// The scheme decides chains only.
    #[error("{scheme} decides applications whose tasks form one chain, and these do not; use {instead} here")]
    NoChain {
        /// The scheme.
        scheme: &'static str,
        /// Schemes that decide this application.
        instead: &'static str,
    },
    /// Pinned tasks leave the scheme no decision.
    #[error(
        "{scheme} uses one server for one stretch of tasks, and tasks are pinned to servers with others between them; use \
         {instead} here"
    )]
    PinnedApart {
        /// The scheme.
        scheme: &'static str,
        /// Schemes that decide this application.
        instead: &'static str,
    },
    /// There are too many decisions to evaluate each.
    #[error(
        "brute-force evaluates every decision, at most {most} of them, and {tasks} tasks at {places} places have more; use \
         exact or local-search here"
    )]
    TooManyDecisions {
        /// The tasks.
        tasks: usize,
        /// The places.
        places: usize,
        /// The most decisions that are evaluated.
        most: u64,
    },
}
