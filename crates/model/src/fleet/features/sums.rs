//! Bytes at each place: of tasks, of devices, of all devices, and of all tasks larger than a given one.

use super::Features;
use crate::fleet::instance::Instance;
use crate::kernels::kernel::{Simd, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;

/// Makes `values` a list of `length`; values that it has already are kept.
#[inline(always)]
pub(super) fn sized<T: Copy>(values: &mut Vec<T>, length: usize, empty: T) {
    if values.len() != length {
        values.clear();
        values.resize(length, empty);
    }
}

/// Turns the rows of eight tasks, or of their devices, into columns, one for each place. `which` is the row of a lane.
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
    /// Sums up the bytes at each place.
    #[inline(always)]
    pub(super) fn load<S: Simd>(&mut self, simd: S, instance: &Instance, shares: &[Lanes]) {
        let (panels, device_panels) = (instance.lanes.panels, instance.lanes.device_panels);
        let (blocks, padded) = (instance.places.div_ceil(VECTOR), panels * PANEL);
        sized(&mut self.rows, blocks * padded, ZERO);
        sized(&mut self.larger_rows, blocks * padded, ZERO);
        sized(&mut self.larger_rows_of_all, blocks * padded, ZERO);
        sized(&mut self.device_rows, blocks * (instance.devices + 1), ZERO);
        sized(&mut self.larger, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.larger_of_all, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.bytes, blocks * VECTOR * panels, Lanes::ZERO);
        sized(&mut self.device_bytes, blocks * VECTOR * device_panels, Lanes::ZERO);
        sized(&mut self.loads, blocks * VECTOR, 0.0);
        for block in 0..blocks {
            self.multiply_sizes(simd, instance, shares, block);
            self.sum_by_size(simd, instance, block);
            self.turn_to_lanes(simd, instance, block);
        }
    }

    /// The bytes of each task at the eight places of a block: its shares times its size.
    #[inline(always)]
    fn multiply_sizes<S: Simd>(&mut self, simd: S, instance: &Instance, shares: &[Lanes], block: usize) {
        let panels = instance.lanes.panels;
        let rows = &mut self.rows[block * panels * PANEL..][..panels * PANEL];
        for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
            let size = Wide::load(simd, &instance.lanes.tasks[panel].size.0[half]);
            let mut columns = [Wide::splat(simd, 0.0); VECTOR];
            for (place, column) in (block * VECTOR..instance.places).zip(&mut columns) {
                *column = Wide::load(simd, &shares[place * panels + panel].0[half]) * size;
            }
            Wide::transpose(simd, &mut columns);
            let rows = &mut rows[panel * PANEL + half * VECTOR..][..VECTOR];
            for (row, column) in rows.iter_mut().zip(columns) {
                column.store(row);
            }
        }
    }

    /// Sums up the bytes of devices, of all devices, and of larger tasks, largest tasks first.
    #[inline(always)]
    fn sum_by_size<S: Simd>(&mut self, simd: S, instance: &Instance, block: usize) {
        let (devices, padded) = (instance.devices, instance.lanes.panels * PANEL);
        let rows = &self.rows[block * padded..][..padded];
        let larger_rows = &mut self.larger_rows[block * padded..][..padded];
        let device_rows = &mut self.device_rows[block * (devices + 1)..][..=devices];
        let mut load = Wide::splat(simd, 0.0);
        let orders = instance.order.chunks_exact(instance.tasks);
        for (order, device_row) in orders.zip(device_rows) {
            let mut sum = Wide::splat(simd, 0.0);
            for &task in order {
                sum.store(&mut larger_rows[task as usize]);
                sum = sum + Wide::load(simd, &rows[task as usize]);
            }
            sum.store(device_row);
            load = load + sum;
        }
        load.store((&mut self.loads[block * VECTOR..][..VECTOR]).try_into().expect("eight places"));
        let larger_rows_of_all = &mut self.larger_rows_of_all[block * padded..][..padded];
        let mut sum = Wide::splat(simd, 0.0);
        for &task in &instance.order_of_all {
            sum.store(&mut larger_rows_of_all[task as usize]);
            sum = sum + Wide::load(simd, &rows[task as usize]);
        }
    }

    /// Puts the sums of a block side by side, by task and by device.
    #[inline(always)]
    fn turn_to_lanes<S: Simd>(&mut self, simd: S, instance: &Instance, block: usize) {
        let (lanes, devices, first) = (&instance.lanes, instance.devices, block * VECTOR);
        let (panels, padded) = (lanes.panels, lanes.panels * PANEL);
        let larger_rows = &self.larger_rows[block * padded..][..padded];
        let larger_rows_of_all = &self.larger_rows_of_all[block * padded..][..padded];
        let device_rows = &self.device_rows[block * (devices + 1)..][..=devices];
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
