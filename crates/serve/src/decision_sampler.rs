//! Comparison of some decisions with the optimum, for the metric `q2`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use data::exchange::WorkloadRequest;
use sim::scenario::DeadlineRule;
use sim::scheme::{Exact, Scheme, Solution};
use sim::{Decision, Instance};

use crate::metrics::Metrics;
use crate::service::Snapshot;

/// Decisions that may wait to be compared; more are left out.
const WAITING: usize = 64;

/// A decision that is to be compared with the optimum.
struct SampledDecision {
    instance: Instance,
    decision: Decision,
}

/// Takes every n-th decision for comparison with the optimum.
pub(crate) struct DecisionSampler {
    /// 0 takes none.
    every: u64,
    seen: AtomicU64,
    samples: SyncSender<SampledDecision>,
}

impl DecisionSampler {
    /// Starts the thread that compares. It ends when the sampler is dropped.
    pub(crate) fn start(every: u64, metrics: &Arc<Metrics>) -> Self {
        let (samples, waiting) = sync_channel(WAITING);
        let metrics = Arc::clone(metrics);
        thread::spawn(move || compare_with_optimum(&waiting, &metrics));
        Self { every, seen: AtomicU64::new(0), samples }
    }

    /// Counts decisions, and takes every decision that is due as a sample if the optimum of such workloads is found quickly.
    pub(crate) fn take(&self, requests: &[WorkloadRequest], solutions: &[Solution], snapshot: &Snapshot) {
        if self.every == 0 || !snapshot.loaded.is_exact_quick {
            return;
        }
        // Whether the optimum is found quickly is known of the model in service, not of one with other kinds of costs.
        let is_like_served = |instance: &Instance| !instance.model.is_detailed() || snapshot.model.is_detailed();
        for (request, solution) in
            requests.iter().zip(solutions).filter(|(request, _)| is_like_served(&request.instance))
        {
            if self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every) {
                let (instance, decision) = (request.instance.clone(), solution.decision.clone());
                // A full queue costs one sample, and later decisions bring others.
                let _ = self.samples.try_send(SampledDecision { instance, decision });
            }
        }
    }
}

fn compare_with_optimum(samples: &Receiver<SampledDecision>, metrics: &Metrics) {
    let mut exact = Exact::new();
    while let Ok(SampledDecision { instance, decision }) = samples.recv() {
        if let Ok(solution) = exact.decide(&instance.model, &instance.workload) {
            metrics.q2.observe(q2(&instance, &decision, &solution.decision));
        }
    }
}

/// The cost of the optimum divided by that of a decision; 0 for a decision that misses more hard deadlines.
fn q2(instance: &Instance, decision: &Decision, optimum: &Decision) -> f64 {
    if !instance.model.is_detailed() {
        return instance.cost(optimum.places()) / instance.cost(decision.places());
    }
    let [found, best] = [decision, optimum].map(|decision| instance.evaluate(decision));
    let is_hard = instance.model.deadline_rule() == DeadlineRule::Hard;
    if is_hard && found.missed_deadlines > best.missed_deadlines { 0.0 } else { best.cost / found.cost }
}
