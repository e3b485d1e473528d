//! Which files of a folder are read.

use data::limits::MAX_DEPTH;
use data::trace::{ReadOptions, Recording, SkipReason, TraceError};

use crate::{Folder, transfer};

fn skipped(recording: &Recording, folder: &Folder) -> Vec<(String, SkipReason)> {
    let name = |path: &std::path::Path| path.strip_prefix(folder.path()).expect("below").display().to_string();
    recording.skipped.iter().map(|skipped| (name(&skipped.path), skipped.reason.clone())).collect()
}

#[test]
fn a_folder_of_many_things_is_read_in_order_and_the_rest_is_listed() {
    let folder = Folder::new();
    folder.write("README.md", "# Data\n\n1,Mbits/sec is a line of the log.\n5\n");
    folder.write("SPLIT.csv", "dataset,file,role\nx,b/log.csv,train\n");
    folder.write("tasks.json", "{\n  \"workflow\": {}\n}\n");
    folder.write("sizes.txt", "5\n3\n9\n1\n7\n2\n");
    folder.write("empty", "");
    folder.write(".hidden/log.csv", "1,Mbits/sec\n");
    folder.write(".log.csv", "1,Mbits/sec\n");
    folder.write("b/log.csv", "1,Mbits/sec\n");
    folder.write("a/z.up", "0\n1000\n");
    folder.write("a/m/100_o2_ul.txt", transfer(1.0, 101, 1.0, 1.0));
    folder.write("a/m/small_ul.txt", transfer(1.0, 101, 0.5, 1.0));
    let recording = Recording::open(folder.path()).expect("three traces");
    let drives: Vec<_> = recording.drives.iter().map(|drive| drive.name.as_str()).collect();
    assert_eq!(drives, ["m/100", "a/z", "b/log"]);
    let skipped = skipped(&recording, &folder);
    let names: Vec<_> = skipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["README.md", "SPLIT.csv", "a/m/small_ul.txt", "empty", "sizes.txt", "tasks.json"]);
    for (name, reason) in &skipped {
        if name == "a/m/small_ul.txt" {
            assert!(matches!(reason, SkipReason::NoSamples(found) if found.left_out == 1), "{reason}");
        } else {
            assert_eq!(*reason, SkipReason::NotATrace, "{name}");
        }
    }
}

#[test]
fn a_folder_without_a_trace_is_an_error() {
    let folder = Folder::new();
    folder.write("README", "nothing\n");
    assert!(matches!(Recording::open(folder.path()), Err(TraceError::NoTraces { skipped: 1, .. })));
    assert!(matches!(Recording::of_files(&[], &ReadOptions::default()), Err(TraceError::NoFiles)));
    let whole = Recording::of_files(&[folder.path().to_owned()], &ReadOptions::default());
    assert!(matches!(whole, Err(TraceError::Unreadable { .. })), "a folder is no file");
}

#[test]
fn folders_are_followed_to_a_bounded_depth() {
    let folder = Folder::new();
    let deep = |levels: usize| "d/".repeat(levels) + "log.csv";
    folder.write(&deep(MAX_DEPTH), "1,Mbits/sec\n");
    folder.write(&deep(MAX_DEPTH + 1), "1,Mbits/sec\n");
    let recording = Recording::open(folder.path()).expect("one trace");
    assert_eq!(recording.sources.len(), 1);
    let too_deep = "d/".repeat(MAX_DEPTH) + "d";
    assert_eq!(skipped(&recording, &folder), [(too_deep, SkipReason::TooDeep)]);
}

#[cfg(unix)]
#[test]
fn loops_of_links_end_and_no_file_is_read_twice() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let other = Folder::new();
    let log = folder.write("a/log.csv", "1,Mbits/sec\n");
    other.write("elsewhere.csv", "2,Mbits/sec\n");
    symlink(folder.path(), folder.path().join("a/loop")).expect("linked");
    symlink(&log, folder.path().join("again.csv")).expect("linked");
    symlink("nowhere", folder.path().join("broken.csv")).expect("linked");
    symlink(other.path(), folder.path().join("other")).expect("linked");
    let recording = Recording::open(folder.path()).expect("two traces");
    let devices: Vec<_> = recording.drives.iter().map(|drive| drive.devices[0].device.as_str()).collect();
    assert_eq!(devices, ["log", "elsewhere"]);
    let expected = [
        ("a/loop".to_owned(), SkipReason::SeenBefore),
        ("again.csv".to_owned(), SkipReason::SeenBefore),
        ("broken.csv".to_owned(), SkipReason::NotAFile),
    ];
    assert_eq!(skipped(&recording, &folder), expected);
}
