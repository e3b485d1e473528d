//! Decodes an input while it is read.

use std::io::{self, Read};

use encoding_rs::DecoderResult;

use super::not_text::{NotText, Other};
use super::{ByteOrder, Encoding};

/// The number of bytes of UTF-16 that are read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// The most bytes that the beginning of a text must have to tell its encoding.
const BEGINNING_BYTES: usize = 4;

/// Reads text in UTF-8 or UTF-16 and gives its bytes in UTF-8, without a byte-order mark.
///
/// UTF-8 passes through as it is, unchecked: whoever takes lines or values from it must check them anyway. UTF-16 is
/// checked here; reading it fails with a [`NotText`] at the first place that is wrong. Nothing is read ahead beyond the
/// first four bytes, so that two programs can talk line by line.
#[derive(Debug)]
pub struct Decoder<R> {
    reader: R,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first bytes, which do not tell the encoding yet.
    Beginning(Beginning),
    /// UTF-8, with first bytes that were not handed on yet.
    Utf8(Beginning),
    Utf16(Box<Utf16>),
    Failed(NotText),
}

/// A few bytes from the beginning of a text.
#[derive(Debug, Clone, Copy, Default)]
struct Beginning {
    bytes: [u8; BEGINNING_BYTES],
    start: usize,
    end: usize,
}

impl<R: Read> Decoder<R> {
    /// Decodes what `reader` gives. Reads nothing yet.
    pub fn new(reader: R) -> Self {
        Self { reader, state: State::Beginning(Beginning::default()) }
    }

    /// Reads the first bytes, which tell the encoding.
    fn begin(&mut self, mut first: Beginning) -> io::Result<()> {
        loop {
            let count = match self.reader.read(&mut first.bytes[first.end..]) {
                Ok(count) => count,
                Err(error) => {
                    self.state = State::Beginning(first);
                    return Err(error);
                }
            };
            first.end += count;
            if let Some((encoding, mark)) = Encoding::of(&first.bytes[..first.end], count == 0) {
                first.start = mark.min(first.end);
                self.state = match encoding {
                    Encoding::Utf8 => State::Utf8(first),
                    Encoding::Utf16(order) => State::Utf16(Box::new(Utf16::new(order, &first))),
                    Encoding::Utf32 => State::Failed(NotText::utf32()),
                };
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let State::Beginning(first) = self.state {
            self.begin(first)?;
        }
        match &mut self.state {
            State::Utf8(first) if first.start < first.end => {
                let count = (&first.bytes[first.start..first.end]).read(buffer)?;
                first.start += count;
                Ok(count)
            }
            State::Utf8(_) => self.reader.read(buffer),
            State::Utf16(utf16) => match utf16.read(&mut self.reader, buffer)? {
                Ok(count) => Ok(count),
                Err(error) => {
                    self.state = State::Failed(error.clone());
                    Err(error.into())
                }
            },
            State::Failed(error) => Err(error.clone().into()),
            State::Beginning(_) => Ok(0),
        }
    }
}

/// UTF-16 on its way to UTF-8.
#[derive(Debug)]
struct Utf16 {
    place: Place,
    decoder: Utf16Decoder,
    bytes: Vec<u8>,
    /// Decoded text, and how much of it was handed on.
    text: Vec<u8>,
    given: usize,
    /// A mistake after the decoded text.
    wrong: Option<NotText>,
    is_at_end: bool,
}

impl Utf16 {
    fn new(order: ByteOrder, first: &Beginning) -> Self {
        Self {
            place: Place { byte: first.start as u64, ..Place::default() },
            decoder: Utf16Decoder::new(order),
            bytes: first.bytes[first.start..first.end].to_vec(),
            text: Vec::new(),
            given: 0,
            wrong: None,
            is_at_end: false,
        }
    }

    fn read(&mut self, reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<Result<usize, NotText>> {
        while self.given == self.text.len() {
            if let Some(wrong) = self.wrong.take() {
                return Ok(Err(wrong));
            }
            if self.is_at_end || buffer.is_empty() {
                return Ok(Ok(0));
            }
            // The bytes that told the encoding are decoded before more is read.
            if self.bytes.is_empty() {
                self.bytes.resize(CHUNK_BYTES, 0);
                let count = reader.read(&mut self.bytes).inspect_err(|_| self.bytes.clear())?;
                self.bytes.truncate(count);
                self.is_at_end = count == 0;
            }
            self.text.clear();
            self.given = 0;
            self.wrong = self.decoder.decode(&self.bytes, self.is_at_end, &mut self.text, &mut self.place).err();
            self.bytes.clear();
        }
        let count = (&self.text[self.given..]).read(buffer)?;
        self.given += count;
        Ok(Ok(count))
    }
}

/// The place up to which a text was decoded.
#[derive(Debug, Default)]
struct Place {
    byte: u64,
    line: u64,
    column: u64,
}

impl Place {
    /// Goes on to the end of this part of the text.
    fn pass(&mut self, text: &[u8]) {
        for byte in text {
            if *byte == b'\n' {
                self.line += 1;
                self.column = 0;
            } else if byte & 0xc0 != 0x80 {
                self.column += 1;
            }
        }
    }
}

struct Utf16Decoder(encoding_rs::Decoder);

impl std::fmt::Debug for Utf16Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.encoding().name())
    }
}

impl Utf16Decoder {
    fn new(order: ByteOrder) -> Self {
        let encoding = match order {
            ByteOrder::Little => encoding_rs::UTF_16LE,
            ByteOrder::Big => encoding_rs::UTF_16BE,
        };
        Self(encoding.new_decoder_without_bom_handling())
    }

    /// Adds the text of these bytes to `text`, and moves `place` behind it. The end of the text is told by no bytes.
    fn decode(&mut self, bytes: &[u8], is_last: bool, text: &mut Vec<u8>, place: &mut Place) -> Result<(), NotText> {
        let start = text.len();
        // A unit of two bytes becomes at most three; a unit may be left over from the bytes before.
        text.resize(start + 3 * (bytes.len() / 2 + 3), 0);
        let (result, read, written) = self.0.decode_to_utf8_without_replacement(bytes, &mut text[start..], is_last);
        text.truncate(start + written);
        place.pass(&text[start..]);
        place.byte += read as u64;
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
            DecoderResult::Malformed(length, after) => {
                let byte = (place.byte + 1).saturating_sub(u64::from(length) + u64::from(after)).max(1);
                let other = if is_last { Other::CutOff } else { Other::HalfPair };
                Err(NotText { other, line: place.line + 1, column: place.column + 1, byte, value: 0 })
            }
        }
    }
}

/// Decodes a whole text in UTF-16, before which a mark of `mark` bytes stood.
pub(super) fn decode_utf16(order: ByteOrder, bytes: &[u8], mark: usize) -> Result<String, NotText> {
    let mut text = Vec::new();
    let mut place = Place { byte: mark as u64, ..Place::default() };
    let mut decoder = Utf16Decoder::new(order);
    decoder.decode(bytes, false, &mut text, &mut place)?;
    decoder.decode(&[], true, &mut text, &mut place)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
