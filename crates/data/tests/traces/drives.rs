//! Which files are one drive, windows, and figures of traces.

use data::trace::{Drive, Hold, ReadOptions, Recording, Sample, Trace, Window};

use crate::{Folder, transfer};

fn trace(device: &str, samples: &[(f64, f64)]) -> Trace {
    let samples = samples.iter().map(|&(t_s, mbps)| Sample { t_s, mbps }).collect();
    Trace { device: device.to_owned(), samples, hold: Hold::Single }
}

fn drive(devices: Vec<Trace>) -> Drive {
    Drive { name: "here/1".to_owned(), environment: "here".to_owned(), devices }
}

/// Transfers of one operator every 10 s from `first` to `last`.
fn recorded(first: u64, last: u64) -> String {
    (first..=last).step_by(10).map(|unix| transfer((unix - first) as f64, unix, 2.0, 8.0)).collect()
}

/// Names of the drives and of their devices.
fn names(recording: &Recording) -> Vec<(&str, Vec<&str>)> {
    recording
        .drives
        .iter()
        .map(|drive| (drive.name.as_str(), drive.devices.iter().map(|device| device.device.as_str()).collect()))
        .collect()
}

#[test]
fn windows_are_means_where_all_devices_have_data() {
    let drive = drive(vec![
        trace("a", &[(0.0, 1.0), (5.0, 3.0), (12.0, 0.0), (35.0, 7.0), (41.0, 1.0)]),
        trace("b", &[(9.9, 10.0), (10.0, 20.0), (19.0, 0.0), (25.0, 5.0), (30.0, 6.0)]),
    ]);
    let expected = [
        Window { start_s: 0.0, mbps: vec![2.0, 10.0] },
        Window { start_s: 10.0, mbps: vec![0.0, 10.0] },
        Window { start_s: 30.0, mbps: vec![7.0, 6.0] },
    ];
    assert_eq!(drive.windows(10.0), expected);
    assert_eq!(drive.duration_s(), 41.0);
    assert_eq!(drive.windows(1000.0), [Window { start_s: 0.0, mbps: vec![2.4, 8.2] }]);
}

#[test]
fn windows_of_awkward_lengths_do_not_panic() {
    let tenths: Vec<_> = (0..10).map(|k| (f64::from(k) / 10.0, f64::from(k))).collect();
    let drive = drive(vec![trace("a", &tenths)]);
    assert_eq!(drive.windows(0.1).len(), 10, "0.3 s belongs to the window that begins at 3 x 0.1 s");
    for length_s in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e-300] {
        assert_eq!(drive.windows(length_s), [], "{length_s}");
    }
    assert_eq!(drive.windows(f64::MAX).len(), 1);
    let nobody = Drive { devices: Vec::new(), ..drive };
    assert_eq!((nobody.windows(60.0).len(), nobody.duration_s()), (0, 0.0));
}

#[test]
fn summary_finds_gaps_and_outages() {
    let summary = trace("a", &[(0.0, 4.0), (1.0, 0.0), (2.0, 0.0), (6.0, 2.0), (7.0, 8.0), (9.5, 4.0)]).summary();
    assert_eq!((summary.samples, summary.duration_s), (6, 9.5));
    assert_eq!((summary.mean_mbps, summary.median_mbps), (3.0, 3.0));
    assert_eq!((summary.least_mbps, summary.greatest_mbps), (0.0, 8.0));
    assert_eq!(summary.zero_share, 1.0 / 3.0);
    assert_eq!((summary.longest_gap_s, summary.longest_gap_at_s, summary.gaps), (4.0, 2.0, 1));

    let single = trace("a", &[(3.0, 5.0)]).summary();
    assert_eq!((single.median_mbps, single.duration_s, single.longest_gap_s, single.gaps), (5.0, 0.0, 0.0, 0));
    let nothing = trace("a", &[]).summary();
    assert_eq!((nothing.samples, nothing.mean_mbps, nothing.zero_share), (0, 0.0, 0.0));
    let regular = Trace { hold: Hold::Fixed { each_s: 1.0, last_s: 1.0 }, ..trace("a", &[(0.0, 1.0), (1.0, 1.0)]) };
    assert_eq!(regular.summary().duration_s, 2.0);
}

