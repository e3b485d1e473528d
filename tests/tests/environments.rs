//! Environments that change: recordings looked at, records adapted, decisions in an environment, and the study of it all.

use std::fmt::Write as _;

use acceptance::{Workshop, shared_run};
use serde_json::{Value, json};
use sim::scheme::{Exact, Scheme};
use sim::{Environment, Scenario, Workload};

/// One drive of three devices for `minutes` minutes; the rates differ by minute and device, and one device is cut off in
/// the second minute.
fn drive(minutes: usize, phase: usize) -> String {
    let mut text = "t_s,device,mbps\n".to_owned();
    for minute in 0..minutes {
        for device in 0..3 {
            for second in (0..60).step_by(15) {
                let rate = match (minute, device) {
                    (1, 2) => 0.0,
                    _ => 0.4 * f64::powf(2.3, ((minute + 2 * device + phase) % 6) as f64),
                };
                let _ = writeln!(text, "{},d{device},{rate:.3}", 60 * minute + second);
            }
        }
    }
    text
}

fn with_drives(workshop: &Workshop) {
    for (folder, drives) in [("town", 3), ("village", 3)] {
        std::fs::create_dir_all(workshop.path("traces").join(folder)).expect("the folder is the test's own");
        for index in 0..drives {
            workshop.write(&format!("traces/{folder}/drive{index}.csv"), drive(4, index + folder.len()));
        }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn a_recording_is_shown_with_its_devices_rates_and_bad_lines() {
    let workshop = Workshop::new();
    with_drives(&workshop);
    workshop.write("traces/town/notes.txt", "nothing to measure\n");
    workshop.write("traces/town/broken.csv", "1.5,Mbits/sec\nnonsense here\n2.5,Mbits/sec\n3,parsecs\n");
    let inspect = ["trace", "inspect", "traces"];
    let table = workshop.trainer(&[&inspect[..], &["--picture", "rates.svg"]].concat()).succeeded();
    for part in ["town/drive0", "village/drive2", "d1", "notes.txt was skipped", "2 bad lines", "▁", "█"] {
        assert!(table.stdout.contains(part), "{part}\n{table}");
    }
    assert!(workshop.text("rates.svg").contains("village/drive1"));

    let all = parsed(&workshop.trainer(&[&inspect[..], &["--format", "json"]].concat()).succeeded().stdout);
    let devices = all["devices"].as_array().expect("rows");
    assert_eq!(devices.len(), 6 * 3 + 1);
    let cut = devices.iter().find(|row| row["drive"] == "town/drive0" && row["device"] == "d2").expect("it is there");
    assert_eq!((cut["samples"].as_u64(), cut["zero_share"].as_f64()), (Some(16), Some(0.25)));
    assert_eq!((cut["duration_s"].as_f64(), cut["longest_gap_s"].as_f64()), (Some(225.0), Some(15.0)));
    let drives = all["drives"].as_array().expect("rows");
    let town = drives.iter().find(|row| row["drive"] == "town/drive0").expect("it is there");
    assert_eq!(town["windows_of_60_s"], 4);
    let broken = all["files"].as_array().expect("rows").iter().find(|row| row["bad_lines"] == 2).expect("one file");
    assert!(broken["first_bad_lines"][0].as_str().is_some_and(|line| line.contains("nonsense here")), "{broken}");
    assert_eq!(all["skipped"][0]["reason"], "not a trace");

    let csv = workshop.trainer(&[&inspect[..], &["--format", "csv"]].concat()).succeeded();
    assert_eq!(csv.lines().len(), 1 + devices.len());
    assert!(csv.lines()[0].starts_with("drive,folder,device,samples,duration_s,mean_mbps"), "{csv}");
}

#[test]
fn task_sizes_are_shown_as_well() {
    let workshop = Workshop::new();
    let workflow = json!({ "workflow": { "specification": {
        "tasks": [{ "inputFiles": ["a", "b"] }, { "inputFiles": ["b"] }, { "inputFiles": [] }],
        "files": [{ "id": "a", "sizeInBytes": 1_000_000 }, { "id": "b", "sizeInBytes": 2_000_000 }],
    } } });
    std::fs::create_dir(workshop.path("tasks")).expect("the folder is the test's own");
    workshop.write("tasks/flow.json", workflow.to_string());
    workshop.write("tasks/README", "what these are\n");
    for path in ["tasks", "tasks/flow.json"] {
        let found = parsed(&workshop.trainer(&["trace", "inspect", path, "--format", "json"]).succeeded().stdout);
        let row = &found["files"][0];
        assert_eq!((row["sizes"].as_u64(), row["unknown_sizes"].as_u64()), (Some(2), Some(1)), "{found}");
        assert_eq!((row["mean_mb"].as_f64(), row["greatest_mb"].as_f64()), (Some(2.5), Some(3.0)), "{found}");
    }
    assert!(workshop.trainer(&["trace", "inspect", "tasks"]).succeeded().stdout.contains("README was skipped"));
}

/// A run that is trained on recorded sizes draws the sizes in the workflow.
#[test]
fn a_scenario_takes_task_sizes_from_a_workflow() {
    let workshop = Workshop::new();
    let files: Vec<_> = (1..40).map(|n| json!({ "id": format!("f{n}"), "sizeInBytes": 1_000_000 * n })).collect();
    let tasks: Vec<_> = (1..40).map(|n| json!({ "inputFiles": [format!("f{n}")] })).collect();
    let workflow = json!({ "workflow": { "specification": { "tasks": tasks, "files": files } } });
    workshop.write("flow.json", workflow.to_string());
    let scenario = Scenario::preset_text("paper").expect("a preset");
    let size = scenario.lines().find(|line| line.starts_with("size_mb")).expect("a line of sizes");
    workshop.write("mine.toml", scenario.replace(size, "size_mb = { distribution = \"file\", path = \"flow.json\" }"));
    let said = workshop.trainer(&["compare", "--scenario", "mine.toml", "--format", "json"]).succeeded();
    assert!(parsed(&said.stdout).as_array().is_some_and(|rows| rows.iter().any(|row| row["q2"] == 1.0)), "{said}");
}

#[test]
fn a_record_is_adapted_to_a_scenario_and_decides_better_there() {
    let run = shared_run();
    let workshop = Workshop::new();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    let adapt = |out: &str, more: &[&str]| {
        workshop.trainer(&[&["adapt", "--record", record, "--out", out, "--format", "json"], more].concat()).succeeded()
    };
    let said = adapt("wan", &["--scenario", "paper-wan"]);
    let results = parsed(&said.stdout);
    assert_eq!(results, parsed(&workshop.text("wan/results.json")));
    let points = results["points"].as_array().expect("rows");
    let steps: Vec<_> = points.iter().filter_map(|point| point["step"].as_u64()).collect();
    assert_eq!(steps, [0, 1, 5, 10, 50, 200]);
    let number = |point: &Value, name: &str| point[name].as_f64().expect("a number");
    assert!(number(&points[5], "q2") > number(&points[0], "q2") + 0.02 && number(&points[5], "q2") > 0.95, "{said}");
    let evaluations: Vec<_> = points.iter().map(|point| number(point, "evaluations")).collect();
    assert!(evaluations[0] == 0.0 && evaluations.is_sorted(), "{said}");
    // The adapted record is one for the new scenario, and as good as was said.
    let after = workshop.trainer(&["evaluate", "--record", "wan/record", "--format", "json"]).succeeded();
    let rows = parsed(&after.stdout);
    let own = rows.as_array().expect("rows").iter().find(|row| row["scheme"] == "mr-dro").expect("a row");
    assert!((number(own, "q2") - number(&points[5], "q2")).abs() < 1e-9, "{after}");
    // The same seed gives the same record.
    adapt("again", &["--scenario", "paper-wan"]);
    assert!(workshop.read("wan/record/weights.bpk") == workshop.read("again/record/weights.bpk"));
}

#[test]
fn a_record_is_adapted_to_a_moment_of_a_recording() {
    let run = shared_run();
    let workshop = Workshop::new();
    with_drives(&workshop);
    let record = run.path("run/record");
    let adapt = ["adapt", "--record", record.to_str().expect("a plain path"), "--traces", "traces", "--format", "json"];
    let at = ["--drive", "town/drive1", "--at", "70", "--steps", "0,5", "--out", "there"];
    let said = workshop.trainer(&[&adapt[..], &at].concat()).succeeded().naming(&["town/drive1"]);
    let results = parsed(&said.stdout);
    let uplinks = results["environment"]["uplinks_mbps"].as_array().expect("one for each device");
    // The second minute, in which the third device is cut off.
    assert_eq!((uplinks.len(), uplinks[2].as_f64()), (3, Some(0.0)), "{said}");
    assert_eq!(results["points"].as_array().map(Vec::len), Some(2));
    assert!(results["points"][1]["q2"].as_f64().is_some_and(|q2| q2 > 0.5), "{said}");
    // The adapted record knows that nothing can be sent from there.
    let input = "{\"tasks_mb\": [[12, 25, 18], [20, 11, 29], [15, 16, 17]]}\n";
    let decided = workshop.trainer_reading(input, &["decide", "--record", "there/record"]).succeeded();
    assert_eq!(parsed(&decided.stdout)["placements"][2], json!(["local", "local", "local"]), "{decided}");
    // Nothing is overwritten.
    workshop.trainer(&[&adapt[..], &at].concat()).failed(1).naming(&["there"]);
}

#[test]
fn workloads_are_decided_in_the_environment_that_they_bring() {
    let workshop = Workshop::new();
    let model = Scenario::load("mobile").expect("a preset").check().expect("valid");
    let sizes = [12.0, 25.0, 18.0, 20.0, 11.0, 29.0, 15.0, 16.0, 17.0];
    let rows: Vec<_> = sizes.chunks(3).map(<[f64]>::to_vec).collect();
    let environments = [
        json!({ "uplink_mbps": [0.0, 3.0, 40.0] }),
        json!({ "uplink_mbps": 5.0, "capacity": [0.5, 1.0], "alpha": 0.1 }),
        Value::Null,
    ];
    let input = environments.iter().fold(String::new(), |mut lines, environment| {
        let mut request = json!({ "tasks_mb": rows });
        if !environment.is_null() {
            request["environment"] = environment.clone();
        }
        let _ = writeln!(lines, "{request}");
        lines
    });
    let said = workshop.trainer_reading(input, &["solve", "--scenario", "mobile", "--scheme", "exact"]).succeeded();
    let own = model.environment().clone();
    let expected = [
        Environment { uplinks_mbps: vec![0.0, 3.0, 40.0], ..own.clone() },
        Environment { alpha: 0.1, uplinks_mbps: vec![5.0; 3], capacities: vec![0.5, 1.0] },
        own,
    ];
    for (line, environment) in said.lines().iter().zip(&expected) {
        let model = model.at(environment).expect("fits");
        let workload = Workload::from_mb(3, &sizes);
        let optimum = Exact::new().decide(&model, &workload).expect("small").decision;
        let cost = parsed(line)["cost"].as_f64().expect("a number");
        assert!((cost / model.evaluate(&workload, &optimum).cost - 1.0).abs() < 1e-12, "{line}");
    }
    assert_eq!(said.lines().len(), 3);
    assert!(parsed(said.lines()[0])["placements"][0].as_array().expect("a row").iter().all(|place| place == "local"));
    // A scheme of one place keeps the tasks of a device that cannot use the place.
    let cut = json!({ "tasks_mb": rows, "environment": { "uplink_mbps": [0, 3, 40] } }).to_string();
    let said = workshop.trainer_reading(cut, &["solve", "--scenario", "mobile", "--scheme", "cloud-only"]).succeeded();
    let answer = parsed(&said.stdout);
    assert_eq!(answer["placements"], json!([vec!["local"; 3], vec!["cloud"; 3], vec!["cloud"; 3]]), "{said}");
    assert!(answer.get("unreachable").is_none(), "{said}");
}

/// A short training on changing environments, and decisions of its record.
#[test]
fn networks_that_read_the_environment_are_trained_saved_and_asked() {
    let workshop = Workshop::new();
    let train = ["--training", "environments", "--scenario", "mobile", "--set", "drl.steps=8000"];
    workshop.trainer(&[&train[..], &["--out", "run"]].concat()).succeeded();
    let said = workshop.trainer(&["evaluate", "--record", "run/record", "--format", "json"]).succeeded();
    let rows = parsed(&said.stdout);
    let q2 = |scheme: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| row["scheme"] == scheme).expect("a row");
        row["q2"].as_f64().expect("the optimum is known")
    };
    assert!(q2("mr-dro") > 0.99 && q2("mr-dro") > q2("greedy-largest-first"), "{said}");
    // Where a device is cut off, its tasks stay on it.
    let input =
        "{\"tasks_mb\": [[12, 25, 18], [20, 11, 29], [15, 16, 17]], \"environment\": {\"uplink_mbps\": [10, 0, 10]}}\n";
    let said = workshop.trainer_reading(input, &["decide", "--record", "run/record"]).succeeded();
    assert_eq!(parsed(&said.stdout)["placements"][1], json!(["local", "local", "local"]), "{said}");
}

