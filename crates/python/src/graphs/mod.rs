//! Task graphs: applications, their scenarios, what decisions about them cost, and schemes.
//!
//! | module | concern |
//! |---|---|
//! | `amounts` | sizes and work in MB and 10^6 instructions |
//! | `graph` | applications as Python objects |
//! | `reading` | applications from Python values, texts and files |
//! | `scenario` | scenarios of task graphs |
//! | `model` | the cost of decisions about one application |
//! | `deciding` | decisions of schemes about one application or many |
//! | `evaluation` | the rows of a comparison |

mod amounts;
mod deciding;
mod evaluation;
mod graph;
mod model;
mod reading;
mod scenario;

use pyo3::prelude::*;

/// Adds what Python sees of task graphs to the extension module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<graph::Graph>()?;
    module.add_class::<scenario::GraphScenario>()?;
    module.add_class::<model::GraphModel>()?;
    module.add_class::<evaluation::GraphEvaluationSet>()?;
    module.add_class::<evaluation::GraphDecided>()?;
    module.add_function(wrap_pyfunction!(reading::read_graphs, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::load_scenario, module)?)
}
