//! What is being served: a record, the environment in force, and how both change without a request noticing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::SystemTime;

use burn::tensor::Device;
use model::{Policy, Record, RecordError, Selection};
use sim::exchange::EnvironmentChange;
use sim::scheme::{Exact, Scheme};
use sim::{CostModel, Environment, EnvironmentError, Workload};

/// The prices that one optimum may take for the service to offer it: some milliseconds.
const EXACT_PRICES: u64 = 200_000;

/// A record that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) record: Record,
    /// Its scenario's.
    pub(crate) model: CostModel,
    pub(crate) at: SystemTime,
    /// Counts what was loaded.
    pub(crate) generation: u64,
    /// Whether the optimum of its workloads is found at once.
    pub(crate) is_exact_quick: bool,
    selection: Selection,
    device: Device,
}

impl Loaded {
    fn load(path: &Path, selection: Option<Selection>, device: &Device, generation: u64) -> Result<Self, RecordError> {
        let record = Record::load(path, device)?;
        let model = record
            .scenario
            .check()
            .map_err(|error| RecordError::OtherScenario { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Self {
            selection: selection.unwrap_or(record.selection),
            at: SystemTime::now(),
            is_exact_quick: is_exact_quick(&model, record.scaling.mean_bytes, record.scaling.deviation_bytes),
            device: device.clone(),
            record,
            model,
            generation,
        })
    }

    /// The networks as a scheme.
    pub(crate) fn policy(&self) -> Policy {
        let codec = self.record.codec(&self.model);
        Policy::new("ensemble", &self.record.ensemble, codec, self.selection, &self.device)
    }
}

/// Tries it on a workload whose sizes lie around the mean.
fn is_exact_quick(model: &CostModel, mean_bytes: f64, deviation_bytes: f64) -> bool {
    let step = |task: usize| mean_bytes + deviation_bytes * ((task % 7) as f64 / 7.0 - 0.5);
    let sizes: Vec<f64> = (0..model.task_count()).map(|task| step(task).max(1.0)).collect();
    let solved = Exact::new().decide(model, &Workload::from_bytes(model.tasks(), sizes));
    solved.is_ok_and(|solution| solution.evaluations <= EXACT_PRICES)
}

/// All that a request is answered from. It keeps its own while others come to be in force.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) loaded: Arc<Loaded>,
    /// In the environment in force.
    pub(crate) model: CostModel,
}

/// The record and the environment in force.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) path: PathBuf,
    selection: Option<Selection>,
    device: Device,
    now: RwLock<Arc<Snapshot>>,
    /// One change at a time, and never for long.
    change: Mutex<()>,
    /// The record is read by one at a time, however long that takes.
    reading: Mutex<()>,
}

impl Service {
    pub(crate) fn load(path: &Path, selection: Option<Selection>, device: &Device) -> Result<Self, RecordError> {
        let loaded = Loaded::load(path, selection, device, 0)?;
        let model = loaded.model.clone();
        Ok(Self {
            path: path.to_owned(),
            selection,
            device: device.clone(),
            now: RwLock::new(Arc::new(Snapshot { loaded: Arc::new(loaded), model })),
            change: Mutex::new(()),
            reading: Mutex::new(()),
        })
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, snapshot: Snapshot) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// Changes the environment in force.
    pub(crate) fn enter(&self, change: EnvironmentChange) -> Result<(Environment, Following), EnvironmentError> {
        let _one = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.snapshot();
        let environment = change.over(&now.model)?;
        let following = Following::of(&now.loaded.record, now.loaded.model.environment(), &environment);
        let model = now.loaded.model.entered(&environment)?;
        self.put(Snapshot { loaded: Arc::clone(&now.loaded), model });
        Ok((environment, following))
    }

    /// Loads the record again, for the same fleet; the environment in force stays. What is refused changes nothing;
    /// `None`: it is being read already.
    pub(crate) fn reload(&self) -> Option<Result<(), RecordError>> {
        let _one = match self.reading.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(one) => one,
        };
        let generation = self.snapshot().loaded.generation + 1;
        let loaded = Loaded::load(&self.path, self.selection, &self.device, generation);
        Some(loaded.and_then(|loaded| self.take_over(loaded)))
    }

    fn take_over(&self, loaded: Loaded) -> Result<(), RecordError> {
        let _one = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.snapshot();
        loaded.record.check_scenario(&now.loaded.record.scenario, true, &self.path)?;
        let was_its_own = now.model.environment() == now.loaded.model.environment();
        let model = if was_its_own {
            loaded.model.clone()
        } else {
            loaded
                .model
                .entered(now.model.environment())
                .map_err(|error| RecordError::OtherScenario { path: self.path.clone(), reason: error.to_string() })?
        };
        self.put(Snapshot { loaded: Arc::new(loaded), model });
        Ok(())
    }
}

/// Whether networks answer to a change of environment by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Following {
    /// What differs from what they were made for, and is not read.
    pub(crate) unread: Vec<&'static str>,
}

impl Following {
    fn of(record: &Record, own: &Environment, now: &Environment) -> Self {
        let changes = [
            ("uplinks", own.uplinks_mbps != now.uplinks_mbps, record.reads.log_uplink.is_some()),
            ("capacities", own.capacities != now.capacities, record.reads.log_capacity.is_some()),
            ("α", own.alpha != now.alpha, record.reads.alpha.is_some()),
        ];
        let unread = changes.into_iter().filter(|(_, changed, read)| *changed && !read);
        Self { unread: unread.map(|(what, ..)| what).collect() }
    }

    /// In words.
    pub(crate) fn note(&self) -> String {
        if self.unread.is_empty() {
            return "the networks follow at once".to_owned();
        }
        let what = self.unread.join(" and ");
        format!(
            "the networks do not read {what}: they choose the cheapest of proposals made for the scenario's own, until a record \
             that was adapted (trainer adapt) is loaded"
        )
    }
}
