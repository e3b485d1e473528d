//! Networks that decide for any fleet: any number of devices, tasks and servers, shared or not.
//!
//! ```
//! use model::fleet::{Ensemble, Policy, Shape, Inference};
//! use sim::scheme::Scheme;
//!
//! let device = model::DeviceChoice::Auto.open()?.device;
//! let untrained = Ensemble::random(Shape { width: 24, rounds: 4 }, 2, 1, &device);
//! let mut policy = Policy::new("untrained", &untrained, Inference::Passes);
//! for scenario in ["paper", "shared-edges"] {
//!     let cost_model = sim::Scenario::load(scenario)?.check()?;
//!     let solution = policy.decide(&cost_model, &sim::Workload::from_mb(3, &[20.0; 9]))?;
//!     assert_eq!(solution.decision.places().len(), 9);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - An [`Instance`] is one fleet with its sizes, in units of its own mean task.
//! - A [`Network`] scores every place of every task in some rounds, each of which takes a [`Features`] of the decision that
//!   the one before proposes; all of them are a pass. A [`Ensemble`] is K of them.
//! - A [`Forward`] makes passes on the CPU, a [`Learner`] steps of training on any device.
//! - A [`Policy`] is a trained ensemble as a scheme, with more or less search ([`Inference`]).
//!
//! # What it does not do
//! It evaluates only complete proposals; with a search budget also moves and swaps.

mod features;
mod forward;
mod instance;
mod lanes;
mod layers;
mod learner;
mod net;
mod networks;
mod policy;
mod search;
mod shares;

pub use features::{Features, INPUTS};
pub use forward::{Forward, Scratch};
pub use instance::Instance;
pub use learner::{Case, Learner};
pub use net::{Context, Ensemble, Network, Round, Shape};
pub use networks::{DEFAULT_EVALUATIONS_PER_TASK, FleetNetworks};
pub use policy::{FREE_PASSES, Inference, PASSES, Policy};
