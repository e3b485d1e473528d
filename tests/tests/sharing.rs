//! Scenarios whose devices share a server: solved, trained on, decided and refused as any other.

use acceptance::Workshop;
use serde_json::{Value, json};
use sim::scheme::{Exact, Scheme};
use sim::{Scenario, Workload};

const SIZES: [[f64; 3]; 3] = [[12.0, 25.5, 18.0], [20.1, 11.0, 29.9], [15.0, 15.0, 15.0]];

fn answer(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn cost(answer: &Value) -> f64 {
    answer["cost"].as_f64().expect("a cost")
}

#[test]
fn schemes_solve_what_is_shared_and_none_undercuts_the_optimum() {
    let workshop = Workshop::new();
    workshop.write("one.jsonl", json!({ "tasks_mb": SIZES }).to_string());
    let solve = |scenario: &str, scheme: &str| {
        let said = workshop.trainer(&["solve", "--scenario", scenario, "--scheme", scheme, "one.jsonl"]).succeeded();
        answer(&said.stdout)
    };
    for scenario in ["shared-edge", "shared-edges"] {
        let model = Scenario::load(scenario).expect("a preset").check().expect("valid");
        let workload = Workload::from_mb(3, SIZES.as_flattened());
        let optimum = Exact::new().decide(&model, &workload).expect("small enough").decision;
        let optimum = model.evaluate(&workload, &optimum).cost;
        assert!((cost(&solve(scenario, "exact")) - optimum).abs() < 1e-9 * optimum);
        for scheme in ["greedy", "local-search", "annealing", "genetic", "cloud-only"] {
            assert!(cost(&solve(scenario, scheme)) >= optimum * (1.0 - 1e-12), "{scheme}");
        }
        for (scheme, most) in [("local-search@6", 54), ("annealing@6", 54), ("genetic@10", 90)] {
            let found = solve(scenario, scheme);
            assert!(cost(&found) >= optimum * (1.0 - 1e-12), "{scheme}");
            assert!(found["evaluations"].as_u64().is_some_and(|asked| asked <= most), "{scheme}: {found}");
        }
    }
    for scheme in ["local-search@none", "local-search@0", "greedy@3"] {
        let refused = workshop.trainer(&["solve", "--scenario", "shared-edge", "--scheme", scheme, "one.jsonl"]);
        refused.failed(1).naming(&[scheme, "local-search, annealing, genetic take a budget, as in local-search@16"]);
    }
}

#[test]
fn networks_learn_what_is_shared_and_decide_at_the_price_of_the_scenario() {
    let workshop = Workshop::new();
    workshop.train("run", &["--scenario", "shared-edge"]).succeeded();
    let results = answer(&workshop.text("run/results.json"));
    let text = results.to_string();
    assert!(text.contains("mr-dro") && text.contains("\"annealing\"") && text.contains("\"exact\""), "{text}");
    workshop.write("one.jsonl", json!({ "tasks_mb": SIZES }).to_string());
    let said = workshop.trainer(&["decide", "--record", "run/record", "one.jsonl"]).succeeded();
    let answer = answer(&said.stdout);
    let model = Scenario::load("shared-edge").expect("a preset").check().expect("valid");
    let places: Vec<u8> = answer["placements"]
        .as_array()
        .expect("rows")
        .iter()
        .flat_map(|row| row.as_array().expect("a row"))
        .map(|name| model.place_names().iter().position(|place| name == place).expect("a place") as u8)
        .collect();
    let sizes = Workload::from_mb(3, SIZES.as_flattened());
    let full = model.cost(sizes.sizes_bytes(), &places);
    assert!((cost(&answer) - full).abs() < 1e-9 * full, "{answer}, not {full}");
    // A record for a shared server cannot be used where each device has its own server.
    let other = workshop.trainer(&["decide", "--record", "run/record", "--scenario", "paper-wan", "one.jsonl"]);
    other.failed(1).naming(&["paper-wan"]);
}
