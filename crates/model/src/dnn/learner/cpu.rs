//! Training steps of an ensemble on the CPU through the kernels, which work on the storage of Burn modules: the ensemble,
//! and two more modules of its shape for the moments of Adam.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use burn::module::Module;
use burn::tensor::Device;
use rayon::prelude::*;

use super::EnsembleLearner;
use crate::dnn::ensemble::Ensemble;
use crate::dnn::forward::cpu_logits;
use crate::dnn::samples::Samples;
use crate::dnn::tensor_slices::{self, TensorSlices};
use crate::kernels::{self, Adam, Head, Inference, Kernel, Net, Trainer, crew};
use crate::learner::{Forward, Learner, Lesson, Session};
use crate::state::{LearnerState, StateError};

/// Trains an ensemble on the CPU, networks in parallel.
#[derive(Debug)]
pub struct CpuLearner {
    parameters: Ensemble,
    first_moments: Ensemble,
    second_moments: Ensemble,
    steps: u64,
    adam: Adam,
    trainer: Trainer,
    inference: Inference,
}

impl CpuLearner {
    /// Shares the parameters until the first step if they are on `flex`, else copies them.
    pub fn new(ensemble: &Ensemble, head: Head, adam: Adam) -> Self {
        let shape = ensemble.kernel_shape();
        let parameters = ensemble.clone().to_device(&Device::flex());
        Self {
            first_moments: tensor_slices::zeros(&parameters),
            second_moments: tensor_slices::zeros(&parameters),
            parameters,
            steps: 0,
            adam,
            trainer: Trainer::new(shape.clone(), head, Kernel::detect()),
            inference: Inference::new(shape, Kernel::detect()),
        }
    }

    /// Calls `work` with parameters and moments, which it may change.
    fn with_borrowed<R>(&mut self, work: impl FnOnce(&mut BorrowedParameters<'_>) -> R) -> R {
        let take =
            |ensemble: &mut Ensemble| TensorSlices::of(std::mem::replace(ensemble, Ensemble { layers: Vec::new() }));
        let mut parameters = take(&mut self.parameters);
        let (mut first, mut second) = (take(&mut self.first_moments), take(&mut self.second_moments));
        let (values, first_moments, second_moments) =
            (parameters.slices_mut(), first.slices_mut(), second.slices_mut());
        let result = work(&mut BorrowedParameters {
            ensemble: kernels::Ensemble::new(self.trainer.shape(), values, first_moments, second_moments),
            trainer: &self.trainer,
            inference: &self.inference,
            adam: &mut self.adam,
            steps: &mut self.steps,
        });
        self.parameters = parameters.into_ensemble();
        (self.first_moments, self.second_moments) = (first.into_ensemble(), second.into_ensemble());
        result
    }
}

/// Parameters and moments borrowed from their modules for some steps, with everything else that a step needs.
struct BorrowedParameters<'b> {
    ensemble: kernels::Ensemble<'b>,
    trainer: &'b Trainer,
    inference: &'b Inference,
    adam: &'b mut Adam,
    steps: &'b mut u64,
}

