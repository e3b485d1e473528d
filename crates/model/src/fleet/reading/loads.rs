//! Bytes by place: of tasks, of devices, of all, and of those tasks alone that are larger than one.

use super::Reading;
use crate::fleet::instance::Instance;
use crate::fused::kernel::{Simd, VECTOR};
use crate::fused::panel::{Lanes, PANEL};
use crate::fused::wide::Wide;

/// A list of so many, whatever they were.
#[inline(always)]
pub(super) fn sized<T: Copy>(values: &mut Vec<T>, length: usize, empty: T) {
    if values.len() != length {
        values.clear();
        values.resize(length, empty);
    }
}

/// Puts the rows of eight tasks side by side, by place.
#[inline(always)]
pub(super) fn to_columns<S: Simd>(simd: S, rows: [&[f32; VECTOR]; VECTOR], put: impl FnMut((usize, Wide<S>))) {
    Wide::transpose(simd, rows.map(|row| Wide::load(simd, row))).into_iter().enumerate().for_each(put);
}

impl Reading {
    #[inline(always)]
    pub(super) fn load<S: Simd>(&mut self, simd: S, instance: &Instance, shares: &[Lanes]) {
        let lanes = &instance.lanes;
        let (devices, places, panels) = (instance.devices, instance.places, lanes.panels);
        let (blocks, padded) = (places.div_ceil(VECTOR), panels * PANEL);
        const ZERO: [f32; VECTOR] = [0.0; VECTOR];
        sized(&mut self.rows, blocks * padded, ZERO);
        sized(&mut self.larger_rows, blocks * padded, ZERO);
        sized(&mut self.larger_rows_of_all, blocks * padded, ZERO);
        sized(&mut self.device_rows, blocks * (devices + 1), ZERO);
        sized(&mut self.larger, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.larger_of_all, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.bytes, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.device_bytes, blocks * VECTOR * lanes.device_panels, Lanes::ZERO);
        sized(&mut self.loads, blocks * VECTOR, 0.0);
        for block in 0..blocks {
            let first = block * VECTOR;
            let rows = &mut self.rows[block * padded..][..padded];
            let larger_rows = &mut self.larger_rows[block * padded..][..padded];
            let larger_rows_of_all = &mut self.larger_rows_of_all[block * padded..][..padded];
            let device_rows = &mut self.device_rows[block * (devices + 1)..][..=devices];
            for panel in 0..panels {
                for half in 0..2 {
                    let size = Wide::load(simd, &lanes.tasks[panel].size.0[half]);
                    let mut columns = [Wide::splat(simd, 0.0); VECTOR];
                    for (place, column) in (first..places).zip(&mut columns) {
                        *column = Wide::load(simd, &shares[place * panels + panel].0[half]) * size;
                    }
                    let rows = rows[panel * PANEL + half * VECTOR..][..VECTOR].iter_mut();
                    Wide::transpose(simd, columns).into_iter().zip(rows).for_each(|(row, into)| row.store(into));
                }
            }
            let mut load = Wide::splat(simd, 0.0);
            let orders = instance.order.chunks_exact(instance.tasks);
            for (order, device_row) in orders.zip(&mut *device_rows) {
                let mut sum = Wide::splat(simd, 0.0);
                for &task in order {
                    sum.store(&mut larger_rows[task as usize]);
                    sum = sum + Wide::load(simd, &rows[task as usize]);
                }
                sum.store(device_row);
                load = load + sum;
            }
            load.store((&mut self.loads[first..first + VECTOR]).try_into().expect("eight places"));
            let mut sum = Wide::splat(simd, 0.0);
            for &task in &instance.order_of_all {
                sum.store(&mut larger_rows_of_all[task as usize]);
                sum = sum + Wide::load(simd, &rows[task as usize]);
            }
            for panel in 0..panels {
                for half in 0..2 {
                    let start = panel * PANEL + half * VECTOR;
                    let put = |into: &mut [Lanes], place: usize, column: Wide<S>| {
                        column.store(&mut into[(first + place) * panels + panel].0[half]);
                    };
                    let larger = std::array::from_fn(|lane| &larger_rows[start + lane]);
                    to_columns(simd, larger, |(place, column)| put(&mut self.larger, place, column));
                    let larger = std::array::from_fn(|lane| &larger_rows_of_all[start + lane]);
                    to_columns(simd, larger, |(place, column)| put(&mut self.larger_of_all, place, column));
                    let bytes = std::array::from_fn(|lane| &device_rows[lanes.device_of[start + lane] as usize]);
                    to_columns(simd, bytes, |(place, column)| put(&mut self.bytes, place, column));
                }
            }
            for panel in 0..lanes.device_panels {
                for half in 0..2 {
                    let start = panel * PANEL + half * VECTOR;
                    let bytes = std::array::from_fn(|lane| &device_rows[(start + lane).min(devices)]);
                    to_columns(simd, bytes, |(place, column)| {
                        let at = (first + place) * lanes.device_panels + panel;
                        column.store(&mut self.device_bytes[at].0[half]);
                    });
                }
            }
        }
    }
}
