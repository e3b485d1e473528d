//! Forward passes on the CPU, through the fused kernels.

use super::instance::Instance;
use super::net::{FleetNet, FleetShape, KnownData};
use super::reading::{INPUTS, Reading};
use crate::fused::Kernel;
use crate::fused::dense::DenseForward;
use crate::fused::panel::{Lanes, PANEL};

/// The weights of a [`FleetNet`] as the kernels read them.
#[derive(Debug, Clone)]
pub struct FleetForward {
    shape: FleetShape,
    kernel: Kernel,
    rounds: Vec<Round>,
}

#[derive(Debug, Clone)]
struct Round {
    /// `[INPUTS (+ width), width]`: inputs above what was known.
    hidden: Vec<f32>,
    bias: Vec<f32>,
    known: Option<KnownData>,
    /// `[INPUTS + width]`.
    score: Vec<f32>,
}

/// What a pass needs beside the weights; grows to the largest instance.
#[derive(Debug, Clone, Default)]
pub struct FleetScratch {
    reading: Reading,
    /// `[places][N * M]`.
    shares: Vec<f32>,
    /// `[places][panels][INPUTS + width]`: inputs and hidden units of sixteen tasks.
    rows: Vec<Lanes>,
    /// `[places * N][width]` and its product; `[panels][width]` and its product.
    devices: Vec<f32>,
    devices_product: Vec<f32>,
    tasks: Vec<Lanes>,
    tasks_product: Vec<Lanes>,
    hidden: Vec<Lanes>,
    /// `[places][N * M]`.
    scores: Vec<f32>,
}

impl FleetScratch {
    /// Scores of the last round, `[places][N * M]`.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }
}

impl FleetForward {
    /// Copies the parameters from wherever they are.
    pub fn new(net: &FleetNet) -> Self {
        let rounds = net.to_host().into_iter().map(|round| {
            let mut hidden = round.input;
            if let Some(known) = &round.known {
                hidden.extend_from_slice(&known.own);
            }
            let mut score = round.direct;
            score.extend_from_slice(&round.score);
            Round { hidden, bias: round.bias, known: round.known, score }
        });
        Self { shape: net.shape(), kernel: Kernel::detect(), rounds: rounds.collect() }
    }

    /// How large the network is.
    pub fn shape(&self) -> FleetShape {
        self.shape
    }

    /// One forward pass: reads the decision `start`, or none, and puts what the last round proposes into `decision`.
    ///
    /// # Panics
    /// If a decision does not fit the instance.
    pub fn pass(&self, instance: &Instance, scratch: &mut FleetScratch, start: Option<&[u8]>, decision: &mut [u8]) {
        begin(instance, start, &mut scratch.shares);
        let (count, places, width) = (instance.task_count(), instance.places, self.shape.width);
        let panels = count.div_ceil(PANEL);
        let block = INPUTS + width;
        scratch.rows.clear();
        scratch.rows.resize(places * panels * block, Lanes::ZERO);
        scratch.hidden.resize(width.max(1), Lanes::ZERO);
        scratch.scores.resize(places * count, 0.0);
        for (index, round) in self.rounds.iter().enumerate() {
            let rows = &mut scratch.rows;
            scratch.reading.read(instance, &scratch.shares, |place, task, inputs| {
                let start = (place * panels + task / PANEL) * block;
                for (row, value) in rows[start..start + INPUTS].iter_mut().zip(inputs) {
                    row.values_mut()[task % PANEL] = value;
                }
            });
            if let Some(known) = &round.known {
                self.pool(instance, scratch, panels, known);
            }
            for place in 0..places {
                self.place(instance, scratch, panels, index, place);
            }
            soften(instance, &scratch.scores, &mut scratch.shares);
        }
        propose(instance, &scratch.scores, decision);
    }

