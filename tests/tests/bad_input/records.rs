//! Records that are damaged, changed, missing, or for something else.

use std::fs;

use acceptance::{TINY, Workshop, shared_run};

use crate::assert_only;

const WORKLOAD: &str = "{\"tasks_mb\": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}\n";
const MANIFEST: &str = "record/manifest.toml";
const WEIGHTS: &str = "record/weights.bpk";

/// A copy of the shared record, to be spoilt.
fn copy() -> Workshop {
    let run = shared_run();
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("record")).expect("the folder is the test's own");
    for file in [MANIFEST, WEIGHTS] {
        workshop.write(file, run.read(&format!("run/{file}")));
    }
    workshop
}

/// Every command that reads a record refuses it, names the file and all of `parts`, and writes nothing.
#[track_caller]
fn refused(workshop: &Workshop, file: &str, parts: &[&str]) {
    let before = workshop.files();
    let train = [&TINY[..], &["--out", "out", "--start", "record"]].concat();
    for command in [
        &["decide", "--record", "record"][..],
        &["evaluate", "--record", "record"],
        &["compare", "--record", "record"],
        &["export", "--record", "record", "--out", "out"],
        &train,
    ] {
        let said = workshop.trainer_reading(WORKLOAD, command).failed(1).silent();
        said.naming(&[file, "help:"]).naming(parts);
        assert!(workshop.files() == before, "{command:?} wrote something");
    }
}

/// Refuses the record after an edit of its manifest.
#[track_caller]
fn refused_manifest(from: &str, to: &str, file: &str, parts: &[&str]) {
    let workshop = copy();
    let text = workshop.text(MANIFEST);
    assert!(text.contains(from), "the manifest has no `{from}`:\n{text}");
    workshop.write(MANIFEST, text.replacen(from, to, 1));
    refused(&workshop, file, parts);
}

#[test]
fn a_whole_copy_is_a_record() {
    copy().trainer_reading(WORKLOAD, &["decide", "--record", "record"]).succeeded();
}

#[test]
fn truncated_weights_are_refused() {
    let workshop = copy();
    let whole = workshop.read(WEIGHTS);
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        workshop.write(WEIGHTS, &whole[..length]);
        refused(&workshop, WEIGHTS, &[&format!("has {length} bytes instead of {}", whole.len())]);
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_weights_is_noticed() {
    let workshop = copy();
    let whole = workshop.read(WEIGHTS);
    for position in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        workshop.write(WEIGHTS, flipped);
        let said = workshop.trainer_reading(WORKLOAD, &["decide", "--record", "record"]).failed(1).silent();
        said.naming(&[WEIGHTS, "checksum", "help:"]);
    }
    let mut flipped = whole;
    flipped[5_000] ^= 0x80;
    workshop.write(WEIGHTS, flipped);
    refused(&workshop, WEIGHTS, &["checksum"]);
}

#[test]
fn weights_that_grew_are_refused_unread() {
    let workshop = copy();
    let file = fs::OpenOptions::new().write(true).open(workshop.path(WEIGHTS)).expect("the folder is the test's own");
    // A file with a hole: long, but not on the disk.
    file.set_len(1 << 40).expect("files with holes are possible");
    let said = workshop.trainer_reading(WORKLOAD, &["decide", "--record", "record"]).failed(1).silent();
    said.naming(&[WEIGHTS, "is longer than"]);
}

#[test]
fn weights_of_another_record_are_refused() {
    let workshop = copy();
    workshop.train("other", &["--seed", "9"]).succeeded();
    workshop.write(WEIGHTS, workshop.read("other/record/weights.bpk"));
    fs::remove_dir_all(workshop.path("other")).expect("the folder is the test's own");
    refused(&workshop, WEIGHTS, &["checksum"]);
}

#[test]
fn a_manifest_that_is_no_manifest_is_refused() {
    let workshop = copy();
    for (content, part) in [
        (&b"garbage"[..], "line 1"),
        (b"", "format_version"),
        (b"name = \"x\"\n", "format_version"),
        (b"format_version = \"one\"\n", "format_version"),
        (b"format_version = 1\n", "sha256"),
        (b"\x00\xff\xfe\x80", "text"),
    ] {
        workshop.write(MANIFEST, content);
        refused(&workshop, MANIFEST, &[part]);
    }
}

