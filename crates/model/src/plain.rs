//! Forward passes and training steps in plain Burn operations: runs on every device, and is the reference for
//! whatever is faster.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, OptimizerRecord};
use burn::tensor::{Bytes, Device, Int, Tensor, TensorData, activation};

use crate::ensemble::{Ensemble, to_vec};
use crate::fused::{Adam, Head};
use crate::learner::{Forward, Learner, Sequential, Session};
use crate::samples::{Samples, State};
use crate::state::{LearnerState, StateError};

/// Decides with an ensemble on any device.
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
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        *logits = forward(&self.ensemble, inputs, &self.device);
    }
}

fn forward(ensemble: &Ensemble, inputs: &[f32], device: &Device) -> Vec<f32> {
    if inputs.is_empty() {
        return Vec::new(); // tensors without rows cannot be given another shape
    }
    let width = ensemble.layers[0].weight.dims()[1];
    let data = TensorData::new(inputs.to_vec(), [inputs.len() / width, width]);
    to_vec(ensemble.forward(Tensor::from_data(data, device)))
}

/// Trains an ensemble on any device.
pub struct PlainLearner {
    /// In training mode.
    ensemble: Ensemble,
    optimizer: ModuleOptimizer,
    head: Head,
    adam: Adam,
    device: Device,
    memory: Memory,
}

impl PlainLearner {
    /// Moves the ensemble to the device, in training mode.
    pub fn new(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Self {
        let ensemble = ensemble.clone().to_device(&device.clone().autodiff()).train();
        let memory = Memory { device: device.clone(), rows: None };
        Self { ensemble, optimizer: optimizer(adam), head, adam, device: device.clone(), memory }
    }
}

/// Samples on the device: between two steps only the rows that changed travel.
struct Memory {
    device: Device,
    /// `[rows, inputs + outputs]`, and what the samples held when these were theirs.
    rows: Option<(Tensor<2>, State)>,
}

impl Memory {
    /// Runs of changed rows that are worth an operation each; with more, everything is sent again.
    const FEW: usize = 8;

    /// All samples, inputs and targets side by side.
    fn rows(&mut self, samples: &Samples) -> Tensor<2> {
        let rows = self.rows.take().and_then(|(rows, state)| self.brought_up_to_date(rows, samples, state));
        let rows = rows.unwrap_or_else(|| self.sent(samples, 0..samples.len()));
        self.rows = Some((rows.clone(), samples.state()));
        rows
    }

    fn brought_up_to_date(&self, mut rows: Tensor<2>, samples: &Samples, state: State) -> Option<Tensor<2>> {
        let changes = samples.changes_since(state)?;
        let [count, width] = rows.dims();
        let mut changes: Vec<usize> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        let runs = || changes.chunk_by(|row, next| row + 1 == *next);
        if count != samples.len() || runs().count() > Self::FEW {
            return None;
        }
        for run in runs() {
            let range = run[0]..run[0] + run.len();
            rows = rows.slice_assign([range.clone(), 0..width], self.sent(samples, range));
        }
        Some(rows)
    }

    fn sent(&self, samples: &Samples, range: std::ops::Range<usize>) -> Tensor<2> {
        let count = range.len();
        let rows = samples.side_by_side(range);
        let width = rows.len() / count;
        Tensor::from_data(TensorData::new(rows, [count, width]), &self.device)
    }
}

fn optimizer(adam: Adam) -> ModuleOptimizer {
    AdamConfig::new().with_beta_1(adam.beta1).with_beta_2(adam.beta2).with_epsilon(adam.epsilon).init()
}

impl Forward for PlainLearner {
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        *logits = forward(&self.ensemble.valid(), inputs, &self.device);
    }
}

impl Learner for PlainLearner {
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>) {
        let shape = self.ensemble.shape();
        let dnns = self.ensemble.dnns();
        let batch = indices.len() / dnns;
        let picked: Vec<i32> = indices.iter().map(|row| row.cast_signed()).collect();
        let picked = Tensor::<1, Int>::from_data(TensorData::new(picked, [indices.len()]), &self.device);
        let rows = self.memory.rows(samples).select(0, picked);
        let inputs = rows.clone().narrow(1, 0, shape.inputs).reshape([dnns, batch, shape.inputs]);
        let targets = rows.narrow(1, shape.inputs, shape.outputs).reshape([dnns, batch, shape.outputs]);
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

    fn session(&mut self, body: &mut dyn FnMut(&mut dyn Session)) {
        body(&mut Sequential(self));
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.adam.learning_rate = learning_rate;
    }

    fn ensemble(&self) -> Ensemble {
        self.ensemble.valid()
    }

    fn restart(&mut self, ensemble: &Ensemble) {
        self.ensemble = ensemble.clone().to_device(&self.device.clone().autodiff()).train();
        self.optimizer = optimizer(self.adam);
    }

    fn state(&self) -> Result<LearnerState, StateError> {
        let parameters = self.ensemble.valid().to_bytes()?;
        let optimizer = self.optimizer.to_record().into_bytes().map_err(|error| StateError::new(error.to_string()))?;
        Ok(LearnerState { parameters, optimizer: vec![optimizer.to_vec()], steps: 0 })
    }

    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError> {
        let [record] = &state.optimizer[..] else {
            return Err(StateError::new("it is of another kind of device"));
        };
        let ensemble = self.ensemble.with_bytes(&state.parameters)?;
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(record.clone()))
            .map_err(|error| StateError::new(error.to_string()))?;
        self.ensemble = ensemble.train();
        self.optimizer = optimizer(self.adam).load_record(record);
        Ok(())
    }
}

/// Derivative of each network's mean cross-entropy by its logits, `[K, batch, outputs]`.
fn gradient(head: Head, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    let [dnns, batch, outputs] = logits.dims();
    match head {
        Head::Sigmoid => {
            let indifferent = targets.clone().lower_elem(0.0);
            let error = activation::sigmoid(logits) - targets;
            error.mask_fill(indifferent, 0.0) / (batch * outputs) as f32
        }
        Head::Softmax { places } => {
            let groups = [dnns, batch, outputs / places, places];
            let probabilities = activation::softmax(logits.reshape(groups), 3);
            (probabilities.reshape([dnns, batch, outputs]) - targets) / (batch * outputs / places) as f32
        }
    }
}

/// Each network's mean cross-entropy, eq. (23), `[K]`.
fn cross_entropy(head: Head, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<1> {
    let [dnns, batch, outputs] = logits.dims();
    let (sum, terms) = match head {
        Head::Sigmoid => {
            let indifferent = targets.clone().lower_elem(0.0);
            let softplus = logits.clone().abs().neg().exp().log1p();
            let terms = activation::relu(logits.clone()) - logits * targets + softplus;
            (terms.mask_fill(indifferent, 0.0), batch * outputs)
        }
        Head::Softmax { places } => {
            let groups = [dnns, batch, outputs / places, places];
            let logarithms = activation::log_softmax(logits.reshape(groups), 3).reshape([dnns, batch, outputs]);
            ((logarithms * targets).neg(), batch * outputs / places)
        }
    };
    sum.reshape([dnns, batch * outputs]).sum_dim(1).reshape([dnns]) / terms as f32
}
