//! The layers of networks for images, computed from their architectures: operations, weights and outputs.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::application::{Application, GraphEdge, GraphTask};
use crate::suggestion::nearest;

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

/// A kind of layer: layers of one kind take times that follow from their sizes by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// A convolution whose filters see a point and its neighbours, in all channels of a group.
    Convolution,
    /// A convolution whose filters see one point in all channels.
    PointwiseConvolution,
    /// A convolution whose filters see a point and its neighbours in one channel.
    DepthwiseConvolution,
    /// The largest or the mean value of neighbouring points.
    Pooling,
    /// Every output is a weighted sum of all inputs.
    FullyConnected,
    /// A function of each value by itself, such as a rectifier.
    Activation,
    /// Values scaled and shifted by statistics of them.
    Normalisation,
    /// Anything else.
    Other,
}

impl LayerKind {
    /// Every kind with its name in scenarios and files.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("convolution", Self::Convolution),
        ("pointwise-convolution", Self::PointwiseConvolution),
        ("depthwise-convolution", Self::DepthwiseConvolution),
        ("pooling", Self::Pooling),
        ("fully-connected", Self::FullyConnected),
        ("activation", Self::Activation),
        ("normalisation", Self::Normalisation),
        ("other", Self::Other),
    ];

    /// The name in scenarios and files.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for LayerKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl FromStr for LayerKind {
    type Err = UnknownLayerKind;

    /// Reads a name. Capitals mean nothing, and words may be joined by spaces or underscores.
    fn from_str(text: &str) -> Result<Self, UnknownLayerKind> {
        let plain = text.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        let found = Self::NAMES.iter().find(|(name, _)| *name == plain).map(|(_, kind)| *kind);
        found.ok_or_else(|| UnknownLayerKind {
            name: text.to_owned(),
            suggestion: nearest(&plain, Self::NAMES.map(|(name, _)| name)).map(str::to_owned),
        })
    }
}

/// A name that no kind of layer has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no kind of layer called \"{name}\"{}; the kinds are {}",
    suggestion.as_ref().map_or(String::new(), |name| format!(" (did you mean \"{name}\"?)")),
    LayerKind::NAMES.map(|(name, _)| name).join(", ")
)]
pub struct UnknownLayerKind {
    /// The name.
    pub name: String,
    /// The kind that was probably meant.
    pub suggestion: Option<String>,
}

/// One layer of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The name, such as `conv1`.
    pub name: String,
    /// The kind; `None`: it is not known, so that no time can be predicted from measured layers.
    pub kind: Option<LayerKind>,
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
        kind: None,
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
        kind: layer.kind,
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
        let kind = match filter {
            Filter { size: 1, .. } => LayerKind::PointwiseConvolution,
            Filter { groups, .. } if groups == self.channels => LayerKind::DepthwiseConvolution,
            Filter { .. } => LayerKind::Convolution,
        };
        self.side = (self.side + 2 * padding - size) / step + 1;
        let weights = channels * size * size * self.channels / groups;
        self.channels = channels;
        self.add(name, kind, [self.side * self.side * weights, weights + channels]);
    }

    fn pool(&mut self, name: &str, size: usize, step: usize) {
        self.side = (self.side - size) / step + 1;
        self.add(name, LayerKind::Pooling, [0, 0]);
    }

    /// Fully connected layers.
    fn connect(&mut self, names: &[&str], widths: &[usize]) {
        for (name, &width) in names.iter().zip(widths) {
            let weights = self.side * self.side * self.channels * width;
            (self.side, self.channels) = (1, width);
            self.add(name, LayerKind::FullyConnected, [weights, weights + width]);
        }
    }

    fn add(&mut self, name: &str, kind: LayerKind, [multiplications, weights]: [usize; 2]) {
        self.layers.push(Layer {
            name: name.to_owned(),
            kind: Some(kind),
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
    fn every_layer_of_a_known_network_has_its_kind() {
        let count = |network: Network, kind| network.layers().iter().filter(|layer| layer.kind == Some(kind)).count();
        let kinds = [
            LayerKind::Convolution,
            LayerKind::PointwiseConvolution,
            LayerKind::DepthwiseConvolution,
            LayerKind::Pooling,
            LayerKind::FullyConnected,
        ];
        for (network, expected) in [
            (Network::AlexNet, [5, 0, 0, 3, 3]),
            (Network::Vgg16, [13, 0, 0, 5, 3]),
            (Network::MobileNet, [1, 13, 13, 1, 1]),
        ] {
            assert_eq!(kinds.map(|kind| count(network, kind)), expected, "{network:?}");
        }
    }

    #[test]
    fn kinds_are_read_as_people_write_them() {
        for (name, kind) in LayerKind::NAMES {
            assert_eq!((kind.to_string().parse(), kind.name()), (Ok(kind), name));
        }
        assert_eq!(" Fully connected".parse(), Ok(LayerKind::FullyConnected));
        assert_eq!("DEPTHWISE_CONVOLUTION".parse(), Ok(LayerKind::DepthwiseConvolution));
        let error = "poolin".parse::<LayerKind>().expect_err("unknown").to_string();
        let expected = "there is no kind of layer called \"poolin\" (did you mean \"pooling\"?); the kinds are convolution, \
                        pointwise-convolution, depthwise-convolution, pooling, fully-connected, activation, normalisation, other";
        assert_eq!(error, expected);
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
