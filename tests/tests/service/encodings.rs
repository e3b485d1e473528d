//! Bodies that come compressed.

use std::io::Write;
use std::thread;

use acceptance::Workshop;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Answer, SIZES, Service, lines, shipped};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// Compressed spaces, which take a thousandth of their length.
fn bomb(megabytes: usize) -> Vec<u8> {
    let (mut encoder, spaces) = (GzEncoder::new(Vec::new(), Compression::best()), vec![b' '; 1 << 20]);
    for _ in 0..megabytes {
        encoder.write_all(&spaces).expect("memory takes it");
    }
    encoder.finish().expect("memory takes it")
}

fn post(service: &Service, encoding: &str, body: &[u8]) -> Answer {
    let request = service.agent.post(service.url("/v1/decide")).header("Content-Type", "application/json");
    Service::answer(request.header("Content-Encoding", encoding).send(body))
}

#[test]
fn a_compressed_body_is_answered_as_the_same_body_without_compression() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let one = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let many = format!("{{\"workloads\": [{}]}}", lines(2000).join(","));
    for body in [&one, &many] {
        let expected = service.post("/v1/decide", body).json();
        for encoding in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
            assert_eq!(post(&service, encoding, &gzip(body.as_bytes())).json(), expected, "{encoding}");
        }
        assert_eq!(post(&service, "identity", body.as_bytes()).json(), expected);
        // Files of gzip that are joined are one file.
        let (begin, end) = body.as_bytes().split_at(body.len() / 2);
        assert_eq!(post(&service, "gzip", &[gzip(begin), gzip(end)].concat()).json(), expected);
    }
    let change = service.agent.put(service.url("/v1/environment")).header("Content-Type", "application/json");
    let changed = change.header("Content-Encoding", "gzip").send(gzip(br#"{"alpha": 0.25}"#).as_slice());
    assert_eq!(Service::answer(changed).json()["environment"]["alpha"], 0.25);
    // A mistake in it is named as in a body without compression.
    let wrong = gzip(br#"{"tasks_mb": [[1, 1, 1], [1, "2", 1], [1, 1, 1]]}"#);
    post(&service, "gzip", &wrong).refused(400, &["\"field\":\"tasks_mb[1][1]\""]);
}

/// Files that shells of Windows wrote are sent as they are.
#[test]
fn a_body_may_begin_with_a_mark_or_be_in_utf_16() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let expected = service.post("/v1/decide", &body).json();
    let marked = format!("\u{feff}{body}");
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for bytes in [marked.as_bytes().to_vec(), little(&marked), little(&body)] {
        assert_eq!(post(&service, "identity", &bytes).json(), expected);
        assert_eq!(post(&service, "gzip", &gzip(&bytes)).json(), expected);
    }
    post(&service, "identity", b"\xff\xfe{\0\x00\xd8}\0").refused(400, &["not text in UTF-8 or UTF-16"]);
}

#[test]
fn an_unknown_encoding_is_refused_with_those_that_are_known() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    for encoding in ["br", "deflate", "zstd", "gzip, gzip"] {
        let answer = post(&service, encoding, body.as_bytes());
        answer.refused(415, &["Content-Encoding must be gzip or identity"]);
        assert_eq!(answer.headers["accept-encoding"], "gzip, identity");
    }
    // The answer to another type of content says nothing about encodings.
    let plain = Service::answer(service.agent.post(service.url("/v1/decide")).send(body.as_str()));
    plain.refused(415, &["application/json"]);
    assert!(!plain.headers.contains_key("accept-encoding"));
}

#[test]
fn a_body_that_is_not_what_its_header_says_is_refused() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let good = gzip(body.as_bytes());
    let mut other_checksum = good.clone();
    let last = other_checksum.len() - 5;
    other_checksum[last] ^= 1;
    let mut other_data = good.clone();
    other_data[12] ^= 0xff;
    for (encoded, part) in [
        (body.as_bytes(), "cannot be decompressed"),
        (b"", "cannot be decompressed"),
        (&good[..2], "cannot be decompressed"),
        (&good[..good.len() / 2], "it ends too early"),
        (&good[..good.len() - 1], "it ends too early"),
        (&other_checksum, "cannot be decompressed"),
        (&other_data, "cannot be decompressed"),
        (&[&good, &b"and more"[..]].concat(), "cannot be decompressed"),
    ] {
        post(&service, "gzip", encoded).refused(400, &["compressed with gzip", part]);
    }
    let request = service.agent.post(service.url("/v1/decide")).header("Content-Type", "application/json");
    Service::answer(request.send(&good)).refused(400, &["Content-Encoding must say so"]);
    assert_eq!(post(&service, "gzip", &good).status, 200);
}

/// The limit is that of a body without compression, whatever it expands to.
#[test]
fn what_expands_beyond_the_limit_is_cut_off() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let padded = |bytes: usize| gzip(&[" ".repeat(bytes - body.len()).as_bytes(), body.as_bytes()].concat());
    assert_eq!(post(&service, "gzip", &padded(8 << 20)).status, 200);
    post(&service, "gzip", &padded((8 << 20) + 1)).refused(413, &["longer than 8388608 bytes"]);
    // Many at the same time, of 64 MiB each: 413, or 503 where all bodies together are too long.
    let bomb = bomb(64);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let answer = post(&service, "gzip", &bomb);
                answer.refused(if answer.status == 503 { 503 } else { 413 }, &[]);
            });
        }
    });
    assert_eq!(post(&service, "gzip", &gzip(body.as_bytes())).status, 200);
    let metrics = service.get("/metrics").text;
    let memory = metrics.lines().find_map(|line| line.strip_prefix("mrdro_resident_memory_bytes "));
    let memory: f64 = memory.expect("it is measured").parse().expect("a number");
    assert!(memory < 200e6, "{memory} bytes");
}
