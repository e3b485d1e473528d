//! The traits through which networks for one scenario train and decide: logits ([`Forward`]) and training steps
//! ([`Learner`]).
//!
//! The ensemble of DNNs has implementations in [`dnn`](crate::dnn). A program with its own kind of network implements
//! both traits for it and passes it to `drl::Agent::with_learner`.

use std::sync::Arc;

use crate::dnn::Samples;
use crate::state::{LearnerState, StateError};

/// Computes the logits of K networks.
pub trait Forward: Send + Sync {
    /// Number of networks, K.
    fn networks(&self) -> usize;

    /// Logits of all K networks for the same rows of inputs, written into `logits`, which is resized.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, rows, outputs]`.
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>);

    /// The same computation for a few rows at a time on several threads, on devices where that is faster.
    fn by_panel(&self) -> Option<&dyn PanelForward> {
        None
    }
}

/// Computes logits of a few rows on the calling thread.
pub trait PanelForward: Sync {
    /// Logits of all K networks for up to [`PANEL_ROWS`](crate::kernels::PANEL_ROWS) rows side by side.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, outputs, PANEL_ROWS]`; lanes beyond `rows` hold arbitrary values.
    fn panel_logits(&self, inputs: &[f32], logits: &mut Vec<f32>);
}

/// Trains K networks by cross-entropy (23), each on its own batch.
pub trait Learner: Forward {
    /// Takes one step of Adam with every network. With `losses`, each network's mean cross-entropy on its batch before the
    /// step is written there, `[K]`.
    ///
    /// # Shapes
    /// `indices` is `[K, batch]`: rows of `samples`.
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>);

    /// Takes one step of Adam for each of the batches, all from the same samples; `losses` receives the losses of the
    /// last step.
    fn steps(&mut self, samples: &Samples, batches: &[Vec<u32>], mut losses: Option<&mut Vec<f32>>) {
        for (index, indices) in batches.iter().enumerate() {
            let last = index + 1 == batches.len();
            self.step(samples, indices, losses.as_deref_mut().filter(|_| last));
        }
    }

    /// Calls `body` once, with these networks for a long alternation of training steps and decisions.
    ///
    /// The provided session takes a step and then computes the logits. Learners that gain by doing both at once have one of
    /// their own; its threads may stay awake for as long as it lasts, so that the body must not wait for the rayon pool, as
    /// parallel iterators do.
    fn session(&mut self, body: &mut dyn FnMut(&mut dyn Session)) {
        body(&mut Sequential(self));
    }

    /// Changes Adam's step size from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// Parameters, moments of Adam and the count of its steps.
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    fn state(&self) -> Result<LearnerState, StateError>;

    /// Continues from the state of another learner, to the same bytes. This learner keeps its own step size of Adam.
    ///
    /// # Errors
    /// If the state is damaged, of other networks, or of a learner on another kind of device. Then nothing changes.
    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError>;
}

/// The networks of a [`Learner`] during [`Learner::session`].
pub trait Session {
    /// Takes one step of Adam with every network if there is a lesson, then computes the logits of all networks for the same
    /// rows of inputs and writes them into `logits`, which is resized.
    ///
    /// On the CPU both happen in one pass over the networks: while one network decides, another may still learn.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, rows, outputs]`.
    fn learn_and_decide(&mut self, lesson: Option<Lesson<'_>>, inputs: &[f32], logits: &mut Vec<f32>);
}

/// Batches for one step of Adam of every network.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// The samples that batches are taken from, shared with the threads that learn from them.
    pub samples: &'a Arc<Samples>,
    /// Rows of the samples that each network learns from, `[K, batch]`.
    pub indices: &'a [u32],
    /// Step size of Adam.
    pub learning_rate: f32,
}

/// A session that first learns and then decides.
struct Sequential<'l, L: ?Sized>(&'l mut L);

impl<L: Learner + ?Sized> Session for Sequential<'_, L> {
    fn learn_and_decide(&mut self, lesson: Option<Lesson<'_>>, inputs: &[f32], logits: &mut Vec<f32>) {
        if let Some(Lesson { samples, indices, learning_rate }) = lesson {
            self.0.set_learning_rate(learning_rate);
            self.0.step(samples, indices, None);
        }
        self.0.logits(inputs, logits);
    }
}
