//! What the readers make of bad files.

use data::Quantity::{Payload, Rate, Time};
use data::Reason;
use data::limits::{KEPT_BAD_LINES, MAX_LINE_BYTES};
use data::trace::{Format, TraceError};

use crate::{kept, read, read_as, samples, transfer};

#[test]
fn a_second_of_a_throughput_log_with_a_bad_value_passes_all_the_same() {
    let text = "1,Mbits/sec\n-2,Mbits/sec\nNaN,Mbits/sec\ninf,Kbits/sec\n1000001,Mbits/sec\nx,bits/sec\n6,Mbits/sec\n";
    let recording = read("a.csv", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (6.0, 6.0)]);
    let expected = [
        (2, Reason::Negative(Rate)),
        (3, Reason::NotFinite(Rate)),
        (4, Reason::NotFinite(Rate)),
        (5, Reason::TooLarge(Rate)),
        (6, Reason::NotANumber(Rate)),
    ];
    assert_eq!(kept(&recording.sources[0]), expected);
}

#[test]
fn stray_lines_of_a_throughput_log_take_no_time() {
    let text = "# the bus\nBandwidth,Unit\n1,Mbits/sec\n- - - -\n5,bananas/sec\n7\n2,Mbits/sec\n# 9\n3,Mbits/sec\n4,Mbits/sec\n";
    let recording = read("a.csv", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]);
    let expected = [4, 5, 6].map(|line| (line, Reason::NoUnit));
    assert_eq!(kept(&recording.sources[0]), expected, "a header and comments are no bad lines");
    assert_eq!(recording.sources[0].bad.first[1].text, "5,bananas/sec");
}

#[test]
fn mahimahi_refuses_what_is_no_time_in_order() {
    let text = "0\n10\n5\n-1\n1.5\nten\n99999999999999\n18446744073709551616\n1000\n1000\n1500\n1600\n2000\n";
    let recording = read_as("a.up", text, Format::Mahimahi).expect("good");
    // The packet at 2000 ms counts in the second that ends with it, which is the last.
    assert_eq!(samples(&recording), [(0.0, 0.024), (1.0, 5.0 * 0.012)]);
    let source = &recording.sources[0];
    let expected = [
        (3, Reason::Backwards),
        (4, Reason::NotMilliseconds),
        (5, Reason::NotMilliseconds),
        (6, Reason::NotMilliseconds),
        (7, Reason::Jump),
    ];
    assert_eq!((kept(source), source.bad.count), (expected.to_vec(), 6));
}

#[test]
fn csv_refuses_what_is_no_measurement() {
    let long = "d".repeat(201);
    let text = format!(
        "t_s,device,mbps\n0,a,1\nsoon,a,1\nNaN,a,1\n1e12,a,1\n1,a\n1,a,1,1\n1,,1\n1,{long},1\n1,a\u{7},1\n1,a,-1\n2,a,3\n"
    );
    let recording = read("a.csv", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (2.0, 3.0)]);
    let source = &recording.sources[0];
    let expected = [
        (3, Reason::NotANumber(Time)),
        (4, Reason::NotFinite(Time)),
        (5, Reason::TooLarge(Time)),
        (6, Reason::Columns { found: 2, expected: 3 }),
        (7, Reason::Columns { found: 4, expected: 3 }),
    ];
    assert_eq!((kept(source), source.bad.count), (expected.to_vec(), 9));
    let names = read("a.csv", format!("t_s,device,mbps\n0,a,1\n1,,1\n1,{long},1\n1,a\u{7},1\n")).expect("good");
    assert_eq!(kept(&names.sources[0]), [3, 4, 5].map(|line| (line, Reason::DeviceName)));
}

#[test]
fn dds_refuses_what_is_no_transfer() {
    let good = transfer(10.0, 110, 1.0, 1.0);
    let mut text = good.clone();
    text += "1,2,3\n";
    text += &good.replace("10.00,", "ten,");
    text += &good.replace(",0,1,1,47", ",0,-1,1,47");
    text += &good.replace(",0,1,1,47", ",0,1,1e6,47");
    text += &good.replace(",110,", ",-110,");
    text += &transfer(12.0, 112, 1.0, 2.0);
    let recording = read("100_a_ul.txt", text).expect("good");
    let rates: Vec<_> = samples(&recording).iter().map(|sample| sample.1).collect();
    assert_eq!(rates, [1.048_576, 2.097_152]);
    let expected = [
        (2, Reason::Columns { found: 3, expected: 23 }),
        (3, Reason::NotANumber(Time)),
        (4, Reason::Negative(Payload)),
        (5, Reason::TooLarge(Rate)),
        (6, Reason::Negative(Time)),
    ];
    assert_eq!(kept(&recording.sources[0]), expected);
}

