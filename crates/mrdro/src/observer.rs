//! Observers of runs: the library reports what it does, and an observer prints it, draws it, or stops the run.

use std::ops::ControlFlow;

use crate::metrics::Phase;

/// The error of an observer that failed.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// The state of training at a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The phase of training.
    pub phase: Phase,
    /// The number of steps of the phase that are done.
    pub step: usize,
    /// The number of steps of the whole phase.
    pub steps: usize,
    /// Mean cross-entropy of the networks, eq. (23).
    pub loss: Option<f64>,
    /// Q1, eq. (24); `None` in Algorithm 1.
    pub q1: Option<f64>,
    /// Q2, eq. (25), on workloads that training never draws; `None` if the optimum is not known.
    pub q2: Option<f64>,
    /// The share of the tasks with a deadline that miss it on these workloads; `None` if no task has a deadline.
    pub share_of_missed_deadlines: Option<f64>,
    /// Mean cost of the samples in the replay buffer; `None` in Algorithm 1.
    pub buffer_mean_cost: Option<f64>,
}

/// An activity of a run other than training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Labelling the metadata of Algorithm 1.
    Labelling,
    /// Repeating training step by step from the last checkpoint, to find the step in which it diverged.
    FindingDivergence,
    /// Evaluating the networks and the classic schemes on the standard set.
    Evaluating,
    /// Evaluating the networks on fleets of several sizes.
    EvaluatingFleets {
        /// The number of sizes.
        sizes: usize,
    },
    /// Comparing the networks with rules at sites.
    EvaluatingSites {
        /// The number of sites.
        sites: usize,
    },
}

/// An observer of a run. Every method has a default that does nothing, so that an observer implements only what it needs.
/// `()` is an observer that ignores everything; a closure `FnMut(&Progress) -> ControlFlow<()>` is one that sees only
/// [`progress`](Self::progress).
pub trait RunObserver {
    /// Called when a phase of training begins. If the run is resumed, `done` of its `steps` are done already.
    fn phase_begins(&mut self, phase: Phase, done: usize, steps: usize) {
        let _ = (phase, done, steps);
    }

    /// Called at each report of training. With [`ControlFlow::Break`] the run writes a checkpoint and stops; it can be resumed.
    ///
    /// # Errors
    /// An error of the observer ends the run with [`Error::Observer`](crate::Error::Observer).
    fn progress(&mut self, progress: &Progress) -> Result<ControlFlow<()>, ObserverError> {
        let _ = progress;
        Ok(ControlFlow::Continue(()))
    }

    /// Called when an activity other than training begins.
    fn activity_begins(&mut self, activity: Activity) {
        let _ = activity;
    }

    /// Called when `parts` parts of the present activity are done. [`ControlFlow::Break`] ends an activity that a run can do
    /// without, such as [`Activity::FindingDivergence`].
    fn activity_progress(&mut self, parts: usize) -> ControlFlow<()> {
        let _ = parts;
        ControlFlow::Continue(())
    }

    /// Called with a sentence that a person should read.
    fn note(&mut self, note: &str) {
        let _ = note;
    }
}

impl RunObserver for () {}

impl<F: FnMut(&Progress) -> ControlFlow<()>> RunObserver for F {
    fn progress(&mut self, progress: &Progress) -> Result<ControlFlow<()>, ObserverError> {
        Ok(self(progress))
    }
}
