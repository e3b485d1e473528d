//! Scenario files.

use std::time::{Duration, Instant};

use acceptance::{TINY, Workshop};

use crate::{assert_only, edited_preset, line_of};

/// Checks a scenario with one edit: the message must name the line and all of `parts`.
#[track_caller]
fn refused(from: &str, to: &str, parts: &[&str]) {
    let text = edited_preset(from, to);
    let place = format!("line {}, column ", line_of(&text, to.lines().last().expect("an edit")));
    let workshop = Workshop::new();
    workshop.write("mine.toml", &text);
    let check = workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).silent();
    check.naming(&["mine.toml", &place, "help:"]).naming(parts);
    let train = workshop.trainer(&[&TINY[..], &["--scenario", "mine.toml", "--out", "run"]].concat());
    train.failed(1).silent().naming(&["mine.toml", &place]).naming(parts);
    assert_only(&workshop, &["mine.toml"]);
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    refused("uplink_mbps = 500", "uplink_mbps = 500\nuplnik_mbps = 3", &["uplnik_mbps", "did you mean `uplink_mbps`?"]);
    refused("per_device = 3", "per_device = 3\ncolour = \"red\"", &["tasks.colour", "unknown key"]);
}

#[test]
fn sizes_must_be_numbers_above_zero() {
    refused("min = 10", "min = -10", &["tasks.size_mb.min", "greater than 0", "-10"]);
    refused("min = 10", "min = 0", &["tasks.size_mb.min", "greater than 0"]);
    refused("min = 10", "min = nan", &["tasks.size_mb.min", "NaN"]);
    refused("max = 30", "max = inf", &["tasks.size_mb.max", "inf"]);
    refused("max = 30", "max = 3", &["tasks.size_mb.max", "at least min"]);
    refused("max = 30", "max = \"large\"", &["tasks.size_mb.max", "must be a number"]);
}

#[test]
fn rates_must_be_numbers_not_below_zero() {
    refused("uplink_mbps = 500", "uplink_mbps = -1", &["devices.uplink_mbps", "not below 0", "-1"]);
    refused("uplink_mbps = 500", "uplink_mbps = nan", &["devices.uplink_mbps", "NaN"]);
    refused("uplink_mbps = 500", "uplink_mbps = [500, -2, 500]", &["devices.uplink_mbps[1]", "not below 0"]);
    refused("frequency_mhz = 600", "frequency_mhz = -1", &["servers[0].frequency_mhz", "not below 0"]);
    refused("frequency_mhz = 600", "frequency_mhz = 600\nlink_mbps = -3", &["servers[0].link_mbps"]);
}

#[test]
fn the_weight_of_energy_must_be_a_share() {
    refused("alpha = 0.5", "alpha = 1.5", &["alpha", "between 0", "1.5"]);
    refused("alpha = 0.5", "alpha = nan", &["alpha", "NaN"]);
}

#[test]
fn a_fleet_must_have_devices_tasks_and_servers() {
    refused("count = 3", "count = 0", &["devices.count", "at least 1"]);
    refused("count = 3", "count = -3", &["devices.count", "whole number"]);
    refused("per_device = 3", "per_device = 0", &["tasks.per_device", "at least 1"]);
    let workshop = Workshop::new();
    let text = edited_preset("count", "count");
    workshop.write("mine.toml", text.split("[[servers]]").next().expect("what stands before the servers"));
    workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).naming(&["servers", "at least one"]);
}

#[test]
fn arrays_must_have_one_value_for_each_device() {
    refused("uplink_mbps = 500", "uplink_mbps = [500, 400]", &["devices.uplink_mbps", "each of the 3 devices", "2"]);
}

#[test]
fn servers_must_have_names_of_their_own() {
    refused("name = \"edge\"", "name = \"local\"", &["servers[0].name", "local"]);
    refused("name = \"edge\"", "name = \"a b\"", &["servers[0].name"]);
    let text = edited_preset("name = \"cloud\"", "name = \"edge\" # again");
    let workshop = Workshop::new();
    workshop.write("mine.toml", &text);
    let place = format!("line {}", line_of(&text, "# again"));
    workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).naming(&["servers[1].name", "earlier", &place]);
}

#[test]
fn a_link_that_cannot_be_shared_is_refused() {
    refused(
        "frequency_mhz = 600",
        "frequency_mhz = 600\nlink_sharing = \"shared\"",
        &["servers[0].link_sharing", "link_mbps, one number"],
    );
}

