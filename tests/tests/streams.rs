//! Scenarios over time: shipped ones, comparisons, runs with their traces, pictures and pages, tuning, recordings, and what is refused.

use acceptance::Workshop;
use serde_json::Value;
use sim::stream::StreamScenario;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// A scenario of dispatching that is quick to run.
fn small(workshop: &Workshop, name: &str, changes: &[(&str, &str)]) {
    let mut text = StreamScenario::preset_text("dispatch").expect("a preset").replace("= 30000", "= 3000");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    workshop.write(name, text);
}

#[test]
fn scenarios_over_time_are_listed_shown_and_checked() {
    let workshop = Workshop::new();
    let listed = parsed(&workshop.trainer(&["scenario", "list", "--format", "json"]).succeeded().stdout);
    for preset in StreamScenario::presets() {
        let row = listed.as_array().expect("rows").iter().find(|row| row["scenario"] == preset);
        assert_eq!(row.expect("it is listed")["kind"], "stream");
        workshop.write("shown.toml", &workshop.trainer(&["scenario", "show", preset]).succeeded().stdout);
        let [own, copy] = [preset, "shown.toml"]
            .map(|name| workshop.trainer(&["scenario", "check", name, "--format", "json"]).succeeded().stdout);
        assert_eq!(own, copy, "{preset}");
    }
    let said = workshop.trainer(&["scenario", "check", "dispatch"]).succeeded();
    assert!(said.stdout.contains("load of the bottleneck 0.800"), "{}", said.stdout);
}

#[test]
fn a_comparison_is_against_greedy_on_the_same_courses() {
    let workshop = Workshop::new();
    small(&workshop, "small.toml", &[]);
    let compare = ["compare", "--scenario", "small.toml", "--runs", "3", "--format", "json"];
    let said = workshop.trainer(&compare).succeeded();
    let rows = parsed(&said.stdout);
    let row = |name: &str| {
        let found = rows.as_array().expect("rows").iter().find(|row| row["scheme"] == name);
        found.unwrap_or_else(|| panic!("{name} in {}", said.stdout)).clone()
    };
    assert_eq!(row("greedy")["change"], 0.0);
    assert!(row("random")["change"].as_f64() > Some(0.0));
    assert!(row("one-step")["change"].as_f64() < Some(0.0), "{}", row("one-step"));
    // Times differ; everything else is the same whatever the number of threads.
    let without_times = |text: &str| {
        let mut rows = parsed(text);
        for row in rows.as_array_mut().expect("rows") {
            row["seconds_per_decision"] = Value::Null;
        }
        rows
    };
    let alone = workshop.trainer(&[&compare[..], &["--threads", "1"]].concat()).succeeded();
    assert_eq!(without_times(&alone.stdout), without_times(&said.stdout));
}

#[test]
fn a_run_answers_with_its_means_and_writes_a_row_for_each_task() {
    let workshop = Workshop::new();
    small(&workshop, "small.toml", &[("# deadline_s = 120", "deadline_s = 60 #")]);
    let solve =
        ["solve", "--scenario", "small.toml", "--scheme", "greedy", "--trace", "run.csv", "--picture", "run.svg"];
    let said = workshop.trainer(&solve).succeeded();
    let summary = parsed(&said.stdout);
    let number = |name: &str| summary[name].as_f64().unwrap_or_else(|| panic!("{name} in {summary}"));
    assert_eq!(summary["tasks"], 2700);
    assert!(number("missed") > 0.0 && number("mean_power_w") > 0.0);
    let cost = 0.5 * number("mean_energy_j") + 0.5 * number("mean_delay_s");
    assert!((number("cost") / cost - 1.0).abs() < 1e-9, "{summary}");
    let csv = workshop.text("run.csv");
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|row| row.split(',').collect()).collect();
    assert_eq!(csv.lines().next(), Some("task,time_s,device,size_mb,place,done_s,response_s,energy_j,cost,missed"));
    assert_eq!(rows.len(), 3000);
    let mean = rows[300..].iter().map(|row| row[8].parse::<f64>().expect("a number")).sum::<f64>() / 2700.0;
    assert!((mean / number("cost") - 1.0).abs() < 1e-9, "{mean} {summary}");
    assert!(workshop.text("run.svg").contains("where each task goes"));
    let again = workshop.trainer(&solve).succeeded();
    assert_eq!((again.stdout, workshop.text("run.csv")), (said.stdout, csv));
    let slots = ["solve", "--scenario", "commute", "--scheme", "threshold@4", "--trace", "-"];
    let said = workshop.trainer(&slots).succeeded().naming(&["mean_delay_s"]);
    assert_eq!(said.stdout.lines().count(), 1 + 3600, "a header and the slots");
}

/// The data of a page that replays a run.
fn replayed(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").expect("data");
    parsed(rest.split_once("</script>").expect("an end").0)
}

