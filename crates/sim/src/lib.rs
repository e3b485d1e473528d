//! The offloading problem of MR-DRO, without any network: scenarios, the cost model, classic schemes, the exact optimum
//! and the measures.
//!
//! ```
//! use sim::scheme::{Exact, Greedy, Order, Scheme};
//! use sim::{Scenario, Workload, metrics};
//!
//! let model = Scenario::load("paper-wan")?.check()?;
//! let workload = Workload::from_mb(3, &[12.0, 25.5, 18.0, 10.0, 20.0, 30.0, 11.0, 12.0, 13.0]);
//! let greedy = Greedy::new(Order::Given).decide(&model, &workload)?.decision;
//! let exact = Exact::new().decide(&model, &workload)?.decision;
//! let [greedy, exact] = [greedy, exact].map(|decision| model.evaluate(&workload, &decision).cost);
//! assert!(metrics::q2(&[exact], &[greedy]) <= 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - A [`Scenario`] describes devices, servers, links, task sizes and α as a person writes them; [`Scenario::check`] makes
//!   a [`CostModel`] in SI units from it.
//! - A [`Workload`] **W** holds the sizes of N × M tasks, a [`Decision`] **X** says where each of them runs
//!   ([`Placement`]), an [`Outcome`] is the energy, time and cost of that.
//! - An [`Environment`] is the part of a scenario that changes while a system runs: uplinks, capacities, α. A
//!   [`CostModel`] is always in one; [`CostModel::at`] makes one in another.
//! - An [`Instance`] is a workload in its environment.
//! - A [`Scheme`](scheme::Scheme) is anything that decides; a [`SchemeKind`](scheme::SchemeKind) is a scheme by its name.
//! - A device cannot use a server that is down or that it has no link to ([`CostModel::is_reachable`]); nothing chooses it.
//! - Of decisions that cost the same one may be better ([`CostModel::is_better`]).
//! - Devices that share a server or a link wait for each other ([`CostModel::is_separable`]).
//! - An [`IncrementalCost`] follows a decision that changes task by task.
//! - An [`allocation`] shares one bandwidth out among the devices' uplinks.
//! - [`Fleets`] are scenarios drawn at random.
//! - Text from files is read by [`text`]: UTF-8 or UTF-16.
//! - Random numbers come from [`random::stream`]s, derived by name from one seed.
//!
//! # What it does not do
//! The energy of idle devices and the way of results back are not modelled. Nothing here prints, reads arguments or
//! writes files. Random workloads, recordings and exchange formats are in the crate `data`.

pub mod config;
pub mod graph;
pub mod limits;
mod max_flow;
pub mod metrics;
pub mod random;
mod scenario_checks;
mod scenario_file;
pub mod search;
pub mod stream;
mod suggestion;
mod tasks;
pub mod text;
pub mod units;

pub use scenario_file::AnyScenario;
pub use tasks::allocation::{self, AllocationError};
pub use tasks::cost::{CostModel, Demands, DemandsError, FirstSwap, IncrementalCost, Outcome, Rate, TimeTerms};
pub use tasks::decision::{Decision, Placement, ServerId};
pub use tasks::environment::{Environment, EnvironmentError};
pub use tasks::fleets::Fleets;
pub use tasks::instance::Instance;
pub use tasks::scenario::{self, Scenario, ScenarioError};
pub use tasks::scheme::{self, SchemeError};
pub use tasks::workload::{Workload, is_size, keep_absent, present_tasks};
