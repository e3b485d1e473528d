//! Wrong recordings, wrong scenarios that draw from recordings, and wrong requests for either.

use std::fs;

use acceptance::{Said, Workshop, shared_run};

use crate::assert_only;

/// Two minutes of three devices.
fn good() -> String {
    let line = |(second, device): (usize, usize)| format!("{},d{device},{}\n", 20 * second, 3 + device);
    let lines = (0..6).flat_map(|second| (0..3).map(move |device| line((second, device))));
    "t_s,device,mbps\n".to_owned() + &lines.collect::<String>()
}

#[test]
fn what_is_no_recording_is_named() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("empty")).expect("the folder is the test's own");
    fs::create_dir(workshop.path("other")).expect("the folder is the test's own");
    workshop.write("other/read.me", "words\nand words\n");
    workshop.write("nothing", "");
    workshop.write("words", "words\nand words\n");
    workshop.write("binary", [0xff_u8, 0xfe, 0, 1, 2, 3].repeat(100));
    workshop.write("bad.csv", "t_s,device,mbps\n0,a,-1\n1,a,fast\n");
    workshop.write("no.json", "{\"workflow\": 5}");
    workshop.write("archive.zip", [&b"PK\x03\x04\x14\0\0\0"[..], &b"\n12\n13\n".repeat(50)].concat());
    workshop.write("still.up", "0\n0\n");
    workshop.write("damaged.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03and no more");
    for (path, parts) in [
        ("gone", &["gone", "No such file"][..]),
        ("empty", &["there is no trace in empty"]),
        ("other", &["there is no trace in other", "1 files"]),
        ("nothing", &["nothing is empty"]),
        (
            "words",
            &["words is no trace in a known format", "mahimahi", "iperf3", "task sizes", "`words`", "--as FORMAT"],
        ),
        ("archive.zip", &["archive.zip is no trace", "a zip archive", "task sizes"]),
        ("still.up", &["still.up has no usable sample", "mahimahi"]),
        ("damaged.csv.gz", &["damaged.csv.gz", "deflate"]),
        ("binary", &["binary is no trace in a known format"]),
        ("bad.csv", &["bad.csv has no usable sample", "2 bad lines", "the rate is negative"]),
        ("no.json", &["no.json is no workflow"]),
    ] {
        workshop.trainer(&["trace", "inspect", path]).failed(1).silent().naming(parts);
        let adapt = ["adapt", "--record", "../record", "--traces", path, "--out", "adapted"];
        workshop.trainer(&adapt).failed(1).silent();
        let study = ["adaptation-study", "--traces", path, "--out", "study"];
        workshop.trainer(&study).failed(1).silent();
        assert!(!workshop.path("adapted").exists() && !workshop.path("study").exists(), "{path}");
    }
    workshop.trainer(&["trace", "inspect"]).failed(2).silent();
    workshop.write("good.csv", good());
    workshop
        .trainer(&["trace", "inspect", "good.csv", "--picture", "no/such/folder.svg"])
        .failed(1)
        .naming(&["folder.svg"]);
    workshop.write("sizes.txt", "1.5\n2\n");
    workshop
        .trainer(&["trace", "inspect", "sizes.txt", "--picture", "x.svg"])
        .failed(2)
        .silent()
        .naming(&["--picture"]);
}

