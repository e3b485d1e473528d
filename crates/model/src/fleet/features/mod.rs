//! What a network reads of a decision: loads, waits, and what moving each task would change.
//!
//! Everything is estimated from loads and rates; no price is asked of the cost model. Vectors run over tasks, or over
//! devices where something is the same for all tasks of one. What depends on larger tasks is summed up first, in their
//! order, so that the rest needs no order.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

mod moves;
#[cfg(test)]
mod reference;
mod sequential;
mod sums;
#[cfg(test)]
mod tests;
mod waits;

use super::instance::Instance;
use super::lanes::{OF_TASK, to_lanes};
use crate::kernels::Kernel;
use crate::kernels::kernel::{Simd, Task, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;
use waits::Waits;

/// Inputs for each task at each place.
pub const INPUTS: usize = 30;

/// Which of the inputs are the same for all tasks at a place: load, share of devices that wait for it longest, share of
/// bytes that would gain by coming and by going, whether it is the device itself, and how long all would wait for more.
pub(super) const PLACE_INPUTS: [usize; 6] = [13, 14, 15, 16, 17, 18];

/// Which are the same for a task at all places: its size, and how many bytes are in larger tasks, of its device and of
/// all.
pub(super) const TASK_INPUTS: [usize; OF_TASK] = [1, 20, 25];

/// Which are of a task at a place; see [`input`].
pub(super) const PAIR_INPUTS: [usize; OF_PAIR] =
    [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 19, 21, 22, 23, 24, 26, 27, 28, 29];
pub(super) const OF_PAIR: usize = 21;

/// Where each of [`PAIR_INPUTS`] is in a row of them.
mod input {
    /// The share of the task that is there.
    pub(super) const SHARE: usize = 0;
    /// What it costs there with nobody else.
    pub(super) const ALONE: usize = 1;
    /// What moving it there would change.
    pub(super) const ENERGY: usize = 2;
    pub(super) const OWN_TIME: usize = 3;
    pub(super) const OTHERS_TIME: usize = 4;
    /// All that together, twice; compared with the best place, twice; whether it is the best.
    pub(super) const GAIN: usize = 5;
    pub(super) const REGRET: usize = 7;
    pub(super) const IS_BEST: usize = 9;
    /// When its device is done there as a share of when it is done at all: now, and with the task.
    pub(super) const TIME: usize = 10;
    pub(super) const TIME_THEN: usize = 11;
    /// Bytes of its device there.
    pub(super) const BYTES: usize = 12;
    /// What placing it there would cost if smaller tasks of its device were not there, compared with the best place;
    /// the same if smaller tasks of no device were.
    pub(super) const SEQUENTIAL: usize = 13;
    pub(super) const SEQUENTIAL_TIME: usize = 16;
    pub(super) const OVERALL: usize = 17;
    pub(super) const OVERALL_TIME: usize = 20;
}

/// Fewer bytes, in mean tasks, are none: rounding leaves as many.
const PRESENT: f32 = 1e-5;

/// Loads and marginal costs of one decision, or of shares of tasks at places.
#[derive(Debug, Clone, Default)]
pub struct Features {
    /// `[blocks of 8 places][panels * PANEL]`: bytes of each task by place; then, of its waits; see [`sequential`].
    rows: Vec<[f32; VECTOR]>,
    /// The same: bytes of larger tasks of the same device, and of all.
    larger_rows: Vec<[f32; VECTOR]>,
    larger_rows_of_all: Vec<[f32; VECTOR]>,
    /// `[blocks][N + 1]`: bytes by place; for waits, the place where a device is done last, as 1 among 0.
    device_rows: Vec<[f32; VECTOR]>,
    last_rows: Vec<[f32; VECTOR]>,
    /// `[places, a multiple of 8][panels]`: [`Features::larger_rows`] and [`Features::device_rows`] by task.
    larger: Vec<Lanes>,
    larger_of_all: Vec<Lanes>,
    bytes: Vec<Lanes>,
    /// `[places, a multiple of 8][device_panels]`.
    device_bytes: Vec<Lanes>,
    /// `[places, a multiple of 8]`.
    loads: Vec<f32>,
    waits: Waits,
    /// `[places, a multiple of 8]`.
    work: Vec<moves::Work<[f32; VECTOR]>>,
    /// `[places]`: bytes that would gain by coming or going.
    coming: Vec<[f32; VECTOR]>,
    going: Vec<[f32; VECTOR]>,
    /// `[places]`.
    of_place: Vec<[f32; PLACE_INPUTS.len()]>,
}

/// What the arithmetic needs of a place.
#[derive(Clone, Copy)]
struct PlaceTerms<S: Simd> {
    send: Wide<S>,
    compute: Wide<S>,
    shared_link: Wide<S>,
    shared_compute: Wide<S>,
    uplink: Wide<S>,
}

impl<S: Simd> PlaceTerms<S> {
    #[inline(always)]
    fn new(simd: S, instance: &Instance, place: usize, send: &[f32; VECTOR], compute: &[f32; VECTOR]) -> Self {
        let shared = instance.shared[place];
        Self {
            send: Wide::load(simd, send),
            compute: Wide::load(simd, compute),
            shared_link: Wide::splat(simd, shared.link),
            shared_compute: Wide::splat(simd, shared.compute),
            uplink: Wide::splat(simd, if place > 0 { instance.uplink } else { 0.0 }),
        }
    }

    /// When a device is done with so many bytes, of so many of all there, and so many sent to servers.
    #[inline(always)]
    fn time(&self, bytes: Wide<S>, load: Wide<S>, sent: Wide<S>) -> Wide<S> {
        let link = (self.send * bytes).max(self.shared_link * load).max(self.uplink * sent);
        self.shared_compute.mul_add(load, self.compute.mul_add(bytes, link))
    }
}

/// The two longest times of a device.
#[derive(Clone, Copy)]
struct Longest<S: Simd>(Wide<S>, Wide<S>);

impl<S: Simd> Longest<S> {
    #[inline(always)]
    fn none(simd: S) -> Self {
        Self(Wide::splat(simd, 0.0), Wide::splat(simd, 0.0))
    }

    #[inline(always)]
    fn and(self, time: Wide<S>) -> Self {
        Self(self.0.max(time), self.1.max(self.0.min(time)))
    }

    /// When the device is done everywhere but at a place where it is done at this time.
    #[inline(always)]
    fn without(self, time: Wide<S>) -> Wide<S> {
        time.where_less(self.0, self.0, self.1)
    }
}

/// Between -1 and 1, and steepest about 0.
#[inline(always)]
fn softsign<S: Simd>(one: Wide<S>, value: Wide<S>) -> Wide<S> {
    value / (one + value.abs())
}

impl Features {
    /// Reads shares `[places][panels]`; the inputs of places are [`Features::of_place`], those of tasks the instance's, and
    /// those of both come first in each block of `rows`, `[places][panels][block]`.
    #[inline(always)]
    pub(super) fn read<S: Simd>(
        &mut self,
        simd: S,
        instance: &Instance,
        shares: &[Lanes],
        rows: &mut [Lanes],
        block: usize,
    ) {
        self.load(simd, instance, shares);
        self.estimate_waits(simd, instance);
        self.coming.clear();
        self.coming.resize(instance.places, [0.0; VECTOR]);
        self.going.clear();
        self.going.resize(instance.places, [0.0; VECTOR]);
        self.work.resize(instance.places.next_multiple_of(VECTOR), moves::Work::default());
        for panel in 0..instance.lanes.panels {
            for half in 0..2 {
                self.read_moves(simd, instance, shares, rows, block, (panel, half));
            }
        }
        self.read_overall(simd, instance, rows, block);
        let lanes = &instance.lanes;
        let scaled = |values: &[f32; VECTOR]| values.iter().sum::<f32>() / lanes.total;
        self.of_place.clear();
        self.of_place.extend((0..instance.places).map(|place| {
            [
                self.loads[place] / lanes.total,
                self.waits.critical[place],
                scaled(&self.coming[place]),
                scaled(&self.going[place]),
                f32::from(u8::from(place == 0)),
                self.waits.one_more(place),
            ]
        }));
    }

    /// `[places]`: values of [`PLACE_INPUTS`].
    pub(super) fn of_place(&self) -> &[[f32; PLACE_INPUTS.len()]] {
        &self.of_place
    }

    /// Reads a decision, `[places][N * M]` with the share of each task at each place: the inputs of each place and task,
    /// `[places][N * M][INPUTS]`.
    ///
    /// # Panics
    /// If the shares or the inputs are not of this shape.
    pub fn read_rows(&mut self, instance: &Instance, shares: &[f32], inputs: &mut [f32]) {
        let (places, count, panels) = (instance.places, instance.task_count(), instance.lanes.panels);
        assert_eq!(shares.len(), places * count, "the shares are not [places][N * M]");
        assert_eq!(inputs.len(), shares.len() * INPUTS, "the inputs are not [places][N * M][INPUTS]");
        let mut lanes = Vec::new();
        to_lanes(shares, count, &mut lanes);
        let mut rows = vec![Lanes::ZERO; places * panels * OF_PAIR];
        Kernel::detect().run(Read { features: self, instance, shares: &lanes, rows: &mut rows });
        for (place, inputs) in inputs.chunks_exact_mut(count * INPUTS).enumerate() {
            for (task, inputs) in inputs.chunks_exact_mut(INPUTS).enumerate() {
                let (panel, lane) = (task / PANEL, task % PANEL);
                let pair = &rows[(place * panels + panel) * OF_PAIR..][..OF_PAIR];
                PAIR_INPUTS.iter().zip(pair).for_each(|(&at, lanes)| inputs[at] = lanes.values()[lane]);
                let of_task = &instance.lanes.tasks[panel].inputs;
                TASK_INPUTS.iter().zip(of_task).for_each(|(&at, lanes)| inputs[at] = lanes.values()[lane]);
                PLACE_INPUTS.iter().zip(self.of_place[place]).for_each(|(&at, value)| inputs[at] = value);
            }
        }
    }
}

/// Nothing but [`Features::read`].
struct Read<'a> {
    features: &'a mut Features,
    instance: &'a Instance,
    shares: &'a [Lanes],
    rows: &'a mut [Lanes],
}

impl Task for Read<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.features.read(simd, self.instance, self.shares, self.rows, OF_PAIR);
    }
}

/// Writes the inputs of eight tasks at a place.
struct PairRow<'a> {
    row: &'a mut [Lanes; OF_PAIR],
    half: usize,
}

impl<'a> PairRow<'a> {
    #[inline(always)]
    fn new(rows: &'a mut [Lanes], block: usize, index: usize, half: usize) -> Self {
        let row = &mut rows[index * block..][..OF_PAIR];
        Self { row: row.try_into().expect("a slice of as many"), half }
    }

    #[inline(always)]
    fn put<S: Simd>(&mut self, at: usize, value: Wide<S>) {
        value.store(&mut self.row[at].0[self.half]);
    }

    #[inline(always)]
    fn get<S: Simd>(&self, simd: S, at: usize) -> Wide<S> {
        Wide::load(simd, &self.row[at].0[self.half])
    }
}
