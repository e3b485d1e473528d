//! Exchange with other programs: workloads in, answers out.
//!
//! A workload is a JSON object, one per line or one per request, or the rows of a CSV file. An answer is a JSON object.
//!
//! ```
//! use data::exchange::{Answer, WorkloadRequest};
//! use sim::scheme::{Exact, Scheme};
//!
//! let model = sim::Scenario::load("ddlo")?.check()?;
//! let tasks = vec![[12.0; 3]; 3];
//! let text = format!("{{\"id\": 7, \"tasks_mb\": {tasks:?}, \"environment\": {{\"alpha\": 0.9}}}}");
//! let WorkloadRequest { id, instance } = WorkloadRequest::from_json(text.as_bytes(), &model)?;
//! let solution = Exact::new().decide(&instance.model, &instance.workload)?;
//! let answer = serde_json::to_string(&Answer::new(id, &instance, &solution))?;
//! assert!(answer.starts_with("{\"id\":7,\"placements\":[["));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod environment;
mod object;
mod reader;
mod request;
mod request_error;

pub use self::answer::{Answer, JointAnswer};
pub use self::environment::{EnvironmentChange, EnvironmentView};
pub use self::object::Object;
pub use self::reader::{ExchangeError, WorkloadReader};
pub use self::request::{Id, UncheckedRequest, WorkloadRequest};
pub use self::request_error::RequestError;
