//! Workloads as one JSON list of objects, read object by object.

use std::io::{self, BufRead, BufReader, Read};

use sim::CostModel;

use super::json_error;
use super::reader::Refused;
use super::request::WorkloadRequest;
use super::value_end::ValueEnd;
use crate::limits::MAX_WORKLOAD_BYTES;

/// Reads the objects of a list.
pub(super) struct List<R> {
    input: BufReader<R>,
    /// The number of line ends that were read.
    line_ends: u64,
    /// The number of workloads that were read, right or wrong.
    count: u64,
    state: State,
    /// The text of the object.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the bracket that opens the list.
    Before,
    /// Behind that bracket.
    Opened,
    /// Behind an object.
    BehindObject,
    /// Behind a comma.
    BehindComma,
    /// Behind the bracket that closes the list.
    Closed,
    /// Nothing more is read.
    End,
}

impl<R: Read> List<R> {
    pub(super) fn new(input: R) -> Self {
        let input = BufReader::with_capacity(1 << 18, input);
        Self { input, line_ends: 0, count: 0, state: State::Before, bytes: Vec::new() }
    }

    /// Whether an object may be read without waiting.
    pub(super) fn has_more_at_hand(&self) -> bool {
        self.input.buffer().contains(&b'}')
    }

    /// The next workload, and its last line. After a workload that is refused, reading can go on, unless the list itself is
    /// wrong.
    pub(super) fn next(&mut self, model: &CostModel) -> io::Result<Result<Option<(WorkloadRequest, u64)>, Refused>> {
        while self.state != State::End {
            let Some(byte) = self.skip_spaces()? else {
                let is_closed = self.state == State::Closed;
                self.state = State::End;
                return Ok(if is_closed {
                    Ok(None)
                } else {
                    Err(self.wrong_list("the list is not closed: `]` is missing"))
                });
            };
            let next = match (self.state, byte) {
                (State::Before, b'[') => State::Opened,
                (State::Opened | State::BehindObject, b']') => State::Closed,
                (State::BehindObject, b',') => State::BehindComma,
                (State::Opened | State::BehindComma, b'{' | b'[') => return self.read_object(model),
                (State::BehindComma, b']') => {
                    return Ok(Err(self.wrong_list("a workload is missing between the comma and `]`")));
                }
                (State::Opened | State::BehindComma, _) => {
                    return Ok(Err(self.wrong_list("the list must hold objects, one for each workload")));
                }
                (State::Closed, _) => return Ok(Err(self.wrong_list("something follows the end of the list"))),
                (State::BehindObject, _) => {
                    return Ok(Err(self.wrong_list("there must be a comma or `]` behind a workload")));
                }
                (State::Before | State::End, _) => return Ok(Err(self.wrong_list("a list must begin with `[`"))),
            };
            self.input.consume(1);
            self.state = next;
        }
        Ok(Ok(None))
    }

    /// The next byte that is no space, if there is one. It is not taken.
    fn skip_spaces(&mut self) -> io::Result<Option<u8>> {
        loop {
            let at_hand = self.input.fill_buf()?;
            let Some(first) = at_hand.first() else { return Ok(None) };
            let spaces = at_hand.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if spaces == 0 {
                return Ok(Some(*first));
            }
            self.line_ends += line_ends(&at_hand[..spaces]);
            self.input.consume(spaces);
        }
    }

    fn read_object(&mut self, model: &CostModel) -> io::Result<Result<Option<(WorkloadRequest, u64)>, Refused>> {
        self.count += 1;
        let first_line = self.line_ends + 1;
        let mut end = ValueEnd::default();
        self.bytes.clear();
        loop {
            let at_hand = self.input.fill_buf()?;
            if at_hand.is_empty() {
                return Ok(Err(self.wrong_list("the list ends within a workload")));
            }
            let found = end.find(at_hand);
            let length = found.unwrap_or(at_hand.len());
            self.bytes.extend_from_slice(&at_hand[..length]);
            self.line_ends += line_ends(&at_hand[..length]);
            self.input.consume(length);
            if self.bytes.len() as u64 > MAX_WORKLOAD_BYTES {
                let reason = format!("the workload is longer than {MAX_WORKLOAD_BYTES} bytes");
                return Ok(Err(self.wrong_list(&reason)));
            }
            if found.is_some() {
                break;
            }
        }
        self.state = State::BehindObject;
        let last_line = self.line_ends + 1;
        let request = WorkloadRequest::from_json(&self.bytes, model);
        Ok(request.map(|request| Some((request, last_line))).map_err(|error| Refused {
            id: json_error::id(&self.bytes),
            item: Some(self.count),
            ..Refused::at(first_line, json_error::moved(&error.reason, first_line))
        }))
    }

    /// A mistake of the list itself, behind which nothing can be read.
    fn wrong_list(&mut self, reason: &str) -> Refused {
        self.state = State::End;
        Refused { item: Some(self.count.max(1)), is_last: true, ..Refused::at(self.line_ends + 1, reason.to_owned()) }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}
