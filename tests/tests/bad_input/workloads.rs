//! Workloads for `decide`, `solve` and `evaluate`.

use std::fmt::Write as _;

use acceptance::{Said, shared_run};

const GOOD: &str = "{\"id\": \"good\", \"tasks_mb\": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}";

/// A JSON line that is wrong, and what must be said of it.
const WRONG_LINES: [(&str, &[&str]); 25] = [
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3]]}", &["2 rows", "3 devices"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3]]}", &["device 1", "4 tasks", "3 to each device"]),
    ("{\"tasks_mb\": []}", &["0 rows", "3 devices"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, -2, 3]]}", &["task 1 of device 2", "-2 MB"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 0, 3]]}", &["task 1 of device 2", "0 MB"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 1e300, 3]]}", &["task 1 of device 2"]),
    (
        "{\"tasks_mb\": [[1, 2, NaN], [1, 2, 3], [1, 2, 3]]}",
        &["NaN stands where a number must stand", "JSON has no NaN", "column 22"],
    ),
    ("{\"tasks_mb\": [[1, Infinity, 3], [1, 2, 3], [1, 2, 3]]}", &["JSON has no Infinity"]),
    ("{\"tasks_mb\": [[1, 2, 3], [-Infinity, 2, 3], [1, 2, 3]]}", &["JSON has no -Infinity"]),
    ("{\"id\": NaN, \"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]]}", &["JSON has no NaN"]),
    ("{\"tasks_mb\": [[1, 2, 1e999], [1, 2, 3], [1, 2, 3]]}", &["out of range"]),
    ("{\"tasks_mb\": [[1, 2, \"3\"], [1, 2, 3], [1, 2, 3]]}", &["string \"3\""]),
    ("{\"tasks_mb\": [[], [null], [null, null]]}", &["tasks_mb has no task"]),
    ("{\"tasks_mb\": [[1, 2, 3], \"none\", [1, 2, 3]]}", &["none", "expected an array of sizes or null"]),
    (
        "{\"tasks_mb\": [[1], [2], [3]], \"deadline_s\": [[1], [2, -3], []]}",
        &["deadline_s[1][1] is -3", "between 1e-12 and 1e12 s", "\"deadline_s\": 60"],
    ),
    ("{\"tasks_mb\": [[1], [2], [3]], \"deadline_rule\": \"hard\"}", &["deadline_rule needs deadline_s"]),
    ("{\"tasks_mb\": [[1], [2], [3]], \"instructions_per_byte\": \"many\"}", &["expected a number, null or an array"]),
    ("{\"tasks_mb\": 5}", &["integer `5`"]),
    ("{\"tasks\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]]}", &["unknown field `tasks`", "`tasks_mb`"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]], \"priority\": 1}", &["unknown field `priority`"]),
    ("{\"id\": 4}", &["missing field `tasks_mb`"]),
    ("{}", &["missing field `tasks_mb`"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]]", &["column"]),
    ("{\"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]]} more", &["trailing characters"]),
    ("true", &["boolean `true`"]),
];

/// An environment that is wrong, and what must be said of it.
const WRONG_ENVIRONMENTS: [(&str, &[&str]); 10] = [
    ("{\"uplink_mbps\": [1, 2]}", &["there must be 3 uplinks, there are 2"]),
    ("{\"uplink_mbps\": [1, 2, -3]}", &["an uplink must lie between 0 and 1e12 Mbit/s, is -3"]),
    ("{\"uplink_mbps\": 1e300}", &["an uplink must lie"]),
    ("{\"uplink_mbps\": \"fast\"}", &["must be a number or an array of numbers"]),
    ("{\"capacity\": [1]}", &["there must be 2 capacities, there are 1"]),
    ("{\"capacity\": -1}", &["a capacity must lie between 0 and 1e6, is -1"]),
    ("{\"alpha\": 1.5}", &["α must lie between 0 and 1, is 1.5"]),
    ("{\"bandwidth\": 3}", &["unknown field `bandwidth`", "`uplink_mbps`"]),
    ("[1, 2, 3, 4]", &["column"]),
    ("7", &["integer `7`"]),
];

#[test]
fn a_wrong_environment_is_named_and_the_lines_before_it_are_answered() {
    for (environment, parts) in WRONG_ENVIRONMENTS {
        let wrong = GOOD.replacen("{\"id\": \"good\"", &format!("{{\"environment\": {environment}"), 1);
        for said in answer(format!("{GOOD}\n{wrong}\n{GOOD}\n").as_bytes()) {
            let said = said.failed(1).naming(&["standard input, line 2: "]).naming(parts);
            assert_eq!(said.lines().len(), 1, "{said}");
        }
    }
}

