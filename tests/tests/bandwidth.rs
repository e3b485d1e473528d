//! Bandwidth shared out among the uplinks: `--share-out` of `solve`, `decide` and `compare`.

use std::collections::BTreeMap;

use acceptance::{Said, Workshop};
use burn::tensor::Device;
use data::StandardSet;
use data::exchange::WorkloadRequest;
use model::{DnnNetworks, Policy, Record, Selection};
use serde_json::{Value, json};
use sim::allocation;
use sim::scheme;
use sim::units::BYTES_PER_MB;
use sim::{CostModel, Decision, Instance, Scenario, Workload};

/// Workloads of 3 × 3 tasks: one in the scenario's environment, others in their own.
const LINES: [&str; 4] = [
    r#"{"id": 7, "tasks_mb": [[12.0, 25.5, 18.0], [20.1, 11.0, 29.9], [15.0, 15.0, 15.0]]}"#,
    r#"{"id": "own", "tasks_mb": [[12, 25, 18], [20, 11, 30], [15, 15, 15]], "environment": {"uplink_mbps": [5, 0, 12], "alpha": 0.3}}"#,
    r#"{"tasks_mb": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "environment": {"capacity": 0.5, "uplink_mbps": 2.5}}"#,
    r#"{"tasks_mb": [[40, 1, 1], [9, 9, 9], [3, 30, 3]], "environment": {"alpha": 0.05}}"#,
];

fn model_of(scenario: &str) -> CostModel {
    Scenario::load(scenario).expect("a preset").check().expect("valid")
}

fn shipped(record: &str) -> String {
    format!("{}/../models/{record}", env!("CARGO_MANIFEST_DIR"))
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {value}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn answers(said: &Said) -> Vec<Value> {
    said.lines().into_iter().map(parsed).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

fn decision(answer: &Value, model: &CostModel) -> Decision {
    let place = |name: &Value| model.place_names().iter().position(|place| name == place).expect("a place") as u8;
    let rows = answer["placements"].as_array().expect("one row for each device").iter();
    let places: Vec<u8> = rows.flat_map(|row| row.as_array().expect("a row").iter().map(place)).collect();
    Decision::from_places(model.tasks(), places)
}

/// The model in a line's environment, and the line's workload.
fn read(line: &str, model: &CostModel) -> (CostModel, Workload) {
    let request = WorkloadRequest::from_json(line.as_bytes(), model).expect("a workload");
    (request.instance.model, request.instance.workload)
}

fn with_uplinks(model: &CostModel, uplinks_mbps: Vec<f64>) -> CostModel {
    let mut environment = model.environment().clone();
    environment.uplinks_mbps = uplinks_mbps;
    model.at(&environment).expect("one for each device")
}

/// The uplinks of the model, scaled to the total.
fn in_proportion(model: &CostModel, total_mbps: f64) -> Vec<f64> {
    let uplinks = &model.environment().uplinks_mbps;
    let sum = uplinks.iter().sum::<f64>();
    uplinks.iter().map(|mbps| mbps / sum * total_mbps).collect()
}

/// The command line without the options for sharing bandwidth.
fn plain<'a>(command: &[&'a str]) -> Vec<&'a str> {
    let at = command.iter().position(|part| *part == "--share-out").expect("it shares out");
    [&command[..at], &command[at + 2..]].concat()
}

