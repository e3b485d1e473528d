//! Decisions over time: tasks arrive one after the other, queues build up, links change, and a decision now makes later
//! tasks wait.
//!
//! - [`dispatch`]: each task goes to a place as it arrives.
//! - [`slots`]: in slots of equal length, data waits for a good link.
//! - A [`StreamScenario`] describes either as a person writes it.
//! - [`ArrivalProcess`] and [`Sizes`] say when tasks arrive and how large they are, [`RateProcess`] how the rate of a link
//!   changes; a [`RatePath`] is one course of it.
//! - [`formulas`] are closed forms of queues.
//!
//! Three problems of their own, each in the manner of a published system:
//! - [`delayed`]: files wait for WiFi up to a deadline.
//! - [`emop`]: a chain of components at several sites while the channel changes.
//! - [`mdp`]: each task to the device, an edge server or the cloud, as a Markov decision process.

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
