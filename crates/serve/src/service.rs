//! What is being served: a record, the environment in force, and how both change without a request noticing.

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
use crate::decider::ENSEMBLE;

/// The most cost evaluations of one optimum for the service to offer it: some milliseconds.
const EXACT_EVALUATIONS: u64 = 200_000;

/// The scenario that is decided about, with the moments of its task sizes.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) scenario: Scenario,
    pub(crate) sizes: SizeMoments,
}

/// A record that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) record: Record,
    pub(crate) subject: Subject,
    /// Its scenario's.
    pub(crate) model: CostModel,
    pub(crate) at: SystemTime,
    /// Counts what was loaded.
    pub(crate) generation: u64,
    /// Whether the optimum of its workloads is found at once.
    pub(crate) is_exact_quick: bool,
    options: DecisionOptions,
    device: Device,
}

impl Loaded {
    /// Networks for any fleet decide about `subject`; others bring their own scenario.
    fn new(record: Record, subject: Option<Subject>, service: &Loading, generation: u64) -> Result<Self, ServeError> {
        let Loading { path, options, device } = service;
        record.networks.check_options(options).map_err(|error| ServeError::Option { path: path.clone(), error })?;
        let own = record.networks.scenario().zip(record.networks.size_moments_bytes());
        let own = own.map(|(scenario, (mean_bytes, std_dev_bytes))| Subject {
            scenario: scenario.clone(),
            sizes: SizeMoments { mean_bytes, std_dev_bytes },
        });
        let subject = own.or(subject).ok_or_else(|| ServeError::NoScenario { path: path.clone() })?;
        let model = subject.scenario.check()?;
        Ok(Self {
            options: *options,
            at: SystemTime::now(),
            is_exact_quick: is_exact_quick(&model, subject.sizes),
            device: device.clone(),
            record,
            subject,
            model,
            generation,
        })
    }

    /// The networks as a scheme.
    pub(crate) fn scheme(&self) -> Box<dyn Scheme> {
        self.record.networks.scheme(ENSEMBLE, &self.model, &self.options, &self.device)
    }

    /// Whether the networks read anything beside sizes.
    pub(crate) fn reads_environment(&self) -> bool {
        self.record.networks.reads().any()
    }
}

/// Whether the optimum of a workload whose sizes lie around the mean is found quickly.
fn is_exact_quick(model: &CostModel, sizes: SizeMoments) -> bool {
    let SizeMoments { mean_bytes, std_dev_bytes } = sizes;
    let step = |task: usize| mean_bytes + std_dev_bytes * ((task % 7) as f64 / 7.0 - 0.5);
    let sizes: Vec<f64> = (0..model.task_count()).map(|task| step(task).max(1.0)).collect();
    let solved = Exact::new().decide(model, &Workload::from_bytes(model.tasks(), sizes));
    solved.is_ok_and(|solution| solution.evaluations <= EXACT_EVALUATIONS)
}

/// All that a request is answered from. It keeps its own while others come to be in force.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) loaded: Arc<Loaded>,
    /// In the environment in force.
    pub(crate) model: CostModel,
}

/// How the record is loaded, now and again.
#[derive(Debug)]
pub(crate) struct Loading {
    pub(crate) path: PathBuf,
    pub(crate) options: DecisionOptions,
    pub(crate) device: Device,
}

/// The record and the environment in force.
#[derive(Debug)]
pub(crate) struct Service {
    loading: Loading,
    now: RwLock<Arc<Snapshot>>,
    /// One change at a time, and never for long.
    change: Mutex<()>,
    /// The record is read by one at a time, however long that takes.
    reading: Mutex<()>,
}

impl Service {
    /// Loads a record; `scenario` is for networks that decide for any fleet, and for no others.
    pub(crate) fn load(loading: Loading, scenario: Option<Scenario>) -> Result<Self, ServeError> {
        let record = Record::load(&loading.path, &loading.device)?;
        if scenario.is_some() && record.networks.scenario().is_some() {
            return Err(ServeError::OwnScenario { path: loading.path });
        }
        let subject = |scenario: Scenario| {
            let sizes = SizeSampler::new(&scenario)?.moments();
            Ok::<_, ServeError>(Subject { scenario, sizes })
        };
        let loaded = Loaded::new(record, scenario.map(subject).transpose()?, &loading, 0)?;
        let model = loaded.model.clone();
        Ok(Self {
            loading,
            now: RwLock::new(Arc::new(Snapshot { loaded: Arc::new(loaded), model })),
            change: Mutex::new(()),
            reading: Mutex::new(()),
        })
    }

    /// The directory of the record.
    pub(crate) fn path(&self) -> &Path {
        &self.loading.path
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
        let following = Following::of(&*now.loaded.record.networks, now.loaded.model.environment(), &environment);
        let model = now.loaded.model.at(&environment)?;
        self.put(Snapshot { loaded: Arc::clone(&now.loaded), model });
        Ok((environment, following))
    }

    /// Loads the record again, of whichever kind, for the same fleet; the environment in force stays. What is refused
    /// changes nothing; `None`: it is being read already.
    pub(crate) fn reload(&self) -> Option<Result<(), ServeError>> {
        let _one = match self.reading.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(one) => one,
        };
        let before = Arc::clone(&self.snapshot().loaded);
        let load = || {
            let record = Record::load(self.path(), &self.loading.device)?;
            record.check_scenario(&before.subject.scenario, true, self.path())?;
            // Sizes that were recorded are not read again.
            Loaded::new(record, Some(before.subject.clone()), &self.loading, before.generation + 1)
        };
        Some(load().and_then(|loaded| self.take_over(loaded)))
    }

    fn take_over(&self, loaded: Loaded) -> Result<(), ServeError> {
        let _one = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.snapshot();
        let was_its_own = now.model.environment() == now.loaded.model.environment();
        let model = if was_its_own {
            loaded.model.clone()
        } else {
            loaded.model.at(now.model.environment()).map_err(|error| RecordError::OtherScenario {
                path: self.path().to_owned(),
                reason: error.to_string(),
            })?
        };
        self.put(Snapshot { loaded: Arc::new(loaded), model });
        Ok(())
    }
}

/// Whether networks take a change of environment into account by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Following {
    /// Parts that differ from the environment that the networks were trained for, and that they do not read.
    pub(crate) unread: Vec<&'static str>,
}

impl Following {
    fn of(networks: &dyn Networks, own: &Environment, now: &Environment) -> Self {
        Self { unread: networks.unread_changes(own, now) }
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
