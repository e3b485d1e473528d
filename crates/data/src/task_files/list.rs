//! Lists of task sizes: one size on each line, with comments, and with a header if there is one.

use std::io::Read;

use sim::limits::MAX_SIZE_MB;

use crate::bad_lines::{Quantity, Reason};
use crate::lines::{LineContent, Lines, ReadCounts, Stop, number};

/// The units that a header may name, in MB.
const UNITS_MB: [(&str, f64); 12] = [
    ("b", 1e-6),
    ("byte", 1e-6),
    ("bytes", 1e-6),
    ("kb", 1e-3),
    ("kib", 1.024e-3),
    ("mb", 1.0),
    ("megabytes", 1.0),
    ("mib", 1.048_576),
    ("gb", 1e3),
    ("gib", 1_073.741_824),
    ("tb", 1e6),
    ("tib", 1_099_511.627_776),
];

/// The line above the sizes of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ListHeader {
    /// The unit of the sizes, in MB.
    unit_mb: f64,
}

impl ListHeader {
    /// The header of a list whose first two lines of content are these; `None` if the first line is no header. A header is
    /// words above a number.
    pub(super) fn of(first: &str, second: &str) -> Option<Self> {
        let is_number = |line: &str| line.trim().parse::<f64>().is_ok();
        let name = first.trim().trim_matches('"');
        let is_words = name.starts_with(char::is_alphabetic) && !name.contains(|c: char| c.is_ascii_digit());
        if !is_words || is_number(name) || !is_number(second) {
            return None;
        }
        let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        let unit = |word: String| UNITS_MB.iter().find(|(name, _)| *name == word);
        Some(Self { unit_mb: words.filter_map(unit).next_back().map_or(1.0, |(_, mb)| *mb) })
    }
}

/// Reads the sizes of a list.
pub(super) fn read<R: Read>(
    lines: &mut Lines<R>,
    header: Option<&ListHeader>,
    sizes_mb: &mut Vec<f64>,
    counts: &mut ReadCounts,
) -> Result<(), Stop> {
    let unit_mb = header.map_or(1.0, |header| header.unit_mb);
    let mut in_header = header.is_some();
    counts.each_line(lines, |_, line| {
        if line.starts_with('#') || std::mem::take(&mut in_header) {
            return Ok(LineContent::Nothing);
        }
        let size = number(line, Quantity::Size, MAX_SIZE_MB / unit_mb)?;
        if size == 0.0 {
            return Err(Reason::Zero(Quantity::Size));
        }
        sizes_mb.push((size * unit_mb).min(MAX_SIZE_MB));
        Ok(LineContent::Samples(1))
    })
}
