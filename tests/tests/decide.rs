//! Workloads in, decisions out: `decide` with a record and `solve` with a classic scheme.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use acceptance::{Workshop, shared_run};
use serde_json::{Value, json};
use sim::{CostModel, Decision, Scenario, Workload};

/// Sizes in MB of nine tasks, different in every workload.
fn sizes(workload: usize) -> Vec<f64> {
    (0..9).map(|task| 10.0 + ((workload * 31 + task * 17) % 200) as f64 / 10.0).collect()
}

fn json_lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut lines, workload| {
        let rows: Vec<_> = sizes(workload).chunks(3).map(<[f64]>::to_vec).collect();
        let _ = writeln!(lines, "{}", json!({ "id": format!("w{workload}"), "tasks_mb": rows }));
        lines
    })
}

fn csv(count: usize) -> String {
    let mut lines = String::from("workload,device,task,mb\n");
    for workload in 0..count {
        for (index, mb) in sizes(workload).iter().enumerate() {
            let _ = writeln!(lines, "w{workload},{},{},{mb}", index / 3, index % 3);
        }
    }
    lines
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

fn decision(answer: &Value, model: &CostModel) -> Decision {
    let rows = answer["placements"].as_array().expect("one row for each device");
    let place = |name: &Value| {
        let position = model.place_names().iter().position(|place| name == place);
        position.unwrap_or_else(|| panic!("{name} is no place")) as u8
    };
    let places: Vec<u8> = rows.iter().flat_map(|row| row.as_array().expect("a row").iter().map(place)).collect();
    Decision::from_places(model.tasks(), places)
}

#[test]
fn answers_come_in_order_with_the_ids_they_were_asked_with() {
    let run = shared_run();
    let ids = [json!("one"), json!(2), json!(-3.5), Value::Null, json!({ "run": [1, 2] })];
    let mut input = String::new();
    for (workload, id) in ids.iter().enumerate() {
        let mut request = json!({ "tasks_mb": sizes(workload).chunks(3).collect::<Vec<_>>() });
        if !id.is_null() {
            request["id"] = id.clone();
        }
        // Blank lines between requests are nobody's mistake.
        let _ = write!(input, "{request}\n\n");
    }
    for command in [&["decide", "--record", "run/record"][..], &["solve", "--scheme", "greedy"]] {
        let said = run.trainer_reading(input.clone(), command).succeeded();
        let answers = answers(&said.stdout);
        assert_eq!(answers.len(), ids.len(), "{said}");
        for (answer, id) in answers.iter().zip(&ids) {
            assert_eq!(answer.get("id"), Some(id).filter(|id| !id.is_null()), "{said}");
        }
        assert_eq!(said.stderr, "");
    }
}

#[test]
fn answers_are_priced_as_the_cost_model_prices_them() {
    let run = shared_run();
    let model = Scenario::load("paper").expect("a preset").check().expect("valid");
    run.write("many.jsonl", json_lines(50));
    for command in [&["decide", "--record", "run/record"][..], &["solve", "--scheme", "local-search"]] {
        let said = run.trainer(&[command, &["many.jsonl"]].concat()).succeeded();
        for (workload, answer) in answers(&said.stdout).iter().enumerate() {
            let workload = Workload::from_mb(3, &sizes(workload));
            let outcome = model.evaluate(&workload, &decision(answer, &model));
            for (name, value) in [("energy_j", outcome.energy_j), ("time_s", outcome.time_s), ("cost", outcome.cost)] {
                let found = answer[name].as_f64().expect("a number");
                assert!((found / value - 1.0).abs() < 1e-14, "{name} of {answer} should be {value}");
            }
            assert!(answer["evaluations"].as_u64().is_some(), "{answer}");
        }
    }
}

#[test]
fn csv_and_json_lines_get_the_same_placements() {
    let run = shared_run();
    run.write("same.jsonl", json_lines(20));
    run.write("same.csv", csv(20));
    let decide = |file: &str| run.trainer(&["decide", "--record", "run/record", file]).succeeded().stdout;
    assert_eq!(decide("same.jsonl"), decide("same.csv"));
}

#[test]
fn standard_input_is_read_like_a_file() {
    let run = shared_run();
    run.write("read.jsonl", json_lines(5));
    let file = run.trainer(&["decide", "--record", "run/record", "read.jsonl"]).succeeded();
    let decide = ["decide", "--record", "run/record", "-"];
    assert_eq!(run.trainer_reading(json_lines(5), &decide).succeeded().stdout, file.stdout);
    assert_eq!(run.trainer_reading(json_lines(5), &decide[..3]).succeeded().stdout, file.stdout);
    assert_eq!(run.trainer_reading(csv(5), &decide).succeeded().stdout, file.stdout);
}

#[test]
fn line_ends_of_any_kind_are_understood() {
    let run = shared_run();
    let decide = ["decide", "--record", "run/record"];
    let plain = run.trainer_reading(json_lines(3), &decide).succeeded().stdout;
    assert_eq!(plain.lines().count(), 3);
    let carriage_returns = json_lines(3).replace('\n', "\r\n");
    assert_eq!(run.trainer_reading(carriage_returns, &decide).succeeded().stdout, plain);
    assert_eq!(run.trainer_reading(json_lines(3).trim_end(), &decide).succeeded().stdout, plain);
    assert_eq!(run.trainer_reading(csv(3).replace('\n', "\r\n"), &decide).succeeded().stdout, plain);
}

#[test]
fn more_workloads_than_fit_into_one_batch_keep_their_order() {
    let run = shared_run();
    let said = run.trainer_reading(json_lines(10_000), &["decide", "--record", "run/record"]).succeeded();
    let answers = answers(&said.stdout);
    assert_eq!(answers.len(), 10_000);
    for (workload, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], format!("w{workload}"));
        assert_eq!(answer["placements"], answers[workload % 200]["placements"], "equal workloads, other decisions");
    }
}

