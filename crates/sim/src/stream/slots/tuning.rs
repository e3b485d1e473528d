//! Choosing the numbers of a scheme on training paths.

use std::sync::Arc;

use rayon::prelude::*;

use super::error::SlotSchemeError;
use super::path::SlotPath;
use super::scheme::{Parameter, SlotSchemeKind, Tuned, ValueIterationModel};
use super::simulate::simulate;

/// Values of each number that are tried first, for one, two and three or more numbers.
const GRID: [usize; 3] = [25, 12, 9];
/// The local search ends when its step is this part of a grid step.
const LAST_STEP: f64 = 1.0 / 20.0;

/// A scheme with the numbers that cost least on training paths.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedScheme {
    /// The scheme.
    pub kind: SlotSchemeKind,
    /// Its mean cost over the training paths.
    pub cost: f64,
    /// How often it was run along all training paths.
    pub evaluations: usize,
}

/// The mean cost of a scheme over paths.
///
/// # Errors
/// If the scheme cannot be built or cannot decide a path.
pub fn mean_cost(
    kind: &SlotSchemeKind,
    paths: &[SlotPath],
    model: Option<&Arc<ValueIterationModel>>,
) -> Result<f64, SlotSchemeError> {
    let mut scheme = kind.build(model)?;
    let mut sum = 0.0;
    for path in paths {
        sum += simulate(path, scheme.as_mut(), None)?.cost;
    }
    Ok(sum / paths.len() as f64)
}

/// Tunes the numbers of a scheme on training paths: a grid over the range of each number, then steps from the best of
/// its points and the numbers that the scheme has, halved where no neighbour is better. Numbers have four digits. The
/// result does not depend on the number of threads.
///
/// # Errors
/// If there is no path, or the scheme cannot decide them.
pub fn tune(
    kind: &SlotSchemeKind,
    training: &[SlotPath],
    model: Option<&Arc<ValueIterationModel>>,
) -> Result<TunedScheme, SlotSchemeError> {
    let first = training.first().ok_or(SlotSchemeError::NoTraining { scheme: kind.scheme() })?;
    let has_tail = first.problem().has_tail();
    let free: Vec<(usize, &Parameter)> = (kind.parameters().iter().enumerate())
        .filter(|(_, parameter)| parameter.tuned == Tuned::Always || has_tail && parameter.tuned == Tuned::WithTail)
        .collect();
    let at = |point: &[f64]| {
        let mut values = kind.values();
        for ((index, parameter), share) in free.iter().zip(point) {
            values[*index] = four_digits(parameter.at(*share));
        }
        let defaults = kind.parameters().iter().zip(&values);
        let last = defaults.rev().take_while(|(parameter, value)| parameter.default == **value).count();
        kind.with_values(&values[..values.len() - last])
    };
    let cost = |point: &Vec<f64>| mean_cost(&at(point)?, training, model);
    let mut evaluations = 0;
    let mut best_of = |points: &[Vec<f64>]| {
        evaluations += points.len();
        let costs = points.par_iter().map(cost).collect::<Result<Vec<f64>, _>>()?;
        let best = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap_or(0);
        Ok::<_, SlotSchemeError>((costs[best], points[best].clone()))
    };
    if free.is_empty() {
        let (cost, _) = best_of(&[Vec::new()])?;
        return Ok(TunedScheme { kind: kind.clone(), cost, evaluations });
    }
    let side = GRID[free.len().min(GRID.len()) - 1];
    let mut starts = grid(free.len(), side);
    let values = kind.values();
    starts.push(free.iter().map(|(index, parameter)| parameter.share(values[*index])).collect());
    let (mut lowest, mut point) = best_of(&starts)?;
    let spacing = 1.0 / (side - 1) as f64;
    let mut step = 0.5 * spacing;
    while step > LAST_STEP * spacing {
        let moved = |moves: Vec<f64>| -> Vec<f64> {
            point.iter().zip(moves).map(|(at, share)| (at + step * (2.0 * share - 1.0)).clamp(0.0, 1.0)).collect()
        };
        let neighbours: Vec<Vec<f64>> = grid(point.len(), 3).into_iter().map(moved).collect();
        let (cost, best) = best_of(&neighbours)?;
        if cost < lowest {
            (lowest, point) = (cost, best);
        } else {
            step *= 0.5;
        }
    }
    Ok(TunedScheme { kind: at(&point)?, cost: lowest, evaluations })
}

/// A number that people can read and write.
fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl Parameter {
    /// The value at a share of the range.
    fn at(&self, share: f64) -> f64 {
        if self.is_ratio {
            self.min * (self.max / self.min).powf(share)
        } else {
            self.min + (self.max - self.min) * share
        }
    }

    /// The share of the range at which a value lies; the nearest one.
    fn share(&self, value: f64) -> f64 {
        let share = if self.is_ratio {
            (value / self.min).ln() / (self.max / self.min).ln()
        } else {
            (value - self.min) / (self.max - self.min)
        };
        share.clamp(0.0, 1.0)
    }
}

/// All points of a regular grid in the unit cube.
fn grid(dimensions: usize, side: usize) -> Vec<Vec<f64>> {
    let count = side.pow(dimensions as u32);
    let point = |mut index: usize| {
        let coordinate = |_| {
            let place = index % side;
            index /= side;
            place as f64 / (side - 1) as f64
        };
        (0..dimensions).map(coordinate).collect()
    };
    (0..count).map(point).collect()
}
