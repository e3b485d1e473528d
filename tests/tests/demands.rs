//! Workloads with absent tasks, deadlines and instructions of their own, through `solve`.

use acceptance::Workshop;
use serde_json::{Value, json};

const SOLVE: [&str; 3] = ["solve", "--scheme", "local-search"];

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

fn workloads() -> [Value; 3] {
    [
        json!({ "id": "plain", "tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]] }),
        json!({ "id": "absent", "tasks_mb": [[12, null, 18], [], [11]] }),
        json!({
            "id": "demanding", "tasks_mb": [[12, 25.5, 18], [null, 20], [11, 12, 13]],
            "deadline_s": [[60, null, 0.001], 9, null], "instructions_per_byte": [1000, null, [330, 500]]
        }),
    ]
}

/// The third workload and the second, as a table.
const TABLE: &str = "workload,device,task,mb,deadline_s,instructions_per_byte
absent,0,0,12,,
absent,0,1,,,
absent,0,2,18,,
absent,1,0,,,
absent,1,1,,,
absent,1,2,,,
absent,2,0,11,,
absent,2,1,,,
absent,2,2,,,
demanding,0,0,12,60,1000
demanding,0,1,25.5,,1000
demanding,0,2,18,0.001,1000
demanding,1,0,,,
demanding,1,1,20,9,
demanding,1,2,,,
demanding,2,0,11,,330
demanding,2,1,12,,500
demanding,2,2,13,,
";

#[test]
fn lines_lists_pretty_objects_and_tables_get_the_same_answers() {
    let workshop = Workshop::new();
    let solved = |text: String| answers(&workshop.trainer_reading(text, &SOLVE).succeeded().stdout);
    let lines = workloads().map(|workload| workload.to_string() + "\n").concat();
    let wanted = solved(lines.clone());
    assert_eq!(wanted.len(), 3);
    assert_eq!(solved(json!(workloads()).to_string()), wanted);
    assert_eq!(solved(workloads().map(|workload| format!("{workload:#}\n")).concat()), wanted);
    let table = solved(TABLE.to_owned());
    // A table names workloads with texts, as these lines do.
    assert_eq!(table, wanted[1..]);
    assert_eq!(solved(TABLE.replace(',', ";").replace('.', ",")), wanted[1..]);

    let nulls = |answer: &Value| {
        let rows = answer["placements"].as_array().expect("rows").iter();
        rows.map(|row| row.as_array().expect("a row").iter().map(Value::is_null).collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(nulls(&wanted[1]), [vec![false, true, false], vec![true; 3], vec![false, true, true]]);
    for answer in &wanted[..2] {
        assert!(answer.get("missed_deadlines").is_none() && answer.get("tasks_with_deadline").is_none(), "{answer}");
    }
    assert_eq!(wanted[2]["tasks_with_deadline"], 3, "{}", wanted[2]);
    assert!(wanted[2]["missed_deadlines"].as_u64().is_some_and(|missed| (1..=3).contains(&missed)), "{}", wanted[2]);
    // A workload without demands is answered as if the others had none either.
    let plain = solved(workloads()[0].to_string());
    assert_eq!(plain[0], wanted[0]);
}

#[test]
fn hard_deadlines_miss_fewer_and_reported_ones_cost_less() {
    let workshop = Workshop::new();
    let solved = |rule: Value| {
        let mut workload =
            json!({ "tasks_mb": [[20, 20, 20], [20, 20, 20], [20, 20, 20]], "deadline_s": [30, 40, 25] });
        workload.as_object_mut().expect("an object").extend(rule.as_object().expect("an object").clone());
        let said = workshop
            .trainer_reading(workload.to_string(), &["solve", "--scheme", "local-search", "--scenario", "paper-wan"]);
        let answer = answers(&said.succeeded().stdout).remove(0);
        (answer["missed_deadlines"].as_u64().expect("a count"), answer["cost"].as_f64().expect("a number"))
    };
    let (reported, hard) = (solved(json!({})), solved(json!({ "deadline_rule": "hard" })));
    assert!(hard.0 <= reported.0 && hard.1 >= reported.1 * (1.0 - 1e-9), "{reported:?} {hard:?}");
    let penalty = solved(json!({ "deadline_rule": "penalty", "deadline_penalty": 1000 }));
    assert!(penalty.1 >= reported.1 + 1000.0 * penalty.0 as f64 - 1e-9, "{reported:?} {penalty:?}");
}

#[test]
fn a_bandwidth_is_shared_out_for_workloads_with_demands() {
    let workshop = Workshop::new();
    let lines = workloads().map(|workload| workload.to_string() + "\n").concat();
    let arguments = ["solve", "--scheme", "greedy", "--scenario", "mobile", "--share-out", "30"];
    let answers = answers(&workshop.trainer_reading(lines, &arguments).succeeded().stdout);
    assert_eq!(answers[1]["placements"][1], json!([null, null, null]), "{}", answers[1]);
    assert!(answers[1].get("missed_deadlines").is_none(), "{}", answers[1]);
    assert_eq!(answers[2]["tasks_with_deadline"], 3, "{}", answers[2]);
    assert!(answers[2]["uplinks_mbps"].is_array(), "{}", answers[2]);
}

#[test]
fn a_table_that_leaves_out_tasks_of_the_scenario_is_refused() {
    let workshop = Workshop::new();
    let text = TABLE.replacen("demanding,1,0,,,\n", "", 1);
    let said = workshop.trainer_reading(text, &SOLVE).failed(1);
    said.naming(&["line 18: workload demanding ends without device 1, task 0", "help:"]);
    let scenario = sim::Scenario::preset_text("paper").expect("a preset");
    workshop.write("uneven.toml", scenario.replacen("per_device = 3", "per_device = [3, 0, 2]", 1));
    let rows = "workload,device,task,mb\na,0,0,12\na,0,1,3\na,0,2,4\na,2,0,5\na,2,1,6\n";
    let solve = ["solve", "--scheme", "greedy", "--scenario", "uneven.toml"];
    let table = answers(&workshop.trainer_reading(rows, &solve).succeeded().stdout);
    let json = r#"{"id": "a", "tasks_mb": [[12, 3, 4], [], [5, 6]]}"#;
    assert_eq!(table, answers(&workshop.trainer_reading(json, &solve).succeeded().stdout));
    workshop
        .trainer_reading(rows.to_owned() + "b,1,0,4\n", &solve)
        .failed(1)
        .naming(&["device 1, task 0 is not there"]);
}
