//! The metrics of the service.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use data::Deadlines;
use data::exchange::WorkloadRequest;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use sim::CostModel;
use sim::scheme::Solution;

use crate::metrics_format::MetricsFormat;

/// The labels by which requests are counted: the endpoint and the status of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) endpoint: Endpoint,
    pub(crate) status: u16,
}

/// The endpoint of a request. Variants are spelt as the label writes them.
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
    dispatch,
    completed,
    queues,
    reset,
    unknown,
}

impl Endpoint {
    /// The endpoints of a service of a record.
    pub(crate) const OF_RECORD: [Self; 12] = [
        Self::decide,
        Self::scenario,
        Self::record,
        Self::environment,
        Self::drive,
        Self::reload,
        Self::health,
        Self::ready,
        Self::metrics,
        Self::openapi,
        Self::page,
        Self::unknown,
    ];

    /// The statuses that its answers usually have.
    fn usual_statuses(self) -> &'static [u16] {
        match self {
            Self::decide | Self::environment => &[200, 400, 401, 403, 408, 413, 415, 421, 422, 503],
            Self::reload => &[200, 401, 403, 409, 421, 422],
            Self::drive => &[200, 401, 403, 404, 421],
            Self::scenario | Self::record | Self::metrics | Self::openapi => &[200, 401, 403, 421],
            Self::health => &[200],
            Self::ready => &[200, 503],
            Self::page => &[200, 403, 421],
            Self::dispatch | Self::completed => &[200, 400, 401, 403, 408, 409, 413, 415, 421, 422, 503],
            Self::queues | Self::reset => &[200, 400, 401, 403, 409, 421, 422],
            Self::unknown => &[404],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceLabel {
    place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabel {
    result: &'static str,
}

/// The metrics of all services.
#[derive(Debug, Clone)]
pub(crate) struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    pub(crate) connections: Gauge,
    reloads: Family<ReloadLabel, Counter>,
    memory: Gauge<f64, AtomicU64>,
}

impl RequestMetrics {
    /// Adds the metrics to a registry, with counters for the usual answers at 0: monitoring cannot see the first increase of a
    /// counter that appears with this increase.
    pub(crate) fn new(registry: &mut Registry, endpoints: &[Endpoint]) -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("requests", "Requests by endpoint and status", requests.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let reloads = Family::<ReloadLabel, Counter>::default();
        registry.register("reloads", "Reloads of the record, accepted (done) or refused", reloads.clone());
        let memory = Gauge::<f64, AtomicU64>::default();
        registry.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, memory.clone());
        for &endpoint in endpoints {
            for &status in endpoint.usual_statuses() {
                drop(requests.get_or_create(&RequestLabels { endpoint, status }));
            }
        }
        let metrics = Self { requests, connections, reloads, memory };
        for done in [true, false] {
            drop(metrics.reload_counter(done));
        }
        metrics
    }

    /// Counts a request that was answered.
    pub(crate) fn count_request(&self, endpoint: Endpoint, status: u16) {
        self.requests.get_or_create(&RequestLabels { endpoint, status }).inc();
    }

    /// Counts a reload of the record that was accepted or refused.
    pub(crate) fn count_reload(&self, done: bool) {
        self.reload_counter(done).inc();
    }

    fn reload_counter(&self, done: bool) -> impl std::ops::Deref<Target = Counter> {
        self.reloads.get_or_create(&ReloadLabel { result: if done { "done" } else { "refused" } })
    }

    /// Measures the values that are not counted as requests are answered.
    pub(crate) fn observe(&self) {
        if let Some(bytes) = resident_bytes() {
            self.memory.set(bytes);
        }
    }
}

/// The metrics of a service of a record.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) of_requests: RequestMetrics,
    latency: Histogram,
    pub(crate) batch: Histogram,
    pub(crate) waiting: Gauge,
    decisions: Family<PlaceLabel, Counter>,
    tasks_with_deadline: Counter,
    missed_deadlines: Counter,
    pub(crate) q2: Histogram,
    pub(crate) failed: Counter,
}

impl Metrics {
    /// Creates all metrics.
    pub(crate) fn new(places: &[String]) -> Arc<Self> {
        let mut registry = Registry::with_prefix("mrdro");
        let of_requests = RequestMetrics::new(&mut registry, &Endpoint::OF_RECORD);
        let latency = Histogram::new(exponential_buckets(50e-6, 2.0, 16));
        let about = "Time from the end of a decide request's body to its answer";
        registry.register_with_unit("decide", about, Unit::Seconds, latency.clone());
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        registry.register("batch_workloads", "Workloads in each batch of the networks", batch.clone());
        let waiting = Gauge::default();
        registry.register("waiting_workloads", "Workloads that are waiting to be decided", waiting.clone());
        let decisions = Family::<PlaceLabel, Counter>::default();
        registry.register("tasks", "Tasks by the place where they were decided to run", decisions.clone());
        let q2 = Histogram::new([0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0]);
        let about = "Optimal cost divided by the cost of the networks' decision, for sampled decisions";
        registry.register("q2", about, q2.clone());
        let failed = Counter::default();
        registry.register("failed_batches", "Batches that failed because the device was lost", failed.clone());
        let tasks_with_deadline = Counter::default();
        registry.register("tasks_with_deadline", "Decided tasks that have a deadline", tasks_with_deadline.clone());
        let missed_deadlines = Counter::default();
        let about = "Decided tasks that miss their deadlines";
        registry.register("missed_deadlines", about, missed_deadlines.clone());
        let metrics = Self {
            registry,
            of_requests,
            latency,
            batch,
            waiting,
            decisions,
            tasks_with_deadline,
            missed_deadlines,
            q2,
            failed,
        };
        metrics.add_places(places);
        Arc::new(metrics)
    }

    /// Makes the counters of tasks at these places, where there are none yet.
    pub(crate) fn add_places(&self, names: &[String]) {
        for name in names {
            drop(self.decisions.get_or_create(&PlaceLabel { place: name.clone() }));
        }
    }

    /// Counts the decisions of one request, which took `after`.
    pub(crate) fn count_decisions(
        &self,
        model: &CostModel,
        requests: &[WorkloadRequest],
        solutions: &[Solution],
        after: Duration,
    ) {
        self.latency.observe(after.as_secs_f64());
        let mut counts = [0_u64; 256];
        for (WorkloadRequest { instance, .. }, solution) in requests.iter().zip(solutions) {
            for (place, bytes) in solution.decision.places().iter().zip(instance.workload.sizes_bytes()) {
                counts[usize::from(*place)] += u64::from(*bytes > 0.0);
            }
        }
        for (name, count) in model.place_names().iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.decisions.get_or_create(&PlaceLabel { place: name.clone() }).inc_by(count);
        }
    }

    /// Counts the deadlines of decisions.
    pub(crate) fn count_deadlines(&self, Deadlines { missed, tasks }: Deadlines) {
        self.tasks_with_deadline.inc_by(tasks);
        self.missed_deadlines.inc_by(missed);
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, format: MetricsFormat) -> String {
        self.of_requests.observe();
        format.text(&self.registry)
    }
}

/// The memory that this process holds, in bytes; `None` where the system does not tell.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024.0)
}
