//! Deadlines: where a scenario has them, every table and file says how many are missed; where it has none, nothing does.

use std::collections::BTreeMap;

use acceptance::Workshop;
use serde_json::{Value, json};

/// `paper-wan` with more keys in `[tasks]`.
fn with_tasks(keys: &str) -> String {
    let text = sim::Scenario::preset_text("paper-wan").expect("a preset");
    assert!(text.contains("[tasks]\n"), "{text}");
    text.replacen("[tasks]\n", &format!("[tasks]\n{keys}\n"), 1)
}

fn shipped(record: &str) -> String {
    format!("{}/../models/{record}", env!("CARGO_MANIFEST_DIR"))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// The rows of a comparison by scheme.
fn rows(text: &str) -> BTreeMap<String, Value> {
    let rows = parsed(text);
    let named = |row: &Value| (row["scheme"].as_str().expect("a name").to_owned(), row.clone());
    rows.as_array().expect("rows").iter().map(named).collect()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {row}"))
}

/// A comparison without the times that it took.
fn without_times(mut rows: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    for row in rows.values_mut() {
        row.as_object_mut().expect("an object").remove("seconds_per_decision");
    }
    rows
}

#[test]
fn a_comparison_shows_missed_deadlines_which_cost_nothing_by_themselves() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", with_tasks("deadline_s = 60"));
    let compare = |scenario: &str| {
        let said = workshop.trainer(&["compare", "--scenario", scenario, "--format", "json"]).succeeded();
        without_times(rows(&said.stdout))
    };
    let mut counted = compare("mine.toml");
    assert_eq!(number(&counted["local-only"], "share_of_missed_deadlines"), 1.0); // 9 tasks of 100 s and more
    for (scheme, row) in &mut counted {
        assert_eq!(number(row, "tasks_with_deadline"), 9.0 * 512.0, "{scheme}");
        let share = number(row, "missed_deadlines") / (9.0 * 512.0);
        assert_eq!(number(row, "share_of_missed_deadlines"), share, "{scheme}");
        for key in ["missed_deadlines", "tasks_with_deadline", "share_of_missed_deadlines"] {
            row.as_object_mut().expect("an object").remove(key);
        }
    }
    assert_eq!(counted, compare("paper-wan"));
    let header = |arguments: &[&str]| workshop.trainer(arguments).succeeded().lines()[0].to_owned();
    assert_eq!(
        header(&["compare", "--scenario", "mine.toml", "--format", "csv"]),
        "scheme,mean_energy_j,mean_time_s,mean_cost,missed_deadlines,tasks_with_deadline,share_of_missed_deadlines,q2,q2_p05,\
         evaluations_per_decision,seconds_per_decision"
    );
    assert!(header(&["compare", "--scenario", "mine.toml"]).contains(" missed |"));
    assert!(!header(&["compare", "--scenario", "paper-wan"]).contains("missed"));
}

#[test]
fn no_scheme_misses_fewer_hard_deadlines_than_the_optimum() {
    let workshop = Workshop::new();
    let keys = "deadline_s = [60, 45, 80]\ndeadline_rule = \"hard\"";
    let text = with_tasks(keys).replacen("per_device = 3 ", "per_device = [3, 2, 3] ", 1);
    workshop.write(
        "mine.toml",
        text.replace("energy_per_instruction_nj = 1.0 ", "latency_ms = 40\nenergy_per_instruction_nj = 1.0 "),
    );
    let said = workshop.trainer(&["compare", "--scenario", "mine.toml", "--format", "json"]).succeeded();
    let rows = rows(&said.stdout);
    let optimum = &rows["exact"];
    assert_eq!(number(optimum, "q2"), 1.0);
    for (scheme, row) in &rows {
        assert_eq!(number(row, "tasks_with_deadline"), 8.0 * 512.0, "{scheme}");
        assert!(number(row, "missed_deadlines") >= number(optimum, "missed_deadlines"), "{scheme}: {row}");
        assert!((0.0..=1.0).contains(&number(row, "q2")), "{scheme}: {row}");
    }
    // One more missed deadline counts as 0 in Q2.
    let greedy = &rows["greedy"];
    assert!(number(greedy, "missed_deadlines") > number(optimum, "missed_deadlines"), "{greedy}");
    assert_eq!(number(greedy, "q2_p05"), 0.0);
}

