//! `simulate`: a drawn or recorded day against a dispatching service.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mrdro::Error;
use mrdro::streams::{DispatchCourse, OwnOutcomes, StreamProblem, compare_on};
use serde::Deserialize;
use serde_json::{Value, json};
use sim::stream::StreamScenario;
use sim::stream::dispatch::live::LiveSite;
use sim::stream::dispatch::scheme::DispatchGreedy;
use sim::stream::dispatch::{Arrival, DispatchEpisode, DispatchOutcome, Path, Site};
use sim::stream::scenario::DispatchScenario;
use sim::stream::{RateCursor, RatePath};
use sim::units::{BYTES_PER_MB, bytes_from_mb};
use ureq::Agent;

use super::serve::dispatch_scenario;
use super::streams::{note_short_runs, print_comparison};
use crate::cli::SimulateArgs;
use crate::device;
use crate::error::CliError;
use crate::output::note_left_out;
use crate::progress::Progress;

/// The longest time for an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// Completions of one request.
const MOST_REPORTED: usize = 1_000;

pub(crate) fn run(args: &SimulateArgs) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    if let Some(speed) = args.speed.filter(|speed| !(speed.is_finite() && *speed > 0.0)) {
        let wanted = "a number above 0, such as 60";
        return Err(Error::BadOption { option: "--speed", text: speed.to_string(), wanted }.into());
    }
    let token = device::token(args.token_file.as_deref())?;
    let mut scenario = dispatch_scenario(&args.scenario)?;
    scenario.tasks_per_run = args.tasks.map_or(scenario.tasks_per_run, |tasks| tasks as usize);
    let runs = if scenario.is_fixed() { 1 } else { u64::from(args.runs) };
    let seed = args.seed.seed;
    let site = Arc::new(scenario.site(seed).map_err(Error::from)?);
    let client = Client::new(&args.against, token);
    let scheme = client.check(&site, seed, args.reset)?;
    let (mut courses, mut outcomes) = (Vec::new(), Vec::new());
    let problem = StreamProblem { scenario: StreamScenario::Dispatch(scenario.clone()) };
    note_short_runs(&problem);
    let tasks = scenario.tasks_per_run;
    let progress = Progress::new("tasks", usize::try_from(runs).unwrap_or(1) * tasks);
    let begin = Instant::now();
    for run in 0..runs {
        let seed = seed.wrapping_add(run);
        if run > 0 || args.reset {
            client.post("/v1/reset", &json!({ "seed": seed }))?;
        }
        let path = path_in_mb(&scenario, &site, seed)?;
        let done_before = outcomes.len() * tasks;
        outcomes.push(client.drive(&site, &path, args, |done| progress.done(done_before + done))?);
        courses.push(((*site).clone(), path, seed));
    }
    drop(progress);
    let placed: usize = courses.iter().map(|(_, path, _): &DispatchCourse| path.arrivals().len()).sum();
    let seconds_per_decision = begin.elapsed().as_secs_f64() / placed as f64;
    let own = OwnOutcomes { name: format!("service ({scheme})"), outcomes, seconds_per_decision };
    let schemes = problem.schemes()?;
    let progress = Mutex::new(Progress::new("runs", (schemes.len() + 1) * courses.len()));
    let told = |done| {
        if let Ok(progress) = progress.lock() {
            progress.done(done);
        }
    };
    let comparison = compare_on(&courses, &[own], &schemes, &told)?;
    drop(progress);
    note_left_out(&comparison.left_out);
    print_comparison(args.format.format, &comparison, &problem)
}

/// A course whose sizes are whole to the last bit in MB, too, so that the service is told exactly what all schemes see.
fn path_in_mb(scenario: &DispatchScenario, site: &Site, seed: u64) -> Result<Path, CliError> {
    let drawn = scenario.path(site, seed).map_err(Error::from)?;
    let in_mb = |arrival: &Arrival| Arrival { bytes: bytes_from_mb(arrival.bytes / BYTES_PER_MB), ..*arrival };
    Ok(Path::with_arrivals(site, drawn.arrivals().iter().map(in_mb).collect(), seed))
}

/// The service.
struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

/// What is read of an answer to a task.
#[derive(Deserialize)]
struct Placement {
    id: u64,
    place: String,
}

/// Why a request was refused (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
    field: Option<String>,
}

