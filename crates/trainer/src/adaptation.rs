//! Adaptation: a few steps of Algorithm 2 inside one environment, with a small buffer that is learned from at once.

use std::time::Instant;

use burn::tensor::Device;
use data::{StandardSet, Workloads};
use drl::Agent;
use model::{Codec, Ensemble, Policy, Selection};
use serde::{Deserialize, Serialize};
use sim::{CostModel, SchemeError};

use crate::config::DEFAULT_FLIPS;

/// How good the networks are after some steps in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    /// Steps of adaptation.
    pub(crate) step: usize,
    /// Mean ratio of the optimal cost to that of the cheapest of the K proposals.
    pub(crate) q2: f64,
    /// 5th percentile of the single ratios.
    pub(crate) q2_p05: f64,
    /// Q2 where explored candidates are priced, too, when deciding.
    pub(crate) q2_explored: f64,
    /// Prices asked of the cost model in adapting so far.
    pub(crate) evaluations: u64,
    /// Seconds of adapting so far.
    pub(crate) seconds: f64,
    /// The single ratios, in increasing order.
    #[serde(skip)]
    pub(crate) ratios: Vec<f64>,
}

/// One environment to adapt to.
pub(crate) struct Task<'a> {
    /// In the environment.
    pub(crate) model: &'a CostModel,
    /// Workloads to adapt on.
    pub(crate) workloads: Workloads,
    /// Workloads to measure on, others than those; their optimum must be known.
    pub(crate) set: &'a StandardSet,
}

/// Adapts networks and looks at them after each of these numbers of steps, in increasing order.
pub(crate) fn adapt(
    start: &Ensemble,
    codec: Codec,
    task: Task<'_>,
    settings: drl::Settings,
    checkpoints: &[usize],
    seed: u64,
    device: &Device,
) -> Result<(Ensemble, Vec<Point>), SchemeError> {
    let Task { model, workloads, set } = task;
    let (mut points, mut seconds) = (Vec::with_capacity(checkpoints.len()), 0.0);
    let ratios_of = |selection, ensemble: &Ensemble| -> Result<Vec<f64>, SchemeError> {
        let costs = set.costs_of(&mut Policy::new("adapted", ensemble, codec, selection, device))?;
        Ok(set.ratios(&costs).expect("the optimum is known"))
    };
    let mut ensemble = start.clone();
    let mut agent = Agent::new(model.clone(), codec, start, workloads, settings, seed, device);
    let mut done = 0;
    for &step in checkpoints {
        if step > done {
            let begin = Instant::now();
            agent.advance(step - done);
            seconds += begin.elapsed().as_secs_f64();
            done = step;
            ensemble = agent.ensemble();
        }
        let mut ratios = ratios_of(Selection::PAPER, &ensemble)?;
        let q2 = mean(&ratios);
        ratios.sort_unstable_by(f64::total_cmp);
        points.push(Point {
            step,
            q2,
            q2_p05: ratios[ratios.len() / 20],
            q2_explored: mean(&ratios_of(Selection::explored(DEFAULT_FLIPS), &ensemble)?),
            evaluations: agent.evaluations(),
            seconds,
            ratios,
        });
    }
    Ok((ensemble, points))
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
