//! What a run tells while it trains, and what the calling thread makes of it.
//!
//! The run has a thread of its own, whose reports wait for an answer. Everything of Python runs on the calling thread: callbacks,
//! and the handlers of signals, which Python runs on no other.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use mrdro::{Activity, ObserverError, Phase, Progress, RunObserver};
use pyo3::prelude::*;
use sim::scheme::GoesOn;

use crate::errors;
use crate::guard;

/// How often a waiting call looks for signals.
const SIGNALS_EVERY: Duration = Duration::from_millis(50);

/// What a run tells.
enum Event<T> {
    Phase(Phase, usize, usize),
    /// Waits for an answer.
    Report(Progress),
    Activity(Activity),
    Parts(usize),
    Note(String),
    Ended(PyResult<T>),
}

/// The observer on the run's thread.
struct Observer<T> {
    events: Sender<Event<T>>,
    /// Whether to go on, once for each report.
    answers: Receiver<bool>,
    stop: Arc<AtomicBool>,
}

impl<T> Observer<T> {
    fn tell(&self, event: Event<T>) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.events.send(event).is_ok()
    }
}

impl<T> RunObserver for Observer<T> {
    fn phase_begins(&mut self, phase: Phase, done: usize, steps: usize) {
        self.tell(Event::Phase(phase, done, steps));
    }

    fn progress(&mut self, progress: &Progress) -> Result<ControlFlow<()>, ObserverError> {
        // Where nobody waits any more, the run stops, too.
        let goes_on = self.tell(Event::Report(progress.clone())) && self.answers.recv() == Ok(true);
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }

    fn activity_begins(&mut self, activity: Activity) {
        self.tell(Event::Activity(activity));
    }

    fn activity_progress(&mut self, parts: usize) -> ControlFlow<()> {
        if self.tell(Event::Parts(parts)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn note(&mut self, note: &str) {
        self.tell(Event::Note(note.to_owned()));
    }
}

/// Runs `work` on a thread of its own with a pool of its own, so that callbacks can compute, too, and calls `on_event` on the calling
/// thread with the name of each event and its values. If it returns `False` for a report, the run stops there. `work` is also told
/// whether to go on.
///
/// # Errors
/// What the run fails with, and what `on_event` or the handler of a signal raises. The run then stops, and the call waits until
/// it has, so that it can be resumed at once. A second signal ends the waiting.
pub(super) fn watch<T: Send + 'static>(
    on_event: &Bound<'_, PyAny>,
    threads: Option<usize>,
    work: impl FnOnce(&mut dyn RunObserver, &GoesOn<'_>) -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    let pool = guard::pool_of(threads.map_or_else(guard::threads, Ok)?)?;
    let (events, mut told) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let mut observer = Observer { events: events.clone(), answers, stop: Arc::clone(&stop) };
    let stopped = Arc::clone(&stop);
    std::thread::spawn(move || {
        let goes_on = || !stopped.load(Ordering::Relaxed);
        let result = guard::guarded_here(|| pool.install(|| work(&mut observer, &goes_on)));
        let _ = events.send(Event::Ended(result)); // nobody waits if the call was interrupted twice
    });
    let mut interrupted: Option<PyErr> = None;
    loop {
        // The receiver cannot be shared among threads, so that it goes in and comes back.
        let event;
        (event, told) = on_event.py().detach(move || (told.recv_timeout(SIGNALS_EVERY), told));
        let raised = match event {
            Ok(Event::Ended(result)) => return interrupted.map_or(result, Err),
            Ok(Event::Report(progress)) => {
                let goes_on = if interrupted.is_some() { Ok(false) } else { report(on_event, &progress) };
                let _ = answer.send(matches!(goes_on, Ok(true))); // the run waits for it
                goes_on.err()
            }
            Ok(_) if interrupted.is_some() => None,
            Ok(Event::Phase(phase, done, steps)) => on_event.call1(("phase", (phase.name(), done, steps))).err(),
            Ok(Event::Activity(activity)) => on_event.call1(("activity", of_activity(activity))).err(),
            Ok(Event::Parts(parts)) => on_event.call1(("parts", (parts,))).err(),
            Ok(Event::Note(note)) => on_event.call1(("note", (note,))).err(),
            Err(RecvTimeoutError::Timeout) => on_event.py().check_signals().err(),
            Err(RecvTimeoutError::Disconnected) => return Err(errors::internal("a run ended without a result")),
        };
        let Some(error) = raised else { continue };
        stop.store(true, Ordering::Relaxed);
        match interrupted {
            None => interrupted = Some(error),
            Some(first) => return Err(first),
        }
    }
}

/// Whether the run goes on after a report.
fn report(on_event: &Bound<'_, PyAny>, progress: &Progress) -> PyResult<bool> {
    let Progress { phase, step, steps, loss, q1, q2, share_of_missed_deadlines, buffer_mean_cost } = progress;
    let values = (phase.name(), *step, *steps, *loss, *q1, *q2, *buffer_mean_cost, *share_of_missed_deadlines);
    let answer = on_event.call1(("report", values))?;
    Ok(answer.is_none() || answer.is_truthy()?)
}

/// The name of an activity, and the number of its parts, if it has any.
fn of_activity(activity: Activity) -> (&'static str, Option<usize>) {
    match activity {
        Activity::Labelling => ("labelling", None),
        Activity::FindingDivergence => ("finding the step of the divergence", None),
        Activity::Evaluating => ("evaluating", None),
        Activity::EvaluatingFleets { sizes } => ("evaluating fleets", Some(sizes)),
        Activity::EvaluatingSites { .. } => ("evaluating sites", None),
    }
}
