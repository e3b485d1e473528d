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
/// Below so many multiplications, handing work to other threads costs more than it saves.
const PARALLEL_FROM: usize = 500_000;
/// A panel takes as long as about so many rows one by one.
const PANEL_FROM: usize = 6;

/// Computes logits of ensembles of one shape.
#[derive(Debug)]
pub struct Inference {
    shape: Shape,
    kernel: Kernel,
    buffers: Pool<ForwardBuffers>,
}

impl Inference {
    /// For ensembles of one shape.
    pub fn new(shape: Shape, kernel: Kernel) -> Self {
        Self { shape, kernel, buffers: Pool::new() }
    }

    /// Logits of all nets on the same inputs. Large inputs run in parallel on the current rayon pool, small ones on the
    /// calling thread; a row's logits do not depend on the rows beside it as long as weights are finite.
    ///
    /// # Shapes
    ///
    /// `parameters`: one view per layer, weight `[K, in, out]`, bias `[K, 1, out]`; `inputs` `[rows, inputs]`;
    /// `logits` `[K, rows, outputs]`.
    ///
    /// # Panics
    ///
    /// If a slice does not fit the shape.
    pub fn forward(&self, parameters: &[LayerView<'_>], inputs: &[f32], logits: &mut [f32]) {
        let (nets, outputs) = (self.shape.nets(), self.shape.outputs());
        assert_eq!(parameters.len(), self.shape.layers(), "number of layers");
        for (index, layer) in parameters.iter().enumerate() {
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
                    let layers = parameters.iter().map(|layer| layer.of_net(net, nets));
                    self.kernel.run(Forward { layers, shape: &self.shape, inputs, logits, buffers });
                }
            });
        } else {
            logits.par_chunks_exact_mut(rows * outputs).enumerate().for_each(|(net, logits)| {
                let blocks = logits.par_chunks_mut(JOB_ROWS * outputs);
                blocks.zip(inputs.par_chunks(JOB_ROWS * self.shape.inputs())).for_each(|(logits, inputs)| {
                    let layers = parameters.iter().map(|layer| layer.of_net(net, nets));
                    self.with_buffers(|buffers| {
                        self.kernel.run(Forward { layers, shape: &self.shape, inputs, logits, buffers });
                    });
                });
            });
        }
    }

    /// Logits `[rows, outputs]` of one net that is lent for training, on the calling thread.
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

    fn rows(&self, inputs: &[f32]) -> usize {
        let width = self.shape.inputs();
        assert!(inputs.len().is_multiple_of(width), "inputs are not [rows, {width}]");
        inputs.len() / width
    }

    fn with_buffers(&self, work: impl FnOnce(&mut ForwardBuffers)) {
        self.buffers.with(|| ForwardBuffers::new(&self.shape), work);
    }
}

/// Activations of the layers below and above the one in work: for a panel and for a row.
#[derive(Debug)]
struct ForwardBuffers {
    panel: [Vec<Lanes>; 2],
    row: [Vec<f32>; 2],
    active: Vec<u32>,
}

impl ForwardBuffers {
    fn new(shape: &Shape) -> Self {
        let mut active = Vec::new();
        grow(&mut active, shape.widest(), 0);
        Self {
            panel: [(); 2].map(|()| vec![Lanes::ZERO; shape.widest()]),
            row: [(); 2].map(|()| vec![0.0; shape.widest()]),
            active,
        }
    }
}

/// Some rows through one net: `inputs` `[rows, inputs]`, `logits` `[rows, outputs]`.
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
                forward_panel(simd, self.layers.clone(), width, inputs, logits, self.buffers);
            }
        }
    }
}

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

/// Up to sixteen rows.
fn forward_panel<'p, S: Simd>(
    simd: S,
    layers: impl Iterator<Item = LayerView<'p>>,
    mut width: usize,
    inputs: &[f32],
    logits: &mut [f32],
    buffers: &mut ForwardBuffers,
) {
    let [below, above] = &mut buffers.panel;
    gather(inputs.chunks_exact(width), 0.0, &mut below[..width]);
    let mut layers = layers.peekable();
    while let Some(LayerView { weight, bias }) = layers.next() {
        let relu = layers.peek().is_some();
        let output = &mut above[..bias.len()];
        simd.run(DenseForward { weight, bias, input: &below[..width], output, relu });
        std::mem::swap(below, above);
        width = bias.len();
    }
    for (lane, logits) in logits.chunks_exact_mut(width).enumerate() {
        for (logit, unit) in logits.iter_mut().zip(below.iter()) {
            *logit = unit.values()[lane];
        }
    }
}
