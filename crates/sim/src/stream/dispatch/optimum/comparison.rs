//! Value iteration beside single places, as an MDP over local, edge and cloud is compared with each of them and with chance.

use super::{DispatchOptimum, OptimumError, OptimumSettings};
use crate::stream::dispatch::path::Path;
use crate::stream::dispatch::scheme::{DispatchFixed, DispatchRandom, DispatchScheme, ValueIteration};
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

/// Runs value iteration, each single place and random places along the same path, as Alasmari, Green and Alam (EDGE 2018) compare
/// theirs. Where a place cannot carry all tasks, its cost grows with the length of the path.
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
    let run = |policy: &str, scheme: &mut dyn DispatchScheme| PolicyCost {
        policy: policy.to_owned(),
        mean_cost: simulate(site, path, scheme, seed).mean_cost,
    };
    let mut costs = vec![run("value-iteration", &mut ValueIteration::new(optimum))];
    for place in 0..site.places() {
        let name = site.place_name(place);
        costs.push(run(name, &mut DispatchFixed::new(place, name)));
    }
    costs.push(run("random", &mut DispatchRandom::new()));
    Ok(costs)
}
