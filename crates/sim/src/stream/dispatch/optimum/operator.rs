//! One step of the chain for all states at once.

use rayon::prelude::*;

use super::chain::{Chain, Class, Placement};

/// The states that one thread takes at a time, about.
const CHUNK_STATES: usize = 1 << 14;

/// The least and the greatest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Range {
    const EMPTY: Self = Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY };

    fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }
}

/// Sets `after` to the expected values at the next arrival, H from V.
pub(super) fn wait(chain: &Chain, values: &[f64], after: &mut [f64]) {
    let share = 1.0 / (2.0 * chain.mean_interval + 1.0);
    let stay = 1.0 - 2.0 * share;
    let length = *chain.lengths.last().expect("a chain has a queue");
    let outer = &chain.lengths[..chain.lengths.len() - 1];
    let mut place = vec![0; outer.len()];
    for row in 0..values.len() / length {
        let start = row * length;
        // The row in which every queue has a unit less.
        let below: usize =
            place.iter().zip(&chain.strides).filter(|(work, _)| **work > 0).map(|(_, stride)| stride).sum();
        let values_of_row = &values[start..start + length];
        if below == 0 {
            let row = &mut after[start..start + length];
            row[0] = values_of_row[0];
            for index in 1..length {
                row[index] = share * (values_of_row[index] + values_of_row[index - 1]) + stay * row[index - 1];
            }
        } else {
            let (done, rest) = after.split_at_mut(start);
            let (values_below, after_below) = (&values[start - below..][..length], &done[start - below..][..length]);
            let row = &mut rest[..length];
            row[0] = share * (values_of_row[0] + values_below[0]) + stay * after_below[0];
            let below = values_below.iter().zip(after_below);
            for ((cell, value), (value_below, after_below)) in row[1..].iter_mut().zip(&values_of_row[1..]).zip(below) {
                *cell = share * (value + value_below) + stay * after_below;
            }
        }
        for (work, length) in place.iter_mut().zip(outer).rev() {
            *work += 1;
            if *work < *length {
                break;
            }
            *work = 0;
        }
    }
}

/// Sets `values` to the least expected cost of a task and what follows, V from H, less `offset`; returns by how much they have
/// risen, `offset` included.
pub(super) fn decide(chain: &Chain, after: &[f64], values: &mut [f64], offset: f64) -> Range {
    let length = *chain.lengths.last().expect("a chain has a queue");
    let rows = (CHUNK_STATES / length).max(1);
    let chunks = values.par_chunks_mut(rows * length).enumerate().map(|(chunk, values)| {
        let (mut best, mut mean) = (vec![0.0; length], vec![0.0; length]);
        let mut range = Range::EMPTY;
        for (row, values) in values.chunks_mut(length).enumerate() {
            let start = (chunk * rows + row) * length;
            mean.fill(0.0);
            for class in &chain.classes {
                best_of_row(chain, class, after, start, &mut best);
                for (mean, best) in mean.iter_mut().zip(&best) {
                    *mean += class.probability * best;
                }
            }
            for (value, mean) in values.iter_mut().zip(&mean) {
                let rise = mean - *value;
                range.least = range.least.min(rise);
                range.greatest = range.greatest.max(rise);
                *value = mean - offset;
            }
        }
        range
    });
    chunks.reduce(|| Range::EMPTY, Range::with)
}

/// The least cost of a class of tasks in the states from `start` on that differ in the last queue alone.
fn best_of_row(chain: &Chain, class: &Class, after: &[f64], start: usize, best: &mut [f64]) {
    let length = best.len();
    let last = chain.lengths.len() - 1;
    best.fill(f64::INFINITY);
    for option in &class.options {
        let (work, room) = work_and_room(chain, start, option.dimension);
        let shift = option.steps * chain.strides[option.dimension];
        if option.dimension == last {
            let ahead = &after[start + option.steps..start + length];
            for ((best, cost), after) in best.iter_mut().zip(&option.costs).zip(ahead) {
                let value = cost + after;
                *best = if value < *best { value } else { *best };
            }
        } else if option.steps <= room {
            let cost = option.costs[work];
            for (best, after) in best.iter_mut().zip(&after[start + shift..start + shift + length]) {
                let value = cost + after;
                *best = if value < *best { value } else { *best };
            }
        }
    }
    // Only where all queues are nearly full; those are the last states of the row.
    for index in (0..length).rev() {
        if best[index].is_finite() {
            break;
        }
        best[index] = best_without_room(chain, class, after, start + index);
    }
}

/// The least cost where every place exceeds its limit: work beyond the limit vanishes at a price.
fn best_without_room(chain: &Chain, class: &Class, after: &[f64], state: usize) -> f64 {
    let values = class.options.iter().map(|option| value_without_room(chain, option, after, state));
    values.fold(f64::INFINITY, f64::min)
}

/// The cost of a place whose limit is exceeded.
pub(super) fn value_without_room(chain: &Chain, option: &Placement, after: &[f64], state: usize) -> f64 {
    let (work, room) = work_and_room(chain, state, option.dimension);
    let excess = option.steps.saturating_sub(room);
    let at_limit = after[state + (option.steps - excess) * chain.strides[option.dimension]];
    option.costs[work] + at_limit + option.excess_cost * excess as f64
}

/// The work of a queue in a state, and how much more it takes up to its limit.
pub(super) fn work_and_room(chain: &Chain, state: usize, dimension: usize) -> (usize, usize) {
    let work = state / chain.strides[dimension] % chain.lengths[dimension];
    (work, chain.lengths[dimension] - 1 - work)
}