#[test]
fn a_record_decides_the_same_again_and_exploring_is_never_worse() {
    let run = shared_run();
    let decide = |more: &[&str]| {
        let arguments = [&["decide", "--record", "run/record"], more].concat();
        run.trainer_reading(json_lines(100), &arguments).succeeded().stdout
    };
    let plain = decide(&[]);
    assert_eq!(plain, decide(&[]));
    for (plain, explored) in answers(&plain).iter().zip(answers(&decide(&["--explore", "6"]))) {
        let [plain, explored] = [plain, &explored].map(|answer| answer["cost"].as_f64().expect("a number"));
        assert!(explored <= plain * (1.0 + 1e-12), "explored {explored}, plain {plain}");
    }
}

#[test]
fn no_scheme_is_cheaper_than_exact() {
    let run = shared_run();
    let costs = |command: &[&str]| -> Vec<f64> {
        let said = run.trainer_reading(json_lines(40), command).succeeded();
        answers(&said.stdout).iter().map(|answer| answer["cost"].as_f64().expect("a number")).collect()
    };
    let exact = costs(&["solve", "--scheme", "exact"]);
    let model = Scenario::load("paper").expect("a preset").check().expect("valid");
    let mut others: Vec<(String, Vec<f64>)> = sim::scheme::classic(&model, 1)
        .iter()
        .map(|scheme| (scheme.name().to_owned(), costs(&["solve", "--scheme", scheme.name()])))
        .collect();
    others.push(("mr-dro".to_owned(), costs(&["decide", "--record", "run/record"])));
    for (name, costs) in others {
        assert_eq!(costs.len(), exact.len(), "{name}");
        for (cost, optimum) in costs.iter().zip(&exact) {
            assert!(*cost >= optimum * (1.0 - 1e-12), "{name} found {cost}, the optimum is {optimum}");
        }
    }
}

#[test]
fn another_scenario_of_the_same_fleet_is_priced_when_asked_for() {
    let run = shared_run();
    let arguments = ["decide", "--record", "run/record", "--scenario", "paper-wan", "--any-rates"];
    let said = run.trainer_reading(json_lines(1), &arguments).succeeded();
    let model = Scenario::load("paper-wan").expect("a preset").check().expect("valid");
    let answer = &answers(&said.stdout)[0];
    let outcome = model.evaluate(&Workload::from_mb(3, &sizes(0)), &decision(answer, &model));
    let found = answer["cost"].as_f64().expect("a number");
    assert!((found / outcome.cost - 1.0).abs() < 1e-14, "{found}, should be {}", outcome.cost);
}

/// Sends `text` to a running program and waits for a line from it, while its input stays open.
fn answer_while_open(mut child: Child, text: &str) -> Option<String> {
    let mut input = child.stdin.take().expect("piped");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    input.write_all(text.as_bytes()).expect("the program reads");
    input.flush().expect("the program reads");
    let answer = receiver.recv_timeout(Duration::from_secs(20)).ok();
    drop(input);
    assert!(child.wait().expect("it was started").success());
    answer
}

