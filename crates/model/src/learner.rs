//! Forward passes and training steps of an ensemble, on whatever device they are computed.

use std::sync::Arc;

use burn::tensor::Device;

#[cfg(feature = "flex")]
use crate::cpu::{CpuForward, CpuLearner};
use crate::ensemble::Ensemble;
use crate::fused::{Adam, Head};
use crate::plain::{PlainForward, PlainLearner};
use crate::samples::Samples;
use crate::state::{LearnerState, StateError};

/// Computes the logits of an ensemble.
pub trait Forward: Send + Sync {
    /// Logits of all K networks for the same rows of inputs, written into `logits`, which is resized.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, rows, outputs]`.
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>);

    /// A form of this that several threads can use at once, a few rows each, on devices where that is faster.
    fn by_panel(&self) -> Option<&dyn PanelForward> {
        None
    }
}

/// Computes logits of a few rows on the calling thread.
pub trait PanelForward: Sync {
    /// Logits of all K networks for up to [`PANEL_ROWS`](crate::fused::PANEL_ROWS) rows side by side.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, outputs, PANEL_ROWS]`; lanes beyond `rows` hold arbitrary values.
    fn panel_logits(&self, inputs: &[f32], logits: &mut Vec<f32>);
}

/// Trains the K networks by cross-entropy (23), each on its own batch.
pub trait Learner: Forward {
    /// One step of Adam for every network. With `losses`, each network's mean cross-entropy on its batch before the
    /// step is written there, `[K]`.
    ///
    /// # Shapes
    /// `indices` is `[K, batch]`: rows of `samples`.
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>);

    /// One step of Adam for each of the batches, all from the same samples; `losses` are those of the last step.
    fn steps(&mut self, samples: &Samples, batches: &[Vec<u32>], mut losses: Option<&mut Vec<f32>>) {
        for (index, indices) in batches.iter().enumerate() {
            let last = index + 1 == batches.len();
            self.step(samples, indices, losses.as_deref_mut().filter(|_| last));
        }
    }

    /// Calls `body` once, with these networks for a long alternation of decisions and training steps.
    ///
    /// Threads stay awake for as long as it lasts, which spares each step the time that they take to wake up. The body must
    /// not wait for the rayon pool, as parallel iterators do: the threads are the pool's.
    fn session(&mut self, body: &mut dyn FnMut(&mut dyn Session));

    /// Changes Adam's step size from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// The networks as they are now, on the learner's device, not in training mode.
    fn ensemble(&self) -> Ensemble;

    /// Continues from these parameters with an optimiser that has seen nothing yet.
    fn restart(&mut self, ensemble: &Ensemble);

    /// Parameters, moments of Adam and the count of its steps.
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    fn state(&self) -> Result<LearnerState, StateError>;

    /// Continues from the state of another learner, to the same bytes; Adam's step size stays that of this learner.
    ///
    /// # Errors
    /// If the state is damaged, of other networks, or of a learner on another kind of device. Then nothing changes.
    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError>;
}

/// The networks of a [`Learner`] during [`Learner::session`].
pub trait Session {
    /// Takes one step of Adam for every network if there is a lesson, then computes the logits of all networks for the same
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

/// A session that learns and decides one after the other, for learners that gain nothing by doing more at once.
pub(crate) struct Sequential<'l, L>(pub(crate) &'l mut L);

impl<L: Learner> Session for Sequential<'_, L> {
    fn learn_and_decide(&mut self, lesson: Option<Lesson<'_>>, inputs: &[f32], logits: &mut Vec<f32>) {
        if let Some(Lesson { samples, indices, learning_rate }) = lesson {
            self.0.set_learning_rate(learning_rate);
            self.0.step(samples, indices, None);
        }
        self.0.logits(inputs, logits);
    }
}

/// The learner to use on this device: the fused kernels on the CPU, plain Burn elsewhere.
pub fn learner(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Box<dyn Learner> {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return Box::new(CpuLearner::new(ensemble, head, adam));
    }
    Box::new(PlainLearner::new(ensemble, head, adam, device))
}

/// The forward pass to use on this device: the fused kernels on the CPU, plain Burn elsewhere.
pub fn forward(ensemble: &Ensemble, device: &Device) -> Box<dyn Forward> {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return Box::new(CpuForward::new(ensemble));
    }
    Box::new(PlainForward::new(ensemble, device))
}

/// Whether the device is the processor through Burn's own backend, where networks are best trained side by side on the
/// threads of the rayon pool.
pub fn is_cpu(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return true;
    }
    let _ = device;
    false
}