#[test]
fn answers_bring_the_uplinks_that_they_cost_and_cost_no_more_than_without() {
    let workshop = Workshop::new();
    let [wan, mobile, any] = ["paper-wan", "mobile", "any-fleet"].map(shipped);
    let commands: [(&str, &[&str]); 8] = [
        ("paper-wan", &["solve", "--scheme", "exact", "--share-out", "sum"]),
        ("paper", &["solve", "--scheme", "greedy-largest-first", "--share-out", "7.5"]),
        ("shared-edges", &["solve", "--scheme", "local-search", "--share-out", "30"]),
        ("shared-edge", &["solve", "--scheme", "genetic@16", "--share-out", "300"]),
        ("paper-wan", &["decide", "--record", &wan, "--share-out", "12"]),
        ("mobile", &["decide", "--record", &mobile, "--explore", "6", "--share-out", "sum"]),
        ("shared-edge", &["decide", "--record", &any, "--budget", "16", "--share-out", "30"]),
        ("paper", &["decide", "--record", &any, "--search-free", "--share-out", "sum"]),
    ];
    for (scenario, command) in commands {
        let command = [command, &["--scenario", scenario]].concat();
        let said = workshop.trainer_reading(LINES.join("\n"), &command).succeeded();
        let answers = answers(&said);
        assert_eq!(answers.len(), LINES.len(), "{said}");
        // Nothing else is said than what `networks_that_do_not_read_uplinks_are_named` looks at.
        assert_eq!(said.stderr.lines().count(), usize::from(command.contains(&&wan[..])), "{said}");
        for (line, answer) in LINES.iter().zip(&answers) {
            let (model, workload) = read(line, &model_of(scenario));
            let own_mbps: f64 = model.environment().uplinks_mbps.iter().sum();
            let asked = command[command.iter().position(|part| *part == "--share-out").expect("it is there") + 1];
            let total_mbps = asked.parse().unwrap_or(own_mbps);
            let uplinks_mbps = numbers(&answer["uplinks_mbps"]);
            assert!(close(uplinks_mbps.iter().sum(), total_mbps), "{answer}, of {total_mbps}");
            assert!(close(number(answer, "total_mbps"), total_mbps), "{answer}");

            let decision = decision(answer, &model);
            let outcome = with_uplinks(&model, uplinks_mbps).evaluate(&workload, &decision);
            for (name, value) in [("energy_j", outcome.energy_j), ("time_s", outcome.time_s), ("cost", outcome.cost)] {
                assert!(close(number(answer, name), value), "{name} of {answer} should be {value}");
            }
            let (rounds, evaluations) = (number(answer, "rounds"), number(answer, "evaluations"));
            assert!((2.0..=20.0).contains(&rounds) && evaluations > rounds, "{answer}");

            // The same command in that environment, without sharing out.
            let mut request = parsed(line);
            let scaled = in_proportion(&model, total_mbps);
            request["environment"] = json!({ "uplink_mbps": scaled, "alpha": model.alpha(),
                "capacity": model.environment().capacities });
            let said = workshop.trainer_reading(request.to_string(), &plain(&command)).succeeded();
            let without = parsed(&said.stdout);
            assert!(close(number(answer, "cost_in_proportion"), number(&without, "cost")), "{answer}, {without}");
            assert!(number(answer, "cost") <= number(&without, "cost") * (1.0 + 1e-12), "{answer}, {without}");
            assert_eq!((answer.get("id"), without.get("uplinks_mbps")), (without.get("id"), None));
        }
    }
}

/// All splits in steps of a fortieth, priced by the cost model alone.
#[test]
fn no_split_of_a_grid_is_cheaper() {
    let workshop = Workshop::new();
    for (scenario, total_mbps) in [("paper", "9"), ("paper-wan", "40"), ("shared-edges", "20")] {
        let solve = ["solve", "--scheme", "local-search", "--scenario", scenario, "--share-out", total_mbps];
        let said = workshop.trainer_reading(LINES.join("\n"), &solve).succeeded();
        let step_mbps = total_mbps.parse::<f64>().expect("a number") / 40.0;
        for (line, answer) in LINES.iter().zip(answers(&said)) {
            let (model, workload) = read(line, &model_of(scenario));
            let (decision, cost) = (decision(&answer, &model), number(&answer, "cost"));
            for (first, second) in (0..=40).flat_map(|first| (0..=40 - first).map(move |second| (first, second))) {
                let split = [first, second, 40 - first - second].map(|steps| f64::from(steps) * step_mbps);
                let other = with_uplinks(&model, split.to_vec()).evaluate(&workload, &decision).cost;
                assert!(cost <= other * (1.0 + 1e-12), "{scenario}: {split:?} costs {other}, {answer}");
            }
        }
    }
}

