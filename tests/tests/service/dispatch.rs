//! Dispatching tasks as they arrive: placements, queues, completions and refusals.

use acceptance::Workshop;
use serde_json::{Value, json};
use sim::stream::StreamScenario;
use sim::stream::dispatch::scheme::by_name;
use sim::stream::dispatch::{Arrival, DoneTask, Path, Site, simulate_traced};

use crate::Service;
use crate::harness::Answer;

/// Three devices, an edge server that all share, and a cloud; links keep their rates.
pub(crate) const CONSTANT: &str = r#"
name = "constant"
kind = "stream"
alpha = 0.5
instructions_per_byte = 1000
tasks_per_run = 400

[devices]
count = 3
frequency_mhz = { distribution = "log-uniform", min = 50, max = 200 }
energy_per_instruction_nj = 3.0
uplink_mbps = 500

[devices.arrivals]
process = "poisson"
load = 0.8

[tasks]
size_mb = { distribution = "log-uniform", min = 2, max = 60 }

[[servers]]
name = "edge"
tier = "edge"
frequency_mhz = 600
energy_per_instruction_nj = 1.5
sharing = "shared"

[[servers]]
name = "cloud"
tier = "cloud"
frequency_mhz = 1000
energy_per_instruction_nj = 1.0
sharing = "unlimited"
link_mbps = 6
"#;

pub(crate) fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.write("constant.toml", CONSTANT);
    workshop
}

/// A day at the site of the scenario: whole bytes in MB, so that nothing is lost on the way.
pub(crate) fn day(tasks: usize, seed: u64) -> (Site, Path) {
    let StreamScenario::Dispatch(scenario) = StreamScenario::from_toml("constant", CONSTANT).expect("valid") else {
        panic!("another kind")
    };
    let site = scenario.site(seed).expect("valid");
    let drawn = Path::draw(&site, tasks, seed);
    let whole = |arrival: &Arrival| Arrival { bytes: (arrival.bytes / 1e6).round() * 1e6, ..*arrival };
    let path = Path::with_arrivals(&site, drawn.arrivals().iter().map(whole).collect(), seed);
    (site, path)
}

/// What the simulator does, in the order of arrivals.
fn simulated(site: &Site, path: &Path, scheme: &str, seed: u64) -> Vec<DoneTask> {
    let mut done = Vec::new();
    let mut scheme = by_name(scheme, site).expect("a scheme");
    simulate_traced(site, path, scheme.as_mut(), seed, |task| done.push(*task));
    done.sort_by_key(|task| task.index);
    done
}

pub(crate) fn task(arrival: &Arrival) -> Value {
    json!({ "device": arrival.device, "size_mb": arrival.bytes / 1e6, "time_s": arrival.time_s })
}

