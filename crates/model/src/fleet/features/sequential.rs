//! The cost of placing tasks sequentially over all devices, the largest first: the part that other devices pay.
//!
//! A device waits for the place where it is done last, so that each task changes the number of devices that wait for each
//! place. Vectors run over places here: a row holds 1 at the place where the task's device is done last once the task is
//! placed.

use super::sums::sized;
use super::{Features, PairRow, input, softsign};
use crate::fleet::instance::Instance;
use crate::kernels::kernel::{Simd, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;

impl Features {
    /// Marks the place where each device is done last, the first of equal places; `latest` are the devices' times over all
    /// places.
    #[inline(always)]
    pub(super) fn keep_last<S: Simd>(&mut self, simd: S, places: usize, panels: usize, start: usize, latest: Wide<S>) {
        let (zero, one) = (Wide::splat(simd, 0.0), Wide::splat(simd, 1.0));
        let mut first = zero.where_less(latest, one, zero);
        for work in &mut self.work[..places] {
            let is_last = Wide::load(simd, &work.is_last).where_less(latest, zero, first);
            first = first - is_last;
            is_last.store(&mut work.is_last);
        }
        for (block, work) in self.work.chunks_exact(VECTOR).enumerate() {
            let rows = &mut self.rows[block * panels * PANEL + start..][..VECTOR];
            let mut columns = [zero; VECTOR];
            for (column, work) in columns.iter_mut().zip(work) {
                *column = Wide::load(simd, &work.is_last);
            }
            Wide::transpose(simd, &mut columns);
            for (row, column) in rows.iter_mut().zip(columns) {
                column.store(row);
            }
        }
    }

    /// The inputs that depend on the number of devices that wait.
    #[inline(always)]
    pub(super) fn compute_overall<S: Simd>(&mut self, simd: S, instance: &Instance, rows: &mut [Lanes], block: usize) {
        let (places, panels) = (instance.places, instance.lanes.panels);
        let is_any_shared = instance.lanes.is_any_shared;
        if is_any_shared {
            self.count_waiting(simd, instance);
        }
        let (zero, one) = (Wide::splat(simd, 0.0), Wide::splat(simd, 1.0));
        for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
            let start = panel * PANEL + half * VECTOR;
            let size = Wide::load(simd, &instance.lanes.tasks[panel].size.0[half]);
            if is_any_shared {
                for (index, work) in self.work.chunks_exact_mut(VECTOR).enumerate() {
                    let waiting = &self.rows[index * panels * PANEL + start..][..VECTOR];
                    let mut columns = [zero; VECTOR];
                    for (column, row) in columns.iter_mut().zip(waiting) {
                        *column = Wide::load(simd, row);
                    }
                    Wide::transpose(simd, &mut columns);
                    for (work, column) in work.iter_mut().zip(columns) {
                        column.store(&mut work.is_last);
                    }
                }
            }
            let mut least = Wide::splat(simd, f32::INFINITY);
            for place in 0..places {
                let row = PairRow::new(rows, block, place * panels + panel, half);
                let mut cost = row.get(simd, input::OVERALL);
                if is_any_shared {
                    let shared = instance.shared[place];
                    let waiting = Wide::load(simd, &self.work[place].is_last);
                    cost = cost + waiting * Wide::splat(simd, shared.compute + shared.link) * size;
                }
                cost.store(&mut self.work[place].overall);
                least = least.min(cost);
            }
            for place in 0..places {
                let regret = Wide::load(simd, &self.work[place].overall) - least;
                let mut row = PairRow::new(rows, block, place * panels + panel, half);
                row.put(input::OVERALL, softsign(one, Wide::splat(simd, 2.0) * regret));
                row.put(input::OVERALL + 1, softsign(one, Wide::splat(simd, 16.0) * regret));
                row.put(input::OVERALL + 2, zero.where_less(regret, zero, one));
            }
        }
    }

    /// Replaces each row by the number of other devices that wait for each place before the task is placed.
    #[inline(always)]
    fn count_waiting<S: Simd>(&mut self, simd: S, instance: &Instance) {
        let padded = instance.lanes.panels * PANEL;
        sized(&mut self.last_rows, instance.devices, [0.0; VECTOR]);
        for rows in self.rows.chunks_exact_mut(padded) {
            self.last_rows.fill([0.0; VECTOR]);
            let mut all = Wide::splat(simd, 0.0);
            for &task in &instance.order_of_all {
                let last = &mut self.last_rows[instance.lanes.device_of[task as usize] as usize];
                let row = &mut rows[task as usize];
                let others = all - Wide::load(simd, last);
                *last = *row;
                all = others + Wide::load(simd, row);
                others.store(row);
            }
        }
    }
}
