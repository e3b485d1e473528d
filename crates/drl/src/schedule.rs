//! The step size of Adam over the steps of a training.

/// A step size that changes linearly from the first training step to the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    /// Step size in the first training step.
    pub(crate) from: f64,
    /// Step size in the last step.
    pub(crate) to: f64,
    /// The first step that trains.
    pub(crate) first: usize,
    /// The step that `to` is reached in.
    pub(crate) last: usize,
}

impl Schedule {
    /// The step size of a step; `None` before the first one that trains.
    pub(crate) fn at(&self, step: usize) -> Option<f64> {
        let Self { from, to, first, last } = *self;
        let (done, of) = (step.checked_sub(first)?, last.saturating_sub(first).max(1));
        Some(from + (to - from) * done as f64 / of as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_size_falls_linearly_once_training_begins() {
        let schedule = Schedule { from: 0.3, to: 0.1, first: 11, last: 21 };
        assert_eq!(schedule.at(10), None);
        assert_eq!(schedule.at(11), Some(0.3));
        assert!((schedule.at(16).expect("trains") - 0.2).abs() < 1e-12);
        assert!((schedule.at(21).expect("trains") - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_single_training_step_has_the_first_step_size() {
        assert_eq!(Schedule { from: 0.3, to: 0.1, first: 5, last: 5 }.at(5), Some(0.3));
    }
}
