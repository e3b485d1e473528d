//! Dispatching: each task that arrives goes to its device, to a server at the edge or to the cloud, at once and for good.
//!
//! - A [`Site`] consists of devices, servers and links, each with a queue ([`Queue`]).
//! - A [`Path`] is one course of arrivals and rates. All schemes are run on the same paths, so that their differences are not
//!   those of chance.
//! - A [`DispatchScheme`](scheme::DispatchScheme) chooses a place for an [`Offer`], from what each [`Choice`] is expected to
//!   take.
//! - [`simulate`] runs a scheme along a path, exactly, from event to event; a [`DispatchOutcome`] is what came of it.
//! - A [`DispatchEpisode`] is the same run, stepped from outside.
//! - A [`LiveSite`](live::LiveSite) dispatches tasks as they arrive in fact, and learns what became of them.
//! - [`settings`] are sites on which schemes are compared; [`tuning`] finds the numbers of rules by simulation.
//!
//! The cost of a task is α times its energy plus 1 − α times the time from its arrival until it is done, and what a missed
//! deadline costs. That of a run is the mean over its tasks after a warm-up.

pub mod bound;
mod episode;
pub mod futures;
pub mod live;
mod loads;
pub mod optimum;
mod outcome;
mod path;
pub mod scheme;
mod send_times;
pub mod settings;
mod simulator;
mod site;
mod sites;
mod split;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tuning;

pub use episode::{DispatchEpisode, PlaceError, PlacedTask};
pub use outcome::{BATCHES, DispatchOutcome, DoneTask};
pub use path::{Arrival, Path};
pub use simulator::{WARM_UP, simulate, simulate_traced};
pub use site::{
    Access, LOCAL, MAX_SITE_DEVICES, Machines, Queue, QueueKind, Site, SiteDevice, SiteError, SiteLink, SiteParts,
    SiteServer,
};
pub use sites::Sites;
pub use split::{QueueLoad, StaticSplit};
pub use state::{Choice, LinkView, Offer, QueueView, SiteState};
