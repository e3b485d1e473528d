//! Deciding in batches: what comes while a batch is being decided is the next one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use data::exchange::WorkloadRequest;
use sim::scheme::{self, Exact, Scheme, SchemeKind, Solution};
use sim::{Instance, SchemeError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::Limits;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::service::{Service, Snapshot};

/// Workloads decided at once; what is left over is the next batch.
const BATCH: usize = 1024;

/// Requests that are decided by one scheme.
struct Job {
    requests: Vec<WorkloadRequest>,
    scheme: String,
    snapshot: Arc<Snapshot>,
    reply: oneshot::Sender<Result<Decided, Problem>>,
    /// Given back with the answer.
    room: OwnedSemaphorePermit,
}

/// What was decided.
pub(crate) struct Decided {
    pub(crate) requests: Vec<WorkloadRequest>,
    pub(crate) solutions: Vec<Solution>,
    /// Of the batch that they were decided in, for each of its workloads.
    pub(crate) each: Duration,
}

/// The queues in front of the threads that decide. What the networks decide does not wait for what others search for.
#[derive(Debug)]
pub(crate) struct Decider {
    networks: mpsc::UnboundedSender<Job>,
    searches: mpsc::UnboundedSender<Job>,
    /// Room for workloads that wait.
    networks_room: Arc<Semaphore>,
    searches_room: Arc<Semaphore>,
    capacity: usize,
    metrics: Arc<Metrics>,
}

/// The name of the scheme of the record's networks.
pub(crate) const ENSEMBLE: &str = "ensemble";
/// The name of the exact search.
pub(crate) const EXACT: &str = "exact";

/// The names of the schemes that can be asked for, the networks first, then the quickest of the others.
pub(crate) fn scheme_names(is_exact_quick: bool) -> Vec<String> {
    let others = SchemeKind::deterministic().into_iter().map(|kind| kind.to_string());
    let others = others.filter(|name| is_exact_quick || name != EXACT);
    std::iter::once(ENSEMBLE.to_owned()).chain(others).collect()
}

impl Decider {
    /// Starts the threads: one for the networks, whose batches use all cores, one for everything else. They end with the
    /// queues.
    pub(crate) fn start(service: &Service, limits: Limits, sample: u64, metrics: &Arc<Metrics>) -> Self {
        let (capacity, wait, search_time) = (limits.waiting, limits.batch_wait, limits.search);
        let (networks, jobs) = mpsc::unbounded_channel();
        let (searches, searched) = mpsc::unbounded_channel();
        let (samples, sampled) = std::sync::mpsc::sync_channel(64);
        let sampler = Sampler { every: sample, seen: AtomicU64::new(0), samples };
        let policy = service.snapshot();
        let of_networks = Arc::clone(metrics);
        thread::spawn(move || decide_batches(jobs, &policy, wait, &sampler, &of_networks));
        thread::spawn(move || search(searched, search_time));
        let of_samples = Arc::clone(metrics);
        thread::spawn(move || compare(&sampled, &of_samples));
        Self {
            networks,
            searches,
            networks_room: Arc::new(Semaphore::new(capacity)),
            searches_room: Arc::new(Semaphore::new(capacity)),
            capacity,
            metrics: Arc::clone(metrics),
        }
    }

    /// Decides these requests, or says at once that there is no room for them.
    pub(crate) async fn decide(
        &self,
        requests: Vec<WorkloadRequest>,
        scheme: String,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Decided, Problem> {
        let is_ensemble = scheme == ENSEMBLE;
        let (queue, room) =
            if is_ensemble { (&self.networks, &self.networks_room) } else { (&self.searches, &self.searches_room) };
        let wanted = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(room).try_acquire_many_owned(wanted);
        let room = room.map_err(|_| Problem::busy("as many workloads are waiting as may"))?;
        let (reply, decided) = oneshot::channel();
        let job = Job { requests, scheme, snapshot: Arc::clone(snapshot), reply, room };
        queue.send(job).map_err(|_| Problem::busy("the service is ending"))?;
        // A thread that panicked answers nothing.
        let failed = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "deciding failed");
        decided.await.map_err(failed)?
    }

    /// Workloads that wait.
    fn waiting(&self) -> usize {
        2 * self.capacity - self.networks_room.available_permits() - self.searches_room.available_permits()
    }

    /// Reads the gauges.
    pub(crate) fn observe(&self) {
        self.metrics.waiting.set(i64::try_from(self.waiting()).unwrap_or(i64::MAX));
    }
}

/// Decides what the networks are to decide, as many at once as have come.
fn decide_batches(
    mut jobs: mpsc::UnboundedReceiver<Job>,
    first: &Arc<Snapshot>,
    wait: Duration,
    sampler: &Sampler,
    metrics: &Metrics,
) {
    let mut policy = Some((first.loaded.generation, first.loaded.scheme()));
    let mut next = None;
    while let Some(first) = next.take().or_else(|| jobs.blocking_recv()) {
        let snapshot = Arc::clone(&first.snapshot);
        let mut rows = first.requests.len();
        let mut batch = vec![first];
        let begin = Instant::now();
        while rows < BATCH {
            match jobs.try_recv() {
                Ok(job) if Arc::ptr_eq(&job.snapshot, &snapshot) && rows + job.requests.len() <= BATCH => {
                    rows += job.requests.len();
                    batch.push(job);
                }
                Ok(job) => {
                    next = Some(job);
                    break;
                }
                Err(_) if begin.elapsed() < wait => thread::yield_now(),
                Err(_) => break,
            }
        }
        metrics.batch.observe(rows as f64);
        // A device that is lost is answered by Burn with panics; the next batch tries again from the record.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let made = policy.take().filter(|(generation, _)| *generation == snapshot.loaded.generation);
            let (generation, mut made) = made.unwrap_or_else(|| (snapshot.loaded.generation, snapshot.loaded.scheme()));
            decide_batch(batch, rows, &snapshot, &mut *made, sampler);
            policy = Some((generation, made));
        }));
        metrics.failed.inc_by(u64::from(decided.is_err()));
    }
}

