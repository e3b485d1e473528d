//! Decisions over time: tasks arrive one after the other, queues build up, links change, and a decision now makes later
//! tasks wait.
//!
//! - [`ArrivalProcess`] and [`Sizes`] say when tasks arrive and how large they are.
//! - [`RateProcess`] says how the rate of a link changes; a [`RatePath`] is one course of it.
//! - [`slots`] is a problem in slots of equal length: data waits for a good link.

mod arrivals;
pub mod dispatch;
mod rates;
mod sizes;
pub mod slots;

pub use arrivals::ArrivalProcess;
pub use rates::{MarkovRates, RateCursor, RatePath, RateProcess, RatesError, RecordedRates};
pub use sizes::Sizes;
