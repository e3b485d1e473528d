//! Comparison of some decisions with the optimum, for the metric `q2`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use data::exchange::WorkloadRequest;
use sim::Instance;
use sim::scheme::{Exact, Scheme, Solution};

use crate::metrics::Metrics;
use crate::service::Snapshot;

/// Decisions that may wait to be compared; more are left out.
const WAITING: usize = 64;

/// A decision that is to be compared with the optimum.
struct SampledDecision {
    instance: Instance,
    cost: f64,
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
        for (request, solution) in requests.iter().zip(solutions) {
            if self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every) {
                let instance = request.instance.clone();
                let cost = instance.cost(solution.decision.places());
                // A full queue costs one sample, and later decisions bring others.
                let _ = self.samples.try_send(SampledDecision { instance, cost });
            }
        }
    }
}

fn compare_with_optimum(samples: &Receiver<SampledDecision>, metrics: &Metrics) {
    let mut exact = Exact::new();
    while let Ok(SampledDecision { instance, cost }) = samples.recv() {
        if let Ok(solution) = exact.decide(&instance.model, &instance.workload) {
            let optimum = instance.cost(solution.decision.places());
            metrics.q2.observe(optimum / cost);
        }
    }
}
