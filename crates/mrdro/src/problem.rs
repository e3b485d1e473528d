//! A scenario ready for use, and where its workloads come from.

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
    /// The scenario, as a person writes it.
    pub scenario: Scenario,
    /// Its cost model, in the scenario's own environment.
    pub model: CostModel,
}

impl Problem {
    /// Loads a shipped scenario by its name, or the one in a file.
    ///
    /// # Errors
    /// If there is no such scenario, or it has mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        Self::new(Scenario::load(name_or_path)?)
    }

    /// Checks a scenario.
    ///
    /// # Errors
    /// If it has mistakes.
    pub fn new(scenario: Scenario) -> Result<Self, Error> {
        let model = scenario.check().map_err(sim::ScenarioError::from)?;
        Ok(Self { scenario, model })
    }

    /// The distribution of the scenario's task sizes.
    ///
    /// # Errors
    /// If they are recorded ones, and the file cannot be read.
    pub fn sampler(&self) -> Result<SizeSampler, Error> {
        Ok(SizeSampler::new(&self.scenario)?)
    }

    /// The distribution of the scenario's environments; `None` if the environment never changes.
    ///
    /// # Errors
    /// If it is drawn from recordings, and these cannot be read.
    pub fn environments(&self) -> Result<Option<EnvironmentSampler>, Error> {
        Ok(EnvironmentSampler::new(&self.scenario)?)
    }

    /// Workloads for training. Their sizes are drawn from the random stream called `stream` under `seed`, and their
    /// environments from another.
    ///
    /// # Errors
    /// As [`Problem::sampler`] and [`Problem::environments`].
    pub fn workloads(&self, seed: u64, stream: &str) -> Result<Workloads, Error> {
        let sizes = random::stream(seed, stream);
        let environments = random::stream(seed, &format!("{stream}/environments"));
        let workloads = Workloads::new(&self.model, self.sampler()?, Part::Training, sizes);
        Ok(workloads.with_environments(self.environments()?, environments))
    }

    /// The frozen standard set of the scenario, with the optimal costs where they can be computed.
    ///
    /// # Errors
    /// As [`Problem::sampler`] and [`Problem::environments`].
    pub fn standard_set(&self) -> Result<StandardSet, Error> {
        Ok(StandardSet::of(&self.scenario, &self.model)?)
    }
}
