//! Where instances come from: random workloads and environments, the standard set, recordings of networks and task sizes,
//! and the exchange of workloads and answers with other programs.
//!
//! ```
//! use data::{StandardSet, evaluate};
//! use sim::Scenario;
//! use sim::scheme::LocalSearch;
//!
//! let scenario = Scenario::load("paper")?;
//! let set = StandardSet::of(&scenario, &scenario.check()?)?;
//! let evaluation = evaluate(&mut LocalSearch::new(), &set)?;
//! assert!(evaluation.q2.is_some_and(|q2| q2 > 0.99));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - A [`SizeSampler`] draws task sizes and an [`EnvironmentSampler`] draws environments, as a scenario says. Their
//!   moments are what networks scale their inputs by.
//! - [`Workloads`] are an endless row of [`Instance`](sim::Instance)s made of both. Recorded data have two [`Part`]s, for
//!   training and for evaluation.
//! - The [`StandardSet`] is 512 instances, the same for every seed; [`evaluate`] lets a scheme decide them. [`Deadlines`] counts
//!   the deadlines that its decisions missed.
//! - A [`trace`] is what a device measured of its network; [`task_sizes`] reads recorded sizes of tasks.
//! - [`graphs`] reads task graphs: JSON, workflows, Graphviz files.
//! - [`streams`] reads what scenarios over time name: recorded rates and arrivals.
//! - [`exchange`] reads workloads and writes answers as JSON and CSV.
//!
//! # What it does not do
//! Nothing here decides, prints or writes files. The problem itself is in the crate `sim`.

mod bad_lines;
mod columns;
mod counted;
mod deadlines;
mod environments;
mod evaluation;
pub mod exchange;
pub mod graphs;
pub mod limits;
mod lines;
mod natural;
mod part;
mod sizes;
mod source_file;
mod standard_set;
pub mod streams;
mod table;
mod task_files;
pub mod trace;
mod workloads;

pub use bad_lines::{BadLine, BadLines, Quantity, Reason};
pub use columns::HeaderError;
pub use counted::counted;
pub use deadlines::Deadlines;
pub use environments::{DataError, EnvironmentMoments, EnvironmentSampler, Moments};
pub use evaluation::{Evaluation, evaluate};
pub use natural::{natural_order, natural_path_order};
pub use part::Part;
pub use sizes::{SizeMoments, SizeSampler, SizesError};
pub use standard_set::{DecidedSet, STANDARD_SET_SIZE, StandardSet};
pub use table::{TableError, TableRow, read_table};
pub use task_files::{TaskFileError, TaskFormat, TaskSizes, UnknownTaskFormat, task_sizes, task_sizes_as};
pub use trace::{unused_devices, uplink_windows};
pub use workloads::Workloads;