/// Networks are asked in the environment of each round, whether or not they read it.
#[test]
fn records_decide_with_the_uplinks_of_each_round() {
    let workshop = Workshop::new();
    for name in ["paper", "mobile"] {
        let directory = shipped(name);
        let record = Record::load(directory.as_ref(), &Device::flex()).expect("it is shipped");
        let record = record.networks_of::<DnnNetworks>("DNNs", directory.as_ref()).expect("of DNNs");
        let own = record.scenario.check().expect("valid");
        let codec = record.codec(&own);
        let mut policy = Policy::new("record", &record.ensemble, codec, Selection::explored(4), &Device::flex());
        let decide = ["decide", "--record", &directory, "--explore", "4", "--share-out", "11"];
        let said = workshop.trainer_reading(LINES.join("\n"), &decide).succeeded();
        for (line, answer) in LINES.iter().zip(answers(&said)) {
            let (model, workload) = read(line, &own);
            let joint = allocation::alternate(&mut policy, &model, &workload, 11.0).expect("it decides");
            assert_eq!(decision(&answer, &model), joint.decision, "{name}: {answer}");
            let uplinks_mbps = numbers(&answer["uplinks_mbps"]);
            let mut pairs = uplinks_mbps.iter().zip(&joint.environment.uplinks_mbps);
            assert!(pairs.all(|(found, expected)| close(*found, *expected)), "{name}: {answer}, {joint:?}");
            assert_eq!(number(&answer, "evaluations"), joint.evaluations as f64);
        }
    }
}

/// The standard set as JSON lines, each in its environment if it has one.
#[test]
fn networks_that_do_not_read_uplinks_are_named() {
    let workshop = Workshop::new();
    let note = "do not read uplinks";
    for (record, is_blind) in [("paper", true), ("mobile", false)] {
        let decide = ["decide", "--record", &shipped(record), "--share-out", "30"].map(str::to_owned);
        let decide: Vec<&str> = decide.iter().map(String::as_str).collect();
        let said = workshop.trainer_reading(LINES[0], &decide).succeeded();
        assert_eq!(said.stderr.contains(note), is_blind, "{said}");
        let said = workshop.trainer_reading(LINES[0], &plain(&decide)).succeeded();
        assert!(!said.stderr.contains(note), "{said}");
    }
}

fn standard_lines(set: &StandardSet, own: &CostModel) -> String {
    let line = |Instance { model, workload }: &Instance| {
        let sizes_mb: Vec<f64> = workload.sizes_bytes().iter().map(|bytes| bytes / BYTES_PER_MB).collect();
        let mut line = json!({ "tasks_mb": sizes_mb.chunks(workload.tasks()).collect::<Vec<_>>() });
        if model.environment() != own.environment() {
            line["environment"] = json!({ "uplink_mbps": model.environment().uplinks_mbps });
        }
        line.to_string() + "\n"
    };
    set.instances().iter().map(line).collect()
}

#[test]
fn compare_says_what_solve_does_on_the_standard_set() {
    let workshop = Workshop::new();
    for (scenario, total) in [("mobile", "sum"), ("mobile", "30"), ("shared-edge", "sum"), ("paper-wan", "45")] {
        let compare = ["compare", "--scenario", scenario, "--share-out", total, "--format", "json"];
        let rows = parsed(&workshop.trainer(&compare).succeeded().stdout);
        let rows: BTreeMap<&str, &Value> =
            rows.as_array().expect("rows").iter().map(|row| (row["scheme"].as_str().expect("a name"), row)).collect();
        let names: Vec<&str> = rows.keys().copied().collect();
        let problem = Scenario::load(scenario).expect("a preset");
        let set = StandardSet::of(&problem, &model_of(scenario)).expect("no file");
        for scheme in scheme::classic(&model_of(scenario), 1) {
            assert!(names.contains(&scheme.name()), "{} is missing in {names:?}", scheme.name());
        }
        workshop.write("standard.jsonl", standard_lines(&set, &model_of(scenario)));
        for scheme in ["cloud-only", "greedy-largest-first", "local-search", "exact"] {
            let solve = ["solve", "--scheme", scheme, "--scenario", scenario, "--share-out", total, "standard.jsonl"];
            check_row(rows[scheme], &answers(&workshop.trainer(&solve).succeeded()));
            let expected = mean_cost(scheme, &model_of(scenario), &set, total);
            let found = number(rows[scheme], "mean_cost");
            assert!((found - expected).abs() <= 1e-9 * expected, "{scheme} on {scenario}: {found}, not {expected}");
        }
    }
}

