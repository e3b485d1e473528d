//! Training steps of an ensemble: in plain Burn operations on every device, and through the kernels on the CPU.

#[cfg(feature = "flex")]
mod cpu;
mod device_samples;
mod loss;
mod plain;

use burn::tensor::Device;

#[cfg(feature = "flex")]
pub use self::cpu::CpuLearner;
pub use self::loss::cross_entropy;
pub use self::plain::PlainLearner;
use super::ensemble::Ensemble;
use crate::kernels::{Adam, Head};
use crate::learner::Learner;

/// Trains an [`Ensemble`] of DNNs, which can be taken out and exchanged.
pub trait EnsembleLearner: Learner {
    /// The networks as they are now, on the learner's device, not in training mode.
    fn ensemble(&self) -> Ensemble;

    /// Continues from these parameters with an optimiser that has seen nothing yet.
    fn restart(&mut self, ensemble: &Ensemble);
}

/// The fastest learner on this device: the kernels on the CPU, plain Burn elsewhere.
pub fn learner(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Box<dyn EnsembleLearner> {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return Box::new(CpuLearner::new(ensemble, head, adam));
    }
    Box::new(PlainLearner::new(ensemble, head, adam, device))
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