#[test]
fn a_quick_study_is_written_kept_and_not_mixed_with_another() {
    let workshop = Workshop::new();
    with_drives(&workshop);
    let study = ["adaptation-study", "--traces", "traces", "--quick", "--seeds", "1", "--out", "study"];
    let said = workshop.trainer(&[&study[..], &["--format", "json"]].concat()).succeeded();
    let rows = parsed(&said.stdout);
    let q2 = |arm: &str, step: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| row["arm"] == arm);
        row.unwrap_or_else(|| panic!("{arm} is not in {rows}"))[step].as_f64().expect("a number")
    };
    for row in rows.as_array().expect("rows") {
        for step in ["q2_at_0", "q2_at_10", "q2_at_200", "q2_p05_at_0"] {
            assert!(row[step].as_f64().is_some_and(|q2| (0.0..=1.0).contains(&q2)), "{row}");
        }
    }
    assert_eq!(q2("exact", "q2_at_0"), 1.0);
    assert!(q2("local-only", "q2_at_0") < 0.8 && q2("optimum-of-the-last-window", "q2_at_0") < 1.0);
    for file in
        ["study.toml", "choices.json", "comparison.csv", "windows.csv", "claims.csv", "replay.svg", "report.html"]
    {
        assert!(workshop.path("study").join(file).exists(), "{file}");
    }
    let report = workshop.text("study/report.html");
    assert!(report.contains("town/drive2") && report.contains("adaptation-study --traces traces"), "{report}");

    // Another seed is added to the same study; other windows are another study.
    let kept = workshop.read("study/seeds/seed-1.json");
    let more = ["adaptation-study", "--traces", "traces", "--quick", "--seeds", "1-2", "--out", "study"];
    workshop.trainer(&more).succeeded().naming(&["2 seeds, 1 to do"]);
    assert!(workshop.read("study/seeds/seed-1.json") == kept);
    let files = workshop.files();
    workshop.trainer(&[&more[..], &["--window", "120"]].concat()).failed(1).naming(&["study.toml"]);
    assert!(workshop.files() == files, "the refused study changed something");
    // What is kept must be whole.
    let choices = workshop.text("study/choices.json");
    workshop.write("study/choices.json", "{}");
    workshop.trainer(&more).failed(1).silent().naming(&["choices.json", "settings of every method"]);
    workshop.write("study/choices.json", choices);
    workshop.write("study/seeds/seed-2.json", workshop.read("study/seeds/seed-1.json"));
    workshop.trainer(&more).failed(1).silent().naming(&["seed-2.json", "what seed 1 found"]);
}

