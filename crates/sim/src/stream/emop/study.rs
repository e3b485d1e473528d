//! All methods on drawn problems.

use rayon::prelude::*;

use super::{ChainError, ChainGenerator};

/// What methods need on one problem: expected energy of the device, in joules. `None`: the method holds the limit with nothing
/// that it can choose from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainFigures {
    /// The limit on the expected delay, in seconds.
    pub limit_s: f64,
    /// The optimum, a mixture of two policies.
    pub optimum_j: f64,
    /// The better of both that is within the limit.
    pub deterministic_j: f64,
    /// The best single site within the limit: its number (0: the device) and its energy.
    pub single_site: Option<(usize, f64)>,
    /// Greedy with its best multiplier.
    pub greedy_j: Option<f64>,
    /// Greedy with a look ahead, with its best multiplier.
    pub look_ahead_j: Option<f64>,
    /// The best assignment that does not look at the channel.
    pub fixed_j: Option<f64>,
    /// With the same limit for every course of the channel: the policy found and the bound.
    pub hard_limit_j: Option<(f64, f64)>,
}

impl ChainFigures {
    /// The share of the best single site's energy that the optimum saves.
    pub fn saved_to_single_site(&self) -> Option<f64> {
        self.single_site.map(|(_, energy_j)| 1.0 - self.optimum_j / energy_j)
    }
}

/// Draws problems 0 to `problems` − 1 under a seed and decides each by all methods, in parallel; the result has the order of
/// the problems. The limit is `delay_factor` times the smallest expected delay of a single site, so that with a factor from 1 on
/// a single site holds it. `intervals` is the grid of the hard limit.
///
/// # Errors
/// If the numbers of the generator make no sense, or the factor or the grid.
pub fn compare(
    generator: &ChainGenerator,
    delay_factor: f64,
    intervals: usize,
    seed: u64,
    problems: u64,
) -> Result<Vec<ChainFigures>, ChainError> {
    if !(delay_factor >= 1.0 && delay_factor.is_finite()) {
        return Err(ChainError::DelayFactor(delay_factor));
    }
    (0..problems).into_par_iter().map(|index| figures(generator, delay_factor, intervals, seed, index)).collect()
}

fn figures(
    generator: &ChainGenerator,
    delay_factor: f64,
    intervals: usize,
    seed: u64,
    index: u64,
) -> Result<ChainFigures, ChainError> {
    let problem = generator.draw(seed, index)?;
    let mut fastest_s = f64::INFINITY;
    for site in 0..problem.sites() {
        fastest_s = fastest_s.min(problem.single_site(site)?.time_s);
    }
    // With room for rounding: the delay of the fastest site is added up in several orders.
    let limit_s = delay_factor * fastest_s * (1.0 + 1e-12);
    // A single site holds the limit, so that a policy does.
    let optimum = problem.within_mean_delay(limit_s).ok_or(ChainError::DelayFactor(delay_factor))?;
    let hard_limit = problem.within_hard_limit(limit_s, intervals)?;
    Ok(ChainFigures {
        limit_s,
        optimum_j: optimum.cost.energy_j,
        deterministic_j: optimum.fast_cost.energy_j,
        single_site: problem.best_single_site_within(limit_s).map(|(site, cost)| (site, cost.energy_j)),
        greedy_j: problem.greedy_within(limit_s).map(|(_, cost)| cost.energy_j),
        look_ahead_j: problem.look_ahead_within(limit_s).map(|(_, cost)| cost.energy_j),
        fixed_j: problem.fixed_within(limit_s).map(|fixed| fixed.cost.energy_j),
        hard_limit_j: hard_limit.map(|optimum| (optimum.cost.energy_j, optimum.bound_j)),
    })
}