fn decide_batch(batch: Vec<Job>, rows: usize, snapshot: &Arc<Snapshot>, policy: &mut dyn Scheme, sampler: &Sampler) {
    let begin = Instant::now();
    // Those in the environment in force are decided together.
    let mut workloads = Vec::with_capacity(rows);
    // Nobody waits any more for those whose clients have gone.
    let batch: Vec<Job> = batch.into_iter().filter(|job| !job.reply.is_closed()).collect();
    let is_in_force = |instance: &Instance| instance.model.is_clone_of(&snapshot.model);
    for request in batch.iter().flat_map(|job| &job.requests) {
        if is_in_force(&request.instance) {
            workloads.push(request.instance.workload.clone());
        }
    }
    let together = policy.decide_all(&snapshot.model, &workloads);
    let mut together = together.map(Vec::into_iter);
    let mut answers = Vec::with_capacity(batch.len());
    for job in &batch {
        let decided = job.requests.iter().map(|WorkloadRequest { instance, .. }| match &mut together {
            _ if !is_in_force(instance) => policy.decide(&instance.model, &instance.workload),
            Ok(solutions) => Ok(solutions.next().expect("one for each of them")),
            Err(error) => Err(SchemeError::Backend(error.to_string())),
        });
        answers.push(decided.collect::<Result<Vec<_>, _>>());
    }
    let each = begin.elapsed() / u32::try_from(rows.max(1)).unwrap_or(u32::MAX);
    for (Job { requests, reply, snapshot, room, .. }, solutions) in batch.into_iter().zip(answers) {
        if let Ok(solutions) = &solutions {
            sampler.take(&requests, solutions, &snapshot);
        }
        // Whoever asked may have gone.
        let _ = reply.send(solutions.map_err(Problem::from).map(|solutions| Decided { requests, solutions, each }));
        drop(room);
    }
}

/// Decides what classic schemes are to decide, one workload after the other on this thread alone: the others are the
/// networks'.
fn search(mut jobs: mpsc::UnboundedReceiver<Job>, time: Duration) {
    while let Some(Job { requests, scheme, snapshot, reply, room }) = jobs.blocking_recv() {
        let begin = Instant::now();
        let decide = || {
            let mut scheme = scheme::by_name(&scheme, &snapshot.model, 0)?;
            let mut solutions = Vec::with_capacity(requests.len());
            for request in &requests {
                if reply.is_closed() || begin.elapsed() > time {
                    let detail = format!("{} of {} workloads were decided in time", solutions.len(), requests.len());
                    return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).at("scheme"));
                }
                let Instance { model, workload } = &request.instance;
                solutions.push(scheme.decide(model, workload)?);
            }
            Ok(solutions)
        };
        let solutions = catch_unwind(AssertUnwindSafe(decide));
        let solutions =
            solutions.unwrap_or_else(|_| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "deciding failed")));
        let each = begin.elapsed() / u32::try_from(requests.len().max(1)).unwrap_or(u32::MAX);
        let _ = reply.send(solutions.map(|solutions| Decided { requests, solutions, each }));
        drop(room);
    }
}

/// A decision that is to be compared with the optimum.
struct Sample {
    instance: Instance,
    cost: f64,
}

/// Takes a share of decisions for comparison.
struct Sampler {
    every: u64,
    seen: AtomicU64,
    samples: std::sync::mpsc::SyncSender<Sample>,
}

impl Sampler {
    fn take(&self, requests: &[WorkloadRequest], solutions: &[Solution], snapshot: &Arc<Snapshot>) {
        if self.every == 0 || !snapshot.loaded.is_exact_quick {
            return;
        }
        for (request, solution) in requests.iter().zip(solutions) {
            if self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every) {
                let instance = request.instance.clone();
                let cost = instance.cost(solution.decision.places());
                // There are others if this one finds no room.
                let _ = self.samples.try_send(Sample { instance, cost });
            }
        }
    }
}

/// Compares with the optimum what was sampled.
fn compare(samples: &std::sync::mpsc::Receiver<Sample>, metrics: &Metrics) {
    let mut exact = Exact::new();
    while let Ok(Sample { instance, cost }) = samples.recv() {
        if let Ok(solution) = exact.decide(&instance.model, &instance.workload) {
            let optimum = instance.cost(solution.decision.places());
            metrics.q2.observe(optimum / cost);
        }
    }
}
