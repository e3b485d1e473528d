//! Files that a user names: they are written into what is there, and the names of pictures decide their format.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use acceptance::{TINY, Workshop, shared_run};

const TRACE: &str = "t_s,device,mbps\n0,a,1.5\n0,b,2\n1,a,3\n1.5,b,0\n60,a,4\n60,b,5\n";

/// A folder with a trace and a link to a training run.
fn workshop() -> (Arc<Workshop>, Workshop) {
    let (shared, workshop) = (shared_run(), Workshop::new());
    symlink(shared.path("run"), workshop.path("run")).expect("the folder is the test's own");
    workshop.write("trace.csv", TRACE);
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    symlink(models, workshop.path("models")).expect("the folder is the test's own");
    (shared, workshop)
}

/// The commands that write one file, each up to the name of the file.
const COMMANDS: [&str; 3] =
    ["plot run --out", "trace inspect trace.csv --picture", "evaluate --record models/any-fleet --fleets 2 --picture"];

fn assert_is_svg(bytes: &[u8], context: &str) {
    let text = String::from_utf8_lossy(bytes);
    assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{context}: {text}");
}

#[test]
fn a_pipe_receives_the_picture_and_stays_a_pipe() {
    let (_shared, workshop) = workshop();
    for command in COMMANDS {
        let line = format!(
            "mkfifo pipe && ln -sf pipe link && for name in pipe link; do cat pipe > got-$name & \
             \"$TRAINER\" {command} $name > /dev/null && wait $! && test -p pipe && test -h link || exit 9; done; rm pipe"
        );
        workshop.shell(&line).succeeded();
        for name in ["got-pipe", "got-link"] {
            assert_is_svg(&workshop.read(name), command);
        }
    }
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let (_shared, workshop) = workshop();
    std::fs::create_dir(workshop.path("folder")).expect("the folder is the test's own");
    symlink("folder/new.svg", workshop.path("link.svg")).expect("the folder is the test's own");
    for command in COMMANDS {
        for round in ["new", "replaced"] {
            let arguments: Vec<&str> = command.split(' ').chain(["link.svg"]).collect();
            workshop.trainer(&arguments).succeeded();
            assert_is_svg(&workshop.read("folder/new.svg"), round);
            assert!(workshop.path("link.svg").is_symlink(), "{command}");
            std::fs::set_permissions(workshop.path("folder/new.svg"), PermissionsExt::from_mode(0o600))
                .expect("the folder is the test's own");
        }
        let mode = std::fs::metadata(workshop.path("folder/new.svg")).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the permissions stay");
        std::fs::remove_file(workshop.path("folder/new.svg")).expect("written");
    }
}

#[test]
fn a_dash_and_open_files_are_written_in_order() {
    let (_shared, workshop) = workshop();
    for command in COMMANDS {
        let arguments = |name| command.split(' ').chain([name]).collect::<Vec<&str>>();
        let said = workshop.trainer(&arguments("-")).succeeded();
        assert_is_svg(said.stdout.as_bytes(), command);
        assert!(!workshop.path("-").exists());
        let line = format!(
            "{{ echo before; \"$TRAINER\" {command} /dev/stdout; echo after; }} > log && \
             {{ echo before >&3; \"$TRAINER\" {command} /dev/fd/3 > /dev/null; echo after >&3; }} 3>> log2"
        );
        workshop.shell(&line).succeeded();
        for log in ["log", "log2"] {
            let text = workshop.text(log);
            let inside = text.strip_prefix("before\n").and_then(|text| text.strip_suffix("after\n"));
            assert_is_svg(inside.unwrap_or_else(|| panic!("{text}")).as_bytes(), log);
            std::fs::remove_file(workshop.path(log)).expect("written");
        }
    }
}

#[test]
fn the_name_of_a_picture_decides_its_format() {
    let (_shared, workshop) = workshop();
    for command in COMMANDS {
        let arguments = |name| command.split(' ').chain([name]).collect::<Vec<&str>>();
        workshop.trainer(&arguments("picture.PNG")).succeeded();
        let png = workshop.read("picture.PNG");
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xae\x42\x60\x82"), "{command}");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        assert!((400..8000).contains(&number(16)) && (400..8000).contains(&number(20)), "{command}");
        workshop.trainer(&arguments("picture.svg")).succeeded();
        assert_is_svg(&workshop.read("picture.svg"), command);
        for name in ["picture.pdf", "picture.svg.gz", "picture.jpeg"] {
            let before = workshop.files().len();
            workshop.trainer(&arguments(name)).failed(2).silent().naming(&[name, ".svg", ".png"]);
            assert_eq!(workshop.files().len(), before, "nothing is written");
        }
    }
}

