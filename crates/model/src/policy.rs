//! A trained ensemble as a scheme.

use burn::tensor::Device;
use rayon::prelude::*;
use sim::scheme::{Scheme, Solution};
use sim::{CostModel, Decision, SchemeError, Workload};

use crate::candidates::{Chooser, Selection};
use crate::codec::Codec;
use crate::engine::{self, Forward};
use crate::ensemble::Ensemble;

/// Decides with an ensemble: every network proposes, the cheapest candidate is the answer.
pub struct Policy {
    name: String,
    forward: Box<dyn Forward>,
    codec: Codec,
    chooser: Chooser,
    dnns: usize,
    inputs: Vec<f32>,
    logits: Vec<f32>,
}

impl Policy {
    /// A policy called `name` that computes on `device`.
    pub fn new(name: &str, ensemble: &Ensemble, codec: Codec, selection: Selection, device: &Device) -> Self {
        Self {
            name: name.to_owned(),
            forward: engine::forward(ensemble, device),
            codec,
            chooser: Chooser::new(selection),
            dnns: ensemble.dnns(),
            inputs: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// Computes `self.logits` for these workloads.
    fn run_networks(&mut self, workloads: &[Workload]) {
        self.inputs.resize(workloads.len() * self.codec.inputs(), 0.0);
        for (workload, inputs) in workloads.iter().zip(self.inputs.chunks_exact_mut(self.codec.inputs())) {
            self.codec.encode(workload.sizes_bytes(), inputs);
        }
        self.forward.logits(&self.inputs, &mut self.logits);
    }

    fn check(&self, model: &CostModel, workload: &Workload) -> Result<(), SchemeError> {
        if model.fits(workload) && model.task_count() == self.codec.inputs() {
            return Ok(());
        }
        let shape = |devices, tasks| format!("{devices} devices with {tasks} tasks each");
        let expected = shape(model.devices(), model.tasks());
        Err(SchemeError::Shape { expected, found: shape(workload.devices(), workload.tasks()) })
    }
}

impl Scheme for Policy {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        self.check(model, workload)?;
        self.run_networks(std::slice::from_ref(workload));
        let mut places = vec![0; model.task_count()];
        let logits = self.logits.chunks_exact(self.codec.outputs());
        let chosen = self.chooser.choose(&self.codec, model, workload.sizes_bytes(), logits, &mut places);
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: chosen.evaluations })
    }

    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        workloads.iter().try_for_each(|workload| self.check(model, workload))?;
        self.run_networks(workloads);
        let (codec, logits, dnns, rows) = (&self.codec, &self.logits, self.dnns, workloads.len());
        let decide = |chooser: &mut Chooser, (row, workload): (usize, &Workload)| {
            let mut places = vec![0; model.task_count()];
            let proposals = (0..dnns).map(|dnn| &logits[(dnn * rows + row) * codec.outputs()..][..codec.outputs()]);
            let chosen = chooser.choose(codec, model, workload.sizes_bytes(), proposals, &mut places);
            Solution { decision: Decision::from_places(model.tasks(), places), evaluations: chosen.evaluations }
        };
        Ok(workloads.par_iter().enumerate().map_init(|| self.chooser.clone(), decide).collect())
    }
}
