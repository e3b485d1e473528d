//! The plan of a run. [`RunPlan`] is the only description of a run: a command line makes one, a run directory holds one, and a
//! sweep consists of many.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sim::Scenario;

use crate::checkpoints::start_of;
use crate::error::Error;
use crate::run::CheckpointInterval;
use crate::training::{FleetTraining, SiteTraining, Training};

/// The program and version that run directories and records name.
pub(crate) const PROGRAM: &str = concat!("trainer ", env!("CARGO_PKG_VERSION"));

/// The plan of one training run: what is trained, with which settings, from which seed, on which device.
///
/// ```
/// let plan = mrdro::RunPlan::new("paper", "recommended", &["drl.steps=2000".to_owned()])?;
/// assert_eq!(plan.name(), "paper-recommended-seed1");
/// # Ok::<(), mrdro::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The networks to train, and the settings of their training.
    pub target: Target,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The device to compute on, as `--device` takes it, such as `auto` or `flex`.
    pub device: String,
    /// The record whose networks training starts from, if any.
    pub start: Option<PathBuf>,
    /// The names that the plan was made from.
    pub names: PlanNames,
}

/// The networks that are trained, and the settings of their training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// DNNs for one scenario.
    Scenario {
        /// The scenario.
        #[serde(deserialize_with = "scenario_of_table")]
        scenario: Box<Scenario>,
        /// The settings of training.
        training: Box<Training>,
        /// The algorithms that run.
        phases: Phases,
    },
    /// Networks for any fleet.
    AnyFleet {
        /// The settings of training.
        training: Box<FleetTraining>,
        /// The number of fleets of each size on which the trained networks are evaluated.
        evaluated_fleets: usize,
    },
    /// Networks for any site.
    AnySite {
        /// The settings of training.
        training: Box<SiteTraining>,
    },
}

/// The algorithms that a run for one scenario consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phases {
    /// Algorithm 1, then Algorithm 2. A plan that starts from a record leaves Algorithm 1 out.
    Both,
    /// Algorithm 1 alone.
    MetaOnly,
}

/// The names and the changed settings that a plan was made from. Records keep them in the command that repeats the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanNames {
    /// The name of a shipped scenario, or a TOML file; empty for any fleet.
    pub scenario: String,
    /// The name of a training preset, or a TOML file.
    pub training: String,
    /// Changed settings, each as `key=value`.
    pub settings: Vec<String>,
}

/// The default of [`Target::AnyFleet`]'s `evaluated_fleets`.
pub const EVALUATED_FLEETS: usize = 96;

/// The most bytes of a scenario's name in the name of a directory. Together with training, seed and number this stays below
/// the 255 bytes that file systems take.
const SCENARIO_BYTES: usize = 150;

/// The beginning of a text, of at most `most` bytes.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

impl RunPlan {
    /// A plan for one scenario with seed 1, on the device `auto`. `scenario` is the name of a shipped scenario or a TOML file,
    /// `training` the name of a training preset or a TOML file. Each of `settings` changes one setting of the training, such
    /// as `drl.steps=5000`.
    ///
    /// # Errors
    /// If the scenario or the training does not exist, cannot be read or has mistakes, or a setting is unknown or out of range.
    pub fn new(scenario: &str, training: &str, settings: &[String]) -> Result<Self, Error> {
        let mut plan = Self::of_scenario(Scenario::load(scenario)?, training, settings)?;
        scenario.clone_into(&mut plan.names.scenario);
        Ok(plan)
    }

    /// [`RunPlan::new`] for a scenario that is in memory.
    ///
    /// # Errors
    /// If the training does not exist, cannot be read or has mistakes, or a setting is unknown or out of range.
    pub fn of_scenario(scenario: Scenario, training: &str, settings: &[String]) -> Result<Self, Error> {
        let names =
            PlanNames { scenario: scenario.name.clone(), training: training.to_owned(), settings: settings.to_vec() };
        let target = Target::Scenario {
            scenario: Box::new(scenario),
            training: Box::new(Training::load(training, settings)?),
            phases: Phases::Both,
        };
        Ok(Self { target, seed: 1, device: "auto".to_owned(), start: None, names })
    }

