//! Comparison of schemes on one set of workloads, and the schemes that a record brings.

use std::path::Path;

use burn::tensor::Device;
use data::{Evaluation, StandardSet};
use model::Record;
use sim::scheme::{self, Exact, GoesOn, Greedy, Interruptible, Order, Scheme};
use sim::{CostModel, SchemeError};

use crate::error::Error;
use crate::problem::Problem;

/// The evaluations of several schemes on one set of workloads.
#[derive(Debug, Default)]
pub struct Comparison {
    /// One evaluation for each scheme, in the order in which the schemes were given.
    pub evaluations: Vec<Evaluation>,
    /// The names of the schemes that cannot decide a scenario of this size, each with its error.
    pub left_out: Vec<(String, SchemeError)>,
}

/// Evaluates schemes one after the other, so that their times are comparable.
///
/// # Errors
/// If a scheme fails for another reason than the size of the scenario.
pub fn evaluate_all(schemes: Vec<Box<dyn Scheme>>, set: &StandardSet) -> Result<Comparison, Error> {
    evaluate_all_while(schemes, set, &|| true)
}

/// [`evaluate_all`] as long as `goes_on`.
///
/// # Errors
/// As [`evaluate_all`], and [`SchemeError::Interrupted`] if `goes_on` says no.
pub(crate) fn evaluate_all_while(
    schemes: Vec<Box<dyn Scheme>>,
    set: &StandardSet,
    goes_on: &GoesOn<'_>,
) -> Result<Comparison, Error> {
    let mut comparison = Comparison::default();
    for mut scheme in schemes {
        match data::evaluate(&mut Interruptible::new(&mut *scheme, goes_on), set) {
            Ok(evaluation) => comparison.evaluations.push(evaluation),
            Err(error @ (SchemeError::TooLarge { .. } | SchemeError::NotProved { .. })) => {
                comparison.left_out.push((scheme.name().to_owned(), error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(comparison)
}

/// The schemes of a record, one for each way in which its networks can decide that comparisons show. A `label` is appended to
/// their names; it is empty, or distinguishes several records.
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

/// The classic schemes and the schemes of some records, the exact search last. `records` are pairs of a label and a record;
/// labels are used only if there are several records. `seed` is for the random schemes.
///
/// # Panics
/// If a record is not for the scenario of `model`, see [`Record::check_scenario`].
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

/// Two greedy rules, the schemes of a record, and the exact search, in this order.
///
/// # Panics
/// If the record is not for the scenario of `model`, see [`Record::check_scenario`].
pub fn with_greedy_and_exact(record: &Record, model: &CostModel, device: &Device) -> Vec<Box<dyn Scheme>> {
    let mut schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(Greedy::new(Order::Given)), Box::new(Greedy::new(Order::LargestFirst))];
    schemes.extend(schemes_of(record, "", model, device));
    schemes.push(Box::new(Exact::new()));
    schemes
}

/// Loads a record together with the scenario to decide for: the one called `scenario` (a shipped name or a TOML file), else
/// the record's own. A record for one scenario accepts a scenario of the same fleet; one with other rates or another α only
/// if `any_rates`.
///
/// # Errors
/// If the record or the scenario cannot be loaded, the record is for another scenario, or the record is for any fleet and
/// `scenario` is `None`.
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
