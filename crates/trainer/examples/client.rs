//! Asks a decision service where tasks should run: for one workload, and for a list of workloads.
//!
//! ```sh
//! cargo run -p trainer --example client -- http://127.0.0.1:8080
//! ```
//!
//! If the environment variable `TRAINER_TOKEN` holds a token, the client sends it.

use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;

const ATTEMPTS: u32 = 5;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Value,
    placements: Vec<Vec<String>>,
    energy_j: f64,
    time_s: f64,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Answer>,
}

/// The reason why a request was refused (RFC 9457).
#[derive(Deserialize)]
struct ProblemDetails {
    title: String,
    detail: String,
    field: Option<String>,
}

struct Client {
    agent: Agent,
    service: String,
    token: Option<String>,
}

impl Client {
    fn new(service: &str) -> Self {
        // Answers of every status are read here, since their bodies tell what was wrong.
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
        Self {
            agent: config.build().into(),
            service: service.trim_end_matches('/').to_owned(),
            token: env::var("TRAINER_TOKEN").ok().filter(|token| !token.is_empty()),
        }
    }

    /// Posts a request. While the service is busy, posts it again after the time that the service names.
    fn decide<T: DeserializeOwned>(&self, request: &Value) -> Result<T, Box<dyn Error>> {
        let mut attempt = 1;
        loop {
            let mut post = self.agent.post(format!("{}/v1/decide", self.service));
            if let Some(token) = &self.token {
                post = post.header("Authorization", format!("Bearer {token}"));
            }
            let mut answer = post.send_json(request)?;
            let status = answer.status();
            if status.is_success() {
                return Ok(answer.body_mut().with_config().limit(64 << 20).read_json()?);
            }
            if status.as_u16() == 503 && attempt < ATTEMPTS {
                let seconds = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
                thread::sleep(Duration::from_secs(seconds.unwrap_or(1)));
                attempt += 1;
                continue;
            }
            // A proxy before the service may answer in another form.
            let Ok(ProblemDetails { title, detail, field }) = answer.body_mut().read_json() else {
                return Err(format!("status {status}").into());
            };
            let place = field.map(|field| format!(" ({field})")).unwrap_or_default();
            return Err(format!("{title}: {detail}{place}").into());
        }
    }
}

fn show(answer: &Answer) {
    for (device, places) in answer.placements.iter().enumerate() {
        for (task, place) in places.iter().enumerate() {
            println!("device {}, task {}: {place}", device + 1, task + 1);
        }
    }
    println!("{:.1} J, {:.1} s", answer.energy_j, answer.time_s);
}

fn main() -> Result<(), Box<dyn Error>> {
    let service = env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let client = Client::new(&service);

    // The size of each task in MB, one row for each device. The uplink of the second device has become slow.
    let sizes = [[12.0, 25.5, 18.0], [10.0, 30.0, 22.0], [28.0, 11.5, 16.0]];
    let environment = json!({ "uplink_mbps": [10.0, 1.5, 10.0] });
    show(&client.decide(&json!({ "tasks_mb": sizes, "environment": environment }))?);

    // A list takes far less time than one request after the other.
    let workloads = [0.8, 1.0, 1.2].map(|factor| {
        let sizes = sizes.map(|row| row.map(|size| size * factor));
        json!({ "id": format!("sizes × {factor}"), "tasks_mb": sizes })
    });
    let Answers { answers } = client.decide(&json!({ "workloads": workloads }))?;
    for answer in &answers {
        println!("\n{}", answer.id.as_str().unwrap_or_default());
        show(answer);
    }
    Ok(())
}