#[test]
fn a_page_replays_a_run_and_loads_nothing() {
    let workshop = Workshop::new();
    small(&workshop, "small.toml", &[]);
    for (scenario, scheme, kind) in [("small.toml", "one-step", "dispatch"), ("commute", "threshold@4", "slots")] {
        let solve = ["solve", "--scenario", scenario, "--scheme", scheme];
        let plain = workshop.trainer(&solve).succeeded();
        let said = workshop.trainer(&[&solve[..], &["--replay", "run.html"]].concat()).succeeded();
        assert_eq!(said.stdout, plain.stdout, "a page changes no answer");
        let page = workshop.text("run.html");
        for outside in ["src=", "href=\"http", "@import", "url(", "fetch("] {
            assert!(!page.contains(outside), "{outside} in the page of {scenario}");
        }
        let data = replayed(&page);
        assert_eq!(data["summary"], parsed(&said.stdout));
        assert_eq!(data["run"]["kind"], kind);
        let rows = if kind == "dispatch" { &data["run"]["done_s"] } else { &data["run"]["backlog_mb"] };
        assert_eq!(rows.as_array().map(Vec::len), Some(if kind == "dispatch" { 3000 } else { 3600 }));
    }
    // Of a long run a part is shown, which begins in its middle.
    workshop.trainer(&["solve", "--scenario", "dispatch", "--scheme", "greedy", "--replay", "long.html"]).succeeded();
    let data = replayed(&workshop.text("long.html"));
    assert_eq!((&data["run"]["first"], &data["run"]["tasks_of_run"]), (&Value::from(15_000), &Value::from(30_000)));
    assert_eq!(data["run"]["offers"][0]["cost"].as_array().map(Vec::len), Some(10_000));
}

#[test]
fn pages_that_cannot_be_written_are_refused_before_the_run() {
    let workshop = Workshop::new();
    let solve = |scenario: &str, page: &str| {
        workshop.trainer(&["solve", "--scenario", scenario, "--scheme", "greedy", "--replay", page])
    };
    solve("dispatch", "no/such/run.html").failed(1).silent().naming(&["run.html"]);
    solve("dispatch", "run.svg").failed(2).silent().naming(&["--replay run.svg", "a name that ends in .html"]);
    solve("dispatch", "-").failed(2).silent().naming(&["a name that ends in .html"]);
    solve("paper", "run.html").failed(2).silent().naming(&["--replay is for scenarios over time"]);
    solve("graph", "run.html").failed(2).silent().naming(&["--replay is for scenarios over time"]);
    assert_eq!(workshop.files().into_keys().collect::<Vec<_>>(), ["/"]);
}

#[test]
fn a_comparison_is_written_in_every_format() {
    let workshop = Workshop::new();
    small(&workshop, "small.toml", &[]);
    for scenario in ["small.toml", "commute"] {
        for format in ["table", "json", "csv"] {
            let compare = ["compare", "--scenario", scenario, "--runs", "2", "--format", format];
            let said = workshop.trainer(&compare).succeeded();
            assert!(said.stdout.contains("greedy") || said.stdout.contains("at-once"), "{}", said.stdout);
            if format == "csv" {
                let has_places = said.stdout.lines().next().is_some_and(|header| header.ends_with("share_cloud"));
                assert_eq!(has_places, scenario != "commute", "{}", said.stdout);
            }
        }
    }
}

#[test]
fn tuned_numbers_can_be_used_as_a_name() {
    let workshop = Workshop::new();
    small(&workshop, "small.toml", &[]);
    let tune =
        ["tune", "--scenario", "small.toml", "--scheme", "drift-plus-penalty", "--runs", "2", "--format", "json"];
    let rows = parsed(&workshop.trainer(&tune).succeeded().stdout);
    let tuned = rows[2]["scheme"].as_str().expect("a name").to_owned();
    assert!(tuned.starts_with("drift-plus-penalty@"), "{rows}");
    assert!(rows[2]["change"].as_f64() <= rows[1]["change"].as_f64().map(|change| change + 0.01), "{rows}");
    workshop.trainer(&["solve", "--scenario", "small.toml", "--scheme", &tuned]).succeeded();
    let said = workshop.trainer(&["tune", "--scenario", "small.toml", "--scheme", "greedy"]).failed(1);
    assert!(said.stderr.contains("has no numbers to tune; these have some: drift-plus-penalty"), "{}", said.stderr);
    let said = workshop.trainer(&["tune", "--scenario", "small.toml", "--scheme", "priecd"]).failed(1);
    assert!(said.stderr.contains("did you mean `priced`?"), "{}", said.stderr);
    workshop.trainer(&["tune", "--scenario", "paper", "--scheme", "priced"]).failed(2).naming(&["over time"]);
}

