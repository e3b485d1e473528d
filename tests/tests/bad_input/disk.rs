//! Disks that fill up while something is written. A limit on the size of files stands for them: what goes over it fails
//! to be written in the same way.
#![cfg(unix)]

use acceptance::{Said, TINY, Workshop, shared_run};

use crate::assert_only;

/// Runs the program where no file may grow over `blocks` of 512 bytes.
fn limited(workshop: &Workshop, blocks: usize, arguments: &[&str]) -> Said {
    let quoted: Vec<String> = arguments.iter().map(|argument| format!("'{argument}'")).collect();
    workshop.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$TRAINER\" {}", quoted.join(" ")))
}

/// No file is cut off: what was written is what a run with room writes.
#[track_caller]
fn assert_nothing_half_written(workshop: &Workshop) {
    for (name, content) in workshop.files() {
        let unfinished = [".tmp", "unfinished", "record"].iter().any(|part| name.contains(part));
        assert!(!unfinished, "{name} was left behind");
        if name == "run/metrics.csv" || name == "run/config.toml" {
            let text = String::from_utf8(content).expect("text");
            assert!(text.is_empty() || text.ends_with('\n'), "{name} is cut off:\n{text}");
        }
    }
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named() {
    let workshop = Workshop::new();
    let said = limited(&workshop, 0, &[&TINY[..], &["--out", "run"]].concat()).failed(1).silent();
    said.naming(&["cannot write run/config.toml", "File too large"]);
    assert_nothing_half_written(&workshop);
}

#[test]
fn a_disk_that_fills_up_with_the_record_leaves_no_record() {
    // The configuration and the metrics fit; the weights, of 8 kB, do not.
    let workshop = Workshop::new();
    let said = limited(&workshop, 8, &[&TINY[..], &["--out", "run"]].concat()).failed(1).silent();
    said.naming(&["cannot write run/", "record", "File too large"]);
    assert_nothing_half_written(&workshop);
}

#[test]
fn a_disk_that_fills_up_with_the_metrics_stops_the_training() {
    let workshop = Workshop::new();
    let often = ["--out", "run", "--set", "drl.report_every=1", "--set", "drl.steps=500"];
    let said = limited(&workshop, 5, &[&TINY[..], &often].concat()).failed(1).silent();
    said.naming(&["cannot write run/metrics.csv", "File too large"]);
    assert!(!workshop.files().keys().any(|name| name.contains("record") || name.contains(".tmp")));
}

#[test]
fn a_disk_that_fills_up_with_an_export_leaves_nothing() {
    let run = shared_run();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    for more in [&[][..], &["--as", "bpk"], &["--per-dnn"]] {
        let workshop = Workshop::new();
        let said = limited(&workshop, 1, &[&["export", "--record", record, "--out", "out"], more].concat());
        said.failed(1).silent().naming(&["cannot write out/", "File too large"]);
        assert_only(&workshop, &["out/"]);
    }
}

#[test]
fn a_disk_that_fills_up_with_a_picture_leaves_none() {
    let shared = shared_run();
    let run = shared.path("run");
    let run = run.to_str().expect("a plain path");
    let workshop = Workshop::new();
    let said = limited(&workshop, 4, &["plot", run, "--out", "plot.svg"]).failed(1).silent();
    said.naming(&["cannot write plot.svg", "File too large"]);
    assert_only(&workshop, &["/"]);
}

#[cfg(target_os = "linux")]
#[test]
fn answers_that_find_no_room_are_an_error() {
    let run = shared_run();
    run.write("one.jsonl", "{\"tasks_mb\": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}\n");
    for command in [
        "decide --record run/record one.jsonl",
        "solve --scheme exact one.jsonl",
        "evaluate --record run/record",
        "scenario list",
        "scenario show paper",
        "scenario check paper",
        "devices",
        "completions bash",
    ] {
        let said = run.shell(&format!("exec \"$TRAINER\" {command} > /dev/full")).failed(1);
        said.naming(&["No space left on device"]);
    }
}
