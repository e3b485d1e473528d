//! Logits without training.

use rayon::prelude::*;

use super::buffers::{Pool, grow};
use super::dense::DenseForward;
use super::kernel::{Kernel, Simd, Task};
use super::panel::{Lanes, PANEL, gather};
use super::parameters::{LayerView, Net, check_layer};
use super::row::RowForward;
use super::shape::Shape;

/// Rows that one rayon job takes through one net.
const JOB_ROWS: usize = 4 * PANEL;
/// Number of multiplications below which handing work to other threads costs more than it saves.
const PARALLEL_FROM: usize = 500_000;
/// Number of rows that take about as long one by one as a panel.
const PANEL_FROM: usize = 6;

/// Rows of a panel in [`Inference::forward_panel`].
pub const PANEL_ROWS: usize = PANEL;

/// Computes logits of ensembles of one shape.
#[derive(Debug)]
pub struct Inference {
    shape: Shape,
    kernel: Kernel,
    buffers: Pool<ForwardBuffers>,
}

impl Inference {
    /// Inference for ensembles of one shape.
    pub fn new(shape: Shape, kernel: Kernel) -> Self {
        Self { shape, kernel, buffers: Pool::new() }
    }

    /// The shape of the ensembles.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Logits of all nets on the same inputs. Large inputs run in parallel on the current rayon pool, small ones on the
    /// calling thread; a row's logits do not depend on other rows as long as weights are finite.
    ///
    /// # Shapes
    ///
    /// `parameters`: one view per layer, weight `[K, in, out]`, bias `[K, 1, out]`; `inputs` `[rows, inputs]`;
    /// `logits` `[K, rows, outputs]`.
    ///
    /// # Panics
    ///
    /// If a slice does not fit the shape.
    pub fn forward<'p>(
        &self,
        parameters: &(impl Iterator<Item = LayerView<'p>> + Clone + Send + Sync),
        inputs: &[f32],
        logits: &mut [f32],
    ) {
        let (nets, outputs) = (self.shape.nets(), self.shape.outputs());
        assert_eq!(parameters.clone().count(), self.shape.layers(), "number of layers");
        for (index, layer) in parameters.clone().enumerate() {
            check_layer(&self.shape, "parameters", index, layer.weight.len(), layer.bias.len());
        }
        let rows = self.rows(inputs);
        assert_eq!(logits.len(), nets * rows * outputs, "logits are not [{nets}, {rows}, {outputs}]");
        if rows == 0 {
            return;
        }
        if nets * rows * self.shape.parameters_per_net() < PARALLEL_FROM {
            self.with_buffers(|buffers| {
                for (net, logits) in logits.chunks_exact_mut(rows * outputs).enumerate() {
                    let layers = parameters.clone().map(|layer| layer.of_net(net, nets));
                    self.kernel.run(Forward { layers, shape: &self.shape, inputs, logits, buffers });
                }
            });
        } else {
            logits.par_chunks_exact_mut(rows * outputs).enumerate().for_each(|(net, logits)| {
                let blocks = logits.par_chunks_mut(JOB_ROWS * outputs);
                blocks.zip(inputs.par_chunks(JOB_ROWS * self.shape.inputs())).for_each(|(logits, inputs)| {
                    let layers = parameters.clone().map(|layer| layer.of_net(net, nets));
                    self.with_buffers(|buffers| {
                        self.kernel.run(Forward { layers, shape: &self.shape, inputs, logits, buffers });
                    });
                });
            });
        }
    }

    /// Logits `[rows, outputs]` of one net that is borrowed for training, on the calling thread.
    ///
    /// # Panics
    ///
    /// If the net or a slice does not fit the shape.
    pub fn forward_net(&self, net: &Net<'_>, inputs: &[f32], logits: &mut [f32]) {
        let (rows, outputs) = (self.rows(inputs), self.shape.outputs());
        assert_eq!(net.layers.len(), self.shape.layers(), "number of layers");
        for (layer, (inputs, outputs)) in net.parameters().zip(self.shape.layer_sizes()) {
            assert_eq!(layer.weight.len(), inputs * outputs, "weight is not [{inputs}, {outputs}]");
            assert_eq!(layer.bias.len(), outputs, "bias is not [{outputs}]");
        }
        assert_eq!(logits.len(), rows * outputs, "logits are not [{rows}, {outputs}]");
        self.with_buffers(|buffers| {
            self.kernel.run(Forward { layers: net.parameters(), shape: &self.shape, inputs, logits, buffers });
        });
    }

    /// Logits of all nets for up to [`PANEL_ROWS`] rows side by side, on the calling thread.
    ///
    /// # Shapes
    ///
    /// `parameters` as in [`Inference::forward`]; `inputs` `[rows, inputs]`; `logits` `[K, outputs, PANEL_ROWS]`,
    /// where lanes beyond `rows` hold arbitrary values.
    ///
    /// # Panics
    ///
    /// If a slice does not fit the shape, or there are too many rows.
    pub fn forward_panel<'p>(
        &self,
        parameters: &(impl Iterator<Item = LayerView<'p>> + Clone),
        inputs: &[f32],
        logits: &mut [f32],
    ) {
        let (nets, outputs) = (self.shape.nets(), self.shape.outputs());
        assert!(self.rows(inputs) <= PANEL, "more rows than a panel has");
        assert_eq!(parameters.clone().count(), self.shape.layers(), "number of layers");
        for (index, layer) in parameters.clone().enumerate() {
            check_layer(&self.shape, "parameters", index, layer.weight.len(), layer.bias.len());
        }
        assert_eq!(logits.len(), nets * outputs * PANEL, "logits are not [{nets}, {outputs}, {PANEL}]");
        self.with_buffers(|buffers| {
            gather(inputs.chunks_exact(self.shape.inputs()), 0.0, &mut buffers.input[..self.shape.inputs()]);
            for (net, logits) in logits.chunks_exact_mut(outputs * PANEL).enumerate() {
                let layers = parameters.clone().map(|layer| layer.of_net(net, nets));
                self.kernel.run(ForwardPanel { layers, buffers });
                for (logits, unit) in logits.chunks_exact_mut(PANEL).zip(&buffers.panel[0]) {
                    logits.copy_from_slice(unit.values());
                }
            }
        });
    }

