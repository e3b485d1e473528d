//! Decisions over time: problems, runs of schemes, comparisons, pictures.
//!
//! ```
//! use mrdro::streams::{StreamProblem, compare};
//!
//! let mut problem = StreamProblem::load("dispatch")?;
//! problem.shorten(2_000);
//! let schemes = ["greedy", "one-step"].map(str::to_owned);
//! let comparison = compare(&problem, &schemes, 2, 1, &|_| {})?;
//! let [greedy, one_step] = &comparison.evaluations[..] else { unreachable!("two schemes") };
//! assert_eq!(greedy.change, 0.0); // changes are those against greedy
//! assert!(one_step.mean_cost > 0.0);
//! # Ok::<(), mrdro::Error>(())
//! ```

mod comparison;
mod picture;
mod replay;
mod run;
mod settings;
mod trace;
mod tune;

use data::streams::read_recordings;
use sim::stream::StreamScenario;
use sim::stream::dispatch::Site;
use sim::stream::dispatch::scheme::DispatchSchemeKind;
use sim::stream::slots::SlotPath;
use sim::stream::slots::scheme::SlotSchemeKind;

pub use self::comparison::{
    DispatchCourse, NamedNetworks, OVERLOAD, OwnOutcomes, RUNS, StreamBound, StreamComparison, StreamEvaluation,
    compare, compare_on, compare_while, dispatch_scheme,
};
pub use self::picture::write_run;
pub use self::replay::{replay_page, write_replay};
pub use self::run::{Events, StreamRun, StreamSummary, run, run_observed};
pub use self::settings::{SettingFindings, SettingRow, evaluate_on_settings, sites_of_settings};
pub use self::trace::SlotRow;
pub use self::trace::TraceFormat;
pub use self::tune::{TunedScheme, tune};
use crate::error::Error;

/// A checked scenario over time, with the recordings that it names.
#[derive(Debug, Clone)]
pub struct StreamProblem {
    /// The scenario as its TOML file describes it.
    pub scenario: StreamScenario,
}

impl StreamProblem {
    /// Loads a scenario: the name of a shipped one, or the path of a TOML file.
    ///
    /// # Errors
    /// If there is no such scenario, its file or a recording cannot be read, or it has mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        Self::new(StreamScenario::load(name_or_path)?)
    }

    /// Checks a scenario, and reads the recordings that it names.
    ///
    /// # Errors
    /// If the scenario has mistakes, a recording cannot be read, or more arrives than can be carried.
    pub fn new(mut scenario: StreamScenario) -> Result<Self, Error> {
        scenario.check().map_err(sim::ScenarioError::from)?;
        read_recordings(&mut scenario)?;
        let problem = Self { scenario };
        match &problem.scenario {
            StreamScenario::Dispatch(scenario) => drop(scenario.site(0)?),
            StreamScenario::Slots(scenario) => drop(scenario.problem()?),
        }
        Ok(problem)
    }

    /// Makes runs shorter: at most `most` tasks, or slots.
    pub fn shorten(&mut self, most: usize) {
        match &mut self.scenario {
            StreamScenario::Dispatch(scenario) => scenario.tasks_per_run = scenario.tasks_per_run.min(most),
            StreamScenario::Slots(scenario) => scenario.slots = scenario.slots.min(most),
        }
    }

    /// The names of all schemes that are compared.
    ///
    /// # Errors
    /// If the scenario makes no problem.
    pub fn schemes(&self) -> Result<Vec<String>, Error> {
        Ok(match &self.scenario {
            StreamScenario::Dispatch(scenario) => {
                DispatchSchemeKind::all(&scenario.site(0)?).iter().map(ToString::to_string).collect()
            }
            StreamScenario::Slots(scenario) => {
                SlotSchemeKind::all(&scenario.problem()?).iter().map(ToString::to_string).collect()
            }
        })
    }

    /// The scheme against which others are compared.
    pub fn base(&self) -> &'static str {
        match self.scenario {
            StreamScenario::Dispatch(_) => "greedy",
            StreamScenario::Slots(_) => "at-once",
        }
    }
}

/// Site and seed of run number `index`.
fn site_of_run(
    scenario: &sim::stream::scenario::DispatchScenario,
    seed: u64,
    index: usize,
) -> Result<(Site, u64), Error> {
    let seed = seed.wrapping_add(index as u64);
    Ok((scenario.site(seed)?, seed))
}

/// The paths of some runs in slots: one for each recording where rates are recorded, else as many as asked for.
fn slot_paths(scenario: &sim::stream::scenario::SlotScenario, seed: u64, runs: usize) -> Result<Vec<SlotPath>, Error> {
    let problem = scenario.problem()?;
    let is_recorded =
        scenario.links.iter().any(|link| matches!(link.mbps, sim::stream::scenario::LinkRates::Recorded(_)));
    if is_recorded {
        let name = scenario.name.clone();
        let of_slots = |reason| sim::stream::scenario::StreamScenarioError::Slots { name, reason };
        return Ok(problem.recorded_paths(seed, 1).map_err(of_slots)?);
    }
    Ok((0..runs).map(|index| problem.path(seed, index)).collect())
}
