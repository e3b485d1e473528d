//! `compare`: all classic schemes, and records, on one scenario.

use model::{AnyRecord, Backend};
use sim::metrics::Evaluation;
use sim::scheme;

use crate::cli::CompareArgs;
use crate::error::AppError;
use crate::report;
use crate::setup::{self, Problem};

pub(crate) fn run(args: &CompareArgs) -> Result<(), AppError> {
    let evaluations = setup::on_device(&args.compute, |backend| evaluations(args, backend))?;
    report::print_evaluations(args.format.format, &evaluations)
}

fn evaluations(args: &CompareArgs, backend: &Backend) -> Result<Vec<Evaluation>, AppError> {
    let problem = Problem::load(&args.scenario.scenario)?;
    let set = problem.standard_set()?;
    let mut schemes = scheme::classic(&problem.model, args.seed.seed);
    let exact = schemes.pop();
    for path in &args.record {
        let record = AnyRecord::load(path, &backend.device)?;
        if let AnyRecord::Dnns(record) = &record {
            record.check_scenario(&problem.scenario, args.any_rates, path)?;
        }
        let label = if args.record.len() > 1 { path.display().to_string() } else { String::new() };
        schemes.extend(setup::all_policies(&label, &record, &problem.model, &backend.device));
    }
    schemes.extend(exact);
    setup::evaluate_all(schemes, &problem.model, &set)
}
