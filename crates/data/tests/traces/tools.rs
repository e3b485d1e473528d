//! What measuring tools and published data sets write.

use data::trace::{Format, Recording, TraceError};

use crate::{Folder, read, samples};

#[test]
fn gnettrack_gives_the_uplink() {
    let text = "Timestamp,Longitude,Operatorname,NetworkMode,DL_bitrate,UL_bitrate,State\n\
                2019.12.16_13.40.04,-8.39,B,5G,20000,900,D\n2019.12.16_13.40.05,-8.39,B,LTE,20010,-,D\n\
                2019.12.16_13.41.04,-8.39,B,5G,20020,1500,D\n";
    let recording = read("driving.csv", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 0.9), (60.0, 1.5)]);
    let source = &recording.sources[0];
    assert_eq!((source.format, source.left_out, source.bad.count), (Format::GNetTrack, 1, 0));
    assert_eq!(recording.drives[0].devices[0].device, "driving");
}

#[test]
fn pensieve_is_seconds_and_rates() {
    let recording = read("trace_5", "0.5\t3\n30.5  4\n# note\n60.5 5e-1\n90.5\t6\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 3.0), (30.0, 4.0), (60.0, 0.5), (90.0, 6.0)]);
    assert_eq!((recording.sources[0].format, recording.sources[0].bad.count), (Format::Pensieve, 0));
    let recording = read("trace_5", "seconds mbps\n0 1\n1 2 3\n1 -1\n2 2\n3 3\n").expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (2.0, 2.0), (3.0, 3.0)]);
    assert_eq!(recording.sources[0].bad.count, 2);
}

#[test]
fn hsdpa_rates_are_bytes_over_the_milliseconds_before_the_time() {
    let text = "1289406399 549893 59.85 10.78 248456 990\n1289406400 550893 59.85 10.78 125000 1000\n\
                1289406401 551393 59.85 10.78 125000 500\n1289406402 552000 59.85 10.78 0 0\n";
    let recording = read("report.log", text).expect("good");
    let found = samples(&recording);
    let expected = [(0.0, 248_456.0 * 8.0 / 990.0 / 1000.0), (0.99, 1.0), (1.99, 2.0)];
    assert_eq!(found.len(), 3);
    for (found, expected) in found.iter().zip(expected) {
        assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-9, "{found:?} {expected:?}");
    }
    assert_eq!((recording.sources[0].format, recording.sources[0].bad.count), (Format::Hsdpa, 1));
    assert!((recording.drives[0].duration_s() - 2.49).abs() < 1e-6, "the last bytes took half a second");
}