/// Both commands that answer workloads.
fn answer(input: &[u8]) -> [Said; 2] {
    let run = shared_run();
    [&["decide", "--record", "run/record"][..], &["solve", "--scheme", "greedy"]]
        .map(|command| run.trainer_reading(input, command))
}

#[test]
fn a_wrong_line_is_named_and_the_lines_before_it_are_answered() {
    for (line, parts) in WRONG_LINES {
        // A blank line is counted and nothing else.
        let input = format!("{GOOD}\n\n{GOOD}\n{line}\n{GOOD}\n");
        for said in answer(input.as_bytes()) {
            let said = said.failed(1).naming(&["standard input, line 4: ", "help:"]).naming(parts);
            assert_eq!(said.lines().len(), 2, "{said}");
            assert!(said.lines().iter().all(|answer| answer.contains("\"id\":\"good\"")), "{said}");
        }
    }
}

#[test]
fn a_wrong_last_line_without_an_end_is_named_too() {
    for said in answer(format!("{GOOD}\n{{\"tasks_mb\": [[1,").as_bytes()) {
        assert_eq!(said.failed(1).naming(&["standard input, line 2: "]).lines().len(), 1);
    }
}

#[test]
fn evaluate_refuses_wrong_workloads_before_it_starts() {
    let run = shared_run();
    run.write("wrong.jsonl", format!("{GOOD}\n{{\"tasks_mb\": [[1]]}}\n"));
    let said = run.trainer(&["evaluate", "--record", "run/record", "--workloads", "wrong.jsonl"]).failed(1).silent();
    said.naming(&["wrong.jsonl, line 2: ", "1 row,", "help:"]);
}

#[test]
fn what_is_no_text_is_refused() {
    let noise: Vec<u8> = (0..5_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for bytes in
        [&noise[..], &[0; 100], b"\xff\xfe\n", b"{\"tasks_mb\": [[1, 2, \xff]]}\n", b"workload,\xff\xfe,\n1,2\n"]
    {
        for said in answer(bytes) {
            said.failed(1).silent().naming(&["standard input", "help:"]);
        }
    }
}

#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let endless = vec![b' '; 40 << 20];
    for said in answer(&[b"{\"tasks_mb\":", &endless[..]].concat()) {
        said.failed(1).silent().naming(&["standard input, line 1", "longer than"]);
    }
}

#[test]
fn nothing_to_decide_is_an_error() {
    for input in ["", "\n", " \n\n\t\n", "workload,device,task,mb\n"] {
        for said in answer(input.as_bytes()) {
            said.failed(1).silent().naming(&["standard input holds no workload", "help:"]);
        }
    }
}

