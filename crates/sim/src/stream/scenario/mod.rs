//! Scenarios over time, as a person writes them.

mod dispatch;
mod parts;
mod read;
mod slots;

use serde::Serialize;

pub use self::dispatch::{
    ArrivalRate, Arrivals, ArrivalsOver, DispatchDevices, DispatchPowers, DispatchScenario, DispatchServer,
    DispatchTasks, LinkSharing, RadioPowers, RecordedArrivals, ServerSharing, StreamScenarioError,
};
pub use self::parts::{LinkRates, RateRecording, SizeSpread, Spread};
pub use self::slots::{FileRate, FilesOver, SlotArrivals, SlotDevice, SlotFallback, SlotLink, SlotScenario};
use crate::config::{Mistake, Mistakes};
use crate::scenario_file::ScenarioText;
use crate::tasks::scenario::ScenarioError;

/// The scenarios that ship with the program: name and TOML text.
const PRESETS: &[(&str, &str)] = &[
    ("dispatch", include_str!("../../../scenarios/dispatch.toml")),
    ("commute", include_str!("../../../scenarios/commute.toml")),
];

/// A scenario over time.
///
/// ```
/// use sim::stream::StreamScenario;
/// use sim::stream::dispatch::{Path, scheme::DispatchGreedy, simulate};
///
/// let StreamScenario::Dispatch(scenario) = StreamScenario::load("dispatch")? else { panic!("another kind") };
/// let site = scenario.site(1)?;
/// let outcome = simulate(&site, &Path::draw(&site, 1_000, 1), &mut DispatchGreedy::new(), 1);
/// assert!(site.load() < 1.0 && outcome.mean_response_s > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a program has a few scenarios, never lists of them")]
pub enum StreamScenario {
    /// Tasks that arrive are dispatched at once.
    Dispatch(DispatchScenario),
    /// In each slot of time, data that waits is sent over a link or waits on.
    Slots(SlotScenario),
}

#[derive(Serialize)]
struct Written<'s, T> {
    name: &'s str,
    kind: &'static str,
    #[serde(flatten)]
    scenario: &'s T,
}

impl StreamScenario {
    /// Names of the shipped scenarios.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The TOML text of a shipped scenario, comments included.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, text)| *text)
    }

    /// Loads a shipped scenario by its name, or a scenario file by its path.
    ///
    /// # Errors
    /// If there is no such preset or file, or the file is not a valid scenario over time; then with all its mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        Self::from_found(&ScenarioText::find(name_or_path, Self::presets())?)
    }

    pub(crate) fn from_found(found: &ScenarioText<'_>) -> Result<Self, ScenarioError> {
        let mut scenario = Self::from_toml(found.origin, &found.text)?;
        scenario.paths_mut().into_iter().for_each(|path| found.resolve(path));
        Ok(scenario)
    }

    /// The name in results.
    pub fn name(&self) -> &str {
        match self {
            Self::Dispatch(scenario) => &scenario.name,
            Self::Slots(scenario) => &scenario.name,
        }
    }

    /// Weight of energy against time.
    pub fn alpha(&self) -> f64 {
        match self {
            Self::Dispatch(scenario) => scenario.alpha,
            Self::Slots(scenario) => scenario.alpha,
        }
    }

    /// The rates that are recorded in files, each with the key that names them. The crate `data` reads them.
    pub fn recordings_mut(&mut self) -> Vec<(String, &mut RateRecording)> {
        match self {
            Self::Dispatch(scenario) => scenario.recordings_mut(),
            Self::Slots(scenario) => scenario.recordings_mut(),
        }
    }

    /// The paths of all files that the scenario names.
    fn paths_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Dispatch(scenario) => scenario.paths_mut(),
            Self::Slots(scenario) => {
                scenario.recordings_mut().into_iter().map(|(_, recording)| &mut recording.path).collect()
            }
        }
    }

    /// The scenario as TOML, without comments. [`StreamScenario::from_toml`] reads it back to an equal scenario.
    ///
    /// # Panics
    /// Never: a scenario holds only numbers, texts and tables, and TOML can write all of them.
    pub fn to_toml(&self) -> String {
        let written = match self {
            Self::Dispatch(scenario) => toml::to_string(&Written { name: &scenario.name, kind: "stream", scenario }),
            Self::Slots(scenario) => toml::to_string(&Written { name: &scenario.name, kind: "stream", scenario }),
        };
        written.expect("numbers, texts and tables can be written")
    }

    fn mistakes(&self) -> Vec<Mistake> {
        match self {
            Self::Dispatch(scenario) => scenario.mistakes(),
            Self::Slots(scenario) => scenario.mistakes(),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// All mistakes.
    pub fn check(&self) -> Result<(), Mistakes> {
        let list = self.mistakes();
        if list.is_empty() { Ok(()) } else { Err(Mistakes { origin: format!("scenario `{}`", self.name()), list }) }
    }
}

#[cfg(test)]
mod tests;
