//! Forward passes and training steps on the CPU through the [`fused`] kernels: the parameters are taken
//! out of the Burn module once, trained in place, and put back into one when asked for.

use burn::tensor::Device;

use crate::dnn::NetworkShape;
use crate::engine::{Forward, Learner};
use crate::ensemble::{Ensemble, LayerData};
use crate::fused::{self, Adam, Head, Inference, Kernel, Layer, LayerView, Trainer};
use crate::samples::Samples;

fn shape(ensemble: &Ensemble) -> fused::Shape {
    let NetworkShape { inputs, hidden, outputs } = ensemble.shape();
    fused::Shape::new(ensemble.dnns(), &[&[inputs][..], &hidden, &[outputs]].concat())
}

/// Decides with an ensemble on the CPU.
#[derive(Debug)]
pub struct CpuForward {
    shape: fused::Shape,
    parameters: Vec<LayerData>,
    inference: Inference,
}

impl CpuForward {
    /// Copies the parameters.
    pub fn new(ensemble: &Ensemble) -> Self {
        let shape = shape(ensemble);
        let inference = Inference::new(shape.clone(), Kernel::detect());
        Self { shape, parameters: ensemble.to_host(), inference }
    }
}

impl Forward for CpuForward {
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        forward(&self.inference, &self.shape, &self.parameters, inputs, logits);
    }
}

fn forward(
    inference: &Inference,
    shape: &fused::Shape,
    parameters: &[LayerData],
    inputs: &[f32],
    logits: &mut Vec<f32>,
) {
    let rows = inputs.len() / shape.inputs();
    logits.resize(shape.nets() * rows * shape.outputs(), 0.0);
    let views: Vec<_> = parameters.iter().map(|layer| LayerView { weight: &layer.weight, bias: &layer.bias }).collect();
    inference.forward(&views, inputs, logits);
}

/// Trains an ensemble on the CPU, networks in parallel.
#[derive(Debug)]
pub struct CpuLearner {
    shape: fused::Shape,
    device: Device,
    parameters: Vec<LayerData>,
    first_moments: Vec<LayerData>,
    second_moments: Vec<LayerData>,
    steps: u64,
    adam: Adam,
    trainer: Trainer,
    inference: Inference,
}

impl CpuLearner {
    /// Copies the parameters; [`Learner::ensemble`] puts them onto `device`.
    pub fn new(ensemble: &Ensemble, head: Head, adam: Adam, device: &Device) -> Self {
        let shape = shape(ensemble);
        let parameters = ensemble.to_host();
        Self {
            trainer: Trainer::new(shape.clone(), head, Kernel::detect()),
            inference: Inference::new(shape.clone(), Kernel::detect()),
            shape,
            device: device.clone(),
            first_moments: zeros(&parameters),
            second_moments: zeros(&parameters),
            parameters,
            steps: 0,
            adam,
        }
    }
}

fn zeros(like: &[LayerData]) -> Vec<LayerData> {
    let zeros = |values: &Vec<f32>| vec![0.0; values.len()];
    like.iter().map(|layer| LayerData { weight: zeros(&layer.weight), bias: zeros(&layer.bias) }).collect()
}

fn lend(layers: &mut [LayerData]) -> impl Iterator<Item = Layer<'_>> {
    layers.iter_mut().map(|layer| Layer { weight: &mut layer.weight, bias: &mut layer.bias })
}

impl Forward for CpuLearner {
    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        forward(&self.inference, &self.shape, &self.parameters, inputs, logits);
    }
}

impl Learner for CpuLearner {
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>) {
        self.steps += 1;
        let (parameters, first) = (lend(&mut self.parameters), lend(&mut self.first_moments));
        let mut ensemble = fused::Ensemble::new(&self.shape, parameters, first, lend(&mut self.second_moments));
        let rows = fused::Samples { inputs: samples.inputs(), targets: samples.targets() };
        let losses = losses.map(|losses| {
            losses.resize(self.shape.nets(), 0.0);
            losses.as_mut_slice()
        });
        self.trainer.step(&mut ensemble, rows, indices, &self.adam, self.steps, losses);
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.adam.learning_rate = learning_rate;
    }

    fn ensemble(&self) -> Ensemble {
        let widths = self.shape.widths();
        let shape = NetworkShape {
            inputs: self.shape.inputs(),
            hidden: widths[1..widths.len() - 1].to_vec(),
            outputs: self.shape.outputs(),
        };
        Ensemble::from_host(&shape, self.shape.nets(), self.parameters.clone(), &self.device)
    }

    fn restart(&mut self, ensemble: &Ensemble) {
        self.parameters = ensemble.to_host();
        self.first_moments = zeros(&self.parameters);
        self.second_moments = zeros(&self.parameters);
        self.steps = 0;
    }
}
