//! The program on other devices than the CPU: graphics adapters, in hardware or in software, and other machines.
//!
//! `cargo test -p acceptance --features ndarray,wgpu,remote --test backends`

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use acceptance::{Said, TINY, Workshop};
use serde_json::Value;

/// Settings of a training that learns something, and takes half a minute on an adapter in software.
const SHORT: [&str; 18] = [
    "--set",
    "network.dnns=4",
    "--set",
    "network.hidden=[48,32]",
    "--set",
    "meta.outer_steps=100",
    "--set",
    "meta.report_every=50",
    "--set",
    "drl.steps=1300",
    "--set",
    "drl.buffer=300",
    "--set",
    "drl.batch=64",
    "--set",
    "drl.report_every=300",
    "--set",
    "meta.metadata=2000",
];

fn short(workshop: &Workshop, device: &str, out: &str) -> Said {
    workshop.trainer(&[&SHORT[..], &["--device", device, "--out", out]].concat())
}

fn q2(workshop: &Workshop, run: &str) -> f64 {
    let results: Value = serde_json::from_str(&workshop.text(&format!("{run}/results.json"))).expect("JSON");
    let rows = results["evaluations"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["scheme"] == "mr-dro").expect("it was trained");
    row["q2"].as_f64().expect("the optimum is known")
}

/// A worker on a port of its own, until the test ends.
struct Worker {
    process: Child,
    /// `remote:127.0.0.1:PORT`, or as the worker names itself elsewhere.
    device: String,
}

impl Worker {
    fn start(workshop: &Workshop, arguments: &[&str], token: &str) -> Self {
        let mut command = workshop.command();
        command.arg("worker").args(arguments).env("NO_COLOR", "1");
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !token.is_empty() {
            command.env("TRAINER_TOKEN", token);
        }
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program was built");
        let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let device = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, device) = line.split_once("--device ")?;
            Some(device.trim().to_owned())
        });
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process, device: device.expect("a worker says how to reach it") }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_short_training_reaches_the_same_q2_on_every_device() {
    let workshop = Workshop::new();
    for device in ["flex", "ndarray", "wgpu"] {
        short(&workshop, device, device).succeeded();
    }
    let expected = q2(&workshop, "flex");
    assert!(expected > 0.98, "{expected} on flex");
    for device in ["ndarray", "wgpu"] {
        let found = q2(&workshop, device);
        println!("Q2 {found} on {device}, {expected} on flex");
        assert!((found - expected).abs() < 2e-3, "Q2 {found} on {device}, {expected} on flex");
    }
}

#[test]
fn the_same_training_on_an_adapter_writes_the_same_bytes_and_its_record_travels() {
    let workshop = Workshop::new();
    for run in ["first", "second"] {
        workshop.train(run, &["--device", "wgpu"]).succeeded().naming(&["computing on wgpu:0"]);
    }
    for file in ["metrics.csv", "record/manifest.toml", "record/weights.bpk"] {
        assert!(workshop.read(&format!("first/{file}")) == workshop.read(&format!("second/{file}")), "{file} differs");
    }
    let workload = "{\"tasks_mb\": [[12.0, 25.5, 18.0], [20.1, 11.0, 29.9], [15.0, 15.0, 15.0]]}\n".repeat(20);
    let decided = |device: &str| {
        let decide = ["decide", "--record", "first/record", "--explore", "6", "--device", device];
        workshop.trainer_reading(workload.clone(), &decide).succeeded().stdout
    };
    let expected = decided("flex");
    assert_eq!(expected.lines().count(), 20);
    for device in ["ndarray", "wgpu"] {
        assert_eq!(decided(device), expected, "{device}");
    }
}

#[test]
fn auto_says_in_one_line_what_computes() {
    let workshop = Workshop::new();
    let devices: Vec<Value> =
        serde_json::from_str(&workshop.trainer(&["devices", "--format", "json"]).succeeded().stdout).expect("a list");
    let adapter = devices.iter().find(|row| row["device"] == "wgpu:0").expect("an adapter, in software at least");
    let said = workshop.train("run", &[]).succeeded();
    let lines: Vec<&str> = said.stderr.lines().filter(|line| line.contains("computing on")).collect();
    match adapter["kind"].as_str().expect("a text") {
        "gpu" => {
            assert!(lines.len() == 1 && lines[0].contains("computing on wgpu:0") && lines[0].contains("--device flex"));
        }
        "software-gpu" => {
            assert!(lines.len() == 1 && lines[0].contains("computing on flex: no graphics card was found"), "{said}");
            assert!(lines[0].contains("--device wgpu:0"), "{said}");
        }
        kind => panic!("{kind}"),
    }
}