#[test]
fn deadlines_latencies_and_numbers_of_tasks_must_make_sense() {
    let tasks = |keys: &str| format!("per_device = 3\n{keys}");
    for (keys, parts) in [
        ("deadline_s = 0", &["tasks.deadline_s", "greater than 0"][..]),
        ("deadline_s = -20", &["tasks.deadline_s", "greater than 0", "-20"]),
        ("deadline_s = [20, 30]", &["tasks.deadline_s", "each of the 3 devices", "2"]),
        ("deadline_s = [20, 30, 0]", &["tasks.deadline_s[2]", "greater than 0"]),
        ("deadline_s = \"soon\"", &["tasks.deadline_s", "number"]),
        ("deadline_rule = \"hard\"", &["tasks.deadline_rule", "needs deadline_s"]),
        ("deadline_s = 20\ndeadline_rule = \"strict\"", &["tasks.deadline_rule", "report", "penalty", "hard"]),
        ("deadline_s = 20\ndeadline_rule = \"penalty\"", &["tasks.deadline_rule", "needs deadline_penalty"]),
        (
            "deadline_s = 20\ndeadline_rule = \"hard\"\ndeadline_penalty = 5",
            &["tasks.deadline_penalty", "needs deadline_rule = \"penalty\""],
        ),
    ] {
        refused("per_device = 3", &tasks(keys), parts);
    }
    refused("per_device = 3", "per_device = [3, 2]", &["tasks.per_device", "each of the 3 devices", "2"]);
    refused("per_device = 3", "per_device = [0, 0, 0]", &["tasks.per_device", "at least 1"]);
    refused("per_device = 3", "per_device = [3, -1, 2]", &["tasks.per_device"]);
    let latency = |text: &str| format!("frequency_mhz = 600\nlatency_ms = {text}");
    refused("frequency_mhz = 600", &latency("-1"), &["servers[0].latency_ms", "between 0 and", "-1"]);
    refused("frequency_mhz = 600", &latency("nan"), &["servers[0].latency_ms", "NaN"]);
}

/// The limits keep the program from allocating memory for a scenario that it will refuse; a quarter of a GiB is little
/// more than it needs to start.
#[cfg(unix)]
#[test]
fn a_thousand_million_tasks_are_refused_at_once_and_without_memory() {
    let workshop = Workshop::new();
    for (from, to, key) in [
        ("count = 3", "count = 1_000_000_000", "devices.count"),
        ("per_device = 3", "per_device = 1_000_000_000", "tasks.per_device"),
        ("per_device = 3", "per_device = 9_000_000_000_000_000_000", "tasks.per_device"),
    ] {
        workshop.write("mine.toml", edited_preset(from, to));
        let start = Instant::now();
        let said = workshop.shell("ulimit -v 262144; exec \"$TRAINER\" --scenario mine.toml --out run");
        said.failed(1).silent().naming(&["mine.toml", "line ", key, "65536"]);
        assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    }
    assert_only(&workshop, &["mine.toml"]);
}

#[test]
fn all_mistakes_of_a_file_come_at_once_with_their_lines() {
    let mut text = edited_preset("alpha = 0.5", "alpha = 2");
    for (from, to) in [
        ("count = 3", "cuont = 3"),
        ("uplink_mbps = 500", "uplink_mbps = -7"),
        ("min = 10", "min = -10"),
        ("frequency_mhz = 600", "frequency_mhz = \"fast\""),
    ] {
        text = text.replacen(from, to, 1);
    }
    let workshop = Workshop::new();
    workshop.write("mine.toml", &text);
    let said = workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).silent();
    for (key, part) in [
        ("alpha", "alpha = 2"),
        ("devices.cuont", "cuont"),
        ("devices.uplink_mbps", "uplink_mbps = -7"),
        ("tasks.size_mb.min", "min = -10"),
        ("servers[0].frequency_mhz", "fast"),
    ] {
        let line = format!("line {}, ", line_of(&text, part));
        assert!(said.stderr.lines().any(|said| said.contains(&line) && said.contains(key)), "{key} at {line}\n{said}");
    }
    said.naming(&["6 mistakes", "devices.count: is missing"]);
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", "name = \"x\"\nalpha = \n");
    workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).silent().naming(&["mine.toml", "line 2"]);
    workshop.write("mine.toml", [0x89, b'P', b'N', b'G', 0, 0xff]);
    workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).silent().naming(&["mine.toml"]);
    workshop.write("mine.toml", "");
    workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).silent().naming(&["name: is missing", "servers"]);
}

#[test]
fn a_scenario_that_is_not_there_is_named() {
    let workshop = Workshop::new();
    for command in [&["scenario", "check"][..], &["scenario", "show"], &["compare", "--scenario"], &["--scenario"]] {
        let unknown = workshop.trainer(&[command, &["papre"]].concat()).failed(1).silent();
        unknown.naming(&["`papre`", "paper-wan", "help: `trainer scenario list`"]);
        let missing = workshop.trainer(&[command, &["no/such.toml"]].concat()).failed(1).silent();
        missing.naming(&["no/such.toml", "No such file", "help:"]);
        workshop.trainer(&[command, &["."]].concat()).failed(1).silent().naming(&["directory"]);
    }
    assert_only(&workshop, &["/"]);
}
