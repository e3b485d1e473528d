//! Lines of untrusted files: bounded in length, checked, and counted when they are bad.

use std::fmt;
use std::io::{self, Read};

/// The longest line that is read, in bytes without its end. Longer ones are bad lines and are not kept in memory.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The most that is read of one file, 4 GiB: what is longer does not end.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// The most bad lines of one file; what has more is no recording.
pub const MAX_BAD_LINES: u64 = 1_000_000;

/// How many bad lines of a file are kept; the others are only counted.
pub const KEPT_BAD_LINES: usize = 5;

/// How much of a bad line is kept, in characters.
const KEPT_CHARACTERS: usize = 40;

/// Enough bytes for [`KEPT_CHARACTERS`] of UTF-8.
const KEPT_BYTES: usize = 4 * KEPT_CHARACTERS;

const BUFFER_BYTES: usize = 4 * MAX_LINE_BYTES;

/// What a number in a file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A time.
    Time,
    /// A rate.
    Rate,
    /// The size of a transfer.
    Payload,
    /// The size of a task.
    Size,
}

/// Why a line is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Longer than [`MAX_LINE_BYTES`].
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Too few or too many columns.
    Columns {
        /// Columns of the line.
        found: usize,
        /// Columns of the format.
        expected: usize,
    },
    /// Not a number.
    NotANumber(Quantity),
    /// NaN or infinite.
    NotFinite(Quantity),
    /// Below 0.
    Negative(Quantity),
    /// 0, where nothing but a positive number makes sense.
    Zero(Quantity),
    /// Too large to be true.
    TooLarge(Quantity),
    /// Not a value and a unit of rates.
    NoUnit,
    /// Not a whole number of milliseconds.
    NotMilliseconds,
    /// Before the line above it, in a format that is in order of time.
    Backwards,
    /// More than a day after the packet before it.
    Jump,
    /// The two times of the line do not fit those of most lines.
    ClocksDisagree,
    /// The name of the device is empty, longer than 200 bytes, or holds control characters.
    DeviceName,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Rate => "rate",
            Self::Payload => "payload",
            Self::Size => "size",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("longer than 64 KiB"),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Columns { found, expected } => write!(f, "{found} columns instead of {expected}"),
            Self::NotANumber(quantity) => write!(f, "the {quantity} is not a number"),
            Self::NotFinite(quantity) => write!(f, "the {quantity} is not finite"),
            Self::Negative(quantity) => write!(f, "the {quantity} is negative"),
            Self::Zero(quantity) => write!(f, "the {quantity} is 0"),
            Self::TooLarge(quantity) => write!(f, "the {quantity} is too large"),
            Self::NoUnit => f.write_str("not a value and a unit of bits/sec, Kbits/sec, Mbits/sec or Gbits/sec"),
            Self::NotMilliseconds => f.write_str("not a whole number of milliseconds"),
            Self::Backwards => f.write_str("the time runs backwards"),
            Self::Jump => f.write_str("more than a day after the packet before it"),
            Self::ClocksDisagree => f.write_str("its two times do not fit those of the other lines"),
            Self::DeviceName => f.write_str("the device has no name of at most 200 printable bytes"),
        }
    }
}

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: Reason,
    /// How it begins: at most 40 characters, with control characters escaped.
    pub text: String,
}

/// The lines of a file that cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLines {
    /// How many there are.
    pub count: u64,
    /// The first [`KEPT_BAD_LINES`] of them.
    pub first: Vec<BadLine>,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: `{}`", self.line, self.reason, self.text)
    }
}

impl fmt::Display for BadLines {
    /// `no bad lines`, or their number and the first of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first.first() {
            Some(first) => write!(f, "{} ({first})", counted(self.count, "bad line")),
            None => f.write_str("no bad lines"),
        }
    }
}

impl BadLines {
    pub(super) fn add(&mut self, line: u64, reason: Reason, text: &str) {
        self.count += 1;
        // Some faults are found only after later lines were read.
        let place = self.first.partition_point(|bad| bad.line < line);
        if place < KEPT_BAD_LINES {
            self.first.insert(place, BadLine { line, reason, text: excerpt(text) });
            self.first.truncate(KEPT_BAD_LINES);
        }
    }
}

/// `1 line`, `2 lines`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// The beginning of a text, fit for a terminal: at most 40 characters, with those escaped that are not printed.
pub(super) fn excerpt(text: &str) -> String {
    let mut excerpt = String::new();
    let mut length = 0;
    for character in text.chars() {
        // Marks of writing direction and characters of no width can make an error message say something else.
        let hidden = matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        let escaped = if hidden || character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        };
        length += escaped.chars().count();
        if length > KEPT_CHARACTERS {
            break;
        }
        excerpt.push_str(&escaped);
    }
    excerpt
}

