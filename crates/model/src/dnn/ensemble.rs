//! K DNNs of one shape with stacked parameters, so that one batched product runs all of them.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation};
use sim::random;

use super::net::{Dnn, NetworkShape};
#[cfg(feature = "flex")]
use crate::kernels;
use crate::parameters::{self, Ids, to_vec};
use crate::state::StateError;

/// K DNNs of one shape. Each layer has a weight `[K, in, out]` and a bias `[K, 1, out]`.
#[derive(Module, Debug)]
pub struct Ensemble {
    /// The layers, from the inputs to the logits.
    pub layers: Vec<StackedLinear>,
}

/// One layer of all K DNNs.
#[derive(Module, Debug)]
pub struct StackedLinear {
    /// `[K, in, out]`.
    pub weight: Param<Tensor<3>>,
    /// `[K, 1, out]`.
    pub bias: Param<Tensor<3>>,
}

/// Parameters of one stacked layer on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerData {
    /// `[K, in, out]`.
    pub weight: Vec<f32>,
    /// `[K, 1, out]`.
    pub bias: Vec<f32>,
}

impl Ensemble {
    /// `networks` networks with random parameters, uniform within ±1/√in. Each network draws from a stream of its own, so that
    /// its parameters do not depend on the number of the others.
    pub fn random(shape: &NetworkShape, networks: usize, seed: u64, device: &Device) -> Self {
        let mut layers: Vec<LayerData> = shape
            .layers()
            .map(|(inputs, outputs)| LayerData {
                weight: Vec::with_capacity(networks * inputs * outputs),
                bias: Vec::with_capacity(networks * outputs),
            })
            .collect();
        for network in 0..networks {
            let mut random = random::stream(seed, &format!("weights/{network}"));
            for (layer, (inputs, outputs)) in layers.iter_mut().zip(shape.layers()) {
                let bound = 1.0 / (inputs as f64).sqrt();
                let mut draw = || ((2.0 * random::unit(&mut random) - 1.0) * bound) as f32;
                layer.weight.extend((0..inputs * outputs).map(|_| draw()));
                layer.bias.extend((0..outputs).map(|_| draw()));
            }
        }
        Self::from_host(shape, networks, layers, device)
    }

    /// An ensemble from parameters on the host.
    ///
    /// # Panics
    /// If a layer does not have the parameters of `networks` networks of this shape.
    pub fn from_host(shape: &NetworkShape, networks: usize, layers: Vec<LayerData>, device: &Device) -> Self {
        let mut ids = Ids::default();
        let mut param = |data: Vec<f32>, dimensions: [usize; 3]| {
            ids.param(Tensor::<3>::from_data(TensorData::new(data, dimensions), device))
        };
        let stacked = |(LayerData { weight, bias }, (inputs, outputs)): (LayerData, (usize, usize))| StackedLinear {
            weight: param(weight, [networks, inputs, outputs]),
            bias: param(bias, [networks, 1, outputs]),
        };
        Self { layers: layers.into_iter().zip(shape.layers()).map(stacked).collect() }
    }

    /// The device that the parameters are on.
    ///
    /// # Panics
    /// If the ensemble has no layers.
    pub fn device(&self) -> Device {
        self.layers[0].weight.device()
    }

