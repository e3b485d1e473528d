//! What is being served: a record, the environment in force, and how both change without a request noticing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::SystemTime;

use burn::tensor::Device;
use data::exchange::EnvironmentChange;
use data::{SizeMoments, SizeSampler};
use model::fleet::{Effort, FleetPolicy};
use model::{AnyRecord, Policy, RecordError, Selection};
use rayon::prelude::*;
use sim::scheme::{Exact, Scheme, Solution};
use sim::{CostModel, Environment, EnvironmentError, Scenario, SchemeError, Workload};

use crate::ServeError;
use crate::decider::ENSEMBLE;

/// The prices that one optimum may take for the service to offer it: some milliseconds.
const EXACT_PRICES: u64 = 200_000;

/// What is decided about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) scenario: Scenario,
    pub(crate) sizes: SizeMoments,
}

/// How records decide, where that was said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// Of DNNs for one scenario.
    pub(crate) selection: Option<Selection>,
    /// Of networks for any fleet.
    pub(crate) effort: Option<Effort>,
}

impl How {
    /// Whether this record can decide so.
    fn check(self, record: &AnyRecord, path: &Path) -> Result<(), ServeError> {
        let reason = match record {
            AnyRecord::Dnns(_) if self.effort.is_some() => {
                "holds DNNs for one scenario, whose effort is not to be chosen"
            }
            AnyRecord::Fleet(_) if self.selection.is_some() => {
                "decides for any fleet and explores no flipped candidates"
            }
            _ => return Ok(()),
        };
        Err(ServeError::Unfit { path: path.to_owned(), reason })
    }
}

/// A record that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) record: AnyRecord,
    pub(crate) subject: Subject,
    /// Its scenario's.
    pub(crate) model: CostModel,
    pub(crate) at: SystemTime,
    /// Counts what was loaded.
    pub(crate) generation: u64,
    /// Whether the optimum of its workloads is found at once.
    pub(crate) is_exact_quick: bool,
    how: How,
    device: Device,
}

impl Loaded {
    /// Networks for any fleet decide about `subject`; others bring their own.
    fn new(
        record: AnyRecord,
        subject: Option<Subject>,
        how: How,
        path: &Path,
        device: &Device,
        generation: u64,
    ) -> Result<Self, ServeError> {
        how.check(&record, path)?;
        let subject = match (&record, subject) {
            (AnyRecord::Dnns(record), _) => {
                let model::Scaling { mean_bytes, deviation_bytes: std_dev_bytes } = record.scaling;
                Subject { scenario: record.scenario.clone(), sizes: SizeMoments { mean_bytes, std_dev_bytes } }
            }
            (AnyRecord::Fleet(_), Some(subject)) => subject,
            (AnyRecord::Fleet(_), None) => return Err(ServeError::NoScenario { path: path.to_owned() }),
        };
        let model = subject.scenario.check()?;
        Ok(Self {
            how,
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
    pub(crate) fn policy(&self) -> Box<dyn Scheme> {
        match &self.record {
            AnyRecord::Dnns(record) => {
                let (codec, selection) = (record.codec(&self.model), self.how.selection.unwrap_or(record.selection));
                Box::new(Policy::new(ENSEMBLE, &record.ensemble, codec, selection, &self.device))
            }
            AnyRecord::Fleet(record) => {
                let effort = self.how.effort.unwrap_or(Effort::Passes);
                Box::new(OnAllCores(FleetPolicy::new(ENSEMBLE, &record.ensemble, effort)))
            }
        }
    }

    /// Whether the networks read anything beside sizes.
    pub(crate) fn reads_environment(&self) -> bool {
        match &self.record {
            AnyRecord::Dnns(record) => !record.reads.is_empty(),
            AnyRecord::Fleet(_) => true,
        }
    }
}

/// Networks for any fleet, which decide batches on all cores.
struct OnAllCores(FleetPolicy);

impl Scheme for OnAllCores {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        self.0.decide(model, workload)
    }

    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        if workloads.len() < 2 {
            return self.0.decide_all(model, workloads);
        }
        let policy = &self.0;
        let each = workloads.len().div_ceil(rayon::current_num_threads());
        let decided = workloads.par_chunks(each).map(|part| policy.clone().decide_all(model, part));
        Ok(decided.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Tries it on a workload whose sizes lie around the mean.
fn is_exact_quick(model: &CostModel, sizes: SizeMoments) -> bool {
    let SizeMoments { mean_bytes, std_dev_bytes } = sizes;
    let step = |task: usize| mean_bytes + std_dev_bytes * ((task % 7) as f64 / 7.0 - 0.5);
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
    how: How,
    device: Device,
    now: RwLock<Arc<Snapshot>>,
    /// One change at a time, and never for long.
    change: Mutex<()>,
    /// The record is read by one at a time, however long that takes.
    reading: Mutex<()>,
}

impl Service {
    /// Loads a record; `scenario` is for networks for any fleet, and for no others.
    pub(crate) fn load(path: &Path, scenario: Option<Scenario>, how: How, device: &Device) -> Result<Self, ServeError> {
        let record = AnyRecord::load(path, device)?;
        if scenario.is_some() && matches!(record, AnyRecord::Dnns(_)) {
            return Err(ServeError::Unfit { path: path.to_owned(), reason: "has a scenario of its own" });
        }
        let subject = |scenario: Scenario| {
            let sizes = SizeSampler::new(&scenario)?.moments();
            Ok::<_, ServeError>(Subject { scenario, sizes })
        };
        let loaded = Loaded::new(record, scenario.map(subject).transpose()?, how, path, device, 0)?;
        let model = loaded.model.clone();
        Ok(Self {
            path: path.to_owned(),
            how,
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
            let record = AnyRecord::load(&self.path, &self.device)?;
            if let AnyRecord::Dnns(record) = &record {
                record.check_scenario(&before.subject.scenario, true, &self.path)?;
            }
            // Sizes that were recorded are not read again.
            let subject = Some(before.subject.clone());
            Loaded::new(record, subject, self.how, &self.path, &self.device, before.generation + 1)
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
            loaded
                .model
                .at(now.model.environment())
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
    fn of(record: &AnyRecord, own: &Environment, now: &Environment) -> Self {
        // Networks for any fleet read all of it.
        let AnyRecord::Dnns(record) = record else { return Self { unread: Vec::new() } };
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
