//! The offloading problem of MR-DRO, without any network: scenarios, the cost model, classic schemes, the exact optimum
//! and the measures.
//!
//! ```
//! use sim::scheme::{Exact, Greedy, Order, Scheme};
//! use sim::{Scenario, StandardSet};
//!
//! let scenario = Scenario::load("paper-wan")?;
//! let model = scenario.check()?;
//! let set = StandardSet::of(&scenario, &model)?;
//! let greedy = sim::metrics::evaluate(&mut Greedy::new(Order::Given), &model, &set)?;
//! let exact = sim::metrics::evaluate(&mut Exact::new(), &model, &set)?;
//! assert!(greedy.mean_cost > exact.mean_cost);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - A [`Scenario`] is devices, servers, links, task sizes and α as a person writes them; [`Scenario::check`] makes a
//!   [`CostModel`] in SI units of it.
//! - A [`Workload`] **W** is the sizes of N × M tasks, a [`Decision`] **X** says where each of them runs
//!   ([`Placement`]), an [`Outcome`] is what that costs.
//! - An [`Environment`] is what changes while a system runs: uplinks, capacities, α; a [`CostModel`] prices in one.
//! - An [`allocation`] shares one bandwidth out among the devices' uplinks.
//! - [`exchange`] is how other programs name workloads and are answered.
//! - A [`trace`] is what a device measured of its network.
//! - Devices that share a server or a link wait for each other ([`CostModel::is_separable`]); [`IncrementalCost`] prices
//!   decisions that change task by task, [`allocation`] shares out bandwidth.
//! - [`Fleets`] are scenarios drawn at random.
//! - A [`Scheme`](scheme::Scheme) is anything that decides.
//! - Random numbers come from [`random::stream`]s, derived by name from one seed.
//!
//! # What it does not do
//! Energy of idle devices and results sent back are not modelled; nor does anything here print, read arguments or write
//! files.

pub mod allocation;
pub mod config;
mod cost;
mod decision;
mod environment;
mod error;
pub mod exchange;
mod fleets;
pub mod metrics;
pub mod random;
pub mod scenario;
pub mod scheme;
pub mod trace;
pub mod units;
mod workload;

pub use cost::{CostModel, FirstSwap, IncrementalCost, Outcome, Rate, TimeTerms};
pub use decision::{Decision, Placement, ServerId};
pub use environment::{
    Environment, EnvironmentMoments, EnvironmentSampler, MAX_UPLINK_MBPS, Moments, SLOWEST_TOLD_APART_MBPS, WINDOW_S,
    uplink_windows,
};
pub use error::{AllocationError, DataError, EnvironmentError, ScenarioError, SchemeError, SizesError};
pub use fleets::Fleets;
pub use metrics::StandardSet;
pub use scenario::Scenario;
pub use workload::{MAX_SIZE_MB, Part, SizeMoments, SizeSampler, Workload, Workloads, is_size};
