//! `evaluate`: how good a record is, beside greedy and the exact optimum.

use data::Evaluation;
use data::StandardSet;
use model::{AnyRecord, Backend};
use sim::scheme::{Exact, Greedy, Order, Scheme};

use crate::cli::EvaluateArgs;
use crate::error::AppError;
use crate::fleets;
use crate::report;
use crate::setup;
use crate::workload_io;

pub(crate) fn run(args: &EvaluateArgs) -> Result<(), AppError> {
    if args.record.scenario.is_none() && args.workloads.is_none() {
        let backend = setup::open(&args.compute)?;
        if let AnyRecord::Fleet(record) = AnyRecord::load(&args.record.record, &backend.device)? {
            return fleets::evaluate(&record, args);
        }
    }
    let evaluations = setup::on_device(&args.compute, |backend| evaluations(args, backend))?;
    report::print_evaluations(args.format.format, &evaluations)
}

fn evaluations(args: &EvaluateArgs, backend: &Backend) -> Result<Vec<Evaluation>, AppError> {
    let (record, problem) = setup::load_record(&args.record, &backend.device)?;
    let set = match &args.workloads {
        None => problem.standard_set()?,
        Some(name) => {
            let requests = workload_io::open(name, &problem.model)?.read_all()?;
            StandardSet::new(requests.into_iter().map(|request| request.instance).collect())
        }
    };
    let mut schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(Greedy::new(Order::Given)), Box::new(Greedy::new(Order::LargestFirst))];
    schemes.extend(setup::all_policies("", &record, &problem.model, &backend.device));
    schemes.push(Box::new(Exact::new()));
    setup::evaluate_all(schemes, &set)
}
