//! `decide` and `solve`: workloads in, decisions out.

use model::fleet::{Effort, FleetPolicy};
use model::{AnyRecord, Policy, Selection};
use sim::scheme;

use crate::cli::{DecideArgs, EffortArgs, SolveArgs};
use crate::error::AppError;
use crate::setup::{self, Problem};
use crate::workload_io;

pub(crate) fn decide(args: &DecideArgs) -> Result<(), AppError> {
    setup::on_device(&args.compute, |backend| {
        let (record, problem) = setup::load_record(&args.record, &backend.device)?;
        let record = match record {
            AnyRecord::Dnns(record) => record,
            AnyRecord::Fleet(record) => {
                if args.explore.is_some() {
                    return Err(AppError::OtherRecord { option: "--explore", wanted: "DNNs for one scenario" });
                }
                let mut policy = FleetPolicy::new("mr-dro-fleet", &record.ensemble, effort(&args.effort));
                return workload_io::answer_all(&args.workloads, &mut policy, &problem.model);
            }
        };
        if args.effort.budget.is_some() || args.effort.search_free {
            let option = if args.effort.search_free { "--search-free" } else { "--budget" };
            return Err(AppError::OtherRecord { option, wanted: "networks for any fleet" });
        }
        let selection = args.explore.map_or(record.selection, Selection::explored);
        let codec = record.codec(&problem.model);
        let mut policy = Policy::new("mr-dro", &record.ensemble, codec, selection, &backend.device);
        workload_io::answer_all(&args.workloads, &mut policy, &problem.model)
    })
}

pub(crate) fn solve(args: &SolveArgs) -> Result<(), AppError> {
    setup::start_threads(&args.threads)?;
    let problem = Problem::load(&args.scenario.scenario)?;
    let mut scheme = scheme::by_name(&args.scheme, &problem.model, args.seed.seed)?;
    workload_io::answer_all(&args.workloads, &mut *scheme, &problem.model)
}

fn effort(args: &EffortArgs) -> Effort {
    match args.budget {
        Some(per_task) => Effort::Within(per_task),
        None if args.search_free => Effort::SearchFree,
        None => Effort::Passes,
    }
}
