//! `adaptation-study`: which method follows a changing network best, on recorded uplinks.

use study::{AdaptationRequest, AdaptationStudy};

use crate::cli::AdaptationStudyArgs;
use crate::device;
use crate::error::CliError;
use crate::output::{note, print, table};
use crate::progress::Progress;

pub(crate) fn run(args: &AdaptationStudyArgs) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    let progress = Progress::spinner("reading the recordings");
    let study = AdaptationStudy::prepare(request(args))?;
    drop(progress);
    study.notes().iter().for_each(|text| note(&format!("note: {text}")));
    let progress = Progress::new("settings", study.candidates());
    let settings = study.choose_settings(&|done| progress.done(done))?;
    drop(progress);
    let seeds = study.seed_runs(settings)?;
    note(&format!("{} seeds, {} to do", seeds.count(), seeds.open()));
    let progress = Progress::new("seeds", seeds.open());
    seeds.run(&|done| progress.done(done))?;
    drop(progress);
    let progress = Progress::spinner("writing the report");
    let report = seeds.write()?;
    drop(progress);
    print(args.format.format, &report.summary, || {
        let header: Vec<&str> = report.table[0].iter().map(String::as_str).collect();
        table(&header, report.table[1..].to_vec())
    })?;
    note(&format!("\n{}\nwritten: {}", report.verdict, report.path.display()));
    Ok(())
}

fn request(args: &AdaptationStudyArgs) -> AdaptationRequest {
    AdaptationRequest {
        traces: args.traces.clone(),
        read: args.read.options(),
        split: args.split.clone(),
        leave_out: args.leave_out.clone(),
        test: args.test.clone(),
        scenario: args.scenario.clone(),
        window_s: args.window.seconds,
        seeds: args.seeds.clone(),
        quick: args.quick,
        out: args.out.clone(),
    }
}
