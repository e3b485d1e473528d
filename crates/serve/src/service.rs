//! The record that is served and the environment in force, and how both change while requests are answered.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::SystemTime;

use burn::tensor::Device;
use data::exchange::EnvironmentChange;
use data::{SizeMoments, SizeSampler};
use model::{DecisionOptions, Networks, Record, RecordError};
use sim::scheme::{Exact, Scheme};
use sim::{CostModel, Environment, EnvironmentError, Scenario, Workload};

use crate::ServeError;
use crate::decider::ENSEMBLE_SCHEME;

/// The service offers the exact search if it takes at most this many cost evaluations, which is some milliseconds.
const EXACT_EVALUATIONS: u64 = 200_000;

/// The scenario that decisions are for, with the moments of its task sizes.
#[derive(Debug, Clone)]
pub(crate) struct ServedScenario {
    pub(crate) scenario: Scenario,
    pub(crate) sizes: SizeMoments,
}

/// A record, made ready to decide.
#[derive(Debug)]
pub(crate) struct LoadedRecord {
    pub(crate) record: Record,
    pub(crate) served: ServedScenario,
    /// The cost model in the scenario's own environment.
    pub(crate) model: CostModel,
    pub(crate) loaded_at: SystemTime,
    /// The number of records that were loaded before.
    pub(crate) generation: u64,
    /// Whether the exact search of a usual workload takes only milliseconds.
    pub(crate) is_exact_quick: bool,
    options: DecisionOptions,
    device: Device,
}

impl LoadedRecord {
    /// Makes a record ready. Networks for any fleet decide for `served`; others bring their own scenario.
    fn new(
        record: Record,
        served: Option<ServedScenario>,
        source: &RecordSource,
        generation: u64,
    ) -> Result<Self, ServeError> {
        let RecordSource { path, options, device } = source;
        record.networks.check_options(options).map_err(|error| ServeError::Option { path: path.clone(), error })?;
        let own = record.networks.scenario().zip(record.networks.size_moments_bytes());
        let own = own.map(|(scenario, (mean_bytes, std_dev_bytes))| ServedScenario {
            scenario: scenario.clone(),
            sizes: SizeMoments { mean_bytes, std_dev_bytes },
        });
        let served = own.or(served).ok_or_else(|| ServeError::NoScenario { path: path.clone() })?;
        let model = served.scenario.check()?;
        Ok(Self {
            options: *options,
            loaded_at: SystemTime::now(),
            is_exact_quick: is_exact_quick(&model, served.sizes),
            device: device.clone(),
            record,
            served,
            model,
            generation,
        })
    }

    /// The networks as a scheme.
    pub(crate) fn scheme(&self) -> Box<dyn Scheme> {
        self.record.networks.scheme(ENSEMBLE_SCHEME, &self.model, &self.options, &self.device)
    }

    /// Whether the networks read anything in addition to task sizes.
    pub(crate) fn reads_environment(&self) -> bool {
        self.record.networks.reads().any()
    }
}

/// Whether the exact search is quick for a workload with sizes near the mean.
fn is_exact_quick(model: &CostModel, sizes: SizeMoments) -> bool {
    let SizeMoments { mean_bytes, std_dev_bytes } = sizes;
    let step = |task: usize| (mean_bytes + std_dev_bytes * ((task % 7) as f64 / 7.0 - 0.5)).max(1.0);
    let size = |task: usize| if model.has_task(task) { step(task) } else { 0.0 };
    let sizes: Vec<f64> = (0..model.task_count()).map(size).collect();
    let solved = Exact::new().decide(model, &Workload::from_bytes(model.tasks(), sizes));
    solved.is_ok_and(|solution| solution.evaluations <= EXACT_EVALUATIONS)
}

/// A record and an environment. A request keeps the snapshot that was in force when it arrived.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) loaded: Arc<LoadedRecord>,
    /// The cost model in the environment in force.
    pub(crate) model: CostModel,
}

/// The directory of the record, and how its networks decide and compute.
#[derive(Debug)]
pub(crate) struct RecordSource {
    pub(crate) path: PathBuf,
    pub(crate) options: DecisionOptions,
    pub(crate) device: Device,
}

