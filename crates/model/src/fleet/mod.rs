//! Networks that decide for any fleet: any number of devices, tasks and servers, shared or not.
//!
//! ```
//! use model::fleet::{FleetEnsemble, FleetPolicy, FleetShape, Inference};
//! use sim::scheme::Scheme;
//!
//! let device = model::DeviceChoice::Auto.open()?.device;
//! let untrained = FleetEnsemble::random(FleetShape { width: 24, rounds: 4 }, 2, 1, &device);
//! let mut policy = FleetPolicy::new("untrained", &untrained, Inference::Passes);
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
//! - A [`FleetNet`] scores every place of every task in some rounds, each of which takes a [`Reading`] of the decision that
//!   the one before proposes; all of them are a pass. A [`FleetEnsemble`] is K of them.
//! - A [`FleetForward`] makes passes on the CPU, a [`FleetLearner`] steps of training on any device.
//! - A [`FleetPolicy`] is a trained ensemble as a scheme, with more or less search ([`Inference`]).
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

pub use features::{INPUTS, Reading};
pub use forward::{FleetForward, FleetScratch};
pub use instance::Instance;
pub use learner::{FleetCase, FleetLearner};
pub use net::{FleetEnsemble, FleetKnown, FleetNet, FleetRound, FleetShape};
pub use networks::{DEFAULT_EVALUATIONS_PER_TASK, FleetNetworks};
pub use policy::{FREE_PASSES, FleetPolicy, Inference, PASSES};
