//! The workloads of one step.

use data::Workloads;
use model::Codec;
use sim::{CostModel, Instance};

/// The workloads of one step, each in its environment, with what networks read of them.
pub(crate) struct StepWorkloads {
    source: Workloads,
    codec: Codec,
    /// One for each workload of a step; empty before the first draw.
    instances: Vec<Instance>,
    /// `[workloads_per_step, inputs]`.
    inputs: Vec<f32>,
}

impl StepWorkloads {
    pub(crate) fn new(source: Workloads, codec: Codec, workloads_per_step: usize) -> Self {
        Self { source, codec, instances: Vec::new(), inputs: vec![0.0; workloads_per_step * codec.inputs()] }
    }

    /// Draws the workloads of the next step.
    pub(crate) fn draw(&mut self) {
        let Self { source, codec, instances, inputs } = self;
        for (row, inputs) in inputs.chunks_exact_mut(codec.inputs()).enumerate() {
            match instances.get_mut(row) {
                Some(instance) => source.draw_into(instance),
                None => instances.push(source.draw()),
            }
            let Instance { model, workload } = &instances[row];
            codec.encode(model, workload.sizes_bytes(), inputs);
        }
    }

    /// Workloads in a step.
    pub(crate) fn len(&self) -> usize {
        self.inputs.len() / self.codec.inputs()
    }

    /// Each workload in its environment, with its inputs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Instance, &[f32])> {
        self.instances.iter().zip(self.inputs.chunks_exact(self.codec.inputs()))
    }

    /// What networks read of all workloads, `[workloads_per_step, inputs]`.
    pub(crate) fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// The cost model in the scenario's own environment.
    pub(crate) fn model(&self) -> &CostModel {
        self.source.model()
    }

    pub(crate) fn changes_environment(&self) -> bool {
        self.source.changes_environment()
    }

    /// The positions of the random streams of sizes and environments.
    pub(crate) fn position(&self) -> (u128, Option<u128>) {
        self.source.position()
    }

    pub(crate) fn seek(&mut self, position: (u128, Option<u128>)) {
        self.source.seek(position);
    }
}
