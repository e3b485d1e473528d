//! Workloads that leave out tasks, or say what their tasks ask for beyond their sizes: as JSON, as a table, and in answers.

use data::exchange::{Answer, ExchangeError, WorkloadReader, WorkloadRequest};
use serde_json::{Value, json};
use sim::scenario::DeadlineRule;
use sim::scheme::{LocalSearch, Scheme};
use sim::{CostModel, Decision, Scenario};

/// The scenario `paper` after some changes of its text.
fn paper(changes: &[(&str, &str)]) -> CostModel {
    let mut text = Scenario::preset_text("paper").expect("a preset").to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    Scenario::from_toml("changed", &text).expect("valid").check().expect("valid")
}

const PER_DEVICE: &str = "per_device = 3";

/// Devices with three tasks, none and two.
fn uneven() -> CostModel {
    paper(&[(PER_DEVICE, "per_device = [3, 0, 2]")])
}

fn with_deadlines(keys: &str) -> CostModel {
    paper(&[(PER_DEVICE, &format!("per_device = 3\n{keys}"))])
}

fn read_json(request: &Value, model: &CostModel) -> Result<WorkloadRequest, (String, String)> {
    let read = WorkloadRequest::from_json(request.to_string().as_bytes(), model);
    read.map_err(|error| (error.field, error.reason))
}

fn sizes_mb(request: &WorkloadRequest) -> Vec<f64> {
    request.instance.workload.sizes_bytes().iter().map(|bytes| bytes / 1e6).collect()
}

fn deadlines_s(model: &CostModel) -> Vec<f64> {
    (0..model.task_count()).map(|task| model.deadline_s(task)).collect()
}

fn instructions(model: &CostModel) -> Vec<f64> {
    (0..model.task_count()).map(|task| model.instructions_per_byte(task)).collect()
}

/// The workloads of a table, or the error of each that is refused.
fn read_table(text: &str, model: &CostModel) -> Vec<Result<WorkloadRequest, String>> {
    let mut reader = WorkloadReader::new("the table", text.as_bytes(), model).expect("memory can be read");
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(None) => return all,
            Ok(Some(request)) => all.push(Ok(request)),
            Err(ExchangeError::Workload { place, refusal, .. }) => all.push(Err(format!("{place}: {}", refusal.error))),
            Err(error) => panic!("{error}"),
        }
    }
}

const INFINITE: f64 = f64::INFINITY;
const SIZES: [[u32; 3]; 3] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];

#[test]
fn rows_may_end_early_and_entries_may_be_null() {
    let model = paper(&[]);
    for tasks_mb in [json!([[1, null, 3], [], [7]]), json!([[1, null, 3], null, [7]])] {
        let request = read_json(&json!({ "tasks_mb": tasks_mb }), &model).expect("valid");
        assert_eq!(sizes_mb(&request), [1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0]);
        assert!(request.instance.model.is_clone_of(&model), "workloads without demands are decided together");
    }
    for (tasks_mb, field, reason) in [
        (json!([[], [null], []]), "tasks_mb", "tasks_mb has no task: at least one must have a size"),
        (json!([null, [null], null]), "tasks_mb", "tasks_mb has no task: at least one must have a size"),
        (json!([[1], []]), "tasks_mb", "tasks_mb has 2 rows, the scenario has 3 devices"),
        (json!([[1]]), "tasks_mb", "tasks_mb has 1 row, the scenario has 3 devices"),
        (json!([[1], [1, 2, 3, null], []]), "tasks_mb[1]", "device 1 has 4 tasks, the scenario gives 3 to each device"),
        (
            json!([[1], [], [null, 0]]),
            "tasks_mb[2][1]",
            "task 1 of device 2 is 0 MB: every task must have a size above 0 MB and at most 1e12 MB",
        ),
    ] {
        let refused = read_json(&json!({ "tasks_mb": tasks_mb }), &model).expect_err("wrong");
        assert_eq!(refused, (field.to_owned(), reason.to_owned()));
    }
}

#[test]
fn devices_have_as_many_tasks_as_the_scenario_says() {
    let model = uneven();
    for tasks_mb in [json!([[1, 2, 3], [], [7, 8]]), json!([[1, 2, 3], [null, null], [7, 8, null]])] {
        let request = read_json(&json!({ "tasks_mb": tasks_mb }), &model).expect("valid");
        assert_eq!(sizes_mb(&request), [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 7.0, 8.0, 0.0]);
    }
    for (tasks_mb, field, reason) in [
        (json!([[1], [5], []]), "tasks_mb[1]", "device 1 has 1 task, the scenario gives it none"),
        (json!([[1], [], [7, 8, 9]]), "tasks_mb[2]", "device 2 has 3 tasks, the scenario gives it 2"),
    ] {
        let refused = read_json(&json!({ "tasks_mb": tasks_mb }), &model).expect_err("wrong");
        assert_eq!(refused, (field.to_owned(), reason.to_owned()));
    }
}

