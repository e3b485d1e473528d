//! Many trainings at once, in one go or shard by shard.

use std::collections::BTreeMap;

use acceptance::{Said, TINY, Workshop};
use serde_json::Value;

/// A sweep of two values and two seeds, with more arguments.
fn sweep(workshop: &Workshop, out: &str, more: &[&str]) -> Said {
    let varied = ["--vary", "network.dnns=2,10", "--seeds", "1-2", "--out", out];
    workshop.trainer(&[&["sweep"], &TINY[..], &varied, more].concat())
}

/// The files of a sweep that hold no times: everything that two equal sweeps have in common.
fn repeatable(workshop: &Workshop, sweep: &str) -> BTreeMap<String, Vec<u8>> {
    let timed = ["results.json", "results.csv", "runs.csv"];
    let below =
        |(name, content): (String, Vec<u8>)| Some((name.strip_prefix(&format!("{sweep}/"))?.to_owned(), content));
    let kept = |name: &str| !timed.iter().any(|timed| name.ends_with(timed));
    workshop.files().into_iter().filter_map(below).filter(|(name, _)| kept(name)).collect()
}

/// Rows of a CSV by the names of its columns.
fn table(workshop: &Workshop, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = workshop.text(file);
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
}

#[test]
fn shards_merged_are_the_whole_sweep() {
    let workshop = Workshop::new();
    sweep(&workshop, "whole", &[]).succeeded().naming(&["4 runs, 4 of them this shard's, 4 to do"]);
    sweep(&workshop, "first", &["--shard", "1/2"]).succeeded().naming(&["4 runs, 2 of them this shard's, 2 to do"]);
    sweep(&workshop, "second", &["--shard", "2/2"]).succeeded();
    workshop
        .trainer(&["sweep", "merge", "second", "first", "--out", "merged"])
        .succeeded()
        .naming(&["4 runs in merged"]);
    let (whole, merged) = (repeatable(&workshop, "whole"), repeatable(&workshop, "merged"));
    assert_eq!(whole.keys().collect::<Vec<_>>(), merged.keys().collect::<Vec<_>>());
    for (name, content) in &whole {
        assert!(content == &merged[name], "{name} differs");
    }
    assert!(
        whole.contains_key("runs/paper-recommended-network.dnns=10-seed2/record/weights.bpk"),
        "{:?}",
        whole.keys()
    );
    assert!(whole.contains_key("summary.csv") && whole.contains_key("sweep.toml"));
}

#[test]
fn a_run_of_a_sweep_is_the_training_of_the_same_settings() {
    let workshop = Workshop::new();
    sweep(&workshop, "sweep", &["--threads", "2"]).succeeded();
    workshop.train("alone", &["--set", "network.dnns=2", "--seed", "2"]).succeeded();
    for file in ["config.toml", "metrics.csv", "record/weights.bpk"] {
        let run = format!("sweep/runs/paper-recommended-network.dnns=2-seed2/{file}");
        assert!(workshop.read(&run) == workshop.read(&format!("alone/{file}")), "{file} differs");
    }
}

#[test]
fn tables_say_what_runs_found() {
    let workshop = Workshop::new();
    let said = sweep(&workshop, "sweep", &["--format", "json"]).succeeded();
    let runs = table(&workshop, "sweep/runs.csv");
    let of = |dnns: &str, scheme: &str| -> Vec<f64> {
        let rows = runs.iter().filter(|row| row["network.dnns"] == dnns && row["scheme"] == scheme);
        rows.map(|row| row["q2"].parse().expect("a number")).collect()
    };
    for dnns in ["2", "10"] {
        for scheme in ["mr-dro", "greedy", "exact"] {
            let q2 = of(dnns, scheme);
            assert_eq!(q2.len(), 2, "{scheme}, K = {dnns}");
            let summary = table(&workshop, "sweep/summary.csv");
            let row = summary.iter().find(|row| row["network.dnns"] == dnns && row["scheme"] == scheme);
            let row = row.unwrap_or_else(|| panic!("{scheme}, K = {dnns} is not in the summary"));
            let number = |name: &str| row[name].parse::<f64>().expect("a number");
            assert_eq!((row["runs"].as_str(), row["measure"].as_str()), ("2", "q2"));
            assert!((number("mean") - f64::midpoint(q2[0], q2[1])).abs() < 1e-12);
            assert_eq!((number("least"), number("greatest")), (q2[0].min(q2[1]), q2[0].max(q2[1])));
            assert!(number("least") <= number("low") && number("high") <= number("greatest"));
        }
    }
    let printed: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    assert!(printed.iter().any(|row| row["scheme"] == "mr-dro" && row["network.dnns"] == 10.0), "{said}");
    // Numbers come by size, not as text.
    let order: Vec<_> = runs.iter().map(|row| row["network.dnns"].as_str()).collect();
    assert!(order.is_sorted_by_key(|dnns| dnns.parse::<u32>().expect("a number")), "{order:?}");
}

#[test]
fn finished_runs_are_kept_and_a_sweep_may_grow() {
    let workshop = Workshop::new();
    sweep(&workshop, "sweep", &["--shard", "1/2"]).succeeded();
    let before = workshop.files();
    sweep(&workshop, "sweep", &["--shard", "1/2"]).succeeded().naming(&["0 to do"]);
    let kept = |name: &str| name.starts_with("sweep/runs/");
    let after = workshop.files();
    assert!(before.iter().filter(|(name, _)| kept(name)).all(|(name, content)| after[name] == *content));
    sweep(&workshop, "sweep", &[]).succeeded().naming(&["4 runs, 4 of them this shard's, 2 to do"]);
    let grown = ["sweep", "--vary", "network.dnns=2,10", "--seeds", "1-3", "--out", "sweep"];
    workshop.trainer(&[&grown[..], &TINY].concat()).succeeded().naming(&["6 runs, 6 of them this shard's, 2 to do"]);
}

