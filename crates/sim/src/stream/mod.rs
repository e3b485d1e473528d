//! Decisions over time: tasks arrive one after the other, queues build up, links change, and a decision now makes later
//! tasks wait.
//!
//! - [`ArrivalProcess`] and [`Sizes`] say when tasks arrive and how large they are.
//! - [`delayed`] is a problem of its own: files that wait for WiFi up to a deadline.
//! - [`emop`] is another: a chain of components at several sites while the channel changes.
//! - [`formulas`] are closed forms of queues.
//! - [`mdp`] is a third: each task to the device, an edge server or the cloud, as a Markov decision process.
//! - [`RateProcess`] says how the rate of a link changes; a [`RatePath`] is one course of it.
//! - [`dispatch`]: each task goes to a place as it arrives.
//! - A [`StreamScenario`] describes all of that as a person writes it.
//! - [`slots`] is a problem in slots of equal length: data waits for a good link.

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