    /// A plan for Algorithm 1 alone. The arguments are the same as for [`RunPlan::new`].
    ///
    /// # Errors
    /// As [`RunPlan::new`].
    pub fn meta(scenario: &str, training: &str, settings: &[String]) -> Result<Self, Error> {
        let mut plan = Self::new(scenario, training, settings)?;
        if let Target::Scenario { training, phases, .. } = &mut plan.target {
            training.drl.steps = 0;
            *phases = Phases::MetaOnly;
        }
        Ok(plan)
    }

    /// A plan for networks that decide for any fleet, with seed 1, on the device `auto`. `training` is `fleet` or a TOML file;
    /// each of `settings` changes one setting.
    ///
    /// # Errors
    /// If the training does not exist, cannot be read or has mistakes, or a setting is unknown or out of range.
    pub fn any_fleet(training: &str, settings: &[String]) -> Result<Self, Error> {
        let target = Target::AnyFleet {
            training: Box::new(FleetTraining::load(training, settings)?),
            evaluated_fleets: EVALUATED_FLEETS,
        };
        let names = PlanNames { scenario: String::new(), training: training.to_owned(), settings: settings.to_vec() };
        Ok(Self { target, seed: 1, device: "auto".to_owned(), start: None, names })
    }

    /// A plan for networks that dispatch tasks at any site, with seed 1, on the device `auto`. `training` is `site` or a TOML file;
    /// each of `settings` changes one setting.
    ///
    /// # Errors
    /// If the training does not exist, cannot be read or has mistakes, or a setting is unknown or out of range.
    pub fn any_site(training: &str, settings: &[String]) -> Result<Self, Error> {
        let target = Target::AnySite { training: Box::new(SiteTraining::load(training, settings)?) };
        let names = PlanNames { scenario: String::new(), training: training.to_owned(), settings: settings.to_vec() };
        Ok(Self { target, seed: 1, device: "auto".to_owned(), start: None, names })
    }

    /// This plan with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// This plan, with training that starts from the networks of a record. Their number, widths and input scaling
    /// replace the values in the settings. Algorithm 1 is left out, unless the plan is for Algorithm 1 alone.
    #[must_use]
    pub fn starting_from(self, record: impl Into<PathBuf>) -> Self {
        Self { start: Some(record.into()), ..self }
    }

    /// Sets the number of fleets of each size on which networks for any fleet are evaluated. Changes nothing in a plan for one
    /// scenario.
    pub fn evaluate_fleets(&mut self, count: usize) {
        if let Target::AnyFleet { evaluated_fleets, .. } = &mut self.target {
            *evaluated_fleets = count;
        }
    }

    /// The name of the run directory under `runs/`, if [`RunOptions::out`](crate::RunOptions::out) names no other.
    pub fn name(&self) -> String {
        let seed = self.seed;
        match &self.target {
            Target::Scenario { scenario, training, .. } => {
                let scenario = beginning(&scenario.name, SCENARIO_BYTES);
                format!("{scenario}-{}-seed{seed}", training.name)
            }
            Target::AnyFleet { training, .. } => format!("{}-seed{seed}", training.name),
            Target::AnySite { training } => format!("{}-seed{seed}", training.name),
        }
    }

