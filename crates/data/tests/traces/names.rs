//! Names with numbers in them: their order, and which drive a name means.

use std::fmt::Write as _;

use data::trace::{Recording, notes};
use data::{unused_devices, uplink_windows};

use crate::{Folder, read};

#[test]
fn devices_come_in_natural_order() {
    let text = (0..12).rev().fold("t_s,device,mbps\n".to_owned(), |mut text, device| {
        let _ = writeln!(text, "0,{device},{device}\n60,{device},{device}");
        text
    });
    let recording = read("fleet.csv", text).expect("good");
    let drive = &recording.drives[0];
    let names: Vec<_> = drive.devices.iter().map(|device| device.device.as_str()).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(uplink_windows(drive, 3, 60.0)[0].mbps, [0.0, 1.0, 2.0]);
    let unused: Vec<_> = unused_devices(drive, 10).iter().map(|device| device.device.as_str()).collect();
    assert_eq!(unused, ["10", "11"]);
    assert!(unused_devices(drive, 12).is_empty() && unused_devices(drive, 50).is_empty());
    let note = notes(&recording.drives, Some(10), 60.0).join("; ");
    assert!(note.ends_with("/fleet has 12 devices, the scenario 10: left out are 10, 11"), "{note}");
    assert!(notes(&recording.drives, Some(12), 60.0).is_empty() && notes(&recording.drives, None, 60.0).is_empty());
}

fn runs(names: &[&str]) -> Recording {
    let folder = Folder::new();
    for name in names {
        folder.write(&format!("{name}.csv"), "t_s,device,mbps\n0,a,1\n");
    }
    Recording::open(folder.path()).expect("good")
}

fn names(recording: &Recording) -> Vec<&str> {
    recording.drives.iter().map(|drive| drive.name.as_str()).collect()
}

#[test]
fn drives_come_in_natural_order() {
    let all: Vec<_> = (1..=12).map(|run| format!("urban/run-{run}")).collect();
    let recording = runs(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(names(&recording), all);
    let recording = runs(&["day10/a", "day9/a", "day9/b"]);
    assert_eq!(names(&recording), ["day9/a", "day9/b", "day10/a"]);
}

#[test]
fn a_drive_is_found_by_its_name_then_its_last_part_then_any_part() {
    let recording = runs(&["urban/run-1", "urban/run-10", "urban/run-11", "rural/run-10", "rural/x-run-11"]);
    let found =
        |asked: &str| recording.drive(asked).map(|drive| drive.name.as_str()).map_err(|error| error.to_string());
    assert_eq!(found("urban/run-1"), Ok("urban/run-1"));
    assert_eq!(found("urban/run-10"), Ok("urban/run-10"));
    assert_eq!(found("run-1"), Ok("urban/run-1"));
    assert_eq!(found("run-11"), Ok("urban/run-11"), "not x-run-11");
    assert_eq!(found("x-run"), Ok("rural/x-run-11"));
    assert_eq!(found("run-10"), Err("several drives that `run-10` fits: rural/run-10, urban/run-10".to_owned()));
    assert_eq!(found("rural"), Err("several drives that `rural` fits: rural/run-10, rural/x-run-11".to_owned()));
    let none = found("elsewhere").expect_err("no such drive");
    assert!(none.starts_with("no drive called `elsewhere`; its drives are rural/run-10, "), "{none}");
}
