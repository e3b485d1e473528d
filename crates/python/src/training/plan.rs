//! Plans of training runs.

use std::path::PathBuf;

use model::DeviceChoice;
use mrdro::training::{FleetTraining, Training};
use mrdro::{PlanNames, RunOptions, Target, TrainingError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sim::config::Mistakes;

use super::events;
use crate::errors::{self, raise};
use crate::scenario::Scenario;
use crate::tables;

/// The plan of a training run: what is trained, with which settings, from which seed.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct RunPlan(mrdro::RunPlan);

/// The settings of an argument `training` (a name, a file, or a dict) with changes, and what the plan calls them.
pub(super) trait Settings: Sized {
    fn loaded(name: &str) -> Result<Self, TrainingError>;
    fn of_toml(text: &str) -> Result<Self, TrainingError>;
    fn change(&mut self, changes: &[String]) -> Result<(), TrainingError>;
    fn mistakes_of_changes(text: &str, changes: &[String]) -> Option<Mistakes>;
    fn name(&self) -> &str;
}

macro_rules! settings {
    ($($name:ty),+) => {$(
        impl Settings for $name {
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
    let text = || std::fs::read_to_string(&name).unwrap_or_default();
    Ok((changed(S::loaded(&name), text, changes)?, name))
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
        start: Option<PathBuf>,
        meta_only: bool,
    ) -> PyResult<Self> {
        let (mut training, name) = settings_of::<Training>(training, &settings)?;
        let phases = if meta_only { mrdro::Phases::MetaOnly } else { mrdro::Phases::Both };
        if meta_only {
            training.drl.steps = 0;
        }
        let scenario = scenario.problem.scenario.clone();
        let names = PlanNames { scenario: scenario.name.clone(), training: name, settings };
        let target = Target::Scenario { scenario: Box::new(scenario), training: Box::new(training), phases };
        Ok(Self(mrdro::RunPlan { target, seed, device: "auto".to_owned(), start, names }))
    }

    /// A run for any fleet.
    #[staticmethod]
    fn any_fleet(
        training: &Bound<'_, PyAny>,
        settings: Vec<String>,
        seed: u64,
        start: Option<PathBuf>,
        evaluated_fleets: usize,
    ) -> PyResult<Self> {
        let (training, name) = settings_of::<FleetTraining>(training, &settings)?;
        let names = PlanNames { scenario: String::new(), training: name, settings };
        let target = Target::AnyFleet { training: Box::new(training), evaluated_fleets };
        Ok(Self(mrdro::RunPlan { target, seed, device: "auto".to_owned(), start, names }))
    }

    /// All settings, as `config.toml` holds them.
    #[getter]
    fn configuration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let text = self.0.configuration(&DeviceChoice::Flex.open().map_err(raise)?.name);
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
        let (plan, options) = (self.0.clone(), RunOptions { out: Some(out), checkpoints: None, tensorboard });
        events::watch(on_event, threads, move |observer, goes_on| {
            let backend = DeviceChoice::Flex.open()?;
            mrdro::train_while(plan, &options, &backend, observer, goes_on).map(drop)
        })
    }
}
