//! Training steps.

use rayon::prelude::*;

use super::adam::{Adam, AdamFactors, AdamUpdate};
use super::buffers::{Pool, StepBuffers};
use super::dense::{DenseBackward, DenseForward};
use super::gradient::{LayerGradient, Pack, list_live, packed_length};
use super::head::{Head, HeadGradient, PADDING_TARGET};
use super::kernel::{Kernel, Simd, Task};
use super::panel::{Lanes, PANEL, gather};
use super::parameters::{Ensemble, LayerState, Net};
use super::profile::{Laps, Phase, Profile};
use super::shape::Shape;

/// Number of inputs of a layer from which on it saves time to look for units without a gradient.
const LOOK_FROM: usize = 32;

/// The samples that batches draw from.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Inputs `[rows, inputs]`.
    pub inputs: &'a [f32],
    /// Targets `[rows, outputs]`; the [`Head`] defines the meaning of negative ones.
    pub targets: &'a [f32],
}

/// Trains an ensemble, nets in parallel.
#[derive(Debug)]
pub struct Trainer {
    shape: Shape,
    head: Head,
    kernel: Kernel,
    workers: Pool<NetTrainer>,
}

impl Trainer {
    /// A trainer for ensembles of one shape.
    ///
    /// # Panics
    ///
    /// If the head does not fit the number of outputs.
    pub fn new(shape: Shape, head: Head, kernel: Kernel) -> Self {
        head.check(shape.outputs());
        Self { shape, head, kernel, workers: Pool::new() }
    }

    /// The shape of the ensembles.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Calls `work` with a trainer for single nets, and keeps its buffers for later calls.
    pub fn with_net_trainer<R>(&self, work: impl FnOnce(&mut NetTrainer) -> R) -> R {
        self.workers.with(|| self.net_trainer(), work)
    }

    /// A trainer for single nets of this ensemble.
    pub fn net_trainer(&self) -> NetTrainer {
        NetTrainer::new(self.shape.clone(), self.head, self.kernel)
    }

    /// One training step of every net on its own batch: forward, backward, Adam.
    ///
    /// Runs on the current rayon pool; a net's whole step runs on one thread, so results do not depend on the number
    /// of threads. `time_step` counts from 1. If `losses` `[K]` is given, each net's loss before the update is written there,
    /// which costs a little.
    ///
    /// # Shapes
    ///
    /// `indices` `[K, batch]`: rows of `samples`.
    ///
    /// # Panics
    ///
    /// If the ensemble, the samples, the indices or the losses do not fit the shape, an index is out of range, the
    /// batch is empty or `time_step` is 0.
    pub fn step(
        &self,
        ensemble: &mut Ensemble<'_>,
        samples: Samples<'_>,
        indices: &[u32],
        adam: &Adam,
        time_step: u64,
        losses: Option<&mut [f32]>,
    ) {
        let nets = self.shape.nets();
        assert_eq!(ensemble.nets().len(), nets, "number of nets");
        let batches = indices.par_chunks_exact(batch_size(indices, nets));
        let pairs = ensemble.nets_mut().par_iter_mut().zip(batches);
        let step = |net: &mut Net<'_>, indices: &[u32], with_loss: bool| {
            self.with_net_trainer(|trainer| trainer.step(net, samples, indices, adam, time_step, with_loss))
        };
        if let Some(losses) = losses {
            assert_eq!(losses.len(), nets, "number of losses");
            pairs.zip(losses).for_each(|((net, indices), loss)| *loss = step(net, indices, true).unwrap_or(f32::NAN));
        } else {
            pairs.for_each(|(net, indices)| {
                step(net, indices, false);
            });
        }
    }
}

/// The size of each net's batch in `indices` `[K, batch]`.
///
/// # Panics
///
/// If there are no indices, or they do not make equal batches.
pub(crate) fn batch_size(indices: &[u32], nets: usize) -> usize {
    assert!(
        !indices.is_empty() && indices.len().is_multiple_of(nets),
        "{} indices do not make equal batches for {nets} nets",
        indices.len()
    );
    indices.len() / nets
}

/// Trains one net at a time on the calling thread.
#[derive(Debug)]
pub struct NetTrainer {
    shape: Shape,
    head: Head,
    kernel: Kernel,
    buffers: StepBuffers,
}

impl NetTrainer {
    /// A trainer for nets of one shape; the shape's number of nets does not matter.
    ///
    /// # Panics
    ///
    /// If the head does not fit the number of outputs.
    pub fn new(shape: Shape, head: Head, kernel: Kernel) -> Self {
        head.check(shape.outputs());
        Self { shape, head, kernel, buffers: StepBuffers::default() }
    }

