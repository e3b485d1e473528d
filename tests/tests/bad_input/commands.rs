//! Command lines, settings, devices and places to write to.

use std::fs;

use acceptance::{Said, TINY, Workshop, shared_run};

use crate::assert_only;

/// Trains with more arguments; nothing may be written.
#[track_caller]
fn refused(arguments: &[&str], code: i32, parts: &[&str]) -> Said {
    let workshop = Workshop::new();
    let said = workshop.trainer(&[&TINY[..], &["--out", "run"], arguments].concat()).failed(code).silent();
    assert_only(&workshop, &["/"]);
    said.naming(parts)
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let workshop = Workshop::new();
    for (arguments, part) in [
        (&["tarin"][..], "tarin"),
        (&["--sede", "1"], "--sede"),
        (&["--seed", "many"], "many"),
        (&["--seed", "-1"], "-1"),
        (&["--threads", "0"], "--threads"),
        (&["--threads", "100000"], "100000"),
        (&["--format", "xml"], "xml"),
        (&["decide"], "--record"),
        (&["solve"], "--scheme"),
        (&["export", "--record", "x"], "--out"),
        (&["export", "--record", "x", "--out", "y", "--as", "onnx"], "onnx"),
        (&["decide", "--record", "x", "--explore", "-3"], "-3"),
        (&["completions", "tcsh"], "tcsh"),
        (&["scenario", "burn", "paper"], "burn"),
        (&["plot", "--out", "x.svg"], "DIR"),
        (&["worker", "--listen", "nowhere"], "nowhere"),
        (&["devices", "--dnns", "3"], "--measure"),
        (&["--checkpoint-every", "-1"], "-1"),
    ] {
        workshop.trainer(arguments).failed(2).silent().naming(&[part]);
    }
    assert_only(&workshop, &["/"]);
}

#[test]
fn an_unknown_training_is_refused() {
    refused(
        &["--training", "recomended"],
        2,
        &["`recomended`", "recommended, paper, environments and adaptable", "help:"],
    );
    refused(&["--training", "no/such.toml"], 1, &["no/such.toml", "No such file"]);
    refused(&["--training", "."], 1, &["directory"]);
}

#[test]
fn what_is_no_setting_is_refused() {
    refused(&["--set", "nonsense"], 2, &["`--set nonsense`", "help:", "KEY=VALUE"]);
    for (setting, part) in [
        ("nonsense=1", "nonsense: unknown key"),
        ("drl.stepps=1", "did you mean `steps`?"),
        ("drl.steps=many", "drl.steps: must be a whole number"),
        ("drl.steps=-1", "drl.steps: must be a whole number"),
        ("drl.steps=1.5", "drl.steps: must be a whole number"),
        ("drl.steps=99999999999999999999", "drl.steps: must be a whole number"),
        ("drl.buffer=0", "drl.buffer: must lie between 1 and"),
        ("drl.batch=0", "drl.batch: must lie between 1 and"),
        ("drl.learning_rate=nan", "drl.learning_rate: must lie"),
        ("drl.learning_rate=0", "drl.learning_rate: must lie"),
        ("drl.report_every=0", "drl.report_every: must lie"),
        ("meta.labels=random", "meta.labels: must be \"greedy\" or"),
        ("meta.metadata=1_000_000_000", "meta.metadata: must lie"),
        ("meta.inner_restart=1", "meta.inner_restart: must be true or false"),
        ("network.hidden=[0]", "network.hidden[0]: must lie"),
        ("network.hidden=[8, -1]", "network.hidden"),
        ("network.hidden=8", "network.hidden: must be an array"),
        ("network.dnns=0", "network.dnns: must lie"),
        ("network.dnns=1_000_000_000", "network.dnns: must lie"),
        ("=1", "--set =1"),
        ("drl=1", "drl: must be a table"),
        ("a b=1", "--set a b=1"),
    ] {
        let workshop = Workshop::new();
        let said = workshop.trainer(&[&TINY[..], &["--out", "run", "--set", setting]].concat());
        let code = said.code.filter(|code| [1, 2].contains(code)).unwrap_or_else(|| panic!("{said}"));
        said.failed(code).silent().naming(&[&format!("--set {setting}"), part, "help:"]);
        assert_only(&workshop, &["/"]);
    }
}

#[test]
fn all_mistakes_of_a_file_of_settings_come_at_once() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", "name = \"mine\"\n[drl]\nsteps = -4\nbufer = 3\n[meta]\nstep_size = 2\n");
    let said = workshop.trainer(&["--training", "mine.toml", "--out", "run"]).failed(1).silent();
    said.naming(&["mine.toml has 3 mistakes", "line 3, column 9: drl.steps", "line 4", "drl.bufer", "line 6"]);
    assert_only(&workshop, &["mine.toml"]);
}

/// Settings that are each possible and together are not.
#[cfg(unix)]
#[test]
fn networks_that_no_memory_can_hold_are_refused() {
    let workshop = Workshop::new();
    let line = "ulimit -v 4000000; exec \"$TRAINER\" --set network.hidden=[65536,65536] --set drl.steps=0 --out run";
    workshop.shell(line).failed(1).silent().naming(&["network"]);
    assert_only(&workshop, &["/"]);
}

