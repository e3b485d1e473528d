//! Schemes: everything that decides. Networks go through the same trait as greedy rules and the exact optimum, so
//! that every comparison runs the same code.
//!
//! A new scheme is one file here and one line in [`classic`].

mod annealing;
mod brute_force;
mod exact;
mod fixed;
mod genetic;
mod greedy;
mod load;
mod local_search;
mod random;

pub use annealing::Annealing;
pub use brute_force::BruteForce;
pub use exact::{Bounds, Exact};
pub use fixed::{BestMix, Fixed};
pub use genetic::{Genetic, GeneticSettings};
pub use greedy::{Greedy, Order};
pub use local_search::{LocalSearch, gains, improve_within};
pub use random::Random;

use crate::cost::CostModel;
use crate::decision::{Decision, Placement};
use crate::error::SchemeError;
use crate::workload::Workload;

/// A decision and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// **X**.
    pub decision: Decision,
    /// How often the cost model was asked for a price, of a whole decision or of one device's part, complete or not.
    pub evaluations: u64,
}

/// Anything that decides.
pub trait Scheme: Send {
    /// Name in tables, results and on the command line.
    fn name(&self) -> &str;

    /// Decides one workload. The same workload gets the same decision, whatever was decided before.
    ///
    /// # Errors
    /// If the scheme cannot decide this workload.
    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError>;

    /// Decides many workloads; overridden where that is faster than one by one.
    ///
    /// # Errors
    /// If the scheme cannot decide one of them.
    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        workloads.iter().map(|workload| self.decide(model, workload)).collect()
    }
}

/// All classic schemes for a scenario, in the order of the paper's Table IV, the exact optimum last; annealing among them
/// where devices share something.
///
/// `seed` is for those that draw random numbers.
pub fn classic(model: &CostModel, seed: u64) -> Vec<Box<dyn Scheme>> {
    let servers = || (1..model.places()).map(|place| Placement::from_index(place as u8));
    let mut schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(Random::new(seed)), Box::new(Fixed::new(model, Placement::Local))];
    for server in servers() {
        schemes.push(Box::new(Fixed::new(model, server)));
    }
    for server in servers() {
        schemes.push(Box::new(BestMix::new(model, &[Placement::Local, server])));
    }
    schemes.push(Box::new(Greedy::new(Order::Given)));
    schemes.push(Box::new(Greedy::new(Order::LargestFirst)));
    schemes.push(Box::new(LocalSearch::new()));
    if !model.is_separable() {
        schemes.push(Box::new(Annealing::new(seed, ANNEALING_EVALUATIONS)));
    }
    schemes.push(Box::new(Genetic::new(seed, GeneticSettings::default())));
    schemes.push(Box::new(Exact::new()));
    schemes
}

/// Prices that annealing asks for each task where nothing else is said.
const ANNEALING_EVALUATIONS: u64 = 100;

/// The scheme of that name: a classic one, `annealing`, or one with a budget. `local-search@16`, `annealing@16` and
/// `genetic@16` ask for at most 16 prices a task, those of the greedy decision that the first two start from included.
///
/// # Errors
/// If there is none for this scenario.
pub fn by_name(name: &str, model: &CostModel, seed: u64) -> Result<Box<dyn Scheme>, SchemeError> {
    if let Some((scheme, budget)) = name.split_once('@') {
        if let Some(per_task) = budget.parse().ok().filter(|per_task| *per_task > 0) {
            match scheme {
                "local-search" => return Ok(Box::new(LocalSearch::within(per_task))),
                "annealing" => return Ok(Box::new(Annealing::within(seed, per_task))),
                "genetic" => return Ok(Box::new(Genetic::within(seed, per_task))),
                _ => {}
            }
        }
    } else if name == "annealing" {
        return Ok(Box::new(Annealing::new(seed, ANNEALING_EVALUATIONS)));
    }
    let mut schemes = classic(model, seed);
    if let Some(position) = schemes.iter().position(|scheme| scheme.name() == name) {
        return Ok(schemes.swap_remove(position));
    }
    let mut known: Vec<_> = schemes.iter().map(|scheme| scheme.name()).filter(|name| *name != "annealing").collect();
    known.push("annealing");
    let known = known.join(", ");
    Err(SchemeError::Unknown { name: name.to_owned(), known })
}