#[track_caller]
pub(crate) fn answered(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// All values of a key in a JSON text, to the last bit.
fn numbers(text: &str, key: &str) -> Vec<f64> {
    let key = format!("\"{key}\":");
    let value = |rest: &str| rest.split([',', '}']).next()?.parse().ok();
    text.split(&key).skip(1).map(|rest| value(rest).expect("a number")).collect()
}

#[test]
fn places_and_times_are_the_simulators_to_the_last_bit() {
    let workshop = workshop();
    let (site, path) = day(400, 3);
    for scheme in ["greedy", "one-step", "priced", "static-split"] {
        let wanted = simulated(&site, &path, scheme, 3);
        let service = Service::dispatching(&workshop, "constant.toml", &["--scheme", scheme, "--seed", "3"]);
        let mut exact = 0;
        for (arrivals, wanted) in path.arrivals().chunks(57).zip(wanted.chunks(57)) {
            let tasks: Vec<Value> = arrivals.iter().map(task).collect();
            let answer = service.post("/v1/dispatch", &json!({ "tasks": tasks }).to_string());
            let answers = answered(&answer)["answers"].as_array().expect("a list").clone();
            for (answer, wanted) in answers.iter().zip(wanted) {
                assert_eq!(answer["place"], site.place_name(usize::from(wanted.place)), "{scheme}: {answer}");
                assert_eq!(answer["id"], wanted.index);
            }
        }
        // When a task is done at a machine that others use is known when it joins it: by the time of its report.
        let mut reports: Vec<&DoneTask> = wanted.iter().collect();
        reports.sort_by(|a, b| a.done_s.total_cmp(&b.done_s));
        for reports in reports.chunks(50) {
            let tasks: Vec<Value> =
                reports.iter().map(|task| json!({ "id": task.index, "done_s": task.done_s })).collect();
            let answer = service.post("/v1/completed", &json!({ "tasks": tasks }).to_string());
            for (expected_s, task) in numbers(&answer.text, "expected_s").into_iter().zip(reports) {
                assert_eq!(expected_s, task.done_s, "{scheme}");
                exact += 1;
            }
        }
        assert_eq!(exact, 400);
        let queues = service.get("/v1/queues").json();
        assert_eq!((&queues["open_tasks"], &queues["completed_tasks"]), (&json!(0), &json!(400)));
        assert_eq!(queues["mean_delay_s"], 0.0);
        if scheme == "greedy" {
            assert_eq!(queues["mean_cost"], queues["mean_greedy_cost"]);
        }
    }
}

#[test]
fn the_own_clock_counts_where_no_task_says_its_time() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "constant.toml", &["--scheme", "local-only"]);
    let ask = |body: Value| answered(&service.post("/v1/dispatch", &body.to_string()));
    let first = ask(json!({ "device": "device 1", "size_mb": 20, "id": "photo" }));
    assert_eq!((&first["id"], &first["place"], &first["wait_s"]), (&json!("photo"), &json!("local"), &json!(0.0)));
    let second = ask(json!({ "device": 1, "size_mb": 1.5, "deadline_s": 1 }));
    assert!(second["wait_s"].as_f64() > Some(50.0) && second["missed_deadline"] == true, "{second}");
    let done = answered(&service.post("/v1/completed", r#"{"id": "photo"}"#));
    assert!(done["done_s"].as_f64() < Some(60.0) && done["expected_s"].as_f64() > Some(99.0), "{done}");
    let queues = service.get("/v1/queues?most=1").json();
    assert_eq!((&queues["time_of"], &queues["open_tasks"]), (&json!("service"), &json!(1)));
    let longest = &queues["queues"][0];
    assert_eq!((&longest["name"], &longest["tasks"]), (&json!("device 1"), &json!(1)));
    // The second is served from the report on: 1.5 MB take 7.5 to 30 s.
    assert!(longest["backlog_s"].as_f64().is_some_and(|backlog_s| (5.0..30.0).contains(&backlog_s)), "{longest}");
    assert_eq!(queues["recent"][1]["id"], "photo");
}

#[test]
fn queues_and_rates_can_be_told() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "constant.toml", &["--scheme", "greedy"]);
    let ask = |body: Value| answered(&service.post("/v1/dispatch", &body.to_string()));
    let free = ask(json!({ "device": 0, "size_mb": 10, "time_s": 1 }));
    let told = json!({ "edge": 500, "device 0": 500 });
    let busy = ask(json!({ "device": 0, "size_mb": 10, "time_s": 1, "queues_s": told }));
    assert_eq!((&free["place"], &busy["place"]), (&json!("edge"), &json!("cloud")));
    let told = json!({ "edge": 500, "device 0": 500, "link of device 0 to cloud": 900 });
    let tasks = json!([{ "device": 0, "size_mb": 10, "time_s": 2 }, { "device": 1, "size_mb": 10, "time_s": 3 }]);
    let both = ask(json!({ "tasks": tasks, "queues_s": told }));
    // While the task is sent, the machine works.
    assert!(both["answers"][0]["wait_s"].as_f64().is_some_and(|wait_s| (499.0..500.0).contains(&wait_s)), "{both}");
    let put = service.put("/v1/queues", r#"{"time_s": 10, "queues_s": {"edge": 0, "device 0": 700}}"#);
    assert_eq!(answered(&put)["time_s"], 10.0);
    let slow = json!({ "cloud": 0.001 });
    let fast = json!({ "cloud": 6000 });
    let at = |time_s: u32, key: &str, value: &Value| {
        ask(
            json!({ "device": 2, "size_mb": 10, "time_s": time_s, key: value, "queues_s": { "edge": 300, "device 2": 300 } }),
        )
    };
    assert_ne!(at(11, "link_mbps", &slow)["place"], "cloud");
    assert_eq!(at(12, "link_mbps", &fast)["place"], "cloud");
    assert_eq!(at(13, "uplink_mbps", &json!(0))["place"], "cloud");
    let reset = answered(&service.post("/v1/reset", "{}"));
    assert_eq!((&reset["tasks"], &reset["time_of"], &reset["time_s"]), (&json!(0), &Value::Null, &json!(0.0)));
    assert_eq!(ask(json!({ "device": 0, "size_mb": 10, "time_s": 1 }))["done_s"], free["done_s"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_the_field_and_changes_nothing() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "constant.toml", &[]);
    answered(&service.post("/v1/dispatch", r#"{"device": 0, "size_mb": 10, "time_s": 100, "id": 5}"#));
    let before = service.get("/v1/queues").text;
    for (body, status, parts) in [
        (
            r#"{"device": 3, "size_mb": 1, "time_s": 100}"#,
            422,
            &["there is no device 3 here; devices are 0 to 2", "device"][..],
        ),
        (r#"{"device": "phone", "size_mb": 1, "time_s": 100}"#, 422, &["phone"]),
        (r#"{"device": 0, "size_mb": 0, "time_s": 100}"#, 422, &["greater than 0 MB", "size_mb"]),
        (r#"{"device": 0, "size_mb": 1e300, "time_s": 100}"#, 422, &["at most 1e12 MB"]),
        (r#"{"device": 0, "size_mb": "12", "time_s": 100}"#, 400, &["expected a number", "size_mb"]),
        (r#"{"device": true, "size_mb": 12, "time_s": 100}"#, 400, &["its number or its name", "device"]),
        (r#"{"device": 0, "size_mb": 12, "kb": 3}"#, 400, &["unknown field `kb`"]),
        (r#"{"device": 0, "time_s": 100}"#, 422, &["the size of the task is missing"]),
        (r#"{"size_mb": 1, "time_s": 100}"#, 422, &["the device of the task is missing"]),
        ("{}", 422, &["either device and size_mb"]),
        (r#"{"device": 0, "size_mb": 1}"#, 409, &["time_s is missing", "callers"]),
        (
            r#"{"device": 0, "size_mb": 1, "time_s": 99.5}"#,
            409,
            &["must not run backwards: it is 100 s already", "time_s"],
        ),
        (r#"{"device": 0, "size_mb": 1, "time_s": 1e999}"#, 400, &["out of range"]),
        (r#"{"device": 0, "size_mb": 1, "time_s": 100, "id": 5}"#, 409, &["open already", "id"]),
        (r#"{"device": 0, "size_mb": 1, "time_s": 100, "deadline_s": -1}"#, 422, &["deadline_s"]),
        (r#"{"device": 0, "size_mb": 1, "time_s": 100, "uplink_mbps": -1}"#, 422, &["uplink_mbps", "from 0 to"]),
        (
            r#"{"device": 0, "size_mb": 1, "time_s": 100, "link_mbps": {"edge": 1}}"#,
            422,
            &["link_mbps", "there are cloud"],
        ),
        (
            r#"{"device": 0, "size_mb": 1, "time_s": 100, "queues_s": {"moon": 1}}"#,
            422,
            &["queues_s.moon", "GET /v1/queues"],
        ),
        (
            r#"{"device": 0, "size_mb": 1, "time_s": 100, "queues_s": {"edge": -1}}"#,
            422,
            &["queues_s.edge", "not below 0"],
        ),
        (r#"{"tasks": []}"#, 422, &["1 to 10000 tasks"]),
        (
            r#"{"tasks": [{"device": 0, "size_mb": 1, "time_s": 101}, {"device": 0, "size_mb": 1, "time_s": 100.5}]}"#,
            409,
            &["tasks[1].time_s"],
        ),
        (
            r#"{"tasks": [{"device": 0, "size_mb": 1, "time_s": 101}, {"device": 9, "size_mb": 1, "time_s": 102}]}"#,
            422,
            &["tasks[1].device"],
        ),
        (
            r#"{"tasks": [{"device": 0, "size_mb": 1, "time_s": 101}, {"device": 0, "size_mb": "x"}]}"#,
            400,
            &["tasks[1].size_mb"],
        ),
    ] {
        let answer = service.post("/v1/dispatch", body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        answer.refused(status, parts);
    }
    for (body, status, parts) in [
        (r#"{"id": 4, "done_s": 101}"#, 409, &["no open task has the id 4"][..]),
        (r#"{"id": "5", "done_s": 101}"#, 409, &["no open task"]),
        (r#"{"id": 5}"#, 409, &["done_s is missing"]),
        (r#"{"id": 5, "done_s": 99}"#, 409, &["came at 100 s, and cannot have been done at 99 s"]),
        (r#"{"tasks": [{"id": 5, "done_s": 101}, {"id": 5, "done_s": 101}]}"#, 409, &["tasks[1].id"]),
        (r#"{"id": -5, "done_s": 101}"#, 400, &["a whole number not below 0"]),
        (r#"{"done_s": 101}"#, 422, &["either id"]),
    ] {
        let answer = service.post("/v1/completed", body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        answer.refused(status, parts);
    }
    service.get("/v1/queues?least=1").refused(422, &["?most=N"]);
    service.get("/v1/decide").refused(404, &["/openapi.json"]);
    service.put("/v1/dispatch", "{}").refused(405, &["another method"]);
    assert_eq!(service.get("/v1/queues").text, before);
}

#[test]
fn it_describes_and_measures_itself() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "constant.toml", &["--seed", "2"]);
    let (_, path) = day(200, 2);
    for arrival in path.arrivals() {
        answered(&service.post("/v1/dispatch", &task(arrival).to_string()));
    }
    let description = service.get("/openapi.json").json();
    for path in ["/v1/dispatch", "/v1/completed", "/v1/queues", "/v1/reset", "/v1/scenario", "/v1/reload", "/metrics"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let queues = service.get("/v1/queues").json();
    let metrics = service.get("/metrics").text;
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.unwrap_or_else(|| panic!("{name}: {metrics}"))
    };
    let places = ["local", "edge", "cloud"].map(|place| value(&format!("mrdro_tasks_total{{place=\"{place}\"}}")));
    assert_eq!(places.iter().sum::<f64>(), 200.0);
    assert_eq!(value("mrdro_wait_seconds_count"), 200.0);
    assert_eq!(value("mrdro_open_tasks"), 200.0);
    let number = |key: &str| queues[key].as_f64().expect("a number");
    assert_eq!(value("mrdro_mean_expected_cost"), number("mean_cost"));
    let regret = number("mean_cost") - number("mean_greedy_cost");
    assert!((value("mrdro_regret") - regret).abs() < 1e-9 && regret != 0.0);
    assert_eq!(
        value("mrdro_queue_seconds{queue=\"edge\"}"),
        queues["queues"]
            .as_array()
            .and_then(|queues| { queues.iter().find(|queue| queue["name"] == "edge")?["backlog_s"].as_f64() })
            .expect("a queue")
    );
    for counter in
        ["mrdro_requests_total{endpoint=\"dispatch\",status=\"409\"}", "mrdro_reloads_total{result=\"done\"}"]
    {
        assert_eq!(value(counter), 0.0, "{counter}");
    }
    let site = service.get("/v1/scenario").json();
    assert_eq!((&site["places"], &site["devices"]), (&json!(["local", "edge", "cloud"]), &json!([0, 1, 2])));
    assert_eq!(answered(&service.post("/v1/reload", "")), json!({ "scheme": "one-step-fitted", "continues": true }));
    assert_eq!(service.get("/v1/queues").json()["tasks"], 200);
}

#[test]
fn dispatchers_share_a_site_by_its_devices() {
    let workshop = workshop();
    let whole = Service::dispatching(&workshop, "constant.toml", &["--scheme", "edge-only"]);
    let share = Service::dispatching(&workshop, "constant.toml", &["--scheme", "edge-only", "--devices", "2"]);
    let told = ["--scheme", "edge-only", "--devices", "0,device 2", "--machines", "whole"];
    let told = Service::dispatching(&workshop, "constant.toml", &told);
    let ask = |service: &Service, body: &Value| answered(&service.post("/v1/dispatch", &body.to_string()));
    let body = json!({ "device": 2, "size_mb": 6, "time_s": 0 });
    let alone_s = |answer: &Value| answer["done_s"].as_f64().expect("a time");
    let [all, part] = [&whole, &share].map(|service| alone_s(&ask(service, &body)));
    assert!(part > 1.5 * all, "a share of the machine is slower: {all} {part}");
    let mut with_queue = body.clone();
    with_queue["queues_s"] = json!({ "edge": 30 });
    let answer = ask(&told, &with_queue);
    assert!(answer["wait_s"].as_f64() > Some(29.0) && (alone_s(&answer) - 30.0 - all).abs() < 1.0, "{answer}");
    for service in [&share, &told] {
        service.post("/v1/dispatch", r#"{"device": 1, "size_mb": 6, "time_s": 9}"#).refused(422, &["no device 1 here"]);
    }
    let queues = told.get("/v1/queues").json();
    let names: Vec<&str> =
        queues["queues"].as_array().expect("a list").iter().filter_map(|queue| queue["name"].as_str()).collect();
    assert!(
        names.contains(&"device 2") && !names.contains(&"device 1") && names.contains(&"link of device 2 to cloud")
    );
}
