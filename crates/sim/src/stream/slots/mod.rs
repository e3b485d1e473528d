//! Decisions in slots of equal length: data that can wait is sent when the link is good.
//!
//! - [`SlotProblem`] is the checked problem: applications whose files arrive over time, links whose rates change, and
//!   what energy and delay weigh.
//! - [`SlotPath`] is one course of arrivals and rates. It is drawn once and shared by all schemes that are compared.
//! - [`scheme`] has the schemes, [`simulate`] runs one along a path and gives its [`SlotOutcome`].
//! - [`tune`] chooses the numbers of a scheme on training paths.
//! - [`hindsight`] is the optimum with knowledge of the whole path, or a lower bound; [`tail_bound`] is one for a radio
//!   that stays on after it has sent.
//! - [`RateChain`] and [`ChainProblem`] are a Markov chain of the rate and the optimum on it by value iteration.
//!
//! ```
//! use sim::stream::slots::scheme::SlotSchemeKind;
//! use sim::stream::slots::{Application, Link, Load, SlotProblem, SlotSettings, simulate};
//! use sim::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};
//!
//! let photos = Application {
//!     name: "photos".to_owned(),
//!     load: Load::Share(0.3),
//!     arrivals: ArrivalProcess::Poisson,
//!     sizes: Sizes::OneOf([5e6].into()),
//!     deadline_s: None,
//! };
//! let rates = RateProcess::Markov(MarkovRates::new(&[0.5e6, 4e6], &[60.0, 20.0], None)?);
//! let link = Link { name: "cellular".to_owned(), rates, power_w: 1.2, tail: None };
//! let problem = SlotProblem::new(SlotSettings::new(3600, vec![photos], vec![link]))?;
//! let path = problem.path(1, 0);
//! let outcome = |name: &str| simulate(&path, name.parse::<SlotSchemeKind>()?.build(None)?.as_mut(), None);
//! let (at_once, waits) = (outcome("at-once")?, outcome("threshold@3")?);
//! assert!(waits.energy_j < at_once.energy_j && waits.mean_delay_s > at_once.mean_delay_s);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The model
//! Data is a fluid. In a slot a link sends a part x of what its rate allows, takes x of the slot and energy power · x ·
//! slot; with a radio tail it stays on afterwards. Files of an application leave in the order in which they came. Files
//! arrive at the beginning of the slot that their time lies in.
//!
//! # The end of a horizon
//! A scheme must not save energy by leaving data behind. So nothing arrives in the last [`DEFAULT_QUIET_S`] seconds,
//! and every scheme but hindsight is made to send in the last [`DEFAULT_FLUSH_S`]; both are settings, and at most half
//! and a quarter of a path. What is left all the same is charged [`DEFAULT_LEFT_FACTOR`] times the energy that it takes
//! at the mean rate.

mod assign;
mod chain;
mod error;
mod hindsight;
mod path;
mod problem;
mod queue;
pub mod scheme;
mod simulate;
mod tail;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tuning;
mod value_iteration;

pub use chain::RateChain;
pub use error::{SlotProblemError, SlotSchemeError};
pub use hindsight::{HindsightPlan, hindsight};
pub use path::{FileArrival, SlotPath, SlotPrices};
pub use problem::{
    Application, DEFAULT_FLUSH_S, DEFAULT_LEFT_FACTOR, DEFAULT_QUIET_S, EnergyUnit, Fallback, Link, Load, MAX_LINKS,
    SlotProblem, SlotSettings, Tail,
};
pub use simulate::{SlotOutcome, SlotRecord, SlotTrace, simulate};
pub use tail::{TailPlan, tail_bound};
pub use tuning::{TunedScheme, mean_cost, tune};
pub use value_iteration::{ChainPolicy, ChainProblem};
