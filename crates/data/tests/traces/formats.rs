//! What the readers make of good files.

use data::trace::{Format, Hold, ReadOptions, Recording};

use crate::{Folder, pairs, read, samples, transfer};

#[test]
fn throughput_log_is_one_sample_a_second_in_any_unit() {
    let text = "4,Mbits/sec\n250,Kbits/sec\n0.00,bits/sec\n3000000,bits/sec\n1.5,Gbits/sec\n";
    let recording = read("Bus_1.csv", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 4.0), (1.0, 0.25), (2.0, 0.0), (3.0, 3.0), (4.0, 1500.0)]);
    let (drive, source) = (&recording.drives[0], &recording.sources[0]);
    let hold = Hold::Fixed { each_s: 1.0, last_s: 1.0 };
    assert_eq!((drive.devices[0].device.as_str(), drive.devices[0].hold), ("Bus_1", hold));
    assert_eq!(drive.duration_s(), 5.0);
    assert_eq!((source.format, source.lines, source.samples, source.left_out), (Format::ThroughputLog, 5, 5, 0));
    assert_eq!(source.bad.count, 0);
}

#[test]
fn throughput_log_may_have_empty_columns_behind_the_unit() {
    let recording = read("a.csv", "4.09,Mbits/sec,,,\n8.52,Mbits/sec,,,\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 4.09), (1.0, 8.52)]);
    assert_eq!(recording.sources[0].bad.count, 0);
}

#[test]
fn mahimahi_counts_packets_by_the_second() {
    // 2 packets in second 0, 1 in second 1, none in second 2, 3 in second 3, 2 in the half of second 4 that is there.
    let recording = read("a.up", "0\n999\n1000\n3000\n3000\n3999\n4000\n4500\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 0.024), (1.0, 0.012), (2.0, 0.0), (3.0, 0.036), (4.0, 0.048)]);
    let source = &recording.sources[0];
    assert_eq!((source.format, source.lines, source.samples, source.left_out), (Format::Mahimahi, 8, 5, 0));
    assert_eq!(recording.drives[0].duration_s(), 4.5);
    // All 8 packets in 4.5 s, and in windows as long as the part that they hold.
    let mean = |length_s| recording.drives[0].windows(length_s)[0].mbps[0];
    assert!((mean(10.0) - 8.0 * 0.012 / 4.5).abs() < 1e-12, "{}", mean(10.0));
    assert!((mean(2.0) - 0.018).abs() < 1e-12);
}

#[test]
fn csv_takes_columns_in_any_order_and_sorts_by_time() {
    let text = "note,mbps, device ,\"t_s\"\n,5,b,102\nx,1,\"a, \"\"one\"\"\",101\n,2.5,b,100.5\n,0,b,101\n";
    let recording = read("two.csv", text).expect("good");
    let [drive] = &recording.drives[..] else { panic!("one drive") };
    let names: Vec<_> = drive.devices.iter().map(|device| device.device.as_str()).collect();
    assert_eq!(names, ["a, \"one\"", "b"]);
    assert_eq!(pairs(&drive.devices[0].samples), [(0.5, 1.0)]);
    assert_eq!(pairs(&drive.devices[1].samples), [(0.0, 2.5), (0.5, 0.0), (1.5, 5.0)]);
    assert_eq!(drive.duration_s(), 1.5);
    assert_eq!((recording.sources[0].format, recording.sources[0].samples), (Format::Csv, 4));
}

#[test]
fn csv_times_may_lie_before_0() {
    let recording = read("a.csv", "t_s,device,mbps\n-3,a,1\n-1,a,2\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (2.0, 2.0)]);
}

#[test]
fn dds_rates_are_in_mbit_and_small_transfers_are_left_out() {
    let text = transfer(10.25, 1_544_432_936, 1.0, 4.0)
        + &transfer(20.5, 1_544_432_946, 0.1, 9.0)
        + &transfer(30.75, 1_544_432_957, 10.0, 0.0);
    let recording = read("1544432926_o2_ul.txt", text).expect("good");
    let samples = samples(&recording);
    assert_eq!(samples.len(), 2);
    assert_eq!(samples[0], (0.0, 4.0 * 1.048_576));
    assert!((samples[1].0 - 20.5).abs() < 1e-5 && samples[1].1 == 0.0, "{samples:?}");
    let source = &recording.sources[0];
    assert_eq!((source.format, source.lines, source.samples, source.left_out), (Format::DdsUplink, 3, 2, 1));
    assert_eq!(recording.drives[0].devices[0].device, "o2");
}

#[test]
fn dds_times_join_both_clocks() {
    // Both phones started at .5 of a second. Whole seconds alone would put these samples 1 s apart.
    let folder = Folder::new();
    let a = folder.write("100_a_ul.txt", transfer(10.0, 110, 1.0, 1.0) + &transfer(20.49, 120, 1.0, 1.0));
    let b = folder.write("100_b_ul.txt", transfer(10.51, 111, 1.0, 1.0) + &transfer(20.49, 120, 1.0, 1.0));
    let recording = Recording::of_files(&[a, b], &ReadOptions::default()).expect("good");
    let [drive] = &recording.drives[..] else { panic!("one drive") };
    let difference = drive.devices[1].samples[0].t_s - drive.devices[0].samples[0].t_s;
    assert!((difference - 0.51).abs() < 0.3, "{difference}");
}

#[test]
fn line_ends_byte_order_marks_and_blank_lines_do_not_matter() {
    let dds = transfer(1.0, 101, 1.0, 2.0) + &transfer(2.0, 102, 1.0, 3.0);
    let files = [
        ("a.csv", "4,Mbits/sec\n\n0,bits/sec\n"),
        ("a.up", "0\n1500\n2000\n"),
        ("a.csv", "t_s,device,mbps\n0,a,1\n1,a,2\n"),
        ("100_a_ul.txt", dds.as_str()),
    ];
    for (name, text) in files {
        let plain = read(name, text).expect("good");
        let changed = [
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.trim_end().to_owned(),
            format!("\u{feff}\r\n \t\r\n{}", text.trim_end().replace('\n', "\r\n")),
        ];
        for text in changed {
            let recording = read(name, &text).expect("good");
            assert_eq!(samples(&recording), samples(&plain), "{text:?}");
            assert_eq!(recording.sources[0].bad.count, 0);
        }
    }
}

#[test]
fn formats_are_told_by_content_alone() {
    for name in ["a.up", "a.csv", "a.txt", "a"] {
        let format = |text: &str| read(name, text).expect("good").sources[0].format;
        assert_eq!(format("1,Kbits/sec\n"), Format::ThroughputLog);
        assert_eq!(format("5\n1000\n"), Format::Mahimahi);
        assert_eq!(format("mbps,device,t_s\n1,a,1\n"), Format::Csv);
        assert_eq!(format(&transfer(1.0, 101, 1.0, 2.0)), Format::DdsUplink);
    }
    let names = Format::ALL.map(|format| format.to_string());
    let known =
        ["dds-uplink", "throughput-log", "mahimahi", "csv", "gnettrack", "pensieve", "hsdpa", "iperf3", "iperf3-json"];
    assert_eq!(names, known);
    assert_eq!(known.map(str::parse), Format::ALL.map(Ok));
}