/// The mean cost of the decisions and uplinks that the library finds.
fn mean_cost(scheme: &str, model: &CostModel, set: &StandardSet, total: &str) -> f64 {
    let mut scheme = scheme::by_name(scheme, model, 1).expect("there is one");
    let cost = |Instance { model, workload }: &Instance| {
        let total_mbps = total.parse().unwrap_or_else(|_| model.environment().uplinks_mbps.iter().sum());
        allocation::alternate(&mut *scheme, model, workload, total_mbps).expect("it decides").outcome.cost
    };
    let costs: Vec<f64> = set.instances().iter().map(cost).collect();
    costs.iter().sum::<f64>() / costs.len() as f64
}

/// Means of what `solve` answered, and the interval that the normal distribution gives.
#[track_caller]
fn check_row(row: &Value, answers: &[Value]) {
    let count = answers.len() as f64;
    let mean = |name: &str| answers.iter().map(|answer| number(answer, name)).sum::<f64>() / count;
    for (of_row, of_answer) in [
        ("mean_total_mbps", "total_mbps"),
        ("mean_cost_in_proportion", "cost_in_proportion"),
        ("mean_energy_j", "energy_j"),
        ("mean_time_s", "time_s"),
        ("mean_cost", "cost"),
        ("rounds_per_workload", "rounds"),
        ("evaluations_per_workload", "evaluations"),
    ] {
        let (found, expected) = (number(row, of_row), mean(of_answer));
        // Sizes read again differ in their last bits, and with them what the exact search need not look at.
        let tolerance = if of_answer == "evaluations" { 1e-3 } else { 1e-9 };
        assert!((found - expected).abs() <= tolerance * expected, "{of_row} should be {expected}: {row}");
    }
    let saved: Vec<f64> =
        answers.iter().map(|answer| 1.0 - number(answer, "cost") / number(answer, "cost_in_proportion")).collect();
    let gain = saved.iter().sum::<f64>() / count;
    let deviation = (saved.iter().map(|saved| (saved - gain).powi(2)).sum::<f64>() / count).sqrt();
    let half = 1.96 * deviation / count.sqrt();
    assert!((number(row, "gain") - gain).abs() <= 1e-9, "the gain should be {gain}: {row}");
    for (name, expected) in [("gain_low", gain - half), ("gain_high", gain + half)] {
        let found = number(row, name);
        assert!((found - expected).abs() <= 0.3 * half + 1e-12, "{name} should be about {expected}: {row}");
    }
}

#[test]
fn compare_shows_records_and_every_format() {
    let workshop = Workshop::new();
    let [mobile, any] = ["mobile", "any-fleet"].map(shipped);
    let compare = ["compare", "--scenario", "mobile", "--share-out", "sum", "--record", &mobile, "--record", &any];
    let table = workshop.trainer(&compare).succeeded();
    for part in ["gain %", "95 % interval", "rounds", "mr-dro-explored", "mr-dro-fleet@16", "| exact "] {
        assert!(table.stdout.contains(part), "{part}\n{table}");
    }
    let csv = workshop.trainer(&[&compare[..], &["--format", "csv"]].concat()).succeeded();
    let header = "scheme,mean_total_mbps,mean_cost_in_proportion,mean_energy_j,mean_time_s,mean_cost,gain,gain_low,";
    assert!(csv.stdout.starts_with(header), "{csv}");
    assert_eq!(csv.lines().len() + 1, table.lines().len());
}