    /// One training step of one net: forward, backward, Adam. Returns the loss before the update if `with_loss`.
    ///
    /// # Shapes
    ///
    /// `indices` `[batch]`: rows of `samples`.
    ///
    /// # Panics
    ///
    /// As [`Trainer::step`].
    pub fn step(
        &mut self,
        net: &mut Net<'_>,
        samples: Samples<'_>,
        indices: &[u32],
        adam: &Adam,
        time_step: u64,
        with_loss: bool,
    ) -> Option<f32> {
        self.step_with(net, samples, indices, adam.at(time_step), with_loss, &mut ())
    }

    /// Takes a step for each batch of `batch` indices, and returns the time that each phase took.
    ///
    /// # Panics
    ///
    /// As [`Trainer::step`].
    pub fn profile(
        &mut self,
        net: &mut Net<'_>,
        samples: Samples<'_>,
        indices: &[u32],
        batch: usize,
        adam: &Adam,
    ) -> Profile {
        let mut profile = Profile::new();
        for (time_step, indices) in (1..).zip(indices.chunks_exact(batch)) {
            self.step_with(net, samples, indices, adam.at(time_step), false, &mut profile);
        }
        profile
    }

    fn step_with<T: Laps>(
        &mut self,
        net: &mut Net<'_>,
        samples: Samples<'_>,
        indices: &[u32],
        factors: AdamFactors,
        with_loss: bool,
        laps: &mut T,
    ) -> Option<f32> {
        self.check(net, samples, indices);
        self.buffers.fit(&self.shape, indices.len());
        let terms = indices.len() * self.head.terms(self.shape.outputs());
        let scale = 1.0 / terms as f32;
        let step = Step { trainer: self, net, samples, indices, factors, scale, with_loss, laps };
        let kernel = step.trainer.kernel;
        kernel.run(step).map(|sum| (sum / terms as f64) as f32)
    }

    fn check(&self, net: &Net<'_>, samples: Samples<'_>, indices: &[u32]) {
        assert_eq!(net.layers.len(), self.shape.layers(), "number of layers");
        for (layer, (inputs, outputs)) in net.layers.iter().zip(self.shape.layer_sizes()) {
            assert_eq!(layer.parameters.weight.len(), inputs * outputs, "weight is not [{inputs}, {outputs}]");
            assert_eq!(layer.parameters.bias.len(), outputs, "bias is not [{outputs}]");
        }
        let (inputs, outputs) = (self.shape.inputs(), self.shape.outputs());
        let rows = samples.inputs.len() / inputs;
        assert_eq!(samples.inputs.len(), rows * inputs, "inputs are not [rows, {inputs}]");
        assert_eq!(samples.targets.len(), rows * outputs, "targets are not [{rows}, {outputs}]");
        assert!(!indices.is_empty(), "a batch needs at least one sample");
        let largest = indices.iter().copied().max().unwrap_or(0) as usize;
        assert!(largest < rows, "index {largest} is out of range: there are {rows} samples");
    }
}

/// A step of one net whose arguments have been checked. Returns the loss summed over the batch.
struct Step<'s, 'n, T> {
    trainer: &'s mut NetTrainer,
    net: &'s mut Net<'n>,
    samples: Samples<'s>,
    indices: &'s [u32],
    factors: AdamFactors,
    scale: f32,
    with_loss: bool,
    laps: &'s mut T,
}

impl<T: Laps> Task for Step<'_, '_, T> {
    type Output = Option<f64>;

    #[inline]
    fn run<S: Simd>(mut self, simd: S) -> Option<f64> {
        let mut loss = self.with_loss.then_some(Lanes::ZERO);
        let (head, outputs) = (self.trainer.head, self.trainer.shape.outputs());
        for (panel, indices) in self.indices.chunks(PANEL).enumerate() {
            self.forward(simd, panel, indices);
            let buffers = &mut self.trainer.buffers;
            simd.run(HeadGradient {
                head,
                logits: &mut buffers.logit_gradient[panel * outputs..][..outputs],
                targets: &buffers.targets,
                scale: self.scale,
                loss: loss.as_mut(),
            });
            self.laps.lap(Phase::Head);
        }
        self.list_live();
        for panel in 0..self.panels() {
            self.backward(simd, panel);
        }
        self.laps.lap(Phase::Backward);
        self.update(simd);
        self.laps.lap(Phase::Update);
        loss.map(|lanes| lanes.values().iter().copied().map(f64::from).sum())
    }
}

impl<T: Laps> Step<'_, '_, T> {
    fn panels(&self) -> usize {
        self.indices.len().div_ceil(PANEL)
    }