#[test]
fn options_stand_for_the_keys_of_a_scenario() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", with_tasks("deadline_s = 60\ndeadline_rule = \"penalty\"\ndeadline_penalty = 5"));
    let compare = |more: &[&str]| {
        let said = workshop.trainer(&[&["compare", "--format", "json"][..], more].concat()).succeeded();
        without_times(rows(&said.stdout))
    };
    let by_file = compare(&["--scenario", "mine.toml"]);
    for options in [
        &["--deadline-s", "60", "--deadline-penalty", "5"][..],
        &["--deadline-s", "60", "--deadline-rule", "penalty", "--deadline-penalty", "5"],
    ] {
        assert_eq!(compare(&[&["--scenario", "paper-wan"][..], options].concat()), by_file, "{options:?}");
    }
    let hard = compare(&["--scenario", "mine.toml", "--deadline-rule", "hard"]);
    let missed = |rows: &BTreeMap<String, Value>| number(&rows["exact"], "missed_deadlines");
    assert!(missed(&hard) <= missed(&by_file));
    // A record is for the scenario that is named; deadlines by option are no other scenario.
    let record = shipped("paper-wan");
    let evaluate = ["evaluate", "--record", &record, "--deadline-s", "60", "--format", "json"];
    let rows = rows(&workshop.trainer(&evaluate).succeeded().stdout);
    assert!(number(&rows["mr-dro"], "share_of_missed_deadlines") < 1.0);
    let later = compare(&["--scenario", "paper-wan", "--record", &record, "--deadline-s", "1e9"]);
    assert_eq!(number(&later["mr-dro"], "missed_deadlines"), 0.0);
}

#[test]
fn deadlines_of_options_reach_single_decisions() {
    let workshop = Workshop::new();
    workshop.write("one.jsonl", json!({ "tasks_mb": [[20, 20, 20], [20, 20, 20], [20, 20, 20]] }).to_string());
    let solve = |more: &[&str]| {
        let command = ["solve", "--scenario", "paper-wan", "--scheme", "exact", "one.jsonl"];
        parsed(&workshop.trainer(&[&command[..], more].concat()).succeeded().stdout)
    };
    // The fastest decision has two tasks at the edge, 67 s, and one in the cloud, 47 s.
    let cost = |answer: &Value| number(answer, "cost");
    let free = cost(&solve(&[]));
    assert_eq!(cost(&solve(&["--deadline-s", "40"])), free);
    let penalised = cost(&solve(&["--deadline-s", "40", "--deadline-penalty", "5"]));
    assert!(penalised > free && penalised <= free + 9.0 * 5.0, "{penalised} and {free}");
}

#[test]
fn a_rule_by_option_holds_for_the_deadlines_of_workloads() {
    let workshop = Workshop::new();
    let sizes = [[20; 3]; 3];
    workshop.write("ruled.jsonl", json!({ "tasks_mb": sizes, "deadline_s": 40, "deadline_penalty": 5 }).to_string());
    workshop.write("plain.jsonl", json!({ "tasks_mb": sizes, "deadline_s": 40 }).to_string());
    let solve = |file: &str, more: &[&str]| {
        let command = ["solve", "--scenario", "paper-wan", "--scheme", "exact", file];
        parsed(&workshop.trainer(&[&command[..], more].concat()).succeeded().stdout)
    };
    let by_option = solve("plain.jsonl", &["--deadline-penalty", "5"]);
    assert_eq!(by_option, solve("ruled.jsonl", &[]));
    assert_ne!(by_option["cost"], solve("plain.jsonl", &[])["cost"]);
    let record = shipped("paper-wan");
    let decide = ["decide", "--record", &record, "--deadline-rule", "hard", "plain.jsonl"];
    assert!(number(&parsed(&workshop.trainer(&decide).succeeded().stdout), "missed_deadlines") <= 9.0);
    let evaluate = ["evaluate", "--record", &record, "--deadline-rule", "hard"];
    workshop.trainer(&[&evaluate[..], &["--workloads", "plain.jsonl"]].concat()).succeeded();
    workshop.trainer(&evaluate).failed(2).silent().naming(&["--deadline-rule hard", "without deadlines"]);
}

