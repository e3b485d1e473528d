//! Schemes measured on one set of workloads, and records as schemes.

use std::path::Path;

use burn::tensor::Device;
use data::{Evaluation, StandardSet};
use model::Record;
use sim::scheme::{self, Exact, Greedy, Order, Scheme};
use sim::{CostModel, SchemeError};

use crate::error::Error;
use crate::problem::Problem;

/// How schemes did on one set of workloads.
#[derive(Debug, Default)]
pub struct Comparison {
    /// One for each scheme, in the order in which they were given.
    pub evaluations: Vec<Evaluation>,
    /// The schemes that refused the size of the scenario, each with its reason.
    pub left_out: Vec<(String, SchemeError)>,
}

/// Evaluates schemes one after the other, so that none disturbs another's time.
///
/// # Errors
/// If a scheme fails for another reason than the scenario's size.
pub fn evaluate_all(schemes: Vec<Box<dyn Scheme>>, set: &StandardSet) -> Result<Comparison, Error> {
    let mut comparison = Comparison::default();
    for mut scheme in schemes {
        match data::evaluate(&mut *scheme, set) {
            Ok(evaluation) => comparison.evaluations.push(evaluation),
            Err(error @ (SchemeError::TooLarge { .. } | SchemeError::NotProved { .. })) => {
                comparison.left_out.push((scheme.name().to_owned(), error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(comparison)
}

/// The networks of a record as schemes, in every way of deciding that comparisons show. The label, if there is one, tells
/// several records apart.
///
/// # Panics
/// If the record is not for the scenario of `model`, see [`Record::check_scenario`].
pub fn schemes_of(record: &Record, label: &str, model: &CostModel, device: &Device) -> Vec<Box<dyn Scheme>> {
    let scheme = |(name, options): (String, _)| {
        let name = if label.is_empty() { name } else { format!("{name} {label}") };
        record.networks.scheme(&name, model, &options, device)
    };
    record.networks.compared().into_iter().map(scheme).collect()
}

/// The classic schemes and those of some records, the exact optimum last. With several records each is labelled.
///
/// # Panics
/// As [`schemes_of`].
pub fn with_classic(
    records: &[(String, Record)],
    model: &CostModel,
    seed: u64,
    device: &Device,
) -> Vec<Box<dyn Scheme>> {
    let mut schemes = scheme::classic(model, seed);
    let exact = schemes.pop();
    for (name, record) in records {
        let label = if records.len() > 1 { name } else { "" };
        schemes.extend(schemes_of(record, label, model, device));
    }
    schemes.extend(exact);
    schemes
}

/// The schemes of a record between two greedy rules and the exact optimum.
///
/// # Panics
/// As [`schemes_of`].
pub fn with_greedy_and_exact(record: &Record, model: &CostModel, device: &Device) -> Vec<Box<dyn Scheme>> {
    let mut schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(Greedy::new(Order::Given)), Box::new(Greedy::new(Order::LargestFirst))];
    schemes.extend(schemes_of(record, "", model, device));
    schemes.push(Box::new(Exact::new()));
    schemes
}

/// Loads a record with what it decides about: the scenario that is named, else the record's own.
///
/// # Errors
/// If the record or the scenario cannot be loaded, the record is for another scenario (other rates are accepted only if
/// `any_rates`), or it has no scenario of its own and none is named.
pub fn load_record(
    path: &Path,
    scenario: Option<&str>,
    any_rates: bool,
    device: &Device,
) -> Result<(Record, Problem), Error> {
    let record = Record::load(path, device)?;
    let problem = match (scenario, record.networks.scenario()) {
        (Some(name), _) => Problem::load(name)?,
        (None, Some(own)) => Problem::new(own.clone())?,
        (None, None) => return Err(Error::NoScenario { path: path.to_owned() }),
    };
    record.check_scenario(&problem.scenario, any_rates || scenario.is_none(), path)?;
    Ok((record, problem))
}
