//! One DNN: a multilayer perceptron from task sizes to logits.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

/// Widths of a network's layers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkShape {
    /// Number of inputs: one for each task, and the inputs of the environment.
    pub inputs: usize,
    /// Widths of the hidden layers, each followed by ReLU.
    pub hidden: Vec<usize>,
    /// Logits; see [`Codec`](crate::Codec).
    pub outputs: usize,
}

impl NetworkShape {
    /// Inputs and outputs of each layer.
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        let widths = std::iter::once(self.inputs).chain(self.hidden.iter().copied());
        let next = self.hidden.iter().copied().chain(std::iter::once(self.outputs));
        widths.zip(next)
    }

    /// Number of weights and biases of one network.
    pub fn parameters(&self) -> usize {
        self.layers()
            .map(|(inputs, outputs)| inputs.saturating_mul(outputs).saturating_add(outputs))
            .fold(0, usize::saturating_add)
    }
}

/// One DNN as a Burn module of its own, as `export` writes it for each network.
#[derive(Module, Debug)]
pub struct Dnn {
    /// The layers, from the inputs to the logits.
    pub layers: Vec<Linear>,
}

impl Dnn {
    /// A network with parameters drawn by Burn, for loading others into it.
    pub fn new(shape: &NetworkShape, device: &Device) -> Self {
        let layer = |(inputs, outputs)| LinearConfig::new(inputs, outputs).init(device);
        Self { layers: shape.layers().map(layer).collect() }
    }

    /// Logits of a batch.
    ///
    /// # Shapes
    /// `[batch, inputs]` to `[batch, outputs]`.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut activations = inputs;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                activations = activation::relu(activations);
            }
            activations = layer.forward(activations);
        }
        activations
    }
}
