//! What is measured while serving, in Prometheus' text format.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use sim::CostModel;
use sim::scheme::Solution;

/// A kind of request with how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Ended {
    pub(crate) endpoint: Endpoint,
    pub(crate) status: u16,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "labels are written as the variants are")]
pub(crate) enum Endpoint {
    decide,
    scenario,
    record,
    environment,
    drive,
    reload,
    health,
    ready,
    metrics,
    openapi,
    page,
    unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reloaded {
    result: &'static str,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Ended, Counter>,
    latency: Histogram,
    pub(crate) batch: Histogram,
    pub(crate) waiting: Gauge,
    pub(crate) connections: Gauge,
    decisions: Family<Place, Counter>,
    pub(crate) q2: Histogram,
    pub(crate) failed: Counter,
    reloads: Family<Reloaded, Counter>,
    memory: Gauge<f64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("mrdro");
        let requests = Family::<Ended, Counter>::default();
        registry.register("requests", "Requests by what was asked for and how it ended", requests.clone());
        let latency = Histogram::new(exponential_buckets(50e-6, 2.0, 16));
        let about = "Time from a decide request's body being there to its answer";
        registry.register_with_unit("decide", about, Unit::Seconds, latency.clone());
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        registry.register("batch_workloads", "Workloads that the networks decided at once", batch.clone());
        let waiting = Gauge::default();
        registry.register("waiting_workloads", "Workloads that wait to be decided", waiting.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let decisions = Family::<Place, Counter>::default();
        registry.register("tasks", "Tasks by the place that they were sent to", decisions.clone());
        let q2 = Histogram::new([0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0]);
        let about = "Optimal cost over the networks' own, of sampled decisions";
        registry.register("q2", about, q2.clone());
        let failed = Counter::default();
        registry.register("failed_batches", "Batches that the device could not decide", failed.clone());
        let reloads = Family::<Reloaded, Counter>::default();
        registry.register("reloads", "Records loaded again, by what became of them", reloads.clone());
        let memory = Gauge::<f64, AtomicU64>::default();
        registry.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, memory.clone());
        Arc::new(Self {
            registry,
            requests,
            latency,
            batch,
            waiting,
            connections,
            decisions,
            q2,
            failed,
            reloads,
            memory,
        })
    }

    /// A request was answered.
    pub(crate) fn ended(&self, endpoint: Endpoint, status: u16) {
        self.requests.get_or_create(&Ended { endpoint, status }).inc();
    }

    /// Workloads were decided.
    pub(crate) fn decided(&self, model: &CostModel, solutions: &[Solution], after: Duration) {
        self.latency.observe(after.as_secs_f64());
        let mut counts = [0_u64; 256];
        for place in solutions.iter().flat_map(|solution| solution.decision.places()) {
            counts[usize::from(*place)] += 1;
        }
        for (name, count) in model.place_names().iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.decisions.get_or_create(&Place { place: name.clone() }).inc_by(count);
        }
    }

    pub(crate) fn reloaded(&self, done: bool) {
        self.reloads.get_or_create(&Reloaded { result: if done { "done" } else { "refused" } }).inc();
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        if let Some(bytes) = resident_bytes() {
            self.memory.set(bytes);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a text takes everything");
        text
    }
}

/// Memory of this process, where the system says so.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024.0)
}
