//! The decision service from outside: its answers, its refusals, and the failures that it survives.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::Workshop;
use burn::tensor::Device;
use model::Record;
use model::fleet::{self, FleetNetworks};
use serde_json::{Value, json};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// As long as anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);
const SIZES: &str = "[[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]";

/// A service at work, which ends with the test.
struct Service {
    child: Child,
    address: SocketAddr,
    said: BufReader<ChildStderr>,
    agent: ureq::Agent,
    scheme: &'static str,
}

/// An answer of the service.
struct Answer {
    status: u16,
    headers: ureq::http::HeaderMap,
    text: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The request was refused as RFC 9457 has it.
    #[track_caller]
    fn refused(&self, status: u16, parts: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for part in parts {
            assert!(self.text.contains(part), "`{part}` is not named: {}", self.text);
        }
    }
}

impl Service {
    /// Serves a record; `workshop` is where it is started.
    fn start(workshop: &Workshop, record: &str, more: &[&str]) -> Self {
        Self::start_with(workshop.command(), record, more, "http", ureq::Agent::config_builder())
    }

    fn start_with(
        mut command: Command,
        record: &str,
        more: &[&str],
        scheme: &'static str,
        config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>,
    ) -> Self {
        command.args(["serve", "--record", record]).args(more);
        if !more.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program was built before");
        let mut said = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it is text");
        let address = line.split_once("://").and_then(|(_, rest)| rest.split([';', ',']).next()?.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address: {line}"));
        let agent = config.http_status_as_error(false).timeout_global(Some(PATIENCE)).build().new_agent();
        Self { child, address, said, agent, scheme }
    }

    fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost".to_owned() } else { self.address.ip().to_string() };
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    fn get(&self, path: &str) -> Answer {
        Self::answer(self.agent.get(self.url(path)).call())
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        let request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        Self::answer(request.send(body))
    }

    fn put(&self, path: &str, body: &str) -> Answer {
        let request = self.agent.put(self.url(path)).header("Content-Type", "application/json");
        Self::answer(request.send(body))
    }

    #[track_caller]
    fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = response.expect("it answers");
        let text = response.body_mut().read_to_string().expect("it is text");
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    /// A connection to write to by hand.
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
    }

