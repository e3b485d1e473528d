//! Features of networks for any fleet: the inputs that they read of a decision, for each task at each place.
//!
//! All of them are estimated from loads and rates; the cost model evaluates nothing. Vectors run over tasks, or over devices
//! where a value is the same for all tasks of one device. Sums over larger tasks are computed first, in order of their size,
//! so that the rest needs no order.
//!
//! [`Features`] lists the inputs.
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
use super::lanes::{TASK_COUNT, to_lanes};
use crate::kernels::Kernel;
use crate::kernels::kernel::{Simd, Task, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;
use waits::Waits;

/// Inputs of a network for each task at each place; [`Features`] lists them.
pub const INPUTS: usize = 30;

/// Positions of the inputs that are the same for all tasks at a place.
pub(super) const PLACE_INPUTS: [usize; 6] = [13, 14, 15, 16, 17, 18];

/// Positions of the inputs that are the same for a task at all places.
pub(super) const TASK_INPUTS: [usize; TASK_COUNT] = [1, 20, 25];

/// Positions of the inputs that belong to a task at a place; [`input`] names them.
pub(super) const PAIR_INPUTS: [usize; PAIR_COUNT] =
    [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 19, 21, 22, 23, 24, 26, 27, 28, 29];
pub(super) const PAIR_COUNT: usize = 21;

/// Positions in a row of [`PAIR_INPUTS`]. Inputs that exist with several slopes, and their flag, follow the first of them.
mod input {
    pub(super) const SHARE: usize = 0;
    pub(super) const ALONE: usize = 1;
    pub(super) const ENERGY: usize = 2;
    pub(super) const OWN_TIME: usize = 3;
    pub(super) const OTHERS_TIME: usize = 4;
    pub(super) const GAIN: usize = 5;
    pub(super) const REGRET: usize = 7;
    pub(super) const IS_BEST: usize = 9;
    pub(super) const TIME: usize = 10;
    pub(super) const TIME_THEN: usize = 11;
    pub(super) const BYTES: usize = 12;
    pub(super) const SEQUENTIAL: usize = 13;
    pub(super) const SEQUENTIAL_TIME: usize = 16;
    pub(super) const OVERALL: usize = 17;
    pub(super) const OVERALL_TIME: usize = 20;
}

/// Sizes below this, in mean tasks, count as 0, since rounding can leave them.
const PRESENT: f32 = 1e-5;

/// The inputs that networks read of one decision, computed from shares of tasks at places; keeps its memory between
/// decisions.
///
/// # The inputs
/// A decision is given as shares: share *s* of task *i* is at place *p*. Sizes are in mean tasks of the instance, costs and
/// times in its unit of cost, energies weighted by α and times by 1 − α (see [`Instance`](crate::fleet::Instance)). σ(x) = x / (1 + |x|) is softsign.
///
/// - *b* is the size of all tasks of the task's device at *p*, *L* the size of all devices' tasks at *p*, *B* the
///   size of all tasks.
/// - *t* is the time when the device is done at *p*, *T* the latest of its times at all places.
/// - Moving the whole task to *p* changes the energy by *E*, the device's time *T* by *D* and the sum of other devices' times
///   by *W*, compared with the mean over the task's present shares; *G* = *E* + *D* + *W* is the change of the cost.
/// - *S* is the cost of placing the task at *p* after all larger tasks of its device, while the smaller ones are nowhere and
///   other devices' tasks are as in the decision: its energy, the growth of *T*, and *W*. *t'* and *T'* are the times then.
/// - *O* is the cost of placing the task at *p* after all larger tasks of all devices, while all smaller ones are nowhere: its
///   energy, the growth of *T*, and the time that it adds to each other device that is done last at *p*. *t"* and *T"* are the
///   times then.
/// - min is the least over all places.
///
/// | input | name | formula | unit | range |
/// |---|---|---|---|---|
/// | 0 | share | *s* | – | 0 to 1 |
/// | 1 | size of the task | σ(size − 1) | mean tasks | −0.5 to 1 |
/// | 2 | cost alone | σ(cost of the task at *p* with nobody else there) | cost | 0 to 1 |
/// | 3 | change of energy | σ(4 *E*) | cost | −1 to 1 |
/// | 4 | change of the device's time | σ(4 *D*) | cost | −1 to 1 |
/// | 5 | change of other devices' times | σ(4 *W*) | cost | −1 to 1 |
/// | 6 | change of the cost | σ(*G*) | cost | −1 to 1 |
/// | 7 | the same, steeper | σ(8 *G*) | cost | −1 to 1 |
/// | 8 | regret of the move | σ(*G* − min *G*) | cost | 0 to 1 |
/// | 9 | the same, steeper | σ(8 (*G* − min *G*)) | cost | 0 to 1 |
/// | 10 | best move | *G* = min *G* | – | 0 or 1 |
/// | 11 | time at the place | *t* / *T* | – | 0 to 1 |
/// | 12 | time at the place after the move | *t* / *T*, both after the move | – | 0 to 1 |
/// | 13 | load of the place | *L* / *B* | – | 0 to 1 |
/// | 14 | critical devices | share of devices with *t* = *T* at *p* | – | 0 to 1 |
/// | 15 | size to come | share of *B* that is elsewhere, with the best move to *p* | – | 0 to 1 |
/// | 16 | size to go | share of *B* that is at *p*, with the best move elsewhere | – | 0 to 1 |
/// | 17 | own device | *p* is the device itself | – | 0 or 1 |
/// | 18 | wait for one more | σ(growth of the sum of all *T* with one mean task more at *p*) | cost | 0 to 1 |
/// | 19 | size of the device's tasks there | *b* / (*b* + size) | – | 0 to 1 |
/// | 20 | rank in the device | size of its larger tasks / size of all its tasks | – | 0 to 1 |
/// | 21 | sequential regret in the device | σ(2 (*S* − min *S*)) | cost | 0 to 1 |
/// | 22 | the same, steeper | σ(16 (*S* − min *S*)) | cost | 0 to 1 |
/// | 23 | best place for it | *S* = min *S* | – | 0 or 1 |
/// | 24 | time at the place for it | *t'* / *T'* | – | 0 to 1 |
/// | 25 | rank over all devices | size of larger tasks / *B* | – | 0 to 1 |
/// | 26 | sequential regret over all devices | σ(2 (*O* − min *O*)) | cost | 0 to 1 |
/// | 27 | the same, steeper | σ(16 (*O* − min *O*)) | cost | 0 to 1 |
/// | 28 | best place for it | *O* = min *O* | – | 0 or 1 |
/// | 29 | time at the place for it | *t"* / *T"* | – | 0 to 1 |
///
/// The inputs 13 to 18 are the same for all tasks at a place; 1, 20 and 25 are the same for a task at all places.
#[derive(Debug, Clone, Default)]
pub struct Features {
    /// `[blocks of 8 places][panels * PANEL]`: bytes of each task by place; later the number of devices that wait for each
    /// place, see [`sequential`].
    rows: Vec<[f32; VECTOR]>,
    /// `[blocks of 8 places][panels * PANEL]`: bytes of larger tasks of the same device.
    larger_rows: Vec<[f32; VECTOR]>,
    /// `[blocks of 8 places][panels * PANEL]`: bytes of larger tasks of all devices.
    larger_rows_of_all: Vec<[f32; VECTOR]>,
    /// `[blocks of 8 places][N + 1]`: bytes of each device by place.
    device_rows: Vec<[f32; VECTOR]>,
    /// `[N]`: 1 at the place where a device is done last, else 0, for one block of 8 places.
    last_rows: Vec<[f32; VECTOR]>,
    /// `[places, a multiple of 8][panels]`: [`Features::larger_rows`] by task.
    larger: Vec<Lanes>,
    /// `[places, a multiple of 8][panels]`: [`Features::larger_rows_of_all`] by task.
    larger_of_all: Vec<Lanes>,
    /// `[places, a multiple of 8][panels]`: [`Features::device_rows`] of each task's device.
    bytes: Vec<Lanes>,
    /// `[places, a multiple of 8][device_panels]`: [`Features::device_rows`] by device.
    device_bytes: Vec<Lanes>,
    /// `[places, a multiple of 8]`: bytes of all devices.
    loads: Vec<f32>,
    waits: Waits,
    /// `[places, a multiple of 8]`.
    work: Vec<moves::Work<[f32; VECTOR]>>,
    /// `[places]`: bytes elsewhere with the best move to the place, in eight partial sums.
    coming: Vec<[f32; VECTOR]>,
    /// `[places]`: bytes at the place with the best move elsewhere, in eight partial sums.
    going: Vec<[f32; VECTOR]>,
    /// `[places]`: values of [`PLACE_INPUTS`].
    place_inputs: Vec<[f32; PLACE_INPUTS.len()]>,
}

/// The rates of eight tasks or devices at one place.
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

    /// The time when a device is done with `bytes` of its own at the place, where all devices have `load` and send `sent` to
    /// all servers together.
    #[inline(always)]
    fn time(&self, bytes: Wide<S>, load: Wide<S>, sent: Wide<S>) -> Wide<S> {
        let link = (self.send * bytes).max(self.shared_link * load).max(self.uplink * sent);
        self.shared_compute.mul_add(load, self.compute.mul_add(bytes, link))
    }
}

