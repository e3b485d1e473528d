//! Deciding in batches: the requests that arrive while one batch is being decided form the next one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use data::exchange::WorkloadRequest;
use sim::scheme::{self, Scheme, SchemeKind, Solution};
use sim::{Instance, SchemeError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::Limits;
use crate::decision_sampler::DecisionSampler;
use crate::metrics::Metrics;
use crate::problem_details::ProblemDetails;
use crate::service::{Service, Snapshot};

/// The most workloads of one batch, unless a single request has more.
const BATCH_WORKLOADS: usize = 1024;

/// The workloads of one request, which one scheme decides.
struct Job {
    requests: Vec<WorkloadRequest>,
    scheme: String,
    snapshot: Arc<Snapshot>,
    reply: oneshot::Sender<Result<Decisions, ProblemDetails>>,
    /// The places of these workloads in the queue, given back with the answer.
    permit: OwnedSemaphorePermit,
}

/// The decisions for the workloads of one request.
pub(crate) struct Decisions {
    pub(crate) requests: Vec<WorkloadRequest>,
    pub(crate) solutions: Vec<Solution>,
    /// The time that the batch took, divided by the number of its workloads.
    pub(crate) time_per_workload: Duration,
}

/// The queues in front of the threads that decide: one for the networks, one for searches, so that the networks never wait
/// for a search.
#[derive(Debug)]
pub(crate) struct Decider {
    networks: mpsc::UnboundedSender<Job>,
    searches: mpsc::UnboundedSender<Job>,
    /// Free places for workloads in each queue.
    networks_room: Arc<Semaphore>,
    searches_room: Arc<Semaphore>,
    capacity: usize,
    metrics: Arc<Metrics>,
}

/// The name of the scheme of the record's networks.
pub(crate) const ENSEMBLE_SCHEME: &str = "ensemble";
/// The name of the exact search.
pub(crate) const EXACT_SCHEME: &str = "exact";

/// The names of the schemes that a request may name: the networks first, then the classic schemes that use no randomness.
pub(crate) fn scheme_names(is_exact_quick: bool) -> Vec<String> {
    let others = SchemeKind::deterministic().into_iter().map(|kind| kind.to_string());
    let others = others.filter(|name| is_exact_quick || name != EXACT_SCHEME);
    std::iter::once(ENSEMBLE_SCHEME.to_owned()).chain(others).collect()
}

impl Decider {
    /// Starts the threads: one for the networks, whose batches use all cores, one for searches, and one that compares every
    /// `sample`-th decision with the optimum. They end when the decider is dropped.
    pub(crate) fn start(service: &Service, limits: Limits, sample: u64, metrics: &Arc<Metrics>) -> Self {
        let (capacity, wait, search_time) = (limits.waiting, limits.batch_wait, limits.search);
        let (networks, network_jobs) = mpsc::unbounded_channel();
        let (searches, search_jobs) = mpsc::unbounded_channel();
        let sampler = DecisionSampler::start(sample, metrics);
        let (first, batch_metrics) = (service.snapshot(), Arc::clone(metrics));
        thread::spawn(move || decide_batches(network_jobs, &first, wait, &sampler, &batch_metrics));
        thread::spawn(move || decide_searches(search_jobs, search_time));
        Self {
            networks,
            searches,
            networks_room: Arc::new(Semaphore::new(capacity)),
            searches_room: Arc::new(Semaphore::new(capacity)),
            capacity,
            metrics: Arc::clone(metrics),
        }
    }

    /// Decides workloads with a scheme. Fails at once if the queue has no room for them.
    pub(crate) async fn decide(
        &self,
        requests: Vec<WorkloadRequest>,
        scheme: String,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Decisions, ProblemDetails> {
        let is_ensemble = scheme == ENSEMBLE_SCHEME;
        let (queue, room) =
            if is_ensemble { (&self.networks, &self.networks_room) } else { (&self.searches, &self.searches_room) };
        let wanted = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let permit = Arc::clone(room).try_acquire_many_owned(wanted);
        let permit = permit.map_err(|_| ProblemDetails::busy("the queue of workloads is full"))?;
        let (reply, decided) = oneshot::channel();
        let job = Job { requests, scheme, snapshot: Arc::clone(snapshot), reply, permit };
        queue.send(job).map_err(|_| ProblemDetails::busy("the service is ending"))?;
        // A panic while deciding drops the other end.
        decided.await.map_err(|_| failed())?
    }

    /// The number of workloads in both queues.
    fn waiting(&self) -> usize {
        2 * self.capacity - self.networks_room.available_permits() - self.searches_room.available_permits()
    }

    /// Sets the gauges that are not counted along the way.
    pub(crate) fn observe(&self) {
        self.metrics.waiting.set(i64::try_from(self.waiting()).unwrap_or(i64::MAX));
    }
}

/// The error of a request whose scheme panicked.
fn failed() -> ProblemDetails {
    ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, "deciding failed")
}

/// Decides the jobs of the networks, all that have arrived at once.
fn decide_batches(
    mut jobs: mpsc::UnboundedReceiver<Job>,
    first: &Arc<Snapshot>,
    wait: Duration,
    sampler: &DecisionSampler,
    metrics: &Metrics,
) {
    let mut policy = Some((first.loaded.generation, first.loaded.scheme()));
    let mut next = None;
    while let Some(first) = next.take().or_else(|| jobs.blocking_recv()) {
        let snapshot = Arc::clone(&first.snapshot);
        let mut rows = first.requests.len();
        let mut batch = vec![first];
        let begin = Instant::now();
        while rows < BATCH_WORKLOADS {
            match jobs.try_recv() {
                Ok(job) if Arc::ptr_eq(&job.snapshot, &snapshot) && rows + job.requests.len() <= BATCH_WORKLOADS => {
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
        // Burn panics when a device is lost; the next batch rebuilds the scheme from the record.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let made = policy.take().filter(|(generation, _)| *generation == snapshot.loaded.generation);
            let (generation, mut made) = made.unwrap_or_else(|| (snapshot.loaded.generation, snapshot.loaded.scheme()));
            decide_batch(batch, rows, &snapshot, &mut *made, sampler);
            policy = Some((generation, made));
        }));
        metrics.failed.inc_by(u64::from(decided.is_err()));
    }
}

fn decide_batch(
    batch: Vec<Job>,
    rows: usize,
    snapshot: &Arc<Snapshot>,
    policy: &mut dyn Scheme,
    sampler: &DecisionSampler,
) {
    let begin = Instant::now();
    // Workloads in the environment in force are decided together, all others one by one.
    let mut workloads = Vec::with_capacity(rows);
    // A closed channel means that the client has disconnected.
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
            Ok(solutions) => Ok(solutions.next().expect("there is one solution for each workload")),
            Err(error) => Err(SchemeError::Backend(error.to_string())),
        });
        answers.push(decided.collect::<Result<Vec<_>, _>>());
    }
    let time_per_workload = begin.elapsed() / u32::try_from(rows.max(1)).unwrap_or(u32::MAX);
    for (Job { requests, reply, snapshot, permit, .. }, solutions) in batch.into_iter().zip(answers) {
        if let Ok(solutions) = &solutions {
            sampler.take(&requests, solutions, &snapshot);
        }
        // The client may have disconnected meanwhile.
        let _ = reply.send(solutions.map_err(ProblemDetails::from).map(|solutions| Decisions {
            requests,
            solutions,
            time_per_workload,
        }));
        drop(permit);
    }
}

