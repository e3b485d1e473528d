//! Scenarios that are ready for use, and the workloads drawn from them.

use data::{EnvironmentSampler, Part, SizeSampler, StandardSet, Workloads};
use sim::{CostModel, Scenario, random};

use crate::error::Error;

/// A checked scenario with its cost model.
///
/// ```
/// let problem = mrdro::Problem::load("paper-wan")?;
/// assert_eq!(problem.model.task_count(), 9);
/// # Ok::<(), mrdro::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Problem {
    /// The scenario as its TOML file describes it.
    pub scenario: Scenario,
    /// The cost model in the scenario's own environment.
    pub model: CostModel,
}

impl Problem {
    /// Loads a scenario: the name of a shipped one, or the path of a TOML file.
    ///
    /// # Errors
    /// If there is no such scenario, its file cannot be read, or it has mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        Self::new(Scenario::load(name_or_path)?)
    }

    /// Checks a scenario and computes its cost model.
    ///
    /// # Errors
    /// If the scenario has mistakes.
    pub fn new(scenario: Scenario) -> Result<Self, Error> {
        let model = scenario.check().map_err(sim::ScenarioError::from)?;
        Ok(Self { scenario, model })
    }

    /// The distribution of the scenario's task sizes.
    ///
    /// # Errors
    /// If the scenario names a file of sizes that cannot be read.
    pub fn sampler(&self) -> Result<SizeSampler, Error> {
        Ok(SizeSampler::new(&self.scenario)?)
    }

    /// The distribution of the scenario's environments; `None` if the environment never changes.
    ///
    /// # Errors
    /// If the scenario names recordings that cannot be read.
    pub fn environments(&self) -> Result<Option<EnvironmentSampler>, Error> {
        Ok(EnvironmentSampler::new(&self.scenario)?)
    }

    /// Random workloads for training. Equal `seed` and `stream` give the same workloads; the name of a stream can be any text.
    ///
    /// # Errors
    /// As [`Problem::sampler`] and [`Problem::environments`].
    pub fn workloads(&self, seed: u64, stream: &str) -> Result<Workloads, Error> {
        let sizes = random::stream(seed, stream);
        let environments = random::stream(seed, &format!("{stream}/environments"));
        let workloads = Workloads::new(&self.model, self.sampler()?, Part::Training, sizes);
        Ok(workloads.with_environments(self.environments()?, environments))
    }

    /// The standard set of the scenario: the same 512 workloads for every seed and program, with their optimal costs if the
    /// exact search can compute them.
    ///
    /// # Errors
    /// As [`Problem::sampler`] and [`Problem::environments`].
    pub fn standard_set(&self) -> Result<StandardSet, Error> {
        Ok(StandardSet::of(&self.scenario, &self.model)?)
    }
}
