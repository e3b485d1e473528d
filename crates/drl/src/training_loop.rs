//! The loop that every training of Algorithm 2 has: steps, with a report at regular intervals.

use std::ops::ControlFlow;

use sim::scheme::GoesOn;

use crate::observer::{Observer, StepReport};

/// Training in steps with reports at regular intervals, as [`Agent`](crate::Agent) and
/// [`FleetAgent`](crate::fleet::FleetAgent) do.
pub trait TrainingLoop: Sized {
    /// The number of steps done.
    fn step(&self) -> usize;

    /// The number of steps of the whole training.
    fn steps(&self) -> usize;

    /// The number of steps between two reports.
    fn report_every(&self) -> usize;

    /// Trains for this number of steps, but not beyond the last, and reports on the last of them.
    ///
    /// # Panics
    /// If no step is left, or `steps` is 0.
    fn advance(&mut self, steps: usize) -> StepReport {
        self.advance_while(steps, &|| true).expect("nothing interrupts it")
    }

    /// [`advance`](Self::advance) as long as `goes_on`, which is asked before each step. `None` if it said no; calls that take
    /// the rest of the steps then give the same report and the same networks, to the same bytes.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    fn advance_while(&mut self, steps: usize, goes_on: &GoesOn<'_>) -> Option<StepReport>;

    /// Whether no step is left.
    fn is_done(&self) -> bool {
        self.step() >= self.steps()
    }

    /// Trains until the next report. `None` if no step is left.
    fn next_report(&mut self) -> Option<StepReport> {
        self.next_report_while(&|| true)
    }

    /// Trains until the next report, as long as `goes_on`. `None` if it said no, or no step is left.
    fn next_report_while(&mut self, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        let every = self.report_every();
        if self.is_done() { None } else { self.advance_while(every - self.step() % every, goes_on) }
    }

    /// Trains to the end, or until the observer stops it or fails.
    ///
    /// # Errors
    /// The error of the observer.
    fn run<E>(&mut self, observer: &mut impl Observer<Self, E>) -> Result<(), E> {
        while let Some(report) = self.next_report() {
            if let ControlFlow::Break(()) = observer.observe(&report, self)? {
                break;
            }
        }
        Ok(())
    }
}
