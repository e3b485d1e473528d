//! What the service decides, and for which environment.

use std::collections::BTreeMap;
use std::thread;

use acceptance::Workshop;
use serde_json::{Value, json};

use crate::{SIZES, Service, decided, lines, shipped};

#[test]
fn it_answers_what_decide_answers() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    let service = Service::start(&workshop, &record, &[]);
    let lines = lines(300);
    let expected = decided(&workshop, &record, &lines);
    let many = service.post("/v1/decide", &format!("{{\"workloads\": [{}]}}", lines.join(",")));
    assert_eq!(many.json()["answers"].as_array().expect("an array"), &expected);
    for (line, expected) in lines.iter().zip(&expected).take(40) {
        assert_eq!(service.post("/v1/decide", line).json(), *expected);
    }
    // At the same time, and so together.
    thread::scope(|scope| {
        for part in 0..8 {
            let (service, lines, expected) = (&service, &lines, &expected);
            scope.spawn(move || {
                for index in (part..lines.len()).step_by(8) {
                    assert_eq!(service.post("/v1/decide", &lines[index]).json(), expected[index]);
                }
            });
        }
    });
    // Names come back as they were written.
    let id = r#"{"id": 123456789012345678901234567890, "tasks_mb": "#.to_owned() + SIZES + "}";
    assert!(service.post("/v1/decide", &id).text.starts_with(r#"{"id":123456789012345678901234567890,"#));
}

#[test]
fn other_schemes_can_be_asked_for_and_none_is_cheaper_than_the_optimum() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let scenario = service.get("/v1/scenario").json();
    let schemes: Vec<_> = scenario["schemes"].as_array().expect("an array").iter().filter_map(Value::as_str).collect();
    assert!(["ensemble", "greedy", "local-search", "exact"].iter().all(|name| schemes.contains(name)), "{schemes:?}");
    let cost = |scheme: &str| {
        let answer = service.post("/v1/decide", &format!(r#"{{"scheme": "{scheme}", "tasks_mb": {SIZES}}}"#));
        answer.json()["cost"].as_f64().unwrap_or_else(|| panic!("{}", answer.text))
    };
    let optimum = cost("exact");
    for scheme in schemes {
        assert!(cost(scheme) >= optimum * (1.0 - 1e-12), "{scheme}");
    }
    let solved = workshop.trainer_reading(
        format!(r#"{{"tasks_mb": {SIZES}}}"#),
        &["solve", "--scheme", "exact", "--scenario", "mobile"],
    );
    let solved: Value = serde_json::from_str(solved.succeeded().lines()[0]).expect("JSON");
    assert_eq!(solved["cost"].as_f64(), Some(optimum));
}

/// Every task has its place in time, and what devices take adds up to the answer.
#[test]
fn an_explanation_adds_up() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"explain": true, "environment": {{"uplink_mbps": [2, 7, 30]}}, "tasks_mb": {SIZES}}}"#);
    let answer = service.post("/v1/decide", &body).json();
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"));
    let devices = answer["devices"].as_array().expect("an array");
    for key in ["energy_j", "time_s"] {
        let sum: f64 = devices.iter().map(|device| number(device, key)).sum();
        assert!((sum - number(&answer, key)).abs() < 1e-9 * sum, "{key}");
    }
    for (device, places) in devices.iter().zip(answer["placements"].as_array().expect("an array")) {
        let tasks = device["tasks"].as_array().expect("an array");
        let mut ends = BTreeMap::new();
        for (task, place) in tasks.iter().zip(places.as_array().expect("an array")) {
            assert_eq!(task["place"], *place);
            let end = ends.entry(place.to_string()).or_insert(0.0);
            assert!((number(task, "start_s") - *end).abs() < 1e-9, "one after the other");
            *end = number(task, "end_s");
        }
        let last = ends.values().copied().fold(0.0, f64::max);
        assert!((last - number(device, "time_s")).abs() < 1e-9);
    }
    assert!(number(&answer, "decided_in_us") > 0.0 && answer["scheme"] == "ensemble");
}

