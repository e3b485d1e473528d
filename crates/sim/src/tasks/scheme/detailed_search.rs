//! Local search without a budget where more than bytes tells the cost: from several first decisions.

use super::Order;
use super::greedy::{place_absent, place_all_greedily};
use super::local_search::{affordable, improve_all};
use crate::search::{self, gains};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::workload::present_tasks;

/// Decides for a whole fleet, in a detailed model. Returns the number of cost evaluations.
pub(super) fn decide_in_detail(model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> u64 {
    let mut incremental = IncrementalCost::for_search(model);
    let mut starts = Vec::with_capacity(2 + model.places());
    for order in [Order::LargestFirst, Order::Given] {
        place_all_greedily(&mut incremental, sizes_bytes, order);
        starts.push(incremental.places().to_vec());
    }
    let evaluations = 2 * present_tasks(sizes_bytes) * model.places() as u64;
    if model.is_separable() {
        starts.extend((0..model.places() as u8).map(|place| everything_at(model, place)));
        evaluations + improve_devices(&mut incremental, sizes_bytes, &starts, places)
    } else {
        evaluations + improve_fleet(&mut incremental, sizes_bytes, &starts, places)
    }
}

/// All tasks at one place, but those whose devices cannot use it.
fn everything_at(model: &CostModel, place: u8) -> Vec<u8> {
    let mut places = vec![place; model.task_count()];
    model.keep_reachable(&mut places);
    places
}

/// Improves every start for the whole fleet, and keeps the best.
fn improve_fleet(
    incremental: &mut IncrementalCost<'_>,
    sizes_bytes: &[f64],
    starts: &[Vec<u8>],
    places: &mut [u8],
) -> u64 {
    let budget = affordable(incremental.model()) / starts.len() as u64;
    let (mut evaluations, mut best) = (0, f64::INFINITY);
    for start in starts {
        incremental.set(sizes_bytes, start);
        evaluations += 1 + improve_all(incremental, sizes_bytes, budget);
        if gains(incremental.cost(), best) {
            best = incremental.cost();
            places.copy_from_slice(incremental.places());
        }
    }
    evaluations
}

/// Improves every start for each device by itself, and keeps the best part for each.
fn improve_devices(
    incremental: &mut IncrementalCost<'_>,
    sizes_bytes: &[f64],
    starts: &[Vec<u8>],
    places: &mut [u8],
) -> u64 {
    let model = incremental.model();
    let tasks = model.tasks();
    let mut left = affordable(model);
    let all = left;
    let mut best = vec![f64::INFINITY; model.devices()];
    for start in starts {
        incremental.set(sizes_bytes, start);
        place_absent(incremental);
        for (device, best) in best.iter_mut().enumerate() {
            let row = device * tasks..(device + 1) * tasks;
            let mut order = Order::LargestFirst.of(&sizes_bytes[row.clone()]);
            for task in &mut order {
                *task += row.start;
            }
            left = left.saturating_sub(1 + search::improve(incremental, &order, left));
            let cost = model.device_cost(device, &sizes_bytes[row.clone()], &incremental.places()[row.clone()]);
            if gains(cost, *best) {
                *best = cost;
                places[row.clone()].copy_from_slice(&incremental.places()[row]);
            }
        }
    }
    all - left
}