#[test]
fn names_that_cannot_be_written_are_refused_before_any_work() {
    let (_shared, workshop) = workshop();
    let before = workshop.files().len();
    let long = format!("{}.svg", "ä".repeat(150));
    for (name, reason) in [
        (".", "it is a folder"),
        ("missing/picture.svg", "missing does not exist"),
        ("trace.csv/picture.svg", "irectory"),
        (&long, "has 304 bytes, and at most 255 are possible"),
    ] {
        for command in COMMANDS {
            let arguments: Vec<&str> = command.split(' ').chain([name]).collect();
            workshop.trainer(&arguments).failed(1).silent().naming(&["cannot write", reason]);
        }
    }
    let folder = "x".repeat(300);
    let deep = format!("new/{folder}");
    let many = ["sweep", "--seeds", "1", "--vary", "network.dnns=1,2"];
    for out in [&*folder, &deep, "-", "trace.csv"] {
        let reason = match out {
            "-" => "standard output",
            "trace.csv" => "no folder",
            _ => "has 300 bytes",
        };
        for command in [
            &TINY[..],
            &["fleet"],
            &many,
            &["reproduce", "--quick"],
            &["adapt", "--record", "run/record", "--scenario", "paper"],
        ] {
            workshop.trainer(&[command, &["--out", out]].concat()).failed(1).silent().naming(&["cannot write", reason]);
        }
    }
    assert_eq!(workshop.files().len(), before, "nothing is written");
}

#[test]
fn a_sweep_whose_runs_would_have_names_that_are_too_long_writes_nothing() {
    let workshop = Workshop::new();
    let widths = format!("network.hidden=[{}]", ["8"; 120].join(","));
    let said = workshop.trainer(&["sweep", "--seeds", "1", "--vary", &widths, "--out", "sweep"]);
    said.failed(1).silent().naming(&["at most 240 are possible", "a run is named after its settings"]);
    assert!(!workshop.path("sweep").exists(), "nothing is written");
}

#[test]
fn a_label_may_hold_signs_of_equality() {
    let (_shared, workshop) = workshop();
    for label in ["K=8", "8 networks", "a=b=c"] {
        workshop.trainer(&["plot", &format!("{label}=run"), "--out", "plot.svg"]).succeeded();
        assert!(workshop.text("plot.svg").contains(&format!("\n{label}\n")), "{label}");
    }
    let said = workshop.trainer(&["plot", "K=8=nowhere", "--out", "other.svg"]).failed(1).silent();
    said.naming(&["K=8=nowhere", "metrics.csv", "help:"]);
    assert!(!workshop.path("other.svg").exists());
}

#[test]
fn a_picture_that_would_not_be_drawn_is_refused() {
    let (_shared, workshop) = workshop();
    let arguments = ["evaluate", "--record", "run/record", "--picture", "picture.svg"];
    workshop.trainer(&arguments).failed(2).silent().naming(&["--picture", "any fleet"]);
    assert!(!workshop.path("picture.svg").exists());
}

/// Starts a command and waits for a line on its standard error that holds all of these texts.
fn wait_for_line(arguments: &[&str], parts: &[&str]) {
    let workshop = Workshop::new();
    let mut command = workshop.command();
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().expect("built before");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut seen = String::new();
    let found = stderr.lines().map_while(Result::ok).any(|line| {
        seen.extend([line.as_str(), "\n"]);
        parts.iter().all(|part| line.contains(part))
    });
    let elapsed = begin.elapsed();
    child.kill().expect("it was started");
    child.wait().expect("it was started");
    assert!(found, "no line with {parts:?} in\n{seen}");
    assert!(!seen.contains('\r') && !seen.contains('\u{1b}'), "no terminal reads this: {seen:?}");
    assert!(elapsed < Duration::from_mins(1), "{elapsed:?}");
}

#[test]
fn long_commands_tell_of_their_progress_in_lines_where_there_is_no_terminal() {
    const SLOW: [&str; 6] =
        ["--set", "drl.steps=100000000", "--set", "meta.outer_steps=5", "--set", "meta.metadata=50"];
    let train = [&["train"], &SLOW[..], &["--out", "run"]].concat();
    wait_for_line(&train, &["DRL: ", " of 100000000 steps, loss ", "Q2 ", " s so far, about ", " left"]);
    let sweep = [&["sweep", "--seeds", "1,2"], &SLOW[..], &["--out", "sweep"]].concat();
    wait_for_line(&sweep, &["0 of 2 runs; ", " s so far"]);
    let fleet = ["fleet", "--set", "drl.steps=100000", "--out", "run"];
    wait_for_line(&fleet, &["fleet: ", " of 100000 steps", " s so far"]);
}
