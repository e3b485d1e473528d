//! Dispatches tasks as they arrive: one task, its completion, a list of tasks, and the queues.
//!
//! ```sh
//! cargo run -p trainer --example dispatch_client -- http://127.0.0.1:8080
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
struct Placement {
    id: Value,
    place: String,
    time_s: f64,
    done_s: f64,
    cost: f64,
}

#[derive(Deserialize)]
struct Placements {
    answers: Vec<Placement>,
}

#[derive(Deserialize)]
struct Done {
    time_s: f64,
    done_s: f64,
}

#[derive(Deserialize)]
struct Queue {
    name: String,
    backlog_s: f64,
}

#[derive(Deserialize)]
struct Queues {
    queues: Vec<Queue>,
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

    /// Posts a request, or asks for a path. While the service is busy, asks again after the time that the service names.
    fn ask<T: DeserializeOwned>(&self, path: &str, request: Option<&Value>) -> Result<T, Box<dyn Error>> {
        let url = format!("{}{path}", self.service);
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        for attempt in 1..=ATTEMPTS {
            let mut answer = if let Some(request) = request {
                let post = self.agent.post(&url);
                token.iter().fold(post, |post, token| post.header("Authorization", token)).send_json(request)?
            } else {
                let get = self.agent.get(&url);
                token.iter().fold(get, |get, token| get.header("Authorization", token)).call()?
            };
            let status = answer.status();
            if status.is_success() {
                return Ok(answer.body_mut().with_config().limit(64 << 20).read_json()?);
            }
            if status.as_u16() == 503 && attempt < ATTEMPTS {
                let seconds = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
                thread::sleep(Duration::from_secs(seconds.unwrap_or(1)));
                continue;
            }
            // A proxy before the service may answer in another form.
            let Ok(ProblemDetails { title, detail, field }) = answer.body_mut().read_json() else {
                return Err(format!("status {status}").into());
            };
            let place = field.map(|field| format!(" ({field})")).unwrap_or_default();
            return Err(format!("{title}: {detail}{place}").into());
        }
        Err("the service is busy".into())
    }
}

fn show(Placement { id, place, time_s, done_s, cost }: &Placement) {
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    println!("{id}: {place}, expected after {:.1} s, cost {cost:.1}", done_s - time_s);
}

fn main() -> Result<(), Box<dyn Error>> {
    let service = env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let client = Client::new(&service);

    // One task of 12 MB arrives at the first device; its id is used to say that it is done.
    show(&client.ask("/v1/dispatch", Some(&json!({ "device": 0, "size_mb": 12, "id": "photo" })))?);
    let Done { time_s, done_s } = client.ask("/v1/completed", Some(&json!({ "id": "photo" })))?;
    println!("photo: done after {:.3} s", done_s - time_s);

    // One request for many tasks takes far less time than one request for each.
    let tasks = json!([
        { "device": 0, "size_mb": 30 },
        { "device": "device 1", "size_mb": 20, "deadline_s": 60 },
        { "device": 2, "size_mb": 5, "uplink_mbps": 20 }
    ]);
    let Placements { answers } = client.ask("/v1/dispatch", Some(&json!({ "tasks": tasks })))?;
    answers.iter().for_each(show);
    let Queues { queues } = client.ask("/v1/queues?most=3", None)?;
    for Queue { name, backlog_s } in queues {
        println!("{name}: {backlog_s:.1} s");
    }
    Ok(())
}
