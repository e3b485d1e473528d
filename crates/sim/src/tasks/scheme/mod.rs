//! Schemes: everything that decides. Networks implement the same trait as greedy rules and the exact optimum, so that
//! every comparison runs the same code.
//!
//! A new scheme is one file here and one line in the table of [`SchemeKind`].

mod annealing;
mod brute_force;
mod detailed_search;
mod exact;
mod fixed;
mod genetic;
mod greedy;
mod interruptible;
mod kind;
mod load;
mod local_search;
mod random;
mod searchable;
mod settle;

pub use annealing::Annealing;
pub use brute_force::BruteForce;
pub use exact::{Bounds, Exact};
pub use fixed::{BestMix, Fixed};
pub use genetic::Genetic;
pub use greedy::{Greedy, Order};
pub use interruptible::{GoesOn, Interruptible};
pub use kind::{SchemeKind, by_name, classic};
pub use local_search::{LocalSearch, improve_within};
pub use random::Random;
pub use settle::settle_ties;

pub use crate::search::{GeneticSettings, gains};

use self::local_search::affordable;
use self::settle::settle_all_ties;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::instance::Instance;
use crate::tasks::workload::Workload;

/// A decision and the effort it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// **X**.
    pub decision: Decision,
    /// The number of cost evaluations, of whole decisions or of one device's part, complete or not.
    pub evaluations: u64,
}

/// Anything that decides.
pub trait Scheme: Send {
    /// The name in tables, results and on the command line.
    fn name(&self) -> &str;

    /// Decides one workload. A workload gets the same decision no matter which workloads were decided before it.
    ///
    /// # Errors
    /// If the scheme cannot decide this workload.
    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError>;

    /// Decides many workloads. Schemes override it where that is faster than one by one.
    ///
    /// # Errors
    /// If the scheme cannot decide one of them.
    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        workloads.iter().map(|workload| self.decide(model, workload)).collect()
    }

    /// Decides many workloads as [`Scheme::decide_all`] does, from sizes in one piece into places in one piece. Schemes override
    /// it where they need no memory for each workload.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[count, N * M]`, `evaluations`, the number of cost evaluations, is `[count]`.
    ///
    /// # Errors
    /// If the scheme cannot decide one of them. What has been written then means nothing.
    ///
    /// # Panics
    /// If the shapes differ.
    fn decide_batch(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
        evaluations: &mut [u64],
    ) -> Result<(), SchemeError> {
        let (tasks, count) = (model.task_count(), evaluations.len());
        assert_eq!((sizes_bytes.len(), places.len()), (count * tasks, count * tasks), "shapes differ");
        let sizes = sizes_bytes.chunks_exact(tasks);
        let workloads: Vec<_> = sizes.map(|sizes| Workload::from_bytes(model.tasks(), sizes)).collect();
        let solutions = self.decide_all(model, &workloads)?;
        let rows = places.chunks_exact_mut(tasks).zip(evaluations).zip(&solutions);
        for ((places, evaluations), solution) in rows {
            places.copy_from_slice(solution.decision.places());
            *evaluations = solution.evaluations;
        }
        Ok(())
    }
}

/// Decides many instances: all at once if they are in one environment, else one by one.
///
/// # Errors
/// If the scheme cannot decide one of them.
pub fn decide_instances(scheme: &mut dyn Scheme, instances: &[Instance]) -> Result<Vec<Solution>, SchemeError> {
    let Some(Instance { model, .. }) = instances.first() else { return Ok(Vec::new()) };
    if instances.iter().all(|instance| instance.model.is_clone_of(model)) {
        let workloads: Vec<Workload> = instances.iter().map(|instance| instance.workload.clone()).collect();
        return scheme.decide_all(model, &workloads);
    }
    instances.iter().map(|Instance { model, workload }| scheme.decide(model, workload)).collect()
}

/// Why a scheme gives no decision.
#[derive(Debug, thiserror::Error)]
pub enum SchemeError {
    /// No scheme has this name.
    #[error(
        "there is no scheme called `{name}`{}; there are {known}; {limited} take a budget, as in local-search@16: at \
         most 16 cost evaluations per task",
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
    /// A scheme is named after a server that devices cannot use.
    #[error(
        "the scheme `{scheme}` sends tasks to `{place}`, which {who} use in this scenario: its frequency, its capacity or a \
         link to it is 0; there are {known}"
    )]
    Down {
        /// The scheme that was asked for.
        scheme: Box<str>,
        /// The server.
        place: Box<str>,
        /// The devices that cannot use it, with the verb, as in `no device can`.
        who: Box<str>,
        /// The names of the schemes that there are.
        known: Box<str>,
    },
    /// The search would not end in reasonable time.
    #[error(
        "the exact optimum of {tasks} tasks on {places} places takes more than {nodes} search nodes for one device"
    )]
    TooLarge {
        /// Tasks of the device.
        tasks: usize,
        /// Places for each.
        places: usize,
        /// Nodes after which the search gave up.
        nodes: u64,
    },
    /// Devices share servers or links, and the search ended before it proved a decision to be the best.
    #[error(
        "the exact optimum of {tasks} tasks on {places} places, some of them shared, takes too long: between the best \
         decision found and what none can undercut lies {:.3} % of the cost", gap * 100.0
    )]
    NotProved {
        /// Tasks of all devices.
        tasks: usize,
        /// Places for each.
        places: usize,
        /// 1 − lower bound / cost of the best decision found.
        gap: f64,
    },
    /// The workload or the cost model is not of the shape that the scheme was made for.
    #[error("the scheme decides workloads of {expected}, this one is {found}")]
    Shape {
        /// The shape that the scheme decides.
        expected: String,
        /// The shape that it was given.
        found: String,
    },
    /// The work was stopped before this decision ([`Interruptible`]).
    #[error("the work was stopped before it was done")]
    Interrupted,
    /// The scheme computes on a device that failed.
    #[error("the decision could not be computed: {0}")]
    Backend(String),
}