#[test]
fn files_that_overlap_are_one_drive_with_one_file_of_each_operator() {
    let folder = Folder::new();
    for (name, first, last) in [
        ("urban/1000_o2_ul.txt", 1010, 1300),
        ("urban/1002_vodafone_ul.txt", 1030, 1320),
        ("urban/1001_tmobile_ul.txt", 1015, 1310),
        ("urban/1330_o2_ul.txt", 1340, 1600),
        ("urban/1250_tmobile_ul.txt", 1335, 1590),
        ("campus/1003_o2_ul.txt", 1010, 1300),
        ("campus/2000_a_b_ul.txt", 2010, 2020),
        ("campus/odd.txt", 2010, 2020),
    ] {
        folder.write(name, recorded(first, last));
    }
    let recording = Recording::open(folder.path()).expect("good");
    let expected = [
        ("campus/1003", vec!["o2"]),
        ("campus/2000", vec!["a_b", "odd"]),
        ("urban/1000", vec!["o2", "tmobile", "vodafone"]),
        ("urban/1250", vec!["o2", "tmobile"]),
    ];
    assert_eq!(names(&recording), expected);
    assert_eq!(recording.drives[2].environment, "urban");
    let starts: Vec<_> = recording.drives[2].devices.iter().map(|device| device.samples[0].t_s.round()).collect();
    assert_eq!(starts, [0.0, 5.0, 20.0], "one clock, from the earliest sample");
}

#[test]
fn two_files_of_one_operator_never_share_a_drive() {
    let folder = Folder::new();
    folder.write("d/1_o2_ul.txt", recorded(100, 300));
    folder.write("d/2_o2_ul.txt", recorded(110, 300));
    folder.write("d/3_x_ul.txt", recorded(110, 310));
    let recording = Recording::open(folder.path()).expect("good");
    assert_eq!(names(&recording), [("d/1", vec!["o2"]), ("d/2", vec!["o2", "x"])]);
}

#[test]
fn a_file_goes_with_the_drive_it_shares_most_time_with() {
    // x begins while the first o2 is still recording, but runs along with the second.
    let folder = Folder::new();
    folder.write("d/1_o2_ul.txt", recorded(100, 200));
    folder.write("d/2_o2_ul.txt", recorded(210, 400));
    folder.write("d/3_x_ul.txt", recorded(190, 390));
    let recording = Recording::open(folder.path()).expect("good");
    assert_eq!(names(&recording), [("d/1", vec!["o2"]), ("d/2", vec!["o2", "x"])]);
}

#[test]
fn a_chain_of_overlaps_is_no_drive_unless_all_share_some_time() {
    let folder = Folder::new();
    folder.write("d/1_a_ul.txt", recorded(100, 200));
    folder.write("d/2_b_ul.txt", recorded(150, 300));
    folder.write("d/3_c_ul.txt", recorded(270, 400));
    let recording = Recording::open(folder.path()).expect("good");
    assert_eq!(names(&recording), [("d/1", vec!["a", "b"]), ("d/3", vec!["c"])]);
}

#[test]
fn files_of_other_formats_are_drives_of_their_own() {
    let folder = Folder::new();
    let a = folder.write("Bus_B57/bus57_1.csv", "1,Mbits/sec\n");
    let b = folder.write("lte/short.up", "0\n1000\n");
    let c = folder.write("lte/two.csv", "t_s,device,mbps\n0,x,1\n0,y,1\n");
    let recording = Recording::of_files(&[c, a, b], &ReadOptions::default()).expect("good");
    let expected = [("lte/two", vec!["x", "y"]), ("Bus_B57/bus57_1", vec!["bus57_1"]), ("lte/short", vec!["short"])];
    assert_eq!(names(&recording), expected);
}
