//! Lines of recorded data that cannot be used, and why.

use std::fmt;

use crate::limits::KEPT_BAD_LINES;

/// The number of characters that are kept of a bad line.
const KEPT_CHARACTERS: usize = 40;

/// The number of bytes that are kept of a bad line: enough for [`KEPT_CHARACTERS`] in UTF-8.
pub(crate) const KEPT_BYTES: usize = 4 * KEPT_CHARACTERS;

/// The quantity that a number in a file measures.
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
    /// Longer than [`MAX_LINE_BYTES`](crate::limits::MAX_LINE_BYTES).
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Too few or too many columns.
    Columns {
        /// The number of columns of the line.
        found: usize,
        /// The number of columns of the format.
        expected: usize,
    },
    /// A quote that begins a field is not closed.
    OpenQuote,
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
    /// The two times of the line give another start of the recording than most lines give.
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
            Self::OpenQuote => f.write_str("a quote is not closed on its line"),
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
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: Reason,
    /// The beginning of the line: at most 40 characters, with control characters escaped.
    pub text: String,
}

/// The lines of a file that cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLines {
    /// The number of bad lines.
    pub count: u64,
    /// The first [`KEPT_BAD_LINES`] bad lines.
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
    pub(crate) fn add(&mut self, line: u64, reason: Reason, text: &str) {
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
pub(crate) fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// The beginning of a line that is not UTF-8, with its wrong bytes written as `\xff`.
pub(crate) fn escaped(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line[..line.len().min(KEPT_BYTES)].utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// The beginning of a text, safe for a terminal: at most 40 characters, with characters escaped that are not printed.
pub(crate) fn excerpt(text: &str) -> String {
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