#[test]
fn devices_can_be_measured() {
    let workshop = Workshop::new();
    let measure = ["devices", "--measure", "--device", "flex", "--device", "wgpu", "--dnns", "1,3", "--batch", "16"];
    let said = workshop.trainer(&[&measure[..], &["--format", "json"]].concat()).succeeded();
    let rows: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert!(row["step_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{row}");
        assert!(row["decision_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{row}");
    }
}

#[test]
fn training_on_another_machine_is_the_same_training() {
    let workshop = Workshop::new();
    let worker = Worker::start(&workshop, &["--device", "ndarray"], "");
    workshop.train("local", &["--device", "ndarray"]).succeeded();
    workshop.train("remote", &["--device", &worker.device]).succeeded().naming(&["computing on remote:127.0.0.1"]);
    for file in ["metrics.csv", "record/weights.bpk"] {
        assert!(workshop.read(&format!("local/{file}")) == workshop.read(&format!("remote/{file}")), "{file} differs");
    }
    // The same worker serves one training after another, and decisions.
    workshop.trainer(&["evaluate", "--record", "remote/record", "--device", &worker.device]).succeeded();
}

#[test]
fn an_adapter_of_another_machine_trains_as_well() {
    let workshop = Workshop::new();
    let worker = Worker::start(&workshop, &["--device", "wgpu"], "");
    short(&workshop, &worker.device, "remote").succeeded();
    short(&workshop, "flex", "local").succeeded();
    let (remote, local) = (q2(&workshop, "remote"), q2(&workshop, "local"));
    assert!((remote - local).abs() < 2e-3, "Q2 {remote} there, {local} here");
}

#[test]
fn only_the_token_opens_a_worker_that_has_one() {
    let workshop = Workshop::new();
    let worker = Worker::start(&workshop, &["--device", "ndarray"], "a-secret-of-tests");
    let train = |token: Option<&str>, device: &str, out: &str| {
        let mut command = workshop.command();
        command.args([&TINY[..], &["--device", device, "--out", out]].concat());
        if let Some(token) = token {
            command.env("TRAINER_TOKEN", token);
        }
        Said::from(&command.output().expect("the program was built"))
    };
    train(None, &worker.device, "none").failed(1).silent().naming(&["refuses the token", "TRAINER_TOKEN"]);
    train(Some("another-secret"), &worker.device, "other").failed(1).silent().naming(&["refuses the token"]);
    let beyond = format!("{}/3", worker.device);
    train(Some("a-secret-of-tests"), &beyond, "beyond").failed(1).naming(&["has no device 3; it has 1"]);
    train(Some("short"), &worker.device, "short").failed(1).naming(&["TRAINER_TOKEN", "8 to 1024"]);
    assert_eq!(workshop.files().into_keys().collect::<Vec<_>>(), ["/"]);
    train(Some("a-secret-of-tests"), &worker.device, "run").succeeded();
}

#[test]
fn a_worker_listens_on_names_and_on_every_address() {
    let workshop = Workshop::new();
    let local = Worker::start(&workshop, &["--device", "flex", "--listen", "localhost:0"], "");
    workshop.train("run", &["--device", &local.device]).succeeded();
    let every = Worker::start(&workshop, &["--device", "flex", "--listen", ":0"], "a-secret-of-tests");
    let port = every.device.strip_prefix("remote:THIS_MACHINE:").expect("it has many addresses");
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok(), "{port}");
    let refused =
        |listen: &str| workshop.trainer(&["worker", "--device", "flex", "--listen", listen]).failed(1).silent();
    refused(":0").naming(&["every machine that reaches", "--token-file", "--open"]);
    refused("no-such-host.invalid:3000").naming(&["no address is found for the name `no-such-host.invalid`", "help:"]);
}

#[test]
fn a_worker_that_is_lost_leaves_the_last_checkpoint() {
    let workshop = Workshop::new();
    let worker = Worker::start(&workshop, &["--device", "ndarray"], "");
    let long = ["--set", "drl.steps=1000000", "--checkpoint-every", "0", "--device", &worker.device, "--out", "run"];
    let mut command = workshop.command();
    let training = command.args([&TINY[..], &long].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let training = training.expect("the program was built");
    let trained = |step: &str| workshop.path(&format!("run/checkpoints/drl-{step}")).exists();
    let begin = Instant::now();
    while !(trained("00000100") || trained("00000110") || trained("00000120")) {
        assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint");
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(worker);
    let said = Said::from(&training.wait_with_output().expect("it ends by itself")).failed(1).silent();
    let said = said.naming(&["computing on remote:127.0.0.1", "--start run/checkpoints/drl-"]);
    let kept = said.stderr.split("--start ").nth(1).and_then(|rest| rest.split('`').next());
    let kept = kept.expect("it says what was kept").to_owned();
    let kinds = std::fs::read_dir(workshop.path("run/checkpoints")).expect("two are kept");
    let (records, files): (Vec<_>, Vec<_>) =
        kinds.map(|entry| entry.expect("readable").path()).partition(|path| path.is_dir());
    let states = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "state")).count();
    // It may have been lost between a state and its record.
    assert!((1..=2).contains(&records.len()) && (2..=3).contains(&states), "{records:?} {files:?}");
    assert!(!workshop.path("run/record").exists() && !workshop.path("run/results.json").exists());
    workshop.train("on", &["--start", &kept, "--device", "flex"]).succeeded();
}

#[test]
fn devices_that_are_not_there_are_named() {
    let workshop = Workshop::new();
    for (device, parts) in [
        ("wgpu:99", &["no graphics adapter 99", "trainer devices"][..]),
        ("remote:127.0.0.1:x", &["is not a device"]),
        ("remote:", &["is not a device"]),
    ] {
        let code = if device.starts_with("wgpu") { 1 } else { 2 };
        workshop.train("run", &["--device", device]).failed(code).silent().naming(parts);
    }
    workshop
        .trainer(&["worker", "--listen", "0.0.0.0:0", "--device", "flex"])
        .failed(1)
        .naming(&["--token-file", "--open"]);
    let mixed = ["worker", "--listen", "127.0.0.1:0", "--device", "flex", "--device", "wgpu"];
    workshop.trainer(&mixed).failed(1).naming(&["several backends"]);
    let worker = Worker::start(&workshop, &["--device", "flex"], "");
    let taken = worker.device.trim_start_matches("remote:");
    workshop.trainer(&["worker", "--listen", taken, "--device", "flex"]).failed(1).naming(&["cannot listen on", taken]);
    assert_eq!(workshop.files().into_keys().collect::<Vec<_>>(), ["/"]);
}
