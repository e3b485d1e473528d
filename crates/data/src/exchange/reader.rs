//! Reads workloads, JSON lines or CSV, one after the other.

use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize;
use serde_json::value::to_raw_value;
use sim::{CostModel, Instance, Workload};

use super::request::{WorkloadRequest, is_size_mb};
use crate::limits::MAX_WORKLOAD_BYTES;

/// The mark that some programs put before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The columns of CSV, in the order of the fields of [`Row`].
const COLUMNS: [&str; 4] = ["workload", "device", "task", "mb"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    workload: String,
    device: usize,
    task: usize,
    mb: f64,
}

/// Reads workloads of one shape, JSON lines or CSV, one after the other.
pub struct WorkloadReader<'m, R> {
    origin: String,
    /// The line in which the workload read last ends.
    line: u64,
    model: &'m CostModel,
    kind: Kind<R>,
}

enum Kind<R> {
    JsonLines { input: BufReader<R>, line: usize },
    Csv { rows: Box<csv::Reader<Bounded<BufReader<R>>>>, record: csv::StringRecord, pending: Option<PendingRow> },
}

/// Input in which no row may be longer than a line may. A quote that is never closed would otherwise take everything.
struct Bounded<R> {
    input: R,
    /// Bytes since the last row ended.
    since: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since > MAX_WORKLOAD_BYTES {
            let reason = format!("a row is longer than {MAX_WORKLOAD_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let count = self.input.read(buffer)?;
        self.since += count as u64;
        Ok(count)
    }
}

/// A row that was read too early, with its line.
type PendingRow = Result<(u64, Row), ExchangeError>;

impl<'m, R: Read> WorkloadReader<'m, R> {
    /// Reads from `input`, which errors call `origin`. The header tells CSV from JSON lines.
    ///
    /// # Errors
    /// If the beginning cannot be read.
    pub fn new(origin: &str, input: R, model: &'m CostModel) -> Result<Self, ExchangeError> {
        let unreadable = |source| ExchangeError::Unreadable { origin: origin.to_owned(), source };
        let mut input = BufReader::with_capacity(1 << 18, input);
        if input.fill_buf().map_err(unreadable)?.starts_with(BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        let beginning = input.fill_buf().map_err(unreadable)?;
        let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_header =
            first_line.windows(8).any(|word| word == b"workload") && !first_line.trim_ascii_start().starts_with(b"{");
        let kind = if is_header {
            Kind::Csv {
                rows: Box::new(csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(Bounded { input, since: 0 })),
                record: csv::StringRecord::new(),
                pending: None,
            }
        } else {
            Kind::JsonLines { input, line: 0 }
        };
        Ok(Self { origin: origin.to_owned(), line: 0, model, kind })
    }

    /// Reads all workloads.
    ///
    /// # Errors
    /// If there is none, or one cannot be read or makes no sense.
    pub fn read_all(mut self) -> Result<Vec<WorkloadRequest>, ExchangeError> {
        let mut all = Vec::new();
        while let Some(request) = self.read_next()? {
            all.push(request);
        }
        if all.is_empty() {
            return Err(self.empty());
        }
        Ok(all)
    }

    /// The next workload.
    ///
    /// # Errors
    /// If it cannot be read or makes no sense.
    pub fn read_next(&mut self) -> Result<Option<WorkloadRequest>, ExchangeError> {
        match self.kind {
            Kind::JsonLines { .. } => self.next_line(),
            Kind::Csv { .. } => self.next_rows(),
        }
    }

    /// The error of an input that holds no workload.
    pub fn empty(&self) -> ExchangeError {
        ExchangeError::Empty { origin: self.origin.clone() }
    }

    /// The input, and the line in which the workload read last ends, for errors.
    pub fn place(&self) -> String {
        format!("{}, line {}", self.origin, self.line)
    }

    /// Whether more can be read without waiting.
    pub fn has_more_at_hand(&self) -> bool {
        match &self.kind {
            Kind::JsonLines { input, .. } => {
                let at_hand = input.buffer();
                let whole_lines = at_hand.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
                !at_hand[..whole_lines].iter().all(u8::is_ascii_whitespace)
            }
            Kind::Csv { .. } => true,
        }
    }

    fn wrong(&self, place: String, reason: impl Into<String>) -> ExchangeError {
        ExchangeError::Workload { origin: self.origin.clone(), place, reason: reason.into() }
    }

    fn next_line(&mut self) -> Result<Option<WorkloadRequest>, ExchangeError> {
        let Kind::JsonLines { input, line } = &mut self.kind else { return Ok(None) };
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            *line += 1;
            let read = input.by_ref().take(MAX_WORKLOAD_BYTES).read_until(b'\n', &mut bytes);
            match read {
                Err(source) => return Err(ExchangeError::Unreadable { origin: self.origin.clone(), source }),
                Ok(0) => return Ok(None),
                Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => break,
            }
        }
        self.line = *line as u64;
        let place = format!("line {line}");
        if bytes.len() as u64 == MAX_WORKLOAD_BYTES {
            return Err(self.wrong(place, format!("is longer than {MAX_WORKLOAD_BYTES} bytes")));
        }
        WorkloadRequest::from_json(&bytes, self.model).map(Some).map_err(|error| {
            // The parser counts lines within the one it was given.
            self.wrong(place, error.reason.replace(" at line 1 column ", " at column "))
        })
    }

    fn next_rows(&mut self) -> Result<Option<WorkloadRequest>, ExchangeError> {
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
            if !is_size_mb(mb) {
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
        self.line = last_line;
        let sizes: Vec<f64> = sizes.into_iter().flatten().collect();
        let workload = Workload::from_mb(tasks, &sizes);
        let id = to_raw_value(&id).expect("a text can be written");
        Ok(Some(WorkloadRequest { id: Some(id), instance: Instance { model: self.model.clone(), workload } }))
    }

    fn next_row(&mut self) -> Result<Option<(u64, Row)>, ExchangeError> {
        let Kind::Csv { rows, record, pending } = &mut self.kind else { return Ok(None) };
        if let Some(row) = pending.take() {
            return row.map(Some);
        }
        let row = rows.headers().cloned().and_then(|headers| {
            let more = rows.read_record(record)?;
            rows.get_mut().since = 0;
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

/// Why reading ends.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The input cannot be read.
    #[error("cannot read {origin}")]
    Unreadable {
        /// The name of the input.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// A workload makes no sense.
    #[error("{origin}, {place}: {reason}")]
    Workload {
        /// The name of the input.
        origin: String,
        /// The place in it.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The input holds no workload.
    #[error("{origin} holds no workload")]
    Empty {
        /// The name of the input.
        origin: String,
    },
}
