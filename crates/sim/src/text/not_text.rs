//! What bytes are that are no text in UTF-8 or UTF-16.

use std::{fmt, io};

/// The number of bytes before a wrong byte, and after it, that tell what the text is.
const AROUND: usize = 64;

/// Files that people give in place of a text: how they begin, and what they are.
const KNOWN_FILES: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\x1f\x8b", "a file that gzip compressed"),
    (b"\x28\xb5\x2f\xfd", "a file that zstd compressed"),
    (b"\xfd7zXZ\0", "a file that xz compressed"),
    (b"BZh", "a file that bzip2 compressed"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x89PNG", "a PNG picture"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
];

/// What the bytes are instead of UTF-8 or UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// A file of a known kind that is no text.
    File(&'static str),
    /// Bytes that are no text in any encoding.
    Binary,
    /// Text with one byte for each character, as Windows programs write it.
    Latin1(char),
    /// Text in an encoding that cannot be told.
    Unknown,
    /// UTF-8 or UTF-16 that ends within a character.
    CutOff,
    /// UTF-16 with half of a pair.
    HalfPair,
    /// UTF-32.
    Utf32,
}

/// What bytes are that are neither UTF-8 nor UTF-16, and the place of the first wrong byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// What they are.
    pub other: Other,
    /// The line, from 1.
    pub line: u64,
    /// The character in the line, from 1.
    pub column: u64,
    /// The byte in the text, from 1.
    pub byte: u64,
    /// The first wrong byte.
    pub value: u8,
}

impl NotText {
    /// Describes a text that is not UTF-8: its first wrong byte.
    pub fn in_utf8(bytes: &[u8]) -> Self {
        let Err(error) = std::str::from_utf8(bytes) else { return Self::at_start(Other::Unknown, bytes) };
        let at = error.valid_up_to();
        let before = &bytes[..at];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let is_first_of_character = |byte: &&u8| **byte & 0xc0 != 0x80;
        // The last letter of a text in Latin-1 looks like the first byte of a character, too.
        let is_cut_off = error.error_len().is_none() && (bytes.len() - at > 1 || !before.is_ascii());
        Self {
            other: if is_cut_off { Other::CutOff } else { other(bytes, at) },
            line: before.split(|byte| *byte == b'\n').count() as u64,
            column: 1 + before[line_start..].iter().filter(is_first_of_character).count() as u64,
            byte: 1 + at as u64,
            value: bytes.get(at).copied().unwrap_or_default(),
        }
    }

    pub(super) fn utf32() -> Self {
        Self::at_start(Other::Utf32, &[])
    }

    fn at_start(other: Other, bytes: &[u8]) -> Self {
        Self { other, line: 1, column: 1, byte: 1, value: bytes.first().copied().unwrap_or_default() }
    }

    /// What is wrong, without the place.
    pub fn reason(&self) -> String {
        let Self { other, value, .. } = self;
        let wrong = format!("byte 0x{value:02X} is not UTF-8");
        match other {
            Other::File(kind) => format!("it is {kind} and no text: {wrong}"),
            Other::Binary => format!("it is no text: {wrong}, and other bytes around it stand in no text"),
            Other::Latin1(character) => format!(
                "{wrong}; the text looks like Latin-1 or Windows-1252, where this byte is `{}`",
                character.escape_debug()
            ),
            Other::Unknown => format!("{wrong}; the text is in another encoding"),
            Other::CutOff => "the text ends within a character".to_owned(),
            Other::HalfPair => "half of a character stands alone in a text in UTF-16".to_owned(),
            Other::Utf32 => "the text is in UTF-32, with four bytes for each character".to_owned(),
        }
    }
}

/// Tells what a text is, of which the byte `at` is not UTF-8.
fn other(bytes: &[u8], at: usize) -> Other {
    if let Some((_, kind)) = KNOWN_FILES.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Other::File(kind);
    }
    let around = &bytes[at.saturating_sub(AROUND)..bytes.len().min(at + AROUND)];
    if around.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        return Other::Binary;
    }
    // Where one byte is one character, letters with accents stand between letters without; elsewhere they stand in rows.
    let in_a_row = bytes[at..].iter().take_while(|byte| !byte.is_ascii()).count();
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes[at..=at]);
    match text.chars().next() {
        Some(character) if in_a_row <= 2 && !character.is_control() => Other::Latin1(character),
        _ => Other::Unknown,
    }
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {}): {}", self.line, self.column, self.byte, self.reason())
    }
}

impl std::error::Error for NotText {}

impl From<NotText> for io::Error {
    fn from(error: NotText) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
