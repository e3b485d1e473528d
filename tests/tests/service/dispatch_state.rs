//! The state of a dispatching service over restarts, kills and damage.

use std::time::Duration;

use acceptance::Workshop;
use serde_json::{Value, json};

use crate::Service;
use crate::dispatch::{answered, day, task, workshop};

const STATE: [&str; 8] = ["--scheme", "static-split", "--seed", "4", "--state", "state", "--sync-every", "0.05"];

fn dispatching(workshop: &Workshop) -> Service {
    Service::dispatching(workshop, "constant.toml", &STATE)
}

/// The queues of a service without the decisions that are shown.
fn queues(service: &Service) -> Value {
    let mut queues = service.get("/v1/queues").json();
    queues["recent"].take();
    queues
}

#[test]
fn an_orderly_end_loses_nothing() {
    let workshop = workshop();
    let (_, path) = day(300, 4);
    let tasks: Vec<Value> = path.arrivals().iter().map(task).collect();
    let (first, second) = tasks.split_at(150);
    let whole = Service::dispatching(&workshop, "constant.toml", &STATE[..4]);
    let place = |service: &Service, tasks: &[Value]| {
        answered(&service.post("/v1/dispatch", &json!({ "tasks": tasks }).to_string()))
    };
    place(&whole, first);
    answered(&whole.post("/v1/completed", r#"{"id": 149, "done_s": 1e5}"#));
    let service = dispatching(&workshop);
    place(&service, first);
    answered(&service.post("/v1/completed", r#"{"id": 149, "done_s": 1e5}"#));
    let (status, _) = service.end();
    assert!(status.success());
    let service = dispatching(&workshop);
    assert_eq!(queues(&service), queues(&whole));
    let later: Vec<Value> = second
        .iter()
        .map(|task| {
            let mut task = task.clone();
            task["time_s"] = json!(task["time_s"].as_f64().expect("a time") + 1e5);
            task
        })
        .collect();
    // The scheme draws random numbers, and goes on where it was.
    assert_eq!(place(&service, &later)["answers"], place(&whole, &later)["answers"]);
    assert_eq!(queues(&service), queues(&whole));
}

#[test]
fn a_kill_loses_only_what_was_answered_since_the_last_write() {
    let workshop = workshop();
    let (_, path) = day(4_000, 4);
    let tasks: Vec<Value> = path.arrivals().iter().map(task).collect();
    let mut service = dispatching(&workshop);
    let mut sent = 0;
    for kill in 0..4_u64 {
        // Under load: the file is being written while tasks come.
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_millis(150 + 37 * kill) {
            answered(&service.post("/v1/dispatch", &tasks[sent].to_string()));
            sent += 1;
        }
        service.kill();
        service = dispatching(&workshop);
        let continued = queues(&service);
        let kept = usize::try_from(continued["tasks"].as_u64().expect("a number")).expect("small");
        assert!(kept > 0 && kept <= sent, "{kept} of {sent}");
        // What is there is exactly what these tasks make.
        let fresh = Service::dispatching(&workshop, "constant.toml", &STATE[..4]);
        for tasks in tasks[..kept].chunks(1_000) {
            answered(&fresh.post("/v1/dispatch", &json!({ "tasks": tasks }).to_string()));
        }
        assert_eq!(continued, queues(&fresh));
        sent = kept;
    }
}

#[test]
fn a_damaged_or_foreign_state_is_refused_and_stays_as_it_is() {
    let workshop = workshop();
    let service = dispatching(&workshop);
    answered(&service.post("/v1/dispatch", r#"{"device": 0, "size_mb": 10}"#));
    assert!(service.end().0.success());
    let good = workshop.read("state");
    let mut damaged = good.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    let newer = String::from_utf8_lossy(&good).replacen("state 1 ", "state 2 ", 1).into_bytes();
    let arguments = [&["serve", "--scenario", "constant.toml", "--listen", "127.0.0.1:0"][..], &STATE].concat();
    for (content, part) in [
        (&damaged[..], "damaged"),
        (&good[..good.len() - 5], "a part is missing"),
        (b"name = 'something else'\n", "no state of a dispatching service"),
        (b"", "no state of a dispatching service"),
        (&newer, "version 1"),
    ] {
        workshop.write("state", content);
        workshop.trainer(&arguments).failed(1).naming(&[
            part,
            "the state in state cannot be continued",
            "help: nothing was changed",
        ]);
        assert_eq!(workshop.read("state"), content);
    }
    workshop.write("state", &good);
    let mut other = arguments.clone();
    other[8] = "5";
    workshop.trainer(&other).failed(1).naming(&["it is of another site"]);
    assert_eq!(workshop.read("state"), good);
    let nowhere = ["serve", "--scenario", "constant.toml", "--listen", "127.0.0.1:0", "--state", "nowhere/state"];
    workshop.trainer(&nowhere).failed(1).naming(&["nowhere/state", "help: name a file that can be written"]);
    // Another scheme begins anew, with the queues as they are.
    let mut greedy = STATE;
    greedy[1] = "greedy";
    let mut service = Service::dispatching(&workshop, "constant.toml", &greedy);
    assert_eq!(queues(&service)["tasks"], 1);
    workshop
        .trainer(&arguments)
        .failed(1)
        .naming(&["another service keeps its state in state", "help: end that service"]);
    service.signal("-HUP");
    assert_eq!(service.next_line(), "the scheme was opened again\n");
    assert_eq!(queues(&service)["tasks"], 1);
}

#[test]
fn mistaken_options_are_refused_with_what_to_type() {
    let workshop = workshop();
    for (more, code, parts) in [
        (&["--scenario", "constant.toml", "--scheme", "gredy"][..], 1, &["did you mean `greedy`?"][..]),
        (&["--scenario", "constant.toml", "--scheme", "rollout"], 1, &["milliseconds", "one-step-fitted"]),
        (&["--scenario", "constant.toml", "--devices", "2-5"], 1, &["no device 3", "devices are 0 to 2"]),
        (&["--scenario", "constant.toml", "--devices", "x"], 2, &["0,3,7-9"]),
        (&["--scenario", "constant.toml", "--explore", "2"], 2, &["--explore is for scenarios of a record"]),
        (&["--scenario", "constant.toml", "--state", "s", "--sync-every", "0"], 2, &["a number of seconds above 0"]),
        (&["--scenario", "paper"], 2, &["a scenario of dispatching", "--record"]),
        (&["--scenario", "commute"], 2, &["a scenario of dispatching"]),
        (&["--scenario", "constant.toml", "--listen", "0.0.0.0:0"], 1, &["--token-file"]),
    ] {
        workshop.trainer(&[&["serve"][..], more].concat()).failed(code).naming(parts);
    }
    let record = crate::shipped("mobile");
    workshop
        .trainer(&["serve", "--record", &record, "--scheme", "greedy"])
        .failed(2)
        .naming(&["--scheme", "of dispatching"]);
}