#[test]
fn where_the_total_is_too_little_to_send_anything_all_schemes_keep_the_tasks() {
    let workshop = Workshop::new();
    let rows = ["compare", "--share-out", "1e-8", "--format", "json"];
    let rows = parsed(&workshop.trainer(&rows).succeeded().stdout);
    let cost = |scheme: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| row["scheme"] == scheme);
        number(row.unwrap_or_else(|| panic!("{scheme} in {rows}")), "mean_cost")
    };
    for scheme in ["edge-only", "cloud-only", "greedy", "exact"] {
        assert_eq!(cost(scheme), cost("local-only"), "{scheme}");
    }
}

/// Answers as they were before there was the option; to regenerate them, put what the commands print.
#[test]
fn without_the_option_answers_are_as_ever() {
    let workshop = Workshop::new();
    let wan = shipped("paper-wan");
    for (line, command, expected) in [
        (
            LINES[0],
            &["solve", "--scheme", "exact"][..],
            r#"{"id":7,"placements":[["cloud","cloud","edge"],["edge","cloud","cloud"],["cloud","cloud","edge"]],"energy_j":188.06615000000002,"time_s":110.13439999999997,"cost":149.100275,"evaluations":60}"#,
        ),
        (
            LINES[0],
            &["decide", "--record", &wan],
            r#"{"id":7,"placements":[["edge","cloud","edge"],["edge","edge","cloud"],["edge","edge","cloud"]],"energy_j":207.06615000000005,"time_s":179.74666666666667,"cost":193.40640833333336,"evaluations":8}"#,
        ),
    ] {
        let said = workshop.trainer_reading(line, command).succeeded();
        assert_eq!(said.stdout.trim_end(), expected);
    }
    let compared = workshop.trainer(&["compare", "--format", "csv"]).succeeded();
    let header = "scheme,mean_energy_j,mean_time_s,mean_cost,q2,q2_p05,evaluations_per_decision,seconds_per_decision";
    assert_eq!(compared.lines()[0], header);
}

#[test]
fn what_is_no_bandwidth_is_a_usage_error() {
    let workshop = Workshop::new();
    let record = shipped("paper");
    let commands =
        [&["solve", "--scheme", "greedy"][..], &["decide", "--record", &record], &["compare", "--scenario", "paper"]];
    for command in commands {
        for (text, part) in [
            ("0", "must lie between 1e-8 and 1e12 Mbit/s, is 0"),
            ("-3", "must lie between 1e-8 and 1e12 Mbit/s, is -3"),
            ("NaN", "must lie between 1e-8 and 1e12 Mbit/s, is NaN"),
            ("inf", "must lie between 1e-8 and 1e12 Mbit/s, is inf"),
            ("1e13", "must lie between 1e-8 and 1e12 Mbit/s, is 10000000000000"),
            ("9e-9", "must lie between 1e-8 and 1e12 Mbit/s"),
            ("fast", "is not a number"),
            ("300Mbit", "is not a number"),
            ("", "is not a number"),
        ] {
            let said = workshop.trainer_reading(LINES[0], &[command, &["--share-out", text]].concat());
            let said = said.failed(2).silent();
            said.naming(&[&format!("'{text}' for '--share-out"), part, "`--share-out 300`", "`--share-out sum`"]);
        }
        let said = workshop.trainer_reading(LINES[0], &[command, &["--share-out"]].concat());
        said.failed(2).silent().naming(&["--share-out <MBPS|sum>"]);
    }
    for command in [&["train"][..], &["evaluate", "--record", &record], &["serve", "--record", &record]] {
        workshop.trainer(&[command, &["--share-out", "3"]].concat()).failed(2).naming(&["--share-out"]);
    }
}

