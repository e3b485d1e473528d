//! Recordings that people bring: formats, names, columns and what is said of them.

use std::fmt::Write as _;

use acceptance::{Said, Workshop, shared_run};
use serde_json::Value;

fn inspect(workshop: &Workshop, arguments: &[&str]) -> Value {
    let said = workshop.trainer(&[&["trace", "inspect"], arguments, &["--format", "json"]].concat()).succeeded();
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error} in {said}"))
}

fn adapt(workshop: &Workshop, arguments: &[&str]) -> Said {
    let run = shared_run();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    workshop.trainer(&[&["adapt", "--record", record, "--steps", "0", "--format", "json"], arguments].concat())
}

/// The uplinks that a record was adapted to.
fn uplinks(said: &Said) -> Vec<f64> {
    let results: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error} in {said}"));
    let uplinks = results["environment"]["uplinks_mbps"].as_array().expect("one for each device");
    uplinks.iter().filter_map(Value::as_f64).collect()
}

#[test]
fn every_format_is_recognised_and_said_why() {
    let workshop = Workshop::new();
    workshop.write(
        "phone.csv",
        "Timestamp,DL_bitrate,UL_bitrate\n2024.01.01_10.00.00,20000,900\n2024.01.01_10.01.00,20010,901\n",
    );
    workshop.write("pensieve", "0\t3\n30\t4\n60\t5\n");
    workshop.write("report.log", "1300000000 0 59.9 10.7 250000 1000\n1300000030 30000 59.9 10.7 251000 1000\n");
    workshop.write(
        "iperf.txt",
        "[ ID] Interval           Transfer     Bitrate\n[  5] 0.00-1.00   sec  1.25 MBytes  8.5 Mbits/sec\n",
    );
    workshop
        .write("iperf.json", "{\"intervals\": [{\"sum\": {\"start\": 0, \"end\": 1, \"bits_per_second\": 8500000}}]}");
    workshop.write("one.csv", "t_s,mbps\n0,5\n30,6\n");
    workshop.write("short.up", "0\n100\n500\n");
    for (file, format, why, mean) in [
        ("phone.csv", "gnettrack", "UL_bitrate", 0.9005),
        ("pensieve", "pensieve", "3 of its first 3 lines", 4.0),
        ("report.log", "hsdpa", "2 of its first 2 lines", 2.004),
        ("iperf.txt", "iperf3", "printed by iperf3", 8.5),
        ("iperf.json", "iperf3-json", "iperf3", 8.5),
        ("one.csv", "csv", "its header names", 5.5),
        ("short.up", "mahimahi", "3 of its first 3 lines", 0.072),
    ] {
        let found = inspect(&workshop, &[file]);
        let (row, device) = (&found["files"][0], &found["devices"][0]);
        assert_eq!((row["format"].as_str(), row["bad_lines"].as_u64()), (Some(format), Some(0)), "{found}");
        assert!(row["why"].as_str().is_some_and(|text| text.contains(why)), "{found}");
        assert!((device["mean_mbps"].as_f64().expect("a number") - mean).abs() < 1e-9, "{found}");
        let stem = file.split('.').next().expect("a name");
        assert_eq!(device["device"].as_str(), Some(stem));
        let table = workshop.trainer(&["trace", "inspect", file]).succeeded();
        assert!(table.stdout.contains(&format!("format {format} (1 file): ")), "{table}");
    }
}

#[test]
fn columns_and_formats_can_be_named() {
    let workshop = Workshop::new();
    workshop.write("log.csv", "when;who;up\n2024-05-01T08:00:00Z;anna;4000,5\n2024-05-01T08:00:30Z;anna;2000\n");
    workshop.trainer(&["trace", "inspect", "log.csv"]).failed(1).silent().naming(&["log.csv", "--columns"]);
    let columns = ["--columns", "time=when:iso,rate=up:kbps,device=who"];
    let found = inspect(&workshop, &[&["log.csv"], &columns[..]].concat());
    assert_eq!(
        (found["devices"][0]["device"].as_str(), found["devices"][0]["greatest_mbps"].as_f64()),
        (Some("anna"), Some(4.0005))
    );
    let wrong = ["trace", "inspect", "log.csv", "--columns", "time=when:iso,rate=down:kbps"];
    workshop.trainer(&wrong).failed(1).silent().naming(&["log.csv", "`down` is missing", "help:"]);
    for (columns, part) in
        [("time=when", "iso, s or ms"), ("time=t:s", "rate=NAME:UNIT is missing"), ("time=t:s,rate=r:MB", "kbps, mbps")]
    {
        workshop.trainer(&["trace", "inspect", "log.csv", "--columns", columns]).failed(2).silent().naming(&[part]);
    }

    workshop.write("headed.txt", "size_mb\n10\n20\n35\n");
    assert_eq!(inspect(&workshop, &["headed.txt"])["files"][0]["sizes"], 3);
    workshop.write("sizes.txt", "10\n20\n35\n");
    assert_eq!(inspect(&workshop, &["sizes.txt"])["files"][0]["format"], "mahimahi");
    assert_eq!(inspect(&workshop, &["sizes.txt", "--as", "sizes"])["files"][0]["sizes"], 3);
    workshop
        .trainer(&["trace", "inspect", "sizes.txt", "--as", "list"])
        .failed(2)
        .silent()
        .naming(&["pensieve", "wfformat"]);
    let both = ["trace", "inspect", "log.csv", "--as", "csv", "--columns", "time=when:iso,rate=up:kbps"];
    workshop.trainer(&both).failed(2).silent();

    // The same options elsewhere, and as keys of a scenario.
    let said = adapt(&workshop, &[&["--traces", "log.csv", "--out", "adapted"], &columns[..]].concat()).succeeded();
    assert!(uplinks(&said).iter().all(|mbps| (mbps - 3.00025).abs() < 1e-9), "{said}");
    let preset = sim::Scenario::preset_text("mobile").expect("a preset");
    let line = preset.lines().find(|line| line.starts_with("uplink_mbps = { distribution")).expect("a line of uplinks");
    let rows = (0..20).fold("when,up\n".to_owned(), |mut rows, minute| {
        let _ = writeln!(rows, "{},{}", 60_000 * minute, 1000 + minute);
        rows
    });
    workshop.write("own.csv", rows);
    let with = |keys: &str| {
        let uplinks = format!("uplink_mbps = {{ distribution = \"traces\", path = \"own.csv\"{keys} }}");
        workshop.write("mine.toml", preset.replace(line, &uplinks));
        workshop.trainer(&["compare", "--scenario", "mine.toml", "--format", "csv"])
    };
    with(", columns = \"time=when:ms,rate=up:kbps\"").succeeded();
    with("").failed(1).naming(&["own.csv is no trace"]);
    with(", columns = \"time=when:ms\"").failed(1).naming(&["environment.uplink_mbps.columns", "rate=NAME:UNIT"]);
    with(", as = \"list\"").failed(1).naming(&["environment.uplink_mbps.as", "pensieve"]);
}

