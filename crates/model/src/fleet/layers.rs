//! The layers of one round on the CPU.
//!
//! The part of a hidden unit that is the same for all tasks of a device at a place is computed once for the device, and the
//! part that is the same for a task at all places once for the task; both are added to the part of the task at the place.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::features::{PAIR_COUNT, PAIR_INPUTS, PLACE_INPUTS, TASK_INPUTS};
use super::instance::Instance;
use super::lanes::TASK_COUNT;
use super::net::RoundData;
use crate::kernels::dense::DenseOnto;
use crate::kernels::kernel::{Simd, Task, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;

type Units = [f32; VECTOR];

/// Number of devices whose products are computed together.
const SIDE_BY_SIDE: usize = 8;

/// The weights of one round, sorted by the inputs that they belong to.
#[derive(Debug, Clone)]
pub(super) struct RoundWeights {
    /// `[PAIR_COUNT (+ width), width]`: of the inputs of pairs, and of the hidden units before.
    pair: Vec<f32>,
    /// `[TASK_COUNT (+ width), width]`: of the inputs of tasks, and of the mean of hidden units over places.
    task: Vec<f32>,
    /// `[width / 8, rounded up]`.
    bias: Vec<Units>,
    /// `[PLACE_INPUTS][width / 8, rounded up]`.
    place: Vec<Units>,
    /// `[width][width / 8, rounded up]`: of the means of hidden units over the device's tasks and over all tasks.
    context: Option<[Vec<Units>; 2]>,
    /// `[PAIR_COUNT + width]`: of the score.
    score_of_pair: Vec<f32>,
    score_of_task: [f32; TASK_COUNT],
    score_of_place: [f32; PLACE_INPUTS.len()],
}

/// Rows of `width` numbers as vectors, with zeros after the last.
fn in_vectors(values: &[f32], width: usize) -> Vec<Units> {
    let mut rows = Vec::new();
    for row in values.chunks_exact(width) {
        for units in row.chunks(VECTOR) {
            let mut vector = [0.0; VECTOR];
            vector[..units.len()].copy_from_slice(units);
            rows.push(vector);
        }
    }
    rows
}

impl RoundWeights {
    /// Sorts the weights of a round.
    pub(super) fn new(round: &RoundData, width: usize) -> Self {
        let rows = |inputs: &[usize]| -> Vec<f32> {
            inputs.iter().flat_map(|&input| &round.input[input * width..][..width]).copied().collect()
        };
        let (mut pair, mut task) = (rows(&PAIR_INPUTS), rows(&TASK_INPUTS));
        if let Some(context) = &round.context {
            pair.extend_from_slice(&context.own);
            task.extend_from_slice(&context.by_task);
        }
        let mut score_of_pair: Vec<f32> = PAIR_INPUTS.iter().map(|&input| round.direct[input]).collect();
        score_of_pair.extend_from_slice(&round.score);
        let vectors = |values: &[f32]| in_vectors(values, width);
        Self {
            pair,
            task,
            bias: vectors(&round.bias),
            place: vectors(&rows(&PLACE_INPUTS)),
            context: round.context.as_ref().map(|context| [vectors(&context.by_device), vectors(&context.by_place)]),
            score_of_pair,
            score_of_task: TASK_INPUTS.map(|input| round.direct[input]),
            score_of_place: PLACE_INPUTS.map(|input| round.direct[input]),
        }
    }
}

/// The hidden units of all tasks at all places, and their means.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden {
    width: usize,
    /// Number of devices and one more, rounded up to a multiple of [`SIDE_BY_SIDE`].
    rows: usize,
    /// `[panels][TASK_COUNT + width]`: inputs of tasks, and the means of hidden units over places.
    tasks: Vec<Lanes>,
    /// `[places][rows][width / 8]`: sums of hidden units over each device's tasks.
    sums: Vec<Units>,
    /// `[places][rows][width / 8]`: the part of the next hidden units that is the same for all tasks of a device.
    products: Vec<Units>,
    /// `[width / 8]`: mean of hidden units over all tasks at a place.
    mean: Vec<Units>,
    /// `[width / 8]`: the part of the next hidden units that is the same for all tasks at a place.
    base: Vec<Units>,
    /// `[width]`: the part of the next hidden units that is the same for a task at all places.
    of_task: Vec<Lanes>,
    /// `[width, rounded up to a multiple of 8]`: the next hidden units of sixteen tasks at a place.
    units: Vec<Lanes>,
}

