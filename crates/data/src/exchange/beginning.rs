//! The beginning of an input of workloads, which tells its format.

use std::io::{self, Cursor, Read};

use sim::text::Decoder;

use super::rows::COLUMNS;
use crate::columns::{Header, is_above_header};
use crate::limits::MAX_LINE_BYTES;

/// The most bytes that are read at once to tell the format.
const CHUNK_BYTES: usize = 8 * 1024;

/// The formats of workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputFormat {
    /// JSON objects, one after the other.
    Objects,
    /// One JSON list of objects.
    List,
    /// A table with a header.
    Table,
}

/// The whole input, its beginning included. It has one type for every source, so that what reads it is compiled here, with
/// the optimisation of this crate.
pub(super) type Input<'r> = io::Chain<Cursor<Vec<u8>>, Decoder<Box<dyn Read + 'r>>>;

/// Reads no more of an input than tells its format, so that two programs can talk line by line.
pub(super) fn tell<'r>(input: Box<dyn Read + 'r>) -> io::Result<(InputFormat, Input<'r>)> {
    let mut input = Decoder::new(input);
    let mut beginning = Vec::new();
    let format = loop {
        let start = beginning.len();
        beginning.resize(start + CHUNK_BYTES, 0);
        let count = match input.read(&mut beginning[start..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                beginning.truncate(start);
                continue;
            }
            count => count?,
        };
        beginning.truncate(start + count);
        if let Some(format) = InputFormat::of(&beginning, count == 0) {
            break format;
        }
    };
    Ok((format, Cursor::new(beginning).chain(input)))
}

impl InputFormat {
    /// The format of an input that begins so; `None` if more must be known. `is_whole` says that there is no more.
    fn of(beginning: &[u8], is_whole: bool) -> Option<Self> {
        match beginning.trim_ascii_start().first() {
            Some(b'{') => return Some(Self::Objects),
            Some(b'[') => return Some(Self::List),
            _ => {}
        }
        let is_whole = is_whole || beginning.len() > MAX_LINE_BYTES;
        let mut lines = beginning.split_inclusive(|byte| *byte == b'\n').map(String::from_utf8_lossy);
        let Some(line) = lines.find(|line| !is_above_header(line)) else {
            return is_whole.then_some(Self::Objects);
        };
        if !line.ends_with('\n') && !is_whole {
            return None;
        }
        let header = Header::read(&line, &COLUMNS);
        Some(if header.count(&COLUMNS) > 0 { Self::Table } else { Self::Objects })
    }
}
