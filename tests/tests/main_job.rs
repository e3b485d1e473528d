//! Training from the command line: what it writes, what it prints, and what can be done with the result.

use std::fs;

use acceptance::{Said, TINY, Workshop, shared_run};
use model::{DeviceChoice, DnnNetworks, Record};
use serde_json::Value;

/// Names of what every comparison says about a scheme.
const EVALUATION_FIELDS: [&str; 8] = [
    "scheme",
    "mean_energy_j",
    "mean_time_s",
    "mean_cost",
    "q2",
    "q2_p05",
    "evaluations_per_decision",
    "seconds_per_decision",
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// Q2 of a scheme among evaluations.
fn q2(evaluations: &Value, scheme: &str) -> f64 {
    let rows = evaluations.as_array().expect("evaluations are a list");
    let row = rows.iter().find(|row| row["scheme"] == scheme).unwrap_or_else(|| panic!("{scheme} is not in {rows:?}"));
    row["q2"].as_f64().expect("the optimum of the preset is known")
}

/// Rows of `metrics.csv`, each split into its cells.
fn metrics(workshop: &Workshop, run: &str) -> Vec<Vec<String>> {
    let text = workshop.text(&format!("{run}/metrics.csv"));
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn training_writes_a_whole_run_directory_and_nothing_else() {
    let workshop = Workshop::new();
    workshop.train("run", &[]).succeeded();
    let files: Vec<String> = workshop.files().into_keys().collect();
    let expected = [
        "run/config.toml",
        "run/curves.svg",
        "run/metrics.csv",
        "run/record/manifest.toml",
        "run/record/weights.bpk",
        "run/results.csv",
        "run/results.json",
    ];
    assert_eq!(files, expected);
    assert!(workshop.text("run/curves.svg").contains("</svg>"));
}

#[test]
fn training_is_what_happens_without_a_command() {
    let workshop = Workshop::new();
    workshop.train("with", &["--seed", "4"]).succeeded();
    workshop.trainer(&[&["train"][..], &TINY, &["--out", "without", "--seed", "4"]].concat()).succeeded();
    assert_eq!(workshop.text("with/metrics.csv"), workshop.text("without/metrics.csv"));
}

#[test]
fn runs_without_a_named_directory_get_one_each_under_runs() {
    let workshop = Workshop::new();
    for _ in 0..2 {
        workshop.trainer(&TINY).succeeded();
    }
    let runs = fs::read_dir(workshop.path("runs")).expect("two runs are there");
    let mut names: Vec<_> = runs.map(|run| run.expect("readable").file_name().into_string().expect("plain")).collect();
    names.sort();
    assert_eq!(names, ["paper-recommended-seed1", "paper-recommended-seed1-2"]);
}

#[test]
fn the_table_names_greedy_the_networks_and_the_exact_optimum() {
    let workshop = Workshop::new();
    let said = workshop.train("run", &[]).succeeded();
    for scheme in ["local-only", "edge-only", "cloud-only", "greedy", "genetic", "mr-dro", "exact"] {
        assert!(said.lines().iter().any(|line| line.split_whitespace().any(|cell| cell == scheme)), "{scheme}\n{said}");
    }
}

#[test]
fn standard_output_holds_only_results_and_standard_error_shows_no_bar() {
    let workshop = Workshop::new();
    let Said { stdout, stderr, .. } = workshop.train("run", &["--format", "csv"]).succeeded();
    assert!(stdout.starts_with("scheme,mean_energy_j,"), "{stdout}");
    assert!(stdout.lines().all(|line| line.split(',').count() == EVALUATION_FIELDS.len()), "{stdout}");
    assert!(stderr.contains("run"), "where the run was written is not said: {stderr}");
    for drawing in ["\r", "\u{1b}", "steps/s", "█"] {
        assert!(!stderr.contains(drawing), "a bar was drawn where no terminal is: {stderr}");
    }
}

#[test]
fn json_and_csv_carry_the_same_stable_names() {
    let workshop = Workshop::new();
    let said = workshop.train("json", &["--format", "json"]).succeeded();
    let printed = json(&said.stdout);
    let result = printed.get(0).unwrap_or(&printed);
    for name in ["scenario", "training", "seed", "device", "threads", "meta_seconds", "drl_seconds", "q2_start"] {
        assert!(result.get(name).is_some(), "{name} is not in {printed}");
    }
    assert_eq!((&result["scenario"], &result["seed"]), (&"paper".into(), &1.into()));
    let evaluations = result["evaluations"].as_array().expect("one for each scheme");
    for evaluation in evaluations {
        let names: Vec<_> = evaluation.as_object().expect("an object").keys().map(String::as_str).collect();
        assert!(EVALUATION_FIELDS.iter().all(|name| names.contains(name)), "{names:?}");
    }
    assert!((q2(&result["evaluations"], "exact") - 1.0).abs() < 1e-9);

    let csv = workshop.train("csv", &["--format", "csv"]).succeeded();
    assert_eq!(csv.lines()[0], EVALUATION_FIELDS.join(","));
    assert_eq!(csv.lines().len(), 1 + evaluations.len());
    assert_eq!(csv.lines()[0], workshop.text("csv/results.csv").lines().next().expect("a header"));
}

#[test]
fn results_on_disk_are_those_that_were_printed() {
    let workshop = Workshop::new();
    let said = workshop.train("run", &["--format", "json"]).succeeded();
    let printed = json(&said.stdout);
    let written = json(&workshop.text("run/results.json"));
    assert_eq!(printed.get(0).unwrap_or(&printed), &written);
}

#[test]
fn metrics_follow_both_algorithms_step_by_step() {
    let run = shared_run();
    let rows = metrics(&run, "run");
    assert_eq!(rows[0], ["phase", "step", "loss", "q1", "q2", "buffer_mean_cost"]);
    let steps: Vec<_> = rows[1..].iter().map(|row| format!("{} {}", row[0], row[1])).collect();
    let expected = ["meta 1", "meta 2", "meta 3", "meta 4", "meta 5", "drl 10", "drl 20", "drl 30", "drl 40"];
    assert_eq!(steps, expected);
    assert!(rows[1..].iter().all(|row| row[4].parse::<f64>().is_ok_and(|q2| q2 > 0.0 && q2 <= 1.0)), "{rows:?}");
}

#[test]
fn the_configuration_is_written_as_resolved() {
    let text = shared_run().text("run/config.toml");
    for line in ["seed = 1", "hidden = [8]", "steps = 40", "labels = \"local-search\"", "uplink_mbps = 500.0"] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn the_record_loads_and_says_how_it_was_made() {
    let run = shared_run();
    let device = DeviceChoice::Auto.open().expect("the CPU is always there").device;
    let record = Record::load(&run.path("run/record"), &device).expect("the program wrote it");
    let networks: &DnnNetworks = record.networks_of("DNNs", &run.path("run/record")).expect("of DNNs");
    assert_eq!(networks.ensemble.shape().hidden, [8]);
    assert_eq!((networks.ensemble.networks(), networks.scenario.name.as_str()), (8, "paper"));
    assert_eq!(record.provenance.get("seed").map(String::as_str), Some("1"));
    assert!(record.provenance["command"].contains("--set drl.steps=40"), "{:?}", record.provenance);
    let results = json(&run.text("run/results.json"));
    let measured = record.measures.get("q2_mr_dro").expect("the record's own quality");
    assert!((measured - q2(&results["evaluations"], "mr-dro")).abs() < 1e-12);
}

#[test]
fn meta_stops_before_reinforcement() {
    let workshop = Workshop::new();
    workshop.trainer(&[&["meta"][..], &TINY, &["--out", "first"]].concat()).succeeded();
    let rows = metrics(&workshop, "first");
    assert!(rows.len() > 1 && rows[1..].iter().all(|row| row[0] == "meta"), "{rows:?}");
    workshop.trainer(&["evaluate", "--record", "first/record"]).succeeded();
}

#[test]
fn a_start_from_a_record_skips_meta_and_begins_with_its_networks() {
    let run = shared_run();
    let workshop = Workshop::new();
    let start = run.path("run/record");
    let start = start.to_str().expect("a plain path");
    workshop.train("next", &["--start", start, "--set", "network.hidden=[5]"]).succeeded();
    assert!(metrics(&workshop, "next")[1..].iter().all(|row| row[0] == "drl"));
    let before = json(&run.text("run/results.json"));
    let after = json(&workshop.text("next/results.json"));
    let (left, found) = (q2(&before["evaluations"], "mr-dro"), after["q2_start"].as_f64().expect("known"));
    assert!((left - found).abs() < 1e-12, "the first run ended with {left}, the next began with {found}");
}

#[test]
fn evaluate_and_compare_find_what_training_found() {
    let run = shared_run();
    let results = json(&run.text("run/results.json"));
    let record = ["--record", "run/record", "--format", "json"];
    for command in ["evaluate", "compare"] {
        let said = run.trainer(&[&[command][..], &record].concat()).succeeded();
        let evaluations = json(&said.stdout);
        for scheme in ["greedy", "mr-dro", "exact"] {
            let (now, then) = (q2(&evaluations, scheme), q2(&results["evaluations"], scheme));
            assert!((now - then).abs() < 1e-12, "{command}: {scheme} has {now}, in training it had {then}");
        }
    }
}

#[test]
fn evaluate_takes_workloads_of_ones_own() {
    let run = shared_run();
    let line = "{\"tasks_mb\": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}\n";
    let said =
        run.trainer_reading(line, &["evaluate", "--record", "run/record", "--workloads", "-", "--format", "json"]);
    let evaluations = json(&said.succeeded().stdout);
    assert!((q2(&evaluations, "exact") - 1.0).abs() < 1e-12 && q2(&evaluations, "mr-dro") > 0.5, "{evaluations}");
}

#[test]
fn compare_tells_several_records_apart() {
    let run = shared_run();
    let both = ["compare", "--record", "run/record", "--record", "./run/record", "--format", "json"];
    let evaluations = json(&run.trainer(&both).succeeded().stdout);
    assert!((q2(&evaluations, "mr-dro run/record") - q2(&evaluations, "mr-dro ./run/record")).abs() < 1e-12);
}