#[test]
fn what_another_process_has_in_work_is_left_alone() {
    let workshop = Workshop::new();
    sweep(&workshop, "sweep", &["--shard", "1/2"]).succeeded();
    let unfinished = workshop.path("sweep/unfinished/paper-recommended-network.dnns=2-seed2.x");
    std::fs::create_dir_all(&unfinished).expect("the folder is the test's own");
    std::fs::write(unfinished.join("metrics.csv"), "phase,st").expect("the folder is the test's own");
    sweep(&workshop, "sweep", &[]).succeeded();
    let files = workshop.files();
    let others: Vec<_> = files.keys().filter(|name| name.contains("unfinished")).collect();
    assert_eq!(others, ["sweep/unfinished/paper-recommended-network.dnns=2-seed2.x/metrics.csv"]);
    assert!(files.contains_key("sweep/runs/paper-recommended-network.dnns=2-seed2/record/weights.bpk"));
}

/// Nobody holds the lock of a run whose process was killed.
#[test]
fn what_a_killed_process_left_is_removed() {
    let workshop = Workshop::new();
    sweep(&workshop, "sweep", &["--shard", "1/3"]).succeeded();
    let run = workshop.path("sweep/unfinished/paper-recommended-network.dnns=2-seed2.x");
    std::fs::create_dir_all(run.join("checkpoints")).expect("the folder is the test's own");
    let lock = run.with_extension("x.lock");
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    std::fs::write(&lock, machine).expect("the folder is the test's own");
    let held = std::fs::File::open(&lock).expect("just written");
    held.lock().expect("nobody else wants it");
    sweep(&workshop, "sweep", &["--shard", "2/3"]).succeeded();
    assert!(lock.exists() && run.exists(), "somebody works on it");
    drop(held);
    sweep(&workshop, "sweep", &[]).succeeded();
    assert!(!workshop.path("sweep/unfinished").exists());
}

#[test]
fn another_sweep_is_not_mixed_in() {
    let workshop = Workshop::new();
    sweep(&workshop, "sweep", &[]).succeeded();
    let before = repeatable(&workshop, "sweep");
    let other = sweep(&workshop, "sweep", &["--set", "drl.batch=9"]).failed(1).silent();
    other.naming(&["belongs to another sweep", "config.toml has other settings", "help:"]);
    // Runs with other seeds and other settings have other names, but belong to another sweep.
    let seeds = ["sweep", "--vary", "network.dnns=2,10", "--seeds", "3", "--out", "sweep", "--set", "drl.batch=9"];
    workshop
        .trainer(&[&seeds[..1], &TINY, &seeds[1..]].concat())
        .failed(1)
        .naming(&["has other settings than that of"]);
    for dnns in [2, 10] {
        let run = workshop.path(&format!("sweep/runs/paper-recommended-network.dnns={dnns}-seed3"));
        std::fs::remove_dir_all(run).expect("it was trained");
    }
    let varied = ["sweep", "--vary", "drl.batch=8,9", "--seeds", "1", "--out", "sweep"];
    workshop.trainer(&[&varied[..], &TINY].concat()).failed(1).naming(&["varies other settings"]);
    assert!(repeatable(&workshop, "sweep") == before);
    workshop
        .trainer(&["sweep", "merge", "sweep", "nothing", "--out", "merged"])
        .failed(1)
        .naming(&["nothing", "sweep.toml"]);
    std::fs::remove_file(workshop.path("sweep/runs/paper-recommended-network.dnns=2-seed1/results.json"))
        .expect("it was there");
    let damaged = workshop.trainer(&["sweep", "merge", "sweep", "--out", "merged"]).failed(1);
    damaged.naming(&["network.dnns=2-seed1", "results.json"]);
    assert!(!workshop.path("merged").exists());
}

#[test]
fn wrong_options_are_refused_before_anything_is_written() {
    let workshop = Workshop::new();
    for (arguments, code, part) in [
        (&["--shard", "3/2"][..], 2, "--shard 3/2"),
        (&["--seeds", "2-1"], 2, "--seeds 2-1"),
        (&["--vary", "network.dnns"], 2, "--vary network.dnns"),
        (&["--vary", "network.dns=1,2"], 1, "unknown key"),
        (&["--vary", "network.dnns=1,1"], 1, "would be called"),
        (&["--vary", "drl.learning_rate=0.001,1e-3"], 2, "a combination that differs from the others"),
        (&["--vary", "network.dnns=1,2", "--vary", "network.dnns=4"], 2, "once"),
        (&["--vary", "network . dnns=1,2"], 2, "the key of a setting"),
        (&["--vary", "network.dnns=0,1"], 1, "must lie between"),
        (&["--seeds", "1-99999", "--vary", "network.dnns=1,2"], 1, "100000"),
        (&["--scenario", "papr"], 1, "papr"),
        (&["--device", "gpu"], 2, "`gpu` is not a device"),
    ] {
        workshop.trainer(&[&["sweep", "--out", "sweep"], arguments].concat()).failed(code).silent().naming(&[part]);
    }
    workshop.trainer(&["sweep"]).failed(2).naming(&["--out"]);
    assert_eq!(workshop.files().into_keys().collect::<Vec<_>>(), ["/"]);
    std::fs::create_dir(workshop.path("mine")).expect("the folder is the test's own");
    workshop.write("mine/summary.csv", "the only copy");
    sweep(&workshop, "mine", &[]).failed(1).naming(&["mine exists and is not empty"]);
    assert_eq!(workshop.text("mine/summary.csv"), "the only copy");
}
