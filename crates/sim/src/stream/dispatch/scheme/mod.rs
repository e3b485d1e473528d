//! Schemes that choose a place for each task as it arrives.

mod greedy;

pub use greedy::DispatchGreedy;

use super::path::{Arrival, Path};
use super::site::Site;
use super::state::{Offer, SiteState};

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
