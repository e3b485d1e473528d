//! Workloads as JSON objects: one on each line, or each over several lines.

use std::io::{self, BufRead, BufReader, Read};

use sim::CostModel;

use super::json_error;
use super::reader::Refused;
use super::request::WorkloadRequest;
use super::value_end::ValueEnd;
use crate::limits::MAX_WORKLOAD_BYTES;

/// Reads JSON objects, one after the other.
pub(super) struct Objects<R> {
    input: BufReader<R>,
    /// The number of the line that was read last.
    line: u64,
    /// A line that was read and belongs to the next object.
    held: Option<Vec<u8>>,
    /// Whether the rest of the last line is to be dropped: it was too long.
    in_long_line: bool,
    /// The text of the object.
    bytes: Vec<u8>,
}

impl<R: Read> Objects<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 18, input),
            line: 0,
            held: None,
            in_long_line: false,
            bytes: Vec::new(),
        }
    }

    /// Whether a line can be read without waiting.
    pub(super) fn has_more_at_hand(&self) -> bool {
        let at_hand = self.input.buffer();
        let whole_lines = at_hand.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
        self.held.is_some() || !at_hand[..whole_lines].iter().all(u8::is_ascii_whitespace)
    }

    /// The next workload, and its last line. After a workload that is refused, reading can go on.
    pub(super) fn next(&mut self, model: &CostModel) -> io::Result<Result<Option<(WorkloadRequest, u64)>, Refused>> {
        self.bytes.clear();
        if std::mem::take(&mut self.in_long_line) {
            self.input.skip_until(b'\n')?;
        }
        loop {
            match self.read_line()? {
                0 => return Ok(Ok(None)),
                _ if self.bytes.iter().all(u8::is_ascii_whitespace) => self.bytes.clear(),
                _ => break,
            }
        }
        let first_line = self.line;
        if self.is_too_long() {
            return Ok(Err(self.refuse_too_long(first_line)));
        }
        let parsed = serde_json::from_slice(&self.bytes);
        if let Err(error) = &parsed
            && error.is_eof()
            && self.bytes.trim_ascii_start().starts_with(b"{")
        {
            let error = json_error::moved(&json_error::explain(&self.bytes, error), first_line);
            return self.next_over_lines(first_line, &error, model);
        }
        let request = WorkloadRequest::from_parsed(&self.bytes, parsed, model);
        Ok(request.map(|request| Some((request, first_line))).map_err(|error| {
            // The parser counts lines within the one it was given.
            let reason = error.reason.replace(" at line 1 column ", " at column ");
            Refused { id: json_error::id(&self.bytes), ..Refused::at(first_line, reason) }
        }))
    }

    /// The workload of an object whose first line was read. `error` says why it does not end there.
    fn next_over_lines(
        &mut self,
        first_line: u64,
        error: &str,
        model: &CostModel,
    ) -> io::Result<Result<Option<(WorkloadRequest, u64)>, Refused>> {
        match self.read_to_end_of_object()? {
            ObjectEnd::Closed => {}
            ObjectEnd::TooLong => return Ok(Err(self.refuse_too_long(first_line))),
            ObjectEnd::Open => {
                let reason = format!("the object that begins here is not closed ({error})");
                return Ok(Err(Refused::at(first_line, reason)));
            }
        }
        let request = WorkloadRequest::from_json(&self.bytes, model);
        Ok(request.map(|request| Some((request, self.line))).map_err(|error| {
            let reason = json_error::moved(&error.reason, first_line);
            Refused { id: json_error::id(&self.bytes), ..Refused::at(first_line, reason) }
        }))
    }

    /// Adds the next line to the object and returns its length.
    fn read_line(&mut self) -> io::Result<usize> {
        self.line += 1;
        if let Some(line) = self.held.take() {
            self.bytes.extend_from_slice(&line);
            return Ok(line.len());
        }
        let room = (MAX_WORKLOAD_BYTES + 1).saturating_sub(self.bytes.len() as u64);
        self.input.by_ref().take(room).read_until(b'\n', &mut self.bytes)
    }

    fn is_too_long(&self) -> bool {
        self.bytes.len() as u64 > MAX_WORKLOAD_BYTES
    }

    fn refuse_too_long(&mut self, first_line: u64) -> Refused {
        self.in_long_line = !self.bytes.ends_with(b"\n");
        Refused::at(first_line, format!("the workload is longer than {MAX_WORKLOAD_BYTES} bytes"))
    }

    /// Adds lines until the object is closed.
    fn read_to_end_of_object(&mut self) -> io::Result<ObjectEnd> {
        let mut end = ValueEnd::default();
        let mut looked_at = 0;
        loop {
            if let Some(length) = end.find(&self.bytes[looked_at..]) {
                let rest = self.bytes.split_off(looked_at + length);
                if !rest.trim_ascii().is_empty() {
                    // What follows on the same line is for the next call.
                    self.held = Some(rest);
                    self.line -= 1;
                }
                return Ok(ObjectEnd::Closed);
            }
            looked_at = self.bytes.len();
            if self.read_line()? == 0 {
                return Ok(ObjectEnd::Open);
            }
            if self.is_too_long() {
                return Ok(ObjectEnd::TooLong);
            }
            // Within an object lines are indented, so here begins the next one.
            if self.bytes[looked_at..].starts_with(b"{") {
                self.held = Some(self.bytes.split_off(looked_at));
                self.line -= 1;
                return Ok(ObjectEnd::Open);
            }
        }
    }
}

/// How the search for the end of an object ended.
enum ObjectEnd {
    Closed,
    /// The input ends, or another object begins.
    Open,
    TooLong,
}
