//! Shares of missed deadlines in `metrics.csv` of a run that is stopped and resumed.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use mrdro::{CheckpointInterval, Error, Progress, RunOptions, RunPlan};

const SETTINGS: [&str; 8] = [
    "drl.steps=40",
    "drl.buffer=20",
    "drl.batch=8",
    "drl.report_every=10",
    "meta.outer_steps=5",
    "meta.metadata=50",
    "meta.report_every=1",
    "network.hidden=[8]",
];

fn options(run: &Path) -> RunOptions {
    RunOptions { out: Some(run.to_owned()), checkpoints: Some(CheckpointInterval::default()), ..RunOptions::default() }
}

#[test]
fn a_resumed_run_keeps_the_shares_of_missed_deadlines() {
    let folder = tempfile::tempdir().expect("a place for temporary files");
    let scenario = folder.path().join("late.toml");
    let text = sim::Scenario::preset_text("paper").expect("a preset");
    fs::write(&scenario, text.replacen("[tasks]\n", "[tasks]\ndeadline_s = 50\n", 1)).expect("writable");
    let settings = SETTINGS.map(str::to_owned);
    let backend = model::DeviceChoice::Auto.open().expect("a device");
    let plan = || RunPlan::new(scenario.to_str().expect("a plain path"), "recommended", &settings).expect("valid");
    let whole = folder.path().join("whole");
    mrdro::train(plan(), &options(&whole), &backend, &mut ()).expect("trains");
    let stopped = folder.path().join("stopped");
    let mut shares = Vec::new();
    let mut stop = |progress: &Progress| {
        shares.push(progress.share_of_missed_deadlines);
        if shares.len() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = mrdro::train(plan(), &options(&stopped), &backend, &mut stop).expect_err("it is stopped");
    assert!(matches!(error, Error::Stopped { step: 20, .. }), "{error}");
    assert!(shares.iter().all(Option::is_some), "{shares:?}");
    mrdro::resume(&stopped, &RunOptions::default(), &mut ()).expect("resumes");
    let metrics = |run: &Path| fs::read_to_string(run.join("metrics.csv")).expect("a run has metrics");
    assert_eq!(metrics(&whole), metrics(&stopped));
    let rows = mrdro::metrics::read(&stopped).expect("readable");
    assert_eq!(rows.iter().take(7).map(|row| row.share_of_missed_deadlines).collect::<Vec<_>>(), shares);
}
