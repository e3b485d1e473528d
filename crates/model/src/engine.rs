//! What computes: forward passes and training steps of an ensemble, whatever computes them.

use burn::tensor::Device;

#[cfg(feature = "flex")]
use crate::cpu::{CpuForward, CpuLearner};
use crate::ensemble::Ensemble;
use crate::fused::{Adam, Head};
use crate::plain::{PlainForward, PlainLearner};
use crate::samples::Samples;
use crate::state::{LearnerState, StateError};

/// Computes logits.
pub trait Forward: Send + Sync {
    /// Logits of all K networks for the same rows of inputs, written into `logits`, which is resized.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, rows, outputs]`.
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>);

    /// What many threads can compute logits with at once, a few rows each, where that is the fast way.
    fn by_panel(&self) -> Option<&dyn PanelForward> {
        None
    }
}

/// Computes logits of a few rows on the calling thread.
pub trait PanelForward: Sync {
    /// Logits of all K networks for up to [`PANEL_ROWS`](crate::fused::PANEL_ROWS) rows side by side.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, outputs, PANEL_ROWS]`, of which the lanes beyond `rows` mean
    /// nothing.
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

    /// As many steps as there are batches, all from the same samples; `losses` are those of the last step.
    fn steps(&mut self, samples: &Samples, batches: &[Vec<u32>], mut losses: Option<&mut Vec<f32>>) {
        for (index, indices) in batches.iter().enumerate() {
            let last = index + 1 == batches.len();
            self.step(samples, indices, losses.as_deref_mut().filter(|_| last));
        }
    }

    /// Decides and learns in turn: the logits of rows go to `rounds`, which says what to learn from before the next.
    fn rounds(&mut self, rounds: &mut dyn Rounds) {
        let mut logits = Vec::new();
        loop {
            self.logits(rounds.inputs(), &mut logits);
            match rounds.next(&logits) {
                Round::Learn { learning_rate } => {
                    self.set_learning_rate(learning_rate);
                    self.step(rounds.samples(), rounds.indices(), None);
                }
                Round::DecideOnly => {}
                Round::Stop => return,
            }
        }
    }

    /// Changes Adam's step size from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// The networks as they are now, on the learner's device, not in training mode.
    fn ensemble(&self) -> Ensemble;

    /// Goes on from these parameters, the optimiser having forgotten everything.
    fn restart(&mut self, ensemble: &Ensemble);

    /// All that it knows.
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    fn state(&self) -> Result<LearnerState, StateError>;

    /// Goes on from another learner's state, as if nothing had happened; Adam's step size stays this one's.
    ///
    /// # Errors
    /// If the state is damaged, of other networks, or of a learner on another kind of device. Then nothing changes.
    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError>;
}

/// What decides and remembers while a [`Learner`] learns.
pub trait Rounds: Send + Sync {
    /// The rows to decide next, `[rows, inputs]`; always as many.
    fn inputs(&self) -> &[f32];

    /// The logits of all networks for them, `[K, rows, outputs]`; the answer is what happens before the next rows.
    ///
    /// It must not wait for the rayon pool, as parallel iterators do: the learner's threads are the pool's.
    fn next(&mut self, logits: &[f32]) -> Round;

    /// What to learn from.
    fn samples(&self) -> &Samples;

    /// Which rows of the samples each network learns from, `[K, batch]`.
    fn indices(&self) -> &[u32];
}

/// What happens between two decisions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Round {
    /// One step of Adam with this step size for every network.
    Learn {
        /// Step size.
        learning_rate: f32,
    },
    /// Nothing.
    DecideOnly,
    /// The last decision was made.
    Stop,
}

/// The learner to use on this device: the fused kernels on the CPU, plain Burn elsewhere.
pub fn learner(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Box<dyn Learner> {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return Box::new(CpuLearner::new(ensemble, head, adam));
    }
    Box::new(PlainLearner::new(ensemble, head, adam, device))
}

/// What to decide with on this device: the fused kernels on the CPU, plain Burn elsewhere.
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