    fn rows(&self, inputs: &[f32]) -> usize {
        let width = self.shape.inputs();
        assert!(inputs.len().is_multiple_of(width), "inputs are not [rows, {width}]");
        inputs.len() / width
    }

    fn with_buffers(&self, work: impl FnOnce(&mut ForwardBuffers)) {
        self.buffers.with(|| ForwardBuffers::new(&self.shape), work);
    }
}

/// Activations below and above the current layer, for a panel and for a row.
#[derive(Debug)]
struct ForwardBuffers {
    input: Vec<Lanes>,
    panel: [Vec<Lanes>; 2],
    row: [Vec<f32>; 2],
    active: Vec<u32>,
}

impl ForwardBuffers {
    fn new(shape: &Shape) -> Self {
        let mut active = Vec::new();
        grow(&mut active, shape.widest(), 0);
        Self {
            input: vec![Lanes::ZERO; shape.inputs()],
            panel: [(); 2].map(|()| vec![Lanes::ZERO; shape.widest()]),
            row: [(); 2].map(|()| vec![0.0; shape.widest()]),
            active,
        }
    }
}

/// Logits of some rows by one net: `inputs` `[rows, inputs]`, `logits` `[rows, outputs]`.
struct Forward<'a, L> {
    layers: L,
    shape: &'a Shape,
    inputs: &'a [f32],
    logits: &'a mut [f32],
    buffers: &'a mut ForwardBuffers,
}

impl<'p, L: Iterator<Item = LayerView<'p>> + Clone> Task for Forward<'_, L> {
    type Output = ();

    #[inline]
    fn run<S: Simd>(self, simd: S) {
        let (width, outputs) = (self.shape.inputs(), self.shape.outputs());
        let inputs = self.inputs.chunks(PANEL * width);
        for (inputs, logits) in inputs.zip(self.logits.chunks_mut(PANEL * outputs)) {
            if inputs.len() < PANEL_FROM * width {
                for (input, logits) in inputs.chunks_exact(width).zip(logits.chunks_exact_mut(outputs)) {
                    forward_row(simd, self.layers.clone(), input, logits, self.buffers);
                }
            } else {
                forward_panel(simd, self.layers.clone(), inputs, logits, outputs, self.buffers);
            }
        }
    }
}

/// Logits of one row by one net.
fn forward_row<'p, S: Simd>(
    simd: S,
    layers: impl Iterator<Item = LayerView<'p>>,
    input: &[f32],
    logits: &mut [f32],
    buffers: &mut ForwardBuffers,
) {
    let [below, above] = &mut buffers.row;
    let mut width = input.len();
    below[..width].copy_from_slice(input);
    let mut layers = layers.peekable();
    while let Some(LayerView { weight, bias }) = layers.next() {
        let relu = layers.peek().is_some();
        let (input, active) = (&below[..width], &mut buffers.active[..]);
        let output = if relu { &mut above[..bias.len()] } else { &mut *logits };
        simd.run(RowForward { weight, bias, input, output, active, relu });
        std::mem::swap(below, above);
        width = bias.len();
    }
}

/// Logits of the panel in `buffers.input` by one net, left in `buffers.panel[0]`.
struct ForwardPanel<'a, L> {
    layers: L,
    buffers: &'a mut ForwardBuffers,
}

impl<'p, L: Iterator<Item = LayerView<'p>>> Task for ForwardPanel<'_, L> {
    type Output = ();

    #[inline]
    fn run<S: Simd>(self, simd: S) {
        let ForwardBuffers { input, panel: [below, above], .. } = self.buffers;
        let mut layers = self.layers.peekable();
        let mut width = input.len();
        let mut is_first = true;
        while let Some(LayerView { weight, bias }) = layers.next() {
            let input = if is_first { &input[..] } else { &below[..width] };
            let relu = layers.peek().is_some();
            simd.run(DenseForward { weight, bias, input, output: &mut above[..bias.len()], relu });
            std::mem::swap(below, above);
            (width, is_first) = (bias.len(), false);
        }
    }
}

/// Logits of up to sixteen rows by one net.
fn forward_panel<'p, S: Simd>(
    simd: S,
    layers: impl Iterator<Item = LayerView<'p>>,
    inputs: &[f32],
    logits: &mut [f32],
    outputs: usize,
    buffers: &mut ForwardBuffers,
) {
    let width = buffers.input.len();
    gather(inputs.chunks_exact(width), 0.0, &mut buffers.input);
    simd.run(ForwardPanel { layers, buffers });
    for (lane, logits) in logits.chunks_exact_mut(outputs).enumerate() {
        for (logit, unit) in logits.iter_mut().zip(&buffers.panel[0]) {
            *logit = unit.values()[lane];
        }
    }
}
