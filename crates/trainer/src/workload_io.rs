//! Workloads in, answers out: JSON lines or CSV to decisions as JSON lines.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sim::scheme::{Scheme, Solution};
use sim::{CostModel, Environment, EnvironmentError, MAX_SIZE_MB, SchemeError, Workload};

use crate::error::AppError;

/// What some programs put before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Workloads decided at once, when they come faster than they are decided.
const CHUNK: usize = 4096;
/// The longest line that is read: more than the largest workload needs.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A workload as it was read: with its name, if it has one.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) id: Option<Value>,
    pub(crate) workload: Workload,
    /// The environment that it is to be decided in, where that is not the scenario's own.
    pub(crate) environment: Option<Environment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Option<Value>,
    tasks_mb: Vec<Vec<f64>>,
    #[serde(default)]
    environment: Option<EnvironmentRequest>,
}

/// What differs from the scenario's own environment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentRequest {
    /// For all devices, or for each.
    uplink_mbps: Option<OneOrEach>,
    /// For all servers, or for each.
    capacity: Option<OneOrEach>,
    alpha: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a number or an array of numbers")]
enum OneOrEach {
    One(f64),
    Each(Vec<f64>),
}

impl OneOrEach {
    fn put(self, values: &mut Vec<f64>) {
        match self {
            Self::One(value) => values.fill(value),
            Self::Each(each) => *values = each,
        }
    }
}

impl EnvironmentRequest {
    /// The model's environment with these changes.
    fn over(self, model: &CostModel) -> Result<Environment, EnvironmentError> {
        let mut environment = model.environment().clone();
        let Self { uplink_mbps, capacity, alpha } = self;
        if let Some(uplinks) = uplink_mbps {
            uplinks.put(&mut environment.uplinks_mbps);
        }
        if let Some(capacities) = capacity {
            capacities.put(&mut environment.capacities);
        }
        environment.alpha = alpha.unwrap_or(environment.alpha);
        environment.check(model.devices(), model.places() - 1)?;
        Ok(environment)
    }
}

/// Columns of CSV, as [`Row`] has them.
const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    workload: String,
    device: usize,
    task: usize,
    mb: f64,
}

/// Reads workloads of one shape from a file or standard input.
pub(crate) struct Workloads<'m> {
    origin: String,
    model: &'m CostModel,
    kind: Kind,
}

enum Kind {
    JsonLines {
        input: Box<dyn BufReading>,
        line: usize,
    },
    Csv {
        rows: Box<csv::Reader<Box<dyn BufReading>>>,
        record: csv::StringRecord,
        pending: Option<Result<(u64, Row), AppError>>,
    },
}

/// Input that can say what it has at hand without waiting for more.
trait BufReading: BufRead {
    fn at_hand(&self) -> &[u8];
}

impl<R: Read> BufReading for BufReader<R> {
    fn at_hand(&self) -> &[u8] {
        self.buffer()
    }
}

impl<'m> Workloads<'m> {
    /// Opens a file, or standard input for `-`. CSV is told from JSON lines by its header.
    pub(crate) fn open(name: &str, model: &'m CostModel) -> Result<Self, AppError> {
        let unreadable = |source| AppError::Unreadable { path: name.into(), source };
        let (origin, mut input): (_, Box<dyn BufReading>) = if name == "-" {
            ("standard input".to_owned(), Box::new(BufReader::with_capacity(1 << 18, io::stdin())))
        } else {
            let file = File::open(name).map_err(unreadable)?;
            (name.to_owned(), Box::new(BufReader::with_capacity(1 << 18, file)))
        };
        if input.fill_buf().map_err(unreadable)?.starts_with(BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        let beginning = input.fill_buf().map_err(unreadable)?;
        let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_header =
            first_line.windows(8).any(|word| word == b"workload") && !first_line.trim_ascii_start().starts_with(b"{");
        let kind = if is_header {
            Kind::Csv {
                rows: Box::new(csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input)),
                record: csv::StringRecord::new(),
                pending: None,
            }
        } else {
            Kind::JsonLines { input, line: 0 }
        };
        Ok(Self { origin, model, kind })
    }

    /// Reads all workloads.
    pub(crate) fn read_all(mut self) -> Result<Vec<Named>, AppError> {
        let mut all = Vec::new();
        while let Some(named) = self.next()? {
            all.push(named);
        }
        if all.is_empty() {
            return Err(AppError::NoWorkloads { origin: self.origin });
        }
        Ok(all)
    }

    /// The next workload.
    fn next(&mut self) -> Result<Option<Named>, AppError> {
        match self.kind {
            Kind::JsonLines { .. } => self.next_line(),
            Kind::Csv { .. } => self.next_rows(),
        }
    }