/// Decides the jobs of classic schemes, one workload after the other, on this thread alone: the other cores are for the
/// networks.
fn decide_searches(mut jobs: mpsc::UnboundedReceiver<Job>, time: Duration) {
    while let Some(Job { requests, scheme, snapshot, reply, permit }) = jobs.blocking_recv() {
        let begin = Instant::now();
        let decide = || {
            let mut scheme = scheme::by_name(&scheme, &snapshot.model, 0)?;
            let mut solutions = Vec::with_capacity(requests.len());
            for request in &requests {
                if reply.is_closed() || begin.elapsed() > time {
                    let (decided, count) = (solutions.len(), requests.len());
                    let detail = format!("the search decided only {decided} of {count} workloads within {time:?}");
                    return Err(ProblemDetails::unprocessable("scheme", detail));
                }
                let Instance { model, workload } = &request.instance;
                solutions.push(scheme.decide(model, workload)?);
            }
            Ok(solutions)
        };
        let solutions = catch_unwind(AssertUnwindSafe(decide));
        let solutions = solutions.unwrap_or_else(|_| Err(failed()));
        let time_per_workload = begin.elapsed() / u32::try_from(requests.len().max(1)).unwrap_or(u32::MAX);
        let _ = reply.send(solutions.map(|solutions| Decisions { requests, solutions, time_per_workload }));
        drop(permit);
    }
}
