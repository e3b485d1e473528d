//! Tables whose columns the user names, and times in all forms.

use data::trace::{ReadOptions, Recording, TraceError};

use crate::{Folder, pairs, read, samples};

fn read_with(columns: &str, text: &str) -> Result<Recording, TraceError> {
    let folder = Folder::new();
    let options = ReadOptions { format: None, columns: Some(columns.parse().expect("complete")) };
    Recording::read(&folder.write("phone 7.csv", text), &options)
}

#[test]
fn named_columns_are_read_in_their_units() {
    let text = "when,phone,UL rate,DL rate\n2024-01-01T00:00:00Z,p10,1000,5\n2024-01-01T00:00:02.5Z,p9,-,5\n2024-01-01T00:00:30Z,p9,2500,5\n";
    let recording = read_with("time=when:iso,rate=UL rate:kbps,device=phone", text).expect("good");
    let [p9, p10] = &recording.drives[0].devices[..] else { panic!("two devices") };
    assert_eq!((p9.device.as_str(), pairs(&p9.samples)), ("p9", vec![(30.0, 2.5)]));
    assert_eq!((p10.device.as_str(), pairs(&p10.samples)), ("p10", vec![(0.0, 1.0)]));
    assert_eq!((recording.sources[0].left_out, recording.sources[0].bad.count), (1, 0));

    for (unit, mbps) in
        [("bps", 3e-6), ("mbps", 3.0), ("Bps", 24e-6), ("MBps", 24.0), ("MiBps", 25.165_824), ("gbps", 3e3)]
    {
        let recording =
            read_with(&format!("time=t:ms,rate=r:{unit}"), "r;t\n3;1700000000000\n3;1700000001500\n").expect("good");
        let found = samples(&recording);
        assert_eq!((found.len(), found[1].0), (2, 1.5));
        assert!((found[0].1 / mbps - 1.0).abs() < 1e-12, "{unit}: {found:?}");
        assert_eq!(recording.drives[0].devices[0].device, "phone 7");
    }
}

#[test]
fn columns_that_are_missing_are_named() {
    let error = read_with("time=when:iso,rate=UL_rate:kbps", "when,UL_bitrate\n1,2\n").expect_err("no such column");
    let text = error.to_string();
    assert!(matches!(error, TraceError::Header { .. }));
    assert!(
        text.contains("phone 7.csv") && text.contains("`UL_rate` is missing") && text.contains("`ul_bitrate`"),
        "{text}"
    );
    let folder = Folder::new();
    folder.write("a.csv", "when,speed\n1,2\n");
    folder.write("notes.txt", "nothing\n");
    let options = ReadOptions { format: None, columns: Some("time=when:s,rate=speed:mbps".parse().expect("complete")) };
    let recording = Recording::read(folder.path(), &options).expect("one of two");
    assert_eq!((recording.sources.len(), recording.skipped.len()), (1, 1));
}

#[test]
fn times_are_seconds_milliseconds_or_dates() {
    for (header, times) in [
        ("t_s", ["1700000000", "1700000030.5"]),
        ("t_s", ["1700000000000", "1700000030500"]),
        ("t_ms", ["0", "30500"]),
        ("timestamp", ["2023-11-14T22:13:20Z", "2023-11-14T22:13:50.5Z"]),
        ("Time", ["2023-11-14 23:13:20+01:00", "2023-11-14 22:13:50.5"]),
    ] {
        let [first, second] = times;
        let recording = read("a.csv", format!("{header},mbps\n{first},1\n{second},2\n")).expect("good");
        assert_eq!(samples(&recording), [(0.0, 1.0), (30.5, 2.0)], "{header}");
        assert_eq!(recording.drives[0].devices[0].device, "a", "named as the file");
    }
    let recording = read("a.csv", "time;mbps\r\n0;8,5\r\n30,5;9,5\r\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 8.5), (30.5, 9.5)]);
}

#[test]
fn a_date_among_numbers_is_a_bad_line() {
    let recording = read("a.csv", "t_s,mbps\n0,1\n2023-11-14T22:13:20Z,1\n# note\n5,2\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (5.0, 2.0)]);
    assert_eq!(recording.sources[0].bad.count, 1);
}