#[test]
fn a_truncated_manifest_is_refused_wherever_it_ends() {
    let workshop = copy();
    let whole = workshop.read(MANIFEST);
    for length in (0..whole.len() - 20).step_by(whole.len() / 12) {
        workshop.write(MANIFEST, &whole[..length]);
        let said = workshop.trainer_reading(WORKLOAD, &["decide", "--record", "record"]).failed(1).silent();
        said.naming(&[MANIFEST, "help:"]);
    }
}

/// Half of a number is a number, too.
#[test]
fn a_manifest_that_ends_within_its_last_number_is_refused() {
    let workshop = copy();
    let whole = workshop.text(MANIFEST);
    let number = whole.rfind(" = ").expect("the last line gives a value") + 3;
    workshop.write(MANIFEST, &whole[..=number]);
    let said = workshop.trainer_reading(WORKLOAD, &["decide", "--record", "record"]).failed(1).silent();
    said.naming(&[MANIFEST, "help:"]);
}

/// Networks with parameters so large that their losses are not numbers: training stops, writes no record, and keeps the step that diverged.
#[test]
fn training_that_diverges_stops_where_it_does() {
    let workshop = copy();
    let device = model::DeviceChoice::Flex.open().expect("built in").device;
    let path = workshop.path("record");
    let record = model::Record::load(&path, &device).expect("a copy");
    let mut networks = record.networks_of::<model::DnnNetworks>("DNNs", &path).expect("of DNNs").clone();
    let (shape, count) = (networks.ensemble.shape(), networks.ensemble.networks());
    let mut layers = networks.ensemble.to_host();
    for layer in &mut layers {
        layer.weight.fill(1e30);
    }
    networks.ensemble = model::Ensemble::from_host(&shape, count, layers, &device);
    model::Record::new(networks).save(&workshop.path("huge")).expect("its parameters are numbers");
    for command in ["train", "meta"] {
        let said = workshop
            .trainer(&[&[command], &TINY[..], &["--out", "run", "--start", "huge"]].concat())
            .failed(1)
            .silent();
        // Reported with step 30 and 1, it began when the buffer was full.
        let (phase, step) = if command == "meta" { ("meta", 1) } else { ("drl", 21) };
        let place = format!("training diverged in {phase} step {step}");
        said.naming(&[
            &place,
            "the loss of network 0, NaN, is not a finite number",
            "learning_rate",
            "run/diverged",
            "run/checkpoints",
        ]);
        assert!(!workshop.path("run/record").exists());
        let report = workshop.text("run/diverged/diverged.toml");
        assert!(report.starts_with(&format!("phase = \"{phase}\"\nstep = {step}\nnetwork = 0\n")), "{report}");
        // The workloads and the networks before the step are for the program to read.
        let lines = workshop.text("run/diverged/workloads.jsonl").lines().count();
        let rows = if command == "meta" { 4 * 50 } else { 8 }; // inner steps * batch; batch
        assert_eq!(lines, rows);
        let decided = workshop
            .trainer(&["decide", "--record", "run/diverged/record", "run/diverged/workloads.jsonl"])
            .succeeded();
        assert_eq!(decided.lines().len(), lines);
        // A run that is resumed diverges in the same step.
        workshop.trainer(&[command, "--resume", "run"]).failed(1).silent().naming(&[&place]);
        fs::remove_dir_all(workshop.path("run")).expect("the folder is the test's own");
    }
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let from = "format_version = 4";
    refused_manifest(from, "format_version = 5\nnews = true", MANIFEST, &["format 5", "reads formats 1 to 4"]);
    refused_manifest(from, "format_version = -1", MANIFEST, &["format -1", "reads formats 1 to 4"]);
}

