//! Workloads with deadlines, instructions of their own and tasks that are not there.

use acceptance::Workshop;
use serde_json::{Value, json};
use sim::{CostModel, Decision, Demands, Environment, Scenario, Workload};

use crate::{Service, shipped};

const RAGGED: &str = "[[12, null, 18], [], [11, 25.5]]";

fn model() -> CostModel {
    Scenario::load("mobile").expect("a preset").check().expect("valid")
}

/// Asserts that an answer is what the model says of its placements.
#[track_caller]
fn check(answer: &Value, model: &CostModel, sizes_mb: &[f64]) {
    let rows = answer["placements"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let entries: Vec<&Value> = rows.iter().flat_map(|row| row.as_array().expect("a row")).collect();
    assert_eq!(entries.len(), 9, "{answer}");
    for (entry, mb) in entries.iter().zip(sizes_mb) {
        assert_eq!(entry.is_null(), *mb == 0.0, "{answer}");
    }
    let place = |entry: &&Value| model.place_names().iter().position(|name| **entry == *name).unwrap_or(0) as u8;
    let decision = Decision::from_places(3, entries.iter().map(place).collect::<Vec<_>>());
    let outcome = model.evaluate(&Workload::from_mb(3, sizes_mb), &decision);
    for (key, value) in [("cost", outcome.cost), ("energy_j", outcome.energy_j), ("time_s", outcome.time_s)] {
        let found = answer[key].as_f64().expect("a number");
        assert!((found / value - 1.0).abs() < 1e-12, "{key} of {answer} should be {value}");
    }
    if model.has_deadlines() {
        assert_eq!(answer["missed_deadlines"], outcome.missed_deadlines, "{answer}");
        let sizes_bytes: Vec<f64> = sizes_mb.iter().map(|mb| mb * 1e6).collect();
        assert_eq!(answer["tasks_with_deadline"], model.tasks_with_deadline(&sizes_bytes), "{answer}");
    } else {
        assert!(answer.get("missed_deadlines").is_none() && answer.get("tasks_with_deadline").is_none(), "{answer}");
    }
}

#[test]
fn workloads_with_demands_and_absent_tasks_are_decided() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let sizes_mb = [12.0, 0.0, 18.0, 0.0, 0.0, 0.0, 11.0, 25.5, 0.0];
    let absent = format!(r#"{{"scheme": "greedy", "tasks_mb": {RAGGED}}}"#);
    check(&service.post("/v1/decide", &absent).json(), &model(), &sizes_mb);

    let infinite = f64::INFINITY;
    let demands = Demands {
        deadlines_s: Some(vec![30.0, infinite, 5.0, 60.0, 60.0, 60.0, infinite, infinite, infinite]),
        instructions_per_byte: Some([[1000.0; 3], [330.0; 3], [500.0; 3]].concat()),
        ..Demands::default()
    };
    let there = Environment { uplinks_mbps: vec![3.0; 3], alpha: 0.25, ..model().environment().clone() };
    let demanding = model().at(&there).expect("valid").with_demands(&demands).expect("valid");
    let body = format!(
        r#"{{"scheme": "greedy", "tasks_mb": {RAGGED}, "environment": {{"uplink_mbps": 3, "alpha": 0.25}},
            "deadline_s": [[30, null, 5], 60, null], "instructions_per_byte": [1000, [330, 330, 330], 500]}}"#
    );
    let answer = service.post("/v1/decide", &body).json();
    check(&answer, &demanding, &sizes_mb);
    assert_eq!(answer["tasks_with_deadline"], 2);

    // Explained, the tasks of a device add up to it, and tasks that are not there stay empty.
    let explained = service.post("/v1/decide", &body.replacen('{', r#"{"explain": true, "#, 1)).json();
    let mut late = 0;
    for (device, row) in explained["devices"].as_array().expect("an array").iter().zip(sizes_mb.chunks(3)) {
        let tasks = device["tasks"].as_array().expect("an array");
        assert_eq!(
            tasks.iter().map(Value::is_null).collect::<Vec<_>>(),
            row.iter().map(|mb| *mb == 0.0).collect::<Vec<_>>()
        );
        let present = || tasks.iter().filter(|task| !task.is_null());
        let energy: f64 = present().map(|task| task["energy_j"].as_f64().expect("a number")).sum();
        assert!((energy - device["energy_j"].as_f64().expect("a number")).abs() <= 1e-9 * energy);
        let last = present().map(|task| task["end_s"].as_f64().expect("a number")).fold(0.0, f64::max);
        assert!((last - device["time_s"].as_f64().expect("a number")).abs() <= 1e-9 * last);
        for task in present().filter(|task| task.get("deadline_s").is_some()) {
            let [done_s, deadline_s] = ["done_s", "deadline_s"].map(|key| task[key].as_f64().expect("a number"));
            assert_eq!(task["missed_deadline"], done_s > deadline_s, "{task}");
            assert!(done_s >= task["end_s"].as_f64().expect("a number") * (1.0 - 1e-12), "{task}");
        }
        late += present().filter(|task| task["missed_deadline"] == true).count();
    }
    let sum: f64 =
        explained["devices"].as_array().expect("an array").iter().filter_map(|device| device["time_s"].as_f64()).sum();
    assert!((sum / explained["time_s"].as_f64().expect("a number") - 1.0).abs() < 1e-9, "{explained}");
    assert_eq!(explained["missed_deadlines"], late);

    // In a list beside workloads without demands, which are answered as by themselves.
    let plain = r#"{"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}"#;
    let alone = service.post("/v1/decide", plain).json();
    let ruled = plain.replacen('{', r#"{"deadline_s": 9, "deadline_rule": "penalty", "deadline_penalty": 2, "#, 1);
    let many = service.post("/v1/decide", &format!(r#"{{"workloads": [{plain}, {ruled}, {plain}]}}"#)).json();
    assert_eq!((&many["answers"][0], &many["answers"][2]), (&alone, &alone));
    assert_eq!(many["answers"][1]["tasks_with_deadline"], 9, "{many}");
}

#[test]
fn a_mistake_in_demands_is_named_by_its_field() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    for (fields, status, parts) in [
        (r#""deadline_s": [1, [1, 2, -3], null]"#, 422, &["\"field\":\"deadline_s[1][2]\"", "between 1e-12"][..]),
        (r#""deadline_s": [[1, [2]], 2, 3]"#, 422, &["\"field\":\"deadline_s[0][1]\"", "must be a number or null"]),
        (
            r#""deadline_s": [1, "soon", 3]"#,
            400,
            &["\"field\":\"deadline_s[1]\"", "expected a number, null or an array"],
        ),
        (r#""deadline_rule": "hard""#, 422, &["\"field\":\"deadline_rule\"", "needs deadline_s"]),
        (r#""deadline_s": 3, "deadline_rule": "soft""#, 422, &["\"field\":\"deadline_rule\"", "report", "soft"]),
        (
            r#""deadline_s": 3, "deadline_rule": "hard", "deadline_penalty": 1"#,
            422,
            &["\"field\":\"deadline_penalty\"", "needs deadline_rule"],
        ),
        (r#""instructions_per_byte": [1, 2]"#, 422, &["\"field\":\"instructions_per_byte\"", "2 entries", "3 devices"]),
        (r#""deadlines": 3"#, 400, &["\"field\":\"deadlines\"", "unknown field", "deadline_s"]),
    ] {
        let one = format!(r#"{{"tasks_mb": {RAGGED}, {fields}}}"#);
        service.post("/v1/decide", &one).refused(status, parts);
        let many = format!(r#"{{"workloads": [{{"tasks_mb": {RAGGED}}}, {one}]}}"#);
        let part = parts[0].replace(":\"", ":\"workloads[1].");
        service.post("/v1/decide", &many).refused(status, &[&[part.as_str()], &parts[1..]].concat());
    }
    service.post("/v1/decide", r#"{"tasks_mb": [[], [null], []]}"#).refused(422, &["\"tasks_mb\"", "has no task"]);
    let outside = format!(r#"{{"workloads": [{{"tasks_mb": {RAGGED}}}], "deadline_s": 3}}"#);
    service.post("/v1/decide", &outside).refused(422, &["belong inside each workload"]);
}

#[test]
fn deadlines_are_counted_from_the_start() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let counts = || {
        let metrics = service.get("/metrics").text;
        ["tasks_with_deadline", "missed_deadlines"].map(|name| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("mrdro_{name}_total ")));
            line.and_then(|count| count.parse::<u64>().ok()).unwrap_or_else(|| panic!("{name}: {metrics}"))
        })
    };
    assert_eq!(counts(), [0, 0]);
    let body = |more: &str| format!(r#"{{"tasks_mb": {RAGGED}{more}}}"#);
    service.post("/v1/decide", &body(""));
    assert_eq!(counts(), [0, 0]);
    // A millisecond is too little, a year is enough.
    service.post("/v1/decide", &body(r#", "deadline_s": [0.001, 1, 3e7]"#));
    assert_eq!(counts(), [4, 2]);
    let tasks: u64 = service
        .get("/metrics")
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("mrdro_tasks_total{")?.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum();
    assert_eq!(tasks, 8, "absent tasks run nowhere");
}

#[test]
fn a_scenario_with_deadlines_and_latencies_is_served() {
    let workshop = Workshop::new();
    let text = Scenario::preset_text("mobile").expect("a preset");
    let rows = "deadline_s = [20, 30, 40]\ndeadline_rule = \"penalty\"\ndeadline_penalty = 5\n";
    let text = text.replacen("per_device = 3", &format!("per_device = [3, 1, 2]\n{rows}#"), 1);
    let text = text.replacen("tier = \"edge\"", "latency_ms = 25\ntier = \"edge\"", 1);
    workshop.write("late.toml", &text);
    let model = Scenario::from_toml("late", &text).expect("valid").check().expect("valid");
    let arguments = ["--scenario", "late.toml", "--search-free"];
    let service = Service::start(&workshop, &shipped("any-fleet"), &arguments);
    let view = service.get("/v1/scenario").json();
    assert_eq!(view["tasks_of_devices"], json!([3, 1, 2]));
    assert_eq!(
        view["deadlines"],
        json!({ "deadline_s": [20.0, 30.0, 40.0], "deadline_rule": "penalty", "deadline_penalty": 5.0 })
    );
    assert_eq!(view["servers"][0]["latency_ms"], 25.0, "{view}");
    assert!(view["servers"][1].get("latency_ms").is_none(), "{view}");
    let body = r#"{"scheme": "local-search", "tasks_mb": [[12, 25.5, 18], [10], [11, 12]]}"#;
    let answer = service.post("/v1/decide", body).json();
    check(&answer, &model, &[12.0, 25.5, 18.0, 10.0, 0.0, 0.0, 11.0, 12.0, 0.0]);
    assert_eq!(answer["tasks_with_deadline"], 6);
    service
        .post("/v1/decide", r#"{"tasks_mb": [[12], [10, 3], [11]]}"#)
        .refused(422, &["device 1 has 2 tasks, the scenario gives it 1", "tasks_mb[1]"]);
    let sizes = &service.get("/openapi.json").json()["components"]["schemas"]["TaskSizes"];
    assert_eq!(sizes["prefixItems"][1]["prefixItems"].as_array().map(Vec::len), Some(1), "{sizes}");
}

#[test]
fn a_scenario_without_deadlines_says_nothing_of_them() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let view = service.get("/v1/scenario").json();
    for key in ["tasks_of_devices", "deadlines"] {
        assert!(view.get(key).is_none(), "{view}");
    }
    let workload = &service.get("/openapi.json").json()["components"]["schemas"]["Workload"]["properties"];
    for key in ["deadline_s", "deadline_rule", "deadline_penalty", "instructions_per_byte"] {
        assert!(workload.get(key).is_some(), "{workload}");
    }
}
