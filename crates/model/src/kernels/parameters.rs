//! Parameters and moments, borrowed as slices and split by net.

use super::shape::Shape;

/// One layer's parameters, or one of their moments, borrowed for writing.
///
/// # Shapes
///
/// For an ensemble: `weight` `[K, in, out]`, `bias` `[K, 1, out]`, both row-major.
#[derive(Debug)]
pub struct Layer<'a> {
    /// Weight `[K, in, out]`.
    pub weight: &'a mut [f32],
    /// Bias `[K, 1, out]`.
    pub bias: &'a mut [f32],
}

/// One layer's parameters, borrowed for reading; shapes as in [`Layer`].
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a> {
    /// Weight `[K, in, out]`.
    pub weight: &'a [f32],
    /// Bias `[K, 1, out]`.
    pub bias: &'a [f32],
}

impl LayerView<'_> {
    /// The part of one net out of `nets`.
    #[inline]
    pub(super) fn of_net(self, net: usize, nets: usize) -> Self {
        let (weights, biases) = (self.weight.len() / nets, self.bias.len() / nets);
        Self { weight: &self.weight[net * weights..][..weights], bias: &self.bias[net * biases..][..biases] }
    }
}

/// Parameters and moments of one layer of one net; each member has a weight `[in, out]` and a bias `[out]`.
#[derive(Debug)]
pub(super) struct LayerState<'a> {
    pub(super) parameters: Layer<'a>,
    pub(super) first_moment: Layer<'a>,
    pub(super) second_moment: Layer<'a>,
}

/// One net's parameters and moments of Adam, borrowed for training.
#[derive(Debug)]
pub struct Net<'a> {
    pub(super) layers: Vec<LayerState<'a>>,
}

impl Net<'_> {
    /// The net's parameters, layer by layer: weight `[in, out]`, bias `[out]`.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = LayerView<'_>> + Clone {
        self.layers.iter().map(|layer| LayerView { weight: layer.parameters.weight, bias: layer.parameters.bias })
    }
}

/// All nets' parameters and moments of Adam, borrowed for a block of training steps.
///
/// Its constructor allocates a little; training steps do not.
#[derive(Debug)]
pub struct Ensemble<'a> {
    nets: Vec<Net<'a>>,
}

impl<'a> Ensemble<'a> {
    /// Splits the slices by net. Moments of a new optimiser are 0.
    ///
    /// # Panics
    ///
    /// If the number of layers or the length of a slice does not fit the shape.
    pub fn new(
        shape: &Shape,
        parameters: impl IntoIterator<Item = Layer<'a>>,
        first_moments: impl IntoIterator<Item = Layer<'a>>,
        second_moments: impl IntoIterator<Item = Layer<'a>>,
    ) -> Self {
        let mut nets: Vec<_> = (0..shape.nets()).map(|_| Net { layers: Vec::with_capacity(shape.layers()) }).collect();
        let mut parameters = split_by_net(shape, "parameters", parameters);
        let mut first_moments = split_by_net(shape, "first moments", first_moments);
        let mut second_moments = split_by_net(shape, "second moments", second_moments);
        for _ in 0..shape.layers() {
            for net in &mut nets {
                let (Some(parameters), Some(first_moment), Some(second_moment)) =
                    (parameters.next(), first_moments.next(), second_moments.next())
                else {
                    unreachable!("split_by_net gives every layer of every net");
                };
                net.layers.push(LayerState { parameters, first_moment, second_moment });
            }
        }
        Self { nets }
    }

    /// The nets.
    pub fn nets(&self) -> &[Net<'a>] {
        &self.nets
    }

    /// The nets, each to be trained by itself, for instance many steps on one thread with
    /// [`NetTrainer`](super::NetTrainer).
    pub fn nets_mut(&mut self) -> &mut [Net<'a>] {
        &mut self.nets
    }
}

/// The nets' parts of every layer: all nets of the first layer, then all nets of the second, and so on.
fn split_by_net<'a>(
    shape: &Shape,
    what: &str,
    layers: impl IntoIterator<Item = Layer<'a>>,
) -> std::vec::IntoIter<Layer<'a>> {
    let mut parts = Vec::with_capacity(shape.layers() * shape.nets());
    let mut count = 0;
    for (index, layer) in layers.into_iter().enumerate() {
        count += 1;
        let Some((inputs, outputs)) = shape.layer_sizes().nth(index) else { continue };
        check_layer(shape, what, index, layer.weight.len(), layer.bias.len());
        let weights = layer.weight.chunks_exact_mut(inputs * outputs);
        let biases = layer.bias.chunks_exact_mut(outputs);
        parts.extend(weights.zip(biases).map(|(weight, bias)| Layer { weight, bias }));
    }
    assert_eq!(count, shape.layers(), "{what}: number of layers");
    parts.into_iter()
}

/// Panics unless a layer's weight and bias have the lengths that the shape asks for.
pub(super) fn check_layer(shape: &Shape, what: &str, index: usize, weight: usize, bias: usize) {
    let (nets, inputs, outputs) = (shape.nets(), shape.widths()[index], shape.widths()[index + 1]);
    assert_eq!(weight, nets * inputs * outputs, "{what}, layer {index}: weight is not [{nets}, {inputs}, {outputs}]");
    assert_eq!(bias, nets * outputs, "{what}, layer {index}: bias is not [{nets}, 1, {outputs}]");
}
