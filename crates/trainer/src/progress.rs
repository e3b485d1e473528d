//! Progress: bars on a terminal, and elsewhere a line from time to time.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use mrdro::{Activity, ObserverError, Phase, RunObserver};

use crate::interrupt;
use crate::output::note;
use crate::progress_log::LoggedWork;

/// A bar for one phase of training, or for other work of several parts.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// The lines in place of the bar where standard error is not a terminal.
    logged: Option<LoggedWork>,
}

impl Progress {
    /// A bar for work of several parts, of which `parts` is the name.
    pub(crate) fn new(parts: &'static str, count: usize) -> Self {
        Self::of_parts(parts, || LoggedWork::new(None, parts, count), count)
    }

    /// A bar for the steps of one phase of training.
    fn phase(phase: &'static str, steps: usize) -> Self {
        Self::of_parts(phase, || LoggedWork::new(Some(phase), "steps", steps), steps)
    }

    fn of_parts(prefix: &'static str, logged: impl FnOnce() -> LoggedWork, count: usize) -> Self {
        let bar = ProgressBar::new(count as u64).with_prefix(prefix);
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.0} steps/s", state.per_sec());
        };
        let template = "{prefix:>4} {bar:30} {pos}/{len} {rate}  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        Self::shown(bar, logged)
    }

    /// A spinner for work of unknown length.
    pub(crate) fn spinner(work: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(work);
        Self::shown(bar, || LoggedWork::of_unknown_length(work))
    }

    fn shown(bar: ProgressBar, logged: impl FnOnce() -> LoggedWork) -> Self {
        let logged = bar.is_hidden().then(logged);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, logged }
    }

    /// Shows the number of parts that are done.
    pub(crate) fn done(&self, parts: usize) {
        self.bar.set_position(parts as u64);
        if let Some(logged) = &self.logged {
            logged.done(parts);
        }
    }

    /// Shows that training goes on after a number of steps that an earlier process made.
    fn goes_on_after(&self, steps: usize) {
        self.bar.set_position(steps as u64);
        if let Some(logged) = &self.logged {
            logged.goes_on_after(steps);
        }
    }

    /// Shows the state of training.
    fn show(&self, progress: &mrdro::Progress) {
        let mut message = String::new();
        for (name, value) in [("loss", progress.loss), ("Q1", progress.q1), ("Q2", progress.q2)] {
            if let Some(value) = value {
                let _ = write!(message, "{name} {value:.4} ");
            }
        }
        if let Some(share) = progress.share_of_missed_deadlines {
            let _ = write!(message, "missed {:.2} % ", 100.0 * share);
        }
        self.done(progress.step);
        if let Some(logged) = &self.logged {
            logged.message(message.trim_end());
        }
        self.bar.set_message(message.trim_end().to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows a run on the terminal, and stops it when a signal has asked the program to end.
#[derive(Default)]
pub(crate) struct TerminalObserver {
    bar: Option<Progress>,
}

impl RunObserver for TerminalObserver {
    fn phase_begins(&mut self, phase: Phase, done: usize, steps: usize) {
        self.bar = None; // removes the bar before the next one is drawn
        let name = if phase == Phase::Drl { "DRL" } else { phase.name() };
        self.bar.insert(Progress::phase(name, steps)).goes_on_after(done);
    }

    fn progress(&mut self, progress: &mrdro::Progress) -> Result<ControlFlow<()>, ObserverError> {
        if let Some(bar) = &self.bar {
            bar.show(progress);
        }
        Ok(if interrupt::requested().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn activity_begins(&mut self, activity: Activity) {
        self.bar = None; // removes the bar before the next one is drawn
        self.bar = Some(match activity {
            Activity::Labelling => Progress::spinner("labelling metadata"),
            Activity::FindingDivergence => Progress::spinner("finding the step that diverged"),
            Activity::Evaluating => Progress::spinner("evaluating"),
            Activity::EvaluatingFleets { sizes } => Progress::new("sizes", sizes),
            Activity::EvaluatingSites { .. } => Progress::spinner("comparing with rules in 16 settings"),
        });
    }

    fn activity_progress(&mut self, parts: usize) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            bar.done(parts);
        }
        if interrupt::requested().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn note(&mut self, text: &str) {
        self.bar = None;
        note(text);
    }
}
