//! Texts from outside, in every encoding that is read and in some that are not.

use std::io::{self, Read};

use proptest::prelude::*;
use sim::Scenario;
use sim::text::{self, Decoder, NotText, Other, not_text};

/// A reader that gives a few bytes at a time, as a pipe may.
struct Trickle<'a> {
    bytes: &'a [u8],
    at_once: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.len().min(self.at_once).min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

fn streamed(bytes: &[u8], at_once: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Decoder::new(Trickle { bytes, at_once }).read_to_end(&mut text)?;
    Ok(text)
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// A text in every encoding that is read.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let (little, big) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
    vec![
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe", &little[..]].concat(),
        [b"\xfe\xff", &big[..]].concat(),
        little,
        big,
    ]
}

#[test]
fn every_encoding_gives_the_same_text_whole_and_in_pieces() {
    let long = "größe = 1 # 边缘 😀\r\n".repeat(3000);
    for text in ["", "a", "{}", "n = 1\n", "größe = 1 # 边缘 😀\r\n", &long] {
        for bytes in encodings(text) {
            assert_eq!(text::decode(bytes.clone()).as_deref(), Ok(text));
            for at_once in [1, 3, 8000] {
                assert_eq!(streamed(&bytes, at_once).expect("text"), text.as_bytes(), "{at_once} at once");
            }
        }
    }
}

#[test]
fn what_is_no_text_is_named_with_its_place() {
    let refused = |bytes: &[u8]| {
        let NotText { other, line, column, byte, .. } = text::decode(bytes.to_vec()).expect_err("no text");
        (other, line, column, byte)
    };
    assert_eq!(refused(b"a = 1\n# caf\xe9s\n"), (Other::Latin1('é'), 2, 6, 12));
    assert_eq!(refused("ü = \u{80}".as_bytes().split_last().expect("text").1), (Other::CutOff, 1, 5, 6));
    assert_eq!(
        refused(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xff\xff"),
        (Other::File("a zip archive or an Excel workbook"), 1, 15, 15)
    );
    assert_eq!(refused(b"\x1f\x8b\x08\0\0"), (Other::File("a file that gzip compressed"), 1, 2, 2));
    assert_eq!(refused(b"ab\x01\xff\x02"), (Other::Binary, 1, 4, 4));
    assert_eq!(refused(b"# \xb1\xdf\xd4\xb5\xb1\xdf\n"), (Other::Unknown, 1, 3, 3));
    assert_eq!(refused(b"\xff\xfe\0\0a\0\0\0"), (Other::Utf32, 1, 1, 1));
    assert_eq!(refused(b"a\0\0\0b\0\0\0"), (Other::Utf32, 1, 1, 1));
    assert_eq!(refused(b"\xff\xfea\0\n\0b\0\0\xd8c\0d\0"), (Other::HalfPair, 2, 2, 9));
    assert_eq!(refused(b"\xff\xfea\0b"), (Other::CutOff, 1, 2, 5));
}

#[test]
fn a_mistake_in_utf16_comes_behind_the_text_before_it_and_stays() {
    let bytes = b"\xff\xfea\0\n\0b\0\0\xd8c\0d\0";
    let mut decoder = Decoder::new(&bytes[..]);
    let mut text = [0; 3];
    decoder.read_exact(&mut text).expect("the text before");
    assert_eq!(&text, b"a\nb");
    for _ in 0..2 {
        let error = decoder.read(&mut text).expect_err("half of a pair");
        assert_eq!(not_text(&error).map(|wrong| (wrong.line, wrong.column)), Some((2, 2)));
    }
}

#[test]
fn a_scenario_that_a_shell_wrote_in_utf16_is_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let shown = Scenario::preset_text("paper").expect("a preset").replace('\n', "\r\n");
    for bytes in encodings(&shown) {
        std::fs::write(&path, bytes).expect("written");
        let scenario = Scenario::load(path.to_str().expect("a plain path")).expect("as it was shown");
        assert_eq!(scenario, Scenario::load("paper").expect("a preset"));
    }
}

#[test]
fn names_are_limited_in_bytes_since_file_systems_count_them() {
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.name = "边".repeat(66);
    assert!(scenario.check().is_ok(), "198 bytes");
    scenario.name = "边".repeat(67);
    let error = scenario.check().expect_err("201 bytes").to_string();
    assert!(error.contains("at most 200 bytes") && error.contains("has 201"), "{error}");
}

proptest! {
    #[test]
    fn any_text_survives_any_encoding(text in "[ -~\n\t]\\PC{0,40}", at_once in 1..9_usize) {
        for bytes in encodings(&text) {
            prop_assert_eq!(text::decode(bytes.clone()), Ok(text.clone()));
            prop_assert_eq!(streamed(&bytes, at_once).expect("text"), text.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_the_same_text_whole_and_in_pieces(bytes in prop::collection::vec(any::<u8>(), 0..60), at_once in 1..9_usize) {
        match (text::decode(bytes.clone()), streamed(&bytes, at_once)) {
            (Ok(text), Ok(streamed)) => prop_assert_eq!(text.as_bytes(), streamed),
            // Who takes lines from UTF-8 checks it there.
            (Err(wrong), Ok(streamed)) => prop_assert!(std::str::from_utf8(&streamed).is_err(), "{}", wrong),
            (Err(wrong), Err(error)) => prop_assert_eq!(Some(&wrong), not_text(&error)),
            (Ok(text), Err(error)) => prop_assert!(false, "{text:?} {error}"),
        }
    }
}
