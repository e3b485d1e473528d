//! A network in the manner of MobileNet (Howard et al., 2017): a chain of layers that can run on one device or on two. Behind
//! the first convolution is a pooling, as in ShuffleNet (Zhang et al., 2018), so that the data soon become small.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AdaptiveAvgPool2d, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData, activation};
use sim::graph::{LayerKind, LayerWork};
use sim::random::{self, Stream};

/// Bytes of a number of a tensor, in memory and on the way.
pub(crate) const BYTES_PER_NUMBER: usize = 4;

/// The number of answers of the last layer.
const CLASSES: usize = 100;

/// Output channels at full width, and step, of each pair of a depthwise and a pointwise convolution.
const BLOCKS: [(usize, usize); 8] = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (1024, 2)];

/// One layer; `[batch, channels, height, width]` in and out.
#[derive(Module, Debug)]
pub(crate) enum Layer {
    /// A convolution with a rectifier behind it.
    Convolution(Conv2d),
    /// The largest of four neighbouring points.
    LargestPooling(MaxPool2d),
    /// The mean of each channel.
    MeanPooling(AdaptiveAvgPool2d),
    /// A fully connected layer. Its output has height and width 1.
    FullyConnected(Linear),
}

impl Layer {
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Convolution(convolution) => activation::relu(convolution.forward(input)),
            Self::LargestPooling(pooling) => pooling.forward(input),
            Self::MeanPooling(pooling) => pooling.forward(input),
            Self::FullyConnected(linear) => {
                let [batch, ..] = input.dims();
                let output = linear.forward(input.flatten::<2>(1, 3));
                output.reshape([batch, CLASSES, 1, 1])
            }
        }
    }
}

/// A layer with what its time is predicted from.
#[derive(Debug, Clone)]
pub(crate) struct NamedLayer {
    pub(crate) name: String,
    pub(crate) kind: LayerKind,
    pub(crate) work: LayerWork,
    pub(crate) layer: Layer,
}

/// A chain of layers with random weights, on one device.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) layers: Vec<NamedLayer>,
    /// `[1, channels, height, width]` of the input.
    input: [usize; 4],
}

impl Network {
    /// Draws the weights of a network for square images of a side, with the share `width` of MobileNet's channels. The same
    /// seed gives the same network on every device.
    pub(crate) fn new(side: usize, width: f64, seed: u64, device: &Device) -> Self {
        let mut random = random::stream(seed, "weights of a split network");
        let channels = |full: usize| ((full as f64 * width).round() as usize).max(1);
        let mut builder = Builder { side, channels: 3, layers: Vec::new(), random: &mut random, device };
        builder.convolve("conv1", channels(32), [3, 2, 1]);
        builder.pool_neighbours();
        for (block, (full, step)) in (1..).zip(BLOCKS) {
            builder.convolve(&format!("depthwise{block}"), builder.channels, [3, step, builder.channels]);
            builder.convolve(&format!("pointwise{block}"), channels(full), [1, 1, 1]);
        }
        builder.pool_channels();
        builder.connect();
        Self { layers: builder.layers, input: [1, 3, side, side] }
    }

    /// The layers on another device.
    pub(crate) fn on(&self, device: &Device) -> Vec<Layer> {
        self.layers.iter().map(|named| named.layer.clone().to_device(device)).collect()
    }

    /// A random image.
    pub(crate) fn image(&self, seed: u64, device: &Device) -> Tensor<4> {
        let mut random = random::stream(seed, "image of a split network");
        let numbers: Vec<f32> = (0..self.input.iter().product()).map(|_| random::unit(&mut random) as f32).collect();
        Tensor::from_data(TensorData::new(numbers, self.input), device)
    }
}

/// Adds layers one by one.
struct Builder<'b> {
    side: usize,
    channels: usize,
    layers: Vec<NamedLayer>,
    random: &'b mut Stream,
    device: &'b Device,
}