/// The scenario `name` with a text in place of another.
fn scenario_with(workshop: &Workshop, name: &str, file: &str, from: &str, to: &str) {
    let text = Scenario::preset_text(name).expect("a preset");
    assert!(text.contains(from), "{from} in {name}");
    workshop.write(file, text.replace(from, to));
}

#[test]
fn what_is_down_is_never_chosen() {
    let workshop = Workshop::new();
    scenario_with(&workshop, "paper", "cloud-down.toml", "name = \"cloud\"", "name = \"cloud\"\nlink_mbps = 0");
    scenario_with(&workshop, "paper", "cloud-off.toml", "frequency_mhz = 1000 ", "frequency_mhz = 0 ");
    scenario_with(&workshop, "shared-edge", "shared-off.toml", "frequency_mhz = 600 ", "frequency_mhz = 0 ");
    scenario_with(&workshop, "paper-wan", "offline.toml", "uplink_mbps = 500 ", "uplink_mbps = [500, 0, 500] ");
    let line = "{\"tasks_mb\": [[12, 25, 18], [20, 11, 29], [15, 16, 17]]}\n";
    let models = [["any-fleet", "--budget"], ["any-fleet", "--search-free"], ["paper", "--any-rates"]];
    for (file, down, offline) in [
        ("cloud-down.toml", "cloud", 3),
        ("cloud-off.toml", "cloud", 3),
        ("shared-off.toml", "edge", 3),
        ("offline.toml", "nowhere", 1),
    ] {
        let check = |said: &acceptance::Said| {
            let answer = parsed(&said.stdout);
            assert!(
                answer["cost"].as_f64().is_some_and(f64::is_finite) && answer.get("unreachable").is_none(),
                "{said}"
            );
            assert!(!said.stdout.contains(&format!("\"{down}\"")), "{said}");
            if offline < 3 {
                assert_eq!(answer["placements"][offline], json!(["local", "local", "local"]), "{said}");
            }
        };
        for scheme in ["random", "greedy", "greedy-largest-first", "local-search", "genetic", "exact", "local-search@8"]
        {
            let solve = ["solve", "--scenario", file, "--scheme", scheme];
            check(&workshop.trainer_reading(line, &solve).succeeded());
            let share_out = [&solve[..], &["--share-out", "30"]].concat();
            check(&workshop.trainer_reading(line, &share_out).succeeded());
        }
        for [record, option] in models {
            let record = format!("{}/../models/{record}", env!("CARGO_MANIFEST_DIR"));
            let mut decide = vec!["decide", "--record", &record, "--scenario", file, option];
            if option == "--budget" {
                decide.push("16");
            }
            check(&workshop.trainer_reading(line, &decide).succeeded());
        }
        let said = workshop.trainer(&["scenario", "check", file]).succeeded();
        assert!(said.stdout.contains("cannot be used"), "{said}");
    }
    let rows =
        parsed(&workshop.trainer(&["compare", "--scenario", "cloud-down.toml", "--format", "json"]).succeeded().stdout);
    let rows = rows.as_array().expect("rows");
    assert!(rows.iter().all(|row| row["scheme"] != "cloud-only" && row["q2"].as_f64().is_some_and(|q2| q2 <= 1.0)));
    let refused = workshop.trainer_reading(line, &["solve", "--scenario", "cloud-down.toml", "--scheme", "cloud-only"]);
    refused.failed(1).naming(&["`cloud`, which no device can use", "edge-only"]);
}