impl BorrowedParameters<'_> {
    /// See [`Learner::session`]. Each network's step and its logits for the next rows are one piece of work, so that its
    /// parameters are read where they were written.
    fn session(&mut self, body: &mut dyn FnMut(&mut dyn Session)) {
        let shape = self.trainer.shape();
        let trainers: Vec<_> =
            (0..crew::threads(shape.nets())).map(|_| Mutex::new(self.trainer.net_trainer())).collect();
        let pass = RwLock::new(Pass::default());
        let Self { ensemble, inference, adam, steps, .. } = self;
        let nets: Vec<_> = ensemble.nets_mut().iter_mut().map(Mutex::new).collect();
        let logits: Vec<_> = nets.iter().map(|_| Mutex::new(Vec::new())).collect();
        let work = |item: usize, thread: usize| {
            let pass = pass.read().unwrap_or_else(PoisonError::into_inner);
            let (mut net, mut logits) = (lock(&nets[item]), lock(&logits[item]));
            if let Some((samples, adam, time_step)) = &pass.lesson {
                let indices = batch_of(item, nets.len(), &pass.indices);
                lock(&trainers[thread]).step(&mut net, samples.slices(), indices, adam, *time_step, false);
            }
            logits.resize(pass.inputs.len() / shape.inputs() * shape.outputs(), 0.0);
            inference.forward_net(&net, &pass.inputs, &mut logits);
        };
        crew::with_crew(nets.len(), &work, |crew| {
            body(&mut CpuSession { run: &mut || crew.run(), pass: &pass, logits: &logits, adam, steps });
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads read during one pass over the networks.
#[derive(Default)]
struct Pass {
    /// Samples, Adam and its count of steps with this one, if there is a step to take.
    lesson: Option<(Arc<Samples>, Adam, u64)>,
    /// `[K, batch]`.
    indices: Vec<u32>,
    /// `[rows, inputs]`.
    inputs: Vec<f32>,
}

/// See [`BorrowedParameters::session`].
struct CpuSession<'s> {
    /// Makes one pass over the networks.
    run: &'s mut dyn FnMut(),
    pass: &'s RwLock<Pass>,
    /// Logits of each network, `[rows, outputs]`.
    logits: &'s [Mutex<Vec<f32>>],
    adam: &'s mut Adam,
    steps: &'s mut u64,
}

impl CpuSession<'_> {
    fn pass(&self) -> RwLockWriteGuard<'_, Pass> {
        self.pass.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for CpuSession<'_> {
    fn learn_and_decide(&mut self, lesson: Option<Lesson<'_>>, inputs: &[f32], logits: &mut Vec<f32>) {
        if let Some(lesson) = &lesson {
            self.adam.learning_rate = lesson.learning_rate;
            *self.steps += 1;
        }
        let mut pass = self.pass();
        pass.inputs.clear();
        pass.inputs.extend_from_slice(inputs);
        pass.lesson = lesson.map(|Lesson { samples, indices, .. }| {
            pass.indices.clear();
            pass.indices.extend_from_slice(indices);
            (Arc::clone(samples), *self.adam, *self.steps)
        });
        drop(pass);
        (self.run)();
        // The samples are the caller's alone again, who changes them in place.
        self.pass().lesson = None;
        logits.clear();
        for own in self.logits {
            logits.extend_from_slice(&lock(own));
        }
    }
}

/// One network's part of `[K, batch]`.
fn batch_of(net: usize, nets: usize, indices: &[u32]) -> &[u32] {
    let batch = kernels::batch_size(indices, nets);
    &indices[net * batch..][..batch]
}

impl Forward for CpuLearner {
    fn networks(&self) -> usize {
        self.trainer.shape().nets()
    }

    fn logits(&mut self, inputs: &[f32], logits: &mut Vec<f32>) {
        cpu_logits(&self.inference, &TensorSlices::of(self.parameters.clone()), inputs, logits);
    }
}

impl Learner for CpuLearner {
    fn step(&mut self, samples: &Samples, indices: &[u32], losses: Option<&mut Vec<f32>>) {
        self.with_borrowed(|borrowed| {
            *borrowed.steps += 1;
            let losses = losses.map(|losses| {
                losses.resize(borrowed.trainer.shape().nets(), 0.0);
                losses.as_mut_slice()
            });
            borrowed.trainer.step(
                &mut borrowed.ensemble,
                samples.slices(),
                indices,
                borrowed.adam,
                *borrowed.steps,
                losses,
            );
        });
    }

    /// Each network makes all its steps on one thread, without waiting for the others.
    fn steps(&mut self, samples: &Samples, batches: &[Vec<u32>], losses: Option<&mut Vec<f32>>) {
        let with_loss = losses.is_some();
        let last = self.with_borrowed(|borrowed| {
            let first_step = *borrowed.steps + 1;
            *borrowed.steps += batches.len() as u64;
            let (adam, nets) = (*borrowed.adam, borrowed.ensemble.nets().len());
            let train = |(net, parameters): (usize, &mut Net<'_>)| {
                borrowed.trainer.with_net_trainer(|trainer| {
                    let mut loss = None;
                    for ((index, indices), time_step) in batches.iter().enumerate().zip(first_step..) {
                        let (indices, last) = (batch_of(net, nets, indices), index + 1 == batches.len());
                        loss = trainer.step(parameters, samples.slices(), indices, &adam, time_step, with_loss && last);
                    }
                    loss
                })
            };
            borrowed.ensemble.nets_mut().par_iter_mut().enumerate().map(train).collect::<Vec<_>>()
        });
        if let Some(losses) = losses {
            losses.clear();
            losses.extend(last.into_iter().map(|loss| loss.unwrap_or(f32::NAN)));
        }
    }

    fn session(&mut self, body: &mut dyn FnMut(&mut dyn Session)) {
        self.with_borrowed(|borrowed| borrowed.session(body));
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.adam.learning_rate = learning_rate;
    }

    fn state(&self) -> Result<LearnerState, StateError> {
        Ok(LearnerState {
            parameters: self.parameters.to_bytes()?,
            optimizer: vec![self.first_moments.to_bytes()?, self.second_moments.to_bytes()?],
            steps: self.steps,
        })
    }

    fn restore(&mut self, state: &LearnerState) -> Result<(), StateError> {
        let [first, second] = &state.optimizer[..] else {
            return Err(StateError::new("it is of another kind of device"));
        };
        let ensemble = |bytes: &Vec<u8>| self.parameters.with_bytes(bytes);
        let [parameters, first, second] = [ensemble(&state.parameters)?, ensemble(first)?, ensemble(second)?];
        (self.parameters, self.first_moments, self.second_moments) = (parameters, first, second);
        self.steps = state.steps;
        Ok(())
    }
}

impl EnsembleLearner for CpuLearner {
    fn ensemble(&self) -> Ensemble {
        self.parameters.clone()
    }

    fn restart(&mut self, ensemble: &Ensemble) {
        self.parameters = ensemble.clone().to_device(&Device::flex());
        self.first_moments = tensor_slices::zeros(&self.parameters);
        self.second_moments = tensor_slices::zeros(&self.parameters);
        self.steps = 0;
    }
}