#[test]
fn recorded_rates_and_tasks_are_read() {
    let workshop = Workshop::new();
    let rates: Vec<String> = (0..600).map(|second| format!("{second},{}", 1 + second % 7)).collect();
    workshop.write("link.csv", format!("time_s,mbps\n{}\n", rates.join("\n")));
    let tasks: Vec<String> =
        (0..200).map(|task| format!("{},{},phone {}", 30 * task, 2 + task % 9, task % 10)).collect();
    workshop.write("tasks.csv", format!("time_s,size_mb,device\n{}\n", tasks.join("\n")));
    let states = "{ states = [1.5, 10.5], mean_stay_s = [90, 90] }";
    small(
        &workshop,
        "recorded.toml",
        &[
            (states, "{ traces = \"link.csv\", window_s = 1 }"),
            ("process = \"poisson\"", "process = \"recorded\"\npath = \"tasks.csv\""),
            ("load = 0.8 ", "# "),
            ("weight = ", "# "),
            ("size_mb = ", "# "),
        ],
    );
    let solve = ["solve", "--scenario", "recorded.toml", "--scheme", "greedy"];
    let summary = parsed(&workshop.trainer(&solve).succeeded().stdout);
    assert_eq!(summary["tasks"], 180);
    // The name that each kind of table had alone before is read in both.
    workshop.write("link.csv", workshop.text("link.csv").replace("time_s", "t_s"));
    workshop.write("tasks.csv", workshop.text("tasks.csv").replace("time_s", "t_s"));
    assert_eq!(parsed(&workshop.trainer(&solve).succeeded().stdout), summary);
    workshop.write("tasks.csv", "time_s,size_mb,device\n0,1,a\n1,x,b\n");
    let said = workshop.trainer(&solve).failed(1);
    assert!(said.stderr.contains("tasks.csv, line 3: `size_mb` must be a number, is `x`"), "{}", said.stderr);
    workshop.write("link.csv", "t_s,mbps\n0,0\n1,0\n");
    let said = workshop.trainer(&solve).failed(1);
    assert!(
        said.stderr.contains("servers[1].link_mbps of the scenario") && said.stderr.contains("link.csv"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_scheme_of_the_other_kind_is_called_so() {
    let workshop = Workshop::new();
    let for_slots = "is a scheme for scenarios in slots, such as `commute`; this one dispatches tasks";
    let for_dispatch =
        "is a scheme for scenarios that dispatch tasks, such as `dispatch`; this one sends data in slots";
    for (command, scenario, scheme, part) in [
        ("solve", "dispatch", "threshold", for_slots),
        ("solve", "dispatch", "lyapunov@3", for_slots),
        ("tune", "dispatch", "threshold", for_slots),
        ("solve", "commute", "greedy", for_dispatch),
        ("solve", "commute", "edge-only", for_dispatch),
        ("tune", "commute", "priced", for_dispatch),
    ] {
        let said = workshop.trainer(&[command, "--scenario", scenario, "--scheme", scheme]).failed(1).silent();
        assert!(said.stderr.contains(&format!("`{scheme}` {part}")), "{}", said.stderr);
        assert!(said.stderr.contains("its schemes are"), "{}", said.stderr);
    }
    let said = workshop.trainer(&["solve", "--scenario", "dispatch", "--scheme", "nothing"]).failed(1).silent();
    assert!(said.stderr.contains("\n  there are random, local-only"), "{}", said.stderr);
    assert!(said.stderr.lines().all(|line| line.len() <= 110), "{}", said.stderr);
}

#[test]
fn what_makes_no_sense_over_time_is_refused() {
    let workshop = Workshop::new();
    small(&workshop, "heavy.toml", &[("load = 0.8 ", "per_minute = 60 #"), ("weight = ", "# ")]);
    let said = workshop.trainer(&["compare", "--scenario", "heavy.toml"]).failed(1);
    assert!(said.stderr.contains("cannot carry its tasks"), "{}", said.stderr);
    small(&workshop, "still.toml", &[("mean_stay_s = [90, 90]", "mean_stay_s = [0, 90]")]);
    let said = workshop.trainer(&["scenario", "check", "still.toml"]).failed(1);
    assert!(said.stderr.contains("the mean stay in state 0 must be greater than 0 s, is 0"), "{}", said.stderr);
    let said = workshop.trainer(&["solve", "--scenario", "dispatch", "--scheme", "gredy"]).failed(1);
    assert!(said.stderr.contains("did you mean `greedy`?"), "{}", said.stderr);
    for (arguments, part) in [
        (
            &["compare", "--scenario", "dispatch", "--any-rates"][..],
            "--any-rates is for scenarios of independent tasks",
        ),
        (&["compare", "--scenario", "paper", "--runs", "3"], "--runs is for scenarios over time"),
        (
            &["solve", "--scenario", "graph", "--scheme", "greedy", "--trace", "x.csv"],
            "--trace is for scenarios over time",
        ),
        (
            &["solve", "--scenario", "dispatch", "--scheme", "greedy", "tasks.json"],
            "a file of workloads is for scenarios",
        ),
        (&["train", "--scenario", "dispatch"], "over time"),
        (&["solve", "--scenario", "dispatch", "--scheme", "greedy", "--trace", "no/such/folder.csv"], "folder.csv"),
    ] {
        let said = workshop.trainer(arguments);
        let code = if part.contains("is for scenarios") { 2 } else { 1 };
        said.failed(code).silent().naming(&[part]);
    }
}
