//! Networks that decide for any fleet: any number of devices, tasks and servers, shared or not.
//!
//! ```
//! use model::fleet::{Ensemble, Inference, Policy, Shape};
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
//! - [`Features`] are the inputs that networks read of a decision. Shares are a decision that may be undecided: the part of
//!   each task that is at each place.
//! - A [`Network`] scores every place of every task in several rounds. Each round reads the features of the decision
//!   that the round before proposes; all rounds together are a pass. An [`Ensemble`] is K networks.
//! - A [`Forward`] takes passes on the CPU, a [`Learner`] takes training steps on any device.
//! - A [`Policy`] is a trained ensemble as a scheme, with more or less search ([`Inference`]); [`FleetNetworks`] is the same
//!   as the contents of a record.
//!
//! # What it does not do
//! It evaluates only complete proposals; with a search budget also moves and swaps.

mod ensemble;
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

pub use ensemble::Ensemble;
pub use features::{Features, INPUTS};
pub use forward::{Forward, Scratch};
pub use instance::Instance;
pub use learner::{Case, Learner};
pub use net::{Context, Network, Round, Shape};
pub use networks::{DEFAULT_EVALUATIONS_PER_TASK, FleetNetworks};
pub use policy::{FREE_PASSES, Inference, PASSES, Policy};
