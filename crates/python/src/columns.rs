//! Costs of many workloads side by side.

use rayon::prelude::*;
use sim::{CostModel, is_size};

use crate::answers::POOL_FROM;

/// Below this number of workloads one thread is faster than several.
pub(crate) const ALONE_BELOW: usize = 2048;
/// The number of workloads whose costs are computed side by side.
const TILE: usize = 256;

/// Computes the cost of one decision for each workload, from [`ALONE_BELOW`] on on all threads of the current pool. Returns whether
/// all sizes and places make sense; if not, some costs are missing.
///
/// # Shapes
/// `sizes` and `places` are `[costs.len(), N * M]`; `bytes_of` gives the bytes of a size.
///
/// # Panics
/// If the model is detailed.
pub(crate) fn costs(
    model: &CostModel,
    sizes: &[f64],
    places: &[u8],
    bytes_of: impl Fn(f64) -> f64 + Sync,
    costs: &mut [f64],
) -> bool {
    assert!(!model.is_detailed(), "a detailed model has no columns");
    let tasks = model.task_count();
    if costs.len() < POOL_FROM {
        let mut bytes = vec![0.0; tasks];
        let rows = sizes.chunks_exact(tasks).zip(places.chunks_exact(tasks)).zip(costs);
        return rows.into_iter().all(|((sizes, places), cost)| {
            bytes.iter_mut().zip(sizes).for_each(|(bytes, &size)| *bytes = bytes_of(size));
            let is_right = are_sizes(&bytes) && are_places(model, places);
            if is_right {
                *cost = model.cost(&bytes, places);
            }
            is_right
        });
    }
    let memory = || (vec![0.0; TILE * tasks], vec![0; TILE * tasks]);
    let tile = |(column_sizes, column_places): &mut (Vec<f64>, Vec<u8>), ((sizes, places), costs): Tile<'_>| {
        let count = costs.len();
        let (bytes, decisions) = (&mut column_sizes[..sizes.len()], &mut column_places[..places.len()]);
        turn(sizes, tasks, count, bytes, &bytes_of);
        turn(places, tasks, count, decisions, |place| place);
        let is_right = are_sizes(bytes) && are_places(model, decisions);
        if is_right {
            model.batch_costs(bytes, decisions, costs);
        }
        is_right
    };
    if costs.len() < ALONE_BELOW {
        let mut memory = memory();
        let mut rows = sizes.chunks(TILE * tasks).zip(places.chunks(TILE * tasks)).zip(costs.chunks_mut(TILE));
        return rows.all(|rows| tile(&mut memory, rows));
    }
    let rows = sizes.par_chunks(TILE * tasks).zip(places.par_chunks(TILE * tasks)).zip(costs.par_chunks_mut(TILE));
    rows.map_init(memory, tile).all(|is_right| is_right)
}

/// Sizes, places and costs of some workloads.
type Tile<'t> = ((&'t [f64], &'t [u8]), &'t mut [f64]);

fn are_sizes(bytes: &[f64]) -> bool {
    bytes.iter().fold(true, |are_sizes, &bytes| are_sizes & is_size(bytes))
}

fn are_places(model: &CostModel, places: &[u8]) -> bool {
    places.iter().fold(true, |are_places, &place| are_places & (usize::from(place) < model.places()))
}

/// Writes `[count, tasks]` as `[tasks, count]`.
fn turn<T: Copy, U>(rows: &[T], tasks: usize, count: usize, columns: &mut [U], of: impl Fn(T) -> U) {
    for (task, column) in columns.chunks_exact_mut(count).enumerate() {
        let values = rows[task..].iter().step_by(tasks);
        column.iter_mut().zip(values).for_each(|(column, &value)| *column = of(value));
    }
}