    /// The text of the run's `config.toml`. Runs with equal texts are equal. `device` is the name of the device that
    /// computes.
    ///
    /// # Panics
    /// Never: a plan holds only numbers, texts and tables, which TOML can write.
    pub fn configuration(&self, device: &str) -> String {
        #[derive(Serialize)]
        struct OfScenario<'p> {
            program: &'p str,
            seed: u64,
            device: &'p str,
            training: &'p Training,
            scenario: &'p Scenario,
        }
        #[derive(Serialize)]
        struct OfFleets<'p> {
            program: &'p str,
            seed: u64,
            device: &'p str,
            fleet: &'p FleetTraining,
        }
        #[derive(Serialize)]
        struct OfSites<'p> {
            program: &'p str,
            seed: u64,
            device: &'p str,
            site: &'p SiteTraining,
        }
        let (program, seed) = (PROGRAM, self.seed);
        let text = match &self.target {
            Target::Scenario { scenario, training, .. } => {
                toml::to_string(&OfScenario { program, seed, device, training, scenario })
            }
            Target::AnyFleet { training, .. } => toml::to_string(&OfFleets { program, seed, device, fleet: training }),
            Target::AnySite { training } => toml::to_string(&OfSites { program, seed, device, site: training }),
        };
        text.expect("numbers, texts and tables can be written")
    }

    /// The command that repeats the run.
    pub fn command(&self) -> String {
        let command = match &self.target {
            Target::AnyFleet { .. } => "fleet",
            Target::AnySite { .. } => "site",
            Target::Scenario { training, .. } if training.drl.steps == 0 => "meta",
            Target::Scenario { .. } => "train",
        };
        let mut command = format!("cargo run -p trainer -- {command}");
        let mut add = |option: &str, value: &str| {
            let quote = if value.contains([' ', '"', '$', '\\', '[']) { "'" } else { "" };
            command.extend([" --", option, " ", quote, value, quote]);
        };
        if !self.names.scenario.is_empty() {
            add("scenario", &self.names.scenario);
        }
        add("training", &self.names.training);
        add("seed", &self.seed.to_string());
        if let Some(start) = &self.start {
            add("start", &start.display().to_string());
        }
        if self.device != "auto" {
            add("device", &self.device);
        }
        for setting in &self.names.settings {
            add("set", setting);
        }
        command
    }

    /// The plan of a run that is resumed, from its `run.toml` and the text of its `config.toml`.
    pub(crate) fn of_run(run: &Path, request: &RunRequest, configuration: &str) -> Result<Self, Error> {
        let unusable = |reason: String| Error::not_resumable(run, format!("config.toml: {reason}"));
        let table: toml::Table = toml::from_str(configuration).map_err(|error| unusable(error.message().to_owned()))?;
        let part = |key: &str| {
            let part = table.get(key).and_then(|part| toml::to_string(part).ok());
            part.ok_or_else(|| unusable(format!("section [{key}] is missing")))
        };
        let origin = run.join("config.toml").display().to_string();
        let target = if table.contains_key("fleet") {
            let training = Box::new(FleetTraining::from_toml(&origin, &part("fleet")?)?);
            Target::AnyFleet { training, evaluated_fleets: request.evaluated_fleets.unwrap_or(EVALUATED_FLEETS) }
        } else if table.contains_key("site") {
            Target::AnySite { training: Box::new(SiteTraining::from_toml(&origin, &part("site")?)?) }
        } else {
            let scenario = Scenario::from_toml(&origin, &part("scenario")?).map_err(sim::ScenarioError::from)?;
            Target::Scenario {
                scenario: Box::new(scenario),
                training: Box::new(Training::from_toml(&origin, &part("training")?)?),
                phases: if request.meta_only { Phases::MetaOnly } else { Phases::Both },
            }
        };
        let RunRequest { scenario, training, settings, seed, device, start, keeps_start, .. } = request.clone();
        let start = if keeps_start { Some(start_of(run)) } else { start.map(PathBuf::from) };
        Ok(Self { target, seed, device, start, names: PlanNames { scenario, training, settings } })
    }

    /// The part of the plan that is not in `config.toml`, with the interval between checkpoints.
    pub(crate) fn request(&self, checkpoints: CheckpointInterval) -> RunRequest {
        let PlanNames { scenario, training, settings } = self.names.clone();
        RunRequest {
            scenario,
            training,
            settings,
            seed: self.seed,
            device: self.device.clone(),
            meta_only: matches!(self.target, Target::Scenario { phases: Phases::MetaOnly, .. }),
            start: self.start.as_ref().map(|start| start.to_string_lossy().into_owned()),
            evaluated_fleets: match self.target {
                Target::AnyFleet { evaluated_fleets, .. } => Some(evaluated_fleets),
                Target::Scenario { .. } | Target::AnySite { .. } => None,
            },
            keeps_start: false,
            tensorboard: false,
            checkpoints: checkpoints.into(),
        }
    }
}

