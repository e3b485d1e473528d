//! The readers of task sizes.

use data::Quantity::Size;
use data::{Reason, TaskFileError, TaskFormat, TaskSizes, task_sizes, task_sizes_as};

use crate::Folder;

fn read(content: &str) -> Result<TaskSizes, TaskFileError> {
    task_sizes(&Folder::new().write("tasks", content))
}

#[test]
fn the_size_of_a_workflow_task_is_the_sum_of_its_inputs() {
    let json = r#"{"schemaVersion": "1.5", "workflow": {"execution": {"tasks": [{"id": "t"}]}, "specification": {
        "tasks": [
            {"id": "two inputs", "inputFiles": ["a", "b\u0021"], "outputFiles": ["c"]},
            {"id": "no input", "inputFiles": []},
            {"id": "nothing said"},
            {"id": "not among the files", "inputFiles": ["a", "missing"]},
            {"id": "of no known size", "inputFiles": ["unknown"]},
            {"id": "negative", "inputFiles": ["negative"]},
            {"id": "empty", "inputFiles": ["empty"]},
            {"id": "one and an empty one", "inputFiles": ["a", "empty"]}],
        "files": [{"id": "a", "sizeInBytes": 1500000}, {"id": "b!", "sizeInBytes": 250000.0},
            {"id": "unknown"}, {"id": "negative", "sizeInBytes": -5}, {"id": "empty", "sizeInBytes": 0}]}}}"#;
    for json in [json.to_owned(), format!("\u{feff}\n{json}")] {
        let sizes = read(&json).expect("a workflow");
        assert_eq!((sizes.format, sizes.skipped), (TaskFormat::WfFormat, 6));
        assert_eq!(sizes.sizes_mb, [1.75, 1.5]);
    }
}

#[test]
fn csv_and_lists_hold_one_size_a_line() {
    let csv = read("mb,workload,device,task\r\n2.5,0,0,0\r\n,0,0,1\r\n0,0,1,0\r\n-1,0,1,1\r\n7,1\r\n").expect("csv");
    assert_eq!((csv.format, csv.sizes_mb.as_slice(), csv.skipped), (TaskFormat::Csv, &[2.5][..], 2));
    let bad: Vec<_> = csv.bad.first.iter().map(|bad| (bad.line, bad.reason)).collect();
    assert_eq!(bad, [(5, Reason::Negative(Size)), (6, Reason::Columns { found: 2, expected: 4 })]);

    let list = read("# MB\n10\n\n0\n2e12\n1e-3\nmany\n").expect("a list");
    assert_eq!((list.format, list.sizes_mb.as_slice(), list.skipped), (TaskFormat::List, &[10.0, 1e-3][..], 0));
    let bad: Vec<_> = list.bad.first.iter().map(|bad| (bad.line, bad.reason)).collect();
    assert_eq!(bad, [(4, Reason::Zero(Size)), (5, Reason::TooLarge(Size)), (7, Reason::NotANumber(Size))]);
}

#[test]
fn files_without_sizes_are_errors() {
    assert!(matches!(read(""), Err(TaskFileError::Empty { .. })));
    assert!(matches!(read("{\"workflow\": 1}"), Err(TaskFileError::NoWorkflow { .. })));
    assert!(matches!(read("{\"workflow\": "), Err(TaskFileError::NoWorkflow { .. })));
    assert!(matches!(read(&"[".repeat(100_000)), Err(TaskFileError::NoWorkflow { .. })), "no overflow of the stack");
    let error = read("some\nwords\n").expect_err("no sizes");
    let TaskFileError::UnknownFormat { text, .. } = &error else { panic!("{error}") };
    assert_eq!(text, "some");
    assert!(error.to_string().contains("WfFormat, CSV headed workload,device,task,mb, a list"), "{error}");
    let error = read("-1\n0\n").expect_err("no sizes");
    assert!(error.to_string().contains("2 bad lines (line 1: the size is negative: `-1`)"), "{error}");
    let empty = read(r#"{"workflow": {"specification": {"tasks": [{"id": "x"}]}}}"#).expect_err("no sizes");
    assert!(matches!(empty, TaskFileError::NoSizes { found } if found.skipped == 1));
}

#[test]
fn what_is_no_file_of_sizes_is_not_taken_for_one() {
    let zip = [b"PK\x03\x04".to_vec(), b"7\n8\n\x93junk\nand more\nand more\n\0\n".to_vec()].concat();
    for content in [zip, b"1\nwords\nwords\n".to_vec()] {
        let folder = Folder::new();
        let path = folder.write("tasks", content);
        assert!(matches!(task_sizes(&path), Err(TaskFileError::UnknownFormat { .. })));
    }
    // Somebody who names the format gets the lines that have it.
    let folder = Folder::new();
    let path = folder.write("tasks", "1\nwords\nwords\n");
    let sizes = task_sizes_as(&path, Some(TaskFormat::List)).expect("one size");
    assert_eq!((sizes.sizes_mb.as_slice(), sizes.bad.count), (&[1.0][..], 2));
    assert_eq!("sizes".parse(), Ok(TaskFormat::List));
    assert!("list".parse::<TaskFormat>().is_err());
}