#[test]
fn an_answer_comes_before_the_input_ends() {
    let run = shared_run();
    // A caller may end its request with a blank line and wait.
    for text in [json_lines(1), json_lines(1) + "\n", json_lines(1).replace('\n', "\r\n")] {
        for command in [
            &["decide", "--record", "run/record"][..],
            &["solve", "--scheme", "exact"],
            &["solve", "--scheme", "exact", "--share-out", "sum"],
        ] {
            let mut program = run.command();
            program.args(command).stdin(Stdio::piped()).stdout(Stdio::piped());
            let answer = answer_while_open(program.spawn().expect("built before"), &text);
            let answer = answer.unwrap_or_else(|| panic!("no answer to {text:?} from {command:?} while it waits"));
            assert_eq!(answers(&answer)[0]["id"], "w0");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let run = shared_run();
    run.write("long.jsonl", json_lines(20_000));
    for command in [
        &["decide", "--record", "run/record"][..],
        &["solve", "--scheme", "greedy"],
        &["solve", "--scheme", "greedy", "--share-out", "30"],
    ] {
        let mut program = run.command();
        program.args(command).arg("long.jsonl").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("built before");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("an answer");
        assert!(first.starts_with('{'), "{first}");
        let output = child.wait_with_output().expect("it was started");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success(), "{:?}", output.status);
    }
}

#[test]
fn completions_for_a_reader_that_left_are_no_error() {
    let workshop = Workshop::new();
    let mut program = workshop.command();
    program.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("built before");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it was started");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The answers of `solve --scheme greedy` to an input.
fn solved(input: impl Into<Vec<u8>>) -> Vec<Value> {
    let said = Workshop::new().trainer_reading(input, &["solve", "--scheme", "greedy"]).succeeded();
    answers(&said.stdout)
}

fn without_ids(mut answers: Vec<Value>) -> Vec<Value> {
    for answer in &mut answers {
        answer.as_object_mut().expect("an object").remove("id");
    }
    answers
}

/// The three rows of each workload in other forms, as other programs write them.
#[test]
fn tables_are_read_however_they_are_written() {
    let wanted = solved(csv(2));
    let rows: Vec<Vec<String>> = csv(2).lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let joined = |by: &str, change: &dyn Fn(usize, &[String]) -> Vec<String>| -> String {
        rows.iter().enumerate().map(|(index, row)| change(index, row).join(by) + "\n").collect()
    };
    let number = |index: usize| if index == 0 { String::new() } else { (index - 1).to_string() };
    let with_index = |index: usize, row: &[String]| [&[number(index)], row].concat();
    let excel = |_: usize, row: &[String]| row.iter().map(|field| field.replace('.', ",")).collect::<Vec<_>>();
    let floats = |index: usize, row: &[String]| {
        let float = |field: &String| if index == 0 { field.to_uppercase() } else { format!("{field}.0") };
        vec![row[0].clone(), float(&row[1]), float(&row[2]), row[3].clone()]
    };
    let turned = |_: usize, row: &[String]| row.iter().rev().map(|field| format!(" \"{field}\" ")).collect::<Vec<_>>();
    let further = |index: usize, row: &[String]| [row, &[format!("note {index}")]].concat();
    for text in [
        joined(",", &with_index),
        joined("\t", &with_index),
        joined(";", &excel),
        joined("\t", &excel),
        "sep=;\n".to_owned() + &joined(";", &excel),
        joined(",", &floats),
        joined(",", &turned),
        joined(",", &further),
        "# made by hand\n\n".to_owned() + &joined(",", &further),
    ] {
        assert_eq!(solved(text.clone()), wanted, "{text}");
    }
}

#[test]
fn rows_of_a_workload_need_not_be_neighbours() {
    let text = csv(3);
    let (header, rows) = text.split_once('\n').expect("a header");
    let rows: Vec<&str> = rows.lines().collect();
    // By device and task, as `sort_values(["device", "task"])` leaves them.
    let order = (0..9).flat_map(|task| (0..3).map(move |workload| workload * 9 + task));
    let interleaved = order.map(|row| rows[row]).collect::<Vec<_>>().join("\n");
    assert_eq!(solved(format!("{header}\n{interleaved}\n")), solved(text.clone()));
}

#[test]
fn json_lists_and_objects_over_several_lines_are_read_as_json_lines_are() {
    let lines = json_lines(5);
    let wanted = solved(lines.clone());
    let values = answers(&lines);
    let pretty = values.iter().map(|value| format!("{value:#}")).collect::<Vec<_>>().join("\n") + "\n";
    let list = Value::Array(values);
    for text in [
        format!("{list}"),
        format!("{list:#}\n"),
        pretty.clone(),
        pretty.replace('\n', "\r\n"),
        pretty.replace("}\n{", "} {"),
    ] {
        assert_eq!(solved(text.clone()), wanted, "{text}");
    }
}

#[test]
fn utf16_is_read_with_a_mark_and_without() {
    for text in [json_lines(40), csv(40), format!("{:#}", answers(&json_lines(40))[0])] {
        let wanted = without_ids(solved(text.clone()));
        let units: Vec<u16> = text.replace('\n', "\r\n").encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [[&b"\xff\xfe"[..], &little].concat(), little, [&b"\xfe\xff"[..], &big].concat(), big] {
            assert_eq!(without_ids(solved(bytes)), wanted);
        }
        assert_eq!(without_ids(solved(format!("\u{feff}{text}"))), wanted);
    }
}

#[test]
fn an_answer_to_utf16_comes_before_the_input_ends() {
    let workshop = Workshop::new();
    let mut program = workshop.command();
    program.args(["solve", "--scheme", "greedy"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().expect("built before");
    let mut input = child.stdin.take().expect("piped");
    let bytes: Vec<u8> = format!("\u{feff}{}", json_lines(1)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    input.write_all(&bytes).expect("the program reads");
    let (sender, receiver) = mpsc::channel();
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    thread::spawn(move || {
        let mut line = String::new();
        let _ = output.read_line(&mut line).map(|_| sender.send(line));
    });
    let answer = receiver.recv_timeout(Duration::from_secs(20)).expect("an answer while the input is open");
    assert_eq!(answers(&answer)[0]["id"], "w0");
    drop(input);
    assert!(child.wait().expect("it was started").success());
}

#[test]
fn with_keep_going_what_is_refused_is_answered_with_its_line_and_error() {
    let run = shared_run();
    let good = json_lines(3);
    let good: Vec<&str> = good.lines().collect();
    let bad = [
        r#"{"id": 8, "tasks_mb": [[12, -1, 18], [20, 11, 29], [15, 15, 15]]}"#,
        r#"{"id": [9], "tasks_mb": [[12, NaN, 18], [20, 11, 29], [15, 15, 15]]}"#,
        "tasks of monday",
        r#"{"tasks_mb": [[12, 1, 18], [20, 11, 29]"#,
    ];
    let mut input: String =
        [good[0], bad[0], good[1], bad[1], "", bad[2], bad[3], good[2]].map(|line| line.to_owned() + "\n").concat();
    for (command, share_out) in [
        (&["decide", "--record", "run/record"][..], &[][..]),
        (&["solve", "--scheme", "greedy"], &[]),
        (&["solve", "--scheme", "greedy"], &["--share-out", "30"]),
    ] {
        let arguments = [command, share_out, &["--keep-going"]].concat();
        let said = run.trainer_reading(input.clone(), &arguments).failed(1).naming(&["4 of 7 workloads were refused"]);
        let answers = answers(&said.stdout);
        let heads: Vec<_> = answers.iter().map(|answer| (answer["id"].clone(), answer["line"].clone())).collect();
        let expected = [
            (json!("w0"), Value::Null),
            (json!(8), json!(2)),
            (json!("w1"), Value::Null),
            (Value::Null, json!(4)),
            (Value::Null, json!(6)),
            (Value::Null, json!(7)),
            (json!("w2"), Value::Null),
        ];
        assert_eq!(heads, expected, "{said}");
        assert_eq!(
            answers[1]["error"],
            "task 1 of device 0 is -1 MB: every task must have a size above 0 MB and at most 1e12 MB"
        );
        for answer in &answers {
            assert_ne!(answer.get("error").is_some(), answer.get("cost").is_some(), "{answer}");
        }
        let without = run.trainer_reading(input.clone(), &[command, share_out].concat()).failed(1);
        assert_eq!(without.lines().len(), 1, "{without}");
    }
    input.truncate(good[0].len() + 1);
    run.trainer_reading(input, &["solve", "--scheme", "greedy", "--keep-going"]).succeeded();
}

#[test]
fn with_keep_going_a_table_loses_only_the_workloads_that_are_wrong() {
    let text = csv(3).replace("w1,1,1,", "w1,1,1,-") + "w3,0,0,5\n";
    let said = Workshop::new().trainer_reading(text, &["solve", "--scheme", "greedy", "--keep-going"]).failed(1);
    let answers = answers(&said.stdout);
    let heads: Vec<_> = answers.iter().map(|answer| (answer["id"].clone(), answer["line"].clone())).collect();
    let expected = [("w0", Value::Null), ("w1", json!(15)), ("w2", Value::Null), ("w3", json!(29))];
    assert_eq!(heads, expected.map(|(id, line)| (json!(id), line)), "{said}");
}

#[test]
fn sizes_in_bytes_are_answered_with_a_note() {
    let bytes = json!({ "tasks_mb": sizes(0).chunks(3).map(|row| row.iter().map(|mb| mb * 1e6).collect()).collect::<Vec<Vec<f64>>>() });
    let said = Workshop::new().trainer_reading(bytes.to_string() + "\n", &["solve", "--scheme", "greedy"]).succeeded();
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    said.naming(&["note: in a workload, task 0 of device 0", "if it is in bytes, write 10"]);
    let said = Workshop::new().trainer_reading(json_lines(1), &["solve", "--scheme", "greedy"]).succeeded();
    assert_eq!(said.stderr, "");
}
