//! The time that each phase of a training step takes.

use std::time::{Duration, Instant};

/// Part of a training step of one net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Inputs and targets of the batch put side by side.
    Gather,
    /// All layers up to the logits.
    Forward,
    /// The loss and its gradient with respect to the logits.
    Head,
    /// Gradients with respect to the layers' outputs, transposed for the next phase.
    Backward,
    /// Gradients with respect to the parameters, and Adam.
    Update,
}

impl Phase {
    /// All phases, in the order of a step.
    pub const ALL: [Self; 5] = [Self::Gather, Self::Forward, Self::Head, Self::Backward, Self::Update];
}

/// Receives the end of each phase.
pub(super) trait Laps {
    fn lap(&mut self, phase: Phase);
}

/// Measures nothing and costs nothing.
impl Laps for () {
    #[inline(always)]
    fn lap(&mut self, _: Phase) {}
}

/// Time spent in each phase, summed over steps; see [`NetTrainer::profile`](super::NetTrainer::profile).
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    last: Instant,
    spent: [Duration; Phase::ALL.len()],
}

impl Profile {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), spent: [Duration::ZERO; Phase::ALL.len()] }
    }

    /// Time spent in a phase.
    pub fn spent(&self, phase: Phase) -> Duration {
        self.spent[phase as usize]
    }
}

impl Laps for Profile {
    fn lap(&mut self, phase: Phase) {
        let now = Instant::now();
        self.spent[phase as usize] += now - self.last;
        self.last = now;
    }
}
