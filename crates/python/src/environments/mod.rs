//! Environments for reinforcement learning.
//!
//! | file | contents |
//! |---|---|
//! | `rules` | what all episodes of one kind have in common: samplers, windows of drives, scales |
//! | `episode` | one episode: draws workloads, takes actions |
//! | `reward` | rewards, and how far a decision is from the optimum |
//! | `observation` | the entries of an observation |
//! | `actions` | actions and seeds from Python |
//! | `single`, `parallel` | the classes behind Gymnasium's `Env` and `VectorEnv` |
//! | `fleet` | the class behind PettingZoo's `ParallelEnv` |
//! | `dispatch` | environments that place tasks of a scenario over time as they arrive |
//!
//! The classes of Python that derive from those of Gymnasium, PettingZoo and Stable-Baselines3 are in `python/mrdro`.

mod actions;
mod dispatch;
mod episode;
mod fleet;
mod infos;
mod observation;
mod parallel;
mod reward;
mod rules;
mod single;

use pyo3::prelude::*;

pub(crate) use self::rules::MAX_ENVIRONMENTS;

/// Adds the classes to the extension module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<rules::EpisodeRules>()?;
    module.add_class::<single::SingleEpisode>()?;
    module.add_class::<parallel::ParallelEpisodes>()?;
    module.add_class::<fleet::FleetEpisode>()?;
    dispatch::add_to(module)
}
