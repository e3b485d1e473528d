//! Training steps of an ensemble in plain Burn operations, on every device.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::EnsembleLearner;
use super::device_samples::DeviceSamples;
use super::loss::{cross_entropy, gradient};
use crate::dnn::ensemble::Ensemble;
use crate::dnn::forward::plain_logits;
use crate::dnn::samples::Samples;
use crate::kernels::{Adam, Head};
use crate::learner::{Forward, Learner};
use crate::parameters::to_vec;
use crate::state::{LearnerState, StateError};

/// Trains an ensemble in plain Burn operations on any device; the reference for [`CpuLearner`](crate::dnn::CpuLearner).
pub struct PlainLearner {
    /// In training mode.
    ensemble: Ensemble,
    optimizer: ModuleOptimizer,
    head: Head,
    adam: Adam,
    device: Device,
    samples: DeviceSamples,
}

impl PlainLearner {
    /// Moves the ensemble to the device, in training mode.
    pub fn new(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Self {
        Self {
            ensemble: in_training(ensemble, device),
            optimizer: optimizer(adam),
            head,
            adam,
            device: device.clone(),
            samples: DeviceSamples::new(device.clone()),
        }
    }
}

fn in_training(ensemble: &Ensemble, device: &Device) -> Ensemble {
    ensemble.clone().to_device(&device.clone().autodiff()).train()
}

fn optimizer(adam: Adam) -> ModuleOptimizer {
    AdamConfig::new().with_beta_1(adam.beta1).with_beta_2(adam.beta2).with_epsilon(adam.epsilon).init()
}

impl Forward for PlainLearner {
    fn networks(&self) -> usize {
        self.ensemble.networks()
    }

    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        *logits = plain_logits(&self.ensemble.valid(), inputs, &self.device);
    }
}

impl Learner for PlainLearner {
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>) {
        let shape = self.ensemble.shape();
        let networks = self.ensemble.networks();
        let batch = indices.len() / networks;
        let picked: Vec<i32> = indices.iter().map(|row| row.cast_signed()).collect();
        let picked = Tensor::<1, Int>::from_data(TensorData::new(picked, [indices.len()]), &self.device);
        let rows = self.samples.rows(samples).select(0, picked);
        // [K * batch, inputs + outputs] -> [K, batch, inputs] and [K, batch, outputs]
        let inputs = rows.clone().narrow(1, 0, shape.inputs).reshape([networks, batch, shape.inputs]);
        let targets = rows.narrow(1, shape.inputs, shape.outputs).reshape([networks, batch, shape.outputs]);
        let logits = self.ensemble.forward_each(Tensor::from_inner(inputs));
        let values = logits.clone().inner();
        if let Some(losses) = losses {
            *losses = to_vec(cross_entropy(self.head, values.clone(), targets.clone()));
        }
        // The gradient of the cross-entropy by the logits is known; entering it as a constant factor spares the graph
        // the loss itself. The networks share no parameter, so that the sum over them keeps their gradients apart.
        let surrogate = (logits * Tensor::from_inner(gradient(self.head, values, targets))).sum();
        let gradients = GradientsParams::from_grads(surrogate.backward(), &self.ensemble);
        self.ensemble = self.optimizer.step(f64::from(self.adam.learning_rate), self.ensemble.clone(), gradients);
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.adam.learning_rate = learning_rate;
    }

    fn state(&self) -> Result<LearnerState, StateError> {
        LearnerState::of_module(&self.ensemble.valid(), &self.optimizer)
    }

    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError> {
        let (ensemble, optimizer) = state.restored(&self.ensemble, optimizer(self.adam))?;
        (self.ensemble, self.optimizer) = (ensemble.train(), optimizer);
        Ok(())
    }
}

impl EnsembleLearner for PlainLearner {
    fn ensemble(&self) -> Ensemble {
        self.ensemble.valid()
    }

    fn restart(&mut self, ensemble: &Ensemble) {
        self.ensemble = in_training(ensemble, &self.device);
        self.optimizer = optimizer(self.adam);
    }
}
