//! Metadata: workloads labelled by a scheme.

use model::{Codec, Samples};
use rayon::prelude::*;
use serde::Serialize;
use sim::scheme::{Exact, Greedy, LocalSearch, Order, Scheme};
use sim::{CostModel, SchemeError, Workload, Workloads};

/// Which scheme labels the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The paper's greedy algorithm, tasks in the given order.
    Greedy,
    /// Local search: near-optimal, and needs no optimum.
    LocalSearch,
    /// The exact optimum: imitation of what is to be found, an upper bound for the others.
    Exact,
}

impl Labels {
    /// A scheme that labels so.
    fn scheme(self) -> Box<dyn Scheme> {
        match self {
            Self::Greedy => Box::new(Greedy::new(Order::Given)),
            Self::LocalSearch => Box::new(LocalSearch::new()),
            Self::Exact => Box::new(Exact::new()),
        }
    }
}

/// Draws `count` workloads and labels them.
///
/// # Errors
/// If the labelling scheme cannot decide a workload.
pub fn label(
    labels: Labels,
    count: usize,
    workloads: &mut Workloads,
    model: &CostModel,
    codec: &Codec,
) -> Result<Samples, SchemeError> {
    let drawn: Vec<Workload> = (0..count).map(|_| workloads.draw()).collect();
    let decide = |scheme: &mut Box<dyn Scheme>, workload: &Workload| scheme.decide(model, workload);
    let solutions = drawn.par_iter().map_init(|| labels.scheme(), decide).collect::<Result<Vec<_>, _>>()?;
    let mut samples = Samples::with_capacity(codec.inputs(), codec.outputs(), count);
    let (mut inputs, mut targets) = (vec![0.0; codec.inputs()], vec![0.0; codec.outputs()]);
    for (workload, solution) in drawn.iter().zip(&solutions) {
        codec.encode(workload.sizes_bytes(), &mut inputs);
        codec.targets(solution.decision.places(), &mut targets);
        samples.push(&inputs, &targets);
    }
    Ok(samples)
}
