//! Lines of untrusted files: bounded in length, checked, and counted when they are bad.

use std::io::{self, Read};

use sim::text::Decoder;

use crate::bad_lines::{BadLines, KEPT_BYTES, Quantity, Reason, escaped};
use crate::limits::{MAX_BAD_LINES, MAX_FILE_BYTES, MAX_LINE_BYTES};

const BUFFER_BYTES: usize = 4 * MAX_LINE_BYTES;

/// The lines of a beginning that are not blank. The last one may be cut off.
pub(crate) fn first_lines(ahead: &[u8]) -> impl Iterator<Item = &str> {
    let ahead = &ahead[..ahead.len().min(MAX_LINE_BYTES)];
    ahead
        .split(|byte| *byte == b'\n')
        .map(|line| std::str::from_utf8(line).map_or("\u{fffd}", str::trim))
        .filter(|line| !line.is_empty())
}

/// The lines of a beginning as [`Line::Text`] has them.
pub(crate) fn first_rows(ahead: &[u8]) -> impl Iterator<Item = &str> {
    let ahead = &ahead[..ahead.len().min(MAX_LINE_BYTES)];
    ahead.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line).map_or("\u{fffd}", without_spaces))
}

/// A line without spaces around it. Tabs stay: they may divide columns of which the first is empty.
fn without_spaces(line: &str) -> &str {
    line.trim_matches(|character: char| character != '\t' && character.is_whitespace())
}

/// A line of a file.
pub(crate) enum Line<'a> {
    /// A line without its end and without spaces around it; tabs around it stay.
    Text(&'a str),
    /// A bad line: what is wrong with it, and the line, or its beginning if it is too long.
    Bad(Reason, &'a [u8]),
}

/// The lines of a reader, UTF-8 or UTF-16, one at a time in one buffer of fixed size.
pub(crate) struct Lines<R> {
    reader: Decoder<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read so far, and the most that may be read.
    read: u64,
    limit: u64,
    /// The beginning of the last line that was too long.
    long: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Reads the beginning of a file.
    pub(crate) fn new(reader: R) -> io::Result<Self> {
        let mut lines = Self::endless(reader);
        lines.limit = MAX_FILE_BYTES;
        while lines.end <= MAX_LINE_BYTES && lines.fill()? {}
        Ok(lines)
    }

    /// The lines of an input of any length. Reads nothing yet.
    pub(crate) fn endless(reader: R) -> Self {
        let (reader, buffer) = (Decoder::new(reader), vec![0; BUFFER_BYTES]);
        Self { reader, buffer, start: 0, end: 0, read: 0, limit: u64::MAX, long: Vec::new() }
    }

    /// The bytes that were read and not yet taken. Before the first line these are more than [`MAX_LINE_BYTES`], or the whole
    /// file.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
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
            Ok(text) => Line::Text(without_spaces(text)),
            Err(_) => Line::Bad(Reason::NotUtf8, line),
        }))
    }

    /// The rest of the file; `None` if it is more than `limit` bytes.
    pub(crate) fn rest(mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = self.ahead().to_vec();
        let room = (limit + 1).saturating_sub(bytes.len());
        self.reader.by_ref().take(room as u64).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= limit).then_some(bytes))
    }

    /// Keeps the beginning of a line that is too long and drops the rest of the line.
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

    /// Reads more of the file and returns whether there was more. The limit on lines makes sure that the buffer has room.
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
                    if self.read > self.limit {
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

/// The content of a good line.
pub(crate) enum LineContent {
    /// A number of samples.
    Samples(usize),
    /// A measurement that is not used.
    LeftOut,
    /// No measurement, such as in a header.
    Nothing,
}

/// Why reading ends before the file does.
pub(crate) enum Stop {
    Io(io::Error),
    TooMany,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Counts lines and samples, and ends the reading when there are too many.
#[derive(Default)]
pub(crate) struct ReadCounts {
    pub(crate) lines: u64,
    pub(crate) left_out: u64,
    pub(crate) bad: BadLines,
    /// The number of samples that may still be read.
    pub(crate) room: usize,
}

impl ReadCounts {
    pub(crate) fn new(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Calls `read` with every line that is not blank and its number, from 1.
    pub(crate) fn each_line<R: Read>(
        &mut self,
        lines: &mut Lines<R>,
        mut read: impl FnMut(u64, &str) -> Result<LineContent, Reason>,
    ) -> Result<(), Stop> {
        self.each_row(lines, |number, row| read(number, row.trim()))
    }

    /// The same for the rows of a table: tabs around a row stay.
    pub(crate) fn each_row<R: Read>(
        &mut self,
        lines: &mut Lines<R>,
        mut read: impl FnMut(u64, &str) -> Result<LineContent, Reason>,
    ) -> Result<(), Stop> {
        while let Some(line) = lines.next()? {
            self.lines += 1;
            match line {
                Line::Text(text) if text.trim_start().is_empty() => {}
                Line::Text(text) => match read(self.lines, text) {
                    Ok(LineContent::Samples(count)) => self.room = self.room.checked_sub(count).ok_or(Stop::TooMany)?,
                    Ok(LineContent::LeftOut) => self.left_out += 1,
                    Ok(LineContent::Nothing) => {}
                    Err(reason) => self.bad.add(self.lines, reason, text),
                },
                Line::Bad(reason, beginning) => {
                    self.bad.add(self.lines, reason, &escaped(beginning));
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
pub(crate) fn number(text: &str, quantity: Quantity, most: f64) -> Result<f64, Reason> {
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
