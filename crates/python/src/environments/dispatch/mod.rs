//! Environments in which each step places one task of a scenario over time as it arrives.
//!
//! | file | contents |
//! |---|---|
//! | `rules` | what all episodes have in common: the scenario, scales, the entries of an observation |
//! | `episode` | one episode: draws a course, takes actions |
//! | `single`, `parallel` | the classes behind Gymnasium's `Env` and `VectorEnv` |

mod episode;
mod parallel;
mod rules;
mod single;

use pyo3::prelude::*;

/// Adds the classes to the extension module.
pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<rules::DispatchRules>()?;
    module.add_class::<single::SingleDispatch>()?;
    module.add_class::<parallel::ParallelDispatch>()
}
