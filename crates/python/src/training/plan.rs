//! Plans of training runs.

use std::path::PathBuf;

use model::DeviceChoice;
use mrdro::training::{FleetTraining, Training};
use mrdro::{PlanNames, RunOptions, Target, TrainingError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sim::config::Mistakes;

use super::events;
use crate::errors::{self, raise, value};
use crate::record::Record;
use crate::scenario::Scenario;
use crate::tables;

/// The plan of a training run: what is trained, with which settings, from which seed.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct RunPlan {
    plan: mrdro::RunPlan,
    /// The record that training starts from, if it is in memory.
    start: Option<model::Record>,
}

/// What the plan calls a record in memory, in errors and in the command that repeats the run.
const IN_MEMORY: &str = "RECORD";

/// The argument `start`: its path, and the record if it is in memory.
fn start_of(given: &Bound<'_, PyAny>) -> PyResult<(Option<PathBuf>, Option<model::Record>)> {
    match given.cast::<Record>() {
        Ok(record) => Ok((Some(PathBuf::from(IN_MEMORY)), Some(record.get().content.clone()))),
        Err(_) => Ok((Some(given.extract()?), None)),
    }
}

/// The settings of an argument `training` (a name, a file, or a dict) with changes, and what the plan calls them.
pub(super) trait Settings: Sized {
    fn is_preset(name: &str) -> bool;
    fn loaded(name: &str) -> Result<Self, TrainingError>;
    fn of_toml(text: &str) -> Result<Self, TrainingError>;
    fn change(&mut self, changes: &[String]) -> Result<(), TrainingError>;
    fn mistakes_of_changes(text: &str, changes: &[String]) -> Option<Mistakes>;
    fn name(&self) -> &str;
}

macro_rules! settings {
    ($($name:ty),+) => {$(
        impl Settings for $name {
            fn is_preset(name: &str) -> bool {
                Self::presets().any(|preset| preset == name)
            }
            fn loaded(name: &str) -> Result<Self, TrainingError> {
                Self::load(name, &[])
            }
            fn of_toml(text: &str) -> Result<Self, TrainingError> {
                // Lines and columns would refer to a text that the user never saw.
                Self::from_toml("training", text).map_err(|error| match error {
                    TrainingError::Invalid(mistakes) => TrainingError::Invalid(mistakes.without_places()),
                    error => error,
                })
            }
            fn change(&mut self, changes: &[String]) -> Result<(), TrainingError> {
                self.set_all(changes)
            }
            fn mistakes_of_changes(text: &str, changes: &[String]) -> Option<Mistakes> {
                Self::mistakes_of_changes(text, changes)
            }
            fn name(&self) -> &str {
                &self.name
            }
        }
    )+};
}
settings!(Training, FleetTraining);

/// The settings of the arguments `training` and `set`, and their name.
///
/// # Errors
/// All mistakes of both.
pub(super) fn settings_of<S: Settings>(training: &Bound<'_, PyAny>, changes: &[String]) -> PyResult<(S, String)> {
    if let Ok(dictionary) = training.cast::<PyDict>() {
        let text = tables::table_of("training", dictionary)?.to_string();
        let settings: S = changed(S::of_toml(&text), || text, changes)?;
        let name = settings.name().to_owned();
        return Ok((settings, name));
    }
    let name = match training.cast::<PyString>() {
        Ok(name) => name.to_string(),
        Err(_) => training.extract::<PathBuf>()?.to_string_lossy().into_owned(),
    };
    check_kind::<S>(&name)?;
    let text = || std::fs::read_to_string(&name).unwrap_or_default();
    Ok((changed(S::loaded(&name), text, changes)?, name))
}

/// Checks that shipped settings of this name are not for the other kind of networks.
///
/// # Errors
/// If they are: names the calls that take them.
pub(super) fn check_kind<S: Settings>(name: &str) -> PyResult<()> {
    if S::is_preset(name) {
        return Ok(());
    }
    let other = if Training::is_preset(name) {
        "networks for one scenario: mrdro.train, train_meta, adapt and sweep take them, train_fleet does not"
    } else if FleetTraining::is_preset(name) {
        "networks for any fleet: mrdro.train_fleet takes them, trainings for one scenario do not"
    } else {
        return Ok(());
    };
    Err(errors::training(&format!("the settings `{name}` are for {other}")))
}