#[test]
fn a_drive_is_converted_to_plain_csv() {
    let workshop = Workshop::new();
    workshop.write("phone.csv", "Timestamp,UL_bitrate\n2024.01.01_10.00.00,900\n2024.01.01_10.00.30,1800\n");
    workshop
        .trainer(&["trace", "convert", "phone.csv", "--out", "plain.csv"])
        .succeeded()
        .naming(&["plain.csv", "2 samples of 1 device"]);
    assert_eq!(workshop.text("plain.csv"), "time_s,device,mbps\n0.0,phone,0.9\n30.0,phone,1.8\n");
    let [from, to] =
        ["phone.csv", "plain.csv"].map(|file| inspect(&workshop, &[file])["devices"][0]["mean_mbps"].clone());
    assert_eq!(from, to);
    std::fs::create_dir(workshop.path("many")).expect("the folder is the test's own");
    workshop.write("many/run-1.csv", "t_s,device,mbps\n0,a,1\n0,b,2\n");
    workshop.write("many/run-10.csv", "t_s,device,mbps\n0,a,3\n");
    let convert = ["trace", "convert", "many", "--out", "run.csv"];
    workshop.trainer(&convert).failed(1).silent().naming(&["many/run-1, many/run-10", "--drive"]);
    assert!(!workshop.path("run.csv").exists());
    workshop.trainer(&[&convert[..], &["--drive", "run-1"]].concat()).succeeded();
    assert_eq!(workshop.text("run.csv"), "time_s,device,mbps\n0.0,a,1.0\n0.0,b,2.0\n");
}

#[test]
fn drives_are_chosen_by_their_names_and_left_out_devices_are_named() {
    let workshop = Workshop::new();
    std::fs::create_dir_all(workshop.path("traces/urban")).expect("the folder is the test's own");
    for run in 1..=12 {
        let rows = (0..12).fold("t_s,device,mbps\n".to_owned(), |mut rows, device| {
            let _ = writeln!(rows, "0,{device},{run}.{device:02}\n30,{device},{run}.{device:02}");
            rows
        });
        workshop.write(&format!("traces/urban/run-{run}.csv"), rows);
    }
    let adapted = |out: &str, more: &[&str]| adapt(&workshop, &[&["--traces", "traces", "--out", out], more].concat());
    let last = adapted("last", &[]).succeeded().naming(&[
        "urban/run-12",
        "urban/run-12 has 12 devices, the scenario 3: left out are 3, 4, 5, 6, 7, 8, 9, 10, 11",
    ]);
    assert_eq!(uplinks(&last), [12.0, 12.01, 12.02]);
    assert_eq!(uplinks(&adapted("whole", &["--drive", "urban/run-1"]).succeeded()), [1.0, 1.01, 1.02]);
    assert_eq!(uplinks(&adapted("part", &["--drive", "run-1"]).succeeded()), [1.0, 1.01, 1.02]);
    let several = adapted("none", &["--drive", "run"]).failed(1).silent();
    several.naming(&["several drives that `run` fits", "urban/run-1, urban/run-2", "urban/run-12"]);
    assert!(!workshop.path("none").exists());
}

#[test]
fn a_burst_of_rows_weighs_the_time_that_it_lasts() {
    let workshop = Workshop::new();
    let burst = (0..10).map(|tenth| format!("0.{tenth},a,100\n"));
    let rows: String = burst.chain((1..60).map(|second| format!("{second},a,1\n"))).collect();
    workshop.write("bursty.csv", format!("t_s,device,mbps\n{rows}"));
    let said = adapt(&workshop, &["--traces", "bursty.csv", "--out", "adapted"]).succeeded();
    let said = said.naming(&["differ tenfold or more, from 0.1 s to 1 s"]);
    assert!(uplinks(&said).iter().all(|mbps| (mbps - 2.65).abs() < 1e-9), "{said}");
    workshop.trainer(&["trace", "inspect", "bursty.csv"]).succeeded().naming(&["differ tenfold or more"]);
}
