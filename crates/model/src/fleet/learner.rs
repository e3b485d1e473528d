//! Training of networks for any fleet, in Burn operations on any device.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::features::{Features, INPUTS};
use super::instance::Instance;
use super::net::{BatchShape, Network};
use super::shares::{begin, soften};
use crate::parameters::to_vec;
use crate::state::{LearnerState, StateError};

/// One instance with a decision to start from and the decision to imitate.
#[derive(Debug)]
pub struct Case<'a> {
    /// The fleet and its sizes.
    pub instance: &'a Instance,
    /// `[N * M]`: the decision that the network reads first; `None` if nothing is decided yet.
    pub start: Option<&'a [u8]>,
    /// `[N * M]`: the decision that every round should propose.
    pub label: &'a [u8],
}

impl Network {
    /// Scores of one forward pass in plain Burn operations, on the network's device; the reference for the faster
    /// [`Forward`](super::Forward).
    ///
    /// # Shapes
    /// `start` is `[N * M]`, the scores are `[places][N * M]`.
    ///
    /// # Panics
    /// If `start` does not fit the instance.
    pub fn scores(&self, instance: &Instance, start: Option<&[u8]>) -> Vec<f32> {
        let (devices, tasks, places) = (instance.devices, instance.tasks, instance.places);
        let batch = BatchShape { cases: 1, devices, tasks, places };
        let device = self.rounds[0].input.device();
        let rows = places * instance.task_count();
        let (mut features, mut shares, mut scores) = (Features::default(), Vec::new(), Vec::new());
        begin(instance, start, &mut shares);
        let mut context = None;
        for round in 0..self.rounds.len() {
            let mut inputs = vec![0.0; rows * INPUTS];
            features.write_rows(instance, &shares, &mut inputs);
            let inputs = Tensor::<2>::from_data(TensorData::new(inputs, [rows, INPUTS]), &device);
            let (hidden, of_round) = self.round(round, inputs, context, batch);
            context = Some(hidden);
            scores = to_vec(of_round);
            soften(instance, &scores, &mut shares);
        }
        scores
    }
}

/// Trains one network.
pub struct Learner {
    /// In training mode.
    network: Network,
    optimizer: ModuleOptimizer,
    device: Device,
    features: Features,
}

fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

impl Learner {
    /// Moves the network to the device, in training mode.
    pub fn new(network: &Network, device: &Device) -> Self {
        let network = network.clone().to_device(&device.clone().autodiff()).train();
        Self { network, optimizer: optimizer(), device: device.clone(), features: Features::default() }
    }

    /// The network as it is now.
    pub fn network(&self) -> Network {
        self.network.valid()
    }

    /// Takes one step of Adam on the cross-entropy of every round with the labels; returns the cross-entropy of the
    /// last round.
    ///
    /// # Panics
    /// If there is no case, or the cases differ in their numbers of devices, tasks or places.
    pub fn step(&mut self, cases: &[Case<'_>], learning_rate: f64) -> f32 {
        let first = cases.first().expect("a batch has cases").instance;
        let batch = BatchShape { cases: cases.len(), devices: first.devices, tasks: first.tasks, places: first.places };
        let (count, places) = (first.task_count(), first.places);
        let targets = self.targets(cases, batch);
        let mut shares = vec![Vec::new(); cases.len()];
        for (case, shares) in cases.iter().zip(&mut shares) {
            begin(case.instance, case.start, shares);
        }
        let mut context = None;
        let mut surrogate: Option<Tensor<1>> = None;
        let mut loss = 0.0;
        for round in 0..self.network.rounds.len() {
            let inputs = self.inputs(cases, &shares);
            let rows = inputs.dims()[0];
            let (hidden, scores) = self.network.round(round, Tensor::from_inner(inputs), context, batch);
            context = Some(hidden);
            let values = scores.clone().inner().reshape([cases.len(), places, count]);
            let host = to_vec(values.clone());
            for ((case, shares), scores) in cases.iter().zip(&mut shares).zip(host.chunks_exact(places * count)) {
                soften(case.instance, scores, shares);
            }
            // The gradient of the cross-entropy by the scores is known; entering it as a constant factor spares the graph
            // the loss itself.
            let terms = (cases.len() * count) as f32;
            let gradient = (activation::softmax(values.clone(), 1) - targets.clone()) / terms;
            if round + 1 == self.network.rounds.len() {
                let logs = activation::log_softmax(values, 1);
                loss = to_vec((logs * targets.clone()).sum())[0] / -terms;
            }
            let factor = Tensor::from_inner(gradient.reshape([rows, 1]));
            let part = (scores * factor).sum();
            surrogate = Some(match surrogate {
                None => part,
                Some(sum) => sum + part,
            });
        }
        let surrogate = surrogate.expect("a network has rounds");
        let gradients = GradientsParams::from_grads(surrogate.backward(), &self.network);
        self.network = self.optimizer.step(learning_rate, self.network.clone(), gradients);
        loss
    }

    /// The labels as probabilities, `[cases, places, N * M]`.
    fn targets(&self, cases: &[Case<'_>], batch: BatchShape) -> Tensor<3> {
        let (places, count) = (batch.places, batch.devices * batch.tasks);
        let mut targets = vec![0.0; cases.len() * places * count];
        for (case, targets) in cases.iter().zip(targets.chunks_exact_mut(places * count)) {
            assert_eq!((case.instance.places, case.label.len()), (places, count), "cases of one shape");
            for (task, &place) in case.label.iter().enumerate() {
                targets[usize::from(place) * count + task] = 1.0;
            }
        }
        Tensor::from_data(TensorData::new(targets, [cases.len(), places, count]), &self.device)
    }

    /// The features of all cases, `[cases * places * N * M, INPUTS]`.
    fn inputs(&mut self, cases: &[Case<'_>], shares: &[Vec<f32>]) -> Tensor<2> {
        let rows: usize = shares.iter().map(Vec::len).sum();
        let mut inputs = vec![0.0; rows * INPUTS];
        let blocks = inputs.chunks_exact_mut(rows / cases.len() * INPUTS);
        for ((case, shares), inputs) in cases.iter().zip(shares).zip(blocks) {
            self.features.write_rows(case.instance, shares, inputs);
        }
        Tensor::from_data(TensorData::new(inputs, [rows, INPUTS]), &self.device)
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

    /// Continues from the state that [`Learner::state`] gave.
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
