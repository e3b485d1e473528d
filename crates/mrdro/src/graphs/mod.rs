//! Task graphs: problems, their standard sets, and comparisons of schemes on them.
//!
//! ```
//! use mrdro::graphs::{GraphProblem, compare};
//! use sim::graph::scheme::by_name;
//!
//! let problem = GraphProblem::load("graph-serial")?;
//! let schemes = ["greedy", "min-cut"].map(|name| by_name(name, &problem.system, 1));
//! let comparison = compare(schemes.into_iter().collect::<Result<_, _>>()?, &problem.standard_set()?[..10], &mut |_| {})?;
//! assert_eq!(comparison.proved, 10); // the minimum cut is the optimum
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answering;
mod comparison;

use data::graphs::{GraphSampler, read_layer_times};
use sim::graph::scheme::{GraphScheme, GraphSchemeKind};
use sim::graph::{GraphModel, GraphScenario, System};
use sim::random;

pub use self::answering::{AnswerOptions, answer};
pub use self::comparison::{Decided, GraphComparison, GraphEvaluation, compare, comparison, decide_all};
use crate::error::Error;

/// The number of applications in the standard set of a scenario with a generator.
pub const STANDARD_GRAPHS: usize = 100;

/// A checked scenario of task graphs with its system.
#[derive(Debug, Clone)]
pub struct GraphProblem {
    /// The scenario as its TOML file describes it.
    pub scenario: GraphScenario,
    /// The device, the servers and the links.
    pub system: System,
}

impl GraphProblem {
    /// Loads a scenario: the name of a shipped one, or the path of a TOML file.
    ///
    /// # Errors
    /// If there is no such scenario, its file cannot be read, or it has mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        Self::new(GraphScenario::load(name_or_path)?)
    }

    /// Checks a scenario, and reads the measured layers that it names.
    ///
    /// # Errors
    /// If the scenario has mistakes, or its measured layers cannot be read or do not predict times.
    pub fn new(mut scenario: GraphScenario) -> Result<Self, Error> {
        scenario.check().map_err(sim::ScenarioError::from)?;
        read_layer_times(&mut scenario)?;
        let system = scenario.system();
        Ok(Self { scenario, system })
    }

    /// The applications that every scheme is measured on, the same for every seed: 100 from the scenario's generator, or all
    /// of its file.
    ///
    /// # Errors
    /// If the scenario names a file that cannot be read, or one of its applications pins a task to a place that the scenario
    /// does not have.
    pub fn standard_set(&self) -> Result<Vec<GraphModel>, Error> {
        let sampler = GraphSampler::new(&self.scenario)?;
        let mut random = random::stream(0, "standard set of task graphs");
        let applications = match sampler.applications() {
            [] => (0..STANDARD_GRAPHS).map(|_| sampler.draw(&mut random)).collect(),
            all => all.to_vec(),
        };
        applications.into_iter().map(|application| Ok(self.scenario.model(application)?)).collect()
    }

    /// All schemes that decide this scenario's applications, the optimum last. `seed` is for those that
    /// draw random numbers.
    pub fn schemes(&self, seed: u64) -> Vec<Box<dyn GraphScheme>> {
        let kinds = GraphSchemeKind::all(&self.system, &self.scenario.rules(), self.scenario.has_chains());
        kinds.iter().filter_map(|kind| kind.build(&self.system, seed).ok()).collect()
    }
}
