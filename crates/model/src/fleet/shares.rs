//! Decisions as shares of tasks at places, scores as shares, and scores as decisions.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::instance::Instance;
use super::lanes::{from_lanes, to_lanes};
use crate::kernels::Kernel;
use crate::kernels::kernel::{Simd, Task, VECTOR};
use crate::kernels::math::exp_of_negative;
use crate::kernels::panel::Lanes;
use crate::kernels::wide::Wide;

/// Factor of the scores in the softmax that gives shares. With a factor of 1 shares are so soft that the next round cannot see
/// which of two equal tasks moves.
const SHARPNESS: f32 = 3.0;

/// Computes the shares that the first round reads, from the decision `start` or, without one, for undecided tasks.
///
/// # Panics
/// If the decision is not `[N * M]`.
pub(super) fn begin(instance: &Instance, start: Option<&[u8]>, shares: &mut Vec<f32>) {
    match start {
        Some(decision) => whole(instance, decision, shares),
        None => undecided(instance, shares),
    }
}

/// The shares of a decision: 1 at the place of each task.
fn whole(instance: &Instance, decision: &[u8], shares: &mut Vec<f32>) {
    let count = instance.task_count();
    assert_eq!(decision.len(), count, "the decision is not [N * M]");
    shares.clear();
    shares.resize(instance.places * count, 0.0);
    for (task, &place) in decision.iter().enumerate() {
        shares[usize::from(place) * count + task] = 1.0;
    }
}

/// The shares before anything is decided, inversely proportional to the cost at each place with nobody else there.
fn undecided(instance: &Instance, shares: &mut Vec<f32>) {
    let (count, places, tasks) = (instance.task_count(), instance.places, instance.tasks);
    shares.clear();
    shares.resize(places * count, 0.0);
    for (device, own) in instance.own.chunks_exact(places).enumerate() {
        let total: f32 = own.iter().map(|own| 1.0 / own.alone.max(1e-6)).sum();
        for (place, own) in own.iter().enumerate() {
            shares[place * count + device * tasks..][..tasks].fill(1.0 / own.alone.max(1e-6) / total);
        }
    }
}

/// The softmax of sharpened scores over the places, `[places][N * M]`.
pub(super) fn soften(instance: &Instance, scores: &[f32], shares: &mut [f32]) {
    let count = instance.task_count();
    let mut lanes = Vec::new();
    to_lanes(scores, count, &mut lanes);
    Kernel::detect().run(Soften { instance, shares: &mut lanes });
    from_lanes(&lanes, count, shares);
}

/// [`soften_lanes`] as a task of the kernel.
struct Soften<'a> {
    instance: &'a Instance,
    shares: &'a mut [Lanes],
}

impl Task for Soften<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        soften_lanes(simd, self.instance, self.shares);
    }
}

/// Replaces scores by shares, both `[places][panels]`.
#[inline(always)]
pub(super) fn soften_lanes<S: Simd>(simd: S, instance: &Instance, shares: &mut [Lanes]) {
    let (panels, reachable) = (instance.lanes.panels, &instance.lanes.reachable[..]);
    let can = |index: usize, half: usize| reachable.get(index).map(|lanes| Wide::load(simd, &lanes.0[half]));
    let (half_way, never) = (Wide::splat(simd, 0.5), Wide::splat(simd, f32::NEG_INFINITY));
    for (panel, half) in (0..panels).flat_map(|panel| [(panel, 0), (panel, 1)]) {
        let indices = || (panel..shares.len()).step_by(panels);
        let mut highest = never;
        for index in indices() {
            let score = Wide::load(simd, &shares[index].0[half]);
            highest = highest.max(can(index, half).map_or(score, |can| can.where_less(half_way, never, score)));
        }
        let mut total = Wide::splat(simd, 0.0);
        for index in (panel..shares.len()).step_by(panels) {
            let below = (Wide::load(simd, &shares[index].0[half]) - highest).min(Wide::splat(simd, 0.0));
            let values: &mut [f32; VECTOR] = &mut shares[index].0[half];
            (Wide::splat(simd, SHARPNESS) * below).store(values);
            for value in values.iter_mut() {
                *value = exp_of_negative::<S>(*value);
            }
            let share = Wide::load(simd, values);
            let share = can(index, half).map_or(share, |can| can * share);
            share.store(values);
            total = total + share;
        }
        let each = Wide::splat(simd, 1.0) / total;
        for index in (panel..shares.len()).step_by(panels) {
            (Wide::load(simd, &shares[index].0[half]) * each).store(&mut shares[index].0[half]);
        }
    }
}

/// Places each task where its score is highest, at the first of equal places, and only where its device reaches.
pub(super) fn propose(instance: &Instance, scores: &[f32], decision: &mut [u8]) {
    let count = decision.len();
    for (task, placed) in decision.iter_mut().enumerate() {
        let mut best = (f32::NEG_INFINITY, 0);
        for place in 0..instance.places {
            let score = scores[place * count + task];
            if score > best.0 && instance.can_reach(task, place) {
                best = (score, place);
            }
        }
        *placed = best.1 as u8;
    }
}