#[test]
fn options_of_no_use_are_refused() {
    let workshop = Workshop::new();
    let fleet = shipped("any-fleet");
    for (arguments, parts) in [
        (
            &["compare", "--deadline-rule", "hard"][..],
            &["--deadline-rule hard", "without deadlines", "--deadline-s"][..],
        ),
        (&["compare", "--deadline-penalty", "5"], &["--deadline-penalty 5", "without deadlines", "--deadline-s"]),
        (&["compare", "--deadline-s", "0"], &["--deadline-s", "1e-12"]),
        (&["compare", "--deadline-s", "-3"], &["--deadline-s", "1e-12"]),
        (&["compare", "--deadline-s", "soon"], &["--deadline-s", "number of seconds"]),
        (&["compare", "--deadline-s", "20", "--deadline-penalty", "-1"], &["--deadline-penalty", "between 0 and 1e12"]),
        (&["compare", "--deadline-s", "20", "--deadline-rule", "soft"], &["--deadline-rule", "report, penalty, hard"]),
        (
            &["compare", "--deadline-s", "20", "--deadline-rule", "penalty"],
            &["--deadline-rule penalty", "--deadline-penalty 5"],
        ),
        (
            &["compare", "--deadline-s", "20", "--deadline-rule", "hard", "--deadline-penalty", "2"],
            &["--deadline-penalty 2", "--deadline-rule penalty"],
        ),
        (&["evaluate", "--record", &fleet, "--deadline-s", "20"], &["--deadline-s 20", "--scenario NAME|FILE"]),
    ] {
        workshop.trainer(arguments).failed(2).silent().naming(parts);
    }
}

#[test]
fn training_reports_missed_deadlines_in_every_file() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", with_tasks("deadline_s = 60"));
    workshop.train("run", &["--scenario", "mine.toml"]).succeeded();
    let metrics = workshop.text("run/metrics.csv");
    assert!(metrics.starts_with("phase,step,loss,q1,q2,buffer_mean_cost,share_of_missed_deadlines\n"), "{metrics}");
    for line in metrics.lines().skip(1) {
        let share: f64 = line.rsplit(',').next().and_then(|cell| cell.parse().ok()).expect("a share");
        assert!((0.0..=1.0).contains(&share), "{line}");
    }
    let results = parsed(&workshop.text("run/results.json"));
    let evaluations = results["evaluations"].as_array().expect("evaluations");
    assert!(evaluations.iter().all(|row| row["tasks_with_deadline"] == 9 * 512), "{results}");
    assert!(workshop.text("run/results.csv").lines().next().is_some_and(|header| header.contains("missed_deadlines")));
    assert!(workshop.text("run/record/manifest.toml").contains("share_of_missed_deadlines_mr_dro"));
    // The same training without deadlines learns the same and says nothing of them.
    workshop.train("plain", &["--scenario", "paper-wan"]).succeeded();
    let cut = |line: &str| line.rsplit_once(',').expect("cells").0.to_owned();
    let plain = workshop.text("plain/metrics.csv");
    assert!(metrics.lines().map(cut).eq(plain.lines()), "{metrics}\n{plain}");
    assert_eq!(workshop.read("run/record/weights.bpk"), workshop.read("plain/record/weights.bpk"));
    for file in ["plain/results.json", "plain/results.csv", "plain/record/manifest.toml", "plain/config.toml"] {
        assert!(!workshop.text(file).contains("deadline"), "{file}");
    }
}

