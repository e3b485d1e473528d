//! Scenarios over time: tasks that are dispatched as they arrive, and data that is sent in slots.
//!
//! | module | concern |
//! |---|---|
//! | `scenario` | scenarios over time as Python objects |
//! | `run` | what came of a run, as Python gets it |
//! | `offer` | what a place would do with a task, as Python functions get it |
//! | `function` | Python functions as schemes |
//! | `comparison` | the rows of a comparison |

mod comparison;
mod function;
mod offer;
mod run;
mod scenario;

use pyo3::prelude::*;

pub(crate) use self::offer::Offer;
pub(crate) use self::scenario::StreamScenario;

/// Adds what Python sees of scenarios over time to the extension module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StreamScenario>()?;
    module.add_class::<Offer>()
}
