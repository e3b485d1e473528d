//! Connections that are slow, idle, or open when the service ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use acceptance::Workshop;

use crate::{PATIENCE, SIZES, Service, shipped};

/// Requests that began before the signal are answered after it; later connections are refused.
#[test]
fn it_answers_what_it_accepted_before_it_ends() {
    let workshop = Workshop::new();
    let mut service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let mut stream = service.connect();
    let head = format!(
        "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it listens");
    stream.write_all(&body.as_bytes()[..10]).expect("it listens");
    thread::sleep(Duration::from_millis(200));
    service.signal("-TERM");
    assert_eq!(service.next_line(), "ending: requests under way are still answered\n");
    // For a moment it goes on, and says that it will not be for long.
    service.get("/readyz").refused(503, &["ending"]);
    let begin = Instant::now();
    while TcpStream::connect(service.address).is_ok() {
        assert!(begin.elapsed() < PATIENCE, "it goes on listening");
        thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(&body.as_bytes()[10..]).expect("it still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it still answers");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("placements"), "{answer}");
    let (status, said) = service.wait();
    assert!(status.success() && said.is_empty(), "{said}");
}

#[test]
fn half_sent_bodies_slow_clients_and_idle_connections_disturb_nobody() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let expected = service.post("/v1/decide", &body).json();
    let idle: Vec<_> = (0..1000).map(|_| service.connect()).collect();
    // Half a head, half a body, a body of no length that goes on and on, nonsense.
    let mut slow: Vec<_> = (0..50).map(|_| service.connect()).collect();
    for (index, stream) in slow.iter_mut().enumerate() {
        let begun = [
            "POST /v1/dec".to_owned(),
            "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{".to_owned(),
            format!(
                "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n{}\r\n",
                " ".repeat(0x4000)
            ),
            "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        ];
        let _ = stream.write_all(begun[index % begun.len()].as_bytes());
    }
    let begin = Instant::now();
    for _ in 0..200 {
        assert_eq!(service.post("/v1/decide", &body).json(), expected);
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    // Those that stop in the middle of a body are told so.
    let mut answer = [0; 12];
    slow[1].read_exact(&mut answer).expect("an answer within the limit");
    assert_eq!(&answer, b"HTTP/1.1 408");
    drop((idle, slow));
    assert_eq!(service.post("/v1/decide", &body).json(), expected);
    let (status, said) = service.end();
    assert!(status.success(), "{said}");
}
