//! Logits of an ensemble: in plain Burn operations on every device, and through the kernels on the CPU.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::ensemble::Ensemble;
#[cfg(feature = "flex")]
use super::tensor_slices::TensorSlices;
#[cfg(feature = "flex")]
use crate::kernels::{Inference, Kernel, PANEL_ROWS};
use crate::learner::Forward;
#[cfg(feature = "flex")]
use crate::learner::PanelForward;
use crate::parameters::to_vec;

/// The fastest forward pass on this device: the kernels on the CPU, plain Burn elsewhere.
pub fn forward(ensemble: &Ensemble, device: &Device) -> Box<dyn Forward> {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return Box::new(CpuForward::new(ensemble));
    }
    Box::new(PlainForward::new(ensemble, device))
}

/// An ensemble's logits in plain Burn operations on any device; the reference for [`CpuForward`](super::CpuForward).
#[derive(Debug)]
pub struct PlainForward {
    ensemble: Ensemble,
    device: Device,
}

impl PlainForward {
    /// Moves the ensemble to the device.
    pub fn new(ensemble: &Ensemble, device: &Device) -> Self {
        Self { ensemble: ensemble.clone().to_device(device), device: device.clone() }
    }
}

impl Forward for PlainForward {
    fn networks(&self) -> usize {
        self.ensemble.networks()
    }

    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        *logits = plain_logits(&self.ensemble, inputs, &self.device);
    }
}

/// Logits `[K, rows, outputs]` for `inputs` `[rows, inputs]`.
pub(super) fn plain_logits(ensemble: &Ensemble, inputs: &[f32], device: &Device) -> Vec<f32> {
    if inputs.is_empty() {
        return Vec::new(); // tensors without rows cannot be given another shape
    }
    let width = ensemble.layers[0].weight.dims()[1];
    let data = TensorData::new(inputs.to_vec(), [inputs.len() / width, width]);
    to_vec(ensemble.forward(Tensor::from_data(data, device)))
}

/// An ensemble's logits on the CPU through the [`kernels`](crate::kernels).
#[cfg(feature = "flex")]
#[derive(Debug)]
pub struct CpuForward {
    parameters: TensorSlices,
    inference: Inference,
}

#[cfg(feature = "flex")]
impl CpuForward {
    /// Shares the parameters if they are on `flex`, else copies them.
    pub fn new(ensemble: &Ensemble) -> Self {
        let inference = Inference::new(ensemble.kernel_shape(), Kernel::detect());
        Self { parameters: TensorSlices::of(ensemble.clone().to_device(&Device::flex())), inference }
    }
}

#[cfg(feature = "flex")]
impl Forward for CpuForward {
    fn networks(&self) -> usize {
        self.inference.shape().nets()
    }

    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        cpu_logits(&self.inference, &self.parameters, inputs, logits);
    }

    fn by_panel(&self) -> Option<&dyn PanelForward> {
        Some(self)
    }
}

#[cfg(feature = "flex")]
impl PanelForward for CpuForward {
    fn panel_logits(&self, inputs: &[f32], logits: &mut Vec<f32>) {
        let shape = self.inference.shape();
        logits.resize(shape.nets() * shape.outputs() * PANEL_ROWS, 0.0);
        self.inference.forward_panel(&self.parameters.slices(), inputs, logits);
    }
}

/// Logits `[K, rows, outputs]` for `inputs` `[rows, inputs]`.
#[cfg(feature = "flex")]
pub(super) fn cpu_logits(inference: &Inference, parameters: &TensorSlices, inputs: &[f32], logits: &mut Vec<f32>) {
    let shape = inference.shape();
    let rows = inputs.len() / shape.inputs();
    logits.resize(shape.nets() * rows * shape.outputs(), 0.0);
    inference.forward(&parameters.slices(), inputs, logits);
}
