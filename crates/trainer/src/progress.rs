//! Progress on a terminal, and only there.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar for one phase of training.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of `steps` steps; invisible where standard error is no terminal.
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

    /// A sign of life for work that cannot say how far it is.
    pub(crate) fn spinner(work: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(work);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// A bar that nobody sees, for work that is one part of many.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Shows how far it is and how well it goes.
    pub(crate) fn show(&self, step: usize, loss: Option<f64>, q1: Option<f64>, q2: Option<f64>) {
        let mut message = String::new();
        for (name, value) in [("loss", loss), ("Q1", q1), ("Q2", q2)] {
            if let Some(value) = value {
                let _ = write!(message, "{name} {value:.4} ");
            }
        }
        self.bar.set_position(step as u64);
        self.bar.set_message(message.trim_end().to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