/// Settings that were read from a text, with changes.
fn changed<S: Settings>(
    settings: Result<S, TrainingError>,
    text: impl FnOnce() -> String,
    changes: &[String],
) -> PyResult<S> {
    let failed = |error| raise(mrdro::Error::Training(error));
    match settings {
        Ok(mut settings) => {
            settings.change(changes).map_err(failed)?;
            Ok(settings)
        }
        Err(TrainingError::Invalid(mistakes)) => Err(match S::mistakes_of_changes(&text(), changes) {
            Some(more) => errors::mistaken_settings(&mistakes, &more),
            None => failed(TrainingError::Invalid(mistakes)),
        }),
        Err(error) => Err(failed(error)),
    }
}

#[pymethods]
impl RunPlan {
    /// A run for one scenario; with `meta_only` of Algorithm 1 alone.
    #[staticmethod]
    fn scenario(
        scenario: &Scenario,
        training: &Bound<'_, PyAny>,
        settings: Vec<String>,
        seed: u64,
        start: Option<&Bound<'_, PyAny>>,
        meta_only: bool,
    ) -> PyResult<Self> {
        let (start, record) = start.map(start_of).transpose()?.unwrap_or_default();
        if let Some(record) = &record {
            let networks = &record.networks;
            let wrong = |reason: String| errors::record(&format!("start is a record for another scenario: {reason}"));
            if networks.scenario().is_none() {
                let found = networks.kind().description;
                return Err(errors::record(&format!("start is a record of {found}; give a record for one scenario")));
            }
            networks.check_scenario(&scenario.problem.scenario, true).map_err(wrong)?;
        }
        let changes_network = |setting: &String| setting.starts_with("network.");
        if let Some(setting) = settings.iter().find(|setting| start.is_some() && changes_network(setting)) {
            let key = setting.split('=').next().unwrap_or_default();
            return Err(value(format!("set must not change {key} where training starts from the networks of start")));
        }
        let (mut training, name) = settings_of::<Training>(training, &settings)?;
        let phases = if meta_only { mrdro::Phases::MetaOnly } else { mrdro::Phases::Both };
        if meta_only {
            training.drl.steps = 0;
        }
        let scenario = scenario.problem.scenario.clone();
        let names = PlanNames { scenario: scenario.name.clone(), training: name, settings };
        let target = Target::Scenario { scenario: Box::new(scenario), training: Box::new(training), phases };
        Ok(Self { plan: mrdro::RunPlan { target, seed, device: "auto".to_owned(), start, names }, start: record })
    }

    /// A run for any fleet.
    #[staticmethod]
    fn any_fleet(
        training: &Bound<'_, PyAny>,
        settings: Vec<String>,
        seed: u64,
        evaluated_fleets: usize,
    ) -> PyResult<Self> {
        let (training, name) = settings_of::<FleetTraining>(training, &settings)?;
        let names = PlanNames { scenario: String::new(), training: name, settings };
        let target = Target::AnyFleet { training: Box::new(training), evaluated_fleets };
        let plan = mrdro::RunPlan { target, seed, device: "auto".to_owned(), start: None, names };
        Ok(Self { plan, start: None })
    }

    /// All settings, as `config.toml` holds them.
    #[getter]
    fn configuration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let text = self.plan.configuration(&DeviceChoice::Flex.open().map_err(raise)?.name);
        let table = toml::from_str(&text).map_err(|error| errors::value(error.to_string()))?;
        tables::dictionary_of(py, &table)
    }

    /// Makes the run and writes its directory `out`.
    fn train(
        &self,
        out: PathBuf,
        threads: Option<usize>,
        tensorboard: bool,
        on_event: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let options = RunOptions { out: Some(out), checkpoints: None, tensorboard, start: self.start.clone() };
        let plan = self.plan.clone();
        events::watch(on_event, threads, move |observer, goes_on| {
            let backend = DeviceChoice::Flex.open().map_err(raise)?;
            mrdro::train_while(plan, &options, &backend, observer, goes_on).map(drop).map_err(raise)
        })
    }
}
