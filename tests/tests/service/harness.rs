//! A service at work and its answers.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use acceptance::Workshop;
use serde_json::Value;

use crate::PATIENCE;

/// A service at work, which ends with the test.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
    said: BufReader<ChildStderr>,
    pub(crate) agent: ureq::Agent,
    scheme: &'static str,
}

/// An answer of the service.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The request was refused as RFC 9457 has it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, parts: &[&str]) {
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
    pub(crate) fn start(workshop: &Workshop, record: &str, more: &[&str]) -> Self {
        Self::start_with(workshop.command(), record, more, "http", ureq::Agent::config_builder())
    }

    pub(crate) fn start_with(
        mut command: Command,
        record: &str,
        more: &[&str],
        scheme: &'static str,
        config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>,
    ) -> Self {
        command.args(["serve", "--record", record]);
        Self::launch(command, more, scheme, config)
    }

    /// Dispatches tasks of a scenario.
    pub(crate) fn dispatching(workshop: &Workshop, scenario: &str, more: &[&str]) -> Self {
        let mut command = workshop.command();
        command.args(["serve", "--scenario", scenario]);
        Self::launch(command, more, "http", ureq::Agent::config_builder())
    }

    fn launch(
        mut command: Command,
        more: &[&str],
        scheme: &'static str,
        config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>,
    ) -> Self {
        command.args(more);
        if !more.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program was built before");
        let mut said = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut before = String::new();
        let address = loop {
            let mut line = String::new();
            let length = said.read_line(&mut line).expect("it is text");
            let address = line.split_once("://").and_then(|(_, rest)| rest.split([';', ',']).next()?.parse().ok());
            before += &line;
            // A service that continues a state says so first.
            match address {
                Some(address) => break address,
                None => assert!(length > 0 && line.starts_with("continuing "), "no address: {before}"),
            }
        };
        let agent = config.http_status_as_error(false).timeout_global(Some(PATIENCE)).build().new_agent();
        Self { child, address, said, agent, scheme }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost".to_owned() } else { self.address.ip().to_string() };
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Self::answer(self.agent.get(self.url(path)).call())
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        let request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        Self::answer(request.send(body))
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        let request = self.agent.put(self.url(path)).header("Content-Type", "application/json");
        Self::answer(request.send(body))
    }

    #[track_caller]
    pub(crate) fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = response.expect("it answers");
        let text = response.body_mut().read_to_string().expect("it is text");
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    /// A connection to write to by hand.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream
    }

    /// Ends it at once, as a power failure would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was started");
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
    }

    /// The next line that it says.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it is text");
        line
    }

    /// Ends the service; returns its exit status and its output.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
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
