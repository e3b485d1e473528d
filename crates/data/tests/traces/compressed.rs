//! Files that gzip made.

use std::io::Write as _;

use data::task_sizes;
use data::trace::{Recording, TraceError};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Folder, pairs, read, transfer};

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_bytes()).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

#[test]
fn every_format_is_read_compressed_as_it_is_read_plain() {
    let files = [
        ("a.csv", "t_s,device,mbps\n0,a,1\n1,b,2\n".to_owned()),
        ("b.csv", "t_s,mbps\n0,1\n60,2\n".to_owned()),
        ("c.csv", "Timestamp,UL_bitrate\n2024.01.01_10.00.00,900\n".to_owned()),
        ("d.up", "0\n500\n".to_owned()),
        ("e.log", "1,Mbits/sec\n".to_owned()),
        ("100_o2_ul.txt", transfer(1.0, 101, 1.0, 2.0)),
        ("f", "0 3\n30 4\n".to_owned()),
        ("g.log", "1300000000 0 59.9 10.7 250000 1000\n".to_owned()),
        ("h.txt", "[  5] 0.00-1.00   sec  1.25 MBytes  8.5 Mbits/sec\n".to_owned()),
        ("i.json", "{\"intervals\": [{\"sum\": {\"start\": 0, \"end\": 1, \"bits_per_second\": 5}}]}".to_owned()),
    ];
    for (name, content) in files {
        let devices = |recording: &Recording| -> Vec<_> {
            recording.drives[0].devices.iter().map(|device| (device.device.clone(), pairs(&device.samples))).collect()
        };
        let plain = read(name, &content).expect("good");
        for name in [format!("{name}.gz"), name.to_owned()] {
            let packed = read(&name, gzip(&content)).expect("good");
            assert_eq!(devices(&packed), devices(&plain), "{name}");
            assert_eq!(packed.sources[0].format, plain.sources[0].format);
        }
    }
}

#[test]
fn several_members_are_one_file_and_a_damaged_one_is_an_error() {
    let both = [gzip("t_s,device,mbps\n0,a,1\n"), gzip("5,a,2\n")].concat();
    assert_eq!(read("a.csv.gz", &both).expect("good").sources[0].samples, 2);
    let error = read("a.csv.gz", &both[..both.len() - 5]).expect_err("cut off");
    assert!(matches!(error, TraceError::Unreadable { .. }), "{error}");
    assert!(matches!(read("a.csv.gz", [0x1f, 0x8b]), Err(TraceError::Unreadable { .. })));
}

#[test]
fn limits_hold_for_the_bytes_that_come_out() {
    // A line of 100 MB takes 100 kB compressed, and no more memory than any other line that is too long.
    let long = format!("t_s,device,mbps\n0,a,1\n{}\n1,a,2\n", "9".repeat(100_000_000));
    let recording = read("a.csv.gz", gzip(&long)).expect("good");
    assert_eq!((recording.sources[0].samples, recording.sources[0].bad.count), (2, 1));
}

#[test]
fn task_sizes_are_read_compressed_too() {
    let folder = Folder::new();
    let path = folder.write("sizes.gz", gzip("12.5\n30\n"));
    assert_eq!(task_sizes(&path).expect("two sizes").sizes_mb, [12.5, 30.0]);
}