impl Hidden {
    /// Prepares the first round, which has no hidden units before it.
    pub(super) fn begin(&mut self, instance: &Instance, width: usize) {
        let vectors = width.div_ceil(VECTOR);
        self.width = width;
        self.rows = (instance.devices + 1).next_multiple_of(SIDE_BY_SIDE);
        self.tasks.clear();
        self.tasks.resize(instance.lanes.panels * (TASK_COUNT + width), Lanes::ZERO);
        for (task, lanes) in self.tasks.chunks_exact_mut(TASK_COUNT + width).zip(&instance.lanes.tasks) {
            task[..TASK_COUNT].copy_from_slice(&lanes.inputs);
        }
        for values in [&mut self.sums, &mut self.products] {
            values.clear();
            values.resize(instance.places * self.rows * vectors, [0.0; VECTOR]);
        }
        for values in [&mut self.mean, &mut self.base] {
            values.clear();
            values.resize(vectors, [0.0; VECTOR]);
        }
        self.of_task.clear();
        self.of_task.resize(width, Lanes::ZERO);
        self.units.clear();
        self.units.resize(vectors * VECTOR, Lanes::ZERO);
    }

    /// Computes hidden units and scores of one round.
    ///
    /// # Shapes
    /// `place_inputs` is `[places]`; `rows` is `[places][panels][PAIR_COUNT + width]`, the inputs of pairs, which the hidden
    /// units follow; `scores` is `[places][panels]`.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the parts of the scratch")]
    pub(super) fn advance<S: Simd>(
        &mut self,
        simd: S,
        instance: &Instance,
        round: &RoundWeights,
        place_inputs: &[[f32; PLACE_INPUTS.len()]],
        rows: &mut [Lanes],
        scores: &mut [Lanes],
        is_last: bool,
    ) {
        let (places, panels, width) = (instance.places, instance.lanes.panels, self.width);
        let block = PAIR_COUNT + width;
        let length = if round.context.is_some() { block } else { PAIR_COUNT };
        for (place, inputs) in place_inputs.iter().enumerate() {
            self.devices(simd, instance, round, place, inputs);
        }
        self.sums.fill([0.0; VECTOR]);
        for panel in 0..panels {
            self.task(simd, round, panel);
            let score_of_task = score(simd, &instance.lanes.tasks[panel].inputs, &round.score_of_task, 0.0);
            for place in 0..places {
                let row = &mut rows[(place * panels + panel) * block..][..block];
                if round.context.is_some() {
                    self.expand(simd, instance, panel, place);
                } else {
                    self.expand_base(simd, place);
                }
                let units = &mut self.units[..width];
                DenseOnto { weight: &round.pair, input: &row[..length], output: units }.run(simd);
                row[PAIR_COUNT..].copy_from_slice(units);
                let of_place = round.score_of_place.iter().zip(&place_inputs[place]);
                let base = of_place.map(|(weight, input)| weight * input).sum();
                let sums = score(simd, row, &round.score_of_pair, base);
                for (half, (sum, of_task)) in sums.into_iter().zip(score_of_task).enumerate() {
                    (sum + of_task).store(&mut scores[place * panels + panel].0[half]);
                }
                if !is_last {
                    self.collect(simd, instance, panel, place);
                }
            }
        }
    }