    /// Gathers one panel of the batch and writes its logits into `logit_gradient`.
    fn forward<S: Simd>(&mut self, simd: S, panel: usize, indices: &[u32]) {
        let buffers = &mut self.trainer.buffers;
        let shape = &self.trainer.shape;
        let (width, outputs) = (shape.inputs(), shape.outputs());
        let rows = indices.iter().map(|&index| &self.samples.inputs[index as usize * width..][..width]);
        gather(rows, 0.0, &mut buffers.inputs[0][panel * width..][..width]);
        let rows = indices.iter().map(|&index| &self.samples.targets[index as usize * outputs..][..outputs]);
        gather(rows, PADDING_TARGET, &mut buffers.targets[..outputs]);
        self.laps.lap(Phase::Gather);
        for (index, (layer, (inputs, outputs))) in self.net.layers.iter().zip(shape.layer_sizes()).enumerate() {
            let (below, above) = buffers.inputs.split_at_mut(index + 1);
            let (output, relu) = match above.first_mut() {
                Some(next) => (&mut next[panel * outputs..][..outputs], true),
                None => (&mut buffers.logit_gradient[panel * outputs..][..outputs], false),
            };
            simd.run(DenseForward {
                weight: layer.parameters.weight,
                bias: layer.parameters.bias,
                input: &below[index][panel * inputs..][..inputs],
                output,
                relu,
            });
        }
        self.laps.lap(Phase::Forward);
    }

    /// Finds the units that have a gradient; in trained networks many hidden units have none.
    fn list_live(&mut self) {
        let panels = self.panels();
        let StepBuffers { inputs, live, .. } = &mut self.trainer.buffers;
        for (index, (live, (width, outputs))) in live.iter_mut().zip(self.trainer.shape.layer_sizes()).enumerate() {
            if let Some(above) = inputs.get(index + 1).filter(|_| width >= LOOK_FROM) {
                list_live(&above[..panels * outputs], outputs, live);
                if live.len().div_ceil(PANEL) < outputs.div_ceil(PANEL) {
                    continue;
                }
            }
            live.clear();
            live.extend(0..outputs as u32);
        }
    }

    /// Propagates the gradient of one panel back through the layers and packs it.
    fn backward<S: Simd>(&mut self, simd: S, panel: usize) {
        let panels = self.panels();
        let buffers = &mut self.trainer.buffers;
        let shape = &self.trainer.shape;
        let mut is_last = true;
        for (index, (layer, (inputs, outputs))) in self.net.layers.iter().zip(shape.layer_sizes()).enumerate().rev() {
            let gradient = if is_last {
                &buffers.logit_gradient[panel * outputs..][..outputs]
            } else {
                &buffers.gradient[..outputs]
            };
            is_last = false;
            let live = &buffers.live[index];
            let packed = &mut buffers.packed[index][..packed_length(live.len(), panels)];
            simd.run(Pack { live, gradient, packed, panel, panels });
            if index > 0 {
                simd.run(DenseBackward {
                    weight: layer.parameters.weight,
                    gradient,
                    input: &buffers.inputs[index][panel * inputs..][..inputs],
                    input_gradient: &mut buffers.gradient_below[..inputs],
                    active: &mut buffers.active,
                });
                std::mem::swap(&mut buffers.gradient, &mut buffers.gradient_below);
            }
        }
    }

    /// Sums each layer's gradient over the batch and applies it.
    fn update<S: Simd>(&mut self, simd: S) {
        let panels = self.panels();
        let buffers = &mut self.trainer.buffers;
        let shape = &self.trainer.shape;
        for (index, (layer, (inputs, outputs))) in self.net.layers.iter_mut().zip(shape.layer_sizes()).enumerate() {
            let live = &buffers.live[index];
            let weight_gradient = &mut buffers.weight_gradient[..inputs * live.len()];
            let bias_gradient = &mut buffers.bias_gradient[..live.len()];
            simd.run(LayerGradient {
                inputs: &buffers.inputs[index][..panels * inputs],
                packed: &buffers.packed[index][..packed_length(live.len(), panels)],
                weight_gradient,
                bias_gradient,
                panels,
            });
            let LayerState { parameters, first_moment, second_moment } = layer;
            let row_gradient = &mut buffers.row_gradient[..outputs];
            let mut apply = |values: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]| {
                if live.len() == outputs {
                    let factors = self.factors;
                    simd.run(AdamUpdate { factors, values, first_moment: first, second_moment: second, gradient });
                    return;
                }
                row_gradient.fill(0.0);
                let moments = first.chunks_exact_mut(outputs).zip(second.chunks_exact_mut(outputs));
                for (row, (values, (first_moment, second_moment))) in
                    values.chunks_exact_mut(outputs).zip(moments).enumerate()
                {
                    // Without live units the gradient is empty and the row stays 0.
                    for (&unit, &gradient) in live.iter().zip(&gradient[row * live.len()..]) {
                        row_gradient[unit as usize] = gradient;
                    }
                    let (factors, gradient) = (self.factors, &*row_gradient);
                    simd.run(AdamUpdate { factors, values, first_moment, second_moment, gradient });
                }
            };
            apply(parameters.weight, first_moment.weight, second_moment.weight, weight_gradient);
            apply(parameters.bias, first_moment.bias, second_moment.bias, bias_gradient);
        }
    }
}
