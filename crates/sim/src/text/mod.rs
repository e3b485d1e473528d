//! Text from outside: UTF-8 or UTF-16, with or without a byte-order mark, as editors and shells write it.
//!
//! ```
//! use sim::text;
//!
//! let utf16 = b"\xff\xfen\0a\0m\0e\0".to_vec();
//! assert_eq!(text::decode(utf16)?, "name");
//! let refused = text::decode(b"caf\xe9".to_vec()).unwrap_err().to_string();
//! assert_eq!(
//!     refused,
//!     "line 1, column 4 (byte 4): byte 0xE9 is not UTF-8; the text looks like Latin-1 or Windows-1252, where this byte \
//!      is `é`"
//! );
//! # Ok::<(), text::NotText>(())
//! ```
//!
//! - [`read`] reads a file of settings as a whole, [`decode`] a text in memory.
//! - [`Decoder`] reads a long or endless input and gives its bytes as UTF-8.
//! - [`NotText`] says what bytes are that are neither UTF-8 nor UTF-16, and where.

mod decoder;
mod not_text;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use self::decoder::Decoder;
pub use self::not_text::{NotText, Other};
use crate::limits::MAX_TEXT_BYTES;

/// Reads a text file as a whole, without its byte-order mark.
///
/// # Errors
/// If the file cannot be read, is larger than [`MAX_TEXT_BYTES`], or is neither UTF-8 nor UTF-16. In the last case the
/// error holds a [`NotText`], which [`not_text`] finds.
pub fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        let reason = format!("it goes on after {} MiB", MAX_TEXT_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(decode(bytes)?)
}

/// Decodes a text, without its byte-order mark.
///
/// # Errors
/// If the bytes are neither UTF-8 nor UTF-16.
pub fn decode(bytes: Vec<u8>) -> Result<String, NotText> {
    match Encoding::of(&bytes, true) {
        Some((Encoding::Utf8, mark)) => {
            let mut text = String::from_utf8(bytes).map_err(|error| NotText::in_utf8(error.as_bytes()))?;
            text.drain(..mark);
            Ok(text)
        }
        Some((Encoding::Utf16(order), mark)) => decoder::decode_utf16(order, &bytes[mark..], mark),
        Some((Encoding::Utf32, _)) | None => Err(NotText::utf32()),
    }
}

/// What is wrong with the text of a file or an input, if that is why it could not be read.
pub fn not_text(error: &io::Error) -> Option<&NotText> {
    error.get_ref()?.downcast_ref()
}

/// The encodings that are told apart by the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or something that is neither of the others.
    Utf8,
    /// UTF-16 in one of its two byte orders.
    Utf16(ByteOrder),
    /// UTF-32, which is not read.
    Utf32,
}

/// The order of the two bytes of a UTF-16 unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl Encoding {
    /// The encoding of a text that begins so, and the length of its byte-order mark in bytes. `None` if more bytes must be
    /// known; `is_whole` says that there are no more.
    ///
    /// A text without a mark counts as UTF-16 if one of its first two bytes is 0: no UTF-8 text begins so.
    pub(crate) fn of(beginning: &[u8], is_whole: bool) -> Option<(Self, usize)> {
        use ByteOrder::{Big, Little};
        let needs = |length: usize| !is_whole && beginning.len() < length;
        match *beginning {
            [] | [0xef | 0xfe | 0xff] | [0xef, 0xbb] if !is_whole => None,
            [0xff, 0xfe, ..] | [_, 0, ..] if needs(4) => None,
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some((Self::Utf32, 4)),
            [0xff, 0xfe, ..] => Some((Self::Utf16(Little), 2)),
            [0xfe, 0xff, ..] => Some((Self::Utf16(Big), 2)),
            [0xef, 0xbb, 0xbf, ..] => Some((Self::Utf8, 3)),
            [first, 0, 0, 0, ..] | [0, 0, 0, first, ..] if begins_text(first) => Some((Self::Utf32, 0)),
            [first, 0, ..] if begins_text(first) => Some((Self::Utf16(Little), 0)),
            [0, first, ..] if begins_text(first) => Some((Self::Utf16(Big), 0)),
            [first] if !is_whole && (begins_text(first) || first == 0) => None,
            _ => Some((Self::Utf8, 0)),
        }
    }
}

/// Whether a text of settings or data can begin with this character.
fn begins_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}
