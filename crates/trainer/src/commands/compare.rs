//! `compare`: all classic schemes, and records, on one scenario.

use model::Record;
use sim::scheme;

use crate::cli::CompareArgs;
use crate::error::AppError;
use crate::report;
use crate::setup::{self, Problem};

pub(crate) fn run(args: &CompareArgs) -> Result<(), AppError> {
    let backend = setup::open(&args.compute)?;
    let problem = Problem::load(&args.scenario.scenario)?;
    let set = problem.standard_set()?;
    let mut schemes = scheme::classic(&problem.model, args.seed.seed);
    let exact = schemes.pop();
    for path in &args.record {
        let record = Record::load(path, &backend.device)?;
        record.check_scenario(&problem.scenario, args.any_rates, path)?;
        let label = if args.record.len() > 1 { path.display().to_string() } else { String::new() };
        schemes.extend(setup::policies(&label, &record, &problem.model, &backend.device));
    }
    schemes.extend(exact);
    let evaluations = setup::evaluate_all(schemes, &problem.model, &set)?;
    report::print_evaluations(args.format.format, &evaluations)
}
