//! One record for any fleet: trained, resumed, evaluated, and deciding for scenarios that it never saw.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::{Said, Workshop};
use serde_json::{Value, json};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{Scenario, Workload};

const TINY: [&str; 12] = [
    "--set",
    "network.width=4",
    "--set",
    "network.rounds=2",
    "--set",
    "drl.steps=12",
    "--set",
    "drl.report_every=3",
    "--set",
    "fleets.devices=[1, 4]",
    "--fleets",
    "2",
];
const SIZES: [[f64; 3]; 3] = [[12.0, 25.5, 18.0], [20.1, 11.0, 29.9], [15.0, 15.0, 15.0]];

fn answer(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn train(workshop: &Workshop, out: &str, more: &[&str]) -> Said {
    let mut arguments = vec!["fleet"];
    arguments.extend(TINY);
    arguments.extend(["--out", out]);
    arguments.extend(more);
    workshop.trainer(&arguments)
}

#[test]
fn one_record_decides_for_scenarios_it_never_saw() {
    let workshop = Workshop::new();
    train(&workshop, "run", &[]).succeeded();
    let results = answer(&workshop.text("run/results.json"));
    assert_eq!(results["gains"].as_array().expect("one for each size").len(), 5);
    for row in results["rows"].as_array().expect("rows") {
        let q2 = row["q2"].as_f64().expect("a number");
        assert!(q2 > 0.0 && q2 <= 1.0 + 1e-12, "{row}");
    }
    for file in ["config.toml", "metrics.csv", "results.csv", "curves.svg", "fleets.svg", "record/manifest.toml"] {
        assert!(!workshop.text(&format!("run/{file}")).is_empty(), "{file}");
    }

    workshop.write("one.jsonl", json!({ "tasks_mb": SIZES }).to_string());
    let workload = Workload::from_mb(3, SIZES.as_flattened());
    for scenario in ["paper", "paper-wan", "shared-edge", "shared-edges"] {
        let decide = ["decide", "--record", "run/record", "--scenario", scenario, "one.jsonl"];
        let said = answer(&workshop.trainer(&decide).succeeded().stdout);
        let model = Scenario::load(scenario).expect("a preset").check().expect("valid");
        let greedy = Greedy::new(Order::LargestFirst).decide(&model, &workload).expect("decides").decision;
        let greedy = model.evaluate(&workload, &greedy).cost;
        assert!(said["cost"].as_f64().expect("a cost") <= greedy * (1.0 + 1e-12), "{scenario}: {said}");
        let budget = workshop.trainer(&[&decide[..], &["--budget", "20"]].concat()).succeeded();
        assert!(answer(&budget.stdout)["cost"].as_f64() <= said["cost"].as_f64(), "{scenario}");
        let free = answer(&workshop.trainer(&[&decide[..], &["--search-free"]].concat()).succeeded().stdout);
        assert_eq!(free["evaluations"], 8, "two networks, four passes");
    }
    let compared = workshop.trainer(&["compare", "--scenario", "shared-edge", "--record", "run/record"]).succeeded();
    for name in ["mr-dro-fleet-free", "mr-dro-fleet@16", "exact"] {
        assert!(compared.stdout.contains(name), "{name} in {}", compared.stdout);
    }
    let evaluated =
        workshop.trainer(&["evaluate", "--record", "run/record", "--fleets", "2", "--picture", "p.svg"]).succeeded();
    assert!(evaluated.stdout.contains("local-search@16") && workshop.text("p.svg").contains("<svg"));

    workshop.trainer(&["decide", "--record", "run/record", "one.jsonl"]).failed(1).naming(&["--scenario"]);
    let explored = ["decide", "--record", "run/record", "--scenario", "paper", "--explore", "2", "one.jsonl"];
    workshop.trainer(&explored).failed(1).naming(&["--explore"]);
    workshop.trainer(&["export", "--record", "run/record", "--out", "x"]).succeeded();
    assert!(workshop.path("x/ensemble.safetensors").exists());
}

#[test]
fn a_run_that_was_interrupted_ends_with_the_same_record() {
    let workshop = Workshop::new();
    let longer = ["--set", "drl.steps=900", "--checkpoint-steps", "3"];
    train(&workshop, "whole", &longer).succeeded();
    train(&workshop, "whole", &longer).failed(1).naming(&["whole"]);
    workshop.trainer(&["fleet", "--resume", "whole"]).failed(1).naming(&["whole", "checkpoints"]);

    let mut command = workshop.command();
    command.arg("fleet").args(TINY).args(longer).args(["--threads", "1", "--out", "cut"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("built before");
    let begin = Instant::now();
    while !workshop.path("cut/checkpoints/fleet-00000006").exists() {
        assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint");
        thread::sleep(Duration::from_millis(1));
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("there is a kill").success());
    let said = Said::from(&child.wait_with_output().expect("it was started"));
    said.failed(143).naming(&["SIGTERM", "fleet --resume cut"]);
    assert!(!workshop.path("cut/record").exists());
    workshop.trainer(&["train", "--resume", "cut"]).failed(1).naming(&["cut", "trainer fleet --resume"]);

    workshop.trainer(&["fleet", "--resume", "cut", "--fleets", "2"]).succeeded();
    for file in ["record/manifest.toml", "record/weights.bpk", "metrics.csv", "config.toml"] {
        assert!(workshop.read(&format!("cut/{file}")) == workshop.read(&format!("whole/{file}")), "{file} differs");
    }
    assert!(!workshop.path("cut/checkpoints").exists());
}

#[test]
fn mistakes_in_settings_are_all_named() {
    let workshop = Workshop::new();
    let settings = [
        "fleet",
        "--set",
        "network.nets=0",
        "--set",
        "fleets.devices=[5, 2]",
        "--set",
        "drl.undecided=2",
        "--set",
        "fleets.tasks=[1]",
        "--set",
        "drl.paces=3",
        "--out",
        "run",
    ];
    let named = ["network.nets", "fleets.devices", "drl.undecided", "fleets.tasks", "drl.paces"];
    workshop.trainer(&settings).failed(1).naming(&named);
    assert!(!workshop.path("run").exists());
    workshop.trainer(&["fleet", "--training", "nowhere.toml"]).failed(1).naming(&["nowhere.toml"]);
}