/// The names, seed, device and interval of checkpoints that a run was started with. `checkpoints/run.toml` holds them; the settings that they resolved
/// to are in `config.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    scenario: String,
    training: String,
    settings: Vec<String>,
    seed: u64,
    device: String,
    meta_only: bool,
    /// The path as it was given: a relative one is looked up in the folder from which the run is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// Whether the run keeps the record that it started from, which was in memory, among its checkpoints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) keeps_start: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evaluated_fleets: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tensorboard: bool,
    // A table, which TOML wants after all values.
    #[serde(default)]
    pub(crate) checkpoints: KeptInterval,
}

/// The interval between checkpoints, as `run.toml` holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptInterval {
    /// The longest time; without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
}

impl Default for KeptInterval {
    fn default() -> Self {
        CheckpointInterval::default().into()
    }
}

impl From<CheckpointInterval> for KeptInterval {
    fn from(CheckpointInterval { time, steps }: CheckpointInterval) -> Self {
        // Numbers of TOML end there.
        let steps = steps.map(|steps| steps.min(i64::MAX as usize));
        Self { seconds: (time < Duration::MAX).then_some(time.as_secs_f64()), steps }
    }
}

impl From<KeptInterval> for CheckpointInterval {
    fn from(KeptInterval { seconds, steps }: KeptInterval) -> Self {
        let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self { time: time.unwrap_or(Duration::MAX), steps }
    }
}

/// Reads a scenario as from a TOML file, which checks every value.
fn scenario_of_table<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Box<Scenario>, D::Error> {
    use serde::de::Error as _;
    let table = toml::Table::deserialize(deserializer)?;
    let scenario = Scenario::from_toml("the plan of a run", &table.to_string());
    scenario.map(Box::new).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_keeps_how_it_was_started() {
        let mut plan = RunPlan::any_fleet("fleet", &["drl.steps=20".to_owned()]).expect("a preset").with_seed(7);
        plan.evaluate_fleets(3);
        let every = |seconds: u64, steps| CheckpointInterval { time: Duration::from_secs(seconds), steps };
        for interval in [every(9, Some(5)), every(0, None), every(u64::MAX, Some(usize::MAX))] {
            let text = toml::to_string(&plan.request(interval)).expect("numbers and texts");
            let request: RunRequest = toml::from_str(&text).expect("it was just written");
            let kept = CheckpointInterval::from(request.checkpoints);
            let written = |interval: CheckpointInterval| {
                (interval.time.as_secs_f64(), interval.steps.map(|steps| steps.min(i64::MAX as usize)))
            };
            assert_eq!(written(kept), written(interval), "{text}");
            let resumed = RunPlan::of_run(Path::new("run"), &request, &plan.configuration("flex")).expect("as written");
            assert_eq!(resumed, plan);
        }
    }

    #[test]
    fn a_run_that_keeps_its_start_finds_it_among_its_checkpoints() {
        let plan = RunPlan::new("paper", "recommended", &[]).expect("presets").starting_from("RECORD");
        let mut request = plan.request(CheckpointInterval::default());
        let start = |request: &RunRequest| {
            let text = toml::to_string(request).expect("numbers and texts");
            let request = toml::from_str(&text).expect("it was just written");
            RunPlan::of_run(Path::new("run"), &request, &plan.configuration("flex")).expect("as written").start
        };
        assert_eq!(start(&request).as_deref(), Some(Path::new("RECORD")));
        request.keeps_start = true;
        assert_eq!(start(&request).as_deref(), Some(Path::new("run/checkpoints/start")));
    }

    #[test]
    fn runs_of_earlier_versions_have_the_default_interval() {
        let text = "scenario = \"paper\"\ntraining = \"recommended\"\nsettings = []\nseed = 1\ndevice = \"auto\"\nmeta_only = false\n";
        let request: RunRequest = toml::from_str(text).expect("as earlier versions wrote it");
        assert_eq!(CheckpointInterval::from(request.checkpoints), CheckpointInterval::default());
    }
}
