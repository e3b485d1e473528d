//! Metadata: workloads labelled by a scheme.

use data::Workloads;
use model::{Codec, Head, Samples};
use rayon::prelude::*;
use sim::scheme::{GoesOn, Interruptible, Scheme};
use sim::{Instance, SchemeError};

use crate::settings::Settings;

/// Labelled workloads.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The workloads as networks read them, with the targets that the labels stand for.
    pub samples: Samples,
    /// How the targets are compared with logits.
    pub head: Head,
    /// Evaluations of the cost model that labelling took.
    pub evaluations: u64,
}

/// Draws `count` instances. If the environment changes, every `per_environment` consecutive ones share one.
///
/// # Panics
/// If `per_environment` is 0.
pub fn draw(count: usize, per_environment: usize, workloads: &mut Workloads) -> Vec<Instance> {
    let mut drawn: Vec<Instance> = Vec::with_capacity(count);
    for index in 0..count {
        let last = drawn.last().filter(|_| !index.is_multiple_of(per_environment));
        let instance = match last {
            None => workloads.draw(),
            Some(last) => Instance { model: last.model.clone(), workload: workloads.draw_sizes() },
        };
        drawn.push(instance);
    }
    drawn
}

/// Draws and labels `metadata` workloads. If the environment changes, every `workloads_per_environment` consecutive
/// workloads share one environment.
///
/// # Errors
/// If the labelling scheme cannot decide a workload.
///
/// # Panics
/// If `workloads_per_environment` is 0.
pub fn label(settings: &Settings, workloads: &mut Workloads, codec: &Codec) -> Result<Metadata, SchemeError> {
    label_while(settings, workloads, codec, &|| true)
}

/// [`label`] as long as `goes_on`.
///
/// # Errors
/// As [`label`], and [`SchemeError::Interrupted`] if `goes_on` says no.
///
/// # Panics
/// As [`label`].
pub fn label_while(
    settings: &Settings,
    workloads: &mut Workloads,
    codec: &Codec,
    goes_on: &GoesOn<'_>,
) -> Result<Metadata, SchemeError> {
    let Settings { labels, metadata, workloads_per_environment, .. } = *settings;
    let drawn = draw(metadata, workloads_per_environment, workloads);
    let decide = |scheme: &mut Box<dyn Scheme>, Instance { model, workload }: &Instance| {
        Interruptible::new(&mut **scheme, goes_on).decide(model, workload)
    };
    let all = drawn.par_iter().map_init(|| labels.scheme(), decide);
    let solutions = all.collect::<Result<Vec<_>, _>>()?;
    let mut samples = Samples::with_capacity(codec.inputs(), codec.outputs(), metadata);
    let (mut inputs, mut targets) = (vec![0.0; codec.inputs()], vec![0.0; codec.outputs()]);
    for (Instance { model, workload }, solution) in drawn.iter().zip(&solutions) {
        codec.encode(model, workload.sizes_bytes(), &mut inputs);
        codec.targets(workload.sizes_bytes(), solution.decision.places(), &mut targets);
        samples.push(&inputs, &targets);
    }
    let evaluations = solutions.iter().map(|solution| solution.evaluations).sum();
    Ok(Metadata { samples, head: codec.head(), evaluations })
}
