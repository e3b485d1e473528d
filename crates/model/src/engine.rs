//! What computes: forward passes and training steps of an ensemble, whatever computes them.

use burn::tensor::Device;

use crate::cpu::{CpuForward, CpuLearner};
use crate::ensemble::Ensemble;
use crate::fused::{Adam, Head};
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
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// The networks as they are now, on the learner's device, not in training mode.
    fn ensemble(&self) -> Ensemble;

    /// Goes on from these parameters, the optimiser having forgotten everything.
    fn restart(&mut self, ensemble: &Ensemble);
}

/// The learner to use on this device: the fused kernels on the CPU, plain Burn elsewhere.
pub fn learner(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Box<dyn Learner> {
    if is_fused(device) {
        Box::new(CpuLearner::new(ensemble, head, adam, device))
    } else {
        Box::new(PlainLearner::new(ensemble, head, adam, device))
    }
}

/// What to decide with on this device: the fused kernels on the CPU, plain Burn elsewhere.
pub fn forward(ensemble: &Ensemble, device: &Device) -> Box<dyn Forward> {
    if is_fused(device) { Box::new(CpuForward::new(ensemble)) } else { Box::new(PlainForward::new(ensemble, device)) }
}

/// Whether tensors of this device lie in host memory, where the fused kernels work.
fn is_fused(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return *device == Device::flex();
    #[cfg(not(feature = "flex"))]
    return false;
}
