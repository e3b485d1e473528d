//! `reproduce`: the paper's evaluation (section V), and questions that it leaves open.

use study::{Reproduction, ReproductionRequest, RunsToDo};

use crate::cli::ReproduceArgs;
use crate::device;
use crate::error::CliError;
use crate::output::{note, note_left_out};
use crate::progress::Progress;

pub(crate) fn run(args: &ReproduceArgs) -> Result<(), CliError> {
    let reproduction = Reproduction::new(request(args)?)?;
    let backend = device::open(&args.compute)?;
    let RunsToDo { count, open } = reproduction.runs(&backend)?;
    note(&format!("{count} runs, {} to do", open.len()));
    let progress = Progress::new("runs", open.len());
    mrdro::train_each(&open, reproduction.out(), &backend, &|done| progress.done(done))?;
    drop(progress);
    let report = reproduction.write()?;
    note_left_out(&report.left_out);
    note(&format!("written: {}", report.path.display()));
    Ok(())
}

fn request(args: &ReproduceArgs) -> Result<ReproductionRequest, CliError> {
    Ok(ReproductionRequest {
        parts: args.only.iter().map(|part| part.parse()).collect::<Result<_, study::Error>>()?,
        quick: args.quick,
        scenarios: args.scenario.clone(),
        trainings: args.training.clone(),
        seeds: args.seeds.clone(),
        out: args.out.clone(),
    })
}