/// A line, or what is wrong with it and how it begins.
pub(super) enum Line<'a> {
    /// Without its end, without spaces around it.
    Text(&'a str),
    Bad(Reason, &'a [u8]),
}

/// The lines of a reader, one at a time in one buffer of fixed size.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read so far.
    read: u64,
    /// The beginning of the last line that was too long.
    long: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Reads the beginning; leaves out a byte-order mark.
    pub(super) fn new(reader: R) -> io::Result<Self> {
        let mut lines = Self { reader, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, read: 0, long: Vec::new() };
        while lines.end <= MAX_LINE_BYTES && lines.fill()? {}
        if lines.buffer[..lines.end].starts_with("\u{feff}".as_bytes()) {
            lines.start = 3;
        }
        Ok(lines)
    }

    /// What was read and not yet taken. Before the first line this is more than [`MAX_LINE_BYTES`], or all there is.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next line.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut scanned = 0;
        let range = loop {
            let ahead = &self.buffer[self.start + scanned..self.end];
            if let Some(length) = ahead.iter().position(|byte| *byte == b'\n') {
                let end = self.start + scanned + length;
                let range = self.start..end;
                self.start = end + 1;
                break range;
            }
            scanned = self.end - self.start;
            // One byte more than the longest line: it may be a carriage return.
            if scanned > MAX_LINE_BYTES + 1 {
                self.skip_line()?;
                return Ok(Some(Line::Bad(Reason::TooLong, &self.long)));
            }
            if !self.fill()? {
                if scanned == 0 {
                    return Ok(None);
                }
                let range = self.start..self.end;
                self.start = self.end;
                break range;
            }
        };
        let line = &self.buffer[range];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_LINE_BYTES {
            return Ok(Some(Line::Bad(Reason::TooLong, &line[..KEPT_BYTES])));
        }
        Ok(Some(match std::str::from_utf8(line) {
            Ok(text) => Line::Text(text.trim()),
            Err(_) => Line::Bad(Reason::NotUtf8, &line[..line.len().min(KEPT_BYTES)]),
        }))
    }

    /// Everything that is left, or `None` if that is more than `limit` bytes.
    pub(super) fn rest(mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = self.ahead().to_vec();
        let room = (limit + 1).saturating_sub(bytes.len());
        self.reader.by_ref().take(room as u64).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= limit).then_some(bytes))
    }

    /// Keeps the beginning of a line that is too long, forgets the rest up to its end.
    fn skip_line(&mut self) -> io::Result<()> {
        self.long.clear();
        self.long.extend_from_slice(&self.buffer[self.start..self.start + KEPT_BYTES]);
        loop {
            self.start = self.end;
            if !self.fill()? {
                return Ok(());
            }
            if let Some(length) = self.ahead().iter().position(|byte| *byte == b'\n') {
                self.start += length + 1;
                return Ok(());
            }
        }
    }

    /// Reads on; false at the end. There must be room for more, which the limit on lines sees to.
    fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    self.read += count as u64;
                    if self.read > MAX_FILE_BYTES {
                        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it goes on after 4 GiB"));
                    }
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What a good line gave.
pub(super) enum Used {
    /// This many samples.
    Samples(usize),
    /// A measurement that is not wanted.
    LeftOut,
    /// Nothing, and none was expected.
    Nothing,
}

/// Why reading ends before the file does.
pub(super) enum Stop {
    Io(io::Error),
    TooMany,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Counts what is read, and stops it where it becomes too much.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) left_out: u64,
    pub(super) bad: BadLines,
    /// How many samples there may still be.
    pub(super) room: usize,
}

impl Tally {
    pub(super) fn new(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Hands each line that is not blank to `read` with its number, from 1.
    pub(super) fn each_line<R: Read>(
        &mut self,
        lines: &mut Lines<R>,
        mut read: impl FnMut(u64, &str) -> Result<Used, Reason>,
    ) -> Result<(), Stop> {
        while let Some(line) = lines.next()? {
            self.lines += 1;
            match line {
                Line::Text("") => {}
                Line::Text(text) => match read(self.lines, text) {
                    Ok(Used::Samples(count)) => self.room = self.room.checked_sub(count).ok_or(Stop::TooMany)?,
                    Ok(Used::LeftOut) => self.left_out += 1,
                    Ok(Used::Nothing) => {}
                    Err(reason) => self.bad.add(self.lines, reason, text),
                },
                Line::Bad(reason, beginning) => {
                    self.bad.add(self.lines, reason, &String::from_utf8_lossy(beginning));
                }
            }
            if self.bad.count > MAX_BAD_LINES {
                let reason = "it has more than a million lines that are none of a recording";
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason).into());
            }
        }
        Ok(())
    }
}

/// A number from 0 to `most`.
pub(super) fn number(text: &str, quantity: Quantity, most: f64) -> Result<f64, Reason> {
    let value: f64 = text.trim().parse().map_err(|_| Reason::NotANumber(quantity))?;
    if !value.is_finite() {
        Err(Reason::NotFinite(quantity))
    } else if value < 0.0 {
        Err(Reason::Negative(quantity))
    } else if value > most {
        Err(Reason::TooLarge(quantity))
    } else {
        Ok(value.abs()) // -0 becomes 0
    }
}
