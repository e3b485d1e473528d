//! The metrics of a dispatching service.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use sim::stream::dispatch::QueueKind;
use sim::stream::dispatch::live::LivePlacement;

use super::live::LiveState;
use super::site_names::SiteNames;
use crate::metrics::{Endpoint, RequestMetrics};
use crate::metrics_format::MetricsFormat;

/// A site with more queues shows those alone that devices share.
const MOST_QUEUES: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceLabel {
    place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabel {
    queue: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

type Number = Gauge<f64, AtomicU64>;

/// The metrics of a dispatching service.
pub(super) struct DispatchMetrics {
    registry: Registry,
    pub(super) of_requests: RequestMetrics,
    latency: Histogram,
    wait: Histogram,
    tasks: Vec<Counter>,
    completed: Counter,
    missed: Counter,
    open: Gauge,
    mean_cost: Number,
    mean_greedy_cost: Number,
    regret: Number,
    queues: Vec<(usize, Number)>,
    longest: Number,
    writes: Family<ResultLabel, Counter>,
    /// What the counters showed of the live counts when they were read last.
    missed_before: Mutex<HashMap<&'static str, u64>>,
}

impl DispatchMetrics {
    pub(super) fn new(names: &SiteNames, endpoints: &[Endpoint]) -> Self {
        let mut registry = Registry::with_prefix("mrdro");
        let of_requests = RequestMetrics::new(&mut registry, endpoints);
        let latency = Histogram::new(exponential_buckets(5e-6, 2.0, 18));
        let about = "Time from the end of a dispatch request's body to its answer";
        registry.register_with_unit("dispatch", about, Unit::Seconds, latency.clone());
        let wait = Histogram::new(exponential_buckets(0.001, 4.0, 14));
        registry.register_with_unit("wait", "Expected waits of dispatched tasks", Unit::Seconds, wait.clone());
        let tasks = Family::<PlaceLabel, Counter>::default();
        registry.register("tasks", "Tasks by the place where they were sent", tasks.clone());
        let tasks = (0..names.site.places())
            .map(|place| tasks.get_or_create(&PlaceLabel { place: names.site.place_name(place).to_owned() }).clone())
            .collect();
        let completed = Counter::default();
        registry.register("completed_tasks", "Tasks that were reported as done", completed.clone());
        let missed = Counter::default();
        registry.register("missed_deadlines", "Tasks that were expected to miss their deadlines", missed.clone());
        let open = Gauge::default();
        registry.register("open_tasks", "Tasks that are not reported as done", open.clone());
        let mut number = |name: &str, about: &str| {
            let number = Number::default();
            registry.register(name, about, number.clone());
            number
        };
        let mean_cost = number("mean_expected_cost", "Mean expected cost of all tasks");
        let mean_greedy_cost = number("mean_greedy_cost", "The same if greedy had placed them, in queues of its own");
        let regret = number("regret", "Mean expected cost less that of greedy: below 0 the scheme is cheaper");
        let longest = number("longest_queue_seconds", "Backlog of the longest queue");
        let backlogs = Family::<QueueLabel, Number>::default();
        registry.register("queue_seconds", "Backlogs of queues", backlogs.clone());
        let all = names.site.queues();
        let is_shown = |index: usize| {
            all.len() <= MOST_QUEUES
                || (matches!(all[index].kind, QueueKind::Edge | QueueKind::Cloud)
                    && !all[index].name.contains(" for device "))
        };
        let queues = (0..all.len()).filter(|index| is_shown(*index));
        let queues =
            queues.map(|index| (index, backlogs.get_or_create(&QueueLabel { queue: all[index].name.clone() }).clone()));
        let queues = queues.collect();
        let writes = Family::<ResultLabel, Counter>::default();
        registry.register("state_writes", "Writes of the file of --state", writes.clone());
        for result in ["done", "failed"] {
            drop(writes.get_or_create(&ResultLabel { result }));
        }
        Self {
            registry,
            of_requests,
            latency,
            wait,
            tasks,
            completed,
            missed,
            open,
            mean_cost,
            mean_greedy_cost,
            regret,
            queues,
            longest,
            writes,
            missed_before: Mutex::default(),
        }
    }

    /// Counts the tasks of one request.
    pub(super) fn count_placed(&self, placed: &[LivePlacement], after: Duration) {
        self.latency.observe(after.as_secs_f64());
        let mut counts = [0_u64; 256];
        for placement in placed {
            counts[placement.place & 255] += 1;
            self.wait.observe(placement.wait_s);
        }
        for (counter, count) in self.tasks.iter().zip(counts).filter(|(_, count)| *count > 0) {
            counter.inc_by(count);
        }
    }

    /// Counts tasks that are done.
    pub(super) fn count_completed(&self, count: usize) {
        self.completed.inc_by(count as u64);
    }

    /// Counts a write of the state.
    pub(super) fn count_write(&self, is_done: bool) {
        self.writes.get_or_create(&ResultLabel { result: if is_done { "done" } else { "failed" } }).inc();
    }

    /// The text that Prometheus reads.
    pub(super) fn text(&self, state: &LiveState, format: MetricsFormat) -> String {
        let (site, counts) = (&state.site, state.site.counts());
        let placed = counts.placed().max(1) as f64;
        self.open.set(i64::try_from(site.open()).unwrap_or(i64::MAX));
        self.mean_cost.set(counts.cost / placed);
        self.mean_greedy_cost.set(counts.greedy_cost / placed);
        self.regret.set((counts.cost - counts.greedy_cost) / placed);
        let mut before = self.missed_before.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = before.entry("missed").or_default();
        self.missed.inc_by(counts.late.saturating_sub(*missed));
        *missed = counts.late;
        let backlogs: Vec<f64> = site.backlogs_s().collect();
        self.longest.set(backlogs.iter().copied().fold(0.0, f64::max));
        for (queue, gauge) in &self.queues {
            gauge.set(backlogs[*queue]);
        }
        self.of_requests.observe();
        format.text(&self.registry)
    }
}
