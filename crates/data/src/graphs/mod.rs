//! Task graphs from files and other programs: JSON, workflows in WfFormat, and Graphviz files; tables of measured layers.
//!
//! ```
//! use data::graphs::GraphRequest;
//! use sim::graph::GraphScenario;
//!
//! let scenario = GraphScenario::load("graph-serial")?;
//! let json = br#"{"id": 1, "graph": {"tasks": [{"name": "a", "megacycles": 4000}, {"name": "b", "megacycles": 1000}],
//!                 "edges": [{"from": "a", "to": "b", "mb": 3.5}]}}"#;
//! let GraphRequest { application, .. } = GraphRequest::from_json(json, &scenario)?;
//! let model = scenario.model(application)?;
//! assert_eq!(model.evaluate(&[0, 0]).time_s, 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod description;
mod dot;
mod file;
mod layer_times;
mod request;
mod wfformat;

pub use self::answer::GraphAnswer;
pub use self::description::{EdgeDescription, GraphDescription, LeftOut, TaskDescription};
pub use self::dot::{DotError, application_from_dot};
pub use self::file::{
    GraphFileError, GraphFormat, GraphInput, GraphSampler, InputApplications, InvalidGraph, applications,
};
pub use self::layer_times::{BadLayer, LayerTableError, measured_layers, read_layer_times};
pub use self::request::{GraphRequest, GraphRequests, GraphRequestsError};
pub use self::wfformat::{RECORDED_MHZ, WfFormatError, application_from_wfformat};