#[test]
fn deadlines_and_instructions_are_for_all_for_devices_or_for_tasks() {
    let model = paper(&[]);
    let usual = instructions(&model);
    let read = |key: &str, value: Value| {
        let mut request = json!({ "tasks_mb": SIZES });
        request[key] = value;
        read_json(&request, &model).expect("valid").instance.model
    };
    for (value, expected) in [
        (json!(20), [20.0; 9]),
        (json!([20, null, 0.5]), [20.0, 20.0, 20.0, INFINITE, INFINITE, INFINITE, 0.5, 0.5, 0.5]),
        (
            json!([[20, null], [], [null, 0.5, 9]]),
            [20.0, INFINITE, INFINITE, INFINITE, INFINITE, INFINITE, INFINITE, 0.5, 9.0],
        ),
        (json!([[1, 2, 3], 4, null]), [1.0, 2.0, 3.0, 4.0, 4.0, 4.0, INFINITE, INFINITE, INFINITE]),
    ] {
        assert_eq!(deadlines_s(&read("deadline_s", value.clone())), expected, "{value}");
        let expected =
            expected.iter().zip(&usual).map(|(value, usual)| if *value == INFINITE { *usual } else { *value });
        assert_eq!(
            instructions(&read("instructions_per_byte", value.clone())),
            expected.collect::<Vec<_>>(),
            "{value}"
        );
    }
    for (key, value) in [
        ("deadline_s", json!(null)),
        ("deadline_s", json!([null, [], [null]])),
        ("deadline_rule", json!("report")),
        ("instructions_per_byte", json!(usual[0])),
    ] {
        assert!(read(key, value.clone()).is_clone_of(&model), "{key} {value} says what the scenario says");
    }
}

#[test]
fn deadlines_of_a_workload_replace_those_of_the_scenario() {
    let model = with_deadlines("deadline_s = 60\ndeadline_rule = \"penalty\"\ndeadline_penalty = 5");
    let read = |more: Value| {
        let mut request = json!({ "tasks_mb": SIZES });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        read_json(&request, &model).expect("valid").instance.model
    };
    assert!(read(json!({})).is_clone_of(&model));
    assert_eq!(deadlines_s(&read(json!({ "deadline_s": [[1], 2, null] })))[..4], [1.0, INFINITE, INFINITE, 2.0]);
    assert!(!read(json!({ "deadline_s": [null, null, null] })).has_deadlines());
    for (rule, expected) in [
        (json!({ "deadline_rule": "hard" }), DeadlineRule::Hard),
        (json!({ "deadline_rule": "report" }), DeadlineRule::Report),
        (json!({ "deadline_rule": "penalty" }), DeadlineRule::Penalty(5.0)),
        (json!({ "deadline_penalty": 7 }), DeadlineRule::Penalty(7.0)),
        (json!({ "deadline_s": 9, "deadline_rule": "penalty", "deadline_penalty": 0 }), DeadlineRule::Penalty(0.0)),
    ] {
        assert_eq!(read(rule.clone()).deadline_rule(), expected, "{rule}");
    }
    assert_eq!(deadlines_s(&read(json!({ "deadline_s": null }))), [60.0; 9], "null as a whole: what the scenario says");
    let none = read(json!({ "deadline_s": [null, null, null], "deadline_rule": "hard" }));
    assert!(!none.has_deadlines(), "a rule may stand beside no deadlines");
    let hard = with_deadlines("deadline_s = 60\ndeadline_rule = \"hard\"");
    let softened = read_json(&json!({ "tasks_mb": SIZES, "deadline_penalty": 7 }), &hard).expect("valid");
    assert_eq!(softened.instance.model.deadline_rule(), DeadlineRule::Penalty(7.0));
    // In an environment of its own, too.
    let there = read(json!({ "environment": { "alpha": 0.9 }, "deadline_s": 7, "deadline_rule": "hard" }));
    assert_eq!((there.alpha(), there.deadline_s(8), there.deadline_rule()), (0.9, 7.0, DeadlineRule::Hard));
}