    /// Means over a device's tasks and over a task's places, each through its weights.
    fn pool(&self, instance: &Instance, scratch: &mut FleetScratch, panels: usize, known: &KnownData) {
        let (places, devices, tasks, width) = (instance.places, instance.devices, instance.tasks, self.shape.width);
        let block = INPUTS + width;
        scratch.devices.clear();
        scratch.devices.resize(places * devices * width, 0.0);
        scratch.tasks.clear();
        scratch.tasks.resize(panels * width, Lanes::ZERO);
        for place in 0..places {
            for (panel, sums) in scratch.tasks.chunks_exact_mut(width).enumerate() {
                let hidden = &scratch.rows[(place * panels + panel) * block + INPUTS..][..width];
                for (sum, hidden) in sums.iter_mut().zip(hidden) {
                    for (sum, hidden) in sum.values_mut().iter_mut().zip(hidden.values()) {
                        *sum += hidden;
                    }
                }
                let first = panel * PANEL;
                for lane in 0..PANEL.min(instance.task_count() - first) {
                    let device = (first + lane) / tasks;
                    let row = &mut scratch.devices[(place * devices + device) * width..][..width];
                    for (sum, hidden) in row.iter_mut().zip(hidden) {
                        *sum += hidden.values()[lane];
                    }
                }
            }
        }
        let (per_task, per_place) = (1.0 / tasks as f32, 1.0 / places as f32);
        scratch.devices.iter_mut().for_each(|value| *value *= per_task);
        scratch.tasks.iter_mut().for_each(|lanes| lanes.values_mut().iter_mut().for_each(|value| *value *= per_place));
        // What a place's devices know on average goes the same way as what each of them does.
        scratch.devices_product.clear();
        scratch.devices_product.resize(places * devices * width, 0.0);
        let mut of_place = vec![0.0; width];
        for (sums, products) in
            scratch.devices.chunks_exact(devices * width).zip(scratch.devices_product.chunks_exact_mut(devices * width))
        {
            let mut mean = vec![0.0; width];
            for row in sums.chunks_exact(width) {
                mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / devices as f32);
            }
            product(&mean, &known.by_place, &mut of_place);
            for (row, result) in sums.chunks_exact(width).zip(products.chunks_exact_mut(width)) {
                product(row, &known.by_device, result);
                result.iter_mut().zip(&of_place).for_each(|(result, value)| *result += value);
            }
        }
        scratch.tasks_product.resize(panels * width, Lanes::ZERO);
        let zeros = vec![0.0; width];
        for (input, output) in
            scratch.tasks.chunks_exact(width).zip(scratch.tasks_product.chunks_exact_mut(width))
        {
            self.kernel.run(DenseForward { weight: &known.by_task, bias: &zeros, input, output, relu: false });
        }
    }

    /// One round of all tasks at one place.
    fn place(&self, instance: &Instance, scratch: &mut FleetScratch, panels: usize, index: usize, place: usize) {
        let (count, devices, tasks, width) =
            (instance.task_count(), instance.devices, instance.tasks, self.shape.width);
        let (block, round) = (INPUTS + width, &self.rounds[index]);
        let inputs = if round.known.is_some() { block } else { INPUTS };
        for panel in 0..panels {
            let rows = &mut scratch.rows[(place * panels + panel) * block..][..block];
            let hidden = &mut scratch.hidden[..width];
            let (weight, bias) = (&round.hidden[..], &round.bias[..]);
            let is_first = round.known.is_none();
            self.kernel.run(DenseForward { weight, bias, input: &rows[..inputs], output: hidden, relu: is_first });
            let first = panel * PANEL;
            let lanes = PANEL.min(count - first);
            if !is_first {
                let known = &scratch.tasks_product[panel * width..][..width];
                let products = &scratch.devices_product[place * devices * width..][..devices * width];
                for (unit, (hidden, known)) in hidden.iter_mut().zip(known).enumerate() {
                    let hidden = hidden.values_mut();
                    for (lane, (hidden, known)) in hidden.iter_mut().zip(known.values()).enumerate() {
                        let device = ((first + lane) / tasks).min(devices - 1);
                        *hidden = (*hidden + known + products[device * width + unit]).max(0.0);
                    }
                }
            }
            rows[INPUTS..].copy_from_slice(hidden);
            if lanes < PANEL {
                rows[INPUTS..].iter_mut().for_each(|unit| unit.values_mut()[lanes..].fill(0.0));
            }
            let mut score = [Lanes::ZERO];
            self.kernel.run(DenseForward { weight: &round.score, bias: &[0.0], input: rows, output: &mut score, relu: false });
            scratch.scores[place * count + first..][..lanes].copy_from_slice(&score[0].values()[..lanes]);
        }
    }
}

