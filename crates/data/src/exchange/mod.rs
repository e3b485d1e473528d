//! Exchange with other programs: workloads in, answers out.
//!
//! A workload is a JSON object or the rows of a table. Objects stand one on each line, or each over several lines, or in
//! one list. An answer is a JSON object. Workloads may leave out tasks, and may say what their tasks ask for beyond their
//! sizes: deadlines, and instructions per byte.
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
mod beginning;
mod demands;
mod environment;
mod json_error;
mod list;
mod object;
mod objects;
mod open_workloads;
mod reader;
mod request;
mod request_error;
mod rows;
mod size_table;
mod task_values;
mod value_end;

pub use self::answer::{Answer, JointAnswer, Refusal};
pub use self::environment::{EnvironmentChange, EnvironmentView};
pub use self::json_error::explain;
pub(crate) use self::json_error::{id as id_of, moved};
pub use self::object::Object;
pub use self::reader::{ExchangeError, WorkloadReader};
pub use self::request::{Id, UncheckedRequest, WorkloadRequest};
pub use self::request_error::RequestError;
pub use self::size_table::SizeTable;
pub use self::task_values::TaskValues;