#[test]
fn a_mistake_in_what_tasks_ask_for_is_named_by_its_place() {
    let model = paper(&[]);
    let deadlines = "a deadline must lie between 1e-12 and 1e12 s";
    let range = "instructions per byte must lie between 1e-12 and 1e12";
    for (more, field, reason) in [
        (json!({ "deadline_s": 0 }), "deadline_s", format!("deadline_s is 0: {deadlines}")),
        (json!({ "deadline_s": 1e-13 }), "deadline_s", format!("deadline_s is 0.0000000000001: {deadlines}")),
        (json!({ "deadline_s": [1, -2, 3] }), "deadline_s[1]", format!("deadline_s[1] is -2: {deadlines}")),
        (
            json!({ "deadline_s": [1, [1, 2, -3], null] }),
            "deadline_s[1][2]",
            format!("deadline_s[1][2] is -3: {deadlines}"),
        ),
        (
            json!({ "deadline_s": [1, 2] }),
            "deadline_s",
            "deadline_s has 2 entries, the scenario has 3 devices".to_owned(),
        ),
        (
            json!({ "deadline_s": [[1, 2, 3, 4], [], []] }),
            "deadline_s[0]",
            "deadline_s[0] has 4 entries, a device of the scenario has at most 3 tasks".to_owned(),
        ),
        (
            json!({ "deadline_s": [[1, [2]], [], []] }),
            "deadline_s[0][1]",
            "deadline_s[0][1] is an array: it must be a number or null".to_owned(),
        ),
        (
            json!({ "instructions_per_byte": [[], [0], []] }),
            "instructions_per_byte[1][0]",
            format!("instructions_per_byte[1][0] is 0: {range}"),
        ),
        (
            json!({ "deadline_s": 9, "deadline_rule": "soft" }),
            "deadline_rule",
            "deadline_rule must be \"report\", \"penalty\" or \"hard\", is \"soft\"".to_owned(),
        ),
        (
            json!({ "deadline_s": 9, "deadline_rule": "penalty" }),
            "deadline_rule",
            "deadline_rule \"penalty\" needs deadline_penalty, what each missed deadline costs".to_owned(),
        ),
        (
            json!({ "deadline_penalty": 3 }),
            "deadline_penalty",
            "deadline_penalty needs deadline_s, the time in seconds within which tasks are to be done".to_owned(),
        ),
        (
            json!({ "deadline_s": null, "deadline_rule": "hard" }),
            "deadline_rule",
            "deadline_rule needs deadline_s, the time in seconds within which tasks are to be done".to_owned(),
        ),
        (
            json!({ "deadline_s": 9, "deadline_rule": "report", "deadline_penalty": 3 }),
            "deadline_penalty",
            "deadline_penalty needs deadline_rule \"penalty\"".to_owned(),
        ),
        (
            json!({ "deadline_s": 9, "deadline_rule": "hard", "deadline_penalty": 3 }),
            "deadline_penalty",
            "deadline_penalty needs deadline_rule \"penalty\"".to_owned(),
        ),
        (
            json!({ "deadline_s": 9, "deadline_rule": "penalty", "deadline_penalty": -1 }),
            "deadline_penalty",
            "deadline_penalty is -1: the penalty for a missed deadline must lie between 0 and 1e12".to_owned(),
        ),
        (
            json!({ "deadline_rule": "hard" }),
            "deadline_rule",
            "deadline_rule needs deadline_s, the time in seconds within which tasks are to be done".to_owned(),
        ),
    ] {
        let mut request = json!({ "tasks_mb": SIZES });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(read_json(&request, &model).expect_err("wrong"), (field.to_owned(), reason), "{more}");
    }
    for (text, reason) in [
        (r#"{"tasks_mb": [[1], [], []], "deadline_s": ["1"]}"#, "expected a number, null or an array of them"),
        (r#"{"tasks_mb": [[1], [], []], "deadline": 3}"#, "unknown field `deadline`, expected one of"),
        (r#"{"tasks_mb": [[1], [], []], "deadline_s": 1e999}"#, "number out of range"),
    ] {
        let error = WorkloadRequest::from_json(text.as_bytes(), &model).expect_err("wrong");
        assert!(error.reason.contains(reason), "{error}");
    }
}

#[test]
fn an_empty_cell_of_a_table_is_no_task_and_no_deadline() {
    let model = paper(&[]);
    let text = "workload,device,task,mb,deadline_s,instructions_per_byte\n\
                a,0,0,1,20,\na,0,1,2,,330\na,0,2,,5,\na,1,0,4,7.5,500\na,1,1,5,,\na,1,2,,,\na,2,0,7,,\na,2,1,8,,\na,2,2,9,1,\n";
    for text in [text.to_owned(), text.replace(',', ";").replace('.', ",")] {
        let read = read_table(&text, &model);
        let [Ok(request)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(sizes_mb(request), [1.0, 2.0, 0.0, 4.0, 5.0, 0.0, 7.0, 8.0, 9.0]);
        let usual = model.instructions_per_byte(0);
        let model = &request.instance.model;
        let expected = [20.0, INFINITE, INFINITE, 7.5, INFINITE, INFINITE, INFINITE, INFINITE, 1.0];
        let present = |task: &usize| request.instance.workload.sizes_bytes()[*task] > 0.0;
        for task in (0..9).filter(present) {
            assert_eq!(model.deadline_s(task), expected[task], "task {task}");
        }
        assert_eq!(instructions(model)[..4], [usual, 330.0, usual, 500.0]);
        assert_eq!(model.tasks_with_deadline(request.instance.workload.sizes_bytes()), 3);
    }
    let plain: String = text.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",") + "\n").collect();
    let read = read_table(&plain, &model);
    assert!(matches!(&read[..], [Ok(request)] if request.instance.model.is_clone_of(&model)), "{read:?}");
    let empty = text.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",") + ",,\n");
    let empty = empty.collect::<String>().replacen(",,", ",deadline_s,instructions_per_byte", 1);
    let read = read_table(&empty, &model);
    assert!(matches!(&read[..], [Ok(request)] if request.instance.model.is_clone_of(&model)), "{read:?}");
}

