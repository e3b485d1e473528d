//! Scratch memory of a training step, and pools of scratch memory.

use std::sync::{Mutex, PoisonError};

use super::gradient::packed_length;
use super::panel::{Lanes, PANEL};
use super::shape::Shape;

/// Memory of the training step of one net. Grows to the largest batch.
#[derive(Debug, Default)]
pub(super) struct StepBuffers {
    /// Each layer's input: `[panels, in][panel]`.
    pub(super) inputs: Vec<Vec<Lanes>>,
    /// Each layer's gradient with respect to its output, as [`Pack`](super::gradient::Pack) leaves it.
    pub(super) packed: Vec<Vec<Lanes>>,
    /// Targets of the current panel: `[outputs][panel]`.
    pub(super) targets: Vec<Lanes>,
    /// Gradient with respect to the logits: `[panels, outputs][panel]`.
    pub(super) logit_gradient: Vec<Lanes>,
    /// Each layer's output units that have a gradient; see [`list_live`](super::gradient::list_live).
    pub(super) live: Vec<Vec<u32>>,
    /// One row of the gradient of a weight, or the gradient of a bias, with zeros where units are not live: `[widest]`.
    pub(super) row_gradient: Vec<f32>,
    /// Gradient with respect to the output of the current layer, `[widest][panel]`.
    pub(super) gradient: Vec<Lanes>,
    /// Gradient with respect to the output of the layer below, `[widest][panel]`.
    pub(super) gradient_below: Vec<Lanes>,
    /// Units of the layer above that have a gradient, `[widest]`.
    pub(super) active: Vec<u32>,
    /// Gradient with respect to the weight of the current layer, `[in, live]`.
    pub(super) weight_gradient: Vec<f32>,
    /// Gradient with respect to the bias of the current layer, `[live]`.
    pub(super) bias_gradient: Vec<f32>,
}

impl StepBuffers {
    /// Makes room for a batch.
    pub(super) fn fit(&mut self, shape: &Shape, batch: usize) {
        let panels = batch.div_ceil(PANEL);
        self.inputs.resize_with(shape.layers(), Vec::new);
        self.packed.resize_with(shape.layers(), Vec::new);
        self.live.resize_with(shape.layers(), Vec::new);
        for (live, (_, outputs)) in self.live.iter_mut().zip(shape.layer_sizes()) {
            live.reserve(outputs);
        }
        grow(&mut self.logit_gradient, panels * shape.outputs(), Lanes::ZERO);
        grow(&mut self.row_gradient, shape.widest(), 0.0);
        for ((input, packed), (inputs, outputs)) in
            self.inputs.iter_mut().zip(&mut self.packed).zip(shape.layer_sizes())
        {
            grow(input, panels * inputs, Lanes::ZERO);
            grow(packed, packed_length(outputs, panels), Lanes::ZERO);
            grow(&mut self.weight_gradient, inputs * outputs, 0.0);
        }
        grow(&mut self.targets, shape.outputs(), Lanes::ZERO);
        grow(&mut self.gradient, shape.widest(), Lanes::ZERO);
        grow(&mut self.gradient_below, shape.widest(), Lanes::ZERO);
        grow(&mut self.active, shape.widest(), 0);
        grow(&mut self.bias_gradient, shape.widest(), 0.0);
    }
}

/// Lengthens `values` to at least `length`.
pub(super) fn grow<T: Clone>(values: &mut Vec<T>, length: usize, value: T) {
    if values.len() < length {
        values.resize(length, value);
    }
}

/// Items that threads take while they need one, the most recently used (and best cached) first.
#[derive(Debug)]
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Calls `work` with an item, a new one if all are in use.
    pub(crate) fn with<R>(&self, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        // A panic elsewhere leaves the list itself sound: items are scratch, taken out while in use.
        let item = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut item = item.unwrap_or_else(new);
        let result = work(&mut item);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
        result
    }
}
