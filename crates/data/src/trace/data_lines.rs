//! The lines of formats without a fixed header: which of them are data.

use std::io::Read;

use super::drive::Sample;
use crate::bad_lines::Reason;
use crate::limits::MAX_LINE_BYTES;
use crate::lines::{LineContent, Lines, ReadCounts, Stop, first_lines};

/// Calls `read` with every line and its number, from 1. Lines that are blank, comments, which begin with `#`, and a header
/// without any number above the data are left out.
pub(super) fn each_data_line<R: Read>(
    lines: &mut Lines<R>,
    counts: &mut ReadCounts,
    mut read: impl FnMut(u64, &str) -> Result<LineContent, Reason>,
) -> Result<(), Stop> {
    let mut may_be_header = true;
    counts.each_line(lines, |number, line| {
        if line.starts_with('#') || (std::mem::take(&mut may_be_header) && !has_number(line)) {
            return Ok(LineContent::Nothing);
        }
        read(number, line)
    })
}

/// The lines of a beginning that [`each_data_line`] would give, without the last one if it may be cut off.
pub(super) fn first_data_lines(ahead: &[u8]) -> Vec<&str> {
    let mut lines: Vec<_> = first_lines(ahead).filter(|line| !line.starts_with('#')).collect();
    if ahead.len() > MAX_LINE_BYTES && lines.len() > 1 {
        lines.pop();
    }
    if lines.first().is_some_and(|line| !has_number(line)) {
        lines.remove(0);
    }
    lines
}

/// Whether a line has a number among its words.
pub(super) fn has_number(line: &str) -> bool {
    let is_number = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit()) && word.parse::<f64>().is_ok();
    line.split([',', ';', '\t', ' ']).any(|word| is_number(word.trim_matches('"')))
}

/// The N numbers of a line, divided by spaces or tabs; `None` if there are more or fewer, or one is not finite.
pub(super) fn numbers<const N: usize>(line: &str) -> Option<[f64; N]> {
    let mut numbers = [0.0; N];
    let mut words = line.split_ascii_whitespace();
    for number in &mut numbers {
        *number = words.next()?.parse().ok().filter(|value: &f64| value.is_finite())?;
    }
    words.next().is_none().then_some(numbers)
}

/// Samples in order of time; those of the same time stay in the order in which they were read.
pub(super) fn in_order(mut samples: Vec<Sample>) -> Vec<Sample> {
    if !samples.is_sorted_by(|a, b| a.t_s <= b.t_s) {
        samples.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    }
    samples
}
