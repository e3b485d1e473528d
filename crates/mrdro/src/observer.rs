//! Who watches long work: the library reports, observers print, draw, and stop.

use std::ops::ControlFlow;

use crate::metrics::Phase;

/// Why an observer failed.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The phase of training.
    pub phase: Phase,
    /// Steps of the phase that are done.
    pub step: usize,
    /// Steps of the phase in all.
    pub steps: usize,
    /// Mean cross-entropy, eq. (23).
    pub loss: Option<f64>,
    /// Q1, eq. (24).
    pub q1: Option<f64>,
    /// Q2, eq. (25), on workloads that training never draws.
    pub q2: Option<f64>,
}

/// Part of a run that is not training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// The scheme of the settings labels the metadata of Algorithm 1.
    Labelling,
    /// Training diverged, and is repeated step by step from the last checkpoint to find the step.
    FindingDivergence,
    /// The record is evaluated on fleets of so many sizes.
    EvaluatingFleets {
        /// How many sizes there are.
        sizes: usize,
    },
}

/// Watches a run of training. Every method has a body that does nothing, so that an observer implements what it needs;
/// `()` is an observer that does nothing at all, and so is every closure `FnMut(&Progress) -> ControlFlow<()>` one that
/// sees only progress.
pub trait RunObserver {
    /// A phase of training begins; `done` of its `steps` were done before, if the run is resumed.
    fn phase_begins(&mut self, phase: Phase, done: usize, steps: usize) {
        let _ = (phase, done, steps);
    }

    /// A step was reported. [`ControlFlow::Break`] stops the run, which keeps everything up to this step and can be resumed.
    ///
    /// # Errors
    /// If the observer fails; then the run ends with this error.
    fn progress(&mut self, progress: &Progress) -> Result<ControlFlow<()>, ObserverError> {
        let _ = progress;
        Ok(ControlFlow::Continue(()))
    }

    /// The run does something else than training.
    fn activity_begins(&mut self, activity: Activity) {
        let _ = activity;
    }

    /// So many parts of the present work are done. [`ControlFlow::Break`] ends what can be left out.
    fn activity_progress(&mut self, parts: usize) -> ControlFlow<()> {
        let _ = parts;
        ControlFlow::Continue(())
    }

    /// Something that a person should know, as a sentence.
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