/// A row through weights `[in, out]`.
fn product(row: &[f32], weight: &[f32], result: &mut [f32]) {
    result.fill(0.0);
    for (value, weights) in row.iter().zip(weight.chunks_exact(result.len())) {
        result.iter_mut().zip(weights).for_each(|(result, weight)| *result += value * weight);
    }
}

/// How much surer than its scores say a round is of its proposal when the next one reads it. Shares that stay soft hide which
/// of two equal tasks goes.
const SHARPNESS: f32 = 3.0;

/// Each task where its score is highest, the first of equals; never where its device cannot reach.
pub(super) fn propose(instance: &Instance, scores: &[f32], decision: &mut [u8]) {
    let count = decision.len();
    for (task, placed) in decision.iter_mut().enumerate() {
        let device = task / instance.tasks;
        let can = |place: usize| instance.reachable.is_empty() || instance.reachable[device * instance.places + place];
        let mut best = (f32::NEG_INFINITY, 0);
        for place in 0..instance.places {
            let score = scores[place * count + task];
            if score > best.0 && can(place) {
                best = (score, place);
            }
        }
        *placed = best.1 as u8;
    }
}

/// The shares that a pass reads first.
pub(super) fn begin(instance: &Instance, start: Option<&[u8]>, shares: &mut Vec<f32>) {
    match start {
        Some(decision) => whole(instance, decision, shares),
        None => undecided(instance, shares),
    }
}

/// A decision as shares.
fn whole(instance: &Instance, decision: &[u8], shares: &mut Vec<f32>) {
    let count = instance.task_count();
    assert_eq!(decision.len(), count, "the decision is not [N * M]");
    shares.clear();
    shares.resize(instance.places * count, 0.0);
    for (task, &place) in decision.iter().enumerate() {
        shares[usize::from(place) * count + task] = 1.0;
    }
}

/// Shares before anything is decided: the more of a task, the cheaper a place is with nobody else there.
fn undecided(instance: &Instance, shares: &mut Vec<f32>) {
    let (count, places) = (instance.task_count(), instance.places);
    shares.clear();
    shares.resize(places * count, 0.0);
    for task in 0..count {
        let own = &instance.own[task / instance.tasks * places..][..places];
        let total: f32 = own.iter().map(|own| 1.0 / own.alone.max(1e-6)).sum();
        for (place, own) in own.iter().enumerate() {
            shares[place * count + task] = 1.0 / own.alone.max(1e-6) / total;
        }
    }
}

/// Shares as the scores would have them.
pub(super) fn soften(instance: &Instance, scores: &[f32], shares: &mut [f32]) {
    let (count, places) = (instance.task_count(), instance.places);
    for task in 0..count {
        let device = task / instance.tasks;
        let can = |place: usize| instance.reachable.is_empty() || instance.reachable[device * places + place];
        let mut highest = f32::NEG_INFINITY;
        for place in 0..places {
            if can(place) { highest = highest.max(scores[place * count + task]); }
        }
        let mut total = 0.0;
        for place in 0..places {
            let share = if can(place) { (SHARPNESS * (scores[place * count + task] - highest)).exp() } else { 0.0 };
            shares[place * count + task] = share;
            total += share;
        }
        for place in 0..places {
            shares[place * count + task] /= total;
        }
    }
}