impl Client {
    fn new(url: &str, token: String) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let authorization = Some(token).filter(|token| !token.is_empty()).map(|token| format!("Bearer {token}"));
        Self { agent: config.build().into(), url: url.trim_end_matches('/').to_owned(), authorization }
    }

    fn error(&self, reason: impl Into<String>, help: &'static str) -> CliError {
        CliError::Against { url: self.url.clone(), reason: reason.into(), help }
    }

    /// The JSON of an answer.
    fn read(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, CliError> {
        let start = "`trainer serve --scenario dispatch` starts a service";
        let mut answer = answer.map_err(|error| self.error(format!("does not answer: {error}"), start))?;
        let status = answer.status();
        let value = answer.body_mut().with_config().limit(64 << 20).read_json::<Value>();
        if status.is_success() {
            return value.map_err(|error| self.error(format!("answers with no JSON: {error}"), start));
        }
        let help = match status.as_u16() {
            401 => "--token-file FILE, or the environment variable TRAINER_TOKEN, gives the token",
            404 => "it serves no tasks as they arrive; `trainer serve --scenario dispatch` does",
            _ => start,
        };
        let problem = value.ok().and_then(|value| serde_json::from_value::<Problem>(value).ok());
        let reason = problem.map_or_else(String::new, |Problem { detail, field }| {
            format!(": {detail}{}", field.map(|field| format!(" ({field})")).unwrap_or_default())
        });
        Err(self.error(format!("refuses with status {status}{reason}"), help))
    }

    fn get(&self, path: &str) -> Result<Value, CliError> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        self.read(request.call())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        self.read(request.send_json(body))
    }

    /// Checks that the service has this site and nothing has been placed there; returns the name of its scheme.
    fn check(&self, site: &Site, seed: u64, may_reset: bool) -> Result<String, CliError> {
        let served = self.get("/v1/scenario")?;
        let wanted = LiveSite::new(site, Box::new(DispatchGreedy::new()), seed);
        if served["site"].as_str() != Some(wanted.fingerprint()) {
            let help = "start it with the same --scenario and --seed, and without --devices";
            return Err(self.error("serves another site than this scenario with this seed", help));
        }
        let queues = self.get("/v1/queues?most=0")?;
        let is_fresh = queues["tasks"] == 0 && queues["time_of"].is_null();
        if !is_fresh && !may_reset {
            let help = "start another one for a simulation, or let it forget everything with --reset";
            return Err(self.error("has placed tasks already", help));
        }
        Ok(served["scheme"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets the service place all tasks of a path, tells it when they are done, and returns what came of that.
    fn drive(
        &self,
        site: &Arc<Site>,
        path: &Path,
        args: &SimulateArgs,
        mut told: impl FnMut(usize),
    ) -> Result<DispatchOutcome, CliError> {
        let mut episode = DispatchEpisode::new(Arc::clone(site), path.clone());
        let mut rates = args.tell_rates.then(|| LinkRates::new(site, path));
        let mut ids = Vec::with_capacity(episode.tasks());
        // The tasks that are not reported yet, by the bits of the times when they are done, which sort as times do.
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let begin = Instant::now();
        while let Some(arrival) = episode.arrival().copied() {
            let until = args.speed.map(|speed| Duration::from_secs_f64(arrival.time_s / speed));
            if let Some(pause) = until.and_then(|until| until.checked_sub(begin.elapsed())) {
                thread::sleep(pause);
            }
            self.report(&mut running, &ids, arrival.time_s)?;
            let mut task = json!({
                "device": arrival.device, "size_mb": arrival.bytes / BYTES_PER_MB, "time_s": arrival.time_s
            });
            if let Some(rates) = &mut rates {
                rates.tell(&mut task, &arrival, site);
            }
            let answer = self.post("/v1/dispatch", &task)?;
            let strange =
                || self.error("answers with no placement", "`trainer serve --scenario dispatch` starts a service");
            let Placement { id, place } = serde_json::from_value(answer).map_err(|_| strange())?;
            let place = site.place(&place).ok_or_else(strange)?;
            ids.push(id);
            let placed = episode.place(place).map_err(|_| strange())?;
            running.extend(placed.finished.iter().map(|task| Reverse((task.done_s.to_bits(), task.index))));
            told(ids.len());
        }
        running.extend(episode.finish().iter().map(|task| Reverse((task.done_s.to_bits(), task.index))));
        self.report(&mut running, &ids, f64::INFINITY)?;
        episode.outcome(None).ok_or_else(|| Error::NoApplication.into())
    }

    /// Reports the tasks that are done up to a time.
    fn report(
        &self,
        running: &mut BinaryHeap<Reverse<(u64, usize)>>,
        ids: &[u64],
        until_s: f64,
    ) -> Result<(), CliError> {
        let mut done = Vec::new();
        loop {
            let next = running.peek().filter(|Reverse((bits, _))| f64::from_bits(*bits) <= until_s).copied();
            if let Some(Reverse((bits, index))) = next {
                running.pop();
                done.push(json!({ "id": ids[index], "done_s": f64::from_bits(bits) }));
            }
            if done.len() == MOST_REPORTED || (next.is_none() && !done.is_empty()) {
                self.post("/v1/completed", &json!({ "tasks": std::mem::take(&mut done) }))?;
            }
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

/// The rates of links that change, as the service is told them.
struct LinkRates<'p> {
    /// Of each queue, with its cursor.
    links: BTreeMap<usize, (&'p RatePath, RateCursor)>,
}

impl<'p> LinkRates<'p> {
    fn new(site: &Site, path: &'p Path) -> Self {
        let all = (0..site.queues().len()).map(|queue| (queue, path.rates(queue)));
        let changing = all.filter(|(_, rates)| !rates.is_constant());
        Self { links: changing.map(|(queue, rates)| (queue, (rates, RateCursor::default()))).collect() }
    }

    /// Adds the rates of the links of a task's device that change.
    fn tell(&mut self, task: &mut Value, arrival: &Arrival, site: &Site) {
        let device = arrival.device as usize;
        let mut mbps = |queue: usize| {
            let (rates, cursor) = self.links.get_mut(&queue)?;
            Some(8e-6 * rates.bytes_per_s(cursor, arrival.time_s))
        };
        if let Some(mbps) = site.uplink_of(device).and_then(&mut mbps) {
            task["uplink_mbps"] = json!(mbps);
        }
        for server in &site.parts().servers {
            if let Some(mbps) = site.own_link_of(device, &server.name).and_then(&mut mbps) {
                task["link_mbps"][&server.name] = json!(mbps);
            }
        }
    }
}
