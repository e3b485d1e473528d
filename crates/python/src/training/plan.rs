//! Plans of training runs.

use std::path::PathBuf;

use model::DeviceChoice;
use mrdro::training::{FleetTraining, Training};
use mrdro::{PlanNames, RunOptions, Target};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::events;
use crate::errors::raise;
use crate::scenario::Scenario;
use crate::tables;

/// The plan of a training run: what is trained, with which settings, from which seed.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct RunPlan(mrdro::RunPlan);

/// The settings of an argument `training` (a name, a file, or a dict) with changes, and what the plan calls them.
trait Settings: Sized {
    fn loaded(name: &str, settings: &[String]) -> Result<Self, mrdro::TrainingError>;
    fn of_toml(text: &str) -> Result<Self, mrdro::TrainingError>;
    fn change(&mut self, setting: &str) -> Result<(), mrdro::TrainingError>;
    fn name(&self) -> &str;
}

macro_rules! settings {
    ($($name:ty),+) => {$(
        impl Settings for $name {
            fn loaded(name: &str, settings: &[String]) -> Result<Self, mrdro::TrainingError> {
                Self::load(name, settings)
            }
            fn of_toml(text: &str) -> Result<Self, mrdro::TrainingError> {
                Self::from_toml("the training", text)
            }
            fn change(&mut self, setting: &str) -> Result<(), mrdro::TrainingError> {
                self.set(setting)
            }
            fn name(&self) -> &str {
                &self.name
            }
        }
    )+};
}
settings!(Training, FleetTraining);

fn settings_of<S: Settings>(training: &Bound<'_, PyAny>, changes: &[String]) -> PyResult<(S, String)> {
    let failed = |error| raise(mrdro::Error::Training(error));
    if let Ok(dictionary) = training.cast::<PyDict>() {
        let text = tables::table_of("", dictionary)?.to_string();
        let mut settings = S::of_toml(&text).map_err(failed)?;
        changes.iter().try_for_each(|change| settings.change(change)).map_err(failed)?;
        let name = settings.name().to_owned();
        return Ok((settings, name));
    }
    let name = match training.cast::<PyString>() {
        Ok(name) => name.to_string(),
        Err(_) => training.extract::<PathBuf>()?.to_string_lossy().into_owned(),
    };
    Ok((S::loaded(&name, changes).map_err(failed)?, name))
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
        let table = toml::from_str(&text).map_err(|error| crate::errors::value(error.to_string()))?;
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
        events::watch(on_event, threads, move |observer| {
            let backend = DeviceChoice::Flex.open()?;
            mrdro::train(plan, &options, &backend, observer).map(drop)
        })
    }
}
