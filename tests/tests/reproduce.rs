//! The paper's evaluation by one command.

use std::collections::BTreeMap;
use std::fs;

use acceptance::{Said, Workshop};

/// The smallest reproduction there is of some parts, with more arguments.
fn reproduce(workshop: &Workshop, only: &str, more: &[&str]) -> Said {
    let small = ["reproduce", "--quick", "--scenario", "paper", "--seeds", "1-2", "--out", "report", "--only", only];
    workshop.trainer(&[&small[..], more].concat())
}

/// All files that were written, except the files of the runs.
fn written(workshop: &Workshop) -> BTreeMap<String, Vec<u8>> {
    workshop.files().into_iter().filter(|(name, _)| !name.starts_with("report/runs/")).collect()
}

#[test]
fn a_report_shows_what_its_runs_found_and_needs_nothing_else() {
    let workshop = Workshop::new();
    reproduce(&workshop, "fig13,table4", &["--training", "paper"]).succeeded().naming(&["6 runs, 6 to do"]);
    let page = workshop.text("report/report.html");
    for part in ["id=\"claims\"", "id=\"table4-paper\"", "id=\"fig13\"", "<svg", "DDLO", "fig13.csv", "--quick"] {
        assert!(page.contains(part), "{part} is not in the report");
    }
    for outside in ["src=", "href=\"http", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside} is in the report");
    }
    // The curve ends where the runs say.
    let results: Vec<serde_json::Value> = (1..=2)
        .map(|seed| {
            let run = format!("report/runs/paper-paper-drl.steps=3000-meta.metadata=3000-seed{seed}/results.json");
            serde_json::from_str(&workshop.text(&run)).expect("JSON")
        })
        .collect();
    let q2 = |results: &serde_json::Value| {
        let rows = results["evaluations"].as_array().expect("a list");
        rows.iter().find(|row| row["scheme"] == "mr-dro").and_then(|row| row["q2"].as_f64()).expect("it was trained")
    };
    let mean = f64::midpoint(q2(&results[0]), q2(&results[1]));
    let data = workshop.text("report/fig13.csv");
    let last = data.lines().find(|line| line.starts_with("paper,paper,meta-RL,3000,")).expect("the last step");
    let shown: f64 = last.split(',').nth(5).and_then(|cell| cell.parse().ok()).expect("a mean");
    assert!((shown - mean).abs() < 1e-12, "{shown} is drawn, {mean} was found");
    let claims = workshop.text("report/claims.csv");
    assert!(claims.contains("Local-only has Q2 0.14,Table IV,paper,paper,holds,0.1420"), "{claims}");
}

#[test]
fn the_claims_about_task_graphs_need_no_training() {
    let workshop = Workshop::new();
    reproduce(&workshop, "graphs", &[]).succeeded().naming(&["0 runs, 0 to do"]);
    let claims = workshop.text("report/graphs-claims.csv");
    let verdict = |system: &str, claim: &str| {
        let row = claims.lines().find(|line| line.starts_with(system) && line.contains(claim));
        row.unwrap_or_else(|| panic!("{system}, {claim} in {claims}")).to_owned()
    };
    assert!(verdict("K-LARAC", "falls to 0").contains(",holds,"), "{claims}");
    assert!(verdict("LARAC-based", "one climb").contains("does not hold"), "{claims}");
    assert!(verdict("any-order", "best order").contains("proved for 4 of 4"), "{claims}");
    for system in ["MCOP", "M-LARAC", "MRLCO", "Neurosurgeon", "Li et al.", "\"PEFT, HEFT\""] {
        assert!(claims.lines().any(|line| line.starts_with(system)), "{system} is not in {claims}");
    }
    let schemes = workshop.text("report/graphs.csv");
    for row in ["workflow,exact,1,", "call-graph,larac-k,", "layers,neurosurgeon,1,"] {
        assert!(schemes.lines().any(|line| line.starts_with(row)), "{row} is not in {schemes}");
    }
    let page = workshop.text("report/report.html");
    assert!(page.contains("id=\"graphs-claims\"") && page.contains("class=\"fails\""));
    // What was measured is kept.
    let kept = written(&workshop);
    reproduce(&workshop, "graphs", &[]).succeeded();
    assert!(written(&workshop) == kept);
}

#[test]
fn what_was_stopped_ends_with_the_same_report() {
    let workshop = Workshop::new();
    reproduce(&workshop, "fig13", &["--training", "recommended"]).succeeded();
    let whole = written(&workshop);
    let run = "report/runs/paper-recommended-drl.steps=3000-meta.metadata=3000-meta.outer_steps=0-seed2";
    fs::remove_dir_all(workshop.path(run)).expect("it was done");
    fs::create_dir_all(workshop.path("report/unfinished/x")).expect("the folder is the test's own");
    fs::remove_file(workshop.path("report/report.html")).expect("it was written");
    reproduce(&workshop, "fig13", &["--training", "recommended"]).succeeded().naming(&["4 runs, 1 to do"]);
    fs::remove_dir_all(workshop.path("report/unfinished")).expect("it is another's");
    let again = written(&workshop);
    assert_eq!(again.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (name, content) in &whole {
        assert!(again[name] == *content, "{name} differs");
    }
}

#[test]
fn unknown_parts_are_refused() {
    let workshop = Workshop::new();
    reproduce(&workshop, "fig4", &[]).failed(2).silent().naming(&["--only fig4", "fig5 to fig14"]);
    reproduce(&workshop, "fig8", &["--training", "papr"]).failed(2).naming(&["papr"]);
    assert_eq!(workshop.files().into_keys().collect::<Vec<_>>(), ["/"]);
}
