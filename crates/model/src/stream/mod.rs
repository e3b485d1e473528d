//! Networks that dispatch tasks as they arrive, at any site: any number of devices, servers and links.
//!
//! ```
//! use model::stream::{Dispatcher, Parameters};
//! use sim::stream::dispatch::settings::DispatchSetting;
//! use sim::stream::dispatch::{Path, simulate};
//!
//! let untrained: Vec<Parameters> = (0..4).map(|index| Parameters::random(16, index, 1)).collect();
//! let mut dispatcher = Dispatcher::new("untrained", &untrained, false);
//! for setting in &DispatchSetting::all()[3..5] {
//!     let site = setting.site(1)?;
//!     let outcome = simulate(&site, &Path::draw(&site, 2_000, 1), &mut dispatcher, 1);
//!     assert!(outcome.mean_cost > 0.0);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - [`SiteTables`] are the numbers of a site that never change; [`Memory`] is what a dispatcher has seen of its tasks so far.
//! - [`Inputs`] are what the networks read of a task that arrives ([`CONTEXT_NAMES`], [`PLACE_NAMES`]).
//! - A [`Network`] sets the prices of the queues on the way to each place; its [`Parameters`] are the same on the host. K networks
//!   are an [`Ensemble`].
//! - A [`Forward`] computes the prices of all networks at once. A [`Learner`] takes training steps on the CPU, a
//!   [`DeviceLearner`] the same ones in Burn operations on any device, on [`Sample`]s with a [`Loss`].
//! - A [`Dispatcher`] is networks as a scheme; [`StreamNetworks`] is the same as the contents of a record.

mod device_learner;
mod dispatcher;
mod features;
mod forward;
mod learner;
mod loss;
mod memory;
mod net;
mod networks;
mod tables;

pub use device_learner::DeviceLearner;
pub use dispatcher::Dispatcher;
pub use features::{CONTEXT_INPUTS, CONTEXT_NAMES, INPUTS, Inputs, PLACE_INPUTS, PLACE_NAMES, PlaceInputs};
pub use forward::{Forward, Scratch};
pub use learner::Learner;
pub use loss::{Loss, Sample, TEMPERATURE};
pub use memory::Memory;
pub use net::{LARGEST_LN_PRICE, Network, PRICES, Parameters, parameters};
pub use networks::{Ensemble, MAX_WIDTH, StreamNetworks};
pub use tables::SiteTables;
