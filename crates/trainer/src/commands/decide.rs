//! `decide` and `solve`: workloads in, decisions out, with uplinks if bandwidth is to be shared out.

use model::fleet::{Effort, FleetPolicy};
use model::{AnyRecord, Policy, Selection};
use sim::scheme;

use crate::cli::{DecideArgs, SolveArgs};
use crate::error::AppError;
use crate::setup::{self, Problem};
use crate::share_out;
use crate::workload_io;

pub(crate) fn decide(args: &DecideArgs) -> Result<(), AppError> {
    setup::on_device(&args.compute, |backend| {
        let (record, problem) = setup::load_record(&args.record, &backend.device)?;
        setup::check_options(&record, args.explore, &args.effort)?;
        let record = match record {
            AnyRecord::Dnns(record) => record,
            AnyRecord::Fleet(record) => {
                let effort = args.effort.effort().unwrap_or(Effort::Passes);
                let mut policy = FleetPolicy::new("mr-dro-fleet", &record.ensemble, effort);
                return workload_io::answer(&args.workloads, &mut policy, &problem.model, args.share_out.total);
            }
        };
        if args.share_out.total.is_some() {
            share_out::note_blind(&args.record.record, &record);
        }
        let selection = args.explore.map_or(record.selection, Selection::explored);
        let codec = record.codec(&problem.model);
        let mut policy = Policy::new("mr-dro", &record.ensemble, codec, selection, &backend.device);
        workload_io::answer(&args.workloads, &mut policy, &problem.model, args.share_out.total)
    })
}

pub(crate) fn solve(args: &SolveArgs) -> Result<(), AppError> {
    setup::start_threads(&args.threads)?;
    let problem = Problem::load(&args.scenario.scenario)?;
    let mut scheme = scheme::by_name(&args.scheme, &problem.model, args.seed.seed)?;
    workload_io::answer(&args.workloads, &mut *scheme, &problem.model, args.share_out.total)
}
