//! Schemes that choose a place for each task as it arrives.

mod drift_plus_penalty;
mod fixed;
mod greedy;
mod kind;
mod prices;
mod q_table;
mod rollout;
#[cfg(test)]
mod tests;
mod value_iteration;

pub use drift_plus_penalty::DriftPlusPenalty;
pub use fixed::{DispatchFixed, DispatchRandom, DispatchStatic};
pub use greedy::DispatchGreedy;
pub use kind::{DispatchSchemeKind, by_name};
pub use prices::{ClassNumbers, OneStep, Priced, PricedNumbers};
pub use q_table::QTable;
pub use rollout::Rollout;
pub use value_iteration::ValueIteration;

use super::optimum::OptimumError;
use super::path::{Arrival, Path};
use super::site::Site;
use super::state::{Offer, SiteState};
use crate::suggestion::lines_of;

/// What a scheme sees when a task arrives.
#[derive(Debug)]
pub struct View<'a> {
    /// The site.
    pub site: &'a Site,
    /// The path; what lies in the future of the state is not to be looked at, except by bounds.
    pub path: &'a Path,
    /// The queues.
    pub state: &'a mut SiteState,
    /// The task.
    pub arrival: &'a Arrival,
    /// Its number among the arrivals.
    pub index: usize,
}

impl View<'_> {
    /// The same view for another scheme.
    pub fn again(&mut self) -> View<'_> {
        View { site: self.site, path: self.path, state: self.state, arrival: self.arrival, index: self.index }
    }

    /// What each place would do with the task.
    pub fn offer(&mut self) -> Offer<'_> {
        self.state.offer(self.site, self.path, self.arrival)
    }
}

/// Anything that chooses a place for each task as it arrives.
pub trait DispatchScheme: Send {
    /// The name in results.
    fn name(&self) -> &str;

    /// Forgets everything: a run begins. `seed` is for schemes that draw random numbers.
    fn start(&mut self, site: &Site, seed: u64);

    /// The place of the task that arrives: one that its device can use.
    fn choose(&mut self, view: View<'_>) -> usize;

    /// How often places were priced since the run began; `None`: once for each task.
    fn evaluations(&self) -> Option<u64> {
        None
    }

    /// What the scheme knows of the tasks so far that the queues do not tell, such as running averages or the place in a
    /// sequence of random numbers. Empty for schemes that decide by the queues alone.
    fn memory(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Continues from a [`DispatchScheme::memory`] of the same scheme, after [`DispatchScheme::start`] with the same seed. Returns
    /// whether it fits; otherwise nothing changes.
    fn remember(&mut self, memory: &[f64]) -> bool {
        memory.is_empty()
    }
}

/// Why there is no scheme of a name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DispatchSchemeError {
    /// No scheme has this name.
    #[error(
        "there is no scheme called `{name}` for dispatching{}{}{}",
        suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")),
        lines_of("there are", known),
        lines_of("numbers may follow a name:", with_numbers)
    )]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
        /// The forms of the names that numbers may follow.
        with_numbers: Vec<String>,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// The scheme is one for scenarios in slots.
    #[error(
        "`{name}` is a scheme for scenarios in slots, such as `commute`; this one dispatches tasks{}",
        lines_of("its schemes are", known)
    )]
    ForSlots {
        /// The name that was asked for.
        name: String,
        /// The names of schemes for dispatching.
        known: Vec<String>,
    },
    /// Another number of numbers follows the name than the scheme takes.
    #[error("`{name}` has other numbers than the scheme takes; its form is {form}")]
    Count {
        /// The name with its numbers.
        name: String,
        /// What it may look like.
        form: String,
    },
    /// The optimum of the site is not known.
    #[error("{scheme} cannot solve this site: {reason}")]
    NoOptimum {
        /// The scheme.
        scheme: &'static str,
        /// Why.
        reason: OptimumError,
    },
    /// A number makes no sense.
    #[error("the {number} of the scheme {scheme} must be {kind} between {least} and {most}, not `{text}`")]
    Number {
        /// The scheme.
        scheme: &'static str,
        /// The name of the number.
        number: &'static str,
        /// What was written.
        text: String,
        /// What kind of number it must be.
        kind: &'static str,
        /// The least that it may be.
        least: f64,
        /// The most that it may be.
        most: f64,
    },
}

/// The place of the least value; of equal ones the first. A value that is not finite is never chosen while another is.
pub fn cheapest(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::INFINITY);
    for (place, value) in values.enumerate() {
        if value < best.1 {
            best = (place, value);
        }
    }
    best.0
}
