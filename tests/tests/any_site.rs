//! One record for any site: trained, killed and resumed, evaluated, compared, served, and refused where it does not fit.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::{Said, Workshop};
use serde_json::Value;

const TINY: [&str; 22] = [
    "--set",
    "drl.steps=5",
    "--set",
    "drl.improvement_steps=2",
    "--set",
    "drl.sites_per_step=4",
    "--set",
    "drl.tasks_per_site=200",
    "--set",
    "drl.futures=2",
    "--set",
    "drl.batch=64",
    "--set",
    "drl.evolution_steps=3",
    "--set",
    "drl.evolution_pairs=2",
    "--set",
    "drl.evolution_tasks=300",
    "--set",
    "drl.report_every=1",
    "--set",
    "sites.devices=[2, 5]",
];

fn shipped(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../models")).join(name);
    path.to_str().expect("UTF-8").to_owned()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn train(workshop: &Workshop, more: &[&str]) -> Said {
    workshop.trainer(&[&["site"], &TINY[..], more].concat())
}

/// The files of a run that do not depend on time.
fn record(workshop: &Workshop, run: &str) -> [Vec<u8>; 3] {
    ["metrics.csv", "record/manifest.toml", "record/weights.bpk"].map(|file| workshop.read(&format!("{run}/{file}")))
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let workshop = Workshop::new();
    let said = train(&workshop, &["--out", "whole"]).succeeded();
    assert!(said.stdout.contains("cost against greedy"), "{}", said.stdout);
    for file in ["results.json", "results.csv", "curves.svg", "sites.svg"] {
        assert!(workshop.path("whole").join(file).exists(), "{file}");
    }
    let mut command = workshop.command();
    command.arg("site").args(TINY).args(["--out", "killed", "--checkpoint-steps", "1"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("built");
    let begin = Instant::now();
    while !workshop.path("killed").join("checkpoints").read_dir().is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("site")))
    }) {
        assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    child.wait().expect("it was started");
    if !workshop.path("killed").join("results.json").exists() {
        workshop.trainer(&["site", "--resume", "killed"]).succeeded();
    }
    assert_eq!(record(&workshop, "killed"), record(&workshop, "whole"));
    workshop.trainer(&["fleet", "--resume", "whole"]).failed(1).naming(&["whole"]);
}

#[test]
fn the_shipped_record_beats_greedy_and_the_closed_forms() {
    let workshop = Workshop::new();
    let rows = parsed(
        &workshop.trainer(&["evaluate", "--record", &shipped("any-site"), "--format", "json"]).succeeded().stdout,
    );
    let mean = |rule: &str| {
        let of_rule = rows.as_array().expect("rows").iter().filter(|row| row["rule"] == rule);
        let changes: Vec<f64> = of_rule.map(|row| row["change"].as_f64().expect("a number")).collect();
        assert_eq!(changes.len(), 16);
        changes.iter().sum::<f64>() / 16.0
    };
    assert!(mean("greedy") < -0.16 && mean("one-step") < -0.06 && mean("one-step-fitted") < -0.025, "{rows}");
    let compare =
        ["compare", "--scenario", "dispatch", "--record", &shipped("any-site"), "--runs", "2", "--format", "json"];
    let rows = parsed(&workshop.trainer(&compare).succeeded().stdout);
    let change = |scheme: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| row["scheme"] == scheme);
        row.unwrap_or_else(|| panic!("{scheme} in {rows}"))["change"].as_f64().expect("a number")
    };
    assert!(change("mr-dro-stream") < change("one-step-fitted") && change("mr-dro-stream") < -0.2, "{rows}");
}

#[test]
fn a_record_that_does_not_fit_is_refused() {
    let workshop = Workshop::new();
    let site = shipped("any-site");
    let (mobile, workloads) = (shipped("mobile"), "workloads.jsonl");
    workshop.write(workloads, "{\"tasks_mb\": [[1]]}\n");
    let refused_with = |code: i32, arguments: &[&str], parts: &[&str]| {
        workshop.trainer(arguments).failed(code).silent().naming(parts);
    };
    let refused = |arguments: &[&str], parts: &[&str]| refused_with(1, arguments, parts);
    refused(&["compare", "--scenario", "dispatch", "--record", &mobile], &["mobile", "DNNs for one scenario"]);
    refused(&["compare", "--scenario", "commute", "--record", &site], &["slots"]);
    refused(&["compare", "--scenario", "paper", "--record", &site], &["arrive over time"]);
    refused(&["decide", "--record", &site, workloads], &["no scenario of its own", "--scenario"]);
    refused(&["serve", "--record", &site], &["no scenario of its own", "--scenario"]);
    let both = ["serve", "--record", &site, "--scenario", "dispatch", "--scheme", "greedy"];
    refused_with(2, &both, &["--scheme", "--record"]);
    refused(&["site", "--set", "network.width=0"], &["network.width"]);
    refused(&["site", "--set", "sites.devices=[3, 2]"], &["sites.devices"]);
}

/// Ends the service with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_shipped_record_is_served() {
    let workshop = Workshop::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let address = format!("127.0.0.1:{port}");
    let mut command = workshop.command();
    command.args(["serve", "--scenario", "dispatch", "--record", &shipped("any-site"), "--listen", &address]);
    let _service =
        Ended(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("built"));
    let begin = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(&address) {
            Ok(stream) => break stream,
            Err(error) => assert!(begin.elapsed() < Duration::from_mins(1), "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    let body = r#"{"tasks": [{"device": 3, "size_mb": 12}, {"device": 4, "size_mb": 30}]}"#;
    let length = body.len();
    let head = "POST /v1/dispatch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    let answers = parsed(body);
    assert_eq!(answers["answers"].as_array().expect("answers").len(), 2, "{answer}");
    assert!(answers["answers"][0]["place"].is_string(), "{answer}");
}
