//! Runs that are interrupted, killed or damaged, and go on to the same bytes as if nothing had happened.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::{Said, Workshop};

/// A training of both phases that takes about a second, with a checkpoint every few steps.
const SHORT: [&str; 16] = [
    "--set",
    "drl.steps=1500",
    "--set",
    "drl.buffer=200",
    "--set",
    "drl.report_every=20",
    "--set",
    "meta.outer_steps=60",
    "--set",
    "meta.metadata=500",
    "--set",
    "meta.report_every=5",
    "--set",
    "network.hidden=[24]",
    "--checkpoint-steps",
    "20",
];

/// Files that must not depend on interruptions of the run.
const SAME: [&str; 4] = ["config.toml", "metrics.csv", "record/manifest.toml", "record/weights.bpk"];

fn start(workshop: &Workshop, arguments: &[&str]) -> Child {
    let mut command = workshop.command();
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("built before")
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("there is a kill").success());
}

fn said(child: Child) -> Said {
    let output: Output = child.wait_with_output().expect("it was started");
    Said::from(&output)
}

/// Waits until a run has a checkpoint of this phase.
fn wait_for(workshop: &Workshop, run: &str, phase: &str) {
    let begin = Instant::now();
    let is_there = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(phase))
    };
    while !is_there(&workshop.path(run).join("checkpoints")) {
        assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint of {phase}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs the same training without an interruption.
fn whole(workshop: &Workshop, more: &[&str]) {
    workshop.trainer(&[&["train"], &SHORT[..], more, &["--out", "whole"]].concat()).succeeded();
}

/// The results without the lines that contain times.
fn timeless(json: &str) -> String {
    json.lines().filter(|line| !line.contains("seconds")).collect()
}

#[track_caller]
fn assert_same(workshop: &Workshop, run: &str) {
    for file in SAME {
        let [found, expected] = [run, "whole"].map(|run| workshop.read(&format!("{run}/{file}")));
        assert!(found == expected, "{file} of {run} differs");
    }
    let results = [run, "whole"].map(|run| timeless(&workshop.text(&format!("{run}/results.json"))));
    assert!(results[0] == results[1], "results of {run} differ");
    let curves = [run, "whole"].map(|run| workshop.read(&format!("{run}/curves.svg")));
    assert!(curves[0] == curves[1], "curves of {run} differ");
    assert!(workshop.path(run).join("results.csv").exists(), "results.csv");
    assert!(!workshop.path(run).join("checkpoints").exists(), "checkpoints stay");
}

#[test]
fn an_interrupted_run_says_how_to_go_on_and_goes_on_to_the_same_bytes() {
    let workshop = Workshop::new();
    whole(&workshop, &[]);
    for (phase, name, code, word) in [("meta", "-INT", 130, "Ctrl-C"), ("drl", "-TERM", 143, "SIGTERM")] {
        let run = format!("run-{phase}");
        let child = start(&workshop, &[&["train"], &SHORT[..], &["--out", &run]].concat());
        wait_for(&workshop, &run, phase);
        signal(&child, name);
        let said = said(child).failed(code).silent();
        said.naming(&[word, "everything up to this step is kept", &format!("--resume {run}")]);
        assert!(!workshop.path(&run).join("record").exists());
        workshop.trainer(&["train", "--resume", &run]).succeeded();
        assert_same(&workshop, &run);
    }
}

#[test]
fn runs_on_changing_networks_and_of_first_parameters_alone_go_on_as_well() {
    let workshop = Workshop::new();
    let environments =
        [&SHORT[..], &["--scenario", "mobile", "--training", "environments", "--set", "drl.workloads_per_step=4"]]
            .concat();
    workshop.trainer(&[&["train", "--out", "whole"], &environments[..]].concat()).succeeded();
    let child = start(&workshop, &[&["train", "--out", "run"], &environments[..]].concat());
    wait_for(&workshop, "run", "drl");
    signal(&child, "-KILL");
    said(child);
    workshop.trainer(&["train", "--resume", "run"]).succeeded();
    assert_same(&workshop, "run");

    // From another record.
    let start_there = ["--start", "whole/record", "--scenario", "mobile"];
    let meta = [&["meta"], &SHORT[..], &start_there, &["--set", "meta.outer_steps=400"]].concat();
    let workshop_files = |run: &str| SAME.map(|file| workshop.read(&format!("{run}/{file}")));
    workshop.trainer(&[&meta[..], &["--out", "meta-whole"]].concat()).succeeded();
    let child = start(&workshop, &[&meta[..], &["--out", "meta"]].concat());
    wait_for(&workshop, "meta", "meta");
    signal(&child, "-KILL");
    said(child);
    workshop.trainer(&["meta", "--resume", "meta"]).succeeded();
    assert!(workshop_files("meta") == workshop_files("meta-whole"), "a meta run differs");
}

/// Kills a run again and again at moments that nobody chose, until one is quick enough; and so run after run. The
/// environment variable `KILLS` asks for another number of kills.
#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    let workshop = Workshop::new();
    whole(&workshop, &[]);
    let mut random = 88_172_645_463_325_252_u64;
    let wanted = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(6);
    let (mut kills, mut round) = (0, 0);
    while kills < wanted {
        round += 1;
        let run = format!("run-{round}");
        let mut arguments: Vec<&str> = [&["train"], &SHORT[..], &["--out", &run]].concat();
        let done =
            || workshop.path(&run).join("curves.svg").exists() && !workshop.path(&run).join("checkpoints").exists();
        while !done() {
            let mut child = start(&workshop, &arguments);
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            thread::sleep(Duration::from_millis(20 + random % 1500));
            if child.try_wait().expect("it was started").is_none() {
                let _ = child.kill();
                kills += 1;
            }
            let said = said(child);
            assert!(said.code.is_none() || said.code == Some(0), "{said}");
            // Killed before there was anything to go on with, it begins as it did.
            if workshop.path(&run).join("checkpoints/run.toml").exists() {
                arguments = vec!["train", "--resume", &run, "--checkpoint-steps", "20"];
            } else if !done() {
                let _ = std::fs::remove_dir_all(workshop.path(&run));
            }
        }
        assert_same(&workshop, &run);
    }
    println!("{kills} kills in {round} runs, no difference");
}

