//! A network that decides for any fleet: any number of devices, tasks and servers, shared or not.

mod forward;
mod instance;
mod lanes;
mod layers;
mod learner;
mod net;
mod policy;
mod reading;
mod search;
mod shares;

pub use forward::{FleetForward, FleetScratch};
pub use instance::Instance;
pub use learner::{FleetCase, FleetLearner};
pub use net::{FleetEnsemble, FleetKnown, FleetNet, FleetRound, FleetShape};
pub use policy::{Effort, FREE_PASSES, FleetPolicy, PASSES};
pub use reading::{INPUTS, Reading};
