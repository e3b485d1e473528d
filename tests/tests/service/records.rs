//! Records that are served, and how one takes the place of another.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use acceptance::Workshop;
use burn::tensor::Device;
use model::Record;
use model::fleet::{self, FleetNetworks};
use serde_json::{Value, json};

use crate::{SIZES, Service, copy, decided, lines, shipped};

#[test]
fn a_new_record_is_taken_over_and_a_bad_one_is_not() {
    let workshop = Workshop::new();
    copy(&workshop, "paper", "record");
    let mut service = Service::start(&workshop, "record", &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let before = service.post("/v1/decide", &body).json();
    // Of another link to the cloud, and so with other prices.
    copy(&workshop, "paper-wan", "record");
    assert_eq!(service.post("/v1/reload", "").json()["generation"], 1);
    assert_eq!(service.next_line(), "the record was reloaded\n");
    let after = service.post("/v1/decide", &body).json();
    assert_eq!(after, decided(&workshop, "record", std::slice::from_ref(&body))[0]);
    assert_ne!(before, after);
    // A bad one changes nothing.
    let weights = workshop.path("record/weights.bpk");
    let mut bytes = fs::read(&weights).expect("a copy");
    bytes[5000] ^= 1;
    fs::write(&weights, bytes).expect("a copy");
    service.post("/v1/reload", "").refused(422, &["checksum", "the service keeps the record that it had"]);
    assert!(service.next_line().contains("the record was not reloaded"));
    service.signal("-HUP");
    assert!(service.next_line().contains("the record was not reloaded"));
    assert_eq!(service.post("/v1/decide", &body).json(), after);
    copy(&workshop, "paper", "record");
    service.signal("-HUP");
    assert_eq!(service.next_line(), "the record was reloaded\n");
    assert_eq!(service.post("/v1/decide", &body).json(), before);
    let metrics = service.get("/metrics").text;
    for line in ["mrdro_reloads_total{result=\"done\"} 2", "mrdro_reloads_total{result=\"refused\"} 2"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

/// No request notices that records change under it.
#[test]
fn records_are_taken_over_under_load() {
    let workshop = Workshop::new();
    copy(&workshop, "mobile", "record");
    let service = Service::start(&workshop, "record", &[]);
    let lines = lines(64);
    let expected = decided(&workshop, "record", &lines);
    let end = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        for part in 0..4 {
            let (service, lines, expected) = (&service, &lines, &expected);
            scope.spawn(move || {
                for index in (0..).map(|round| (round * 5 + part) % lines.len()) {
                    assert_eq!(service.post("/v1/decide", &lines[index]).json(), expected[index]);
                    if Instant::now() > end {
                        return;
                    }
                }
            });
        }
        while Instant::now() < end {
            assert_eq!(service.post("/v1/reload", "").status, 200);
        }
    });
    let (status, said) = service.end();
    assert!(status.success(), "{said}");
}

/// A record of networks for any fleet that learned nothing.
fn untrained_fleet_record(workshop: &Workshop, to: &str) {
    let ensemble = fleet::Ensemble::random(fleet::Shape { width: 4, rounds: 2 }, 1, 1, &Device::flex());
    let record = Record::new(FleetNetworks { ensemble, fleets: sim::Fleets::default() });
    record.save(&workshop.path(to)).expect("the folder is the test's own");
}

#[test]
fn networks_for_any_fleet_are_served_for_the_scenario_that_is_named() {
    let workshop = Workshop::new();
    untrained_fleet_record(&workshop, "record");
    let mut service = Service::start(&workshop, "record", &["--scenario", "shared-edges"]);
    let cost = |answer: &Value| answer["cost"].as_f64().unwrap_or_else(|| panic!("{answer}"));
    let plain = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let networks = service.post("/v1/decide", &plain).json();
    let greedy = format!(r#"{{"scheme": "greedy-largest-first", "tasks_mb": {SIZES}}}"#);
    assert!(cost(&networks) <= cost(&service.post("/v1/decide", &greedy).json()), "{networks}");
    let expected = workshop
        .trainer_reading(lines(100).join("\n"), &["decide", "--record", "record", "--scenario", "shared-edges"])
        .succeeded();
    let expected: Vec<Value> = expected.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let many = service.post("/v1/decide", &format!("{{\"workloads\": [{}]}}", lines(100).join(",")));
    assert_eq!(many.json()["answers"].as_array().expect("an array"), &expected);

    let record = service.get("/v1/record").json();
    assert_eq!((&record["kind"], &record["format_version"]), (&json!("fleet"), &json!(4)), "{record}");
    assert_eq!(record["networks"], json!({"nets": 1, "width": 4, "rounds": 2}));
    let scenario = service.get("/v1/scenario").json();
    assert_eq!((&scenario["name"], &scenario["reads_environment"]), (&json!("shared-edges"), &json!(true)));

    // They read all of the environment.
    let change = r#"{"uplink_mbps": [0.9, 4, 21], "alpha": 0.3}"#;
    let own = service.post("/v1/decide", &format!(r#"{{"tasks_mb": {SIZES}, "environment": {change}}}"#)).json();
    let entered = service.put("/v1/environment", change).json();
    assert_eq!(entered["follows"], true, "{entered}");
    assert_eq!(service.post("/v1/decide", &plain).json(), own);
    assert_ne!(cost(&own), cost(&networks));

    // Another record goes on with the scenario and the environment; DNNs of another fleet are refused.
    assert_eq!(service.post("/v1/reload", "").json()["generation"], 1);
    assert_eq!(service.next_line(), "the record was reloaded\n");
    assert_eq!(service.post("/v1/decide", &plain).json(), own);
    copy(&workshop, "paper", "record");
    service.post("/v1/reload", "").refused(422, &["it was trained for", "`shared-edges` has"]);
}

/// Networks of either kind follow each other in one service, where the fleet is the same.
#[test]
fn a_record_of_the_other_kind_is_taken_over() {
    let workshop = Workshop::new();
    copy(&workshop, "mobile", "record");
    let service = Service::start(&workshop, "record", &[]);
    let explored = Service::start(&workshop, "record", &["--explore", "2"]);
    assert_eq!(service.get("/v1/record").json()["kind"], "dnns");
    fs::remove_dir_all(workshop.path("record")).expect("the folder is the test's own");
    untrained_fleet_record(&workshop, "record");
    assert_eq!(service.post("/v1/reload", "").json()["kind"], "fleet");
    assert_eq!(service.get("/v1/scenario").json()["name"], "mobile");
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    assert_eq!(service.post("/v1/decide", &body).status, 200);
    explored.post("/v1/reload", "").refused(
        422,
        &["--explore needs a record of DNNs for one scenario", "the service keeps the record that it had"],
    );
    copy(&workshop, "mobile", "record");
    assert_eq!(service.post("/v1/reload", "").json()["kind"], "dnns");
    assert_eq!(service.post("/v1/decide", &body).json(), decided(&workshop, "record", std::slice::from_ref(&body))[0]);
}

#[test]
fn options_for_the_other_kind_of_record_are_refused() {
    let workshop = Workshop::new();
    untrained_fleet_record(&workshop, "fleet");
    let refused = |record: &str, more: &[&str]| {
        workshop.trainer(&[&["serve", "--record", record], more].concat()).failed(1).silent()
    };
    refused("fleet", &[]).naming(&["has no scenario of its own", "help:", "--scenario"]);
    refused("fleet", &["--scenario", "paper", "--explore", "2"]).naming(&[
        "--explore",
        "DNNs for one scenario",
        "help:",
    ]);
    let dnns = shipped("mobile");
    for more in [&["--budget", "4"][..], &["--search-free"], &["--scenario", "mobile"]] {
        refused(&dnns, more).naming(&[more[0], "networks for any fleet", "help:"]);
    }
}
