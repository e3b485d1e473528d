//! The targets of the project: quality and time of the default runs, and of the shipped records.

use std::time::Instant;

use acceptance::Workshop;
use serde_json::Value;

/// What a command printed with `--format json`.
fn json(arguments: &[&str]) -> Value {
    let workshop = Workshop::new();
    let said = workshop.trainer(&[arguments, &["--format", "json"]].concat()).succeeded();
    serde_json::from_str(&said.stdout).expect("JSON was asked for")
}

/// One number of one scheme among evaluations.
fn of(evaluations: &Value, scheme: &str, field: &str) -> f64 {
    let rows = evaluations.as_array().expect("one row for each scheme");
    let row = rows.iter().find(|row| row["scheme"] == scheme).expect("every scheme has a row");
    row[field].as_f64().expect("the optimum is known")
}

fn trained(arguments: &[&str]) -> Value {
    json(&[&["train", "--out", "run"], arguments].concat())
}

#[test]
fn the_default_run_is_near_optimal_and_quick() {
    acceptance::program();
    let start = Instant::now();
    let results = trained(&[]);
    assert!(start.elapsed().as_secs() < 90, "{:?}", start.elapsed());
    assert!(of(&results["evaluations"], "mr-dro", "q2") >= 0.9995);
    assert!(of(&results["evaluations"], "mr-dro", "seconds_per_decision") < 1e-3);
    assert_eq!(of(&results["evaluations"], "exact", "q2"), 1.0);
}

#[test]
fn the_printed_algorithm_surpasses_what_the_paper_claims_for_it() {
    let results = trained(&["--training", "paper"]);
    assert!(of(&results["evaluations"], "mr-dro", "q2") >= 0.99);
}

#[test]
fn local_and_edge_alone_are_learned_with_few_and_with_many_networks() {
    for (dnns, least) in [("network.dnns=3", 0.993), ("network.dnns=8", 0.997)] {
        let results = trained(&["--scenario", "ddlo", "--set", dnns]);
        let q2 = of(&results["evaluations"], "mr-dro", "q2");
        assert!(q2 >= least, "{dnns}: {q2}");
    }
}

#[test]
fn first_parameters_are_as_good_as_their_labels() {
    for (training, least, most) in [("paper", 0.95, 0.96), ("recommended", 0.998, 1.0)] {
        let results = json(&["meta", "--out", "run", "--scenario", "paper-wan", "--training", training]);
        let q2 = of(&results["evaluations"], "mr-dro", "q2");
        assert!((least..=most).contains(&q2), "{training}: {q2}");
    }
}

#[test]
fn shipped_records_are_as_good_as_they_say() {
    for name in ["paper", "paper-wan", "mobile"] {
        let record = format!("{}/../models/{name}", env!("CARGO_MANIFEST_DIR"));
        let evaluations = json(&["evaluate", "--record", &record]);
        let q2 = of(&evaluations, "mr-dro", "q2");
        assert!(q2 >= 0.9995, "{name}: {q2}");
        let manifest = std::fs::read_to_string(format!("{record}/manifest.toml")).expect("it ships");
        let manifest: toml::Table = toml::from_str(&manifest).expect("a manifest is TOML");
        let said = manifest["measures"]["q2_mr_dro"].as_float().expect("a number");
        assert!((said - q2).abs() < 1e-6, "{name} says {said}, reaches {q2}");
    }
}
