//! What computes: forward passes and training steps of an ensemble, whatever computes them.

use burn::tensor::Device;

use crate::codec::Head;
use crate::ensemble::Ensemble;
use crate::plain::{PlainForward, PlainLearner};
use crate::samples::Samples;

/// Computes logits.
pub trait Forward: Send {
    /// Logits of all K networks for the same rows of inputs, written into `logits`, which is resized.
    ///
    /// # Shapes
    /// `inputs` is `[rows, inputs]`, `logits` becomes `[K, rows, outputs]`.
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>);
}

/// Trains the K networks by cross-entropy (23), each on its own batch.
pub trait Learner: Forward {
    /// One step of Adam for every network. With `losses`, each network's mean cross-entropy on its batch before the
    /// step is written there, `[K]`.
    ///
    /// # Shapes
    /// `indices` is `[K, batch]`: rows of `samples`.
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>);

    /// Changes Adam's step size from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// The networks as they are now, on the learner's device, not in training mode.
    fn ensemble(&self) -> Ensemble;

    /// Goes on from these parameters, the optimiser having forgotten everything.
    fn restart(&mut self, ensemble: &Ensemble);
}

/// Settings of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the latter.
    pub epsilon: f32,
}

impl Adam {
    /// Adam's published defaults at this step size.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }
}

/// The learner to use on this device.
pub fn learner(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Box<dyn Learner> {
    Box::new(PlainLearner::new(ensemble, head, adam, device))
}

/// What to decide with on this device.
pub fn forward(ensemble: &Ensemble, device: &Device) -> Box<dyn Forward> {
    Box::new(PlainForward::new(ensemble, device))
}