#[test]
fn adaptation_sharing_out_and_sweeps_report_missed_deadlines() {
    let workshop = Workshop::new();
    workshop.write("mine.toml", with_tasks("deadline_s = 60"));
    let record = shipped("paper-wan");
    let adapt = ["adapt", "--record", &record, "--scenario", "mine.toml", "--steps", "0,5", "--out", "adapted"];
    let said = workshop.trainer(&adapt).succeeded().naming(&["greedy misses", "the optimum"]);
    assert!(said.lines()[0].contains(" missed |"), "{said}");
    let results = parsed(&workshop.text("adapted/results.json"));
    for key in ["greedy", "greedy_largest_first", "exact"] {
        assert!(number(&results, &format!("share_of_missed_deadlines_{key}")) <= 1.0);
    }
    for key in ["share_of_missed_deadlines", "share_of_missed_deadlines_explored"] {
        assert!(number(&results["points"][1], key) <= 1.0);
    }

    let shared_out = ["compare", "--scenario", "mine.toml", "--share-out", "30", "--format", "json"];
    for (scheme, row) in rows(&workshop.trainer(&shared_out).succeeded().stdout) {
        let share = number(&row, "missed_deadlines") / number(&row, "tasks_with_deadline");
        assert_eq!(number(&row, "share_of_missed_deadlines"), share, "{scheme}");
        let before = number(&row, "missed_deadlines_in_proportion") / number(&row, "tasks_with_deadline");
        assert_eq!(number(&row, "share_of_missed_deadlines_in_proportion"), before, "{scheme}");
    }

    let tiny = &acceptance::TINY[..];
    let sweep = ["sweep", "--scenario", "mine.toml", "--scenario", "paper", "--seeds", "1-2", "--out", "sweep"];
    workshop.trainer(&[&sweep[..], tiny].concat()).succeeded();
    let (runs, summary) = (workshop.text("sweep/runs.csv"), workshop.text("sweep/summary.csv"));
    assert!(
        runs.lines().next().is_some_and(|header| header.contains("mean_cost,missed_deadlines,tasks_with_deadline,"))
    );
    assert!(summary.lines().any(|line| line.contains(",mr-dro,2,share_of_missed_deadlines,")), "{summary}");
    assert!(!summary.lines().any(|line| line.starts_with("paper,") && line.contains("deadlines")), "{summary}");
}

#[test]
fn checking_a_scenario_shows_what_its_tasks_ask_for() {
    let workshop = Workshop::new();
    let text = with_tasks("deadline_s = [20, 30, 40.5]\ndeadline_rule = \"penalty\"\ndeadline_penalty = 2.5");
    let text = text.replacen("per_device = 3 ", "per_device = [3, 0, 2] ", 1);
    let text = text.replacen("instructions_per_byte = 1000 ", "instructions_per_byte = [1000, 330, 500] ", 1);
    workshop.write("mine.toml", text.replacen("tier = \"cloud\"", "tier = \"cloud\"\nlatency_ms = 40.1", 1));
    let said = workshop.trainer(&["scenario", "check", "mine.toml"]).succeeded();
    for part in ["5 tasks", "each missed deadline adds 2.5 to the cost", "takes its latency in addition"] {
        assert!(said.lines()[0].contains(part), "{part}: {said}");
    }
    let cells = |line: &&str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = said.lines().iter().map(cells).collect();
    let cells = rows.iter().find(|row| row.starts_with(&["", "cloud", "2"].map(str::to_owned))).expect("device 2");
    assert_eq!(cells[5..9], ["40.1", "2", "500", "40.5"], "{said}");
    let plain = workshop.trainer(&["scenario", "check", "paper-wan"]).succeeded();
    assert!(!plain.stdout.contains("deadline") && !plain.stdout.contains("latency"), "{plain}");
}
