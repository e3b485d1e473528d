//! The least cost of the next tasks.

use super::chain::Chain;
use super::operator::{decide, wait};
use super::{OptimumError, OptimumSettings};
use crate::stream::dispatch::site::Site;

/// The least expected cost of the next 1, 2, …, `tasks` tasks together, the first of which arrives at an empty site, by backward
/// induction on the same chain as [`DispatchOptimum::solve`](super::DispatchOptimum::solve). The difference of two that follow
/// each other tends to the gain.
///
/// # Errors
/// If the site has no chain that could be solved.
pub fn backward_induction(site: &Site, settings: &OptimumSettings, tasks: usize) -> Result<Vec<f64>, OptimumError> {
    let chain = Chain::new(site, settings)?;
    let mut values = vec![0.0; chain.states()];
    let mut after = values.clone();
    let mut costs = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        wait(&chain, &values, &mut after);
        decide(&chain, &after, &mut values, 0.0);
        costs.push(values[0]);
    }
    Ok(costs)
}