#[test]
fn rows_of_tasks_that_a_device_does_not_have_may_be_left_out() {
    let model = uneven();
    let short = "workload,device,task,mb\na,0,0,1\na,0,1,2\na,0,2,3\na,2,0,7\na,2,1,8\nb,2,1,8\nb,2,0,7\nb,0,0,1\nb,0,1,2\nb,0,2,3\n";
    let full = "workload,device,task,mb\na,0,0,1\na,0,1,2\na,0,2,3\na,1,0,\na,1,1,\na,1,2,\na,2,0,7\na,2,1,8\na,2,2,\n";
    for (text, count) in [(short, 2), (full, 1)] {
        let read = read_table(text, &model);
        assert_eq!(read.len(), count, "{read:?}");
        for request in read {
            assert_eq!(sizes_mb(&request.expect("valid")), [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 7.0, 8.0, 0.0]);
        }
    }
    for (row, reason) in [
        ("a,1,0,4", "line 2: device 1, task 0 is not there: the scenario gives no task to this device"),
        ("a,2,2,4", "line 2: device 2, task 2 is not there: the scenario gives 2 tasks to this device"),
        ("a,0,0,4", "line 2: workload a ends without device 0, task 1"),
        ("a,1,3,", "line 2: device 1, task 3 is not there: the scenario has devices 0 to 2 with tasks 0 to 2"),
    ] {
        let read = read_table(&format!("workload,device,task,mb\n{row}\n"), &model);
        assert_eq!(read[0].as_ref().expect_err("wrong"), reason);
    }
}

#[test]
fn a_mistake_in_a_table_is_named_by_its_column() {
    let model = paper(&[]);
    let header = "workload,device,task,mb,deadline_s,instructions_per_byte";
    for (row, reason) in [
        ("a,0,0,1,-5,", "deadline_s of task 0 of device 0 is -5: a deadline must lie between 1e-12 and 1e12 s"),
        ("a,0,1,1,inf,", "deadline_s of task 1 of device 0 is inf: a deadline must lie between 1e-12 and 1e12 s"),
        ("a,0,1,1,soon,", "deadline_s must be a number, is `soon`"),
        (
            "a,2,1,1,,0",
            "instructions_per_byte of task 1 of device 2 is 0: instructions per byte must lie between 1e-12 and 1e12",
        ),
        ("a,0,0,NaN,1,", "task 0 of device 0 is NaN MB: every task must have a size above 0 MB and at most 1e12 MB"),
        ("a,0,0", "the row has 3 fields, the header names 6 columns"),
    ] {
        let read = read_table(&format!("{header}\n{row}\n"), &model);
        assert_eq!(read[0].as_ref().expect_err("wrong"), &format!("line 2: {reason}"));
    }
    let rows = (0..9).map(|task| format!("w,{},{},\n", task / 3, task % 3)).collect::<Vec<_>>().concat();
    let read = read_table(&format!("workload,device,task,mb\n{rows}"), &model);
    assert_eq!(
        read[0].as_ref().expect_err("nothing to decide"),
        "line 10: workload w has no task: at least one must have a size"
    );
    let read = read_table("workload,device,task,mb,deadline_s,Deadline-S\n", &model);
    assert_eq!(read[0].as_ref().expect_err("wrong"), "line 1: the header names the column `deadline_s` twice");
}