#[test]
fn a_changed_manifest_is_refused() {
    refused_manifest("inputs = 9", "inputs = 8", MANIFEST, &["8 inputs"]);
    refused_manifest("outputs = 18", "outputs = 17", MANIFEST, &["17 outputs"]);
    refused_manifest("hidden = [8]", "hidden = [0]", MANIFEST, &["[0]"]);
    refused_manifest("hidden = [8]", "hidden = [9]", "record/", &[]);
    refused_manifest("dnns = 8", "dnns = 7", "record/", &[]);
    refused_manifest("dnns = 8", "dnns = 0", MANIFEST, &["0 networks"]);
    refused_manifest("dnns = 8", "dnns = 900000000000000000", MANIFEST, &["900000000000000000 networks"]);
    refused_manifest("code = \"indicators\"", "code = \"runes\"", MANIFEST, &["runes"]);
    refused_manifest("flips = 0", "flips = -1", MANIFEST, &["flips"]);
    refused_manifest("flips = 0", "flips = 0\nflops = 1", MANIFEST, &["flops"]);
    refused_manifest("mean_bytes = 20000000.0", "mean_bytes = nan", MANIFEST, &["NaN"]);
    refused_manifest("bytes = 8256", "bytes = 80", WEIGHTS, &["80"]);
    refused_manifest("bytes = 8256\nsha256 = \"", "bytes = 8256\nsha256 = \"0", WEIGHTS, &["checksum"]);
    refused_manifest("sha256 = \"", "sha256 = \"0", MANIFEST, &["its own checksum"]);
}

#[test]
fn a_scenario_inside_a_record_is_checked_like_any_other() {
    refused_manifest("alpha = 0.5", "alpha = 7.0", MANIFEST, &["alpha", "between 0"]);
    refused_manifest("uplink_mbps = 500.0", "uplink_mbps = -5.0", MANIFEST, &["devices.uplink_mbps"]);
    refused_manifest("count = 3", "count = 1000000000", MANIFEST, &["devices.count"]);
    refused_manifest("tier = \"cloud\"", "tier = \"moon\"", MANIFEST, &["servers[1].tier", "moon"]);
}

/// A record must decide as it was trained: the scale of the inputs matters as much as the weights.
#[test]
fn a_changed_scale_of_the_inputs_is_noticed() {
    refused_manifest("mean_bytes = 20000000.0", "mean_bytes = 10000000.0", MANIFEST, &[]);
}

#[test]
fn a_missing_file_of_a_record_is_named() {
    for file in [MANIFEST, WEIGHTS] {
        let workshop = copy();
        fs::remove_file(workshop.path(file)).expect("it was copied");
        refused(&workshop, file, &["No such file"]);
    }
}

#[test]
fn a_record_that_is_not_there_is_named() {
    let workshop = Workshop::new();
    workshop.write("record", "a file, not a directory");
    refused(&workshop, MANIFEST, &["Not a directory"]);
    fs::remove_file(workshop.path("record")).expect("written above");
    refused(&workshop, MANIFEST, &["No such file"]);
    fs::create_dir(workshop.path("record")).expect("the folder is the test's own");
    refused(&workshop, MANIFEST, &["No such file"]);
}

#[test]
fn a_record_for_another_scenario_is_refused() {
    let workshop = copy();
    for (scenario, parts) in [
        ("ddlo", &["`ddlo`", "edge, cloud"][..]),
        ("paper-wan", &["`paper-wan`", "`paper`", "other rates"]),
        ("paper-fitted", &["`paper-fitted`", "other rates"]),
    ] {
        for command in ["decide", "evaluate", "compare"] {
            let arguments = [command, "--record", "record", "--scenario", scenario];
            let said = workshop.trainer_reading(WORKLOAD, &arguments).failed(1).silent();
            said.naming(&["the record record is for another scenario", "help:", "--any-rates"]).naming(parts);
        }
    }
    let start = ["--start", "record", "--scenario", "ddlo"];
    workshop.train("out", &start).failed(1).silent().naming(&["the record record is for another scenario", "`ddlo`"]);
    assert_only(&workshop, &[MANIFEST, WEIGHTS]);
}

#[test]
fn other_rates_do_not_make_another_fleet_fit() {
    let workshop = copy();
    let arguments = ["decide", "--record", "record", "--scenario", "ddlo", "--any-rates"];
    let said = workshop.trainer_reading(WORKLOAD, &arguments).failed(1).silent();
    said.naming(&["the record record is for another scenario", "`ddlo`"]);
}