impl Builder<'_> {
    /// Numbers between −limit and limit, where limit makes the variance of outputs that of the inputs behind a rectifier
    /// (He et al., 2015).
    fn weights<const D: usize>(&mut self, shape: [usize; D], inputs: usize) -> Param<Tensor<D>> {
        let limit = (6.0 / inputs as f64).sqrt();
        let count = shape.iter().product();
        let numbers: Vec<f32> = (0..count).map(|_| (limit * (2.0 * random::unit(self.random) - 1.0)) as f32).collect();
        Param::from_data(TensorData::new(numbers, shape), self.device)
    }

    /// A convolution with the size of its filters, its step and its number of groups.
    fn convolve(&mut self, name: &str, channels: usize, [size, step, groups]: [usize; 3]) {
        let inputs = self.channels / groups * size * size;
        let padding = size / 2;
        let received = self.numbers();
        let layer = Layer::Convolution(Conv2d {
            weight: self.weights([channels, self.channels / groups, size, size], inputs),
            bias: Some(self.weights([channels], inputs)),
            stride: [step, step],
            kernel_size: [size, size],
            dilation: [1, 1],
            groups,
            padding: PaddingConfig2d::Explicit(padding, padding, padding, padding),
        });
        let kind = match (size, groups) {
            (1, _) => LayerKind::PointwiseConvolution,
            (_, 1) => LayerKind::Convolution,
            _ => LayerKind::DepthwiseConvolution,
        };
        self.side = (self.side + 2 * padding - size) / step + 1;
        self.channels = channels;
        let counts = [self.numbers() * inputs, (inputs + 1) * channels, received];
        self.add(name, kind, layer, counts);
    }

    fn pool_neighbours(&mut self) {
        let received = self.numbers();
        self.side /= 2;
        let pooling = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        self.add("pool1", LayerKind::Pooling, Layer::LargestPooling(pooling), [0, 0, received]);
    }

    fn pool_channels(&mut self) {
        let received = self.numbers();
        self.side = 1;
        let layer = Layer::MeanPooling(AdaptiveAvgPool2d { output_size: [1, 1] });
        self.add("pool2", LayerKind::Pooling, layer, [0, 0, received]);
    }

    fn connect(&mut self) {
        let inputs = self.numbers();
        let weight = self.weights([inputs, CLASSES], inputs);
        let layer = Layer::FullyConnected(Linear { weight, bias: Some(self.weights([CLASSES], inputs)) });
        self.channels = CLASSES;
        self.add("fc", LayerKind::FullyConnected, layer, [inputs * CLASSES, (inputs + 1) * CLASSES, inputs]);
    }

    /// The number of values between two layers.
    fn numbers(&self) -> usize {
        self.side * self.side * self.channels
    }

    fn add(&mut self, name: &str, kind: LayerKind, layer: Layer, counts: [usize; 3]) {
        let [multiplications, weights, received] = counts;
        let bytes = |numbers: usize| (numbers * BYTES_PER_NUMBER) as f64;
        let work = LayerWork {
            operations: 2.0 * multiplications as f64,
            weights_bytes: bytes(weights),
            input_bytes: bytes(received),
            output_bytes: bytes(self.numbers()),
        };
        self.layers.push(NamedLayer { name: name.to_owned(), kind, work, layer });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_tensors() {
        let device = Device::flex();
        let network = Network::new(48, 0.25, 1, &device);
        assert_eq!(network.layers.len(), 2 + 2 * BLOCKS.len() + 2);
        let mut tensor = network.image(1, &device);
        for named in &network.layers {
            let bytes = |tensor: &Tensor<4>| (tensor.dims().iter().product::<usize>() * BYTES_PER_NUMBER) as f64;
            assert_eq!(named.work.input_bytes, bytes(&tensor), "{}", named.name);
            tensor = named.layer.forward(tensor);
            assert_eq!(named.work.output_bytes, bytes(&tensor), "{}", named.name);
            assert_eq!(
                named.work.weights_bytes,
                (named.layer.num_params() * BYTES_PER_NUMBER) as f64,
                "{}",
                named.name
            );
        }
        assert_eq!(tensor.dims(), [1, CLASSES, 1, 1]);
        let values = tensor.into_data().try_to_vec::<f32>().expect("numbers");
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        assert!((1e-3..1e3).contains(&largest), "{largest}");
    }

    #[test]
    fn full_width_has_the_operations_of_mobilenet_in_the_layers_that_both_have() {
        let network = Network::new(448, 1.0, 1, &Device::flex());
        let known = sim::graph::Network::MobileNet.layers();
        // Both have the same blocks up to the second of 512 channels; there this network goes on to 1024. Its pooling is made
        // up for by images of twice the side.
        for (own, known) in network.layers[2..].iter().zip(&known[1..]).take(2 * 7) {
            assert_eq!((own.work.operations, own.kind), (known.operations, known.kind.expect("known")), "{}", own.name);
            assert_eq!((own.work.weights_bytes, own.work.output_bytes), (known.weights_bytes, known.output_bytes));
        }
    }

    #[test]
    fn a_seed_is_a_network() {
        let device = Device::flex();
        let answer = |seed| {
            let network = Network::new(32, 0.25, seed, &device);
            let image = network.image(1, &device);
            let output = network.layers.iter().fold(image, |tensor, named| named.layer.forward(tensor));
            output.into_data().try_to_vec::<f32>().expect("numbers")
        };
        assert_eq!(answer(1), answer(1));
        assert_ne!(answer(1), answer(2));
    }
}