#[test]
fn adaptation_without_what_it_needs_writes_nothing() {
    let run = shared_run();
    let workshop = Workshop::new();
    workshop.write("good.csv", good());
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    for (arguments, code, parts) in [
        (
            &["--traces", "good.csv", "--drive", "elsewhere"][..],
            1,
            &["no drive called `elsewhere`", "good", "help:"][..],
        ),
        (&["--traces", "good.csv", "--at", "5000"], 1, &["no window of 60 s at 5000 s"]),
        (&["--traces", "good.csv", "--window", "0"], 2, &["--window", "between 0.001 and 1e9 seconds"]),
        (&["--traces", "good.csv", "--window", "NaN"], 2, &["--window", "between 0.001 and 1e9 seconds"]),
        (&["--traces", "good.csv", "--at=-5"], 2, &["--at", "between 0 and 1e9 seconds"]),
        (&["--scenario", "paper", "--window", "60"], 2, &["--window"]),
        (&["--scenario", "paper", "--set", "network.dnns=3"], 2, &["network.dnns=3", "[adaptation]"]),
        (&["--scenario", "paper", "--set", "adaptation.epsilon=1e-50"], 1, &["adaptation.epsilon", "1e-12"]),
        (&["--scenario", "paper", "--set", "adaptation.buffer=10000000"], 1, &["the samples of adaptation.buffer"]),
        (&["--traces", "good.csv", "--steps", ""], 2, &["--steps"]),
        (&["--traces", "good.csv", "--steps", "0,many"], 2, &["many"]),
        (&["--traces", "good.csv", "--set", "adaptation.batch=0"], 1, &["adaptation.batch"]),
        (&["--traces", "good.csv", "--set", "adaptation.speed=1"], 1, &["adaptation.speed: unknown key"]),
        (&["--traces", "good.csv", "--scenario", "paper"], 2, &["--scenario"]),
        (&["--scenario", "ddlo"], 1, &["edge, cloud"]),
        (&["--scenario", "nowhere"], 1, &["nowhere"]),
        (&["--at", "60"], 2, &["--traces"]),
        (&[], 2, &["--scenario"]),
    ] {
        let all = [&["adapt", "--record", record, "--out", "adapted"], arguments].concat();
        workshop.trainer(&all).failed(code).silent().naming(parts);
        assert_only(&workshop, &["good.csv"]);
    }
    workshop
        .trainer(&["adapt", "--record", "gone", "--scenario", "paper", "--out", "adapted"])
        .failed(1)
        .naming(&["gone"]);
    assert_only(&workshop, &["good.csv"]);
}

fn study(workshop: &Workshop, arguments: &[&str]) -> Said {
    workshop.trainer(&[&["adaptation-study", "--quick", "--out", "study"], arguments].concat())
}

#[test]
fn a_study_without_what_it_needs_writes_nothing() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("one")).expect("the folder is the test's own");
    workshop.write("one/only.csv", good());
    workshop.write("split.csv", "file,role\none/only.csv,spectator\n");
    workshop.write("gone-file.csv", "file,role\none/only.csv,train\none/lost.csv,validation\n");
    workshop.write("twice.csv", "file,role\none/only.csv,train\none/only.csv,validation\n");
    for folder in ["two/north", "two/south"] {
        fs::create_dir_all(workshop.path(folder)).expect("the folder is the test's own");
        workshop.write(&format!("{folder}/a.csv"), good());
        workshop.write(&format!("{folder}/b.csv"), good());
    }
    workshop.write("columns.csv", "name,role\none/only.csv,train\n");
    for (arguments, code, parts) in [
        (&["--traces", "one"][..], 1, &["no training drive"][..]),
        (&["--traces", "one", "--split", "gone.csv"], 1, &["gone.csv"]),
        (&["--traces", "one", "--split", "split.csv"], 1, &["split.csv", "one/only.csv", "`spectator`"]),
        (&["--traces", "one", "--split", "columns.csv"], 1, &["columns.csv", "the column `file` is missing"]),
        (&["--traces", "one", "--split", "gone-file.csv"], 1, &["gone-file.csv", "one/lost.csv"]),
        (&["--traces", "one", "--split", "twice.csv"], 1, &["twice.csv", "one/only.csv is listed twice"]),
        (&["--traces", "two", "--leave-out", "nowhere"], 1, &["folder nowhere", "north, south"]),
        (&["--traces", "two", "--test", "two/south"], 1, &["for training or for choosing settings", "south/a.csv"]),
        (&["--traces", "one", "--seeds", "0-3"], 2, &["0-3", "seed 0"]),
        (&["--traces", "one", "--seeds", "5-1"], 2, &["5-1"]),
        (&["--traces", "one", "--scenario", "nowhere"], 1, &["nowhere"]),
        (&["--traces", "one", "--leave-out", "one", "--test", "one"], 2, &["--test"]),
        (&[], 2, &["--traces"]),
    ] {
        study(&workshop, arguments).failed(code).silent().naming(parts);
        assert!(!workshop.path("study").exists(), "{arguments:?}");
    }
}