    /// The parameters as Burn writes them.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        parameters::to_bytes(self)
    }

    /// An ensemble of the same shape, on the same device, with parameters that [`Ensemble::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the parameters are damaged, or of networks of another shape or number.
    pub fn with_bytes(&self, bytes: &[u8]) -> Result<Self, StateError> {
        parameters::from_bytes(self.clone(), bytes.to_vec())
    }

    /// `networks` networks of this shape with parameters that [`Ensemble::to_bytes`] wrote.
    pub(crate) fn from_bytes(
        bytes: Vec<u8>,
        shape: &NetworkShape,
        networks: usize,
        device: &Device,
    ) -> Result<Self, StateError> {
        let layer = |(inputs, outputs): (usize, usize)| LayerData {
            weight: vec![0.0; networks * inputs * outputs],
            bias: vec![0.0; networks * outputs],
        };
        let zeros = Self::from_host(shape, networks, shape.layers().map(layer).collect(), device);
        parameters::from_bytes(zeros, bytes)
    }

    /// The parameters, copied to the host.
    pub fn to_host(&self) -> Vec<LayerData> {
        let layer =
            |layer: &StackedLinear| LayerData { weight: to_vec(layer.weight.val()), bias: to_vec(layer.bias.val()) };
        self.layers.iter().map(layer).collect()
    }

    /// The first network with a parameter that is not a finite number, if there is one.
    pub fn first_not_finite(&self) -> Option<usize> {
        let networks = self.networks();
        let stacks = parameters::values(self);
        let is_finite = |stack: &[f32], network: usize| {
            let count = stack.len() / networks;
            parameters::are_finite(&stack[network * count..][..count])
        };
        (0..networks).find(|&network| !stacks.iter().all(|stack| is_finite(stack, network)))
    }

    /// The shape as the kernels take it.
    #[cfg(feature = "flex")]
    pub(super) fn kernel_shape(&self) -> kernels::Shape {
        let NetworkShape { inputs, hidden, outputs } = self.shape();
        kernels::Shape::new(self.networks(), &[&[inputs][..], &hidden, &[outputs]].concat())
    }

    /// Number of networks, K.
    pub fn networks(&self) -> usize {
        self.layers[0].weight.dims()[0]
    }

    /// Widths of the layers of each network.
    pub fn shape(&self) -> NetworkShape {
        let dims: Vec<[usize; 3]> = self.layers.iter().map(|layer| layer.weight.dims()).collect();
        NetworkShape {
            inputs: dims[0][1],
            hidden: dims[..dims.len() - 1].iter().map(|[_, _, outputs]| *outputs).collect(),
            outputs: dims[dims.len() - 1][2],
        }
    }

    /// An ensemble of these networks.
    ///
    /// # Panics
    /// If there are no networks, or they differ in shape.
    pub fn stack(networks: &[Dnn]) -> Self {
        assert!(!networks.is_empty(), "an ensemble needs at least one network");
        let mut ids = Ids::default();
        let layer = |index: usize| {
            let weights = networks.iter().map(|network| network.layers[index].weight.val()).collect();
            let biases = networks.iter().map(|network| {
                let bias = network.layers[index].bias.as_ref().expect("every layer of a Dnn has a bias");
                bias.val().unsqueeze_dim::<2>(0) // [out] -> [1, out]
            });
            StackedLinear {
                weight: ids.param(Tensor::stack::<3>(weights, 0)),
                bias: ids.param(Tensor::stack::<3>(biases.collect(), 0)),
            }
        };
        Self { layers: (0..networks[0].layers.len()).map(layer).collect() }
    }

    /// One network of the ensemble as a module of its own.
    ///
    /// # Panics
    /// If there is no such network.
    pub fn network(&self, network: usize) -> Dnn {
        let mut ids = Ids::default();
        let layer = |stacked: &StackedLinear| {
            let weight = stacked.weight.val().narrow(0, network, 1).squeeze_dim::<2>(0); // [1, in, out] -> [in, out]
            let bias = stacked.bias.val().narrow(0, network, 1);
            let [_, _, outputs] = bias.dims();
            Linear { weight: ids.param(weight), bias: Some(ids.param(bias.reshape([outputs]))) }
        };
        Dnn { layers: self.layers.iter().map(layer).collect() }
    }

    /// Logits of all networks for one batch.
    ///
    /// # Shapes
    /// `[batch, inputs]` to `[K, batch, outputs]`.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<3> {
        self.forward_each(inputs.unsqueeze_dim(0)) // [batch, in] -> [1, batch, in]
    }

    /// Logits of each network for its own batch; a batch with a first dimension of 1 goes to all networks.
    ///
    /// # Shapes
    /// `[K, batch, inputs]` to `[K, batch, outputs]`.
    pub fn forward_each(&self, inputs: Tensor<3>) -> Tensor<3> {
        let mut activations = inputs;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                activations = activation::relu(activations);
            }
            activations = activations.matmul(layer.weight.val()) + layer.bias.val();
        }
        activations
    }
}
