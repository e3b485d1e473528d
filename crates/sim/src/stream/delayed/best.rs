//! The best policy, by formula and by simulation.

use rayon::prelude::*;

use super::formula::means;
use super::simulation::simulate_seeds;
use super::{DelayedError, DelayedMeans, DelayedModel, DelayedPolicy};

/// A policy that was simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedPolicy {
    /// The policy.
    pub policy: DelayedPolicy,
    /// Its means by formula; `None` where there is no formula or a queue grows without end.
    pub formula: Option<DelayedMeans>,
    /// Its means by simulation, one a seed; empty where a queue is known to grow without end.
    pub per_seed: Vec<DelayedMeans>,
}

impl SimulatedPolicy {
    /// The mean over seeds of energy times response time, in joule seconds; infinite if it was not simulated.
    pub fn product_j_s(&self) -> f64 {
        if self.per_seed.is_empty() {
            return f64::INFINITY;
        }
        self.per_seed.iter().map(DelayedMeans::product_j_s).sum::<f64>() / self.per_seed.len() as f64
    }
}

/// Policies by formula beside the same policies by simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayedComparison {
    /// All policies, in the order given.
    pub policies: Vec<SimulatedPolicy>,
    /// The position of the policy with the smallest product by formula.
    pub best_by_formula: usize,
    /// The position of the policy with the smallest simulated product.
    pub best_by_simulation: usize,
    /// For each seed: how much larger the product of the formula's choice is than that of the best simulated one, as a share.
    pub loss_per_seed: Vec<f64>,
}

/// The policy with the smallest product of energy and response time by formula, and its means. Policies without a formula or
/// with a queue that grows without end are passed over.
///
/// # Errors
/// If none is left, or a number makes no sense.
pub fn best_by_formula(
    model: &DelayedModel,
    policies: &[DelayedPolicy],
) -> Result<(usize, DelayedMeans), DelayedError> {
    smallest(&formulas(model, policies)?).ok_or(DelayedError::NoStablePolicy)
}

/// Simulates all policies with the same seeds and compares the choice of the formula with that of the simulation.
///
/// # Errors
/// If there is no policy, seed or file, a number makes no sense, or a queue grows without end under every policy.
pub fn compare(
    model: &DelayedModel,
    policies: &[DelayedPolicy],
    seeds: &[u64],
    files: usize,
) -> Result<DelayedComparison, DelayedError> {
    if seeds.is_empty() {
        return Err(DelayedError::Nothing("seed"));
    }
    let formulas = formulas(model, policies)?;
    let (best_by_formula, _) = smallest(&formulas).ok_or(DelayedError::NoStablePolicy)?;
    let mut all = Vec::with_capacity(policies.len());
    for (policy, formula) in policies.iter().zip(formulas) {
        let per_seed = match simulate_seeds(model, policy, seeds, files) {
            Err(DelayedError::Queue { .. }) => Vec::new(),
            result => result?,
        };
        all.push(SimulatedPolicy { policy: *policy, formula, per_seed });
    }
    let products: Vec<f64> = all.iter().map(SimulatedPolicy::product_j_s).collect();
    let best_by_simulation =
        (0..products.len()).min_by(|a, b| products[*a].total_cmp(&products[*b])).ok_or(DelayedError::NoStablePolicy)?;
    let loss_per_seed = all[best_by_formula]
        .per_seed
        .iter()
        .zip(&all[best_by_simulation].per_seed)
        .map(|(chosen, best)| chosen.product_j_s() / best.product_j_s() - 1.0)
        .collect();
    Ok(DelayedComparison { policies: all, best_by_formula, best_by_simulation, loss_per_seed })
}

/// `None` where there is no formula, or no mean.
fn formulas(model: &DelayedModel, policies: &[DelayedPolicy]) -> Result<Vec<Option<DelayedMeans>>, DelayedError> {
    let formula = |policy: &DelayedPolicy| match means(model, policy) {
        Err(DelayedError::Queue { .. } | DelayedError::SizesNotExponential | DelayedError::OutOfRange { .. }) => {
            Ok(None)
        }
        result => result.map(Some),
    };
    policies.par_iter().map(formula).collect()
}

fn smallest(formulas: &[Option<DelayedMeans>]) -> Option<(usize, DelayedMeans)> {
    let known = formulas.iter().enumerate().filter_map(|(index, means)| means.map(|means| (index, means)));
    known.min_by(|a, b| a.1.product_j_s().total_cmp(&b.1.product_j_s()))
}