    /// Whether more can be read without waiting.
    fn has_more_at_hand(&self) -> bool {
        match &self.kind {
            Kind::JsonLines { input, .. } => {
                let at_hand = input.at_hand();
                let whole_lines = at_hand.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
                !at_hand[..whole_lines].iter().all(u8::is_ascii_whitespace)
            }
            Kind::Csv { .. } => true,
        }
    }

    fn wrong(&self, place: String, reason: impl Into<String>) -> AppError {
        AppError::Workload { origin: self.origin.clone(), place, reason: reason.into() }
    }

    fn next_line(&mut self) -> Result<Option<Named>, AppError> {
        let Kind::JsonLines { input, line } = &mut self.kind else { return Ok(None) };
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            *line += 1;
            let read = input.as_mut().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes);
            match read {
                Err(source) => return Err(AppError::Unreadable { path: self.origin.clone().into(), source }),
                Ok(0) => return Ok(None),
                Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => break,
            }
        }
        let place = format!("line {line}");
        if bytes.len() as u64 == MAX_LINE_BYTES {
            return Err(self.wrong(place, format!("is longer than {MAX_LINE_BYTES} bytes")));
        }
        let request: Request = serde_json::from_slice(&bytes).map_err(|error| {
            // The parser counts lines within the one it was given.
            let text = error.to_string().replace(" at line 1 column ", " at column ");
            self.wrong(place.clone(), text)
        })?;
        let (devices, tasks) = (self.model.devices(), self.model.tasks());
        if request.tasks_mb.len() != devices {
            let rows = request.tasks_mb.len();
            return Err(self.wrong(place, format!("tasks_mb has {rows} rows, the scenario has {devices} devices")));
        }
        for (device, row) in request.tasks_mb.iter().enumerate() {
            if row.len() != tasks {
                let found = row.len();
                let reason = format!("device {device} has {found} tasks, the scenario gives {tasks} to each device");
                return Err(self.wrong(place, reason));
            }
            if let Some(task) = row.iter().position(|mb| !is_size(*mb)) {
                let reason = format!("task {task} of device {device} is {} MB, which is no size above 0", row[task]);
                return Err(self.wrong(place, reason));
            }
        }
        let environment = request.environment.map(|changes| changes.over(self.model)).transpose();
        let environment = environment.map_err(|error| self.wrong(place, format!("environment: {error}")))?;
        let workload = Workload::from_mb(tasks, &request.tasks_mb.concat());
        Ok(Some(Named { id: request.id, workload, environment }))
    }

    fn next_rows(&mut self) -> Result<Option<Named>, AppError> {
        let (devices, tasks) = (self.model.devices(), self.model.tasks());
        let mut sizes: Vec<Option<f64>> = vec![None; devices * tasks];
        let mut id: Option<String> = None;
        let mut last_line = 0;
        while let Some(next) = self.next_row().transpose() {
            // What comes after a complete workload, right or wrong, is for the next call.
            let belongs = |row: &Row| id.as_ref().is_none_or(|id| *id == row.workload);
            let complete = sizes.iter().all(Option::is_some);
            let later = next.as_ref().map_or(complete, |(_, row)| !belongs(row));
            if later && let Kind::Csv { pending, .. } = &mut self.kind {
                *pending = Some(next);
                break;
            }
            let (line, row) = next?;
            let place = format!("line {line}");
            let Row { workload, device, task, mb } = row;
            if device >= devices || task >= tasks {
                let reason = format!(
                    "device {device}, task {task} is not there: the scenario has devices 0 to {} with tasks 0 to {}",
                    devices - 1,
                    tasks - 1
                );
                return Err(self.wrong(place, reason));
            }
            if !is_size(mb) {
                return Err(self.wrong(place, format!("{mb} MB is no size above 0")));
            }
            if sizes[device * tasks + task].replace(mb).is_some() {
                return Err(self.wrong(place, format!("device {device}, task {task} stands there twice")));
            }
            (id, last_line) = (Some(workload), line);
        }
        let Some(id) = id else { return Ok(None) };
        if let Some(missing) = sizes.iter().position(Option::is_none) {
            let reason = format!("workload {id} ends without device {}, task {}", missing / tasks, missing % tasks);
            return Err(self.wrong(format!("line {last_line}"), reason));
        }
        let sizes: Vec<f64> = sizes.into_iter().flatten().collect();
        let workload = Workload::from_mb(tasks, &sizes);
        Ok(Some(Named { id: Some(Value::String(id)), workload, environment: None }))
    }

    fn next_row(&mut self) -> Result<Option<(u64, Row)>, AppError> {
        let Kind::Csv { rows, record, pending } = &mut self.kind else { return Ok(None) };
        if let Some(row) = pending.take() {
            return row.map(Some);
        }
        let row = rows.headers().cloned().and_then(|headers| {
            let more = rows.read_record(record)?;
            more.then(|| record.deserialize(Some(&headers))).transpose()
        });
        let line = record.position().map_or(1, csv::Position::line);
        row.map(|row| row.map(|row| (line, row))).map_err(|error| {
            let reason = match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => {
                    let column = err.field().and_then(|field| COLUMNS.get(field as usize));
                    column.map_or(String::new(), |column| format!("{column}: ")) + &err.kind().to_string()
                }
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("has {len} fields instead of {expected_len}")
                }
                _ => error.to_string(),
            };
            self.wrong(format!("line {line}"), reason)
        })
    }
}