#[test]
fn an_unknown_scheme_is_refused_with_those_there_are() {
    let workshop = Workshop::new();
    let said = workshop.trainer(&["solve", "--scheme", "greedyy"]);
    let code = said.code.filter(|code| [1, 2].contains(code)).unwrap_or_else(|| panic!("{said}"));
    said.failed(code).silent().naming(&["`greedyy`", "greedy-largest-first", "local-search", "exact"]);
}

#[test]
fn an_exact_search_without_end_is_refused() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", crate::edited_preset("per_device = 3", "per_device = 60"));
    let rows: Vec<Vec<f64>> = (0..3)
        .map(|device| (0..60).map(|task| 20.0 + f64::from((device * 60 + task) % 97 * task % 89) * 1e-3).collect())
        .collect();
    let line = format!("{{\"tasks_mb\": {rows:?}}}\n");
    let said = workshop.trainer_reading(line, &["solve", "--scheme", "exact", "--scenario", "mine.toml"]);
    said.failed(1).silent().naming(&["60 tasks", "3 places", "help: `--scheme local-search`"]);
}

#[test]
#[cfg(not(any(feature = "ndarray", feature = "wgpu", feature = "remote")))]
fn a_device_that_this_build_lacks_is_refused() {
    let run = shared_run();
    let before = run.files();
    for command in [&["decide", "--record", "run/record"][..], &["evaluate", "--record", "run/record"], &["compare"]] {
        for device in ["wgpu", "wgpu:0", "ndarray", "remote:127.0.0.1:4000"] {
            let said = run.trainer(&[command, &["--device", device]].concat()).failed(1).silent();
            let feature = device.split(':').next().unwrap_or_default();
            said.naming(&[
                &format!("without the {feature} backend"),
                "help:",
                &format!("--features {feature}"),
                "--device flex",
            ]);
        }
    }
    assert!(run.files() == before);
    refused(&["--device", "wgpu"], 1, &["without the wgpu backend", "help:"]);
    run.trainer(&["worker"]).failed(1).silent().naming(&["without the remote backend", "--features remote"]);
}

#[test]
fn what_is_no_device_is_refused() {
    for device in ["nonsense", "", "cuda", "wgpu:", "wgpu:x", "wgpu:-1", "flex:0"] {
        refused(&["--device", device], 2, &[&format!("`{device}`"), "auto, flex, ndarray, wgpu", "help:"]);
    }
}

#[test]
fn a_run_directory_with_something_in_it_is_left_alone() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("run")).expect("the folder is the test's own");
    workshop.write("run/notes.txt", "mine");
    for command in [&TINY[..], &[&["meta"][..], &TINY].concat()] {
        workshop.trainer(&[command, &["--out", "run"]].concat()).failed(1).silent().naming(&[
            "run",
            "not empty",
            "--out",
        ]);
        assert_only(&workshop, &["run/notes.txt"]);
    }
    fs::remove_file(workshop.path("run/notes.txt")).expect("written above");
    workshop.train("run", &[]).succeeded();
}

#[test]
fn a_finished_run_is_not_written_over() {
    let workshop = Workshop::new();
    workshop.train("run", &[]).succeeded();
    let before = workshop.files();
    workshop.train("run", &["--seed", "2"]).failed(1).silent().naming(&["run", "not empty", "help:"]);
    assert!(workshop.files() == before);
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let workshop = Workshop::new();
    workshop.write("file", "not a directory");
    let run = shared_run();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    let export = ["export", "--record", record];
    let plot = ["plot", record.trim_end_matches("/record")];
    for command in [&TINY[..], &export, &plot] {
        for out in ["file/run", "file"] {
            // A picture may be written over; a directory never.
            if command != plot || out != "file" {
                workshop.trainer(&[command, &["--out", out]].concat()).failed(1).silent().naming(&["file"]);
            }
        }
        // Nobody can write there, not even root.
        #[cfg(target_os = "linux")]
        workshop.trainer(&[command, &["--out", "/proc/run"]].concat()).failed(1).silent().naming(&["/proc/run"]);
    }
    assert_only(&workshop, &["file"]);
    assert_eq!(workshop.text("file"), "not a directory");
}

#[test]
fn a_picture_needs_runs() {
    let workshop = Workshop::new();
    workshop.write("empty.csv", "");
    workshop.trainer(&["plot", "nowhere", "--out", "x.svg"]).failed(1).silent().naming(&["nowhere", "metrics.csv"]);
    for metrics in ["", "phase,step\n", "garbage\n1\n", "phase,step,loss,q1,q2,buffer_mean_cost\nmeta,1,,,0.5,\n"] {
        fs::create_dir_all(workshop.path("run")).expect("the folder is the test's own");
        workshop.write("run/metrics.csv", metrics);
        workshop.trainer(&["plot", "run", "--out", "x.svg"]).failed(1).silent().naming(&["run", "help:"]);
    }
    assert_only(&workshop, &["empty.csv", "run/metrics.csv"]);
}
