//! Equal seeds give equal bytes, with any number of threads.

use std::fmt::Write as _;

use acceptance::{Said, Workshop};

/// Files of a run that contain no times.
const REPEATABLE: [&str; 3] = ["metrics.csv", "record/manifest.toml", "record/weights.bpk"];

/// Asserts that two runs wrote the same bytes.
#[track_caller]
fn assert_same(workshop: &Workshop, first: &str, second: &str) {
    for file in REPEATABLE {
        let [first, second] = [first, second].map(|run| workshop.read(&format!("{run}/{file}")));
        assert!(first == second, "{file} differs");
    }
}

#[test]
fn equal_seeds_write_equal_bytes() {
    let workshop = Workshop::new();
    workshop.train("first", &["--seed", "7"]).succeeded();
    workshop.train("second", &["--seed", "7"]).succeeded();
    assert_same(&workshop, "first", "second");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let workshop = Workshop::new();
    for threads in ["1", "2", "3"] {
        workshop.train(threads, &["--threads", threads]).succeeded();
    }
    assert_same(&workshop, "1", "2");
    assert_same(&workshop, "1", "3");
}

#[test]
fn the_printed_algorithm_repeats_itself_too() {
    let workshop = Workshop::new();
    let paper = ["--training", "paper", "--scenario", "paper-wan"];
    workshop.train("first", &[&paper[..], &["--threads", "1"]].concat()).succeeded();
    workshop.train("second", &[&paper[..], &["--threads", "2"]].concat()).succeeded();
    assert_same(&workshop, "first", "second");
}

#[test]
fn another_seed_trains_other_networks() {
    let workshop = Workshop::new();
    workshop.train("first", &["--seed", "1"]).succeeded();
    workshop.train("second", &["--seed", "2"]).succeeded();
    for file in REPEATABLE {
        assert_ne!(workshop.read(&format!("first/{file}")), workshop.read(&format!("second/{file}")), "{file}");
    }
}

#[test]
fn the_standard_set_is_the_same_for_every_seed() {
    let workshop = Workshop::new();
    let greedy = |seed: &str| {
        let said = workshop.trainer(&["compare", "--seed", seed, "--format", "csv"]).succeeded();
        let row = said.lines().into_iter().find(|line| line.starts_with("greedy,")).expect("greedy is always there");
        // The last column is a time.
        row.rsplit_once(',').expect("a row of several columns").0.to_owned()
    };
    assert_eq!(greedy("1"), greedy("2"));
}

#[test]
fn schemes_that_draw_numbers_repeat_themselves() {
    let workshop = Workshop::new();
    let workload = "{\"tasks_mb\": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}\n".repeat(3);
    for scheme in ["random", "genetic"] {
        let solve = |seed: &str, threads: &str| {
            let arguments = ["solve", "--scheme", scheme, "--seed", seed, "--threads", threads];
            let Said { stdout, .. } = workshop.trainer_reading(workload.clone(), &arguments).succeeded();
            stdout
        };
        assert_eq!(solve("1", "1"), solve("1", "2"), "{scheme}");
    }
}

#[test]
fn decisions_of_a_record_do_not_depend_on_threads() {
    let run = acceptance::shared_run();
    let workloads = (1..100).fold(String::new(), |mut lines, size| {
        let _ = writeln!(lines, "{{\"tasks_mb\": [[{size}, 25.5, 18], [10, {size}, 30], [11, 12, {size}]]}}");
        lines
    });
    let decide = |threads: &str| {
        let arguments = ["decide", "--record", "run/record", "--explore", "4", "--threads", threads];
        run.trainer_reading(workloads.clone(), &arguments).succeeded().stdout
    };
    assert_eq!(decide("1"), decide("2"));
}
