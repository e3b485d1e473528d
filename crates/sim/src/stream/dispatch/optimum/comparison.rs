//! Value iteration beside single places, as an MDP over local, edge and cloud is compared with each of them and with chance.

use super::{DispatchOptimum, OptimumError, OptimumSettings};
use crate::random::{self, Stream};
use crate::stream::dispatch::path::Path;
use crate::stream::dispatch::scheme::{DispatchScheme, ValueIteration, View};
use crate::stream::dispatch::simulator::simulate;
use crate::stream::dispatch::site::Site;

/// The mean cost of a policy along a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyCost {
    /// `value-iteration`, `random`, or the name of the place to which all tasks go.
    pub policy: String,
    /// The mean cost of a task.
    pub mean_cost: f64,
}

/// Sends all tasks to one place, or each to a random one of its usable places.
struct Unplanned {
    place: Option<usize>,
    places: Vec<usize>,
    random: Stream,
}

impl DispatchScheme for Unplanned {
    fn name(&self) -> &'static str {
        "unplanned"
    }

    fn start(&mut self, _: &Site, seed: u64) {
        self.random = random::stream(seed, "stream/unplanned");
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        let device = view.arrival.device as usize;
        if let Some(place) = self.place.filter(|place| view.site.is_usable(device, *place)) {
            return place;
        }
        loop {
            let place = self.places[random::below(&mut self.random, self.places.len())];
            if view.site.is_usable(device, place) {
                return place;
            }
        }
    }
}

/// Runs value iteration, each single place and random places along the same path, as Alasmari, Green and Alam (EDGE 2018) compare
/// theirs. Where a place cannot carry all tasks, its cost grows with the length of the path; devices that cannot use it take
/// random places.
///
/// # Errors
/// If the site has no chain that could be solved.
pub fn compare_with_single_places(
    site: &Site,
    settings: &OptimumSettings,
    path: &Path,
    seed: u64,
) -> Result<Vec<PolicyCost>, OptimumError> {
    let optimum = DispatchOptimum::solve(site, settings)?;
    let places = settings.places.clone().unwrap_or_else(|| (0..site.places()).collect());
    let run = |policy: &str, scheme: &mut dyn DispatchScheme| PolicyCost {
        policy: policy.to_owned(),
        mean_cost: simulate(site, path, scheme, seed).mean_cost,
    };
    let mut costs = vec![run("value-iteration", &mut ValueIteration::new(optimum))];
    for place in &places {
        let mut scheme = Unplanned { place: Some(*place), places: places.clone(), random: random::stream(seed, "") };
        costs.push(run(site.place_name(*place), &mut scheme));
    }
    let mut scheme = Unplanned { place: None, places, random: random::stream(seed, "") };
    costs.push(run("random", &mut scheme));
    Ok(costs)
}