    /// The next line that it says.
    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it is text");
        line
    }

    /// Ends the service; returns its exit status and its output.
    fn end(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        self.wait()
    }

    fn wait(&mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("it is text");
        (self.child.wait().expect("it was started"), said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    path.canonicalize().expect("it ships").to_string_lossy().into_owned()
}

/// A copy of a shipped record in the workshop, to be replaced.
fn copy(workshop: &Workshop, name: &str, to: &str) {
    let _ = fs::remove_dir_all(workshop.path(to));
    fs::create_dir_all(workshop.path(to)).expect("the folder is the test's own");
    for file in ["manifest.toml", "weights.bpk"] {
        let bytes = fs::read(Path::new(&shipped(name)).join(file)).expect("it ships");
        fs::write(workshop.path(to).join(file), bytes).expect("the folder is the test's own");
    }
}

/// Workloads of three devices with three tasks, as lines.
fn lines(count: usize) -> Vec<String> {
    let mb = |index: usize| 10.0 + (index * 7919 % 2000) as f64 / 100.0;
    let row = |start: usize| (0..3).map(|task| mb(start + task)).collect::<Vec<_>>();
    let line = |index: usize| {
        let tasks: Vec<_> = (0..3).map(|device| row(index * 9 + device * 3)).collect();
        let mut line = json!({ "id": index, "tasks_mb": tasks });
        if index % 4 == 3 {
            line["environment"] = json!({ "uplink_mbps": [1 + index % 20, 5, 9], "alpha": 0.7 });
        }
        line.to_string()
    };
    (0..count).map(line).collect()
}

/// The answers of `decide` to these lines.
fn decided(workshop: &Workshop, record: &str, lines: &[String]) -> Vec<Value> {
    let said = workshop.trainer_reading(lines.join("\n"), &["decide", "--record", record]).succeeded();
    said.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn it_answers_what_decide_answers() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    let service = Service::start(&workshop, &record, &[]);
    let lines = lines(300);
    let expected = decided(&workshop, &record, &lines);
    let many = service.post("/v1/decide", &format!("{{\"workloads\": [{}]}}", lines.join(",")));
    assert_eq!(many.json()["answers"].as_array().expect("an array"), &expected);
    for (line, expected) in lines.iter().zip(&expected).take(40) {
        assert_eq!(service.post("/v1/decide", line).json(), *expected);
    }
    // At the same time, and so together.
    thread::scope(|scope| {
        for part in 0..8 {
            let (service, lines, expected) = (&service, &lines, &expected);
            scope.spawn(move || {
                for index in (part..lines.len()).step_by(8) {
                    assert_eq!(service.post("/v1/decide", &lines[index]).json(), expected[index]);
                }
            });
        }
    });
    // Names come back as they were written.
    let id = r#"{"id": 123456789012345678901234567890, "tasks_mb": "#.to_owned() + SIZES + "}";
    assert!(service.post("/v1/decide", &id).text.starts_with(r#"{"id":123456789012345678901234567890,"#));
}

#[test]
fn other_schemes_can_be_asked_for_and_none_is_cheaper_than_the_optimum() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let scenario = service.get("/v1/scenario").json();
    let schemes: Vec<_> = scenario["schemes"].as_array().expect("an array").iter().filter_map(Value::as_str).collect();
    assert!(["ensemble", "greedy", "local-search", "exact"].iter().all(|name| schemes.contains(name)), "{schemes:?}");
    let cost = |scheme: &str| {
        let answer = service.post("/v1/decide", &format!(r#"{{"scheme": "{scheme}", "tasks_mb": {SIZES}}}"#));
        answer.json()["cost"].as_f64().unwrap_or_else(|| panic!("{}", answer.text))
    };
    let optimum = cost("exact");
    for scheme in schemes {
        assert!(cost(scheme) >= optimum * (1.0 - 1e-12), "{scheme}");
    }
    let solved = workshop.trainer_reading(
        format!(r#"{{"tasks_mb": {SIZES}}}"#),
        &["solve", "--scheme", "exact", "--scenario", "mobile"],
    );
    let solved: Value = serde_json::from_str(solved.succeeded().lines()[0]).expect("JSON");
    assert_eq!(solved["cost"].as_f64(), Some(optimum));
}

/// Every task has its place in time, and what devices take adds up to the answer.
#[test]
fn an_explanation_adds_up() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let body = format!(r#"{{"explain": true, "environment": {{"uplink_mbps": [2, 7, 30]}}, "tasks_mb": {SIZES}}}"#);
    let answer = service.post("/v1/decide", &body).json();
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"));
    let devices = answer["devices"].as_array().expect("an array");
    for key in ["energy_j", "time_s"] {
        let sum: f64 = devices.iter().map(|device| number(device, key)).sum();
        assert!((sum - number(&answer, key)).abs() < 1e-9 * sum, "{key}");
    }
    for (device, places) in devices.iter().zip(answer["placements"].as_array().expect("an array")) {
        let tasks = device["tasks"].as_array().expect("an array");
        let mut ends = BTreeMap::new();
        for (task, place) in tasks.iter().zip(places.as_array().expect("an array")) {
            assert_eq!(task["place"], *place);
            let end = ends.entry(place.to_string()).or_insert(0.0);
            assert!((number(task, "start_s") - *end).abs() < 1e-9, "one after the other");
            *end = number(task, "end_s");
        }
        let last = ends.values().copied().fold(0.0, f64::max);
        assert!((last - number(device, "time_s")).abs() < 1e-9);
    }
    assert!(number(&answer, "decided_in_us") > 0.0 && answer["scheme"] == "ensemble");
}

#[test]
fn the_environment_changes_from_now_on() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let change = r#"{"uplink_mbps": [0.9, 4, 21], "capacity": [1, 0.5]}"#;
    let plain = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let own = format!(r#"{{"tasks_mb": {SIZES}, "environment": {change}}}"#);
    let (before, there) = (service.post("/v1/decide", &plain).json(), service.post("/v1/decide", &own).json());
    assert_ne!(before, there);
    let entered = service.put("/v1/environment", change).json();
    assert_eq!(entered["environment"], json!({"uplink_mbps": [0.9, 4.0, 21.0], "capacity": [1.0, 0.5], "alpha": 0.5}));
    assert_eq!(service.post("/v1/decide", &plain).json(), there);
    assert_eq!(service.get("/v1/scenario").json()["environment"], entered["environment"]);
    // What networks do not read, they do not follow, and that is said as long as it is so.
    assert_eq!(entered["follows"], false, "{entered}");
    let uplinks = service.put("/v1/environment", r#"{"uplink_mbps": 3, "capacity": 1}"#).json();
    assert_eq!(uplinks["follows"], true, "{uplinks}");
    for change in [r#"{"alpha": 0.1}"#, r#"{"uplink_mbps": 2}"#] {
        let alpha = service.put("/v1/environment", change).json();
        assert!(alpha["follows"] == false && alpha["note"].to_string().contains("adapt"), "{alpha}");
    }
    for (wrong, part) in [
        (r#"{"uplink_mbps": [1, 2]}"#, "3 uplinks"),
        (r#"{"alpha": 1.5}"#, "between 0 and 1"),
        (r#"{"capacity": 0}"#, "a capacity"),
    ] {
        service.put("/v1/environment", wrong).refused(422, &[part]);
    }
    for (wrong, field, part) in [
        (r#"{"speed": 1}"#, "speed", "unknown field"),
        (r#"{"alpha": "half"}"#, "alpha", "expected f64"),
        (r#"{"capacity": {"edge": 1}}"#, "capacity", "must be a number or an array of numbers"),
    ] {
        service.put("/v1/environment", wrong).refused(400, &[&format!("\"field\":\"{field}\""), part]);
    }
    service.put("/v1/environment", "[5, 1, 0.5]").refused(400, &["an object"]);
    let own = &service.get("/v1/scenario").json()["own_environment"];
    service.put("/v1/environment", &own.to_string());
    assert_eq!(service.post("/v1/decide", &plain).json(), before);
}

#[test]
fn a_new_record_is_taken_over_and_a_bad_one_is_not() {
    let workshop = Workshop::new();
    copy(&workshop, "paper", "record");
    let mut service = Service::start(&workshop, "record", &[]);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let before = service.post("/v1/decide", &body).json();
    // Of another link to the cloud, and so with other prices.
    copy(&workshop, "paper-wan", "record");
    assert_eq!(service.post("/v1/reload", "").json()["generation"], 1);
    assert_eq!(service.next_line(), "the record was reloaded\n");
    let after = service.post("/v1/decide", &body).json();
    assert_eq!(after, decided(&workshop, "record", std::slice::from_ref(&body))[0]);
    assert_ne!(before, after);
    // A bad one changes nothing.
    let weights = workshop.path("record/weights.bpk");
    let mut bytes = fs::read(&weights).expect("a copy");
    bytes[5000] ^= 1;
    fs::write(&weights, bytes).expect("a copy");
    service.post("/v1/reload", "").refused(422, &["checksum", "the service keeps the record that it had"]);
    assert!(service.next_line().contains("the record was not reloaded"));
    service.signal("-HUP");
    assert!(service.next_line().contains("the record was not reloaded"));
    assert_eq!(service.post("/v1/decide", &body).json(), after);
    copy(&workshop, "paper", "record");
    service.signal("-HUP");
    assert_eq!(service.next_line(), "the record was reloaded\n");
    assert_eq!(service.post("/v1/decide", &body).json(), before);
    let metrics = service.get("/metrics").text;
    for line in ["mrdro_reloads_total{result=\"done\"} 2", "mrdro_reloads_total{result=\"refused\"} 2"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

/// No request notices that records change under it.
#[test]
fn records_are_taken_over_under_load() {
    let workshop = Workshop::new();
    copy(&workshop, "mobile", "record");
    let service = Service::start(&workshop, "record", &[]);
    let lines = lines(64);
    let expected = decided(&workshop, "record", &lines);
    let end = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        for part in 0..4 {
            let (service, lines, expected) = (&service, &lines, &expected);
            scope.spawn(move || {
                for index in (0..).map(|round| (round * 5 + part) % lines.len()) {
                    assert_eq!(service.post("/v1/decide", &lines[index]).json(), expected[index]);
                    if Instant::now() > end {
                        return;
                    }
                }
            });
        }
        while Instant::now() < end {
            assert_eq!(service.post("/v1/reload", "").status, 200);
        }
    });
    let (status, said) = service.end();
    assert!(status.success(), "{said}");
}

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
            &["\"field\":\"tasks_mb[1][1]\"", "expected f64 at line 1 column 32"],
        ),
        (
            &second(r#"{"tasks_mb": [[1, 1, 1], [1, 1, 1], [1, 1, null]]}"#),
            400,
            &["\"workloads[1].tasks_mb[2][2]\"", "null"],
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
        (r#"{"tasks_mb": [[1]]}"#, 422, &["tasks_mb has 1 rows", "\"field\":\"tasks_mb\""]),
        (r#"{"tasks_mb": [[1], [1], [1]]}"#, 422, &["\"field\":\"tasks_mb[0]\""]),
        (r#"{"tasks_mb": [[1, 1, 1], [1, 1, -1], [1, 1, 1]]}"#, 422, &["\"field\":\"tasks_mb[1][2]\"", "no size"]),
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

#[test]
fn only_the_token_opens_and_other_addresses_need_one() {
    let workshop = Workshop::new();
    workshop.write("token", "correct-horse\n");
    let record = shipped("mobile");
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", "0.0.0.0:0"]).failed(1).silent();
    refused.naming(&["every machine that reaches 0.0.0.0:0", "--token-file", "--open"]);
    let service = Service::start(&workshop, &record, &["--token-file", "token", "--listen", "0.0.0.0:0"]);
    let ask = |token: &str| {
        let url = format!("http://127.0.0.1:{}/v1/scenario", service.address.port());
        Service::answer(service.agent.get(url).header("Authorization", token).call())
    };
    for wrong in ["", "Bearer", "Bearer correct-hors", "Bearer correct-horses", "correct-horse"] {
        ask(wrong).refused(401, &["a token is needed"]);
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ask(&format!("{scheme} correct-horse")).status, 200, "{scheme}");
        ask(&format!("{scheme} Correct-Horse")).refused(401, &[]);
    }
    // The page asks for it by itself; probes need none.
    for path in ["/", "/page.js", "/healthz", "/readyz"] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    service.get("/metrics").refused(401, &[]);
}

#[test]
fn pages_and_names_of_elsewhere_are_refused() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--cors", "https://platform.example"]);
    let own = format!("127.0.0.1:{}", service.address.port());
    let ask = |host: &str, origin: &str| {
        let request = service.agent.get(service.url("/v1/scenario")).header("Host", host);
        Service::answer(if origin.is_empty() { request.call() } else { request.header("Origin", origin).call() })
    };
    assert_eq!(ask(&own, "").status, 200);
    assert_eq!(ask(&own, &format!("http://{own}")).status, 200);
    let allowed = ask(&own, "https://platform.example");
    assert_eq!(
        (allowed.status, &allowed.headers["access-control-allow-origin"]),
        (200, &"https://platform.example".parse().expect("a value"))
    );
    ask(&own, "https://evil.example").refused(403, &["other origins"]);
    ask("rebound.example", "").refused(421, &["name"]);
    let refused =
        workshop.trainer(&["serve", "--record", &shipped("mobile"), "--cors", "everywhere"]).failed(1).silent();
    refused.naming(&["`everywhere` is not an origin", "help:"]);
}

#[test]
fn the_page_comes_with_the_program_and_from_nowhere_else() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    for (path, kind, part) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/page.js", "text/javascript; charset=utf-8", "/v1/decide"),
        ("/page.css", "text/css; charset=utf-8", "prefers-reduced-motion"),
    ] {
        let answer = service.get(path);
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &kind.parse().expect("a value")), "{path}");
        assert!(answer.text.to_lowercase().contains(part), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let elsewhere = answer.text.matches("://").count() - answer.text.matches("http://www.w3.org/").count();
        assert_eq!(elsewhere, 0, "{path} names another place");
    }
}

#[test]
fn a_drive_is_there_to_be_replayed() {
    let workshop = Workshop::new();
    let rows =
        |second: usize| ["a", "b", "c"].map(|device| format!("{},{device},{}\n", second * 20, second + 1)).concat();
    workshop.write("drive.csv", "t_s,device,mbps\n".to_owned() + &(0..9).map(rows).collect::<Vec<_>>().concat());
    let service = Service::start(&workshop, &shipped("mobile"), &["--drive", "drive.csv"]);
    let drive = service.get("/v1/drive").json();
    assert_eq!(drive["devices"], json!(["a", "b", "c"]));
    let windows = drive["windows"].as_array().expect("an array");
    assert_eq!(windows.len(), 3);
    assert_eq!(windows[1], json!({"start_s": 60.0, "uplink_mbps": [5.0, 5.0, 5.0]}));
    assert_eq!(service.get("/v1/scenario").json()["drive"]["windows"], 3);
    workshop.write("two.csv", "t_s,device,mbps\n0,a,1\n100,b,1\n");
    let refused = workshop.trainer(&["serve", "--record", &shipped("mobile"), "--drive", "two.csv"]).failed(1).silent();
    refused.naming(&["two.csv", "no drive with a window"]);
}

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

#[test]
fn it_describes_and_measures_itself() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--sample", "1"]);
    let description = service.get("/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    for path in ["/v1/decide", "/v1/scenario", "/v1/record", "/v1/environment", "/v1/reload", "/v1/drive", "/metrics"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let record = service.get("/v1/record").json();
    assert_eq!(record["network"]["dnns"], 8);
    assert_eq!((&record["kind"], &record["format_version"]), (&json!("dnns"), &json!(2)));
    assert!(record["provenance"]["command"].to_string().contains("cargo run"), "{record}");
    assert_eq!(service.get("/readyz").json(), json!({"status": "ok"}));
    for line in lines(20) {
        service.post("/v1/decide", &line);
    }
    let begin = Instant::now();
    let count = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.unwrap_or_else(|| panic!("{name}: {text}"))
    };
    // Comparing with the optimum waits for quieter moments.
    let metrics = loop {
        let metrics = service.get("/metrics").text;
        if count(&metrics, "mrdro_q2_count") == 20.0 || begin.elapsed() > Duration::from_secs(10) {
            break metrics;
        }
    };
    assert_eq!(count(&metrics, "mrdro_q2_count"), 20.0);
    assert!(count(&metrics, "mrdro_q2_sum") > 0.99 * 20.0);
    assert_eq!(count(&metrics, "mrdro_decide_seconds_count"), 20.0);
    let places = ["local", "edge", "cloud"].map(|place| format!("mrdro_tasks_total{{place=\"{place}\"}}"));
    let tasks = places.iter().filter(|name| metrics.contains(*name)).map(|name| count(&metrics, name)).sum::<f64>();
    assert_eq!(tasks, 20.0 * 9.0);
    assert!(metrics.ends_with("# EOF\n"));
}

#[test]
fn it_serves_under_tls() {
    let workshop = Workshop::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    workshop.write("cert.pem", made.cert.pem());
    workshop.write("key.pem", made.signing_key.serialize_pem());
    let record = shipped("mobile");
    let files = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).expect("just made").to_owned();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let config = ureq::Agent::config_builder().tls_config(tls);
    let service = Service::start_with(workshop.command(), &record, &files, "https", config);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    assert_eq!(service.post("/v1/decide", &body).status, 200);
    let swapped = ["--tls-cert", "key.pem", "--tls-key", "cert.pem"];
    let refused = workshop.trainer(&[&["serve", "--record", &record], &swapped[..]].concat()).failed(1).silent();
    refused.naming(&["key.pem cannot be used for TLS", "help:"]);
    workshop.trainer(&["serve", "--record", &record, "--tls-cert", "cert.pem"]).failed(2).silent();
}

/// A record of networks for any fleet that learned nothing.
fn untrained_fleet_record(workshop: &Workshop, to: &str) {
    let ensemble = fleet::Ensemble::random(fleet::Shape { width: 4, rounds: 2 }, 1, 1, &Device::flex());
    let record = Record::new(FleetNetworks { ensemble, fleets: sim::Fleets::default() });
    record.save(&workshop.path(to)).expect("the folder is the test's own");
}

#[test]
fn networks_for_any_fleet_are_served_for_the_scenario_that_is_named() {
    let workshop = Workshop::new();
    untrained_fleet_record(&workshop, "record");
    let mut service = Service::start(&workshop, "record", &["--scenario", "shared-edges"]);
    let cost = |answer: &Value| answer["cost"].as_f64().unwrap_or_else(|| panic!("{answer}"));
    let plain = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    let networks = service.post("/v1/decide", &plain).json();
    let greedy = format!(r#"{{"scheme": "greedy-largest-first", "tasks_mb": {SIZES}}}"#);
    assert!(cost(&networks) <= cost(&service.post("/v1/decide", &greedy).json()), "{networks}");
    let expected = workshop
        .trainer_reading(lines(100).join("\n"), &["decide", "--record", "record", "--scenario", "shared-edges"])
        .succeeded();
    let expected: Vec<Value> = expected.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let many = service.post("/v1/decide", &format!("{{\"workloads\": [{}]}}", lines(100).join(",")));
    assert_eq!(many.json()["answers"].as_array().expect("an array"), &expected);

    let record = service.get("/v1/record").json();
    assert_eq!((&record["kind"], &record["format_version"]), (&json!("fleet"), &json!(4)), "{record}");
    assert_eq!(record["networks"], json!({"nets": 1, "width": 4, "rounds": 2}));
    let scenario = service.get("/v1/scenario").json();
    assert_eq!((&scenario["name"], &scenario["reads_environment"]), (&json!("shared-edges"), &json!(true)));

    // They read all of the environment.
    let change = r#"{"uplink_mbps": [0.9, 4, 21], "alpha": 0.3}"#;
    let own = service.post("/v1/decide", &format!(r#"{{"tasks_mb": {SIZES}, "environment": {change}}}"#)).json();
    let entered = service.put("/v1/environment", change).json();
    assert_eq!(entered["follows"], true, "{entered}");
    assert_eq!(service.post("/v1/decide", &plain).json(), own);
    assert_ne!(cost(&own), cost(&networks));

    // Another record goes on with the scenario and the environment; DNNs of another fleet are refused.
    assert_eq!(service.post("/v1/reload", "").json()["generation"], 1);
    assert_eq!(service.next_line(), "the record was reloaded\n");
    assert_eq!(service.post("/v1/decide", &plain).json(), own);
    copy(&workshop, "paper", "record");
    service.post("/v1/reload", "").refused(422, &["it was trained for", "`shared-edges` has"]);
}

/// Networks of either kind follow each other in one service, where the fleet is the same.
#[test]
fn a_record_of_the_other_kind_is_taken_over() {
    let workshop = Workshop::new();
    copy(&workshop, "mobile", "record");
    let service = Service::start(&workshop, "record", &[]);
    let explored = Service::start(&workshop, "record", &["--explore", "2"]);
    assert_eq!(service.get("/v1/record").json()["kind"], "dnns");
    fs::remove_dir_all(workshop.path("record")).expect("the folder is the test's own");
    untrained_fleet_record(&workshop, "record");
    assert_eq!(service.post("/v1/reload", "").json()["kind"], "fleet");
    assert_eq!(service.get("/v1/scenario").json()["name"], "mobile");
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    assert_eq!(service.post("/v1/decide", &body).status, 200);
    explored.post("/v1/reload", "").refused(
        422,
        &["--explore needs a record of DNNs for one scenario", "the service keeps the record that it had"],
    );
    copy(&workshop, "mobile", "record");
    assert_eq!(service.post("/v1/reload", "").json()["kind"], "dnns");
    assert_eq!(service.post("/v1/decide", &body).json(), decided(&workshop, "record", std::slice::from_ref(&body))[0]);
}

#[test]
fn options_for_the_other_kind_of_record_are_refused() {
    let workshop = Workshop::new();
    untrained_fleet_record(&workshop, "fleet");
    let refused = |record: &str, more: &[&str]| {
        workshop.trainer(&[&["serve", "--record", record], more].concat()).failed(1).silent()
    };
    refused("fleet", &[]).naming(&["has no scenario of its own", "help:", "--scenario"]);
    refused("fleet", &["--scenario", "paper", "--explore", "2"]).naming(&[
        "--explore",
        "DNNs for one scenario",
        "help:",
    ]);
    let dnns = shipped("mobile");
    for more in [&["--budget", "4"][..], &["--search-free"], &["--scenario", "mobile"]] {
        refused(&dnns, more).naming(&[more[0], "networks for any fleet", "help:"]);
    }
}

#[test]
fn what_cannot_be_served_is_named() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    workshop.trainer(&["serve", "--record", "nowhere"]).failed(1).silent().naming(&["nowhere/manifest.toml", "help:"]);
    let service = Service::start(&workshop, &record, &[]);
    let taken = service.address.to_string();
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", &taken]).failed(1).silent();
    refused.naming(&["cannot listen on", &taken, "help:"]);
    workshop.trainer(&["serve"]).failed(2).silent().naming(&["--record"]);
}