fn is_size(mb: f64) -> bool {
    mb > 0.0 && mb <= MAX_SIZE_MB
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    placements: Vec<Vec<&'a str>>,
    energy_j: f64,
    time_s: f64,
    cost: f64,
    evaluations: u64,
    /// Tasks sent where no link leads.
    #[serde(skip_serializing_if = "is_zero")]
    unreachable: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Tasks that a decision sends where no link leads: only schemes that do not choose do.
fn unreachable(model: &CostModel, places: &[u8]) -> usize {
    if model.is_all_reachable() {
        return 0;
    }
    places.iter().enumerate().filter(|(task, place)| !model.is_reachable(task / model.tasks(), **place)).count()
}

/// Decides all workloads of an input and prints the answers in the order of the input. Answers to JSON lines go
/// out as soon as the input pauses, so that a program can talk to this one line by line; answers to CSV when many have
/// come or the input ends.
pub(crate) fn answer_all(input: &str, scheme: &mut dyn Scheme, model: &CostModel) -> Result<(), AppError> {
    let mut workloads = Workloads::open(input, model)?;
    let mut output = io::BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let (mut ids, mut chunk, mut models) = (Vec::new(), Vec::new(), Vec::new());
    let mut answered = false;
    let failed = |source| AppError::Output { source };
    loop {
        let next = workloads.next();
        let more = match next {
            Ok(Some(Named { id, workload, environment })) => {
                ids.push(id);
                chunk.push(workload);
                models.push(match environment {
                    None => Cow::Borrowed(model),
                    Some(environment) => Cow::Owned(model.entered(&environment)?),
                });
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        let pauses = chunk.len() == CHUNK || !workloads.has_more_at_hand();
        if !chunk.is_empty() && (pauses || !matches!(more, Ok(true))) {
            let solutions = decide_all(scheme, model, &models, &chunk)?;
            for (((id, model), workload), solution) in ids.drain(..).zip(&models).zip(&chunk).zip(solutions) {
                write_answer(&mut output, id, model, workload, &solution).map_err(failed)?;
            }
            models.clear();
            answered = true;
            chunk.clear();
            output.flush().map_err(failed)?;
        }
        // Lines before a wrong one have been answered.
        if !more? {
            return if answered { Ok(()) } else { Err(AppError::NoWorkloads { origin: workloads.origin }) };
        }
    }
}

/// All at once where all are decided in the same environment.
fn decide_all(
    scheme: &mut dyn Scheme,
    model: &CostModel,
    models: &[Cow<'_, CostModel>],
    workloads: &[Workload],
) -> Result<Vec<Solution>, SchemeError> {
    if models.iter().all(|model| matches!(model, Cow::Borrowed(_))) {
        return scheme.decide_all(model, workloads);
    }
    models.iter().zip(workloads).map(|(model, workload)| scheme.decide(model, workload)).collect()
}

fn write_answer(
    output: &mut impl Write,
    id: Option<Value>,
    model: &CostModel,
    workload: &Workload,
    solution: &Solution,
) -> io::Result<()> {
    let outcome = model.evaluate(workload, &solution.decision);
    let names = model.place_names();
    let row = |row: &[u8]| row.iter().map(|&place| names[usize::from(place)].as_str()).collect();
    let answer = Answer {
        id,
        placements: solution.decision.places().chunks_exact(model.tasks()).map(row).collect(),
        energy_j: outcome.energy_j,
        time_s: outcome.time_s,
        cost: outcome.cost,
        evaluations: solution.evaluations,
        unreachable: unreachable(model, solution.decision.places()),
    };
    serde_json::to_writer(&mut *output, &answer)?;
    output.write_all(b"\n")
}
