//! Information from the program: scenarios, devices, help, completions; and pictures of runs.

use acceptance::{Workshop, shared_run};
use serde_json::Value;

#[test]
fn scenarios_are_listed_for_people_and_programs() {
    let workshop = Workshop::new();
    let said = workshop.trainer(&["scenario", "list", "--format", "json"]).succeeded();
    let rows: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    let names: Vec<_> = rows.iter().filter_map(|row| row["scenario"].as_str()).collect();
    for preset in sim::Scenario::presets() {
        assert!(names.contains(&preset), "{names:?}");
        assert!(workshop.trainer(&["scenario", "list"]).succeeded().stdout.contains(preset));
    }
}

#[test]
fn a_shown_scenario_is_a_scenario_file() {
    let workshop = Workshop::new();
    for preset in sim::Scenario::presets() {
        let shown = workshop.trainer(&["scenario", "show", preset]).succeeded();
        workshop.write("shown.toml", &shown.stdout);
        let [own, copy] = [preset, "shown.toml"].map(|scenario| {
            let said = workshop.trainer(&["scenario", "check", scenario, "--format", "json"]).succeeded();
            serde_json::from_str::<Vec<Value>>(&said.stdout).expect("a list of rates")
        });
        assert!(!own.is_empty() && own == copy, "{preset}");
        for name in ["device", "place", "energy_j_per_mb", "time_s_per_mb"] {
            assert!(own[0].get(name).is_some(), "{name} is not in {}", own[0]);
        }
    }
}

#[test]
fn the_cpu_is_always_among_the_devices() {
    let workshop = Workshop::new();
    let said = workshop.trainer(&["devices", "--format", "json"]).succeeded();
    let rows: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    assert!(rows.iter().any(|row| row["device"] == "flex"), "{said}");
}

#[test]
fn every_device_that_is_listed_can_be_asked_for() {
    let run = shared_run();
    let said = run.trainer(&["devices", "--format", "csv"]).succeeded();
    for line in &said.lines()[1..] {
        let device = line.split(',').next().expect("a first column");
        run.trainer(&["evaluate", "--record", "run/record", "--device", device]).succeeded();
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let workshop = Workshop::new();
    let help = workshop.trainer(&["--help"]).succeeded();
    for command in ["train", "meta", "evaluate", "compare", "decide", "solve", "export", "scenario", "devices"] {
        assert!(help.stdout.contains(command), "{command} is not in\n{help}");
        workshop.trainer(&[command, "--help"]).succeeded();
    }
    assert!(workshop.trainer(&["--version"]).succeeded().stdout.starts_with("trainer "));
    assert!(workshop.files().into_keys().eq(["/"]), "help wrote files");
}

#[test]
fn completions_are_there_for_every_shell() {
    let workshop = Workshop::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(workshop.trainer(&["completions", shell]).succeeded().stdout.contains("decide"), "{shell}");
    }
}

#[test]
fn runs_are_drawn_into_one_picture() {
    let run = shared_run();
    let workshop = Workshop::new();
    let path = run.path("run");
    let labelled = format!("tiny={}", path.display());
    workshop.trainer(&["plot", &labelled, "--title", "two runs", "--out", "plot.svg"]).succeeded();
    let picture = workshop.text("plot.svg");
    assert!(picture.contains("</svg>") && picture.contains("two runs") && picture.contains("tiny"), "{picture}");
}
