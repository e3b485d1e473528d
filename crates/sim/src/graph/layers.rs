//! The layers of networks for images, computed from their architectures: operations, weights and outputs.

use super::application::{Application, GraphEdge, GraphTask};

/// Bytes of a number in a layer's weights and outputs.
const BYTES_PER_NUMBER: usize = 4;

/// A network whose layers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// AlexNet (Krizhevsky, Sutskever and Hinton, 2012), with its two groups of channels.
    AlexNet,
    /// VGG-16 (Simonyan and Zisserman, 2014).
    Vgg16,
    /// MobileNet v1 of full width (Howard et al., 2017). Each normalisation is part of the convolution before it.
    MobileNet,
}

/// One layer of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The name, such as `conv1`.
    pub name: String,
    /// Floating-point operations: two for each multiplication and addition. Pooling counts none.
    pub operations: f64,
    /// The size of weights and biases, in bytes.
    pub weights_bytes: f64,
    /// The size of the output, in bytes.
    pub output_bytes: f64,
}

impl Network {
    /// Every network with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] =
        [("alexnet", Self::AlexNet), ("vgg-16", Self::Vgg16), ("mobilenet", Self::MobileNet)];

    /// The size of an input, in bytes: three colours of a square image, a byte each.
    pub fn input_bytes(self) -> f64 {
        let side = self.input_side();
        (side * side * 3) as f64
    }

    fn input_side(self) -> usize {
        match self {
            Self::AlexNet => 227,
            Self::Vgg16 | Self::MobileNet => 224,
        }
    }

    /// The layers, from the input on.
    pub fn layers(self) -> Vec<Layer> {
        let mut image = Image { side: self.input_side(), channels: 3, layers: Vec::new() };
        match self {
            Self::AlexNet => {
                image.convolve("conv1", Filter { size: 11, step: 4, padding: 0, groups: 1 }, 96);
                image.pool("pool1", 3, 2);
                image.convolve("conv2", Filter { size: 5, step: 1, padding: 2, groups: 2 }, 256);
                image.pool("pool2", 3, 2);
                image.convolve("conv3", Filter::around(1), 384);
                image.convolve("conv4", Filter { groups: 2, ..Filter::around(1) }, 384);
                image.convolve("conv5", Filter { groups: 2, ..Filter::around(1) }, 256);
                image.pool("pool5", 3, 2);
                image.connect(&["fc6", "fc7", "fc8"], &[4096, 4096, 1000]);
            }
            Self::Vgg16 => {
                for (block, &(convolutions, channels)) in
                    [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].iter().enumerate()
                {
                    for convolution in 1..=convolutions {
                        image.convolve(&format!("conv{}-{convolution}", block + 1), Filter::around(1), channels);
                    }
                    image.pool(&format!("pool{}", block + 1), 2, 2);
                }
                image.connect(&["fc6", "fc7", "fc8"], &[4096, 4096, 1000]);
            }
            Self::MobileNet => {
                image.convolve("conv1", Filter::around(2), 32);
                let blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)];
                let blocks = blocks.into_iter().chain([(512, 1); 5]).chain([(1024, 2), (1024, 1)]);
                for (index, (channels, step)) in blocks.enumerate() {
                    let each = Filter { groups: image.channels, ..Filter::around(step) };
                    image.convolve(&format!("depthwise{}", index + 1), each, image.channels);
                    let point = Filter { size: 1, step: 1, padding: 0, groups: 1 };
                    image.convolve(&format!("pointwise{}", index + 1), point, channels);
                }
                image.pool("pool", image.side, 1);
                image.connect(&["fc"], &[1000]);
            }
        }
        image.layers
    }

    /// The network as a chain of tasks: one that has the input, one for each layer, and one that needs the output. The
    /// first and the last do nothing; where they are pinned to the device, the image comes from it and the answer goes back.
    pub fn application(self) -> Application {
        chain_of_layers(&self.layers(), self.input_bytes())
    }
}

/// Layers as a chain of tasks between one that has the input, `input`, and one that needs the output, `output`.
///
/// # Panics
/// If a name is not unique or a size is not valid.
pub(super) fn chain_of_layers(layers: &[Layer], input_bytes: f64) -> Application {
    let end = |name: &str| Layer {
        name: name.to_owned(),
        operations: 0.0,
        weights_bytes: 0.0,
        output_bytes: if name == "input" { input_bytes } else { 0.0 },
    };
    let all: Vec<Layer> = [end("input")].into_iter().chain(layers.iter().cloned()).chain([end("output")]).collect();
    let received = |index: usize| if index == 0 { 0.0 } else { all[index - 1].output_bytes };
    let tasks = all.iter().enumerate().map(|(index, layer)| GraphTask {
        name: layer.name.clone(),
        instructions: layer.operations,
        send_bytes: received(index),
        result_bytes: Some(layer.output_bytes),
        weights_bytes: layer.weights_bytes,
        pinned: None,
    });
    let edges = (1..all.len()).map(|to| GraphEdge { from: to as u32 - 1, to: to as u32, bytes: received(to) });
    Application::new(tasks.collect(), edges.collect()).expect("layers have names of their own and sizes")
}

