//! What is wrong with JSON, in words for the people who wrote it.

use serde::Deserialize;
use serde_json::Error;
use sim::text::NotText;

use super::request::Id;

/// The names that Python and JavaScript write for numbers that JSON does not have.
const NO_NUMBERS: [&str; 6] = ["NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf"];

/// The most bytes before the place of an error at which the wrong word can begin.
const LOOK_BACK: usize = 2;

/// What is wrong with a JSON text, with line and column in it. Numbers that JSON does not have and texts that are not UTF-8
/// are called by their names.
pub fn explain(json: &[u8], error: &Error) -> String {
    if error.is_syntax() || error.is_data() {
        if let Err(place) = std::str::from_utf8(json)
            && !is_before(json, error, place.valid_up_to())
        {
            let wrong = NotText::in_utf8(json);
            return format!("{} at line {} column {}", wrong.reason(), wrong.line, wrong.column);
        }
        if let Some(word) = word_at(json, error).filter(|_| error.is_syntax()) {
            let (line, column) = (error.line(), error.column());
            return format!(
                "{word} stands where a number must stand, and JSON has no {word}: write a number, or leave the workload \
                 out, at line {line} column {column}"
            );
        }
        if error.is_syntax() && !json.trim_ascii_start().starts_with(b"{") && !starts_a_value(json) {
            let beginning = String::from_utf8_lossy(json);
            let beginning = crate::bad_lines::excerpt(beginning.trim());
            return format!(
                "`{beginning}` is neither a workload in JSON, which begins with {{, nor the header of a table ({error})"
            );
        }
    }
    error.to_string()
}

/// Whether an error lies before a byte of the text.
fn is_before(json: &[u8], error: &Error, at: usize) -> bool {
    place_of(json, error).is_some_and(|place| place + LOOK_BACK < at)
}

/// The index of the byte that an error names.
fn place_of(json: &[u8], error: &Error) -> Option<usize> {
    let mut start = 0;
    for _ in 1..error.line() {
        start += 1 + json[start..].iter().position(|byte| *byte == b'\n')?;
    }
    Some(start + error.column().saturating_sub(1))
}

/// The number that JSON does not have and that an error is about.
fn word_at(json: &[u8], error: &Error) -> Option<&'static str> {
    let place = place_of(json, error)?;
    let found = |start: usize| {
        let rest = json.get(start..)?;
        NO_NUMBERS.into_iter().find(|word| rest.starts_with(word.as_bytes()))
    };
    (place.saturating_sub(LOOK_BACK)..=place).find_map(found)
}

/// Whether a text begins as some JSON value does.
fn starts_a_value(json: &[u8]) -> bool {
    let text = json.trim_ascii();
    let is_word = [&b"true"[..], b"false", b"null"].iter().any(|word| text.starts_with(word));
    is_word || text.starts_with(b"[") || text.starts_with(b"\"") || text.first().is_some_and(u8::is_ascii_digit)
}

/// An explanation whose line counts from the line at which the text begins in its file.
pub(crate) fn moved(reason: &str, first_line: u64) -> String {
    let place = reason.rsplit_once(" at line ").and_then(|(reason, place)| {
        let (line, column) = place.split_once(" column ")?;
        Some((reason, line.parse::<u64>().ok()?, column))
    });
    match place {
        Some((reason, line, column)) => format!("{reason} at line {}, column {column}", line + first_line - 1),
        None => reason.to_owned(),
    }
}

/// The name of a workload that is refused, if it can be read.
pub(crate) fn id(json: &[u8]) -> Option<Id> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        id: Option<Id>,
    }
    let named: Result<Named, _> = serde_json::from_slice(json);
    named.ok()?.id
}