#[test]
fn words_are_no_workloads() {
    for said in answer(b"tasks of monday\n") {
        said.failed(1).silent().naming(&["standard input", "help:"]);
    }
    for said in answer(b"tasks of monday\ntwelve\n") {
        said.failed(1).silent().naming(&["standard input, line ", "help:"]);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let run = shared_run();
    for command in [&["decide", "--record", "run/record"][..], &["solve", "--scheme", "greedy"]] {
        let said = run.trainer(&[command, &["no/such.jsonl"]].concat()).failed(1).silent();
        said.naming(&["cannot read no/such.jsonl", "No such file"]);
        run.trainer(&[command, &["run"]].concat()).failed(1).silent().naming(&["cannot read run", "directory"]);
    }
}

/// One whole workload as CSV, to which something wrong is added.
fn csv(more: &str) -> String {
    let mut text = String::from("workload,device,task,mb\n");
    for task in 0..9 {
        let _ = writeln!(text, "good,{},{},{}", task / 3, task % 3, 10 + task);
    }
    text + more
}

#[test]
fn a_wrong_row_of_csv_is_named_and_the_workloads_before_it_are_answered() {
    for (rows, line, parts) in [
        ("next,0,0,-4\n", 11, &["-4 MB"][..]),
        ("next,0,0,0\n", 11, &["0 MB"]),
        ("next,0,0,NaN\n", 11, &["NaN MB"]),
        ("next,0,0,inf\n", 11, &["inf MB"]),
        ("next,0,0,\nnext,0,1,-4\n", 12, &["-4 MB"]),
        ("next,0,0,large\n", 11, &["mb must be a number", "`large`"]),
        ("next,-1,0,4\n", 11, &["device must be a whole number from 0", "`-1`"]),
        ("next,0,0.5,4\n", 11, &["task must be a whole number from 0", "`0.5`"]),
        ("next,3,0,4\n", 11, &["device 3, task 0", "devices 0 to 2"]),
        ("next,0,3,4\n", 11, &["device 0, task 3", "tasks 0 to 2"]),
        ("next,0,0\n", 11, &["3 fields"]),
        ("next,0,0,4,5\n", 11, &["5 fields", "decimal point"]),
        ("\"next,0,0,4\n", 11, &["quote"]),
        ("good,0,0,4\n", 11, &["device 0, task 0", "twice"]),
        ("next,0,0,4\nnext,0,0,4\n", 12, &["device 0, task 0", "twice"]),
        ("next,0,0,4\n", 11, &["workload next", "device 0, task 1"]),
        ("next,0,0,4\nother,0,0,4\n", 11, &["workload next", "device 0, task 1"]),
        ("next,0,0,\u{e9}\n", 11, &["mb must be a number", "`\u{e9}`"]),
    ] {
        for said in answer(csv(rows).as_bytes()) {
            let said = said.failed(1).naming(&[&format!("standard input, line {line}: "), "help:"]).naming(parts);
            assert_eq!(said.lines().len(), 1, "{rows}\n{said}");
        }
    }
}

#[test]
fn csv_needs_its_four_columns() {
    for (header, parts) in [
        ("workload,device,task\na,0,0\n", &["the column `mb` is missing"][..]),
        ("workload,device,task,size\na,0,0,1\n", &["`size`", "the header must name workload, device, task, mb"]),
        ("workload;device;task\na;0;0\n", &["it names `workload`, `device`, `task`"]),
        ("workload,device,task,mb,MB\na,0,0,1,2\n", &["the header names the column `mb` twice"]),
        ("workload,device,task,mb,extra\na,0,0,1,2\n", &["workload a ends without device 0, task 1"]),
    ] {
        for said in answer(header.as_bytes()) {
            said.failed(1).silent().naming(&["standard input, line "]).naming(parts);
        }
    }
}

/// A quote that is never closed makes one row of all that follows.
#[test]
fn a_row_of_csv_without_an_end_does_not_fill_the_memory() {
    let mut rows = b"workload,device,task,mb\n\"".to_vec();
    rows.resize(40 << 20, b'a');
    for said in answer(&rows) {
        said.failed(1).silent().naming(&["standard input", "a row is longer than"]);
    }
}

#[test]
fn an_object_that_is_not_closed_is_named_by_its_first_line() {
    let open = GOOD.strip_suffix('}').expect("an object");
    for said in answer(format!("{GOOD}\n{open}\n{GOOD}\n").as_bytes()) {
        let said = said.failed(1).naming(&["standard input, line 2: ", "not closed"]);
        assert_eq!(said.lines().len(), 1, "{said}");
    }
}

#[test]
fn a_wrong_object_over_several_lines_or_in_a_list_is_named() {
    for (input, place, answered) in [
        (format!("{GOOD}\n{{\n  \"tasks_mb\": [\n    [1, NaN, 3]\n  ]\n}}\n"), "line 2: NaN stands", 1),
        (format!("[\n{GOOD},\n{{\"tasks_mb\": [[1]]}}\n]\n"), "line 3, workload 2 of the list: tasks_mb has 1 row,", 1),
        (format!("[{GOOD} {GOOD}]"), "there must be a comma", 1),
        (format!("[{GOOD},]"), "a workload is missing", 1),
        (format!("[{GOOD}"), "the list is not closed", 1),
        (format!("[{GOOD}] {GOOD}"), "something follows the end of the list", 1),
        ("[1, 2]".to_owned(), "the list must hold objects", 0),
        ("[[1, 2, 3], [1, 2, 3]]".to_owned(), "an object", 0),
    ] {
        for said in answer(input.as_bytes()) {
            let said = said.failed(1).naming(&["standard input, line ", place]);
            assert_eq!(said.lines().len(), answered, "{said}");
        }
    }
    for said in answer(b"[\n]\n") {
        said.failed(1).silent().naming(&["standard input holds no workload"]);
    }
}

#[test]
fn text_in_another_encoding_is_named_with_its_place() {
    for (input, place) in [
        (b"{\"id\": \"caf\xe9 1\", \"tasks_mb\": [[1, 2, 3], [1, 2, 3], [1, 2, 3]]}\n".as_slice(), "column 12"),
        (b"workload,device,task,mb\ncaf\xe9,0,0,1\n", "column 4"),
    ] {
        for said in answer(input) {
            let said = said.failed(1).silent().naming(&["standard input, line ", place, "0xE9", "Latin-1", "`\u{e9}`"]);
            assert!(!said.stderr.contains("right path"), "{said}");
        }
    }
    for said in answer(b"\xff\xfe{\0\x00\xd8}\0") {
        let said = said.failed(1).silent().naming(&["standard input", "line 1, column 2 (byte 5)", "UTF-16", "UTF-8"]);
        assert!(!said.stderr.contains("right path"), "{said}");
    }
}

#[test]
fn decimal_commas_between_commas_are_explained() {
    for said in answer(b"workload,device,task,mb\n0,0,0,10,5\n") {
        said.failed(1).silent().naming(&["line 2: the row has 5 fields, the header names 4 columns", "decimal point"]);
    }
}
