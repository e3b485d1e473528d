//! MR-DRO as a library: train networks that decide where the tasks of mobile devices run, save and load them, decide with
//! them, and compare them with classic schemes.
//!
//! Some mobile devices have tasks of known sizes. Each task runs on its device, on an edge server or in the cloud; a
//! *decision* gives every task of a *workload* one of these places. The best decision minimises a weighted sum of energy
//! and time. *MR-DRO* (Meta Reinforcement-Deep Reinforcement learning based Offloading) trains an ensemble of
//! networks that propose decisions; the cheapest proposal is taken.
//!
//! # Example
//! Train an ensemble for the shipped scenario `paper-wan`, let it decide a workload, and compare it with classic schemes:
//!
//! ```
//! use mrdro::prelude::*;
//!
//! let folder = tempfile::tempdir()?;
//! let options = RunOptions { out: Some(folder.path().join("run")), ..RunOptions::default() };
//! let backend = DeviceChoice::Auto.open()?;
//!
//! // A short training: the third argument changes settings of the second, the preset `recommended`.
//! let settings = ["drl.steps=1500", "meta.outer_steps=10"].map(str::to_owned);
//! let plan = RunPlan::new("paper-wan", "recommended", &settings)?;
//! let trained = mrdro::train(plan, &options, &backend, &mut ())?;
//!
//! // 3 devices with 3 tasks of 20 MB each.
//! let (record, problem) = mrdro::load_record(&trained.directory.join("record"), None, false, &backend.device)?;
//! let mut scheme = record.networks.scheme("mr-dro", &problem.model, &DecisionOptions::default(), &backend.device);
//! let workload = Workload::from_mb(3, &[20.0; 9]);
//! let solution = scheme.decide(&problem.model, &workload)?;
//! println!("{:?}: {:?}", solution.decision, problem.model.evaluate(&workload, &solution.decision));
//!
//! // Q2 is the ratio of the optimal cost to the cost of the scheme: 1 is the best.
//! let records = [("mr-dro".to_owned(), record)];
//! let schemes = mrdro::with_classic(&records, &problem.model, 1, &backend.device);
//! for row in mrdro::evaluate_all(schemes, &problem.standard_set()?)?.evaluations {
//!     println!("{}: Q2 {:?}", row.scheme, row.q2);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The folder `examples/` of this crate holds more programs to copy: `decide`, `train`, `compare`, `own_scheme`,
//! `own_network` and `serve`.
//!
//! # Words
//! | word | meaning |
//! |---|---|
//! | scenario | devices, servers, links, the distribution of task sizes, and the weight α of energy against time |
//! | environment | the part of a scenario that can change: uplinks, capacities of servers, α |
//! | workload | the sizes of all tasks, which are decided together |
//! | decision | a place (device, edge server or cloud) for each task of a workload |
//! | scheme | anything that decides: greedy rules, searches, the exact optimum, trained networks |
//! | cost evaluation | one question to the cost model, about a decision or one device's part of it |
//! | record | trained networks with all that is needed to decide with them, as a directory |
//! | standard set | 512 workloads of a scenario that are the same for every program and seed |
//! | Q2 | mean ratio of the optimal cost to the cost of a scheme's decision; 1 is the best |
//!
//! # Overview
//! - [`Problem`]: a checked scenario with its cost model.
//! - [`RunPlan`]: the plan of a training run. [`train`] makes the run, [`resume`] continues one that did not finish, and a
//!   [`RunObserver`] sees its progress and may stop it.
//! - [`training`]: the settings of training, their presets and checks.
//! - [`load_record`]: a record with the scenario that it decides for.
//! - [`answering::answer`]: decisions for a stream of workloads.
//! - [`evaluate_all`]: a comparison of schemes on the standard set; [`share_out::compare`]: their gains from sharing a
//!   bandwidth out; [`fleets::evaluate`]: a comparison on fleets of all sizes.
//! - [`graphs`]: applications whose tasks depend on one another.
//! - [`adapt_record`]: adaptation of a record to a new environment.
//! - [`sweep`]: runs over many settings and seeds; [`statistics`]: means with 95 % intervals.
//! - [`chart`]: pictures of results; [`tensorboard`]: event files for TensorBoard.
//!
//! # What it does not do
//! It prints nothing, reads no arguments and no environment variables except `RUST_BACKTRACE`, and installs no signal
//! handlers.

mod adaptation;
pub mod answering;
pub mod chart;
mod checkpoints;
mod comparison;
pub mod device_failure;
mod error;
pub mod files;
pub mod fleets;
pub mod graphs;
pub mod metrics;
mod observer;
mod output_file;
mod plan;
mod problem;
mod run;
mod run_dir;
mod run_set;
pub mod share_out;
pub mod statistics;
pub mod streams;
pub mod sweep;
pub mod tensorboard;
pub mod training;

pub use adaptation::{
    AdaptRequest, Adaptation, Adapted, Destination, MissedDeadlines, Point, Task, adapt, adapt_loaded_while,
    adapt_record, adapt_record_while, mean,
};
pub use comparison::{Comparison, evaluate_all, load_record, schemes_of, with_classic, with_greedy_and_exact};
pub use error::Error;
pub use metrics::Phase;
pub use observer::{Activity, ObserverError, Progress, RunObserver};
pub use plan::{EVALUATED_FLEETS, Phases, PlanNames, RunPlan, Target};
pub use problem::Problem;
pub use run::{
    CheckpointInterval, FleetResults, Results, RunOptions, ScenarioResults, SiteResults, Trained, Unfinished, resume,
    train, train_while,
};
pub use run_dir::RunDir;
pub use run_set::{
    PlannedRun, RUNS, RunResults, check_names, each_on_a_thread, not_done, run_name, train_each, train_each_while,
};
pub use training::{FleetTraining, SiteTraining, Training, TrainingError};

/// The types that most programs need.
pub mod prelude {
    pub use model::{DecisionOptions, DeviceChoice, Record};
    pub use sim::scheme::Scheme;
    pub use sim::{Decision, Scenario, Workload};

    pub use crate::{Problem, RunObserver, RunOptions, RunPlan, Training};
}