const IPERF3: &str = "Connecting to host 10.0.0.1, port 5201
[  5] local 10.0.0.2 port 40000 connected to 10.0.0.1 port 5201
[ ID] Interval           Transfer     Bitrate         Retr  Cwnd
[  5]   0.00-1.00   sec  1.25 MBytes  99.0 Mbits/sec    0    102 KBytes       (omitted)
[  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    0    102 KBytes
[  5]   1.00-2.00   sec   128 KBytes  1050 Kbits/sec    2    102 KBytes
[  5]   2.00-2.50   sec  0.00 Bytes  0.00 bits/sec    1   1.39 KBytes
- - - - - - - - - - - - - - - - - - - - - - - - -
[ ID] Interval           Transfer     Bitrate         Retr
[  5]   0.00-2.50   sec  1.38 MBytes  4.62 Mbits/sec    3             sender
[  5]   0.00-2.54   sec  1.25 MBytes  4.13 Mbits/sec                  receiver

iperf Done.
";

#[test]
fn iperf3_text_is_read_with_all_that_it_prints() {
    let recording = read("test.txt", IPERF3).expect("good");
    assert_eq!(samples(&recording), [(0.0, 10.5), (1.0, 1.05), (2.0, 0.0)]);
    let source = &recording.sources[0];
    assert_eq!((source.format, source.left_out, source.bad.count), (Format::Iperf3, 1, 0), "{source}");
    assert_eq!(recording.drives[0].duration_s(), 2.5);
    let table = "[ ID] Interval           Transfer     Bitrate\n[  5] 0.00-1.00   sec  1.25 MBytes  8.5 Mbits/sec\n";
    assert_eq!(samples(&read("a", table).expect("good")), [(0.0, 8.5)]);
}

#[test]
fn iperf3_streams_count_by_their_sum_and_the_sent_direction() {
    let text = "[  5]   0.00-1.00   sec  1 MBytes  1.00 Mbits/sec\n[  7]   0.00-1.00   sec  1 MBytes  2.00 Mbits/sec\n\
                [SUM]   0.00-1.00   sec  1 MBytes  3.01 Mbits/sec\n- - - -\n\
                [  5]   1.00-2.00   sec  1 MBytes  1.00 Mbits/sec\n[  7]   1.00-2.00   sec  1 MBytes  2.00 Mbits/sec\n\
                [SUM]   1.00-2.00   sec  1 MBytes  3.02 Mbits/sec\n";
    assert_eq!(samples(&read("a", text).expect("good")), [(0.0, 3.01), (1.0, 3.02)]);
    let no_sum: String = text.lines().filter(|line| !line.contains("SUM")).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(samples(&read("a", no_sum).expect("good")), [(0.0, 3.0), (1.0, 3.0)]);
    let both = "[ ID][Role] Interval           Transfer     Bitrate\n[  5][TX-C]   0.00-1.00   sec  1 MBytes  1.00 MBytes/sec\n[  7][RX-C]   0.00-1.00   sec  1 MBytes  9.00 Mbits/sec\n";
    let recording = read("a", both).expect("good");
    assert_eq!((samples(&recording), recording.sources[0].bad.count), (vec![(0.0, 8.388_608)], 0));
    let stamped = "Fri May  3 10:00:00 2024 Connecting to host a, port 5201\nFri May  3 10:00:01 2024 [  5]   0.00-1.00   sec  1 MBytes  1.00 Mbits/sec\n";
    let recording = read("a", stamped).expect("good");
    assert_eq!((samples(&recording), recording.sources[0].bad.count), (vec![(0.0, 1.0)], 0));
}

#[test]
fn iperf3_lines_that_make_no_sense_are_bad() {
    let text = "[  5]   0.00-1.00   sec  1 MBytes  1.00 Mbits/sec\n[  5]   1.00-2.00   sec  1 MBytes  fast Mbits/sec\n\
                [  5]   0.50-1.50   sec  1 MBytes  1.00 Mbits/sec\n[  5]   2.00-3.00   sec  1 MBytes  1.00 Mfoo/sec\n\
                what is this\n[  5]   4.00-5.00   sec  1 MBytes  2.00 Mbits/sec\n[  5]   5.00-6.00   sec  1 MBytes  2.00 Mbits/sec\n";
    let recording = read("a", text).expect("good");
    assert_eq!(samples(&recording), [(0.0, 1.0), (4.0, 2.0), (5.0, 2.0)]);
    assert_eq!(recording.sources[0].bad.count, 4);
}

fn iperf3_json(intervals: &str) -> Result<Recording, TraceError> {
    read(
        "t.json",
        format!(
            "{{\n\t\"start\":\t{{\"version\": \"iperf 3.9\"}},\n\t\"intervals\":\t[{intervals}],\n\t\"end\":\t{{}}\n}}\n"
        ),
    )
}

#[test]
fn iperf3_json_gives_the_sum_of_each_interval() {
    let interval = |start: f64, end: f64, bps: f64, omitted: bool| {
        format!(
            "{{\"streams\": [{{\"socket\": 5, \"start\": 9}}], \"sum\": {{\"start\": {start}, \"end\": {end}, \"seconds\": 1, \
             \"bytes\": 7, \"bits_per_second\": {bps}, \"omitted\": {omitted}}}}}"
        )
    };
    let all = [
        interval(0.0, 1.0, 9e6, true),
        interval(1.0, 2.0, 4e6, false),
        interval(2.0, 2.25, 1e6, false),
        interval(3.0, 4.0, -1.0, false),
    ];
    let recording = iperf3_json(&all.join(", ")).expect("good");
    assert_eq!(samples(&recording), [(0.0, 4.0), (1.0, 1.0)]);
    let source = &recording.sources[0];
    assert_eq!((source.format, source.left_out, source.bad.count), (Format::Iperf3Json, 1, 1));
    assert_eq!(recording.drives[0].duration_s(), 1.25);
    assert!(matches!(iperf3_json(""), Err(TraceError::NoSamples { .. })));
    let error = iperf3_json("{\"sum\": 5}").expect_err("no interval");
    assert!(matches!(error, TraceError::NotIperf3 { .. }), "{error}");
    let cut_off = read("t.json", "{\"start\": {\"version\": \"iperf 3.9\"}, \"intervals\": [");
    assert!(matches!(cut_off, Err(TraceError::NotIperf3 { .. })));
}

#[test]
fn json_that_is_something_else_is_no_trace() {
    let folder = Folder::new();
    for text in ["{\"workflow\": {}}", "{\"a\": [1, 2]}", "[1, 2]"] {
        let path = folder.write("a.json", text);
        assert!(matches!(Recording::open(&path), Err(TraceError::UnknownFormat { .. })), "{text}");
    }
}
