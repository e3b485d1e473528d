//! Sizes and work in the units of Python, and as they are written.

use sim::units::{BYTES_PER_MB, bytes_from_mb};

/// Bytes in MB: the number that gives these bytes again, where there is one.
pub(super) fn mb(bytes: f64) -> f64 {
    unscaled(bytes, BYTES_PER_MB, bytes_from_mb)
}

/// Instructions in 10^6: the number that gives these instructions again, where there is one.
pub(super) fn megacycles(instructions: f64) -> f64 {
    unscaled(instructions, 1e6, |megacycles| 1e6 * megacycles)
}

fn unscaled(value: f64, scale: f64, scaled: impl Fn(f64) -> f64) -> f64 {
    let near = value / scale;
    [near, near.next_down(), near.next_up()].into_iter().find(|candidate| scaled(*candidate) == value).unwrap_or(near)
}

/// A number as it is written, with 15 significant digits, which stay the same whatever program reads them, in whatever unit.
pub(super) fn written(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}