#[test]
fn the_environment_changes_from_now_on() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let change = r#"{"uplink_mbps": [0.9, 4, 21], "capacity": [1, 0.5]}"#;
    let plain = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let own = format!(r#"{{"tasks_mb": {SIZES}, "environment": {change}}}"#);
    let (before, there) = (service.post("/v1/decide", &plain).json(), service.post("/v1/decide", &own).json());
    assert_ne!(before, there);
    let entered = service.put("/v1/environment", change).json();
    assert_eq!(entered["environment"], json!({"uplink_mbps": [0.9, 4.0, 21.0], "capacity": [1.0, 0.5], "alpha": 0.5}));
    assert_eq!(service.post("/v1/decide", &plain).json(), there);
    assert_eq!(service.get("/v1/scenario").json()["environment"], entered["environment"]);
    // What networks do not read, they do not follow, and that is said as long as it is so.
    assert_eq!(entered["follows"], false, "{entered}");
    let uplinks = service.put("/v1/environment", r#"{"uplink_mbps": 3, "capacity": 1}"#).json();
    assert_eq!(uplinks["follows"], true, "{uplinks}");
    for change in [r#"{"alpha": 0.1}"#, r#"{"uplink_mbps": 2}"#] {
        let alpha = service.put("/v1/environment", change).json();
        assert!(alpha["follows"] == false && alpha["note"].to_string().contains("adapt"), "{alpha}");
    }
    for (wrong, part) in [
        (r#"{"uplink_mbps": [1, 2]}"#, "3 uplinks"),
        (r#"{"alpha": 1.5}"#, "between 0 and 1"),
        (r#"{"capacity": -1}"#, "a capacity"),
    ] {
        service.put("/v1/environment", wrong).refused(422, &[part]);
    }
    for (wrong, field, part) in [
        (r#"{"speed": 1}"#, "speed", "unknown field"),
        (r#"{"alpha": "half"}"#, "alpha", "expected f64"),
        (r#"{"capacity": {"edge": 1}}"#, "capacity", "must be a number or an array of numbers"),
    ] {
        service.put("/v1/environment", wrong).refused(400, &[&format!("\"field\":\"{field}\""), part]);
    }
    service.put("/v1/environment", "[5, 1, 0.5]").refused(400, &["an object"]);
    let own = &service.get("/v1/scenario").json()["own_environment"];
    service.put("/v1/environment", &own.to_string());
    assert_eq!(service.post("/v1/decide", &plain).json(), before);
}

#[test]
fn a_drive_is_there_to_be_replayed() {
    let workshop = Workshop::new();
    let rows =
        |second: usize| ["a", "b", "c"].map(|device| format!("{},{device},{}\n", second * 20, second + 1)).concat();
    workshop.write("drive.csv", "t_s,device,mbps\n".to_owned() + &(0..9).map(rows).collect::<Vec<_>>().concat());
    let service = Service::start(&workshop, &shipped("mobile"), &["--drive", "drive.csv"]);
    let drive = service.get("/v1/drive").json();
    assert_eq!(drive["devices"], json!(["a", "b", "c"]));
    let windows = drive["windows"].as_array().expect("an array");
    assert_eq!(windows.len(), 3);
    assert_eq!(windows[1], json!({"start_s": 60.0, "uplink_mbps": [5.0, 5.0, 5.0]}));
    assert_eq!(service.get("/v1/scenario").json()["drive"]["windows"], 3);
    workshop.write("two.csv", "t_s,device,mbps\n0,a,1\n100,b,1\n");
    let refused = workshop.trainer(&["serve", "--record", &shipped("mobile"), "--drive", "two.csv"]).failed(1).silent();
    refused.naming(&["two.csv", "no drive with a window"]);
}
