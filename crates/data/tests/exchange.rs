//! The readers of workloads, on texts that the tests make.

use std::fmt::Write as _;

use data::exchange::{ExchangeError, WorkloadReader};
use proptest::prelude::*;
use sim::{CostModel, Scenario};

fn model() -> CostModel {
    Scenario::load("paper").expect("a preset").check().expect("valid")
}

/// What a reader gives for a text: a name with its sizes in MB, or the line of a refusal with its reason.
type Read = Result<(Option<String>, Vec<f64>), (u64, String)>;

/// Reads on behind workloads that are refused.
fn read(text: impl AsRef<[u8]>) -> Vec<Read> {
    let model = model();
    let mut reader = WorkloadReader::new("the text", text.as_ref(), &model).expect("memory can be read");
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(None) => return all,
            Ok(Some(request)) => {
                let sizes_mb = request.instance.workload.sizes_bytes().iter().map(|bytes| bytes / 1e6).collect();
                all.push(Ok((request.id.map(|id| id.get().to_owned()), sizes_mb)));
            }
            Err(ExchangeError::Workload { refusal, .. }) => all.push(Err((refusal.line, refusal.error))),
            Err(error) => panic!("{error}"),
        }
    }
}

fn names(all: &[Read]) -> Vec<String> {
    all.iter()
        .map(|read| {
            read.as_ref().map_or_else(|(line, _)| format!("line {line}"), |(id, _)| id.clone().unwrap_or_default())
        })
        .collect()
}

/// The rows of workloads `w0`, `w1`, ..., without a header.
fn rows(count: usize) -> Vec<String> {
    (0..9 * count).map(|row| format!("w{},{},{},{}.5", row / 9, row / 3 % 3, row % 3, row + 1)).collect()
}

fn table(rows: &[String]) -> String {
    format!("workload,device,task,mb\n{}\n", rows.join("\n"))
}

#[test]
fn rows_may_be_in_any_order() {
    let rows = rows(4);
    let wanted = read(table(&rows));
    assert_eq!(names(&wanted), ["\"w0\"", "\"w1\"", "\"w2\"", "\"w3\""]);
    let by_task: Vec<String> =
        (0..9).flat_map(|task| (0..4).map(move |w| 9 * w + task)).map(|row| rows[row].clone()).collect();
    assert_eq!(read(table(&by_task)), wanted);
    let mut backwards = read(table(&rows.iter().rev().cloned().collect::<Vec<_>>()));
    backwards.reverse();
    assert_eq!(backwards, wanted);
}

#[test]
fn a_workload_is_refused_once_and_the_others_are_read() {
    let mut all = rows(3);
    all[9 + 4] = "w1,1,1,-3".to_owned();
    all[9 + 5] = "w1,1,2,large".to_owned();
    all.push("w3,0,0".to_owned());
    all.push("w4,0,0,1".to_owned());
    let read = read(table(&all));
    assert_eq!(names(&read), ["\"w0\"", "line 15", "\"w2\"", "line 29", "line 30"]);
    assert_eq!(
        read[1],
        Err((15, "task 1 of device 1 is -3 MB: every task must have a size above 0 MB and at most 1e12 MB".to_owned()))
    );
    assert_eq!(read[3], Err((29, "the row has 3 fields, the header names 4 columns".to_owned())));
    assert_eq!(read[4], Err((30, "workload w4 ends without device 0, task 1".to_owned())));
}

#[test]
fn workloads_that_are_never_complete_do_not_fill_the_memory() {
    let mut text = String::from("workload,device,task,mb\n");
    for workload in 0..2_000_000 {
        let _ = writeln!(text, "{workload},0,0,1");
    }
    let model = model();
    let mut reader = WorkloadReader::new("the text", text.as_bytes(), &model).expect("memory can be read");
    let error = reader.read_next().expect_err("too many").to_string();
    assert!(error.contains("sort the rows by workload"), "{error}");
    assert!(reader.read_next().expect("nothing is left").is_none());
}

#[test]
fn objects_stand_on_lines_over_lines_and_in_lists() {
    let object = |id: &str| format!("{{\"id\": {id}, \"tasks_mb\": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}}");
    let over_lines = |id: &str| object(id).replace(", ", ",\n  ");
    for text in [
        format!("{}\n{}\n", object("1"), object("2")),
        format!("\n\n{}\n\n{}", over_lines("1"), over_lines("2")),
        format!("{} {}\n", over_lines("1"), object("2")),
        format!("[{}, {}]", object("1"), over_lines("2")),
        format!(" [\n{}\n,\n{}\n]\n\n", over_lines("1"), object("2")),
    ] {
        assert_eq!(names(&read(&text)), ["1", "2"], "{text}");
    }
}

#[test]
fn reading_goes_on_behind_a_wrong_object() {
    let good = "{\"id\": 1, \"tasks_mb\": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}";
    for (wrong, lines) in
        [("{\"tasks_mb\": [[NaN]]}", 1), ("{\"tasks_mb\": [[1,\n 2]", 2), ("words", 1), ("{\"id\":\n 5}", 2)]
    {
        let read = read(format!("{good}\n{wrong}\n{good}\n"));
        assert_eq!(names(&read), ["1", "line 2", "1"], "{wrong}");
        assert_eq!(wrong.lines().count(), lines);
    }
    let read = read(format!("[{good},\n{{\"tasks_mb\": [[NaN]]}},\n{good}]"));
    assert_eq!(names(&read), ["1", "line 2", "1"]);
    assert!(matches!(&read[1], Err((_, reason)) if reason.ends_with("at line 2, column 16")), "{:?}", read[1]);
}

proptest! {
    #[test]
    fn any_order_of_rows_gives_the_same_workloads(order in Just((0..27).collect::<Vec<usize>>()).prop_shuffle()) {
        let rows = rows(3);
        let mut wanted = read(table(&rows));
        let shuffled: Vec<String> = order.into_iter().map(|row| rows[row].clone()).collect();
        let mut found = read(table(&shuffled));
        wanted.sort_by_key(|read| format!("{read:?}"));
        found.sort_by_key(|read| format!("{read:?}"));
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn any_division_into_lines_gives_the_same_object(breaks in prop::collection::vec(0..60_usize, 0..8)) {
        let mut text = "{\"id\": 7, \"tasks_mb\": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}".to_owned();
        for at in breaks {
            if let Some((space, _)) = text.char_indices().filter(|(_, character)| *character == ' ').nth(at % 10) {
                text.replace_range(space..space, "\n");
            }
        }
        let found = read(&text);
        prop_assert_eq!(names(&found), ["7"], "{}", text);
    }
}
