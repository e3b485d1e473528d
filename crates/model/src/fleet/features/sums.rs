//! Bytes by place: of tasks, of devices, of all, and of those tasks alone that are larger than one.

use super::Features;
use crate::fleet::instance::Instance;
use crate::kernels::kernel::{Simd, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;

/// A list of so many, whatever they were.
#[inline(always)]
pub(super) fn sized<T: Copy>(values: &mut Vec<T>, length: usize, empty: T) {
    if values.len() != length {
        values.clear();
        values.resize(length, empty);
    }
}

/// Puts the rows of eight tasks, or of their devices, side by side, by place.
#[inline(always)]
pub(super) fn to_columns<S: Simd>(
    simd: S,
    rows: &[[f32; VECTOR]],
    lanes: &mut [Lanes],
    (panels, panel, half): (usize, usize, usize),
    which: impl Fn(usize) -> usize,
) {
    let mut columns = [Wide::splat(simd, 0.0); VECTOR];
    for (lane, column) in columns.iter_mut().enumerate() {
        *column = Wide::load(simd, &rows[which(lane)]);
    }
    Wide::transpose(simd, &mut columns);
    for (place, column) in columns.into_iter().enumerate() {
        column.store(&mut lanes[place * panels + panel].0[half]);
    }
}

const ZERO: [f32; VECTOR] = [0.0; VECTOR];

impl Features {
    #[inline(always)]
    pub(super) fn load<S: Simd>(&mut self, simd: S, instance: &Instance, shares: &[Lanes]) {
        let lanes = &instance.lanes;
        let (devices, places, panels) = (instance.devices, instance.places, lanes.panels);
        let (blocks, padded) = (places.div_ceil(VECTOR), panels * PANEL);
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
                    Wide::transpose(simd, &mut columns);
                    let rows = &mut rows[panel * PANEL + half * VECTOR..][..VECTOR];
                    for (row, column) in rows.iter_mut().zip(columns) {
                        column.store(row);
                    }
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
            for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
                let start = panel * PANEL + half * VECTOR;
                let at = (panels, panel, half);
                let larger = &mut self.larger[first * panels..];
                to_columns(simd, larger_rows, larger, at, |lane| start + lane);
                let larger = &mut self.larger_of_all[first * panels..];
                to_columns(simd, larger_rows_of_all, larger, at, |lane| start + lane);
                let bytes = &mut self.bytes[first * panels..];
                to_columns(simd, device_rows, bytes, at, |lane| lanes.device_of[start + lane] as usize);
            }
            let panels = lanes.device_panels;
            for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
                let start = panel * PANEL + half * VECTOR;
                let bytes = &mut self.device_bytes[first * panels..];
                to_columns(simd, device_rows, bytes, (panels, panel, half), |lane| (start + lane).min(devices));
            }
        }
    }
}