    /// Computes the part that is the same for all tasks of each device at a place, from the means of hidden units.
    #[inline(always)]
    fn devices<S: Simd>(
        &mut self,
        simd: S,
        instance: &Instance,
        round: &RoundWeights,
        place: usize,
        inputs: &[f32; PLACE_INPUTS.len()],
    ) {
        let (devices, vectors) = (instance.devices, self.base.len());
        self.base.copy_from_slice(&round.bias);
        onto(simd, inputs.iter().copied(), &round.place, &mut self.base);
        let sums = &mut self.sums[place * self.rows * vectors..][..self.rows * vectors];
        let products = &mut self.products[place * self.rows * vectors..][..self.rows * vectors];
        let Some([by_device, by_place]) = &round.context else {
            products.chunks_exact_mut(vectors).for_each(|row| row.copy_from_slice(&self.base));
            return;
        };
        let each = Wide::splat(simd, 1.0 / instance.tasks as f32);
        self.mean.fill([0.0; VECTOR]);
        for row in sums[..devices * vectors].chunks_exact_mut(vectors) {
            for (value, mean) in row.iter_mut().zip(&mut self.mean) {
                let scaled = Wide::load(simd, value) * each;
                scaled.store(value);
                (Wide::load(simd, mean) + scaled).store(mean);
            }
        }
        let each = 1.0 / devices as f32;
        let mean = self.mean.as_flattened()[..self.width].iter().map(|mean| mean * each);
        onto(simd, mean, by_place, &mut self.base);
        let size = SIDE_BY_SIDE * vectors;
        for (sums, products) in sums.chunks_exact(size).zip(products.chunks_exact_mut(size)) {
            let sums = sums.as_flattened();
            for (vector, base) in self.base.iter().enumerate() {
                let mut results = [Wide::load(simd, base); SIDE_BY_SIDE];
                for (unit, weights) in by_device.chunks_exact(vectors).enumerate() {
                    let weights = Wide::load(simd, &weights[vector]);
                    for (device, result) in results.iter_mut().enumerate() {
                        let value = Wide::splat(simd, sums[device * vectors * VECTOR + unit]);
                        *result = value.mul_add(weights, *result);
                    }
                }
                for (device, result) in results.into_iter().enumerate() {
                    result.store(&mut products[device * vectors + vector]);
                }
            }
        }
    }

    /// Computes the part that is the same for a task at all places, and sets the mean over them to 0 for this round.
    #[inline(always)]
    fn task<S: Simd>(&mut self, simd: S, round: &RoundWeights, panel: usize) {
        let task = &mut self.tasks[panel * (TASK_COUNT + self.width)..][..TASK_COUNT + self.width];
        let length = if round.context.is_some() { task.len() } else { TASK_COUNT };
        self.of_task.fill(Lanes::ZERO);
        let (weight, output) = (&round.task[..], &mut self.of_task[..]);
        DenseOnto { weight, input: &task[..length], output }.accumulate(simd, false);
        task[TASK_COUNT..].fill(Lanes::ZERO);
    }

    /// Adds up the parts of the device, the place and the task.
    #[inline(always)]
    fn expand<S: Simd>(&mut self, simd: S, instance: &Instance, panel: usize, place: usize) {
        let vectors = self.base.len();
        let products = &self.products[place * self.rows * vectors..][..self.rows * vectors];
        for half in 0..2 {
            let devices = &instance.lanes.device_of[panel * PANEL + half * VECTOR..][..VECTOR];
            for vector in 0..vectors {
                let mut columns = [Wide::splat(simd, 0.0); VECTOR];
                for (column, &device) in columns.iter_mut().zip(devices) {
                    *column = Wide::load(simd, &products[device as usize * vectors + vector]);
                }
                Wide::transpose(simd, &mut columns);
                let units = self.units[vector * VECTOR..].iter_mut().zip(&self.of_task[vector * VECTOR..]);
                for (column, (unit, of_task)) in columns.into_iter().zip(units) {
                    (column + Wide::load(simd, &of_task.0[half])).store(&mut unit.0[half]);
                }
            }
        }
    }

