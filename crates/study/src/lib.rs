//! Experiments on the library `mrdro`, each from a request to a report: one page with tables and pictures, and files
//! with the data next to it.
//!
//! - A [`Reproduction`] repeats the evaluation of the paper (section V) and compares the paper's claims with the
//!   results.
//! - An [`AdaptationStudy`] compares how methods follow a network that changes, on recorded uplinks.
//!
//! Both keep finished work in the directory of the report, so that an experiment that was interrupted goes on where it was.
//!
//! ```no_run
//! use study::{Part, Reproduction, ReproductionRequest};
//!
//! let backend = model::DeviceChoice::Auto.open()?;
//! let reproduction = Reproduction::new(ReproductionRequest {
//!     parts: vec![Part::Fig8, Part::Table4],
//!     quick: true,
//!     scenarios: vec!["paper".to_owned()],
//!     trainings: vec!["recommended".to_owned()],
//!     seeds: None,
//!     out: "reproduction".into(),
//! })?;
//! let runs = reproduction.runs(&backend)?;
//! mrdro::train_each(&runs.open, reproduction.out(), &backend, &|done| println!("{done} runs are done"))?;
//! println!("written: {}", reproduction.write()?.path.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do
//! It prints nothing, reads no arguments, and starts no pool of threads.

mod adaptation;
mod error;
mod hard_deadlines;
mod page;
mod reproduction;

pub use adaptation::{
    AdaptationReport, AdaptationRequest, AdaptationStudy, ChosenSettings, Method, MethodSummary, SeedRuns,
    SettingsOfMethods, Source,
};
pub use error::Error;
pub use reproduction::{Part, Reproduction, ReproductionReport, ReproductionRequest, RunsToDo};
