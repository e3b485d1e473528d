//! Work whose caller says, at any moment, that it should not go on.
#![expect(clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Backend, DeviceChoice};
use mrdro::{AdaptRequest, Destination, Error, FleetTraining, RunOptions, RunPlan, Target, Training, Unfinished};
use sim::SchemeError;

const SETTINGS: [&str; 9] = [
    "drl.steps=45",
    "drl.buffer=20",
    "drl.batch=8",
    "drl.report_every=10",
    "meta.outer_steps=5",
    "meta.metadata=50",
    "meta.report_every=2",
    "network.hidden=[8]",
    "network.dnns=2",
];

fn backend() -> Backend {
    DeviceChoice::Flex.open().expect("the processor")
}

fn scenario_plan() -> RunPlan {
    RunPlan::new("paper", "recommended", &SETTINGS.map(str::to_owned)).expect("valid")
}

fn fleet_plan() -> RunPlan {
    let settings = [
        "drl.steps=7",
        "drl.report_every=3",
        "drl.fleets_per_step=4",
        "drl.buffer=4",
        "network.width=4",
        "network.rounds=1",
    ];
    let training = FleetTraining::load("fleet", &settings.map(str::to_owned)).expect("valid");
    let target = Target::AnyFleet { training: Box::new(training), evaluated_fleets: 1 };
    RunPlan { target, device: "flex".to_owned(), ..scenario_plan() }
}

fn options(run: &Path) -> RunOptions {
    RunOptions { out: Some(run.to_owned()), ..RunOptions::default() }
}

/// Trains `plan` and counts the questions whether to go on.
fn whole(plan: RunPlan, run: &Path) -> usize {
    let asked = AtomicUsize::new(0);
    let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < usize::MAX;
    mrdro::train_while(plan, &options(run), &backend(), &mut (), &goes_on).expect("trains");
    asked.into_inner()
}

/// Trains `plan` and stops after a number of questions, again and again, until the run is finished. Returns where it stopped.
fn in_parts(plan: &RunPlan, run: &Path, questions: usize) -> Vec<(&'static str, usize)> {
    let (backend, mut stops) = (backend(), Vec::new());
    let part = |index: usize| {
        let asked = AtomicUsize::new(0);
        // Each part is longer, so that the run ends.
        let goes_on = move || asked.fetch_add(1, Ordering::Relaxed) < questions * (index + 1) + 2000 * index;
        if index == 0 {
            return mrdro::train_while(plan.clone(), &options(run), &backend, &mut (), &goes_on);
        }
        let unfinished = Unfinished::open(run, &mut ()).expect("its lock is free");
        unfinished.train_while(&RunOptions::default(), &backend, &mut (), &goes_on)
    };
    loop {
        match part(stops.len()) {
            Ok(_) => return stops,
            Err(Error::Stopped { phase, step, .. }) => stops.push((phase, step)),
            Err(error) => panic!("{error}"),
        }
    }
}

fn same_files(first: &Path, second: &Path) {
    for name in ["config.toml", "metrics.csv", "record/weights.bpk"] {
        let read = |run: &Path| fs::read(run.join(name)).expect("written");
        assert!(read(first) == read(second), "{name} in {} and {}", first.display(), second.display());
    }
}

#[test]
fn a_run_that_is_stopped_anywhere_is_resumed_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a place for temporary files");
    for (kind, plan) in [("scenario", scenario_plan as fn() -> RunPlan), ("fleet", fleet_plan)] {
        let uninterrupted = folder.path().join(kind);
        let asked = whole(plan(), &uninterrupted);
        let mut stops = Vec::new();
        // From the first question, in preparing, to the last, in evaluating.
        for part in 0..=4 {
            let run = folder.path().join(format!("{kind}-{part}"));
            stops.extend(in_parts(&plan(), &run, (asked - 1) * part / 4));
            same_files(&uninterrupted, &run);
            assert!(!run.join("checkpoints").exists());
        }
        let (last, steps) = if kind == "fleet" { ("fleet", 7) } else { ("drl", 45) };
        assert!(stops.iter().any(|&(_, step)| step == 0), "before the first step: {stops:?}");
        assert!(stops.contains(&(last, steps)), "after the last step: {stops:?}");
    }
}

/// Steps of training are so few among the questions that the other test hardly stops there.
#[test]
fn a_run_that_is_stopped_between_reports_is_resumed_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a place for temporary files");
    for (kind, plan, before, steps) in [
        ("scenario", scenario_plan as fn() -> RunPlan, 512 + 50, [1, 3, 5, 8, 19, 33].as_slice()),
        ("fleet", fleet_plan, 2 * 48, &[1, 2, 4]),
    ] {
        let uninterrupted = folder.path().join(kind);
        whole(plan(), &uninterrupted);
        for &step in steps {
            let run = folder.path().join(format!("{kind}-{step}"));
            let stops = in_parts(&plan(), &run, before + step);
            assert_ne!(stops[0].1 % 10, 0, "{stops:?}");
            same_files(&uninterrupted, &run);
        }
    }
}

#[test]
fn an_adaptation_stops_where_it_is() {
    let folder = tempfile::tempdir().expect("a place for temporary files");
    let record = folder.path().join("run");
    whole(scenario_plan(), &record);
    let request = AdaptRequest {
        record: record.join("record"),
        destination: Destination::Scenario("paper-wan".to_owned()),
        training: Training::preset("recommended").expect("a preset"),
        steps: vec![0, 20],
        seed: 1,
        out: Some(folder.path().join("adapted")),
    };
    let adapt = |questions: usize| {
        let asked = AtomicUsize::new(0);
        let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < questions;
        mrdro::adapt_record_while(&request, &backend(), &goes_on)
    };
    // In the optima, in adapting, in measuring the greedy rules.
    for questions in [0, 511, 512, 520, 532, 545] {
        let stopped = adapt(questions);
        assert!(matches!(stopped, Err(Error::Scheme(SchemeError::Interrupted))), "{questions}: {stopped:?}");
    }
    let adapted = adapt(usize::MAX).expect("the directory is still empty");
    assert_eq!(adapted.points.iter().map(|point| point.step).collect::<Vec<_>>(), [0, 20]);
}
