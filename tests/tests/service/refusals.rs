//! Requests that are refused, with the reason.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::Workshop;

use crate::{PATIENCE, SIZES, Service, shipped};

#[test]
fn what_makes_no_sense_is_refused_with_field_and_reason() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let good = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let second = |workload: &str| format!(r#"{{"workloads": [{good}, {workload}]}}"#);
    for (body, status, parts) in [
        ("", 400, &["is not a valid request"][..]),
        ("{", 400, &["line 1 column 1"]),
        ("[]", 400, &["is not a valid request", "an object"]),
        (
            r#"{"workloads": [[7, [[1, 1, 1], [1, 1, 1], [1, 1, 1]]]]}"#,
            400,
            &["an object", "\"field\":\"workloads[0]\""],
        ),
        (r#"{"workloads": [{"id": 1}]}"#, 400, &["\"field\":\"workloads[0]\"", "missing field `tasks_mb`"]),
        (r#"{"workloads": 7}"#, 400, &["\"field\":\"workloads\"", "expected a sequence"]),
        (
            r#"{"tasks_mb": [[1, 1, 1], [1, "2", 1], [1, 1, 1]]}"#,
            400,
            &["\"field\":\"tasks_mb[1][1]\"", "expected a number or null at line 1 column 32"],
        ),
        (
            &second(r#"{"tasks_mb": [[1, 1, 1], [1, 1, 1], 5]}"#),
            400,
            &["\"workloads[1].tasks_mb[2]\"", "array of sizes or null"],
        ),
        (
            &second(&good.replace('}', r#", "environment": {"alpha": []}}"#)),
            400,
            &["\"workloads[1].environment.alpha\""],
        ),
        (
            &good.replace('}', r#", "environment": {"uplink_mbps": "fast"}}"#),
            400,
            &["\"field\":\"environment.uplink_mbps\"", "must be a number or an array of numbers"],
        ),
        (&good.replace('}', r#", "explain": 1}"#), 400, &["\"field\":\"explain\"", "expected a boolean"]),
        (&good.replace('}', "}]"), 400, &["trailing characters"]),
        ("{}", 422, &["tasks_mb", "either"]),
        (r#"{"tasks_mb": [[1]]}"#, 422, &["tasks_mb has 1 row,", "\"field\":\"tasks_mb\""]),
        (r#"{"tasks_mb": [[1], [1, 1, 1, 1], [1]]}"#, 422, &["\"field\":\"tasks_mb[1]\"", "device 1 has 4 tasks"]),
        (
            r#"{"tasks_mb": [[1, 1, 1], [1, 1, -1], [1, 1, 1]]}"#,
            422,
            &["\"field\":\"tasks_mb[1][2]\"", "must have a size above 0 MB"],
        ),
        (
            r#"{"tasks_mb": [[1, 1, 1e999], [1, 1, 1], [1, 1, 1]]}"#,
            400,
            &["\"field\":\"tasks_mb[0][2]\"", "number out of range"],
        ),
        (r#"{"workloads": []}"#, 422, &["\"field\":\"workloads\""]),
        (r#"{"workloads": [{"tasks_mb": []}]}"#, 422, &["\"field\":\"workloads[0].tasks_mb\""]),
        (&good.replace('}', r#", "scheme": "magic"}"#), 422, &["\"field\":\"scheme\"", "local-search"]),
        (&good.replace('}', r#", "sheme": "exact"}"#), 400, &["\"field\":\"sheme\"", "unknown field"]),
        (&good.replace('}', r#", "environment": {"uplink_mbps": -1}}"#), 422, &["\"field\":\"environment\""]),
        (&good.replace('}', r#", "workloads": []}"#), 422, &["either"]),
        (&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), 400, &["is not a valid request"]),
    ] {
        service.post("/v1/decide", body).refused(status, parts);
    }
    let many = format!(r#"{{"workloads": [{}]}}"#, vec![good.as_str(); 10_001].join(","));
    service.post("/v1/decide", &many).refused(422, &["1 to 10000 workloads"]);
    let named = good.replacen('{', &format!(r#"{{"id": "{}", "#, "x".repeat(2000)), 1);
    service.post("/v1/decide", &named).refused(422, &["\"field\":\"id\""]);
    service.post("/v1/decide", &second(&named)).refused(422, &["\"field\":\"workloads[1].id\""]);
    // What is wrong is not sent back whole, however long it is.
    for long in
        [format!(r#"{{"{}": 1}}"#, "é".repeat(1 << 20)), format!(r#"{{"tasks_mb": "{}"}}"#, "é".repeat(1 << 20))]
    {
        let answer = service.post("/v1/decide", &long);
        answer.refused(400, &["is not a valid request", "é", "at line 1 column"]);
        assert!(answer.text.len() < 2000, "{}", answer.text.len());
    }
    service.post("/v1/decide", &" ".repeat(9 << 20)).refused(413, &["longer than"]);
    let plain = Service::answer(service.agent.post(service.url("/v1/decide")).send(good.as_str()));
    plain.refused(415, &["application/json"]);
    service.get("/v1/decide").refused(405, &[]);
    service.get("/nothing").refused(404, &["openapi.json"]);
    service.get("/v1/drive").refused(404, &["--drive"]);
    // All of it is counted, and nothing of it said.
    let metrics = service.get("/metrics").text;
    assert!(metrics.contains("mrdro_requests_total{endpoint=\"decide\",status=\"422\"}"), "{metrics}");
    let (status, said) = service.end();
    assert!(status.success());
    assert_eq!(said, "ending: requests under way are still answered\n");
}

#[test]
fn more_than_may_wait_is_refused_at_once() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--max-waiting", "10"]);
    let workload = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let many = |count: usize| format!(r#"{{"workloads": [{}]}}"#, vec![workload.as_str(); count].join(","));
    service.post("/v1/decide", &many(11)).refused(422, &["1 to 10 workloads"]);
    // Several that would fit by themselves, until they come together.
    let (seen, end) = (AtomicBool::new(false), Instant::now() + PATIENCE);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !seen.load(Ordering::Relaxed) && Instant::now() < end {
                    let answer = service.post("/v1/decide", &many(10));
                    if answer.status != 200 {
                        answer.refused(503, &["try again"]);
                        assert_eq!(answer.headers["retry-after"], "1");
                        seen.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(seen.into_inner(), "eight times as many as may wait always found room");
    assert_eq!(service.post("/v1/decide", &many(10)).status, 200, "and then there is room again");
}

/// Whoever sends a long body before it reads anything is told all the same why it is refused.
#[test]
fn a_refusal_reaches_who_is_still_sending() {
    const LENGTH: usize = 20 << 20;
    const JSON: &str = "Host: localhost\r\nContent-Type: application/json\r\n";
    let workshop = Workshop::new();
    workshop.write("token", "correct-horse\n");
    let record = shipped("mobile");
    let open = Service::start(&workshop, &record, &[]);
    let closed = Service::start(&workshop, &record, &["--token-file", "token"]);
    let begin = |service: &Service, request: &str, headers: &str| {
        let mut stream = service.connect();
        let head = format!("{request} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it listens");
        stream
    };
    let read = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    };
    let body = vec![b' '; LENGTH];
    let wrong_token = format!("{JSON}Authorization: Bearer wrong\r\n");
    let other_origin = format!("{JSON}Origin: https://evil.example\r\n");
    for (service, request, headers, status) in [
        (&closed, "POST /v1/decide", wrong_token.as_str(), 401),
        (&open, "POST /v1/decide", other_origin.as_str(), 403),
        (&open, "POST /nothing", JSON, 404),
        (&open, "POST /v1/scenario", JSON, 405),
        (&open, "POST /v1/decide", JSON, 413),
        (&open, "PUT /v1/environment", "Host: localhost\r\n", 415),
        (&open, "POST /v1/decide", "Host: rebound.example\r\n", 421),
    ] {
        let mut stream = begin(service, request, headers);
        stream.write_all(&body).unwrap_or_else(|error| panic!("{request}, {status}: {error}"));
        let answer = read(stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains(&format!("\"status\":{status}")),
            "{answer}"
        );
    }
    // The service does not wait for a body that does not come, and does not ask a client to send one that it refuses.
    let (now, slow) = (Instant::now(), begin(&open, "POST /nothing", JSON));
    assert!(read(slow).starts_with("HTTP/1.1 404 "));
    assert!(now.elapsed() < Duration::from_secs(8), "{:?}", now.elapsed());
    for request in ["POST /nothing", "POST /v1/decide"] {
        let answer = read(begin(&open, request, &format!("{JSON}Expect: 100-continue\r\n")));
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}