/// Uplinks of 1e12 Mbit/s are allowed, and thrice as much is too much to share out.
#[test]
fn a_workload_whose_bandwidth_cannot_be_shared_out_is_named_and_those_before_it_are_answered() {
    let workshop = Workshop::new();
    let too_fast = LINES[2].replace("2.5", "1e12");
    let input = format!("{}\n\n{}\n{too_fast}\n{}\n", LINES[0], LINES[1], LINES[2]);
    let said = workshop.trainer_reading(input, &["solve", "--scheme", "greedy", "--share-out", "sum"]).failed(1);
    assert_eq!(said.lines().len(), 2, "{said}");
    said.naming(&[
        "standard input, line 4: the bandwidth cannot be shared out",
        "between 1e-8 and 1e12 Mbit/s, is 3000000000000",
        "help: name a total instead of `sum`, as in `--share-out 300`",
    ]);

    // A total with which no device could send leaves the tasks where they are.
    workshop.write("one.csv", "workload,device,task,mb\n".to_owned() + &csv_rows("a") + &csv_rows("b"));
    let solve = ["solve", "--scheme", "edge-only", "--share-out", "2e-8", "one.csv"];
    for answer in workshop.trainer(&solve).succeeded().lines() {
        assert_eq!(parsed(answer)["placements"], json!(vec![["local"; 3]; 3]), "{answer}");
    }
}

fn csv_rows(workload: &str) -> String {
    let rows = (0..9).map(|task| format!("{workload},{},{},{}\n", task / 3, task % 3, 10 + task));
    rows.collect::<Vec<_>>().concat()
}

#[test]
fn wrong_workloads_are_refused_as_without_sharing_out() {
    let workshop = Workshop::new();
    let solve = ["solve", "--scheme", "greedy", "--share-out", "30"];
    for wrong in
        [r#"{"tasks_mb": [[1, 2, 3]]}"#, r#"{"tasks_mb": 5}"#, &LINES[1].replace("0, 12]", "0, -12]"), "nonsense"]
    {
        let input = format!("{}\n{wrong}\n{}\n", LINES[0], LINES[0]);
        let said = workshop.trainer_reading(input.clone(), &solve).failed(1).naming(&["standard input, line 2: "]);
        assert_eq!(said.lines().len(), 1, "{said}");
        assert_eq!(said.stderr, workshop.trainer_reading(input, &plain(&solve)).failed(1).stderr);
    }
    workshop.trainer_reading("", &solve).failed(1).silent().naming(&["standard input holds no workload", "help:"]);
    let csv = "workload,device,task,mb\n".to_owned() + &csv_rows("a") + &csv_rows("b");
    assert_eq!(workshop.trainer_reading(csv, &solve).succeeded().lines().len(), 2);
}

/// Where no device has a network, or one device has all of it, there is nothing to share out, and nothing wrong.
#[test]
fn a_sum_of_nothing_is_no_mistake_and_the_decision_as_ever() {
    let workshop = Workshop::new();
    for (uplinks, scheme) in [([0.0; 3], "local-search"), ([1e-8, 0.0, 0.0], "edge-only")] {
        let line = LINES[1].replace("[5, 0, 12]", &format!("{uplinks:?}"));
        let solve = ["solve", "--scheme", scheme, "--share-out", "sum"];
        let shared = parsed(&workshop.trainer_reading(line.clone(), &solve).succeeded().stdout);
        let without = parsed(&workshop.trainer_reading(line, &plain(&solve)).succeeded().stdout);
        for name in ["placements", "cost"] {
            assert_eq!(shared[name], without[name], "{shared}");
        }
        assert_eq!(numbers(&shared["uplinks_mbps"]), uplinks);
        assert_eq!(number(&shared, "total_mbps"), uplinks[0]);
        if uplinks[0] == 0.0 {
            assert_eq!(shared["evaluations"], without["evaluations"], "{shared}");
            assert_eq!(number(&shared, "rounds"), 1.0);
        }
        assert_eq!(shared["cost_in_proportion"], shared["cost"]);
    }
}