/// The filters of a convolution.
#[derive(Debug, Clone, Copy)]
struct Filter {
    size: usize,
    step: usize,
    padding: usize,
    /// Each group of output channels reads a group of input channels.
    groups: usize,
}

impl Filter {
    /// A point and its neighbours.
    fn around(step: usize) -> Self {
        Self { size: 3, step, padding: 1, groups: 1 }
    }
}

/// A square image between two layers, with the layers so far.
struct Image {
    side: usize,
    channels: usize,
    layers: Vec<Layer>,
}

impl Image {
    fn convolve(&mut self, name: &str, filter: Filter, channels: usize) {
        let Filter { size, step, padding, groups } = filter;
        self.side = (self.side + 2 * padding - size) / step + 1;
        let weights = channels * size * size * self.channels / groups;
        self.channels = channels;
        self.add(name, self.side * self.side * weights, weights + channels);
    }

    fn pool(&mut self, name: &str, size: usize, step: usize) {
        self.side = (self.side - size) / step + 1;
        self.add(name, 0, 0);
    }

    /// Fully connected layers.
    fn connect(&mut self, names: &[&str], widths: &[usize]) {
        for (name, &width) in names.iter().zip(widths) {
            let weights = self.side * self.side * self.channels * width;
            (self.side, self.channels) = (1, width);
            self.add(name, weights, weights + width);
        }
    }

    fn add(&mut self, name: &str, multiplications: usize, weights: usize) {
        self.layers.push(Layer {
            name: name.to_owned(),
            operations: 2.0 * multiplications as f64,
            weights_bytes: (weights * BYTES_PER_NUMBER) as f64,
            output_bytes: (self.side * self.side * self.channels * BYTES_PER_NUMBER) as f64,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_of_alexnet_are_those_of_the_table() {
        // MFLOP, MB of weights, KB of output.
        let expected = [
            ("conv1", 211, 0.1, 1162),
            ("pool1", 0, 0.0, 280),
            ("conv2", 448, 1.2, 746),
            ("pool2", 0, 0.0, 173),
            ("conv3", 299, 3.5, 260),
            ("conv4", 224, 2.7, 260),
            ("conv5", 150, 1.8, 173),
            ("pool5", 0, 0.0, 37),
            ("fc6", 75, 151.0, 16),
            ("fc7", 34, 67.1, 16),
            ("fc8", 8, 16.4, 4),
        ];
        let layers = Network::AlexNet.layers();
        assert_eq!(layers.len(), expected.len());
        for (layer, (name, mflop, weights_mb, output_kb)) in layers.iter().zip(expected) {
            assert_eq!(layer.name, name);
            assert_eq!((layer.operations / 1e6).round() as i32, mflop, "{name}");
            assert!((layer.weights_bytes / 1e6 - weights_mb).abs() <= 0.06, "{name} {}", layer.weights_bytes);
            assert_eq!((layer.output_bytes / 1e3).round() as i32, output_kb, "{name}");
        }
        assert_eq!((Network::AlexNet.input_bytes() / 1e3).round() as i32, 155);
    }

    #[test]
    fn networks_have_the_published_numbers_of_weights_and_operations() {
        let sum = |network: Network, value: fn(&Layer) -> f64| network.layers().iter().map(value).sum::<f64>();
        // AlexNet of Caffe and VGG-16: the published numbers of parameters. MobileNet: 3,185,088 weights of convolutions,
        // 10,944 biases that stand for its normalisations, and 1,025,000 of the last layer.
        let expected = [
            (Network::AlexNet, 60_965_224.0, 1.45),
            (Network::Vgg16, 138_357_544.0, 30.9),
            (Network::MobileNet, 4_221_032.0, 1.14),
        ];
        for (network, weights, gigaflop) in expected {
            assert_eq!(sum(network, |layer| layer.weights_bytes) / 4.0, weights, "{network:?}");
            let operations = sum(network, |layer| layer.operations) / 1e9;
            assert!((operations - gigaflop).abs() < 0.05, "{network:?} {operations}");
        }
    }

    #[test]
    fn a_network_is_a_chain_between_its_input_and_its_output() {
        let application = Network::MobileNet.application();
        assert_eq!((application.len(), application.edges().len()), (2 + 29, 2 + 28));
        assert_eq!(application.tasks()[0].name, "input");
        assert_eq!(application.edges()[0].bytes, 150_528.0);
        assert_eq!(application.edges().last().expect("not empty").bytes, 4000.0);
    }
}