#[test]
fn dds_sorts_by_time_and_refuses_a_line_whose_clocks_disagree_with_most() {
    let text = transfer(30.0, 130, 1.0, 3.0)
        + &transfer(10.0, 110, 1.0, 1.0)
        + &transfer(15.0, 1_900_000_000, 1.0, 9.0)
        + &transfer(20.0, 120, 1.0, 2.0)
        + "stray\n";
    let recording = read("100_a_ul.txt", text).expect("good");
    let samples = samples(&recording);
    let times: Vec<_> = samples.iter().map(|sample| sample.0.round()).collect();
    assert_eq!(times, [0.0, 10.0, 20.0]);
    assert!(samples.is_sorted_by(|a, b| a.1 < b.1));
    let bad = &recording.sources[0].bad.first;
    assert_eq!((bad[0].line, bad[0].reason), (3, Reason::ClocksDisagree), "in order of lines");
    assert_eq!((bad[0].text.as_str(), bad[1].line), ("15.00,1900000000,...", 5));
}

#[test]
fn invalid_utf8_and_long_lines_are_bad_lines() {
    let mut bytes = b"1,Mbits/sec\n\xff\xfe\n0,Mbits/sec\n".to_vec();
    bytes.extend(vec![b'7'; 3 * MAX_LINE_BYTES]);
    bytes.extend(b"\n");
    bytes.extend(vec![b'8'; 10 * MAX_LINE_BYTES]);
    bytes.extend(b"\n2,Mbits/sec\n");
    bytes.extend(vec![b' '; MAX_LINE_BYTES - 11]);
    bytes.extend(b"3,Mbits/sec\r\n"); // as long as a line may be
    bytes.extend(vec![b' '; MAX_LINE_BYTES - 10]);
    bytes.extend(b"4,Mbits/sec\n"); // one byte longer
    let recording = read("a.csv", bytes).expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (3.0, 3.0)]);
    let source = &recording.sources[0];
    let expected = [(2, Reason::NotUtf8), (4, Reason::TooLong), (5, Reason::TooLong), (8, Reason::TooLong)];
    assert_eq!((source.lines, kept(source)), (8, expected.to_vec()));
    assert_eq!(source.bad.first[2].text, "8".repeat(40));
}

#[test]
fn only_the_first_bad_lines_are_kept_short_and_printable() {
    let bad = format!("\u{1b}[31m\u{202e}{}\n", "é".repeat(100));
    let recording = read("a.csv", format!("{}{}", "1,Mbits/sec\n".repeat(21), bad.repeat(20))).expect("good");
    let source = &recording.sources[0];
    assert_eq!((source.bad.count, source.bad.first.len()), (20, KEPT_BAD_LINES));
    for bad in &source.bad.first {
        assert_eq!(bad.text.chars().count(), 40);
        assert!(bad.text.starts_with("\\u{1b}[31m\\u{202e}éé"), "{}", bad.text);
    }
}

#[test]
fn a_file_without_a_usable_sample_says_what_was_found() {
    let small = transfer(10.0, 110, 0.1, 1.0) + &transfer(11.0, 111, 0.5, 1.0) + "stray\n";
    let files = [
        (small.as_str(), "dds-uplink, 3 lines, 0 samples, 2 measurements left out, 1 bad line (line 3: "),
        ("0\n0\n", "mahimahi, 2 lines, 0 samples, 2 measurements left out, no bad lines"),
        ("t_s,device,mbps\n", "csv, 1 line, 0 samples, 0 measurements left out, no bad lines"),
        ("-1,Mbits/sec\n", "throughput-log, 1 line, 0 samples, 0 measurements left out, 1 bad line (line 1: "),
    ];
    for (text, expected) in files {
        let error = read("a.txt", text).expect_err("nothing to use");
        assert!(matches!(error, TraceError::NoSamples { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn files_that_are_no_traces_say_how_they_begin() {
    for text in ["", "\n\r\n \n", "\u{feff}"] {
        assert!(matches!(read("a.csv", text), Err(TraceError::Empty { .. })), "{text:?}");
    }
    let error = read("a.csv", "\n# My data\nand\u{0}more\n").expect_err("no trace");
    assert!(matches!(&error, TraceError::UnknownFormat { text, .. } if text == "# My data"), "{error}");
    assert!(matches!(read("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0"), Err(TraceError::UnknownFormat { .. })));
    let missing = data::trace::Recording::open(std::path::Path::new("/no/such/file"));
    assert!(matches!(missing, Err(TraceError::Unreadable { .. })));
}