/// The name of the last checkpoint of a run in Algorithm 2; empty if there is none.
fn last_checkpoint(workshop: &Workshop, run: &str) -> String {
    let entries = std::fs::read_dir(workshop.path(run).join("checkpoints")).into_iter().flatten().flatten();
    let states = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "state"));
    let names = states.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    names.filter(|name| name.starts_with("drl")).max().unwrap_or_default()
}

/// Waits until a run has a later checkpoint than `before`.
fn wait_for_later(workshop: &Workshop, run: &str, before: &str) -> String {
    let begin = Instant::now();
    loop {
        let last = last_checkpoint(workshop, run);
        if *last > *before {
            return last;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "the run does not get beyond {before}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_resumed_run_keeps_its_interval_between_checkpoints_and_gets_on() {
    let workshop = Workshop::new();
    let long = ["--set", "drl.steps=10000000", "--checkpoint-every", "100000", "--out", "run"];
    let mut arguments = [&["train"], &SHORT[..], &long].concat();
    let mut last = String::new();
    for _ in 0..4 {
        let child = start(&workshop, &arguments);
        last = wait_for_later(&workshop, "run", &last);
        signal(&child, "-KILL");
        said(child);
        arguments = vec!["train", "--resume", "run"];
    }
    // Another interval replaces it for good; an option that is not given again keeps its value.
    let child = start(&workshop, &["train", "--resume", "run", "--checkpoint-steps", "60"]);
    wait_for_later(&workshop, "run", &last);
    signal(&child, "-KILL");
    said(child);
    let kept = workshop.text("run/checkpoints/run.toml");
    assert!(kept.contains("steps = 60") && kept.contains("seconds = 100000.0"), "{kept}");
    let begun = last_checkpoint(&workshop, "run");
    let child = start(&workshop, &["train", "--resume", "run"]);
    let next = wait_for_later(&workshop, "run", &begun);
    signal(&child, "-KILL");
    said(child);
    let step = |name: &str| name.trim_start_matches("drl-").parse::<usize>().expect("a step");
    assert!(step(&next) >= step(&begun) + 60, "{begun}, {next}");
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let workshop = Workshop::new();
    whole(&workshop, &[]);
    let child = start(&workshop, &[&["train"], &SHORT[..], &["--out", "run"]].concat());
    wait_for(&workshop, "run", "drl-000003");
    signal(&child, "-KILL");
    said(child);
    let mut states: Vec<_> = std::fs::read_dir(workshop.path("run/checkpoints"))
        .expect("it was killed")
        .map(|entry| entry.expect("the folder is the test's own").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "state"))
        .collect();
    states.sort();
    assert!(states.len() >= 2, "{states:?}");
    let copy = |to: &str| {
        let copied = Command::new("cp").args(["-r", "run", to]).current_dir(workshop.path("")).status();
        assert!(copied.expect("there is a cp").success());
    };
    let damage = |run: &str, last: usize, how: fn(&mut Vec<u8>)| {
        for state in states.iter().rev().take(last) {
            let path = workshop.path(run).join("checkpoints").join(state.file_name().expect("a file"));
            let mut bytes = std::fs::read(&path).expect("it was copied");
            how(&mut bytes);
            std::fs::write(&path, bytes).expect("the folder is the test's own");
        }
    };
    let cut: fn(&mut Vec<u8>) = |bytes| bytes.truncate(bytes.len() - 3);
    let flip: fn(&mut Vec<u8>) = |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    let newer: fn(&mut Vec<u8>) = |bytes| bytes[14] = b'9';
    for (run, last, how, word) in [
        ("cut", 1, cut, "it is damaged"),
        ("flipped", 1, flip, "it is damaged"),
        ("newer", 1, newer, "another version"),
        ("nothing", states.len(), cut, "it is damaged"),
    ] {
        copy(run);
        damage(run, last, how);
        workshop.trainer(&["train", "--resume", run]).succeeded().naming(&[word]);
        assert_same(&workshop, run);
    }
    // A run that starts from the beginning keeps its own checkpoints, though the damaged checkpoints were made later in
    // training.
    copy("again");
    damage("again", states.len(), cut);
    let child = start(&workshop, &["train", "--resume", "again", "--checkpoint-steps", "5"]);
    wait_for(&workshop, "again", "meta");
    signal(&child, "-INT");
    said(child).failed(130).naming(&["it is damaged"]);
    let said = workshop.trainer(&["train", "--resume", "again"]).succeeded();
    assert!(!said.stderr.contains("damaged"), "{said}");
    assert_same(&workshop, "again");
}

#[test]
fn one_run_is_worked_on_by_one_process() {
    let workshop = Workshop::new();
    let long = [&["train"], &SHORT[..], &["--set", "drl.steps=10000000", "--out", "run"]].concat();
    let mut child = start(&workshop, &long);
    wait_for(&workshop, "run", "drl");
    let process = format!("process {} is already training run", child.id());
    workshop.trainer(&["train", "--resume", "run"]).failed(1).silent().naming(&[&process, "help:"]);
    child.kill().expect("it was started");
    child.wait().expect("it was started");
    // Its lock is of no use any more.
    let gone = format!("process {}, which trained run, has ended without finishing it", child.id());
    let mut next = start(&workshop, &["train", "--resume", "run"]);
    thread::sleep(Duration::from_millis(500));
    assert!(next.try_wait().expect("it was started").is_none(), "ten million steps take longer");
    signal(&next, "-INT");
    let said = said(next).failed(130);
    said.naming(&[&gone, "Ctrl-C"]);
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let workshop = Workshop::new();
    // Nothing is reported, and so nothing heard, for a long time.
    let deaf = ["train", "--set", "drl.steps=10000000", "--set", "drl.report_every=10000000", "--out", "run"];
    let mut child = start(&workshop, &[&deaf[..], &["--set", "meta.outer_steps=0"]].concat());
    let begin = Instant::now();
    while !workshop.path("run/metrics.csv").exists() {
        assert!(begin.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("it was started").is_none(), "the first one waits for the step");
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("it was started").code(), Some(130));
    assert!(workshop.path("run/checkpoints/run.toml").exists());
}

#[test]
fn what_cannot_go_on_is_refused() {
    let workshop = Workshop::new();
    whole(&workshop, &[]);
    let files = workshop.files();
    workshop.trainer(&["train", "--resume", "whole"]).failed(1).silent().naming(&[
        "whole cannot be resumed",
        "finished",
        "help:",
    ]);
    workshop
        .trainer(&["train", "--resume", "nowhere"])
        .failed(1)
        .silent()
        .naming(&["nowhere cannot be resumed", "not a run"]);
    for option in [["--seed", "2"], ["--scenario", "paper"], ["--set", "drl.steps=1"], ["--out", "x"]] {
        workshop
            .trainer(&[&["train", "--resume", "whole"], &option[..]].concat())
            .failed(2)
            .silent()
            .naming(&[option[0]]);
    }
    assert!(workshop.files() == files);
    let child = start(&workshop, &[&["train"], &SHORT[..], &["--out", "run"]].concat());
    wait_for(&workshop, "run", "drl");
    signal(&child, "-KILL");
    said(child);
    let configuration = workshop.text("run/config.toml");
    workshop.write("run/config.toml", configuration.replace("trainer 0.1.0", "trainer 0.0.9"));
    workshop
        .trainer(&["train", "--resume", "run"])
        .failed(1)
        .silent()
        .naming(&["run cannot be resumed", "config.toml"]);
    workshop.write("run/config.toml", configuration.replace("steps = 1500", "steps = \"many\""));
    workshop.trainer(&["train", "--resume", "run"]).failed(1).silent().naming(&["config.toml", "drl.steps"]);
    workshop.write("run/config.toml", configuration);
    workshop.write("run/checkpoints/run.toml", "seed = 1\n");
    workshop.trainer(&["train", "--resume", "run"]).failed(1).silent().naming(&["run cannot be resumed", "run.toml"]);
}

/// Trains on a disk of `kib` KiB, and copies the results to `run`: on a file system of its own where the system lets a
/// user make one, else with a limit on the size of files.
#[cfg(target_os = "linux")]
fn on_a_small_disk(workshop: &Workshop, kib: usize) -> Said {
    let arguments: Vec<String> = SHORT.iter().map(|argument| format!("'{argument}'")).collect();
    let train = format!("\"$TRAINER\" train {} --out run", arguments.join(" "));
    let may_mount = "unshare --map-root-user --mount true";
    let small = format!(
        "mount -t tmpfs -o size={kib}k none disk && cd disk && {{ {train}; code=$?; cp -r run ..; exit $code; }}"
    );
    let limited = format!("trap '' XFSZ; ulimit -f $(({kib} / 2)); {train}");
    let small = small.replace('\'', "'\\''");
    workshop.shell(&format!(
        "mkdir -p disk; if {may_mount} 2> /dev/null; then unshare --map-root-user --mount sh -c '{small}'; else {limited}; fi"
    ))
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_at_any_moment_loses_nothing() {
    let workshop = Workshop::new();
    whole(&workshop, &[]);
    let (mut phases, mut complete) = (Vec::new(), 0);
    for kib in [4, 64, 128, 256, 320, 1024] {
        let said = on_a_small_disk(&workshop, kib);
        if said.code == Some(0) {
            complete += 1;
        } else {
            let said = said.failed(1).silent().naming(&["cannot write run"]);
            assert!(["No space left", "File too large"].iter().any(|reason| said.stderr.contains(reason)), "{said}");
            let kept = workshop.path("run/checkpoints/run.toml").exists();
            phases.push(kept);
            // With room on the disk, a run with a checkpoint continues; a run without one starts from the beginning.
            if kept {
                workshop.trainer(&["train", "--resume", "run"]).succeeded();
            } else {
                std::fs::remove_dir_all(workshop.path("run")).expect("the folder is the test's own");
                workshop.trainer(&[&["train"], &SHORT[..], &["--out", "run"]].concat()).succeeded();
            }
        }
        assert_same(&workshop, "run");
        std::fs::remove_dir_all(workshop.path("run")).expect("the folder is the test's own");
    }
    assert!(phases.contains(&true) && complete > 0, "{phases:?}, {complete} had room");
}