/// Decides a request and checks the answer against the model.
fn answered(request: WorkloadRequest) -> Value {
    let WorkloadRequest { id, instance } = request;
    let solution = LocalSearch::new().decide(&instance.model, &instance.workload).expect("decided");
    let answer = Answer::new(id, &instance, &solution);
    let json: Value = serde_json::from_str(&serde_json::to_string(&answer).expect("JSON")).expect("JSON");
    let names = instance.model.place_names();
    let rows = json["placements"].as_array().expect("rows").iter();
    let entries = rows.flat_map(|row| row.as_array().expect("a row").clone());
    let place =
        |entry: Value| entry.as_str().map_or(0, |name| names.iter().position(|each| each == name).expect("a place"));
    let places: Vec<u8> = entries.map(|entry| place(entry) as u8).collect();
    let outcome = instance.evaluate(&Decision::from_places(instance.model.tasks(), places));
    for (key, value) in [("cost", outcome.cost), ("energy_j", outcome.energy_j), ("time_s", outcome.time_s)] {
        let found = json[key].as_f64().expect("a number");
        assert!((found / value - 1.0).abs() < 1e-14, "{key} of {json} should be {value}");
    }
    if instance.model.has_deadlines() {
        assert_eq!(json["missed_deadlines"], json!(outcome.missed_deadlines));
    }
    json
}

#[test]
fn answers_leave_out_absent_tasks_and_count_missed_deadlines() {
    let model = paper(&[]);
    let plain = answered(read_json(&json!({ "tasks_mb": SIZES }), &model).expect("valid"));
    assert!(plain.get("missed_deadlines").is_none() && plain.get("tasks_with_deadline").is_none(), "{plain}");
    let request = json!({ "tasks_mb": [[20, null, 30], [], [25]], "deadline_s": [[1e-3, 5], 7, null] });
    let answer = answered(read_json(&request, &model).expect("valid"));
    let shape: Vec<Vec<bool>> = answer["placements"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row.as_array().expect("a row").iter().map(Value::is_string).collect())
        .collect();
    assert_eq!(shape, [[true, false, true], [false; 3], [true, false, false]]);
    // Of the three tasks with bytes one has a deadline, which no place keeps.
    assert_eq!((&answer["missed_deadlines"], &answer["tasks_with_deadline"]), (&json!(1), &json!(1)), "{answer}");
    assert!(
        answered(read_json(&json!({ "tasks_mb": [[2], [], [3, 4]] }), &uneven()).expect("valid"))
            .get("missed_deadlines")
            .is_none()
    );
}

#[test]
fn penalties_are_a_part_of_the_cost_and_hard_deadlines_are_kept_first() {
    let model = with_deadlines("deadline_s = 60");
    let all_mb = [[20; 3]; 3];
    let reported = answered(read_json(&json!({ "tasks_mb": all_mb }), &model).expect("valid"));
    assert_eq!(reported["tasks_with_deadline"], 9);
    let hard = json!({ "tasks_mb": all_mb, "deadline_rule": "hard", "instructions_per_byte": [1000, 330, [500]] });
    let hard = answered(read_json(&hard, &model).expect("valid"));
    assert!(hard["missed_deadlines"].as_u64() <= reported["missed_deadlines"].as_u64(), "{hard} {reported}");
    // Nothing is done within a millisecond.
    let late = |penalty: f64| {
        let request = json!({
            "tasks_mb": all_mb, "deadline_s": 1e-3, "deadline_rule": "penalty", "deadline_penalty": penalty
        });
        answered(read_json(&request, &model).expect("valid"))
    };
    let (free, dear) = (late(0.0), late(100.0));
    assert_eq!((&free["missed_deadlines"], &dear["missed_deadlines"]), (&json!(9), &json!(9)));
    let [free, dear] = [free, dear].map(|answer| answer["cost"].as_f64().expect("a number"));
    assert!((dear - free - 900.0).abs() < 1e-6 * free, "{free} {dear}");
}