/// The two longest times of a device over all places.
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

    /// The longest time over all places but the one with this time.
    #[inline(always)]
    fn without(self, time: Wide<S>) -> Wide<S> {
        time.where_less(self.0, self.0, self.1)
    }
}

/// `value / (1 + |value|)`, between −1 and 1.
#[inline(always)]
fn softsign<S: Simd>(one: Wide<S>, value: Wide<S>) -> Wide<S> {
    value / (one + value.abs())
}

impl Features {
    /// Computes the inputs of a decision. The inputs of places are [`Features::place_inputs`], the inputs of tasks are
    /// part of the instance, and the inputs of each task at each place are written to the start of its block of `rows`.
    ///
    /// # Shapes
    /// `shares` is `[places][panels]`, `rows` is `[places][panels][block]`.
    #[inline(always)]
    pub(super) fn compute<S: Simd>(
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
                self.compute_moves(simd, instance, shares, rows, block, (panel, half));
            }
        }
        self.compute_overall(simd, instance, rows, block);
        let lanes = &instance.lanes;
        let scaled = |values: &[f32; VECTOR]| values.iter().sum::<f32>() / lanes.total;
        self.place_inputs.clear();
        self.place_inputs.extend((0..instance.places).map(|place| {
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

    /// The values of [`PLACE_INPUTS`], `[places]`.
    pub(super) fn place_inputs(&self) -> &[[f32; PLACE_INPUTS.len()]] {
        &self.place_inputs
    }

    /// Computes the inputs of a decision, row by row.
    ///
    /// # Shapes
    /// `shares` is `[places][N * M]`, `inputs` is `[places][N * M][INPUTS]`.
    ///
    /// # Panics
    /// If the shares or the inputs are not of this shape.
    pub fn write_rows(&mut self, instance: &Instance, shares: &[f32], inputs: &mut [f32]) {
        let (places, count, panels) = (instance.places, instance.task_count(), instance.lanes.panels);
        assert_eq!(shares.len(), places * count, "the shares are not [places][N * M]");
        assert_eq!(inputs.len(), shares.len() * INPUTS, "the inputs are not [places][N * M][INPUTS]");
        let mut lanes = Vec::new();
        to_lanes(shares, count, &mut lanes);
        let mut rows = vec![Lanes::ZERO; places * panels * PAIR_COUNT];
        Kernel::detect().run(Compute { features: self, instance, shares: &lanes, rows: &mut rows });
        for (place, inputs) in inputs.chunks_exact_mut(count * INPUTS).enumerate() {
            for (task, inputs) in inputs.chunks_exact_mut(INPUTS).enumerate() {
                let (panel, lane) = (task / PANEL, task % PANEL);
                let pair = &rows[(place * panels + panel) * PAIR_COUNT..][..PAIR_COUNT];
                PAIR_INPUTS.iter().zip(pair).for_each(|(&at, lanes)| inputs[at] = lanes.values()[lane]);
                let task_inputs = &instance.lanes.tasks[panel].inputs;
                TASK_INPUTS.iter().zip(task_inputs).for_each(|(&at, lanes)| inputs[at] = lanes.values()[lane]);
                PLACE_INPUTS.iter().zip(self.place_inputs[place]).for_each(|(&at, value)| inputs[at] = value);
            }
        }
    }
}

/// [`Features::compute`] as a task of the kernel.
struct Compute<'a> {
    features: &'a mut Features,
    instance: &'a Instance,
    shares: &'a [Lanes],
    rows: &'a mut [Lanes],
}

impl Task for Compute<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.features.compute(simd, self.instance, self.shares, self.rows, PAIR_COUNT);
    }
}

/// The inputs of eight tasks at one place.
struct PairRow<'a> {
    row: &'a mut [Lanes; PAIR_COUNT],
    half: usize,
}

impl<'a> PairRow<'a> {
    #[inline(always)]
    fn new(rows: &'a mut [Lanes], block: usize, index: usize, half: usize) -> Self {
        let row = &mut rows[index * block..][..PAIR_COUNT];
        Self { row: row.try_into().expect("a slice of PAIR_COUNT"), half }
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