#[test]
fn a_scenario_that_draws_from_recordings_says_what_is_wrong_with_them() {
    let workshop = Workshop::new();
    let preset = sim::Scenario::preset_text("mobile").expect("a preset");
    let line = preset.lines().find(|line| line.starts_with("uplink_mbps = { distribution")).expect("a line of uplinks");
    let with = |uplinks: &str| preset.replace(line, uplinks);
    let traces = |path: &str| with(&format!("uplink_mbps = {{ distribution = \"traces\", path = \"{path}\" }}"));
    workshop.write("short.csv", "t_s,device,mbps\n0,a,5\n100,b,5\n");
    for (text, parts) in [
        (traces("gone"), &["gone", "No such file"][..]),
        (traces("mine.toml"), &["mine.toml is no trace"]),
        (traces("short.csv"), &["short.csv has too few windows of 60 s"]),
        (traces(""), &["environment.uplink_mbps.path"]),
        (with("uplink_mbps = { distribution = \"traces\" }"), &["environment.uplink_mbps.path", "missing"]),
        (with("uplink_mbps = { distribution = \"log-uniform\", min = 0, max = 5 }"), &["environment.uplink_mbps.min"]),
        (with("uplink_mbps = { distribution = \"uniform\", min = 6, max = 5 }"), &["environment.uplink_mbps"]),
        (with("capacity = { distribution = \"uniform\", min = -1, max = 1 }"), &["environment.capacity.min"]),
        (with("alpha = { distribution = \"uniform\", min = 0, max = 2 }"), &["environment.alpha.max"]),
        (with("alpha = 0.3"), &["environment.alpha"]),
        (with("bandwidth = 3"), &["environment.bandwidth: unknown key"]),
        (with(""), &["environment: must say what changes"]),
    ] {
        workshop.write("mine.toml", text);
        let train = ["train", "--scenario", "mine.toml", "--training", "environments", "--out", "run"];
        workshop.trainer(&train).failed(1).silent().naming(parts);
        workshop.trainer(&["compare", "--scenario", "mine.toml"]).failed(1).silent().naming(parts);
        assert_only(&workshop, &["mine.toml", "short.csv"]);
    }
}

/// Networks that read the environment need one that changes.
#[test]
fn reading_what_never_changes_is_refused() {
    let workshop = Workshop::new();
    let train = ["train", "--scenario", "paper", "--set", "network.reads_environment=true", "--out", "run"];
    let said = workshop.trainer(&train).failed(1).silent();
    said.naming(&["reads_environment", "[environment]"]);
    assert_only(&workshop, &["/"]);
}

#[cfg(target_os = "linux")]
#[test]
fn what_does_not_end_is_refused() {
    let workshop = Workshop::new();
    let inspect = workshop.trainer(&["trace", "inspect", "/dev/zero"]);
    inspect.failed(1).silent().naming(&["/dev/zero"]);
    for (lines, reason) in [
        ("yes y", "no trace in a known format"),
        ("(yes 5.5 | head -n 300000; yes y)", "more than a million lines"),
        ("(yes 5.5 | head -n 300000; cat /dev/zero)", "goes on after 4 GiB"),
        ("yes 5,Mbits/sec", "more than 16000000 samples"),
    ] {
        let said = workshop.shell(&format!("{lines} | \"$TRAINER\" trace inspect /dev/stdin"));
        said.failed(1).silent().naming(&["/dev/stdin", reason]);
    }
}
