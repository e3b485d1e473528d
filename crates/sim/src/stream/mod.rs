//! Decisions over time: tasks arrive one after the other, queues build up, links change, and a decision now makes later
//! tasks wait.
//!
//! - [`ArrivalProcess`] and [`Sizes`] say when tasks arrive and how large they are.
//! - [`RateProcess`] says how the rate of a link changes; a [`RatePath`] is one course of it.
<<<<<<< HEAD
//! - [`dispatch`]: each task goes to a place as it arrives.
//! - A [`StreamScenario`] describes all of that as a person writes it.
//! - [`slots`] is a problem in slots of equal length: data waits for a good link.
=======
//!
//! Problems of their own, each with an optimum:
//!
//! - [`delayed`]: files wait for WiFi up to a deadline.
//! - [`emop`]: the components of a chain run at several sites while the channel changes.
//! - [`mdp`]: each task goes to the device, an edge server or the cloud, by value iteration.
//!
//! [`formulas`] are closed forms of queues.
>>>>>>> queues

mod arrivals;
pub mod delayed;
pub mod dispatch;
pub mod emop;
pub mod formulas;
pub mod mdp;
mod rates;
pub mod scenario;
mod sizes;
pub mod slots;

pub use arrivals::ArrivalProcess;
pub use rates::{MarkovRates, RateCursor, RatePath, RateProcess, RatesError, RecordedRates};
pub use scenario::StreamScenario;
pub use sizes::Sizes;
