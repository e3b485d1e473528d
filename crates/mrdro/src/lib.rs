//! MR-DRO as a library: train, save, load, decide, evaluate, compare, adapt and sweep, without a command line.
//!
//! ```no_run
//! use mrdro::prelude::*;
//!
//! let backend = DeviceChoice::Auto.open()?;
//! let plan = RunPlan::new("paper-wan", "recommended", &["drl.steps=2000".to_owned()])?;
//! let trained = mrdro::train(plan, &RunOptions::default(), &backend, &mut ())?;
//!
//! let (record, problem) = mrdro::load_record(&trained.directory.join("record"), None, false, &backend.device)?;
//! let mut scheme = record.networks.scheme("mr-dro", &problem.model, &DecisionOptions::default(), &backend.device);
//! let solution = scheme.decide(&problem.model, &Workload::from_mb(3, &[20.0; 9]))?;
//! println!("{:?} after {} cost evaluations", solution.decision, solution.evaluations);
//!
//! let records = [("mr-dro".to_owned(), record)];
//! let schemes = mrdro::with_classic(&records, &problem.model, 1, &backend.device);
//! for row in mrdro::evaluate_all(schemes, &problem.standard_set()?)?.evaluations {
//!     println!("{}: Q2 {:?}", row.scheme, row.q2);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Overview
//! - A [`Problem`] is a checked scenario with its cost model.
//! - A [`RunPlan`] says what a run is; [`train`] makes it, [`resume`] goes on with one that did not end. A [`RunObserver`]
//!   sees how it goes and may stop it.
//! - [`training`] holds the settings, their presets and their checks.
//! - [`evaluate_all`] compares schemes on the standard set, [`share_out`] with a bandwidth shared out, [`fleets`] on fleets of
//!   all sizes; [`answer`](answering::answer) decides a stream of workloads.
//! - [`adapt_record`] takes a record into a new environment.
//! - [`sweep`] trains over seeds and settings; [`statistics`] has the intervals.
//! - [`chart`] draws what was found.
//!
//! # What it does not do
//! It prints nothing, reads no arguments and no environment variables, and installs no signal handlers.

mod adaptation;
pub mod answering;
pub mod chart;
mod checkpoints;
mod comparison;
pub mod device_failure;
mod error;
pub mod files;
pub mod fleets;
pub mod metrics;
mod observer;
mod plan;
mod problem;
mod run;
mod run_dir;
mod run_set;
pub mod share_out;
pub mod statistics;
pub mod sweep;
pub mod training;

pub use adaptation::{AdaptRequest, Adaptation, Adapted, Destination, Point, Task, adapt, adapt_record, mean};
pub use comparison::{Comparison, evaluate_all, load_record, schemes_of, with_classic, with_greedy_and_exact};
pub use error::Error;
pub use metrics::Phase;
pub use observer::{Activity, ObserverError, Progress, RunObserver};
pub use plan::{EVALUATED_FLEETS, Phases, PlanNames, RunPlan, Target};
pub use problem::Problem;
pub use run::{
    CheckpointInterval, FleetResults, Results, RunOptions, ScenarioResults, Trained, Unfinished, resume, train,
};
pub use run_dir::RunDir;
pub use run_set::{PlannedRun, RUNS, RunResults, each_on_a_thread, not_done, run_name, train_each};
pub use training::{FleetTraining, Training, TrainingError};

/// What most programs need.
pub mod prelude {
    pub use model::{DecisionOptions, DeviceChoice, Record};
    pub use sim::scheme::Scheme;
    pub use sim::{Decision, Scenario, Workload};

    pub use crate::{Problem, RunObserver, RunOptions, RunPlan, Training};
}
