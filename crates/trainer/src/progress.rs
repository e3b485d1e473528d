//! Progress bars, which show only on a terminal.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use mrdro::{Activity, ObserverError, Phase, RunObserver};

use crate::interrupt;
use crate::output::note;

/// A bar for one phase of training, or for other work of several parts.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of `steps` steps. It is invisible if standard error is not a terminal.
    pub(crate) fn new(phase: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64).with_prefix(phase);
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.0} steps/s", state.per_sec());
        };
        let template = "{prefix:>4} {bar:30} {pos}/{len} {rate}  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// A spinner for work of unknown length.
    fn spinner(work: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(work);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Shows the number of parts that are done.
    pub(crate) fn done(&self, parts: usize) {
        self.bar.set_position(parts as u64);
    }

    /// Shows the state of training.
    fn show(&self, progress: &mrdro::Progress) {
        let mut message = String::new();
        for (name, value) in [("loss", progress.loss), ("Q1", progress.q1), ("Q2", progress.q2)] {
            if let Some(value) = value {
                let _ = write!(message, "{name} {value:.4} ");
            }
        }
        self.done(progress.step);
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
        let name = if phase == Phase::Drl { "DRL" } else { phase.name() };
        let bar = self.bar.insert(Progress::new(name, steps));
        bar.done(done);
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
            Activity::EvaluatingFleets { sizes } => Progress::new("sizes", sizes),
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
