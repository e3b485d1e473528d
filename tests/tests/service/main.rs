//! The decision service from outside: its answers, its refusals, and the failures that it survives.
#![cfg(unix)]

mod access;
mod confined;
mod connections;
mod decisions;
mod demands;
mod dispatch;
mod dispatch_programs;
mod dispatch_state;
mod encodings;
mod harness;
mod measures;
mod page;
mod proxies;
mod records;
mod refusals;
mod start;

use std::fs;
use std::path::Path;
use std::time::Duration;

use acceptance::Workshop;
use serde_json::{Value, json};

use harness::{Answer, Service};

/// As long as anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);
const SIZES: &str = "[[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]";

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    path.canonicalize().expect("it ships").to_string_lossy().into_owned()
}

/// A copy of a shipped record in the workshop, to be replaced.
fn copy(workshop: &Workshop, name: &str, to: &str) {
    let _ = fs::remove_dir_all(workshop.path(to));
    fs::create_dir_all(workshop.path(to)).expect("the folder is the test's own");
    for file in ["manifest.toml", "weights.bpk"] {
        let bytes = fs::read(Path::new(&shipped(name)).join(file)).expect("it ships");
        fs::write(workshop.path(to).join(file), bytes).expect("the folder is the test's own");
    }
}

/// Workloads of three devices with three tasks, as lines.
fn lines(count: usize) -> Vec<String> {
    let mb = |index: usize| 10.0 + (index * 7919 % 2000) as f64 / 100.0;
    let row = |start: usize| (0..3).map(|task| mb(start + task)).collect::<Vec<_>>();
    let line = |index: usize| {
        let tasks: Vec<_> = (0..3).map(|device| row(index * 9 + device * 3)).collect();
        let mut line = json!({ "id": index, "tasks_mb": tasks });
        if index % 4 == 3 {
            line["environment"] = json!({ "uplink_mbps": [1 + index % 20, 5, 9], "alpha": 0.7 });
        }
        line.to_string()
    };
    (0..count).map(line).collect()
}

/// The answers of `decide` to these lines.
fn decided(workshop: &Workshop, record: &str, lines: &[String]) -> Vec<Value> {
    let said = workshop.trainer_reading(lines.join("\n"), &["decide", "--record", record]).succeeded();
    said.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