/// The snapshot in force, and the locks under which it changes.
#[derive(Debug)]
pub(crate) struct Service {
    source: RecordSource,
    current: RwLock<Arc<Snapshot>>,
    /// Held while the snapshot is exchanged, which is short.
    change_lock: Mutex<()>,
    /// Held while the record is reloaded, which can take long.
    reload_lock: Mutex<()>,
}

impl Service {
    /// Loads a record; `scenario` is for networks that decide for any fleet, and for no others.
    pub(crate) fn load(source: RecordSource, scenario: Option<Scenario>) -> Result<Self, ServeError> {
        let record = Record::load(&source.path, &source.device)?;
        if scenario.is_some() && record.networks.scenario().is_some() {
            return Err(ServeError::OwnScenario { path: source.path });
        }
        let served = |scenario: Scenario| {
            let sizes = SizeSampler::new(&scenario)?.moments();
            Ok::<_, ServeError>(ServedScenario { scenario, sizes })
        };
        let loaded = LoadedRecord::new(record, scenario.map(served).transpose()?, &source, 0)?;
        let model = loaded.model.clone();
        Ok(Self {
            source,
            current: RwLock::new(Arc::new(Snapshot { loaded: Arc::new(loaded), model })),
            change_lock: Mutex::new(()),
            reload_lock: Mutex::new(()),
        })
    }

    /// The directory of the record.
    pub(crate) fn path(&self) -> &Path {
        &self.source.path
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, snapshot: Snapshot) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// Changes the environment in force. Returns it, with the changes that the networks do not read.
    pub(crate) fn set_environment(
        &self,
        change: EnvironmentChange,
    ) -> Result<(Environment, UnreadChanges), EnvironmentError> {
        let _one = self.change_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.snapshot();
        let environment = change.over(&current.model)?;
        let unread_changes =
            UnreadChanges::of(&*current.loaded.record.networks, current.loaded.model.environment(), &environment);
        let model = current.loaded.model.at(&environment)?;
        self.put(Snapshot { loaded: Arc::clone(&current.loaded), model });
        Ok((environment, unread_changes))
    }

    /// Loads the record again; it may have networks of another kind, but must be for the same fleet. The environment in
    /// force stays. A record that is refused changes nothing. Returns `None` if a reload is already under way.
    pub(crate) fn reload(&self) -> Option<Result<(), ServeError>> {
        let _one = match self.reload_lock.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(one) => one,
        };
        let before = Arc::clone(&self.snapshot().loaded);
        let load = || {
            let record = Record::load(self.path(), &self.source.device)?;
            record.check_scenario(&before.served.scenario, true, self.path())?;
            // Recorded task sizes are not read again.
            LoadedRecord::new(record, Some(before.served.clone()), &self.source, before.generation + 1)
        };
        Some(load().and_then(|loaded| self.install(loaded)))
    }

    /// Puts a record in force, in the environment in force.
    fn install(&self, loaded: LoadedRecord) -> Result<(), ServeError> {
        let _one = self.change_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.snapshot();
        let is_own_environment = current.model.environment() == current.loaded.model.environment();
        let model = if is_own_environment {
            loaded.model.clone()
        } else {
            loaded.model.at(current.model.environment()).map_err(|error| RecordError::OtherScenario {
                path: self.path().to_owned(),
                reason: error.to_string(),
            })?
        };
        self.put(Snapshot { loaded: Arc::new(loaded), model });
        Ok(())
    }
}

/// Changes of the environment that the networks do not notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreadChanges {
    /// The parts that differ from the environment that the networks were trained for, and that they do not read.
    pub(crate) parts: Vec<&'static str>,
}

impl UnreadChanges {
    fn of(networks: &dyn Networks, own: &Environment, now: &Environment) -> Self {
        Self { parts: networks.unread_changes(own, now) }
    }

    /// A sentence for the person who changed the environment.
    pub(crate) fn note(&self) -> String {
        if self.parts.is_empty() {
            return "the networks read everything that changed".to_owned();
        }
        let parts = self.parts.join(" and ");
        format!(
            "the networks do not read {parts}: they make the same proposals as before and choose the one that is cheapest now; \
             better proposals need a record adapted to this environment (trainer adapt)"
        )
    }
}