#[test]
fn a_request_may_take_a_server_down() {
    let workshop = Workshop::new();
    let line = "{\"tasks_mb\": [[12, 25, 18], [20, 11, 29], [15, 16, 17]], \"environment\": {\"capacity\": [1, 0]}}\n";
    let record = format!("{}/../models/mobile", env!("CARGO_MANIFEST_DIR"));
    for command in [&["solve", "--scenario", "mobile", "--scheme", "exact"][..], &["decide", "--record", &record]] {
        let said = workshop.trainer_reading(line, command).succeeded();
        assert!(!said.stdout.contains("cloud") && said.stdout.contains("edge"), "{said}");
    }
}

/// Servers that cost a device no energy, and nothing but energy counts.
#[test]
fn of_equal_energy_the_shorter_time_is_taken() {
    let workshop = Workshop::new();
    let text = Scenario::preset_text("paper").expect("a preset");
    let mut free = text.replace("alpha = 0.5 ", "alpha = 1 ").replace("nj_per_byte = 0.1 ", "nj_per_byte = 0 ");
    for energy in ["1.5 ", "1.0 "] {
        free = free.replace(&format!("nj = {energy}"), "nj = 0 ");
    }
    workshop.write("free.toml", free);
    let line = "{\"tasks_mb\": [[12, 25, 18], [20, 11, 29], [15, 16, 17]]}\n";
    let answer = |command: &[&str]| {
        let answer = parsed(&workshop.trainer_reading(line, command).succeeded().stdout);
        assert_eq!(answer["cost"], 0.0, "{answer}");
        answer["time_s"].as_f64().expect("a number")
    };
    let solve = |scheme| answer(&["solve", "--scenario", "free.toml", "--scheme", scheme]);
    let (least, most) = (solve("exact"), solve("edge-only"));
    assert!(least < 0.5 * most, "{least}, {most}");
    for scheme in ["greedy", "greedy-largest-first", "local-search", "genetic"] {
        assert!(solve(scheme) < 1.3 * least, "{scheme}: {}, {least}", solve(scheme));
    }
    for (record, option) in [("paper", "--any-rates"), ("any-fleet", "--search-free")] {
        let record = format!("{}/../models/{record}", env!("CARGO_MANIFEST_DIR"));
        let time_s = answer(&["decide", "--record", &record, "--scenario", "free.toml", option]);
        assert!(time_s < 1.3 * least, "{record}: {time_s}, {least}");
    }
}
