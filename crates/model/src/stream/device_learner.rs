//! Training steps of one network in Burn operations, on any device.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::features::{CONTEXT_INPUTS, PLACE_INPUTS};
use super::loss::{Loss, Sample};
use super::net::{Network, PRICES, Parameters};
use crate::parameters::to_vec;
use crate::state::{LearnerState, StateError};

/// Trains one network in Burn operations; the same steps as those of [`Learner`](super::Learner).
pub struct DeviceLearner {
    /// In training mode.
    network: Network,
    optimizer: ModuleOptimizer,
    device: Device,
}

fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

impl DeviceLearner {
    /// Moves a network with these parameters to the device.
    pub fn new(parameters: &Parameters, device: &Device) -> Self {
        let network = Network::with(parameters, &device.clone().autodiff()).train();
        Self { network, optimizer: optimizer(), device: device.clone() }
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> Parameters {
        self.network.valid().parameters()
    }

    /// Takes one step of Adam on the mean loss of a batch, and returns that loss.
    ///
    /// # Panics
    /// If the batch is empty.
    pub fn step(&mut self, batch: &[&Sample], loss: Loss, learning_rate: f64) -> f32 {
        assert!(!batch.is_empty(), "a batch has samples");
        let mut contexts = Vec::new();
        let mut places = Vec::new();
        for sample in batch {
            for place in &sample.inputs.places {
                contexts.extend_from_slice(&sample.inputs.context);
                places.extend_from_slice(&place.inputs);
            }
        }
        let rows = places.len() / PLACE_INPUTS;
        let tensor = |values: Vec<f32>, columns: usize| {
            Tensor::<2>::from_inner(Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device))
        };
        let ln_prices = self.network.ln_prices(tensor(contexts, CONTEXT_INPUTS), tensor(places, PLACE_INPUTS));
        let values: Vec<[f32; PRICES]> = to_vec(ln_prices.clone().inner()).as_chunks().0.to_vec();
        let mut gradients = vec![[0.0; PRICES]; rows];
        let (mut first, mut sum) = (0, 0.0);
        let scale = 1.0 / batch.len() as f32;
        for sample in batch {
            let range = first..first + sample.inputs.places.len();
            sum += scale * loss.gradient(sample, &values[range.clone()], &mut gradients[range.clone()]);
            first = range.end;
        }
        // The gradient by the prices is known; entering it as a constant factor spares the graph the loss itself.
        let factors = gradients.as_flattened().iter().map(|gradient| gradient * scale).collect();
        let surrogate = (ln_prices * tensor(factors, PRICES)).sum();
        let gradients = GradientsParams::from_grads(surrogate.backward(), &self.network);
        self.network = self.optimizer.step(learning_rate, self.network.clone(), gradients);
        sum
    }

    /// Parameters and moments of Adam, from which another learner continues.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    pub fn state(&self) -> Result<[Vec<u8>; 2], StateError> {
        let state = LearnerState::of_module(&self.network.valid(), &self.optimizer)?;
        let LearnerState { parameters, mut optimizer, .. } = state;
        Ok([parameters, optimizer.swap_remove(0)])
    }

    /// Continues from the state that [`DeviceLearner::state`] gave.
    ///
    /// # Errors
    /// If the state is damaged, or of another network.
    pub fn restore(&mut self, state: &[Vec<u8>; 2]) -> Result<(), StateError> {
        let [parameters, moments] = state.clone();
        let state = LearnerState { parameters, optimizer: vec![moments], steps: 0 };
        let (network, optimizer) = state.restored(&self.network, optimizer())?;
        (self.network, self.optimizer) = (network.train(), optimizer);
        Ok(())
    }
}