    /// Adds up the parts of the place and the task in the first round, where devices have no part.
    #[inline(always)]
    fn expand_base<S: Simd>(&mut self, simd: S, place: usize) {
        let vectors = self.base.len();
        let base = self.products[place * self.rows * vectors..][..vectors].as_flattened();
        for ((unit, of_task), &base) in self.units.iter_mut().zip(&self.of_task).zip(base) {
            for (unit, of_task) in unit.0.iter_mut().zip(&of_task.0) {
                (Wide::splat(simd, base) + Wide::load(simd, of_task)).store(unit);
            }
        }
    }

    /// Adds the hidden units to the sums of devices and the means of tasks.
    #[inline(always)]
    fn collect<S: Simd>(&mut self, simd: S, instance: &Instance, panel: usize, place: usize) {
        let vectors = self.base.len();
        let each = Wide::splat(simd, 1.0 / instance.places as f32);
        let means = self.tasks[panel * (TASK_COUNT + self.width)..][..TASK_COUNT + self.width][TASK_COUNT..].iter_mut();
        for (mean, units) in means.zip(&self.units) {
            for (mean, units) in mean.0.iter_mut().zip(&units.0) {
                Wide::load(simd, units).mul_add(each, Wide::load(simd, mean)).store(mean);
            }
        }
        let sums = &mut self.sums[place * self.rows * vectors..][..self.rows * vectors];
        for half in 0..2 {
            let devices = &instance.lanes.device_of[panel * PANEL + half * VECTOR..][..VECTOR];
            for (vector, units) in self.units.chunks_exact(VECTOR).enumerate() {
                let mut rows = [Wide::splat(simd, 0.0); VECTOR];
                for (row, units) in rows.iter_mut().zip(units) {
                    *row = Wide::load(simd, &units.0[half]);
                }
                Wide::transpose(simd, &mut rows);
                for (row, &device) in rows.into_iter().zip(devices) {
                    let sum = &mut sums[device as usize * vectors + vector];
                    (Wide::load(simd, sum) + row).store(sum);
                }
            }
        }
    }
}

/// Adds the products of inputs with their rows of weights to sums.
#[inline(always)]
fn onto<S: Simd>(simd: S, inputs: impl Iterator<Item = f32>, weights: &[Units], sums: &mut [Units]) {
    for (input, weights) in inputs.zip(weights.chunks_exact(sums.len())) {
        let input = Wide::splat(simd, input);
        for (sum, weights) in sums.iter_mut().zip(weights) {
            input.mul_add(Wide::load(simd, weights), Wide::load(simd, sum)).store(sum);
        }
    }
}

/// Weighted sums for sixteen tasks. Each is computed in several partial sums, since a step of one waits for the step before.
#[inline(always)]
fn score<S: Simd>(simd: S, row: &[Lanes], weights: &[f32], base: f32) -> [Wide<S>; 2] {
    const SUMS: usize = 3;
    let mut sums = [[Wide::splat(simd, 0.0); 2]; SUMS];
    sums[0] = [Wide::splat(simd, base); 2];
    let (triples, rest) = row.as_chunks::<SUMS>();
    let (weights, rest_of_weights) = weights.as_chunks::<SUMS>();
    for (triple, weights) in triples.iter().zip(weights) {
        for ((sums, lanes), &weight) in sums.iter_mut().zip(triple).zip(weights) {
            for (sum, lanes) in sums.iter_mut().zip(&lanes.0) {
                *sum = Wide::load(simd, lanes).mul_add(Wide::splat(simd, weight), *sum);
            }
        }
    }
    for (lanes, &weight) in rest.iter().zip(rest_of_weights) {
        for (sum, lanes) in sums[0].iter_mut().zip(&lanes.0) {
            *sum = Wide::load(simd, lanes).mul_add(Wide::splat(simd, weight), *sum);
        }
    }
    let [[a, b], [c, d], [e, f]] = sums;
    [a + c + e, b + d + f]
}
