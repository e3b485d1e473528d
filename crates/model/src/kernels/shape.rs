//! Number and sizes of the nets of an ensemble.

/// Number of nets and the widths of their layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    nets: usize,
    widths: Vec<usize>,
}

impl Shape {
    /// The shape of `nets` nets with `widths[0]` inputs, the hidden widths in between, and `widths[widths.len() - 1]` outputs.
    ///
    /// # Panics
    ///
    /// If `nets` or one of the widths is zero, or there are fewer than two widths.
    pub fn new(nets: usize, widths: &[usize]) -> Self {
        assert!(nets > 0, "an ensemble needs at least one net");
        assert!(widths.len() >= 2, "a net needs an input and an output width, got {widths:?}");
        assert!(widths.iter().all(|&width| width > 0), "every layer width must be positive, got {widths:?}");
        Self { nets, widths: widths.to_vec() }
    }

    /// Number of nets, `K`.
    pub fn nets(&self) -> usize {
        self.nets
    }

    /// Layer widths from inputs to outputs, one more than there are layers.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// Number of dense layers.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// Number of inputs of a net.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Number of outputs (logits) of a net.
    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// `(in, out)` of each dense layer.
    pub fn layer_sizes(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> + ExactSizeIterator + '_ {
        self.widths.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Number of parameters of one net.
    pub fn parameters_per_net(&self) -> usize {
        self.layer_sizes().map(|(inputs, outputs)| (inputs + 1) * outputs).sum()
    }

    pub(super) fn widest(&self) -> usize {
        self.widths.iter().copied().max().unwrap_or(0)
    }
}
