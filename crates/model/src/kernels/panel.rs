//! Sixteen samples side by side, and how work is cut into tiles.

use super::kernel::VECTOR;

/// Number of samples in a panel.
pub(crate) const PANEL: usize = 2 * VECTOR;

/// One unit's values for the sixteen samples of a panel (or one sample's values for sixteen units), on one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Lanes(pub(crate) [[f32; VECTOR]; 2]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([[0.0; VECTOR]; 2]);

    /// Whether every value is 0 or -0.
    #[inline]
    pub(crate) fn is_zero(&self) -> bool {
        self.values().iter().fold(0, |bits, value| bits | value.to_bits()) << 1 == 0
    }

    #[inline]
    pub(crate) fn values(&self) -> &[f32] {
        self.0.as_flattened()
    }

    #[inline]
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.0.as_flattened_mut()
    }
}

/// Puts up to sixteen rows, each with one value per unit, side by side; the remaining lanes get `padding`.
#[inline]
pub(crate) fn gather<'r>(rows: impl Iterator<Item = &'r [f32]>, padding: f32, units: &mut [Lanes]) {
    let mut filled = 0;
    for row in rows.take(PANEL) {
        for (unit, &value) in units.iter_mut().zip(row) {
            unit.values_mut()[filled] = value;
        }
        filled += 1;
    }
    for unit in units {
        unit.values_mut()[filled..].fill(padding);
    }
}

/// Cuts `length` into the fewest pieces of at most `largest`, whose sizes differ by at most 1: `(start, size)` of each.
///
/// Pieces are of equal size because small register tiles would wait for their own sums.
#[inline]
pub(crate) fn tiles(length: usize, largest: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = length.div_ceil(largest);
    let (size, larger) = (length / count.max(1), length % count.max(1));
    (0..count).scan(0, move |end, tile| {
        let start = *end;
        *end += size + usize::from(tile < larger);
        Some((start, *end - start))
    })
}

/// The `N` values from `start` on.
#[inline]
pub(crate) fn window<const N: usize>(values: &[f32], start: usize) -> &[f32; N] {
    values[start..start + N].try_into().expect("a slice of N values")
}

/// The `N` values from `start` on, for writing.
#[inline]
pub(crate) fn window_mut<const N: usize>(values: &mut [f32], start: usize) -> &mut [f32; N] {
    (&mut values[start..start + N]).try_into().expect("a slice of N values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_length_in_order_with_at_most_one_difference_in_size() {
        for length in 1..100 {
            for largest in 1..8 {
                let mut end = 0;
                let mut sizes = Vec::new();
                for (start, size) in tiles(length, largest) {
                    assert_eq!(start, end);
                    assert!(size >= 1 && size <= largest);
                    end = start + size;
                    sizes.push(size);
                }
                assert_eq!(end, length);
                assert!(sizes.iter().max().unwrap_or(&0) - sizes.iter().min().unwrap_or(&0) <= 1);
            }
        }
    }

    #[test]
    fn gather_puts_rows_side_by_side_and_pads() {
        let mut units = [Lanes::ZERO; 2];
        gather([[1.0, 2.0].as_slice(), &[3.0, 4.0]].into_iter(), -1.0, &mut units);
        assert_eq!(units[0].values()[..3], [1.0, 3.0, -1.0]);
        assert_eq!(units[1].values()[..3], [2.0, 4.0, -1.0]);
        assert_eq!(units[1].values()[2..], [-1.0; PANEL - 2]);
    }
}
