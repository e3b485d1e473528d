//! Trains networks for a scenario, prints the progress, and prints how good they are.
//!
//! ```sh
//! cargo run -p mrdro --example train
//! ```

use std::ops::ControlFlow;

use mrdro::prelude::*;
use mrdro::{Progress, Results};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = DeviceChoice::Auto.open()?;
    // Every setting of training can be changed, as with the option `--set` of the program.
    let settings = ["drl.steps=3000".to_owned(), "meta.outer_steps=200".to_owned()];
    let plan = RunPlan::new("paper-wan", "recommended", &settings)?.with_seed(7);

    let folder = tempfile::tempdir()?;
    let options = RunOptions { out: Some(folder.path().join("run")), ..RunOptions::default() };
    let mut watch = |progress: &Progress| {
        println!("{} step {} of {}: Q2 {:?}", progress.phase, progress.step, progress.steps, progress.q2);
        ControlFlow::Continue(()) // ControlFlow::Break(()) would stop the run, which `mrdro::resume` continues
    };
    let trained = mrdro::train(plan, &options, &backend, &mut watch)?;

    if let Results::Scenario(results) = &trained.results {
        for row in &results.evaluations {
            println!("{:24} Q2 {:.5}", row.scheme, row.q2.unwrap_or(f64::NAN));
        }
    }
    println!("the record is in {}", trained.directory.join("record").display());
    Ok(())
}
