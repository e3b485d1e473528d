//! Decisions over time: tasks arrive one after the other, queues build up, links change, and a decision now makes later
//! tasks wait.
//!
//! - [`ArrivalProcess`] and [`Sizes`] say when tasks arrive and how large they are.
//! - [`RateProcess`] says how the rate of a link changes; a [`RatePath`] is one course of it.
//! - [`dispatch`]: each task goes to a place as it arrives.
//! - A [`StreamScenario`] describes all of that as a person writes it.
//! - [`slots`] is a problem in slots of equal length: data waits for a good link.

mod arrivals;
pub mod dispatch;
mod rates;
pub mod scenario;
mod sizes;
pub mod slots;

pub use arrivals::ArrivalProcess;
pub use rates::{MarkovRates, RateCursor, RatePath, RateProcess, RatesError, RecordedRates};
pub use scenario::StreamScenario;
pub use sizes::Sizes;
