//! Your own network in place of the ensemble in Algorithm 2, compared with greedy and the exact optimum.
//!
//! ```sh
//! cargo run -p mrdro --example own_network
//! ```

use std::ops::ControlFlow;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData, activation};
use drl::{Agent, Settings, StepReport, TrainingData, TrainingLoop};
use model::{Codec, Forward, Learner, LearnerState, Policy, Samples, Selection, StateError};
use mrdro::prelude::*;
use sim::scheme::{Exact, Greedy, Order};

/// K networks.
const NETWORKS: usize = 4;

/// A residual network with GELU.
#[derive(Module, Debug)]
struct Residual {
    first: Linear,
    blocks: Vec<Linear>,
    last: Linear,
}

impl Residual {
    fn new(codec: &Codec, width: usize, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let blocks = vec![linear(width, width), linear(width, width)];
        Self { first: linear(codec.inputs(), width), blocks, last: linear(width, codec.outputs()) }
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut units = self.first.forward(inputs);
        for block in &self.blocks {
            units = units.clone() + block.forward(activation::gelu(units));
        }
        self.last.forward(activation::gelu(units))
    }
}

/// K networks, trained with Burn's autodiff and Adam.
struct OwnLearner {
    /// In training mode.
    networks: Vec<Residual>,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
    codec: Codec,
    device: Device,
}

impl Forward for OwnLearner {
    fn networks(&self) -> usize {
        self.networks.len()
    }

    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        logits.clear();
        let inputs = tensor(inputs, self.codec.inputs(), &self.device);
        for network in &self.networks {
            let values = network.valid().forward(inputs.clone()).into_data();
            logits.extend(values.iter::<f32>());
        }
    }
}

impl Learner for OwnLearner {
    fn step(&mut self, samples: &Samples, indices: &[u32], mut losses: Option<&mut Vec<f32>>) {
        if let Some(losses) = &mut losses {
            losses.clear();
        }
        let device = self.device.clone().autodiff();
        let batches = indices.chunks_exact(indices.len() / NETWORKS);
        let mut total = Tensor::<1>::zeros([1], &device);
        for (network, indices) in self.networks.iter().zip(batches) {
            let (inputs, targets) = samples.gather(indices);
            let logits = network.forward(tensor(&inputs, self.codec.inputs(), &device));
            let targets = tensor(&targets, self.codec.outputs(), &device);
            let loss = model::cross_entropy(self.codec.head(), logits.unsqueeze(), targets.unsqueeze());
            if let Some(losses) = &mut losses {
                losses.push(loss.clone().into_scalar());
            }
            // The networks share no parameter, so that the sum of their losses trains each of them on its own.
            total = total + loss;
        }
        let gradients = GradientsParams::from_grads(total.backward(), &self.networks);
        self.networks = self.optimizer.step(self.learning_rate, self.networks.clone(), gradients);
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.learning_rate = f64::from(learning_rate);
    }

    fn state(&self) -> Result<LearnerState, StateError> {
        LearnerState::of_module(&self.networks, &self.optimizer)
    }

    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError> {
        (self.networks, self.optimizer) = state.restored(&self.networks, self.optimizer.clone())?;
        Ok(())
    }
}

/// Rows of numbers as a tensor, `[rows, width]`.
fn tensor(values: &[f32], width: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len() / width, width]), device)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::load("paper")?;
    let device = DeviceChoice::Auto.open()?.device;
    device.seed(1);
    let codec = Codec::new(Codec::default_code(&problem.model), &problem.model, problem.sampler()?.moments().into())?;
    let networks = (0..NETWORKS).map(|_| Residual::new(&codec, 64, &device.clone().autodiff()).train()).collect();
    let optimizer = AdamConfig::new().init();
    let learner = Box::new(OwnLearner { networks, optimizer, learning_rate: 0.0, codec, device });

    let settings = Settings {
        steps: 1000,
        workloads_per_step: 8,
        learn_from: Some(400),
        batch: 64,
        learning_rate: 0.01,
        ..Settings::default()
    };
    let data = TrainingData { workloads: problem.workloads(1, "workloads")?, codec };
    let mut agent = Agent::with_learner(data, learner, settings, 1)?;
    agent.run(&mut |report: &StepReport, _: &Agent<OwnLearner>| {
        if let Some(loss) = report.loss {
            println!("step {}: loss {loss:.4}", report.step);
        }
        Ok::<_, std::convert::Infallible>(ControlFlow::Continue(()))
    })?;

    let own = Policy::with_forward("own network", agent.into_learner(), codec, Selection::PAPER);
    let schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(own), Box::new(Greedy::new(Order::LargestFirst)), Box::new(Exact::new())];
    for row in mrdro::evaluate_all(schemes, &problem.standard_set()?)?.evaluations {
        println!("{:24} Q2 {:.5}", row.scheme, row.q2.unwrap_or(f64::NAN));
    }
    Ok(())
}
