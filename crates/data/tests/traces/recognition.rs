//! Which format a file has, and what is said of files that have none.

use data::trace::{Format, TraceError};

use crate::{read, read_as, samples};

#[test]
fn the_reason_for_a_format_is_told() {
    for (text, format, why) in [
        ("t_s,device,mbps\n0,a,1\n", Format::Csv, "its header names"),
        ("time_s,device,mbps\n0,a,1\n", Format::Csv, "its header names"),
        (
            "1,Mbits/sec\nnothing\n2,Mbits/sec\n",
            Format::ThroughputLog,
            "2 of its first 3 lines of data are a value and a unit",
        ),
        ("0\n3\n1000\n", Format::Mahimahi, "3 of its first 3 lines of data are whole milliseconds"),
    ] {
        let recording = read("a", text).expect("good");
        let source = &recording.sources[0];
        assert_eq!(source.format, format);
        assert!(source.why.contains(why), "{}", source.why);
    }
}

#[test]
fn most_lines_must_have_a_format() {
    assert_eq!(read("a", "1,Mbits/sec\nwords\n").expect("half").sources[0].format, Format::ThroughputLog);
    for text in ["5\nwords\n", "1,Mbits/sec\nwords\nwords\n", "0\n9\n5\n4\n", "3 4\n2 4\n1 4\n", "# 1\n# 2\n"] {
        let error = read("a", text).expect_err("too few lines");
        assert!(matches!(error, TraceError::UnknownFormat { .. }), "{error}");
    }
}

#[test]
fn a_zip_archive_is_named_with_the_formats_that_were_tried() {
    let zip = [&b"PK\x03\x04\x14\0\0\0"[..], b"\n12\n13\n14\n15\n16\n"].concat();
    let error = read("sizes.zip", zip).expect_err("no text").to_string();
    for part in ["sizes.zip", "a zip archive", "mahimahi", "iperf3-json", "time_s,device,mbps"] {
        assert!(error.contains(part), "{error}");
    }
    let error = read("a.bin", b"7\n8\n9\n\0\n").expect_err("no text").to_string();
    assert!(error.contains("it is no text"), "{error}");
}

#[test]
fn a_format_that_is_named_is_taken() {
    let text = "1 5\n0 6\n2 7\n1.5 8\n0.5 9\n";
    assert!(matches!(read("a.txt", text), Err(TraceError::UnknownFormat { .. })), "times run backwards");
    let recording = read_as("a.txt", text, Format::Pensieve).expect("named");
    assert_eq!(samples(&recording), [(0.0, 6.0), (0.5, 9.0), (1.0, 5.0), (1.5, 8.0), (2.0, 7.0)]);
    assert_eq!(recording.sources[0].why, "you named the format");
    assert!(matches!(read_as("a.txt", "0,1\n", Format::Csv), Err(TraceError::UnknownFormat { .. })));
    assert!(matches!(read_as("a.txt", "words\n", Format::Mahimahi), Err(TraceError::NoSamples { .. })));
    let error = "list".parse::<Format>().expect_err("no format").to_string();
    assert!(error.contains("pensieve, hsdpa"), "{error}");
}

#[test]
fn numbers_that_are_sizes_are_no_packet_times() {
    for text in ["size_mb\n10\n20\n35\n", "# sizes in MB\n10\n20\n35\n", "10\n12.5\n20\n30\n45\n", "MB\n1\n2\n"] {
        assert!(matches!(read("a", text), Err(TraceError::UnknownFormat { .. })), "{text:?}");
    }
    for text in ["ms\n10\n20\n35\n", "# packets\n10\n20\n35\n"] {
        assert_eq!(read("a", text).expect("a packet trace").sources[0].format, Format::Mahimahi);
    }
    let one_slip = (1..100).map(|ms: u32| ms.to_string() + "\n").collect::<String>() + "12.5\n101\n";
    assert_eq!(read("a", one_slip).expect("a packet trace").sources[0].bad.count, 1);
}
